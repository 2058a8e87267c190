package postgres

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"attesta/auditlog"
	"attesta/registry"
	"attesta/status"
)

// tx is one transaction with what it has to write at its end.
//
// Locks are taken in one order, so that no two transactions wait for each
// other: records that are there by their number, then the head, and then
// whatever else, which only the holder of the head changes.
type tx struct {
	pgx.Tx
	changed bool
	filling bool
	held    bool // the head, with the numbers given out last:
	records int64
	numbers int64 // of events
	edge    auditlog.Edge
	key     *auditlog.Key // of the log
	events  []registry.Event
	counts  map[string]*registry.Counts
	classes map[[3]string]*registry.Counts // provider, module, edition
}

// hold takes the head, and with it the right to give out numbers and places
// and to change what is counted.
func (t *tx) hold(ctx context.Context) error {
	if t.held {
		return nil
	}
	var edge []byte
	if err := t.QueryRow(ctx, "select records, events, edge from head for update").Scan(&t.records, &t.numbers, &edge); err != nil {
		return fmt.Errorf("taking the head: %w", err)
	}
	var err error
	if t.edge, err = edgeOf(edge); err != nil {
		return err
	}
	t.held, t.changed = true, true
	return nil
}

// event appends to the audit log, at the end of the transaction.
func (t *tx) event(ev registry.Event) { t.events = append(t.events, ev) }

// recount takes a record out of the counters as it was and puts it in as it is.
// A record without Seq was not there.
func (t *tx) recount(was, is registry.Record) {
	if t.counts == nil {
		t.counts, t.classes = map[string]*registry.Counts{}, map[[3]string]*registry.Counts{}
	}
	class := [3]string{is.Provider, is.Module, is.Edition}
	for _, name := range []string{"", is.Provider} {
		if t.counts[name] == nil {
			t.counts[name] = &registry.Counts{}
		}
	}
	if t.classes[class] == nil {
		t.classes[class] = &registry.Counts{}
	}
	for _, c := range []*registry.Counts{t.counts[""], t.counts[is.Provider], t.classes[class]} {
		c.Count(was, ^uint64(0)) // minus one
		c.Count(is, 1)
	}
}

// flush writes events, the tree over them, counters and the head.
func (t *tx) flush(ctx context.Context) error {
	if len(t.events)+len(t.counts) == 0 && !(t.held && t.changed) {
		return nil
	}
	if err := t.hold(ctx); err != nil {
		return err
	}
	var batch pgx.Batch
	if len(t.events) > 0 {
		t.queueEvents(&batch)
	}
	t.queueCounts(&batch)
	batch.Queue("update head set records = $1, events = $2, edge = $3", t.records, t.numbers, t.edge.Bytes())
	if err := t.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("writing events and counters: %w", err)
	}
	return nil
}

func (t *tx) queueEvents(batch *pgx.Batch) {
	n := len(t.events)
	seqs, ats := make([]int64, n), make([]time.Time, n)
	kinds, whats, whos, whys := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	var done []auditlog.Node
	leaf := registry.Leaves(*t.key)
	for i, ev := range t.events {
		t.numbers++
		ev.Seq = uint64(t.numbers)
		done = append(done, t.edge.Append(leaf(ev))...)
		seqs[i], ats[i], kinds[i], whats[i], whos[i], whys[i] = t.numbers, ev.At, ev.Kind, ev.What, ev.By, ev.Why
	}
	batch.Queue(`insert into events (seq, at, kind, what, who, why)
		select * from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[])`,
		seqs, ats, kinds, whats, whos, whys)
	queueNodes(batch, done)
}

// tallies are counters as arrays; what is taken away is negative.
type tallies [4][]int64

func (a *tallies) add(c registry.Counts) {
	for i, n := range []uint64{c.Reserved, c.Sealed, c.Suspended, c.Revoked} {
		a[i] = append(a[i], int64(n))
	}
}

func (t *tx) queueCounts(batch *pgx.Batch) {
	var names, providers, modules, editions []string
	var ofNames, ofClasses tallies
	for name, c := range t.counts {
		names = append(names, name)
		ofNames.add(*c)
	}
	for class, c := range t.classes {
		providers, modules, editions = append(providers, class[0]), append(modules, class[1]), append(editions, class[2])
		ofClasses.add(*c)
	}
	if len(names) == 0 {
		return
	}
	batch.Queue(`insert into counts (provider, reserved, sealed, suspended, revoked)
		select * from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
		on conflict (provider) do update set reserved = counts.reserved + excluded.reserved, sealed = counts.sealed + excluded.sealed,
		suspended = counts.suspended + excluded.suspended, revoked = counts.revoked + excluded.revoked`,
		names, ofNames[0], ofNames[1], ofNames[2], ofNames[3])
	batch.Queue(`insert into editions (provider, module, edition, reserved, sealed, suspended, revoked)
		select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
		on conflict (provider, module, edition) do update set reserved = editions.reserved + excluded.reserved, sealed = editions.sealed + excluded.sealed,
		suspended = editions.suspended + excluded.suspended, revoked = editions.revoked + excluded.revoked`,
		providers, modules, editions, ofClasses[0], ofClasses[1], ofClasses[2], ofClasses[3])
}

// fill copies n rows into a table in one stream.
func (t *tx) fill(ctx context.Context, table string, columns []string, n int, row func(i int) ([]any, error)) error {
	if _, err := t.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(n, row)); err != nil {
		return fmt.Errorf("writing to %s: %w", table, err)
	}
	return nil
}

// recordColumns are what scanRecord reads, of a table records named r.
const recordColumns = `r.seq, r.credential, r.handle, r.provider, r.learner, r.module, r.version, r.edition,
	r.hidden, r.list, r.place, r.reserved_at, r.state, r.digest, r.sealed_at,
	r.status, r.reason, r.status_at, r.level, (select k.id from sealers k where k.n = r.sealer)`

// scanRecord reads a record without its Body, and what stands before it.
func scanRecord(row pgx.Row, before ...any) (registry.Record, error) {
	var (
		r                  registry.Record
		digest             []byte
		state              string
		reserved           time.Time
		sealed, changed    *time.Time
		place              int32
		statusNow, levelIs int16
		sealer             *string
	)
	err := row.Scan(append(before, &r.Seq, &r.Credential, &r.Handle, &r.Provider, &r.Learner, &r.Module, &r.Version, &r.Edition,
		&r.Hidden, &r.List, &place, &reserved, &state, &digest, &sealed,
		&statusNow, &r.Reason, &changed, &levelIs, &sealer)...)
	if err != nil {
		return registry.Record{}, err
	}
	if sealer != nil {
		r.SealKey = *sealer
	}
	r.Index, r.State, r.Digest = uint32(place), registry.State(state), hex.EncodeToString(digest)
	r.Status, r.Level = status.Value(statusNow), registry.Level(levelIs)
	r.ReservedAt, r.SealedAt, r.StatusAt = reserved.UTC(), moment(sealed), moment(changed)
	return r, nil
}

// moment is a time that may be missing.
func moment(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// scanRecords reads every row of an answer.
func scanRecords(rows pgx.Rows, err error) ([]registry.Record, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []registry.Record
	for rows.Next() {
		r, err := scanRecord(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// number makes a number that PostgreSQL can compare with; those above every
// number it can hold become the greatest of them.
func number(n uint64) int64 { return int64(min(n, math.MaxInt64)) }
