package bolt

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"attesta/registry"
	"attesta/status"
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
		is.Status, is.Reason, is.StatusAt = change.To, change.Reason, at
		if err := t.putRecord(was, is); err != nil {
			return err
		}
		if err := t.putEntry(is.Record); err != nil {
			return err
		}
		return t.event(registry.Event{At: at, Kind: kind, What: is.Credential, By: change.By, Why: change.Reason})
	})
	if err != nil {
		return registry.Record{}, err
	}
	return is.Record, nil
}

// putEntry writes the status of a record into its list.
func (t *tx) putEntry(r registry.Record) error {
	l, err := t.list(r.List)
	if err != nil {
		return fmt.Errorf("reading the list of record %d: %v: %w", r.Seq, err, errDamaged)
	}
	l.version++
	if err := t.put(bucketLists, []byte(l.id), encodeList(l)); err != nil {
		return err
	}
	if r.Status == status.Valid {
		return t.remove(bucketEntries, entryKey(r))
	}
	return t.put(bucketEntries, entryKey(r), []byte{byte(r.Status)})
}

func entryKey(r registry.Record) []byte {
	return binary.BigEndian.AppendUint32([]byte(r.List), r.Index)
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
			e, err := decodeEntry(k[len(id):], v)
			out.Entries = append(out.Entries, e)
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

func decodeEntry(index, v []byte) (registry.StatusEntry, error) {
	if len(index) != 4 || len(v) != 1 || v[0] == 0 || v[0] > byte(status.Suspended) {
		return registry.StatusEntry{}, fmt.Errorf("reading an entry of a list: %w", errDamaged)
	}
	return registry.StatusEntry{Index: binary.BigEndian.Uint32(index), Value: status.Value(v[0])}, nil
}
