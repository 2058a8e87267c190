package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"attesta/registry"
	"attesta/registry/bolt"
	"attesta/registry/postgres"
	"attesta/status"
)

// fullBolt is a registry in a file that has something of everything, in numbers
// that take several pages.
func fullBolt(t *testing.T) (*bolt.Store, *registry.Registry, string) {
	t.Helper()
	s, err := bolt.Create(filepath.Join(t.TempDir(), "registry.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	r := newRegistry2(s)
	ctx := t.Context()
	var learners []registry.Learner
	for n := range 250 {
		learners = append(learners, registry.Learner{Ref: fmt.Sprintf("L-%06d", n), GivenName: "Ñandù", BirthDate: "1999-01-02"})
	}
	var intents []registry.Intent
	for n := range 230 {
		in := anIntent(n)
		in.Provider = []string{"prov-1", "prov-2"}[n%2]
		in.House = registry.House{Sealer: in.Provider, LegalID: []string{"VATIT-1", "VATIT-2", "VATIT-3"}[n%3]}
		in.Module = "M " + in.Provider
		in.Facts.Score = fmt.Sprint(n)
		intents = append(intents, in)
	}
	for _, err := range []error{
		r.PutProviders(ctx, []registry.Provider{{ID: "B", Spec: []byte("1")}, {ID: "a", Spec: []byte("2")}, {ID: "é", Spec: []byte("3")}}, testAt),
		r.PutModules(ctx, []registry.Module{
			{Code: "M", Version: "2", Provider: "B", Spec: []byte("x")},
			{Code: "M", Version: "1", Provider: "B", Spec: []byte("y")},
			{Code: "M 1", Version: "1", Provider: "a", Spec: []byte("z")},
		}, testAt),
		r.PutLearners(ctx, learners, testAt),
		r.NoteKeys(ctx, []registry.KeyMark{{ID: "k1"}, {ID: "k2", Retired: testAt}, {ID: "k0", Lost: testAt}}, testAt),
		r.NoteKeys(ctx, []registry.KeyMark{{ID: "k1", Revoked: testAt.Add(-time.Hour)}}, testAt),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := r.Reserve(ctx, intents, testAt)
	if err != nil {
		t.Fatal(err)
	}
	var sealings []registry.Sealing
	for _, x := range got[:210] {
		sealings = append(sealings, registry.Sealing{Seq: x.Record.Seq, Sealed: []byte(strings.Repeat(x.Record.Credential, 5+int(x.Record.Seq)%90)), SealKey: []string{"", "k1", "k2"}[x.Record.Seq%3]})
	}
	sealings[0].Shared = sealings[0].Sealed[:200]
	if err := r.Complete(ctx, sealings, testAt.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for n, to := range []status.Value{status.Suspended, status.Revoked, status.Revoked} {
		if _, err := r.SetStatus(ctx, registry.Change{Credential: got[n].Record.Credential, To: to, Reason: "fraud", By: "Ada"}, testAt.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range []registry.Meant{{Selection: &registry.Selection{Module: "M prov-1", Below: 99}}, {Credentials: []string{got[7].Record.Credential}}} {
		if _, err := r.Propose(ctx, registry.Proposal{Meant: m, To: status.Revoked, Reason: "fraud", Count: 1, By: "Ada"}, testAt); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Approve(ctx, 2, "Bruno", testAt); err != nil {
		t.Fatal(err)
	}
	extended, err := r.ByCredential(ctx, got[5].Record.Credential)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Extend(ctx, []registry.Extension{{Seq: extended.Seq, Before: extended.Digest, Sealed: []byte("longer"), Level: registry.LevelLT}}, testAt); err != nil {
		t.Fatal(err)
	}
	secret, err := r.Grant(ctx, registry.Session, "Ada", time.Hour, testAt)
	if err != nil {
		t.Fatal(err)
	}
	return s, r, secret
}

func newRegistry2(b registry.Backend) *registry.Registry {
	return registry.New(b, registry.Config{ClaimKey: []byte("a claim key of the tests"), DataKey: []byte("a claim key of the tests")})
}

var errCut = errors.New("cut off")

// cutting is a copy that breaks off at one of its steps, half of the times
// after the step was made.
type cutting struct {
	*postgres.Copy
	at, steps *int
}

func (c cutting) cut(step func() error) error {
	*c.steps++
	if *c.steps == *c.at && *c.at%2 == 0 {
		return errCut
	}
	if err := step(); err != nil || *c.steps != *c.at {
		return err
	}
	return errCut
}

func (c cutting) Import(ctx context.Context, part registry.Part, entries []registry.Entry) error {
	return c.cut(func() error { return c.Copy.Import(ctx, part, entries) })
}

func (c cutting) Settle(ctx context.Context) error {
	return c.cut(func() error { return c.Copy.Settle(ctx) })
}

func (c cutting) Release(ctx context.Context) error {
	return c.cut(func() error { return c.Copy.Release(ctx) })
}

func fill(t *testing.T, address string) *postgres.Copy {
	t.Helper()
	c, err := postgres.Fill(t.Context(), address, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestCopyGoesOn breaks a copy off at every step, and each time goes on with a
// new program; the end is the same.
func TestCopyGoesOn(t *testing.T) {
	source, old, secret := fullBolt(t)
	address := server.Address(t)
	ctx := t.Context()
	quiet := func(registry.Part, int) {}
	for n := 1; ; n++ {
		at, steps := 1+(n-1)%3, 0 // one of the first three steps of each run
		_, err := registry.Copy(ctx, source, cutting{fill(t, address), &at, &steps}, quiet)
		if err == nil { // fewer were left to do
			if _, err := postgres.Fill(ctx, address, postgres.Options{}); !errors.Is(err, registry.ErrConflict) {
				t.Errorf("filling what is complete: %v", err)
			}
			compare(t, old, open(t, address), secret)
			if n < 10 {
				t.Errorf("broken off only %d times", n-1)
			}
			return
		}
		if !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		if _, err := postgres.Open(ctx, address, postgres.Options{}); !errors.Is(err, registry.ErrInvalid) {
			t.Fatalf("opening an incomplete copy: %v", err)
		}
		if n > 60 {
			t.Fatal("it never comes to an end")
		}
	}
}

// compare holds a copy against the original by what the registry answers, and
// goes on with it.
func compare(t *testing.T, old *registry.Registry, s *postgres.Store, secret string) {
	t.Helper()
	defer s.Close()
	ctx := t.Context()
	fresh := newRegistry2(s)
	if err := fresh.Check(ctx); err != nil {
		t.Error(err)
	}
	type place struct {
		list  string
		index uint32
	}
	taken := map[place]bool{}
	all, err := old.Records(ctx, registry.Query{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		taken[place{r.List, r.Index}] = true
		for name, ask := range map[string]func(*registry.Registry) (any, error){
			"record": func(x *registry.Registry) (any, error) { return x.ByHandle(ctx, r.Handle) },
			"claim":  func(x *registry.Registry) (any, error) { return x.ByClaim(ctx, old.ClaimToken(r.Credential)) },
			"list":   func(x *registry.Registry) (any, error) { return x.List(ctx, r.List) },
		} {
			same(t, name, ask, old, fresh)
		}
		if r.State == registry.Sealed {
			same(t, "bytes", func(x *registry.Registry) (any, error) { return x.SealedBytes(ctx, r.Seq) }, old, fresh)
		}
	}
	for name, ask := range map[string]func(*registry.Registry) (any, error){
		"events":     func(x *registry.Registry) (any, error) { return x.Events(ctx, 400, 500) },
		"houses":     func(x *registry.Registry) (any, error) { return x.Houses(ctx) },
		"counts":     func(x *registry.Registry) (any, error) { return x.Counts(ctx, "prov-2") },
		"all counts": func(x *registry.Registry) (any, error) { return x.Counts(ctx, "") },
		"editions":   func(x *registry.Registry) (any, error) { return x.Editions(ctx, "prov-1", "", 10) },
		"providers":  func(x *registry.Registry) (any, error) { return x.Providers(ctx, "", 10) },
		"modules":    func(x *registry.Registry) (any, error) { return x.Modules(ctx, "", "", 10) },
		"learners":   func(x *registry.Registry) (any, error) { return x.Learners(ctx, []string{"L-000000", "L-000249"}) },
		"unfinished": func(x *registry.Registry) (any, error) { return x.Unfinished(ctx, 0, 500) },
		"level":      func(x *registry.Registry) (any, error) { return x.AtLevel(ctx, registry.LevelLT, 0, 500) },
		"session":    func(x *registry.Registry) (any, error) { return x.Enter(ctx, registry.Session, secret, testAt) },
	} {
		same(t, name, ask, old, fresh)
	}
	// What is issued now takes places that nobody had, in the same lists.
	in := anIntent(5000)
	in.Provider, in.House = "prov-2", houseOf(t, old, all[0])
	got, err := fresh.Reserve(ctx, []registry.Intent{in}, testAt)
	if err != nil {
		t.Fatal(err)
	}
	if r := got[0].Record; r.Seq != 231 || r.List != all[0].List || taken[place{r.List, r.Index}] {
		t.Errorf("record %d at %d of %s", r.Seq, r.Index, r.List)
	}
}

func same(t *testing.T, name string, ask func(*registry.Registry) (any, error), a, b *registry.Registry) {
	t.Helper()
	want, err := ask(a)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	got, err := ask(b)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

// TestCopyFindsDifferences changes one thing in a copy before it is compared.
func TestCopyFindsDifferences(t *testing.T) {
	source, _, _ := fullBolt(t)
	for _, change := range []string{
		"update lists set seed = sha256('x')",
		"update lists set version = version + 1",
		"update lists set legal_id = 'VATIT-9'",
		"update records set handle = 'AAAAAAAAAAAAAAAAAAAAAAAAAA' where seq = 3",
		"update records set status_at = status_at + interval '1 second' where seq = 1",
		"update bodies set body = 'x' where seq = 215",
		"update claims set hash = sha256('x') where seq = 3",
		"delete from documents where seq = 3",
		"update documents set data = '\\x0078' where seq = 3; update records set digest = sha256('x') where seq = 3",
		"update events set why = 'x' where seq = 5",
		"update providers set spec = 'x' where id = 'a'",
		"update codes set version = '2'",
		"update people set data = 'x' where id = (select min(id) from people)",
		"update salts set salt = substr(sha256('x'), 1, 16) where id = (select max(id) from salts)",
		"update shared set content = 'x'",
		"update access set expires = expires + interval '1 second'",
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			address := server.Address(t)
			_, err := registry.Copy(t.Context(), source, spoilt{fill(t, address), func() { sql(t, address, change) }}, func(registry.Part, int) {})
			if !errors.Is(err, registry.ErrConflict) || !strings.Contains(err.Error(), "comparing") {
				t.Errorf("%v", err)
			}
			if _, err := postgres.Open(t.Context(), address, postgres.Options{}); !errors.Is(err, registry.ErrInvalid) {
				t.Errorf("a wrong copy can be opened: %v", err)
			}
		})
	}
}

type spoilt struct {
	*postgres.Copy
	change func()
}

func (s spoilt) Settle(ctx context.Context) error {
	err := s.Copy.Settle(ctx)
	s.change()
	return err
}

// houseOf is the house of the list of a record.
func houseOf(t *testing.T, r *registry.Registry, rec registry.Record) registry.House {
	t.Helper()
	l, err := r.List(t.Context(), rec.List)
	if err != nil {
		t.Fatal(err)
	}
	return l.House
}
