package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"attesta/registry"
)

// SetStatuses is registry.Ledger.SetStatuses, one transaction for all.
func (s *Store) SetStatuses(ctx context.Context, changes []registry.Change, at time.Time) (out []registry.Effect, err error) {
	ids := make([]string, len(changes))
	for i, c := range changes {
		ids[i] = c.Credential
	}
	err = s.update(ctx, func(t *tx) error {
		out = make([]registry.Effect, len(changes))
		records, err := scanRecords(t.Query(ctx, "select "+recordColumns+" from records r where r.credential = any($1) order by r.seq for update", ids))
		if err != nil {
			return fmt.Errorf("locking records: %w", err)
		}
		there := make(map[string]registry.Record, len(records))
		for _, r := range records {
			there[r.Credential] = r
		}
		var w written
		for i, c := range changes {
			was, ok := there[c.Credential]
			if !ok {
				out[i] = registry.Unknown
				continue
			}
			var kind string
			if out[i], kind = registry.EffectOn(was, c.To); out[i] != registry.Changed {
				continue
			}
			is := was
			is.Status, is.Reason, is.StatusAt = c.To, c.Reason, at
			t.recount(was, is)
			t.event(registry.Event{At: at, Kind: kind, What: is.Credential, By: c.By, Why: c.Reason})
			w.add(is)
		}
		if err := t.hold(ctx); err != nil { // and commit also when nothing changes, as in Reserve
			return err
		}
		return w.write(ctx, t, at)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// written are records whose status changed, as columns.
type written struct {
	seqs     []int64
	statuses []int16
	reasons  []string
	lists    []string
}

func (w *written) add(r registry.Record) {
	w.seqs, w.statuses = append(w.seqs, int64(r.Seq)), append(w.statuses, int16(r.Status))
	w.reasons, w.lists = append(w.reasons, r.Reason), append(w.lists, r.List)
}

func (w *written) write(ctx context.Context, t *tx, at time.Time) error {
	if len(w.seqs) == 0 {
		return nil
	}
	var batch pgx.Batch
	batch.Queue(`update records r set status = x.status, reason = x.reason, status_at = $4
		from unnest($1::bigint[], $2::smallint[], $3::text[]) as x (seq, status, reason) where r.seq = x.seq`, w.seqs, w.statuses, w.reasons, at)
	batch.Queue(`update lists l set version = version + x.n
		from (select id, count(*) as n from unnest($1::text[]) as y (id) group by id) x where l.id = x.id`, w.lists)
	return t.send(ctx, &batch, "writing the status of many")
}

// sealers returns the numbers of keys, by id, and gives one to those that have
// none. The empty id has none ever.
func (t *tx) sealers(ctx context.Context, ids []string) (map[string]*int32, error) {
	out := map[string]*int32{"": nil}
	var wanted []string
	for _, id := range ids {
		if _, ok := out[id]; !ok {
			out[id], wanted = nil, append(wanted, id)
		}
	}
	if len(wanted) == 0 {
		return out, nil
	}
	if err := t.hold(ctx); err != nil {
		return nil, err
	}
	rows, err := t.Query(ctx, `with there as (select n, id from sealers where id = any($1)),
		added as (insert into sealers (n, id)
			select (select coalesce(max(n), 0) from sealers) + row_number() over (order by id), id
			from (select id from unnest($1::text[]) as w (id) except select id from there) fresh returning n, id)
		select n, id from there union all select n, id from added`, wanted)
	if err != nil {
		return nil, fmt.Errorf("numbering keys: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int32
		var id string
		if err := rows.Scan(&n, &id); err != nil {
			return nil, fmt.Errorf("numbering keys: %w", err)
		}
		out[id] = &n
	}
	return out, rows.Err()
}

// AddProposal is registry.Proposals.AddProposal.
func (s *Store) AddProposal(ctx context.Context, p registry.Proposal, ev registry.Event) (number uint64, err error) {
	err = s.update(ctx, func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		if err := t.QueryRow(ctx, "select coalesce(max(number), 0) + 1 from proposals").Scan(&number); err != nil {
			return fmt.Errorf("numbering a proposal: %w", err)
		}
		p, ev := p, ev
		p.Number, ev.What = number, registry.ProposalName(number)
		return t.putProposal(ctx, p, ev)
	})
	return number, err
}

func (t *tx) putProposal(ctx context.Context, p registry.Proposal, ev registry.Event) error {
	body, err := p.Encode()
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `insert into proposals (number, state, body) values ($1, $2, $3)
		on conflict (number) do update set state = excluded.state, body = excluded.body`, int64(p.Number), string(p.State), body)
	if err != nil {
		return fmt.Errorf("writing a proposal: %w", err)
	}
	t.event(ev)
	return nil
}

// scanProposal reads the columns number and body.
func scanProposal(row pgx.CollectableRow) (p registry.Proposal, err error) {
	var n uint64
	var body []byte
	if err := row.Scan(&n, &body); err != nil {
		return p, err
	}
	if p, err = registry.DecodeProposal(body); err != nil || p.Number != n {
		return p, fmt.Errorf("reading proposal %d: %v: %w", n, err, errDamaged)
	}
	return p, nil
}

// Proposal is registry.Proposals.Proposal.
func (s *Store) Proposal(ctx context.Context, n uint64) (p registry.Proposal, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, "select number, body from proposals where number = $1", number(n))
		if err == nil {
			p, err = pgx.CollectExactlyOneRow(rows, scanProposal)
		}
		return missing(err)
	})
	return p, err
}

// Proposals is registry.Proposals.Proposals.
func (s *Store) Proposals(ctx context.Context, before uint64, limit int) (out []registry.Proposal, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, "select number, body from proposals where number < $1 order by number desc limit $2", number(before), limit)
		if err == nil {
			out, err = pgx.CollectRows(rows, scanProposal)
		}
		return err
	})
	return out, err
}

// MoveProposal is registry.Proposals.MoveProposal.
func (s *Store) MoveProposal(ctx context.Context, p registry.Proposal, from registry.ProposalState, ev registry.Event) error {
	return s.update(ctx, func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		var state string
		if err := t.QueryRow(ctx, "select state from proposals where number = $1", number(p.Number)).Scan(&state); err != nil {
			return missing(err)
		}
		if state != string(from) {
			return fmt.Errorf("it is %s already: %w", state, registry.ErrConflict)
		}
		return t.putProposal(ctx, p, ev)
	})
}

func (t *tx) importProposals(ctx context.Context, entries []registry.Entry) error {
	return t.fill(ctx, "proposals", []string{"number", "state", "body"}, len(entries), func(i int) ([]any, error) {
		p := entries[i].Proposal
		body, err := p.Encode()
		return []any{int64(p.Number), string(p.State), body}, err
	})
}

func exportProposal(row pgx.CollectableRow) (registry.Entry, error) {
	p, err := scanProposal(row)
	return registry.Entry{Proposal: &p}, err
}
