package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"attesta/presentation"
	"attesta/registry"
	"attesta/verifier"
)

// What is presented for a check is bounded in bytes: what is usual may come from
// anybody at any time, of what is larger few are taken at once.
const (
	maxForm      = presentation.MaxBytes + 1<<20 // with what a form adds
	smallForm    = 4 << 20
	usualForm    = 256 << 10 // five times what a sealed file has
	smallAtOnce  = 12        // of those between usual and small
	largeAtOnce  = 4
	judgedAtOnce = 4
	judgingWait  = 10 * time.Second // for a turn
	judgingTime  = 40 * time.Second // for all that was presented at once
	smallTime    = 30 * time.Second // for what is small to arrive
	sendingTime  = 2 * time.Minute  // for what is large, over a telephone
	answerTime   = 20 * time.Second // for the answer to arrive
)

// presented is what came in the form of a check.
type presented struct {
	files []presentation.File
	text  string
	day   string // that is asked about, as it was typed; "" for now
	asked string // the same, where it is another day than today
	about typedPerson
}

// readPresented returns what a form holds: files, or a text that was typed. Of
// both neither is chosen, because the answer would not say which one it is about.
func readPresented(w http.ResponseWriter, r *http.Request) (in presented, err error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	var fields map[string]string
	switch kind {
	case "multipart/form-data":
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		fields, in.files, err = readParts(r)
	case "application/x-www-form-urlencoded":
		r.Body = http.MaxBytesReader(w, r.Body, smallForm)
		if err = r.ParseForm(); err == nil {
			fields = map[string]string{}
			for name := range r.PostForm {
				fields[name] = r.PostForm.Get(name)
			}
		}
	default:
		return presented{}, refusal{http.StatusBadRequest, "form"}
	}
	var no refusal
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large), errors.As(err, &no):
		return presented{}, err
	case err != nil:
		return presented{}, refusal{http.StatusBadRequest, "form"}
	}
	in.text, in.day = strings.TrimSpace(fields["text"]), strings.TrimSpace(fields["at"])
	in.about = typedPerson{fields["birth"], fields["number"]}
	switch {
	case len(in.files) > 0 && in.text != "":
		return presented{}, refusal{http.StatusBadRequest, "both"}
	case len(in.files) == 0 && in.text == "":
		return presented{}, refusal{http.StatusBadRequest, "empty"}
	}
	return in, nil
}

// readParts reads the fields of a multipart form in memory; the body is
// bounded already. Nothing is written to disk. A field for files in which none
// was chosen comes as one without a name and without bytes.
func readParts(r *http.Request) (fields map[string]string, files []presentation.File, err error) {
	reader, err := r.MultipartReader()
	if err != nil {
		return nil, nil, fmt.Errorf("reading the form: %w", err)
	}
	fields = map[string]string{}
	var room bytes.Buffer // for one part after another, of which the form does not say the length
	for others := 0; others < 8; {
		part, err := reader.NextPart()
		if err == io.EOF { // plain io.EOF is the end of the form; where the body was cut it comes wrapped
			if !slices.ContainsFunc(files, func(f presentation.File) bool { return len(f.Data) > 0 }) {
				files = nil
			}
			return fields, files, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("reading the form: %w", err)
		}
		room.Reset()
		if _, err := room.ReadFrom(part); err != nil {
			return nil, nil, fmt.Errorf("reading the form: %w", err)
		}
		data := room.Bytes()
		if len(data) > usualBody {
			room = bytes.Buffer{} // what is large is not held twice
		} else {
			data = bytes.Clone(data)
		}
		switch name := part.FormName(); {
		case name == "file" && (len(data) > 0 || part.FileName() != ""):
			if len(files) == presentation.MaxFiles {
				return nil, nil, refusal{http.StatusRequestEntityTooLarge, "many"}
			}
			files = append(files, presentation.File{Name: part.FileName(), Data: data})
		default:
			fields[name] = string(data)
			others++
		}
	}
	return nil, nil, errors.New("reading the form: too many fields")
}

// roomy lets few bodies in at once that are larger than usual, so that memory
// has a bound. Who says nothing of its length is taken for large.
func (s *Site) roomy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		places, sending := s.small, smallTime
		switch {
		case r.ContentLength >= 0 && r.ContentLength <= usualForm:
			next.ServeHTTP(w, r)
			return
		case r.ContentLength < 0 || r.ContentLength > smallForm:
			places, sending = s.large, sendingTime
		}
		err := places.turn(w, r, func() error {
			// Connections have the clock of this computer. One that has no deadlines needs none.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(sending))
			next.ServeHTTP(w, r)
			return nil
		})
		if err != nil {
			s.answer(w, r, err)
		}
	})
}

// judging is how everything that was presented at once is judged.
type judging struct {
	at    time.Time // that is asked about; zero for now
	pages bool      // a handle that is alone is left to the page that it has
}

// judgeAll reads and judges what was presented when it is its turn. Of the
// answers there is at least one.
func (s *Site) judgeAll(w http.ResponseWriter, r *http.Request, j judging, read func(context.Context) []presentation.Item) ([]presentation.Answer, error) {
	var answers []presentation.Answer
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2*judgingWait + judgingTime + answerTime)) // as above
	err := s.judging.turn(w, r, func() (err error) {
		ctx, cancel := context.WithTimeout(r.Context(), judgingTime)
		defer cancel()
		items := read(ctx)
		led := j.pages && len(items) == 1
		answers, err = presentation.Check(r.Context(), items, func(outer context.Context, i presentation.Item) (verifier.Report, error) {
			if i.Handle != "" && led {
				return verifier.Report{}, nil // its own page judges it
			}
			report, err := s.judgeItem(ctx, i, j.at)
			if err != nil && ctx.Err() != nil && outer.Err() == nil {
				return report, &presentation.Problem{Code: "late"}
			}
			return report, err
		})
		return err
	})
	return answers, err
}

// judgeItem judges one item: its bytes, or what is behind its handle.
func (s *Site) judgeItem(ctx context.Context, i presentation.Item, at time.Time) (verifier.Report, error) {
	if i.Handle == "" {
		return s.Verify(ctx, i.Sealed, at)
	}
	held, err := s.behind(ctx, i.Handle)
	var no refusal
	switch {
	case errors.As(err, &no) && no.name == "erased":
		return verifier.Report{}, &presentation.Problem{Code: "handle_erased"}
	case errors.As(err, &no), errors.Is(err, registry.ErrNotFound):
		return verifier.Report{}, &presentation.Problem{Code: "handle_unknown"}
	case err != nil:
		return verifier.Report{}, err
	}
	report, err := s.Verify(ctx, held.Sealed, at)
	return dated(report, held.Record, false), err
}
