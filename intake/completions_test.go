package intake

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"attesta/credentials"
)

const today = credentials.Date("2026-11-21")

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func codes(findings []Finding) string {
	var all []string
	for _, f := range findings {
		all = append(all, f.Code)
	}
	return strings.Join(all, " ")
}

func TestCompletionsErrorsFile(t *testing.T) {
	// Rows whose mistake only the issuer can see (a known key, an unknown
	// learner, an unknown module) are in order here.
	tests := []struct{ row, iso, italian string }{
		{"E01", "", ""},
		{"E02", "", ""},
		{"E03", "", ""},
		{"E04", "invalid_date", "invalid_date"},
		{"E05", "date_in_future", "date_in_future"},
		{"E06", "attendance_out_of_range", "attendance_out_of_range"},
		{"E07", "invalid_date invalid_attendance unknown_result", ""},
		{"E08", "missing_learner", "missing_learner"},
		{"E09", "unknown_result", "unknown_result"},
		{"E10", "", ""},
		{"E11", "invalid_edition", "invalid_edition"},
		{"E12", "", ""},
	}
	for _, locale := range []Locale{ISO, Italian} {
		rows, err := Completions(bytes.NewReader(sample(t, "completions_errors.csv")), Options{Locale: locale, Today: today})
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != len(tests) {
			t.Fatalf("%s: %d rows, want %d", locale, len(rows), len(tests))
		}
		for i, tt := range tests {
			want := tt.iso
			if locale == Italian {
				want = tt.italian
			}
			got := rows[i]
			if got.RowID != tt.row || got.Line != i+2 || codes(got.Findings) != want || got.Usable() != (want == "") {
				t.Errorf("%s: line %d row %s findings %q, want row %s findings %q", locale, got.Line, got.RowID, codes(got.Findings), tt.row, want)
			}
		}
	}
}

func TestCompletionsKeepAFormulaAsReference(t *testing.T) {
	rows, err := Completions(bytes.NewReader(sample(t, "completions_errors.csv")), Options{Today: today})
	if err != nil {
		t.Fatal(err)
	}
	const formula = `=HYPERLINK("http://x.example.org","clic")`
	if rows[9].Learner != formula {
		t.Errorf("learner %q, want %q", rows[9].Learner, formula)
	}
	if got := Neutral(rows[9].Learner); got != "'"+formula {
		t.Errorf("for a spreadsheet %q, want a leading apostrophe", got)
	}
}

func TestCompletionsShowWhatWasChanged(t *testing.T) {
	rows, err := Completions(bytes.NewReader(sample(t, "completions_errors.csv")), Options{Locale: Italian, Today: today})
	if err != nil {
		t.Fatal(err)
	}
	want := []Completion{
		{
			Line: 8, RowID: "E07", Learner: "TOT25-006", Module: "SN-11", Edition: "SN-11/2026/B",
			CompletedOn: "2026-05-29", Attendance: "87.5", Result: Passed,
			Adjusted: []Adjustment{
				{"completion_date", "29/05/2026", "2026-05-29"},
				{"attendance_percent", "87,5", "87.5"},
				{"result", "idoneo", "passed"},
			},
		},
		{
			Line: 13, RowID: "E12", Learner: "TOT25-009", Module: "SN-11", Edition: "SN-11/2026/C",
			CompletedOn: "2026-05-29", Attendance: "100", Result: Passed,
			Adjusted: []Adjustment{
				{"learner_id", "TOT25-009 ", "TOT25-009"},
				{"module_code", " sn-11", "SN-11"},
				{"attendance_percent", "100 %", "100"},
				{"result", "Passed", "passed"},
			},
		},
	}
	if diff := cmp.Diff(want, []Completion{rows[6], rows[11]}); diff != "" {
		t.Error(diff)
	}
}

func TestCompletionsTotals(t *testing.T) {
	rows, err := Completions(bytes.NewReader(sample(t, "completions_tot.csv")), Options{Today: today})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, c := range rows {
		if len(c.Findings) > 0 || len(c.Adjusted) > 0 {
			t.Errorf("%s: findings %q, adjusted %v, want none", c.RowID, codes(c.Findings), c.Adjusted)
		}
		percent, err := strconv.ParseFloat(c.Attendance, 64)
		if err != nil {
			t.Errorf("%s: attendance %q", c.RowID, c.Attendance)
		}
		key := string(c.Result)
		if c.Result == Passed && percent < 75 {
			key = "passed, too little attendance"
		}
		got[key]++
		if c.Result == Withdrawn && c.Score != "" {
			t.Errorf("%s: score %q, want none: empty is not zero", c.RowID, c.Score)
		}
	}
	want := map[string]int{"passed": 125, "passed, too little attendance": 5, "failed": 10, "withdrawn": 5}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// oneRow reads a file of one row in which one cell is replaced.
func oneRow(t *testing.T, locale Locale, column, cell string) Completion {
	t.Helper()
	names := []string{"learner_id", "module_code", "edition", "completion_date", "attendance_percent", "result", "score"}
	cells := map[string]string{
		"learner_id": "TOT25-001", "module_code": "SN-11", "edition": "SN-11/2026/TOT25",
		"completion_date": "2026-05-29", "attendance_percent": "87.5", "result": "passed", "score": "73",
	}
	cells[column] = cell
	var line []string
	for _, n := range names {
		line = append(line, `"`+strings.ReplaceAll(cells[n], `"`, `""`)+`"`)
	}
	rows, err := Completions(strings.NewReader(strings.Join(names, ",")+"\n"+strings.Join(line, ",")+"\n"), Options{Locale: locale, Today: today})
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows, error %v", len(rows), err)
	}
	return rows[0]
}

func TestCompletionCells(t *testing.T) {
	tests := []struct {
		locale             Locale
		column, cell       string
		want, wantFindings string
	}{
		{ISO, "attendance_percent", "74.99", "74.99", ""},
		{ISO, "attendance_percent", "75", "75", ""},
		{ISO, "attendance_percent", "75.0", "75", ""},
		{ISO, "attendance_percent", "75,0", "", "invalid_attendance"},
		{Italian, "attendance_percent", "75,0", "75", ""},
		{Italian, "attendance_percent", "87,5\u00A0%", "87.5", ""},
		{ISO, "attendance_percent", "0", "0", ""},
		{ISO, "attendance_percent", "100.01", "", "attendance_out_of_range"},
		{ISO, "attendance_percent", "-1", "", "attendance_out_of_range"},
		{ISO, "attendance_percent", "1e2", "", "invalid_attendance"},
		{ISO, "attendance_percent", "NaN", "", "invalid_attendance"},
		{ISO, "attendance_percent", "", "", "missing_attendance"},
		{ISO, "completion_date", "2026-02-29", "", "invalid_date"},
		{ISO, "completion_date", "2024-02-29", "2024-02-29", ""},
		{ISO, "completion_date", "2026-11-21", "2026-11-21", ""},
		{ISO, "completion_date", "2026-11-22", "", "date_in_future"},
		{ISO, "completion_date", "0026-05-29", "", "invalid_date"},
		{ISO, "completion_date", "", "", "missing_date"},
		{Italian, "completion_date", "9/5/2026", "2026-05-09", ""},
		{Italian, "completion_date", "31/02/2026", "", "invalid_date"},
		{Italian, "completion_date", "29/05/26", "", "invalid_date"},
		{Italian, "result", "Non  Idonea", "failed", ""},
		{Italian, "result", "RITIRATO", "withdrawn", ""},
		{ISO, "result", "ritirato", "", "unknown_result"},
		{ISO, "result", "", "", "missing_result"},
		{ISO, "score", "", "", ""},
		{ISO, "score", "073.50", "73.5", ""},
		{ISO, "score", "30 e lode", "", "invalid_score"},
		{ISO, "score", "-3", "", "invalid_score"},
		{ISO, "module_code", "", "", "missing_module"},
		{ISO, "module_code", "SN 11", "", "invalid_reference"},
		{ISO, "module_code", "\u017Fn-11", "", "invalid_reference"}, // the long s is no S
		{ISO, "edition", "", "", "missing_edition"},
		{ISO, "edition", "sn-11/2026/B", "SN-11/2026/B", ""},
		{ISO, "edition", "SN-11/2026/tot25", "SN-11/2026/TOT25", ""}, // one edition has one name
		{ISO, "edition", "SN-11/2026/\u017F", "", "invalid_edition"}, // the long s is no S
		{ISO, "edition", "SN-12/2026/B", "", "invalid_edition"},
		{ISO, "edition", "SN-11/26/B", "", "invalid_edition"},
		{ISO, "edition", "SN-11/2026/.B", "", "invalid_edition"},
		{ISO, "edition", "SN-11/2026/B/C", "", "invalid_edition"},
		{ISO, "learner_id", "\u00A0TOT25-001\u00A0", "TOT25-001", ""},
		{ISO, "learner_id", "tot25-001", "tot25-001", ""}, // case is the provider's business
		{ISO, "learner_id", "\u00A0", "", "missing_learner"},
		{ISO, "learner_id", "TOT\n25", "", "invalid_reference"},
		{ISO, "learner_id", strings.Repeat("x", 129), "", "invalid_reference"},
	}
	for _, tt := range tests {
		c := oneRow(t, tt.locale, tt.column, tt.cell)
		got := map[string]string{
			"learner_id": c.Learner, "module_code": c.Module, "edition": c.Edition, "completion_date": string(c.CompletedOn),
			"attendance_percent": c.Attendance, "result": string(c.Result), "score": c.Score,
		}[tt.column]
		if got != tt.want || codes(c.Findings) != tt.wantFindings {
			t.Errorf("%s %s %q: got %q with %q, want %q with %q", tt.locale, tt.column, tt.cell, got, codes(c.Findings), tt.want, tt.wantFindings)
		}
		for _, f := range c.Findings {
			if f.Column != tt.column || f.Line != 2 || f.Message["it"] == "" || f.Message["en"] == "" || f.Remedy["it"] == "" || f.Remedy["en"] == "" {
				t.Errorf("%s %q: incomplete finding %+v", tt.column, tt.cell, f)
			}
		}
	}
}

// TestTheCapitalsOfAnEditionAreShown: rows that differ in the letters of the
// edition alone are of one edition, and the clerk sees what was changed.
func TestTheCapitalsOfAnEditionAreShown(t *testing.T) {
	small, large := oneRow(t, ISO, "edition", "sn-11/2026/tot25"), oneRow(t, ISO, "edition", "SN-11/2026/TOT25")
	if small.Edition != large.Edition || len(large.Adjusted) > 0 {
		t.Errorf("two editions: %q and %q", small.Edition, large.Edition)
	}
	want := []Adjustment{{"edition", "sn-11/2026/tot25", "SN-11/2026/TOT25"}}
	if diff := cmp.Diff(want, small.Adjusted); diff != "" {
		t.Error(diff)
	}
}

func TestWithdrawnNeedsNoAttendance(t *testing.T) {
	const head = "learner_id,module_code,edition,completion_date,attendance_percent,result\n"
	rows, err := Completions(strings.NewReader(head+"A,SN-11,SN-11/2026/B,2026-05-29,,withdrawn\nA,SN-11,SN-11/2026/B,2026-05-29,,failed\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := codes(rows[0].Findings) + "|" + codes(rows[1].Findings); got != "|missing_attendance" {
		t.Errorf("findings %q, want none for who withdrew", got)
	}
}

func TestFindingsAreInTheOrderOfTheColumns(t *testing.T) {
	const file = "result;score;attendance_percent;completion_date;edition;module_code;learner_id\n;;;;;;\nx;x;x;x;x;;\n;1;;;;;\n"
	rows, err := Completions(strings.NewReader(file), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"3 missing_learner missing_module invalid_edition invalid_date invalid_attendance unknown_result invalid_score",
		"4 missing_learner missing_module missing_edition missing_date missing_attendance missing_result",
	}
	var got []string
	for _, r := range rows {
		got = append(got, fmt.Sprint(r.Line, " ", codes(r.Findings)))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func utf16File(s string, little bool) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune("\uFEFF" + s)) {
		if little {
			b = append(b, byte(u), byte(u>>8))
		} else {
			b = append(b, byte(u>>8), byte(u))
		}
	}
	return b
}

func TestEveryWayOfSavingGivesTheSameRows(t *testing.T) {
	plain := string(sample(t, "completions_tot.csv"))
	want, err := Completions(strings.NewReader(plain), Options{Today: today})
	if err != nil {
		t.Fatal(err)
	}
	semicolons := strings.ReplaceAll(plain, ",", ";")
	tests := map[string][]byte{
		"UTF-8 with mark":   []byte("\uFEFF" + plain),
		"UTF-16 little":     utf16File(plain, true),
		"UTF-16 big":        utf16File(plain, false),
		"semicolon, CRLF":   []byte(strings.ReplaceAll(semicolons, "\n", "\r\n")),
		"tab":               []byte(strings.ReplaceAll(plain, ",", "\t")),
		"carriage return":   []byte(strings.ReplaceAll(plain, "\n", "\r")),
		"columns in quotes": []byte(strings.Replace(plain, "learner_id", `" Learner_ID "`, 1)),
	}
	for name, file := range tests {
		got, err := Completions(bytes.NewReader(file), Options{Today: today})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	got, err := Completions(strings.NewReader("sep=;\r\n"+semicolons), Options{Today: today})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) || got[0].Line != 3 {
		t.Errorf("sep=;: %d rows, the first on line %d, want %d and line 3", len(got), got[0].Line, len(want))
	}
}

func TestLinesAreThoseOfTheFile(t *testing.T) {
	const file = "\n\nlearner_id,module_code,edition,completion_date,attendance_percent,result,note\n" +
		"A,SN-11,SN-11/2026/B,2026-05-29,90,passed,\"due\nrighe\"\n,,,,,,\nB,SN-11,SN-11/2026/B,2026-05-29,90,passed\n"
	rows, err := Completions(strings.NewReader(file), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || rows[0].Line != 4 || rows[1].Line != 7 {
		t.Errorf("rows %+v, want lines 4 and 7", rows)
	}
}
