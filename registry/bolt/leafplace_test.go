package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"attesta/registry"
)

// T4: a leaf whose own place changed is not passed by: what is in it would be
// taken for what was never there.
func TestALeafUnderAnotherKeyIsMet(t *testing.T) {
	for _, up := range []bool{true, false} {
		t.Run(fmt.Sprint("up ", up), func(t *testing.T) {
			s, r, _ := newStore(t)
			reserveSome(t, r, 0, 400)
			var moved indexEntry
			change(t, s, func(t *tx) error {
				leaves, err := leavesOf(t, bucketAwards)
				if err != nil {
					return err
				}
				k, to := leaves[1].key, bytes.Clone(leaves[1].entries[9].key)
				moved = leaves[1].entries[0]
				if !up {
					to, moved = bytes.Clone(leaves[0].entries[9].key), leaves[0].entries[20]
				}
				whole := bytes.Clone(t.bucket(bucketAwards).Get(k))
				return errors.Join(t.remove(bucketAwards, k), t.bucket(bucketAwards).Put(to, whole))
			})
			_, reserving := r.Reserve(t.Context(), []registry.Intent{anIntent(int(moved.seq) - 1)}, at)
			adding := s.update(t.Context(), func(t *tx) error { return t.putEntries(bucketAwards, []indexEntry{{moved.key, 401}}) })
			for _, err := range []error{reserving, adding} {
				if !errors.Is(err, errDamaged) {
					t.Errorf("%v, want errDamaged", err)
				}
			}
		})
	}
}

// T4: a key that changed in a page that leads to others has no checksum: what is
// sought elsewhere because of it is not taken for what was never there.
func TestAFlippedKeyOfABranchIsMet(t *testing.T) {
	s, r, path := newStore(t)
	reserveSome(t, r, 0, 3000)
	want, leaves := map[string]uint64{}, map[string]bool{}
	change(t, s, func(t *tx) error {
		all, err := leavesOf(t, bucketAwards)
		for _, l := range all {
			leaves[string(l.key)] = true
			for _, e := range l.entries {
				want[string(e.key)] = e.seq
			}
		}
		return err
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	places, met := branchKeys(whole, leaves), 0
	for _, place := range places {
		for _, bit := range []byte{0x01, 0x80} {
			damaged := bytes.Clone(whole)
			damaged[place] ^= bit
			n, err := lookedUp(t, damaged, want)
			if err != nil {
				t.Errorf("byte %d, bit %x: %v", place, bit, err)
			}
			met += n
		}
	}
	if len(places) < 2 || met == 0 {
		t.Errorf("%d keys, met %d times", len(places), met)
	}
}

// branchKeys returns where keys stand in the branch pages of a file of bbolt.
func branchKeys(file []byte, keys map[string]bool) (places []int) {
	const header, elem = 16, 16
	page := os.Getpagesize()
	num := func(at int) int { return int(binary.LittleEndian.Uint32(file[at:])) }
	for p := 0; p < len(file); p += page {
		if binary.LittleEndian.Uint16(file[p+8:]) != 1 {
			continue
		}
		for i := range int(binary.LittleEndian.Uint16(file[p+10:])) {
			e := p + header + elem*i
			begin := e + num(e)
			if end := begin + num(e+4); end <= len(file) && keys[string(file[begin:end])] {
				places = append(places, begin)
			}
		}
	}
	return places
}

// lookedUp looks all awards up in a file that is damaged, and counts those of
// which that is said.
func lookedUp(t *testing.T, file []byte, want map[string]uint64) (met int, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "registry.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := open(path, Options{}, reading)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return met, s.view(t.Context(), func(x *tx) error {
		for key, seq := range want {
			got, err := x.lookUp(bucketAwards, []byte(key))
			if errors.Is(err, errDamaged) {
				met++
			} else if err != nil || got != seq {
				return fmt.Errorf("%x leads to %d, %v, want %d or errDamaged", key, got, err, seq)
			}
		}
		return nil
	})
}

// A leaf is cut into parts that are neither too long nor small, whatever its
// length, and two of the longest fit in a page of bbolt.
func TestALeafIsCutIntoEvenParts(t *testing.T) {
	const longestKey = learnerBytes + 2*5 // two numbers of 32 bits
	if whole := 16 + 2*(16+longestKey+mostLeaf+checksumSize); whole > 4096 {
		t.Errorf("two leaves take %d bytes", whole)
	}
	src, leaf := rand.New(rand.NewPCG(3, 4)), []byte{}
	for n := range uint64(700) {
		leaf = appendEntry(leaf, indexEntry{fmt.Appendf(nil, "%0*d", indexBytes+src.IntN(longestKey-indexBytes+1), n), 1 + src.Uint64N(noSeq-1)})
		parts, err := cutLeaf(bytes.Clone(leaf))
		if err != nil || !bytes.Equal(bytes.Join(parts, nil), leaf) {
			t.Fatalf("%d bytes came back otherwise, %v", len(leaf), err)
		}
		if len(leaf) <= mostLeaf && len(parts) != 1 {
			t.Errorf("%d bytes are cut into %d", len(leaf), len(parts))
		}
		for _, part := range parts {
			if len(parts) > 1 && (len(part) > mostLeaf*3/4+30 || len(part) < mostLeaf/2-30) {
				t.Errorf("%d bytes: a part of %d", len(leaf), len(part))
			}
		}
	}
}

// One that is refused for the last of its entries, among others in one
// transaction, leaves nothing of those before, and the others are whole.
func TestAConflictAmongOthersLeavesNothing(t *testing.T) {
	s, r, _ := newStore(t)
	first := reserveSome(t, r, 0, 400)[0]
	var claim [32]byte
	change(t, s, func(t *tx) error {
		x, err := t.row(first.Seq)
		claim = x.claim
		return err
	})
	const each = 30
	refused, reserved := make([]error, each), make([]error, each)
	var wait sync.WaitGroup
	for n := range each {
		wait.Go(func() {
			in := anIntent(0)
			in.Learner, in.Module = aReference, "m2"
			names := registry.Names{Credential: aCredential, Handle: aReference, ClaimHash: claim, Learner: registry.Person{ID: aReference, New: true}}
			_, refused[n] = s.Reserve(t.Context(), []registry.Intent{in}, []registry.Names{names}, nil, at)
		})
		wait.Go(func() {
			_, reserved[n] = r.Reserve(t.Context(), []registry.Intent{anIntent(400 + 2*n), anIntent(401 + 2*n)}, at)
		})
	}
	wait.Wait()
	for n := range each {
		if reserved[n] != nil || !errors.Is(refused[n], registry.ErrConflict) {
			t.Errorf("%d: %v and %v, want none and ErrConflict", n, reserved[n], refused[n])
		}
	}
	for name, key := range map[string]registry.Key{"credential": {Credential: aCredential}, "handle": {Handle: aReference}} {
		if got, err := s.Find(t.Context(), key); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: %v, %v, want ErrNotFound", name, got, err)
		}
	}
	if got, err := s.Records(t.Context(), registry.Query{Learner: aReference, Limit: 5}); err != nil || len(got) > 0 {
		t.Errorf("%d records, %v", len(got), err)
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// The records of a learner are found without those of the learners after.
func TestALearnerIsFoundWithFewReads(t *testing.T) {
	s, r, _ := newStore(t)
	rec := reserveSome(t, r, 0, 400)[7]
	x, err := s.Find(t.Context(), registry.Key{Seq: rec.Seq})
	if err != nil {
		t.Fatal(err)
	}
	before := s.Stats().Values
	got, err := s.Records(t.Context(), registry.Query{Learner: x.Learner, Limit: 50})
	if err != nil || len(got) != 1 || got[0].Seq != rec.Seq {
		t.Errorf("%v, %v", got, err)
	}
	if n := s.Stats().Values - before; n < 2 || n > 12 {
		t.Errorf("%d values were read", n)
	}
}
