package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"attesta/keys"
	"attesta/presentation"
	"attesta/receipt"
)

// offerReceipt puts into the answer about one thing what a receipt is made from.
func (s *Site) offerReceipt(r *http.Request, p *resultPage, answers []presentation.Answer, asked string) error {
	if s.Receipts == nil {
		return nil
	}
	signed, err := s.signTable(s.tableOf(r, answers, asked))
	if err != nil {
		return err
	}
	p.Table = s.tableForm(p.Page, []string{signed}, "")
	return nil
}

// saveReceipt answers with a signed receipt of a table. Nothing of it is kept.
func (s *Site) saveReceipt(w http.ResponseWriter, r *http.Request, t table) error {
	if s.Receipts == nil {
		return refusal{http.StatusNotFound, "receipt"}
	}
	signer, err := s.Receipts(r.Context())
	if errors.Is(err, keys.ErrNoKey) {
		return refusal{http.StatusServiceUnavailable, "receipt"}
	}
	if err != nil {
		return err
	}
	var pdf []byte
	p := s.page(r, "receipt.title")
	err = s.judging.turn(w, r, func() error {
		pdf, err = receipt.Make(s.receiptOf(p, t, signer), signer)
		return err
	})
	if err != nil {
		return fmt.Errorf("making a receipt: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `attachment; filename="`+p.T("receipt.file")+"-"+t.At.In(s.Zone).Format(time.DateOnly)+`.pdf"`)
	h.Set("Content-Length", strconv.Itoa(len(pdf)))
	_, _ = w.Write(pdf) // the status is sent: nothing is left to answer
	return nil
}

// receiptOf says a table on paper. The name of the holder is left out: whoever
// keeps the receipt has the files, which the digests tell apart, and who else sees
// it need not know of whom they are.
func (s *Site) receiptOf(p Page, t table, signer receipt.Signer) receipt.Content {
	c := receipt.Content{
		Language: p.Lang, Title: p.T("receipt.title"), Made: s.Now(),
		Page: func(n, of int) string { return p.T("receipt.page", "n", strconv.Itoa(n), "of", strconv.Itoa(of)) },
	}
	add := func(name, value string) { c.Facts = append(c.Facts, receipt.Fact{Name: name, Value: value}) }
	add(p.T("col.checked"), s.zoned(p, t.At))
	if p.moment(t.Until) != p.moment(t.At) {
		add(p.T("receipt.until"), s.zoned(p, t.Until))
	}
	if about, err := s.askedDay(t.Asked); err == nil && !about.IsZero() {
		add(p.T("col.asked"), p.day(about))
	}
	by := s.PublicURL
	if s.Demonstration {
		by += " (" + p.T("receipt.demo") + ")"
	}
	add(p.T("receipt.by"), by)
	if n := len(signer.Chain); n > 0 {
		leaf := signer.Chain[0]
		add(p.T("receipt.key"), leaf.Subject.CommonName+", "+keys.Fingerprint(leaf)[:16])
		add(p.T("receipt.root"), keys.Fingerprint(signer.Chain[n-1]))
	}
	totals := []string{p.T("receipt.rows", "n", strconv.Itoa(len(t.Rows)))}
	for _, count := range p.countsOf(t.Rows) {
		totals = append(totals, count.Word+": "+strconv.Itoa(count.N))
	}
	c.Summary = strings.Join(totals, " · ")
	c.Notes = []string{p.T("receipt.proves"), p.T("receipt.three"), p.T("receipt.person"), p.T("receipt.seal")}
	several := p.moment(t.Until) != p.moment(t.At)
	for _, row := range t.Rows {
		made := p.receiptRow(row)
		if several {
			made.Facts = append(made.Facts, receipt.Fact{Name: p.T("col.checked"), Value: s.zoned(p, row.at)})
		}
		c.Rows = append(c.Rows, made)
	}
	return c
}

// zoned is a moment with its zone.
func (s *Site) zoned(p Page, t time.Time) string {
	return p.moment(t) + ", " + t.In(s.Zone).Format("UTC-07:00")
}

func (p Page) receiptRow(row tableRow) receipt.Row {
	tones := map[string]receipt.Tone{"valid": receipt.Good, "not_valid": receipt.Bad, "cannot_tell": receipt.Doubtful}
	digest := row.Digest
	if digest == "" {
		digest = p.T("receipt.nofile")
	}
	return receipt.Row{
		Name: p.T("receipt.name", "name", unquoted(row.Name)), Verdict: row.Word, Tone: tones[row.Verdict], Reason: row.Reason,
		Facts: []receipt.Fact{
			{Name: p.T("fact.title"), Value: row.Title},
			{Name: p.T("fact.issuer"), Value: row.Provider},
			{Name: p.T("col.day"), Value: row.Day},
			{Name: p.T("col.digest"), Value: digest},
		},
	}
}

// unquoted is a name without the quotation marks of any of our languages. It may
// read like a verdict: it stands between such marks, and cannot end them.
func unquoted(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("«»“”„‟‘’‚\"", r) {
			return '\''
		}
		return r
	}, name)
}
