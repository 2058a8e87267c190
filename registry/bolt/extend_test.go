package bolt

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"attesta/registry"
	"attesta/status"
)

func digestOf(s *Store, text string) string { return s.parcel([]byte(text)).digest }

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

// asLayout1 is a record as the first layout had it: without the level.
func asLayout1(r registry.Record) ([]byte, error) {
	b, err := encodeRecord(r)
	if err != nil || b[0] != 2 || b[len(b)-1] != 0 {
		return nil, fmt.Errorf("%x: %w", b, err)
	}
	b[0] = 1
	return b[:len(b)-1], nil
}

// A file may be opened years after it was written: this value must be read for
// ever. It was written by the first layout.
func TestARecordOfLayout1IsRead(t *testing.T) {
	b, err := hex.DecodeString("01016301680170016c016d017601650a323032362d30322d323700023330067365616c65640178ffff0720" +
		strings.Repeat("ab", 32) + "fef6bd9a0d80f7bd9a0d01056f74686572f6f7bd9a0d")
	if err != nil {
		t.Fatal(err)
	}
	want := registry.Record{
		Seq: 7, Credential: "c", Handle: "h", Provider: "p", Learner: "l", Module: "m", Version: "v", Edition: "e",
		Facts: registry.Facts{CompletedOn: "2026-02-27", Score: "30"}, State: registry.Sealed, List: "x", Index: 131071,
		Digest: strings.Repeat("ab", 32), ReservedAt: at, SealedAt: at.Add(time.Second),
		Status: status.Revoked, Reason: "other", StatusAt: at.Add(time.Minute), Level: registry.LevelB,
	}
	if got, err := decodeRecord(7, b); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if again, err := asLayout1(want); err != nil || !bytes.Equal(again, b) {
		t.Errorf("the tests write layout 1 as %x, %v", again, err)
	}
	for _, layout := range []byte{0, 3, 0x80} {
		b[0] = layout
		if got, err := decodeRecord(7, b); !errors.Is(err, errDamaged) {
			t.Errorf("layout %d gives %+v, %v", layout, got, err)
		}
	}
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

// writeSchema1 makes a file with the first migration only and fills it as the
// program of that time did: five records in layout 1, of which the first and
// the fifth are reserved, the second and the third sealed, the second revoked,
// and the fourth erased.
func writeSchema1(t *testing.T) (path string, recs []registry.Record) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "registry.db")
	s, err := open(path, Options{}, creating)
	if err != nil {
		t.Fatal(err)
	}
	r := registry.New(s, registry.Config{ClaimKey: []byte("a claim key of the tests")})
	change(t, s, func(t *tx) error {
		if _, err := t.CreateBucket([]byte(bucketMeta)); err != nil {
			return err
		}
		return errors.Join(
			t.put(bucketMeta, []byte("identity"), []byte(identity)),
			migrations()[0](t),
			t.put(bucketMeta, []byte("schema"), binary.BigEndian.AppendUint32(nil, 1)),
		)
	})
	recs = reserveSome(t, r, 0, 5)
	change(t, s, func(t *tx) error {
		for i, state := range []registry.State{registry.Reserved, registry.Sealed, registry.Sealed, registry.Erased} {
			if state == registry.Reserved {
				continue
			}
			was, p := recs[i], s.parcel(fmt.Append(nil, "sealed ", recs[i].Seq))
			is := &recs[i]
			is.State, is.Digest, is.SealedAt, is.Body = state, p.digest, at, nil
			key := seqKey(is.Seq)
			if err := errors.Join(
				t.putRecord(was, *is), t.put(bucketSealed, key, p.packed), t.remove(bucketBodies, key), t.remove(bucketUnfinished, key),
				t.event(registry.Event{At: at, Kind: "seal", What: is.Credential}),
			); err != nil {
				return err
			}
		}
		return nil
	})
	c := registry.Change{Credential: recs[1].Credential, To: status.Revoked, Reason: "other", By: "operator"}
	if recs[1], err = r.SetStatus(t.Context(), c, at); err != nil {
		t.Fatal(err)
	}
	change(t, s, func(t *tx) error {
		for _, rec := range recs {
			b, err := asLayout1(rec)
			if err != nil {
				return err
			}
			if err := t.put(bucketRecords, seqKey(rec.Seq), b); err != nil {
				return err
			}
		}
		if t.Bucket([]byte(bucketLevels)) != nil {
			return errors.New("the file is of today")
		}
		return nil
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path, recs
}

func TestAFileOfSchema1IsBroughtUpToDate(t *testing.T) {
	path, recs := writeSchema1(t)
	for round := range 2 { // the second time there is nothing to bring up to date
		s, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		r := registry.New(s, registry.Config{ClaimKey: []byte("a claim key of the tests")})
		if err := r.Check(t.Context()); err != nil {
			t.Error(err)
		}
		for i, rec := range recs {
			if got, err := r.ByHandle(t.Context(), rec.Handle); err != nil || !reflect.DeepEqual(got, rec) {
				t.Errorf("record %d: %+v, %v, want %+v", i, got, err, rec)
			}
			if b, err := r.SealedBytes(t.Context(), rec.Seq); (err == nil) != (rec.State == registry.Sealed) ||
				err == nil && string(b) != fmt.Sprint("sealed ", rec.Seq) {
				t.Errorf("record %d has the bytes %q, %v", i, b, err)
			}
		}
		if got := seqsAt(t, r, registry.LevelB); !reflect.DeepEqual(got, []uint64{2, 3}) {
			t.Errorf("at level B are %v", got)
		}
		if round == 0 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		x := registry.Extension{Seq: 3, Before: recs[2].Digest, Sealed: []byte("extended"), Level: registry.LevelLT}
		err = errors.Join(r.Extend(t.Context(), []registry.Extension{x}, at),
			r.Complete(t.Context(), []registry.Sealing{{Seq: 1, Sealed: []byte("one")}}, at), r.Check(t.Context()))
		if err != nil {
			t.Error(err)
		}
		if b, lt := seqsAt(t, r, registry.LevelB), seqsAt(t, r, registry.LevelLT); !reflect.DeepEqual([][]uint64{b, lt}, [][]uint64{{1, 2}, {3}}) {
			t.Errorf("at level B are %v, at LT %v", b, lt)
		}
	}
}

// T4: what cannot be read is not brought up to date, and the file stays as it is.
func TestADamagedFileOfSchema1StaysAsItIs(t *testing.T) {
	path, _ := writeSchema1(t)
	s, err := open(path, Options{}, changing)
	if err != nil {
		t.Fatal(err)
	}
	change(t, s, func(t *tx) error {
		v := bytes.Clone(t.bucket(bucketRecords).Get(seqKey(4)))
		v[9] ^= 1
		t.changed = true
		return t.bucket(bucketRecords).Put(seqKey(4), v)
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); !errors.Is(err, errDamaged) {
		t.Errorf("%v, want errDamaged", err)
	}
	s, err = open(path, Options{}, reading)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	err = s.view(t.Context(), func(tx *tx) error {
		if have, err := tx.schema(); err != nil || have != 1 || tx.Bucket([]byte(bucketLevels)) != nil {
			t.Errorf("schema %d, %v", have, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Nothing erases a record yet, but its state is known.
func TestAnErasedRecordIsNeitherExtendedNorListed(t *testing.T) {
	s, r, _ := newStore(t)
	someOfEverything(t, r)
	change(t, s, func(t *tx) error {
		was, err := t.recordOnly(1)
		if err != nil {
			return err
		}
		is := was
		is.State = registry.Erased
		return errors.Join(t.putRecord(was, is), t.remove(bucketLevels, levelKey(is.Level, is.Seq)))
	})
	for _, text := range []string{"one", "other"} { // the bytes that it had, too
		x := registry.Extension{Seq: 1, Before: digestOf(s, "one"), Sealed: []byte(text), Level: registry.LevelT}
		good := registry.Extension{Seq: 2, Before: digestOf(s, "two, stamped"), Sealed: []byte("two again"), Level: registry.LevelT}
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
	s, r, _ := newStore(b)
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
	before := s.parcel(body).digest
	b.ResetTimer()
	for i := range b.N {
		longer := append(bytes.Clone(body), fmt.Sprint(i)...)
		for j := range extensions {
			extensions[j].Before, extensions[j].Sealed, extensions[j].Level = before, longer, min(registry.Level(i+1), registry.LevelLTA)
		}
		if err := r.Extend(b.Context(), extensions, at); err != nil {
			b.Fatal(err)
		}
		before = s.parcel(longer).digest
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "records/s")
}
