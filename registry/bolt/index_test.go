package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"attesta/registry"
)

// What the key of an index has cut off is compared all the same: whoever knows
// the beginning of a reference knows nothing.
func TestAReferenceIsComparedWhole(t *testing.T) {
	s, r, _ := newStore(t)
	rec := reserveSome(t, r, 0, 2)[1]
	token := r.ClaimToken(rec.Credential)
	if got, err := r.ByClaim(t.Context(), token); err != nil || got.Seq != rec.Seq {
		t.Fatalf("%v, %v", got, err)
	}
	var claim [32]byte
	err := s.view(t.Context(), func(t *tx) error {
		r, err := t.row(rec.Seq)
		claim = r.claim
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	other := claim
	other[31] ^= 1
	last := func(s string, to ...string) string {
		if strings.HasSuffix(s, to[0]) {
			return s[:len(s)-1] + to[1]
		}
		return s[:len(s)-1] + to[0]
	}
	for name, key := range map[string]registry.Key{
		"credential": {Credential: last(rec.Credential, "0", "1")},
		"handle":     {Handle: last(rec.Handle, "A", "B")},
		"claim":      {ClaimHash: other},
		"shapeless":  {Credential: "c"},
		"short":      {Handle: rec.Handle[:25]},
		"far":        {Seq: 1<<63 - 1},
		"farther":    {Seq: noSeq},
	} {
		if got, err := s.Find(t.Context(), key); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: %v, %v, want ErrNotFound", name, got, err)
		}
	}
	for name, key := range map[string]registry.Key{"credential": {Credential: rec.Credential}, "handle": {Handle: rec.Handle}, "claim": {ClaimHash: claim}} {
		if got, err := s.Find(t.Context(), key); err != nil || got.Seq != rec.Seq {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	// A new reference that begins like another is refused, and may be made anew.
	for name, n := range map[string]registry.Names{
		"credential": {Credential: last(rec.Credential, "0", "1"), Handle: aReference, ClaimHash: [32]byte{1}},
		"handle":     {Credential: aCredential, Handle: last(rec.Handle, "A", "B"), ClaimHash: [32]byte{1}},
		"claim":      {Credential: aCredential, Handle: aReference, ClaimHash: other},
	} {
		in := anIntent(9)
		in.Learner, n.Learner = aReference, registry.Person{ID: aReference, New: true}
		if _, err := s.Reserve(t.Context(), []registry.Intent{in}, []registry.Names{n}, nil, at); !errors.Is(err, registry.ErrConflict) {
			t.Errorf("%s: %v, want ErrConflict", name, err)
		}
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// An index that leads elsewhere gives an error, never another record.
func TestAnIndexThatLeadsElsewhereIsNotServed(t *testing.T) {
	for _, bucket := range indexes() {
		for name, seq := range map[string]uint64{"to another": 2, "nowhere": 99, "to none": 0, "beyond all": noSeq} {
			t.Run(bucket+" "+name, func(t *testing.T) {
				s, r, _ := newStore(t)
				rec := reserveSome(t, r, 0, 3)[0]
				var claim [32]byte
				change(t, s, func(t *tx) error {
					r, err := t.row(1)
					if err != nil {
						return err
					}
					claim = r.claim
					key, err := t.lead(bucket, r)
					if err != nil {
						return err
					}
					return editLeaves(t, bucket, func(leaves []testLeaf) []testLeaf {
						for n, e := range leaves[0].entries {
							if bytes.Equal(e.key, key) {
								leaves[0].entries[n].seq = seq
							}
						}
						return leaves
					})
				})
				var err error
				switch bucket {
				case bucketAwards:
					_, err = r.Reserve(t.Context(), []registry.Intent{anIntent(0)}, at)
				case bucketCredentials:
					_, err = r.ByCredential(t.Context(), rec.Credential)
				case bucketHandles:
					_, err = r.ByHandle(t.Context(), rec.Handle)
				case bucketClaims:
					_, err = s.Find(t.Context(), registry.Key{ClaimHash: claim})
				}
				if !errors.Is(err, errDamaged) {
					t.Errorf("%v, want errDamaged", err)
				}
				if err := r.Check(t.Context()); !errors.Is(err, errDamaged) {
					t.Errorf("Check says %v", err)
				}
			})
		}
	}
}

// Every selection gives what reading all would, page by page, however its seqs
// were added.
func TestSelectionsGiveWhatReadingAllWould(t *testing.T) {
	s, r, _ := newStore(t)
	src := rand.New(rand.NewPCG(1, 2))
	var all []registry.Record
	for n := 0; n < 1500; {
		var in []registry.Intent
		for range 1 + src.IntN(300) {
			x := anIntent(n % 400)
			x.Provider = fmt.Sprint("p", src.IntN(3))
			x.Module = x.Provider + fmt.Sprint("m", src.IntN(3))
			x.Edition = fmt.Sprint("e", n/400, src.IntN(2))
			n++
			in = append(in, x)
		}
		got, err := r.Reserve(t.Context(), in, at)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range got {
			if !g.Existing {
				g.Record.Body = nil
				all = append(all, g.Record)
			}
		}
	}
	slices.Reverse(all)
	words := []string{"", "p1", "p1m1", "p2m0", "e01", "e10", "unknown"}
	for _, provider := range words[:2] {
		for _, module := range []string{"", "p1m1", "p2m0", "unknown"} {
			for _, edition := range []string{"", "e01", "e10", "unknown"} {
				for _, learner := range []string{"", "l7", "unknown"} {
					q := registry.Query{Provider: provider, Module: module, Edition: edition, Learner: learner, Limit: 37}
					var want, got []registry.Record
					for _, x := range all {
						if matches(q, x) {
							want = append(want, x)
						}
					}
					for {
						page, err := r.Records(t.Context(), q)
						if err != nil {
							t.Fatal(err)
						}
						got = append(got, page...)
						if len(page) < q.Limit {
							break
						}
						q.Before = page[len(page)-1].Seq
					}
					if !reflect.DeepEqual(got, want) {
						t.Errorf("%+v gives %d records, want %d", q, len(got), len(want))
					}
				}
			}
		}
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
	// One by one they fill the same pages.
	before := sizes(t, s)[bucketPages].entries
	for n := range 2 * pageSeqs {
		x := anIntent(n)
		x.Provider, x.Module, x.Edition = "one", "by", "one"
		if _, err := r.Reserve(t.Context(), []registry.Intent{x}, at); err != nil {
			t.Fatal(err)
		}
	}
	if got := sizes(t, s)[bucketPages].entries - before; got != 2*5 {
		t.Errorf("%d pages for %d records in 5 selections", got, 2*pageSeqs)
	}
}

// A word has one number for ever, also when the step that gave it failed.
func TestANumberIsOfOneWord(t *testing.T) {
	s, r, path := newStore(t)
	fails := errors.New("fails")
	for n := range 50 {
		err := s.update(t.Context(), func(t *tx) error {
			if _, err := t.number(fmt.Sprint("word ", n)); err != nil {
				return err
			}
			if n%3 == 0 {
				return fails
			}
			return nil
		})
		if (err != nil) != (n%3 == 0) {
			t.Fatal(err)
		}
	}
	reserveSome(t, r, 0, 3)
	if err := errors.Join(r.Check(t.Context()), s.Close()); err != nil {
		t.Fatal(err)
	}
	s, r = reopen(t, path)
	seen := map[uint64]bool{0: true}
	err := s.view(t.Context(), func(x *tx) error {
		for n := range 50 {
			number, err := x.known(fmt.Sprint("word ", n))
			if n%3 == 0 {
				if !errors.Is(err, registry.ErrNotFound) {
					t.Errorf("word %d: %d, %v", n, number, err)
				}
				continue
			}
			if word, err2 := x.word(number); err != nil || err2 != nil || word != fmt.Sprint("word ", n) || seen[number] {
				t.Errorf("word %d has the number %d, which is of %q, %v, %v", n, number, word, err, err2)
			}
			seen[number] = true
		}
		for _, n := range []uint64{1 << 20, 1 << 32, 1<<32 + 1} {
			if word, err := x.word(n); !errors.Is(err, errDamaged) {
				t.Errorf("number %d is of %q, %v", n, word, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	reserveSome(t, r, 3, 6)
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// Numbers beyond those that a file can have are beyond the end.
func TestNumbersBeyondTheEnd(t *testing.T) {
	_, r, _ := newStore(t)
	someOfEverything(t, r)
	for _, n := range []uint64{noSeq - 1, noSeq, 1 << 41, 1<<63 - 1} {
		events, err1 := r.Events(t.Context(), n, 5)
		open, err2 := r.Unfinished(t.Context(), n, 5)
		level, err3 := r.AtLevel(t.Context(), registry.LevelB, n, 5)
		page, err4 := r.Records(t.Context(), registry.Query{Before: n, Limit: 5})
		mine, err5 := r.Records(t.Context(), registry.Query{Provider: "p", Before: n, Limit: 5})
		if err := errors.Join(err1, err2, err3, err4, err5); err != nil || len(events)+len(open)+len(level) > 0 || len(page) != 4 || len(mine) != 4 {
			t.Errorf("%d: %d events, %d open, %d at a level, %d and %d records, %v", n, len(events), len(open), len(level), len(page), len(mine), err)
		}
	}
}

// Who asks for one module of a person pays for no other that the person has.
func TestAModuleOfALearnerIsFoundAlone(t *testing.T) {
	s, r, _ := newStore(t)
	read := func(module string) (found []registry.Record, values uint64) {
		before := s.Stats().Values
		found, err := r.Records(t.Context(), registry.Query{Learner: "l0", Module: module, Limit: registry.MaxLimit})
		if err != nil {
			t.Fatal(err)
		}
		return found, s.Stats().Values - before
	}
	reserve := func(module, edition string) {
		in := anIntent(0)
		in.Module, in.Edition = module, edition
		if _, err := r.Reserve(t.Context(), []registry.Intent{in}, at); err != nil {
			t.Fatal(err)
		}
	}
	reserve("m", "e1")
	_, alone := read("m")
	for n := range 300 { // whose numbers as words take one byte, and two
		reserve(fmt.Sprint("other", n), fmt.Sprint("e", n))
	}
	if found, among := read("m"); len(found) != 1 || found[0].Edition != "e1" || among > alone {
		t.Errorf("%d records, %d values read, and %d before the other modules", len(found), among, alone)
	}
	for _, module := range []string{"other0", "other7", "other299"} {
		if found, _ := read(module); len(found) != 1 || found[0].Module != module {
			t.Errorf("%s: %v", module, found)
		}
	}
	reserve("m", "e2")
	if found, _ := read("m"); len(found) != 2 || found[0].Edition != "e2" {
		t.Errorf("newest first: %v", found)
	}
	if found, _ := read("of nobody"); len(found) != 0 {
		t.Errorf("a module that is not there: %v", found)
	}
}
