package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	berrors "go.etcd.io/bbolt/errors"

	"attesta/registry"
)

// Changes are written by one goroutine. It takes what waits, writes all of it in
// one transaction, commits once and then answers each caller; what arrives
// meanwhile is the next group. So one caller pays for a commit of its own, many
// at once share one, and nobody waits for a timer.
//
// Steps go before slices: a commit takes all steps that wait and then slices up
// to a bound, so that a step never waits for more than the commit under way
// before it is in one itself, and slices are never left out.
const (
	sliceItems = 32   // items from which on a change is a slice
	mostSteps  = 1000 // in a commit
	mostItems  = 1000 // of slices in a commit; the last slice may go beyond
	mostRuns   = 8    // of a group in which ever another one fails; then each by itself
)

// request is a change that waits to be written.
type request struct {
	ctx    context.Context
	fn     func(*tx) error
	items  int
	alone  bool // in a transaction of its own
	err    error
	answer chan error // takes one without a reader
}

// queue is what leads to the goroutine that writes.
type queue struct {
	steps, slices chan *request
	closing       chan struct{} // closed when no more is taken
	ended         chan struct{} // closed when all that was taken is written
}

func newQueue() queue {
	return queue{make(chan *request, mostSteps), make(chan *request, mostSteps), make(chan struct{}), make(chan struct{})}
}

// Stats count what a store has done to its file since it was opened.
type Stats struct {
	Commits uint64
	Syncs   uint64 // calls of fdatasync and fsync: two a commit, and one when the file grows
	Pages   uint64 // pages of 4 KiB, as a rule, that commits wrote
	Values  uint64 // read by key or in a row, also by what failed
}

// Stats returns the counts as of now.
func (s *Store) Stats() Stats {
	return Stats{s.commits.Load(), s.syncs.Load(), s.pages.Load(), s.values.Load()}
}

var errClosed = fmt.Errorf("beginning to change: %w", berrors.ErrDatabaseNotOpen)

// counters are what Stats hands out.
type counters struct{ commits, syncs, pages, values atomic.Uint64 }

// update runs fn and makes what it changed durable, or nothing of it, in one
// transaction with what others change at the same time. If fn returns an error
// it leaves nothing and the others do not notice.
//
// fn may run several times, and on after the caller has gone because its
// context ended: it must set all that it hands out at every run, must not
// change what it was given, and must read nothing that the caller of update
// may change. What it has set may be read when update returned nil.
func (s *Store) update(ctx context.Context, fn func(*tx) error) error {
	return s.submit(&request{ctx: ctx, fn: fn})
}

// updateMany is update for a change of so many items.
func (s *Store) updateMany(ctx context.Context, items int, fn func(*tx) error) error {
	return s.submit(&request{ctx: ctx, fn: fn, items: items})
}

// updateAlone is update with nobody else in the transaction.
func (s *Store) updateAlone(ctx context.Context, fn func(*tx) error) error {
	return s.submit(&request{ctx: ctx, fn: fn, alone: true})
}

func (s *Store) submit(r *request) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if err := s.refusal(); err != nil {
		return err
	}
	r.answer = make(chan error, 1)
	line := s.steps
	if r.items >= sliceItems || r.alone {
		line = s.slices
	}
	select {
	case line <- r:
	case <-r.ctx.Done():
		return r.ctx.Err()
	case <-s.closing:
		return errClosed
	}
	err := errClosed
	select {
	case err := <-r.answer:
		return err
	case <-r.ctx.Done():
		err = r.ctx.Err()
	case <-s.ended:
	}
	select { // an answer that is there goes before
	case err = <-r.answer:
	default:
	}
	return err
}

// refusal says why nothing can be changed any more, or nil.
func (s *Store) refusal() error {
	if why := s.Failure(); why != nil {
		return fmt.Errorf("the registry takes no more changes until it is opened again: %w", why)
	}
	return nil
}

// fail ends all changes, for the first reason there is.
func (s *Store) fail(why error) { s.broken.CompareAndSwap(nil, &why) }

// work writes group after group until the store is closed and all is written.
func (s *Store) work() {
	defer close(s.ended)
	runtime.LockOSThread()      // one thread has all calls to the disk
	debug.SetPanicOnFault(true) // of this goroutine
	for {
		group := s.gather()
		if len(group) == 0 {
			return
		}
		var together []*request
		for _, r := range group {
			if !r.alone {
				together = append(together, r)
			}
		}
		s.write(together)
		for _, r := range group {
			if r.alone {
				s.write([]*request{r})
			}
		}
	}
}

// gather waits for a change and returns it with all that wait beside it, steps
// first; or nothing, when the store is closed and nothing waits.
func (s *Store) gather() (group []*request) {
	var slices []*request
	items := 0
	take := func(r *request) {
		slices = append(slices, r)
		items += r.items
	}
	select {
	case r := <-s.steps:
		group = append(group, r)
	case r := <-s.slices:
		take(r)
	case <-s.closing:
	}
	runtime.Gosched() // whoever was just answered may bring the next change
	for waiting := true; waiting && len(group) < mostSteps; {
		select {
		case r := <-s.steps:
			group = append(group, r)
		default:
			waiting = false
		}
	}
	for waiting := true; waiting && items < mostItems; {
		select {
		case r := <-s.slices:
			take(r)
		default:
			waiting = false
		}
	}
	return append(group, slices...)
}

// write makes a group durable and answers each of it. A request that fails is
// taken out and the others are run without it; then it is run by itself, so
// that what it answers rests on what is durable and on nothing else.
func (s *Store) write(group []*request) {
	var apart []*request
	for runs := 0; len(group) > 1 && runs < mostRuns; runs++ {
		good, bad, again, err := s.attempt(group)
		apart = append(apart, bad...)
		if group = good; again {
			continue
		}
		if err != nil && s.Failure() == nil { // as from a full disk, which may have room for one
			apart = append(good, apart...)
			group = nil
			break
		}
		for _, r := range good {
			r.answer <- err
		}
		group = nil
	}
	for _, r := range append(group, apart...) {
		good, _, _, err := s.attempt([]*request{r})
		if len(good) == 0 {
			err = r.err
		}
		r.answer <- err
	}
}

// attempt runs a group in one transaction and commits it. It returns those
// whose functions went well, with an error if they all failed then, and those
// whose functions did not, with the error in each. When one of these left
// something behind, nothing is committed and the others have to run again.
func (s *Store) attempt(group []*request) (good, bad []*request, again bool, err error) {
	if err := s.refusal(); err != nil {
		return group, nil, false, err
	}
	if err := s.mark.catchUp(); err != nil {
		return group, nil, false, err
	}
	btx, err := s.db.Begin(true)
	if err != nil {
		return group, nil, false, fmt.Errorf("beginning to change: %w", err)
	}
	defer s.undo(btx)
	t := &tx{Tx: btx}
	defer func() { s.values.Add(t.values) }()
	for i, r := range group {
		before := t.changes
		var damaged bool
		if damaged, r.err = r.run(t); r.err == nil {
			good = append(good, r)
			continue
		}
		bad = append(bad, r)
		if damaged && len(group) == 1 {
			s.fail(r.err)
		}
		if damaged || t.changes != before {
			return append(good, group[i+1:]...), bad, true, nil
		}
	}
	return good, bad, false, s.commit(t)
}

// run calls a function and tells whether it met a damage that left bbolt
// half-way.
func (r *request) run(t *tx) (damaged bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			damaged, err = true, fmt.Errorf("changing the file: %v: %w", p, errDamaged)
		}
	}()
	if err := r.ctx.Err(); err != nil {
		return false, err
	}
	if err := r.fn(t); err != nil {
		return false, err
	}
	return false, r.ctx.Err()
}

// commit makes a transaction durable, and then moves the mark.
func (s *Store) commit(t *tx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("changing the file: %v: %w", r, errDamaged)
			s.fail(err)
		}
	}()
	if t.changes == 0 {
		return nil
	}
	if err := t.flush(); err != nil {
		return err
	}
	size := s.size()
	if err := t.Commit(); err != nil {
		doubt := inDoubt(err)
		if err = fmt.Errorf("committing: %w", kind(err)); doubt {
			s.fail(err)
			s.end.Do(func() { close(s.failed) })
		}
		return err
	}
	s.mark.advance(t.entries, t.last)
	s.commits.Add(1)
	s.syncs.Add(2)
	if s.size() != size {
		s.syncs.Add(1)
	}
	stats := t.Stats()
	s.pages.Add(uint64(stats.GetPageCount()))
	return nil
}

func (s *Store) size() int64 {
	info, err := s.file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// inDoubt tells whether an error leaves open what the disk holds. A disk that
// had no room for a page when it was written took none of the change; one that
// says so only when it is asked to keep what was written may have kept it.
func inDoubt(err error) bool {
	if errors.Is(err, berrors.ErrMaxSizeReached) {
		return false
	}
	_, writing := errors.AsType[*fs.PathError](err)
	return !writing || !errors.Is(kind(err), registry.ErrFull)
}
