package registry

import (
	"context"
	"errors"
	"fmt"
)

// Find returns the record that a key names, or ErrNotFound. A key that cannot
// be one is ErrNotFound without a look at the store; a key with none or several
// fields set is ErrInvalid.
func (r *Registry) Find(ctx context.Context, key Key) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	set := 0
	for _, given := range []bool{key.Seq != 0, key.Credential != "", key.Handle != "", key.ClaimHash != [32]byte{}} {
		if given {
			set++
		}
	}
	if set != 1 {
		return Record{}, fmt.Errorf("finding a record by %d keys: %w", set, ErrInvalid)
	}
	if key.Handle != "" && !isReference(key.Handle) || key.Credential != "" && !isCredential(key.Credential) ||
		key.Seq > 1<<63-1 {
		return Record{}, fmt.Errorf("finding a record: %w", ErrNotFound)
	}
	rec, err := r.backend.Find(ctx, key)
	if err == nil {
		err = r.name(ctx, []*Record{&rec})
	}
	if err != nil {
		return Record{}, fmt.Errorf("finding a record: %w", err)
	}
	return rec, nil
}

func learnersOf(records []Record) []string {
	ids := make([]string, len(records))
	for i, rec := range records {
		ids[i] = rec.Learner
	}
	return ids
}

// name gives records the Ref of their learner in place of the ID, and what else
// is hidden in them.
func (r *Registry) name(ctx context.Context, records []*Record) error {
	if r.vault == nil {
		return r.locked
	}
	ids := make([]string, 0, len(records))
	for _, rec := range records {
		ids = append(ids, rec.Learner)
	}
	people, err := r.backend.People(ctx, ids)
	if err != nil {
		return err
	}
	for _, rec := range records {
		if rec.State == Erased {
			rec.Learner = ""
			continue
		}
		ref, err := r.refOf(rec, people)
		if err == nil {
			err = r.reveal(ctx, rec, people)
		}
		if errors.Is(err, errContent) { // or erased since the record was read, and perhaps here again
			now, failed := r.backend.Find(ctx, Key{Seq: rec.Seq})
			if failed != nil {
				return failed
			}
			if now.State == Erased {
				*rec, ref, err = now, "", nil
			}
		}
		if err != nil {
			return err
		}
		rec.Learner = ref
	}
	return nil
}

// refOf is the Ref of a record's learner.
func (r *Registry) refOf(rec *Record, people map[string]Person) (string, error) {
	p, ok := people[rec.Learner]
	if !ok {
		return "", missing(rec)
	}
	l, _, err := r.learner(p)
	if err != nil {
		return "", fmt.Errorf("the person of record %d: %w", rec.Seq, err)
	}
	return l.Ref, nil
}

// named is name for what a backend returned, page after page.
func (r *Registry) named(ctx context.Context, records []Record, err error) ([]Record, error) {
	if err != nil || len(records) == 0 {
		return records, err
	}
	all := make([]*Record, len(records))
	for i := range records {
		all[i] = &records[i]
	}
	return records, r.name(ctx, all)
}

// ByHandle is Find by the reference behind a QR; any text may be given.
func (r *Registry) ByHandle(ctx context.Context, handle string) (Record, error) {
	if !isReference(handle) {
		return Record{}, notFound(ctx, "handle")
	}
	return r.Find(ctx, Key{Handle: handle})
}

// ByClaim is Find by the token of a claim link; any text may be given.
func (r *Registry) ByClaim(ctx context.Context, token string) (Record, error) {
	if !isReference(token) {
		return Record{}, notFound(ctx, "claim token")
	}
	return r.Find(ctx, Key{ClaimHash: claimHash(token)})
}

// ByCredential is Find by the credential's id; any text may be given.
func (r *Registry) ByCredential(ctx context.Context, credential string) (Record, error) {
	if !isCredential(credential) {
		return Record{}, notFound(ctx, "credential")
	}
	return r.Find(ctx, Key{Credential: credential})
}

func notFound(ctx context.Context, what string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return fmt.Errorf("finding a record by %s: %w", what, ErrNotFound)
}

// SealedBytes returns the exact bytes of a sealed record, checked against its
// digest: wrong bytes are an error, never an answer. ErrNotFound if the record
// does not exist or is not sealed.
func (r *Registry) SealedBytes(ctx context.Context, seq uint64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if seq == 0 || seq > 1<<63-1 {
		return nil, fmt.Errorf("reading sealed record %d: %w", seq, ErrNotFound)
	}
	b, _, _, err := r.readDocument(ctx, seq)
	if err != nil {
		return nil, fmt.Errorf("reading sealed record %d: %w", seq, err)
	}
	return b, nil
}

// Records returns a page of records, newest first, without their bodies.
// Continue with Before set to the Seq of the last one.
func (r *Registry) Records(ctx context.Context, q Query) ([]Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := optionalRefs(field{"provider", q.Provider}, field{"module", q.Module}, field{"edition", q.Edition}, field{"learner", q.Learner}, field{"id of the key", q.SealKey}); err != nil {
		return nil, fmt.Errorf("listing records: %w", err)
	}
	if err := checkLimit(q.Limit); err != nil {
		return nil, fmt.Errorf("listing records: %w", err)
	}
	if q.Before > 1<<63-1 {
		q.Before = 0 // above every Seq there can be
	}
	if q.Learner != "" {
		if r.vault == nil {
			return nil, fmt.Errorf("listing records: %w", r.locked)
		}
		q.Learner = r.vault.person(q.Learner)
	}
	out, err := r.backend.Records(ctx, q)
	if out, err = r.named(ctx, out, err); err != nil {
		return nil, fmt.Errorf("listing records: %w", err)
	}
	return out, nil
}

// Unfinished returns at most limit records that are reserved and not sealed,
// with their bodies, oldest first, above seq after.
func (r *Registry) Unfinished(ctx context.Context, after uint64, limit int) ([]Record, error) {
	return page(ctx, "listing unfinished records", after, limit, func(ctx context.Context, after uint64, limit int) ([]Record, error) {
		out, err := r.backend.Unfinished(ctx, after, limit)
		return r.named(ctx, out, err)
	})
}

// Events returns at most limit entries of the audit log above seq after,
// oldest first.
func (r *Registry) Events(ctx context.Context, after uint64, limit int) ([]Event, error) {
	return page(ctx, "listing events", after, limit, r.backend.Events)
}

// LastEvent returns the newest entry of the audit log, or ErrNotFound. It looks
// on from the one that it found before, so it costs little when called often.
func (r *Registry) LastEvent(ctx context.Context) (last Event, err error) {
	// Numbers may have gaps, but what has an entry beyond it has one below too.
	beyond := func(after uint64) (bool, error) {
		events, err := r.Events(ctx, after, 1)
		if err != nil || len(events) == 0 {
			return false, err
		}
		last = events[0]
		return true, nil
	}
	start := r.last.Load()
	if start > 0 {
		start-- // so that the one found before is found again
	}
	found, err := beyond(start)
	if err == nil && !found {
		err = fmt.Errorf("reading the end of the log: %w", ErrNotFound)
	}
	low, high := last.Seq, uint64(0) // of what is beyond low something is known, beyond high there is nothing
	for step := uint64(1); err == nil && high == 0; step *= 2 {
		at := low + step - 1
		if found, err = beyond(at); found {
			low = last.Seq
		} else {
			high = at
		}
	}
	for err == nil && low < high {
		middle := low + (high-low)/2
		if found, err = beyond(middle); found {
			low = last.Seq
		} else {
			high = middle
		}
	}
	if err != nil {
		return Event{}, err
	}
	r.last.Store(last.Seq)
	return last, nil
}

func page[T any](ctx context.Context, step string, after uint64, limit int,
	read func(context.Context, uint64, int) ([]T, error),
) ([]T, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkLimit(limit); err != nil {
		return nil, fmt.Errorf("%s: %w", step, err)
	}
	if after > 1<<63-1 {
		return nil, nil // above every number there can be
	}
	out, err := read(ctx, after, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", step, err)
	}
	return out, nil
}
