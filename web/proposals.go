package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"attesta/credentials"
	"attesta/registry"
)

// proposalsPage lists proposals, newest first, or shows one with what can be
// decided.
type proposalsPage struct {
	Page
	Rows    []proposalRow
	One     bool
	Action  string
	Approve bool // the visitor may
	Refuse  bool
	Own     bool // the visitor made it
	Older   string
	All     string
}

type proposalRow struct {
	Number  string
	Address string
	State   string // in words
	Mark    string // picks the icon
	What    []line
}

const proposalsShown = 50

func proposalAddress(number uint64) string {
	return "/console/proposals?number=" + strconv.FormatUint(number, 10)
}

func (s *Site) proposals(w http.ResponseWriter, r *http.Request) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fmt.Errorf("reading query: %w", registry.ErrInvalid)
	}
	number, before := uint64(0), uint64(0)
	for name, all := range values {
		if name == "lang" {
			continue
		}
		into := map[string]*uint64{"number": &number, "before": &before}[name]
		if into == nil || len(all) != 1 {
			return fmt.Errorf("reading query: unknown or repeated name: %w", registry.ErrInvalid)
		}
		if *into, err = position(all[0]); err != nil {
			return err
		}
	}
	if number > 0 {
		one, err := s.Acts.Proposal(r.Context(), number)
		if err != nil {
			return fmt.Errorf("reading a proposal: %w", err)
		}
		return s.showProposal(w, r, one)
	}
	p := proposalsPage{Page: s.page(r, "proposals.title")}
	p.SignedIn = true
	all, err := s.Acts.Proposals(r.Context(), before, proposalsShown)
	if err != nil {
		return fmt.Errorf("reading proposals: %w", err)
	}
	for _, one := range all {
		p.Rows = append(p.Rows, s.proposalRow(r, p.Page, one))
	}
	if len(all) == proposalsShown {
		p.Older = p.Link("/console/proposals?before=" + strconv.FormatUint(all[len(all)-1].Number, 10))
	}
	return s.show(w, r, http.StatusOK, p)
}

func (s *Site) showProposal(w http.ResponseWriter, r *http.Request, one registry.Proposal) error {
	p := proposalsPage{Page: s.page(r, "proposals.title"), One: true}
	p.SignedIn = true
	open := one.State == registry.ProposalOpen
	p.Own = one.SameAuthor(operator(r))
	p.Approve, p.Refuse = open && !p.Own && !one.Expired(s.Now()), open
	p.Rows = []proposalRow{s.proposalRow(r, p.Page, one)}
	p.Action, p.All = p.Link("/console/proposals"), p.Link("/console/proposals")
	return s.show(w, r, http.StatusOK, p)
}

// decideProposal approves or refuses. What was approved is carried out also when
// the visitor leaves.
func (s *Site) decideProposal(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	if err := r.ParseForm(); err != nil {
		return refusal{http.StatusBadRequest, "form"}
	}
	number, err := position(r.PostForm.Get("number"))
	if err != nil {
		return err
	}
	ctx := context.WithoutCancel(r.Context())
	switch r.PostForm.Get("decision") {
	case "approve":
		_, err = s.Acts.Approve(ctx, number, operator(r), nil)
	case "refuse":
		_, err = s.Acts.Refuse(ctx, number, operator(r))
	default:
		err = registry.ErrInvalid
	}
	if err != nil {
		return fmt.Errorf("deciding on a proposal: %w", err)
	}
	address := proposalAddress(number)
	if v := visitOf(r); v.chosen != "" {
		address += "&lang=" + v.chosen
	}
	http.Redirect(w, r, address, http.StatusSeeOther) //nolint:gosec // a path of ours, a number, and one of our languages
	return nil
}

// proposalRow says one proposal.
func (s *Site) proposalRow(r *http.Request, p Page, one registry.Proposal) proposalRow {
	row := proposalRow{Number: strconv.FormatUint(one.Number, 10), Address: p.Link(proposalAddress(one.Number)), Mark: "suspended"}
	state := string(one.State)
	switch {
	case one.Expired(s.Now()):
		state, row.Mark = "expired", "open"
	case one.State == registry.ProposalDone:
		row.Mark = "valid"
	case one.State != registry.ProposalOpen && one.State != registry.ProposalApproved:
		row.Mark = "open"
	}
	row.State = p.T("proposal.state." + state)
	add := func(term, value string) {
		if value != "" {
			row.What = append(row.What, line{p.T(term), visible(value)})
		}
	}
	for _, v := range verbs() {
		if v.To == one.To {
			add("proposal.what", p.T("act.ask."+v.Name, "n", strconv.FormatUint(one.Count, 10)))
		}
	}
	if chosen := one.Meant.Selection; chosen != nil {
		add("col.module", chosen.Module)
		add("col.edition", chosen.Edition)
		add("proposal.key", chosen.SealKey)
	} else {
		for _, id := range one.Meant.Credentials[:min(len(one.Meant.Credentials), 5)] {
			name := id
			if record, err := s.Acts.Record(r.Context(), id); err == nil {
				name = credentials.Number(record.Module, id)
			}
			add("col.number", name)
		}
	}
	add("act.reason", p.T("reason."+one.Reason))
	add("proposal.by", one.By+", "+p.day(one.At))
	if one.State == registry.ProposalOpen {
		add("proposal.until", p.day(one.Expires))
	}
	if one.DecidedBy != "" {
		add("proposal.decided", one.DecidedBy+", "+p.day(one.DecidedAt))
	}
	if one.State == registry.ProposalDone {
		add("proposal.changed", strconv.FormatUint(one.Result.Changed, 10))
		for _, other := range p.others(one.Result) {
			add("proposal.note", other)
		}
	}
	return row
}
