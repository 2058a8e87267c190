package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"attesta/registry"
)

// Find is registry.Ledger.Find.
func (s *Store) Find(ctx context.Context, key registry.Key) (r registry.Record, err error) {
	err = s.view(ctx, func(t *tx) error {
		found, err := t.byKey(key)
		if err != nil {
			return err
		}
		r, err = t.withBody(found)
		return err
	})
	return r, err
}

// byKey follows the index of a key. What the index cut off is compared here.
func (t *tx) byKey(key registry.Key) (row, error) {
	var bucket string
	var raw []byte
	ok := true
	switch {
	case key.Credential != "":
		bucket = bucketCredentials
		raw, ok = rawCredential(key.Credential)
	case key.Handle != "":
		bucket = bucketHandles
		raw, ok = rawReference(key.Handle)
	case key.ClaimHash != [32]byte{}:
		bucket, raw = bucketClaims, key.ClaimHash[:]
	default:
		return t.row(key.Seq)
	}
	if !ok {
		return row{}, registry.ErrNotFound
	}
	r, err := t.follow(bucket, raw[:indexBytes])
	if err != nil {
		return row{}, err
	}
	if key.Credential != "" && key.Credential != r.Credential || key.Handle != "" && key.Handle != r.Handle ||
		bucket == bucketClaims && key.ClaimHash != r.claim {
		return row{}, registry.ErrNotFound
	}
	return r, nil
}

// row reads a record without its Body.
func (t *tx) row(seq uint64) (row, error) {
	b, err := t.get(bucketRecords, seqKey(seq))
	if err != nil {
		return row{}, err
	}
	return decodeRow(seq, b, t.word)
}

// withBody adds the Body to a record that still has one.
func (t *tx) withBody(r row) (registry.Record, error) {
	if r.State != registry.Reserved {
		return r.Record, nil
	}
	body, err := t.get(bucketBodies, seqKey(r.Seq))
	if err != nil {
		return registry.Record{}, fmt.Errorf("reading the body of record %d: %v: %w", r.Seq, err, errDamaged)
	}
	r.Body = bytes.Clone(body)
	return r.Record, nil
}

// Document is registry.Ledger.Document.
func (s *Store) Document(ctx context.Context, seq uint64) (r registry.Record, data []byte, err error) {
	err = s.view(ctx, func(t *tx) error {
		found, err := t.row(seq)
		if r = found.Record; err != nil {
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

// Records is registry.Ledger.Records. It reads little more than the page.
func (s *Store) Records(ctx context.Context, q registry.Query) (out []registry.Record, err error) {
	if q.Before == 0 {
		q.Before = noSeq
	}
	err = s.view(ctx, func(t *tx) error {
		return t.choose(q, func(seq uint64) (bool, error) {
			r, err := t.row(seq)
			if err != nil {
				return false, fmt.Errorf("reading a record of the page: %v: %w", err, errDamaged)
			}
			if matches(q, r.Record) {
				out = append(out, r.Record)
			}
			return len(out) < q.Limit, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// choose calls fn with the seqs below q.Before of a selection in which all that
// q asks for is, newest first, until it returns false or an error.
func (t *tx) choose(q registry.Query, fn func(seq uint64) (bool, error)) error {
	var kind byte
	var words []string
	switch {
	case q.Learner != "": // a person has few records
		return t.ofLearner(q, fn)
	case q.Module != "" && q.Edition != "":
		kind, words = ofModuleEdition, []string{q.Module, q.Edition}
	case q.Module != "":
		kind, words = ofModule, []string{q.Module}
	case q.Provider != "" && q.Edition != "":
		kind, words = ofProviderEdition, []string{q.Provider, q.Edition}
	case q.Edition != "":
		kind, words = ofEdition, []string{q.Edition}
	case q.Provider != "":
		kind, words = ofProvider, []string{q.Provider}
	default:
		return t.ofAll(q, fn)
	}
	prefix, err := t.selection(kind, words...)
	if errors.Is(err, registry.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return t.eachBelow(prefix, q.Before, fn)
}

func (t *tx) ofAll(q registry.Query, fn func(seq uint64) (bool, error)) error {
	c := t.bucket(bucketRecords).Cursor()
	k, _ := c.Seek(seqKey(q.Before))
	if k == nil {
		k, _ = c.Last()
	} else {
		k, _ = c.Prev()
	}
	for ; k != nil; k, _ = c.Prev() {
		seq, err := seqOf(k)
		if err != nil {
			return err
		}
		if more, err := fn(seq); err != nil || !more {
			return err
		}
	}
	return nil
}

func (t *tx) ofLearner(q registry.Query, fn func(seq uint64) (bool, error)) error {
	var words []string
	if q.Module != "" {
		words = []string{q.Module}
	}
	prefix, err := t.awardKey(q.Learner, words...)
	if errors.Is(err, registry.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var seqs []uint64
	err = t.entriesFrom(bucketAwards, prefix, func(e indexEntry) (bool, error) {
		if !bytes.HasPrefix(e.key, prefix) {
			return false, nil
		}
		if e.seq < q.Before {
			seqs = append(seqs, e.seq)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	slices.Sort(seqs)
	for _, seq := range slices.Backward(seqs) {
		if more, err := fn(seq); err != nil || !more {
			return err
		}
	}
	return nil
}

func matches(q registry.Query, r registry.Record) bool {
	return (q.Provider == "" || q.Provider == r.Provider) &&
		(q.Module == "" || q.Module == r.Module) &&
		(q.Edition == "" || q.Edition == r.Edition) &&
		(q.Learner == "" || q.Learner == r.Learner) &&
		(q.SealKey == "" || q.SealKey == r.SealKey)
}

// Unfinished is registry.Ledger.Unfinished.
func (s *Store) Unfinished(ctx context.Context, after uint64, limit int) (out []registry.Record, err error) {
	if after >= noSeq {
		return nil, nil
	}
	err = s.view(ctx, func(t *tx) error {
		return t.scan(bucketBodies, nil, seqKey(after+1), func(k, body []byte) (bool, error) {
			seq, err := seqOf(k)
			if err != nil {
				return false, err
			}
			r, err := t.row(seq)
			if err == nil && r.State != registry.Reserved {
				err = fmt.Errorf("it is %s and has a body", r.State)
			}
			if err != nil {
				return false, fmt.Errorf("reading an unfinished record: %v: %w", err, errDamaged)
			}
			r.Body = bytes.Clone(body)
			out = append(out, r.Record)
			return len(out) < limit, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
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
	if after >= noSeq {
		return nil, nil
	}
	err = s.view(ctx, func(t *tx) error {
		return t.scan(bucketEvents, nil, seqKey(after+1), func(k, v []byte) (bool, error) {
			seq, err := seqOf(k)
			if err != nil {
				return false, err
			}
			ev, err := decodeEvent(seq, v)
			if err != nil {
				return false, err
			}
			out = append(out, ev)
			return len(out) < limit, nil
		})
	})
	return out, err
}
