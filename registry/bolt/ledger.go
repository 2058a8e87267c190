package bolt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"attesta/registry"
)

// Reserve is registry.Ledger.Reserve, one transaction for all intents.
func (s *Store) Reserve(ctx context.Context, intents []registry.Intent, names []registry.Names, shared []registry.SharedEntry, at time.Time) ([]registry.Reservation, error) {
	var out []registry.Reservation
	err := s.update(ctx, func(t *tx) error {
		out = make([]registry.Reservation, len(intents))
		if err := t.putShared(shared); err != nil {
			return err
		}
		for i, in := range intents {
			seq, err := t.lookUp(bucketAwards, awardKey(in.Edition, in.Module, in.Learner))
			switch {
			case err == nil:
				out[i].Existing = true
				out[i].Record, err = t.record(seq)
			case errors.Is(err, registry.ErrNotFound):
				out[i].Record, err = s.reserve(t, in, names[i], at)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Store) reserve(t *tx, in registry.Intent, n registry.Names, at time.Time) (registry.Record, error) {
	l, err := s.openList(t, in.Provider)
	if err != nil {
		return registry.Record{}, err
	}
	index, err := l.take()
	if err != nil {
		return registry.Record{}, err
	}
	seq, err := t.bucket(bucketRecords).NextSequence()
	if err != nil {
		return registry.Record{}, fmt.Errorf("numbering a record: %w", err)
	}
	r := registry.Record{
		Seq: seq, Credential: n.Credential, Handle: n.Handle, Provider: in.Provider, Learner: in.Learner,
		Module: in.Module, Version: in.Version, Edition: in.Edition, Hidden: bytes.Clone(in.Hidden), State: registry.Reserved,
		List: l.id, Index: index, Body: bytes.Clone(in.Body), ReservedAt: at,
	}
	if err := t.enrol(n.Learner); err != nil {
		return registry.Record{}, err
	}
	if err := t.putRecord(registry.Record{}, r); err != nil {
		return registry.Record{}, err
	}
	key := seqKey(seq)
	for _, e := range []struct {
		bucket     string
		key, value []byte
	}{
		{bucketBodies, key, bytes.Clone(in.Body)},
		{bucketUnfinished, key, nil},
		{bucketAwards, awardKey(in.Edition, in.Module, in.Learner), seqKey(seq)},
		{bucketCredentials, []byte(n.Credential), seqKey(seq)},
		{bucketHandles, []byte(n.Handle), seqKey(seq)},
		{bucketClaims, n.ClaimHash[:], seqKey(seq)},
	} {
		if t.has(e.bucket, e.key) {
			return registry.Record{}, fmt.Errorf("adding record %d: its entry in %s exists: %w", seq, e.bucket, registry.ErrConflict)
		}
		if err := t.put(e.bucket, bytes.Clone(e.key), e.value); err != nil {
			return registry.Record{}, err
		}
	}
	for _, prefix := range selections(r) {
		if err := t.put(bucketPages, append(prefix, key...), nil); err != nil {
			return registry.Record{}, err
		}
	}
	return r, t.event(registry.Event{At: at, Kind: "reserve", What: r.Credential})
}

// Complete is registry.Ledger.Complete, one transaction for all documents.
func (s *Store) Complete(ctx context.Context, documents []registry.Document, shared []registry.SharedEntry, at time.Time) error {
	return s.update(ctx, func(t *tx) error {
		if err := t.putShared(shared); err != nil {
			return err
		}
		for _, d := range documents {
			if err := t.complete(d, at); err != nil {
				return fmt.Errorf("record %d: %w", d.Seq, err)
			}
		}
		return nil
	})
}

func (t *tx) complete(d registry.Document, at time.Time) error {
	was, err := t.recordOnly(d.Seq)
	if err != nil {
		return err
	}
	switch {
	case was.State == registry.Sealed && was.Digest == d.Digest:
		return nil
	case was.State != registry.Reserved:
		return fmt.Errorf("it is %s with other bytes: %w", was.State, registry.ErrConflict)
	}
	is := was
	is.State, is.Digest, is.SealedAt = registry.Sealed, d.Digest, at
	if err := t.putRecord(was, is); err != nil {
		return err
	}
	if err := t.put(bucketSealed, seqKey(d.Seq), bytes.Clone(d.Data)); err != nil {
		return err
	}
	if err := t.put(bucketLevels, levelKey(is.Level, d.Seq), nil); err != nil {
		return err
	}
	for _, bucket := range []string{bucketBodies, bucketUnfinished} {
		if err := t.remove(bucket, seqKey(d.Seq)); err != nil {
			return err
		}
	}
	return t.event(registry.Event{At: at, Kind: "seal", What: is.Credential})
}

// putRecord writes a record and moves the counters; was has no Seq if the
// record is new.
func (t *tx) putRecord(was, is registry.Record) error {
	b, err := encodeRecord(is)
	if err != nil {
		return err
	}
	if err := t.put(bucketRecords, seqKey(is.Seq), b); err != nil {
		return err
	}
	return t.recount(was, is)
}

// event appends to the audit log.
func (t *tx) event(ev registry.Event) error {
	b := t.bucket(bucketEvents)
	if ev.At.IsZero() {
		if k, v := b.Cursor().Last(); k != nil {
			v, err := verified(bucketEvents, k, v)
			if err != nil {
				return err
			}
			last, err := decodeEvent(0, v)
			if err != nil {
				return err
			}
			ev.At = last.At
		}
	}
	n, err := b.NextSequence()
	if err != nil {
		return fmt.Errorf("numbering an event: %w", err)
	}
	v := encodeEvent(ev)
	t.entries, t.last = n, sha256.Sum256(v)
	ev.Seq = n
	if err := t.grow(ev); err != nil {
		return err
	}
	return t.put(bucketEvents, seqKey(n), v)
}

// openList returns the list of a provider that has a position left.
func (s *Store) openList(t *tx, provider string) (*list, error) {
	l := t.lists[provider]
	if l == nil {
		id, err := t.get(bucketOpenLists, tuple(provider))
		if err == nil {
			l, err = t.list(string(id))
		}
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return nil, err
		}
	}
	if l == nil || l.next >= registry.ListSize {
		if l != nil { // the full one is written now: another takes its place below
			if err := t.put(bucketLists, []byte(l.id), encodeList(l)); err != nil {
				return nil, err
			}
		}
		var err error
		if l, err = s.newList(t, provider); err != nil {
			return nil, err
		}
	}
	if t.lists == nil {
		t.lists = map[string]*list{}
	}
	t.lists[provider] = l
	return l, nil
}

func (s *Store) newList(t *tx, provider string) (*list, error) {
	id, err := registry.NewReference(s.rand)
	if err != nil {
		return nil, fmt.Errorf("naming a status list: %w", err)
	}
	l := &list{id: id, provider: provider}
	if _, err := io.ReadFull(s.rand, l.seed[:]); err != nil {
		return nil, fmt.Errorf("seeding a status list: %w", err)
	}
	if t.has(bucketLists, []byte(id)) {
		return nil, fmt.Errorf("naming a status list: the name exists: %w", registry.ErrConflict)
	}
	return l, t.put(bucketOpenLists, tuple(provider), []byte(id))
}

// take gives out the next position.
func (l *list) take() (uint32, error) {
	p, err := registry.NewPositions(l.seed)
	if err != nil {
		return 0, err
	}
	index, err := p.At(l.next)
	if err != nil {
		return 0, err
	}
	l.next++
	return index, nil
}

func (t *tx) list(id string) (*list, error) {
	b, err := t.get(bucketLists, []byte(id))
	if err != nil {
		return nil, err
	}
	return decodeList(id, b)
}

// awardKey has the learner last, so that a class lies together.
func awardKey(edition, module, learner string) []byte { return tuple(edition, module, learner) }

// lookUp reads an index whose values are record numbers.
func (t *tx) lookUp(bucket string, key []byte) (uint64, error) {
	b, err := t.get(bucket, key)
	if err != nil {
		return 0, err
	}
	if len(b) != 8 {
		return 0, fmt.Errorf("reading %s: %w", bucket, errDamaged)
	}
	return binary.BigEndian.Uint64(b), nil
}
