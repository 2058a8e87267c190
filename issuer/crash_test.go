package issuer_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"attesta/intake"
	"attesta/issuer"
	"attesta/keys"
	"attesta/registry"
)

// T15: a store that fails while storing the seals, without having stored them
// or after it. Whatever is tried next, each award has one credential, in the
// place that was reserved for it.
func TestACrashBetweenReservingAndStoring(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after bool
	}{{"failed and not stored", true, false}, {"failed and stored", false, true}} {
		for _, again := range []string{"issue", "resume"} {
			t.Run(c.name+", then "+again, func(t *testing.T) {
				h := school(t)
				rows := h.completions(t, "completions_tot.csv", intake.ISO)[:40]
				h.store.before.Store(c.before)
				h.store.after.Store(c.after)
				if outcomes, err := h.Issue(t.Context(), rows); !errors.Is(err, errDisk) || len(outcomes) > 0 {
					t.Fatalf("%d answers, %v", len(outcomes), err)
				}
				reserved := h.places(t)
				h.store.before.Store(false)
				h.store.after.Store(false)
				h.clock.set(theDay(t).Add(26 * time.Hour))
				h.Issuer = h.newIssuer(t, plainPicture) // the program starts again
				if again == "resume" {
					n, err := h.Resume(t.Context())
					if want := len(reserved); err != nil || c.after && n != 0 || c.before && n != want {
						t.Errorf("%d resumed, %v", n, err)
					}
				}
				outcomes := h.issue(t, rows)
				got := answers(outcomes)
				fresh := c.before && again == "issue"
				if got["issued"] > 0 != fresh || got["already_issued"] > 0 == fresh {
					t.Errorf("%v", got)
				}
				if diff := cmp.Diff(reserved, h.places(t)); diff != "" {
					t.Errorf("the places differ: %s", diff)
				}
				if n := h.counts(t); n.Reserved != 0 || int(n.Sealed) != len(reserved) {
					t.Errorf("%+v of %d", n, len(reserved))
				}
				for _, o := range outcomes {
					if o.Record == nil {
						continue
					}
					_, parsed := h.sealed(t, o.Record)
					if v := parsed.View(); v.ID != o.Record.Credential || v.Status[0].Index != fmt.Sprint(o.Record.Index) || !v.Issued.Equal(theDay(t)) {
						t.Errorf("%s: %+v", o.RowID, v)
					}
				}
			})
		}
	}
}

// places maps each award that has a record to its credential and its place in
// the status list; a place that is given twice fails the test.
func (h *house) places(t *testing.T) map[string]string {
	t.Helper()
	places, taken := map[string]string{}, map[string]bool{}
	before := uint64(0)
	for {
		page, err := h.registry.Records(t.Context(), registry.Query{Before: before, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return places
		}
		for _, r := range page {
			before = r.Seq
			place := fmt.Sprintf("%s/%d", r.List, r.Index)
			if taken[place] {
				t.Errorf("%s is given twice", place)
			}
			taken[place] = true
			award := r.Learner + " " + r.Edition
			if places[award] != "" {
				t.Errorf("%s has two records", award)
			}
			places[award] = r.Credential + " " + place
		}
	}
}

// A record whose key can sign no more is finished with the next key, and the
// seal then carries a time at which that key was good.
func TestARecordIsFinishedWithTheNextKey(t *testing.T) {
	h := school(t)
	h.store.before.Store(true)
	rows := h.row(t, goodRow)
	if _, err := h.Issue(t.Context(), rows); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	h.store.before.Store(false)
	h.clock.set(theDay(t).AddDate(6, 0, 0)) // the certificates have ended
	if n, err := h.Resume(t.Context()); err == nil {
		t.Errorf("%d finished with a key that may not sign", n)
	}
	if _, err := h.AddProviders(t.Context(), providers(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Resume(t.Context()); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("a key was made unasked: %v", err)
	}
	for _, p := range providers(t) {
		owner, err := issuer.OwnerOf(p)
		if err == nil {
			_, err = h.Keys.Rotate(keys.Seal, owner, h.clock.now(), time.Hour)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := h.Resume(t.Context()); err != nil || n != 1 {
		t.Fatalf("%d finished, %v", n, err)
	}
	record, err := h.registry.Find(t.Context(), registry.Key{Seq: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, parsed := h.sealed(t, &record)
	leaf, at := parsed.Envelope.Leaf(), parsed.Envelope.SealedAt
	if at.Before(leaf.NotBefore) || at.After(leaf.NotAfter) {
		t.Errorf("sealed at %v with a certificate from %v to %v", at, leaf.NotBefore, leaf.NotAfter)
	}
}

// Several at once with the same rows: each award is issued once, and everybody
// gets the same credential.
func TestManyAtOnceIssueEachAwardOnce(t *testing.T) {
	h := school(t)
	rows := h.completions(t, "completions_tot.csv", intake.ISO)[:60]
	var mu sync.Mutex
	var wait sync.WaitGroup
	issued, ids := map[string]int{}, map[string]map[string]bool{}
	for n := range 8 {
		wait.Go(func() {
			mine := append(append([]intake.Completion(nil), rows[n:]...), rows[:n]...) // each in an order of its own
			outcomes, err := h.Issue(t.Context(), mine)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			for _, o := range outcomes {
				if o.Record == nil {
					continue
				}
				if o.Record.State != registry.Sealed {
					t.Errorf("%s is acknowledged as %s", o.RowID, o.Record.State)
				}
				if o.Answer == issuer.Issued {
					issued[o.RowID]++
				}
				if ids[o.RowID] == nil {
					ids[o.RowID] = map[string]bool{}
				}
				ids[o.RowID][o.Record.Digest] = true
			}
		})
	}
	wait.Wait()
	for row, digests := range ids {
		if len(digests) != 1 || issued[row] != 1 {
			t.Errorf("%s: issued %d times, %d different files", row, issued[row], len(digests))
		}
	}
	if c := h.counts(t); int(c.Sealed) != len(ids) || c.Reserved != 0 {
		t.Errorf("%+v for %d awards", c, len(ids))
	}
	h.places(t)
}
