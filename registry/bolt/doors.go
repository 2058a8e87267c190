package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"attesta/registry"
)

// purge is how many expired accesses go with each new one.
const purge = 100

// PutAccess is registry.Doors.PutAccess. Expired ones are removed on the way.
func (s *Store) PutAccess(ctx context.Context, hash [32]byte, a registry.Access, at time.Time) error {
	return s.update(ctx, func(t *tx) error {
		if err := t.dropExpired(at); err != nil {
			return err
		}
		if err := t.put(bucketAccess, hash[:], encodeAccess(a)); err != nil {
			return err
		}
		if err := t.put(bucketExpiry, expiryKey(a, hash[:]), nil); err != nil {
			return err
		}
		return t.event(registry.Event{At: at, Kind: "access", What: a.Kind, By: a.By, Why: "granted"})
	})
}

func expiryKey(a registry.Access, hash []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(a.Expires.Unix())), hash...)
}

func (t *tx) dropExpired(at time.Time) error {
	var gone [][]byte
	err := t.scan(bucketExpiry, nil, nil, func(k, _ []byte) (bool, error) {
		if len(k) != 8+32 {
			return false, fmt.Errorf("reading %s: %w", bucketExpiry, errDamaged)
		}
		if binary.BigEndian.Uint64(k) > uint64(at.Unix()) {
			return false, nil
		}
		gone = append(gone, bytes.Clone(k))
		return len(gone) < purge, nil
	})
	if err != nil {
		return err
	}
	for _, k := range gone {
		if err := t.remove(bucketExpiry, k); err != nil {
			return err
		}
		if err := t.remove(bucketAccess, k[8:]); err != nil {
			return err
		}
	}
	return nil
}

// Access is registry.Doors.Access.
func (s *Store) Access(ctx context.Context, hash [32]byte, at time.Time) (a registry.Access, err error) {
	err = s.view(ctx, func(t *tx) error {
		a, err = t.access(hash, at)
		return err
	})
	if err != nil {
		return registry.Access{}, err
	}
	return a, nil
}

func (t *tx) access(hash [32]byte, at time.Time) (registry.Access, error) {
	b, err := t.get(bucketAccess, hash[:])
	if err != nil {
		return registry.Access{}, err
	}
	a, err := decodeAccess(b)
	if err == nil && !at.Before(a.Expires) {
		err = fmt.Errorf("expired: %w", registry.ErrNotFound)
	}
	return a, err
}

// TakeAccess is registry.Doors.TakeAccess.
func (s *Store) TakeAccess(ctx context.Context, hash [32]byte, at time.Time) (registry.Access, error) {
	var a registry.Access
	err := s.update(ctx, func(t *tx) error {
		var err error
		if a, err = t.access(hash, at); err != nil {
			return err
		}
		if err := t.remove(bucketAccess, hash[:]); err != nil {
			return err
		}
		if err := t.remove(bucketExpiry, expiryKey(a, hash[:])); err != nil {
			return err
		}
		return t.event(registry.Event{At: at, Kind: "access", What: a.Kind, By: a.By, Why: "taken"})
	})
	if err != nil {
		return registry.Access{}, err
	}
	return a, nil
}
