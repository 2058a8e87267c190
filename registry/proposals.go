package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"attesta/status"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// ProposalState is how far a proposal has come.
type ProposalState string

// A proposal is open until somebody decides. What was approved is carried out,
// and is done then; an approval that a crash interrupted is carried out later.
const (
	ProposalOpen      ProposalState = "open"
	ProposalApproved  ProposalState = "approved"
	ProposalDone      ProposalState = "done"
	ProposalRefused   ProposalState = "refused"
	ProposalWithdrawn ProposalState = "withdrawn" // by who made it
)

// Bounds of proposals.
const (
	ProposalLife = 7 * 24 * time.Hour // in which one can be approved
	MaxNamed     = 500                // credentials that a proposal names one by one
	MaxName      = 40                 // bytes of the name of who proposes or decides
)

// ErrOneself is wrapped, as an ErrConflict, when who made a proposal wants to
// approve it.
var ErrOneself = fmt.Errorf("the one who proposed it cannot approve it too: %w", ErrConflict)

// ErrExpired is wrapped, as an ErrConflict, when nobody decided in time.
var ErrExpired = fmt.Errorf("it expired: %w", ErrConflict)

// Meant are the credentials that an act is about: those it names, or a
// selection.
type Meant struct {
	Credentials []string   `json:"credentials,omitempty"`
	Selection   *Selection `json:"selection,omitempty"`
}

// Check refuses with ErrInvalid what means nothing, or two things at once.
func (m Meant) Check() error {
	if (len(m.Credentials) > 0) == (m.Selection != nil) {
		return fmt.Errorf("an act is about credentials by their ids, or about a selection: %w", ErrInvalid)
	}
	for _, c := range m.Credentials {
		if !isCredential(c) {
			return fmt.Errorf("%q is no id of a credential: %w", clip(c), ErrInvalid)
		}
	}
	if m.Selection != nil {
		return m.Selection.check()
	}
	return nil
}

// Proposal is a change of status that takes effect when a second person approves
// it.
type Proposal struct {
	Number    uint64        `json:"number"` // from 1
	Meant     Meant         `json:"meant"`
	To        status.Value  `json:"to"`
	Reason    string        `json:"reason"` // one of Reasons
	Count     uint64        `json:"count"`  // credentials that it was to change when it was made
	By        string        `json:"by"`
	At        time.Time     `json:"at"`
	Expires   time.Time     `json:"expires"`
	State     ProposalState `json:"state"`
	DecidedBy string        `json:"decided_by,omitempty"`
	DecidedAt time.Time     `json:"decided_at,omitzero"`
	DoneAt    time.Time     `json:"done_at,omitzero"`
	Result    Tally         `json:"result"` // once done
}

// Expired tells whether nobody decided in time.
func (p Proposal) Expired(at time.Time) bool { return p.State == ProposalOpen && !at.Before(p.Expires) }

// SameAuthor tells whether a name is meant to be that of who made the proposal.
func (p Proposal) SameAuthor(by string) bool { return samePerson(p.By, by) }

// Proposals is the part of a backend that keeps proposals. They are kept for
// ever. Every step appends an event about "proposal N".
type Proposals interface {
	// AddProposal keeps a proposal under the next Number, which it returns; What
	// of the event is ProposalName of it.
	AddProposal(ctx context.Context, p Proposal, ev Event) (uint64, error)
	// Proposal returns the one with a number, or ErrNotFound.
	Proposal(ctx context.Context, number uint64) (Proposal, error)
	// Proposals returns at most limit proposals with a number below before, newest
	// first.
	Proposals(ctx context.Context, before uint64, limit int) ([]Proposal, error)
	// MoveProposal keeps a proposal in the place of the one with its Number. If
	// that is not in the state from it is ErrConflict, or ErrNotFound if there is
	// none.
	MoveProposal(ctx context.Context, p Proposal, from ProposalState, ev Event) error
}

// ProposalName is how the audit log names a proposal.
func ProposalName(number uint64) string { return fmt.Sprintf("proposal %d", number) }

// Propose keeps a proposal and returns it with its number, open for
// ProposalLife. Meant, To, Reason, Count and By are asked, and no other field.
func (r *Registry) Propose(ctx context.Context, p Proposal, at time.Time) (Proposal, error) {
	if err := ctx.Err(); err != nil {
		return Proposal{}, err
	}
	at, err := stamp(at)
	if err == nil {
		err = checkChange(Change{To: p.To, Reason: p.Reason, By: p.By})
	}
	if err == nil {
		err = checkName(p.By)
	}
	if err == nil {
		err = p.Meant.Check()
	}
	if err == nil && len(p.Meant.Credentials) > MaxNamed {
		err = fmt.Errorf("%d credentials by their ids, at most %d: %w", len(p.Meant.Credentials), MaxNamed, ErrInvalid)
	}
	if err != nil {
		return Proposal{}, fmt.Errorf("proposing: %w", err)
	}
	p = Proposal{
		Meant: p.Meant, To: p.To, Reason: p.Reason, Count: p.Count, By: p.By,
		At: at, Expires: at.Add(ProposalLife), State: ProposalOpen,
	}
	p.Number, err = r.backend.AddProposal(ctx, p, Event{At: at, Kind: "propose", By: p.By, Why: p.String()})
	if err != nil {
		return Proposal{}, fmt.Errorf("proposing: %w", err)
	}
	return p, nil
}

// String says in a line what a proposal is about, for the audit log.
func (p Proposal) String() string {
	what := fmt.Sprintf("%d by their ids", len(p.Meant.Credentials))
	if len(p.Meant.Credentials) == 1 {
		what = p.Meant.Credentials[0]
	}
	if s := p.Meant.Selection; s != nil {
		var parts []string
		for _, x := range []struct{ name, value string }{{"module", s.Module}, {"edition", s.Edition}, {"key", s.SealKey}, {"provider", s.Provider}} {
			if x.value != "" {
				parts = append(parts, x.name+" "+x.value)
			}
		}
		what = strings.Join(parts, ", ")
	}
	many := "s"
	if p.Count == 1 {
		many = ""
	}
	return fmt.Sprintf("to %v (%s), %d credential%s: %s", p.To, p.Reason, p.Count, many, what)
}

func checkName(by string) error {
	if len(by) > MaxName {
		return fmt.Errorf("the name of who acts has %d bytes, at most %d: %w", len(by), MaxName, ErrInvalid)
	}
	return refs(field{"name of who acts", by})
}

// samePerson tells whether two names are meant to be one person's: they look
// alike but for case, accents, blanks, the way in which a letter is encoded, and
// what does not show.
func samePerson(a, b string) bool {
	silent := func(c rune) rune {
		if unicode.In(c, unicode.Mn, unicode.Other_Default_Ignorable_Code_Point) {
			return -1
		}
		return c
	}
	one := func(s string) string {
		s = strings.Map(silent, norm.NFKD.String(cases.Fold().String(norm.NFKC.String(s))))
		return strings.Join(strings.Fields(s), " ")
	}
	return one(a) == one(b)
}

// Approve lets an open proposal take effect: who asked for it carries it out and
// calls FinishProposal. Its own author may not (ErrOneself), and an expired one
// may not be approved (ErrExpired). Of any number who decide at the same time one
// succeeds, and the others get ErrConflict.
func (r *Registry) Approve(ctx context.Context, number uint64, by string, at time.Time) (Proposal, error) {
	return r.decide(ctx, "approving", number, by, at, func(p *Proposal, at time.Time) (kind string, err error) {
		switch p.State = ProposalApproved; {
		case p.SameAuthor(by):
			return "", ErrOneself
		case !at.Before(p.Expires):
			return "", fmt.Errorf("on %s %w", p.Expires.Format(time.DateOnly), ErrExpired)
		}
		return "approve", nil
	})
}

// Refuse ends an open proposal, and what it was about stays as it is; said by
// its author that is a withdrawal. An expired one may be refused.
func (r *Registry) Refuse(ctx context.Context, number uint64, by string, at time.Time) (Proposal, error) {
	return r.decide(ctx, "refusing", number, by, at, func(p *Proposal, _ time.Time) (kind string, err error) {
		if p.State = ProposalRefused; p.SameAuthor(by) {
			p.State = ProposalWithdrawn
			return "withdraw", nil
		}
		return "refuse", nil
	})
}

func (r *Registry) decide(ctx context.Context, step string, number uint64, by string, at time.Time,
	move func(*Proposal, time.Time) (kind string, err error),
) (Proposal, error) {
	if err := ctx.Err(); err != nil {
		return Proposal{}, err
	}
	at, err := stamp(at)
	if err == nil {
		err = checkName(by)
	}
	var p Proposal
	if err == nil {
		p, err = r.Proposal(ctx, number)
	}
	if err == nil && p.State != ProposalOpen {
		err = fmt.Errorf("it is %s already: %w", p.State, ErrConflict)
	}
	var kind string
	if err == nil {
		p.DecidedBy, p.DecidedAt = by, at
		kind, err = move(&p, at)
	}
	if err == nil {
		err = r.backend.MoveProposal(ctx, p, ProposalOpen, Event{At: at, Kind: kind, What: ProposalName(number), By: by, Why: p.Reason})
	}
	if err != nil {
		return Proposal{}, fmt.Errorf("%s proposal %d: %w", step, number, err)
	}
	return p, nil
}

// FinishProposal notes that an approved proposal was carried out, and what came
// of it. One that is done already is left as it is.
func (r *Registry) FinishProposal(ctx context.Context, number uint64, result Tally, at time.Time) (Proposal, error) {
	if err := ctx.Err(); err != nil {
		return Proposal{}, err
	}
	at, err := stamp(at)
	var p Proposal
	if err == nil {
		p, err = r.Proposal(ctx, number)
	}
	if err == nil && p.State == ProposalDone {
		return p, nil
	}
	if err == nil {
		p.State, p.DoneAt, p.Result = ProposalDone, at, result
		why := fmt.Sprintf("%d changed, %d so already, %d not possible", result.Changed, result.Already, result.Final+result.Unsealed+result.Unknown)
		err = r.backend.MoveProposal(ctx, p, ProposalApproved, Event{At: at, Kind: "done", What: ProposalName(number), By: p.DecidedBy, Why: why})
		if errors.Is(err, ErrConflict) { // another process was faster
			if now, failed := r.Proposal(ctx, number); failed == nil && now.State == ProposalDone {
				return now, nil
			}
		}
	}
	if err != nil {
		return Proposal{}, fmt.Errorf("finishing proposal %d: %w", number, err)
	}
	return p, nil
}

// Proposal returns the one with a number, or ErrNotFound.
func (r *Registry) Proposal(ctx context.Context, number uint64) (Proposal, error) {
	if err := ctx.Err(); err != nil {
		return Proposal{}, err
	}
	if number == 0 || number >= 1<<40-1 {
		return Proposal{}, fmt.Errorf("reading proposal %d: %w", number, ErrNotFound)
	}
	p, err := r.backend.Proposal(ctx, number)
	if err != nil {
		return Proposal{}, fmt.Errorf("reading proposal %d: %w", number, err)
	}
	return p, nil
}

// Proposals returns at most limit proposals, newest first, below a number, or
// from the newest for 0.
func (r *Registry) Proposals(ctx context.Context, before uint64, limit int) ([]Proposal, error) {
	if before == 0 {
		before = 1<<40 - 1
	}
	return page(ctx, "listing proposals", before, limit, r.backend.Proposals)
}

// checkProposals reads every proposal.
func (r *Registry) checkProposals(ctx context.Context) error {
	for before := uint64(0); ; {
		page, err := r.Proposals(ctx, before, MaxLimit)
		if err != nil {
			return fmt.Errorf("checking the registry: %w", err)
		}
		if len(page) == 0 {
			return nil
		}
		before = page[len(page)-1].Number
	}
}

// Encode is a proposal as a backend keeps it.
func (p Proposal) Encode() ([]byte, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("writing a proposal: %w", err)
	}
	return b, nil
}

// DecodeProposal is the inverse of Encode, from any bytes.
func DecodeProposal(b []byte) (Proposal, error) {
	var p Proposal
	if err := json.Unmarshal(b, &p); err != nil {
		return Proposal{}, fmt.Errorf("reading a proposal: %w", err)
	}
	if p.Number == 0 || p.State == "" || p.Meant.Check() != nil {
		return Proposal{}, errors.New("reading a proposal: it is incomplete")
	}
	return p, nil
}
