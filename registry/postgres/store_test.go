package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"attesta/registry"
	"attesta/registry/postgres"
	"attesta/registry/postgres/postgrestest"
	"attesta/status"
)

func newRegistry(s *postgres.Store) *registry.Registry {
	return registry.New(s, registry.Config{ClaimKey: []byte("a claim key of the tests"), DataKey: []byte("a claim key of the tests")})
}

func anIntent(n int) registry.Intent {
	return registry.Intent{
		Provider: "prov-1", Learner: fmt.Sprintf("L-%06d", n), Module: "MOD-1", Version: "1.0", Edition: "2026-A",
		Body: []byte("body"),
	}
}

// seal issues n records, the first of them number from.
func seal(t testing.TB, r *registry.Registry, from, n int) []registry.Record {
	t.Helper()
	var in []registry.Intent
	for i := range n {
		in = append(in, anIntent(from+i))
	}
	got, err := r.Reserve(t.Context(), in, testAt)
	if err != nil {
		t.Fatal(err)
	}
	var records []registry.Record
	var sealings []registry.Sealing
	for _, x := range got {
		records = append(records, x.Record)
		sealings = append(sealings, registry.Sealing{Seq: x.Record.Seq, Sealed: fmt.Appendf(nil, "sealed %d", x.Record.Seq)})
	}
	if err := r.Complete(t.Context(), sealings, testAt); err != nil {
		t.Fatal(err)
	}
	return records
}

func sql(t testing.TB, address, text string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return server.Command(t, "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", "set search_path = "+u.Query().Get("search_path"), "-c", text)
}

func TestCreateAndOpen(t *testing.T) {
	address := server.Address(t)
	ctx := t.Context()
	if _, err := postgres.Open(ctx, address, postgres.Options{}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("opening what is not there: %v", err)
	}
	s, err := postgres.Create(ctx, address, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seal(t, newRegistry(s), 0, 3)
	if _, err := postgres.Create(ctx, address, postgres.Options{}); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("creating what is there: %v", err)
	}
	if a, b := s.ID(), open(t, address).ID(); len(a) != 26 || a != b {
		t.Errorf("the registry is %q and then %q", a, b)
	}
	if c, err := newRegistry(open(t, address)).Counts(ctx, ""); err != nil || c.Sealed != 3 {
		t.Errorf("%+v, %v", c, err)
	}
	if advice := s.Advice(); len(advice) > 0 {
		t.Errorf("advice for a server as it should be: %q", advice)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if _, err := s.Counts(ctx, ""); err == nil {
		t.Error("a closed store answers")
	}
	// Somebody else's tables stay as they are.
	other := server.Address(t)
	u, _ := url.Parse(other)
	sql(t, address, "create schema "+u.Query().Get("search_path")+" create table records (x int)")
	if _, err := postgres.Create(ctx, other, postgres.Options{}); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("creating among the tables of others: %v", err)
	}
	if got := sql(t, other, "select count(*) from pg_tables where schemaname = current_schema"); got != "1\n" {
		t.Errorf("%s tables were left", got)
	}
}

// T14: a newer registry is refused, and replicas that start together bring an
// older one up to date once.
func TestMigrations(t *testing.T) {
	_, address := create(t)
	sql(t, address, "update meta set version = version + 1")
	if _, err := postgres.Open(t.Context(), address, postgres.Options{}); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("a newer registry: %v", err)
	}
	u, _ := url.Parse(address)
	fresh := u.Query().Get("search_path") + "_empty"
	u.RawQuery = strings.Replace(u.RawQuery, "search_path="+u.Query().Get("search_path"), "search_path="+fresh, 1)
	old := u.String()
	sql(t, address, "create schema "+fresh+" create table meta (one boolean, identity text, id text, version integer, complete boolean, log_key bytea)")
	sql(t, old, "insert into meta values (true, 'attesta registry', 'X', 0, true, sha256('x'))")
	var wait sync.WaitGroup
	for range 6 {
		wait.Go(func() {
			s, err := postgres.Open(context.Background(), old, postgres.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(s.Check(context.Background()), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	var won int
	together := server.Address(t)
	var mu sync.Mutex
	for range 6 {
		wait.Go(func() {
			s, err := postgres.Create(context.Background(), together, postgres.Options{})
			if err == nil {
				mu.Lock()
				won++
				mu.Unlock()
				_ = s.Close()
			} else if !errors.Is(err, registry.ErrConflict) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if won != 1 {
		t.Errorf("%d of 6 made the registry", won)
	}
}

// N1: what an operator writes into the address is repeated nowhere.
func TestThePasswordIsNotTold(t *testing.T) {
	_, there := create(t)
	u, _ := url.Parse(there)
	dir := url.QueryEscape(u.Query().Get("host"))
	for _, address := range []string{
		"postgres://u:s3cr%zzet@localhost/db",
		"postgres://u:s3cret@localhost:notaport/db",
		"postgres://u:s3cret@localhost/db?sslmode=sometimes",
		"postgres://u:s3cret@127.0.0.1:1/db?connect_timeout=2",
		"postgres://u:s3cret@/db?host=/nonexistent",
		"postgres://nobody:s3cret@/postgres?host=" + dir,
		"postgres://test:s3cret@/nowhere?host=" + dir,
		"postgres://test:s3cret@/postgres?search_path=a,b&host=" + dir,
		"postgres://test:s3cret@/postgres?pool_max_conns=x&host=" + dir,
		"host=/nonexistent password=s3cret user=u",
		"s3cret",
	} {
		for _, way := range []func(context.Context, string, postgres.Options) (*postgres.Store, error){postgres.Open, postgres.Create} {
			_, err := way(t.Context(), address, postgres.Options{})
			if err == nil {
				t.Fatalf("%s was opened", address)
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(fmt.Sprintf("%v %+v", e, e), "s3cr") {
					t.Errorf("%s: an error tells the password: %v", address, e)
				}
			}
		}
	}
}

// T11: a server that may lose what it acknowledged is refused, also by who has
// the registry open when it becomes one.
func TestUnsafeServers(t *testing.T) {
	_, address := create(t)
	if _, err := postgres.Open(t.Context(), address+"&synchronous_commit=off", postgres.Options{}); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("synchronous_commit=off: %v", err)
	}
	for _, ok := range []string{"on", "local"} {
		s, err := postgres.Open(t.Context(), address+"&synchronous_commit="+ok, postgres.Options{})
		if err != nil {
			t.Errorf("synchronous_commit=%s: %v", ok, err)
			continue
		}
		_ = s.Close()
	}
	if _, err := postgres.Open(t.Context(), address+"&default_transaction_read_only=on", postgres.Options{}); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("read only: %v", err)
	}
	server.Command(t, "createdb", "-E", "SQL_ASCII", "-T", "template0", "--locale=C", "--locale-provider=libc", "ascii")
	if _, err := postgres.Create(t.Context(), server.In("ascii", "attesta"), postgres.Options{}); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("a database of bytes: %v", err)
	}
	for _, setting := range []string{"fsync", "full_page_writes"} {
		unsafe := postgrestest.Server{Settings: []string{setting + "=off"}, NoChecksums: true}
		address := unsafe.Address(t)
		_, err := postgres.Create(t.Context(), address, postgres.Options{})
		if !errors.Is(err, registry.ErrInvalid) || !strings.Contains(err.Error(), setting+" is off") {
			t.Errorf("%s=off: %v", setting, err)
		}
		unsafe.Stop()
	}
}

// T11: after the crash of the server everything that was acknowledged is there.
func TestCrashOfTheServer(t *testing.T) {
	own := postgrestest.Server{NoChecksums: true}
	address := own.Address(t)
	defer own.Stop()
	s, err := postgres.Create(t.Context(), address, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if len(s.Advice()) != 1 {
		t.Errorf("advice for a server without checksums: %q", s.Advice())
	}
	r := newRegistry(s)
	acknowledged := map[int][]byte{}
	for round := range 3 {
		stop, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			for n := round * 100_000; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				got, err := r.Reserve(context.Background(), []registry.Intent{anIntent(n)}, testAt)
				if err != nil {
					continue // the server is gone
				}
				doc := fmt.Appendf(nil, "sealed %d", n)
				if r.Complete(context.Background(), []registry.Sealing{{Seq: got[0].Record.Seq, Sealed: doc}}, testAt) == nil {
					acknowledged[int(got[0].Record.Seq)] = doc
				}
			}
		}()
		time.Sleep(300 * time.Millisecond)
		own.Crash(t)
		close(stop)
		<-ended
		for seq, doc := range acknowledged {
			if got, err := r.SealedBytes(t.Context(), uint64(seq)); err != nil || !bytes.Equal(got, doc) {
				t.Fatalf("round %d: record %d is %q, %v", round, seq, got, err)
			}
		}
		if err := r.Check(t.Context()); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	t.Logf("%d records acknowledged, none lost", len(acknowledged))
	if len(acknowledged) < 3 {
		t.Error("too few to say anything")
	}
}

// T11: connections that are cut at any moment leave whole steps, and repeating
// the calls finishes the work with nothing twice.
func TestConnectionsCut(t *testing.T) {
	s, address := create(t)
	r := newRegistry(s)
	stop := make(chan struct{})
	var cut, work sync.WaitGroup
	cut.Go(func() {
		u, _ := url.Parse(address)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			server.Command(t, "psql", "-qAtXc", fmt.Sprintf(`select pg_terminate_backend(pid) from pg_stat_activity
				where application_name = 'attesta' and query like '%%' and pid in (select l.pid from pg_locks l join pg_class c on c.oid = l.relation
				join pg_namespace n on n.oid = c.relnamespace where n.nspname = '%s')`, u.Query().Get("search_path")))
		}
	})
	const writers, each = 4, 40
	var failed [writers]int
	for w := range writers {
		work.Go(func() {
			for n := range each {
				for tries := 0; ; tries++ {
					if tries == 200 {
						t.Errorf("record %d of writer %d never got through", n, w)
						return
					}
					got, err := r.Reserve(context.Background(), []registry.Intent{anIntent(w*each + n)}, testAt)
					if err == nil {
						err = r.Complete(context.Background(), []registry.Sealing{{Seq: got[0].Record.Seq, Sealed: []byte("sealed")}}, testAt)
					}
					if err == nil {
						break
					}
					failed[w]++
				}
			}
		})
	}
	work.Wait()
	close(stop)
	cut.Wait()
	c, err := r.Counts(t.Context(), "")
	if err != nil || c != (registry.Counts{Sealed: writers * each}) {
		t.Errorf("%+v, %v", c, err)
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
	t.Logf("%v calls failed", failed)
}

func TestAFullListIsFollowedByAnother(t *testing.T) {
	s, address := create(t)
	r := newRegistry(s)
	first := seal(t, r, 0, 1)[0]
	sql(t, address, fmt.Sprintf("update lists set next = %d", registry.ListSize-2))
	var ids []string
	for _, x := range seal(t, r, 1, 5) {
		ids = append(ids, x.List)
	}
	if ids[0] != first.List || ids[1] != first.List || ids[2] == first.List || ids[3] != ids[2] || ids[4] != ids[2] {
		t.Errorf("lists %q after %q", ids, first.List)
	}
	if l, err := r.List(t.Context(), ids[2]); err != nil || l.Provider != "prov-1" {
		t.Errorf("%+v, %v", l, err)
	}
	if again := seal(t, r, 6, 1)[0].List; again != ids[2] {
		t.Errorf("then came list %q", again)
	}
	// What docs/howto/postgres.md says to do after going back to an older state.
	sql(t, address, "update lists l set next = (select count(*) from records r where r.list = l.id); delete from open_lists")
	if again := seal(t, r, 7, 1)[0].List; again == ids[2] || again == first.List {
		t.Errorf("a closed list was used: %q", again)
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestCheckFinds damages a good registry in one place and looks for the words.
func TestCheckFinds(t *testing.T) {
	for _, x := range []struct{ damage, want string }{
		{"update documents set data = '\\x00ff' where seq = 2", "record 2: reading sealed record 2: decrypting"},
		{"update documents set data = (select data from documents where seq = 1) where seq = 2", "record 2: reading sealed record 2: decrypting"},
		{"update records set digest = sha256('x') where seq = 2", "record 2: reading sealed record 2: the digest differs"},
		{"delete from documents where seq = 2", "record 2 is sealed and its sealed bytes"},
		{"insert into documents values (9, 'x')", "record 9 is not there"},
		{"delete from bodies where seq = 4", "record 4 is reserved and its body"},
		{"insert into bodies values (2, 'x')", "record 2 is sealed and its body"},
		{"delete from claims where seq = 1", "record 1 and its claim"},
		{"update claims set seq = 99 where seq = 1", "record 99 and its claim"},
		{"delete from records where seq = 2", "the head says that 4 records"},
		{"update head set records = 5", "the head says that 5 records"},
		{"delete from events where seq = 2", "the head says that 9 events"},
		{"update head set events = events - 1", "the head says that 8 events"},
		{"update events set who = 'y' where kind = 'suspend'", "was made of 9"}, // R2: the tree over the log
		{"update events set what = (select what from events where seq = 3) where seq = 2", "was made of 9"},
		{"insert into nodes values (1, 0, sha256('x'))", "1 nodes instead of 0"},
		{"delete from head", "head has 0 rows"},
		{"update lists set next = next + 1", "gave out 5 positions and records have 4"},
		{"update lists set provider = 'x'", "is not one of its provider"},
		{"update open_lists set provider = 'x'", "is not that of its provider and house"},
		{"update open_lists set legal_id = 'VATIT-9'", "is not that of its provider and house"},
		{"update lists set sealer = 'x'", "is not that of its provider and house"},
		{"alter table records drop constraint records_place; update records set place = (select place from records where seq = 1) where seq = 2", "is given out 2 times"},
		{"alter table records drop constraint records_award; update records set learner = (select learner from records where seq = 1) where seq = 2", "an award is there 2 times"},
		{"delete from salts", "record 1: its person cannot be read"},
		{"insert into salts values ('x', substr(sha256('x'), 1, 16))", "person x is not whole"},
		{"insert into tokens values ('12345678', 'x')", "the tokens of person x"},
		{"update people set data = 'x'", "decrypting"},
		{"update records set status = 1, status_at = now() where seq = 2", "counts of  are not"},
		{"update counts set sealed = sealed + 1 where provider = 'prov-1'", "counts of prov-1"},
		{"delete from counts where provider = ''", "counts of  are not"},
		{"update editions set revoked = 7", "editions of prov-1 MOD-1 2026-A"},
		{"update records set status_at = null where seq = 1", "record 1 has a status and no time"},
		{ // K4: the suspended one made valid, wherever that stands but in the log
			"update records set status = 0, reason = '', status_at = null where seq = 1; update counts set suspended = 0; update editions set suspended = 0",
			"record 1 is not what the log says of it",
		},
		{"update records set level = 1 where seq = 2", "record 2 is not what the log says of it"},
		{"delete from modules where version = '1'", "version 1 of module M is missing"},
		{"delete from codes", "module M has no newest version"},
		{"update records set sealer = 99 where seq = 2", "record 2 was sealed by key 99, which has no id"},
		{"insert into proposals values (2, 'open', '{}')", "proposal 1 is missing"},
		{"insert into proposals values (1, 'open', '{}')", "reading proposal 1"},
	} {
		t.Run(x.damage, func(t *testing.T) {
			t.Parallel()
			s, address := create(t)
			r := newRegistry(s)
			first := seal(t, r, 0, 3)[0]
			if _, err := r.Reserve(t.Context(), []registry.Intent{anIntent(3)}, testAt); err != nil {
				t.Fatal(err)
			}
			if _, err := r.SetStatus(t.Context(), registry.Change{Credential: first.Credential, To: status.Suspended, Reason: "other", By: "x"}, testAt); err != nil {
				t.Fatal(err)
			}
			if err := s.PutModules(t.Context(), []registry.Module{{Code: "M", Version: "1", Provider: "p", Spec: []byte("x")}}, testAt); err != nil {
				t.Fatal(err)
			}
			if err := r.Check(t.Context()); err != nil {
				t.Fatalf("before the damage: %v", err)
			}
			sql(t, address, x.damage)
			err := r.Check(t.Context())
			if err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("%v, want %q", err, x.want)
			}
			if strings.Contains(x.want, "unpacking") {
				if _, err := r.SealedBytes(t.Context(), 2); err == nil || errors.Is(err, registry.ErrNotFound) {
					t.Errorf("damaged bytes were read: %v", err)
				}
			}
		})
	}
}
