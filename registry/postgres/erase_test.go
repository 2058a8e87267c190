package postgres_test

import (
	"testing"

	"attesta/registry/registrytest"
)

// TestErased greps the files of the server for what nobody may read in them,
// its log of changes included, and for the salt without which nothing that is
// left of a person can be read: it is there before, and after an erasure it is
// not (R2, K4).
func TestErased(t *testing.T) {
	s, address := create(t)
	r := newRegistry(s)
	c := registrytest.Plant(t, r, s, testAt)
	salts := func(after string) (found int) {
		t.Helper()
		sql(t, address, "checkpoint")
		server.Files(t, "base", func(_ string, content []byte) {
			found += len(registrytest.Found(content, [][]byte{c.Salt}))
		})
		for _, folder := range []string{"base", "pg_wal"} {
			server.Files(t, folder, func(name string, content []byte) {
				if words := registrytest.Found(content, c.Words); len(words) > 0 {
					t.Errorf("%s, to be read in %s: %v", after, name, words)
				}
			})
		}
		return found
	}
	if n := salts("before"); n == 0 {
		t.Fatal("the salt is not found where it must be")
	}
	if n, err := r.Erase(t.Context(), c.Learner.Ref, "operator", testAt); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if n := salts("after"); n > 0 {
		t.Errorf("the salt still stands in %d files", n)
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
