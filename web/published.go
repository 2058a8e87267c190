package web

import (
	"bytes"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"attesta/registry"
	"attesta/status"

	"github.com/go-chi/chi/v5"
)

// asset serves an embedded file. Its name carries its digest, so that it can
// be kept for ever.
func (s *Site) asset(w http.ResponseWriter, r *http.Request) error {
	name := chi.URLParam(r, "name")
	data, ok := s.assets[name]
	if !ok {
		return registry.ErrNotFound
	}
	h := w.Header()
	switch path.Ext(name) {
	case ".css":
		h.Set("Content-Type", "text/css; charset=utf-8")
	case ".svg":
		h.Set("Content-Type", "image/svg+xml")
	case ".js":
		h.Set("Content-Type", "text/javascript; charset=utf-8")
	case ".wasm":
		h.Set("Content-Type", "application/wasm")
	case ".txt":
		h.Set("Content-Type", "text/plain; charset=utf-8")
	case ".bin":
		h.Set("Content-Type", "application/octet-stream")
	}
	if gzipped(data) && path.Ext(name) != ".bin" { // who loads that unpacks it, so that a device keeps it packed
		var err error
		if data, err = packed(w, r, data); err != nil {
			return err
		}
	}
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return nil
}

// maxListName bounds what is looked for as the name of a list.
const maxListName = 64

// statusList publishes one signed status list as a Bitstring Status List.
func (s *Site) statusList(w http.ResponseWriter, r *http.Request) error {
	list, purpose := chi.URLParam(r, "list"), status.Purpose(chi.URLParam(r, "purpose"))
	if len(list) > maxListName || purpose != status.Revocation && purpose != status.Suspension {
		return registry.ErrNotFound
	}
	if ofAnotherDay(r) {
		return refusal{http.StatusNotImplemented, "history"}
	}
	return publishList(w, r)(s.Lists.StatusList(r.Context(), list, purpose))
}

// tokenList publishes one signed status list as a Token Status List.
func (s *Site) tokenList(w http.ResponseWriter, r *http.Request) error {
	list := chi.URLParam(r, "list")
	if len(list) > maxListName {
		return registry.ErrNotFound
	}
	if ofAnotherDay(r) {
		return refusal{http.StatusNotImplemented, "history"}
	}
	return publishList(w, r)(s.Lists.TokenList(r.Context(), list))
}

// aggregation publishes the addresses of all Token Status Lists.
func (s *Site) aggregation(w http.ResponseWriter, r *http.Request) error {
	return publishList(w, r)(s.Lists.Aggregation(r.Context()))
}

// ofAnotherDay tells whether a list is asked for as it was at some time, which we
// do not keep: by time (draft-ietf-oauth-status-list, section 8.4) or by
// timestamp (Bitstring Status List 1.0).
func ofAnotherDay(r *http.Request) bool {
	q := r.URL.Query()
	return q.Has("time") || q.Has("timestamp")
}

func publishList(w http.ResponseWriter, r *http.Request) func(Published, error) error {
	return func(published Published, err error) error {
		if err != nil {
			return fmt.Errorf("publishing a status list: %w", err)
		}
		return publish(w, r, published)
	}
}

// keyDocument publishes one document about the keys.
func (s *Site) keyDocument(w http.ResponseWriter, r *http.Request) error {
	if s.Keys == nil {
		return registry.ErrNotFound
	}
	published, err := s.Keys.KeyDocument(chi.URLParam(r, "document"))
	if err != nil {
		return fmt.Errorf("publishing a document about keys: %w", err)
	}
	return publish(w, r, published)
}

// publish answers with what other sites may read from a browser: it is public,
// the same for everybody and read without credentials.
func publish(w http.ResponseWriter, r *http.Request, published Published) error {
	h := w.Header()
	h.Set("Content-Type", published.MediaType)
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(max(published.MaxAge, 0).Seconds())))
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "ETag")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if tag := published.ETag; tag != "" {
		if !strings.HasPrefix(tag, `"`) && !strings.HasPrefix(tag, `W/"`) {
			tag = `"` + tag + `"`
		}
		h.Set("ETag", tag)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(published.Token))
	return nil
}

// health says that the program answers.
func (s *Site) health(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	return plain(w, "ok\n")
}

// ready says whether the program can do its work. Why not is for the log.
func (s *Site) ready(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	if s.Ready == nil {
		return plain(w, "ready\n")
	}
	if err := s.Ready(r.Context()); err != nil {
		s.Log.Warn("not ready", "id", visitOf(r).id, "error", err)
		return refusal{http.StatusServiceUnavailable, "unready"}
	}
	return plain(w, "ready\n")
}
