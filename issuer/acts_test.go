package issuer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"attesta/credentials"
	"attesta/issuer"
	"attesta/registry"
	"attesta/status"
)

// sealSome puts records into the registry that one key sealed; their bytes are
// none that anybody reads.
func (h *house) sealSome(t testing.TB, provider, module, edition, key string, n int) []string {
	t.Helper()
	var ids []string
	for from := 0; from < n; from += 500 {
		var intents []registry.Intent
		for i := from; i < min(from+500, n); i++ {
			intents = append(intents, registry.Intent{Provider: provider, Learner: fmt.Sprint("L", i), Module: module, Version: "1", Edition: edition, Body: []byte("b")})
		}
		got, err := h.registry.Reserve(t.Context(), intents, h.clock.now())
		if err != nil {
			t.Fatal(err)
		}
		var sealings []registry.Sealing
		for _, g := range got {
			ids = append(ids, g.Record.Credential)
			sealings = append(sealings, registry.Sealing{Seq: g.Record.Seq, Sealed: []byte("s"), SealKey: key})
		}
		if err := h.registry.Complete(t.Context(), sealings, h.clock.now()); err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

func (h *house) put(t testing.TB, id string, eyes *credentials.FourEyes) {
	t.Helper()
	spec, err := json.Marshal(credentials.Provider{ID: id, FourEyes: eyes})
	if err == nil {
		err = h.registry.PutProviders(t.Context(), []registry.Provider{{ID: id, Spec: spec}}, h.clock.now())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func ofEdition(module, edition string) registry.Meant {
	return registry.Meant{Selection: &registry.Selection{Module: module, Edition: edition}}
}

// K1: what one key sealed is withdrawn in steps; a failure in the midst leaves
// no record half told, and the same act again does the rest.
func TestActGoesOnAfterAFailure(t *testing.T) {
	h := emptyHouse(t, theDay(t))
	h.put(t, "p", nil)
	h.sealSome(t, "p", "m", "e", "good", 30)
	h.sealSome(t, "p", "m", "f", "bad", 4300)
	a := issuer.Act{Meant: registry.Meant{Selection: &registry.Selection{SealKey: "bad"}}, To: status.Revoked, Reason: "key-compromised", By: "Ada"}
	o, err := h.Outlook(t.Context(), a)
	if err != nil || o.Changed != 4300 || o.All() != 4300 || o.Below != 4331 || len(o.FourEyes) > 0 {
		t.Fatalf("%+v, %v", o, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var told []registry.Tally
	_, err = h.Act(ctx, a, func(n registry.Tally) {
		if told = append(told, n); len(told) == 2 {
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) || len(told) != 2 || told[0].Changed == 0 || told[1].Changed >= 4300 {
		t.Fatalf("%+v, %v", told, err)
	}
	half := told[1].Changed
	if c := h.counts(t); c.Revoked != half {
		t.Errorf("told of %d, and %d are revoked", half, c.Revoked)
	}
	if err := h.registry.Check(t.Context()); err != nil {
		t.Error(err)
	}
	late := h.sealSome(t, "p", "m", "g", "bad", 1) // is not meant by what was counted before
	a.Meant.Selection.Below = o.Below
	done, err := h.Act(t.Context(), a, nil)
	if err != nil || done.Proposal != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(registry.Tally{Changed: 4300 - half, Already: half}, done.Tally); d != "" {
		t.Error(d)
	}
	if c := h.counts(t); c != (registry.Counts{Sealed: 4331, Revoked: 4300}) {
		t.Errorf("%+v", c)
	}
	if r, err := h.registry.ByCredential(t.Context(), late[0]); err != nil || r.Status != status.Valid {
		t.Errorf("what came later: %v, %v", r.Status, err)
	}
	if err := h.registry.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestActsMeanWhatTheySay(t *testing.T) {
	h := emptyHouse(t, theDay(t))
	h.put(t, "p", nil)
	ids := h.sealSome(t, "p", "m", "e", "k", 3)
	h.sealSome(t, "p", "m", "f", "k", 2)
	for _, x := range []struct {
		name  string
		meant registry.Meant
		want  registry.Tally
		kind  error
	}{
		{"an edition", ofEdition("m", "e"), registry.Tally{Changed: 3}, nil},
		{"the module", ofEdition("m", ""), registry.Tally{Changed: 2, Already: 3}, nil},
		{"ids, one twice, one unknown", registry.Meant{Credentials: []string{ids[0], ids[1], ids[0], "urn:credential:00000000-0000-4000-8000-000000000000"}}, registry.Tally{Already: 2, Unknown: 1}, nil},
		{"an edition that is none", ofEdition("m", "x"), registry.Tally{}, registry.ErrNotFound},
		{"an id that is none", registry.Meant{Credentials: []string{"urn:credential:00000000-0000-4000-8000-000000000000"}}, registry.Tally{Unknown: 1}, registry.ErrNotFound},
		{"nothing", registry.Meant{}, registry.Tally{}, registry.ErrInvalid},
	} {
		done, err := h.Act(t.Context(), issuer.Act{Meant: x.meant, To: status.Suspended, Reason: "other", By: "Ada"}, nil)
		if !errors.Is(err, x.kind) || done.Tally != x.want {
			t.Errorf("%s: %+v, %v", x.name, done, err)
		}
	}
}

func TestFourEyes(t *testing.T) {
	h := emptyHouse(t, theDay(t))
	h.put(t, "p", &credentials.FourEyes{Above: 2})
	h.put(t, "q", nil)
	ids := h.sealSome(t, "p", "m", "e", "k", 4)
	other := h.sealSome(t, "q", "n", "e", "k", 4)
	act := func(by string, to status.Value, m registry.Meant) issuer.Done {
		t.Helper()
		done, err := h.Act(t.Context(), issuer.Act{Meant: m, To: to, Reason: "fraud", By: by}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	// Two are not more than two, and another provider wants nobody.
	for _, m := range []registry.Meant{{Credentials: append(ids[:2:2], other...)}, ofEdition("n", "e")} {
		if done := act("Ada", status.Suspended, m); done.Proposal != nil {
			t.Errorf("%+v became a proposal", m)
		}
	}
	// Three are.
	done := act("Ada", status.Revoked, ofEdition("m", "e"))
	if done.Proposal == nil || done.Proposal.Count != 4 || done.All() != 0 {
		t.Fatalf("%+v", done)
	}
	if c, err := h.registry.Counts(t.Context(), "p"); err != nil || c.Revoked != 0 || c.Suspended != 2 {
		t.Errorf("before it was approved: %+v, %v", c, err)
	}
	if _, err := h.Approve(t.Context(), 1, "ada", nil); !errors.Is(err, registry.ErrOneself) {
		t.Errorf("the author approved it: %v", err)
	}
	h.sealSome(t, "p", "m", "e", "k", 6) // two more: nobody proposed these
	p, err := h.Approve(t.Context(), 1, "Bruno", nil)
	if err != nil || p.State != registry.ProposalDone || p.Result != (registry.Tally{Changed: 4}) {
		t.Fatalf("%+v, %v", p, err)
	}
	if c, err := h.registry.Counts(t.Context(), "p"); err != nil || c != (registry.Counts{Sealed: 6, Revoked: 4}) {
		t.Errorf("%+v, %v", c, err)
	}
	events, err := h.registry.Events(t.Context(), 0, 500)
	if err != nil {
		t.Fatal(err)
	}
	who := map[string]int{}
	for _, ev := range events {
		if ev.Kind == "revoke" {
			who[ev.By+": "+ev.Why]++
		}
	}
	if d := cmp.Diff(map[string]int{"Ada + Bruno, proposal 1: fraud": 4}, who); d != "" {
		t.Error(d)
	}
	// Nothing to change is nothing to propose.
	if done := act("Ada", status.Revoked, registry.Meant{Credentials: ids}); done.Proposal != nil || done.Already != 4 {
		t.Errorf("%+v", done)
	}
	h.sealSome(t, "p", "m", "h", "other", 3)
	if done := act("Ada", status.Suspended, ofEdition("m", "h")); done.Proposal == nil {
		t.Error("three are more than two")
	}
	// What counts for the provider is how many of its own would change.
	if done := act("Ada", status.Suspended, registry.Meant{Selection: &registry.Selection{SealKey: "k"}}); done.Proposal != nil {
		t.Errorf("two of p: %+v", done)
	}
}

// suspended is one of the credentials that are suspended.
func (h *house) suspended(t *testing.T) string {
	t.Helper()
	page, err := h.registry.Records(t.Context(), registry.Query{Limit: registry.MaxLimit})
	n := slices.IndexFunc(page, func(r registry.Record) bool { return r.Status == status.Suspended })
	if err != nil || n < 0 {
		t.Fatalf("none of the newest %d: %v", len(page), err)
	}
	return page[n].Credential
}

// B3: a crash after the approval loses nothing of it.
func TestApprovedIsCarriedOutAfterACrash(t *testing.T) {
	h := emptyHouse(t, theDay(t))
	h.put(t, "p", &credentials.FourEyes{})
	h.sealSome(t, "p", "m", "e", "k", 3000)
	if _, err := h.Act(t.Context(), issuer.Act{Meant: ofEdition("m", "e"), To: status.Suspended, Reason: "under-review", By: "Ada"}, nil); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	if _, err := h.Approve(ctx, 1, "Bruno", func(registry.Tally) { stop() }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if c := h.counts(t); c.Suspended == 0 || c.Suspended == 3000 {
		t.Fatalf("%+v", c)
	}
	h.clock.set(theDay(t).Add(30 * 24 * time.Hour)) // approved is approved
	lifted := registry.Change{Credential: h.suspended(t), To: status.Valid, Reason: "review-closed", By: "Carla"}
	if _, err := h.registry.SetStatuses(t.Context(), []registry.Change{lifted}, h.clock.now()); err != nil {
		t.Fatal(err)
	} // and what was lifted since is lifted
	n, err := h.newIssuer(t, plainPicture).FinishApproved(t.Context())
	if c := h.counts(t); err != nil || n != 1 || c.Suspended != 2999 {
		t.Errorf("%d, %v, %+v", n, err, c)
	}
	if p, err := h.registry.Proposal(t.Context(), 1); err != nil || p.State != registry.ProposalDone || p.Result.Changed+p.Result.Already != 3000 {
		t.Errorf("%+v, %v", p, err)
	}
	if n, err := h.FinishApproved(t.Context()); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
}

// Who says how many people it takes is in the log.
func TestFourEyesChangesAreLogged(t *testing.T) {
	h := emptyHouse(t, theDay(t))
	all := providers(t)[:1]
	for _, eyes := range []*credentials.FourEyes{nil, {Above: 10}, {Above: 10}, nil} {
		all[0].FourEyes = eyes
		if _, err := h.AddProviders(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	events, err := h.registry.Events(t.Context(), 0, 500)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, ev := range events {
		if ev.Kind == "provider" {
			said = append(said, ev.Why)
		}
	}
	if len(said) != 3 || said[1] != "two people change the status of more than 10 credentials" || said[2] != "one person changes a status" {
		t.Errorf("%q", said)
	}
}

// Every credential says in the registry which key sealed it.
func TestIssuedCredentialsNameTheirKey(t *testing.T) {
	h := school(t)
	o := h.issue(t, h.row(t, goodRow))
	key, err := h.ring.Current("seal", o[0].Record.Provider, h.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.registry.ByCredential(t.Context(), o[0].Record.Credential)
	if err != nil || r.SealKey != key.ID || o[0].Record.SealKey != key.ID {
		t.Errorf("%q, want %q, %v", r.SealKey, key.ID, err)
	}
}
