// Package backup reads and writes the one file that holds an installation: a
// tar archive whose last entry, the manifest, has the SHA-256 of all others.
// It is written as a stream, without knowing what comes next, and read with
// suspicion: whatever is not as Writer writes it is refused.
//
//	w := backup.NewWriter(out, now)
//	err := w.Add("registry.db", size, r)
//	err = w.Close()
//	manifest, err := backup.Extract(ctx, in, dir)
package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Names of the entries that have a meaning of their own.
const (
	Registry = "registry.db"
	Settings = "settings.json"
	Master   = "master.key"
	manifest = "manifest.json"
)

const (
	format      = "attesta-backup-1"
	maxFiles    = 20_000
	maxBytes    = 64 << 20 // of any file but the registry
	maxManifest = 8 << 20
)

// ErrNoBackup marks what is not a whole backup as it was written.
var ErrNoBackup = errors.New("this is not a whole backup")

// Manifest says what a backup holds.
type Manifest struct {
	Format string    `json:"format"`
	MadeAt time.Time `json:"made_at"`
	Files  []File    `json:"files"` // in the order of the archive
}

// File is one file of a backup.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Has tells whether a backup holds a file of this name.
func (m Manifest) Has(name string) bool {
	return slices.ContainsFunc(m.Files, func(f File) bool { return f.Name == name })
}

// checkName refuses every name but those of an installation: a few files, and
// what lies in its folders keys and trust.
func checkName(name string) error {
	if name == Registry || name == Settings || name == Master {
		return nil
	}
	folder, file, ok := strings.Cut(name, "/")
	if !ok || folder != "keys" && folder != "trust" {
		return fmt.Errorf("%w: it has a file %.80q", ErrNoBackup, name)
	}
	bad := func(r rune) bool {
		return r == utf8.RuneError || strings.ContainsRune(`/\:*?"<>|`, r) || !unicode.IsPrint(r)
	}
	if file == "" || len(file) > 200 || file[0] == '.' || strings.HasSuffix(file, ".") || strings.HasSuffix(file, " ") || strings.ContainsFunc(file, bad) {
		return fmt.Errorf("%w: it has a file %.80q", ErrNoBackup, name)
	}
	return nil
}

// Writer writes a backup. It is not safe for concurrent use.
type Writer struct {
	tar      *tar.Writer
	manifest Manifest
}

// NewWriter begins a backup that is made at a moment.
func NewWriter(w io.Writer, at time.Time) *Writer {
	return &Writer{tar.NewWriter(w), Manifest{Format: format, MadeAt: at.UTC().Truncate(time.Second)}}
}

// Add writes a file of size bytes. Its name is Registry, Settings, Master, or
// of the form keys/NAME or trust/NAME.
func (w *Writer) Add(name string, size int64, r io.Reader) error {
	if err := checkName(name); err != nil {
		return err
	}
	digest := sha256.New()
	if err := w.entry(name, size, io.TeeReader(r, digest)); err != nil {
		return fmt.Errorf("writing %s to the backup: %w", name, err)
	}
	w.manifest.Files = append(w.manifest.Files, File{name, size, hex.EncodeToString(digest.Sum(nil))})
	return nil
}

func (w *Writer) entry(name string, size int64, r io.Reader) error {
	err := w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: w.manifest.MadeAt})
	if err != nil {
		return err
	}
	_, err = io.CopyN(w.tar, r, size)
	return err
}

// Close writes the manifest, without which the rest is no backup.
func (w *Writer) Close() error {
	raw, err := json.MarshalIndent(w.manifest, "", " ")
	if err == nil {
		err = w.entry(manifest, int64(len(raw)), strings.NewReader(string(raw)))
	}
	if err == nil {
		err = w.tar.Close()
	}
	if err != nil {
		return fmt.Errorf("writing the manifest of the backup: %w", err)
	}
	return nil
}

// Extract reads a backup into an empty folder and syncs what it writes. Only
// when it returns nil every file is there, whole and as it was; else remove the
// folder. What is no backup is ErrNoBackup; nothing is ever written outside the
// folder, and no more than is read.
func Extract(ctx context.Context, r io.Reader, dir string) (Manifest, error) {
	return extract(ctx, r, func(name string) (file, error) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // checkName admits no name that leads out of the folder
	})
}

// file is an *os.File.
type file interface {
	io.Writer
	Sync() error
	Close() error
}

func extract(ctx context.Context, r io.Reader, create func(name string) (file, error)) (Manifest, error) {
	in := tar.NewReader(r)
	var found []File
	for {
		if err := ctx.Err(); err != nil {
			return Manifest{}, err
		}
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return Manifest{}, fmt.Errorf("%w: it ends before its manifest", ErrNoBackup)
		}
		if err != nil {
			return Manifest{}, broken(err)
		}
		if err := checkHeader(header, len(found)); err != nil {
			return Manifest{}, err
		}
		if header.Name == manifest {
			return finish(r, in, found)
		}
		f, err := extractFile(in, header, create)
		if err != nil {
			return Manifest{}, err
		}
		found = append(found, f)
	}
}

// broken is an error of reading an archive: cut short, or of another form. An
// error of the disk or of a decryption below it is kept.
func broken(err error) error {
	return fmt.Errorf("%w: %w", ErrNoBackup, err)
}

// checkHeader admits plain files with plain names: no links, devices, sparse
// files, other names in extended headers.
func checkHeader(h *tar.Header, already int) error {
	if already >= maxFiles {
		return fmt.Errorf("%w: it has more than %d files", ErrNoBackup, maxFiles)
	}
	if h.Typeflag != tar.TypeReg || h.Linkname != "" {
		return fmt.Errorf("%w: %.80q in it is no plain file", ErrNoBackup, h.Name)
	}
	for key := range h.PAXRecords {
		if key != "size" && key != "path" {
			return fmt.Errorf("%w: %.80q in it is no plain file", ErrNoBackup, h.Name)
		}
	}
	if h.Name == manifest {
		return nil
	}
	if h.Name != Registry && h.Size > maxBytes {
		return fmt.Errorf("%w: %.80q in it has %d bytes", ErrNoBackup, h.Name, h.Size)
	}
	return checkName(h.Name)
}

func extractFile(in io.Reader, h *tar.Header, create func(name string) (file, error)) (File, error) {
	file, err := create(h.Name)
	if errors.Is(err, os.ErrExist) {
		return File{}, fmt.Errorf("%w: it has %s twice", ErrNoBackup, h.Name)
	}
	if err != nil {
		return File{}, fmt.Errorf("writing %s: %w", h.Name, err)
	}
	digest := sha256.New()
	source := &source{r: in}
	n, err := io.Copy(io.MultiWriter(file, digest), source)
	if err != nil && err == source.err { //nolint:errorlint // the same error, not one of its kind
		err = broken(err)
	}
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return File{}, fmt.Errorf("writing %s: %w", h.Name, err)
	}
	return File{h.Name, n, hex.EncodeToString(digest.Sum(nil))}, nil
}

// source remembers whether reading failed, or writing.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// finish holds what was found against the manifest, which must be the end.
func finish(r io.Reader, in *tar.Reader, found []File) (Manifest, error) {
	raw, err := io.ReadAll(io.LimitReader(in, maxManifest+1))
	if err != nil {
		return Manifest{}, broken(err)
	}
	var m Manifest
	if err := json.Unmarshal(raw, &m); err != nil || len(raw) > maxManifest {
		return Manifest{}, fmt.Errorf("%w: its manifest cannot be read", ErrNoBackup)
	}
	if m.Format != format {
		return Manifest{}, fmt.Errorf("%w: its form is %.40q and this program reads %s", ErrNoBackup, m.Format, format)
	}
	for n, f := range found {
		if n >= len(m.Files) || m.Files[n] != f {
			return Manifest{}, fmt.Errorf("%w: %s is not as its manifest says", ErrNoBackup, f.Name)
		}
	}
	if len(m.Files) != len(found) {
		return Manifest{}, fmt.Errorf("%w: %s is missing", ErrNoBackup, m.Files[len(found)].Name)
	}
	for _, needed := range []string{Registry, Settings} {
		if !m.Has(needed) {
			return Manifest{}, fmt.Errorf("%w: %s is missing", ErrNoBackup, needed)
		}
	}
	if _, err := in.Next(); !errors.Is(err, io.EOF) {
		return Manifest{}, fmt.Errorf("%w: something follows its manifest", ErrNoBackup)
	}
	// To the very end: what encrypts the archive authenticates its last byte there.
	if n, err := io.Copy(io.Discard, io.LimitReader(r, 1)); err != nil {
		return Manifest{}, broken(err)
	} else if n > 0 {
		return Manifest{}, fmt.Errorf("%w: something follows its manifest", ErrNoBackup)
	}
	return m, nil
}
