package issuer_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"attesta/registry"
)

// Who gives up, at whatever moment, was told the truth so far: what was
// acknowledged is stored, nothing else is said to be, and the same rows again
// finish the work. Nothing goes on behind it.
func TestGivingUpAtAnyMoment(t *testing.T) {
	h := school(t)
	const n = 3500
	rows := h.row(t, h.many(t, n)...)
	before := runtime.NumGoroutine()
	acknowledged := 0
	for k := 1; ; k++ {
		ctx, stop := context.WithTimeout(t.Context(), time.Duration(k*k)*3*time.Millisecond)
		outcomes, err := h.Issue(ctx, rows)
		stop()
		if err == nil && len(outcomes) != n || err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("try %d: %d answers, %v", k, len(outcomes), err)
		}
		for i, o := range outcomes {
			if o.RowID != rows[i].RowID || o.Record == nil {
				t.Fatalf("try %d, row %s: %+v", k, rows[i].RowID, o)
			}
		}
		for _, at := range []int{0, len(outcomes) / 2, len(outcomes) - 1} {
			if at < 0 || at >= len(outcomes) {
				continue
			}
			if r, err := h.registry.Find(t.Context(), registry.Key{Seq: outcomes[at].Record.Seq}); err != nil || r.State != registry.Sealed {
				t.Fatalf("try %d, row %s is acknowledged: %+v, %v", k, rows[at].RowID, r, err)
			}
		}
		acknowledged += answers(outcomes)["issued"]
		if err == nil {
			break
		}
	}
	if c := h.counts(t); c.Sealed != n || c.Reserved != 0 || acknowledged > n {
		t.Errorf("%+v, and %d said to be issued", c, acknowledged)
	}
	h.places(t)
	for begun := time.Now(); runtime.NumGoroutine() > before && time.Since(begun) < 10*time.Second; {
		time.Sleep(10 * time.Millisecond)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, %d before", after, before)
	}
}
