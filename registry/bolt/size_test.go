package bolt

import (
	"bytes"
	"encoding/base32"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"attesta/registry"
)

// classes makes intents as a region has them: classes of 25, four modules a
// provider, learners under random references.
func classes(from, to int) []registry.Intent {
	out := make([]registry.Intent, 0, to-from)
	for n := from; n < to; n++ {
		var raw [20]byte
		src := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
		_, _ = src.Read(raw[:])
		class := n / 25
		provider := class % 20
		module := 4*provider + class/20%4
		out = append(out, registry.Intent{
			Provider: fmt.Sprintf("IT-PROV-%03d", provider), Learner: base32.StdEncoding.EncodeToString(raw[:])[:26],
			Module: fmt.Sprintf("MOD-%04d", module), Version: "1.0", Edition: fmt.Sprintf("MOD-%04d/2026/%05d", module, class),
			Facts: registry.Facts{CompletedOn: "2026-02-27", Attendance: "92.5", Score: "30"},
			Body:  bytes.Repeat([]byte("body"), 100),
		})
	}
	return out
}

// issue reserves and completes n awards in slices.
func issue(t testing.TB, r *registry.Registry, from, n, slice int) {
	t.Helper()
	for at0 := from; at0 < from+n; at0 += slice {
		got, err := r.Reserve(t.Context(), classes(at0, min(at0+slice, from+n)), at)
		if err != nil {
			t.Fatal(err)
		}
		sealings := make([]registry.Sealing, len(got))
		for i, g := range got {
			sealings[i] = registry.Sealing{Seq: g.Record.Seq, Sealed: bytes.Repeat([]byte("seal"), 100)}
		}
		if err := r.Complete(t.Context(), sealings, at); err != nil {
			t.Fatal(err)
		}
	}
}

type size struct{ entries, used, allocated int }

// sizes are those of all buckets, by name.
func sizes(t testing.TB, s *Store) map[string]size {
	t.Helper()
	out := map[string]size{}
	err := s.view(t.Context(), func(x *tx) error {
		for _, name := range allBuckets(x) {
			st := x.Bucket([]byte(name)).Stats()
			out[name] = size{st.KeyN, st.LeafInuse + st.BranchInuse, st.LeafAlloc + st.BranchAlloc + st.InlineBucketInuse}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestBytesPerCredential prints what a credential costs in every bucket, and
// holds what is not its document or a person to a bound (B17). For more than the
// 10,000 it takes: ATTESTA_SIZES=1000000.
func TestBytesPerCredential(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("ATTESTA_SIZES"))
	if err != nil {
		n = 10_000
	}
	s, r, path := newStore(t)
	issue(t, r, 0, n-2000, 500)
	before := s.Stats()
	issue(t, r, n-2000, 2000, 500)
	pages := s.Stats().Pages - before.Pages
	var used, allocated float64
	all := sizes(t, s)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		z := all[name]
		u, a := float64(z.used)/float64(n), float64(z.allocated)/float64(n)
		if z.entries > 0 {
			t.Logf("%-12s %8d entries %6.1f bytes %6.1f with what pages leave empty", name, z.entries, u, a)
		}
		if name != bucketSealed && name != bucketBodies && name != bucketPeople && name != bucketTokens {
			used += u
			allocated += a
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("figures: of %d credentials each takes %.0f bytes beside its document, %.0f with what pages leave empty; file %.0f bytes each; the last ones wrote %.1f pages each",
		n, used, allocated, float64(info.Size())/float64(n), float64(pages)/2000)
	if used > 390 || allocated > 440 {
		t.Errorf("%.0f bytes beside the document, at most 390; %.0f with what pages leave empty, at most 440", used, allocated)
	}
}

func allBuckets(t *tx) []string {
	var names []string
	c := t.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		names = append(names, string(k))
	}
	return names
}

// B18: what a thousand credentials cost in syncs. They are counted, and
// strace -f -c counts the same.
func TestSyncsPerThousand(t *testing.T) {
	s, r, _ := newStore(t)
	issue(t, r, 0, 4000, 500) // the file has its first size
	for _, slice := range []int{500, 400} {
		before := s.Stats()
		issue(t, r, 10_000*slice, 2000, slice)
		after := s.Stats()
		t.Logf("slices of %d: %d syncs and %d pages for 2000 reserved and sealed", slice, after.Syncs-before.Syncs, after.Pages-before.Pages)
		if got := 2 * (after.Commits - before.Commits); got > 20 {
			t.Errorf("slices of %d: %d syncs for 2000 credentials, want at most 20", slice, got)
		}
		if grown := after.Syncs - before.Syncs - 2*(after.Commits-before.Commits); grown > 2 {
			t.Errorf("the file grew %d times", grown)
		}
	}
	before := s.Stats()
	var wait sync.WaitGroup
	for w := range 100 {
		wait.Go(func() {
			for n := range 10 {
				at0 := 20_000_000 + 10*w + n
				if _, err := r.Reserve(t.Context(), classes(at0, at0+1), at); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	syncs := s.Stats().Syncs - before.Syncs
	t.Logf("figures: %d syncs for 1000 steps of 100 callers; in all %+v", syncs, s.Stats())
	if syncs > 500 {
		t.Errorf("%d syncs for 1000 steps of 100 callers, want at most 500", syncs)
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
