package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"attesta/presentation"
)

// many is what the page of the check needs to send many files in small groups
// and to fill a table as the answers come. Without its script the form sends them
// all at once, as ever.
type many struct {
	Page
	tableForm
	Script string // address of ours
	Groups string // where a group is checked
	Files  int    // how many may be sent, one group after the other
	Counts []tableCount
}

func (s *Site) many(p Page) many {
	return many{
		Page: p, tableForm: s.tableForm(p, nil, ""), Counts: p.counts(),
		Script: s.assets.address("many.js"), Groups: p.Link("/verify/rows"), Files: presentation.MaxEntries,
	}
}

// checkedRows is the answer about one group: rows of the table as a part of a
// page, and the same as a part of the table that is posted again.
type checkedRows struct {
	HTML   string         `json:"html"`
	Table  string         `json:"table"`
	Rows   int            `json:"rows"`
	Counts map[string]int `json:"counts"` // by verdict
}

// verifyRows judges a group of many, for the script of the page. It reads, bounds
// and judges as the page does without it.
func (s *Site) verifyRows(w http.ResponseWriter, r *http.Request) error {
	in, answers, err := s.judgePresented(w, r, false)
	if err != nil {
		return err
	}
	t := s.tableOf(r, answers, in.asked)
	answer := checkedRows{Rows: len(t.Rows), Counts: map[string]int{}}
	if answer.Table, err = s.signTable(t); err != nil {
		return err
	}
	p := tablePage{Page: s.page(r, "table.title"), Rows: t.Rows}
	if in.asked != "" {
		p.Asked = "?at=" + in.asked
	}
	for _, c := range p.countsOf(t.Rows) {
		answer.Counts[c.Name] = c.N
	}
	var b bytes.Buffer
	if err := s.pages[p.template()].ExecuteTemplate(&b, "table-rows", p); err != nil {
		return fmt.Errorf("filling the rows: %w", err)
	}
	answer.HTML = b.String()
	body, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("writing the rows: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Language", p.Lang)
	_, _ = w.Write(body) // the status is sent: nothing is left to answer
	return nil
}
