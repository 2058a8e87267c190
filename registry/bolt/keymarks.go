package bolt

import (
	"context"
	"errors"
	"time"

	"attesta/registry"
)

const (
	bucketKeys       = "keys"       // id: mark
	bucketKeyChanges = "keychanges" // seq of the mark: id
)

func encodeKeyMark(m registry.KeyMark) []byte {
	var e encoder
	e.number(m.Seq)
	for _, t := range []time.Time{m.Retired, m.Revoked, m.Lost} {
		if t.IsZero() {
			e.number(0)
			continue
		}
		e.number(1)
		e.time(t)
	}
	return e.b
}

func decodeKeyMark(id string, b []byte) (registry.KeyMark, error) {
	d := decoder{b: b}
	m := registry.KeyMark{ID: id, Seq: d.number()}
	for _, t := range []*time.Time{&m.Retired, &m.Revoked, &m.Lost} {
		switch d.number() {
		case 0:
		case 1:
			*t = d.time()
		default:
			d.fail("a mark of a key")
		}
	}
	return m, d.end()
}

func (t *tx) keyMark(id []byte) (registry.KeyMark, error) {
	b, err := t.get(bucketKeys, id)
	if err != nil {
		return registry.KeyMark{}, err
	}
	return decodeKeyMark(string(id), b)
}

// putKeyMark stores a mark in the place of what it was.
func (t *tx) putKeyMark(m registry.KeyMark, was uint64) error {
	if was > 0 {
		if err := t.remove(bucketKeyChanges, seqKey(was)); err != nil {
			return err
		}
	}
	if err := t.put(bucketKeyChanges, seqKey(m.Seq), []byte(m.ID)); err != nil {
		return err
	}
	return t.put(bucketKeys, []byte(m.ID), encodeKeyMark(m))
}

// NoteKeys is registry.KeyMarks.NoteKeys.
func (s *Store) NoteKeys(ctx context.Context, marks []registry.KeyMark, at time.Time) error {
	return s.update(ctx, func(t *tx) error {
		last, _ := t.bucket(bucketKeyChanges).Cursor().Last()
		next := uint64(0)
		if last != nil {
			var err error
			if next, err = seqOf(last); err != nil {
				return err
			}
		}
		for _, m := range marks {
			was, err := t.keyMark([]byte(m.ID))
			known := err == nil
			if err != nil && !errors.Is(err, registry.ErrNotFound) {
				return err
			}
			joined, more := was.Join(m)
			if known && !more {
				continue
			}
			next++
			joined.ID, joined.Seq = m.ID, next
			if err := t.putKeyMark(joined, was.Seq); err != nil {
				return err
			}
			if err := t.event(registry.Event{At: at, Kind: "key", What: m.ID, Why: joined.News(was)}); err != nil {
				return err
			}
		}
		return nil
	})
}

// KeyMarks is registry.KeyMarks.KeyMarks.
func (s *Store) KeyMarks(ctx context.Context, after uint64, limit int) (out []registry.KeyMark, err error) {
	err = s.view(ctx, func(t *tx) error {
		return t.scan(bucketKeyChanges, nil, seqKey(after+1), func(_, id []byte) (bool, error) {
			m, err := t.keyMark(id)
			out = append(out, m)
			return len(out) < limit, err
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func exportKey(_ *tx, k, v []byte) (registry.Entry, error) {
	m, err := decodeKeyMark(string(k), v)
	return registry.Entry{Key: &m}, err
}

// readKeys audits the marks of keys.
func (a *audit) readKeys() error {
	n, err := a.each(bucketKeys, func(k, v []byte) error {
		m, err := decodeKeyMark(string(k), v)
		if err != nil {
			return err
		}
		if id, err := a.get(bucketKeyChanges, seqKey(m.Seq)); err != nil || string(id) != m.ID {
			return a.fault("the mark of key %s is not where it was changed last", m.ID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	changes, err := a.each(bucketKeyChanges, func(_, _ []byte) error { return nil })
	if err == nil && changes != n {
		err = a.fault("%s has %d entries instead of %d", bucketKeyChanges, changes, n)
	}
	return err
}
