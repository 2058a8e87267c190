package bolt

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"reflect"
	"testing"

	"attesta/registry"
)

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func seqsAt(t testing.TB, r *registry.Registry, l registry.Level) []uint64 {
	t.Helper()
	page, err := r.AtLevel(t.Context(), l, 0, 500)
	if err != nil {
		t.Fatal(err)
	}
	var out []uint64
	for _, rec := range page {
		out = append(out, rec.Seq)
	}
	return out
}

func TestAnErasedRecordIsNeitherExtendedNorListed(t *testing.T) {
	_, r, _ := newStore(t)
	someOfEverything(t, r)
	one, err := r.Find(t.Context(), registry.Key{Seq: 1})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.Erase(t.Context(), one.Learner, "operator", at); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	for _, text := range []string{"one", "other"} { // the bytes that it had, too
		x := registry.Extension{Seq: 1, Before: digestOf("one"), Sealed: []byte(text), Level: registry.LevelT}
		good := registry.Extension{Seq: 2, Before: digestOf("two, stamped"), Sealed: []byte("two again"), Level: registry.LevelT}
		if err := r.Extend(t.Context(), []registry.Extension{good, x}, at); !errors.Is(err, registry.ErrConflict) {
			t.Errorf("%v, want ErrConflict", err)
		}
	}
	if b, lt := seqsAt(t, r, registry.LevelB), seqsAt(t, r, registry.LevelT); len(b) != 0 || !reflect.DeepEqual(lt, []uint64{2}) {
		t.Errorf("at level B are %v, at T %v", b, lt)
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// An index that is wrong gives an error, never a record of another level.
func TestADamagedIndexOfLevelsIsNotServed(t *testing.T) {
	block := func(seq uint64) []byte {
		b := make([]byte, blockBytes)
		b[seq/8] |= 1 << (seq % 8)
		return b
	}
	for name, c := range map[string]struct{ key, value []byte }{
		"of another level":  {blockKey(registry.LevelLT, 1), block(1)},
		"of no record":      {blockKey(registry.LevelLT, 1), block(99)},
		"of a reserved one": {blockKey(registry.LevelLT, 1), block(3)},
		"too short":         {blockKey(registry.LevelLT, 1), block(1)[:9]},
		"of a long key":     {append(blockKey(registry.LevelLT, 1), 1), block(1)},
	} {
		t.Run(name, func(t *testing.T) {
			s, r, _ := newStore(t)
			someOfEverything(t, r)
			change(t, s, func(t *tx) error { return t.put(bucketLevels, c.key, c.value) })
			if page, err := r.AtLevel(t.Context(), registry.LevelLT, 0, 5); !errors.Is(err, errDamaged) || len(page) > 0 {
				t.Errorf("%v, %v, want errDamaged", page, err)
			}
		})
	}
}
