package credentials

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The same award and issue give the same bytes, so that a record that a crash
// left reserved is finished as it was begun.
func TestTheSameAwardAndIssueGiveTheSameBytes(t *testing.T) {
	for _, a := range fixtureModules(t) {
		first := newDocument(t, a, goodIssue(t))
		for range 3 {
			if again := newDocument(t, a, goodIssue(t)); string(again) != string(first) {
				t.Fatalf("%s: the documents differ", a.Module.Code)
			}
		}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var stored Award
		if err := json.Unmarshal(text, &stored); err != nil {
			t.Fatal(err)
		}
		if again := newDocument(t, stored, goodIssue(t)); string(again) != string(first) {
			t.Fatalf("%s: the document of the stored award differs", a.Module.Code)
		}
	}
}

// Names are kept as they are, in the file and in what is read from it.
func TestNamesOfAnyKindComeBackAsTheyWentIn(t *testing.T) {
	s := newSealer(t)
	for _, name := range []string{
		`D'Angelo`, `D’Angelo`, `"Ada"`, `<script>alert(1)</script>`, `a\b`, `&amp;`, "x\u2028y\u2029z", "😀 Ada",
		"محمد", "Nguyễn", "Ñandù", "Ada\u202eoiggaM", "李小龍", "e\u0301", "\u00e9", `{"it":"x"}`, "a b", "-", "\ufeffAda", "\u007f", "Ⓐ",
	} {
		a := goodAward(t)
		a.Learner.GivenName, a.Learner.FamilyName = name, name
		p, err := open(seal(t, newDocument(t, a, goodIssue(t)), s))
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if got := p.View().HolderName; got != name+" "+name {
			t.Errorf("%q came back as %q", name, got)
		}
		if found := Errors(Lint(p.Envelope.Payload(), nil)); len(found) > 0 {
			t.Errorf("%q: %v", name, found)
		}
	}
}

func TestANameThatIsNotUTF8IsRefused(t *testing.T) {
	a := goodAward(t)
	a.Learner.GivenName = "Ad\xff"
	if d, err := NewDocument(a, goodIssue(t)); err == nil {
		t.Errorf("written as %.60q", d)
	}
}

func TestAPersonWithOneName(t *testing.T) {
	for _, l := range []Learner{{GivenName: "Sukarno"}, {FamilyName: "Sukarno"}} {
		a := goodAward(t)
		a.Learner = l
		d := newDocument(t, a, goodIssue(t))
		if found := Errors(Lint(d, &theSigner)); len(found) > 0 {
			t.Errorf("%+v: %v", l, found)
		}
		if n, _ := readJSON(d); holderName(n.get("credentialSubject")) != "Sukarno" {
			t.Errorf("%+v: read %q", l, holderName(n.get("credentialSubject")))
		}
	}
}

// A day is written as local midnight with the offset of that day, in winter
// and in summer, and reads as the same day.
func TestDaysDoNotShift(t *testing.T) {
	zone := rome(t)
	for _, day := range []Date{
		"2026-01-15", "2026-07-15", "2026-03-28", "2026-03-29", "2026-03-30", "2026-10-24", "2026-10-25", "2026-10-26", "2024-02-29", "2026-12-31",
	} {
		a := goodAward(t)
		a.CompletedOn = day
		i := goodIssue(t)
		i.At = time.Date(2026, 12, 31, 23, 59, 59, 0, zone)
		n, err := readJSON(newDocument(t, a, i))
		if err != nil {
			t.Fatal(err)
		}
		v := viewOf(n)
		if got := v.CompletedOn.Format(time.DateOnly); got != string(day) {
			t.Errorf("%s was read as %s", day, got)
		}
		if h, m, s := v.CompletedOn.Clock(); h+m+s != 0 {
			t.Errorf("%s was written at %v", day, v.CompletedOn)
		}
		_, offset := v.CompletedOn.Zone()
		if want, _ := day.Time(zone); !want.Equal(v.CompletedOn) {
			t.Errorf("%s was written as %v (offset %d)", day, v.CompletedOn, offset)
		}
		if got := v.Issued.Format(time.RFC3339); got != "2026-12-31T23:59:59+01:00" {
			t.Errorf("issued %s", got)
		}
	}
	for _, bad := range []Date{"", "2026-02-30", "29/05/2026", "2026-5-29", "2026-05-29T00:00:00Z"} {
		a := goodAward(t)
		a.CompletedOn = bad
		if _, err := NewDocument(a, goodIssue(t)); err == nil {
			t.Errorf("the day %q was accepted", bad)
		}
	}
}

// A birth date is its first moment by the clocks of the day: no reader, whether
// it keeps the offset or turns to the clocks of Rome, sees another day, and the
// offset is one that a dateTime can have. Before 1893 Rome was 49 minutes and 56
// seconds ahead of Greenwich; in 1979 summer time took the first hour of a day.
func TestABirthDateIsTheSameDayForEveryReader(t *testing.T) {
	for _, c := range []struct {
		zone string
		day  Date
		want string
	}{
		{"Europe/Rome", "1893-05-05", "1893-05-05T00:00:00+00:49"},
		{"Europe/Rome", "1893-11-01", "1893-11-01T00:00:00+01:00"},
		{"Europe/Rome", "1945-04-25", "1945-04-25T00:00:00+02:00"},
		{"Europe/Rome", "1943-09-08", "1943-09-08T00:00:00+02:00"},
		{"Europe/Rome", "1966-05-22", "1966-05-22T01:00:00+02:00"},
		{"Europe/Rome", "1979-05-27", "1979-05-27T01:00:00+02:00"},
		{"Europe/Rome", "1980-04-06", "1980-04-06T00:00:00+01:00"},
		{"Europe/Rome", "1980-09-28", "1980-09-28T00:00:00+02:00"},
		{"Europe/Rome", "1999-10-02", "1999-10-02T00:00:00+02:00"},
		{"Europe/Rome", "2000-02-29", "2000-02-29T00:00:00+01:00"},
		{"America/New_York", "1880-07-04", "1880-07-04T00:00:00-04:57"}, // 4:56:02 behind
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		a, i := goodAward(t), goodIssue(t)
		a.Learner.BirthDate, i.At = c.day, i.At.In(zone)
		var d struct{ CredentialSubject struct{ DateOfBirth string } }
		if err := json.Unmarshal(newDocument(t, a, i), &d); err != nil {
			t.Fatal(err)
		}
		got := d.CredentialSubject.DateOfBirth
		if got != c.want {
			t.Errorf("%s in %s is written %s, want %s", c.day, c.zone, got, c.want)
		}
		read, err := time.Parse(time.RFC3339, got)
		if err != nil || read.Format(time.DateOnly) != string(c.day) || read.In(zone).Format(time.DateOnly) != string(c.day) {
			t.Errorf("%s is read as %v and, by the clocks there, as %v (%v)", c.day, read, read.In(zone), err)
		}
	}
	zone := rome(t)
	for day := time.Date(1861, 3, 17, 12, 0, 0, 0, time.UTC); day.Year() < 2027; day = day.AddDate(0, 0, 1) {
		want := day.Format(time.DateOnly)
		first, err := Date(want).Time(zone)
		if err != nil {
			t.Fatal(err)
		}
		written, err := time.Parse(time.RFC3339, first.Format(time.RFC3339))
		if err != nil || !written.Equal(first) || written.Format(time.DateOnly) != want || written.In(zone).Format(time.DateOnly) != want {
			t.Fatalf("%s is written %v (%v)", want, first, err)
		}
	}
	apia, err := time.LoadLocation("Pacific/Apia")
	if err != nil {
		t.Fatal(err)
	}
	if at, err := Date("2011-12-30").Time(apia); err == nil {
		t.Errorf("a day that Samoa never had is %v", at)
	}
}

// What is personal and wrong is not repeated by the error.
func TestABirthDateThatIsNoneIsNotRepeated(t *testing.T) {
	a := goodAward(t)
	a.Learner.BirthDate = "31/12/1999"
	if _, err := NewDocument(a, goodIssue(t)); err == nil || strings.Contains(err.Error(), "1999") {
		t.Errorf("%v", err)
	}
}

// The national number stands with its country and its name; without them given,
// neither a birth date nor a number is in the document.
func TestANationalNumberOnlyWhereItIsGiven(t *testing.T) {
	a := goodAward(t)
	if d := string(newDocument(t, a, goodIssue(t))); strings.Contains(d, "nationalID") || strings.Contains(d, "dateOfBirth") {
		t.Error("a birth date or a number that nobody gave")
	}
	a.Learner.NationalID = &NationalID{Number: "RSSMRA80A01H501U", Country: "ITA", Scheme: "Codice fiscale"}
	d := newDocument(t, a, goodIssue(t))
	if found := Lint(d, &theSigner); len(found) > 0 {
		t.Errorf("%v", found)
	}
	n, err := readJSON(d)
	if err != nil {
		t.Fatal(err)
	}
	number := n.at("credentialSubject", "nationalID")
	if number.get("notation").text() != "RSSMRA80A01H501U" || number.at("spatial", "id").text() != countryPrefix+"ITA" || number.get("schemeName").text() != "Codice fiscale" {
		t.Errorf("%v", number)
	}
	a.Learner.NationalID.Country = "XXQ"
	if !rulesOf(Lint(newDocument(t, a, goodIssue(t)), &theSigner))["C01"] {
		t.Error("a country that is none")
	}
}

// A credential expires at the end of the day so many months later; where that
// month is shorter, of its last day. Both members say the same.
func TestExpiryKeepsToTheMonth(t *testing.T) {
	for _, c := range []struct {
		day    Date
		months int
		want   string
	}{
		{"2026-05-29", 24, "2028-05-29T23:59:59+02:00"},
		{"2026-01-31", 1, "2026-02-28T23:59:59+01:00"},
		{"2028-01-31", 1, "2028-02-29T23:59:59+01:00"},
		{"2028-02-29", 12, "2029-02-28T23:59:59+01:00"},
		{"2028-02-29", 48, "2032-02-29T23:59:59+01:00"},
		{"2026-08-31", 6, "2027-02-28T23:59:59+01:00"},
		{"2026-10-31", 13, "2027-11-30T23:59:59+01:00"},
		{"2026-12-31", 60, "2031-12-31T23:59:59+01:00"},
		{"2026-09-29", 1, "2026-10-29T23:59:59+01:00"}, // summer time ends in between
		{"2026-05-29", 0, "2026-05-29T23:59:59+02:00"},
	} {
		a := goodAward(t)
		a.CompletedOn, a.Module.ValidityMonths = c.day, &c.months
		var d struct{ ExpirationDate, ValidUntil string }
		if err := json.Unmarshal(newDocument(t, a, goodIssue(t)), &d); err != nil {
			t.Fatal(err)
		}
		if d.ExpirationDate != c.want || d.ValidUntil != c.want {
			t.Errorf("%s + %d months: %s, %s; want %s", c.day, c.months, d.ExpirationDate, d.ValidUntil, c.want)
		}
	}
	a := goodAward(t)
	a.Module.ValidityMonths = nil
	if d := string(newDocument(t, a, goodIssue(t))); strings.Contains(d, "expirationDate") || strings.Contains(d, "validUntil") {
		t.Error("a module without an end gave one")
	}
}

// A score is shown only where it can belong to one assessment alone, and that
// one is marked out of a hundred.
func TestAScoreIsShownOnlyWhereItIsUnambiguous(t *testing.T) {
	marked := Assessment{Type: "written", URI: "http://data.europa.eu/snb/assessment/6a4db9f11d", PassRule: Text{"it": "almeno 70/100", "en": "at least 70/100"}}
	unmarked := Assessment{Type: "practical", URI: marked.URI, PassRule: Text{"it": "tutte le prove", "en": "all tasks"}}
	for _, c := range []struct {
		name        string
		score       string
		assessments []Assessment
		want        []string
	}{
		{"one assessment out of a hundred", "87.5", []Assessment{marked}, []string{"Superato: 87,5/100"}},
		{"no score", "", []Assessment{marked}, []string{"Superato"}},
		{"a score of zero is one", "0", []Assessment{marked}, []string{"Superato: 0/100"}},
		{"one assessment without marks", "87.5", []Assessment{unmarked}, []string{"Superato"}},
		{"two assessments", "87.5", []Assessment{marked, unmarked}, []string{"Superato", "Superato"}},
		{"two assessments with marks", "87.5", []Assessment{marked, marked}, []string{"Superato", "Superato"}},
	} {
		a := goodAward(t)
		a.Score, a.Module.Assessments = c.score, c.assessments
		n, err := readJSON(newDocument(t, a, goodIssue(t)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, one := range viewOf(n).Assessments {
			got = append(got, one.Grade["it"])
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestPassMarkReadsTheRule(t *testing.T) {
	for rule, want := range map[string]int{
		"at least 70/100": 70, "100/100": 100, "70/1000": 0, "7/10": 0, "170/100": 0, "0170/100": 0, "": 0, "70 / 100": 0, "70/100 and 80/100": 70,
	} {
		if got := PassMark(Assessment{PassRule: Text{"en": rule}}); got != want {
			t.Errorf("%q: %d, want %d", rule, got, want)
		}
	}
	if got := PassMark(Assessment{PassRule: Text{"it": "almeno 60/100"}}); got != 60 {
		t.Errorf("the Italian rule alone: %d", got)
	}
}

// One id stands for one content, as the shapes demand and as linked data reads
// it; and every id is absolute.
func TestIdsStandForOneContent(t *testing.T) {
	for _, a := range fixtureModules(t) {
		n, err := readJSON(newDocument(t, a, goodIssue(t)))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]string{}
		everywhere(asDecoded(n), func(m map[string]any) {
			id, ok := m["id"].(string)
			if !ok {
				return
			}
			content := fmt.Sprint(m)
			if len(m) == 2 && m["type"] != nil {
				return // named, and described elsewhere
			}
			if before, ok := seen[id]; ok && before != content {
				t.Errorf("%s: %s stands for two contents", a.Module.Code, id)
			}
			if seen[id] = content; !absolute(id) {
				t.Errorf("%s: %s is not absolute", a.Module.Code, id)
			}
		})
	}
}

// The document holds the person's name and nothing else about the person.
func TestADocumentHoldsOnlyTheName(t *testing.T) {
	a := goodAward(t)
	a.Learner.Email, a.Learner.Ref, a.Learner.Language = "canary@example.org", "CANARY-1", "zz"
	a.Provider.Email, a.Edition = "provider-canary@example.org", "SN-11/2026/CANARY"
	d := strings.ToLower(string(newDocument(t, a, goodIssue(t))))
	if strings.Contains(d, "canary") || strings.Contains(d, `"zz"`) {
		t.Error("something else about the person, or the edition, stands in the document")
	}
}

// What belongs to no list is an error for whoever issues, with its place.
func TestAConceptOutsideItsListIsRefused(t *testing.T) {
	for name, change := range map[string]func(*Award){
		"EQF 99":              func(a *Award) { a.Module.Level.URI = "http://data.europa.eu/snb/eqf/99" },
		"EQF of another kind": func(a *Award) { a.Module.Level.URI = "http://data.europa.eu/snb/isced-f/0611" },
		"a field":             func(a *Award) { a.Module.Field.URI = "http://data.europa.eu/snb/isced-f/9999x" },
		"a country":           func(a *Award) { a.Provider.Country = "IT" },
		"a mode":              func(a *Award) { a.Module.Mode.URI = "online" },
		"a setting":           func(a *Award) { a.Module.Setting.URI = "x" },
		"an assessment":       func(a *Award) { a.Module.Assessments[0].URI = "http://data.europa.eu/snb/assessment/x" },
		"a supervision": func(a *Award) {
			a.Module.Assessments[0].Supervision.URI = "http://data.europa.eu/snb/supervision-verification/x"
		},
		"a reuse level": func(a *Award) { a.Module.Outcomes[0].Reusable = "http://data.europa.eu/snb/skill-reuse-level/x" },
	} {
		a := goodAward(t)
		change(&a)
		issue := goodIssue(t)
		found := Errors(Lint(newDocument(t, a, issue), &issue.Signer))
		if !slices.ContainsFunc(found, func(f Finding) bool { return f.Rule == "C01" && len(f.Path) > 1 }) {
			t.Errorf("%s: %v", name, found)
		}
	}
}

func TestNumberIsShortAndSafeForAnyID(t *testing.T) {
	for id, want := range map[string]string{
		"urn:credential:6c0f6c0e-8a55-4d0e-8b1e-3a8c8b0c9d11": "SN-11-6C0F6C0E",
		"urn:credential:abc": "SN-11-ABC",
		"":                   "SN-11-",
	} {
		if got := Number("SN-11", id); got != want {
			t.Errorf("%q: %q", id, got)
		}
	}
}

func TestAccreditationHoldsOnItsFirstAndLastDay(t *testing.T) {
	a := &Accreditation{ValidFrom: "2023-01-01", ValidUntil: "2026-06-30"}
	for day, want := range map[Date]bool{
		"2022-12-31": false, "2023-01-01": true, "2026-06-30": true, "2026-07-01": false, "": false,
	} {
		if a.On(day) != want {
			t.Errorf("%s: %v", day, !want)
		}
	}
	if (*Accreditation)(nil).On("2024-01-01") {
		t.Error("no accreditation holds")
	}
}

func TestTextInFallsBackToALanguageThatIsThere(t *testing.T) {
	for _, c := range []struct {
		text     Text
		ask      []string
		want, in string
	}{
		{Text{"it": "a", "en": "b", "de": "c"}, []string{"de"}, "c", "de"},
		{Text{"it": "a", "en": "b"}, []string{"de"}, "b", "en"},
		{Text{"it": "a"}, nil, "a", "it"},
		{Text{"sl": "z", "fr": "y"}, []string{"it"}, "y", "fr"},
		{Text{"it": "", "en": "b"}, []string{"it"}, "b", "en"},
		{nil, []string{"it"}, "", ""},
	} {
		if got, in := c.text.In(c.ask...); got != c.want || in != c.in {
			t.Errorf("%v in %v: %q, %q", c.text, c.ask, got, in)
		}
	}
}
