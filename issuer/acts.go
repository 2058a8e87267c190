package issuer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"attesta/credentials"
	"attesta/registry"
	"attesta/status"
)

// actPage is how many records an act changes in one durable step. Whoever issues
// meanwhile waits for no more than that.
const actPage = 2000

// Act is a change of status that a person asks for: of credentials by their
// ids, or of a selection. All formats of an award are one record with one status.
type Act struct {
	Meant  registry.Meant
	To     status.Value
	Reason string // one of registry.Reasons
	By     string // who asks
}

// Outlook says what an act would do, while nothing else changes.
type Outlook struct {
	registry.Tally
	Below    uint64   // greater than the number of every record that is meant; 0 if they have ids
	FourEyes []string // providers that want a second person to approve it, in order
}

// Outlook reads all that an act is about. Give the Below of its answer with the
// Selection of the act, so that the act is about nothing that came later.
func (i *Issuer) Outlook(ctx context.Context, a Act) (Outlook, error) {
	var o Outlook
	if err := a.Meant.Check(); err != nil {
		return o, fmt.Errorf("looking what is meant: %w", err)
	}
	touched := map[string]int{}
	err := i.eachMeant(ctx, a.Meant, func(page []registry.Record, unknown int) error {
		for range unknown {
			o.Add(registry.Unknown)
		}
		for _, r := range page {
			effect, _ := registry.EffectOn(r, a.To)
			o.Add(effect)
			if effect == registry.Changed || effect == registry.Unsealed { // it may have its seal in a moment
				touched[r.Provider]++
			}
			if a.Meant.Selection != nil {
				o.Below = max(o.Below, r.Seq+1)
			}
		}
		return nil
	})
	if err != nil {
		return Outlook{}, fmt.Errorf("looking what is meant: %w", err)
	}
	for _, id := range slices.Sorted(maps.Keys(touched)) {
		p, err := i.provider(ctx, id)
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return Outlook{}, fmt.Errorf("looking whether %s wants a second person: %w", id, err)
		}
		if p.FourEyes != nil && touched[id] > p.FourEyes.Above {
			o.FourEyes = append(o.FourEyes, id)
		}
	}
	return o, nil
}

// eachMeant calls fn with the records that are meant, a page at a time, and with
// how many of the ids named nothing.
func (i *Issuer) eachMeant(ctx context.Context, m registry.Meant, fn func(page []registry.Record, unknown int) error) error {
	if m.Selection != nil {
		for before := uint64(0); ; {
			page, err := i.Registry.Select(ctx, *m.Selection, before, actPage)
			if err != nil || len(page) == 0 {
				return err
			}
			if err := fn(page, 0); err != nil {
				return err
			}
			before = page[len(page)-1].Seq
		}
	}
	for ids := range slices.Chunk(distinctIDs(m.Credentials), actPage) {
		var page []registry.Record
		unknown := 0
		for _, id := range ids {
			r, err := i.Registry.Find(ctx, registry.Key{Credential: id})
			if errors.Is(err, registry.ErrNotFound) {
				unknown++
				continue
			}
			if err != nil {
				return err
			}
			page = append(page, r)
		}
		if err := fn(page, unknown); err != nil {
			return err
		}
	}
	return nil
}

func distinctIDs(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		was := seen[id]
		seen[id] = true
		return was
	})
}

// Done is what became of an act: what it changed, or the proposal that waits for
// a second person now, while nothing is changed.
type Done struct {
	registry.Tally
	Proposal *registry.Proposal
}

// Act carries out a change of status, or proposes it where a provider wants a
// second person. It works in durable steps of many records and tells progress
// after each; what was done before an error stays done, and the same act again
// does the rest. An act that means nothing at all is registry.ErrNotFound.
func (i *Issuer) Act(ctx context.Context, a Act, progress func(registry.Tally)) (Done, error) {
	o, err := i.Outlook(ctx, a)
	if err != nil {
		return Done{}, err
	}
	if o.All() == o.Unknown {
		return Done{Tally: o.Tally}, fmt.Errorf("looking what is meant: no such credential: %w", registry.ErrNotFound)
	}
	if s := a.Meant.Selection; s != nil {
		bounded := *s
		bounded.Below = o.Below
		a.Meant.Selection = &bounded
	}
	if len(o.FourEyes) == 0 {
		tally, err := i.carryOut(ctx, a, time.Time{}, progress)
		return Done{Tally: tally}, err
	}
	p, err := i.Registry.Propose(ctx, registry.Proposal{
		Meant: a.Meant, To: a.To, Reason: a.Reason, Count: o.Changed, By: a.By,
	}, i.now())
	if err != nil {
		return Done{}, err
	}
	return Done{Proposal: &p}, nil
}

// carryOut changes what an act is about, whoever had to approve it. What was
// approved at a time and is carried on with later leaves alone what somebody has
// decided since, and counts it as so already; but what is revoked stays revoked.
func (i *Issuer) carryOut(ctx context.Context, a Act, approved time.Time, progress func(registry.Tally)) (registry.Tally, error) {
	var all registry.Tally
	err := i.eachMeant(ctx, a.Meant, func(page []registry.Record, unknown int) error {
		for range unknown {
			all.Add(registry.Unknown)
		}
		changes := make([]registry.Change, 0, len(page))
		for _, r := range page {
			effect, _ := registry.EffectOn(r, a.To)
			if effect == registry.Changed && a.To != status.Revoked && !approved.IsZero() && r.StatusAt.After(approved) {
				effect = registry.AlreadySo
			}
			if effect != registry.Changed {
				all.Add(effect)
				continue
			}
			changes = append(changes, registry.Change{Credential: r.Credential, To: a.To, Reason: a.Reason, By: a.By})
		}
		effects, err := i.Registry.SetStatuses(ctx, changes, i.now())
		if err != nil {
			return err
		}
		for _, e := range effects {
			all.Add(e)
		}
		if progress != nil {
			progress(all)
		}
		return nil
	})
	if err != nil {
		return all, fmt.Errorf("stopped after %d credentials, which are changed; ask for the same again for the rest: %w", all.Changed, err)
	}
	return all, nil
}

// Approve lets a proposal take effect and carries it out. A proposal that was
// approved already and not carried out to its end, because of a crash, is carried
// on with, whoever asks.
func (i *Issuer) Approve(ctx context.Context, number uint64, by string, progress func(registry.Tally)) (registry.Proposal, error) {
	p, err := i.Registry.Approve(ctx, number, by, i.now())
	if errors.Is(err, registry.ErrConflict) {
		if now, failed := i.Registry.Proposal(ctx, number); failed == nil && now.State == registry.ProposalApproved {
			p, err = now, nil
		}
	}
	if err != nil {
		return registry.Proposal{}, err
	}
	return i.fulfil(ctx, p, progress)
}

// Refuse ends a proposal that nobody approved yet; its author withdraws it so.
func (i *Issuer) Refuse(ctx context.Context, number uint64, by string) (registry.Proposal, error) {
	return i.Registry.Refuse(ctx, number, by, i.now())
}

// Proposal returns one by its number.
func (i *Issuer) Proposal(ctx context.Context, number uint64) (registry.Proposal, error) {
	return i.Registry.Proposal(ctx, number)
}

// Proposals returns at most limit proposals below a number, newest first.
func (i *Issuer) Proposals(ctx context.Context, before uint64, limit int) ([]registry.Proposal, error) {
	return i.Registry.Proposals(ctx, before, limit)
}

// Record returns the record of a credential by its id.
func (i *Issuer) Record(ctx context.Context, credential string) (registry.Record, error) {
	return i.Registry.ByCredential(ctx, credential)
}

func (i *Issuer) fulfil(ctx context.Context, p registry.Proposal, progress func(registry.Tally)) (registry.Proposal, error) {
	by := fmt.Sprintf("%s + %s, %s", p.By, p.DecidedBy, registry.ProposalName(p.Number))
	tally, err := i.carryOut(ctx, Act{Meant: p.Meant, To: p.To, Reason: p.Reason, By: by}, p.DecidedAt, progress)
	if err != nil {
		return p, err
	}
	return i.Registry.FinishProposal(ctx, p.Number, tally, i.now())
}

// FinishApproved carries out what was approved and interrupted, and returns how
// many proposals that were.
func (i *Issuer) FinishApproved(ctx context.Context) (n int, err error) {
	for before := uint64(0); ; {
		page, err := i.Registry.Proposals(ctx, before, registry.MaxLimit)
		if err != nil || len(page) == 0 {
			return n, err
		}
		for _, p := range page {
			if before = p.Number; p.State != registry.ProposalApproved {
				continue
			}
			if _, err := i.fulfil(ctx, p, nil); err != nil {
				return n, err
			}
			n++
		}
	}
}

// fourEyesChange says for the log what becomes of a provider's wish for a second
// person, or nothing when it stays.
func (i *Issuer) fourEyesChange(ctx context.Context, p credentials.Provider) (string, error) {
	before, err := i.provider(ctx, p.ID)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return "", err
	}
	words := func(f *credentials.FourEyes) string {
		if f == nil {
			return "one person changes a status"
		}
		return fmt.Sprintf("two people change the status of more than %d credentials", f.Above)
	}
	if was, is := words(before.FourEyes), words(p.FourEyes); was != is {
		return is, nil
	}
	return "", nil
}
