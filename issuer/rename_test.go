package issuer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/issuer"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
	"attesta/verifier"
)

// rotate makes the keys that a provider's entry asks for and ends the others at
// once.
func (h *house) rotate(t *testing.T, p credentials.Provider) {
	t.Helper()
	owner, err := issuer.OwnerOf(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, purpose := range []keys.Purpose{keys.Seal, keys.Status} {
		if _, err := h.ring.Rotate(purpose, owner, h.clock.now(), 0); err != nil {
			t.Fatal(err)
		}
	}
}

// change imports the training centre as it is now and returns what follows.
func (h *house) change(t *testing.T, change func(*credentials.Provider)) (credentials.Provider, string) {
	t.Helper()
	all := providers(t)
	p := all[slices.IndexFunc(all, func(p credentials.Provider) bool { return p.ID == "iss-cfp" })]
	change(&p)
	a, err := h.AddProviders(t.Context(), []credentials.Provider{p})
	if err != nil {
		t.Fatal(err)
	}
	return p, strings.Join(a.Follows, "\n")
}

func asBefore(*credentials.Provider) {}

func renamed(p *credentials.Provider) {
	p.Name = credentials.Text{"it": "Centro Nuovo", "en": "New Centre"}
}
func merged(p *credentials.Provider) { renamed(p); p.LegalID = "VATIT-99999999999" }

func byPlatform(p *credentials.Provider) {
	p.Mandate = &credentials.Mandate{
		SealedBy:  credentials.Body{ID: "iss-piattaforma", Name: credentials.Text{"it": "Piattaforma degli Esempi", "en": "Platform of the Examples"}, Country: "ITA"},
		Statement: credentials.Text{"it": "convenzione n. 12", "en": "agreement no. 12"}, From: "2026-01-01", Until: "2026-12-31",
	}
}

// Whatever becomes of a provider, what it issued before and what it issues now
// are valid under the names that they were sealed with, can be withdrawn each
// by itself, and their lists are of the houses that sealed them (J12, S2, K2).
func TestWhoSealsMayChange(t *testing.T) {
	for name, c := range map[string]struct {
		first, then func(*credentials.Provider)
		rotate      bool   // what the import asks for
		follows     string // what it says
		names       [2]string
		oneList     bool
	}{
		"a rename":             {asBefore, renamed, true, "attesta keys rotate --provider iss-cfp", [2]string{"CFP Lago Chiaro (ente di fantasia)", "Centro Nuovo"}, true},
		"a merger":             {asBefore, merged, true, "still signed for CFP Lago Chiaro (ente di fantasia) (DM:IT-iss-cfp)", [2]string{"CFP Lago Chiaro (ente di fantasia)", "Centro Nuovo"}, false},
		"a mandate begins":     {asBefore, byPlatform, false, "still signed for CFP Lago Chiaro (ente di fantasia) (DM:IT-iss-cfp)", [2]string{"CFP Lago Chiaro (ente di fantasia)", "Piattaforma degli Esempi"}, false},
		"a mandate ends":       {byPlatform, asBefore, false, "still signed for Piattaforma degli Esempi (DM:IT-iss-piattaforma)", [2]string{"Piattaforma degli Esempi", "CFP Lago Chiaro (ente di fantasia)"}, false},
		"the entry comes anew": {asBefore, asBefore, false, "", [2]string{"CFP Lago Chiaro (ente di fantasia)", "CFP Lago Chiaro (ente di fantasia)"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := emptyHouse(t, theDay(t))
			all := providers(t)
			c.first(&all[slices.IndexFunc(all, func(p credentials.Provider) bool { return p.ID == "iss-cfp" })])
			h.admit(t, all)
			before := h.issueOne(t, cfpRow)
			h.clock.set(theDay(t).Add(time.Hour))
			p, follows := h.change(t, c.then)
			if !strings.Contains(follows, c.follows) || (c.follows == "") != (follows == "") {
				t.Errorf("the import says %q", follows)
			}
			second := strings.Replace(cfpRow, "TOT25-001", "TOT25-002", 1)
			if c.rotate {
				o := h.issueOne(t, second)
				if o.Answer != issuer.Refused || !strings.Contains(o.Findings[0].Message["en"], "attesta keys rotate --provider iss-cfp") {
					t.Errorf("with the key of before: %s %+v", o.Answer, o.Findings)
				}
				h.rotate(t, p)
			}
			after := h.issueOne(t, second)
			if before.Answer != issuer.Issued || after.Answer != issuer.Issued {
				t.Fatalf("%s and %s: %+v", before.Answer, after.Answer, after.Findings)
			}
			if (before.Record.List == after.Record.List) != c.oneList {
				t.Errorf("lists %s and %s", before.Record.List, after.Record.List)
			}
			h.clock.set(theDay(t).AddDate(0, 0, 2)) // after any overlap
			for n, o := range []issuer.Outcome{before, after} {
				data, _ := h.sealed(t, o.Record)
				position(t, h, status.Revocation, o.Record) // of the same house
				if r := h.judge(t, data); r.Verdict != verifier.Valid || r.Credential.Issuer != c.names[n] {
					t.Errorf("%d: %s because of %s, sealed by %q", n, r.Verdict, r.Reason, r.Credential.Issuer)
				}
			}
			h.withdraw(t, before, after)
		})
	}
}

// withdraw revokes the first of two and leaves the other as it is.
func (h *house) withdraw(t *testing.T, first, second issuer.Outcome) {
	t.Helper()
	change := registry.Change{Credential: first.Record.Credential, To: status.Revoked, Reason: "fraud", By: "operator"}
	if _, err := h.registry.SetStatus(t.Context(), change, h.clock.now()); err != nil {
		t.Fatal(err)
	}
	for o, want := range map[*issuer.Outcome]string{&first: "status_revoked", &second: ""} {
		data, _ := h.sealed(t, o.Record)
		if r := h.judge(t, data); (r.Verdict == verifier.NotValid) != (want != "") || want != "" && r.Reason != want {
			t.Errorf("after the revocation: %s because of %s", r.Verdict, r.Reason)
		}
	}
}

// K1, K2: a house of before has keys of its own. When its key for status lists
// ends nobody else signs for it, and one that follows does.
func TestAHouseOfBeforeHasItsOwnKey(t *testing.T) {
	h := emptyHouse(t, theDay(t))
	h.admit(t, providers(t))
	before := h.issueOne(t, cfpRow)
	data, parsed := h.sealed(t, before.Record)
	p, _ := h.change(t, merged)
	h.rotate(t, p)
	old, err := h.ring.CurrentOf(keys.Status, "iss-cfp", "DM:IT-iss-cfp", h.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.ring.Revoke(old.ID, h.clock.now(), h.clock.now()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.StatusList(t.Context(), before.Record.List, status.Revocation); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("somebody else signs: %v", err)
	}
	if r := h.judge(t, data); r.Verdict != verifier.CannotTell {
		t.Errorf("%s because of %s", r.Verdict, r.Reason)
	}
	former, err := credentials.SignerOf(parsed.Envelope.Leaf())
	if err != nil {
		t.Fatal(err)
	}
	owner := keys.Owner{ID: "iss-cfp", Name: former.Organisation, LegalID: former.LegalID, Country: former.Country}
	if _, err := h.ring.Rotate(keys.Status, owner, h.clock.now(), 0); err != nil {
		t.Fatal(err)
	}
	if r := h.judge(t, data); r.Verdict != verifier.Valid {
		t.Errorf("%s because of %s", r.Verdict, r.Reason)
	}
	if k, err := h.SealingKey(p); err != nil || k.LegalID() != "VATIT-99999999999" {
		t.Errorf("the next seal is of %v, %v", k, err)
	}
}

// What was reserved for one house is not sealed by another: its status list
// would be of a stranger. It waits, and is finished when the house has a key.
func TestAReservedRecordKeepsItsHouse(t *testing.T) {
	h := emptyHouse(t, theDay(t))
	h.admit(t, providers(t))
	h.store.before.Store(true)
	if _, err := h.Issue(t.Context(), h.row(t, cfpRow)); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	h.store.before.Store(false)
	p, _ := h.change(t, merged)
	h.rotate(t, p)
	if n, err := h.Resume(t.Context()); n != 0 || !errors.Is(err, keys.ErrNoKey) || !strings.Contains(err.Error(), "import the provider's entry as it was then") {
		t.Errorf("%d finished, %v", n, err)
	}
	p, _ = h.change(t, asBefore)
	h.rotate(t, p)
	if n, err := h.Resume(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d finished, %v", n, err)
	}
	record, err := h.registry.Find(t.Context(), registry.Key{Seq: 1})
	if err != nil {
		t.Fatal(err)
	}
	data, _ := h.sealed(t, &record)
	if r := h.judge(t, data); r.Verdict != verifier.Valid {
		t.Errorf("%s because of %s", r.Verdict, r.Reason)
	}
}

// J14: an organisation that is a provider here is called what its own entry says,
// also where it seals by mandate; the mandate of before does not name its keys.
func TestASealerWithAnEntryOfItsOwnIsRenamed(t *testing.T) {
	all := providers(t)
	school := &all[0]
	school.SealsFor = []string{"iss-cfp"}
	cfp := &all[slices.IndexFunc(all, func(p credentials.Provider) bool { return p.ID == "iss-cfp" })]
	byPlatform(cfp)
	cfp.Mandate.SealedBy = credentials.Body{ID: school.ID, Name: school.Name, Country: school.Country}
	h := emptyHouse(t, theDay(t))
	h.admit(t, all)
	before := h.issueOne(t, cfpRow)
	school.Name = credentials.Text{"it": "Scuola Rinominata", "en": "Renamed School"}
	a, err := h.AddProviders(t.Context(), []credentials.Provider{*school})
	if err != nil || len(a.Follows) != 3 || !strings.Contains(a.Follows[1], "seals by mandate for iss-cfp") {
		t.Fatalf("%v, %q", err, a.Follows)
	}
	second := strings.Replace(cfpRow, "TOT25-001", "TOT25-002", 1)
	if o := h.issueOne(t, second); o.Answer != issuer.Refused || !strings.Contains(o.Findings[0].Message["en"], "attesta keys rotate --provider iss-scuola") {
		t.Errorf("with the key of before: %s %+v", o.Answer, o.Findings)
	}
	owner, err := h.SealerOf(t.Context(), *cfp)
	if err != nil || owner.Name != "Scuola Rinominata" || owner.ID != "iss-scuola" {
		t.Fatalf("%+v, %v", owner, err)
	}
	h.rotate(t, *school)
	after := h.issueOne(t, second)
	if after.Answer != issuer.Issued || after.Record.List != before.Record.List {
		t.Fatalf("%+v", after)
	}
	data, _ := h.sealed(t, after.Record)
	if r := h.judge(t, data); r.Verdict != verifier.Valid || r.Credential.Issuer != "Scuola Rinominata" {
		t.Errorf("%s because of %s, sealed by %q", r.Verdict, r.Reason, r.Credential.Issuer)
	}
	if _, err := h.AddProviders(t.Context(), []credentials.Provider{*cfp}); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("a mandate with the name of before: %v", err)
	}
	cfp.Mandate.SealedBy.Name = school.Name
	if _, err := h.AddProviders(t.Context(), []credentials.Provider{*cfp}); err != nil {
		t.Errorf("a mandate with the name of today: %v", err)
	}
}

// J14: an organisation without an entry of its own may be renamed by the provider
// whose mandate it has, and by nobody else.
func TestWhoMayRenameASealer(t *testing.T) {
	h := mandated(t, "2026-01-01", "2026-12-31")
	other := func(p *credentials.Provider) {
		byPlatform(p)
		p.Mandate.SealedBy.Name = credentials.Text{"it": "Piattaforma Nuova", "en": "New Platform"}
	}
	p, follows := h.change(t, other)
	if !strings.Contains(follows, "attesta keys rotate --provider iss-cfp") {
		t.Errorf("%q", follows)
	}
	h.rotate(t, p)
	if o := h.issueOne(t, cfpRow); o.Answer != issuer.Issued {
		t.Errorf("%+v", o)
	}
	thief := providers(t)[0]
	byPlatform(&thief) // with the name of before
	if _, err := h.AddProviders(t.Context(), []credentials.Provider{thief}); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("another provider with other names: %v", err)
	}
}
