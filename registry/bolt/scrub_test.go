package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"testing"

	"attesta/registry"
	"attesta/registry/registrytest"
)

// TestFinishErasing cuts an erasure off between its step and the scrubbing of
// the file; what opens the file next is told, and finishes it (R2).
func TestFinishErasing(t *testing.T) {
	s, r, path := newStore(t)
	c := registrytest.Plant(t, r, s, at)
	if due, err := s.Erasing(t.Context()); due || err != nil {
		t.Fatal("before:", due, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.long.RLock() // as a copy does
	go func() {
		for due := false; !due; {
			due, _ = s.Erasing(t.Context())
		}
		cancel()
	}()
	if _, err := r.Erase(ctx, c.Learner.Ref, "operator", at); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	s.long.RUnlock()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	r = registry.New(s, registry.Config{ClaimKey: []byte("a claim key of the tests"), DataKey: []byte("a claim key of the tests")})
	if found := registrytest.Found(read(t, path), c.Traces); len(found) == 0 {
		t.Fatal("there is nothing to finish")
	}
	if err := r.FinishErasing(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := registrytest.Found(read(t, path), c.Traces); len(found) > 0 {
		t.Errorf("still in the file: %v", found)
	}
	if due, err := s.Erasing(t.Context()); due || err != nil {
		t.Error("after:", due, err)
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestScrubBeyondTheEnd makes the file that a kill leaves between the pages of a
// commit and its first page: what was written lies beyond the end (R2).
func TestScrubBeyondTheEnd(t *testing.T) {
	s, r, path := newStore(t)
	if err := r.PutLearners(t.Context(), []registry.Learner{{Ref: "a", GivenName: "A"}}, at); err != nil {
		t.Fatal(err)
	}
	before, mark := read(t, path), read(t, path+MarkEnding)
	c := registrytest.Plant(t, r, s, at)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw := read(t, path)
	copy(raw, before[:end(before)])
	for name, content := range map[string][]byte{path: raw, path + MarkEnding: mark} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if found := registrytest.Found(read(t, path), c.Traces); len(found) == 0 {
		t.Fatal("nothing lies there")
	}
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := registrytest.Found(read(t, path), c.Traces); len(found) > 0 {
		t.Errorf("still in the file: %v", found)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// end is where the pages end that the newer of the first two pages knows of.
func end(raw []byte) (bytes uint64) {
	size := uint64(os.Getpagesize())
	var newest uint64
	for n := range uint64(2) {
		meta := raw[n*size+16:]
		if tx := binary.NativeEndian.Uint64(meta[48:]); tx >= newest {
			newest, bytes = tx, binary.NativeEndian.Uint64(meta[40:])*size
		}
	}
	return bytes
}

// What documents share and is gone is no document that was not there (B9).
func TestSharedMissing(t *testing.T) {
	s, r, _ := newStore(t)
	shared := bytes.Repeat([]byte("what is shared "), 40)
	in := anIntent(1)
	in.Body, in.Shared = append(bytes.Clone(shared), 'x'), shared
	got, err := r.Reserve(t.Context(), []registry.Intent{in}, at)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Complete(t.Context(), []registry.Sealing{{Seq: got[0].Record.Seq, Sealed: in.Body, Shared: shared}}, at); err != nil {
		t.Fatal(err)
	}
	change(t, s, func(t *tx) error {
		var keys [][]byte
		_ = t.scan(bucketShared, nil, nil, func(k, _ []byte) (bool, error) { keys = append(keys, bytes.Clone(k)); return true, nil })
		for _, k := range keys {
			if err := t.remove(bucketShared, k); err != nil {
				return err
			}
		}
		return nil
	})
	if err := r.Check(t.Context()); err == nil {
		t.Error("Check does not see it")
	}
	fresh := registry.New(s, registry.Config{ClaimKey: []byte("a claim key of the tests"), DataKey: []byte("a claim key of the tests")})
	_, err = fresh.SealedBytes(t.Context(), 1)
	if err == nil || errors.Is(err, registry.ErrNotFound) {
		t.Errorf("reading says: %v", err)
	}
}
