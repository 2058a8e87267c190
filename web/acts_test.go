package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"attesta/issuer"
	"attesta/registry"
	"attesta/status"
)

// acts stands for the issuer: it notes what it is asked to do.
type acts struct {
	done      []issuer.Act
	decided   []string
	wants     bool // a second person
	proposals map[uint64]registry.Proposal
}

const someID = "urn:credential:6963acbc-7d0e-4b6a-9c58-2b1d0f6e7a90"

func (a *acts) Record(_ context.Context, credential string) (registry.Record, error) {
	for seq := uint64(1); seq < 8; seq++ {
		if r := record(seq, handleValid); r.Credential == credential {
			return r, nil
		}
	}
	return registry.Record{}, registry.ErrNotFound
}

func (a *acts) Outlook(_ context.Context, act issuer.Act) (issuer.Outlook, error) {
	o := issuer.Outlook{}
	switch s := act.Meant.Selection; {
	case s == nil:
		o.Changed = 1
	case s.Module != "SN-11":
	default:
		o.Tally, o.Below = registry.Tally{Changed: 21, Already: 2, Final: 1, Unsealed: 3}, 121
	}
	if a.wants {
		o.FourEyes = []string{"iss-scuola"}
	}
	return o, nil
}

func (a *acts) Act(_ context.Context, act issuer.Act, _ func(registry.Tally)) (issuer.Done, error) {
	if len(act.Meant.Credentials) == 1 && act.Meant.Credentials[0] != someID {
		return issuer.Done{}, registry.ErrNotFound
	}
	a.done = append(a.done, act)
	if a.wants {
		p := aProposal(3)
		return issuer.Done{Proposal: &p}, nil
	}
	return issuer.Done{Tally: registry.Tally{Changed: 21, Already: 2, Final: 1}}, nil
}

func aProposal(n uint64) registry.Proposal {
	return registry.Proposal{
		Number: n, Meant: registry.Meant{Selection: &registry.Selection{Module: "SN-11", Edition: "<2026>"}}, To: status.Revoked, Reason: "fraud",
		Count: 21, By: "Ada", At: now(), Expires: now().Add(registry.ProposalLife), State: registry.ProposalOpen,
	}
}

func (a *acts) Proposal(_ context.Context, n uint64) (registry.Proposal, error) {
	p, ok := a.proposals[n]
	if !ok {
		return p, registry.ErrNotFound
	}
	return p, nil
}

func (a *acts) Proposals(_ context.Context, before uint64, limit int) (out []registry.Proposal, err error) {
	for n := uint64(200); n > 0 && len(out) < limit; n-- {
		if p, ok := a.proposals[n]; ok && (before == 0 || n < before) {
			out = append(out, p)
		}
	}
	return out, nil
}

func (a *acts) Approve(_ context.Context, n uint64, by string, _ func(registry.Tally)) (registry.Proposal, error) {
	p, ok := a.proposals[n]
	switch {
	case !ok:
		return p, registry.ErrNotFound
	case p.SameAuthor(by):
		return p, fmt.Errorf("approving: %w", registry.ErrOneself)
	case p.Expired(now()):
		return p, fmt.Errorf("approving: %w", registry.ErrExpired)
	case p.State != registry.ProposalOpen:
		return p, registry.ErrConflict
	}
	a.decided = append(a.decided, fmt.Sprint("approve ", n, " ", by))
	return p, nil
}

func (a *acts) Refuse(_ context.Context, n uint64, by string) (registry.Proposal, error) {
	a.decided = append(a.decided, fmt.Sprint("refuse ", n, " ", by))
	return a.proposals[n], nil
}

// acting is a console in which Segreteria is signed in.
func acting(t *testing.T, a *acts) (h http.Handler, cookie string) {
	t.Helper()
	w := newWorld()
	_, r := newSite(t, w, func(c *Config) { c.Acts = a })
	return r, signedIn(t, w, r)
}

func post(h http.Handler, cookie, path string, form url.Values) *httptest.ResponseRecorder {
	return ask(h, "POST", path, strings.NewReader(form.Encode()), "Cookie", cookie,
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
}

// TestChangeStatus: choosing and being asked change nothing; the confirmation
// does what was shown, in the name of who signed in.
func TestChangeStatus(t *testing.T) {
	a := &acts{}
	h, cookie := acting(t, a)
	page := func(path string) string {
		t.Helper()
		answer := ask(h, "GET", path, nil, "Cookie", cookie)
		if answer.Code != 200 {
			t.Fatalf("%s: %d", path, answer.Code)
		}
		wellFormed(t, path, answer.Body.String())
		return answer.Body.String()
	}
	one := page("/console/status?credential=" + url.QueryEscape(someID))
	if strings.Contains(one, `value="reinstate"`) || !strings.Contains(one, `value="suspend"`) || !strings.Contains(one, `value="revoke"`) || !strings.Contains(text(one), "TOT25-001") {
		t.Errorf("a valid credential: %s", text(one))
	}
	suspended := page("/console/status?credential=" + url.QueryEscape(record(3, handleValid).Credential))
	if !strings.Contains(suspended, `value="reinstate"`) || strings.Contains(suspended, `value="suspend"`) {
		t.Errorf("a suspended one: %s", text(suspended))
	}
	for seq, why := range map[uint64]string{5: "revoked", 6: "reserved"} {
		if p := page("/console/status?credential=" + url.QueryEscape(record(seq, handleValid).Credential)); strings.Contains(p, `name="to"`) || !strings.Contains(p, "non si può cambiare") {
			t.Errorf("a %s one: %s", why, text(p))
		}
	}
	confirm := page("/console/status?lang=en&module=SN-11&edition=2026-1&to=revoke&reason=fraud")
	for _, want := range []string{"Credentials to revoke: 21", "In this status already: 2", "Revoked for good, these stay so: 1", "not issued yet: 3", "cannot be undone", "fraud"} {
		if !strings.Contains(text(confirm), want) {
			t.Errorf("no %q in %s", want, text(confirm))
		}
	}
	if !strings.Contains(confirm, `name="below" value="121"`) || strings.Contains(text(confirm), "two people") || len(a.done) > 0 {
		t.Errorf("%d done; %s", len(a.done), confirm)
	}
	form := url.Values{"module": {"SN-11"}, "edition": {"2026-1"}, "to": {"revoke"}, "reason": {"fraud"}, "below": {"121"}}
	answer := post(h, cookie, "/console/status?lang=en", form)
	if answer.Code != 200 || !strings.Contains(text(answer.Body.String()), "Done. Credentials revoked: 21") {
		t.Fatalf("%d %s", answer.Code, text(answer.Body.String()))
	}
	if len(a.done) != 1 || a.done[0].By != "Segreteria" || a.done[0].To != status.Revoked || *a.done[0].Meant.Selection != (registry.Selection{Module: "SN-11", Edition: "2026-1", Below: 121}) {
		t.Errorf("%+v", a.done)
	}
	a.wants = true
	if p := page("/console/status?module=SN-11&to=suspend&reason=other"); !strings.Contains(p, "chiede due persone") || !strings.Contains(p, "<button>Proponi</button>") {
		t.Errorf("%s", text(p))
	}
	answer = post(h, cookie, "/console/status", form)
	if page := answer.Body.String(); answer.Code != 200 || !strings.Contains(text(page), "Proposta 3 registrata") || !strings.Contains(page, `href="/console/proposals?number=3"`) {
		t.Errorf("%d %s", answer.Code, text(page))
	}
	// From another site nothing is done (W4).
	if answer := ask(h, "POST", "/console/status", strings.NewReader(form.Encode()), "Cookie", cookie,
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site"); answer.Code != 403 || len(a.done) != 2 {
		t.Errorf("from another site: %d, %d done", answer.Code, len(a.done))
	}
}

// What means nothing is refused, and nothing is done (W14).
func TestHostileActs(t *testing.T) {
	a := &acts{proposals: map[uint64]registry.Proposal{3: aProposal(3)}}
	h, cookie := acting(t, a)
	for q, want := range map[string]int{
		"": 400, "credential=" + someID + "&module=SN-11": 400, "edition=2026-1": 400, "module=SN-11&to=burn&reason=other": 400,
		"module=SN-11&to=revoke": 400, "module=SN-11&reason=other": 400, "module=SN-11&to=revoke&reason=because": 400, "module=a&module=b": 400,
		"module=%00": 400, "module=SN-11&nonsense=1": 400, "module=SN-11&below=-1": 400, "%zz": 400, "key=k": 400, "provider=p": 400,
		"credential=urn:credential:00000000-0000-4000-8000-000000000000": 404, "module=OTHER&to=revoke&reason=other": 404,
	} {
		if answer := ask(h, "GET", "/console/status?"+q, nil, "Cookie", cookie); answer.Code != want && q != "" { // nothing at all leads to the list
			t.Errorf("%s: %d, want %d", q, answer.Code, want)
		}
		values, err := url.ParseQuery(q)
		if err != nil || want == 404 {
			continue
		}
		if answer := post(h, cookie, "/console/status", values); answer.Code != want {
			t.Errorf("posting %s: %d, want %d", q, answer.Code, want)
		}
	}
	for _, form := range []url.Values{{}, {"number": {"3"}}, {"number": {"3"}, "decision": {"burn"}}, {"number": {"x"}, "decision": {"approve"}}} {
		if answer := post(h, cookie, "/console/proposals", form); answer.Code != 400 {
			t.Errorf("%v: %d", form, answer.Code)
		}
	}
	for q, want := range map[string]int{"number=0": 400, "number=3&number=4": 400, "x=1": 400, "before=-1": 400, "number=9": 404, "number=3": 200} {
		if answer := ask(h, "GET", "/console/proposals?"+q, nil, "Cookie", cookie); answer.Code != want {
			t.Errorf("%s: %d, want %d", q, answer.Code, want)
		}
	}
	if len(a.done)+len(a.decided) > 0 {
		t.Errorf("%+v %v", a.done, a.decided)
	}
	w := newWorld()
	_, r := newSite(t, w)
	cookie = signedIn(t, w, r)
	for _, path := range []string{"/console/status?module=SN-11", "/console/proposals"} {
		if answer := ask(r, "GET", path, nil, "Cookie", cookie); answer.Code != 404 {
			t.Errorf("%s where nothing can be changed: %d", path, answer.Code)
		}
	}
	if page := ask(r, "GET", "/console/records?module=SN-11", nil, "Cookie", cookie).Body.String(); strings.Contains(page, "/console/status") || strings.Contains(page, "/console/proposals") {
		t.Error("what cannot be changed is offered")
	}
}

func TestProposals(t *testing.T) {
	own, late, done := aProposal(4), aProposal(5), aProposal(6)
	own.By = "segreteria"
	late.Expires = now().Add(-time.Hour)
	done.State, done.DecidedBy, done.DecidedAt, done.Result = registry.ProposalDone, "Bruno", now(), registry.Tally{Changed: 20, Final: 1}
	named := aProposal(7)
	named.Meant = registry.Meant{Credentials: []string{someID, "urn:credential:00000000-0000-4000-8000-000000000000"}}
	a := &acts{proposals: map[uint64]registry.Proposal{3: aProposal(3), 4: own, 5: late, 6: done, 7: named}}
	h, cookie := acting(t, a)
	all := ask(h, "GET", "/console/proposals?lang=en", nil, "Cookie", cookie).Body.String()
	wellFormed(t, "proposals", all)
	for _, want := range []string{"waits for a second person", "expired", "approved and carried out", "Bruno", "Credentials to revoke: 21", "SN-11-6963ACBC", "<2026>"} {
		if !strings.Contains(text(all), want) && !strings.Contains(all, strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(want)) {
			t.Errorf("no %q in %s", want, text(all))
		}
	}
	for n, want := range map[int][2]bool{3: {true, true}, 4: {false, true}, 5: {false, true}, 6: {false, false}} {
		page := ask(h, "GET", fmt.Sprint("/console/proposals?number=", n), nil, "Cookie", cookie).Body.String()
		wellFormed(t, "proposal", page)
		if got := [2]bool{strings.Contains(page, `value="approve"`), strings.Contains(page, `value="refuse"`)}; got != want {
			t.Errorf("proposal %d offers %v, want %v", n, got, want)
		}
	}
	decide := func(n, decision string) *httptest.ResponseRecorder {
		return post(h, cookie, "/console/proposals?lang=en", url.Values{"number": {n}, "decision": {decision}})
	}
	for n, want := range map[string]string{"4": "Whoever makes a proposal cannot approve it", "5": "Nobody approved it in time"} {
		if answer := decide(n, "approve"); answer.Code != 409 || !strings.Contains(text(answer.Body.String()), want) {
			t.Errorf("%s: %d %s", n, answer.Code, text(answer.Body.String()))
		}
	}
	if answer := decide("3", "approve"); answer.Code != 303 || answer.Header().Get("Location") != "/console/proposals?number=3&lang=en" {
		t.Errorf("%d %v", answer.Code, answer.Header())
	}
	decide("4", "refuse")
	if got := strings.Join(a.decided, "; "); got != "approve 3 Segreteria; refuse 4 Segreteria" {
		t.Error(got)
	}
}

func FuzzReadAsked(f *testing.F) {
	for _, seed := range []string{"", "module=SN-11&edition=e&to=revoke&reason=fraud&below=7", "credential=" + someID, "module=%00", "to=revoke", "below=0&module=m"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		a, err := readAsked(values)
		if err != nil {
			if a != (asked{}) || !errors.Is(err, registry.ErrInvalid) {
				t.Fatalf("%q: refused with %v, yet %+v", raw, err, a)
			}
			return
		}
		act := a.act("x")
		if one := len(act.Meant.Credentials) == 1; one == (act.Meant.Selection != nil) || one == (a.Module != "") || (a.To == "") != (a.Reason == "") {
			t.Fatalf("%q means %+v", raw, act)
		}
	})
}
