package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"attesta/registry"
	"attesta/verifier"
	"attesta/wallet"

	"github.com/go-chi/chi/v5"
)

// maxPresented bounds what is presented for a check, in bytes.
const maxPresented = 4 << 20

// At most so many uploads are judged at once, and one waits so long for its turn.
const (
	judgedAtOnce = 4
	judgingWait  = 10 * time.Second
)

// verifyPage is the form by which anybody checks a credential.
type verifyPage struct {
	Page
	Action string
	Camera camera
}

func (s *Site) verifyForm(w http.ResponseWriter, r *http.Request) error {
	p := verifyPage{Page: s.page(r, "verify.title")}
	p.Action, p.Camera = p.Link("/verify"), s.camera()
	p.Camera.allow(w)
	return s.show(w, r, http.StatusOK, p)
}

// verifyPresented judges what was pasted or uploaded. A code or an address of
// ours leads to its page; an address of another site is not opened, because a
// forged paper can carry any address.
func (s *Site) verifyPresented(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	presented, err := readPresented(w, r)
	if err != nil {
		return err
	}
	at, err := s.askedDay(presented.day)
	if err != nil {
		return err
	}
	if presented.typed {
		handle, no := s.typedIn(string(presented.bytes))
		if no != nil {
			return *no
		}
		if handle != "" {
			asked := url.Values{}
			if v := visitOf(r); v.chosen {
				asked.Set("lang", v.language)
			}
			if !at.IsZero() {
				asked.Set("at", presented.day)
			}
			address := "/v/" + handle
			if len(asked) > 0 {
				address += "?" + asked.Encode()
			}
			http.Redirect(w, r, address, http.StatusSeeOther)
			return nil
		}
	}
	report, err := s.judge(w, r, presented.bytes, at)
	if err != nil {
		return fmt.Errorf("checking what was presented: %w", err)
	}
	report, q := s.about(w, r, report, presented.about)
	p := s.result(r, report, "")
	p.ask(report, q)
	return s.show(w, r, q.status, p)
}

// judge judges an upload when it is its turn. Where that takes too long the
// visitor is told when to come back.
func (s *Site) judge(w http.ResponseWriter, r *http.Request, presented []byte, at time.Time) (verifier.Report, error) {
	wait := time.NewTimer(judgingWait)
	defer wait.Stop()
	select {
	case s.judging <- struct{}{}:
		defer func() { <-s.judging }()
		return s.Verify(r.Context(), presented, at)
	case <-r.Context().Done():
		return verifier.Report{}, fmt.Errorf("waiting for a turn: %w", r.Context().Err())
	case <-wait.C:
		w.Header().Set("Retry-After", strconv.Itoa(int(judgingWait.Seconds())))
		return verifier.Report{}, refusal{http.StatusServiceUnavailable, "busy"}
	}
}

// verifyHandle judges the credential behind a QR. A handle that is malformed
// and one that is unknown have the same answer. A program that asks for the
// sealed bytes gets them, to judge for itself.
func (s *Site) verifyHandle(w http.ResponseWriter, r *http.Request) error {
	held, err := s.shown(r)
	if err != nil {
		return err
	}
	at, err := s.askedDay(r.URL.Query().Get("at"))
	if err != nil {
		return err
	}
	report, err := s.Verify(r.Context(), held.Sealed, at)
	if err != nil {
		return fmt.Errorf("checking what is behind a handle: %w", err)
	}
	if machine(r) {
		w.Header().Add("Vary", "Accept") // as the page says of itself
		if v := report.Credential; v == nil || v.BirthDateGiven || v.NationalIDGiven {
			return refusal{http.StatusForbidden, "file"}
		}
		return handOut(w, held)
	}
	p := s.result(r, dated(report, held.Record, false), held.Record.Handle)
	p.Asks, p.Keep = "/v/"+held.Record.Handle, ""
	if v := visitOf(r); v.chosen {
		p.Keep = v.language
	}
	p.ask(report, question{})
	return s.show(w, r, http.StatusOK, p)
}

// shown reads what is behind the handle of a request, in capitals or not.
func (s *Site) shown(r *http.Request) (wallet.Held, error) {
	handle := codeIn(chi.URLParam(r, "handle"))
	if handle == "" {
		return wallet.Held{}, refusal{http.StatusNotFound, "handle"}
	}
	held, err := s.Wallet.Show(r.Context(), handle)
	if errors.Is(err, wallet.ErrErased) {
		return wallet.Held{}, refusal{http.StatusGone, "erased"}
	}
	if errors.Is(err, registry.ErrNotFound) {
		return wallet.Held{}, refusal{http.StatusNotFound, "handle"}
	}
	if err != nil {
		return wallet.Held{}, fmt.Errorf("reading what is behind a handle: %w", err)
	}
	return held, nil
}

// handleQR draws the QR that leads to the page of a handle.
func (s *Site) handleQR(w http.ResponseWriter, r *http.Request) error {
	held, err := s.shown(r)
	if err != nil {
		return err
	}
	picture, err := QR(s.address(held.Record.Handle))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = w.Write(picture) // the status is sent: nothing is left to answer
	return nil
}

// address is the public address of a handle.
func (s *Site) address(handle string) string { return s.PublicURL + "/v/" + handle }

// presented is what came in the form of a check.
type presented struct {
	bytes []byte
	typed bool   // it was written, and is not a file
	day   string // that is asked about; "" for now
	about typedPerson
}

// fields are those of the form beside the file.
func fields() []string { return []string{"text", "at", "birth", "number"} }

// readPresented returns the bytes of the form: those of the file or the text,
// of which it says that it was typed. Of both neither is chosen, because the
// answer would not say which one it is about.
func readPresented(w http.ResponseWriter, r *http.Request) (presented, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxPresented)
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	parts := map[string][]byte{}
	switch kind {
	case "multipart/form-data":
		parts, err = readParts(r)
	case "application/x-www-form-urlencoded":
		if err = r.ParseForm(); err == nil {
			for _, name := range fields() {
				parts[name] = []byte(r.PostForm.Get(name))
			}
		}
	default:
		return presented{}, refusal{http.StatusBadRequest, "form"}
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return presented{}, err
	case err != nil:
		return presented{}, refusal{http.StatusBadRequest, "form"}
	}
	text, file := bytes.TrimSpace(parts["text"]), parts["file"]
	out := presented{day: string(bytes.TrimSpace(parts["at"])), about: typedPerson{string(parts["birth"]), string(parts["number"])}}
	switch {
	case len(file) > 0 && len(text) > 0:
		return presented{}, refusal{http.StatusBadRequest, "both"}
	case len(file) > 0:
		out.bytes = file
		return out, nil
	case len(text) > 0:
		out.bytes, out.typed = text, true
		return out, nil
	}
	return presented{}, refusal{http.StatusBadRequest, "empty"}
}

// readParts reads the fields of a multipart form in memory; the body is
// bounded already. Nothing is written to disk.
func readParts(r *http.Request) (map[string][]byte, error) {
	reader, err := r.MultipartReader()
	if err != nil {
		return nil, fmt.Errorf("reading the form: %w", err)
	}
	parts := map[string][]byte{}
	for range 8 {
		part, err := reader.NextPart()
		if err == io.EOF { //nolint:errorlint // plain io.EOF is the end of the form; where the body was cut it comes wrapped
			return parts, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the form: %w", err)
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, fmt.Errorf("reading the form: %w", err)
		}
		if name := part.FormName(); name == "file" || slices.Contains(fields(), name) {
			parts[name] = data
		}
	}
	return nil, errors.New("reading the form: too many fields")
}
