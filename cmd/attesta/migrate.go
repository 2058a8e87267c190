package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"attesta/registry"
	"attesta/registry/bolt"
	"attesta/registry/postgres"
)

var migrateCommand = command{
	name: "migrate", short: "move a registry from a file into PostgreSQL",
	help: `usage: attesta migrate --from DIR --to URL
       attesta migrate --from DIR --give-up

Copies the registry of an installation into PostgreSQL, reads both from end to
end, and if they are the same lets the installation use the new one: its
settings name it from then on. Keys, settings and anchors stay in the folder.
The old file stays too, as registry.db.moved, for the archive.

Stop the server first. From the first moment on nothing can be issued from the
folder until the move is done. After an interruption, call it again: it goes on
where it was.

  --from DIR   folder of the installation
  --to URL     postgres://user@host/database, where there is no registry yet; with
               ?search_path=NAME in another schema than "attesta"
  --give-up    use the file again; what was copied is for you to drop
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("migrate")
		from, to, giveUp := f.String("from", "", ""), f.String("to", "", ""), f.Bool("give-up", false, "")
		rest, err := parse(f, args)
		switch {
		case err != nil:
			return exitUsage, err
		case len(rest) > 0:
			return exitUsage, misuse("", "%q is one word too many", plain(rest[0]))
		case *from == "" || *giveUp == (*to != ""):
			return exitUsage, misuse("for example: attesta migrate --from attesta-data --to postgres://attesta@db.example.org/attesta", "say from where and to where")
		case *giveUp:
			err = giveUpMoving(c, folder(*from))
		default:
			if err := checkStoreAddress(*to); err != nil {
				return exitUsage, err
			}
			err = migrate(ctx, c, folder(*from), *to)
		}
		return worked(err), err
	},
}

// migrate moves a registry. Each step can be interrupted and made again: mark
// the folder, copy and compare, let the copy be opened, point the settings at
// it, put the file aside.
func migrate(ctx context.Context, c *console, f folder, to string) error {
	s, err := f.readSettings()
	if err != nil {
		return err
	}
	if s.Store != "" { // all is done but perhaps the last step
		if err := f.putAside(); err != nil {
			return err
		}
		return &hinted{fmt.Errorf("the registry of %s is in PostgreSQL already, at %s", string(f), whereOf(s.Store)), "its commands use it without being told"}
	}
	source, err := bolt.Open(f.store(), bolt.Options{})
	if errors.Is(err, registry.ErrInUse) {
		return &hinted{fmt.Errorf("another attesta has %s open", string(f)), "stop the server first"}
	}
	if err != nil {
		return olderHint(f, fmt.Errorf("opening the registry: %w", err))
	}
	defer source.Close()
	target, err := postgres.Fill(ctx, to, postgres.Options{})
	if errors.Is(err, registry.ErrConflict) && s.Moving {
		// It was released, and then the power went.
		return f.settleMoved(ctx, c, s, to, source)
	}
	if errors.Is(err, registry.ErrConflict) {
		return &hinted{err, "name another database, or another schema: ?search_path=NAME; or drop that schema, if it is a copy that was given up"}
	}
	if err != nil {
		return err
	}
	defer target.Close()
	if !s.Moving { // in the source, so that both have it
		ev := registry.Event{At: c.now().UTC().Truncate(time.Second), Kind: "migrate", What: "registry", By: "operator", Why: "into PostgreSQL"}
		if err := source.Note(ctx, ev); err != nil {
			return err
		}
	}
	s.Moving = true
	if err := f.writeSettings(s); err != nil {
		return err
	}
	copied, err := registry.Copy(ctx, source, target, func(part registry.Part, entries int) {
		c.printf("  %-10s %d copied\n", part, entries)
	})
	if err != nil {
		return &hinted{err, "call it again to go on, or: attesta migrate --from " + string(f) + " --give-up"}
	}
	for _, part := range copied {
		c.printf("  %-10s %d the same in both, SHA-256 %s\n", part.Part, part.Count, part.Digest)
	}
	return f.moved(c, s, to, target.ID(), source)
}

// settleMoved finishes a move whose copy is complete.
func (f folder) settleMoved(ctx context.Context, c *console, s settings, to string, source *bolt.Store) error {
	p, err := postgres.Open(ctx, to, postgres.Options{})
	if err != nil {
		return fmt.Errorf("opening the copy: %w", err)
	}
	defer p.Close()
	if err := registry.Compare(ctx, source, p); err != nil {
		return &hinted{fmt.Errorf("the registry at %s is not a copy of this one: %w", whereOf(to), err), "choose another schema: ?search_path=NAME"}
	}
	return f.moved(c, s, to, p.ID(), source)
}

// moved lets the folder use a registry that is complete.
func (f folder) moved(c *console, s settings, to, id string, source *bolt.Store) error {
	s.Store, s.Registry, s.Moving = to, id, false
	if err := f.writeSettings(s); err != nil {
		return err
	}
	if err := source.Close(); err != nil {
		return err
	}
	if err := f.putAside(); err != nil {
		return err
	}
	c.printf("%s uses the registry at %s now; the old one is %s\n", string(f), whereOf(to), f.store()+movedEnding)
	return nil
}

const movedEnding = ".moved"

// putAside renames the file of a registry that was moved.
func (f folder) putAside() error {
	err := os.Rename(f.store(), f.store()+movedEnding)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("putting the old file aside: %w", err)
	}
	return nil
}

func giveUpMoving(c *console, f folder) error {
	s, err := f.readSettings()
	if err != nil {
		return err
	}
	if !s.Moving {
		return fmt.Errorf("the registry of %s is not being moved", string(f))
	}
	s.Moving = false
	if err := f.writeSettings(s); err != nil {
		return err
	}
	c.printf("%s uses its file again; drop the schema of the copy before you move it anew\n", string(f))
	return nil
}
