package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"attesta/registry"
)

// testLeaf is a leaf as it is stored: raw goes before entries.
type testLeaf struct {
	key     []byte
	entries []indexEntry
	raw     []byte
}

func leavesOf(t *tx, index string) (out []testLeaf, err error) {
	err = t.scan(index, nil, nil, func(k, v []byte) (bool, error) {
		entries, err := decodeLeaf(bytes.Clone(v))
		out = append(out, testLeaf{key: bytes.Clone(k), entries: entries})
		return true, err
	})
	return out, err
}

// editLeaves writes the leaves of an index anew, with good checksums.
func editLeaves(t *tx, index string, edit func([]testLeaf) []testLeaf) error {
	leaves, err := leavesOf(t, index)
	if err != nil {
		return err
	}
	for _, l := range leaves {
		if err := t.remove(index, l.key); err != nil {
			return err
		}
	}
	for _, l := range edit(leaves) {
		if l.raw == nil {
			l.raw = []byte{}
			for _, e := range l.entries {
				l.raw = appendEntry(l.raw, e)
			}
		}
		if err := t.put(index, l.key, roomy(l.raw)); err != nil {
			return err
		}
	}
	return nil
}

// T4: an index whose leaves are not as they must be is named by Check, whatever
// their checksums say, and changes nothing of what it finds into something else.
func TestCheckNamesEveryFaultOfALeaf(t *testing.T) {
	flat := func(l testLeaf) (raw []byte) {
		for _, e := range l.entries {
			raw = appendEntry(raw, e)
		}
		return raw
	}
	for name, fault := range map[string]struct {
		edit func([]testLeaf) []testLeaf
		says string
	}{
		"two entries lead to each other's record": {func(l []testLeaf) []testLeaf {
			l[1].entries[3].seq, l[1].entries[4].seq = l[1].entries[4].seq, l[1].entries[3].seq
			return l
		}, "its entry in handles leads to"},
		"two entries in the other order": {func(l []testLeaf) []testLeaf {
			l[1].entries[3], l[1].entries[4] = l[1].entries[4], l[1].entries[3]
			return l
		}, "decoding a leaf:"},
		"an entry in the leaf before": {func(l []testLeaf) []testLeaf {
			l[0].entries = append(l[0].entries, l[1].entries[0])
			l[1].entries = l[1].entries[1:]
			return l
		}, "it stands elsewhere"},
		"an entry in the leaf after": {func(l []testLeaf) []testLeaf {
			last := len(l[0].entries) - 1
			l[1].entries = slices.Insert(l[1].entries, 0, l[0].entries[last])
			l[0].entries = l[0].entries[:last]
			return l
		}, "it stands elsewhere"},
		"an entry of a leaf at the end of another": {func(l []testLeaf) []testLeaf {
			last := len(l[1].entries) - 1
			l[0].entries = append(l[0].entries, l[1].entries[last])
			l[1].entries = l[1].entries[:last]
			return l
		}, " follows "},
		"an entry twice": {func(l []testLeaf) []testLeaf {
			l[1].entries = slices.Insert(l[1].entries, 3, l[1].entries[3])
			return l
		}, "decoding a leaf:"},
		"an entry in two leaves": {func(l []testLeaf) []testLeaf {
			l[0].entries = append(l[0].entries, l[1].entries[0])
			return l
		}, " follows "},
		"an entry too few": {func(l []testLeaf) []testLeaf {
			l[1].entries = slices.Delete(l[1].entries, 3, 4)
			return l
		}, "handles has 399 entries instead of 400"},
		"an entry without a record": {func(l []testLeaf) []testLeaf {
			l[1].entries = slices.Insert(l[1].entries, 4, indexEntry{append(bytes.Clone(l[1].entries[3].key), 0), 7})
			return l
		}, "handles has 401 entries instead of 400"},
		"a leaf under a later key": {func(l []testLeaf) []testLeaf {
			l[1].key = l[1].entries[1].key
			return l
		}, "it stands elsewhere"},
		"a leaf under an earlier key": {func(l []testLeaf) []testLeaf {
			l[1].key[len(l[1].key)-1]--
			return l
		}, "it stands elsewhere"},
		"the first leaf under its first key": {func(l []testLeaf) []testLeaf {
			l[0].key = l[0].entries[0].key
			return l
		}, "it stands elsewhere"},
		"two leaves in each other's place": {func(l []testLeaf) []testLeaf {
			l[0].key, l[1].key = l[1].key, l[0].key
			return l
		}, "it stands elsewhere"},
		"a leaf too few": {func(l []testLeaf) []testLeaf { return slices.Delete(l, 1, 2) }, "entries instead of 400"},
		"no leaf":        {func([]testLeaf) []testLeaf { return nil }, "handles has 0 entries instead of 400"},
		"an empty leaf": {func(l []testLeaf) []testLeaf {
			l[1].entries = nil
			return l
		}, "decoding a leaf of 0 bytes"},
		"one leaf too many, empty": {func(l []testLeaf) []testLeaf {
			return append(l, testLeaf{key: append(bytes.Clone(l[1].entries[3].key), 0)})
		}, "decoding a leaf of 0 bytes"},
		"two leaves in one": {func(l []testLeaf) []testLeaf {
			l[0].entries = append(l[0].entries, l[1].entries...)
			return slices.Delete(l, 1, 2)
		}, "decoding a leaf of "},
		"a leaf cut short": {func(l []testLeaf) []testLeaf {
			raw := flat(l[1])
			l[1].raw = raw[:len(raw)-3]
			return l
		}, "decoding an entry"},
		"a byte after a leaf": {func(l []testLeaf) []testLeaf {
			l[1].raw = append(flat(l[1]), 0)
			return l
		}, "decoding an entry"},
	} {
		t.Run(name, func(t *testing.T) {
			s, r, _ := newStore(t)
			recs := reserveSome(t, r, 0, 400)
			change(t, s, func(t *tx) error { return editLeaves(t, bucketHandles, func(l []testLeaf) []testLeaf { return l }) })
			if err := r.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			change(t, s, func(t *tx) error { return editLeaves(t, bucketHandles, fault.edit) })
			if err := r.Check(t.Context()); !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), fault.says) {
				t.Errorf("Check says %v", err)
			}
			for _, rec := range recs {
				if got, err := r.ByHandle(t.Context(), rec.Handle); err == nil && got.Seq != rec.Seq {
					t.Fatalf("the handle of record %d finds %d", rec.Seq, got.Seq)
				}
			}
			_, _ = r.Reserve(t.Context(), []registry.Intent{anIntent(400)}, at) // must not panic
		})
	}
}

// T4: a byte that changed in a leaf is met by whoever looks into it.
func TestAFlippedByteOfALeafIsMet(t *testing.T) {
	s, r, _ := newStore(t)
	reserveSome(t, r, 0, 3)
	for _, index := range indexes() {
		for n, size := 0, 1; n < size; n++ {
			change(t, s, func(t *tx) error {
				leaves, err := leavesOf(t, index)
				if err != nil {
					return err
				}
				key := leaves[0].entries[0].key
				whole := t.bucket(index).Get(firstLeaf())
				size = len(whole)
				flipped := bytes.Clone(whole)
				flipped[n] ^= 0x10
				if err := t.bucket(index).Put(firstLeaf(), flipped); err != nil {
					return err
				}
				_, looking := t.lookUp(index, key)
				scanning := t.entriesFrom(index, key, func(indexEntry) (bool, error) { return true, nil })
				adding := t.putEntries(index, []indexEntry{{bytes.Repeat([]byte{1}, indexBytes), 9}})
				for _, err := range []error{looking, scanning, adding} {
					if !errors.Is(err, errDamaged) {
						return fmt.Errorf("%s, byte %d: %w, want errDamaged", index, n, err)
					}
				}
				return t.bucket(index).Put(firstLeaf(), bytes.Clone(whole))
			})
		}
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// What is in a leaf that is missing or empty is not taken for what was never
// there, or an award would be issued twice.
func TestALeafThatIsMissingOrEmptyIsMet(t *testing.T) {
	for name, edit := range map[string]func([]testLeaf) []testLeaf{
		"the first is missing": func(l []testLeaf) []testLeaf { return l[1:] },
		"the first is empty": func(l []testLeaf) []testLeaf {
			l[0].entries = nil
			return l
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, r, _ := newStore(t)
			reserveSome(t, r, 0, 400)
			var first indexEntry
			change(t, s, func(t *tx) error {
				return editLeaves(t, bucketAwards, func(l []testLeaf) []testLeaf {
					first = l[0].entries[0]
					return edit(l)
				})
			})
			_, reserving := r.Reserve(t.Context(), []registry.Intent{anIntent(int(first.seq) - 1)}, at)
			adding := s.update(t.Context(), func(t *tx) error { return t.putEntries(bucketAwards, []indexEntry{{first.key, 401}}) })
			for _, err := range []error{reserving, adding} {
				if !errors.Is(err, errDamaged) {
					t.Errorf("%v, want errDamaged", err)
				}
			}
		})
	}
}

// someKey is like another key in most of its bytes, or is not.
func someKey(src *rand.Rand) []byte {
	key := make([]byte, indexBytes+src.IntN(20))
	for n := range key {
		key[n] = byte(src.IntN(3)) * 0x7f
		if n > 2 && src.IntN(4) == 0 {
			key[n] = byte(src.IntN(256))
		}
	}
	return key
}

// Whatever is added in whatever bulks is found, alone and in order, and leaves
// are as they must be.
func TestAnIndexGivesBackWhatItWasGiven(t *testing.T) {
	s, _, _ := newStore(t)
	src := rand.New(rand.NewPCG(7, 8))
	want := map[string]uint64{}
	for _, most := range []int{1, 1, 1, 2, 1, 700, 30, 3, 5000, 200, 1, 90, 4000} {
		bulk := map[string]uint64{}
		for range 1 + src.IntN(most) {
			if key := string(someKey(src)); want[key] == 0 {
				bulk[key] = 1 + src.Uint64N(noSeq-1)
			}
		}
		var entries []indexEntry
		for key, seq := range bulk {
			entries = append(entries, indexEntry{[]byte(key), seq})
		}
		maps.Copy(want, bulk)
		change(t, s, func(t *tx) error { return t.putEntries(bucketClaims, entries) })
	}
	keys := slices.Sorted(maps.Keys(want))
	err := s.view(t.Context(), func(x *tx) error {
		a := newAudit(t.Context(), x)
		for _, index := range indexes() {
			if leaves, err := leavesOf(x, index); err != nil || index == bucketClaims && len(leaves) < len(want)*16/mostLeaf {
				t.Errorf("%s has %d leaves, %v", index, len(leaves), err)
			}
		}
		if n, err := a.readIndex(bucketClaims); err != nil || n != uint64(len(want)) || len(a.faults) > 0 {
			t.Errorf("%d entries instead of %d, %v, %v", n, len(want), err, a.faults)
		}
		for key, seq := range want {
			if got, err := x.lookUp(bucketClaims, []byte(key)); err != nil || got != seq {
				t.Fatalf("%x leads to %d, %v, want %d", key, got, err, seq)
			}
		}
		for range 300 {
			from := someKey(src)
			if got, err := x.lookUp(bucketClaims, from); want[string(from)] == 0 && !errors.Is(err, registry.ErrNotFound) {
				t.Fatalf("%x leads to %d, %v, want ErrNotFound", from, got, err)
			}
			at, _ := slices.BinarySearch(keys, string(from))
			limit := 1 + src.IntN(1000)
			err := x.entriesFrom(bucketClaims, from, func(e indexEntry) (bool, error) {
				if at >= len(keys) || string(e.key) != keys[at] || e.seq != want[keys[at]] {
					return false, fmt.Errorf("from %x: %x leads to %d", from, e.key, e.seq)
				}
				at++
				limit--
				return limit > 0, nil
			})
			if err != nil || limit > 0 && at != len(keys) {
				t.Fatalf("from %x: it ended at %d of %d, %v", from, at, len(keys), err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A key that is taken is refused, wherever it stands, and leaves nothing.
func TestAnEntryTwiceIsAConflict(t *testing.T) {
	s, r, _ := newStore(t)
	reserveSome(t, r, 0, 400)
	var taken [][]byte
	change(t, s, func(t *tx) error {
		return t.entriesFrom(bucketAwards, firstLeaf(), func(e indexEntry) (bool, error) {
			taken = append(taken, bytes.Clone(e.key))
			return true, nil
		})
	})
	other := bytes.Repeat([]byte{0x55}, 12)
	for name, entries := range map[string][]indexEntry{
		"the first":         {{taken[0], 401}},
		"the last":          {{taken[399], 401}},
		"one of many":       {{other, 402}, {taken[200], 401}},
		"twice in one bulk": {{other, 401}, {taken[0][:9], 402}, {other, 400}},
	} {
		err := s.update(t.Context(), func(t *tx) error { return t.putEntries(bucketAwards, entries) })
		if !errors.Is(err, registry.ErrConflict) || err.Error() != "adding record 401: its entry in awards exists: "+registry.ErrConflict.Error() {
			t.Errorf("%s: %v, want ErrConflict", name, err)
		}
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// Claims are read in the order of their index, whatever the pages.
func TestClaimsAreExportedOnceEach(t *testing.T) {
	s, r, _ := newStore(t)
	const n = 500
	reserveSome(t, r, 0, n)
	for _, limit := range []int{1, 37, n, n + 1} {
		seen, last := map[uint64]bool{}, (*registry.Entry)(nil)
		for {
			page, err := s.Export(t.Context(), "claims", last, limit)
			if err != nil {
				t.Fatal(err)
			}
			for i := range page {
				if last != nil && bytes.Compare(page[i].Claim.Hash[:], last.Claim.Hash[:]) <= 0 {
					t.Errorf("%x follows %x", page[i].Claim.Hash, last.Claim.Hash)
				}
				last = &page[i]
				seen[last.Claim.Seq] = true
			}
			if len(page) > limit {
				t.Errorf("%d claims in a page of %d", len(page), limit)
			}
			if len(page) < limit {
				break
			}
		}
		if len(seen) != n {
			t.Errorf("pages of %d: %d claims, want %d", limit, len(seen), n)
		}
	}
}

func TestLookingIntoALeafTakesNoMemory(t *testing.T) {
	leaf, src := []byte{}, rand.New(rand.NewPCG(1, 1))
	var keys []string
	for range 150 {
		keys = append(keys, string(someKey(src)))
	}
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		leaf = appendEntry(leaf, indexEntry{[]byte(key), 100_000})
	}
	last := []byte(keys[len(keys)-1])
	if n := testing.AllocsPerRun(100, func() {
		if _, found, err := seekEntry(leaf, 0, last); !found || err != nil {
			t.Errorf("%x is not there, %v", last, err)
		}
	}); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

func FuzzDecodeLeaf(f *testing.F) {
	src, leaf := rand.New(rand.NewPCG(1, 1)), []byte{}
	for n := range byte(5) {
		leaf = appendEntry(leaf, indexEntry{append([]byte{n}, someKey(src)...), 1 << (8 * n)})
	}
	f.Add(leaf, leaf[1:9])
	f.Add(leaf[:len(leaf)-1], []byte{})
	f.Add([]byte{0, 1}, []byte{0})
	f.Add([]byte{1, 7, 0}, []byte{7})    // to no record
	f.Add([]byte{1, 7}, []byte{8})       // nothing after the key
	f.Add([]byte{1, 7, 0x80}, []byte{8}) // a number that goes on
	f.Add([]byte{1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, []byte{0})
	f.Fuzz(func(t *testing.T, b, key []byte) {
		entries, err := decodeLeaf(b)
		_, found, seeking := seekEntry(b, 0, key)
		more := []indexEntry{{key[:min(len(key), 255)], 9}}
		merged, merging := mergeLeaf(bucketClaims, b, more)
		if _, cutting := cutLeaf(merged); err != nil {
			return // whatever these say
		} else if seeking != nil || cutting != nil {
			t.Fatalf("%v, %v", seeking, cutting)
		}
		var again []byte
		for _, e := range entries {
			again = appendEntry(again, e)
		}
		same, err := decodeLeaf(again)
		if err != nil || len(same) != len(entries) {
			t.Fatalf("%d entries came back as %d, %v", len(entries), len(same), err)
		}
		for n, e := range entries {
			if e.seq == 0 || e.seq >= noSeq {
				t.Errorf("%x leads to %d", e.key, e.seq)
			}
			if !bytes.Equal(same[n].key, e.key) || same[n].seq != e.seq {
				t.Errorf("%x %d came back as %x %d", e.key, e.seq, same[n].key, same[n].seq)
			}
		}
		if found != slices.ContainsFunc(entries, func(e indexEntry) bool { return bytes.Equal(e.key, key) }) {
			t.Errorf("%x is there: %v", key, found)
		}
		if errors.Is(merging, registry.ErrConflict) != found && len(key) > 0 && len(key) < 256 {
			t.Errorf("%x is there: %v, and adding it: %v", key, found, merging)
		}
	})
}
