package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"attesta/registry"
)

// Whoever sits at a terminal is asked once, and only yes is yes.
func TestConfirming(t *testing.T) {
	for answer, want := range map[string]bool{"yes\n": true, " yes \n": true, "yes": true, "y\n": false, "Yes\n": false, "no\n": false, "\n": false, "": false} {
		var asked bytes.Buffer
		c := &console{in: strings.NewReader(answer), out: t.Output(), err: &asked}
		err := (&statusFlags{}).confirm(c, "Revoke 3 credentials (fraud), for good?")
		if (err == nil) != want || asked.String() != "Revoke 3 credentials (fraud), for good? Type yes: " {
			t.Errorf("%q: %v after %q", answer, err, asked.String())
		}
		if err := (&statusFlags{yes: true}).confirm(c, "x"); err != nil {
			t.Errorf("with --yes: %v", err)
		}
	}
}

// A name is that of the flag, of the environment, or of the account.
func TestWhoActs(t *testing.T) {
	env := func(by string) *console {
		return &console{getenv: func(name string) string {
			if name == "ATTESTA_BY" {
				return by
			}
			return ""
		}}
	}
	if got := whoActs(env("Bruno"), "Ada"); got != "Ada" {
		t.Errorf("%q", got)
	}
	if got := whoActs(env("Bruno"), ""); got != "Bruno" {
		t.Errorf("%q", got)
	}
	if got := whoActs(env(""), ""); got == "" || len(got) > registry.MaxName {
		t.Errorf("%q", got)
	}
}

// TestBrowserActs suspends, revokes and reinstates in a real browser, without a
// script: one credential, and an edition where two people are wanted.
func TestBrowserActs(t *testing.T) {
	demo := startDemo(t)
	b := newBrowser(t)
	server, ok := dial(t.Context(), folder(demo.dir))
	if !ok {
		t.Fatal("the server does not answer commands")
	}
	enter := func(name string) {
		t.Helper()
		link, err := server.SignIn(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		b.open(link)
		b.press("main form button")
		b.says("main", name)
	}
	choose := func(verb, reason string) {
		t.Helper()
		b.do(chromedp.Click(chromedp.CSS("#to-"+verb)), chromedp.SendKeys(chromedp.CSS("#reason"), reason))
		b.shot("act-choose", 420)
		b.press("form.panel button")
	}

	// One credential is suspended, and the page behind its QR says so at once.
	enter("Ada Rossi")
	b.open(demo.base + "/console/records?module=SN-11")
	b.shot("act-records-phone", 420)
	b.shot("act-records", 1100)
	number := strings.ToUpper(demo.check[strings.LastIndex(demo.check, "/")+1:])
	record, err := server.Find(t.Context(), findRequest{Name: "angelo", Module: "SN-11"})
	if err != nil || len(record.People) != 1 {
		t.Fatalf("%q: %+v, %v", number, record, err)
	}
	id := record.People[0].Credentials[0].Credential
	b.open(demo.base + "/console/status?credential=" + id)
	choose("suspend", "controllo")
	b.says("main", "Attestati da sospendere: 1")
	b.shot("act-confirm", 420)
	b.press("form.panel button")
	b.says("main", "Fatto. Attestati sospesi: 1", "Stato\nsospeso")
	b.shot("act-done", 1100)
	b.open(demo.check)
	b.says("h1", "sospeso")

	// Two people: Ada proposes for a whole edition and cannot approve it.
	file, err := os.ReadFile("demodata/provider_national_school.json")
	if err != nil {
		t.Fatal(err)
	}
	asked := bytes.Replace(file, []byte(`"accreditation": null`), []byte(`"accreditation": null, "four_eyes": {"above": 1}`), 1)
	if _, err := server.Import(t.Context(), importRequest{Providers: []namedFile{{"p.json", asked}}}); err != nil {
		t.Fatal(err)
	}
	edition := record.People[0].Credentials[0].Edition
	b.open(demo.base + "/console/records?module=SN-11&edition=" + edition)
	b.press("main > .actions a")
	choose("revoke", "frode")
	b.says("main", "La revoca è definitiva", "chiede due persone")
	b.shot("act-confirm-revoke", 420)
	b.shot("act-confirm-revoke-wide", 1100)
	b.press("form.panel button")
	b.says("main", "Proposta 1 registrata", "Non è ancora cambiato nulla")
	b.shot("act-proposed", 420)
	b.press("main > .actions .button")
	b.says("main", "L’hai proposta tu", "Ritira la proposta")
	b.shot("act-own-proposal", 420)
	b.open(demo.check)
	b.says("h1", "sospeso")
	if _, err := server.Proposals(t.Context(), proposalRequest{Number: 1, Decision: "approve", By: "ada rossi"}, nil); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("its author approved it: %v", err)
	}
	enter("Bruno Verdi")
	b.open(demo.base + "/console/proposals")
	b.says("main", "Proposta 1", "aspetta una seconda persona", "Ada Rossi")
	b.shot("act-proposals", 1100)
	b.press("main h2 a")
	b.shot("act-proposal", 420)
	b.press("main .actions form:first-child button")
	b.says("main", "approvata ed eseguita", "Bruno Verdi")
	b.shot("act-approved", 420)
	b.open(demo.check)
	b.says("h1", "revocato")
	b.open(demo.base + "/console/status?credential=" + id)
	b.says("main", "il suo stato non si può cambiare")
	b.asksOnly(demo.base)
}
