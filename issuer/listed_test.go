package issuer_test

import (
	"strings"
	"testing"
	"time"

	"attesta/accreditation"
	"attesta/issuer"
)

// coopList is the list of a region that knows the cooperative of the fixtures.
func coopList(t testing.TB, change func(*accreditation.Accreditation)) *accreditation.List {
	t.Helper()
	entry := accreditation.Accreditation{Register: "Albo regionale di esempio – sezione B", Number: "ESEMPIO-0002", From: "2023-01-01", Until: "2026-06-30"}
	change(&entry)
	l := &accreditation.List{
		ID: "urn:example:albo", Sequence: 1, Issued: theDay(t).AddDate(-1, 0, 1), NextUpdate: theDay(t).AddDate(0, 0, 1),
		Authority: accreditation.Authority{Name: "Regione Esempio", LegalID: "VATIT-00000000099"},
		Providers: []accreditation.Provider{{
			LegalIDs: []string{"DM:IT-iss-coop"}, Names: []accreditation.Name{{Name: "Cooperativa Brianza"}},
			Accreditations: []accreditation.Accreditation{entry},
		}},
	}
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
	return l
}

const coopRow = "R1,TOT25-001,GB-04,GB-04/2026/A,2026-05-20,100,passed,"

func (h *house) holds(t testing.TB, lists ...*accreditation.List) {
	h.Accreditations = func() accreditation.Lists { return accreditation.NewLists(rome(t), lists...) }
}

// extended is a house in which the entry of the cooperative says that it is
// accredited for years to come: only a list may say otherwise.
func extended(t testing.TB, at time.Time) *house {
	t.Helper()
	h := schoolOn(t, at)
	all := providers(t)
	for n := range all {
		if a := all[n].Accreditation; a != nil {
			a.ValidUntil = "2030-12-31"
		}
	}
	if _, err := h.AddProviders(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	return h
}

// A list that is held refuses where it says no, whatever the provider says of
// itself; and what the provider says of itself refuses where a list says yes.
func TestAListDecidesWhoMayIssue(t *testing.T) {
	zone := rome(t)
	day := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, zone)
	}
	none := func(*accreditation.Accreditation) {}
	for _, c := range []struct {
		name   string
		at     time.Time
		change func(*accreditation.Accreditation)
		want   string
		says   string
	}{
		{"its last day", day(6, 30, 23), none, "issued", ""},
		{"the day after", day(7, 1, 0), none, "refused accreditation_ended", "2026-06-30"},
		{"today", theDay(t), none, "refused accreditation_ended", "2026-06-30"},
		{"renewed", theDay(t), func(a *accreditation.Accreditation) { a.Until = "" }, "issued", ""},
		{"the day before it begins", day(6, 30, 12), func(a *accreditation.Accreditation) { a.From, a.Until = "2026-07-01", "" }, "refused accreditation_not_begun", "2026-07-01"},
		{"its first day", day(7, 1, 0), func(a *accreditation.Accreditation) { a.From, a.Until = "2026-07-01", "" }, "issued", ""},
		{"the day before a suspension", day(5, 31, 23), suspended, "issued", ""},
		{"its first day", day(6, 1, 0), suspended, "refused accreditation_suspended", "dal 2026-06-01 al 2026-06-10"},
		{"its last day", day(6, 10, 23), suspended, "refused accreditation_suspended", "2026-06-10"},
		{"the day after it", day(6, 11, 0), suspended, "issued", ""},
		{"another level", day(6, 1, 12), func(a *accreditation.Accreditation) { a.MaxEQF = 1 }, "refused accreditation_outside", "EQF ≤ 1"},
		{"another field", day(6, 1, 12), func(a *accreditation.Accreditation) { a.Fields = []string{"0611"} }, "refused accreditation_outside", "ISCED-F 0611"},
		{"a region, and the provider has none", day(6, 1, 12), func(a *accreditation.Accreditation) { a.Regions = []string{"ITC4"} }, "refused accreditation_limited", "ITC4"},
		{"its country", day(6, 1, 12), func(a *accreditation.Accreditation) {
			a.Regions, a.Fields, a.MaxEQF = []string{"IT"}, []string{"04"}, 2
		}, "issued", ""},
	} {
		h := extended(t, c.at)
		h.holds(t, coopList(t, c.change))
		o := h.issueOne(t, coopRow)
		if got := strings.TrimSpace(string(o.Answer) + " " + o.Reason); got != c.want {
			t.Errorf("%s: %s", c.name, got)
			continue
		}
		if n := h.counts(t); (n.Sealed == 1) != (c.want == "issued") || n.Reserved != 0 {
			t.Errorf("%s: %+v", c.name, n)
		}
		for _, language := range []string{"it", "en"} {
			if words := issuer.ReasonWords(o)[language]; c.says != "" && language == "it" && !strings.Contains(words, c.says) || c.says != "" && (words == "" || strings.Contains(words, "()")) {
				t.Errorf("%s: %s", c.name, words)
			}
		}
	}
	// The fixture as it is: its own entry refuses, list or not.
	h := school(t)
	h.holds(t, coopList(t, func(a *accreditation.Accreditation) { a.Until = "" }))
	if o := h.issueOne(t, coopRow); o.Reason != "accreditation_expired" {
		t.Errorf("%s %s", o.Answer, o.Reason)
	}
}

// What was issued while a provider might is there still when it may no more: the
// same row says so, and gives nothing twice. Another row stays refused.
func TestTheSameRowAfterTheAccreditationEnded(t *testing.T) {
	h := extended(t, time.Date(2026, 6, 30, 12, 0, 0, 0, rome(t)))
	h.holds(t, coopList(t, func(*accreditation.Accreditation) {}))
	first := h.issueOne(t, coopRow)
	h.clock.set(theDay(t))
	again := h.issueOne(t, coopRow)
	if first.Answer != issuer.Issued || again.Answer != issuer.AlreadyIssued || again.Record.Seq != first.Record.Seq || again.Reason != "" || len(again.Findings) > 0 {
		t.Errorf("%+v, then %+v", first, again)
	}
	for name, row := range map[string]string{
		"another person":  strings.Replace(coopRow, "TOT25-001", "TOT25-002", 1),
		"another edition": strings.Replace(coopRow, "2026/A", "2026/B", 1),
		"another day":     strings.Replace(coopRow, "05-20", "05-21", 1),
		"failed":          strings.Replace(coopRow, "passed", "failed", 1),
	} {
		if o := h.issueOne(t, row); o.Answer != issuer.Refused || o.Reason != "accreditation_ended" {
			t.Errorf("%s: %+v", name, o)
		}
	}
	if c := h.counts(t); c.Sealed != 1 {
		t.Errorf("%+v", c)
	}
}

func suspended(a *accreditation.Accreditation) {
	a.Suspended = []accreditation.Suspension{{From: "2026-06-01", Until: "2026-06-10"}}
}

// Who is in no list issues as before; a list that is too old to say, and a
// sealer that it does not name, are said and stop nothing.
func TestWhatAListLeavesOpen(t *testing.T) {
	h := extended(t, theDay(t))
	l := coopList(t, func(*accreditation.Accreditation) {})
	l.Providers[0].LegalIDs[0] = "DM:IT-iss-altra"
	h.holds(t, l)
	if o := h.issueOne(t, coopRow); o.Answer != issuer.Issued || len(o.Findings) > 0 {
		t.Errorf("%+v", o)
	}
	h = extended(t, theDay(t))
	l = coopList(t, func(*accreditation.Accreditation) {})
	l.NextUpdate = theDay(t).Add(-time.Hour)
	h.holds(t, l)
	if o := h.issueOne(t, coopRow); o.Answer != issuer.Issued || len(o.Findings) != 1 || o.Findings[0].Code != "accreditation_silent" || !strings.Contains(o.Findings[0].Message["en"], "2026-11-21") {
		t.Errorf("%+v", o)
	}
	for n, sealers := range [][]string{nil, {"DM:IT-iss-piattaforma"}} {
		h = mandated(t, "2026-01-01", "2026-12-31")
		l = coopList(t, func(a *accreditation.Accreditation) { a.Until = "" })
		l.Providers[0].LegalIDs[0], l.Providers[0].SealedBy = "DM:IT-iss-cfp", sealers
		h.holds(t, l)
		o := h.issueOne(t, cfpRow)
		if o.Answer != issuer.Issued || len(o.Findings) != 1-n || n == 0 && o.Findings[0].Code != "accreditation_mandate" {
			t.Errorf("%v: %s %+v", sealers, o.Answer, o.Findings)
		}
	}
}
