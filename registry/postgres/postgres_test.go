// The tests below were held against faults planted one at a time, each of which
// they found:
//
//   - the head taken without a lock: many who reserve one award, eight writers,
//     who follows the log; TestHanging
//   - the records of Complete and Extend taken without a lock: extending and
//     changing the status, many who extend, many who seal one record
//   - the record of SetStatus taken without a lock: revoked stays revoked,
//     extending and changing the status
//   - Reserve looking for awards before it holds the head: many who reserve
//   - records locked in the order of the call: many who extend one record, who
//     lock each other out until they give up
//   - times not brought to UTC: times come back in UTC
//   - columns without collate "C", on a server that orders as Italians do:
//     editions, providers and modules page in order
//   - a repeated status written again: asking for the status there is
//   - a list that keeps its version: a list shows, a list is a consistent
//     picture, revoked stays revoked
//   - List reading version and entries one after the other: a list is a
//     consistent picture
//   - the digest Before not looked at, the extended bytes not stored: extending
//     what changed meanwhile, and a dozen more
//   - the places given out not written back: eight writers, and others
//   - a token left in place, or good for a second too long: of many who redeem,
//     leaving; a secret opens until it expires
//   - counters that forget what a record was: counts equal a recount, and Check
//     after nearly every test
//   - events numbered from the last one seen: eight writers, who follows the log
//   - Unfinished giving its cursor again: who follows the log, unfinished pages
//   - steps never begun again: TestAgain, TestConnectionsCut
//   - migrations without a lock: TestMigrations
//   - synchronous_commit not looked at: TestUnsafeServers
//   - connections kept in the midst of a transaction: TestPool
//   - sealed bytes not compared with their digest: TestCheckFinds
//   - a copy that is not compared, or begins anew each time:
//     TestCopyFindsDifferences, TestCopyGoesOn
package postgres_test

import (
	"context"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"attesta/auditlog"
	"attesta/registry"
	"attesta/registry/postgres"
	"attesta/registry/registrytest"
)

var server = &postgres.TestServer

func TestMain(m *testing.M) { os.Exit(server.Run(m)) }

var testAt = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func create(t testing.TB) (*postgres.Store, string) {
	t.Helper()
	address := server.Address(t)
	s, err := postgres.Create(t.Context(), address, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, address
}

func open(t testing.TB, address string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), address, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestPromises(t *testing.T) {
	registrytest.Run(t, func(t *testing.T) registry.Backend {
		s, _ := create(t)
		return s
	})
}

// TestPromisesOfReplicas sends every call to another of three programs over one
// database: what one does the next must see.
func TestPromisesOfReplicas(t *testing.T) {
	registrytest.Run(t, func(t *testing.T) registry.Backend {
		s, address := create(t)
		return &replicas{all: []registry.Backend{s, open(t, address), open(t, address)}}
	})
}

// replicas is a backend that is each of several in turn.
type replicas struct {
	all  []registry.Backend
	next atomic.Int64
}

func (r *replicas) one() registry.Backend { return r.all[int(r.next.Add(1))%len(r.all)] }

func (r *replicas) Reserve(ctx context.Context, in []registry.Intent, n []registry.Names, s []registry.SharedEntry, at time.Time) ([]registry.Reservation, error) {
	return r.one().Reserve(ctx, in, n, s, at)
}

func (r *replicas) Complete(ctx context.Context, d []registry.Document, s []registry.SharedEntry, at time.Time) error {
	return r.one().Complete(ctx, d, s, at)
}

func (r *replicas) Extend(ctx context.Context, x []registry.ExtendedDocument, at time.Time) error {
	return r.one().Extend(ctx, x, at)
}

func (r *replicas) Find(ctx context.Context, key registry.Key) (registry.Record, error) {
	return r.one().Find(ctx, key)
}

func (r *replicas) Document(ctx context.Context, seq uint64) (registry.Record, []byte, error) {
	return r.one().Document(ctx, seq)
}

func (r *replicas) Shared(ctx context.Context, id registry.SharedID) ([]byte, error) {
	return r.one().Shared(ctx, id)
}

func (r *replicas) PeopleWith(ctx context.Context, token registry.Token, after string, limit int) ([]registry.Person, error) {
	return r.one().PeopleWith(ctx, token, after, limit)
}

func (r *replicas) Erase(ctx context.Context, id, by string, at time.Time) (int, error) {
	return r.one().Erase(ctx, id, by, at)
}

func (r *replicas) Scrub(ctx context.Context) error { return r.one().Scrub(ctx) }

func (r *replicas) Erasing(ctx context.Context) (bool, error) { return r.one().Erasing(ctx) }

func (r *replicas) Records(ctx context.Context, q registry.Query) ([]registry.Record, error) {
	return r.one().Records(ctx, q)
}

func (r *replicas) Unfinished(ctx context.Context, after uint64, limit int) ([]registry.Record, error) {
	return r.one().Unfinished(ctx, after, limit)
}

func (r *replicas) AtLevel(ctx context.Context, l registry.Level, after uint64, limit int) ([]registry.Record, error) {
	return r.one().AtLevel(ctx, l, after, limit)
}

func (r *replicas) SetStatus(ctx context.Context, c registry.Change, at time.Time) (registry.Record, error) {
	return r.one().SetStatus(ctx, c, at)
}

func (r *replicas) List(ctx context.Context, id string, known uint64) (registry.StatusList, error) {
	return r.one().List(ctx, id, known)
}

func (r *replicas) Lists(ctx context.Context, after string, limit int) ([]registry.StatusList, error) {
	return r.one().Lists(ctx, after, limit)
}

func (r *replicas) Houses(ctx context.Context) ([]registry.ListHouse, error) {
	return r.one().Houses(ctx)
}

func (r *replicas) Counts(ctx context.Context, provider string) (registry.Counts, error) {
	return r.one().Counts(ctx, provider)
}

func (r *replicas) Editions(ctx context.Context, provider, after string, limit int) ([]registry.Edition, error) {
	return r.one().Editions(ctx, provider, after, limit)
}

func (r *replicas) Events(ctx context.Context, after uint64, limit int) ([]registry.Event, error) {
	return r.one().Events(ctx, after, limit)
}

func (r *replicas) PutProviders(ctx context.Context, p []registry.Provider, at time.Time) error {
	return r.one().PutProviders(ctx, p, at)
}

func (r *replicas) Provider(ctx context.Context, id string) (registry.Provider, error) {
	return r.one().Provider(ctx, id)
}

func (r *replicas) Providers(ctx context.Context, after string, limit int) ([]registry.Provider, error) {
	return r.one().Providers(ctx, after, limit)
}

func (r *replicas) PutModules(ctx context.Context, m []registry.Module, at time.Time) error {
	return r.one().PutModules(ctx, m, at)
}

func (r *replicas) Module(ctx context.Context, code string) (registry.Module, error) {
	return r.one().Module(ctx, code)
}

func (r *replicas) Modules(ctx context.Context, provider, after string, limit int) ([]registry.Module, error) {
	return r.one().Modules(ctx, provider, after, limit)
}

func (r *replicas) PutPeople(ctx context.Context, p []registry.Person, at time.Time) error {
	return r.one().PutPeople(ctx, p, at)
}

func (r *replicas) People(ctx context.Context, ids []string) (map[string]registry.Person, error) {
	return r.one().People(ctx, ids)
}

func (r *replicas) PutAccess(ctx context.Context, hash [32]byte, a registry.Access, at time.Time) error {
	return r.one().PutAccess(ctx, hash, a, at)
}

func (r *replicas) Access(ctx context.Context, hash [32]byte, at time.Time) (registry.Access, error) {
	return r.one().Access(ctx, hash, at)
}

func (r *replicas) TakeAccess(ctx context.Context, hash [32]byte, at time.Time) (registry.Access, error) {
	return r.one().TakeAccess(ctx, hash, at)
}

func (r *replicas) LogHead(ctx context.Context) (registry.LogHead, error) {
	return r.one().LogHead(ctx)
}

func (r *replicas) LogNodes(ctx context.Context, level int, n uint64, limit int) ([]auditlog.Hash, error) {
	return r.one().LogNodes(ctx, level, n, limit)
}

func (r *replicas) Note(ctx context.Context, ev registry.Event) error { return r.one().Note(ctx, ev) }

func (r *replicas) KeepCheckpoint(ctx context.Context, size uint64, signed []byte) error {
	return r.one().KeepCheckpoint(ctx, size, signed)
}

func (r *replicas) NoteKeys(ctx context.Context, marks []registry.KeyMark, at time.Time) error {
	return r.one().NoteKeys(ctx, marks, at)
}

func (r *replicas) KeyMarks(ctx context.Context, after uint64, limit int) ([]registry.KeyMark, error) {
	return r.one().KeyMarks(ctx, after, limit)
}

func (r *replicas) SetStatuses(ctx context.Context, changes []registry.Change, at time.Time) ([]registry.Effect, error) {
	return r.one().SetStatuses(ctx, changes, at)
}

func (r *replicas) AddProposal(ctx context.Context, p registry.Proposal, ev registry.Event) (uint64, error) {
	return r.one().AddProposal(ctx, p, ev)
}

func (r *replicas) Proposal(ctx context.Context, number uint64) (registry.Proposal, error) {
	return r.one().Proposal(ctx, number)
}

func (r *replicas) Proposals(ctx context.Context, before uint64, limit int) ([]registry.Proposal, error) {
	return r.one().Proposals(ctx, before, limit)
}

func (r *replicas) MoveProposal(ctx context.Context, p registry.Proposal, from registry.ProposalState, ev registry.Event) error {
	return r.one().MoveProposal(ctx, p, from, ev)
}

func (r *replicas) TakeLease(ctx context.Context, name, holder string, length time.Duration, at time.Time) (bool, error) {
	return r.one().TakeLease(ctx, name, holder, length, at)
}

func (r *replicas) LeaveLease(ctx context.Context, name, holder string) error {
	return r.one().LeaveLease(ctx, name, holder)
}

func (r *replicas) Take(ctx context.Context, key [32]byte, length time.Duration, most int, at time.Time) (now, before int, err error) {
	return r.one().Take(ctx, key, length, most, at)
}

func (r *replicas) Check(ctx context.Context) error { return r.one().Check(ctx) }

func (r *replicas) Close() error {
	for _, b := range r.all {
		if err := b.Close(); err != nil {
			return err
		}
	}
	return nil
}
