package intake

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

const fuzzBytes = 64 << 10

// twice reads the same bytes two times and compares what came out.
func twice(t *testing.T, read func() string) {
	t.Helper()
	if first, second := read(), read(); first != second {
		t.Errorf("two answers to one file:\n%s\n%s", first, second)
	}
}

func FuzzCompletions(f *testing.F) {
	for _, name := range []string{"completions_errors.csv", "cohort_tot_25_excel_it_cp1252.csv"} {
		f.Add(sample(f, name), false)
	}
	f.Add([]byte("sep=;\nlearner_id;module_code;edition;completion_date;attendance_percent;result\nA;SN-1;SN-1/2026/A;1/2/2026;87,5;idoneo\n"), true)
	f.Add(utf16File(sixColumns+"A,B,B/2026/C,2026-01-01,1,passed\n", true), false)
	f.Fuzz(func(t *testing.T, file []byte, italian bool) {
		o := Options{Today: today, MaxRows: 50, MaxBytes: fuzzBytes}
		if italian {
			o.Locale = Italian
		}
		rows, err := Completions(bytes.NewReader(file), o)
		if err != nil && (rows != nil || len(FileErrors(err)) != 1) {
			t.Errorf("%d rows with error %v", len(rows), err)
		}
		if len(rows) > o.MaxRows {
			t.Errorf("%d rows", len(rows))
		}
		lines := bytes.Count(file, []byte{'\n'}) + bytes.Count(file, []byte{'\r'}) + 1
		for _, c := range rows {
			if c.Line < 2 || c.Line > lines {
				t.Errorf("line %d of a file of %d lines", c.Line, lines)
			}
			if !c.Usable() {
				continue
			}
			if c.Learner == "" || len(c.Learner) > maxReference || !moduleCode(c.Module) || !strings.HasPrefix(c.Edition, c.Module+"/") ||
				len(c.CompletedOn) != 10 || c.CompletedOn > today || c.Result == "" || c.Attendance == "" && c.Result != Withdrawn {
				t.Errorf("not usable: %+v", c)
			}
		}
		twice(t, func() string { r, err := Completions(bytes.NewReader(file), o); return fmt.Sprint(r, err) })
	})
}

func FuzzLearners(f *testing.F) {
	for _, name := range []string{"cohort_tot_25.csv", "cohort_tot_25_excel_it_cp1252.csv", "cohort_jobseekers_12.csv"} {
		f.Add(sample(f, name))
	}
	f.Add([]byte("Nome\tCognome\tMatricola\nA\u0300\t\t1\n\"\n\t\t"))
	f.Fuzz(func(t *testing.T, file []byte) {
		o := Options{MaxRows: 50, MaxBytes: fuzzBytes}
		list, _, err := Learners(bytes.NewReader(file), o)
		if err != nil && list != nil {
			t.Errorf("%d learners with error %v", len(list), err)
		}
		seen := map[string]bool{}
		for _, l := range list {
			if l.Ref == "" || seen[l.Ref] || l.GivenName+l.FamilyName == "" || !utf8.ValidString(l.FamilyName) || strings.ContainsRune(l.FamilyName, 0) {
				t.Errorf("not in order: %+v", l)
			}
			seen[l.Ref] = true
		}
		twice(t, func() string { l, x, err := Learners(bytes.NewReader(file), o); return fmt.Sprint(l, x, err) })
	})
}

func FuzzCatalogue(f *testing.F) {
	f.Add([]byte(oneModule))
	f.Add([]byte(`{"modules":[{"code":"A"},{"code":"A"}]}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > fuzzBytes {
			return
		}
		modules, err := Catalogue(bytes.NewReader(file))
		if (err == nil) != (len(modules) > 0) || len(FileErrors(err)) > maxProblems {
			t.Errorf("%d modules, error %v", len(modules), err)
		}
		twice(t, func() string { m, err := Catalogue(bytes.NewReader(file)); return fmt.Sprint(len(m), err) })
	})
}

func FuzzProviders(f *testing.F) {
	f.Add([]byte(oneProvider))
	f.Add(sample(f, "issuers.json"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > fuzzBytes {
			return
		}
		providers, err := Providers(bytes.NewReader(file))
		if (err == nil) != (len(providers) > 0) || len(FileErrors(err)) > maxProblems {
			t.Errorf("%d providers, error %v", len(providers), err)
		}
		twice(t, func() string { p, err := Providers(bytes.NewReader(file)); return fmt.Sprint(len(p), err) })
	})
}

func FuzzNeutral(f *testing.F) {
	for _, s := range []string{"=1", " +1", "＠x", "\t", "D’Angelo", "", "\xff=", "\u200B-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		safe := Neutral(cell)
		if safe != cell && safe != "'"+cell {
			t.Errorf("Neutral(%q) = %q", cell, safe)
		}
		if Neutral(safe) != safe {
			t.Errorf("Neutral is not stable for %q", cell)
		}
		if start := strings.TrimLeft(safe, " \u00A0"); start != "" && strings.ContainsAny(start[:1], "=+-@\t\r\x00") {
			t.Errorf("Neutral(%q) = %q begins like a formula", cell, safe)
		}
		// The csv package reads \r\n inside quotes as \n.
		if strings.Contains(cell, "\r") {
			return
		}
		var b bytes.Buffer
		if err := WriteCSV(&b, [][]string{{"x", cell}}); err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), "\uFEFF")))
		r.Comma = ';'
		back, err := r.Read()
		if err != nil || len(back) != 2 || back[1] != safe {
			t.Errorf("%q came back as %q, error %v", safe, back, err)
		}
	})
}
