package bolt_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"attesta/registry"
	"attesta/registry/bolt"
)

// T4: whatever a page holds, Verify ends with a diagnosis, and never with a
// panic or a fault of memory. What it does not name is harmless: a free page,
// or the older of the two first pages.
func TestVerifyNamesEveryDamage(t *testing.T) {
	s, path := create(t)
	recs := fill(t, registry.New(s, registry.Config{ClaimKey: testKey, DataKey: testKey}), 24)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := bolt.Verify(t.Context(), path, bolt.Options{}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	src := rand.NewChaCha8([32]byte{7})
	random := func(b []byte) { _, _ = src.Read(b) }
	kinds := []func(page []byte){
		func(b []byte) { random(b[:16]) },    // the header
		func(b []byte) { random(b[16:128]) }, // the table of its entries
		func(b []byte) { n := 512 * int(src.Uint64()%8); random(b[n : n+512]) },
		random,
		func(b []byte) { clear(b) },
		func(b []byte) { copy(b, bytes.Repeat([]byte{0xff}, len(b))) },
		func(b []byte) { b[src.Uint64()%4096] ^= 1 << (src.Uint64() % 8) },
		func(b []byte) { n := 4096 * int(src.Uint64()%uint64(len(whole)/4096)); copy(b, whole[n:n+4096]) }, // another page
	}
	named, harmless := 0, 0
	damagedPath := filepath.Join(t.TempDir(), "damaged.db")
	for _, damage := range kinds {
		for at := 0; at+4096 <= len(whole); at += 4096 {
			b := bytes.Clone(whole)
			damage(b[at : at+4096])
			if err := os.WriteFile(damagedPath, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := bolt.Verify(t.Context(), damagedPath, bolt.Options{}); err != nil {
				named++
				continue
			}
			harmless++
			served(t, damagedPath, recs)
		}
	}
	t.Logf("%d damages: %d named, %d harmless", named+harmless, named, harmless)
	if named < 200 { // most pages of so small a file are free
		t.Errorf("only %d of %d damages were named", named, named+harmless)
	}
}

// served holds a file that is called whole to its word.
func served(t *testing.T, path string, recs []registry.Record) {
	t.Helper()
	if _, err := bolt.Accept(path, "operator", testAt, bolt.Options{}); err != nil {
		t.Errorf("a file that was called whole: %v", err)
		return
	}
	defer func() { _ = os.Remove(path + bolt.MarkEnding) }()
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Errorf("a file that was called whole: %v", err)
		return
	}
	r := registry.New(s, registry.Config{ClaimKey: testKey, DataKey: testKey})
	defer func() { _ = r.Close() }()
	for _, rec := range recs {
		if b, err := r.SealedBytes(t.Context(), rec.Seq); err != nil || !bytes.Equal(b, document(rec.Seq)) {
			t.Errorf("a file that was called whole: record %d: %v", rec.Seq, errors.Join(err))
		}
	}
}
