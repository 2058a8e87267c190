package bolt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"attesta/registry"
)

// hold keeps the writer busy until release is called, so that what is queued
// meanwhile is one group.
func hold(t *testing.T, s *Store) (release func()) {
	t.Helper()
	busy, free, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- s.update(context.Background(), func(*tx) error {
			close(busy)
			<-free
			return nil
		})
	}()
	<-busy
	return sync.OnceFunc(func() {
		close(free)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// enqueue hands a change to the writer and returns when it is queued.
func enqueue(t *testing.T, s *Store, r *request) <-chan error {
	t.Helper()
	if r.ctx == nil {
		r.ctx = context.Background()
	}
	waiting := len(s.steps) + len(s.slices)
	out := make(chan error, 1)
	go func() { out <- s.submit(r) }()
	for began := time.Now(); len(s.steps)+len(s.slices) == waiting; time.Sleep(100 * time.Microsecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("nothing was queued")
		}
	}
	return out
}

func putting(key string) func(*tx) error {
	return func(t *tx) error { return t.put(bucketProviders, []byte(key), []byte("x")) }
}

func isThere(t *testing.T, s *Store, key string) bool {
	t.Helper()
	_, err := s.Provider(context.Background(), key)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// What waits together is one commit, and whoever fails in it is told so and
// leaves nothing, while the others do not notice.
func TestAGroupIsOneCommitAndFailsOneByOne(t *testing.T) {
	s, _, path := newStore(t)
	release := hold(t, s)
	before := s.Stats()
	mine, yours := errors.New("mine"), errors.New("yours")
	ctx, cancel := context.WithCancel(t.Context())
	gone, leave := context.WithCancel(t.Context())
	runs := map[string]int{}
	counting := func(name string, fn func(*tx) error) func(*tx) error {
		return func(t *tx) error { runs[name]++; return fn(t) }
	}
	changes := []struct {
		name string
		ctx  context.Context
		fn   func(*tx) error
		want error
	}{
		{"first", nil, putting("first"), nil},
		{"failing clean", nil, func(*tx) error { return mine }, mine},
		{"failing dirty", nil, func(t *tx) error { return errors.Join(putting("failing dirty")(t), yours) }, yours},
		{"second", nil, putting("second"), nil},
		{"ending its context", ctx, func(t *tx) error { cancel(); return putting("ending its context")(t) }, context.Canceled},
		{"gone before", gone, putting("gone before"), context.Canceled},
		{"changing nothing", nil, func(*tx) error { return nil }, nil},
		{"failing dirty too", nil, func(t *tx) error { return errors.Join(putting("failing dirty too")(t), mine) }, mine},
		{"third", nil, putting("third"), nil},
		{"failing clean too", nil, func(*tx) error { return yours }, yours},
		{"failing clean again", nil, func(*tx) error { return mine }, mine},
	}
	var answers []<-chan error
	for _, c := range changes {
		answers = append(answers, enqueue(t, s, &request{ctx: c.ctx, fn: counting(c.name, c.fn)}))
	}
	leave()
	release()
	for i, c := range changes {
		if err := <-answers[i]; !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if got := s.Stats().Commits - before.Commits; got != 1 {
		t.Errorf("%d commits", got)
	}
	if runs["gone before"] != 0 || runs["first"] < 2 {
		t.Errorf("they ran %v", runs)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, r := reopen(t, path)
	for _, c := range changes {
		if isThere(t, s, c.name) != (c.want == nil && c.name != "changing nothing") {
			t.Errorf("%s is there: %v", c.name, isThere(t, s, c.name))
		}
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// A group in which many fail half-way does not run for ever.
func TestManyFailuresInAGroup(t *testing.T) {
	s, _, _ := newStore(t)
	release := hold(t, s)
	runs, fails := 0, errors.New("fails")
	var answers []<-chan error
	for n := range 60 {
		answers = append(answers, enqueue(t, s, &request{fn: func(t *tx) error {
			runs++
			if err := putting(fmt.Sprint(n))(t); err != nil || n%2 == 0 {
				return errors.Join(err, fails)
			}
			return nil
		}}))
	}
	release()
	for n, answer := range answers {
		if err := <-answer; (err == nil) != (n%2 == 1) || err != nil && !errors.Is(err, fails) {
			t.Errorf("%d: %v", n, err)
		}
		if isThere(t, s, fmt.Sprint(n)) != (n%2 == 1) {
			t.Errorf("%d is there: %v", n, n%2 == 0)
		}
	}
	if runs > 60*(mostRuns+1) {
		t.Errorf("60 changes ran %d times", runs)
	}
}

// An answer rests on what is durable, not on what somebody wrote who then failed.
func TestNobodyIsToldOfWhatIsTakenBack(t *testing.T) {
	s, _, _ := newStore(t)
	release := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	unless := func(t *tx) error { // there is a provider
		if t.has(bucketProviders, []byte("p")) {
			return registry.ErrConflict
		}
		return putting("q")(t)
	}
	first := enqueue(t, s, &request{ctx: ctx, fn: putting("p")})
	second := enqueue(t, s, &request{fn: unless})
	third := enqueue(t, s, &request{fn: func(t *tx) error {
		cancel() // so the first fails when the group runs again
		return errors.Join(putting("r")(t), registry.ErrFull)
	}})
	release()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := <-third; !errors.Is(err, registry.ErrFull) {
		t.Errorf("%v", err)
	}
	if err := <-second; err != nil || isThere(t, s, "p") || !isThere(t, s, "q") || isThere(t, s, "r") {
		t.Errorf("%v; p %v, q %v, r %v", err, isThere(t, s, "p"), isThere(t, s, "q"), isThere(t, s, "r"))
	}
}

// T5: who meets a damaged page ends all changes, but those beside it were made.
func TestAPanicInAGroupIsOneCallersOwn(t *testing.T) {
	s, _, path := newStore(t)
	release := hold(t, s)
	before := enqueue(t, s, &request{fn: putting("before")})
	damaged := enqueue(t, s, &request{fn: func(t *tx) error { _ = putting("damaged")(t); panic("page 7: damaged") }})
	after := enqueue(t, s, &request{fn: putting("after")})
	release()
	if err := errors.Join(<-before, <-after); err != nil {
		t.Error(err)
	}
	if err := <-damaged; !errors.Is(err, errDamaged) {
		t.Errorf("%v, want errDamaged", err)
	}
	if err := s.update(t.Context(), putting("later")); !errors.Is(err, errDamaged) || s.Failure() == nil {
		t.Errorf("afterwards: %v, %v", err, s.Failure())
	}
	_ = s.Close()
	s, _ = reopen(t, path)
	for key, want := range map[string]bool{"before": true, "after": true, "damaged": false, "later": false} {
		if isThere(t, s, key) != want {
			t.Errorf("%s is there: %v", key, !want)
		}
	}
}

// T5: nobody in a group is told that it is done before it is durable, and the
// mark does not lead.
func TestAFailedCommitIsNobodysSuccess(t *testing.T) {
	s, r, path := newStore(t)
	reserveSome(t, r, 0, 3)
	says, _, err := readMark(path + MarkEnding)
	if err != nil {
		t.Fatal(err)
	}
	release := hold(t, s)
	var answers []<-chan error
	for n := range 4 {
		answers = append(answers, enqueue(t, s, &request{fn: func(t *tx) error {
			return t.event(registry.Event{At: at, Kind: "provider", What: fmt.Sprint(n)})
		}}))
	}
	if err := s.file.Close(); err != nil { // the disk is gone
		t.Fatal(err)
	}
	release()
	for n, answer := range answers {
		if err := <-answer; err == nil {
			t.Errorf("caller %d was told that it is done", n)
		}
	}
	select {
	case <-s.Failed():
	default:
		t.Error("nothing says that the disk failed")
	}
	if now, _, err := readMark(path + MarkEnding); err != nil || now.entries != says.entries {
		t.Errorf("the mark says %d, then %d, %v", says.entries, now.entries, err)
	}
	if err := s.update(t.Context(), putting("later")); err == nil {
		t.Error("a change was taken")
	}
	_ = s.Close()
	_, r = reopen(t, path)
	if events, err := r.Events(t.Context(), 0, 100); err != nil || len(events) != 3 {
		t.Errorf("%d events, %v", len(events), err)
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// T6: one that is too large for the disk does not take the small ones with it.
func TestAFullDiskFailsOnlyWhatDoesNotFit(t *testing.T) {
	s, r, _ := newStore(t)
	release := hold(t, s)
	s.db.MaxSize = 1 << 18
	small := enqueue(t, s, &request{fn: putting("small")})
	large := enqueue(t, s, &request{fn: func(t *tx) error { return t.put(bucketProviders, []byte("large"), make([]byte, 1<<20)) }})
	little := enqueue(t, s, &request{fn: putting("little")})
	release()
	if err := errors.Join(<-small, <-little); err != nil {
		t.Error(err)
	}
	if err := <-large; !errors.Is(err, registry.ErrFull) || s.Failure() != nil {
		t.Errorf("%v, %v", err, s.Failure())
	}
	if err := r.Check(t.Context()); err != nil || !isThere(t, s, "small") || !isThere(t, s, "little") || isThere(t, s, "large") {
		t.Errorf("not as it was told: %v", err)
	}
}

// Counters, pages, levels and lists are as if each had come alone, whoever of a
// group failed half-way and however often it ran again.
func TestAGroupCountsAsIfEachCameAlone(t *testing.T) {
	s, r, _ := newStore(t)
	taken := reserveSome(t, r, 0, 1)[0]
	release := hold(t, s)
	var wait sync.WaitGroup
	var mu sync.Mutex
	var kept []registry.Reservation
	for n := 1; n <= 40; n++ {
		queued := len(s.steps)
		wait.Go(func() {
			in := anIntent(n)
			in.Edition, in.Learner = fmt.Sprint("e", n%3), fmt.Sprintf("%c%c", 'A'+n%26, 'A'+n/26)+aReference[2:]
			name := registry.Names{Credential: fmt.Sprintf("urn:credential:%08x-0000-4000-8000-000000000000", n), Handle: fmt.Sprintf("%c%c", 'A'+n%26, 'A'+n/26) + aReference[2:]}
			name.ClaimHash[0], name.Learner.ID, name.Learner.New = byte(n), in.Learner, true
			if n%7 == 0 {
				name.Handle = taken.Handle // half-way there it is refused
			}
			got, err := s.Reserve(context.Background(), []registry.Intent{in}, []registry.Names{name}, nil, at)
			if (err != nil) != (n%7 == 0) || err != nil && !errors.Is(err, registry.ErrConflict) {
				t.Errorf("%d: %v", n, err)
			}
			mu.Lock()
			defer mu.Unlock()
			kept = append(kept, got...)
		})
		for len(s.steps) == queued {
			time.Sleep(50 * time.Microsecond)
		}
	}
	before := s.Stats().Commits
	release()
	wait.Wait()
	if got := s.Stats().Commits - before; got != 1 || len(kept) != 35 {
		t.Errorf("%d commits, %d records", got, len(kept))
	}
	seen := map[uint64]bool{taken.Seq: true}
	for _, k := range kept {
		if rec, err := s.Find(t.Context(), registry.Key{Seq: k.Record.Seq}); err != nil || rec.Credential != k.Record.Credential || seen[rec.Seq] {
			t.Errorf("record %d: %v, %v", k.Record.Seq, rec, err)
		}
		seen[k.Record.Seq] = true
	}
	c, err := r.Counts(t.Context(), "p")
	if err != nil || c.Reserved != 36 {
		t.Errorf("%+v, %v", c, err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
