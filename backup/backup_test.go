package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var madeAt = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// written is a backup of these files, in the order of their names and contents.
func written(t testing.TB, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, madeAt)
	for n := 0; n < len(files); n += 2 {
		if err := w.Add(files[n], int64(len(files[n+1])), strings.NewReader(files[n+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func some(t testing.TB) []byte {
	t.Helper()
	return written(t, Registry, strings.Repeat("record ", 3000), Settings, "{}", "keys/ab12.key.json", "key", "trust/Autorità di prova.json", "anchor")
}

// outside is a folder with a neighbour that no archive may touch.
func outside(t testing.TB) (dir string, untouched func()) {
	t.Helper()
	parent := t.TempDir()
	dir = filepath.Join(parent, "in", "here")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir, func() {
		t.Helper()
		err := filepath.WalkDir(parent, func(name string, d fs.DirEntry, err error) error {
			if err == nil && !strings.HasPrefix(name+"/", dir+"/") && !d.IsDir() {
				t.Errorf("%s was written", name)
			}
			if err == nil && d.Type()&(fs.ModeSymlink|fs.ModeDevice|fs.ModeNamedPipe) != 0 {
				t.Errorf("%s is %v", name, d.Type())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	dir, untouched := outside(t)
	m, err := Extract(t.Context(), bytes.NewReader(some(t)), dir)
	if err != nil {
		t.Fatal(err)
	}
	untouched()
	if !m.MadeAt.Equal(madeAt) || len(m.Files) != 4 || !m.Has("keys/ab12.key.json") || m.Has(Master) {
		t.Errorf("%+v", m)
	}
	for _, f := range m.Files {
		info, err := os.Stat(filepath.Join(dir, f.Name))
		if err != nil || info.Size() != f.Size || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name, info, err)
		}
	}
}

// entry is a raw entry of a hostile archive.
type entry struct {
	tar.Header
	body string
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		if e.Typeflag == 0 {
			e.Typeflag = tar.TypeReg
		}
		if e.Size == 0 {
			e.Size = int64(len(e.body))
		}
		if e.Typeflag != tar.TypeReg {
			e.Size = 0
		}
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if e.Size == int64(len(e.body)) {
			if _, err := io.WriteString(w, e.body); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = w.Close()
	return out.Bytes()
}

// asExtended makes the first entry of an archive an extended header.
func asExtended(b []byte) {
	b[156] = tar.TypeXHeader
	copy(b[148:156], "        ")
	sum := 0
	for _, c := range b[:512] {
		sum += int(c)
	}
	copy(b[148:156], fmt.Sprintf("%06o\x00 ", sum))
}

// F6, F8: every archive that is not as Writer writes it is refused, and
// nothing outside the folder is touched.
func TestHostileArchives(t *testing.T) {
	good := some(t)
	plain := func(name string) entry { return entry{Header: tar.Header{Name: name, Mode: 0o600}, body: "x"} }
	link := func(kind byte, name, to string) entry {
		return entry{Header: tar.Header{Name: name, Linkname: to, Typeflag: kind, Mode: 0o777}}
	}
	flipped := bytes.Clone(good)
	flipped[700] ^= 1 // in the registry
	renamed := bytes.Replace(good, []byte(`"name": "settings.json"`), []byte(`"name": "settinga.json"`), 1)
	sparse := entry{Header: tar.Header{Name: Registry, Mode: 0o600, Format: tar.FormatPAX, PAXRecords: map[string]string{"ATTESTA.sparse": "1"}}, body: "x"}
	huge := archive(t, entry{Header: tar.Header{Name: "keys/a", Mode: 0o600, Format: tar.FormatUSTAR}, body: strings.Repeat("x", 3<<20)})
	asExtended(huge)
	for name, b := range map[string][]byte{
		"nothing":             {},
		"text":                []byte("hello"),
		"zeros":               make([]byte, 4096),
		"one bit":             flipped,
		"a name changed":      renamed,
		"two archives":        append(bytes.Clone(good), good...),
		"one byte more":       append(bytes.Clone(good), 1),
		"no manifest":         archive(t, plain(Registry), plain(Settings)),
		"only a manifest":     archive(t, entry{Header: tar.Header{Name: manifest}, body: `{"format":"attesta-backup-1"}`}),
		"another form":        archive(t, entry{Header: tar.Header{Name: manifest}, body: `{"format":"attesta-backup-2"}`}),
		"manifest no JSON":    archive(t, entry{Header: tar.Header{Name: manifest}, body: `{`}),
		"no registry":         written(t, Settings, "{}"),
		"no settings":         written(t, Registry, "x"),
		"upwards":             archive(t, plain("../registry.db")),
		"upwards in keys":     archive(t, plain("keys/../../x")),
		"absolute":            archive(t, plain("/tmp/x")),
		"backslashes":         archive(t, plain(`keys\..\..\x`)),
		"a drive":             archive(t, plain("keys/C:x")),
		"hidden":              archive(t, plain("keys/.x")),
		"dots":                archive(t, plain("keys/..")),
		"a folder in keys":    archive(t, plain("keys/a/b")),
		"control characters":  archive(t, plain("keys/a\x1b[2J")),
		"wrong UTF-8":         archive(t, plain("keys/a\xff")),
		"another file":        archive(t, plain("server.json")),
		"the mark":            archive(t, plain("registry.db.not-older-than")),
		"twice":               archive(t, plain(Settings), plain(Settings)),
		"a symbolic link":     archive(t, link(tar.TypeSymlink, "keys/x", "/etc/passwd"), plain("keys/x")),
		"a hard link":         archive(t, link(tar.TypeLink, "keys/x", "/etc/passwd")),
		"a folder":            archive(t, link(tar.TypeDir, "keys/", "")),
		"a device":            archive(t, link(tar.TypeChar, "keys/x", "")),
		"a pipe":              archive(t, link(tar.TypeFifo, "keys/x", "")),
		"a global header":     archive(t, entry{Header: tar.Header{Name: "x", Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"path": "../x"}}}),
		"an extended header":  archive(t, sparse),
		"a huge header":       huge,
		"a huge settings":     archive(t, entry{Header: tar.Header{Name: Settings, Size: 1 << 40, Format: tar.FormatPAX}}),
		"a registry of 1 EiB": archive(t, entry{Header: tar.Header{Name: Registry, Size: 1 << 60, Format: tar.FormatPAX}, body: "x"}),
	} {
		t.Run(name, func(t *testing.T) {
			dir, untouched := outside(t)
			if _, err := Extract(t.Context(), bytes.NewReader(b), dir); !errors.Is(err, ErrNoBackup) {
				t.Errorf("%v, want ErrNoBackup", err)
			} else {
				t.Log(err)
			}
			untouched()
		})
	}
	for n := 0; n <= bytes.LastIndexByte(good, '}'); n += 97 { // nothing but zeros follows
		dir, _ := outside(t)
		if _, err := Extract(t.Context(), bytes.NewReader(good[:n]), dir); !errors.Is(err, ErrNoBackup) {
			t.Fatalf("cut at %d of %d: %v", n, len(good), err)
		}
	}
}

func TestMoreFilesThanThereCanBe(t *testing.T) {
	if err := checkHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "keys/x"}, maxFiles); !errors.Is(err, ErrNoBackup) {
		t.Error(err)
	}
}

// An error of the disk or of a decryption is told as itself.
func TestErrorsOfOthersAreKept(t *testing.T) {
	mine := errors.New("mine")
	dir, _ := outside(t)
	if _, err := Extract(t.Context(), io.MultiReader(bytes.NewReader(some(t)[:2000]), failing{mine}), dir); !errors.Is(err, mine) {
		t.Errorf("reading: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Extract(ctx, bytes.NewReader(some(t)), dir); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := Extract(t.Context(), bytes.NewReader(some(t)), filepath.Join(dir, "x\x00y")); err == nil || errors.Is(err, ErrNoBackup) {
		t.Errorf("writing: %v", err)
	}
}

type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }

func TestAddRefusesWhatExtractWould(t *testing.T) {
	w := NewWriter(io.Discard, madeAt)
	for _, name := range []string{"", "../x", "keys/", "keys/.x", "server.json", manifest, "trust/a/b"} {
		if err := w.Add(name, 0, strings.NewReader("")); err == nil {
			t.Errorf("%q was added", name)
		}
	}
	if err := w.Add(Registry, 5, strings.NewReader("abc")); err == nil {
		t.Error("a file that shrank was added")
	}
}

func FuzzExtract(f *testing.F) {
	f.Add(written(f, Registry, "x", Settings, "{}"))
	f.Add(archive(f, entry{Header: tar.Header{Name: "keys/x", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		held := memory{}
		m, err := extract(t.Context(), bytes.NewReader(b), held.create)
		for name := range held {
			if !filepath.IsLocal(name) || strings.Count(name, "/") > 1 || strings.HasPrefix(name, ".") || strings.Contains(name, "/.") {
				t.Errorf("a file %q", name)
			}
		}
		if err != nil {
			return
		}
		if !m.Has(Registry) || !m.Has(Settings) || len(m.Files) != len(held) {
			t.Errorf("%+v is a backup", m)
		}
		for _, f := range m.Files {
			if digest := sha256.Sum256(held[f.Name].Bytes()); f.SHA256 != hex.EncodeToString(digest[:]) {
				t.Errorf("%s is another", f.Name)
			}
		}
	})
}

// memory holds files by name.
type memory map[string]*bytes.Buffer

func (m memory) create(name string) (file, error) {
	if m[name] != nil {
		return nil, os.ErrExist
	}
	m[name] = &bytes.Buffer{}
	return unsynced{m[name]}, nil
}

type unsynced struct{ *bytes.Buffer }

func (unsynced) Sync() error  { return nil }
func (unsynced) Close() error { return nil }
