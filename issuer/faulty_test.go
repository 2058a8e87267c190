package issuer_test

import (
	"context"
	"sync/atomic"
	"time"

	"attesta/registry"
)

// faulty is a store whose Complete fails when told, in the two ways in which a
// store can fail: without having done the step, or after it. It counts what is
// read of lists, and can answer otherwise about them.
type faulty struct {
	registry.Backend
	before, after atomic.Bool
	asked, read   atomic.Int64 // lists that were asked for, and entries that came
	list          func(registry.StatusList) registry.StatusList
	lists         func(after string, limit int) []registry.StatusList
}

func (f *faulty) List(ctx context.Context, id string, known uint64) (registry.StatusList, error) {
	l, err := f.Backend.List(ctx, id, known)
	if f.list != nil {
		l = f.list(l)
	}
	f.asked.Add(1)
	f.read.Add(int64(len(l.Entries)))
	return l, err
}

func (f *faulty) Lists(ctx context.Context, after string, limit int) ([]registry.StatusList, error) {
	if f.lists != nil {
		return f.lists(after, limit), nil
	}
	return f.Backend.Lists(ctx, after, limit)
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
