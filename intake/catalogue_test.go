package intake

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSampleCatalogues(t *testing.T) {
	for name, want := range map[string]struct{ modules, outcomes, hours int }{
		"catalogue_national_school.json": {12, 36, 216},
		"catalogue_jobseekers.json":      {6, 15, 104},
	} {
		modules, err := Catalogue(bytes.NewReader(sample(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		outcomes, total := 0, 0.0
		for _, m := range modules {
			outcomes += len(m.Outcomes)
			total += m.Workload.Total
		}
		if len(modules) != want.modules || outcomes != want.outcomes || int(total) != want.hours {
			t.Errorf("%s: %d modules, %d outcomes, %v hours, want %+v", name, len(modules), outcomes, total, want)
		}
	}
}

func TestSampleProviders(t *testing.T) {
	providers, err := Providers(bytes.NewReader(sample(t, "issuers.json")))
	if err != nil {
		t.Fatal(err)
	}
	if len(providers) != 3 || providers[0].Accreditation != nil || len(providers[0].Modules) != 12 {
		t.Fatalf("providers %+v, want three, the first without accreditation", providers)
	}
	if a := providers[2].Accreditation; !a.On("2026-06-30") || a.On("2026-07-01") {
		t.Error("the last day of an accreditation counts, the day after does not")
	}
}

const oneModule = `{"notice": "sample", "esco": "v1.2.1", "modules": [{
 "code": "XY-01", "version": "1.0", "status": "published", "type": "micro-credential",
 "title": {"it": "Prova", "en": "Trial"},
 "description": {"it": "Testo", "en": "Text"},
 "learning_outcomes": [{"id": "1", "text": {"it": "Sa fare", "en": "Can do"}, "skills": []}],
 "workload": {"hours_total": 7.5, "hours_contact": 4, "hours_online": 0, "hours_self_study": 3.5, "iso8601": "PT7H30M", "ects": null},
 "level": {"eqf": 2, "uri": "http://data.europa.eu/snb/eqf/2", "basis": "declared_by_issuer"},
 "assessment": [{"type": "practical", "uri": "http://data.europa.eu/snb/assessment/6a4db9f11d", "supervision": {"label": "", "uri": ""}, "pass_rule": null}],
 "language": "it", "validity_months": null, "min_attendance_percent": 75, "test_note": "allowed"
}]}`

const oneProvider = `{"issuers": [{
 "id": "iss-x", "name": {"it": "Ente", "en": "Body"}, "country": "ITA", "homepage": "https://x.example.org",
 "email": "a@x.example.org", "kind": "demo",
 "accreditation": {"register": "Albo", "number": "1", "valid_from": "2025-01-01", "valid_until": "2027-12-31"},
 "modules": ["XY-01"], "test_note": "allowed"
}]}`

type jsonCase struct{ name, from, to, want string }

// problems lists the code and the place of every problem, in order.
func problems(err error) string {
	var all []string
	for _, e := range FileErrors(err) {
		all = append(all, strings.TrimSuffix(e.Code+" "+e.Column, " "))
	}
	return strings.Join(all, "; ")
}

func runJSON(t *testing.T, base string, tests []jsonCase, read func(string) error) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(base, tt.from) {
				t.Fatalf("nothing to replace: %s", tt.from)
			}
			err := read(strings.Replace(base, tt.from, tt.to, 1))
			if diff := cmp.Diff(tt.want, problems(err)); diff != "" {
				t.Error(diff)
			}
			if (err != nil) != (tt.want != "") {
				t.Errorf("error %v, want problems %q", err, tt.want)
			}
			for _, e := range FileErrors(err) {
				if e.Message["it"] == "" || e.Remedy["en"] == "" || strings.Contains(e.Error(), "{0}") {
					t.Errorf("incomplete words: %v", e)
				}
			}
		})
	}
}

func TestCatalogueProblems(t *testing.T) {
	theAssessment := oneModule[strings.Index(oneModule, `{"type": "practical"`):strings.Index(oneModule, "],\n \"language\"")]
	const attendance = `"http://data.europa.eu/snb/assessment/7331eb4762"`
	tests := []jsonCase{
		{"in order", "", "", ""},
		{"byte order mark", "{\"notice", "\uFEFF{\"notice", ""},
		{"code in small letters", `"XY-01"`, `"xy-01"`, "invalid_module_code xy-01: code"},
		{"no code", `"code": "XY-01", `, ``, "invalid_module_code modules[0].code"},
		{"no version", `"version": "1.0"`, `"version": ""`, "missing_field XY-01: version"},
		{"no status and no type", `"status": "published", "type": "micro-credential",`, ``, "missing_field XY-01: status; missing_field XY-01: type"},
		{"no English title", `, "en": "Trial"`, ``, "missing_field XY-01: title.en"},
		{"title null", `{"it": "Prova", "en": "Trial"}`, `null`, "missing_field XY-01: title.it; missing_field XY-01: title.en"},
		{"title in a strange language", `"en": "Trial"`, `"en": "Trial", "<b>": "x"`, "unknown_language_code XY-01: title"},
		{"no outcomes", `"text": {"it": "Sa fare", "en": "Can do"}`, `"text": {"it": "Sa fare"}`, "missing_field XY-01: learning_outcomes[0].text.en"},
		{"hours do not add up", `"hours_online": 0`, `"hours_online": 1`, "hours_do_not_add_up XY-01: workload"},
		{"no hours", `"hours_total": 7.5`, `"hours_total": 0`, "invalid_hours XY-01: workload"},
		{"another duration", `PT7H30M`, `PT8H`, "duration_differs XY-01: workload.iso8601"},
		{"level nine", `"eqf": 2`, `"eqf": 9`, "invalid_level XY-01: level.eqf"},
		{"no assessment", theAssessment, ``, "missing_assessment XY-01: assessment"},
		{"attendance is no assessment", `"http://data.europa.eu/snb/assessment/6a4db9f11d"`, attendance, "attendance_only XY-01: assessment"},
		{"attendance beside an assessment", `"assessment": [`, `"assessment": [{"type": "level of attendance", "uri": ` + attendance + `},`, ""},
		{"attendance of 101", `"min_attendance_percent": 75`, `"min_attendance_percent": 101`, "invalid_min_attendance XY-01: min_attendance_percent"},
		{"validity of no months", `"validity_months": null`, `"validity_months": 0`, "invalid_validity XY-01: validity_months"},
		{"half a month", `"validity_months": null`, `"validity_months": 1.5`, "wrong_type XY-01: validity_months"},
		{"unknown field", `"hours_contact"`, `"hours_contacts": 1, "hours_contact"`, "unknown_field XY-01: workload.hours_contacts"},
		{"field in capitals", `"status"`, `"Status"`, "unknown_field XY-01: Status"},
		{"the same field twice", `"hours_online": 0`, `"hours_online": 0, "hours_online": 0`, "duplicate_field XY-01: workload.hours_online"},
		{"a number for a text", `"title": {"it": "Prova"`, `"title": {"it": 3`, "wrong_type XY-01: title.it"},
		{"a list for an object", `"level": {`, `"description": [], "test_note": "", "level": {`, "duplicate_field XY-01: description"},
		{"a NUL in a text", `"Prova"`, `"Pro\u0000va"`, "unreadable_text XY-01: title.it"},
		{"text that turns", `"Prova"`, "\"Pro\u202Eva\"", "unreadable_text XY-01: title.it"},
		{"several problems", `"title": {"it": "Prova", "en": "Trial"}`, `"titel": {}, "colour": 1`, "unknown_field XY-01: titel; unknown_field XY-01: colour"},
		{"no modules", oneModule, `{"modules": []}`, "no_modules modules"},
		{"another file", oneModule, oneProvider, "unknown_field issuers"},
		{"text after the end", oneModule, oneModule + "{}", "trailing_data"},
		{"cut short", oneModule, oneModule[:300], "invalid_json"},
		{"nothing", oneModule, "", "invalid_json"},
		{"null", oneModule, "null", "no_modules modules"},
		{"not UTF-8", "Prova", "Prov\xE0", "not_utf8"},
		{"very deep", `"test_note": "allowed"`, `"deep": ` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "unknown_field XY-01: deep; too_deep XY-01: deep" + strings.Repeat("[0]", 30)},
		{"the same module twice", oneModule, strings.TrimSuffix(oneModule, "]}") + "," + oneModule[strings.Index(oneModule, "[{")+1:], "repeated_module XY-01: code"},
	}
	runJSON(t, oneModule, tests, func(file string) error {
		modules, err := Catalogue(strings.NewReader(file))
		if err != nil && modules != nil {
			t.Error("modules beside an error")
		}
		return err
	})
}

func TestProviderProblems(t *testing.T) {
	tests := []jsonCase{
		{"in order", "", "", ""},
		{"no accreditation", `{"register": "Albo", "number": "1", "valid_from": "2025-01-01", "valid_until": "2027-12-31"}`, `null`, ""},
		{"no id", `"iss-x"`, `""`, "invalid_provider_id issuers[0].id"},
		{"no Italian name", `"it": "Ente", `, ``, "missing_field iss-x: name.it"},
		{"country in two letters", `"ITA"`, `"IT"`, "invalid_country iss-x: country"},
		{"homepage that runs", `https://x.example.org`, `javascript:alert(1)`, "invalid_homepage iss-x: homepage"},
		{"no e-mail address", `a@x.example.org`, `a at x`, "invalid_provider_email iss-x: email"},
		{"no register", `"Albo"`, `""`, "missing_field iss-x: accreditation.register"},
		{"a day that does not exist", `2027-12-31`, `2027-02-30`, "invalid_day iss-x: accreditation.valid_until"},
		{"dates the wrong way round", `2027-12-31`, `2024-12-31`, "dates_reversed iss-x: accreditation"},
		{"a module code that is none", `"XY-01"`, `"XY-01", "x y"`, "invalid_module_code iss-x: modules[1]"},
		{"a module twice", `"XY-01"`, `"XY-01", "XY-01"`, "repeated_module iss-x: modules[1]"},
		{"unknown field", `"kind"`, `"sort"`, "unknown_field iss-x: sort"},
		{"no providers", oneProvider, `{"issuers": []}`, "no_providers issuers"},
	}
	runJSON(t, oneProvider, tests, func(file string) error {
		_, err := Providers(strings.NewReader(file))
		return err
	})
}

func TestProblemsNameTheirLine(t *testing.T) {
	_, err := Catalogue(strings.NewReader(strings.Replace(oneModule, `"language"`, `"lingua"`, 1)))
	const want = "line 9: XY-01: lingua: This field is not known. Check the spelling of the name, or remove the field."
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
