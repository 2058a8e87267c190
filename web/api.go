package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"

	"attesta/presentation"
)

// results is the answer about several items.
type results struct {
	CheckedAt time.Time             `json:"checked_at"`
	Results   []presentation.Answer `json:"results"`
}

// verifyAPI judges what a program presents. A body that is one credential, in
// any of the kinds of files that hold one, is answered with its report; a form, a
// list and an archive with a list of answers in their order.
func (s *Site) verifyAPI(w http.ResponseWriter, r *http.Request) error {
	read, many, day, err := s.readRequest(w, r)
	if err != nil {
		return err
	}
	at, err := s.askedDay(day)
	if err != nil {
		return err
	}
	answers, err := s.judgeAll(w, r, judging{at: at}, read)
	switch {
	case err != nil:
		return fmt.Errorf("checking what was presented: %w", err)
	case many:
		return answerJSON(w, results{s.Now(), answers})
	case len(answers) > 1:
		return refusal{http.StatusUnprocessableEntity, "several"}
	case answers[0].Report == nil:
		return s.unprocessable(w, r, answers[0].Item)
	}
	return answerJSON(w, answers[0].Report)
}

// readRequest takes a request of a program: how to read what it presents, whether
// it asks for a list, and the day that it asks about.
func (s *Site) readRequest(w http.ResponseWriter, r *http.Request) (read func(context.Context) []presentation.Item, many bool, day string, err error) {
	day = r.URL.Query().Get("at")
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	if kind == "multipart/form-data" {
		in, err := readPresented(w, r)
		if err != nil {
			return nil, false, "", err
		}
		day = cmp.Or(in.day, day)
		if in.text != "" {
			items, err := s.typed(in.text)
			return func(context.Context) []presentation.Item { return items }, true, day, err
		}
		return func(ctx context.Context) []presentation.Item { return s.reader.Read(ctx, in.files...) }, true, day, nil
	}
	read, many, err = s.readBody(w, r, kind)
	return read, many, day, err
}

// usualBody is up to what length room is made for a body by what its request says
// of it.
const usualBody = 256 << 10

// readBody takes what stands in a body as it is.
func (s *Site) readBody(w http.ResponseWriter, r *http.Request, kind string) (read func(context.Context) []presentation.Item, many bool, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	var whole bytes.Buffer
	whole.Grow(int(min(max(r.ContentLength, 0), usualBody)) + bytes.MinRead)
	_, err = whole.ReadFrom(r.Body)
	body := whole.Bytes()
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return nil, false, err
	}
	if err != nil {
		return nil, false, refusal{http.StatusBadRequest, "form"}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, false, refusal{http.StatusBadRequest, "empty"}
	}
	one := func(ctx context.Context) []presentation.Item {
		return s.reader.Read(ctx, presentation.File{Data: body})
	}
	if kind != "application/json" {
		return one, kind == "application/zip", nil
	}
	list, err := listIn(body)
	if err != nil {
		return nil, false, err
	}
	if list != nil {
		read, err = s.readList(list)
		return read, true, err
	}
	presented, wrapped, err := s.readObject(body)
	if err != nil || !wrapped {
		return one, false, err
	}
	if presented.text != "" {
		item, err := s.typedOne(presented.text)
		return func(context.Context) []presentation.Item { return []presentation.Item{item} }, false, err
	}
	return func(ctx context.Context) []presentation.Item { return s.reader.Read(ctx, presented.file) }, false, nil
}

// listIn splits a list of JSON; nil where the body is none. One that is too long
// is read no further than that is known.
func listIn(body []byte) ([]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, nil //nolint:nilerr // whoever reads it as something else says what is wrong
	}
	var list []json.RawMessage
	for d.More() {
		if len(list) == presentation.MaxEntries {
			return nil, refusal{http.StatusRequestEntityTooLarge, "many"}
		}
		var one json.RawMessage
		if err := d.Decode(&one); err != nil {
			return nil, refusal{http.StatusBadRequest, "json"}
		}
		list = append(list, one)
	}
	if _, err := d.Token(); err != nil || len(bytes.TrimSpace(body[d.InputOffset():])) > 0 {
		return nil, refusal{http.StatusBadRequest, "json"}
	}
	if len(list) == 0 {
		return nil, refusal{http.StatusBadRequest, "empty"}
	}
	return list, nil
}

// object is one thing that a program presents in JSON.
type object struct {
	file presentation.File
	text string
}

// readList reads a list of objects, each of which becomes an item of its own or
// several.
func (s *Site) readList(list []json.RawMessage) (func(context.Context) []presentation.Item, error) {
	objects := make([]object, len(list))
	for n, raw := range list {
		presented, wrapped, err := s.readObject(raw)
		if err != nil {
			return nil, err
		}
		if !wrapped {
			presented.file.Data = raw
		}
		objects[n] = presented
	}
	return func(ctx context.Context) (items []presentation.Item) {
		reading := s.reader.Begin(ctx) // the limits are those of the whole list
		for _, o := range objects {
			if o.text == "" {
				items = append(items, reading.Read(o.file)...)
				continue
			}
			item, err := s.typedOne(o.text)
			if err != nil {
				item = s.reader.ReadText(o.text)
			}
			items = append(items, item)
		}
		return items
	}, nil
}

// readObject reads {"credential": ...} or {"text": ...}, with a name if there is
// one. An object with other members is no wrapping: it may be a credential. One
// with a member twice is refused.
func (s *Site) readObject(raw []byte) (o object, wrapped bool, err error) {
	bad := refusal{http.StatusBadRequest, "json"}
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return o, false, bad
	}
	given := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return o, false, bad
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return o, false, bad
		}
		key, _ := name.(string)
		var text string
		isText := json.Unmarshal(value, &text) == nil
		switch {
		case given[key]:
			return o, false, bad
		case key == "credential" && isText:
			o.file.Data = []byte(text)
		case key == "credential":
			o.file.Data = value
		case key == "text" && isText:
			o.text = text
		case key == "name" && isText:
			o.file.Name = text
		default:
			return object{}, false, nil
		}
		given[key] = true
	}
	if given["credential"] == given["text"] || given["text"] && o.text == "" {
		return o, false, bad
	}
	return o, true, nil
}

// unprocessable answers a program about an item that cannot be judged: a problem
// document (RFC 9457) with the item.
func (s *Site) unprocessable(w http.ResponseWriter, r *http.Request, i presentation.Item) error {
	p := s.page(r, "problem.title")
	heading, text, todo := p.unjudged(i)
	status := unjudgedStatus(i, http.StatusUnprocessableEntity)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Language", p.Lang)
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(struct { // the status is sent: nothing is left to answer
		problemDocument
		Item presentation.Item `json:"item"`
	}{problemDocument{"about:blank", heading, status, text + " " + todo, visitOf(r).id}, i})
	return nil
}

// answerJSON answers with a value as JSON.
func answerJSON(w http.ResponseWriter, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b.Bytes()) // the status is sent: nothing is left to answer
	return nil
}

// openAPI describes the addresses for programs (OpenAPI 3.1).
func (s *Site) openAPI(w http.ResponseWriter, _ *http.Request) error {
	raw, err := files.ReadFile("openapi.json")
	if err != nil {
		return fmt.Errorf("reading the description: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(raw) // the status is sent: nothing is left to answer
	return nil
}
