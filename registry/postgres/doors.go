package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"attesta/registry"
)

// purge is how many expired accesses go with each new one.
const purge = 100

// PutAccess is registry.Doors.PutAccess. Expired ones are removed on the way.
func (s *Store) PutAccess(ctx context.Context, hash [32]byte, a registry.Access, at time.Time) error {
	return s.update(ctx, func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		var batch pgx.Batch
		batch.Queue("delete from access where hash in (select hash from access where expires <= $1 order by expires limit $2)", at, purge)
		batch.Queue(`insert into access (hash, kind, who, expires) values ($1, $2, $3, $4)
			on conflict (hash) do update set kind = excluded.kind, who = excluded.who, expires = excluded.expires`, hash[:], a.Kind, a.By, a.Expires)
		if err := t.SendBatch(ctx, &batch).Close(); err != nil {
			return fmt.Errorf("writing an access: %w", err)
		}
		t.event(registry.Event{At: at, Kind: "access", What: a.Kind, By: a.By, Why: "granted"})
		return nil
	})
}

// Access is registry.Doors.Access.
func (s *Store) Access(ctx context.Context, hash [32]byte, at time.Time) (a registry.Access, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		a, err = scanAccess(c.QueryRow(ctx, "select kind, who, expires from access where hash = $1", hash[:]), at)
		return err
	})
	if err != nil {
		return registry.Access{}, err
	}
	return a, nil
}

func scanAccess(row pgx.Row, at time.Time) (a registry.Access, err error) {
	if err := row.Scan(&a.Kind, &a.By, &a.Expires); err != nil {
		return a, missing(err)
	}
	a.Expires = a.Expires.UTC()
	if !at.Before(a.Expires) {
		return a, fmt.Errorf("expired: %w", registry.ErrNotFound)
	}
	return a, nil
}

// TakeAccess is registry.Doors.TakeAccess.
func (s *Store) TakeAccess(ctx context.Context, hash [32]byte, at time.Time) (a registry.Access, err error) {
	err = s.update(ctx, func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		if a, err = scanAccess(t.QueryRow(ctx, "delete from access where hash = $1 returning kind, who, expires", hash[:]), at); err != nil {
			return err
		}
		when := at
		if at.IsZero() {
			err := t.QueryRow(ctx, "select at from events order by seq desc limit 1").Scan(&when)
			if err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return fmt.Errorf("reading the last event: %w", err)
			}
			when = when.UTC()
		}
		t.event(registry.Event{At: when, Kind: "access", What: a.Kind, By: a.By, Why: "taken"})
		return nil
	})
	if err != nil {
		return registry.Access{}, err
	}
	return a, nil
}
