package issuer

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"attesta/credentials"
	"attesta/intake"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
)

// Issue answers every row, and issues what the rows justify. While the clock is
// behind the log by more than Slack nothing is issued: *ClockError. When it returns
// an error, what was acknowledged by an earlier slice stays; calling it again
// with the same rows finishes the work and issues nothing twice.
//
// Each slice goes through the issuing cycle in its order, which is the point: see
// docs/issuance-cycle.md. While one is sealed, those after it are checked and
// reserved, and the one before is stored.
func (i *Issuer) Issue(ctx context.Context, rows []intake.Completion) ([]Outcome, error) {
	ctx, stop := context.WithCancel(ctx)
	outcomes := make([]Outcome, 0, len(rows))
	line := i.line(ctx, rows)
	defer func() { // what is on its way ends before this does
		stop()
		for range line {
		}
	}()
	for b := range line {
		if b.err == nil {
			b.err = i.finish(ctx, b)
		}
		if b.err != nil {
			return outcomes, b.err
		}
		for n := range b.all {
			outcomes = append(outcomes, b.all[n].outcome)
		}
	}
	return outcomes, nil
}

// check takes a slice of rows through the first steps, which leave nothing behind.
func (i *Issuer) check(ctx context.Context, b *batch) error {
	if err := i.admit(ctx); err != nil {
		return err
	}
	b.at = i.now()

	// 1. Judge every row against the catalogue and the rules of its module.
	var err error
	if b.all, err = i.judge(ctx, b.rows); err != nil {
		return err
	}
	// 2. Lint the document that each award would give. Nothing is reserved for
	// a document that could not be sealed.
	if err := i.lintAll(ctx, b); err != nil {
		return err
	}
	for n := range b.all {
		if b.all[n].outcome.Answer == "" {
			b.reserved = append(b.reserved, n)
		}
	}
	b.intents = make([]registry.Intent, len(b.reserved))
	return parallel(len(b.reserved), func(r int) (err error) {
		n := b.reserved[r]
		b.intents[r], err = intentOf(b.all[n], b.signing[n])
		return err
	})
}

// reserve makes intent and status index durable before any signature. Mine are
// the records that earlier slices of the same call are about to seal.
func (i *Issuer) reserve(ctx context.Context, b *batch, mine map[uint64]bool) error {
	// 3. Reserve.
	if len(b.intents) == 0 {
		return nil
	}
	var err error
	if b.records, err = i.Registry.Reserve(ctx, b.intents, b.at); err != nil {
		return fmt.Errorf("reserving %d records: %w", len(b.intents), err)
	}
	b.fresh = make(map[uint64]bool, len(b.records))
	for _, r := range b.records {
		if seq := r.Record.Seq; r.Record.State == registry.Reserved && !mine[seq] {
			mine[seq], b.fresh[seq] = true, true
		}
	}
	return nil
}

// lintAll refuses the rows whose documents would not be complete, and finds the
// keys for the others.
func (i *Issuer) lintAll(ctx context.Context, b *batch) error {
	var candidates []int
	for n := range b.all {
		if b.all[n].outcome.Answer == "" {
			candidates = append(candidates, n)
		}
	}
	b.signing = make([]*keys.Key, len(b.all))
	current := i.keysAt(b.at)
	wrong, err := i.checkSealers(ctx, b, current, candidates)
	if err != nil {
		return err
	}
	return parallel(len(candidates), func(c int) error {
		n := candidates[c]
		j := &b.all[n]
		key, err := current.sealing(j.award.Provider)
		if err != nil {
			return err
		}
		b.signing[n] = key
		err = wrong[j.award.Provider.ID]
		if err == nil {
			err = i.complete(j.model, j.award, key, b.at)
		}
		if err != nil {
			j.outcome.Answer, j.outcome.Reason = Refused, "document_incomplete"
			j.outcome.Findings = append(j.outcome.Findings, finding(j.row, "module_code", "document_incomplete", j.row.Module, err.Error()))
		}
		return nil
	})
}

// open are the records that the batch is to seal. One that an earlier, interrupted
// call reserved is sealed as it was intended then, whatever the row says now; of
// what was reserved just now the intent is known.
func (b *batch) open() []task {
	tasks := make([]task, 0, len(b.fresh))
	seen := make(map[uint64]bool, len(b.fresh))
	for r, n := range b.reserved {
		record, intent := b.records[r].Record, b.intents[r]
		if !b.fresh[record.Seq] || seen[record.Seq] {
			continue
		}
		seen[record.Seq] = true
		t := task{record: record}
		if body, ok := bytes.CutPrefix(record.Body, intent.Begins); !b.records[r].Existing || ok && bytes.Equal(body, intent.Body) {
			t.model, t.award, t.key = b.all[n].model, b.all[n].award, b.signing[n]
		}
		tasks = append(tasks, t)
	}
	return tasks
}

// finish stores what was sealed and writes the answers.
func (i *Issuer) finish(ctx context.Context, b *batch) error {
	// 6. Store.
	elsewhere, err := i.store(ctx, &b.sealed, b.at)
	if err != nil {
		return err
	}
	for _, seq := range elsewhere {
		b.fresh[seq] = false
	}
	// 7. Acknowledge.
	var issued []int
	for r, n := range b.reserved {
		record, err := i.asStored(ctx, b.records[r].Record, b.sealed.records)
		if err != nil {
			return err
		}
		o, now := &b.all[n].outcome, b.intents[r].Facts
		switch {
		case record.State == registry.Erased:
			o.Answer, o.Reason, o.Record = Refused, "erased", nil
			o.Findings = append(o.Findings, finding(b.all[n].row, "learner_id", o.Reason, b.all[n].row.Learner))
		case differing(now, record.Facts) != nil:
			o.Answer, o.Reason = Refused, "duplicate_of_existing"
			for _, d := range differing(now, record.Facts) {
				o.Findings = append(o.Findings, finding(b.all[n].row, d.column, o.Reason, d.now, credentials.Number(record.Module, record.Credential), d.first))
			}
		case b.fresh[record.Seq]:
			b.fresh[record.Seq] = false // the same row again in this file is a repeat
			o.Answer, o.Record = Issued, &record
			issued = append(issued, n)
		default:
			o.Answer, o.Record = AlreadyIssued, &record
		}
	}
	return parallel(len(issued), func(n int) error { return i.warnOfSecond(ctx, &b.all[issued[n]].outcome, b.all[issued[n]].row) })
}

// asStored is a record as it stands in the registry now: what this call stored is
// known, and what another stored in the meantime is read.
func (i *Issuer) asStored(ctx context.Context, reserved registry.Record, stored map[uint64]registry.Record) (registry.Record, error) {
	if reserved.State != registry.Reserved {
		return reserved, nil
	}
	if record, ok := stored[reserved.Seq]; ok {
		return record, nil
	}
	record, err := i.Registry.Find(ctx, registry.Key{Seq: reserved.Seq})
	if err != nil {
		return record, fmt.Errorf("reading back a record: %w", err)
	}
	return record, nil
}

// warnOfSecond says that a person has the same module from an edition before.
// That is legal, and often a mistake.
func (i *Issuer) warnOfSecond(ctx context.Context, o *Outcome, row intake.Completion) error {
	others, err := i.Registry.Records(ctx, registry.Query{Learner: o.Record.Learner, Module: o.Record.Module, Before: o.Record.Seq, Limit: registry.MaxLimit})
	if err != nil {
		return fmt.Errorf("looking for a second credential: %w", err)
	}
	for _, other := range others {
		if other.Status != status.Revoked {
			warning := finding(row, "edition", "second_of_module", row.Edition, credentials.Number(other.Module, other.Credential), other.Edition)
			warning.Severity = intake.Warning
			o.Findings = append(o.Findings, warning)
			return nil
		}
	}
	return nil
}

// difference is a cell that says another thing than the first row did.
type difference struct{ column, now, first string }

// differing compares what two rows for the same award both state.
func differing(now, first registry.Facts) []difference {
	var all []difference
	for _, d := range []difference{
		{"completion_date", now.CompletedOn, first.CompletedOn},
		{"attendance_percent", now.Attendance, first.Attendance},
		{"score", now.Score, first.Score},
	} {
		if d.now != "" && d.first != "" && d.now != d.first {
			all = append(all, d)
		}
	}
	return all
}

// Resume finishes what a crash left reserved and returns how many records it
// finished. It is for who has the registry alone: see ResumeBefore.
func (i *Issuer) Resume(ctx context.Context) (int, error) {
	return i.ResumeBefore(ctx, time.Unix(1<<40, 0))
}

// ResumeBefore is Resume for what was reserved before a moment. Where several
// processes issue into one registry, what another reserved just now is still in
// its hands; to finish that is no harm, but the other would then have to say
// that it was issued already.
func (i *Issuer) ResumeBefore(ctx context.Context, moment time.Time) (int, error) {
	finished := 0
	for after := uint64(0); ; {
		open, err := i.Registry.Unfinished(ctx, after, registry.MaxLimit)
		if err != nil {
			return finished, fmt.Errorf("looking for unfinished records: %w", err)
		}
		if len(open) == 0 {
			return finished, nil
		}
		after = open[len(open)-1].Seq
		open = slices.DeleteFunc(open, func(r registry.Record) bool { return !r.ReservedAt.Before(moment) })
		if len(open) == 0 {
			continue
		}
		if err := i.admit(ctx); err != nil {
			return finished, fmt.Errorf("finishing reserved records: %w", err)
		}
		tasks := make([]task, len(open))
		for n, record := range open {
			tasks[n].record = record
		}
		at := i.now()
		done, err := i.seal(ctx, tasks, at)
		if err == nil {
			_, err = i.store(ctx, &done, at)
		}
		if err != nil {
			return finished, fmt.Errorf("finishing reserved records: %w", err)
		}
		finished += len(done.records)
	}
}

// parallel calls do for 0 to n-1 on all cores and returns the first error.
func parallel(n int, do func(int) error) error {
	workers := min(n, runtime.GOMAXPROCS(0))
	errs := make([]error, workers)
	var wait sync.WaitGroup
	var next atomic.Int64
	for w := range workers {
		wait.Go(func() {
			for errs[w] == nil {
				k := int(next.Add(1)) - 1
				if k >= n {
					return
				}
				errs[w] = guarded(k, do)
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
