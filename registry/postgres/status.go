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
func (s *Store) List(ctx context.Context, id string, known uint64) (registry.StatusList, error) {
	out := registry.StatusList{ID: id, Size: registry.ListSize}
	err := s.read(ctx, func(c *pgx.Conn) error {
		var version int64
		var entries []int32
		err := c.QueryRow(ctx, `select l.provider, l.sealer, l.legal_id, l.version, case when l.version <> $2 then
			(select array_agg(r.place * 4 + r.status order by r.place) from records r where r.list = l.id and r.status <> 0) end
			from lists l where l.id = $1`, id, number(known)).Scan(&out.Provider, &out.House.Sealer, &out.House.LegalID, &version, &entries)
		if err != nil {
			return missing(err)
		}
		out.Version, out.Entries = uint64(version), nil
		for _, e := range entries {
			out.Entries = append(out.Entries, registry.StatusEntry{Index: uint32(e / 4), Value: status.Value(e % 4)})
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

// Lists is registry.Ledger.Lists.
func (s *Store) Lists(ctx context.Context, after string, limit int) (out []registry.StatusList, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, "select id, provider, sealer, legal_id, version from lists where id > $1 order by id limit $2", after, limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (registry.StatusList, error) {
			l := registry.StatusList{Size: registry.ListSize}
			err := row.Scan(&l.ID, &l.Provider, &l.House.Sealer, &l.House.LegalID, &l.Version)
			return l, err
		})
		return err
	})
	return out, err
}
