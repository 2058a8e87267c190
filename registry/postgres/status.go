package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"attesta/registry"
	"attesta/status"
)

// SetStatus is registry.Ledger.SetStatus.
func (s *Store) SetStatus(ctx context.Context, change registry.Change, at time.Time) (is registry.Record, err error) {
	err = s.update(ctx, func(t *tx) error {
		was, err := scanRecord(t.QueryRow(ctx, "select "+recordColumns+" from records r where r.credential = $1 for update", change.Credential))
		if err != nil {
			return missing(err)
		}
		if was.State == registry.Reserved {
			return fmt.Errorf("the record is %s: %w", was.State, registry.ErrConflict)
		}
		kind, err := registry.Transition(was.Status, change.To)
		if is = was; err != nil {
			return err
		}
		if kind == "" { // and still commit, as in Reserve
			return t.hold(ctx)
		}
		is.Status, is.Reason, is.StatusAt = change.To, change.Reason, at
		t.recount(was, is)
		t.event(registry.Event{At: at, Kind: kind, What: is.Credential, By: change.By, Why: change.Reason})
		if err := t.hold(ctx); err != nil {
			return err
		}
		var batch pgx.Batch
		batch.Queue("update records set status = $2, reason = $3, status_at = $4 where seq = $1", int64(is.Seq), int16(is.Status), is.Reason, is.StatusAt)
		batch.Queue("update lists set version = version + 1 where id = $1", is.List)
		if err := t.SendBatch(ctx, &batch).Close(); err != nil {
			return fmt.Errorf("writing the status: %w", err)
		}
		return nil
	})
	if err != nil {
		return registry.Record{}, err
	}
	return is, nil
}

// missing gives the answer without a row the kind that a caller knows.
func missing(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return registry.ErrNotFound
	}
	return err
}

// List is registry.Ledger.List.
func (s *Store) List(ctx context.Context, id string) (registry.StatusList, error) {
	out := registry.StatusList{ID: id, Size: registry.ListSize}
	err := s.read(ctx, func(c *pgx.Conn) error {
		var version int64
		var places []int32
		var values []int16
		err := c.QueryRow(ctx, `select l.provider, l.sealer, l.legal_id, l.version,
			array_agg(r.place order by r.place) filter (where r.place is not null),
			array_agg(r.status order by r.place) filter (where r.place is not null)
			from lists l left join records r on r.list = l.id and r.status <> 0
			where l.id = $1 group by l.id`, id).Scan(&out.Provider, &out.House.Sealer, &out.House.LegalID, &version, &places, &values)
		if err != nil {
			return missing(err)
		}
		out.Version = uint64(version)
		for i, place := range places {
			out.Entries = append(out.Entries, registry.StatusEntry{Index: uint32(place), Value: status.Value(values[i])})
		}
		return nil
	})
	if err != nil {
		return registry.StatusList{}, err
	}
	return out, nil
}

// Houses is registry.Ledger.Houses.
func (s *Store) Houses(ctx context.Context) (out []registry.ListHouse, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, "select provider, sealer, legal_id, count(*) from lists group by provider, sealer, legal_id")
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (h registry.ListHouse, err error) {
			err = row.Scan(&h.Provider, &h.House.Sealer, &h.House.LegalID, &h.Lists)
			return h, err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
