package bolt

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"attesta/registry"
	"attesta/registry/registrytest"
)

// TestErased greps the file for what nobody may read in it, and for what must
// be gone after an erasure, also from a copy that is made then. The control
// erases and does not scrub (R2, K4).
func TestErased(t *testing.T) {
	for _, scrub := range []bool{true, false} {
		t.Run(fmt.Sprint("scrubbed ", scrub), func(t *testing.T) {
			s, r, path := newStore(t)
			c := registrytest.Plant(t, r, s, at)
			file := func() []byte {
				t.Helper()
				raw, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				return raw
			}
			if found := registrytest.Found(file(), c.Words); len(found) > 0 {
				t.Errorf("to be read in the file: %v", found)
			}
			if found := registrytest.Found(file(), c.Traces); len(found) != len(c.Traces) {
				t.Fatalf("before, of %d traces only %v", len(c.Traces), found)
			}
			var err error
			if scrub {
				_, err = r.Erase(t.Context(), c.Learner.Ref, "operator", at)
			} else {
				rec, err2 := r.Find(t.Context(), registry.Key{Seq: 51})
				if err2 != nil || rec.Learner != c.Learner.Ref {
					t.Fatal(rec, err2)
				}
				stored, _, err2 := s.Document(t.Context(), 51)
				if err2 != nil {
					t.Fatal(err2)
				}
				_, err = s.Erase(t.Context(), stored.Learner, "operator", at)
			}
			if err != nil {
				t.Fatal(err)
			}
			var backup bytes.Buffer
			if err := s.Copy(t.Context(), &backup); err != nil {
				t.Fatal(err)
			}
			for what, raw := range map[string][]byte{"file": file(), "backup": backup.Bytes()} {
				found := registrytest.Found(raw, c.Traces)
				if scrub && len(found) > 0 || !scrub && len(found) == 0 {
					t.Errorf("in the %s after: %v", what, found)
				}
			}
			if err := r.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
