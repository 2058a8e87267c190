package main

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
	"time"

	"attesta/auditlog"
)

// FuzzLogFolder: whatever stands in the entries of an export, only those of the
// checkpoint pass, written as this program writes them.
func FuzzLogFolder(f *testing.F) {
	key := auditlog.Key(sha256.Sum256([]byte("salts")))
	var tree auditlog.Edge
	var text []byte
	var was auditlog.Checkpoint
	for seq := range uint64(5) {
		leaf, _ := key.Open(auditlog.Event{Seq: seq + 1, At: time.Unix(int64(seq), 0), Kind: "seal", What: "x"})
		tree.Append(leaf.Hash())
		text = append(text, leaf.Text()...)
		if seq == 2 {
			was = auditlog.Checkpoint{Size: tree.Size(), Root: tree.Root()}
		}
	}
	said := auditlog.Checkpoint{Size: tree.Size(), Root: tree.Root()}
	dir := f.TempDir()
	judge := func(tb testing.TB, data []byte) error {
		if err := os.WriteFile(filepath.Join(dir, "1-5"), data, 0o600); err != nil {
			tb.Fatal(err)
		}
		return readLogFolder(dir, said, was)
	}
	if err := judge(f, text); err != nil {
		f.Fatal(err)
	}
	other := was
	other.Root[0] ^= 1
	if err := readLogFolder(dir, said, other); err == nil {
		f.Fatal("it grew from a log that it does not begin with")
	}
	f.Add(text)
	f.Add(text[:len(text)-1])
	f.Add(append(text[:0:0], text[len(text)/5:]...))
	f.Add([]byte("\n\n\n\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		err := judge(t, data)
		if same := string(data) == string(text); (err == nil) != same {
			t.Fatalf("%q: %v", data, err)
		}
	})
}

// FuzzManifest: no manifest leads out of the folder (F1).
func FuzzManifest(f *testing.F) {
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o600); err != nil {
		f.Fatal(err)
	}
	inside := filepath.Join(dir, "copy")
	if err := os.Mkdir(inside, 0o700); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(inside, "list"), []byte("list"), 0o600); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"format":"attesta-export-1","public_url":"https://x.example","files":[{"path":"/l","name":"list"},{"path":"/s","name":"../secret"}]}`))
	f.Add([]byte(`{"format":"attesta-export-1","files":[{"path":"","name":"/etc/passwd"}]}`))
	f.Add([]byte(`{"format":"attesta-export-2"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(filepath.Join(inside, manifestName), data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := openCopy(inside)
		if err != nil {
			return
		}
		for address := range s.names {
			if got, err := s.Fetch(t.Context(), address, nil); err == nil && string(got) != "list" && string(got) != string(data) {
				t.Fatalf("%q leads to %q", address, got)
			}
		}
	})
}
