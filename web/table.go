package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"attesta/presentation"
	"attesta/verifier"

	"golang.org/x/text/unicode/norm"
)

const maxCell = 200 // characters of a cell

// table is a checked batch, or several, in the words of one language.
type table struct {
	At    time.Time  `json:"at"`
	Until time.Time  `json:"-"`               // when the last of several batches was checked
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
	Digest   string `json:"sha256,omitempty"` // of the file, in hexadecimal
	at       time.Time
}

// tablePage shows the answers about several items.
type tablePage struct {
	Page
	tableForm
	CheckedAt string
	Until     string // when the last was checked, where that was later
	At        string // the moment asked about, where it is another one
	Asked     string // the same, for the addresses of single answers
	Counts    []tableCount
	Rows      []tableRow
}

// tableForm is the form by which a table is posted again.
type tableForm struct {
	Action  string
	Parts   []string // of the table, each with its authentication code
	Receipt bool     // there are signed receipts
	Sorts   []tableSort
}

func (s *Site) tableForm(p Page, parts []string, by string) tableForm {
	form := tableForm{Action: p.Link("/verify/table"), Parts: parts, Receipt: s.Receipts != nil}
	for _, name := range sorts {
		form.Sorts = append(form.Sorts, tableSort{name, p.T("sort." + name), name == by})
	}
	return form
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
	t.Until = t.At
	for _, a := range answers {
		row := tableRow{Name: cut(a.Name), Handle: a.Handle, Digest: a.Digest, at: t.At}
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
		if row.Person == "" && report.Discloses() {
			row.Person = p.T("fact.holder.hidden")
		}
		day := report.Credential.CompletedOn
		if day.IsZero() {
			day = report.Credential.Issued
		}
		if row.Day = p.day(day); row.Day != "" {
			row.On = p.local(day).Format(time.DateOnly)
		}
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

// showTable answers with a table, sorted by a column. Parts are what it was read
// from.
func (s *Site) showTable(w http.ResponseWriter, r *http.Request, t table, parts []string, by string) error {
	by = cmp.Or(by, sorts[0])
	p := tablePage{Page: s.page(r, "table.title")}
	p.Wide = true
	p.tableForm = s.tableForm(p.Page, parts, by)
	if p.CheckedAt, p.Until = p.moment(t.At), p.moment(t.Until); p.Until == p.CheckedAt {
		p.Until = ""
	}
	if about, err := s.askedDay(t.Asked); err == nil && !about.IsZero() {
		p.At, p.Asked = p.moment(about), "?at="+t.Asked
	}
	p.Counts = p.countsOf(t.Rows)
	p.Rows = sorted(t.Rows, by)
	return s.show(w, r, http.StatusOK, p)
}

// counts are the kinds of answers, none counted yet.
func (p Page) counts() []tableCount {
	return []tableCount{
		{Name: "valid", Word: p.T("verdict.valid")},
		{Name: "not_valid", Word: p.T("verdict.not_valid.bare")},
		{Name: "cannot_tell", Word: p.T("verdict.cannot_tell.bare")},
		{Name: "unread", Word: p.T("verdict.unread")},
	}
}

// countsOf counts the answers of each kind that there is.
func (p Page) countsOf(rows []tableRow) (found []tableCount) {
	for _, count := range p.counts() {
		for _, row := range rows {
			if row.Verdict == count.Name {
				count.N++
			}
		}
		if count.N > 0 {
			found = append(found, count)
		}
	}
	return found
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
