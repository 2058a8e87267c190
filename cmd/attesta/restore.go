package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"attesta/backup"
	"attesta/keys"
	"attesta/registry"
	"attesta/registry/bolt"
)

var restoreCommand = command{
	name: "restore", short: "make a data folder from a backup",
	help: `usage: attesta restore FILE [--data DIR] [--identity FILE]
       attesta restore --accept [--data DIR]

Makes a new data folder from a file of attesta backup; it overwrites nothing.
Every checksum is compared and the registry is read from end to end before the
folder appears. FILE may be -, for a pipe.

A restored registry does not know what was issued and revoked after its backup
was made, and the status positions that were given out then must never be given
again. So no command works on it until you say with --accept that nothing newer
can be had. That closes every open status list: what was published stays
published, and new credentials get positions in new lists. The same holds for a
folder whose registry.db was replaced by an older copy, and for a database that
was set back: nothing is issued from it until then. Then revoke again what was
revoked since.

  --data DIR        folder to make, or to accept (attesta-data, or $ATTESTA_DATA)
  --identity FILE   age identity that opens an encrypted backup
  --accept          take the registry in the folder as the newest there is
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("restore")
		data, identity, accept := dataFlag(f, c), f.String("identity", "", ""), f.Bool("accept", false, "")
		rest, err := parse(f, args)
		switch {
		case err != nil:
			return exitUsage, err
		case *accept && (len(rest) > 0 || *identity != ""):
			return exitUsage, misuse("first: attesta restore FILE; then, by itself: attesta restore --accept", "--accept is a step of its own")
		case *accept:
			err = acceptOlder(ctx, c, folder(*data))
		case len(rest) != 1:
			return exitUsage, misuse("for example: attesta restore attesta-monday.backup --data attesta-data", "name one backup")
		default:
			err = restore(ctx, c, rest[0], *identity, folder(*data))
		}
		return worked(err), err
	},
}

// restore makes a folder that is there whole or not at all.
func restore(ctx context.Context, c *console, name, identity string, f folder) (err error) {
	if err := f.vacant(); err != nil {
		return err
	}
	source := c.in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("reading the backup: %w", err)
		}
		defer file.Close()
		source = file
	}
	plain, err := decrypted(source, identity)
	if err != nil {
		return err
	}
	final, err := filepath.Abs(string(f))
	if err != nil {
		return fmt.Errorf("finding the folder: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(final), 0o700); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	temporary, err := os.MkdirTemp(filepath.Dir(final), ".attesta-restore-*") // mode 0700
	if err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temporary))
		}
	}()
	manifest, err := backup.Extract(ctx, plain, temporary)
	if err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	if err := bolt.Verify(ctx, folder(temporary).store(), bolt.Options{}); err != nil {
		return fmt.Errorf("reading the restored registry: %w", err)
	}
	if _, err := folder(temporary).readSettings(); err != nil {
		return err
	}
	if err := appear(temporary, final); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	sayRestored(c, f, manifest)
	return nil
}

// vacant refuses a folder in which there is anything.
func (f folder) vacant() error {
	entries, err := os.ReadDir(string(f))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking at the folder: %w", err)
	}
	if len(entries) > 0 {
		return &hinted{fmt.Errorf("%s holds something, and a restore overwrites nothing", string(f)), "restore into another folder with --data, or move this one away first"}
	}
	return nil
}

// decrypted is what a backup holds, whether it is encrypted or not.
func decrypted(r io.Reader, identity string) (io.Reader, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	start, err := in.Peek(len(keys.EncryptedStart))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the backup: %w", err)
	}
	encrypted := string(start) == keys.EncryptedStart
	switch {
	case encrypted && identity == "":
		return nil, &hinted{errors.New("the backup is encrypted"), "name the file of your age identity: --identity FILE"}
	case !encrypted && identity != "":
		return nil, &hinted{errors.New("the backup is not encrypted, and an identity was given for it"), "is it the file you mean? If it is, leave --identity out"}
	case !encrypted:
		return in, nil
	}
	return keys.DecryptWith(in, identity)
}

// appear syncs the folders and gives the finished one its name.
func appear(temporary, final string) error {
	for _, dir := range []string{"keys", "trust", "."} {
		if err := syncFolder(filepath.Join(temporary, dir)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := os.Remove(final); err != nil && !errors.Is(err, os.ErrNotExist) { // an empty folder
		return err
	}
	if err := os.Rename(temporary, final); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(final))
}

func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func sayRestored(c *console, f folder, m backup.Manifest) {
	c.printf("%s is as it was on %s: %s, every checksum compared, the registry read from end to end.\n",
		string(f), m.MadeAt.Format(time.RFC3339), count(len(m.Files), "file"))
	hasKeys := false
	for _, file := range m.Files {
		hasKeys = hasKeys || strings.HasPrefix(file.Name, "keys/")
	}
	if hasKeys && !m.Has(backup.Master) {
		c.printf("Put the master key back as %s (mode 600), or name its place with ATTESTA_MASTER_KEY_FILE.\n", f.master(func(string) string { return "" }))
	}
	c.printf("What was issued or revoked after that moment is not in it. When nothing newer can be had:\n  attesta restore --accept --data %s\n", string(f))
}

// acceptOlder takes the operator's word that there is nothing newer.
func acceptOlder(ctx context.Context, c *console, f folder) error {
	there, err := f.exists()
	if err != nil {
		return fmt.Errorf("looking for the data: %w", err)
	}
	if !there {
		return f.errNoData()
	}
	closed, err := closeLists(ctx, c, f)
	if errors.Is(err, registry.ErrInUse) {
		return &hinted{fmt.Errorf("another attesta has %s open", string(f)), "stop it first"}
	}
	if err != nil {
		return err
	}
	aside, err := f.abandonCheckpoint(c.now())
	if err != nil {
		return err
	}
	c.printf("The registry in %s counts as the newest from now on; %s closed, new credentials get positions in new ones.\n", string(f), count(closed, "status list"))
	c.printf("Revoke again what was revoked after the copy was made, and issue again only what nobody has received.\n")
	if aside != "" {
		c.printf("The audit log goes on from where the copy had come. Who has a newer checkpoint of it will see that: the last one is now %s.\n", aside)
	}
	return nil
}

// closeLists closes the open status lists of a registry, in a file or in
// PostgreSQL, so that no position that it does not know of is given again.
func closeLists(ctx context.Context, c *console, f folder) (closed int, err error) {
	s, err := f.readSettings()
	if err != nil {
		return 0, err
	}
	if s.Store == "" {
		return bolt.Accept(f.store(), "operator", c.now(), bolt.Options{})
	}
	opened, err := openStore(ctx, c, f, &s, "")
	if err != nil {
		return 0, fmt.Errorf("opening the registry: %w", err)
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	return opened.accept(ctx, "operator", c.now())
}

// olderHint says what to do about a registry that may be an older copy.
func olderHint(f folder, err error) error {
	if !errors.Is(err, bolt.ErrOlder) {
		return err
	}
	return &hinted{err, "put back the newest registry.db with the file registry.db" + bolt.MarkEnding + " that belongs to it; if there is none: attesta restore --accept --data " + string(f)}
}
