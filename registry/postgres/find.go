package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"attesta/registry"
)

// Find is registry.Ledger.Find.
func (s *Store) Find(ctx context.Context, key registry.Key) (r registry.Record, err error) {
	where, value := "r.seq = $1", any(number(key.Seq))
	switch {
	case key.Credential != "":
		where, value = "r.credential = $1", key.Credential
	case key.Handle != "":
		where, value = "r.handle = $1", key.Handle
	case key.ClaimHash != [32]byte{}:
		where, value = "r.seq = (select c.seq from claims c where c.hash = $1)", key.ClaimHash[:]
	}
	err = s.read(ctx, func(c *pgx.Conn) error {
		var body []byte
		r, err = scanRecord(c.QueryRow(ctx, "select b.body, "+recordColumns+" from records r left join bodies b on b.seq = r.seq where "+where, value), &body)
		if err != nil {
			return missing(err)
		}
		return withBody(&r, body)
	})
	if err != nil {
		return registry.Record{}, err
	}
	return r, nil
}

// withBody gives a record its body, which it has while it is reserved.
func withBody(r *registry.Record, body []byte) error {
	if (r.State == registry.Reserved) != (body != nil) {
		return fmt.Errorf("record %d is %s and its body says otherwise: %w", r.Seq, r.State, errDamaged)
	}
	r.Body = body
	return nil
}

// Document is registry.Ledger.Document.
func (s *Store) Document(ctx context.Context, seq uint64) (r registry.Record, data []byte, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		r, err = scanRecord(c.QueryRow(ctx, "select d.data, "+recordColumns+" from records r left join documents d on d.seq = r.seq where r.seq = $1", number(seq)), &data)
		return missing(err)
	})
	switch {
	case err != nil:
	case r.State != registry.Sealed:
		err = fmt.Errorf("the record is %s: %w", r.State, registry.ErrNotFound)
	case data == nil:
		err = fmt.Errorf("the document of record %d is missing: %w", seq, errDamaged)
	}
	if err != nil {
		return registry.Record{}, nil, err
	}
	return r, data, nil
}

// Records is registry.Ledger.Records. It reads little more than the page.
func (s *Store) Records(ctx context.Context, q registry.Query) (out []registry.Record, err error) {
	if q.Before == 0 {
		q.Before = ^uint64(0)
	}
	var text strings.Builder
	text.WriteString("select " + recordColumns + " from records r where r.seq < $1")
	args := []any{number(q.Before)}
	for _, x := range []struct{ is, value string }{
		{" and r.learner = $", q.Learner}, {" and r.module = $", q.Module}, {" and r.edition = $", q.Edition}, {" and r.provider = $", q.Provider},
	} {
		if x.value != "" {
			args = append(args, x.value)
			fmt.Fprintf(&text, "%s%d", x.is, len(args))
		}
	}
	if q.SealKey != "" {
		args = append(args, q.SealKey)
		fmt.Fprintf(&text, " and r.sealer = (select k.n from sealers k where k.id = $%d)", len(args))
	}
	args = append(args, q.Limit)
	fmt.Fprintf(&text, " order by r.seq desc limit $%d", len(args))
	err = s.read(ctx, func(c *pgx.Conn) error {
		out, err = scanRecords(c.Query(ctx, text.String(), args...))
		return err
	})
	return out, err
}

// Unfinished is registry.Ledger.Unfinished.
func (s *Store) Unfinished(ctx context.Context, after uint64, limit int) (out []registry.Record, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, "select b.body, "+recordColumns+` from records r left join bodies b on b.seq = r.seq
			where r.state = 'reserved' and r.seq > $1 order by r.seq limit $2`, number(after), limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var body []byte
			r, err := scanRecord(rows, &body)
			if err == nil {
				err = withBody(&r, body)
			}
			if err != nil {
				return err
			}
			out = append(out, r)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// AtLevel is registry.Ledger.AtLevel.
func (s *Store) AtLevel(ctx context.Context, level registry.Level, after uint64, limit int) (out []registry.Record, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		out, err = scanRecords(c.Query(ctx, "select "+recordColumns+` from records r
			where r.state = 'sealed' and r.level = $1 and r.seq > $2 order by r.seq limit $3`, int16(level), number(after), limit))
		return err
	})
	return out, err
}

// Counts is registry.Ledger.Counts.
func (s *Store) Counts(ctx context.Context, provider string) (out registry.Counts, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, `select coalesce(sum(reserved), 0)::bigint, coalesce(sum(sealed), 0)::bigint, coalesce(sum(suspended), 0)::bigint,
			coalesce(sum(revoked), 0)::bigint from counts where provider = $1`, provider).Scan(&out.Reserved, &out.Sealed, &out.Suspended, &out.Revoked)
	})
	return out, err
}

// Editions is registry.Ledger.Editions.
func (s *Store) Editions(ctx context.Context, provider, after string, limit int) (out []registry.Edition, err error) {
	var module, edition string // no reference is empty
	if after != "" {
		if module, edition, err = registry.ParseEditionKey(after); err != nil {
			return nil, err
		}
	}
	err = s.read(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, `select module, edition, reserved, sealed, suspended, revoked from editions
			where provider = $1 and (module, edition) > ($2, $3) order by module, edition limit $4`, provider, module, edition, limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e registry.Edition, err error) {
			return e, row.Scan(&e.Module, &e.Edition, &e.Counts.Reserved, &e.Counts.Sealed, &e.Counts.Suspended, &e.Counts.Revoked)
		})
		return err
	})
	return out, err
}

// Events is registry.Ledger.Events.
func (s *Store) Events(ctx context.Context, after uint64, limit int) (out []registry.Event, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, "select seq, at, kind, what, who, why from events where seq > $1 order by seq limit $2", number(after), limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ev registry.Event, err error) {
			err = row.Scan(&ev.Seq, &ev.At, &ev.Kind, &ev.What, &ev.By, &ev.Why)
			ev.At = ev.At.UTC()
			return ev, err
		})
		return err
	})
	return out, err
}
