package main

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"attesta/keys"
	"attesta/registry"
	"attesta/web/offline"
)

var exportCommand = command{
	name: "export", short: "write what is published into a folder for any web server",
	help: `usage: attesta export --static DIR [--until DATE|--years N] [--replace] [--data DIR]

Writes everything that others need to check what was issued here: the status
lists, all keys with their dates and certificates, the trusted anchors, the lists
of accredited providers, the audit log, and a page that checks credentials in the
browser. Any web server can hold it, without attesta. Put at the old address it keeps old credentials checkable by
every verifier; the folder server/ has what nginx, Apache and Caddy must be told.
It holds no person, no credential and no secret. A server may go on working
meanwhile.

A status list counts for a day. After that a check from the export says what held
on its day, and not whether it still does.

  --static DIR   the folder to write; a new or an empty one
  --until DATE   sign the status lists once more, the last time, to count until
                 the end of this day (2036-12-31). Only for an installation that
                 ends: who keeps such a list can show it until then, also when
                 something is withdrawn later
  --years N      the same, for so many years from today
  --replace      put it in the place of an earlier export in DIR
  --data DIR     folder of the installation (attesta-data, or $ATTESTA_DATA)
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("export")
		data, dir, replace := dataFlag(f, c), f.String("static", "", ""), f.Bool("replace", false, "")
		until, years := f.String("until", "", ""), f.Int("years", 0, "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		if len(rest) > 0 {
			return exitUsage, misuse("", "%q is one word too many", rest[0])
		}
		if *dir == "" {
			return exitUsage, misuse("for example: attesta export --static public", "name the folder to write")
		}
		q := exportRequest{}
		if q.Until, err = lastDay(*until, *years, c.now()); err != nil {
			return exitUsage, err
		}
		if err := mayWrite(*dir, *replace); err != nil {
			return exitUsage, err
		}
		o, err := reach(ctx, c, folder(*data))
		if err != nil {
			return exitNo, err
		}
		defer o.Close()
		err = exportHint(writeExport(ctx, c, o, q, *dir))
		return worked(err), err
	},
}

type exportRequest struct {
	Until time.Time `json:"until,omitzero"` // of the last lists; zero where they are like every day's
}

// lastDay is the moment to which last lists count, or zero.
func lastDay(day string, years int, now time.Time) (until time.Time, err error) {
	switch {
	case day != "" && years != 0:
		return until, misuse("", "--until and --years say the same: give one")
	case years < 0 || years > 100:
		return until, misuse("for example: --years 10", "--years %d is no number of years", years)
	case years > 0:
		return now.AddDate(years, 0, 0), nil
	case day == "":
		return until, nil
	}
	until, whole, err := startOf(day)
	if whole {
		until = until.AddDate(0, 0, 1).Add(-time.Second)
	}
	if err == nil && !until.After(now) {
		err = misuse("name a day to come", "--until %s is over", day)
	}
	return until, err
}

// mayWrite refuses a folder that holds something which is no earlier export.
func mayWrite(dir string, replace bool) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return misuse("name a folder", "%s cannot be written into: %s", dir, err)
	case len(entries) == 0:
		return nil
	}
	if _, err := openCopy(dir); err != nil {
		return misuse("name a new folder", "%s holds something else than an export of attesta", dir)
	}
	if !replace {
		return misuse("name a new folder, or replace it with --replace", "%s holds an earlier export", dir)
	}
	return nil
}

// writeExport writes the whole folder or nothing of it.
func writeExport(ctx context.Context, c *console, o operator, q exportRequest, dir string) (err error) {
	dir = filepath.Clean(dir)
	beside, err := os.MkdirTemp(filepath.Dir(dir), ".export-*")
	if err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(beside)) }()
	fresh := filepath.Join(beside, "new")
	if err := os.Mkdir(fresh, 0o755); err != nil { //nolint:gosec // all of it is public
		return fmt.Errorf("making the folder: %w", err)
	}
	stream, into := io.Pipe()
	go func() { into.CloseWithError(o.Export(ctx, q, into)) }()
	if err := unpack(stream, fresh); err != nil {
		return errors.Join(err, stream.CloseWithError(err))
	}
	m, err := readManifest(fresh)
	if err != nil {
		return err
	}
	if err := putInPlace(fresh, dir, filepath.Join(beside, "old")); err != nil {
		return err
	}
	sayExport(c, m, dir)
	if m.Until.IsZero() {
		return nil
	}
	seals, err := o.Seals(ctx)
	if n := seals.Levels[registry.LevelB.String()]; n > 0 {
		c.printf("%s without a time stamp: when its certificate has ended, nobody can tell that such a seal is older.\n", count(n, "seal"))
		c.printf("To mend that before the end: attesta seal authority, attesta seal upgrade, then export again.\n")
	}
	return err
}

// unpack writes the files of a stream into a folder.
func unpack(stream io.Reader, dir string) error {
	root, err := os.OpenRoot(dir) // nothing is written elsewhere, whatever a name says
	if err != nil {
		return fmt.Errorf("writing the export: %w", err)
	}
	defer root.Close()
	for r := tar.NewReader(stream); ; {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := unpackFile(root, filepath.FromSlash(head.Name), r); err != nil {
			return fmt.Errorf("writing the export: %w", err)
		}
	}
}

func unpackFile(root *os.Root, name string, from io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	return errors.Join(err, file.Sync(), file.Close())
}

// putInPlace moves a whole folder to where it belongs. What was there goes away
// first, for an instant.
func putInPlace(fresh, dir, old string) error {
	err := os.Remove(dir) // an empty one
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = os.Rename(dir, old)
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.Rename(fresh, dir)
	}
	if err != nil {
		return fmt.Errorf("putting the export in its place: %w", err)
	}
	return nil
}

func sayExport(c *console, m manifest, dir string) {
	lists := 0
	for _, f := range m.Files {
		if filepath.Dir(filepath.Dir(f.Name)) == "status" {
			lists++
		}
	}
	c.printf("%s: %s, %s, as of %s\n", plain(dir), count(len(m.Files), "file"), count(lists, "status list"), m.Made.Format(time.RFC3339))
	if m.Until.IsZero() {
		c.printf("Its status lists count for a day. After that a check from it says what held today, and not whether it still does.\n")
		c.printf("For an installation that ends: --until DATE signs them a last time.\n")
	} else {
		c.printf("Its status lists are the last ones: they count until %s. Whoever has them can show them\n", m.Until.Format(time.RFC3339))
		c.printf("until then, whatever is withdrawn later: withdraw nothing any more, and issue nothing.\n")
	}
	if m.Verifier {
		c.printf("To look at it: python3 -m http.server --bind 127.0.0.1 --directory %s\n", plain(dir))
	} else {
		c.printf("The page in it checks nothing: %s\n", offline.ErrNotBuilt)
	}
	c.printf("At %s, with the settings in server/, it answers for this installation.\n", m.PublicURL)
}

// manifest is export.json: what an export is, and its files.
type manifest struct {
	Format         string         `json:"format"`
	PublicURL      string         `json:"public_url"` // of the installation that it stands for
	Made           time.Time      `json:"made"`
	Until          time.Time      `json:"until,omitzero"`
	Verifier       bool           `json:"verifier"` // the one for browsers is in it
	Anchors        []string       `json:"anchors"`
	Accreditations []string       `json:"accreditations"` // lists of accredited providers
	Files          []manifestFile `json:"files"`
}

// manifestFile is one file, and the path that it stands for at the public
// address.
type manifestFile struct {
	Path   string `json:"path"`
	Name   string `json:"name"`
	Type   string `json:"type"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

const (
	manifestName   = "export.json"
	manifestFormat = "attesta-export-1"
)

// readManifest reads the manifest of an export.
func readManifest(dir string) (manifest, error) {
	var m manifest
	raw, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err == nil {
		err = json.Unmarshal(raw, &m)
	}
	if err == nil && m.Format != manifestFormat {
		err = fmt.Errorf("the format %q is not known here", m.Format)
	}
	if err != nil {
		return m, fmt.Errorf("reading %s: %w", manifestName, err)
	}
	return m, nil
}

// Export takes the stream of a running server.
func (r *remote) Export(ctx context.Context, q exportRequest, w io.Writer) error {
	return r.stream(ctx, "export", q, w)
}

// export answers with the stream.
func (b *besideServer) export(w http.ResponseWriter, r *http.Request) {
	var q exportRequest
	stream(w, r, &q, func(w io.Writer) error { return b.Export(r.Context(), q, w) })
}

// exportHint says what helps where a certificate ends too early.
func exportHint(err error) error {
	if errors.Is(err, keys.ErrTooLong) {
		return &hinted{err, "name an earlier day with --until; or take a certificate that lasts longer: attesta keys rotate, or attesta keys import"}
	}
	return err
}
