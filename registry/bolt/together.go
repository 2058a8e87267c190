package bolt

import (
	"context"
	"sync"
	"time"

	"attesta/registry"
)

// leases are those of the one process that has the file: they end with it.
type leases struct {
	mu  sync.Mutex
	all map[string]lease
}

type lease struct {
	holder string
	until  time.Time
}

// TakeLease is registry.Leases.TakeLease.
func (s *Store) TakeLease(ctx context.Context, name, holder string, length time.Duration, at time.Time) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	l := &s.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	if has, ok := l.all[name]; ok && has.holder != holder && at.Before(has.until) {
		return false, nil
	}
	if l.all == nil {
		l.all = map[string]lease{}
	}
	l.all[name] = lease{holder, at.Add(length)}
	return true, nil
}

// LeaveLease is registry.Leases.LeaveLease.
func (s *Store) LeaveLease(ctx context.Context, name, holder string) error {
	l := &s.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all[name].holder == holder {
		delete(l.all, name)
	}
	return ctx.Err()
}

// limits are the counts of the one process that has the file. They never reach
// the disk.
type limits struct {
	mu     sync.Mutex
	all    map[[32]byte]counted
	sweeps time.Time // when what is over is dropped next
}

type counted struct {
	window      int64
	now, before int
	over        time.Time
}

// sweepPause is how often counts that are over are dropped.
const sweepPause = time.Minute

// Take is registry.Limits.Take.
func (s *Store) Take(ctx context.Context, key [32]byte, length time.Duration, most int, at time.Time) (now, before int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	l := &s.limits
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[[32]byte]counted{}
	}
	if gap := l.sweeps.Sub(at); gap <= 0 || gap > sweepPause {
		for k, c := range l.all {
			if !at.Before(c.over) {
				delete(l.all, k)
			}
		}
		l.sweeps = at.Add(sweepPause)
	}
	c, window := l.all[key], registry.Window(length, at)
	switch behind := c.window - window; {
	case behind >= 0 && behind <= 2: // the same, or a clock that is behind
	case behind == -1:
		c = counted{window: window, before: c.now}
	default:
		c = counted{window: window}
	}
	c.now = min(c.now+1, most)
	c.over = time.Unix(0, 0).Add(time.Duration(c.window+2) * length)
	l.all[key] = c
	return c.now, c.before, nil
}
