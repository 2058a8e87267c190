package issuer_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"attesta/credentials"
	"attesta/display"
	"attesta/intake"
	"attesta/issuer"
	"attesta/registry"
)

// The fictional school: 145 completions, 125 credentials, and for each of the
// rest the reason that decides. A second run issues nothing.
func TestTheFixturesGiveWhatIsExpected(t *testing.T) {
	h := school(t)
	h.Issuer = h.newIssuer(t, display.Module)
	rows := h.completions(t, "completions_tot.csv", intake.ISO)
	first := h.issue(t, rows)
	want := map[string]int{"issued": 125, "not_eligible below_attendance": 5, "not_eligible failed": 10, "not_eligible withdrawn": 5}
	if diff := cmp.Diff(want, answers(first)); diff != "" {
		t.Error(diff)
	}
	var expected struct {
		Modules  map[string]int `json:"issuable_by_module"`
		Learners int            `json:"learners_with_at_least_one"`
	}
	if err := json.NewDecoder(fixture(t, "completions_expected.json")).Decode(&expected); err != nil {
		t.Fatal(err)
	}
	modules, people := map[string]int{}, map[string]bool{}
	for _, o := range first {
		if o.Record != nil {
			modules[o.Record.Module]++
			people[o.Record.Learner] = true
		}
	}
	if diff := cmp.Diff(expected.Modules, modules); diff != "" || len(people) != expected.Learners {
		t.Errorf("%d people; %s", len(people), diff)
	}

	second := h.issue(t, rows)
	want["already_issued"], want["issued"] = 125, 0
	delete(want, "issued")
	if diff := cmp.Diff(want, answers(second)); diff != "" {
		t.Error(diff)
	}
	for n := range first {
		if first[n].Record != nil && (second[n].Record == nil || first[n].Record.Credential != second[n].Record.Credential) {
			t.Errorf("%s: the second run gives another credential", first[n].RowID)
		}
	}
	if c := h.counts(t); c.Sealed != 125 || c.Reserved != 0 {
		t.Errorf("%+v", c)
	}
}

// Rows with mistakes get the answer that the file says, whether or not Italian
// habits of writing are allowed, and leave nothing behind.
func TestRowsWithMistakes(t *testing.T) {
	for _, locale := range []intake.Locale{intake.ISO, intake.Italian} {
		t.Run(string(locale), func(t *testing.T) {
			h := school(t)
			h.issue(t, h.completions(t, "completions_tot.csv", intake.ISO))
			want := map[string]string{
				"E01": "refused duplicate_of_existing", "E02": "refused unknown_learner", "E03": "refused unknown_module",
				"E04": "refused invalid_date", "E05": "refused date_in_future", "E06": "refused attendance_out_of_range",
				"E07": "refused invalid_date", "E08": "refused missing_learner", "E09": "refused unknown_result",
				"E10": "refused unknown_learner", "E11": "refused invalid_edition", "E12": "issued",
			}
			issued := uint64(126)
			if locale == intake.Italian {
				want["E07"] = "issued"
				issued = 127
			}
			rows := h.completions(t, "completions_errors.csv", locale)
			got := map[string]string{}
			for _, o := range h.issue(t, rows) {
				got[o.RowID] = strings.TrimSpace(string(o.Answer) + " " + o.Reason)
				if o.Answer != issuer.Refused {
					continue
				}
				if words := issuer.ReasonWords(o); words["it"] == "" || words["en"] == "" || words["en"] == o.Reason {
					t.Errorf("%s: %v", o.RowID, words)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if c := h.counts(t); c.Sealed != issued || c.Reserved != 0 {
				t.Errorf("%+v", c)
			}
			for _, o := range h.issue(t, rows) {
				if o.Answer == issuer.Issued {
					t.Errorf("%s was issued again", o.RowID)
				}
			}
		})
	}
}

// Within one file the second of two equal rows is a repeat, and one with other
// data a contradiction; a field that is not given contradicts nothing.
func TestRepeatedAndContradictingRowsInOneFile(t *testing.T) {
	h := school(t)
	got := h.issue(t, h.row(t, goodRow,
		strings.Replace(goodRow, "R1", "R2", 1),
		"R3,TOT25-001,SN-11,SN-11/2026/X,2026-05-29,87.5,passed,",
		"R4,TOT25-001,SN-11,SN-11/2026/X,2026-05-28,100,passed,",
		"R5,TOT25-001,SN-11,SN-11/2026/X,2026-05-29,100,passed,90",
		"R6,TOT25-001,SN-11,SN-11/2026/Y,2026-05-29,100,passed,",
		"R7,TOT25-001,SN-12,SN-12/2026/X,2026-05-29,100,passed,",
	))
	var short []string
	for _, o := range got {
		short = append(short, strings.TrimSpace(string(o.Answer)+" "+o.Reason))
	}
	want := []string{"issued", "already_issued", "refused duplicate_of_existing", "refused duplicate_of_existing", "already_issued", "issued", "issued"}
	if diff := cmp.Diff(want, short); diff != "" {
		t.Error(diff)
	}
	if got[0].Record.Credential != got[1].Record.Credential || got[0].Record.Credential == got[5].Record.Credential {
		t.Error("the wrong rows share a credential")
	}
	if got[2].Record != nil {
		t.Error("a refused row carries a credential")
	}
}

// An accreditation that has ended, or not begun, issues nothing; on its last
// day it still holds.
func TestAnAccreditationHoldsThroughItsLastDay(t *testing.T) {
	zone := rome(t)
	for at, want := range map[time.Time]string{
		time.Date(2026, 6, 30, 23, 59, 59, 0, zone): "issued",
		time.Date(2026, 6, 30, 0, 0, 0, 0, zone):    "issued",
		time.Date(2026, 7, 1, 0, 0, 0, 0, zone):     "refused accreditation_expired",
		time.Date(2026, 11, 21, 9, 0, 0, 0, zone):   "refused accreditation_expired",
	} {
		h := schoolOn(t, at)
		rows := h.row(t, "R1,GB-1,GB-04,GB-04/2026/A,2026-06-01,100,passed,")
		rows[0].Learner = "TOT25-001"
		o := h.issue(t, rows)[0]
		if got := strings.TrimSpace(string(o.Answer) + " " + o.Reason); got != want {
			t.Errorf("%v: %s", at, got)
		}
		if c := h.counts(t); (c.Sealed == 1) != (want == "issued") || c.Reserved != 0 {
			t.Errorf("%v: %+v", at, c)
		}
	}
}

// The result decides; a score below the rule is said and stops nothing.
func TestAScoreBelowTheRuleIsAWarning(t *testing.T) {
	h := school(t)
	warned := map[string]bool{}
	for _, o := range h.issue(t, h.completions(t, "completions_tot.csv", intake.ISO)) {
		for _, f := range o.Findings {
			if f.Code != "score_below_rule" {
				t.Errorf("%s: %s", o.RowID, f.Code)
				continue
			}
			if f.Severity != intake.Warning || f.Column != "score" || f.Message["it"] == "" || f.Remedy["en"] == "" || o.Answer != issuer.Issued {
				t.Errorf("%s: %+v", o.RowID, f)
			}
			warned[o.RowID] = true
		}
	}
	if diff := cmp.Diff(map[string]bool{"C0046": true, "C0061": true, "C0062": true, "C0063": true}, warned); diff != "" {
		t.Error(diff)
	}
}

// The rules of a module at their edges.
func TestAttendanceAtTheEdge(t *testing.T) {
	h := school(t)
	for n, c := range []struct {
		attendance, result, want string
	}{
		{"75", "passed", "issued"},
		{"75.0", "passed", "issued"},
		{"74.99", "passed", "not_eligible below_attendance"},
		{"100", "failed", "not_eligible failed"},
		{"100", "withdrawn", "not_eligible withdrawn"},
		{"0", "passed", "not_eligible below_attendance"},
	} {
		rows := h.row(t, fmt.Sprintf("R1,TOT25-001,SN-11,SN-11/2026/Z%d,2026-05-29,%s,%s,", n, c.attendance, c.result))
		o := h.issue(t, rows)[0]
		if got := strings.TrimSpace(string(o.Answer) + " " + o.Reason); got != c.want {
			t.Errorf("%s %s: %s", c.attendance, c.result, got)
		}
	}
	// A row that did not come through intake proves nothing by what it lacks.
	for name, change := range map[string]func(*intake.Completion){
		"no result":            func(c *intake.Completion) { c.Result = "" },
		"an invented result":   func(c *intake.Completion) { c.Result = "maybe" },
		"no attendance":        func(c *intake.Completion) { c.Attendance = "" },
		"attendance NaN":       func(c *intake.Completion) { c.Attendance = "NaN" },
		"attendance in words":  func(c *intake.Completion) { c.Attendance = "all" },
		"attendance below":     func(c *intake.Completion) { c.Attendance = "-100" },
		"the result withdrawn": func(c *intake.Completion) { c.Result = intake.Withdrawn },
	} {
		rows := h.row(t, "R1,TOT25-001,SN-11,SN-11/2026/W,2026-05-29,100,passed,")
		change(&rows[0])
		if o := h.issue(t, rows)[0]; o.Answer != issuer.NotEligible {
			t.Errorf("%s: %s", name, o.Answer)
		}
	}
}

// What is stored is what was sealed, and it says what was meant: the learner,
// the module, the provider, the position in the list.
func TestStoredCredentialsSayWhatWasMeant(t *testing.T) {
	h := school(t)
	for _, o := range h.issue(t, h.completions(t, "completions_tot.csv", intake.ISO))[:40] {
		if o.Record == nil {
			continue
		}
		data, parsed := h.sealed(t, o.Record)
		if fmt.Sprintf("%x", digestOf(data)) != o.Record.Digest {
			t.Errorf("%s: the digest is another", o.RowID)
		}
		v := parsed.View()
		people, err := h.registry.Learners(t.Context(), []string{o.Record.Learner})
		if err != nil {
			t.Fatal(err)
		}
		person := people[o.Record.Learner]
		if v.ID != o.Record.Credential || v.HolderName != person.GivenName+" "+person.FamilyName ||
			v.CompletedOn.Format(time.DateOnly) != o.Record.Facts.CompletedOn || !v.Issued.Equal(theDay(t)) ||
			!parsed.Envelope.SealedAt.Equal(theDay(t)) {
			t.Errorf("%s: %+v", o.RowID, v)
		}
		if len(v.Status) != 2 || v.Status[0].Index != fmt.Sprint(o.Record.Index) || v.Status[0].List != publicURL+"/status/"+o.Record.List+"/revocation" {
			t.Errorf("%s: %+v", o.RowID, v.Status)
		}
		if found := credentials.Lint(parsed.Envelope.Payload(), nil); len(found) > 0 {
			t.Errorf("%s: %v", o.RowID, found)
		}
		if got := h.ClaimAddress(*o.Record); !strings.HasPrefix(got, publicURL+"/c/") || strings.Contains(got, o.Record.Handle) {
			t.Errorf("claim address %s", got)
		}
		if got := h.CheckAddress(*o.Record); got != publicURL+"/v/"+o.Record.Handle {
			t.Errorf("check address %s", got)
		}
	}
}

// A credential that would not be complete is refused before anything is
// reserved for it.
func TestAnIncompleteDocumentReservesNothing(t *testing.T) {
	h := school(t)
	m := modules(t, "catalogue_national_school.json")[10]
	for name, change := range map[string]func(*credentials.Module){
		"without quality assurance":      func(m *credentials.Module) { m.QualityAssurance = nil },
		"without outcomes":               func(m *credentials.Module) { m.Outcomes = nil },
		"without an English title":       func(m *credentials.Module) { m.Title = credentials.Text{"it": "x"} },
		"with an EQF level that is none": func(m *credentials.Module) { m.Level.URI = "http://data.europa.eu/snb/eqf/99" },
		"without assessment":             func(m *credentials.Module) { m.Assessments = nil },
		"assessed by attendance": func(m *credentials.Module) {
			m.Assessments = []credentials.Assessment{{Type: "attendance", URI: "http://data.europa.eu/snb/assessment/7331eb4762"}}
		},
	} {
		bad := m
		bad.Version = "9." + fmt.Sprint(len(name)) + name[:1]
		change(&bad)
		var incomplete *issuer.IncompleteError
		if _, err := h.AddModules(t.Context(), []credentials.Module{bad}); !errors.As(err, &incomplete) || len(incomplete.Findings[bad.Code]) == 0 {
			t.Errorf("%s: admitted, %v", name, err)
		}
		// A module that came into the registry by another way.
		spec, err := json.Marshal(bad)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.registry.PutModules(t.Context(), []registry.Module{{Code: bad.Code, Version: bad.Version, Provider: "iss-scuola", Spec: spec}}, theDay(t)); err != nil {
			t.Fatal(err)
		}
		o := h.issue(t, h.row(t, goodRow))[0]
		if o.Answer != issuer.Refused || o.Reason != "document_incomplete" || len(o.Findings) == 0 {
			t.Errorf("%s: %s %s", name, o.Answer, o.Reason)
		}
	}
	if c := h.counts(t); c.Reserved+c.Sealed != 0 {
		t.Errorf("%+v", c)
	}
}

// A learner without any name gives no credential.
func TestALearnerWithoutANameIsRefused(t *testing.T) {
	h := school(t)
	if err := h.registry.PutLearners(t.Context(), []registry.Learner{{Ref: "NOBODY"}}, theDay(t)); err != nil {
		t.Fatal(err)
	}
	o := h.issue(t, h.row(t, goodRow, "R2,NOBODY,SN-11,SN-11/2026/X,2026-05-29,100,passed,"))[1]
	if o.Answer != issuer.Refused || o.Reason != "document_incomplete" {
		t.Errorf("%s %s", o.Answer, o.Reason)
	}
	if c := h.counts(t); c.Reserved != 0 || c.Sealed != 1 {
		t.Errorf("%+v", c)
	}
}

// The picture of a credential is that of the module as it is issued: what was
// drawn for another text of the same version, or before the provider changed
// its name, is not used.
func TestPicturesAreOfTheModuleAsItIsIssued(t *testing.T) {
	h := school(t)
	h.Issuer = h.newIssuer(t, func(p credentials.Provider, m credentials.Module, _ string) ([]byte, error) {
		return []byte(p.Name["it"] + " / " + m.Title["it"]), nil
	})
	m := modules(t, "catalogue_national_school.json")[10]
	title := m.Title["it"]
	m.Title = credentials.Text{"it": "Altro titolo", "en": "Another title"}
	if _, err := h.AddModules(t.Context(), []credentials.Module{m}); !errors.Is(err, registry.ErrConflict) {
		t.Fatalf("another text of the same version: %v", err)
	}
	picture := func(edition string) string {
		o := h.issue(t, h.row(t, strings.Replace(goodRow, "2026/X", "2026/"+edition, 1)))[0]
		_, parsed := h.sealed(t, o.Record)
		var d struct {
			Display struct {
				Pages []struct {
					Detail []struct {
						Image struct{ Content []byte }
					} `json:"displayDetail"`
				} `json:"individualDisplay"`
			} `json:"displayParameter"`
		}
		if err := json.Unmarshal(parsed.Envelope.Payload(), &d); err != nil {
			t.Fatal(err)
		}
		return string(d.Display.Pages[0].Detail[0].Image.Content)
	}
	all := providers(t)
	if got := picture("A"); got != all[0].Name["it"]+" / "+title {
		t.Errorf("the picture is %s", got)
	}
	all[0].Name["it"] = "Nome Nuovo"
	if _, err := h.AddProviders(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	h.rotate(t, all[0])
	if got := picture("B"); got != "Nome Nuovo / "+title {
		t.Errorf("the picture after the change of name is %s", got)
	}
}

// A row is answered for itself alone: of two slices the second does not know
// the first, and still finds its records.
func TestRowsBeyondOneSlice(t *testing.T) {
	h := school(t)
	var lines []string
	for n := range 450 {
		lines = append(lines, fmt.Sprintf("R%d,TOT25-001,SN-11,SN-11/2026/K%d,2026-05-29,100,passed,", n, n%440))
	}
	got := answers(h.issue(t, h.row(t, lines...)))
	if diff := cmp.Diff(map[string]int{"issued": 440, "already_issued": 10}, got); diff != "" {
		t.Error(diff)
	}
	if len(h.places(t)) != 440 {
		t.Error("places")
	}
}

// The store holds nothing of a sealed record's intent, and no intent in words
// of the log.
func TestNothingOfThePlanStaysBehind(t *testing.T) {
	h := school(t)
	o := h.issue(t, h.row(t, goodRow))[0]
	if len(o.Record.Body) != 0 {
		t.Error("the intent stays")
	}
	open, err := h.registry.Unfinished(t.Context(), 0, 10)
	if err != nil || len(open) != 0 {
		t.Errorf("%d unfinished, %v", len(open), err)
	}
	if bytes.Contains([]byte(fmt.Sprint(o.Record)), []byte("Esempio")) {
		t.Error("a name stands in the record")
	}
}
