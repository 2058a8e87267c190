package bolt

import (
	"bytes"
	"errors"
	"testing"

	"attesta/registry"
	"attesta/status"
)

// S5: a list that others take positions from in the same transaction still has a
// new version after a change of an entry: by its version who publishes it knows
// that it is another.
func TestAChangeBesideAReservationGrowsTheList(t *testing.T) {
	s, r, _ := newStore(t)
	recs := reserveSome(t, r, 0, 3)
	for _, rec := range recs {
		if err := r.Complete(t.Context(), []registry.Sealing{{Seq: rec.Seq, Sealed: []byte("x")}}, at); err != nil {
			t.Fatal(err)
		}
	}
	version := func() uint64 {
		l, err := r.List(t.Context(), recs[0].List)
		if err != nil {
			t.Fatal(err)
		}
		return l.Version
	}
	for n, reserveFirst := range []bool{true, false} {
		before := version()
		c := registry.Change{Credential: recs[n].Credential, To: status.Revoked, Reason: "other", By: "operator"}
		change(t, s, func(x *tx) error {
			take := func() error { _, err := s.openList(x, "p", registry.House{}); return err }
			act := func() error { _, err := x.act(c, at); return err }
			steps := []func() error{act, take}
			if reserveFirst {
				steps = []func() error{take, act}
			}
			for _, step := range steps {
				if err := step(); err != nil {
					return err
				}
			}
			return nil
		})
		if now := version(); now <= before {
			t.Errorf("reserved first: %v; the version went from %d to %d", reserveFirst, before, now)
		}
	}
}

// FuzzDecodeEntries: what a block says is in order, and says the same when it is
// written and read again.
func FuzzDecodeEntries(f *testing.F) {
	some := make([]byte, entryBytes)
	some[0], some[7], some[255] = 0b10_01_00_10, 1, 2<<6
	f.Add([]byte{0, 1}, some)
	f.Add([]byte{0, 127}, some)
	f.Add([]byte{0, 128}, some)
	f.Add([]byte{0}, some)
	f.Add([]byte{0, 1}, bytes.Repeat([]byte{3}, entryBytes))
	f.Fuzz(func(t *testing.T, number, b []byte) {
		entries, err := decodeEntries(number, b)
		if err != nil {
			if !errors.Is(err, errDamaged) {
				t.Fatal(err)
			}
			return
		}
		again := make([]byte, entryBytes)
		for n, e := range entries {
			if e.Index >= registry.ListSize || e.Value == status.Valid || e.Value > status.Suspended || n > 0 && e.Index <= entries[n-1].Index || entryBits(b, e.Index) != e.Value {
				t.Fatalf("entry %d is %+v", n, e)
			}
			again[e.Index%entriesEach/4] |= byte(e.Value) << (e.Index % 4 * 2)
		}
		if !bytes.Equal(again, b) {
			t.Errorf("%x came back as %x", b, again)
		}
	})
}
