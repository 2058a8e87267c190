package intake

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	maxColumns    = 200
	maxCell       = 4096 // bytes
	maxCellBreaks = 20   // line breaks in one quoted cell
)

// A field is one column that is read: the names that are accepted for its
// header, folded as by fold, and whether the file must have it.
type field struct {
	key      string // our name, as in the messages and the sample files
	required bool
	names    []string
}

// A table hands out the rows of a file one by one.
type table struct {
	csv     *csv.Reader
	rows    int
	maxRows int
	skipped int            // lines taken off before the header
	width   int            // columns in the header
	at      map[string]int // column by field key
	header  []string       // as written in the file
}

// A row is one line of a table. Cells are as they came.
type row struct {
	line  int
	cells []string
	t     *table
}

// cell returns the cell of a field; a row may end early, because spreadsheets
// leave out separators after the last filled cell.
func (r row) cell(key string) string {
	if i, ok := r.t.at[key]; ok && i < len(r.cells) {
		return r.cells[i]
	}
	return ""
}

// column returns the header of a field as the file writes it.
func (r row) column(key string) string {
	if i, ok := r.t.at[key]; ok {
		return r.t.header[i]
	}
	return key
}

// openTable decodes a file, finds its separator and reads its header.
func openTable(b []byte, fields []field, maxRows int) (*table, error) {
	text, err := decode(b)
	if err != nil {
		return nil, err
	}
	text, separator, skipped, err := separatorOf(text, fields)
	if err != nil {
		return nil, err
	}
	t := &table{csv: csv.NewReader(strings.NewReader(text)), maxRows: maxRows, skipped: skipped}
	t.csv.Comma = separator
	t.csv.FieldsPerRecord = -1
	t.csv.ReuseRecord = true
	cells, line, err := t.record()
	if errors.Is(err, io.EOF) {
		return nil, fileError("empty_file", 0, "")
	}
	if err != nil {
		return nil, err
	}
	return t, t.readHeader(cells, line, fields)
}

func (t *table) readHeader(cells []string, line int, fields []field) error {
	t.header = make([]string, len(cells))
	for i, c := range cells {
		t.header[i] = show(trim(c))
	}
	t.width = len(cells)
	t.at = make(map[string]int)
	for i, name := range cells {
		key := fieldOf(name, fields)
		if key == "" {
			continue
		}
		if first, ok := t.at[key]; ok {
			return fileError("duplicate_column", line, t.header[i], t.header[first], t.header[i])
		}
		t.at[key] = i
	}
	var missing []string
	for _, f := range fields {
		if _, ok := t.at[f.key]; f.required && !ok {
			missing = append(missing, f.key)
		}
	}
	if len(missing) > 0 {
		names := strings.Join(missing, ", ")
		return fileError("missing_column", line, names, names, found(t.header))
	}
	return nil
}

// found lists the first headers of a file and says how many more there are.
func found(header []string) string {
	const most = 20
	var names []string
	for _, h := range header {
		if h != "" {
			names = append(names, h)
		}
	}
	if len(names) == 0 {
		return "–"
	}
	more := ""
	if len(names) > most {
		more = ", +" + strconv.Itoa(len(names)-most)
		names = names[:most]
	}
	return strings.Join(names, ", ") + more
}

// next returns the next row that is not blank, or io.EOF. A table that ends
// without a single row is a FileError.
func (t *table) next() (row, error) {
	for {
		cells, line, err := t.record()
		if errors.Is(err, io.EOF) && t.rows == 0 {
			return row{}, fileError("no_rows", 0, "")
		}
		if err != nil {
			return row{}, err
		}
		filled := 0
		for i, c := range cells {
			if trim(c) != "" {
				filled = i + 1
			}
		}
		if filled == 0 {
			continue
		}
		// More cells than columns means that a separator stands inside a value
		// and the values after it are in the wrong column.
		if filled > t.width {
			return row{}, fileError("ragged_row", line, "", strconv.Itoa(filled), strconv.Itoa(t.width))
		}
		if t.rows++; t.rows > t.maxRows {
			return row{}, fileError("too_many_rows", line, "", strconv.Itoa(t.maxRows))
		}
		return row{line: line, cells: cells[:min(len(cells), t.width)], t: t}, nil
	}
}

// record reads one record within the limits, with the line it begins on.
func (t *table) record() ([]string, int, error) {
	cells, err := t.csv.Read()
	if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
		if errors.Is(wrong.Err, csv.ErrBareQuote) {
			return nil, 0, fileError("bare_quote", wrong.Line+t.skipped, "")
		}
		return nil, 0, fileError("open_quote", wrong.StartLine+t.skipped, "")
	}
	if err != nil {
		return nil, 0, err
	}
	line, _ := t.csv.FieldPos(0)
	line += t.skipped
	if len(cells) > maxColumns {
		return nil, 0, fileError("too_many_columns", line, "", strconv.Itoa(len(cells)), strconv.Itoa(maxColumns))
	}
	for i, c := range cells {
		if len(c) <= maxCell && strings.Count(c, "\n") <= maxCellBreaks {
			continue
		}
		column := strconv.Itoa(i + 1)
		if i < len(t.header) {
			column = t.header[i]
		}
		start, _ := t.csv.FieldPos(i)
		return nil, 0, fileError("long_cell", start+t.skipped, column, strconv.Itoa(maxCell), strconv.Itoa(maxCellBreaks))
	}
	return cells, line, nil
}

// separatorOf finds the separator: from a first line "sep=;" if there is one,
// else the one that makes most sense of the header. It returns the text from
// the header on and how many lines were taken off.
func separatorOf(text string, fields []field) (rest string, separator rune, skipped int, err error) {
	first, after, _ := strings.Cut(text, "\n")
	first = strings.Trim(strings.TrimSuffix(first, "\r"), `"`)
	if len(first) >= 4 && strings.EqualFold(first[:4], "sep=") {
		switch s := first[4:]; s {
		case ",", ";", "\t", "|":
			return after, rune(s[0]), 1, nil
		default:
			return "", 0, 0, fileError("unknown_separator", 1, "", show(s))
		}
	}
	header, rest := "", text
	for strings.TrimSpace(header) == "" && rest != "" {
		header, rest, _ = strings.Cut(rest, "\n")
	}
	const enough = 64 << 10
	header = header[:min(len(header), enough)]
	separator, best := ',', -1
	for _, s := range []rune{',', ';', '\t'} {
		score := strings.Count(header, string(s))
		for name := range strings.SplitSeq(header, string(s)) {
			if fieldOf(strings.Trim(strings.TrimSpace(name), `"`), fields) != "" {
				score += maxColumns
			}
		}
		if score > best {
			separator, best = s, score
		}
	}
	return text, separator, 0, nil
}

func fieldOf(header string, fields []field) string {
	folded := fold(header)
	if folded == "" {
		return ""
	}
	for _, f := range fields {
		if folded == fold(f.key) {
			return f.key
		}
		if slices.Contains(f.names, folded) {
			return f.key
		}
	}
	return ""
}

// fold reduces a header to its letters and digits in lower case, so that
// "Codice discente", "codice_discente" and "CODICE-DISCENTE" are one name.
func fold(header string) string {
	if len(header) > 256 {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFC.String(header))
}

// trim takes spaces of every kind and invisible marks off both ends.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || r == '\u200B' || r == '\u200E' || r == '\u200F' || r == '\u2060' || r == '\uFEFF'
	})
}

// show makes a piece of input fit to stand in a message: printable, on one
// line, at most 80 characters.
func show(s string) string {
	const most = 80
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > most {
			b.WriteRune('…')
			break
		}
		if unicode.IsSpace(r) {
			r = ' '
		} else if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
	}
	return b.String()
}
