package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"regexp"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"attesta/registry"
)

// The migrations lead from an empty schema to that of today, in the order of
// their names; the version of a schema is how many of them it has had. One that
// was released never changes.
//
//go:embed migrations/*.sql
var migrationFiles embed.FS

const identity = "attesta registry"

func migrations() ([]string, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("listing the migrations: %w", err)
	}
	steps := make([]string, len(names))
	for i, name := range names {
		raw, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading a migration: %w", err)
		}
		steps[i] = string(raw)
	}
	return steps, nil
}

// schemaName returns the schema that the connections of a pool work in.
func schemaName(params map[string]string) (string, error) {
	name := params["search_path"]
	if name == "" {
		name = "attesta"
	}
	if !regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`).MatchString(name) {
		return "", fmt.Errorf("search_path must be the name of one schema, of a-z, 0-9 and _: %w", registry.ErrInvalid)
	}
	return name, nil
}

// way is what is expected of the schema.
type way int

const (
	opening  way = iota
	creating     // there is no registry yet
)

// prepare makes the registry or brings it up to date, in one transaction.
// Replicas that start together wait here for the first.
func (s *Store) prepare(ctx context.Context, how way) error {
	return s.updateWithin(ctx, 0, func(t *tx) error { // a migration takes its time
		t.changed = true
		if _, err := t.Exec(ctx, "select pg_advisory_xact_lock($1)", lockKey(s.schema)); err != nil {
			return fmt.Errorf("waiting for another program that starts: %w", err)
		}
		have, err := t.version(ctx)
		switch {
		case errors.Is(err, registry.ErrNotFound) && how == creating:
			if err := t.begin(ctx, s.schema, s.rand); err != nil {
				return err
			}
		case err != nil:
			return err
		case how == creating:
			return fmt.Errorf("the schema %s of this database holds a registry: %w", s.schema, registry.ErrConflict)
		}
		if err := t.migrate(ctx, have); err != nil {
			return err
		}
		var key []byte
		if err := t.QueryRow(ctx, "select id, log_key from meta").Scan(&s.id, &key); err != nil {
			return fmt.Errorf("reading the name of the registry: %w", err)
		}
		return s.setLogKey(key)
	})
}

func lockKey(schema string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(identity + " " + schema)) // a hash takes everything
	return int64(h.Sum64())
}

// version returns how many migrations the schema has had.
func (t *tx) version(ctx context.Context) (int, error) {
	var there bool
	if err := t.QueryRow(ctx, "select to_regclass('meta') is not null").Scan(&there); err != nil {
		return 0, fmt.Errorf("looking for the registry: %w", err)
	}
	if !there {
		return 0, fmt.Errorf("there is no registry in this schema of the database: %w", registry.ErrNotFound)
	}
	var (
		id     string
		have   int
		filled bool
	)
	if err := t.QueryRow(ctx, "select identity, version, complete from meta").Scan(&id, &have, &filled); err != nil {
		return 0, fmt.Errorf("reading what the schema is: %w", err)
	}
	if id != identity {
		return 0, fmt.Errorf("the schema is not a registry: %w", registry.ErrInvalid)
	}
	if !filled && !t.filling {
		return 0, fmt.Errorf("a registry was being copied into this schema and the copy is not complete: %w", registry.ErrInvalid)
	}
	return have, nil
}

func (t *tx) begin(ctx context.Context, schema string, rand io.Reader) error {
	var there bool
	if err := t.QueryRow(ctx, "select exists (select from pg_namespace where nspname = $1)", schema).Scan(&there); err != nil {
		return fmt.Errorf("looking for the schema: %w", err)
	}
	if !there {
		if _, err := t.Exec(ctx, "create schema "+pgx.Identifier{schema}.Sanitize()); err != nil {
			return fmt.Errorf("creating the schema: %w", err)
		}
	}
	if _, err := t.Exec(ctx, `create table meta (
		one boolean primary key default true check (one),
		identity text not null,
		id text not null,
		version integer not null,
		complete boolean not null,
		log_key bytea check (octet_length(log_key) = 32)
	)`); err != nil {
		return fmt.Errorf("creating the registry: %w", err)
	}
	id, err := registry.NewReference(rand)
	if err != nil {
		return fmt.Errorf("naming the registry: %w", err)
	}
	var key []byte // of a copy it comes with what is copied
	if !t.filling {
		if key, err = newLogKey(rand); err != nil {
			return err
		}
	}
	if _, err := t.Exec(ctx, "insert into meta (identity, id, version, complete, log_key) values ($1, $2, 0, $3, $4)", identity, id, !t.filling, key); err != nil {
		return fmt.Errorf("creating the registry: %w", err)
	}
	return nil
}

func (t *tx) migrate(ctx context.Context, have int) error {
	steps, err := migrations()
	if err != nil {
		return err
	}
	if have > len(steps) {
		return fmt.Errorf("the registry has schema %d and this program knows %d: use the newer program that wrote it: %w",
			have, len(steps), registry.ErrInvalid)
	}
	if have == len(steps) {
		return nil
	}
	for n := have; n < len(steps); n++ {
		// Several statements in one string go by the simple protocol, without arguments.
		if _, err := t.Conn().PgConn().Exec(ctx, steps[n]).ReadAll(); err != nil {
			return fmt.Errorf("bringing the registry to schema %d: %w", n+1, err)
		}
	}
	if _, err := t.Exec(ctx, "update meta set version = $1", len(steps)); err != nil {
		return fmt.Errorf("noting the schema: %w", err)
	}
	return nil
}

// inspect refuses a server that would lose what it acknowledged, or that cannot
// keep a registry. It is asked anew for every connection: settings change.
func inspect(ctx context.Context, c *pgx.Conn) (checksums bool, err error) {
	var (
		version                            int
		fsync, commit, pages, encoding, ro string
		sums                               string
	)
	err = c.QueryRow(ctx, `select current_setting('server_version_num')::int, current_setting('fsync'),
		current_setting('synchronous_commit'), current_setting('full_page_writes'),
		current_setting('server_encoding'), current_setting('transaction_read_only'), current_setting('data_checksums')`).
		Scan(&version, &fsync, &commit, &pages, &encoding, &ro, &sums)
	if err != nil {
		return false, fmt.Errorf("reading the settings of the server: %w", err)
	}
	for _, x := range []struct {
		bad  bool
		what string
	}{
		{version < 150000, "it is older than PostgreSQL 15"},
		{fsync == "off", "fsync is off: a power cut would lose credentials. Set fsync = on"},
		{commit == "off", "synchronous_commit is off: a crash would lose credentials. Set synchronous_commit = on"},
		{pages == "off", "full_page_writes is off: a power cut would damage the data. Set full_page_writes = on"},
		{encoding != "UTF8", "the database has the encoding " + encoding + ". Create one with the encoding UTF8"},
		{ro == "on", "it is read only, perhaps a standby. Name the primary, or all of them with target_session_attrs=read-write"},
	} {
		if x.bad {
			return false, fmt.Errorf("the PostgreSQL server cannot keep a registry: %s: %w", x.what, registry.ErrInvalid)
		}
	}
	return sums == "on", nil
}

// kind gives an error of PostgreSQL the kind that a caller knows. Details of
// the server, which may quote data, are left out of the words.
func kind(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case "23505", "42P07": // unique_violation, duplicate_table
		return fmt.Errorf("%v: %w", err, registry.ErrConflict)
	case "53100": // disk_full
		return fmt.Errorf("the disk of the database is %w: %v", registry.ErrFull, err)
	case "22001", "22003", "22021", "23502", "23514": // what Registry should have refused
		return fmt.Errorf("%v: %w", err, errDamaged)
	}
	return err
}
