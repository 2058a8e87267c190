package bolt

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"attesta/registry"
	"attesta/status"
)

// dictionary is a names bucket of a test.
type dictionary []string

func (d *dictionary) number(word string) (uint64, error) {
	if word == "" {
		return 0, nil
	}
	if n := slices.Index(*d, word); n >= 0 {
		return uint64(n + 1), nil
	}
	*d = append(*d, word)
	return uint64(len(*d)), nil
}

func (d *dictionary) word(n uint64) (string, error) {
	switch {
	case n == 0:
		return "", nil
	case n > uint64(len(*d)):
		return "", errDamaged
	}
	return (*d)[n-1], nil
}

const (
	aCredential = "urn:credential:00112233-4455-4677-8899-aabbccddeeff"
	aReference  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

func someRows() []row {
	reserved := row{claim: [32]byte{1, 2, 31: 9}, Record: registry.Record{
		Seq: 7, Credential: aCredential, Handle: aReference, Provider: "p", Learner: "l", Module: "m", Version: "v", Edition: "e",
		State: registry.Reserved, List: "x", ReservedAt: at,
	}}
	sealed := reserved
	sealed.State, sealed.Digest, sealed.SealedAt, sealed.Level = registry.Sealed, strings.Repeat("ab", 32), at.Add(time.Second), registry.LevelLTA
	sealed.SealKey = "00112233aabbccdd"
	sealed.Learner, sealed.Index, sealed.Hidden = "77777777777777777777777777", 131071, []byte("hidden")
	revoked := sealed
	revoked.Status, revoked.Reason, revoked.StatusAt = status.Revoked, "other", at.Add(time.Minute)
	reinstated := revoked
	reinstated.Status, reinstated.Learner = status.Valid, "abcdefghijklmnopqrstuvwxyz" // no reference: of another alphabet
	erased := sealed
	erased.State = registry.Erased
	return []row{reserved, sealed, revoked, reinstated, erased}
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	var words dictionary
	for n, r := range someRows() {
		b, err := encodeRow(r, words.number)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodeRow(7, b, words.word); err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("record %d came back as %+v, %v", n, got, err)
		}
		for cut := range len(b) {
			if _, err := decodeRow(7, b[:cut], words.word); !errors.Is(err, errDamaged) {
				t.Errorf("record %d, cut at %d: %v", n, cut, err)
			}
		}
	}
}

// A file may be opened years after it was written: what this layout wrote must
// be read for ever.
func TestTheLayoutIsReadForEver(t *testing.T) {
	words := dictionary{"p", "m", "v", "e", "x", "other", "00112233aabbccdd"}
	var got []string
	for _, r := range someRows()[1:3] {
		b, err := encodeRow(r, words.number)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, hex.EncodeToString(b))
	}
	for _, kind := range []string{"", "reserve", "seal", "extend", "suspend", "reinstate", "revoke", "provider", "module", "learners", "access", "accept", "erase", "key", "backup", "migrate"} {
		got = append(got, hex.EncodeToString(encodeEvent(registry.Event{At: at, Kind: kind, What: aCredential})))
	}
	got = append(got, hex.EncodeToString(encodeEvent(registry.Event{At: at, Kind: "new", What: "m 1", By: "p", Why: "T"})))
	var leaf []byte
	for n, key := range []string{"\x00awards", "award of many", "awards"} {
		leaf = appendEntry(leaf, indexEntry{[]byte(key), 100 << (7 * n)})
	}
	got = append(got, hex.EncodeToString(leaf))
	want, err := os.ReadFile(filepath.Join("testdata", "layout6.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Fields(string(want)), got); d != "" {
		t.Errorf("the layout is another (-want +got):\n%s", d)
	}
}

// Sealing must not make a record grow, or its page would overflow.
func TestSealingNeedsNoRoom(t *testing.T) {
	var words dictionary
	is := someRows()[1]
	was := is
	was.State, was.Digest, was.SealedAt, was.Level = registry.Reserved, "", time.Time{}, registry.LevelB
	was.SealKey = ""
	before, err := encodeRow(was, words.number)
	if err != nil {
		t.Fatal(err)
	}
	if after, err := encodeRow(is, words.number); err != nil || len(after) != len(before) {
		t.Errorf("%d bytes, then %d, %v", len(before), len(after), err)
	}
}

func TestRecordsThatCannotBeAreRefused(t *testing.T) {
	var words dictionary
	for name, edit := range map[string]func(*row){
		"a state":               func(r *row) { r.State = "lost" },
		"a level":               func(r *row) { r.Level = registry.LevelLTA + 1 },
		"a status":              func(r *row) { r.Status = status.Suspended + 1 },
		"a credential":          func(r *row) { r.Credential = "c" },
		"capitals":              func(r *row) { r.Credential = strings.ToUpper(aCredential[:20]) + aCredential[20:] },
		"a handle":              func(r *row) { r.Handle = aReference[1:] },
		"a handle not base32":   func(r *row) { r.Handle = "1" + aReference[1:] },
		"half a digest":         func(r *row) { r.Digest = r.Digest[:32] },
		"no digest":             func(r *row) { r.Digest = "" },
		"reserved and a digest": func(r *row) { r.State = registry.Reserved },
	} {
		r := someRows()[1]
		edit(&r)
		if b, err := encodeRow(r, words.number); err == nil {
			t.Errorf("%s: written as %x", name, b)
		}
	}
	good, err := encodeRow(someRows()[1], words.number)
	if err != nil {
		t.Fatal(err)
	}
	for name, first := range map[string]byte{
		"of a fourth state": 3, "of a fourth status": 1 | 3<<statusBits, "reserved at a level": 1 << levelBits, "reserved with a digest": 0,
	} {
		b := bytes.Clone(good)
		b[0] = first | rawLearner
		if r, err := decodeRow(7, b, words.word); !errors.Is(err, errDamaged) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestReferencesComeBack(t *testing.T) {
	for _, s := range []string{strings.Repeat("A", 26), strings.Repeat("7", 26), aReference, "", "A", aReference + "A", "a" + aReference[1:], "=" + aReference[1:], "\n" + aReference[1:]} {
		raw, ok := rawReference(s)
		want := len(s) == 26 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
		if ok != want {
			t.Errorf("%q is a reference: %v", s, ok)
		}
		if d := (decoder{b: raw}); ok && (d.reference() != s || d.end() != nil) {
			t.Errorf("%q came back otherwise", s)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	words := dictionary{"p", "m", "v", "e", "x", "other"}
	for _, r := range someRows() {
		b, err := encodeRow(r, words.number)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 200))
	f.Fuzz(func(t *testing.T, b []byte) {
		words := slices.Clone(words)
		r, err := decodeRow(1, b, words.word)
		if err != nil {
			return
		}
		again, err := encodeRow(r, words.number)
		if err != nil {
			t.Fatal(err)
		}
		if r2, err := decodeRow(1, again, words.word); err != nil || !reflect.DeepEqual(r, r2) {
			t.Errorf("%+v came back as %+v, %v", r, r2, err)
		}
	})
}

func FuzzDecodeEvent(f *testing.F) {
	for _, kind := range append(kinds(), "another") {
		f.Add(encodeEvent(registry.Event{At: at, Kind: kind, What: aCredential, By: "operator", Why: "other"}))
	}
	f.Add(encodeEvent(registry.Event{What: "m 1"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		ev, err := decodeEvent(3, b)
		if err != nil {
			return
		}
		if again, err := decodeEvent(3, encodeEvent(ev)); err != nil || again != ev {
			t.Errorf("%+v came back as %+v, %v", ev, again, err)
		}
	})
}

func FuzzDecodePage(f *testing.F) {
	f.Add(seqKey(1), []byte{1, 1, 200, 1})
	f.Add(seqKey(noSeq-2), []byte{1})
	f.Add([]byte{}, bytes.Repeat([]byte{1}, 200))
	f.Fuzz(func(t *testing.T, first, rest []byte) {
		seqs, err := decodePage(first, rest)
		if err != nil {
			return
		}
		if len(seqs) > pageSeqs || seqs[len(seqs)-1] >= noSeq && len(seqs) > 1 {
			t.Errorf("%d records up to %d", len(seqs), seqs[len(seqs)-1])
		}
		for n := 1; n < len(seqs); n++ {
			if seqs[n] <= seqs[n-1] {
				t.Fatalf("%d follows %d", seqs[n], seqs[n-1])
			}
		}
	})
}

func FuzzDecodeBlock(f *testing.F) {
	f.Add(blockKey(registry.LevelT, 5000), bytes.Repeat([]byte{0x81}, blockBytes))
	f.Add([]byte{9, 0, 0, 0, 0}, make([]byte, blockBytes))
	f.Fuzz(func(t *testing.T, k, v []byte) {
		l, seqs, err := decodeBlock(k, v)
		if err != nil {
			return
		}
		again := make([]byte, blockBytes)
		for _, seq := range seqs {
			if !bytes.Equal(blockKey(l, seq), k) {
				t.Fatalf("record %d is in another block", seq)
			}
			again[seq%levelBlock/8] |= 1 << (seq % 8)
		}
		if !bytes.Equal(again, v) {
			t.Error("the block came back otherwise")
		}
	})
}

func FuzzDecodeSmall(f *testing.F) {
	f.Add(encodeCounts(registry.Counts{Reserved: 1, Sealed: 300}))
	f.Add(encodeAccess(registry.Access{Kind: registry.Session, By: "Ada", Expires: at}))
	f.Add(encodeList(&list{provider: "p", house: registry.House{Sealer: "s", LegalID: "VATIT-1"}, next: 9, version: 300}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := decodeCounts(b); err == nil {
			if again, err := decodeCounts(encodeCounts(c)); err != nil || again != c {
				t.Errorf("%+v came back as %+v, %v", c, again, err)
			}
		}
		if a, err := decodeAccess(b); err == nil {
			if again, err := decodeAccess(encodeAccess(a)); err != nil || again != a {
				t.Errorf("%+v came back as %+v, %v", a, again, err)
			}
		}
		if l, err := decodeList("id", b); err == nil {
			if again, err := decodeList("id", encodeList(l)); err != nil || *again != *l {
				t.Errorf("%+v came back as %+v, %v", l, again, err)
			}
		}
		if p, err := decodePerson(aReference, b); err == nil {
			if again, err := decodePerson(aReference, encodePerson(p)); err != nil || !reflect.DeepEqual(again, p) {
				t.Errorf("%+v came back as %+v, %v", p, again, err)
			}
		}
		_, _ = untuple(b, 2)
	})
}
