// Package postgres keeps a registry in a schema of a PostgreSQL database, 15 or
// newer, for any number of processes at once.
//
// Every step is one transaction, durable when it returns, and all or nothing.
// Steps that change something are put into one order by a row that each of them
// holds until it ends: records and events are numbered without gaps, and nothing
// ever appears below a number that was read. A transaction that PostgreSQL gives
// up for the sake of another is repeated a few times. After an error while
// committing, what was in doubt is settled by repeating the call.
//
// A server that acknowledges what it may lose (fsync, synchronous_commit or
// full_page_writes off) is refused with registry.ErrInvalid.
//
//	store, err := postgres.Open(ctx, "postgres://attesta@db.example.org/attesta", postgres.Options{})
package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"attesta/auditlog"
	"attesta/registry"
)

// Options are the choices there are; the zero value is good.
type Options struct {
	// Rand makes ids and seeds of status lists; nil means crypto/rand.
	Rand io.Reader
}

// Store is a registry.Backend in PostgreSQL. It is safe for concurrent use, and
// so are several of one database, in one process or in many.
type Store struct {
	pool   *pool
	schema string
	id     string
	rand   io.Reader
	key    atomic.Pointer[auditlog.Key] // of the log; a copy gets that of its source
	// filling lets a registry be opened whose copy is not complete.
	filling bool
	born    time.Time
	sweep   atomic.Int64 // at which age counts that are over are dropped next
}

var _ registry.Backend = (*Store)(nil)

var (
	errDamaged = errors.New("the stored data is damaged, restore a backup")
	errClosed  = errors.New("the registry is closed")
)

// Create makes a registry in a schema that has none, and opens it. A registry
// that is there is refused with registry.ErrConflict and left as it is.
//
// The address is a URL as PostgreSQL's own programs take it. Its search_path
// names the schema, "attesta" if it has none; its pool_max_conns says how many
// connections are used at most, 8 if it has none. A password is better kept in
// PGPASSFILE or PGPASSWORD, and appears in no error.
func Create(ctx context.Context, address string, opts Options) (*Store, error) {
	s, err := open(ctx, address, opts, creating, false)
	if err != nil {
		return nil, fmt.Errorf("creating registry: %w", err)
	}
	return s, nil
}

// Open opens a registry that Create made, at the same address, and brings an
// older schema up to date, once, however many do so together. No registry is
// registry.ErrNotFound; one of a newer program is registry.ErrInvalid.
func Open(ctx context.Context, address string, opts Options) (*Store, error) {
	s, err := open(ctx, address, opts, opening, false)
	if err != nil {
		return nil, fmt.Errorf("opening registry: %w", err)
	}
	return s, nil
}

func open(ctx context.Context, address string, opts Options, how way, filling bool) (*Store, error) {
	config, size, err := parse(address)
	if err != nil {
		return nil, err
	}
	s := &Store{pool: newPool(config, size), rand: opts.Rand, schema: config.RuntimeParams["search_path"], filling: filling, born: time.Now()}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	if err := s.prepare(ctx, how); err != nil {
		s.pool.close()
		return nil, err
	}
	return s, nil
}

// defaultSize is how many connections a process uses at most.
const defaultSize = 8

// parse reads the address. Its errors do not quote it: it may hold a password.
func parse(address string) (*pgx.ConnConfig, int, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, 0, fmt.Errorf("the address of the database cannot be read; write it like postgres://user@host:5432/database: %w", registry.ErrInvalid)
	}
	params := maps.Clone(config.RuntimeParams)
	size := defaultSize
	if text, ok := params["pool_max_conns"]; ok {
		if size, err = strconv.Atoi(text); err != nil || size < 2 || size > 1000 {
			return nil, 0, fmt.Errorf("pool_max_conns must be a number from 2 to 1000: %w", registry.ErrInvalid)
		}
		delete(params, "pool_max_conns")
	}
	if params["search_path"], err = schemaName(params); err != nil {
		return nil, 0, err
	}
	params["client_encoding"] = "UTF8"
	if params["application_name"] == "" {
		params["application_name"] = "attesta"
	}
	// A replica that hangs in the midst of a step must not hold up the others.
	if params["idle_in_transaction_session_timeout"] == "" {
		params["idle_in_transaction_session_timeout"] = "15s"
	}
	config.RuntimeParams = params
	if config.ConnectTimeout == 0 { // for each server that the address names
		config.ConnectTimeout = 5 * time.Second
	}
	config.OnNotice = func(c *pgconn.PgConn, n *pgconn.Notice) {
		if n.Routine == "SyncRepWaitForLSN" {
			c.CustomData()[alone] = true
		}
		if n.Routine == "copy_table_data" { // vacuum (full, verbose)
			c.CustomData()[keptRows] = n.Detail
		}
	}
	return config, size, nil
}

// alone marks a connection whose server was told to wait for its standby no
// longer (pg_cancel_backend). It commits all the same, warns of it, and reports
// success: what is on one machine only is not acknowledged.
const alone = "alone"

var errAlone = errors.New("somebody kept the database from waiting for its standby, so this may be lost with one machine; repeat it when the standby is back")

// ID is a random name that the registry was given when it was made, 26
// characters A-Z2-7: by it an installation knows its own registry, at whatever
// address it is.
func (s *Store) ID() string { return s.id }

// Close closes the connections; calls after it fail. It waits for those under
// way.
func (s *Store) Close() error {
	s.pool.close()
	return nil
}

// Advice says what an operator should know of the server although it works.
func (s *Store) Advice() []string {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	if s.pool.sums {
		return nil
	}
	return []string{"PostgreSQL keeps no checksums of its data, so that a damaged disk may go unnoticed: stop it once and run pg_checksums --enable."}
}

// tries is how often a step is begun before it is given up.
const tries = 6

// longest is how long a step or a question may take, with waiting for others: a
// replica that hangs holds them up for 15 s.
const longest = 30 * time.Second

// update runs fn in one transaction and makes what it changed durable, or
// nothing of it. Fn may run several times.
func (s *Store) update(ctx context.Context, fn func(*tx) error) error {
	if s.filling { // a copy takes its time, and nobody else works there
		return s.updateWithin(ctx, 0, fn)
	}
	return s.updateWithin(ctx, longest, fn)
}

func (s *Store) updateWithin(ctx context.Context, limit time.Duration, fn func(*tx) error) error {
	for n := 0; ; n++ {
		err := s.onceWithin(ctx, limit, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}, fn)
		if !again(err) || n == tries-1 {
			return kind(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond << n):
		}
	}
}

// cut is an error after which the connection was gone, and nothing was changed.
type cut struct{ error }

func (c cut) Unwrap() error { return c.error }

// again tells whether PostgreSQL gave a transaction up for the sake of another,
// or the connection ended, so that nothing was changed.
func again(err error) bool {
	var e *pgconn.PgError
	var gone cut
	return errors.As(err, &gone) || errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

// once runs fn in a transaction, however long it takes.
func (s *Store) once(ctx context.Context, how pgx.TxOptions, fn func(*tx) error) error {
	return s.onceWithin(ctx, 0, how, fn)
}

func (s *Store) onceWithin(ctx context.Context, limit time.Duration, how pgx.TxOptions, fn func(*tx) error) (err error) {
	c, err := s.pool.take(ctx)
	if err != nil {
		return err
	}
	defer s.pool.give(c)
	committing := false
	end := c.within(limit)
	defer func() {
		if err = end(err); err != nil && !committing && (ended(err) || pgconn.SafeToRetry(err)) {
			err = cut{err}
		}
	}()
	begun, err := c.BeginTx(ctx, how)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = begun.Rollback(last) // after a commit there is nothing to undo
	}()
	t := &tx{Tx: begun, filling: s.filling, key: s.key.Load()}
	if err := fn(t); err != nil {
		return err
	}
	if err := t.flush(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil || !t.changed {
		return err
	}
	committing = true
	if err := begun.Commit(ctx); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	if c.PgConn().CustomData()[alone] == true {
		shut(c.Conn)
		return fmt.Errorf("committing: %w", errAlone)
	}
	return nil
}

// read runs fn on a connection of its own. Each statement is a consistent
// picture; nothing that fn returns may depend on two of them. Fn may run several
// times, when a connection ended.
func (s *Store) read(ctx context.Context, fn func(*pgx.Conn) error) error {
	for n := 0; ; n++ {
		err := s.ask(ctx, fn)
		if !pgconn.SafeToRetry(err) && !ended(err) || n == tries-1 {
			return kind(err)
		}
	}
}

// ended tells whether the server ended a connection: it stops, or was told to
// end this one, or its process is gone.
func ended(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "57P01" || e.Code == "57P02" || e.Code == "57P05"
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}

func (s *Store) ask(ctx context.Context, fn func(*pgx.Conn) error) error {
	c, err := s.pool.take(ctx)
	if err != nil {
		return err
	}
	defer s.pool.give(c)
	end := c.within(longest)
	return end(fn(c.Conn))
}
