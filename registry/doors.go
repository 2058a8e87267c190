package registry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The kinds of Access.
const (
	SignIn  = "sign-in" // a link that works once
	Session = "session"
)

const maxTTL = 366 * 24 * time.Hour

// Grant makes a secret of 26 characters A-Z2-7 that opens the console for ttl,
// a whole number of seconds up to 366 days. kind is "sign-in" or "session"; by
// names who enters. Only a hash of the secret is kept: it cannot be had again.
func (r *Registry) Grant(ctx context.Context, kind, by string, ttl time.Duration, at time.Time) (secret string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	at, err = stamp(at)
	if err == nil {
		err = refs(field{"name of who enters", by})
	}
	if err == nil && kind != SignIn && kind != Session {
		err = fmt.Errorf("kind %q is neither %s nor %s: %w", clip(kind), SignIn, Session, ErrInvalid)
	}
	if err == nil && (ttl < time.Second || ttl > maxTTL) {
		err = fmt.Errorf("life of %v is not 1s to %v: %w", ttl, maxTTL, ErrInvalid)
	}
	if err != nil {
		return "", fmt.Errorf("granting access: %w", err)
	}
	if secret, err = NewReference(r.rand); err != nil {
		return "", fmt.Errorf("granting access: %w", err)
	}
	a := Access{Kind: kind, By: by, Expires: at.Add(ttl.Truncate(time.Second))}
	if err := r.backend.PutAccess(ctx, accessHash(kind, secret), a, at); err != nil {
		return "", fmt.Errorf("granting access: %w", err)
	}
	return secret, nil
}

// Enter returns what a secret of a kind opens, and leaves it in place. An
// unknown, expired, used or malformed secret, and one of another kind, is
// ErrNotFound.
func (r *Registry) Enter(ctx context.Context, kind, secret string, at time.Time) (Access, error) {
	return r.open(ctx, "entering", kind, secret, at, r.backend.Access)
}

// Redeem is Enter, and the secret works no more: of any number of callers at
// the same time exactly one succeeds.
func (r *Registry) Redeem(ctx context.Context, kind, secret string, at time.Time) (Access, error) {
	return r.open(ctx, "redeeming", kind, secret, at, r.backend.TakeAccess)
}

func (r *Registry) open(ctx context.Context, step, kind, secret string, at time.Time,
	read func(context.Context, [32]byte, time.Time) (Access, error),
) (Access, error) {
	if err := ctx.Err(); err != nil {
		return Access{}, err
	}
	at, err := stamp(at)
	if err != nil {
		return Access{}, fmt.Errorf("%s: %w", step, err)
	}
	if !isReference(secret) || kind != SignIn && kind != Session {
		return Access{}, fmt.Errorf("%s: %w", step, ErrNotFound)
	}
	a, err := read(ctx, accessHash(kind, secret), at)
	if err != nil {
		return Access{}, fmt.Errorf("%s: %w", step, err)
	}
	return a, nil
}

// Leave ends a session. One that is not there any more is no error.
func (r *Registry) Leave(ctx context.Context, secret string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !isReference(secret) {
		return nil
	}
	_, err := r.backend.TakeAccess(ctx, accessHash(Session, secret), time.Time{})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("leaving: %w", err)
	}
	return nil
}
