package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"attesta/registry"
)

// TakeLease is registry.Leases.TakeLease, by the clock of the database. In its
// time a lease has one row, which those who take it at once wait for in turn.
func (s *Store) TakeLease(ctx context.Context, name, holder string, length time.Duration, _ time.Time) (held bool, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		err := c.QueryRow(ctx, `insert into leases (name, holder, until) values ($1, $2, clock_timestamp() + $3)
			on conflict (name) do update set holder = excluded.holder, until = clock_timestamp() + $3
			where leases.holder = excluded.holder or leases.until <= clock_timestamp()
			returning true`, name, holder, length).Scan(&held)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	return held && err == nil, err
}

// LeaveLease is registry.Leases.LeaveLease.
func (s *Store) LeaveLease(ctx context.Context, name, holder string) error {
	return s.read(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, "delete from leases where name = $1 and holder = $2", name, holder)
		return err
	})
}

// sweepPause is how often a process drops counts that are over, and sweepMost
// how many at once.
const (
	sweepPause = time.Minute
	sweepMost  = 10_000
)

// takeText counts in one statement, of which nobody waits for the disk: the
// table has no log, and the commit is not flushed. The setting ends with the
// statement. What a clock that is a little behind counts is in the newest window.
const takeText = `with quick as (select set_config('synchronous_commit', 'off', true) as is)
	insert into limits as l (key, number, now, before, over)
	select $1::bytea, $2::bigint, 1, 0, to_timestamp(($2::bigint + 2) * $3::bigint) from quick where quick.is = 'off'
	on conflict (key) do update set
		number = case when l.number - excluded.number between 0 and 2 then l.number else excluded.number end,
		now = case when l.number - excluded.number between 0 and 2 then least(l.now + 1, $4::integer) else 1 end,
		before = case when l.number - excluded.number between 0 and 2 then l.before when l.number - excluded.number = -1 then l.now else 0 end,
		over = case when l.number - excluded.number between 0 and 2 then l.over else excluded.over end
	returning now, before`

// Take is registry.Limits.Take, in one round trip.
func (s *Store) Take(ctx context.Context, key [32]byte, length time.Duration, most int, at time.Time) (now, before int, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		var batch pgx.Batch
		batch.Queue(takeText, key[:], registry.Window(length, at), int64(length/time.Second), most).
			QueryRow(func(row pgx.Row) error { return row.Scan(&now, &before) })
		if due, age := s.sweep.Load(), int64(time.Since(s.born)); age >= due && s.sweep.CompareAndSwap(due, age+int64(sweepPause)) {
			// After the count, and without waiting for anybody: no two can wait for each other.
			batch.Queue("delete from limits where key in (select key from limits where over <= $1 order by over limit $2 for update skip locked)", at, sweepMost)
		}
		return c.SendBatch(ctx, &batch).Close()
	})
	return now, before, err
}

const keyMarkColumns = "id, seq, retired, revoked, lost"

func scanKeyMark(row pgx.CollectableRow) (m registry.KeyMark, err error) {
	var retired, revoked, lost *time.Time
	err = row.Scan(&m.ID, &m.Seq, &retired, &revoked, &lost)
	m.Retired, m.Revoked, m.Lost = moment(retired), moment(revoked), moment(lost)
	return m, err
}

// maybe is the inverse of moment.
func maybe(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// NoteKeys is registry.KeyMarks.NoteKeys.
func (s *Store) NoteKeys(ctx context.Context, marks []registry.KeyMark, at time.Time) error {
	return s.update(ctx, func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		ids := make([]string, len(marks))
		for i, m := range marks {
			ids[i] = m.ID
		}
		rows, err := t.Query(ctx, "select "+keyMarkColumns+" from keys where id = any($1)", ids)
		if err != nil {
			return fmt.Errorf("reading keys: %w", err)
		}
		there, err := pgx.CollectRows(rows, scanKeyMark)
		if err != nil {
			return fmt.Errorf("reading keys: %w", err)
		}
		known := make(map[string]registry.KeyMark, len(there))
		for _, m := range there {
			known[m.ID] = m
		}
		var next uint64
		if err := t.QueryRow(ctx, "select coalesce(max(seq), 0) from keys").Scan(&next); err != nil {
			return fmt.Errorf("reading keys: %w", err)
		}
		var batch pgx.Batch
		for _, m := range marks {
			was, ok := known[m.ID]
			joined, more := was.Join(m)
			if ok && !more {
				continue
			}
			next++
			batch.Queue(`insert into keys (id, seq, retired, revoked, lost) values ($1, $2, $3, $4, $5)
				on conflict (id) do update set seq = excluded.seq, retired = excluded.retired, revoked = excluded.revoked, lost = excluded.lost`,
				m.ID, int64(next), maybe(joined.Retired), maybe(joined.Revoked), maybe(joined.Lost))
			t.event(registry.Event{At: at, Kind: "key", What: m.ID, Why: joined.News(was)})
		}
		return t.send(ctx, &batch, "writing keys")
	})
}

// KeyMarks is registry.KeyMarks.KeyMarks.
func (s *Store) KeyMarks(ctx context.Context, after uint64, limit int) (out []registry.KeyMark, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, "select "+keyMarkColumns+" from keys where seq > $1 order by seq limit $2", number(after), limit)
		if err == nil {
			out, err = pgx.CollectRows(rows, scanKeyMark)
		}
		return err
	})
	return out, err
}

func (t *tx) importKeys(ctx context.Context, entries []registry.Entry) error {
	return t.fill(ctx, "keys", []string{"id", "seq", "retired", "revoked", "lost"}, len(entries), func(i int) ([]any, error) {
		m := entries[i].Key
		return []any{m.ID, int64(m.Seq), maybe(m.Retired), maybe(m.Revoked), maybe(m.Lost)}, nil
	})
}

func exportKey(row pgx.CollectableRow) (registry.Entry, error) {
	m, err := scanKeyMark(row)
	return registry.Entry{Key: &m}, err
}
