package web

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// places bound how many do something at once. One visitor has no more than half
// of them, so that whoever holds his for long leaves some to others.
type places struct {
	all chan struct{}
	mu  sync.Mutex
	of  map[string]*share
}

// share is what a visitor has, while he has or waits for a place.
type share struct {
	places chan struct{}
	users  int
}

func newPlaces(n int) *places {
	return &places{all: make(chan struct{}, n), of: map[string]*share{}}
}

// turn does a work when it is its turn, among those of its visitor and then
// among all. Where either takes too long the visitor is told when to come back.
func (p *places) turn(w http.ResponseWriter, r *http.Request, work func() error) error {
	who := visitor(r)
	own := p.join(who)
	defer p.leave(who, own)
	return waitFor(w, r, own.places, func() error { return waitFor(w, r, p.all, work) })
}

func (p *places) join(who string) *share {
	p.mu.Lock()
	defer p.mu.Unlock()
	own := p.of[who]
	if own == nil {
		own = &share{places: make(chan struct{}, cap(p.all)/2)}
		p.of[who] = own
	}
	own.users++
	return own
}

func (p *places) leave(who string, own *share) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(p.of, who)
	}
}

// waitFor does a work in a place.
func waitFor(w http.ResponseWriter, r *http.Request, places chan struct{}, work func() error) error {
	wait := time.NewTimer(judgingWait)
	defer wait.Stop()
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
		return work()
	case <-r.Context().Done():
		return fmt.Errorf("waiting for a turn: %w", r.Context().Err())
	case <-wait.C:
		w.Header().Set("Retry-After", strconv.Itoa(int(judgingWait.Seconds())))
		return refusal{http.StatusServiceUnavailable, "busy"}
	}
}
