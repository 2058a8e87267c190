package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"attesta/issuer"
	"attesta/registry"
	"attesta/status"
)

// Acts is the part of an *issuer.Issuer that changes the status of credentials.
type Acts interface {
	Record(ctx context.Context, credential string) (registry.Record, error)
	Outlook(ctx context.Context, a issuer.Act) (issuer.Outlook, error)
	Act(ctx context.Context, a issuer.Act, progress func(registry.Tally)) (issuer.Done, error)
	Proposal(ctx context.Context, number uint64) (registry.Proposal, error)
	Proposals(ctx context.Context, before uint64, limit int) ([]registry.Proposal, error)
	Approve(ctx context.Context, number uint64, by string, progress func(registry.Tally)) (registry.Proposal, error)
	Refuse(ctx context.Context, number uint64, by string) (registry.Proposal, error)
}

// asked is an act as an address or a form asks for it: of one credential, or of
// a module or an edition of it.
type asked struct {
	Credential, Module, Edition string
	To                          string // "" until it is chosen
	Reason                      string
	Below                       uint64 // of what was shown for confirmation
}

// verbs are what can be asked for, with the status they lead to.
func verbs() []struct {
	Name string
	To   status.Value
} {
	return []struct {
		Name string
		To   status.Value
	}{{"suspend", status.Suspended}, {"reinstate", status.Valid}, {"revoke", status.Revoked}}
}

// readAsked reads an act from the values of an address or a form. Each name may
// stand there once, and each value must be one that the registry could hold;
// anything else is registry.ErrInvalid.
func readAsked(values url.Values) (asked, error) {
	var a asked
	bad := func(why string) (asked, error) {
		return asked{}, fmt.Errorf("reading an act: %s: %w", why, registry.ErrInvalid)
	}
	for name, all := range values {
		if name == "lang" {
			continue
		}
		if len(all) != 1 || !reference(all[0]) {
			return bad("value of a name")
		}
		value := all[0]
		switch name {
		case "credential":
			a.Credential = value
		case "module":
			a.Module = value
		case "edition":
			a.Edition = value
		case "to":
			a.To = value
		case "reason":
			a.Reason = value
		case "below":
			var err error
			if a.Below, err = position(value); err != nil {
				return asked{}, err
			}
		default:
			return bad("unknown name")
		}
	}
	switch {
	case (a.Credential == "") == (a.Module == ""), a.Edition != "" && a.Module == "":
		return bad("it means nothing")
	case (a.To == "") != (a.Reason == "") || a.To != "" && !slices.Contains(registry.Reasons(), a.Reason):
		return bad("reason")
	}
	if _, ok := a.to(); a.To != "" && !ok {
		return bad("status")
	}
	return a, nil
}

// to is the status that is asked for.
func (a asked) to() (status.Value, bool) {
	for _, v := range verbs() {
		if v.Name == a.To {
			return v.To, true
		}
	}
	return 0, false
}

// act is what is asked for, by somebody.
func (a asked) act(by string) issuer.Act {
	to, _ := a.to()
	act := issuer.Act{To: to, Reason: a.Reason, By: by}
	if a.Credential != "" {
		act.Meant.Credentials = []string{a.Credential}
	} else {
		act.Meant.Selection = &registry.Selection{Module: a.Module, Edition: a.Edition, Below: a.Below}
	}
	return act
}

// statusPage asks what to do with credentials, asks whether it is meant, and
// says what was done, one after the other.
type statusPage struct {
	Page
	Stage    string // choose, confirm, done
	What     []line
	Action   string
	Hidden   []line // of the form
	Choices  []option
	Reasons  []option
	Sentence string
	Final    bool // it cannot be taken back
	Others   []string
	FourEyes string // who wants a second person
	Proposal string // address of what waits now
	Back     string
}

// line is a name and a value.
type line struct{ Name, Value string }

// option is one of several that can be chosen.
type option struct{ Value, Label, Hint string }

// changeStatus shows what can be done, and what would be; where nothing is named,
// as at the address of what was done, the list to choose from.
func (s *Site) changeStatus(w http.ResponseWriter, r *http.Request) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fmt.Errorf("reading query: %w", registry.ErrInvalid)
	}
	if values.Del("lang"); len(values) == 0 {
		return s.askAgain(w, r)
	}
	a, err := readAsked(values)
	if err != nil {
		return err
	}
	p, record, err := s.statusPage(r, a)
	if err != nil {
		return err
	}
	if a.To == "" {
		p.choose(a, record)
		return s.show(w, r, http.StatusOK, p)
	}
	o, err := s.Acts.Outlook(r.Context(), a.act(operator(r)))
	if err != nil {
		return fmt.Errorf("looking what a change would do: %w", err)
	}
	if o.All() == o.Unknown {
		return fmt.Errorf("looking what a change would do: %w", registry.ErrNotFound)
	}
	p.confirm(a, o)
	return s.show(w, r, http.StatusOK, p)
}

// setStatus does what was confirmed. It goes on when the visitor leaves.
func (s *Site) setStatus(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 8192)
	if err := r.ParseForm(); err != nil {
		return refusal{http.StatusBadRequest, "form"}
	}
	a, err := readAsked(r.PostForm)
	if err == nil && a.To == "" {
		err = fmt.Errorf("reading an act: no status: %w", registry.ErrInvalid)
	}
	if err != nil {
		return err
	}
	done, err := s.Acts.Act(context.WithoutCancel(r.Context()), a.act(operator(r)), nil)
	if err != nil {
		return fmt.Errorf("changing a status: %w", err)
	}
	p, _, err := s.statusPage(r, a) // as it is now
	if err != nil {
		return err
	}
	p.Stage = "done"
	if done.Proposal != nil {
		p.Sentence = p.T("act.proposed", "number", strconv.FormatUint(done.Proposal.Number, 10), "until", p.day(done.Proposal.Expires))
		p.Proposal = p.Link(proposalAddress(done.Proposal.Number))
	} else {
		p.Sentence = p.T("act.done."+a.To, "n", strconv.FormatUint(done.Changed, 10))
		p.Others = p.others(done.Tally)
	}
	return s.show(w, r, http.StatusOK, p)
}

// statusPage prepares the page with what is meant; of one credential it returns
// the record too.
func (s *Site) statusPage(r *http.Request, a asked) (p statusPage, record registry.Record, err error) {
	p = statusPage{Page: s.page(r, "act.title"), Action: "/console/status"}
	p.SignedIn = true
	if r.Method == http.MethodPost {
		p.Action = p.Link(p.Action)
	} else if v := visitOf(r); v.chosen != "" {
		p.Hidden = append(p.Hidden, line{"lang", v.chosen})
	}
	q := query{Module: a.Module, Edition: a.Edition}
	add := func(term, value string) {
		if value != "" {
			p.What = append(p.What, line{p.T(term), visible(value)})
		}
	}
	if a.Credential != "" {
		if record, err = s.Acts.Record(r.Context(), a.Credential); err != nil {
			return p, record, fmt.Errorf("reading a record: %w", err)
		}
		q = query{Module: record.Module, Edition: record.Edition}
		row := p.recordRow(record)
		add("col.number", row.Number)
		add("col.module", row.Module)
		add("col.edition", row.Edition)
		add("col.learner", row.Learner)
		add("col.status", row.Status)
	} else {
		add("col.module", a.Module)
		add("col.edition", a.Edition)
	}
	p.Back = p.Link(q.address("/console/records"))
	return p, record, nil
}

// keep adds what is meant to the form.
func (p *statusPage) keep(a asked) {
	for _, x := range []line{{"credential", a.Credential}, {"module", a.Module}, {"edition", a.Edition}} {
		if x.Value != "" {
			p.Hidden = append(p.Hidden, x)
		}
	}
}

// choose offers what can be done: of one credential only what its status allows.
func (p *statusPage) choose(a asked, record registry.Record) {
	p.Stage = "choose"
	p.keep(a)
	for _, v := range verbs() {
		if effect, _ := registry.EffectOn(record, v.To); a.Credential != "" && effect != registry.Changed {
			continue
		}
		p.Choices = append(p.Choices, option{v.Name, p.T("act.do." + v.Name), p.T("act.hint." + v.Name)})
	}
	for _, code := range registry.Reasons() {
		p.Reasons = append(p.Reasons, option{Value: code, Label: p.T("reason." + code)})
	}
}

// confirm says what would be done, and asks.
func (p *statusPage) confirm(a asked, o issuer.Outlook) {
	p.Stage = "confirm"
	p.keep(a)
	p.Hidden = append(p.Hidden, line{"to", a.To}, line{"reason", a.Reason})
	if o.Below > 0 {
		p.Hidden = append(p.Hidden, line{"below", strconv.FormatUint(o.Below, 10)})
	}
	p.Action = p.Link("/console/status")
	p.What = append(p.What, line{p.T("act.reason"), p.T("reason." + a.Reason)})
	p.Others = p.others(o.Tally)
	if o.Changed == 0 {
		p.Sentence = p.T("act.nothing")
		p.Action = ""
		return
	}
	p.Sentence = p.T("act.ask."+a.To, "n", strconv.FormatUint(o.Changed, 10))
	p.Final = a.To == "revoke"
	if len(o.FourEyes) > 0 {
		p.FourEyes = p.T("act.foureyes")
	}
}

// others says what cannot or need not be changed.
func (p Page) others(t registry.Tally) (out []string) {
	for _, x := range []struct {
		n    uint64
		text string
	}{
		{t.Already, "act.already"}, {t.Final, "act.final"}, {t.Unsealed, "act.unsealed"}, {t.Unknown, "act.unknown"},
	} {
		if x.n > 0 {
			out = append(out, p.T(x.text, "n", strconv.FormatUint(x.n, 10)))
		}
	}
	return out
}

// changeAddress is where the status of a record can be changed, or "" where it
// cannot.
func (p Page) changeAddress(r registry.Record) string {
	if !p.Changing || r.State == registry.Reserved || r.Status == status.Revoked {
		return ""
	}
	return p.Link("/console/status?" + url.Values{"credential": {r.Credential}}.Encode())
}

// acting lets a handler answer only where statuses can be changed, and only to
// somebody who has signed in.
func (s *Site) acting(h handler) handler {
	return s.inside(func(w http.ResponseWriter, r *http.Request) error {
		if s.Acts == nil {
			return fmt.Errorf("changing a status: %w", registry.ErrNotFound)
		}
		err := h(w, r)
		switch {
		case errors.Is(err, registry.ErrOneself):
			return refusal{http.StatusConflict, "oneself"}
		case errors.Is(err, registry.ErrExpired):
			return refusal{http.StatusConflict, "expired"}
		}
		return err
	})
}
