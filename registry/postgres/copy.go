package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"attesta/registry"
)

// Copy is a registry that is being filled with what another has. Until it is
// released, Open refuses it.
type Copy struct{ s *Store }

var _ registry.Target = (*Copy)(nil)

// Fill makes a registry in a schema that has none, to be filled, or goes on with
// one that is not complete. One that is complete is registry.ErrConflict.
func Fill(ctx context.Context, address string, opts Options) (*Copy, error) {
	s, err := open(ctx, address, opts, opening, true)
	if errors.Is(err, registry.ErrNotFound) {
		s, err = open(ctx, address, opts, creating, true)
	}
	if err != nil {
		return nil, fmt.Errorf("beginning a copy: %w", err)
	}
	err = s.read(ctx, func(c *pgx.Conn) error {
		var complete bool
		if err := c.QueryRow(ctx, "select complete from meta").Scan(&complete); err != nil {
			return fmt.Errorf("looking how far it has come: %w", err)
		}
		if complete {
			return fmt.Errorf("the schema %s of this database holds a registry: %w", s.schema, registry.ErrConflict)
		}
		return nil
	})
	if err != nil {
		_ = s.Close() // it only read
		return nil, fmt.Errorf("beginning a copy: %w", err)
	}
	return &Copy{s}, nil
}

// ID is Store.ID.
func (c *Copy) ID() string { return c.s.id }

// Close ends the work on a copy; what was written stays.
func (c *Copy) Close() error { return c.s.Close() }

// Check is registry.Backend.Check.
func (c *Copy) Check(ctx context.Context) error { return c.s.Check(ctx) }

// Release is registry.Target.Release.
func (c *Copy) Release(ctx context.Context) error {
	return c.s.update(ctx, func(t *tx) error {
		t.changed = true
		_, err := t.Exec(ctx, "update meta set complete = true")
		return err
	})
}

// Settle is registry.Target.Settle.
func (c *Copy) Settle(ctx context.Context) error {
	const tallied = `count(*) filter (where state = 'reserved'), count(*) filter (where state <> 'reserved'),
		count(*) filter (where state <> 'reserved' and status = 2), count(*) filter (where state <> 'reserved' and status = 1)`
	return c.s.update(ctx, func(t *tx) error {
		t.changed = true
		for _, text := range []string{
			"delete from counts",
			"delete from editions",
			`insert into counts (provider, reserved, sealed, suspended, revoked)
				select case when grouping(provider) = 1 then '' else provider end, ` + tallied + `
				from records group by grouping sets ((), (provider)) having count(*) > 0`,
			`insert into editions (provider, module, edition, reserved, sealed, suspended, revoked)
				select provider, module, edition, ` + tallied + ` from records group by provider, module, edition`,
			`update head set records = (select coalesce(max(seq), 0) from records), events = (select coalesce(max(seq), 0) from events)`,
		} {
			if _, err := t.Exec(ctx, text); err != nil {
				return err
			}
		}
		return t.growAgain(ctx)
	})
}

// Import is registry.Target.Import.
func (c *Copy) Import(ctx context.Context, part registry.Part, entries []registry.Entry) error {
	return c.s.update(ctx, func(t *tx) error {
		t.changed = true
		n := len(entries)
		switch part {
		case "lists":
			return t.importLists(ctx, entries)
		case "records":
			return t.importRecords(ctx, entries)
		case "claims":
			return t.fill(ctx, "claims", []string{"hash", "seq"}, n, func(i int) ([]any, error) {
				return []any{entries[i].Claim.Hash[:], int64(entries[i].Claim.Seq)}, nil
			})
		case "documents":
			return t.fill(ctx, "documents", []string{"seq", "data"}, n, func(i int) ([]any, error) {
				return []any{int64(entries[i].Document.Seq), entries[i].Document.Data}, nil
			})
		case "shared":
			return t.fill(ctx, "shared", []string{"id", "content"}, n, func(i int) ([]any, error) {
				return []any{entries[i].Shared.ID[:], entries[i].Shared.Content}, nil
			})
		case "log":
			return c.s.importKey(ctx, t, entries[0].Log.Key)
		case "events":
			return t.fill(ctx, "events", []string{"seq", "at", "kind", "what", "who", "why"}, n, func(i int) ([]any, error) {
				ev := entries[i].Event
				return []any{int64(ev.Seq), ev.At, ev.Kind, ev.What, ev.By, ev.Why}, nil
			})
		case "providers":
			return t.fill(ctx, "providers", []string{"id", "spec"}, n, func(i int) ([]any, error) {
				return []any{entries[i].Provider.ID, entries[i].Provider.Spec}, nil
			})
		case "modules":
			return t.importModules(ctx, entries)
		case "people":
			people := make([]registry.Person, n)
			for i, e := range entries {
				people[i] = *e.Person
			}
			return t.addPeople(ctx, people)
		case "keys":
			return t.importKeys(ctx, entries)
		case "proposals":
			return t.importProposals(ctx, entries)
		case "accesses":
			return t.fill(ctx, "access", []string{"hash", "kind", "who", "expires"}, n, func(i int) ([]any, error) {
				a := entries[i].Access
				return []any{a.Hash[:], a.Kind, a.By, a.Expires}, nil
			})
		}
		return fmt.Errorf("there is no part %q: %w", part, registry.ErrInvalid)
	})
}

func (t *tx) importLists(ctx context.Context, entries []registry.Entry) error {
	var open []*registry.ListEntry
	err := t.fill(ctx, "lists", []string{"id", "provider", "sealer", "legal_id", "seed", "next", "version"}, len(entries), func(i int) ([]any, error) {
		l := entries[i].List
		if l.Open {
			open = append(open, l)
		}
		return []any{l.ID, l.Provider, l.House.Sealer, l.House.LegalID, l.Seed[:], int32(l.Next), int64(l.Version)}, nil
	})
	if err != nil {
		return err
	}
	return t.fill(ctx, "open_lists", []string{"provider", "sealer", "legal_id", "list"}, len(open), func(i int) ([]any, error) {
		return []any{open[i].Provider, open[i].House.Sealer, open[i].House.LegalID, open[i].ID}, nil
	})
}

func (t *tx) importRecords(ctx context.Context, entries []registry.Entry) error {
	var bodies []*registry.Record
	for _, e := range entries {
		if e.Record.State == registry.Reserved {
			bodies = append(bodies, e.Record)
		}
	}
	if err := t.putRecords(ctx, len(entries), func(i int) registry.Record { return *entries[i].Record }); err != nil {
		return err
	}
	return t.fill(ctx, "bodies", []string{"seq", "body"}, len(bodies), func(i int) ([]any, error) {
		return []any{int64(bodies[i].Seq), bodies[i].Body}, nil
	})
}

func (t *tx) importModules(ctx context.Context, entries []registry.Entry) error {
	var newest []*registry.ModuleEntry
	err := t.fill(ctx, "modules", []string{"code", "version", "spec"}, len(entries), func(i int) ([]any, error) {
		m := entries[i].Module
		if m.Newest {
			newest = append(newest, m)
		}
		return []any{m.Code, m.Version, m.Spec}, nil
	})
	if err != nil {
		return err
	}
	return t.fill(ctx, "codes", []string{"code", "provider", "version"}, len(newest), func(i int) ([]any, error) {
		return []any{newest[i].Code, newest[i].Provider, newest[i].Version}, nil
	})
}

// Last is registry.Target.Last.
func (c *Copy) Last(ctx context.Context, part registry.Part) (*registry.Entry, error) {
	if part == "log" {
		entries, err := c.s.exportLog(ctx, nil)
		if err != nil || len(entries) == 0 {
			return nil, err
		}
		return &entries[0], nil
	}
	x, ok := exports()[part]
	if !ok {
		return nil, fmt.Errorf("there is no part %q: %w", part, registry.ErrInvalid)
	}
	var out []registry.Entry
	err := c.s.read(ctx, func(conn *pgx.Conn) (err error) {
		out, err = x.page(ctx, conn, x.text+" order by "+x.down+" limit 1")
		return err
	})
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return &out[0], nil
}

// Export is registry.Source.Export.
func (c *Copy) Export(ctx context.Context, part registry.Part, after *registry.Entry, limit int) ([]registry.Entry, error) {
	return c.s.Export(ctx, part, after, limit)
}

var _ registry.Source = (*Store)(nil)

// Export is registry.Source.Export.
func (s *Store) Export(ctx context.Context, part registry.Part, after *registry.Entry, limit int) (out []registry.Entry, err error) {
	if part == "log" {
		return s.exportLog(ctx, after)
	}
	x, ok := exports()[part]
	if !ok {
		return nil, fmt.Errorf("there is no part %q: %w", part, registry.ErrInvalid)
	}
	err = s.read(ctx, func(c *pgx.Conn) error {
		if after == nil {
			out, err = x.page(ctx, c, x.text+" order by "+x.up+" limit $1", limit)
			return err
		}
		out, err = x.page(ctx, c, x.text+" where "+x.above+" order by "+x.up+" limit $1", append([]any{limit}, x.key(after)...)...)
		return err
	})
	return out, err
}

// export is how a part is read, in the order of its keys.
type export struct {
	text, above, up, down string
	key                   func(*registry.Entry) []any
	read                  func(pgx.CollectableRow) (registry.Entry, error)
}

func (x export) page(ctx context.Context, c *pgx.Conn, text string, args ...any) ([]registry.Entry, error) {
	rows, err := c.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, x.read)
}

func exports() map[registry.Part]export {
	return map[registry.Part]export{
		"lists": {
			`select l.id, l.provider, l.sealer, l.legal_id, l.seed, l.next, l.version, exists (select from open_lists o
				where o.list = l.id and o.provider = l.provider and o.sealer = l.sealer and o.legal_id = l.legal_id) from lists l`,
			"l.id > $2", "l.id", "l.id desc", func(e *registry.Entry) []any { return []any{e.List.ID} }, exportList,
		},
		"records": {
			"select b.body, " + recordColumns + " from records r left join bodies b on b.seq = r.seq",
			"r.seq > $2", "r.seq", "r.seq desc", func(e *registry.Entry) []any { return []any{number(e.Record.Seq)} }, exportRecord,
		},
		"claims": {
			"select hash, seq from claims",
			"hash > $2", "hash", "hash desc", func(e *registry.Entry) []any { return []any{e.Claim.Hash[:]} }, exportClaim,
		},
		"documents": {
			"select d.seq, d.data from documents d",
			"d.seq > $2", "d.seq", "d.seq desc", func(e *registry.Entry) []any { return []any{number(e.Document.Seq)} }, exportDocument,
		},
		"events": {
			"select seq, at, kind, what, who, why from events",
			"seq > $2", "seq", "seq desc", func(e *registry.Entry) []any { return []any{number(e.Event.Seq)} }, exportEvent,
		},
		"providers": {
			"select id, spec from providers",
			"id > $2", "id", "id desc", func(e *registry.Entry) []any { return []any{e.Provider.ID} }, exportProvider,
		},
		"modules": {
			"select m.code, m.version, coalesce(c.provider, ''), m.spec, coalesce(c.version = m.version, false) from modules m left join codes c on c.code = m.code",
			"(m.code, m.version) > ($2, $3)", "m.code, m.version", "m.code desc, m.version desc",
			func(e *registry.Entry) []any { return []any{e.Module.Code, e.Module.Version} }, exportModule,
		},
		"people": {
			selectPeople,
			"p.id > $2", "p.id", "p.id desc", func(e *registry.Entry) []any { return []any{e.Person.ID} }, exportPerson,
		},
		"shared": {
			"select id, content from shared",
			"id > $2", "id", "id desc", func(e *registry.Entry) []any { return []any{e.Shared.ID[:]} }, exportShared,
		},
		"keys": {
			"select " + keyMarkColumns + " from keys",
			"id > $2", "id", "id desc", func(e *registry.Entry) []any { return []any{e.Key.ID} }, exportKey,
		},
		"proposals": {
			"select number, body from proposals",
			"number > $2", "number", "number desc", func(e *registry.Entry) []any { return []any{number(e.Proposal.Number)} }, exportProposal,
		},
		"accesses": {
			"select hash, kind, who, expires from access",
			"hash > $2", "hash", "hash desc", func(e *registry.Entry) []any { return []any{e.Access.Hash[:]} }, exportAccess,
		},
	}
}

func exportList(row pgx.CollectableRow) (registry.Entry, error) {
	var l registry.ListEntry
	var seed []byte
	err := row.Scan(&l.ID, &l.Provider, &l.House.Sealer, &l.House.LegalID, &seed, &l.Next, &l.Version, &l.Open)
	if copy(l.Seed[:], seed) != len(l.Seed) && err == nil {
		err = fmt.Errorf("reading the seed of a list: %w", errDamaged)
	}
	return registry.Entry{List: &l}, err
}

func exportRecord(row pgx.CollectableRow) (registry.Entry, error) {
	var body []byte
	r, err := scanRecord(row, &body)
	if err == nil {
		err = withBody(&r, body)
	}
	return registry.Entry{Record: &r}, err
}

func exportClaim(row pgx.CollectableRow) (registry.Entry, error) {
	var c registry.ClaimEntry
	var hash []byte
	err := row.Scan(&hash, &c.Seq)
	copy(c.Hash[:], hash)
	return registry.Entry{Claim: &c}, err
}

func exportDocument(row pgx.CollectableRow) (registry.Entry, error) {
	var d registry.DocumentEntry
	err := row.Scan(&d.Seq, &d.Data)
	return registry.Entry{Document: &d}, err
}

func exportShared(row pgx.CollectableRow) (registry.Entry, error) {
	var x registry.SharedEntry
	var id []byte
	err := row.Scan(&id, &x.Content)
	copy(x.ID[:], id)
	return registry.Entry{Shared: &x}, err
}

func exportEvent(row pgx.CollectableRow) (registry.Entry, error) {
	var ev registry.Event
	err := row.Scan(&ev.Seq, &ev.At, &ev.Kind, &ev.What, &ev.By, &ev.Why)
	ev.At = ev.At.UTC()
	return registry.Entry{Event: &ev}, err
}

func exportProvider(row pgx.CollectableRow) (registry.Entry, error) {
	var p registry.Provider
	err := row.Scan(&p.ID, &p.Spec)
	return registry.Entry{Provider: &p}, err
}

func exportModule(row pgx.CollectableRow) (registry.Entry, error) {
	var m registry.ModuleEntry
	err := row.Scan(&m.Code, &m.Version, &m.Provider, &m.Spec, &m.Newest)
	return registry.Entry{Module: &m}, err
}

func exportPerson(row pgx.CollectableRow) (registry.Entry, error) {
	p, err := scanPerson(row)
	return registry.Entry{Person: &p}, err
}

func exportAccess(row pgx.CollectableRow) (registry.Entry, error) {
	var a registry.AccessEntry
	var hash []byte
	err := row.Scan(&hash, &a.Kind, &a.By, &a.Expires)
	copy(a.Hash[:], hash)
	a.Expires = a.Expires.UTC()
	return registry.Entry{Access: &a}, err
}
