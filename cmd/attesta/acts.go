package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os/user"
	"strings"
	"time"

	"attesta/credentials"
	"attesta/issuer"
	"attesta/registry"
	"attesta/status"
)

// statusRequest asks for a change of status, of credentials or of a selection,
// or, with Look, only what it would do.
type statusRequest struct {
	IDs     []string `json:"ids,omitempty"` // ids of credentials, handles or numbers
	Module  string   `json:"module,omitempty"`
	Edition string   `json:"edition,omitempty"`
	Key     string   `json:"key,omitempty"`
	Below   uint64   `json:"below,omitempty"` // of the answer to Look
	To      string   `json:"to"`              // valid, suspended, revoked
	Reason  string   `json:"reason"`
	By      string   `json:"by"`
	Look    bool     `json:"look,omitempty"`
}

// statusAnswer says what was changed, or what would be. With Proposal nothing
// was: another person has to approve it.
type statusAnswer struct {
	registry.Tally
	Below    uint64          `json:"below,omitempty"`
	FourEyes []string        `json:"four_eyes,omitempty"` // providers that want a second person
	One      *oneStatus      `json:"credential,omitempty"`
	Proposal *proposalAnswer `json:"proposal,omitempty"`
}

// oneStatus is the credential that was named, when one was, as it is then.
type oneStatus struct {
	Credential string    `json:"credential"`
	Number     string    `json:"number"`
	Status     string    `json:"status"`
	Since      time.Time `json:"since"`
	Reason     string    `json:"reason"`
}

// SetStatus tells progress only to a command that has the folder open itself.
func (l local) SetStatus(ctx context.Context, r statusRequest, progress func(registry.Tally)) (statusAnswer, error) {
	to, err := status.ParseValue(r.To)
	if err != nil {
		return statusAnswer{}, err
	}
	a := issuer.Act{To: to, Reason: r.Reason, By: cmp.Or(r.By, "operator")}
	var found registry.Record
	for _, id := range r.IDs {
		if found, err = l.find(ctx, id); err != nil {
			return statusAnswer{}, fmt.Errorf("looking for the credential %s: %w", id, err)
		}
		a.Meant.Credentials = append(a.Meant.Credentials, found.Credential)
	}
	if len(r.IDs) == 0 {
		a.Meant.Selection = &registry.Selection{Module: r.Module, Edition: r.Edition, SealKey: r.Key, Below: r.Below}
	}
	if r.Look {
		o, err := l.issuer.Outlook(ctx, a)
		if err == nil && o.All() == 0 {
			err = fmt.Errorf("looking for credentials, %s: %w", r.what(), registry.ErrNotFound)
		}
		return statusAnswer{Tally: o.Tally, Below: o.Below, FourEyes: o.FourEyes}, err
	}
	if len(r.IDs) == 1 { // whoever names one is told why it cannot be
		if effect, _ := registry.EffectOn(found, to); effect == registry.Unsealed || effect == registry.Final {
			return statusAnswer{}, fmt.Errorf("changing the status of %s: it is %s: %w", credentials.Number(found.Module, found.Credential), stateOf(found), registry.ErrConflict)
		}
	}
	done, err := l.issuer.Act(ctx, a, progress)
	answer := statusAnswer{Tally: done.Tally}
	if err == nil && done.Proposal != nil {
		p := l.proposalAnswer(*done.Proposal)
		answer.Proposal = &p
	}
	if err == nil && done.Proposal == nil && len(r.IDs) == 1 {
		if found, err = l.registry.ByCredential(ctx, found.Credential); err == nil {
			answer.One = &oneStatus{
				found.Credential, credentials.Number(found.Module, found.Credential),
				found.Status.String(), found.StatusAt, found.Reason,
			}
		}
	}
	return answer, err
}

// stateOf is what keeps a credential from another status.
func stateOf(r registry.Record) string {
	if r.State == registry.Reserved {
		return "waiting for its seal"
	}
	return r.Status.String() + ", which is final"
}

// proposalRequest asks for proposals: all that are open and the last others, or
// the one with a number; or decides on that.
type proposalRequest struct {
	Number   uint64 `json:"number,omitempty"`
	Decision string `json:"decision,omitempty"` // approve or refuse
	By       string `json:"by,omitempty"`
}

type proposalAnswer struct {
	Number    uint64         `json:"number"`
	State     string         `json:"state"` // open, approved, done, refused, withdrawn, expired
	Text      string         `json:"text"`
	Meant     registry.Meant `json:"meant"`
	To        string         `json:"to"`
	Reason    string         `json:"reason"`
	Count     uint64         `json:"count"`
	By        string         `json:"by"`
	At        time.Time      `json:"at"`
	Expires   time.Time      `json:"expires"`
	DecidedBy string         `json:"decided_by,omitempty"`
	DecidedAt time.Time      `json:"decided_at,omitzero"`
	Result    registry.Tally `json:"result"`
}

// proposalsShown bounds how many proposals one command prints.
const proposalsShown = 50

func (l local) Proposals(ctx context.Context, r proposalRequest, progress func(registry.Tally)) ([]proposalAnswer, error) {
	var found []registry.Proposal
	var one registry.Proposal
	var err error
	switch {
	case r.Decision == "approve":
		one, err = l.issuer.Approve(ctx, r.Number, r.By, progress)
	case r.Decision == "refuse":
		one, err = l.registry.Refuse(ctx, r.Number, r.By, l.now())
	case r.Decision != "":
		err = fmt.Errorf("%q is no decision: %w", r.Decision, registry.ErrInvalid)
	case r.Number > 0:
		one, err = l.registry.Proposal(ctx, r.Number)
	default:
		found, err = l.registry.Proposals(ctx, 0, proposalsShown)
	}
	if err != nil {
		return nil, err
	}
	if one.Number > 0 {
		found = []registry.Proposal{one}
	}
	answer := make([]proposalAnswer, 0, len(found))
	for _, p := range found {
		answer = append(answer, l.proposalAnswer(p))
	}
	return answer, nil
}

func (l local) proposalAnswer(p registry.Proposal) proposalAnswer {
	state := string(p.State)
	if p.Expired(l.now()) {
		state = "expired"
	}
	zoned := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return t.In(l.zone)
	}
	return proposalAnswer{
		Number: p.Number, State: state, Text: p.String(), Meant: p.Meant, To: p.To.String(), Reason: p.Reason, Count: p.Count,
		By: p.By, At: zoned(p.At), Expires: zoned(p.Expires), DecidedBy: p.DecidedBy, DecidedAt: zoned(p.DecidedAt), Result: p.Result,
	}
}

func (r *remote) SetStatus(ctx context.Context, q statusRequest, _ func(registry.Tally)) (a statusAnswer, err error) {
	return a, r.call(ctx, "status", q, &a)
}

func (r *remote) Proposals(ctx context.Context, q proposalRequest, _ func(registry.Tally)) (a []proposalAnswer, err error) {
	return a, r.call(ctx, "proposals", q, &a)
}

// whoActs is who acts: the name that was given, or that of the account on this
// computer.
func whoActs(c *console, given string) string {
	if name := cmp.Or(given, c.getenv("ATTESTA_BY")); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil && u.Username != "" && len(u.Username) <= registry.MaxName {
		return u.Username
	}
	return "operator"
}

// readLine reads an answer, without the white space around it.
func readLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(r).ReadString('\n')
	if line != "" {
		err = nil
	}
	return strings.TrimSpace(line), err
}
