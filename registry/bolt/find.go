package bolt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"attesta/registry"
)

// Find is registry.Ledger.Find.
func (s *Store) Find(ctx context.Context, key registry.Key) (r registry.Record, err error) {
	err = s.view(ctx, func(t *tx) error {
		seq, err := key.Seq, error(nil)
		switch {
		case key.Credential != "":
			seq, err = t.lookUp(bucketCredentials, []byte(key.Credential))
		case key.Handle != "":
			seq, err = t.lookUp(bucketHandles, []byte(key.Handle))
		case key.ClaimHash != [32]byte{}:
			seq, err = t.lookUp(bucketClaims, key.ClaimHash[:])
		}
		if err != nil {
			return err
		}
		r, err = t.record(seq)
		return err
	})
	return r, err
}

// recordOnly reads a record without its Body.
func (t *tx) recordOnly(seq uint64) (registry.Record, error) {
	b, err := t.get(bucketRecords, seqKey(seq))
	if err != nil {
		return registry.Record{}, err
	}
	return decodeRecord(seq, b)
}

// record reads a record with its Body, if it still has one.
func (t *tx) record(seq uint64) (registry.Record, error) {
	r, err := t.recordOnly(seq)
	if err != nil || r.State != registry.Reserved {
		return r, err
	}
	body, err := t.get(bucketBodies, seqKey(seq))
	if err != nil {
		return registry.Record{}, fmt.Errorf("reading the body of record %d: %v: %w", seq, err, errDamaged)
	}
	r.Body = bytes.Clone(body)
	return r, nil
}

// Document is registry.Ledger.Document.
func (s *Store) Document(ctx context.Context, seq uint64) (r registry.Record, data []byte, err error) {
	err = s.view(ctx, func(t *tx) error {
		if r, err = t.recordOnly(seq); err != nil {
			return err
		}
		if r.State != registry.Sealed {
			return fmt.Errorf("the record is %s: %w", r.State, registry.ErrNotFound)
		}
		data, err = t.document(seq)
		return err
	})
	if err != nil {
		return registry.Record{}, nil, err
	}
	return r, data, nil
}

func (t *tx) document(seq uint64) ([]byte, error) {
	b, err := t.get(bucketSealed, seqKey(seq))
	if err != nil {
		return nil, fmt.Errorf("reading the document of record %d: %v: %w", seq, err, errDamaged)
	}
	return bytes.Clone(b), nil
}

// selection is the prefix in bucketPages of the records that have something in
// common. Hashing keeps keys short and of one length.
func selection(what string, parts ...string) []byte {
	sum := sha256.Sum256(tuple(append([]string{what}, parts...)...))
	return sum[:16:16]
}

// selections are those a record is in. A module belongs to one provider, so
// provider and module together need none of their own.
func selections(r registry.Record) [][]byte {
	return [][]byte{
		selection("provider", r.Provider),
		selection("module", r.Module),
		selection("edition", r.Edition),
		selection("provider, edition", r.Provider, r.Edition),
		selection("module, edition", r.Module, r.Edition),
		selection("learner", r.Learner),
	}
}

// Records is registry.Ledger.Records. It reads little more than the page.
func (s *Store) Records(ctx context.Context, q registry.Query) (out []registry.Record, err error) {
	bucket, prefix := bucketPages, []byte(nil)
	switch {
	case q.Learner != "": // a person has few records
		prefix = selection("learner", q.Learner)
	case q.Module != "" && q.Edition != "":
		prefix = selection("module, edition", q.Module, q.Edition)
	case q.Module != "":
		prefix = selection("module", q.Module)
	case q.Provider != "" && q.Edition != "":
		prefix = selection("provider, edition", q.Provider, q.Edition)
	case q.Edition != "":
		prefix = selection("edition", q.Edition)
	case q.Provider != "":
		prefix = selection("provider", q.Provider)
	default:
		bucket = bucketRecords
	}
	if q.Before == 0 {
		q.Before = ^uint64(0)
	}
	err = s.view(ctx, func(t *tx) error {
		c := t.bucket(bucket).Cursor()
		k, _ := c.Seek(append(prefix, seqKey(q.Before)...))
		if k == nil {
			k, _ = c.Last()
		} else {
			k, _ = c.Prev()
		}
		for ; k != nil && hasPrefix(k, prefix) && len(out) < q.Limit; k, _ = c.Prev() {
			if len(k) != len(prefix)+8 {
				return fmt.Errorf("reading %s: %w", bucket, errDamaged)
			}
			r, err := t.recordOnly(binary.BigEndian.Uint64(k[len(prefix):]))
			if err != nil {
				return fmt.Errorf("reading a record of the page: %v: %w", err, errDamaged)
			}
			if matches(q, r) {
				out = append(out, r)
			}
		}
		return nil
	})
	return out, err
}

func matches(q registry.Query, r registry.Record) bool {
	return (q.Provider == "" || q.Provider == r.Provider) &&
		(q.Module == "" || q.Module == r.Module) &&
		(q.Edition == "" || q.Edition == r.Edition) &&
		(q.Learner == "" || q.Learner == r.Learner)
}

// Unfinished is registry.Ledger.Unfinished.
func (s *Store) Unfinished(ctx context.Context, after uint64, limit int) (out []registry.Record, err error) {
	err = s.view(ctx, func(t *tx) error {
		return t.scan(bucketUnfinished, nil, seqKey(after+1), func(k, _ []byte) (bool, error) {
			if len(k) != 8 {
				return false, fmt.Errorf("reading %s: %w", bucketUnfinished, errDamaged)
			}
			r, err := t.record(binary.BigEndian.Uint64(k))
			if err != nil {
				return false, fmt.Errorf("reading an unfinished record: %v: %w", err, errDamaged)
			}
			out = append(out, r)
			return len(out) < limit, nil
		})
	})
	return out, err
}

// Counts is registry.Ledger.Counts.
func (s *Store) Counts(ctx context.Context, provider string) (c registry.Counts, err error) {
	err = s.view(ctx, func(t *tx) error {
		c, err = t.readCounts(bucketCounts, tuple(provider))
		return err
	})
	return c, err
}

// Editions is registry.Ledger.Editions.
func (s *Store) Editions(ctx context.Context, provider, after string, limit int) (out []registry.Edition, err error) {
	prefix := tuple(provider)
	from := prefix
	if after != "" {
		module, edition, err := registry.ParseEditionKey(after)
		if err != nil {
			return nil, err
		}
		from = append(tuple(provider, module, edition), 0) // the least key above it
	}
	err = s.view(ctx, func(t *tx) error {
		return t.scan(bucketEditions, prefix, from, func(k, v []byte) (bool, error) {
			parts, err := untuple(k, 3)
			if err != nil {
				return false, err
			}
			c, err := decodeCounts(v)
			if err != nil {
				return false, err
			}
			out = append(out, registry.Edition{Module: parts[1], Edition: parts[2], Counts: c})
			return len(out) < limit, nil
		})
	})
	return out, err
}

// Events is registry.Ledger.Events.
func (s *Store) Events(ctx context.Context, after uint64, limit int) (out []registry.Event, err error) {
	err = s.view(ctx, func(t *tx) error {
		return t.scan(bucketEvents, nil, seqKey(after+1), func(k, v []byte) (bool, error) {
			if len(k) != 8 {
				return false, fmt.Errorf("reading %s: %w", bucketEvents, errDamaged)
			}
			ev, err := decodeEvent(binary.BigEndian.Uint64(k), v)
			if err != nil {
				return false, err
			}
			out = append(out, ev)
			return len(out) < limit, nil
		})
	})
	return out, err
}
