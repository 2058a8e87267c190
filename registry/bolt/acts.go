package bolt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"attesta/registry"
)

// SetStatuses is registry.Ledger.SetStatuses, one transaction for all.
func (s *Store) SetStatuses(ctx context.Context, changes []registry.Change, at time.Time) ([]registry.Effect, error) {
	changes = slices.Clone(changes)
	var out []registry.Effect
	err := s.updateMany(ctx, len(changes), func(t *tx) error {
		out = make([]registry.Effect, len(changes))
		for n, c := range changes {
			var err error
			if out[n], err = t.act(c, at); err != nil {
				return fmt.Errorf("%s: %w", c.Credential, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (t *tx) act(c registry.Change, at time.Time) (registry.Effect, error) {
	was, err := t.byKey(registry.Key{Credential: c.Credential})
	if errors.Is(err, registry.ErrNotFound) {
		return registry.Unknown, nil
	}
	if err != nil {
		return 0, err
	}
	e, kind := registry.EffectOn(was.Record, c.To)
	if e == registry.Changed {
		_, err = t.setStatus(was, c, kind, at)
	}
	return e, err
}

// AddProposal is registry.Proposals.AddProposal.
func (s *Store) AddProposal(ctx context.Context, p registry.Proposal, ev registry.Event) (number uint64, err error) {
	err = s.update(ctx, func(t *tx) error {
		if number, err = t.next(bucketProposals); err != nil {
			return err
		}
		p, ev := p, ev
		p.Number, ev.What = number, registry.ProposalName(number)
		return t.putProposal(p, ev)
	})
	return number, err
}

func (t *tx) putProposal(p registry.Proposal, ev registry.Event) error {
	b, err := p.Encode()
	if err != nil {
		return err
	}
	if err := t.put(bucketProposals, seqKey(p.Number), b); err != nil {
		return err
	}
	return t.event(ev)
}

func (t *tx) proposal(number uint64) (registry.Proposal, error) {
	b, err := t.get(bucketProposals, seqKey(number))
	if err != nil {
		return registry.Proposal{}, err
	}
	return decodeProposal(number, b)
}

func decodeProposal(number uint64, b []byte) (registry.Proposal, error) {
	p, err := registry.DecodeProposal(b)
	if err != nil || p.Number != number {
		return registry.Proposal{}, fmt.Errorf("reading proposal %d: %v: %w", number, err, errDamaged)
	}
	return p, nil
}

// Proposal is registry.Proposals.Proposal.
func (s *Store) Proposal(ctx context.Context, number uint64) (p registry.Proposal, err error) {
	err = s.view(ctx, func(t *tx) error {
		p, err = t.proposal(number)
		return err
	})
	return p, err
}

// Proposals is registry.Proposals.Proposals.
func (s *Store) Proposals(ctx context.Context, before uint64, limit int) (out []registry.Proposal, err error) {
	err = s.view(ctx, func(t *tx) error {
		last := t.bucket(bucketProposals).Sequence()
		for n := min(last, before-1); n > 0 && len(out) < limit; n-- {
			p, err := t.proposal(n)
			if err != nil {
				return fmt.Errorf("reading a proposal of the page: %v: %w", err, errDamaged)
			}
			out = append(out, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// MoveProposal is registry.Proposals.MoveProposal.
func (s *Store) MoveProposal(ctx context.Context, p registry.Proposal, from registry.ProposalState, ev registry.Event) error {
	return s.update(ctx, func(t *tx) error {
		was, err := t.proposal(p.Number)
		if err != nil {
			return err
		}
		if was.State != from {
			return fmt.Errorf("it is %s already: %w", was.State, registry.ErrConflict)
		}
		return t.putProposal(p, ev)
	})
}

func exportProposal(_ *tx, k, v []byte) (registry.Entry, error) {
	number, err := seqOf(k)
	if err != nil {
		return registry.Entry{}, err
	}
	p, err := decodeProposal(number, v)
	return registry.Entry{Proposal: &p}, err
}

// readProposals audits the proposals.
func (a *audit) readProposals() error {
	last := uint64(0)
	n, err := a.each(bucketProposals, func(k, v []byte) error {
		number, err := seqOf(k)
		if err != nil {
			return err
		}
		last = number
		_, err = decodeProposal(number, v)
		return err
	})
	if given := a.bucket(bucketProposals).Sequence(); err == nil && (n != given || last != given) {
		err = a.fault("%s has %d entries for %d numbers", bucketProposals, n, given)
	}
	return err
}
