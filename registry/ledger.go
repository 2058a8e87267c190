package registry

import (
	"context"
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
	if r.vault == nil {
		return nil, fmt.Errorf("reserving: %w", r.locked)
	}
	distinct, place := fold(intents)
	var found []Reservation
	err = again(ctx, func() error {
		found, err = r.reserve(ctx, distinct, at)
		return err
	})
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

// reserve hands distinct intents to the backend as it may see them.
func (r *Registry) reserve(ctx context.Context, intents []Intent, at time.Time) ([]Reservation, error) {
	names, err := r.names(len(intents))
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(intents))
	for i, in := range intents {
		ids[i] = r.vault.person(in.Learner)
	}
	people, err := r.backend.People(ctx, ids)
	if err != nil {
		return nil, err
	}
	hidden := slices.Clone(intents)
	for i, in := range intents {
		p, there := people[ids[i]]
		if !there {
			if p, err = r.newPerson(in.Learner); err != nil {
				return nil, err
			}
			people[ids[i]] = p
		}
		names[i].Learner, hidden[i].Learner, hidden[i].Begins, hidden[i].Shared = p, ids[i], nil, nil
	}
	holders, shared := make([]holder, len(intents)), sharing{}
	err = parallel(len(intents), func(i int) error {
		body, err := r.packer.choose(intents[i].Shared, intents[i].Begins, intents[i].Body)
		if err != nil {
			return err
		}
		shared.add(body.dictionary)
		if holders[i], err = r.holder(Record{Credential: names[i].Credential, Learner: ids[i]}, people); err != nil {
			return err
		}
		if hidden[i].Facts = (Facts{}); intents[i].Facts != (Facts{}) {
			if hidden[i].Hidden, err = r.vault.seal(holders[i].cipher, holders[i].factsPlace(), intents[i].Facts.encode()); err != nil {
				return err
			}
		}
		hidden[i].Body, err = r.enclose(body, holders[i], holders[i].bodyPlace())
		return err
	})
	if err != nil {
		return nil, err
	}
	entries, err := shared.entries(&r.packer)
	if err != nil {
		return nil, err
	}
	found, err := r.backend.Reserve(ctx, hidden, names, entries, at)
	if err != nil {
		return nil, err
	}
	shared.done()
	var existing []*Record
	for i := range found {
		rec := &found[i].Record
		if found[i].Existing { // perhaps since a moment ago, as its person
			existing = append(existing, rec)
			continue
		}
		rec.Learner, rec.Body, rec.Facts, rec.Hidden = intents[i].Learner, nil, intents[i].Facts, nil
		r.holders.put(rec.Seq, holders[i])
	}
	if len(existing) > 0 {
		err = r.name(ctx, existing)
	}
	return found, err
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
	if err := optionalRefs(field{"sealer", in.House.Sealer}, field{"legal identifier", in.House.LegalID}, field{"completion date", in.Facts.CompletedOn},
		field{"attendance", in.Facts.Attendance}, field{"score", in.Facts.Score}); err != nil {
		return err
	}
	return checkBytes("body", in.Begins, in.Body)
}

// Complete stores the exact sealed bytes of reserved records, all or nothing,
// and drops their bodies. Doing it again with the same bytes changes nothing;
// with other bytes, or once the seal was extended, it is ErrConflict; an
// unknown Seq is ErrNotFound. It says the Digest of each.
func (r *Registry) Complete(ctx context.Context, sealings []Sealing, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	at, err := stamp(at)
	if err != nil {
		return fmt.Errorf("completing: %w", err)
	}
	for _, s := range sealings {
		if s.Seq == 0 {
			return fmt.Errorf("completing record 0: %w", ErrNotFound)
		}
		err := checkBytes("sealed document", s.Begins, s.Sealed)
		if err == nil {
			err = optionalRefs(field{"id of the key", s.SealKey})
		}
		if err != nil {
			return fmt.Errorf("completing record %d: %w", s.Seq, err)
		}
	}
	if len(sealings) == 0 {
		return nil
	}
	if r.vault == nil {
		return fmt.Errorf("completing: %w", r.locked)
	}
	documents, shared := make([]Document, len(sealings)), sharing{}
	err = parallel(len(sealings), func(i int) error {
		x := sealings[i]
		who, err := r.holderOf(ctx, x.Seq)
		if err != nil {
			return fmt.Errorf("record %d: %w", x.Seq, err)
		}
		sealed, err := r.packer.choose(x.Shared, x.Begins, x.Sealed)
		if err != nil {
			return fmt.Errorf("record %d: %w", x.Seq, err)
		}
		shared.add(sealed.dictionary)
		documents[i], err = r.document(sealed, who, x.Seq)
		documents[i].SealKey, sealings[i].Digest = x.SealKey, documents[i].Digest
		return err
	})
	if err == nil {
		documents, err = distinct(documents)
	}
	var entries []SharedEntry
	if err == nil {
		entries, err = shared.entries(&r.packer)
	}
	if err == nil {
		err = r.backend.Complete(ctx, documents, entries, at)
	}
	if err != nil {
		return fmt.Errorf("completing %d records: %w", len(sealings), err)
	}
	shared.done()
	return nil
}

// distinct drops documents that repeat an earlier one.
func distinct(documents []Document) ([]Document, error) {
	seen := make(map[uint64]string, len(documents))
	out := documents[:0]
	for _, d := range documents {
		if before, ok := seen[d.Seq]; !ok {
			seen[d.Seq] = d.Digest
			out = append(out, d)
		} else if before != d.Digest {
			return nil, fmt.Errorf("record %d twice with other bytes: %w", d.Seq, ErrConflict)
		}
	}
	return out, nil
}

// SetStatus suspends, reinstates or revokes a sealed or erased record and
// returns it as it is then. Revoked is final. Asking for the status that the record has
// changes nothing, its reason included. What Transition refuses and a record
// that is reserved are ErrConflict.
func (r *Registry) SetStatus(ctx context.Context, change Change, at time.Time) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	at, err := stamp(at)
	if err == nil {
		err = checkChange(change)
	}
	if err == nil && !isCredential(change.Credential) {
		err = ErrNotFound
	}
	if err != nil {
		return Record{}, fmt.Errorf("setting status: %w", err)
	}
	rec, err := r.backend.SetStatus(ctx, change, at)
	if err == nil {
		err = r.name(ctx, []*Record{&rec})
	}
	if err != nil {
		return Record{}, fmt.Errorf("setting status of %s: %w", change.Credential, err)
	}
	return rec, nil
}

// checkChange checks all of a change but the credential.
func checkChange(c Change) error {
	if err := refs(field{"name of who asks", c.By}); err != nil {
		return err
	}
	if c.To > status.Suspended {
		return fmt.Errorf("%v is no status: %w", c.To, ErrInvalid)
	}
	if !slices.Contains(Reasons(), c.Reason) {
		return fmt.Errorf("reason %q is not one of Reasons: %w", clip(c.Reason), ErrInvalid)
	}
	return nil
}

// List returns a status list as it must be published now, or ErrNotFound.
func (r *Registry) List(ctx context.Context, id string) (StatusList, error) {
	return r.ListAfter(ctx, id, 0)
}

// ListAfter is List for who knows the list at a Version: if it is still at that
// one, its Entries are left out, and the question costs the same whatever is in
// the list.
func (r *Registry) ListAfter(ctx context.Context, id string, known uint64) (StatusList, error) {
	if err := ctx.Err(); err != nil {
		return StatusList{}, err
	}
	if !isReference(id) {
		return StatusList{}, fmt.Errorf("reading status list: %w", ErrNotFound)
	}
	l, err := r.backend.List(ctx, id, known)
	if err != nil {
		return StatusList{}, fmt.Errorf("reading status list %s: %w", id, err)
	}
	return l, nil
}

// Lists returns at most limit status lists with an ID above after, in order of
// ID as bytes, without their Entries.
func (r *Registry) Lists(ctx context.Context, after string, limit int) ([]StatusList, error) {
	if err := checkPage(ctx, limit, field{"after", after}); err != nil {
		return nil, fmt.Errorf("listing status lists: %w", err)
	}
	out, err := r.backend.Lists(ctx, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing status lists: %w", err)
	}
	return out, nil
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
