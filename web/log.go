package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"attesta/registry"

	"github.com/go-chi/chi/v5"
)

// LogDocument is what can be asked about the audit log.
type LogDocument string

// The documents about the audit log, by the first part of their address below
// /log.
const (
	LogCheckpoint  LogDocument = "checkpoint"
	LogKey         LogDocument = "key"
	LogEntries     LogDocument = "entries"
	LogInclusion   LogDocument = "inclusion"
	LogConsistency LogDocument = "consistency"
)

// MaxLogEntries is how many entries of the audit log one answer has at most.
const MaxLogEntries = 1000

// LogDocuments gives what everybody may see of the audit log: its newest signed
// checkpoint and its key, where from and to are zero; the entries from a number
// to another, at most MaxLogEntries; the proof that entry from is among to (the
// newest checkpoint's when it is zero); the proof that the log of to entries
// begins with that of from. What there is not, or not yet, is
// registry.ErrNotFound.
type LogDocuments interface {
	LogDocument(ctx context.Context, what LogDocument, from, to uint64) (Published, error)
}

// logRoutes publish the audit log. What is computed is bounded for one address.
func (s *Site) logRoutes(r chi.Router) {
	r.Group(func(r chi.Router) {
		r.Use(s.limiting("log"))
		s.get(r, "/log/{what:checkpoint|key}", s.logDocument)
		s.get(r, "/log/{what:inclusion}/{from:[0-9]+}", s.logDocument)
		s.get(r, "/log/{what:entries|consistency}/{from:[0-9]+}-{to:[0-9]+}", s.logDocument)
	})
}

// logDocument publishes one document about the audit log.
func (s *Site) logDocument(w http.ResponseWriter, r *http.Request) error {
	if s.Audit == nil {
		return registry.ErrNotFound
	}
	what := LogDocument(chi.URLParam(r, "what"))
	from, to, err := logSpan(what, chi.URLParam(r, "from"), chi.URLParam(r, "to"), r.URL.RawQuery)
	if err != nil {
		return err
	}
	published, err := s.Audit.LogDocument(r.Context(), what, from, to)
	if err != nil {
		return fmt.Errorf("publishing the audit log: %w", err)
	}
	return publish(w, r, published)
}

// logSpan reads what part of the log an address asks for. Each document has one
// address: a number is written in one way, and nothing else stands in the query.
func logSpan(what LogDocument, first, second, query string) (from, to uint64, err error) {
	const sized = "size="
	if what == LogInclusion && len(query) > len(sized) && query[:len(sized)] == sized {
		second, query = query[len(sized):], ""
	}
	if query != "" {
		return 0, 0, fmt.Errorf("reading query: %w", registry.ErrInvalid)
	}
	for _, x := range []struct {
		text string
		into *uint64
	}{{first, &from}, {second, &to}} {
		if x.text == "" {
			continue
		}
		if *x.into, err = strconv.ParseUint(x.text, 10, 60); err != nil || *x.into == 0 || x.text != strconv.FormatUint(*x.into, 10) {
			return 0, 0, registry.ErrNotFound
		}
	}
	if to != 0 && from > to || what == LogEntries && to-from >= MaxLogEntries {
		return 0, 0, registry.ErrNotFound
	}
	return from, to, nil
}
