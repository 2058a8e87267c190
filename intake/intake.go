// Package intake reads what people hand in: class lists, catalogues and
// completions, in the encodings and habits of an Italian office. Every mistake
// is reported by row and column with a remedy.
//
// Most people need [Completions]: give it the file as it came and the day of
// today, show the findings, and go on only with the rows that have no finding
// of severity [Error]. A file that cannot be read as a whole gives a
// [*FileError]. Nothing is fetched, stored or logged here, and the same bytes
// always give the same answer.
package intake

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"attesta/credentials"
)

// Locale says which habits of writing are accepted in a file.
type Locale string

// ISO accepts 2006-01-02, the decimal point and the words passed, failed and
// withdrawn. Italian accepts in addition 29/05/2026, the decimal comma and
// idoneo, non idoneo and ritirato. The empty Locale is ISO.
const (
	ISO     Locale = "iso"
	Italian Locale = "it"
)

// Options bound and tune the reading of a table. The zero value reads ISO
// habits, at most 20000 rows and 8 MiB, and leaves dates in the future alone.
type Options struct {
	Locale   Locale
	Today    credentials.Date // later dates are findings; empty: no such check
	MaxRows  int              // rows after the header; 20000 when zero
	MaxBytes int64            // size of the file; 8 MiB when zero
}

const (
	defaultRows  = 20000
	defaultBytes = 8 << 20
)

func (o Options) checked() (Options, error) {
	switch o.Locale {
	case "":
		o.Locale = ISO
	case ISO, Italian:
	default:
		return o, fmt.Errorf("choosing the habits of writing: unknown locale %q", string(o.Locale))
	}
	if _, ok := date(string(o.Today), ISO); o.Today != "" && !ok {
		return o, fmt.Errorf("choosing the day of today: %q is not a date", string(o.Today))
	}
	if o.MaxRows <= 0 {
		o.MaxRows = defaultRows
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultBytes
	}
	return o, nil
}

// Severity says whether a finding stops its row.
type Severity string

// A row with an Error must not be used. A Warning asks a person to look.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Finding is one mistake in one cell. Value is the cell as it came, made
// printable and cut to 80 characters; it is input, so escape it in a page and
// pass it through [Neutral] in a table.
type Finding struct {
	Line            int    // in the file as the reader sees it, from 1
	RowID           string // the row's own id, where the file has such a column
	Column          string // the header of the column as the file writes it
	Code            string
	Value           string
	Severity        Severity
	Message, Remedy credentials.Text // it and en
}

// Result is the outcome of a completion.
type Result string

// The results there are. Only Passed can lead to a credential.
const (
	Passed    Result = "passed"
	Failed    Result = "failed"
	Withdrawn Result = "withdrawn"
)

// Adjustment is a change that normalising made to a cell, to be shown to the
// clerk: the cell as it came and as it was understood.
type Adjustment struct{ Column, From, To string }

// Completion is one row of a table of completions. Fields that have a finding
// are empty or hold what could be read.
type Completion struct {
	Line        int
	RowID       string
	Learner     string // reference, any printable text; not yet known to exist
	Module      string // code, upper case
	Edition     string // <module>/<yyyy>/<label>, upper case
	CompletedOn credentials.Date
	Attendance  string // percent as canonical decimal, "87.5"; empty when not given
	Result      Result
	Score       string // canonical decimal, empty when not given: empty is not zero
	Assessor    string
	Evidence    string
	Adjusted    []Adjustment
	Findings    []Finding // in the order learner, module, edition, date, attendance, result, score
}

// Usable tells whether the row has no finding of severity Error.
func (c Completion) Usable() bool {
	for _, f := range c.Findings {
		if f.Severity == Error {
			return false
		}
	}
	return true
}

// FileError says that a file cannot be read as a whole. Message and Remedy are
// for the person who handed it in, in it and en.
type FileError struct {
	Code            string
	Line            int    // from 1; 0 when no line can be named
	Column          string // header, or module and field of a JSON file; may be empty
	Message, Remedy credentials.Text
}

// Error returns the English message with its place.
func (e *FileError) Error() string {
	place := ""
	if e.Line > 0 {
		place = "line " + strconv.Itoa(e.Line) + ": "
	}
	if e.Column != "" {
		place += e.Column + ": "
	}
	return place + e.Message["en"] + " " + e.Remedy["en"]
}

// FileErrors returns every *FileError that err wraps or joins, in order.
func FileErrors(err error) []*FileError {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*FileError
		for _, e := range many.Unwrap() {
			all = append(all, FileErrors(e)...)
		}
		return all
	}
	if one, ok := err.(*FileError); ok { //nolint:errorlint // this function does the unwrapping
		return []*FileError{one}
	}
	return FileErrors(errors.Unwrap(err))
}

// readAll reads at most limit bytes; one byte more is a FileError.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	if int64(len(b)) > limit {
		return nil, fileError("too_large", 0, "", strconv.FormatInt(max(limit>>20, 1), 10))
	}
	return b, nil
}
