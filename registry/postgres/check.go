package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// enough is how many faults Check names before it stops.
const enough = 16

// audits find what contradicts what. Each row of an answer is one fault in
// words that name no person.
func audits() []string {
	return []string{
		`select format('the head says that %s records were numbered; there are %s, the last is %s', h.records, n.count, n.last)
			from head h, (select count(*), coalesce(max(seq), 0) as last from records) n where h.records <> n.count or n.count <> n.last`,
		`select format('the head says that %s events were numbered; there are %s, the last is %s', h.events, n.count, n.last)
			from head h, (select count(*), coalesce(max(seq), 0) as last from events) n where h.events <> n.count or n.count <> n.last`,
		`select format('%s has %s rows instead of 1', x.name, x.count) from
			(select 'head' as name, count(*) from head union all select 'meta', count(*) from meta) x where x.count <> 1`,
		`select format('record %s: list %s is not one of its provider', r.seq, r.list)
			from records r left join lists l on l.id = r.list where l.provider is distinct from r.provider`,
		`select format('position %s of list %s is given out %s times', r.place, r.list, count(*))
			from records r group by r.list, r.place having count(*) > 1`,
		`select format('an award is there %s times, first as record %s', count(*), min(r.seq))
			from records r group by r.edition, r.module, r.learner having count(*) > 1`,
		`select format('list %s gave out %s positions and records have %s', l.id, l.next, count(r.seq))
			from lists l left join records r on r.list = l.id group by l.id having count(r.seq) <> l.next`,
		`select format('an open list %s is not that of its provider and house', o.list) from open_lists o left join lists l on l.id = o.list
			where (l.provider, l.sealer, l.legal_id) is distinct from (o.provider, o.sealer, o.legal_id)`,
		`select format('record %s is %s and its body says otherwise', coalesce(r.seq, b.seq), coalesce(r.state, 'not there'))
			from records r full join bodies b on b.seq = r.seq where (coalesce(r.state, '') = 'reserved') <> (b.seq is not null)`,
		`select format('record %s is %s and its sealed bytes say otherwise', coalesce(r.seq, d.seq), coalesce(r.state, 'not there'))
			from records r full join documents d on d.seq = r.seq where (coalesce(r.state, '') = 'sealed') <> (d.seq is not null)`,
		`select format('record %s and its claim do not point at each other', coalesce(r.seq, c.seq))
			from records r full join claims c on c.seq = r.seq where r.seq is null or c.seq is null`,
		`select format('record %s: its person cannot be read', r.seq) from records r where r.state <> 'erased'
			and not exists (select from salts s join people p on p.id = s.id where s.id = r.learner)`,
		`select format('person %s is not whole', coalesce(s.id, p.id)) from salts s full join people p on p.id = s.id where s.id is null or p.id is null`,
		`select format('the tokens of person %s are others than those it is found by', x.id) from (
			(select id, unnest(tokens) from people except select id, token from tokens)
			union (select id, token from tokens except select id, unnest(tokens) from people)) x`,
		`select format('record %s has a status and no time of it', r.seq) from records r where r.status <> 0 and r.status_at is null`,
		`select format('record %s was sealed by key %s, which has no id', r.seq, r.sealer) from records r
			where r.sealer is not null and not exists (select from sealers k where k.n = r.sealer)`,
		`select format('proposal %s is missing', x.number) from (select generate_series(1, (select max(number) from proposals)) as number) x
			where not exists (select from proposals p where p.number = x.number)`,
		historyAudit(),
		countAudit("provider", "counts", "'', provider"),
		countAudit("provider || ' ' || module || ' ' || edition", "editions", "provider, module, edition"),
		`select format('module %s has no newest version', coalesce(c.code, m.code)) from codes c
			full join (select distinct code from modules) m on m.code = c.code where c.code is null or m.code is null
			union all select format('version %s of module %s is missing', c.version, c.code) from codes c
			where not exists (select from modules m where m.code = c.code and m.version = c.version)`,
	}
}

// historyAudit holds what a record is against what the log says became of it:
// else who can write to the tables could make valid what was revoked. That the
// log is what it was, its tree says.
func historyAudit() string {
	return `with said as (
		select what, bool_or(kind = 'reserve') as reserved, bool_or(kind = 'seal') as sealed, bool_or(kind = 'erase') as erased,
			coalesce((array_agg(case kind when 'suspend' then 2 when 'revoke' then 1 else 0 end order by seq desc)
				filter (where kind in ('suspend', 'reinstate', 'revoke')))[1], 0) as status,
			coalesce((array_agg(why order by seq desc) filter (where kind = 'extend'))[1], 'B') as level
		from events where kind in ('reserve', 'seal', 'extend', 'suspend', 'reinstate', 'revoke')
			or kind = 'erase' and what !~ '^[0-9]+$' -- that one says how many
		group by what)
		select format('record %s is not what the log says of it', coalesce(r.seq::text, s.what))
		from records r full join said s on s.what = r.credential
		where r.seq is null or s.what is null or not s.reserved
			or s.sealed <> (r.state <> 'reserved') or s.erased <> (r.state = 'erased')
			or s.status <> r.status or s.level <> (array['B', 'T', 'LT', 'LTA'])[r.level + 1]`
}

// countAudit counts again what a table has counted.
func countAudit(name, table, groups string) string {
	again := `select ` + groups + `, count(*) filter (where state = 'reserved') as reserved, count(*) filter (where state <> 'reserved') as sealed,
		count(*) filter (where state <> 'reserved' and status = 2) as suspended, count(*) filter (where state <> 'reserved' and status = 1) as revoked
		from records group by ` + groups
	if table == "counts" { // of each provider, and of all
		again = `select case when grouping(provider) = 1 then '' else provider end as provider,
		count(*) filter (where state = 'reserved') as reserved, count(*) filter (where state <> 'reserved') as sealed,
		count(*) filter (where state <> 'reserved' and status = 2) as suspended, count(*) filter (where state <> 'reserved' and status = 1) as revoked
		from records group by grouping sets ((), (provider)) having count(*) > 0`
	}
	return `with again as (` + again + `), faults as (
		(select * from again except select * from ` + table + `) union (select * from ` + table + ` except select * from again))
		select distinct format('` + table + ` of %s are not those of its records', ` + name + `) from faults`
}

// Check is registry.Backend.Check, on one snapshot: changes go on meanwhile.
func (s *Store) Check(ctx context.Context) error {
	var faults []error
	err := s.once(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(t *tx) error {
		for _, text := range audits() {
			rows, err := t.Query(ctx, text)
			if err != nil {
				return err
			}
			found, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			for _, fault := range found {
				faults = append(faults, fmt.Errorf("%s: %w", fault, errDamaged))
			}
			if len(faults) >= enough {
				faults = faults[:enough]
				break
			}
		}
		more, err := t.checkTree(ctx, enough-len(faults))
		faults = append(faults, more...)
		return err
	})
	if err = errors.Join(append(faults, kind(err))...); err != nil {
		return fmt.Errorf("checking the registry: %w", err)
	}
	return nil
}
