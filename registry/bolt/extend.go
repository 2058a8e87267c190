package bolt

import (
	"context"
	"fmt"
	"slices"
	"time"

	"attesta/registry"
)

// Extend is registry.Ledger.Extend, one transaction for all documents.
func (s *Store) Extend(ctx context.Context, documents []registry.ExtendedDocument, at time.Time) error {
	documents = slices.Clone(documents)
	for i := range documents {
		documents[i].Data = roomy(documents[i].Data)
	}
	return s.updateMany(ctx, len(documents), func(t *tx) error {
		for _, d := range documents {
			if err := t.extend(d, at); err != nil {
				return fmt.Errorf("record %d: %w", d.Seq, err)
			}
		}
		return nil
	})
}

func (t *tx) extend(x registry.ExtendedDocument, at time.Time) error {
	was, err := t.row(x.Seq)
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
	if err := t.put(bucketSealed, seqKey(is.Seq), x.Data); err != nil {
		return err
	}
	return t.event(registry.Event{At: at, Kind: "extend", What: is.Credential, Why: is.Level.String()})
}
