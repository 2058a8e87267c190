package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"attesta/registry"
)

// PutProviders is registry.Catalogue.PutProviders.
func (s *Store) PutProviders(ctx context.Context, providers []registry.Provider, at time.Time) error {
	providers = slices.Clone(providers)
	for i := range providers {
		providers[i].Spec = roomy(providers[i].Spec)
	}
	return s.updateMany(ctx, len(providers), func(t *tx) error {
		for _, p := range providers {
			same, err := t.putIfOther(bucketProviders, []byte(p.ID), p.Spec)
			if err != nil {
				return err
			}
			if same {
				continue
			}
			if err := t.event(registry.Event{At: at, Kind: "provider", What: p.ID, Why: p.Change}); err != nil {
				return err
			}
		}
		return nil
	})
}

// putIfOther stores a value unless it is there already.
func (t *tx) putIfOther(bucket string, key, value []byte) (same bool, err error) {
	was, err := t.get(bucket, key)
	if err == nil && bytes.Equal(was, value) {
		return true, nil
	}
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return false, err
	}
	return false, t.put(bucket, key, value)
}

// Provider is registry.Catalogue.Provider.
func (s *Store) Provider(ctx context.Context, id string) (p registry.Provider, err error) {
	err = s.view(ctx, func(t *tx) error {
		b, err := t.get(bucketProviders, []byte(id))
		p = registry.Provider{ID: id, Spec: bytes.Clone(b)}
		return err
	})
	if err != nil {
		return registry.Provider{}, err
	}
	return p, nil
}

// Providers is registry.Catalogue.Providers.
func (s *Store) Providers(ctx context.Context, after string, limit int) (out []registry.Provider, err error) {
	err = s.view(ctx, func(t *tx) error {
		return t.scan(bucketProviders, nil, above(after), func(k, v []byte) (bool, error) {
			out = append(out, registry.Provider{ID: string(k), Spec: bytes.Clone(v)})
			return len(out) < limit, nil
		})
	})
	return out, err
}

// above is the least key greater than after, or the first of all.
func above(after string) []byte {
	if after == "" {
		return nil
	}
	return append([]byte(after), 0)
}

// PutModules is registry.Catalogue.PutModules.
func (s *Store) PutModules(ctx context.Context, modules []registry.Module, at time.Time) error {
	modules = slices.Clone(modules)
	for i := range modules {
		modules[i].Spec = roomy(modules[i].Spec)
	}
	return s.updateMany(ctx, len(modules), func(t *tx) error {
		for _, m := range modules {
			if err := t.putModule(m, at); err != nil {
				return fmt.Errorf("module %q version %q: %w", m.Code, m.Version, err)
			}
		}
		return nil
	})
}

func (t *tx) putModule(m registry.Module, at time.Time) error {
	owner, _, err := t.newest(m.Code)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		if err := t.put(bucketOffers, append(tuple(m.Provider), m.Code...), nil); err != nil {
			return err
		}
	case err != nil:
		return err
	case owner != m.Provider:
		return fmt.Errorf("the code belongs to another provider: %w", registry.ErrConflict)
	}
	key := tuple(m.Code, m.Version)
	spec, err := t.get(bucketModules, key)
	switch {
	case err == nil && bytes.Equal(spec, m.Spec):
		return nil
	case err == nil:
		return fmt.Errorf("the version is there with another spec: %w", registry.ErrConflict)
	case !errors.Is(err, registry.ErrNotFound):
		return err
	}
	if err := t.put(bucketModules, key, m.Spec); err != nil {
		return err
	}
	var e encoder
	e.text(m.Provider, m.Version)
	if err := t.put(bucketNewest, []byte(m.Code), e.b); err != nil {
		return err
	}
	return t.event(registry.Event{At: at, Kind: "module", What: m.Code + " " + m.Version, By: m.Provider})
}

// newest returns whose a module is and its newest version.
func (t *tx) newest(code string) (provider, version string, err error) {
	b, err := t.get(bucketNewest, []byte(code))
	if err != nil {
		return "", "", err
	}
	d := decoder{b: b}
	provider, version = d.text(), d.text()
	return provider, version, d.end()
}

func (t *tx) module(code string) (registry.Module, error) {
	provider, version, err := t.newest(code)
	if err != nil {
		return registry.Module{}, err
	}
	spec, err := t.get(bucketModules, tuple(code, version))
	if err != nil {
		return registry.Module{}, fmt.Errorf("reading version %q: %v: %w", version, err, errDamaged)
	}
	return registry.Module{Code: code, Version: version, Provider: provider, Spec: bytes.Clone(spec)}, nil
}

// Module is registry.Catalogue.Module.
func (s *Store) Module(ctx context.Context, code string) (m registry.Module, err error) {
	err = s.view(ctx, func(t *tx) error {
		m, err = t.module(code)
		return err
	})
	return m, err
}

// Modules is registry.Catalogue.Modules.
func (s *Store) Modules(ctx context.Context, provider, after string, limit int) (out []registry.Module, err error) {
	bucket, prefix := bucketNewest, []byte(nil)
	if provider != "" {
		bucket, prefix = bucketOffers, tuple(provider)
	}
	from := prefix
	if after != "" {
		from = append(bytes.Clone(prefix), above(after)...)
	}
	err = s.view(ctx, func(t *tx) error {
		return t.scan(bucket, prefix, from, func(k, _ []byte) (bool, error) {
			m, err := t.module(string(k[len(prefix):]))
			if err != nil {
				return false, fmt.Errorf("reading module %q: %v: %w", k[len(prefix):], err, errDamaged)
			}
			out = append(out, m)
			return len(out) < limit, nil
		})
	})
	return out, err
}
