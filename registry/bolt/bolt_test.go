package bolt_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"attesta/registry"
	"attesta/registry/bolt"
	"attesta/registry/registrytest"
	"attesta/status"
)

var (
	testKey = []byte("a claim key of the tests")
	testAt  = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
)

func create(t testing.TB) (*bolt.Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "registry.db")
	s, err := bolt.Create(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, path
}

func TestPromises(t *testing.T) {
	registrytest.Run(t, func(t *testing.T) registry.Backend {
		s, _ := create(t)
		return s
	})
}

func TestCreateRefusesAFileThatExists(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	if err := os.WriteFile(path, []byte("something dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Create(path, bolt.Options{}); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("%v, want ErrConflict", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "something dear" {
		t.Errorf("the file holds %q, %v", b, err)
	}
}

func TestAFileIsReadableByItsOwnerOnly(t *testing.T) {
	_, path := create(t)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// T4: bbolt alone opens a zero-length file as a new empty one.
func TestOpenRefusesWhatIsNoRegistryAndLeavesItAlone(t *testing.T) {
	_, whole := create(t)
	content, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(t.TempDir(), "foreign")
	db, err := bbolt.Open(foreign, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	foreignContent, err := os.ReadFile(foreign)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"empty": {}, "text": []byte("hello"), "zeros": make([]byte, 1<<16), "foreign": foreignContent,
		"half": content[:len(content)/2], "two pages": content[:8192], "one byte": content[:1],
		"cut in a page": content[:len(content)/2+77],
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if s, err := bolt.Open(path, bolt.Options{}); err == nil {
				_ = s.Close()
				t.Error("opened")
			} else {
				t.Log(err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, b) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
	for _, path := range []string{filepath.Join(t.TempDir(), "none"), t.TempDir()} {
		if _, err := bolt.Open(path, bolt.Options{}); err == nil {
			t.Error("opened")
		}
	}
	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := bolt.Open(missing, bolt.Options{}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("missing file: %v, want ErrNotFound", err)
	}
	if _, err := os.Stat(missing); !os.IsNotExist(err) {
		t.Errorf("opening made a file: %v", err)
	}
}

func TestOneProcessHasTheFile(t *testing.T) {
	_, path := create(t)
	start := time.Now()
	if _, err := bolt.Open(path, bolt.Options{}); !errors.Is(err, registry.ErrInUse) {
		t.Errorf("%v, want ErrInUse", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %v to say so", d)
	}
}

// fill makes a registry with some of everything and returns the sealed ones.
func fill(t testing.TB, r *registry.Registry, n int) []registry.Record {
	t.Helper()
	ctx := t.Context()
	var in []registry.Intent
	for i := range n {
		in = append(in, registry.Intent{
			Provider: "prov-1", Learner: fmt.Sprintf("L-%d", i), Module: "MOD-1", Version: "1", Edition: "E",
			Body: bytes.Repeat([]byte{byte(i)}, 3000),
		})
	}
	got, err := r.Reserve(ctx, in, testAt)
	var sealings []registry.Sealing
	var recs []registry.Record
	var extensions []registry.Extension
	for i, g := range got {
		if i%4 != 3 {
			doc := document(g.Record.Seq)
			if i%3 == 0 {
				first := []byte("to be extended")
				extensions = append(extensions, registry.Extension{
					Seq: g.Record.Seq, Before: fmt.Sprintf("%x", sha256.Sum256(first)), Sealed: doc, Level: registry.LevelT,
				})
				doc = first
			}
			sealings = append(sealings, registry.Sealing{Seq: g.Record.Seq, Sealed: doc})
			recs = append(recs, g.Record)
		}
	}
	errs := []error{
		err,
		r.Complete(ctx, sealings, testAt),
		r.Extend(ctx, extensions, testAt),
		r.PutProviders(ctx, []registry.Provider{{ID: "prov-1", Spec: []byte("{}")}}, testAt),
		r.PutModules(ctx, []registry.Module{{Code: "MOD-1", Version: "1", Provider: "prov-1", Spec: []byte("{}")}}, testAt),
		r.PutLearners(ctx, []registry.Learner{{Ref: "L-1", GivenName: "Ada"}}, testAt),
	}
	for i, rec := range recs {
		if i%5 == 0 {
			_, err := r.SetStatus(ctx, registry.Change{Credential: rec.Credential, To: status.Suspended, Reason: "other", By: "operator"}, testAt)
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return recs
}

// document is the sealed document of a record: odd ones cannot be compressed.
func document(seq uint64) []byte {
	if seq%2 == 0 {
		return []byte(strings.Repeat(fmt.Sprintf(`{"record":%d}`, seq), 400))
	}
	out := make([]byte, 5000)
	src := rand.NewChaCha8([32]byte{byte(seq), byte(seq >> 8)})
	_, _ = src.Read(out)
	return out
}

func TestWhatWasAcknowledgedIsThereAfterOpeningAgain(t *testing.T) {
	s, path := create(t)
	r := registry.New(s, registry.Config{ClaimKey: testKey, DataKey: testKey})
	recs := fill(t, r, 40)
	before, err := r.Records(t.Context(), registry.Query{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ByHandle(t.Context(), recs[0].Handle); err == nil {
		t.Error("a closed registry answers")
	}
	s, err = bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r = registry.New(s, registry.Config{ClaimKey: testKey, DataKey: testKey})
	t.Cleanup(func() { _ = r.Close() })
	after, err := r.Records(t.Context(), registry.Query{Limit: 500})
	if err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("records differ, %v", err)
	}
	for _, rec := range recs {
		got, err := r.SealedBytes(t.Context(), rec.Seq)
		if err != nil || !bytes.Equal(got, document(rec.Seq)) {
			t.Errorf("record %d: %v", rec.Seq, err)
		}
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// K4: who steals the file can open no claim link and enter nowhere.
func TestTheFileHoldsNoSecretThatOpensAnything(t *testing.T) {
	s, path := create(t)
	r := registry.New(s, registry.Config{ClaimKey: testKey, DataKey: testKey})
	recs := fill(t, r, 8)
	secrets := []string{string(testKey)}
	for _, kind := range []string{registry.SignIn, registry.Session} {
		secret, err := r.Grant(t.Context(), kind, "operator", time.Hour, testAt)
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, secret)
	}
	for _, rec := range recs {
		secrets = append(secrets, r.ClaimToken(rec.Credential))
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		if bytes.Contains(file, []byte(secret)) {
			t.Errorf("the file holds %q", secret)
		}
	}
	if !bytes.Contains(file, []byte(recs[0].Module)) {
		t.Error("the search finds nothing at all")
	}
}

func TestExpiredAccessesAreRemoved(t *testing.T) {
	s, path := create(t)
	r := registry.New(s, registry.Config{ClaimKey: testKey, DataKey: testKey})
	for range 300 {
		if _, err := r.Grant(t.Context(), registry.Session, "operator", time.Minute, testAt); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		if _, err := r.Grant(t.Context(), registry.Session, "operator", time.Minute, testAt.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(r.Check(t.Context()), r.Close()); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	err = db.View(func(tx *bbolt.Tx) error {
		if n := tx.Bucket([]byte("access")).Stats().KeyN; n != 4 {
			t.Errorf("%d accesses are kept, want 4", n)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// T4: 512 random bytes anywhere give an error or the right bytes, never a
// panic and never something else.
func TestDamageIsNeverServed(t *testing.T) {
	s, path := create(t)
	r := registry.New(s, registry.Config{ClaimKey: testKey, DataKey: testKey})
	recs := fill(t, r, 40)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	says, err := os.ReadFile(path + bolt.MarkEnding)
	if err != nil {
		t.Fatal(err)
	}
	src := rand.NewChaCha8([32]byte{3})
	var refused, noticed, harmless int
	for at := 0; at+512 <= len(whole); at += 4096 {
		damaged := bytes.Clone(whole)
		offset := at + int(src.Uint64()%7)*512
		_, _ = src.Read(damaged[offset : offset+512])
		switch survey(t, damaged, says, recs) {
		case "refused":
			refused++
		case "noticed":
			noticed++
		default:
			harmless++ // a free page, or the older of two first pages
		}
	}
	t.Logf("%d refused at opening, %d noticed by Check, %d harmless", refused, noticed, harmless)
	if noticed < 20 {
		t.Errorf("only %d damages were noticed", noticed)
	}
}

func survey(t *testing.T, file, says []byte, recs []registry.Record) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "damaged.db")
	if err := errors.Join(os.WriteFile(path, file, 0o600), os.WriteFile(path+bolt.MarkEnding, says, 0o600)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Remove(path) }()
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		return "refused"
	}
	r := registry.New(s, registry.Config{ClaimKey: testKey, DataKey: testKey})
	defer func() { _ = r.Close() }()
	lost := false
	for _, rec := range recs {
		got, err := r.ByHandle(context.Background(), rec.Handle)
		if err == nil && got.Credential != rec.Credential {
			t.Errorf("handle %s finds %s", rec.Handle, got.Credential)
		}
		b, err := r.SealedBytes(context.Background(), rec.Seq)
		if err == nil && !bytes.Equal(b, document(rec.Seq)) {
			t.Errorf("record %d: other bytes were served", rec.Seq)
		}
		lost = lost || err != nil
	}
	for _, l := range []registry.Level{registry.LevelB, registry.LevelT} {
		page, err := r.AtLevel(context.Background(), l, 0, 500)
		for _, rec := range page {
			if rec.Level != l {
				t.Errorf("record %d of level %v is served at %v", rec.Seq, rec.Level, l)
			}
		}
		lost = lost || err != nil
	}
	err = r.Check(context.Background())
	in := registry.Intent{Provider: "prov-1", Learner: "new", Module: "MOD-1", Version: "1", Edition: "E", Body: []byte("b")}
	_, _ = r.Reserve(context.Background(), []registry.Intent{in}, testAt) // must not panic
	if err != nil {
		return "noticed"
	}
	if lost {
		t.Error("a record is lost and Check is content")
	}
	return "harmless"
}
