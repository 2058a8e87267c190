package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Those who read an older picture of the database, as pg_dump does, keep what
// was deleted. Scrub asks again for a while, and never lets others wait behind
// it for long.
const (
	scrubTime  = 30 * time.Second
	scrubFirst = 20 * time.Millisecond
	scrubPause = 2 * time.Second // at most
	scrubLock  = "300ms"
)

var errHeld = errors.New("somebody reads an older picture of the database, such as a backup that is being made; what was deleted stays in its files until that ends, so repeat it then")

var errTurn = errors.New("another is still removing it, and does so for all who wait; repeat it later")

// Erasing is registry.People.Erasing.
func (s *Store) Erasing(ctx context.Context) (due bool, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, "select erased > scrubbed from head").Scan(&due)
	})
	return due, err
}

// Scrub is registry.People.Scrub. PostgreSQL leaves deleted rows where they are
// until a table is written anew. That is done of the salts, which are few
// bytes, and without which nothing else of a person can be read; where the rest
// lay is used again from then on. What is kept of the log (WAL), and in
// backups, goes when they do.
//
// One at a time writes it anew: each holds a picture of the database while it
// waits for the table, and several would keep each other's deleted rows. It does
// so for all who wait.
func (s *Store) Scrub(ctx context.Context) error {
	var due int64
	if err := s.read(ctx, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, "select erased from head").Scan(&due)
	}); err != nil {
		return fmt.Errorf("reading how many were erased: %w", err)
	}
	for begun, pause := time.Now(), scrubFirst; ; {
		left, err := s.scrub(ctx, due)
		if err != nil {
			return fmt.Errorf("removing what was deleted: %w", kind(err))
		}
		switch {
		case left == nothing:
			return nil
		case time.Since(begun) > scrubTime:
			return fmt.Errorf("removing what was deleted: %w", left.late())
		case left == pictures:
			pause = min(2*pause, scrubPause)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("removing what was deleted: %w", ctx.Err())
		case <-time.After(pause):
		}
	}
}

// left is what keeps a Scrub from its end.
type left int

const (
	nothing  left = iota
	another       // who writes the table anew now
	pictures      // that somebody reads
)

// late says why it is not done in time.
func (l left) late() error {
	if l == another {
		return errTurn
	}
	return errHeld
}

// scrub is one attempt of Scrub, for what was erased up to due.
func (s *Store) scrub(ctx context.Context, due int64) (left, error) {
	erased, why, err := s.inTurn(ctx, due)
	if err != nil || erased == 0 {
		return why, err
	}
	return nothing, s.update(ctx, func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, "update head set scrubbed = greatest(scrubbed, $1)", erased); err != nil {
			return fmt.Errorf("noting what was removed: %w", err)
		}
		return nil
	})
}

// inTurn writes anew what has to be and returns up to which erasure; zero if it
// did not, or another has.
func (s *Store) inTurn(ctx context.Context, due int64) (erased int64, why left, err error) {
	c, err := s.pool.take(ctx)
	if err != nil {
		return 0, nothing, err
	}
	defer s.pool.give(c)
	key := lockKey(s.schema + " scrub")
	var turn bool
	if err := c.QueryRow(ctx, "select pg_try_advisory_lock($1)", key).Scan(&turn); err != nil {
		return 0, nothing, err
	}
	if turn {
		defer func() {
			if _, err := c.Exec(ctx, "select pg_advisory_unlock($1)", key); err != nil {
				shut(c.Conn) // and with it the lock
			}
		}()
	}
	var scrubbed int64
	if err := c.QueryRow(ctx, "select erased, scrubbed from head").Scan(&erased, &scrubbed); err != nil {
		return 0, nothing, err
	}
	switch {
	case scrubbed >= due:
		return 0, nothing, nil
	case !turn:
		return 0, another, nil
	}
	if done, err := rewriteSalts(ctx, c.Conn); err != nil || !done {
		return 0, pictures, err
	}
	for _, text := range []string{"vacuum people", "vacuum tokens", "vacuum documents", "vacuum records"} {
		if _, err := c.Exec(ctx, text); err != nil { // however long it takes
			return 0, nothing, err
		}
	}
	return erased, nothing, nil
}

// keptRows is where a connection keeps what the server said last of the rows of
// a table that it wrote anew.
const keptRows = "kept rows"

// rewriteSalts writes the table anew and tells whether no deleted row came with
// it.
func rewriteSalts(ctx context.Context, c *pgx.Conn) (bool, error) {
	said := c.PgConn().CustomData()
	delete(said, keptRows)
	if _, err := c.Exec(ctx, "set lock_timeout = '"+scrubLock+"'"); err != nil {
		return false, err
	}
	_, err := c.Exec(ctx, "vacuum (full, verbose) salts")
	if _, err2 := c.Exec(ctx, "reset lock_timeout"); err == nil {
		err = err2
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "55P03" { // lock_not_available
		return false, nil
	}
	if err != nil {
		return false, err
	}
	detail, ok := said[keptRows].(string)
	if !ok {
		return false, errors.New("the server does not say whether deleted rows are left")
	}
	return noneKept(detail), nil
}

// noneKept reads the first number of "3 dead row versions cannot be removed
// yet.", in whatever language the server says it.
func noneKept(detail string) bool {
	const digits = "0123456789"
	from := strings.IndexAny(detail, digits)
	if from < 0 {
		return false
	}
	number := detail[from:]
	if end := strings.IndexFunc(number, func(c rune) bool { return !strings.ContainsRune(digits, c) }); end >= 0 {
		number = number[:end]
	}
	return strings.Trim(number, "0") == ""
}
