package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"attesta/registry"
)

// Extend is registry.Ledger.Extend, one transaction for all documents.
func (s *Store) Extend(ctx context.Context, documents []registry.ExtendedDocument, at time.Time) error {
	return s.update(ctx, func(t *tx) error {
		for _, d := range documents {
			if err := t.extend(d, at); err != nil {
				return fmt.Errorf("record %d: %w", d.Seq, err)
			}
		}
		return nil
	})
}

func (t *tx) extend(x registry.ExtendedDocument, at time.Time) error {
	was, err := t.recordOnly(x.Seq)
	if err != nil {
		return err
	}
	switch {
	case was.State != registry.Sealed:
		return fmt.Errorf("it is %s: %w", was.State, registry.ErrConflict)
	case was.Digest == x.Digest && was.Level == x.Level:
		return nil
	case was.Digest != x.Before:
		return fmt.Errorf("its bytes are others than those that were extended: %w", registry.ErrConflict)
	case was.Level > x.Level:
		return fmt.Errorf("its level is %v already: %w", was.Level, registry.ErrConflict)
	}
	is := was
	is.Digest, is.Level = x.Digest, x.Level
	if err := t.putRecord(was, is); err != nil {
		return err
	}
	if err := t.put(bucketSealed, seqKey(is.Seq), bytes.Clone(x.Data)); err != nil {
		return err
	}
	if is.Level != was.Level {
		if err := t.remove(bucketLevels, levelKey(was.Level, was.Seq)); err != nil {
			return err
		}
		if err := t.put(bucketLevels, levelKey(is.Level, is.Seq), nil); err != nil {
			return err
		}
	}
	return t.event(registry.Event{At: at, Kind: "extend", What: is.Credential, Why: is.Level.String()})
}

// levelKey has the level first, so that what is to be extended lies together.
func levelKey(l registry.Level, seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{byte(l)}, seq)
}

// byLevel reads the record that an entry of bucketLevels is about.
func (t *tx) byLevel(k []byte) (registry.Record, error) {
	if len(k) != 9 {
		return registry.Record{}, fmt.Errorf("reading %s: %w", bucketLevels, errDamaged)
	}
	r, err := t.recordOnly(binary.BigEndian.Uint64(k[1:]))
	if err != nil {
		return registry.Record{}, fmt.Errorf("reading a record by its level: %v: %w", err, errDamaged)
	}
	if r.State != registry.Sealed || !bytes.Equal(k, levelKey(r.Level, r.Seq)) {
		return registry.Record{}, fmt.Errorf("record %d is %s at level %v and %s says otherwise: %w",
			r.Seq, r.State, r.Level, bucketLevels, errDamaged)
	}
	return r, nil
}

// AtLevel is registry.Ledger.AtLevel. It reads little more than the page.
func (s *Store) AtLevel(ctx context.Context, level registry.Level, after uint64, limit int) (out []registry.Record, err error) {
	err = s.view(ctx, func(t *tx) error {
		return t.scan(bucketLevels, []byte{byte(level)}, levelKey(level, after+1), func(k, _ []byte) (bool, error) {
			r, err := t.byLevel(k)
			if err != nil {
				return false, err
			}
			out = append(out, r)
			return len(out) < limit, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
