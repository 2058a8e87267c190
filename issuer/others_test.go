package issuer_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"attesta/intake"
	"attesta/registry"
)

// B6: several programs extend the seals of one registry at once. None of them
// fails because of another, each seal is extended once, and one stamp each is
// kept.
func TestSeveralExtendAtOnce(t *testing.T) {
	h, _ := stamped(t)
	const n = 4
	var wait sync.WaitGroup
	var done [n]int
	for i := range n {
		other := h.newIssuer(t, plainPicture)
		other.Stamps, other.Revocations = h.Stamps, h.Revocations
		wait.Go(func() {
			var err error
			if done[i], err = other.Extend(t.Context(), registry.LevelT, false); err != nil {
				t.Errorf("program %d: %v", i, err)
			}
		})
	}
	wait.Wait()
	if levels := h.seals(t); levels["T"] != 125 || len(levels) != 1 {
		t.Errorf("%v", levels)
	}
	if done[0]+done[1]+done[2]+done[3] != 125 {
		t.Errorf("%v seals were extended, of 125", done)
	}
}

// B6: what another program reserved just now is left to it, and what waits
// longer is finished.
func TestResumeLeavesWhatIsInOtherHands(t *testing.T) {
	h := school(t)
	rows := h.completions(t, "completions_tot.csv", intake.ISO)
	h.store.before.Store(true)
	if _, err := h.Issue(t.Context(), rows[:20]); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	old := h.counts(t).Reserved
	h.clock.set(theDay(t).Add(10 * time.Minute))
	if _, err := h.Issue(t.Context(), rows[20:40]); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	fresh := h.counts(t).Reserved - old
	h.store.before.Store(false)
	if old == 0 || fresh == 0 {
		t.Fatalf("%d and %d records are reserved", old, fresh)
	}
	h.Issuer = h.newIssuer(t, plainPicture)
	for _, x := range []struct {
		before   time.Duration
		finished uint64
	}{{0, 0}, {8 * time.Minute, old}, {10 * time.Minute, 0}, {11 * time.Minute, fresh}} {
		n, err := h.ResumeBefore(t.Context(), theDay(t).Add(x.before))
		if err != nil || uint64(n) != x.finished {
			t.Errorf("before %v: %d finished, want %d, %v", x.before, n, x.finished, err)
		}
	}
	if got := answers(h.issue(t, rows[:40])); got["issued"] != 0 {
		t.Errorf("%v", got)
	}
}
