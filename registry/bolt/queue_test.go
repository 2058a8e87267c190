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

// L2: a step goes before slices that wait longer, and waits for one commit only.
func TestAStepDoesNotWaitForSlices(t *testing.T) {
	s, _, _ := newStore(t)
	release := hold(t, s)
	var order []string
	noting := func(name string) func(*tx) error {
		return func(t *tx) error { order = append(order, name); return putting(name)(t) }
	}
	before := s.Stats().Commits
	var slices []<-chan error
	for n := range 4 {
		slices = append(slices, enqueue(t, s, &request{items: 600, fn: noting(fmt.Sprint("slice ", n))}))
	}
	var when uint64
	step := enqueue(t, s, &request{items: sliceItems - 1, fn: noting("step")})
	release()
	if err := <-step; err != nil {
		t.Error(err)
	}
	when = s.Stats().Commits - before
	for _, answer := range slices {
		if err := <-answer; err != nil {
			t.Error(err)
		}
	}
	if order[0] != "step" || when > 2 || s.Stats().Commits-before != 2 {
		t.Errorf("they ran in the order %q; the step was there after %d commits of %d", order, when, s.Stats().Commits-before)
	}
}

func TestWhoGivesUpIsToldAtOnceAndLeavesNoHalf(t *testing.T) {
	s, r, _ := newStore(t)
	release := hold(t, s)
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	ran := false
	waiting := enqueue(t, s, &request{ctx: ctx, fn: func(t *tx) error { ran = true; return putting("waiting")(t) }})
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("while it waits: %v", err)
	}
	release()
	if err := s.update(t.Context(), putting("next")); err != nil || ran || isThere(t, s, "waiting") {
		t.Errorf("it was made all the same: %v, %v", ran, err)
	}
	// One that is under way is whole or not there.
	for n := range 30 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n)*100*time.Microsecond)
		in := []registry.Intent{anIntent(2 * n), anIntent(2*n + 1)}
		_, err := r.Reserve(ctx, in, at)
		for i := range in {
			in[i].Body[0] = 'x' // it is the caller's own again
		}
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		got, again := r.Reserve(t.Context(), []registry.Intent{anIntent(2 * n), anIntent(2*n + 1)}, at)
		if again != nil || got[0].Existing != got[1].Existing || err == nil && !got[0].Existing {
			t.Fatalf("after %v: %v, %v", err, got, again)
		}
		if kept, err := r.Find(t.Context(), registry.Key{Seq: got[0].Record.Seq}); err != nil || string(kept.Body) != "b" {
			t.Fatalf("the body is %q, %v", kept.Body, err)
		}
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// Who has given up may use its memory again, whatever becomes of the step.
func TestWhoGivesUpHasItsMemoryBack(t *testing.T) {
	s, r, _ := newStore(t)
	release := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	in, spec := []registry.Intent{anIntent(1)}, append(make([]byte, 0, 64), "spec"...)
	in[0].Body = append(make([]byte, 0, 64), 'b') // with room, so that nobody copies it to append
	left := make(chan error, 3)
	steps := []func() error{
		func() error { _, err := r.Reserve(ctx, in, at); return err },
		func() error { return r.PutProviders(ctx, []registry.Provider{{ID: "p", Spec: spec}}, at) },
		func() error {
			return r.PutModules(ctx, []registry.Module{{Code: "m", Version: "1", Provider: "p", Spec: spec}}, at)
		},
	}
	for n, step := range steps {
		go func() { left <- step() }()
		for len(s.steps) == n {
			time.Sleep(50 * time.Microsecond)
		}
	}
	begun, free := make(chan struct{}), make(chan struct{})
	last := enqueue(t, s, &request{fn: func(*tx) error { close(begun); <-free; return nil }})
	release()
	<-begun // the others have run, and nothing is committed
	cancel()
	for range steps {
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want Canceled", err)
		}
	}
	in[0].Body[0], spec[0] = 'x', 'x'
	in[0].Learner = "another"
	close(free)
	if err := <-last; err != nil {
		t.Fatal(err)
	}
	open, err := r.Unfinished(t.Context(), 0, 5)
	if err != nil || len(open) != 1 || string(open[0].Body) != "b" || open[0].Learner != "l1" {
		t.Errorf("%+v, %v", open, err)
	}
	p, err1 := r.Provider(t.Context(), "p")
	m, err2 := r.Module(t.Context(), "m")
	if err := errors.Join(err1, err2, r.Check(t.Context())); err != nil || string(p.Spec) != "spec" || string(m.Spec) != "spec" {
		t.Errorf("%s, %s, %v", p.Spec, m.Spec, err)
	}
}

func TestCloseWaitsForWhatWasTaken(t *testing.T) {
	for range 8 { // what the writer meets first is a matter of chance
		closeWaits(t)
	}
}

func closeWaits(t *testing.T) {
	t.Helper()
	s, _, path := newStore(t)
	release := hold(t, s)
	var answers []<-chan error
	for n := range 5 {
		answers = append(answers, enqueue(t, s, &request{items: n * sliceItems, fn: putting(fmt.Sprint(n))}))
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		t.Fatalf("closed while something was under way: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	release()
	for n, answer := range answers {
		if err := <-answer; err != nil {
			t.Errorf("%d: %v", n, err)
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := s.update(t.Context(), putting("later")); err == nil {
		t.Error("a closed store takes a change")
	}
	s, _ = reopen(t, path)
	for n := range answers {
		if !isThere(t, s, fmt.Sprint(n)) {
			t.Errorf("%d is lost", n)
		}
	}
}

// Nobody hangs when a store is closed in the midst of work, and whoever was told
// that it is done finds it done.
func TestCloseInTheMidstOfWork(t *testing.T) {
	for range 5 {
		s, _, path := newStore(t)
		var mu sync.Mutex
		var wait sync.WaitGroup
		done := map[string]bool{}
		for w := range 20 {
			wait.Go(func() {
				for n := 0; ; n++ {
					key := fmt.Sprint(w, "-", n)
					if err := s.update(context.Background(), putting(key)); err != nil {
						return
					}
					mu.Lock()
					done[key] = true
					mu.Unlock()
				}
			})
		}
		time.Sleep(5 * time.Millisecond)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		wait.Wait()
		s, _ = reopen(t, path)
		for key := range done {
			if !isThere(t, s, key) {
				t.Fatalf("%s is lost of %d", key, len(done))
			}
		}
		_ = s.Close()
	}
}
