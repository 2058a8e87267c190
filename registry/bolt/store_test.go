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
	"os"
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

// T14: what this program does not know it leaves alone, and says why.
func TestOpenRefusesAnotherSchema(t *testing.T) {
	for have, says := range map[uint32]string{
		schema + 1: "newer program", 1 << 31: "newer program", 0: "preview", 1: "preview", schema - 1: "made by a preview, before the first release, and cannot be read",
	} {
		t.Run(fmt.Sprint(have), func(t *testing.T) {
			s, _, path := newStore(t)
			change(t, s, func(t *tx) error {
				return t.put(bucketMeta, []byte("schema"), binary.BigEndian.AppendUint32(nil, have))
			})
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, opened := Open(path, Options{})
			_, accepted := Accept(path, "operator", at, Options{})
			for _, err := range []error{opened, accepted, Verify(t.Context(), path, Options{})} {
				if !errors.Is(err, registry.ErrInvalid) || !strings.Contains(err.Error(), says) {
					t.Errorf("%v", err)
				}
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
				t.Errorf("the file was changed, %v", err)
			}
		})
	}
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
	change(t, s, func(*tx) error { return nil }) // the writer has done with it
	if _, err := r.Provider(t.Context(), "p"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
}

func someOfEverything(t testing.TB, r *registry.Registry) {
	t.Helper()
	recs := reserveSome(t, r, 0, 4)
	two := sha256.Sum256([]byte("two"))
	stamped := registry.Extension{Seq: 2, Before: hex.EncodeToString(two[:]), Sealed: []byte("two, stamped"), Level: registry.LevelT}
	_, grantErr := r.Grant(t.Context(), registry.Session, "a", time.Hour, at)
	err := errors.Join(grantErr,
		r.Complete(t.Context(), []registry.Sealing{{Seq: 1, Sealed: []byte("one"), SealKey: "0123456789abcdef", Shared: bytes.Repeat([]byte("shared "), 20)}, {Seq: 2, Sealed: []byte("two")}}, at),
		r.Extend(t.Context(), []registry.Extension{stamped}, at),
		r.PutProviders(t.Context(), []registry.Provider{{ID: "p", Spec: []byte("{}")}}, at),
		r.PutModules(t.Context(), []registry.Module{{Code: "m", Version: "1", Provider: "p", Spec: []byte("{}")}}, at),
		r.PutLearners(t.Context(), []registry.Learner{{Ref: "l0", GivenName: "Ada"}}, at))
	if err != nil {
		t.Fatal(err)
	}
	c := registry.Change{Credential: recs[0].Credential, To: status.Revoked, Reason: "other", By: "operator"}
	p := registry.Proposal{Meant: registry.Meant{Credentials: []string{recs[0].Credential}}, To: status.Revoked, Reason: "other", Count: 1, By: "a"}
	if _, err := r.Propose(t.Context(), p, at); err != nil {
		t.Fatal(err)
	}
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
