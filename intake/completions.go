package intake

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"attesta/credentials"
)

const maxReference = 128 // bytes

func completionFields() []field {
	return []field{
		{"row_id", false, []string{"riga", "idriga", "numero", "nr", "progressivo", "row"}},
		{"learner_id", true, []string{
			"learner", "learnerref", "studentid", "codicediscente", "iddiscente", "discente", "codiceallievo",
			"allievo", "codicecorsista", "corsista", "codicepartecipante", "partecipante", "codicepersona", "matricola",
		}},
		{"module_code", true, []string{"module", "moduleid", "codicemodulo", "modulo", "idmodulo"}},
		{"edition", true, []string{"editionid", "edizione", "codiceedizione", "edizionecorso"}},
		{"completion_date", true, []string{
			"completedon", "completed", "date", "data", "datacompletamento", "dataconclusione", "dataesito", "datafine",
		}},
		{"attendance_percent", true, []string{
			"attendance", "presenza", "presenze", "frequenza", "percentualepresenza", "percentualedipresenza",
			"percentualepresenze", "percentualefrequenza", "percentualedifrequenza", "presenzapercentuale", "frequenzapercentuale",
		}},
		{"result", true, []string{"outcome", "esito", "risultato", "esitofinale"}},
		{"score", false, []string{"mark", "punteggio", "voto", "punti"}},
		{"assessor", false, []string{"valutatore", "codicevalutatore", "assessorid"}},
		{"evidence_ref", false, []string{"evidence", "evidenza", "riferimentoprova", "prova", "evidenceid"}},
	}
}

// Completions reads a table of completions: a header with at least the columns
// learner_id, module_code, edition, completion_date, attendance_percent and
// result, in any order and under their Italian or English names, and one row a
// completion. Mistakes in a row are in its Findings; whether learner and
// module exist is for the issuer to say. The error is a *FileError when the
// file as a whole cannot be read or has no rows, and then none are returned.
func Completions(r io.Reader, o Options) ([]Completion, error) {
	o, err := o.checked()
	if err != nil {
		return nil, err
	}
	b, err := readAll(r, o.MaxBytes)
	if err != nil {
		return nil, err
	}
	t, err := openTable(b, completionFields(), o.MaxRows)
	if err != nil {
		return nil, err
	}
	var all []Completion
	for {
		row, err := t.next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, readCompletion(row, o))
	}
}

// readCompletion reads the cells in the order in which findings are reported.
func readCompletion(r row, o Options) Completion {
	c := &completionReader{row: r, o: o}
	c.out.Line = r.line
	id, idFits := reference(r.cell("row_id"))
	c.out.RowID = id
	c.learner()
	c.module()
	c.edition()
	c.date()
	c.outcome()
	c.score()
	c.out.Assessor = c.optionalReference("assessor")
	c.out.Evidence = c.optionalReference("evidence_ref")
	if !idFits {
		c.out.RowID = ""
		c.found("row_id", "invalid_reference")
	}
	return c.out
}

type completionReader struct {
	row row
	o   Options
	out Completion
}

func (c *completionReader) found(key, code string) {
	c.out.Findings = append(c.out.Findings, finding(c.row, c.out.RowID, key, code, Error, c.o.Locale))
}

// understood records what a cell was taken for, where that is not what it says.
func (c *completionReader) understood(key, as string) {
	if from := c.row.cell(key); from != as && as != "" {
		c.out.Adjusted = append(c.out.Adjusted, Adjustment{c.row.column(key), show(from), as})
	}
}

func (c *completionReader) learner() {
	ref, ok := reference(c.row.cell("learner_id"))
	switch {
	case ref == "":
		c.found("learner_id", "missing_learner")
	case !ok:
		c.found("learner_id", "invalid_reference")
	default:
		c.out.Learner = ref
		c.understood("learner_id", ref)
	}
}

func (c *completionReader) module() {
	code := upper(trim(c.row.cell("module_code")))
	switch {
	case code == "":
		c.found("module_code", "missing_module")
	case !moduleCode(code):
		c.found("module_code", "invalid_reference")
	default:
		c.out.Module = code
		c.understood("module_code", code)
	}
}

// edition reads an edition in capitals, so that one edition has one name and
// nobody is awarded twice for it because of how the name was typed.
func (c *completionReader) edition() {
	edition := trim(c.row.cell("edition"))
	if edition == "" {
		c.found("edition", "missing_edition")
		return
	}
	parts := strings.Split(edition, "/")
	if len(parts) == 3 {
		parts[0], parts[2] = upper(parts[0]), upper(parts[2])
	}
	if len(parts) != 3 || !moduleCode(parts[0]) || !year(parts[1]) || !label(parts[2]) ||
		c.out.Module != "" && parts[0] != c.out.Module {
		c.found("edition", "invalid_edition")
		return
	}
	c.out.Edition = strings.Join(parts, "/")
	c.understood("edition", c.out.Edition)
}

func (c *completionReader) date() {
	text := trim(c.row.cell("completion_date"))
	if text == "" {
		c.found("completion_date", "missing_date")
		return
	}
	day, ok := date(text, c.o.Locale)
	switch {
	case !ok:
		c.found("completion_date", "invalid_date")
	case c.o.Today != "" && day > c.o.Today:
		c.found("completion_date", "date_in_future")
	default:
		c.out.CompletedOn = day
		c.understood("completion_date", string(day))
	}
}

// outcome reads attendance and result together: who withdrew may have no
// attendance.
func (c *completionReader) outcome() {
	result, known := resultOf(c.row.cell("result"), c.o.Locale)
	text := trim(strings.TrimSuffix(trim(c.row.cell("attendance_percent")), "%"))
	percent, negative, ok := decimal(text, c.o.Locale)
	switch {
	case text == "" && result == Withdrawn:
	case text == "":
		c.found("attendance_percent", "missing_attendance")
	case !ok:
		c.found("attendance_percent", "invalid_attendance")
	case negative || above100(percent):
		c.found("attendance_percent", "attendance_out_of_range")
	default:
		c.out.Attendance = percent
		c.understood("attendance_percent", percent)
	}
	switch {
	case trim(c.row.cell("result")) == "":
		c.found("result", "missing_result")
	case !known:
		c.found("result", "unknown_result")
	default:
		c.out.Result = result
		c.understood("result", string(result))
	}
}

func (c *completionReader) score() {
	text := trim(c.row.cell("score"))
	if text == "" {
		return
	}
	points, negative, ok := decimal(text, c.o.Locale)
	if !ok || negative {
		c.found("score", "invalid_score")
		return
	}
	c.out.Score = points
	c.understood("score", points)
}

func (c *completionReader) optionalReference(key string) string {
	ref, ok := reference(c.row.cell(key))
	if !ok {
		c.found(key, "invalid_reference")
		return ""
	}
	c.understood(key, ref)
	return ref
}

// reference trims a reference and tells whether it is fit to be one: at most
// 128 bytes of printable text. What it says is not judged: a formula is a
// reference that nobody has.
func reference(cell string) (ref string, ok bool) {
	ref = norm.NFC.String(trim(cell))
	return ref, len(ref) <= maxReference && strings.IndexFunc(ref, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// moduleCode tells whether s has the form [A-Z0-9][A-Z0-9-]{0,31}.
func moduleCode(s string) bool {
	return s != "" && len(s) <= 32 && s[0] != '-' && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-')
	}) < 0
}

// label tells whether s has the form [A-Za-z0-9][A-Za-z0-9._-]{0,31}. That of
// an edition is in capitals by then; a version of a module keeps its letters.
func label(s string) bool {
	return s != "" && len(s) <= 32 && !strings.ContainsRune("._-", rune(s[0])) && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r))
	}) < 0
}

func year(s string) bool { return len(s) == 4 && digits(s) }

func digits(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// upper raises ASCII letters only: other alphabets have letters whose capital
// is an ASCII one, and a code must not change that way.
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

// date reads a day that exists, from 1900 on.
func date(s string, l Locale) (credentials.Date, bool) {
	layouts := []string{time.DateOnly}
	if l == Italian {
		layouts = append(layouts, "2/1/2006", "2-1-2006", "2.1.2006")
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1900 {
			return credentials.Date(t.Format(time.DateOnly)), true
		}
	}
	return "", false
}

// decimal reads digits with at most one mark between them and returns them
// without needless zeros.
func decimal(s string, l Locale) (canonical string, negative, ok bool) {
	const most = 16
	if s, negative = strings.CutPrefix(s, "-"); !negative {
		s, negative = strings.CutPrefix(s, "−")
	}
	if l == Italian && strings.Count(s, ",") == 1 && !strings.Contains(s, ".") {
		s = strings.Replace(s, ",", ".", 1)
	}
	whole, part, marked := strings.Cut(s, ".")
	if len(s) > most || !digits(whole) || marked && !digits(part) {
		return "", false, false
	}
	whole, part = strings.TrimLeft(whole, "0"), strings.TrimRight(part, "0")
	if whole == "" {
		whole = "0"
	}
	if part != "" {
		whole += "." + part
	}
	return whole, negative && whole != "0", true
}

func above100(canonical string) bool {
	f, err := strconv.ParseFloat(canonical, 64)
	return err != nil || f > 100
}

// resultOf knows a closed set of words; anything else is never guessed.
func resultOf(cell string, l Locale) (Result, bool) {
	word := strings.Join(strings.Fields(strings.ReplaceAll(strings.ToLower(trim(cell)), "_", " ")), " ")
	switch Result(word) {
	case Passed, Failed, Withdrawn:
		return Result(word), true
	}
	if l != Italian {
		return "", false
	}
	switch word {
	case "idoneo", "idonea", "superato", "superata", "promosso", "promossa":
		return Passed, true
	case "non idoneo", "non idonea", "non superato", "non superata", "respinto", "respinta":
		return Failed, true
	case "ritirato", "ritirata", "abbandono", "rinuncia":
		return Withdrawn, true
	}
	return "", false
}
