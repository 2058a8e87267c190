package web

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"attesta/brief"
	"attesta/keys"
	"attesta/verifier"

	"github.com/skip2/go-qrcode"
)

// maxCompact is the finest version of a QR that an ordinary phone reads from paper.
const maxCompact = 20

// compactPage is the compact QR of a credential, for its holder to print or keep.
type compactPage struct {
	Page
	Picture template.HTML // SVG
	Made    string
	Again   string // where it is asked for; it is made anew each time
	Back    string
	Nearby  bool // the address in it opens on this computer only
}

// compact makes the compact QR of a credential for its holder, who asks for it by
// a button and never otherwise: it carries the name. Nothing of it is kept, and
// it stands in the answer only.
func (s *Site) compact(w http.ResponseWriter, r *http.Request) error {
	token, held, err := s.held(r)
	if err != nil {
		return err
	}
	if s.Brief == nil {
		return refusal{http.StatusNotFound, "missing"}
	}
	report, err := s.Verify(r.Context(), held.Sealed, time.Time{})
	if err != nil {
		return fmt.Errorf("checking for a compact QR: %w", err)
	}
	if report.Verdict != verifier.Valid {
		return refusal{http.StatusConflict, "compact-status"}
	}
	address, err := s.Brief(r.Context(), held.Record, held.Sealed)
	switch {
	case errors.Is(err, brief.ErrKey), errors.Is(err, keys.ErrNoKey):
		return refusal{http.StatusConflict, "compact-key"}
	case errors.Is(err, brief.ErrUnfit):
		return refusal{http.StatusConflict, "compact-unfit"}
	case err != nil:
		return fmt.Errorf("making a compact QR: %w", err)
	}
	picture, err := compactQR(address)
	if err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
	if r.PostFormValue("as") == "file" {
		w.Header().Set("Content-Type", "image/svg+xml")
		w.Header().Set("Content-Disposition", `attachment; filename="qr.svg"`)
		_, _ = w.Write(picture) // the status is sent: nothing is left to answer
		return nil
	}
	p := compactPage{Page: s.page(r, "compact.title"), Nearby: s.loopback}
	p.Secret = true
	p.Picture = template.HTML(picture) //nolint:gosec // drawn here: numbers only
	p.Made = p.day(report.CheckedAt)
	p.Back = p.Link("/c/" + token)
	p.Again = p.Link("/c/" + token + "/compact")
	return s.show(w, r, http.StatusOK, p)
}

// compactQR draws a compact QR like QR, as fine as it has to be.
func compactQR(address string) ([]byte, error) {
	q, err := qrcode.New(address, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("drawing a compact QR: %w", err)
	}
	if q.VersionNumber > maxCompact {
		return nil, fmt.Errorf("drawing a compact QR: it is of version %d, too fine for paper", q.VersionNumber)
	}
	return draw(q)
}
