package registry

import (
	"context"
	"fmt"
	"time"
)

// PutProviders stores providers by ID, all or nothing, replacing what is there.
func (r *Registry) PutProviders(ctx context.Context, providers []Provider, at time.Time) error {
	return put(ctx, "storing providers", providers, at, func(p Provider) error {
		if err := refs(field{"provider", p.ID}); err != nil {
			return err
		}
		if err := texts(field{"what changed", p.Change}); err != nil {
			return err
		}
		return checkBytes("spec", p.Spec)
	}, r.backend.PutProviders)
}

// Provider returns a provider by its ID, or ErrNotFound.
func (r *Registry) Provider(ctx context.Context, id string) (Provider, error) {
	return get(ctx, "reading provider", id, r.backend.Provider)
}

// Providers returns at most limit providers with an ID above after, in order of
// ID as bytes.
func (r *Registry) Providers(ctx context.Context, after string, limit int) ([]Provider, error) {
	if err := checkPage(ctx, limit, field{"after", after}); err != nil {
		return nil, fmt.Errorf("listing providers: %w", err)
	}
	out, err := r.backend.Providers(ctx, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing providers: %w", err)
	}
	return out, nil
}

// PutModules adds versions of modules, all or nothing. Adding one again with
// the same Spec changes nothing; with another Spec, or for a code that belongs
// to another provider, it is ErrConflict.
func (r *Registry) PutModules(ctx context.Context, modules []Module, at time.Time) error {
	return put(ctx, "storing modules", modules, at, func(m Module) error {
		if err := refs(field{"code", m.Code}, field{"version", m.Version}, field{"provider", m.Provider}); err != nil {
			return err
		}
		return checkBytes("spec", m.Spec)
	}, r.backend.PutModules)
}

// Module returns the newest version of a module, or ErrNotFound.
func (r *Registry) Module(ctx context.Context, code string) (Module, error) {
	return get(ctx, "reading module", code, r.backend.Module)
}

// Modules returns the newest version of at most limit modules of a provider, or
// of all when it is empty, with a code above after, in order of code as bytes.
func (r *Registry) Modules(ctx context.Context, provider, after string, limit int) ([]Module, error) {
	if err := checkPage(ctx, limit, field{"provider", provider}, field{"after", after}); err != nil {
		return nil, fmt.Errorf("listing modules: %w", err)
	}
	out, err := r.backend.Modules(ctx, provider, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing modules: %w", err)
	}
	return out, nil
}

func put[T any](ctx context.Context, step string, items []T, at time.Time, check func(T) error,
	store func(context.Context, []T, time.Time) error,
) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	at, err := stamp(at)
	if err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	for i, item := range items {
		if err := check(item); err != nil {
			return fmt.Errorf("%s: number %d: %w", step, i+1, err)
		}
	}
	if len(items) == 0 {
		return nil
	}
	if err := store(ctx, items, at); err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	return nil
}

func get[T any](ctx context.Context, step, id string, read func(context.Context, string) (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	if !isRef(id) {
		return none, fmt.Errorf("%s: %w", step, ErrNotFound)
	}
	out, err := read(ctx, id)
	if err != nil {
		return none, fmt.Errorf("%s %q: %w", step, id, err)
	}
	return out, nil
}

func checkPage(ctx context.Context, limit int, cursor ...field) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := optionalRefs(cursor...); err != nil {
		return err
	}
	return checkLimit(limit)
}
