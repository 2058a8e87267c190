package bolt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"attesta/registry"
	"attesta/status"
)

func newStore(t testing.TB) (*Store, *registry.Registry, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "registry.db")
	s, err := Create(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, registry.New(s, registry.Config{ClaimKey: []byte("a claim key of the tests"), DataKey: []byte("a claim key of the tests")}), path
}

var at = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func anIntent(n int) registry.Intent {
	return registry.Intent{Provider: "p", Learner: fmt.Sprint("l", n), Module: "m", Version: "1", Edition: "e", Body: []byte("b")}
}

func reserveSome(t testing.TB, r *registry.Registry, from, to int) []registry.Record {
	t.Helper()
	var in []registry.Intent
	for n := from; n < to; n++ {
		in = append(in, anIntent(n))
	}
	got, err := r.Reserve(t.Context(), in, at)
	if err != nil {
		t.Fatal(err)
	}
	var out []registry.Record
	for _, g := range got {
		out = append(out, g.Record)
	}
	return out
}

func change(t testing.TB, s *Store, fn func(*tx) error) {
	t.Helper()
	if err := s.update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func TestAFullListIsFollowedByAnother(t *testing.T) {
	s, r, _ := newStore(t)
	first := reserveSome(t, r, 0, 1)[0]
	change(t, s, func(t *tx) error { // as if the others had been given out
		l, err := t.list(first.List)
		if err != nil {
			return err
		}
		l.next = registry.ListSize - 2
		return t.put(bucketLists, []byte(l.id), encodeList(l))
	})
	recs := reserveSome(t, r, 1, 6)
	for i, rec := range recs {
		if (rec.List == first.List) != (i < 2) {
			t.Errorf("record %d is in list %s, the first one is %s", rec.Seq, rec.List, first.List)
		}
	}
	if recs[2].List != recs[4].List || reserveSome(t, r, 6, 7)[0].List != recs[2].List {
		t.Error("more than one list was opened")
	}
	old, err := r.List(t.Context(), first.List)
	if err != nil || old.Size != registry.ListSize {
		t.Errorf("the full list: %v, %v", old, err)
	}
}

func TestOpenRefusesANewerSchema(t *testing.T) {
	s, _, path := newStore(t)
	change(t, s, func(t *tx) error {
		return t.put(bucketMeta, []byte("schema"), binary.BigEndian.AppendUint32(nil, uint32(len(migrations())+1)))
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path, Options{})
	if !errors.Is(err, registry.ErrInvalid) || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("%v", err)
	}
}

func TestOpenBringsAnOlderFileUpToDate(t *testing.T) {
	s, _, path := newStore(t)
	change(t, s, func(t *tx) error { // an empty file of schema 0
		for _, name := range []string{bucketRecords, bucketAccess} {
			if err := t.DeleteBucket([]byte(name)); err != nil {
				return err
			}
		}
		for _, name := range allBuckets(t) {
			if name != bucketMeta {
				if err := t.DeleteBucket([]byte(name)); err != nil {
					return err
				}
			}
		}
		return t.put(bucketMeta, []byte("schema"), []byte{0, 0, 0, 0})
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	r := registry.New(s, registry.Config{ClaimKey: []byte("a claim key of the tests"), DataKey: []byte("a claim key of the tests")})
	reserveSome(t, r, 0, 2)
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func allBuckets(t *tx) []string {
	var names []string
	c := t.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		names = append(names, string(k))
	}
	return names
}

// T6: nothing is lost when the disk is full, and work goes on when it is not.
func TestAFullDiskIsSaidAndSurvived(t *testing.T) {
	s, r, _ := newStore(t)
	reserveSome(t, r, 0, 3)
	s.db.MaxSize = 1 << 18
	big := anIntent(9)
	big.Body = make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(big.Body) // what repeats itself takes no room
	if _, err := r.Reserve(t.Context(), []registry.Intent{big}, at); !errors.Is(err, registry.ErrFull) {
		t.Fatalf("%v, want ErrFull", err)
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
	s.db.MaxSize = 0
	if got, err := r.Reserve(t.Context(), []registry.Intent{big}, at); err != nil || got[0].Existing || got[0].Record.Seq != 4 {
		t.Errorf("afterwards: %v, %v", got, err)
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// T5: what is in doubt after an error of the disk must not be built upon.
func TestABrokenStoreTakesNoChangesAndStillReads(t *testing.T) {
	s, r, _ := newStore(t)
	rec := reserveSome(t, r, 0, 1)[0]
	err := s.update(t.Context(), func(*tx) error { panic("page 7: damaged") })
	if !errors.Is(err, errDamaged) {
		t.Fatalf("%v, want errDamaged", err)
	}
	if _, err := r.Reserve(t.Context(), []registry.Intent{anIntent(2)}, at); !errors.Is(err, errDamaged) {
		t.Errorf("a change was taken: %v", err)
	}
	if _, err := r.ByHandle(t.Context(), rec.Handle); err != nil {
		t.Errorf("reading: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestAContextCancelledInsideAStepLeavesNothing(t *testing.T) {
	s, r, _ := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.update(ctx, func(t *tx) error {
		cancel()
		return t.put(bucketProviders, []byte("p"), []byte("x"))
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want Canceled", err)
	}
	if _, err := r.Provider(t.Context(), "p"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
}

// Each damage that a fault of program or disk might cause has a name in Check.
func TestCheckNamesWhatIsWrong(t *testing.T) {
	flip := func(bucket string) func(*tx) error {
		return func(t *tx) error {
			k, v := t.bucket(bucket).Cursor().First()
			v = bytes.Clone(v)
			v[0] ^= 1
			return t.bucket(bucket).Put(bytes.Clone(k), v)
		}
	}
	drop := func(bucket string) func(*tx) error {
		return func(t *tx) error {
			k, _ := t.bucket(bucket).Cursor().First()
			return t.bucket(bucket).Delete(bytes.Clone(k))
		}
	}
	edit := func(fn func(*registry.Record)) func(*tx) error {
		return func(t *tx) error {
			r, err := t.recordOnly(2)
			if err != nil {
				return err
			}
			fn(&r)
			b, err := encodeRecord(r)
			if err != nil {
				return err
			}
			return t.put(bucketRecords, seqKey(2), b)
		}
	}
	faults := map[string]func(*tx) error{
		"position twice": func(t *tx) error {
			one, err := t.recordOnly(1)
			if err != nil {
				return err
			}
			return edit(func(r *registry.Record) { r.Index = one.Index })(t)
		},
		"status without entry": edit(func(r *registry.Record) { r.Status = status.Revoked }),
		"other digest":         edit(func(r *registry.Record) { r.Digest = strings.Repeat("0", 64) }),
		"other handle":         edit(func(r *registry.Record) { r.Handle = "AAAAAAAAAAAAAAAAAAAAAAAAAA" }),
		"other list":           edit(func(r *registry.Record) { r.List = "AAAAAAAAAAAAAAAAAAAAAAAAAA" }),
		"other edition":        edit(func(r *registry.Record) { r.Edition = "x" }),
		"counter": func(t *tx) error {
			return t.put(bucketCounts, tuple("p"), encodeCounts(registry.Counts{Sealed: 1}))
		},
		"sealed bytes of another": func(t *tx) error {
			v, err := t.get(bucketSealed, seqKey(1))
			if err != nil {
				return err
			}
			return t.put(bucketSealed, seqKey(2), bytes.Clone(v))
		},
		"entry without record": func(t *tx) error {
			l, _ := t.bucket(bucketLists).Cursor().First()
			return t.put(bucketEntries, append(bytes.Clone(l), 0, 1, 0xff, 0xff), []byte{1})
		},
		"other level":          edit(func(r *registry.Record) { r.Level = registry.LevelLTA }),
		"level of no record":   func(t *tx) error { return t.put(bucketLevels, levelKey(registry.LevelB, 99), nil) },
		"level of an open one": func(t *tx) error { return t.put(bucketLevels, levelKey(registry.LevelB, 3), nil) },
		"second level":         func(t *tx) error { return t.put(bucketLevels, levelKey(registry.LevelB, 2), nil) },
		"level with a value":   func(t *tx) error { return t.put(bucketLevels, levelKey(registry.LevelB, 1), []byte{1}) },
		"moved to another level": func(t *tx) error {
			return errors.Join(t.remove(bucketLevels, levelKey(registry.LevelT, 2)), t.put(bucketLevels, levelKey(registry.LevelLT, 2), nil))
		},
	}
	for _, bucket := range []string{
		bucketRecords, bucketBodies, bucketSealed, bucketUnfinished, bucketAwards, bucketCredentials, bucketHandles,
		bucketClaims, bucketPages, bucketCounts, bucketEditions, bucketLists, bucketOpenLists, bucketEntries, bucketEvents,
		bucketLevels, bucketPeople, bucketTokens, bucketNewest, bucketOffers, bucketAccess, bucketExpiry, bucketModules,
	} {
		faults["flip in "+bucket] = flip(bucket)
		if bucket != bucketOpenLists { // then another list is opened: no damage
			faults["missing in "+bucket] = drop(bucket)
		}
	}
	for _, bucket := range []string{bucketProviders, bucketShared} {
		faults["flip in "+bucket] = flip(bucket)
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, r, _ := newStore(t)
			someOfEverything(t, r)
			if err := r.Check(t.Context()); err != nil {
				t.Fatalf("before: %v", err)
			}
			change(t, s, func(t *tx) error { t.changed = true; return fault(t) })
			err := r.Check(t.Context())
			if err == nil || !strings.Contains(err.Error(), errDamaged.Error()) {
				t.Errorf("Check says %v", err)
			}
		})
	}
}

func someOfEverything(t testing.TB, r *registry.Registry) {
	t.Helper()
	recs := reserveSome(t, r, 0, 4)
	two := sha256.Sum256([]byte("two"))
	stamped := registry.Extension{Seq: 2, Before: hex.EncodeToString(two[:]), Sealed: []byte("two, stamped"), Level: registry.LevelT}
	_, grantErr := r.Grant(t.Context(), registry.Session, "a", time.Hour, at)
	err := errors.Join(grantErr,
		r.Complete(t.Context(), []registry.Sealing{{Seq: 1, Sealed: []byte("one"), Shared: bytes.Repeat([]byte("shared "), 20)}, {Seq: 2, Sealed: []byte("two")}}, at),
		r.Extend(t.Context(), []registry.Extension{stamped}, at),
		r.PutProviders(t.Context(), []registry.Provider{{ID: "p", Spec: []byte("{}")}}, at),
		r.PutModules(t.Context(), []registry.Module{{Code: "m", Version: "1", Provider: "p", Spec: []byte("{}")}}, at),
		r.PutLearners(t.Context(), []registry.Learner{{Ref: "l0", GivenName: "Ada"}}, at))
	if err != nil {
		t.Fatal(err)
	}
	c := registry.Change{Credential: recs[0].Credential, To: status.Revoked, Reason: "other", By: "operator"}
	if _, err := r.SetStatus(t.Context(), c, at); err != nil {
		t.Fatal(err)
	}
}

func TestTuplesSortAsTheirPartsAndNeverMeet(t *testing.T) {
	parts := []string{"", "a", "b", "ab", "\x00", "\x00\x01", "\x01", "a\x00", "\xff", "a\x00\x01b", "\x00\xff"}
	for _, a := range parts {
		for _, b := range parts {
			got, err := untuple(tuple(a, b), 2)
			if err != nil || !reflect.DeepEqual(got, []string{a, b}) {
				t.Errorf("%q %q came back as %q, %v", a, b, got, err)
			}
			for _, c := range parts {
				if (strings.Compare(a, c) < 0) != (bytes.Compare(tuple(a, b), tuple(c, b)) < 0) {
					t.Errorf("%q and %q sort otherwise", a, c)
				}
			}
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	for _, r := range []registry.Record{
		{State: registry.Reserved},
		{
			Credential: "c", Handle: "h", Provider: "p", Learner: "l", Module: "m", Version: "v", Edition: "e", State: registry.Sealed,
			Hidden: []byte("30"), List: "x", Index: 131071, Digest: strings.Repeat("ab", 32), ReservedAt: at,
			SealedAt: at, Status: status.Revoked, Reason: "other", StatusAt: at, Level: registry.LevelLTA,
		},
	} {
		b, err := encodeRecord(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(1, b)
		if err != nil {
			return
		}
		again, err := encodeRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		if r2, err := decodeRecord(1, again); err != nil || !reflect.DeepEqual(r, r2) {
			t.Errorf("%+v came back as %+v, %v", r, r2, err)
		}
	})
}

// text45k is like a document around an image in base64.
func text45k() []byte {
	body := make([]byte, 45_000)
	src := rand.NewChaCha8([32]byte{})
	_, _ = src.Read(body)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range body {
		body[i] = alphabet[body[i]&63]
	}
	return body
}

// BenchmarkReserveComplete1000 takes 1000 awards of 45 kB from intent to sealed:
// two commits of two fsyncs each (B18).
func BenchmarkReserveComplete1000(b *testing.B) {
	const n = 1000
	s, r, _ := newStore(b)
	body := text45k()
	commits := func() int {
		btx, err := s.db.Begin(false)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = btx.Rollback() }()
		return btx.ID()
	}
	before := commits()
	for i := range b.N {
		in, sealings := make([]registry.Intent, n), make([]registry.Sealing, n)
		for j := range in {
			in[j] = anIntent(i*n + j)
			in[j].Body = body
		}
		got, err := r.Reserve(b.Context(), in, at)
		if err != nil {
			b.Fatal(err)
		}
		for j := range got {
			sealings[j] = registry.Sealing{Seq: got[j].Record.Seq, Sealed: body}
		}
		if err := r.Complete(b.Context(), sealings, at); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(2*(commits()-before))/float64(b.N), "fsyncs/op")
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "records/s")
}
