package issuer_test

import (
	"errors"
	"testing"
	"time"

	"attesta/intake"
	"attesta/issuer"
)

// K5, T9: a clock that ran backwards issues nothing beyond five minutes, and
// what was reserved waits; when it is right again work goes on.
func TestAClockThatRunsBackwards(t *testing.T) {
	h := school(t)
	rows := h.completions(t, "completions_tot.csv", intake.ISO)[:8]
	h.issue(t, rows[:4])
	for _, c := range []struct {
		back time.Duration
		good bool
	}{{0, true}, {4 * time.Minute, true}, {5 * time.Minute, true}, {5*time.Minute + time.Second, false}, {24 * time.Hour, false}} {
		h.clock.set(theDay(t).Add(-c.back))
		outcomes, err := h.Issue(t.Context(), rows[4:])
		behind, refused := errors.AsType[*issuer.ClockError](err)
		if refused == c.good || refused && (len(outcomes) > 0 || !behind.Last.Equal(theDay(t))) {
			t.Errorf("%v back: %d answers, %v", c.back, len(outcomes), err)
		}
	}
	h.clock.set(theDay(t))
	h.store.before.Store(true)
	if _, err := h.Issue(t.Context(), h.completions(t, "completions_tot.csv", intake.ISO)[8:20]); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	h.store.before.Store(false)
	h.clock.set(theDay(t).AddDate(0, 0, -1))
	if n, err := h.Resume(t.Context()); n > 0 || err == nil {
		t.Errorf("%d were finished, %v", n, err)
	}
	h.clock.set(theDay(t).Add(time.Hour))
	if n, err := h.Resume(t.Context()); n == 0 || err != nil {
		t.Errorf("%d were finished, %v", n, err)
	}
}
