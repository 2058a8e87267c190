package postgres

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"attesta/registry"
)

// Reserve is registry.Ledger.Reserve, one transaction for all intents.
func (s *Store) Reserve(ctx context.Context, intents []registry.Intent, names []registry.Names, shared []registry.SharedEntry, at time.Time) ([]registry.Reservation, error) {
	var out []registry.Reservation
	err := s.update(ctx, func(t *tx) error {
		out = make([]registry.Reservation, len(intents))
		if err := t.hold(ctx); err != nil { // before looking: nobody adds an award meanwhile
			return err
		}
		if err := t.putShared(ctx, shared); err != nil {
			return err
		}
		if err := t.existing(ctx, intents, out); err != nil {
			return err
		}
		var fresh []int
		for i := range out {
			if !out[i].Existing {
				fresh = append(fresh, i)
			}
		}
		if len(fresh) == 0 {
			return nil // and still commit, so that what is said to be there is on a standby too
		}
		lists, err := s.openLists(ctx, t, intents, fresh)
		if err != nil {
			return err
		}
		for _, i := range fresh {
			if out[i].Record, err = s.reserve(t, lists, intents[i], names[i], at); err != nil {
				return err
			}
		}
		if err := t.enrol(ctx, names, fresh); err != nil {
			return err
		}
		if err := t.putReserved(ctx, out, names, fresh); err != nil {
			return err
		}
		return lists.write(ctx, t)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// existing finds the awards that are there.
func (t *tx) existing(ctx context.Context, intents []registry.Intent, out []registry.Reservation) error {
	editions, modules, learners := make([]string, len(intents)), make([]string, len(intents)), make([]string, len(intents))
	for i, in := range intents {
		editions[i], modules[i], learners[i] = in.Edition, in.Module, in.Learner
	}
	rows, err := t.Query(ctx, `select a.n, b.body, `+recordColumns+`
		from unnest($1::text[] collate "C", $2::text[] collate "C", $3::text[] collate "C") with ordinality as a (edition, module, learner, n)
		join records r on r.edition = a.edition and r.module = a.module and r.learner = a.learner
		left join bodies b on b.seq = r.seq`, editions, modules, learners)
	if err != nil {
		return fmt.Errorf("looking for the awards: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		var body []byte
		r, err := scanRecord(rows, &n, &body)
		if err != nil {
			return fmt.Errorf("reading an award: %w", err)
		}
		if r.Body = body; (r.State == registry.Reserved) != (body != nil) {
			return fmt.Errorf("record %d is %s and its body says otherwise: %w", r.Seq, r.State, errDamaged)
		}
		out[n-1] = registry.Reservation{Record: r, Existing: true}
	}
	return rows.Err()
}

func (s *Store) reserve(t *tx, lists *openLists, in registry.Intent, n registry.Names, at time.Time) (registry.Record, error) {
	list, index, err := lists.take(s.rand, registry.ListHouse{Provider: in.Provider, House: in.House})
	if err != nil {
		return registry.Record{}, err
	}
	t.records++
	r := registry.Record{
		Seq: uint64(t.records), Credential: n.Credential, Handle: n.Handle, Provider: in.Provider, Learner: in.Learner,
		Module: in.Module, Version: in.Version, Edition: in.Edition, Hidden: bytes.Clone(in.Hidden), State: registry.Reserved,
		List: list, Index: index, Body: append([]byte(nil), in.Body...), ReservedAt: at,
	}
	t.recount(registry.Record{}, r)
	t.event(registry.Event{At: at, Kind: "reserve", What: r.Credential})
	return r, nil
}

// enrol adds the people of new records who are not there.
func (t *tx) enrol(ctx context.Context, names []registry.Names, fresh []int) error {
	seen := map[string]bool{}
	var people []registry.Person
	for _, i := range fresh {
		if p := names[i].Learner; !seen[p.ID] {
			seen[p.ID] = true
			people = append(people, p)
		}
	}
	there, err := t.admit(ctx, people)
	if err != nil {
		return err
	}
	return t.addPeople(ctx, slices.DeleteFunc(people, func(p registry.Person) bool { return there[p.ID] }))
}

// putReserved writes new records with their bodies and claims.
func (t *tx) putReserved(ctx context.Context, out []registry.Reservation, names []registry.Names, fresh []int) error {
	if err := t.putRecords(ctx, len(fresh), func(i int) registry.Record { return out[fresh[i]].Record }); err != nil {
		return err
	}
	err := t.fill(ctx, "bodies", []string{"seq", "body"}, len(fresh), func(i int) ([]any, error) {
		r := &out[fresh[i]].Record
		return []any{int64(r.Seq), r.Body}, nil
	})
	if err != nil {
		return err
	}
	return t.fill(ctx, "claims", []string{"hash", "seq"}, len(fresh), func(i int) ([]any, error) {
		return []any{names[fresh[i]].ClaimHash[:], int64(out[fresh[i]].Record.Seq)}, nil
	})
}

func (t *tx) putRecords(ctx context.Context, n int, get func(int) registry.Record) error {
	columns := []string{
		"seq", "credential", "handle", "provider", "learner", "module", "version", "edition",
		"hidden", "list", "place", "reserved_at", "state", "digest", "sealed_at",
		"status", "reason", "status_at", "level", "sealer",
	}
	known := make([]string, 0, n)
	for i := range n {
		known = append(known, get(i).SealKey)
	}
	sealers, err := t.sealers(ctx, known)
	if err != nil {
		return err
	}
	return t.fill(ctx, "records", columns, n, func(i int) ([]any, error) {
		r := get(i)
		digest, err := digestOf(r.Digest)
		return []any{
			int64(r.Seq), r.Credential, r.Handle, r.Provider, r.Learner, r.Module, r.Version, r.Edition,
			r.Hidden, r.List, int32(r.Index), r.ReservedAt, string(r.State),
			digest, optional(r.SealedAt), int16(r.Status), r.Reason, optional(r.StatusAt), int16(r.Level), sealers[r.SealKey],
		}, err
	})
}

// optional is a time that may be missing, as PostgreSQL keeps it.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// openList is the list of a provider and house from which places are taken.
type openList struct {
	id     string
	of     registry.ListHouse
	seed   []byte
	next   uint32
	fresh  bool
	places registry.Positions
}

// openLists are those that a transaction takes from, with those it filled.
type openLists struct {
	open   map[registry.ListHouse]*openList
	filled []*openList
}

// openLists reads the open lists of the providers and houses of some intents.
func (s *Store) openLists(ctx context.Context, t *tx, intents []registry.Intent, fresh []int) (*openLists, error) {
	seen := map[registry.ListHouse]bool{}
	var providers, sealers, legal []string
	for _, i := range fresh {
		if h := (registry.ListHouse{Provider: intents[i].Provider, House: intents[i].House}); !seen[h] {
			seen[h] = true
			providers, sealers, legal = append(providers, h.Provider), append(sealers, h.House.Sealer), append(legal, h.House.LegalID)
		}
	}
	rows, err := t.Query(ctx, `select l.provider, l.sealer, l.legal_id, l.id, l.seed, l.next
		from unnest($1::text[] collate "C", $2::text[] collate "C", $3::text[] collate "C") as h (provider, sealer, legal_id)
		join open_lists o using (provider, sealer, legal_id)
		join lists l on l.id = o.list and l.provider = o.provider and l.sealer = o.sealer and l.legal_id = o.legal_id`, providers, sealers, legal)
	if err != nil {
		return nil, fmt.Errorf("reading the open lists: %w", err)
	}
	defer rows.Close()
	lists := &openLists{open: map[registry.ListHouse]*openList{}}
	for rows.Next() {
		l := &openList{}
		if err := rows.Scan(&l.of.Provider, &l.of.House.Sealer, &l.of.House.LegalID, &l.id, &l.seed, &l.next); err != nil {
			return nil, fmt.Errorf("reading an open list: %w", err)
		}
		if err := l.shuffle(); err != nil {
			return nil, err
		}
		lists.open[l.of] = l
	}
	return lists, rows.Err()
}

func (l *openList) shuffle() (err error) {
	var seed [32]byte
	if copy(seed[:], l.seed) != len(seed) {
		return fmt.Errorf("reading the seed of a list: %w", errDamaged)
	}
	l.places, err = registry.NewPositions(seed)
	return err
}

// take gives out the next place in the list of a provider and house, a new one
// if need be.
func (o *openLists) take(rand io.Reader, of registry.ListHouse) (id string, place uint32, err error) {
	l := o.open[of]
	if l == nil || l.next >= registry.ListSize {
		if l != nil {
			o.filled = append(o.filled, l)
		}
		if l, err = newList(rand, of); err != nil {
			return "", 0, err
		}
		o.open[of] = l
	}
	if place, err = l.places.At(l.next); err != nil {
		return "", 0, err
	}
	l.next++
	return l.id, place, nil
}

func newList(rand io.Reader, of registry.ListHouse) (*openList, error) {
	id, err := registry.NewReference(rand)
	if err != nil {
		return nil, fmt.Errorf("naming a status list: %w", err)
	}
	l := &openList{id: id, of: of, seed: make([]byte, 32), fresh: true}
	if _, err := io.ReadFull(rand, l.seed); err != nil {
		return nil, fmt.Errorf("seeding a status list: %w", err)
	}
	return l, l.shuffle()
}

// write stores how far the lists have come.
func (o *openLists) write(ctx context.Context, t *tx) error {
	var batch pgx.Batch
	put := func(l *openList) {
		if l.fresh {
			batch.Queue("insert into lists (id, provider, sealer, legal_id, seed, next, version) values ($1, $2, $3, $4, $5, $6, 0)",
				l.id, l.of.Provider, l.of.House.Sealer, l.of.House.LegalID, l.seed, int32(l.next))
			return
		}
		batch.Queue("update lists set next = $2 where id = $1", l.id, int32(l.next))
	}
	for _, l := range o.filled {
		put(l)
	}
	for of, l := range o.open {
		put(l)
		if l.fresh {
			batch.Queue(`insert into open_lists (provider, sealer, legal_id, list) values ($1, $2, $3, $4)
				on conflict (provider, sealer, legal_id) do update set list = excluded.list`, of.Provider, of.House.Sealer, of.House.LegalID, l.id)
		}
	}
	if err := t.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("writing the lists: %w", err)
	}
	return nil
}
