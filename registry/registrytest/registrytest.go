// Package registrytest holds the promises that every backend of a registry must
// keep, as tests.
//
//	func TestPromises(t *testing.T) {
//		registrytest.Run(t, func(t *testing.T) registry.Backend { return newStore(t) })
//	}
//
// What opens a backend gives a new, empty one at every call. Run it with the
// race detector. The letters in comments name the threats that a test covers.
package registrytest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"attesta/registry"
	"attesta/status"
)

// Run holds a backend to its promises.
func Run(t *testing.T, open func(t *testing.T) registry.Backend) {
	for _, group := range [][]promise{
		ledgerPromises(), extendPromises(), racePromises(), statusPromises(), pagePromises(), peoplePromises(), erasePromises(), storedPromises(), housePromises(), inputPromises(), logPromises(),
		togetherPromises(), actPromises(), proposalPromises(),
	} {
		for _, p := range group {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				b := open(t)
				k := &kit{T: t, Registry: unlocked(b), backend: b, at: start()}
				t.Cleanup(func() { _ = k.Close() })
				p.test(k)
				if err := k.Check(context.Background()); err != nil {
					t.Errorf("afterwards Check: %v", err)
				}
			})
		}
	}
}

type promise struct {
	name string
	test func(k *kit)
}

// kit is a registry under test with what tests often need.
type kit struct {
	*testing.T
	*registry.Registry
	backend registry.Backend
	at      time.Time
	pages   int
}

// more tells whether a page has something in it, and ends a test whose pages
// never do.
func (k *kit) more(n, limit int) bool {
	k.Helper()
	if k.pages++; n > limit || k.pages > 5000 {
		k.Fatalf("page %d has %d entries, at most %d", k.pages, n, limit)
	}
	return n > 0
}

func start() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }

func (k *kit) ctx() context.Context { return context.Background() }

func (k *kit) must(err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
}

func (k *kit) want(err, kind error) {
	k.Helper()
	if !errors.Is(err, kind) {
		k.Errorf("got error %v, want %v", err, kind)
	}
}

func (k *kit) same(what string, got, want any) {
	k.Helper()
	if d := cmp.Diff(want, got); d != "" {
		k.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// intent is the n-th award of one class.
func intent(n int) registry.Intent {
	return registry.Intent{
		Provider: "prov-1", Learner: fmt.Sprintf("L-%04d", n), Module: "MOD-1", Version: "1.0", Edition: "2026-A",
		Facts: registry.Facts{CompletedOn: "2026-02-27", Attendance: "92.5"},
		Body:  fmt.Appendf(nil, "body of %d", n),
	}
}

func intents(from, to int) []registry.Intent {
	var out []registry.Intent
	for n := from; n < to; n++ {
		out = append(out, intent(n))
	}
	return out
}

// reserve reserves and returns the records.
func (k *kit) reserve(in ...registry.Intent) []registry.Record {
	k.Helper()
	got, err := k.Reserve(k.ctx(), in, k.at)
	k.must(err)
	if len(got) != len(in) {
		k.Fatalf("%d reservations for %d intents", len(got), len(in))
	}
	out := make([]registry.Record, len(got))
	for i := range got {
		if out[i] = got[i].Record; out[i].State == registry.Reserved {
			out[i] = k.find(out[i].Seq) // with its body
		}
	}
	return out
}

func sealedBytes(r registry.Record) []byte { return fmt.Appendf(nil, "sealed %d", r.Seq) }

// seal reserves, completes and reads again.
func (k *kit) seal(in ...registry.Intent) []registry.Record {
	k.Helper()
	recs := k.reserve(in...)
	var s []registry.Sealing
	for _, r := range recs {
		s = append(s, registry.Sealing{Seq: r.Seq, Sealed: sealedBytes(r)})
	}
	k.must(k.Complete(k.ctx(), s, k.at))
	for i := range recs {
		recs[i] = k.find(recs[i].Seq)
	}
	return recs
}

func (k *kit) find(seq uint64) registry.Record {
	k.Helper()
	r, err := k.Find(k.ctx(), registry.Key{Seq: seq})
	k.must(err)
	return r
}

func change(r registry.Record, to status.Value) registry.Change {
	return registry.Change{Credential: r.Credential, To: to, Reason: "other", By: "operator"}
}

func (k *kit) set(r registry.Record, to status.Value) registry.Record {
	k.Helper()
	out, err := k.SetStatus(k.ctx(), change(r, to), k.at)
	k.must(err)
	return out
}

func (k *kit) list(id string) registry.StatusList {
	k.Helper()
	l, err := k.List(k.ctx(), id)
	k.must(err)
	return l
}

// events reads the whole audit log.
func (k *kit) events() []registry.Event {
	k.Helper()
	var out []registry.Event
	for after := uint64(0); ; {
		page, err := k.Events(k.ctx(), after, 100)
		k.must(err)
		if !k.more(len(page), 100) {
			return out
		}
		out = append(out, page...)
		after = page[len(page)-1].Seq
	}
}

// all reads every record that a query selects, limit at a time.
func (k *kit) all(q registry.Query, limit int) []registry.Record {
	k.Helper()
	var out []registry.Record
	for q.Limit = limit; ; {
		page, err := k.Records(k.ctx(), q)
		k.must(err)
		if !k.more(len(page), limit) {
			return out
		}
		out = append(out, page...)
		q.Before = page[len(page)-1].Seq
	}
}

// together runs fn n times at once and returns its errors.
func together(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-gate
			errs[i] = fn(i)
		})
	}
	close(gate)
	wg.Wait()
	return errs
}
