package bolt_test

import (
	"testing"

	"attesta/registry"
	"attesta/registry/bolt"
)

func TestStats(t *testing.T) {
	s, _ := create(t)
	r := registry.New(s, registry.Config{ClaimKey: testKey, DataKey: testKey})
	begun := s.Stats()
	recs := fill(t, r, 8)
	did := s.Stats()
	// Reserve, Complete, Extend, a provider, a module, a learner, two statuses.
	if got := did.Commits - begun.Commits; got != 8 {
		t.Errorf("%d commits, want 8", got)
	}
	if did.Pages == begun.Pages {
		t.Error("nothing was written")
	}
	if _, err := r.ByHandle(t.Context(), recs[0].Handle); err != nil {
		t.Fatal(err)
	}
	is := s.Stats()
	if is.Commits != did.Commits || is.Pages != did.Pages {
		t.Errorf("reading counts as %+v after %+v", is, did)
	}
	if got := is.Values - did.Values; got == 0 || got > 10 {
		t.Errorf("one record took %d values", got)
	}
	if _, err := r.Reserve(t.Context(), nil, testAt); err != nil || s.Stats().Commits != is.Commits {
		t.Errorf("nothing to change is a commit, %v", err)
	}
}

func TestParts(t *testing.T) {
	s, _ := create(t)
	r := registry.New(s, registry.Config{ClaimKey: testKey, DataKey: testKey})
	recs := fill(t, r, 40)
	parts, err := s.Parts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bolt.Part{}
	for _, p := range parts {
		found[p.Bucket] = p
	}
	if p := found["sealed"]; p.Entries != uint64(len(recs)) || p.Bytes < 4096 {
		t.Errorf("%d sealed documents take %+v", len(recs), p)
	}
}
