package bolt

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
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

func TestALevelThatCannotBeIsDamage(t *testing.T) {
	for _, r := range []registry.Record{
		{State: registry.Reserved, Level: registry.LevelT},
		{State: registry.Sealed, Digest: strings.Repeat("ab", 32), Level: registry.LevelLTA + 1},
		{State: registry.Sealed, Digest: strings.Repeat("ab", 32), Level: 255},
	} {
		b, err := encodeRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodeRecord(1, b); !errors.Is(err, errDamaged) {
			t.Errorf("%s at %v gives %+v, %v", r.State, r.Level, got, err)
		}
	}
}

// uproot takes away the tree of the log.
func uproot(t *tx) error {
	return errors.Join(t.DeleteBucket([]byte(bucketTree)), t.remove(bucketMeta, []byte(metaLogKey)), t.remove(bucketMeta, []byte(metaLogEdge)))
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
	for name, key := range map[string][]byte{
		"of another level": levelKey(registry.LevelLT, 1), "of no record": levelKey(registry.LevelLT, 99),
		"of a reserved one": levelKey(registry.LevelLT, 3), "too short": levelKey(registry.LevelLT, 1<<56)[:8],
	} {
		t.Run(name, func(t *testing.T) {
			s, r, _ := newStore(t)
			someOfEverything(t, r)
			change(t, s, func(t *tx) error { return t.put(bucketLevels, key, nil) })
			if page, err := r.AtLevel(t.Context(), registry.LevelLT, 0, 5); !errors.Is(err, errDamaged) || len(page) > 0 {
				t.Errorf("%v, %v, want errDamaged", page, err)
			}
		})
	}
}

// BenchmarkExtend1000 extends 1000 seals of 45 kB, one commit of two fsyncs.
func BenchmarkExtend1000(b *testing.B) {
	const n = 1000
	_, r, _ := newStore(b)
	body := text45k()
	recs := reserveSome(b, r, 0, n)
	sealings, extensions := make([]registry.Sealing, n), make([]registry.Extension, n)
	for i, rec := range recs {
		sealings[i] = registry.Sealing{Seq: rec.Seq, Sealed: body}
		extensions[i] = registry.Extension{Seq: rec.Seq, Sealed: body}
	}
	if err := r.Complete(b.Context(), sealings, at); err != nil {
		b.Fatal(err)
	}
	before := digestOf(string(body))
	b.ResetTimer()
	for i := range b.N {
		longer := append(bytes.Clone(body), fmt.Sprint(i)...)
		for j := range extensions {
			extensions[j].Before, extensions[j].Sealed, extensions[j].Level = before, longer, min(registry.Level(i+1), registry.LevelLTA)
		}
		if err := r.Extend(b.Context(), extensions, at); err != nil {
			b.Fatal(err)
		}
		before = digestOf(string(longer))
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "records/s")
}
