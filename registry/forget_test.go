package registry

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"
)

// lost is a backend that says of one step that its answer was lost, and calls
// while it removes what was erased.
type lost struct {
	Backend
	err   error
	scrub func()
}

func (l lost) People(context.Context, []string) (map[string]Person, error) {
	return map[string]Person{"": {}}, nil
}

func (l lost) Erase(context.Context, string, string, time.Time) (int, error) { return 1, l.err }

func (l lost) Scrub(context.Context) error { l.scrub(); return nil }

// TestErasingForgetsKeys: no key that was kept for the next step outlives an
// erasure, not even one whose answer was lost, or of somebody who was read just
// before it (R2).
func TestErasingForgetsKeys(t *testing.T) {
	late := func(r *Registry) {
		c, err := r.vault.cipher([SaltSize]byte{2})
		if err != nil {
			t.Fatal(err)
		}
		r.holders.put(2, holder{"late", c})
	}
	for name, x := range map[string]struct {
		err  error
		late func(*Registry)
	}{
		"before":             {nil, func(*Registry) {}},
		"its answer is lost": {errors.New("the connection is gone"), func(*Registry) {}},
		"read just before":   {nil, late},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := newVault([]byte("a data key of the tests"), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			r := &Registry{vault: v}
			r.backend = lost{err: x.err, scrub: func() { x.late(r) }}
			c, err := v.cipher([SaltSize]byte{1})
			if err != nil {
				t.Fatal(err)
			}
			r.holders.put(1, holder{"one", c})
			if _, err := r.Erase(t.Context(), "L-1", "operator", time.Unix(1, 0)); !errors.Is(err, x.err) {
				t.Error(err)
			}
			if len(v.ciphers) > 0 || len(r.holders.of) > 0 {
				t.Errorf("%d ciphers and %d holders are kept", len(v.ciphers), len(r.holders.of))
			}
		})
	}
}
