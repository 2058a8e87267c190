package registrytest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"attesta/registry"
	"attesta/status"
)

func proposalPromises() []promise {
	return []promise{
		{"a proposal is decided by another person, once, in time", proposalDecided},
		{"a proposal ends as its author or another says", proposalEnds},
		{"of many who decide at once one succeeds", proposalRace},
		{"proposals page newest first", proposalPages},
		{"proposals out of bounds are refused and leave nothing", badProposals},
	}
}

func proposal(by string) registry.Proposal {
	return registry.Proposal{
		Meant: registry.Meant{Selection: &registry.Selection{Module: "MOD-1", Edition: "2026-A", Below: 26}},
		To:    status.Revoked, Reason: "fraud", Count: 25, By: by,
	}
}

func (k *kit) propose(p registry.Proposal) registry.Proposal {
	k.Helper()
	out, err := k.Propose(k.ctx(), p, k.at)
	k.must(err)
	return out
}

func (k *kit) proposal(n uint64) registry.Proposal {
	k.Helper()
	out, err := k.Proposal(k.ctx(), n)
	k.must(err)
	return out
}

func proposalDecided(k *kit) {
	p := k.propose(proposal("Ada Rossi"))
	want := proposal("Ada Rossi")
	want.Number, want.At, want.Expires, want.State = 1, k.at, k.at.Add(7*24*time.Hour), registry.ProposalOpen
	k.same("proposal", p, want)
	k.same("proposal read again", k.proposal(1), want)
	for _, same := range []string{"Ada Rossi", "ada rossi", " ADA  ROSSI"} {
		_, err := k.Approve(k.ctx(), 1, same, k.at)
		k.want(err, registry.ErrOneself)
		k.want(err, registry.ErrConflict)
	}
	_, err := k.FinishProposal(k.ctx(), 1, registry.Tally{}, k.at)
	k.want(err, registry.ErrConflict) // nobody approved it
	k.same("still open", k.proposal(1), want)
	late := want.Expires.Add(-time.Second)
	got, err := k.Approve(k.ctx(), 1, "Bruno", late)
	k.must(err)
	want.State, want.DecidedBy, want.DecidedAt = registry.ProposalApproved, "Bruno", late
	k.same("approved", got, want)
	k.same("approved, read again", k.proposal(1), want)
	for _, by := range []string{"Ada Rossi", "Carla"} {
		_, err := k.Approve(k.ctx(), 1, by, late)
		k.want(err, registry.ErrConflict)
		_, err = k.Refuse(k.ctx(), 1, by, late)
		k.want(err, registry.ErrConflict)
	}
	for range 2 {
		got, err = k.FinishProposal(k.ctx(), 1, registry.Tally{Changed: 24, Already: 1}, late)
		k.must(err)
	}
	want.State, want.DoneAt, want.Result = registry.ProposalDone, late, registry.Tally{Changed: 24, Already: 1}
	k.same("done", got, want)
	k.same("done, read again", k.proposal(1), want)
	var told []string
	for _, ev := range k.events() {
		told = append(told, strings.Join([]string{ev.Kind, ev.What, ev.By, ev.Why}, "|"))
	}
	k.same("events", told, []string{
		"propose|proposal 1|Ada Rossi|to revoked (fraud), 25 credentials: module MOD-1, edition 2026-A",
		"approve|proposal 1|Bruno|fraud", "done|proposal 1|Bruno|24 changed, 1 so already, 0 not possible",
	})
}

func proposalEnds(k *kit) {
	for range 3 {
		k.propose(proposal("Ada"))
	}
	p, err := k.Refuse(k.ctx(), 1, "ada", k.at)
	k.must(err)
	k.same("by its author", p.State, registry.ProposalWithdrawn)
	p, err = k.Refuse(k.ctx(), 2, "Bruno", k.at)
	k.must(err)
	k.same("by another", p.State, registry.ProposalRefused)
	_, err = k.Approve(k.ctx(), 3, "Bruno", k.at.Add(registry.ProposalLife))
	k.want(err, registry.ErrExpired)
	k.same("expired", k.proposal(3).Expired(k.at.Add(registry.ProposalLife)), true)
	k.same("in time", k.proposal(3).Expired(k.at.Add(registry.ProposalLife-time.Second)), false)
	for n := range uint64(2) {
		_, err = k.Approve(k.ctx(), n+1, "Bruno", k.at)
		k.want(err, registry.ErrConflict)
	}
	for _, n := range []uint64{0, 4, 1 << 40, 1<<64 - 1} {
		_, err = k.Proposal(k.ctx(), n)
		k.want(err, registry.ErrNotFound)
		_, err = k.Approve(k.ctx(), n, "Bruno", k.at)
		k.want(err, registry.ErrNotFound)
	}
}

func proposalRace(k *kit) {
	k.propose(proposal("Ada"))
	won := 0
	for _, err := range together(16, func(i int) error {
		decide := k.Approve
		if i%2 == 1 {
			decide = k.Refuse
		}
		_, err := decide(k.ctx(), 1, fmt.Sprint("person ", i), k.at)
		return err
	}) {
		if err == nil {
			won++
			continue
		}
		k.want(err, registry.ErrConflict)
	}
	k.same("who decided", won, 1)
	k.same("events", len(k.events()), 2)
}

func proposalPages(k *kit) {
	for _, err := range together(23, func(i int) error {
		_, err := k.Propose(k.ctx(), proposal(fmt.Sprint("person ", i)), k.at)
		return err
	}) {
		k.must(err)
	}
	for _, limit := range []int{1, 4, 500} {
		var got, want []uint64
		for before := uint64(0); ; {
			page, err := k.Proposals(k.ctx(), before, limit)
			k.must(err)
			if !k.more(len(page), limit) {
				break
			}
			for _, p := range page {
				k.same("proposal", p, k.proposal(p.Number))
				got = append(got, p.Number)
			}
			before = page[len(page)-1].Number
		}
		for n := uint64(23); n > 0; n-- {
			want = append(want, n)
		}
		k.same("numbers", got, want)
	}
}

func badProposals(k *kit) {
	k.propose(proposal("Ada"))
	calls := map[string]func() error{}
	id := "urn:credential:00112233-4455-4677-8899-aabbccddeeff"
	for name, edit := range map[string]func(*registry.Proposal){
		"nobody":       func(p *registry.Proposal) { p.By = "" },
		"a long name":  func(p *registry.Proposal) { p.By = strings.Repeat("a", registry.MaxName+1) },
		"a status":     func(p *registry.Proposal) { p.To = 3 },
		"a reason":     func(p *registry.Proposal) { p.Reason = "because" },
		"nothing":      func(p *registry.Proposal) { p.Meant = registry.Meant{} },
		"two things":   func(p *registry.Proposal) { p.Meant.Credentials = []string{id} },
		"no id":        func(p *registry.Proposal) { p.Meant = registry.Meant{Credentials: []string{"x"}} },
		"all":          func(p *registry.Proposal) { p.Meant.Selection = &registry.Selection{} },
		"many by name": func(p *registry.Proposal) { p.Meant = registry.Meant{Credentials: make([]string, 501)} },
	} {
		calls[name] = func() error {
			p := proposal("Bruno")
			edit(&p)
			_, err := k.Propose(k.ctx(), p, k.at)
			return err
		}
	}
	calls["no time"] = func() error { _, err := k.Propose(k.ctx(), proposal("Bruno"), time.Time{}); return err }
	calls["nobody approves"] = func() error { _, err := k.Approve(k.ctx(), 1, "", k.at); return err }
	calls["nobody refuses"] = func() error { _, err := k.Refuse(k.ctx(), 1, "a\nb", k.at); return err }
	calls["limit"] = func() error { _, err := k.Proposals(k.ctx(), 0, 501); return err }
	k.refuse(calls)
	ctx, cancel := context.WithCancel(k.ctx())
	cancel()
	_, err := k.Propose(ctx, proposal("Bruno"), k.at)
	k.want(err, context.Canceled)
	_, err = k.Approve(ctx, 1, "Bruno", k.at)
	k.want(err, context.Canceled)
	one := proposal("Bruno")
	one.Meant = registry.Meant{Credentials: []string{id}}
	k.same("the next number", k.propose(one).Number, uint64(2))
	k.same("kept", k.proposal(2).Meant, one.Meant)
}
