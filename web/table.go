package web

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"attesta/intake"
	"attesta/presentation"
	"attesta/verifier"

	"golang.org/x/text/unicode/norm"
)

// A table of answers is kept nowhere. The page carries it in a field, as the
// server wrote it, and posts it again to have it sorted or saved; an
// authentication code keeps the server from showing a table that it did not
// write.
const (
	maxTable = 4 << 20 // bytes of a table that is posted again
	maxCell  = 200     // characters of a cell
)

// table is a checked batch, in the words of one language.
type table struct {
	At    time.Time  `json:"at"`
	Asked string     `json:"asked,omitempty"` // the day asked about, where it is not today
	Rows  []tableRow `json:"rows"`
}

// tableRow is the answer about one item.
type tableRow struct {
	Name     string `json:"name"`
	Verdict  string `json:"verdict"` // valid, not_valid, cannot_tell; unread where nothing was judged
	Word     string `json:"word"`
	Person   string `json:"person,omitempty"`
	Title    string `json:"title,omitempty"`
	Provider string `json:"provider,omitempty"`
	Day      string `json:"day,omitempty"`
	On       string `json:"on,omitempty"` // the same day, to sort by
	Reason   string `json:"reason"`
	Handle   string `json:"handle,omitempty"`
}

// tablePage shows the answers about several items.
type tablePage struct {
	Page
	Action    string // where the table is posted again
	Signed    string // the table and its authentication code
	CheckedAt string
	At        string // the moment asked about, where it is another one
	Asked     string // the same, for the addresses of single answers
	Counts    []tableCount
	Rows      []tableRow
	Sorts     []tableSort
	Sort      string
}

// tableCount is how many answers there are of one kind.
type tableCount struct {
	Name, Word string
	N          int
}

// tableSort is a way of sorting.
type tableSort struct {
	Name, Word string
	Current    bool
}

func (tablePage) template() string { return "table.html" }

// verdicts are the answers in the order in which somebody looks at them.
var verdicts = []string{"not_valid", "unread", "cannot_tell", "valid"}

// sorts are the columns by which a table is sorted, the first being the order in
// which the files came.
var sorts = []string{"given", "verdict", "person", "title", "provider", "day", "file"}

// tableOf puts answers into a table. asked is the day that they are about, ""
// for now.
func (s *Site) tableOf(r *http.Request, answers []presentation.Answer, asked string) table {
	p := s.page(r, "table.title")
	t := table{At: s.Now().Truncate(time.Second), Asked: asked}
	for _, a := range answers {
		row := tableRow{Name: cut(a.Name), Handle: a.Handle}
		if row.Name == "" {
			row.Name = cut(p.pasted(a.Item))
		}
		if a.Report == nil {
			row.Verdict, row.Word, row.Reason = "unread", p.T("verdict.unread"), cut(p.unread(a.Item))
		} else {
			p.judged(&row, *a.Report)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// pasted names what has no file.
func (p Page) pasted(i presentation.Item) string {
	switch {
	case i.Handle != "":
		return i.Handle
	case i.Address != nil:
		return i.Address.Text
	}
	return p.T("table.pasted")
}

// unread says why an item was not judged.
func (p Page) unread(i presentation.Item) string {
	switch {
	case i.Problem != nil:
		found, todo := i.Problem.Words(p.Lang)
		return found + " " + todo
	case i.Address != nil && i.Address.Ours:
		return p.T("ours.text")
	case i.Address != nil:
		host := i.Address.Host
		if i.Address.ASCII != host {
			host += " (" + i.Address.ASCII + ")"
		}
		return p.T("table.elsewhere", "host", host)
	}
	return p.T("table.other", "text", i.Text)
}

// judged fills a row from a report.
func (p Page) judged(row *tableRow, report verifier.Report) {
	v := p.verdictOf(report)
	row.Verdict, row.Word = v.Name, v.Word
	if c := p.claimsOf(report); c != nil {
		row.Person, row.Title, row.Provider = cut(c.Holder), cut(c.Title.Text), cut(c.Issuer.Text)
		day := report.Credential.CompletedOn
		if day.IsZero() {
			day = report.Credential.Issued
		}
		row.Day, row.On = p.day(day), p.local(day).Format(time.DateOnly)
	}
	row.Reason = v.Because
	if v.Name == string(verifier.Valid) {
		accreditation := p.rowOf(report.Find("accreditation"))
		row.Reason = p.T("table.levels", "seal", p.sealOf(report.Level).Name, "accreditation", accreditation.Word)
	}
	row.Reason = cut(row.Reason)
}

// cut makes a text fit for a cell.
func cut(text string) string {
	text = visible(text)
	if letters := []rune(text); len(letters) > maxCell {
		return string(letters[:maxCell]) + "…"
	}
	return text
}

// showTable answers with a table, sorted by a column.
func (s *Site) showTable(w http.ResponseWriter, r *http.Request, t table, by string) error {
	signed, err := s.signTable(t)
	if err != nil {
		return err
	}
	p := tablePage{Page: s.page(r, "table.title"), Signed: signed, Sort: cmp.Or(by, sorts[0])}
	p.Wide = true
	p.Action = p.Link("/verify/table")
	p.CheckedAt = p.moment(t.At)
	if about, err := s.askedDay(t.Asked); err == nil && !about.IsZero() {
		p.At, p.Asked = p.moment(about), "?at="+t.Asked
	}
	for _, name := range []string{"valid", "not_valid", "cannot_tell", "unread"} {
		count := tableCount{Name: name, Word: p.T("verdict." + name + ".bare")}
		if name == "valid" || name == "unread" {
			count.Word = p.T("verdict." + name)
		}
		for _, row := range t.Rows {
			if row.Verdict == name {
				count.N++
			}
		}
		if count.N > 0 {
			p.Counts = append(p.Counts, count)
		}
	}
	for _, name := range sorts {
		p.Sorts = append(p.Sorts, tableSort{name, p.T("sort." + name), name == p.Sort})
	}
	p.Rows = sorted(t.Rows, p.Sort)
	return s.show(w, r, http.StatusOK, p)
}

// sorted returns rows by a column; those that are alike there stay in the order
// in which they came. Cells that are empty come last.
func sorted(rows []tableRow, by string) []tableRow {
	key := func(row tableRow) string {
		switch by {
		case "verdict":
			return fmt.Sprint(slices.Index(verdicts, row.Verdict))
		case "person":
			return row.Person
		case "title":
			return row.Title
		case "provider":
			return row.Provider
		case "day":
			return row.On
		case "file":
			return row.Name
		}
		return ""
	}
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b tableRow) int {
		x, y := strings.ToLower(norm.NFD.String(key(a))), strings.ToLower(norm.NFD.String(key(b)))
		if (x == "") != (y == "") {
			return cmp.Compare(len(y), len(x))
		}
		return cmp.Compare(x, y)
	})
	return rows
}

// tableAgain sorts or saves a table that a page of ours posts again.
func (s *Site) tableAgain(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxTable)
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return refusal{http.StatusBadRequest, "form"}
	}
	if err := r.ParseForm(); err != nil {
		if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
			return err
		}
		return refusal{http.StatusBadRequest, "form"}
	}
	t, err := s.readTable(r.PostForm.Get("table"))
	if err != nil {
		return err
	}
	by := r.PostForm.Get("sort")
	if !slices.Contains(sorts, by) {
		by = sorts[0]
	}
	if r.PostForm.Get("as") == "csv" {
		return s.saveTable(w, r, t)
	}
	return s.showTable(w, r, t, by)
}

// saveTable answers with a table for a spreadsheet.
func (s *Site) saveTable(w http.ResponseWriter, r *http.Request, t table) error {
	p := s.page(r, "table.title")
	rows := [][]string{{p.T("col.file"), p.T("col.verdict"), p.T("fact.holder"), p.T("fact.title"), p.T("fact.issuer"), p.T("col.day"), p.T("col.reason"), p.T("col.checked")}}
	if t.Asked != "" {
		rows[0] = append(rows[0], p.T("col.asked"))
	}
	at := t.At.In(s.Zone).Format("2006-01-02 15:04")
	for _, row := range t.Rows {
		rows = append(rows, []string{row.Name, row.Word, row.Person, row.Title, row.Provider, row.On, row.Reason, at})
		if t.Asked != "" {
			rows[len(rows)-1] = append(rows[len(rows)-1], t.Asked)
		}
	}
	var b bytes.Buffer
	if err := intake.WriteCSV(&b, rows); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+p.T("table.csv")+"-"+t.At.In(s.Zone).Format(time.DateOnly)+`.csv"`)
	_, _ = w.Write(b.Bytes()) // the status is sent: nothing is left to answer
	return nil
}

// signTable writes a table with its authentication code.
func (s *Site) signTable(t table) (string, error) {
	raw, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("writing the table: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append(s.tableCode(raw), raw...)), nil
}

// readTable reads a table that this installation wrote.
func (s *Site) readTable(signed string) (t table, err error) {
	no := refusal{http.StatusBadRequest, "table"}
	raw, err := base64.RawURLEncoding.DecodeString(signed)
	if err != nil || len(raw) < sha256.Size || !hmac.Equal(raw[:sha256.Size], s.tableCode(raw[sha256.Size:])) {
		return t, no
	}
	if err := json.Unmarshal(raw[sha256.Size:], &t); err != nil {
		return t, no
	}
	return t, nil
}

func (s *Site) tableCode(raw []byte) []byte {
	code := hmac.New(sha256.New, s.TableKey)
	_, _ = code.Write(raw) // a hash never fails
	return code.Sum(nil)
}
