package postgres

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"attesta/registry"
)

// PutProviders is registry.Catalogue.PutProviders.
func (s *Store) PutProviders(ctx context.Context, providers []registry.Provider, at time.Time) error {
	return s.update(ctx, func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		ids := make([]string, len(providers))
		for i, p := range providers {
			ids[i] = p.ID
		}
		rows, err := t.Query(ctx, "select id, spec from providers where id = any($1)", ids)
		if err != nil {
			return fmt.Errorf("reading providers: %w", err)
		}
		specs := map[string][]byte{}
		var id string
		var spec []byte
		if _, err := pgx.ForEachRow(rows, []any{&id, &spec}, func() error { specs[id] = bytes.Clone(spec); return nil }); err != nil {
			return fmt.Errorf("reading providers: %w", err)
		}
		var batch pgx.Batch
		for _, p := range providers {
			if was, ok := specs[p.ID]; ok && bytes.Equal(was, p.Spec) {
				continue
			}
			specs[p.ID] = p.Spec
			batch.Queue("insert into providers (id, spec) values ($1, $2) on conflict (id) do update set spec = excluded.spec", p.ID, p.Spec)
			t.event(registry.Event{At: at, Kind: "provider", What: p.ID, Why: p.Change})
		}
		return t.send(ctx, &batch, "writing providers")
	})
}

// send sends what a batch has; without any the transaction changes nothing.
func (t *tx) send(ctx context.Context, batch *pgx.Batch, step string) error {
	if batch.Len() == 0 {
		t.changed = false
		return nil
	}
	if err := t.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	return nil
}

// Provider is registry.Catalogue.Provider.
func (s *Store) Provider(ctx context.Context, id string) (registry.Provider, error) {
	p := registry.Provider{ID: id}
	err := s.read(ctx, func(c *pgx.Conn) error {
		return missing(c.QueryRow(ctx, "select spec from providers where id = $1", id).Scan(&p.Spec))
	})
	if err != nil {
		return registry.Provider{}, err
	}
	return p, nil
}

// Providers is registry.Catalogue.Providers.
func (s *Store) Providers(ctx context.Context, after string, limit int) (out []registry.Provider, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, "select id, spec from providers where id > $1 order by id limit $2", after, limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p registry.Provider, err error) {
			return p, row.Scan(&p.ID, &p.Spec)
		})
		return err
	})
	return out, err
}

// shelf is what is there of the modules that a step is about.
type shelf struct {
	owner map[string]string    // code: provider
	specs map[[2]string][]byte // code, version: spec
}

// PutModules is registry.Catalogue.PutModules.
func (s *Store) PutModules(ctx context.Context, modules []registry.Module, at time.Time) error {
	return s.update(ctx, func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		there, err := t.shelf(ctx, modules)
		if err != nil {
			return err
		}
		var batch pgx.Batch
		for _, m := range modules {
			owner, known := there.owner[m.Code]
			if known && owner != m.Provider {
				return fmt.Errorf("module %q version %q: the code belongs to another provider: %w", m.Code, m.Version, registry.ErrConflict)
			}
			spec, known := there.specs[[2]string{m.Code, m.Version}]
			switch {
			case known && bytes.Equal(spec, m.Spec):
				continue
			case known:
				return fmt.Errorf("module %q version %q: the version is there with another spec: %w", m.Code, m.Version, registry.ErrConflict)
			}
			there.owner[m.Code], there.specs[[2]string{m.Code, m.Version}] = m.Provider, m.Spec
			batch.Queue("insert into modules (code, version, spec) values ($1, $2, $3)", m.Code, m.Version, m.Spec)
			batch.Queue(`insert into codes (code, provider, version) values ($1, $2, $3)
				on conflict (code) do update set version = excluded.version`, m.Code, m.Provider, m.Version)
			t.event(registry.Event{At: at, Kind: "module", What: m.Code + " " + m.Version, By: m.Provider})
		}
		return t.send(ctx, &batch, "writing modules")
	})
}

func (t *tx) shelf(ctx context.Context, modules []registry.Module) (shelf, error) {
	out := shelf{map[string]string{}, map[[2]string][]byte{}}
	var codes, versions []string
	for _, m := range modules {
		codes, versions = append(codes, m.Code), append(versions, m.Version)
	}
	rows, err := t.Query(ctx, "select code, provider from codes where code = any($1)", codes)
	if err != nil {
		return out, fmt.Errorf("reading modules: %w", err)
	}
	var code, text string
	var spec []byte
	if _, err = pgx.ForEachRow(rows, []any{&code, &text}, func() error { out.owner[code] = text; return nil }); err != nil {
		return out, fmt.Errorf("reading modules: %w", err)
	}
	rows, err = t.Query(ctx, `select m.code, m.version, m.spec from modules m
		where (m.code, m.version) in (select * from unnest($1::text[], $2::text[]))`, codes, versions)
	if err != nil {
		return out, fmt.Errorf("reading versions of modules: %w", err)
	}
	_, err = pgx.ForEachRow(rows, []any{&code, &text, &spec}, func() error {
		out.specs[[2]string{code, text}] = bytes.Clone(spec)
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("reading versions of modules: %w", err)
	}
	return out, nil
}

const newestModules = "select c.code, c.version, c.provider, m.spec from codes c join modules m on m.code = c.code and m.version = c.version"

func scanModule(row pgx.CollectableRow) (m registry.Module, err error) {
	return m, row.Scan(&m.Code, &m.Version, &m.Provider, &m.Spec)
}

// Module is registry.Catalogue.Module.
func (s *Store) Module(ctx context.Context, code string) (m registry.Module, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, newestModules+" where c.code = $1", code)
		if err != nil {
			return err
		}
		m, err = pgx.CollectExactlyOneRow(rows, scanModule)
		return missing(err)
	})
	return m, err
}

// Modules is registry.Catalogue.Modules.
func (s *Store) Modules(ctx context.Context, provider, after string, limit int) (out []registry.Module, err error) {
	text, args := newestModules+" where c.code > $1 order by c.code limit $2", []any{after, limit}
	if provider != "" {
		text, args = newestModules+" where c.provider = $1 and c.code > $2 order by c.code limit $3", []any{provider, after, limit}
	}
	err = s.read(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, scanModule)
		return err
	})
	return out, err
}
