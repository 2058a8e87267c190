package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/klauspost/compress/gzip"
)

// visit is what is known of one request.
type visit struct {
	id       string
	language string // of the answer
	chosen   string // the language that ?lang= names, which the next page may have; "" for none
}

type visitKey struct{}

// visitOf returns the visit of a request that went through visiting.
func visitOf(r *http.Request) visit {
	v, ok := r.Context().Value(visitKey{}).(visit)
	if !ok {
		return visit{language: languages[0]}
	}
	return v
}

// visiting gives each request an id and a language. An id that an outer router
// has given is kept; one that the client sends is not believed.
func (s *Site) visiting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := middleware.GetReqID(r.Context())
		if id == "" {
			id = s.RequestID()
		}
		v := visit{id: id}
		v.language, v.chosen = languageOf(r)
		ctx := context.WithValue(r.Context(), visitKey{}, v)
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, middleware.RequestIDKey, id)))
	})
}

// logging writes one line a request: the pattern of the route and never the
// path or the query, which can hold a handle, a claim token or a key.
func (s *Site) logging(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := s.Now()
		answer := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() {
			code := answer.Status()
			if code == 0 {
				code = http.StatusOK
			}
			s.Log.LogAttrs(r.Context(), slog.LevelInfo, "request",
				slog.String("method", method(r)), slog.String("route", route(r)), slog.Int("status", code),
				slog.Duration("took", s.Now().Sub(begun).Round(time.Microsecond)), slog.String("id", visitOf(r).id))
		}()
		next.ServeHTTP(answer, r)
	})
}

// method names the method of a request; one that is made up is not repeated.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// route is the pattern that a request matched, or a dash.
func route(r *http.Request) string {
	if c := chi.RouteContext(r.Context()); c != nil {
		if pattern := c.RoutePattern(); pattern != "" {
			return pattern
		}
	}
	return "-"
}

// recovering turns a fault in a handler into the answer for a fault.
func (s *Site) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() == nil {
				return
			}
			s.Log.LogAttrs(r.Context(), slog.LevelError, "fault", slog.String("route", route(r)),
				slog.String("id", visitOf(r).id), slog.String("stack", string(debug.Stack())))
			s.answer(w, r, refusal{http.StatusInternalServerError, "fault"})
		}()
		next.ServeHTTP(w, r)
	})
}

// compressing compresses what everybody may read, at the fastest level: the next
// ones save a few bytes in a hundred for twice the time.
func compressing() func(http.Handler) http.Handler {
	c := middleware.NewCompressor(gzip.BestSpeed, "text/html", "text/css", "text/javascript", "text/plain", "image/svg+xml")
	c.SetEncoder("gzip", func(w io.Writer, level int) io.Writer {
		z, err := gzip.NewWriterLevel(w, level)
		if err != nil { // there is no such level
			return gzip.NewWriter(w)
		}
		return z
	})
	return c.Handler
}

const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// securing sets the headers that every answer carries. Referrer-Policy is
// same-origin and not no-referrer, because under the latter browsers send
// "Origin: null" with our own forms.
func (s *Site) securing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// private marks what is about a person or opened by a secret: not stored, not
// indexed.
func private(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Robots-Tag", "noindex, nofollow")
		if strings.HasPrefix(r.URL.Path, "/c/") {
			w.Header().Set("Referrer-Policy", "no-referrer") // the address is the secret; no form here
		}
		next.ServeHTTP(w, r)
	})
}

// stepOf adds to an error which route it happened on, by the pattern and not
// by the path, so that it can be logged.
func stepOf(r *http.Request, err error) error {
	return fmt.Errorf("%s %s: %w", method(r), route(r), err)
}
