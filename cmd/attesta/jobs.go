package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"attesta/registry"
)

// Works that one process of a registry does at a time.
const (
	stampWork  = "time stamps"
	finishWork = "unfinished records"
	keyWork    = "keys"
)

// leaseTime is for how long a process has a work without saying that it still
// lives: so long others wait when it dies.
const leaseTime = 30 * time.Second

// errLeaseLost ends a work whose lease could not be renewed.
var errLeaseLost = errors.New("another server may have taken the work over")

// alone does a work unless another process does it now, and tells whether it did.
// The context of the work ends when its lease may be another's.
func (a *app) alone(ctx context.Context, work string, do func(context.Context) error) (did bool, err error) {
	holder, err := registry.NewReference(rand.Reader)
	if err != nil {
		return false, fmt.Errorf("naming a holder: %w", err)
	}
	taken := time.Now()
	if held, err := a.registry.TakeLease(ctx, work, holder, a.lease, a.now()); err != nil || !held {
		return false, err
	}
	doing, stop := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.keepLease(doing, stop, work, holder, taken)
	}()
	err = do(doing)
	if lost := context.Cause(doing); err != nil && errors.Is(lost, errLeaseLost) {
		err = fmt.Errorf("%w: %w", lost, err)
	}
	stop(nil)
	<-ended
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := a.registry.LeaveLease(last, work, holder); err != nil {
		a.log.Warn("giving a work back; others wait for the end of its time", "work", work, "error", err)
	}
	return true, err
}

// keepLease renews a lease until the context ends, and ends the context when it
// is lost, or may be because the registry does not answer.
func (a *app) keepLease(ctx context.Context, stop context.CancelCauseFunc, work, holder string, renewed time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(a.lease / 4):
		}
		asked := time.Now()
		asking, cancel := context.WithTimeout(ctx, a.lease/4)
		held, err := a.registry.TakeLease(asking, work, holder, a.lease, a.now())
		cancel()
		switch {
		case err == nil && held:
			renewed = asked
		case err == nil, time.Since(renewed) > a.lease/2:
			stop(errLeaseLost)
			return
		}
	}
}

// inTurn is alone for a command: it waits until no other process does the work.
func (a *app) inTurn(ctx context.Context, work string, do func(context.Context) error) error {
	for {
		if did, err := a.alone(ctx, work, do); did || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for another server that works on %s: %w", work, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// stampPause is how long a running server waits before it looks again for seals
// without a time stamp.
const stampPause = time.Minute

// stampLater adds time stamps to new seals until the context ends; of several
// servers one does. An authority that does not answer is asked again later: that
// it does not is said once.
func (a *app) stampLater(ctx context.Context) {
	silent := false
	for {
		pause := stampPause
		if a.stamps.current.Load() != nil {
			did, err := a.alone(ctx, stampWork, func(ctx context.Context) error {
				_, err := a.issuer.Extend(ctx, registry.LevelT, false)
				return err
			})
			if err != nil && !silent && ctx.Err() == nil {
				a.log.Warn("time stamps could not be added; this is tried again every minute", "error", err)
			}
			silent = err != nil
			if !did {
				pause = a.lease / 3 // so that it goes on soon when the other dies
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}
