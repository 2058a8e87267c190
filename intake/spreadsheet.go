package intake

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Neutral makes a cell safe to be opened in a spreadsheet: where it could be
// read as a formula or a command, it gets a leading apostrophe. That is so for
// = + - @, their full-width and small forms, TAB, CR, LF and NUL as the first
// character, also after spaces and invisible marks. Every other cell is returned as it
// is, and so is one that was made safe before.
func Neutral(cell string) string {
	for _, r := range cell {
		if strings.ContainsRune("=+-@\t\r\n\x00\uFF1D\uFF0B\uFF0D\uFF20\uFE62\uFE63\uFE66\uFE6B", r) {
			return "'" + cell
		}
		if !unicode.IsSpace(r) && !unfit(r) && !unicode.Is(unicode.Cf, r) {
			return cell
		}
	}
	return cell
}

// WriteCSV writes a table that an Italian Excel opens with a double click:
// UTF-8 with a byte order mark, semicolons, CRLF. Every cell goes through
// [Neutral].
func WriteCSV(w io.Writer, rows [][]string) error {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = Neutral(c)
		}
		if err := out.Write(cells); err != nil {
			return fmt.Errorf("writing the table: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}
