package web

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"time"

	"attesta/intake"
	"attesta/presentation"
)

// A table of answers is kept nowhere. The page carries it in fields, as the
// server wrote it, and posts it again to have it sorted or saved; an
// authentication code over it and over the time of the check keeps the server
// from showing a table that it did not write, or one of long ago.
const (
	maxTable  = 6 << 20                     // bytes of a table that is posted again
	maxRows   = presentation.MaxEntries + 1 // of all its parts: those of one reading
	tableLife = 12 * time.Hour              // a working day
	tableSkew = 5 * time.Minute             // between the clocks of two servers
)

// tableAgain sorts or saves a table, as a spreadsheet or as a receipt, that a page of ours posts again.
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
	parts := r.PostForm["table"]
	t, err := s.readTables(parts)
	if err != nil {
		return err
	}
	by := r.PostForm.Get("sort")
	if !slices.Contains(sorts, by) {
		by = sorts[0]
	}
	switch r.PostForm.Get("as") {
	case "csv":
		return s.saveTable(w, r, t)
	case "receipt":
		return s.saveReceipt(w, r, t)
	}
	return s.showTable(w, r, t, parts, by)
}

// saveTable answers with a table for a spreadsheet.
func (s *Site) saveTable(w http.ResponseWriter, r *http.Request, t table) error {
	p := s.page(r, "table.title")
	rows := [][]string{{p.T("col.file"), p.T("col.verdict"), p.T("fact.holder"), p.T("fact.title"), p.T("fact.issuer"), p.T("col.day"), p.T("col.reason"), p.T("col.checked"), p.T("col.digest")}}
	if t.Asked != "" {
		rows[0] = append(rows[0], p.T("col.asked"))
	}
	for _, row := range t.Rows {
		rows = append(rows, []string{row.Name, row.Word, row.Person, row.Title, row.Provider, row.On, row.Reason, row.at.In(s.Zone).Format("2006-01-02 15:04"), row.Digest})
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

// readTables reads a table that this installation wrote, in one part or several,
// not long ago. The same part twice counts once.
func (s *Site) readTables(parts []string) (all table, err error) {
	seen := map[string]bool{} // by their code: base64 can be written in several ways
	for _, signed := range parts {
		t, code, err := s.readTable(signed)
		if err != nil {
			return all, err
		}
		if seen[code] {
			continue
		}
		seen[code] = true
		switch {
		case len(seen) > 1 && t.Asked != all.Asked:
			return all, refusal{http.StatusBadRequest, "table"}
		case len(all.Rows)+len(t.Rows) > maxRows:
			return all, refusal{http.StatusRequestEntityTooLarge, "rows"}
		}
		if len(seen) == 1 {
			all.At, all.Until, all.Asked = t.At, t.At, t.Asked
		}
		if t.At.Before(all.At) {
			all.At = t.At
		}
		if t.At.After(all.Until) {
			all.Until = t.At
		}
		for _, row := range t.Rows {
			row.at = t.At
			all.Rows = append(all.Rows, row)
		}
	}
	if len(seen) == 0 {
		return all, refusal{http.StatusBadRequest, "table"}
	}
	return all, nil
}

// readTable reads one part, with its authentication code.
func (s *Site) readTable(signed string) (t table, code string, err error) {
	no := refusal{http.StatusBadRequest, "table"}
	raw, err := base64.RawURLEncoding.DecodeString(signed)
	if err != nil || len(raw) < sha256.Size || !hmac.Equal(raw[:sha256.Size], s.tableCode(raw[sha256.Size:])) {
		return t, "", no
	}
	if err := json.Unmarshal(raw[sha256.Size:], &t); err != nil {
		return t, "", no
	}
	if age := s.Now().Sub(t.At); age > tableLife || age < -tableSkew {
		return t, "", refusal{http.StatusGone, "old"}
	}
	return t, string(raw[:sha256.Size]), nil
}

func (s *Site) tableCode(raw []byte) []byte {
	code := hmac.New(sha256.New, s.TableKey)
	_, _ = code.Write(raw) // a hash never fails
	return code.Sum(nil)
}
