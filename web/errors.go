package web

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"attesta/registry"
)

// handler answers a request or returns why it does not.
type handler func(w http.ResponseWriter, r *http.Request) error

// refusal is an answer that was decided: its status, and the name under
// which the locales keep its words.
type refusal struct {
	status int
	name   string
}

// Error names the refusal.
func (e refusal) Error() string { return "refused: " + e.name }

// answering makes an http.HandlerFunc of a handler. It is the one way by which
// an error becomes an answer.
func (s *Site) answering(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.answer(w, r, err)
		}
	}
}

// answer maps an error to an answer. What is not a known kind is logged and
// answered by a plain 500 that shows the request id and nothing else.
func (s *Site) answer(w http.ResponseWriter, r *http.Request, err error) {
	no := refusalFor(err)
	if no.status == http.StatusInternalServerError && !errors.As(err, new(refusal)) {
		if r.Context().Err() != nil {
			return // the visitor has left; nobody reads an answer
		}
		s.Log.LogAttrs(r.Context(), slog.LevelError, "fault",
			slog.String("id", visitOf(r).id), slog.Any("error", stepOf(r, err)))
	}
	h := w.Header()
	for _, name := range []string{"Content-Disposition", "ETag", "Access-Control-Allow-Origin"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	if machine(r) {
		s.problem(w, r, no)
		return
	}
	page := errorPage{Page: s.page(r, "error."+no.name+".title"), Name: no.name}
	if strings.HasPrefix(r.URL.Path, "/c/") && strings.HasPrefix(no.name, "compact") {
		page.Back, page.Secret = page.Link(askedAt(r.URL.EscapedPath())), true
	}
	if no.status == http.StatusInternalServerError {
		page.ID = visitOf(r).id
	}
	if err := s.show(w, r, no.status, page); err != nil {
		s.Log.Error("showing an error page", "id", visitOf(r).id, "error", err)
	}
}

// refusalFor tells the kind of an error.
func refusalFor(err error) refusal {
	var no refusal
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &no):
		return no
	case errors.As(err, &large):
		return refusal{http.StatusRequestEntityTooLarge, "large"}
	case errors.Is(err, registry.ErrNotFound):
		return refusal{http.StatusNotFound, "missing"}
	case errors.Is(err, registry.ErrInvalid):
		return refusal{http.StatusBadRequest, "invalid"}
	case errors.Is(err, registry.ErrConflict):
		return refusal{http.StatusConflict, "conflict"}
	}
	return refusal{http.StatusInternalServerError, "fault"}
}

// problemDocument is an answer to a program that has no other (RFC 9457).
type problemDocument struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	ID     string `json:"request_id"`
}

// problem answers with a problem document.
func (s *Site) problem(w http.ResponseWriter, r *http.Request, no refusal) {
	language := visitOf(r).language
	words := s.catalogue[language]
	body, err := json.Marshal(problemDocument{"about:blank", words.T("error." + no.name + ".title"), no.status, words.T("error." + no.name + ".text"), visitOf(r).id})
	if err != nil {
		w.WriteHeader(no.status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Language", language)
	w.WriteHeader(no.status)
	_, _ = w.Write(append(body, '\n')) // the status is sent: nothing is left to answer
}

// machine tells whether a program asks: by the path, or because it prefers
// JSON to a page.
func machine(r *http.Request) bool {
	for _, prefix := range []string{"/status/", "/log/", "/healthz", "/readyz", "/api/", "/.well-known/", "/metrics"} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return true
		}
	}
	var structured, page float64
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		kind, parameters, _ := strings.Cut(part, ";")
		weight := 1.0
		for p := range strings.SplitSeq(parameters, ";") {
			if q, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
				if f, err := strconv.ParseFloat(q, 64); err == nil {
					weight = f
				}
			}
		}
		switch kind = strings.ToLower(strings.TrimSpace(kind)); {
		case kind == "application/json", strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"):
			structured = max(structured, weight)
		case kind == "text/html", kind == "application/xhtml+xml":
			page = max(page, weight)
		}
	}
	return structured > page
}
