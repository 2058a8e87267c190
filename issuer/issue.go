package issuer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"attesta/credentials"
	"attesta/intake"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
)

// slice is how many credentials are reserved, and completed, in one durable
// step.
const slice = 400

// Issue answers every row, and issues what the rows justify. While the clock is
// behind the log by more than Slack nothing is issued: *ClockError. When it returns
// an error, what was acknowledged by an earlier slice stays; calling it again
// with the same rows finishes the work and issues nothing twice.
func (i *Issuer) Issue(ctx context.Context, rows []intake.Completion) ([]Outcome, error) {
	outcomes := make([]Outcome, 0, len(rows))
	for len(rows) > 0 {
		n := min(slice, len(rows))
		done, err := i.issueSlice(ctx, rows[:n])
		if err != nil {
			return outcomes, err
		}
		outcomes, rows = append(outcomes, done...), rows[n:]
	}
	return outcomes, nil
}

// issueSlice is the issuing cycle. The order of its steps is the point: see
// docs/issuance-cycle.md.
func (i *Issuer) issueSlice(ctx context.Context, rows []intake.Completion) ([]Outcome, error) {
	if err := i.CheckClock(ctx); err != nil {
		return nil, err
	}
	at := i.now()

	// 1. Judge every row against the catalogue and the rules of its module.
	all, err := i.judge(ctx, rows)
	if err != nil {
		return nil, err
	}

	// 2. Lint the document that each award would give. Nothing is reserved for
	// a document that could not be sealed.
	var candidates []int
	for n := range all {
		if all[n].outcome.Answer == "" {
			candidates = append(candidates, n)
		}
	}
	sealing := make([]*keys.Key, len(all))
	err = parallel(len(candidates), func(c int) error {
		n := candidates[c]
		j := &all[n]
		key, err := i.Keys.Current(keys.Seal, j.award.Provider.Sealer(), at)
		if err != nil {
			return err
		}
		sealing[n] = key
		if err := i.complete(j.model, j.award, key, at); err != nil {
			j.outcome.Answer, j.outcome.Reason = Refused, "document_incomplete"
			j.outcome.Findings = append(j.outcome.Findings, finding(j.row, "module_code", "document_incomplete", j.row.Module, err.Error()))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}

	// 3. Reserve: intent and status index are durable before any signature.
	var intents []registry.Intent
	var reserved []int
	for _, n := range candidates {
		if all[n].outcome.Answer != "" {
			continue
		}
		intent, err := intentOf(all[n], sealing[n])
		if err != nil {
			return nil, err
		}
		intents, reserved = append(intents, intent), append(reserved, n)
	}
	if len(intents) > 0 {
		reservations, err := i.Registry.Reserve(ctx, intents, at)
		if err != nil {
			return nil, fmt.Errorf("reserving %d records: %w", len(intents), err)
		}
		// 4 to 6. Seal, compare and store.
		if err := i.finish(ctx, all, reserved, intents, reservations, at); err != nil {
			return nil, err
		}
	}

	// 7. Acknowledge.
	outcomes := make([]Outcome, len(all))
	for n := range all {
		outcomes[n] = all[n].outcome
	}
	return outcomes, nil
}

func intentOf(j judged, key *keys.Key) (registry.Intent, error) {
	body, err := json.Marshal(plan{
		Provider: j.model.providerText, Module: j.model.moduleText, Learner: j.award.Learner,
		Edition: j.award.Edition, CompletedOn: j.award.CompletedOn, Score: j.award.Score, Key: key.ID,
		Stacks: j.award.Stacks, Parts: j.award.Parts,
	})
	if err != nil {
		return registry.Intent{}, fmt.Errorf("writing the intent: %w", err)
	}
	return registry.Intent{
		Provider: j.award.Provider.ID, Learner: j.award.Learner.Ref,
		Module: j.award.Module.Code, Version: j.award.Module.Version, Edition: j.award.Edition,
		Facts: registry.Facts{CompletedOn: string(j.row.CompletedOn), Attendance: j.row.Attendance, Score: j.row.Score},
		Body:  body, Shared: j.model.shared,
	}, nil
}

// finish brings reserved records to sealed ones and writes the answers.
func (i *Issuer) finish(ctx context.Context, all []judged, reserved []int, intents []registry.Intent, reservations []registry.Reservation, at time.Time) error {
	// A record that an earlier, interrupted call reserved is finished as it was
	// intended then, whatever the row says now.
	var open []registry.Record
	fresh := map[uint64]bool{}
	for _, r := range reservations {
		if r.Record.State == registry.Reserved && !fresh[r.Record.Seq] {
			fresh[r.Record.Seq] = true
			open = append(open, r.Record)
		}
	}
	elsewhere, err := i.seal(ctx, open, at)
	if err != nil {
		return err
	}
	for _, seq := range elsewhere {
		fresh[seq] = false
	}
	for r, n := range reserved {
		record, err := i.Registry.Find(ctx, registry.Key{Seq: reservations[r].Record.Seq})
		if err != nil {
			return fmt.Errorf("reading back a record: %w", err)
		}
		o := &all[n].outcome
		switch {
		case record.State == registry.Erased:
			o.Answer, o.Reason, o.Record = Refused, "erased", nil
			o.Findings = append(o.Findings, finding(all[n].row, "learner_id", o.Reason, all[n].row.Learner))
		case differing(intents[r].Facts, record.Facts) != nil:
			o.Answer, o.Reason = Refused, "duplicate_of_existing"
			for _, d := range differing(intents[r].Facts, record.Facts) {
				o.Findings = append(o.Findings, finding(all[n].row, d.column, o.Reason, d.now, credentials.Number(record.Module, record.Credential), d.first))
			}
		case fresh[record.Seq]:
			fresh[record.Seq] = false // the same row again in this file is a repeat
			o.Answer, o.Record = Issued, &record
			if err := i.warnOfSecond(ctx, o, all[n].row); err != nil {
				return err
			}
		default:
			o.Answer, o.Record = AlreadyIssued, &record
		}
	}
	return nil
}

// warnOfSecond says that a person now has the same module from two editions.
// That is legal, and often a mistake.
func (i *Issuer) warnOfSecond(ctx context.Context, o *Outcome, row intake.Completion) error {
	others, err := i.Registry.Records(ctx, registry.Query{Learner: o.Record.Learner, Module: o.Record.Module, Limit: slice})
	if err != nil {
		return fmt.Errorf("looking for a second credential: %w", err)
	}
	for _, other := range others {
		if other.Seq != o.Record.Seq && other.Status != status.Revoked {
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

// seal seals reserved records on all cores and stores them in one step. It
// returns those that another call sealed in the meantime.
func (i *Issuer) seal(ctx context.Context, records []registry.Record, at time.Time) (elsewhere []uint64, err error) {
	sealings := make([]registry.Sealing, len(records))
	err = parallel(len(records), func(n int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		sealed, err := i.sealOne(records[n], at)
		if err != nil {
			return fmt.Errorf("sealing record %d: %w", records[n].Seq, err)
		}
		sealings[n] = registry.Sealing{Seq: records[n].Seq, Sealed: sealed}
		return nil
	})
	if err != nil {
		return nil, err
	}
	// 6. Store the exact bytes. The first seal of a record is the one that
	// stays; the step is all or nothing, so what was first elsewhere is left out.
	for len(sealings) > 0 {
		err := i.Registry.Complete(ctx, sealings, at)
		if err == nil {
			break
		}
		if !errors.Is(err, registry.ErrConflict) {
			return nil, fmt.Errorf("storing %d sealed credentials: %w", len(sealings), err)
		}
		open, taken, err2 := i.stillOpen(ctx, sealings)
		if err2 != nil {
			return nil, err2
		}
		if len(taken) == 0 {
			return nil, fmt.Errorf("storing %d sealed credentials: %w", len(sealings), err)
		}
		sealings, elsewhere = open, append(elsewhere, taken...)
	}
	return elsewhere, nil
}

// stillOpen parts what may still be stored from what has its seal already.
func (i *Issuer) stillOpen(ctx context.Context, sealings []registry.Sealing) (open []registry.Sealing, taken []uint64, err error) {
	for _, s := range sealings {
		record, err := i.Registry.Find(ctx, registry.Key{Seq: s.Seq})
		if err != nil {
			return nil, nil, fmt.Errorf("reading back a record: %w", err)
		}
		if record.State == registry.Reserved {
			open = append(open, s)
		} else {
			taken = append(taken, s.Seq)
		}
	}
	return open, taken, nil
}

func (i *Issuer) sealOne(record registry.Record, at time.Time) ([]byte, error) {
	var p plan
	if err := json.Unmarshal(record.Body, &p); err != nil {
		return nil, fmt.Errorf("reading the intent: %w", err)
	}
	m, err := i.model(p.Provider, p.Module)
	if err != nil {
		return nil, err
	}
	key, err := i.sealingKey(p, m.provider.Sealer(), at)
	if err != nil {
		return nil, err
	}
	document, err := i.document(m, p.award(m), record, key)
	if err != nil {
		return nil, err
	}
	// 4. Seal.
	sealed, err := credentials.EDC.Seal(document, key, at)
	if err != nil {
		return nil, err
	}
	// 5. Compare: read the seal back as a stranger would and hold its content
	// against the document that was intended.
	parsed, err := credentials.EDC.Parse(sealed)
	if err != nil {
		return nil, fmt.Errorf("reading the seal back: %w", err)
	}
	if err := parsed.Envelope.Verify(); err != nil {
		return nil, fmt.Errorf("reading the seal back: %w", err)
	}
	if !bytes.Equal(parsed.Envelope.Payload(), document) || !parsed.Envelope.Leaf().Equal(key.Certificate()) {
		return nil, errors.New("comparing the seal with the intent: they differ")
	}
	return sealed, nil
}

// sealingKey is the key that was intended, or the current one when that may
// sign no more: nothing sealed with the first was ever stored.
func (i *Issuer) sealingKey(p plan, sealer string, at time.Time) (*keys.Key, error) {
	for _, k := range i.Keys.All() {
		if k.ID == p.Key && k.MaySign(at) == nil {
			return k, nil
		}
	}
	return i.Keys.Current(keys.Seal, sealer, at)
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
		open, err := i.Registry.Unfinished(ctx, after, slice)
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
		if err := i.CheckClock(ctx); err != nil {
			return finished, fmt.Errorf("finishing reserved records: %w", err)
		}
		elsewhere, err := i.seal(ctx, open, i.now())
		if err != nil {
			return finished, fmt.Errorf("finishing reserved records: %w", err)
		}
		finished += len(open) - len(elsewhere)
	}
}

// parallel calls do for 0 to n-1 on all cores and returns the first error.
func parallel(n int, do func(int) error) error {
	workers := min(n, runtime.GOMAXPROCS(0))
	errs := make([]error, workers)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for k := w; k < n && errs[w] == nil; k += workers {
				errs[w] = do(k)
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
