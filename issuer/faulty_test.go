package issuer_test

import (
	"context"
	"sync/atomic"
	"time"

	"attesta/registry"
)

// faulty is a store whose Complete fails when told, in the two ways in which a
// store can fail: without having done the step, or after it.
type faulty struct {
	registry.Backend
	before, after atomic.Bool
}

func (f *faulty) Complete(ctx context.Context, documents []registry.Document, shared []registry.SharedEntry, at time.Time) error {
	if f.before.Load() {
		return errDisk
	}
	if err := f.Backend.Complete(ctx, documents, shared, at); err != nil {
		return err
	}
	if f.after.Load() {
		return errDisk
	}
	return nil
}
