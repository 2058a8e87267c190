package issuer_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"attesta/credentials"
	"attesta/display"
	"attesta/issuer"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
	"attesta/verifier"
)

// mandated is a house in which a platform seals for the training centre.
func mandated(t *testing.T, from, until credentials.Date) *house {
	t.Helper()
	h := emptyHouse(t, theDay(t))
	all := providers(t)
	p := &all[slices.IndexFunc(all, func(p credentials.Provider) bool { return p.ID == "iss-cfp" })]
	p.Mandate = &credentials.Mandate{
		SealedBy:  credentials.Body{ID: "iss-piattaforma", Name: credentials.Text{"it": "Piattaforma degli Esempi", "en": "Platform of the Examples"}, Country: "ITA"},
		Statement: credentials.Text{"it": "convenzione n. 12", "en": "agreement no. 12"}, From: from, Until: until,
	}
	h.admit(t, all)
	return h
}

func (h *house) admit(t *testing.T, all []credentials.Provider) {
	t.Helper()
	if _, err := h.AddProviders(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	if _, err := h.AddModules(t.Context(), modules(t, "catalogue_jobseekers.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.AddLearners(t.Context(), learners(t, "cohort_tot_25.csv"), false); err != nil {
		t.Fatal(err)
	}
}

const cfpRow = "R1,TOT25-001,GB-02,GB-02/2026/X,2026-05-29,100,passed,"

// own answers for the installation's own lists, as the published ones.
type own struct{ *house }

func (o own) Fetch(ctx context.Context, address string, _ []string) ([]byte, error) {
	path := strings.TrimPrefix(address, publicURL+"/status/")
	list, purpose, _ := strings.Cut(path, "/")
	p, err := o.StatusList(ctx, list, status.Purpose(purpose))
	return p.Token, err
}

func (h *house) judge(t *testing.T, data []byte) verifier.Report {
	t.Helper()
	chain := h.ring.All()[0].Chain()
	root := keys.Anchor{Name: "casa", Level: keys.Demonstration, Certificate: chain[len(chain)-1]}
	v := verifier.New(verifier.Config{
		Trust: func() keys.Trust { return keys.Trust{Anchors: []keys.Anchor{root}} },
		Now:   h.clock.now, Fetcher: own{h},
	})
	r, err := v.Verify(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A platform seals by mandate: its certificate names the issuer, the provider
// stays the awarding body, and the status list is of the house that sealed.
func TestSealedByMandate(t *testing.T) {
	h := mandated(t, "2026-01-01", "2026-12-31")
	o := h.issue(t, h.row(t, cfpRow))[0]
	if o.Answer != issuer.Issued {
		t.Fatalf("%+v", o)
	}
	data, parsed := h.sealed(t, o.Record)
	signer, err := credentials.SignerOf(parsed.Envelope.Leaf())
	if err != nil || signer.Organisation != "Piattaforma degli Esempi" || parsed.Issuer.LegalID != "DM:IT-iss-piattaforma" {
		t.Errorf("sealed by %+v, issuer %+v (%v)", signer, parsed.Issuer, err)
	}
	if o.Record.Provider != "iss-cfp" {
		t.Errorf("the record is of %s", o.Record.Provider)
	}
	if _, err := h.ring.Current(keys.Seal, "iss-cfp", h.clock.now()); err == nil {
		t.Error("the provider that seals nothing has a key")
	}
	for _, p := range []status.Purpose{status.Revocation, status.Suspension} {
		position(t, h, p, o.Record) // of the same house
	}
	r := h.judge(t, data)
	if r.Verdict != verifier.Valid {
		t.Fatalf("%s because of %s: %+v", r.Verdict, r.Reason, r.Checks)
	}
	by, _ := r.Credential.AwardedBy.In("en")
	said, also := r.Summary.Mandate["it"], r.Summary.Mandate["en"]
	if by == "" || by == signer.Organisation || r.Credential.Issuer != signer.Organisation || !strings.Contains(said, "convenzione n. 12") || !strings.Contains(also, "agreement no. 12") || strings.Contains(said, "agreement") {
		t.Errorf("awarded by %q, sealed by %q: %q, %q", by, r.Credential.Issuer, said, also)
	}
}

// Outside the days of the mandate nothing is issued, and the days are said; what
// was issued before keeps its status list.
func TestAMandateThatDoesNotHoldRefuses(t *testing.T) {
	for _, days := range [][2]credentials.Date{{"2026-01-01", "2026-11-20"}, {"2026-11-22", "2026-12-31"}} {
		o := mandated(t, days[0], days[1]).issueOne(t, cfpRow)
		if o.Answer != issuer.Refused || o.Reason != "mandate_expired" {
			t.Errorf("%v: %+v", days, o)
		}
		if said := issuer.ReasonWords(o); !strings.Contains(said["it"], string(days[1])) || !strings.Contains(said["en"], string(days[0])) {
			t.Errorf("%v: %v", days, said)
		}
	}
	h := mandated(t, "2026-01-01", "2026-11-21") // the last day counts
	o := h.issueOne(t, cfpRow)
	if o.Answer != issuer.Issued {
		t.Fatalf("%+v", o)
	}
	h.clock.set(theDay(t).AddDate(0, 1, 0))
	data, _ := h.sealed(t, o.Record)
	if r := h.judge(t, data); r.Verdict != verifier.Valid {
		t.Errorf("after the mandate: %s because of %s", r.Verdict, r.Reason)
	}
}

// A provider that is here itself seals for another only when its own entry says
// so (J14), and nobody gives names to keys that are somebody else's.
func TestAMandateNeedsTheOtherSide(t *testing.T) {
	all := providers(t)
	at := func(id string) *credentials.Provider {
		return &all[slices.IndexFunc(all, func(p credentials.Provider) bool { return p.ID == id })]
	}
	school := *at("iss-scuola")
	cfp := at("iss-cfp")
	cfp.Mandate = &credentials.Mandate{
		SealedBy:  credentials.Body{ID: school.ID, Name: school.Name, Country: school.Country, LegalID: school.LegalID},
		Statement: credentials.Text{"it": "convenzione", "en": "agreement"}, From: "2026-01-01", Until: "2026-12-31",
	}
	h := emptyHouse(t, theDay(t))
	if _, err := h.AddProviders(t.Context(), all); !errors.Is(err, registry.ErrConflict) || !strings.Contains(err.Error(), "seals_for") {
		t.Errorf("without consent: %v", err)
	}
	at("iss-scuola").SealsFor = []string{"iss-cfp"}
	h = emptyHouse(t, theDay(t))
	if _, err := h.AddProviders(t.Context(), all); err != nil {
		t.Errorf("with consent: %v", err)
	}
	for name, change := range map[string]func(*credentials.Body){
		"another name":             func(b *credentials.Body) { b.Name = credentials.Text{"it": "Nome Falso"} },
		"another legal identifier": func(b *credentials.Body) { b.LegalID = "VATIT-99999999999" },
	} {
		squatter := *cfp
		m := *cfp.Mandate
		change(&m.SealedBy)
		squatter.Mandate = &m
		if _, err := h.AddProviders(t.Context(), []credentials.Provider{squatter}); !errors.Is(err, registry.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
		// The false names first: then the rightful ones are refused, and say why.
		early := emptyHouse(t, theDay(t))
		if _, err := early.AddProviders(t.Context(), []credentials.Provider{squatter}); err != nil {
			t.Fatal(err)
		}
		if _, err := early.AddProviders(t.Context(), []credentials.Provider{school}); !errors.Is(err, registry.ErrConflict) || !strings.Contains(err.Error(), "the keys of iss-scuola are those of") {
			t.Errorf("%s, first: %v", name, err)
		}
	}
}

// A key whose certificate is that of another organisation seals nothing: neither
// one that was there before the entry said who the provider is.
func TestAKeyOfAnotherOrganisationSealsNothing(t *testing.T) {
	h := school(t)
	all := providers(t)
	for n := range all {
		all[n].LegalID = "VATIT-99999999999"
	}
	if _, err := h.AddProviders(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	o := h.issueOne(t, "R1,TOT25-001,SN-11,SN-11/2026/X,2026-05-29,100,passed,")
	if o.Answer != issuer.Refused || o.Reason != "document_incomplete" || len(o.Findings) == 0 || !strings.Contains(o.Findings[0].Message["en"], "VATIT-99999999999") {
		t.Errorf("%+v", o)
	}
}

func (h *house) issueOne(t *testing.T, row string) issuer.Outcome {
	t.Helper()
	return h.issue(t, h.row(t, row))[0]
}

// An accreditation in full, of the provider or of the module, decides about the
// day of issuing as one in short does; one that covers no such level refuses.
func TestAnAccreditationInFull(t *testing.T) {
	for name, c := range map[string]struct {
		from, until credentials.Date
		limit       int
		reason      string
	}{
		"it holds":              {"2025-01-01", "2026-11-21", 0, ""},
		"it does not end":       {"2025-01-01", "", 2, ""},
		"it ended":              {"2025-01-01", "2026-11-20", 0, "accreditation_expired"},
		"it begins tomorrow":    {"2026-11-22", "", 0, "accreditation_expired"},
		"the level is above it": {"2025-01-01", "", 1, "document_incomplete"},
	} {
		h := emptyHouse(t, theDay(t))
		all := providers(t)
		p := &all[slices.IndexFunc(all, func(p credentials.Provider) bool { return p.ID == "iss-cfp" })]
		text := credentials.Text{"it": "Licenza", "en": "Licence"}
		full := &credentials.Accreditation{
			Register: "Albo", Number: "1", ValidFrom: c.from, ValidUntil: c.until, LimitEQF: c.limit,
			ID: "https://albo.example.org/1", Type: "http://data.europa.eu/snb/accreditation/003293d2ce", Title: text,
			Agent: &credentials.Body{Name: text, Country: "ITA"},
		}
		h.admit(t, all)
		p.Accreditation = full
		if _, err := h.AddProviders(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		o := h.issueOne(t, cfpRow)
		if o.Reason != c.reason || (c.reason == "") != (o.Answer == issuer.Issued) {
			t.Errorf("%s: %s %s %+v", name, o.Answer, o.Reason, o.Findings)
			continue
		}
		if o.Answer != issuer.Issued {
			continue
		}
		_, parsed := h.sealed(t, o.Record)
		if a := parsed.View().Accreditation; a == nil || a.ID != full.ID || a.Until.IsZero() != (c.until == "") {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// A sealed micro-credential with both pictures stays below 60 kB.
func TestCredentialsAreSmall(t *testing.T) {
	h := school(t)
	h.Issuer = h.newIssuer(t, display.Module)
	for _, m := range modules(t, "catalogue_national_school.json") {
		o := h.issueOne(t, "R,TOT25-001,"+m.Code+","+m.Code+"/2026/X,2026-05-29,100,passed,88")
		if o.Answer != issuer.Issued {
			t.Fatalf("%+v", o)
		}
		if data, _ := h.sealed(t, o.Record); len(data) >= 60_000 {
			t.Errorf("%s: %d bytes", m.Code, len(data))
		}
	}
}
