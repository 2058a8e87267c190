package registry

import (
	"context"
	"fmt"
	"time"
)

// Leases is the part of a backend that lets one process at a time do a work. A
// lease keeps others from beginning; it does not stop who goes on after its end.
type Leases interface {
	// TakeLease gives a name to a holder until length from now, if nobody has it,
	// its time is over, or the holder has it already. Of any number who take it at
	// the same time exactly one gets it. The clock is the one that all processes
	// share, where there is one, and else at.
	TakeLease(ctx context.Context, name, holder string, length time.Duration, at time.Time) (bool, error)
	// LeaveLease gives a lease back. One that the holder has not is no error.
	LeaveLease(ctx context.Context, name, holder string) error
}

const maxLease = time.Hour

// TakeLease takes or renews the lease of a name for a length of 1 second to an
// hour, and tells whether the holder has it. A holder renews it well before its
// end, stops its work when it cannot, and gives it back with LeaveLease; who dies
// keeps it until its end.
func (r *Registry) TakeLease(ctx context.Context, name, holder string, length time.Duration, at time.Time) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	_, err := stamp(at) // a lease may end between two seconds
	if err == nil {
		err = refs(field{"name of the lease", name}, field{"holder", holder})
	}
	if err == nil && (length < time.Second || length > maxLease) {
		err = fmt.Errorf("length of %v is not 1s to %v: %w", length, maxLease, ErrInvalid)
	}
	var held bool
	if err == nil {
		held, err = r.backend.TakeLease(ctx, name, holder, length, at)
	}
	if err != nil {
		return false, fmt.Errorf("taking a lease: %w", err)
	}
	return held, nil
}

// LeaveLease gives a lease back before its end. One that the holder has not, or
// no longer, is no error and stays with who has it.
func (r *Registry) LeaveLease(ctx context.Context, name, holder string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := refs(field{"name of the lease", name}, field{"holder", holder})
	if err == nil {
		err = r.backend.LeaveLease(ctx, name, holder)
	}
	if err != nil {
		return fmt.Errorf("leaving a lease: %w", err)
	}
	return nil
}
