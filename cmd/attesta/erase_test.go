package main

import (
	"context"
	"errors"
	"testing"

	"attesta/registry"
)

// leavesTraces is a store that does not come to write over what was deleted the
// first time, as when the program is killed in between.
type leavesTraces struct {
	registry.Backend
	scrubs int
}

func (s *leavesTraces) Scrub(ctx context.Context) error {
	if s.scrubs++; s.scrubs == 1 {
		return errors.New("killed")
	}
	return s.Backend.Scrub(ctx)
}

// TestErasingAgainFinishesWhatWasCutOff (K4): whoever repeats the command is told
// that nobody is there, and that is true of the files too.
func TestErasingAgainFinishesWhatWasCutOff(t *testing.T) {
	opened(t, imported(t), func(a *app) {
		claims, err := a.ring.Secret("claim-links")
		if err != nil {
			t.Fatal(err)
		}
		people, err := a.ring.Secret("personal-data")
		if err != nil {
			t.Fatal(err)
		}
		store := &leavesTraces{Backend: a.store.Backend}
		a.registry = registry.New(store, registry.Config{ClaimKey: claims, DataKey: people})
		if err := a.registry.Unlock(t.Context(), a.now()); err != nil {
			t.Fatal(err)
		}
		c := &console{out: t.Output()}
		if err := erase(t.Context(), c, local{a}, eraseRequest{Learner: "TOT25-001", By: "Marta"}, true); err == nil || errors.Is(err, registry.ErrNotFound) {
			t.Fatalf("cut off: %v", err)
		}
		if err := erase(t.Context(), c, local{a}, eraseRequest{Learner: "TOT25-001", By: "Marta"}, true); !errors.Is(err, registry.ErrNotFound) || store.scrubs != 2 {
			t.Errorf("again: %v, after the files were written over %d times", err, store.scrubs)
		}
	})
}
