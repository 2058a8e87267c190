package keys

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrUnknown is wrapped when the ring holds no key of an id.
var ErrUnknown = errors.New("there is no such key")

// ErrNotSelfMade is wrapped by Rotate when the key in use was not made here:
// its place is taken by importing its successor, not by a demonstration key.
var ErrNotSelfMade = errors.New("it was not made by this installation")

// Rotate makes a new demonstration key for an owner, which Current hands out
// from now on. The keys that it follows may sign for an overlap longer, for what
// was begun with them, and are retired then. They verify for ever. A key for
// status lists follows those with the same legal identifier only: lists of
// another house are still signed with a key of that one.
func (r *Ring) Rotate(p Purpose, o Owner, at time.Time, overlap time.Duration) (*Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p != Seal && p != Status && p != Accreditation && p != Receipt {
		return nil, fmt.Errorf("rotating the %s key: only keys for seals, for status lists, for accreditations and for receipts are rotated", p)
	}
	if overlap < 0 {
		return nil, fmt.Errorf("rotating the %s key of %q: an overlap of %s lies in the past", p, o.ID, overlap)
	}
	at = at.UTC().Truncate(time.Second)
	if k, err := r.following(p, o, at); err == nil && !k.SelfMade {
		return nil, fmt.Errorf("rotating the %s key %s of %q: %w; import the key that follows it", p, k.ID, o.ID, ErrNotSelfMade)
	}
	root, err := r.current(Root, "", at)
	if err != nil {
		if root, err = r.makeRoot(at); err != nil {
			return nil, err
		}
	}
	made, err := r.makeLeaf(root, p, o, at)
	if err != nil {
		return nil, err
	}
	return made, r.retireBut(made, at.Add(overlap))
}

// Following is the key that Rotate would put another in the place of: its error is
// that of Current.
func (r *Ring) Following(p Purpose, o Owner, at time.Time) (*Key, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.following(p, o, at)
}

func (r *Ring) following(p Purpose, o Owner, at time.Time) (*Key, error) {
	if p == Status {
		k, err := r.currentOf(p, o.ID, o.LegalID, at)
		if err == nil || slices.ContainsFunc(r.keys, func(k *Key) bool {
			return k.Purpose == p && k.Owner == o.ID && k.LegalID() == o.LegalID
		}) {
			return k, err
		}
	}
	return r.current(p, o.ID, at)
}

// retireBut retires the other keys of the same owner for the same purpose, those
// for status lists of the same house, unless that was or is to be done before.
func (r *Ring) retireBut(stays *Key, at time.Time) error {
	for n, k := range r.keys {
		if k.ID == stays.ID || k.Purpose != stays.Purpose || k.Owner != stays.Owner || k.Purpose == Status && k.LegalID() != stays.LegalID() || !k.Revoked.IsZero() || k.retired(at) {
			continue
		}
		if err := r.replace(n, k.changed(func(k *Key) { k.Retired = at })); err != nil {
			return fmt.Errorf("retiring key %s: %w", k.ID, err)
		}
	}
	r.sort()
	return nil
}

// Retire ends the signing of a key at a moment, which may be still to come. What
// it signed counts for ever. It cannot be undone or put off.
func (r *Ring) Retire(id string, at time.Time) (*Key, error) {
	return r.end("retiring", id, func(k *Key) error {
		switch {
		case !k.Revoked.IsZero():
			return fmt.Errorf("it was revoked on %s", k.RevokedAt.Format(time.DateOnly))
		case k.retired(at):
			return fmt.Errorf("it was retired on %s", k.Retired.Format(time.DateOnly))
		}
		k.Retired = at.UTC().Truncate(time.Second)
		return nil
	})
}

// Revoke says at a moment that a key is no longer to be believed since another,
// not later one: it signs no more, and of what bears its seal only that counts
// which a proof of time shows to be older. This is final; to revoke a key again
// can only move since to an earlier moment.
func (r *Ring) Revoke(id string, since, at time.Time) (*Key, error) {
	return r.end("revoking", id, func(k *Key) error {
		since, at := since.UTC().Truncate(time.Second), at.UTC().Truncate(time.Second)
		switch {
		case since.After(at):
			return fmt.Errorf("the moment since which it is not to be believed, %s, is still to come", since.Format(time.RFC3339))
		case !k.Revoked.IsZero() && !since.Before(k.Revoked):
			return fmt.Errorf("it is revoked since %s already", k.Revoked.Format(time.RFC3339))
		}
		k.Revoked, k.RevokedAt = since, at
		return nil
	})
}

// end changes the life of a key, on disk before anywhere else.
func (r *Ring) end(doing, id string, change func(*Key) error) (*Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n, k := range r.keys {
		if k.ID != id {
			continue
		}
		if k.Purpose == Root {
			return nil, fmt.Errorf("%s key %s: it is the root of this installation, under which all its demonstration keys stand; retire or revoke those", doing, id)
		}
		var err error
		k = k.changed(func(k *Key) { err = change(k) })
		if err == nil {
			err = r.replace(n, k)
		}
		if err != nil {
			return nil, fmt.Errorf("%s key %s: %w", doing, id, err)
		}
		r.sort()
		return k, nil
	}
	return nil, fmt.Errorf("%s key %q: %w", doing, id, ErrUnknown)
}

// replace puts a changed key in the place of what it was. Those who hold the
// former sign by the life of the new one.
func (r *Ring) replace(n int, k *Key) error {
	if err := r.write(k); err != nil {
		return err
	}
	r.keys[n] = k
	k.latest.Store(k)
	return nil
}
