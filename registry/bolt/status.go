package bolt

import (
	"context"
	"fmt"
	"time"

	"attesta/registry"
)

// SetStatus is registry.Ledger.SetStatus.
func (s *Store) SetStatus(ctx context.Context, change registry.Change, at time.Time) (registry.Record, error) {
	var is row
	err := s.update(ctx, func(t *tx) error {
		was, err := t.byKey(registry.Key{Credential: change.Credential})
		if err != nil {
			return err
		}
		if was.State == registry.Reserved {
			return fmt.Errorf("the record is %s: %w", was.State, registry.ErrConflict)
		}
		kind, err := registry.Transition(was.Status, change.To)
		if is = was; err != nil || kind == "" {
			return err
		}
		is, err = t.setStatus(was, change, kind, at)
		return err
	})
	if err != nil {
		return registry.Record{}, err
	}
	return is.Record, nil
}

// setStatus changes the status of a record, which the log calls kind.
func (t *tx) setStatus(was row, change registry.Change, kind string, at time.Time) (is row, err error) {
	is = was
	is.Status, is.Reason, is.StatusAt = change.To, change.Reason, at
	if err := t.putRecord(was, is); err != nil {
		return is, err
	}
	if err := t.putEntry(is.Record); err != nil {
		return is, err
	}
	return is, t.event(registry.Event{At: at, Kind: kind, What: is.Credential, By: change.By, Why: change.Reason})
}

// renew gives the list of a record its next version. It is written at the end of
// the transaction, with the positions that others of the group took from it.
func (t *tx) renew(r registry.Record) error {
	l, err := t.list(r.List)
	if err != nil {
		return fmt.Errorf("reading the list of record %d: %v: %w", r.Seq, err, errDamaged)
	}
	t.changing(l)
	t.changes++
	l.version++
	return nil
}

// List is registry.Ledger.List.
func (s *Store) List(ctx context.Context, id string, known uint64) (out registry.StatusList, err error) {
	err = s.view(ctx, func(t *tx) error {
		l, err := t.list(id)
		if err != nil {
			return err
		}
		if out = l.public(); out.Version == known {
			return nil
		}
		return t.scan(bucketEntries, []byte(id), nil, func(k, v []byte) (bool, error) {
			entries, err := decodeEntries(k[len(id):], v)
			out.Entries = append(out.Entries, entries...)
			return true, err
		})
	})
	if err != nil {
		return registry.StatusList{}, err
	}
	return out, nil
}

// Houses is registry.Ledger.Houses.
func (s *Store) Houses(ctx context.Context) (out []registry.ListHouse, err error) {
	found := map[registry.ListHouse]int{}
	err = s.view(ctx, func(t *tx) error {
		return t.scan(bucketLists, nil, nil, func(k, v []byte) (bool, error) {
			l, err := decodeList(string(k), v)
			if err == nil {
				found[registry.ListHouse{Provider: l.provider, House: l.house}]++
			}
			return true, err
		})
	})
	if err != nil {
		return nil, err
	}
	for h, n := range found {
		h.Lists = n
		out = append(out, h)
	}
	return out, nil
}

// public is what is published of a list, without its entries.
func (l *list) public() registry.StatusList {
	return registry.StatusList{ID: l.id, Provider: l.provider, House: l.house, Size: registry.ListSize, Version: l.version}
}

// Lists is registry.Ledger.Lists.
func (s *Store) Lists(ctx context.Context, after string, limit int) (out []registry.StatusList, err error) {
	err = s.view(ctx, func(t *tx) error {
		return t.scan(bucketLists, nil, above(after), func(k, v []byte) (bool, error) {
			l, err := decodeList(string(k), v)
			if err != nil {
				return false, err
			}
			out = append(out, l.public())
			return len(out) < limit, nil
		})
	})
	return out, err
}
