package registry

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"attesta/status"
)

// Reserve records what is about to be sealed, all or nothing, and takes a
// status index for each. An award (learner, module, edition) that is already
// there, or earlier in the same call, comes back as the first record with
// Existing set, whatever the intent says now: compare Facts to tell a repeated
// row from a contradicting one. Reservations are in the order of the intents.
func (r *Registry) Reserve(ctx context.Context, intents []Intent, at time.Time) ([]Reservation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	at, err := stamp(at)
	if err != nil {
		return nil, fmt.Errorf("reserving: %w", err)
	}
	for _, in := range intents {
		if err := checkIntent(in); err != nil {
			return nil, fmt.Errorf("reserving award of %q: %w", clip(in.Module), err)
		}
	}
	if len(intents) == 0 {
		return nil, nil
	}
	distinct, place := fold(intents)
	names, err := r.names(len(distinct))
	if err != nil {
		return nil, fmt.Errorf("reserving: %w", err)
	}
	found, err := r.backend.Reserve(ctx, distinct, names, at)
	if err != nil {
		return nil, fmt.Errorf("reserving %d awards: %w", len(distinct), err)
	}
	out := make([]Reservation, len(intents))
	used := make([]bool, len(distinct))
	for i, p := range place {
		out[i] = found[p]
		out[i].Existing = found[p].Existing || used[p]
		used[p] = true
	}
	return out, nil
}

// fold drops the intents that repeat the award of an earlier one, and tells
// where each intent went.
func fold(intents []Intent) (distinct []Intent, place []int) {
	seen := make(map[[3]string]int, len(intents))
	distinct = make([]Intent, 0, len(intents))
	place = make([]int, len(intents))
	for i, in := range intents {
		award := [3]string{in.Learner, in.Module, in.Edition}
		p, ok := seen[award]
		if !ok {
			p = len(distinct)
			seen[award] = p
			distinct = append(distinct, in)
		}
		place[i] = p
	}
	return distinct, place
}

func checkIntent(in Intent) error {
	if err := refs(field{"provider", in.Provider}, field{"learner", in.Learner}, field{"module", in.Module},
		field{"version", in.Version}, field{"edition", in.Edition}); err != nil {
		return err
	}
	if err := optionalRefs(field{"completion date", in.Facts.CompletedOn},
		field{"attendance", in.Facts.Attendance}, field{"score", in.Facts.Score}); err != nil {
		return err
	}
	return checkBytes("body", in.Body)
}

// Complete stores the exact sealed bytes of reserved records, all or nothing,
// and drops their bodies. Doing it again with the same bytes changes nothing;
// with other bytes, or once the seal was extended, it is ErrConflict; an
// unknown Seq is ErrNotFound.
func (r *Registry) Complete(ctx context.Context, sealings []Sealing, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	at, err := stamp(at)
	if err != nil {
		return fmt.Errorf("completing: %w", err)
	}
	seen := make(map[uint64][32]byte, len(sealings))
	distinct := make([]Sealing, 0, len(sealings))
	for _, s := range sealings {
		if s.Seq == 0 {
			return fmt.Errorf("completing record 0: %w", ErrNotFound)
		}
		if err := checkBytes("sealed document", s.Sealed); err != nil {
			return fmt.Errorf("completing record %d: %w", s.Seq, err)
		}
		digest := sha256.Sum256(s.Sealed)
		if before, ok := seen[s.Seq]; !ok {
			seen[s.Seq] = digest
			distinct = append(distinct, s)
		} else if before != digest {
			return fmt.Errorf("completing record %d twice with other bytes: %w", s.Seq, ErrConflict)
		}
	}
	if len(distinct) == 0 {
		return nil
	}
	if err := r.backend.Complete(ctx, distinct, at); err != nil {
		return fmt.Errorf("completing %d records: %w", len(distinct), err)
	}
	return nil
}

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
	if err != nil {
		return Record{}, fmt.Errorf("finding a record: %w", err)
	}
	return rec, nil
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
	b, err := r.backend.Sealed(ctx, seq)
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
	if err := optionalRefs(field{"provider", q.Provider}, field{"module", q.Module}, field{"edition", q.Edition}, field{"learner", q.Learner}); err != nil {
		return nil, fmt.Errorf("listing records: %w", err)
	}
	if err := checkLimit(q.Limit); err != nil {
		return nil, fmt.Errorf("listing records: %w", err)
	}
	if q.Before > 1<<63-1 {
		q.Before = 0 // above every Seq there can be
	}
	out, err := r.backend.Records(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("listing records: %w", err)
	}
	return out, nil
}

// Unfinished returns at most limit records that are reserved and not sealed,
// with their bodies, oldest first, above seq after.
func (r *Registry) Unfinished(ctx context.Context, after uint64, limit int) ([]Record, error) {
	return page(ctx, "listing unfinished records", after, limit, r.backend.Unfinished)
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

// SetStatus suspends, reinstates or revokes a sealed record and returns it as
// it is then. Revoked is final. Asking for the status that the record has
// changes nothing, its reason included. What Transition refuses and a record
// that is not sealed are ErrConflict.
func (r *Registry) SetStatus(ctx context.Context, change Change, at time.Time) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	at, err := stamp(at)
	if err == nil {
		err = refs(field{"name of who asks", change.By})
	}
	if err == nil && change.To > status.Suspended {
		err = fmt.Errorf("%v is no status: %w", change.To, ErrInvalid)
	}
	if err == nil && !slices.Contains(Reasons(), change.Reason) {
		err = fmt.Errorf("reason %q is not one of Reasons: %w", clip(change.Reason), ErrInvalid)
	}
	if err == nil && !isCredential(change.Credential) {
		err = ErrNotFound
	}
	if err != nil {
		return Record{}, fmt.Errorf("setting status: %w", err)
	}
	rec, err := r.backend.SetStatus(ctx, change, at)
	if err != nil {
		return Record{}, fmt.Errorf("setting status of %s: %w", change.Credential, err)
	}
	return rec, nil
}

// List returns a status list as it must be published now, or ErrNotFound.
func (r *Registry) List(ctx context.Context, id string) (StatusList, error) {
	if err := ctx.Err(); err != nil {
		return StatusList{}, err
	}
	if !isReference(id) {
		return StatusList{}, fmt.Errorf("reading status list: %w", ErrNotFound)
	}
	l, err := r.backend.List(ctx, id)
	if err != nil {
		return StatusList{}, fmt.Errorf("reading status list %s: %w", id, err)
	}
	return l, nil
}

// Counts returns the counters of a provider, or of all when it is empty. A
// provider without records has zeros.
func (r *Registry) Counts(ctx context.Context, provider string) (Counts, error) {
	if err := ctx.Err(); err != nil {
		return Counts{}, err
	}
	if err := optionalRefs(field{"provider", provider}); err != nil {
		return Counts{}, fmt.Errorf("counting: %w", err)
	}
	c, err := r.backend.Counts(ctx, provider)
	if err != nil {
		return Counts{}, fmt.Errorf("counting: %w", err)
	}
	return c, nil
}

// Editions returns at most limit editions of a provider that have records,
// ordered by module and edition. after is the Edition.Key of the last one of
// the page before, or empty.
func (r *Registry) Editions(ctx context.Context, provider, after string, limit int) ([]Edition, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err := refs(field{"provider", provider})
	if err == nil {
		err = checkLimit(limit)
	}
	if err == nil && after != "" {
		var m, e string
		if m, e, err = ParseEditionKey(after); err == nil {
			err = refs(field{"module of the key", m}, field{"edition of the key", e})
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listing editions: %w", err)
	}
	out, err := r.backend.Editions(ctx, provider, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing editions: %w", err)
	}
	return out, nil
}

// clip keeps long text out of messages.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
