package verifier

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/status"
)

// counted counts what is asked of a fetcher, and takes a while.
type counted struct {
	Fetcher
	n    atomic.Int64
	wait time.Duration
}

func (c *counted) Fetch(ctx context.Context, address string, origins []string) ([]byte, error) {
	c.n.Add(1)
	time.Sleep(c.wait)
	return c.Fetcher.Fetch(ctx, address, origins)
}

// S10: however many ask, one question at a time and one a minute at most,
// whatever the list says of itself; and a list that was found good is kept as
// long as it says, within bounds.
func TestOneFetchForAll(t *testing.T) {
	for _, c := range []struct {
		ttl  any
		want time.Duration // how long it is kept
	}{
		{nil, time.Minute},
		{0, time.Minute},
		{-1, time.Minute},
		{1, time.Minute},
		{59, time.Minute},
		{300, 5 * time.Minute},
		{43_200, 12 * time.Hour},
		{43_201, 12 * time.Hour},
		{rawNumber("1000000000000000000"), 12 * time.Hour},
		{rawNumber("1e300"), 12 * time.Hour},
		{"300", time.Minute},
		{rawNumber("-1e300"), time.Minute},
		{rawNumber("90.5"), 90500 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			start := time.Now()
			h.now = theMoment(t)
			now := func() time.Time { return theMoment(t).Add(time.Since(start)) }
			l := h.tokenList(2, nil)
			l.TTL = c.ttl
			h.publishToken(credentials.TokenListType, h.key(keys.Status), l)
			sealed := h.sealedToken("4711")
			asked := &counted{Fetcher: h.lists, wait: time.Second}
			v := New(Config{Trust: func() keys.Trust { return h.trust }, Now: now, Fetcher: NewKept(asked, now)})
			ask := func() {
				r, err := v.Verify(t.Context(), sealed)
				if err != nil || r.Verdict != Valid {
					t.Errorf("%v: %v, %s", c.ttl, err, r.Reason)
				}
			}
			var all sync.WaitGroup
			for range 50 {
				all.Go(ask)
			}
			all.Wait()
			if n := asked.n.Load(); n != 1 {
				t.Errorf("%v: 50 at once asked %d times", c.ttl, n)
			}
			time.Sleep(c.want - 2*time.Second)
			ask()
			if n := asked.n.Load(); n != 1 {
				t.Errorf("%v: asked again before its time", c.ttl)
			}
			time.Sleep(2 * time.Second)
			ask()
			if n := asked.n.Load(); n != 2 {
				t.Errorf("%v: not asked again after its time: %d", c.ttl, n)
			}
		})
	}
}

// S7, S10: what failed is not asked again for a minute, and is never valid; and
// what was not found good is not kept longer.
func TestFailuresAreKeptShortly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		start := time.Now()
		now := func() time.Time { return theMoment(t).Add(time.Since(start)) }
		sealed := h.sealedToken("4711")
		asked := &counted{Fetcher: h.lists}
		v := New(Config{Trust: func() keys.Trust { return h.trust }, Now: now, Fetcher: NewKept(asked, now)})
		step := func(what, want string, n int64) {
			t.Helper()
			for range 3 {
				if r, err := v.Verify(t.Context(), sealed); err != nil || r.Reason != want {
					t.Errorf("%s: %v, %s", what, err, r.Reason)
				}
			}
			if got := asked.n.Load(); got != n {
				t.Errorf("%s: asked %d times, want %d", what, got, n)
			}
		}
		step("down", "status_unreachable", 1)
		h.publishToken(credentials.TokenListType, newHouse(t).key(keys.Status), h.tokenList(2, nil))
		step("up again, within the minute", "status_unreachable", 1)
		time.Sleep(time.Minute)
		step("signed by somebody else, for long", "status_list_untrusted", 2)
		h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(2, nil))
		time.Sleep(time.Minute)
		step("good", "valid", 3)
		h.lists.err = ErrUnreachable
		time.Sleep(5 * time.Minute)
		step("down, past its time", "status_unreachable", 4)
		asked.Fetcher = fetching(func(context.Context, string) ([]byte, error) { panic("out of luck") })
		time.Sleep(time.Minute)
		step("broken", "status_unreachable", 5)
	})
}

// S5: from the act of revoking to the verdict of a verifier that asks all the
// time, no more passes than the bound that the list states itself; and it is asked
// no more often than that.
func TestRevokedWithinTheBound(t *testing.T) {
	for _, ttl := range []int{60, 300, 3600} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			start := time.Now()
			now := func() time.Time { return theMoment(t).Add(time.Since(start)) }
			sealed := h.sealedToken("4711")
			asked := &counted{Fetcher: fetching(func(ctx context.Context, address string) ([]byte, error) {
				h.now = now() // the publisher signs what is so now
				l := h.tokenList(2, nil)
				if time.Since(start) >= 100*time.Minute {
					l = h.tokenList(2, map[uint32]status.Value{position: status.Revoked})
				}
				l.TTL = ttl
				h.publishToken(credentials.TokenListType, h.key(keys.Status), l)
				return h.lists.Fetch(ctx, address, nil)
			})}
			v := New(Config{Trust: func() keys.Trust { return h.trust }, Now: now, Fetcher: NewKept(asked, now)})
			time.Sleep(37 * time.Second)
			for {
				r, err := v.Verify(t.Context(), sealed)
				if err != nil {
					t.Fatal(err)
				}
				since := time.Since(start) - 100*time.Minute
				if r.Reason == "status_revoked" {
					if since > time.Duration(ttl)*time.Second+10*time.Second {
						t.Errorf("ttl %d: revoked is said after %v", ttl, since)
					}
					break
				}
				if r.Verdict != Valid || since > 2*time.Hour {
					t.Fatalf("ttl %d, after %v: %s", ttl, since, r.Reason)
				}
				time.Sleep(10 * time.Second)
			}
			if most := int64(time.Since(start)/(time.Duration(ttl)*time.Second)) + 1; asked.n.Load() > most {
				t.Errorf("ttl %d: asked %d times, at most %d", ttl, asked.n.Load(), most)
			}
		})
	}
}

// A list is kept past neither its own end nor, when the clock is set back, the
// time at which it was had.
func TestKeptNotBeyondItsEnd(t *testing.T) {
	h := newHouse(t)
	asked := &counted{Fetcher: h.lists}
	start := h.now
	v := New(Config{Trust: func() keys.Trust { return h.trust }, Now: func() time.Time { return h.now }, Fetcher: NewKept(asked, func() time.Time { return h.now })})
	l := h.tokenList(2, nil)
	l.TTL, l.Expires = 43_200, start.Add(10*time.Minute).Unix()
	h.publishToken(credentials.TokenListType, h.key(keys.Status), l)
	sealed := h.sealedToken("4711")
	for _, step := range []struct {
		at   time.Duration
		want string
		n    int64
	}{{0, "valid", 1}, {9 * time.Minute, "valid", 1}, {11 * time.Minute, "status_stale", 2}, {10 * time.Minute, "valid", 3}} {
		h.now = start.Add(step.at)
		if r, err := v.Verify(t.Context(), sealed); err != nil || r.Reason != step.want || asked.n.Load() != step.n {
			t.Errorf("after %v: %v, %s, asked %d times", step.at, err, r.Reason, asked.n.Load())
		}
	}
}

// What one may ask another may not; who leaves does not take the answer along;
// and what is kept is bounded.
func TestKept(t *testing.T) {
	now := theMoment(t)
	var n atomic.Int64
	held := make(chan struct{})
	k := NewKept(fetching(func(_ context.Context, address string) ([]byte, error) {
		n.Add(1)
		if address == "slow" {
			<-held
		}
		return make([]byte, 1<<20), nil
	}), func() time.Time { return now })
	for _, origins := range [][]string{nil, {"http://10.0.0.1"}, {"http://10.0.0.2"}, nil} {
		if _, err := k.Fetch(t.Context(), "a", origins); err != nil {
			t.Error(err)
		}
	}
	if n.Load() != 3 {
		t.Errorf("asked %d times", n.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Fetch(ctx, "slow", nil); !errors.Is(err, ErrUnreachable) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(held)
	if _, err := k.Fetch(t.Context(), "slow", nil); err != nil || n.Load() != 4 {
		t.Errorf("%v, asked %d times", err, n.Load())
	}
	for i := range 2 * keptAnswers {
		now = now.Add(time.Millisecond)
		if _, err := k.Fetch(t.Context(), fmt.Sprint(i), nil); err != nil {
			t.Fatal(err)
		}
		k.mu.Lock()
		if k.bytes > keptBytes || len(k.at) > keptAnswers {
			t.Fatalf("%d bytes, %d answers", k.bytes, len(k.at))
		}
		k.mu.Unlock()
	}
	k.Keep("never asked", nil, nil, time.Hour, now.AddDate(1, 0, 0))
	k.Keep("1023", nil, []byte("something else"), time.Hour, now.AddDate(1, 0, 0))
	now = now.Add(time.Minute)
	before := n.Load()
	if _, err := k.Fetch(t.Context(), "1023", nil); err != nil || n.Load() != before+1 {
		t.Error("an answer that nobody found good is kept longer")
	}
}
