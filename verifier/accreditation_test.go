package verifier

import (
	"strings"
	"testing"
	"time"

	"attesta/accreditation"
	"attesta/credentials"
	"attesta/keys"
)

func anAccreditation() *credentials.Accreditation {
	return &credentials.Accreditation{
		Register: "Albo", Number: "1", ValidFrom: "2025-01-01", ValidUntil: "2030-12-31",
		ID: "https://albo.example.org/1", Type: "http://data.europa.eu/snb/accreditation/003293d2ce",
		Title: credentials.Text{"it": "Licenza", "en": "Licence"},
		Agent: &credentials.Body{Name: credentials.Text{"it": "Regione Esempio", "en": "Example Region"}, Country: "ITA"},
	}
}

// An accreditation that a credential claims is said to be claimed: never to be
// missing, never to be checked, and it decides nothing.
func TestAClaimedAccreditation(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	h.award.Module.Accreditation = anAccreditation()
	r := h.verify(h.seal(h.document()))
	c := r.Find(CheckAccreditation)
	if r.Verdict != Valid || c.Outcome != Unknown || c.Reason != "accreditation_claimed" {
		t.Fatalf("%s, %+v", r.Verdict, c)
	}
	found, todo := Words(c, "it")
	if found != "L’attestato dichiara un accreditamento (Regione Esempio). Nessun elenco che abbiamo lo conferma." || !strings.Contains(todo, "albo della regione") {
		t.Errorf("%s %s", found, todo)
	}
	for want, a := range map[string]*credentials.AccreditationView{
		"Ente":                    {ID: "https://x", Title: credentials.Text{"en": "Licence"}, Agent: credentials.Text{"und": "Ente"}},
		"Licence":                 {ID: "https://x", Title: credentials.Text{"en": "Licence"}},
		"https://x":               {ID: "https://x"},
		"–":                       {},
		"accreditation_not_known": nil,
	} {
		j := &judgement{Verifier: &Verifier{}}
		j.accreditation(credentials.View{Accreditation: a})
		if c := j.report.Checks[0]; c.Facts["register"] != want && c.Reason != want || c.Outcome != Unknown {
			t.Errorf("%s: %+v", want, c)
		}
	}
}

// region is the list of an invented region in which the school of these tests
// was accredited until the end of June and suspended in March.
func region(t testing.TB) *accreditation.List {
	t.Helper()
	now := theMoment(t)
	return &accreditation.List{
		ID: "https://regione.example.org/accreditati", Sequence: 7, Issued: now.AddDate(0, 0, -1), NextUpdate: now.AddDate(0, 0, 30),
		Authority: accreditation.Authority{Name: "Regione Esempio", LegalID: "VATIT-00000000099"},
		Providers: []accreditation.Provider{{
			LegalIDs: []string{"DM:IT-iss-scuola"},
			Names:    []accreditation.Name{{Name: "Scuola di Prima"}, {Name: "Scuola Dimostrativa", From: "2026-05-01"}},
			Accreditations: []accreditation.Accreditation{{
				Register: "Albo – sezione B", Number: "ESEMPIO-0002", Link: "https://regione.example.org/albo/2", From: "2026-01-10", Until: "2026-06-30",
				Suspended: []accreditation.Suspension{{From: "2026-03-01", Until: "2026-03-31"}},
			}},
		}},
	}
}

func (h *house) holds(all ...*accreditation.List) {
	h.t.Helper()
	for _, l := range all {
		if err := l.Check(); err != nil {
			h.t.Fatal(err)
		}
	}
	h.held = accreditation.NewLists(theMoment(h.t).Location(), all...)
}

// issuedOn is a credential that was sealed on a day, at noon.
func (h *house) issuedOn(day string) []byte {
	h.t.Helper()
	now := h.now
	defer func() { h.now = now }()
	at, err := time.ParseInLocation("2006-01-02 15:04", day+" 12:00", now.Location())
	if err != nil {
		h.t.Fatal(err)
	}
	h.now = at
	h.award.CompletedOn = credentials.Date(day)
	return h.seal(h.document())
}

// What a list says of the day of issuing decides; what it says of today does
// not. Without a time stamp the day of issuing is the sealer's own word.
func TestAccreditedThenAndNow(t *testing.T) {
	h := newTimed(t)
	for _, c := range []struct {
		name, issued, at string // at is empty for today
		stamped          bool
		verdict          Verdict
		outcome          Outcome
		reason           string
	}{
		{"the day before it begins", "2026-01-09", "", false, NotValid, Fail, "accreditation_not_yet"},
		{"the first day", "2026-01-10", "", false, Valid, Unknown, "accreditation_ended_unproven"},
		{"the first day, proven", "2026-01-10", "", true, Valid, Pass, "accreditation_ended"},
		{"the day before a suspension", "2026-02-28", "", true, Valid, Pass, "accreditation_ended"},
		{"its first day", "2026-03-01", "", true, NotValid, Fail, "accreditation_suspended_then"},
		{"its last day", "2026-03-31", "", false, NotValid, Fail, "accreditation_suspended_then"},
		{"the day after it", "2026-04-01", "", true, Valid, Pass, "accreditation_ended"},
		{"the last day", "2026-06-30", "", true, Valid, Pass, "accreditation_ended"},
		{"the last day, not proven", "2026-06-30", "", false, Valid, Unknown, "accreditation_ended_unproven"},
		{"the day after", "2026-07-01", "", true, NotValid, Fail, "accreditation_not_then"},
		{"today", "2026-11-20", "", false, NotValid, Fail, "accreditation_not_then"},
		{"asked of a good day", "2026-05-29", "2026-06-30", true, CannotTell, Pass, "accreditation_then_and_now"},
		{"asked of a suspended day", "2026-02-01", "2026-03-14", true, CannotTell, Pass, "accreditation_suspended"},
		{"asked of the first bad day", "2026-05-29", "2026-07-01", true, CannotTell, Pass, "accreditation_ended"},
		{"asked of a good day, not proven", "2026-05-29", "2026-06-30", false, CannotTell, Unknown, "accreditation_gap_unproven"},
		{"asked of a suspended day, not proven", "2026-02-01", "2026-03-14", false, CannotTell, Unknown, "accreditation_suspended_unproven"},
		{"asked of a day that the list does not reach", "2026-05-29", "2027-11-21", true, CannotTell, Unknown, "accreditation_then_list_stale"},
	} {
		h.holds(region(t))
		h.publishAll()
		sealed := h.issuedOn(c.issued)
		if c.stamped {
			at, _ := time.Parse(time.RFC3339, c.issued+"T11:05:00Z")
			sealed = h.stampedAt(sealed, at)
		}
		at := time.Time{}
		if c.at != "" {
			at, _ = time.ParseInLocation("2006-01-02 15:04", c.at+" 23:59", h.now.Location())
		}
		r := h.verifyAt(sealed, at)
		got := r.Find(CheckAccreditation)
		if got.Outcome != c.outcome || got.Reason != c.reason {
			t.Errorf("%s: %s %s", c.name, got.Outcome, got.Reason)
		}
		if c.at == "" && r.Verdict != c.verdict || c.verdict == NotValid && r.Reason != c.reason {
			t.Errorf("%s: %s because of %s", c.name, r.Verdict, r.Reason)
		}
	}
}

// Who says so, where it stands and what the provider is called today go with
// the answer.
func TestWhatAnAccreditationStandsOn(t *testing.T) {
	h := newTimed(t)
	h.holds(region(t))
	at, _ := time.Parse(time.RFC3339, "2026-04-02T11:05:00Z")
	c := h.verify(h.stampedAt(h.issuedOn("2026-04-02"), at)).Find(CheckAccreditation)
	for name, want := range map[string]string{
		"name": "Scuola di Prima", "called": "Scuola Dimostrativa", "authority": "Regione Esempio", "authority_id": "VATIT-00000000099",
		"register": "Albo – sezione B", "number": "ESEMPIO-0002", "link": "https://regione.example.org/albo/2", "sequence": "7",
		"list": "https://regione.example.org/accreditati", "then": "2026-04-02T00:00:00+02:00", "since": "2026-06-30T00:00:00+02:00", "until": "2026-06-30T00:00:00+02:00",
	} {
		if c.Facts[name] != want {
			t.Errorf("%s: %q", name, c.Facts[name])
		}
	}
	for language, want := range map[string][2]string{
		"it": {
			"Secondo Regione Esempio, Scuola di Prima era accreditato quando ha rilasciato l’attestato (2 aprile 2026): sì; oggi: no, l’accreditamento è finito il 30 giugno 2026.",
			"Albo – sezione B, n. ESEMPIO-0002 · https://regione.example.org/albo/2 · elenco n. 7 di Regione Esempio, 20 novembre 2026 · oggi si chiama Scuola Dimostrativa",
		},
		"en": {
			"According to Regione Esempio, Scuola di Prima was accredited when it issued the credential (2 April 2026): yes; today: no, the accreditation ended on 30 June 2026.",
			"Albo – sezione B, no. ESEMPIO-0002 · https://regione.example.org/albo/2 · list no. 7 of Regione Esempio, 20 November 2026 · called Scuola Dimostrativa today",
		},
	} {
		if found, _ := Words(c, language); found != want[0] {
			t.Error(found)
		}
		if source := Source(c, language); source != want[1] {
			t.Error(source)
		}
	}
	if Source(Check{ID: CheckAccreditation}, "it")+Source(Check{ID: CheckSeal, Facts: map[string]string{"list": "x"}}, "en") != "" {
		t.Error("something stands on a list that does not")
	}
}

// Whom no list knows is not failed by any; of a sealer for whom nobody vouches
// nothing is asked; and a list that is too old says no no.
func TestWhatIsNotKnownOfAnAccreditation(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*house, *accreditation.List)
		outcome Outcome
		reason  string
		verdict Verdict
	}{
		"another provider": {func(_ *house, l *accreditation.List) { l.Providers[0].LegalIDs[0] = "DM:IT-iss-altra" }, Unknown, "accreditation_not_known", Valid},
		"a claim beside it": {func(h *house, l *accreditation.List) {
			l.Providers[0].LegalIDs[0] = "DM:IT-iss-altra"
			h.award.Module.Accreditation = anAccreditation()
		}, Unknown, "accreditation_claimed", Valid},
		"a claim against it": {func(h *house, _ *accreditation.List) { h.award.Module.Accreditation = anAccreditation() }, Fail, "accreditation_not_then", NotValid},
		"nobody vouches":     {func(h *house, _ *accreditation.List) { h.trust = keys.Trust{} }, Skipped, "accreditation_not_checked", CannotTell},
		"an old list": {func(h *house, l *accreditation.List) {
			l.NextUpdate = h.now.AddDate(0, 0, -1)
			l.Issued = h.now.AddDate(0, -1, 0)
		}, Unknown, "accreditation_list_stale", Valid},
		"not at this level": {func(_ *house, l *accreditation.List) {
			l.Providers[0].Accreditations[0].Until = ""
			l.Providers[0].Accreditations[0].MaxEQF = 1
		}, Unknown, "accreditation_outside", Valid},
		"not in this field": {func(_ *house, l *accreditation.List) {
			l.Providers[0].Accreditations[0].Until = ""
			l.Providers[0].Accreditations[0].Fields = []string{"10"}
		}, Unknown, "accreditation_outside", Valid},
		"in a region": {func(_ *house, l *accreditation.List) {
			l.Providers[0].Accreditations[0].Until = ""
			l.Providers[0].Accreditations[0].Regions = []string{"ITC4"}
		}, Unknown, "accreditation_limited", Valid},
		"in this region": {func(h *house, l *accreditation.List) {
			h.award.Provider.Region = "ITI4"
			l.Providers[0].Accreditations[0].Until = ""
			l.Providers[0].Accreditations[0].Regions = []string{"ITI4"}
		}, Pass, "accreditation_then_and_now", Valid},
		"in the whole country": {func(_ *house, l *accreditation.List) {
			l.Providers[0].Accreditations[0].Until = ""
			l.Providers[0].Accreditations[0].Regions = []string{"IT"}
			l.Providers[0].Accreditations[0].MaxEQF = 8
		}, Pass, "accreditation_then_and_now", Valid},
	} {
		h := newHouse(t)
		h.publishAll()
		l := region(t)
		c.change(h, l)
		h.holds(l)
		r := h.verify(h.seal(h.document()))
		if got := r.Find(CheckAccreditation); got.Outcome != c.outcome || got.Reason != c.reason || r.Verdict != c.verdict {
			t.Errorf("%s: %s %s, %s because of %s", name, got.Outcome, got.Reason, r.Verdict, r.Reason)
		}
	}
}

// Under a mandate it is the awarding body that must be accredited, and its
// authority that says who may seal for it: to name an accredited body is easy.
func TestTheAccreditationOfAnAwardingBody(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	h.award.Provider.LegalID, h.award.Provider.Name = "VATIT-00000000005", credentials.Text{"it": "Centro", "en": "Centre"}
	h.award.Provider.Mandate = &credentials.Mandate{
		SealedBy:  credentials.Body{ID: "iss-scuola", Name: credentials.Text{"it": "Scuola Dimostrativa", "en": "School"}, Country: "ITA", LegalID: "DM:IT-iss-scuola"},
		Statement: credentials.Text{"it": "atto 1", "en": "act 1"}, From: "2026-01-01", Until: "2026-12-31",
	}
	centre := accreditation.Provider{
		LegalIDs: []string{"VATIT-00000000005"}, Names: []accreditation.Name{{Name: "Centro"}},
		Accreditations: []accreditation.Accreditation{{Register: "Albo", Number: "5", From: "2025-01-01"}},
	}
	for _, c := range []struct {
		name    string
		change  func(*accreditation.Provider)
		reason  string
		verdict Verdict
	}{
		{"the sealer is not named", func(*accreditation.Provider) {}, "accreditation_mandate", Valid},
		{"the sealer is named", func(p *accreditation.Provider) { p.SealedBy = []string{"DM:IT-iss-scuola"} }, "accreditation_then_and_now", Valid},
		{"the body is not accredited", func(p *accreditation.Provider) { p.Accreditations[0].Until = "2026-10-31" }, "accreditation_not_then", NotValid},
		{"the body is not known, the sealer is", func(p *accreditation.Provider) { p.LegalIDs = []string{"DM:IT-iss-scuola"} }, "accreditation_not_known", Valid},
	} {
		l := region(t)
		l.Providers[0] = centre
		l.Providers[0].Accreditations = append([]accreditation.Accreditation(nil), centre.Accreditations...)
		c.change(&l.Providers[0])
		h.holds(l)
		r := h.verify(h.seal(h.document()))
		if got := r.Find(CheckAccreditation); got.Reason != c.reason || r.Verdict != c.verdict {
			t.Errorf("%s: %s %s, %s", c.name, got.Outcome, got.Reason, r.Verdict)
		}
	}
}

// accreditationReports have every reason of this check that has facts.
func accreditationReports(t *testing.T) []Report {
	t.Helper()
	var all []Report
	h := newTimed(t)
	h.holds(region(t))
	day := func(s string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04", s+" 13:00", h.now.Location())
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, issued := range []string{"2026-01-09", "2026-02-01", "2026-03-10", "2026-07-01"} {
		sealed := h.issuedOn(issued)
		for _, s := range [][]byte{sealed, h.stampedAt(sealed, day(issued))} {
			for _, at := range []string{"2026-03-14", "2026-06-01", "2027-11-21"} {
				all = append(all, h.verifyAt(s, day(at)))
			}
			all = append(all, h.verify(s))
		}
	}
	for _, change := range []func(*accreditation.List){
		func(l *accreditation.List) { l.Providers[0].Accreditations[0].MaxEQF = 1 },
		func(l *accreditation.List) { l.Providers[0].Accreditations[0].Regions = []string{"ITC4"} },
		func(l *accreditation.List) { l.Issued, l.NextUpdate = h.now.AddDate(0, 0, -9), h.now.AddDate(0, 0, -8) },
	} {
		l := region(t)
		l.Providers[0].Accreditations[0].Until = ""
		change(l)
		if l.NextUpdate.Before(h.now) {
			l.Providers[0].Accreditations[0].From = "2026-12-01"
			l.Providers[0].Accreditations[0].Suspended = nil
		}
		h.holds(l)
		all = append(all, h.verify(h.seal(h.document())))
	}
	l := region(t)
	l.Providers[0].LegalIDs, l.Providers[0].Accreditations[0].Until = []string{"VATIT-00000000005"}, ""
	h.holds(l)
	h.award.Provider.LegalID, h.award.Provider.Name = "VATIT-00000000005", credentials.Text{"it": "Centro", "en": "Centre"}
	h.award.Provider.Mandate = &credentials.Mandate{
		SealedBy:  credentials.Body{ID: "iss-scuola", Name: credentials.Text{"it": "Scuola Dimostrativa", "en": "School"}, Country: "ITA", LegalID: "DM:IT-iss-scuola"},
		Statement: credentials.Text{"it": "atto 1", "en": "act 1"}, From: "2026-01-01", Until: "2026-12-31",
	}
	return append(all, h.verify(h.seal(h.document())))
}
