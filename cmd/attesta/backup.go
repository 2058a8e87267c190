package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"attesta/backup"
	"attesta/keys"
	"attesta/registry/bolt"
)

var backupCommand = command{
	name: "backup", short: "write everything into one file",
	help: `usage: attesta backup FILE [--data DIR] [--recipient AGE] [--with-master-key]

Writes the registry, the keys (encrypted, as they are), the settings and the
trusted anchors into one new file, with a checksum of each. A server may go on
working meanwhile. Before a byte is written the copy of the registry is read
from end to end: what is damaged gives no backup. FILE may be -, for a pipe.

The master key is not in it. Without it nobody can read a backup or seal with
it: keep a copy of master.key where no backup lies, on paper or in a safe.

  --data DIR          folder of the installation (attesta-data, or $ATTESTA_DATA)
  --recipient AGE     encrypt to this age recipient (age1...). Without it, who
                      has the file sees what was issued when, and no people
  --with-master-key   put the master key in as well; only with --recipient
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("backup")
		data := dataFlag(f, c)
		q := backupRequest{}
		f.StringVar(&q.Recipient, "recipient", "", "")
		f.BoolVar(&q.WithMasterKey, "with-master-key", false, "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		if len(rest) != 1 {
			return exitUsage, misuse("for example: attesta backup attesta-monday.backup", "name one file")
		}
		if q.WithMasterKey && q.Recipient == "" {
			return exitUsage, misuse("name the recipient of whoever may have it: --recipient age1...", "the master key leaves this machine encrypted or not at all")
		}
		o, err := reach(ctx, c, folder(*data))
		if err != nil {
			return exitNo, err
		}
		defer o.Close()
		err = writeBackup(ctx, c, o, q, rest[0])
		return worked(err), err
	},
}

type backupRequest struct {
	Recipient     string `json:"recipient,omitempty"`
	WithMasterKey bool   `json:"with_master_key,omitempty"`
}

// writeBackup writes a new file, durable and whole, or none.
func writeBackup(ctx context.Context, c *console, o operator, q backupRequest, name string) error {
	if name == "-" {
		return o.Backup(ctx, q, c.out)
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return &hinted{fmt.Errorf("%s exists, and no backup overwrites another", name), "choose another name"}
	}
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	sum := &summed{w: file, digest: sha256.New()}
	err = o.Backup(ctx, q, sum)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	c.printf("%s: %d bytes, SHA-256 %x\n", name, sum.n, sum.digest.Sum(nil))
	if q.WithMasterKey {
		c.printf("It holds the master key: who has the file and the identity of its recipient has everything.\n")
	} else {
		c.printf("The master key is not in it; without a copy of that, kept elsewhere, nobody can read this backup, and no restore works.\n")
	}
	if q.Recipient == "" {
		c.printf("It is not encrypted as a whole: who has it sees what was issued and when, and no people.\n")
	}
	return nil
}

// summed counts and sums what passes.
type summed struct {
	w      io.Writer
	n      int64
	digest hash.Hash
}

func (s *summed) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.n += int64(n)
	s.digest.Write(p[:n])
	return n, err
}

// copier is a store that can copy itself while it is used.
type copier interface {
	Copy(ctx context.Context, w io.Writer) error
}

// Backup writes a backup. An error before the first byte left nothing; after
// it, what was written has no end and is refused by whoever reads it.
func (l local) Backup(ctx context.Context, q backupRequest, w io.Writer) (err error) {
	l.backups.Lock()
	defer l.backups.Unlock()
	if q.WithMasterKey && q.Recipient == "" {
		return errors.New("the master key leaves this machine encrypted or not at all")
	}
	if err := l.noteBackup(ctx, q); err != nil {
		return err
	}
	copied, err := l.copyRegistry(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, copied.Close(), os.Remove(copied.Name())) }()
	if q.Recipient != "" {
		sealed, err := keys.EncryptTo(w, q.Recipient)
		if err != nil {
			return err
		}
		if err := l.writeArchive(ctx, q, copied, sealed); err != nil {
			return err
		}
		return sealed.Close()
	}
	return l.writeArchive(ctx, q, copied, w)
}

// copyRegistry copies the registry to a file beside it, which is fast and holds
// up nobody however slow the reader of the backup is, and reads the copy from
// end to end.
func (l local) copyRegistry(ctx context.Context) (*os.File, error) {
	store, ok := l.store.Backend.(copier)
	if !ok {
		return nil, &hinted{errors.New("the registry of this installation is a database with backups of its own"), "use what comes with it, such as pg_dump; copy the folder for keys, settings and anchors"}
	}
	if err := l.dropCopies(); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(string(l.folder), ".backup-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("making room for a copy: %w", err)
	}
	err = store.Copy(ctx, file)
	if err == nil {
		err = bolt.Verify(ctx, file.Name(), bolt.Options{})
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("copying the registry, no backup was written: %w", err), file.Close(), os.Remove(file.Name()))
	}
	return file, nil
}

// dropCopies removes copies of the registry that a kill left: this process alone
// has the folder. Backups must be held.
func (l local) dropCopies() error {
	left, err := filepath.Glob(filepath.Join(string(l.folder), ".backup-*"))
	for _, name := range left {
		err = errors.Join(err, os.Remove(name))
	}
	if err != nil {
		return fmt.Errorf("removing what an interrupted backup left: %w", err)
	}
	return nil
}

// finishErasing removes from the folder and the registry what an interruption
// left of people who were erased.
func (l local) finishErasing(ctx context.Context) error {
	var err error
	if !l.store.shared && l.backups.TryLock() { // a backup that is under way removes its copy itself
		err = l.dropCopies()
		l.backups.Unlock()
	}
	return errors.Join(err, l.registry.FinishErasing(ctx))
}

// writeArchive writes the copy of the registry first: the keys that its
// records name were there before it was made.
func (l local) writeArchive(ctx context.Context, q backupRequest, copied *os.File, w io.Writer) error {
	out := backup.NewWriter(w, l.now())
	info, err := copied.Stat()
	if err != nil {
		return fmt.Errorf("copying the registry: %w", err)
	}
	if err := out.Add(backup.Registry, info.Size(), copied); err != nil {
		return err
	}
	names := []struct{ name, path string }{{backup.Settings, l.folder.settings()}}
	if q.WithMasterKey {
		names = append(names, struct{ name, path string }{backup.Master, l.master})
	}
	for folder, path := range map[string]string{"keys": l.folder.keys(), "trust": l.folder.trust()} {
		entries, err := os.ReadDir(path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("listing %s: %w", path, err)
		}
		for _, e := range entries {
			if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
				names = append(names, struct{ name, path string }{folder + "/" + e.Name(), filepath.Join(path, e.Name())})
			}
		}
	}
	for _, f := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		raw, err := os.ReadFile(f.path)
		if err != nil {
			return fmt.Errorf("reading for the backup: %w", err)
		}
		if err := out.Add(f.name, int64(len(raw)), bytes.NewReader(raw)); err != nil {
			return err
		}
	}
	return out.Close()
}

// outcome is the trailer by which a command knows that a stream came whole.
const outcome = "Attesta-Outcome"

// Backup takes the stream of a running server.
func (r *remote) Backup(ctx context.Context, q backupRequest, w io.Writer) error {
	return r.stream(ctx, "backup", q, w)
}

// stream takes what a running server writes at length: a backup, an export.
func (r *remote) stream(ctx context.Context, what string, q any, w io.Writer) error {
	response, err := r.post(ctx, what, q)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.Header.Get("Content-Type") == "application/json" {
		return readReply(response, nil)
	}
	if _, err := io.Copy(w, response.Body); err != nil {
		return fmt.Errorf("reading the %s of the server: %w", what, err)
	}
	if said := response.Trailer.Get(outcome); said != "whole" {
		return fmt.Errorf("reading the %s of the server: it stopped half-way: %s", what, said)
	}
	return nil
}

// backup answers with the stream.
func (b *besideServer) backup(w http.ResponseWriter, r *http.Request) {
	var q backupRequest
	stream(w, r, &q, func(w io.Writer) error { return b.Backup(r.Context(), q, w) })
}

// stream reads a request and answers with what is written. An error before the
// first byte is answered like any other.
func stream(w http.ResponseWriter, r *http.Request, q any, write func(io.Writer) error) {
	err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, besideBytes)).Decode(q)
	out := &begun{w: w}
	if err == nil {
		w.Header().Set("Trailer", outcome)
		w.Header().Set("Content-Type", "application/octet-stream")
		err = write(out)
	}
	switch {
	case err == nil:
		w.Header().Set(outcome, "whole")
	case out.begun:
		w.Header().Set(outcome, plain(err.Error()))
	default:
		w.Header().Del("Trailer")
		writeReply(w, nil, err)
	}
}

// begun knows whether anything was written.
type begun struct {
	w     io.Writer
	begun bool
}

func (b *begun) Write(p []byte) (int, error) {
	b.begun = true
	return b.w.Write(p)
}
