package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"attesta/registry"
)

// brokenStore is a store whose disk failed.
type brokenStore struct {
	registry.Backend
	why error
}

func (b brokenStore) Failed() <-chan struct{} { return nil }
func (b brokenStore) Failure() error          { return b.why }

// T5: while a registry takes no more changes /readyz is red, although it still
// can be read.
func TestReadyzIsRedWhenTheDiskFailed(t *testing.T) {
	dir := imported(t)
	opened(t, dir, func(a *app) {
		site, err := a.site()
		if err != nil {
			t.Fatal(err)
		}
		store := a.store
		for _, c := range []struct {
			why  error
			want int
		}{{nil, http.StatusOK}, {errors.New("input/output error"), http.StatusServiceUnavailable}} {
			a.store.Backend = brokenStore{store.Backend, c.why}
			answer := httptest.NewRecorder()
			routes(site).ServeHTTP(answer, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/readyz", nil))
			if answer.Code != c.want {
				t.Errorf("with %v it answers %d, want %d", c.why, answer.Code, c.want)
			}
		}
	})
}
