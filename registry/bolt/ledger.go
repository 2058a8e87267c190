package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"attesta/registry"
)

// Reserve is registry.Ledger.Reserve, one transaction for all intents.
func (s *Store) Reserve(ctx context.Context, intents []registry.Intent, names []registry.Names, shared []registry.SharedEntry, at time.Time) ([]registry.Reservation, error) {
	intents, names = slices.Clone(intents), slices.Clone(names)
	for i := range intents {
		intents[i].Body = roomy(intents[i].Body)
	}
	var out []registry.Reservation
	err := s.updateMany(ctx, len(intents), func(t *tx) error {
		out = make([]registry.Reservation, len(intents))
		if err := t.putShared(shared); err != nil {
			return err
		}
		arrived := arrivals{}
		for i, in := range intents {
			var err error
			if out[i], err = t.find(in); errors.Is(err, registry.ErrNotFound) {
				out[i].Record, err = s.reserve(t, in, names[i], at, arrived)
			}
			if err != nil {
				return err
			}
		}
		return arrived.put(t)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// roomy copies bytes that are to be stored, with room for their checksum.
func roomy(b []byte) []byte { return append(make([]byte, 0, len(b)+checksumSize), b...) }

// find returns the record of an award that is there already.
func (t *tx) find(in registry.Intent) (registry.Reservation, error) {
	key, err := t.awardKey(in.Learner, in.Module, in.Edition)
	if err != nil {
		return registry.Reservation{}, err
	}
	r, err := t.follow(bucketAwards, key)
	if err != nil {
		return registry.Reservation{}, err
	}
	if r.Learner != in.Learner {
		return registry.Reservation{}, fmt.Errorf("record %d is of a learner with the same hash: %w", r.Seq, registry.ErrConflict)
	}
	record, err := t.withBody(r)
	return registry.Reservation{Record: record, Existing: true}, err
}

func (s *Store) reserve(t *tx, in registry.Intent, n registry.Names, at time.Time, arrived arrivals) (registry.Record, error) {
	l, err := s.openList(t, in.Provider, in.House)
	if err != nil {
		return registry.Record{}, err
	}
	t.changes++
	index, err := l.take()
	if err != nil {
		return registry.Record{}, err
	}
	seq, err := t.next(bucketRecords)
	if err != nil {
		return registry.Record{}, err
	}
	r := row{claim: n.ClaimHash, Record: registry.Record{
		Seq: seq, Credential: n.Credential, Handle: n.Handle, Provider: in.Provider, Learner: in.Learner,
		Module: in.Module, Version: in.Version, Edition: in.Edition, Hidden: bytes.Clone(in.Hidden), State: registry.Reserved,
		List: l.id, Index: index, Body: bytes.Clone(in.Body), ReservedAt: at,
	}}
	if err := t.enrol(n.Learner); err != nil {
		return registry.Record{}, err
	}
	if err := t.putRecord(row{}, r); err != nil {
		return registry.Record{}, err
	}
	if err := t.put(bucketBodies, seqKey(seq), in.Body); err != nil {
		return registry.Record{}, err
	}
	if err := arrived.add(t, r); err != nil {
		return registry.Record{}, err
	}
	selections, err := t.selections(r.Record)
	if err != nil {
		return registry.Record{}, err
	}
	for _, prefix := range selections {
		if err := t.enlist(prefix, seq); err != nil {
			return registry.Record{}, err
		}
	}
	return r.Record, t.event(registry.Event{At: at, Kind: "reserve", What: r.Credential})
}

// Complete is registry.Ledger.Complete, one transaction for all documents.
func (s *Store) Complete(ctx context.Context, documents []registry.Document, shared []registry.SharedEntry, at time.Time) error {
	documents = slices.Clone(documents)
	for i := range documents {
		documents[i].Data = roomy(documents[i].Data)
	}
	return s.updateMany(ctx, len(documents), func(t *tx) error {
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
	was, err := t.row(d.Seq)
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
	is.State, is.Digest, is.SealedAt, is.SealKey = registry.Sealed, d.Digest, at, d.SealKey
	if err := t.putRecord(was, is); err != nil {
		return err
	}
	if err := t.put(bucketSealed, seqKey(d.Seq), d.Data); err != nil {
		return err
	}
	if err := t.remove(bucketBodies, seqKey(d.Seq)); err != nil {
		return err
	}
	return t.event(registry.Event{At: at, Kind: "seal", What: is.Credential})
}

// putRecord writes a record and moves its level and the counters; was has no Seq
// if the record is new.
func (t *tx) putRecord(was, is row) error {
	b, err := encodeRow(is, t.number)
	if err != nil {
		return err
	}
	if err := t.put(bucketRecords, seqKey(is.Seq), b); err != nil {
		return err
	}
	if was.State != is.State || was.Level != is.Level {
		if err := t.raise(was.Record, is.Record); err != nil {
			return err
		}
	}
	return t.recount(was.Record, is.Record)
}

// openList returns the list of a provider and house that has a position left.
func (s *Store) openList(t *tx, provider string, house registry.House) (*list, error) {
	key := openKey(provider, house)
	l := t.open[string(key)]
	if l == nil {
		id, err := t.get(bucketOpenLists, key)
		if err == nil {
			l, err = t.list(string(id))
		}
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return nil, err
		}
	}
	if l == nil || l.next >= registry.ListSize {
		var err error
		if l, err = s.newList(t, provider, house); err != nil {
			return nil, err
		}
	}
	if t.open == nil {
		t.open = map[string]*list{}
	}
	t.open[string(key)] = l
	t.changing(l)
	return l, nil
}

// openKey is under what the open list of a provider and house is found.
func openKey(provider string, house registry.House) []byte {
	return tuple(provider, house.Sealer, house.LegalID)
}

func (s *Store) newList(t *tx, provider string, house registry.House) (*list, error) {
	id, err := registry.NewReference(s.rand)
	if err != nil {
		return nil, fmt.Errorf("naming a status list: %w", err)
	}
	l := &list{id: id, provider: provider, house: house}
	if _, err := io.ReadFull(s.rand, l.seed[:]); err != nil {
		return nil, fmt.Errorf("seeding a status list: %w", err)
	}
	if t.has(bucketLists, []byte(id)) {
		return nil, fmt.Errorf("naming a status list: the name exists: %w", registry.ErrConflict)
	}
	return l, t.put(bucketOpenLists, openKey(provider, house), []byte(id))
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

// changing notes that a list is to be written at the end of the transaction.
func (t *tx) changing(l *list) {
	if t.lists == nil {
		t.lists = map[string]*list{}
	}
	t.lists[l.id] = l
}

// list is a list as this transaction has it.
func (t *tx) list(id string) (*list, error) {
	if l := t.lists[id]; l != nil {
		return l, nil
	}
	b, err := t.get(bucketLists, []byte(id))
	if err != nil {
		return nil, err
	}
	return decodeList(id, b)
}
