package intake

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"attesta/registry"
)

func learners(t *testing.T, file []byte) ([]registry.Learner, []Finding) {
	t.Helper()
	list, findings, err := Learners(bytes.NewReader(file), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return list, findings
}

func TestLearnersOfTheSamples(t *testing.T) {
	for name, want := range map[string]int{
		"cohort_tot_25.csv": 25, "cohort_toolkit_15.csv": 15, "cohort_jobseekers_12.csv": 12, "cohort_tot_25_excel_it_cp1252.csv": 25,
	} {
		list, findings := learners(t, sample(t, name))
		if len(list) != want || len(findings) > 0 {
			t.Errorf("%s: %d learners, findings %q, want %d and none", name, len(list), codes(findings), want)
		}
	}
	list, _ := learners(t, sample(t, "cohort_tot_25.csv"))
	want := registry.Learner{
		Ref: "TOT25-001", GivenName: "Niccolò", FamilyName: "D’Angelo", Email: "niccolo.dangelo@tot.example.org",
		Language: "it", Employer: "CPI Milano Esempio", Region: "Lombardia", Role: "formatore",
	}
	if diff := cmp.Diff(want, list[0]); diff != "" {
		t.Error(diff)
	}
}

// A spreadsheet on an Italian Windows loses the letters that Windows-1252 does
// not have; everything else of the list must come back the same.
func TestWindows1252ListDiffersInTwoNames(t *testing.T) {
	want, _ := learners(t, sample(t, "cohort_tot_25.csv"))
	got, _ := learners(t, sample(t, "cohort_tot_25_excel_it_cp1252.csv"))
	var differ []string
	for i := range want {
		want[i].Role = "" // the spreadsheet has no such column
		if want[i] != got[i] {
			differ = append(differ, want[i].Ref)
			want[i].GivenName, want[i].FamilyName = got[i].GivenName, got[i].FamilyName
		}
		if diff := cmp.Diff(want[i], got[i]); diff != "" {
			t.Errorf("more than a name differs: %s", diff)
		}
	}
	if diff := cmp.Diff([]string{"TOT25-003", "TOT25-006"}, differ); diff != "" {
		t.Error(diff)
	}
}

func TestNamesAreKept(t *testing.T) {
	for in, want := range map[string]string{
		"D’Angelo":              "D’Angelo",
		"D'Angelo":              "D'Angelo",
		" Lo Presti\u00A0":      "Lo Presti",
		"de la CRUZ":            "de la CRUZ",
		"Niccolo\u0300":         "Niccolò", // decomposed accents are put together
		"محمد":                  "محمد",
		"Коваленко":             "Коваленко",
		"王秀":                    "王秀",
		"می\u200Cخواهم":         "می\u200Cخواهم", // the joiner belongs to the word
		"Čapek-Řeháková":        "Čapek-Řeháková",
		"=Rossi":                "=Rossi", // made safe where it is written out, not here
		"De\u00A0Santis":        "De\u00A0Santis",
		"Kowalczyk  Ferri":      "Kowalczyk  Ferri",
		"\uFEFFRossi\u200B":     "Rossi",
		"Maria \"Mimma\" Bruno": "Maria \"Mimma\" Bruno",
	} {
		file := "learner_id,given_name,family_name\nA,Ada,\"" + strings.ReplaceAll(in, `"`, `""`) + "\"\n"
		list, findings := learners(t, []byte(file))
		if len(list) != 1 || len(findings) > 0 || list[0].FamilyName != want {
			t.Errorf("%q: %+v with %q, want %q", in, list, codes(findings), want)
		}
	}
}

func TestMistakesInAClassList(t *testing.T) {
	const head = "learner_id,given_name,family_name,email,preferred_language,region\n"
	tests := []struct {
		name, rows, wantRefs, wantFindings string
	}{
		{"in order", "A,Ada,Rossi,ada@x.example.org,it,\n", "A", ""},
		{"no code", ",Ada,Rossi,,it,\n", "", "missing_learner"},
		{"no names", "A,,,,it,\n", "", "missing_name"},
		{"one name is possible", "A,Suharto,,,it,\n", "A", "one_name_only"},
		{"e-mail without domain", "A,Ada,Rossi,ada@,it,\n", "", "invalid_email"},
		{"e-mail with a name", "A,Ada,Rossi,Ada <ada@x.example.org>,it,\n", "", "invalid_email"},
		{"two e-mails", "A,Ada,Rossi,\"a@x.example.org, b@x.example.org\",it,\n", "", "invalid_email"},
		{"unknown language", "A,Ada,Rossi,,klingon,\n", "A", "unknown_language"},
		{"language in words", "A,Ada,Rossi,,TEDESCO,\n", "A", ""},
		{"name on two lines", "A,Ada,\"Ros\nsi\",,it,\n", "", "invalid_text"},
		{"name that turns the text", "A,Ada,Ros\u202Esi,,it,\n", "", "invalid_text"},
		{"name with a lost letter", "A,Ada,Ros\uFFFDi,,it,\n", "", "invalid_text"},
		{"region too long", "A,Ada,Rossi,,it," + strings.Repeat("x", 300) + "\n", "", "invalid_text"},
		{"the same row again", "A,Ada,Rossi,,it,\nA,Ada ,Rossi,,it,\n", "A", ""},
		{"the same code, other data", "A,Ada,Rossi,,it,\nB,Eva,Neri,,it,\nA,Ada,Bianchi,,it,\n", "B", "conflicting_learner"},
		{"two people with one name", "A,Ada,Rossi,,it,\nB,Ada,Rossi,,it,\n", "A B", ""},
	}
	for _, tt := range tests {
		list, findings := learners(t, []byte(head+tt.rows))
		var refs []string
		for _, l := range list {
			refs = append(refs, l.Ref)
		}
		if got := strings.Join(refs, " "); got != tt.wantRefs || codes(findings) != tt.wantFindings {
			t.Errorf("%s: read %q with %q, want %q with %q", tt.name, got, codes(findings), tt.wantRefs, tt.wantFindings)
		}
	}
}

func TestAClassListWithoutRows(t *testing.T) {
	for _, file := range []string{"learner_id,given_name,family_name", "learner_id,given_name,family_name\n,,\n"} {
		list, findings, err := Learners(strings.NewReader(file), Options{})
		if wrong, ok := errors.AsType[*FileError](err); !ok || wrong.Code != "no_rows" || list != nil || findings != nil {
			t.Errorf("%q: %v, %v, %v, want a FileError no_rows", file, list, findings, err)
		}
	}
}

func TestLanguagesInWords(t *testing.T) {
	for in, want := range map[string]string{
		"Italiano": "it", "Tedesco": "de", "Francese": "fr", "Inglese": "en", "IT": "it", "de-IT": "de", "pt_BR": "pt", "": "", "boh": "",
	} {
		if got := languageOf(in); got != want {
			t.Errorf("languageOf(%q) = %q, want %q", in, got, want)
		}
	}
}
