package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"attesta/registry"
)

func encodePerson(p registry.Person) []byte {
	var e encoder
	e.b = append(e.b, p.Salt[:]...)
	e.number(uint64(len(p.Tokens)))
	for _, t := range p.Tokens {
		e.b = append(e.b, t[:]...)
	}
	e.b = append(e.b, p.Data...)
	return e.b
}

// decodePerson reads a person, in new memory, from any bytes.
func decodePerson(id string, b []byte) (registry.Person, error) {
	d, p := decoder{b: b}, registry.Person{ID: id}
	if len(id) != referenceLen {
		d.fail("the name of a person")
	}
	copy(p.Salt[:], d.take(registry.SaltSize))
	for n := d.number(); n > 0 && d.err == nil; n-- {
		var t registry.Token
		copy(t[:], d.take(uint64(len(t))))
		p.Tokens = append(p.Tokens, t)
	}
	p.Data = bytes.Clone(d.b)
	if d.err != nil {
		return registry.Person{}, d.err
	}
	return p, nil
}

func tokenKey(t registry.Token, id string) []byte { return append(t[:], id...) }

func (t *tx) person(id string) (registry.Person, error) {
	b, err := t.get(bucketPeople, []byte(id))
	if err != nil {
		return registry.Person{}, err
	}
	return decodePerson(id, b)
}

// putPerson adds a person or replaces what is there of the same one.
func (t *tx) putPerson(p registry.Person) error {
	was, err := t.person(p.ID)
	switch {
	case err == nil && was.Salt != p.Salt:
		return fmt.Errorf("the person is there with another salt: %w", registry.ErrConflict)
	case errors.Is(err, registry.ErrNotFound) && !p.New:
		return fmt.Errorf("the person was erased meanwhile: %w", registry.ErrConflict)
	case err != nil && !errors.Is(err, registry.ErrNotFound):
		return err
	}
	if err := t.dropTokens(was); err != nil {
		return err
	}
	for _, token := range p.Tokens {
		if err := t.put(bucketTokens, tokenKey(token, p.ID), nil); err != nil {
			return err
		}
	}
	return t.put(bucketPeople, []byte(p.ID), encodePerson(p))
}

func (t *tx) dropTokens(p registry.Person) error {
	for _, token := range p.Tokens {
		if err := t.remove(bucketTokens, tokenKey(token, p.ID)); err != nil {
			return err
		}
	}
	return nil
}

// enrol adds the person of a new record, if there is none.
func (t *tx) enrol(p registry.Person) error {
	was, err := t.person(p.ID)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return t.putPerson(p)
	case err == nil && was.Salt != p.Salt:
		return fmt.Errorf("the person is there with another salt: %w", registry.ErrConflict)
	}
	return err
}

// PutPeople is registry.People.PutPeople.
func (s *Store) PutPeople(ctx context.Context, people []registry.Person, at time.Time) error {
	return s.updateMany(ctx, len(people), func(t *tx) error {
		for _, p := range people {
			if err := t.putPerson(p); err != nil {
				return err
			}
		}
		return t.event(registry.Event{At: at, Kind: "learners", What: strconv.Itoa(len(people))})
	})
}

// People is registry.People.People.
func (s *Store) People(ctx context.Context, ids []string) (map[string]registry.Person, error) {
	out := make(map[string]registry.Person, len(ids))
	err := s.view(ctx, func(t *tx) error {
		for _, id := range ids {
			if _, done := out[id]; done {
				continue
			}
			p, err := t.person(id)
			if errors.Is(err, registry.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			out[id] = p
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// PeopleWith is registry.People.PeopleWith.
func (s *Store) PeopleWith(ctx context.Context, token registry.Token, after string, limit int) (out []registry.Person, err error) {
	from := token[:]
	if after != "" {
		from = append(tokenKey(token, after), 0) // the least key above it
	}
	err = s.view(ctx, func(t *tx) error {
		return t.scan(bucketTokens, token[:], from, func(k, _ []byte) (bool, error) {
			p, err := t.person(string(k[len(token):]))
			if err != nil {
				return false, fmt.Errorf("reading a person by a token: %v: %w", err, errDamaged)
			}
			out = append(out, p)
			return len(out) < limit, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Erase is registry.People.Erase.
func (s *Store) Erase(ctx context.Context, id, by string, at time.Time) (erased int, err error) {
	err = s.update(ctx, func(t *tx) error {
		erased = 0
		p, err := t.person(id)
		if errors.Is(err, registry.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		records, err := t.recordsOf(id)
		if err != nil {
			return err
		}
		erased = len(records)
		if err := t.event(registry.Event{At: at, Kind: "erase", What: strconv.Itoa(erased), By: by}); err != nil {
			return err
		}
		for _, r := range records {
			if err := t.erase(r, by, at); err != nil {
				return err
			}
		}
		if err := t.dropTokens(p); err != nil {
			return err
		}
		if err := t.put(bucketMeta, []byte(keyErasing), []byte{1}); err != nil {
			return err
		}
		return t.remove(bucketPeople, []byte(id))
	})
	return erased, err
}

// recordsOf are the records of a person that are not erased.
func (t *tx) recordsOf(id string) (out []row, err error) {
	err = t.ofLearner(registry.Query{Learner: id, Before: noSeq}, func(seq uint64) (bool, error) {
		r, err := t.row(seq)
		if err != nil {
			return false, fmt.Errorf("reading a record of a person: %v: %w", err, errDamaged)
		}
		switch {
		case r.Learner != id:
		case r.State == registry.Reserved:
			return false, fmt.Errorf("record %d waits for its seal: %w", r.Seq, registry.ErrConflict)
		case r.State == registry.Sealed:
			out = append(out, r)
		}
		return true, nil
	})
	slices.Reverse(out)
	return out, err
}

func (t *tx) erase(was row, by string, at time.Time) error {
	is := was
	is.State, is.Hidden = registry.Erased, nil
	if err := t.putRecord(was, is); err != nil {
		return err
	}
	if err := t.remove(bucketSealed, seqKey(was.Seq)); err != nil {
		return err
	}
	return t.event(registry.Event{At: at, Kind: "erase", What: is.Credential, By: by})
}

// putShared keeps what is not there yet.
func (t *tx) putShared(shared []registry.SharedEntry) error {
	for _, e := range shared {
		if t.has(bucketShared, e.ID[:]) {
			continue
		}
		if err := t.put(bucketShared, bytes.Clone(e.ID[:]), bytes.Clone(e.Content)); err != nil {
			return err
		}
	}
	return nil
}

// Shared is registry.Ledger.Shared.
func (s *Store) Shared(ctx context.Context, id registry.SharedID) (out []byte, err error) {
	err = s.view(ctx, func(t *tx) error {
		b, err := t.get(bucketShared, id[:])
		out = bytes.Clone(b)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (a *audit) readPeople() error {
	_, err := a.each(bucketPeople, func(k, v []byte) error {
		p, err := decodePerson(string(k), v)
		if err != nil {
			return err
		}
		for _, token := range p.Tokens {
			if a.tokens++; !a.has(bucketTokens, tokenKey(token, p.ID)) {
				return a.fault("person %s: missing in %s", p.ID, bucketTokens)
			}
		}
		return nil
	})
	return err
}
