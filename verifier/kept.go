package verifier

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// How long an answer is kept: at least keptLeast, good or not, so that nobody is
// asked more often than once in that time however many want to know; and at most
// keptMost, whatever the answer says of itself.
const (
	keptLeast = time.Minute
	keptMost  = 12 * time.Hour
)

// Bounds on what is kept altogether. Beyond them the oldest goes first.
const (
	keptAnswers = 512
	keptBytes   = 16 << 20
)

// flightTime bounds one question on behalf of all who wait for it.
const flightTime = 30 * time.Second

// Keeper is a Fetcher that keeps its answers for a short time. Whoever has found
// one good may ask that it be kept longer.
type Keeper interface {
	Fetcher
	// Keep keeps an answer that Fetch gave under the same address and origins for
	// so long after it was asked for, within the bounds of the keeper, and not
	// beyond its end.
	Keep(address string, origins []string, answer []byte, life time.Duration, end time.Time)
}

// Kept is a Keeper over another fetcher: it asks for one address once at a time
// and once a minute at most, whatever the outcome was, and gives everybody the
// same bytes, which are not to be changed. It is safe for concurrent use.
type Kept struct {
	of  Fetcher
	now func() time.Time

	mu    sync.Mutex
	at    map[string]*kept
	bytes int
}

// kept is an answer, or one that is waited for.
type kept struct {
	came         chan struct{} // closed once there is an answer
	asked, until time.Time
	body         []byte
	err          error
}

// NewKept returns a keeper over a fetcher.
func NewKept(of Fetcher, now func() time.Time) *Kept {
	return &Kept{of: of, now: now, at: map[string]*kept{}}
}

// Fetch implements Fetcher. What one caller waits for goes on when he leaves, as
// long as others may want it.
func (k *Kept) Fetch(ctx context.Context, address string, origins []string) ([]byte, error) {
	k.mu.Lock()
	name, now := keptName(address, origins), k.now()
	e := k.at[name]
	if e == nil || e.over(now) {
		k.forget(name)
		k.makeRoom(now)
		e = &kept{came: make(chan struct{}), asked: now}
		k.at[name] = e
		go k.fly(context.WithoutCancel(ctx), name, e, address, origins)
	}
	k.mu.Unlock()
	select {
	case <-e.came:
		return e.body, e.err
	case <-ctx.Done():
		return nil, errors.Join(ErrUnreachable, ctx.Err())
	}
}

// keptName tells answers apart: what may be asked under one set of origins may
// not under another.
func keptName(address string, origins []string) string {
	return address + "\n" + strings.Join(origins, "\n")
}

// over tells whether an answer has served its time. One from the future was
// asked for before the clock was set back.
func (e *kept) over(now time.Time) bool {
	select {
	case <-e.came:
		return !now.Before(e.until) || now.Before(e.asked)
	default:
		return false
	}
}

func (k *Kept) fly(ctx context.Context, name string, e *kept, address string, origins []string) {
	ctx, cancel := context.WithTimeout(ctx, flightTime)
	defer cancel()
	body, err := k.fetch(ctx, address, origins)
	k.mu.Lock()
	defer k.mu.Unlock()
	e.body, e.err, e.until = body, err, e.asked.Add(keptLeast)
	if k.at[name] == e {
		k.bytes += len(body)
		k.makeRoom(k.now()) // this one stays: it has not come yet
	}
	close(e.came)
}

// fetch asks. Nobody is above it to catch what the one below lets fall.
func (k *Kept) fetch(ctx context.Context, address string, origins []string) (body []byte, err error) {
	defer func() {
		if recover() != nil {
			body, err = nil, ErrUnreachable
		}
	}()
	return k.of.Fetch(ctx, address, origins)
}

// Keep implements Keeper.
func (k *Kept) Keep(address string, origins []string, answer []byte, life time.Duration, end time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.at[keptName(address, origins)]
	if e == nil {
		return
	}
	select {
	case <-e.came:
	default:
		return // another one is on its way
	}
	if e.err != nil || !bytes.Equal(e.body, answer) {
		return
	}
	until := e.asked.Add(min(life, keptMost))
	if end.Before(until) {
		until = end
	}
	if until.After(e.until) {
		e.until = until
	}
}

// makeRoom forgets answers until what is kept is within its bounds: those whose
// time is over, then the oldest. What is waited for stays.
func (k *Kept) makeRoom(now time.Time) {
	for len(k.at) >= keptAnswers || k.bytes > keptBytes {
		oldest := ""
		for name, e := range k.at {
			select {
			case <-e.came:
			default:
				continue
			}
			if e.over(now) {
				k.forget(name)
			} else if oldest == "" || e.asked.Before(k.at[oldest].asked) {
				oldest = name
			}
		}
		if len(k.at) < keptAnswers && k.bytes <= keptBytes || oldest == "" {
			return
		}
		k.forget(oldest)
	}
}

func (k *Kept) forget(name string) {
	if e := k.at[name]; e != nil {
		k.bytes -= len(e.body)
		delete(k.at, name)
	}
}
