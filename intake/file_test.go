package intake

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

const sixColumns = "learner_id,module_code,edition,completion_date,attendance_percent,result\n"

func TestFilesThatCannotBeRead(t *testing.T) {
	const row = "A,SN-11,SN-11/2026/B,2026-05-29,90,passed\n"
	zeros := func(n int) string { return strings.Repeat("\x00", n) }
	tests := []struct {
		name, file, code string
		line             int
	}{
		{"empty", "", "empty_file", 0},
		{"a header and no rows", sixColumns, "no_rows", 0},
		{"a header and blank rows", sixColumns + ",,,,,\n\n , ,\n", "no_rows", 0},
		{"only line breaks", "\n\r\n\n", "empty_file", 0},
		{"a workbook", "PK\x03\x04rest", "not_a_table", 0},
		{"twelve megabytes of zeros", zeros(12 << 20), "too_large", 0},
		{"a NUL", sixColumns + row + "A\x00B", "nul_byte", 3},
		{"UTF-16 without mark", "l\x00e\x00a\x00", "nul_byte", 1},
		{"half a letter of UTF-16", "\xFF\xFEa\x00b", "damaged_utf16", 0},
		{"half a pair of UTF-16", "\xFF\xFEa\x00\n\x00\x00\xD8a\x00", "damaged_utf16", 2},
		{"a byte that is no letter", sixColumns + "Niccol\xF2 \x9D", "undefined_byte", 2},
		{"two encodings", sixColumns + "Niccolò è\nNiccol\xF2", "mixed_encoding", 3},
		{"a strange separator", "sep=#\na#b", "unknown_separator", 1},
		{"missing columns", "learner_id,module_code\nA,SN-11\n", "missing_column", 1},
		{"the same column twice", strings.TrimSpace(sixColumns) + ",Codice discente\n", "duplicate_column", 1},
		{"a quote never closed", sixColumns + row + "\"A,SN-11\n" + row, "open_quote", 3},
		{"a quote inside a cell", sixColumns + "A \"B\" C,SN-11\n", "bare_quote", 2},
		{"a quote closed far away", sixColumns + "\"A" + strings.Repeat(row, 30) + "\",\n", "long_cell", 2},
		{"a cell too long", sixColumns + strings.Repeat("x", 5000), "long_cell", 2},
		{"more cells than columns", sixColumns + row + "A,SN-11,SN-11/2026/B,2026-05-29,87,5,passed\n", "ragged_row", 3},
		{"a million columns", strings.Repeat("a,", 1_000_000), "too_many_columns", 1},
		{"a million cells", sixColumns + strings.Repeat("a,", 1_000_000), "too_many_columns", 2},
		{"too many rows", sixColumns + strings.Repeat(row, 20_001), "too_many_rows", 20_002},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			rows, err := Completions(strings.NewReader(tt.file), Options{})
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			wrong, ok := errors.AsType[*FileError](err)
			if !ok || rows != nil {
				t.Fatalf("%d rows, error %v, want a FileError", len(rows), err)
			}
			if wrong.Code != tt.code || wrong.Line != tt.line {
				t.Errorf("%s on line %d, want %s on line %d", wrong.Code, wrong.Line, tt.code, tt.line)
			}
			if strings.Contains(wrong.Error(), "{") || wrong.Message["it"] == "" || wrong.Remedy["it"] == "" || wrong.Remedy["en"] == "" {
				t.Errorf("incomplete words: %q", wrong)
			}
		})
	}
}

func TestMissingColumnsNamesThemAndWhatIsThere(t *testing.T) {
	_, err := Completions(strings.NewReader("Codice discente;Modulo;Edizione;Data;Colore\n"), Options{})
	const want = "line 1: attendance_percent, result: These columns are missing: attendance_percent, result " +
		"(in the file there are: Codice discente, Modulo, Edizione, Data, Colore). Add the columns, or rename them in the first line."
	if err == nil || err.Error() != want {
		t.Errorf("error\n%v, want\n%s", err, want)
	}
	_, err = Completions(strings.NewReader(strings.Repeat("Colore;", 23)+"\n"), Options{})
	if err == nil || !strings.Contains(err.Error(), "Colore, +3).") {
		t.Errorf("error %v, want the number of the columns that are not named", err)
	}
}

func TestCellsLeftOutAtTheEndAreEmpty(t *testing.T) {
	rows, err := Completions(strings.NewReader(strings.TrimSpace(sixColumns)+",score,,\nA,SN-11,SN-11/2026/B,2026-05-29,90,passed\nA,SN-11,SN-11/2026/B,2026-05-29,90,passed,70,,,,\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || !rows[0].Usable() || rows[1].Score != "70" {
		t.Errorf("rows %+v, want two in order", rows)
	}
}

func TestOptionsOutsideTheirRange(t *testing.T) {
	if _, err := Completions(strings.NewReader(sixColumns), Options{Locale: "de"}); err == nil {
		t.Error("an unknown locale was accepted")
	}
	if _, err := Completions(strings.NewReader(sixColumns), Options{Today: "tomorrow"}); err == nil {
		t.Error("a day that is no date was accepted")
	}
}

func TestReadingErrorsArePassedOn(t *testing.T) {
	broken := io.MultiReader(strings.NewReader(sixColumns), brokenReader{})
	if _, err := Completions(broken, Options{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v, want the reader's own", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestEveryCodeHasWords(t *testing.T) {
	for name, table := range map[string]map[string]words{"finding": findingWords, "file": fileWords} {
		for code, w := range table {
			if w.it == "" || w.en == "" || w.remedyIT == "" || w.remedyEN == "" {
				t.Errorf("%s %s: words are missing", name, code)
			}
			if strings.Contains(w.it+w.remedyIT, "'") {
				t.Errorf("%s %s: a straight apostrophe in Italian", name, code)
			}
		}
	}
	for code := range italianRemedies {
		if _, ok := findingWords[code]; !ok {
			t.Errorf("%s: a remedy without a finding", code)
		}
	}
}

// TestSentencesEndInOneStop: message and remedy are joined by a space, so each
// ends in one full stop, also when what comes from the file ends in one.
func TestSentencesEndInOneStop(t *testing.T) {
	tables := map[string]map[string]words{"finding": findingWords, "file": fileWords, "remedy": italianRemedies}
	for name, table := range tables {
		for code, w := range table {
			for _, arg := range []string{"Nr.", "x", "…"} {
				message, remedy := w.texts(arg, arg)
				for _, language := range []string{"it", "en"} {
					for _, text := range []string{message[language], remedy[language]} {
						if text == "" && name == "remedy" {
							continue
						}
						if !strings.HasSuffix(text, ".") || strings.HasSuffix(text, "..") && !byUs[code] || text != trim(text) {
							t.Errorf("%s %s: %q does not end in one full stop", name, code, text)
						}
					}
					if joined := message[language] + " " + remedy[language]; strings.Contains(joined, ". .") {
						t.Errorf("%s %s: %q", name, code, joined)
					}
				}
			}
		}
	}
	for _, kind := range []any{struct{}{}, []int{}, true, 1, 1.5, ""} {
		if word := kindWord(reflect.TypeOf(kind)); strings.HasSuffix(word, ".") || strings.HasSuffix(word, "…") {
			t.Errorf("the form %q would end a sentence twice", word)
		}
	}
}

// byUs are the codes whose last word is a number or a form that we write
// ourselves, and not something from the file.
var byUs = map[string]bool{
	"wrong_type": true, "duration_differs": true, "too_many_columns": true, "hours_do_not_add_up": true, "ragged_row": true,
}

func TestNeutral(t *testing.T) {
	for _, cell := range []string{
		"=1+1", "+39 02", "-5", "@cmd", "\tx", "\rx", "\nx", "\x00x", "  =1", "\u00A0=1", "\u200B=1", "\uFEFF+1",
		"＝1", "＋1", "－1", "＠x", " \t=1",
	} {
		if got := Neutral(cell); got != "'"+cell {
			t.Errorf("Neutral(%q) = %q, want a leading apostrophe", cell, got)
		}
	}
	for _, cell := range []string{"", "D’Angelo", "a=b", "2026-05-29", "'=1", "’t Hooft", "  x", "Ελληνικά"} {
		if got := Neutral(cell); got != cell {
			t.Errorf("Neutral(%q) = %q, want it as it is", cell, got)
		}
	}
}

func TestWriteCSVIsReadBack(t *testing.T) {
	var b bytes.Buffer
	rows := [][]string{
		{"learner_id", "given_name", "family_name"},
		{"=1+1", "Niccolò", "D’Angelo; detto \"Nico\""},
	}
	if err := WriteCSV(&b, rows); err != nil {
		t.Fatal(err)
	}
	got, findings, err := Learners(&b, Options{})
	if err != nil || len(findings) > 0 || len(got) != 1 {
		t.Fatalf("%v, findings %v, error %v", got, findings, err)
	}
	if got[0].Ref != "'=1+1" || got[0].FamilyName != rows[1][2] {
		t.Errorf("read back %+v", got[0])
	}
}
