package issuer

import (
	"context"
	"fmt"
	"time"

	"attesta/intake"
	"attesta/keys"
	"attesta/registry"
)

// How many credentials are reserved, and completed, in one durable step: as many
// as keep nobody waiting for long, and where nobody else waits, as many as are
// worth it.
const (
	slice     = 1000
	longSlice = 4000
)

// batch is a slice of rows on its way through the issuing cycle.
type batch struct {
	rows     []intake.Completion
	at       time.Time
	all      []judged
	signing  []*keys.Key // the keys of those that are reserved
	reserved []int       // which of all are
	intents  []registry.Intent
	records  []registry.Reservation
	fresh    map[uint64]bool // what this batch is to seal, by number
	sealed   sealed
	err      error
}

// line takes rows, slice after slice, as far as their seals. It ends after the
// last, or the first with an error.
func (i *Issuer) line(ctx context.Context, rows []intake.Completion) <-chan *batch {
	mine := map[uint64]bool{}
	checked := station(i.cut(rows), func(b *batch) error { return i.check(ctx, b) })
	reserved := station(checked, func(b *batch) error { return i.reserve(ctx, b, mine) })
	return station(reserved, func(b *batch) (err error) {
		b.sealed, err = i.seal(ctx, b.open(), b.at)
		return err
	})
}

// cut parts rows. The first slice is short where the others are long, since
// nothing is sealed before it is reserved.
func (i *Issuer) cut(rows []intake.Completion) <-chan *batch {
	to := make(chan *batch)
	go func() {
		defer close(to)
		first, most := slice, slice
		if i.Alone {
			first, most = longSlice/2, longSlice
		}
		for n := first; len(rows) > 0; n = most {
			n = min(n, len(rows))
			to <- &batch{rows: rows[:n]}
			rows = rows[n:]
		}
	}()
	return to
}

// station does one step with batch after batch and hands them on, until there is
// none or the step fails.
func station(from <-chan *batch, do func(*batch) error) <-chan *batch {
	to := make(chan *batch, 1)
	go func() {
		defer close(to)
		for b := range from {
			if b.err == nil {
				b.err = guarded(b, do)
			}
			failed := b.err != nil
			if to <- b; failed { // b is another's from here on
				break
			}
		}
		for range from { // who hands on waits for nobody
		}
	}()
	return to
}

// guarded makes an error of a fault, which would end the whole program where it
// is in a goroutine of its own.
func guarded[T any](with T, do func(T) error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("issuing: %v", fault)
		}
	}()
	return do(with)
}
