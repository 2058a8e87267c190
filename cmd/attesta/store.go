package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"attesta/registry"
	"attesta/registry/bolt"
	"attesta/registry/postgres"
)

// store is the backend of an installation with what the program knows of it.
type store struct {
	registry.Backend
	shared bool   // other processes may have it open too
	where  string // its address without user and password; empty for a file
	advice func() []string
	accept func(ctx context.Context, by string, at time.Time) (int, error) // see postgres.Store.Accept; nil for a file
}

// storeFlag adds the flag that says where the registry is.
// What the environment says instead is read when the registry is opened.
func storeFlag(f *flag.FlagSet) *string { return f.String("store", "", "") }

// whereOf is an address of a registry without what must not be shown.
func whereOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be read"
	}
	host := u.Host
	if host == "" {
		host = u.Query().Get("host")
	}
	if name, _, err := net.SplitHostPort(host); err == nil && u.Port() == "5432" {
		host = name
	}
	return host + u.Path
}

func checkStoreAddress(address string) error {
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return misuse("write it like postgres://user@db.example.org/attesta", "the address of the registry does not begin with postgres://")
	}
	return nil
}

// createStore makes the registry of a new installation: in PostgreSQL if the
// settings name it, else in a file.
func createStore(ctx context.Context, f folder, s *settings) (store, error) {
	if s.Store == "" {
		b, err := bolt.Create(f.store(), bolt.Options{})
		return fileStore(b), err
	}
	if err := checkStoreAddress(s.Store); err != nil {
		return store{}, err
	}
	p, err := postgres.Create(ctx, s.Store, postgres.Options{})
	if errors.Is(err, registry.ErrConflict) {
		return store{}, &hinted{err, "it belongs to another data folder: copy that folder, or choose another schema: postgres://user@host/database?search_path=name"}
	}
	if err != nil {
		return store{}, err
	}
	s.Registry = p.ID()
	return databaseStore(p, s.Store), nil
}

func fileStore(b *bolt.Store) store { return store{Backend: b} }

func databaseStore(p *postgres.Store, address string) store {
	return store{Backend: p, shared: true, where: whereOf(address), advice: p.Advice, accept: p.Accept}
}

// openStore opens the registry of an installation. An address that is given
// counts before the environment, and that before the settings, which remember
// the one that is given.
func openStore(ctx context.Context, c *console, f folder, s *settings, given string) (store, error) {
	address := given
	if address == "" {
		address = c.getenv("ATTESTA_STORE")
	}
	if s.Store == "" {
		if address != "" {
			return store{}, &hinted{fmt.Errorf("%s keeps its registry in a file", string(f)), "to move it into PostgreSQL: attesta migrate --from " + string(f) + " --to postgres://..."}
		}
		if s.Moving {
			return store{}, &hinted{fmt.Errorf("the registry of %s is being moved into PostgreSQL", string(f)), "finish it: attesta migrate --from " + string(f) + " --to postgres://...; or give it up with --give-up"}
		}
		b, err := bolt.Open(f.store(), bolt.Options{})
		return fileStore(b), err
	}
	if address == "" {
		address = s.Store
	}
	if err := checkStoreAddress(address); err != nil {
		return store{}, err
	}
	p, err := postgres.Open(ctx, address, postgres.Options{})
	if err != nil {
		return store{}, err
	}
	if p.ID() != s.Registry {
		return store{}, errors.Join(&hinted{
			fmt.Errorf("the registry at %s is not that of %s", whereOf(address), string(f)),
			"check the database and the schema; the settings of the folder say which registry it has",
		}, p.Close())
	}
	if given != "" && given != s.Store {
		s.Store = given
		if err := f.writeSettings(*s); err != nil {
			return store{}, errors.Join(err, p.Close())
		}
	}
	return databaseStore(p, address), nil
}

// graceOfOthers is how long a record that is reserved may still be in the hands
// of another process. It is more than sealing takes and clocks differ.
const graceOfOthers = 2 * time.Minute

// finish seals what waits for nobody any more.
func (a *app) finish(ctx context.Context) (int, error) {
	if !a.store.shared {
		return a.issuer.Resume(ctx)
	}
	n := 0
	_, err := a.alone(ctx, finishWork, func(ctx context.Context) (err error) {
		n, err = a.issuer.ResumeBefore(ctx, a.now().Add(-graceOfOthers))
		return err
	})
	return n, err
}

// resumePause is how often a server looks for what another one left behind.
const resumePause = time.Minute

// resumeLater finishes, until the context ends, what other servers of one
// registry reserved and will not seal any more.
func (a *app) resumeLater(ctx context.Context) {
	for a.store.shared {
		select {
		case <-ctx.Done():
			return
		case <-time.After(resumePause):
			a.resume(ctx)
		}
	}
}
