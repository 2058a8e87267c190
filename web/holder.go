package web

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"attesta/credentials"
	"attesta/registry"
	"attesta/verifier"
	"attesta/wallet"

	"github.com/go-chi/chi/v5"
)

// maxToken bounds a claim token; those we give out are shorter.
const maxToken = 128

// holderPage is the credential in the hands of its holder, in plain words.
type holderPage struct {
	Page
	Verdict  verdict
	Proves   []proof // what it proves, in six lines at most
	Declares string  // heading over them, which depends on the verdict
	Outcomes []outcome
	Tests    []assessment
	Seal     seal
	Write    bool   // the holder may have to write to the provider
	Site     string // https address of the provider, "" where none is known
	Address  string // public address of the check, also as text
	Check    string // the same on this site, also for printing
	Picture  string // of the QR
	Nearby   bool   // the address opens on this computer only
	Download string
	File     string
	Compact  string // where a compact QR is asked for, "" where there is none
	Personal string // what the file holds about the person beside the name, "" when nothing
}

// proof is one line of what a credential proves.
type proof struct {
	Term   string
	Values []said
	Note   said
}

// held opens the credential of the token of a request. Reading it changes
// nothing, so that a mail scanner that follows the link does no harm.
func (s *Site) held(r *http.Request) (token string, h wallet.Held, err error) {
	token = chi.URLParam(r, "token")
	if token == "" || len(token) > maxToken {
		return "", wallet.Held{}, refusal{http.StatusNotFound, "claim"}
	}
	h, err = s.Wallet.Open(r.Context(), token)
	if errors.Is(err, wallet.ErrErased) {
		return "", wallet.Held{}, refusal{http.StatusGone, "erased"}
	}
	if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrInvalid) {
		return "", wallet.Held{}, refusal{http.StatusNotFound, "claim"}
	}
	if err != nil {
		return "", wallet.Held{}, fmt.Errorf("opening a claim link: %w", err)
	}
	return token, h, nil
}

func (s *Site) holder(w http.ResponseWriter, r *http.Request) error {
	token, held, err := s.held(r)
	if err != nil {
		return err
	}
	report, err := s.Verify(r.Context(), held.Sealed, time.Time{})
	if err != nil {
		return fmt.Errorf("checking for the holder: %w", err)
	}
	report = dated(report, held.Record, true)
	p := holderPage{Page: s.page(r, "holder.title"), Nearby: s.loopback}
	p.Secret = true
	p.Verdict, p.Seal = p.verdictOf(report), p.sealOf(report.Level)
	p.Verdict.Todo = p.T("holder.todo." + p.Verdict.Name)
	p.Write = p.Verdict.Name == string(verifier.NotValid)
	if report.Level == "demonstration" && report.Verdict == verifier.Valid {
		p.Verdict.Todo = p.T("holder.todo.demonstration")
	}
	if c := p.claimsOf(report); c != nil {
		p.Proves, p.Outcomes, p.Tests, p.Site = p.proves(c, report), c.Outcomes, c.Assessments, c.Site
		p.Personal = p.personal(report.Credential)
		p.Declares = p.T("declares." + p.Verdict.Name)
		if report.Verdict == verifier.Valid {
			p.Declares = p.T("proves.title")
		}
	}
	p.Address = s.address(held.Record.Handle)
	p.Check = p.Link("/v/" + held.Record.Handle)
	p.Picture = picture(held.Record.Handle)
	p.Download = "/c/" + token + "/credential.jsonld"
	p.File = fileName(held.Record)
	if s.Brief != nil && report.Verdict == verifier.Valid {
		p.Compact = p.Link("/c/" + token + "/compact")
	}
	return s.show(w, r, http.StatusOK, p)
}

// personal says what a file holds about a person beside the name.
func (p Page) personal(v *credentials.View) string {
	switch {
	case v.BirthDateGiven && v.NationalIDGiven:
		return p.T("keep.personal")
	case v.BirthDateGiven:
		return p.T("keep.personal.birth")
	case v.NationalIDGiven:
		return p.T("keep.personal.number")
	}
	return ""
}

// proves says in six lines who achieved what, with whom, when, how much and how.
func (p Page) proves(c *claims, report verifier.Report) []proof {
	v := report.Credential
	var lines []proof
	add := func(key string, note said, values ...said) {
		for _, f := range appendFact(nil, p.T(key), note, values) {
			lines = append(lines, proof{f.Term, f.Values, f.Note})
		}
	}
	add("proves.who", said{}, said{Text: c.Holder})
	add("proves.what", said{}, c.Title)
	add("proves.issuer", said{}, c.Issuer)
	add("proves.when", said{}, said{Text: p.day(v.CompletedOn)})
	var much []string
	if v.Hours != "" {
		much = append(much, p.effort(v.Hours))
	}
	if v.Level != nil {
		much = append(much, p.T("proves.level", "level", p.levelOf(*v.Level).Text))
	}
	add("proves.much", said{Text: p.levelMeans(v)}, said{Text: strings.Join(much, ", ")})
	var how []said
	for _, a := range v.Assessments {
		if a.Type == nil {
			continue
		}
		if kind := p.concept(*a.Type); !slices.Contains(how, kind) {
			how = append(how, kind)
		}
	}
	add("proves.how", said{}, how...)
	return lines
}

// picture is the address of the QR of a handle.
func picture(handle string) string { return "/v/" + handle + "/qr.svg" }

// holderFile hands out the exact sealed bytes.
func (s *Site) holderFile(w http.ResponseWriter, r *http.Request) error {
	_, held, err := s.held(r)
	if err != nil {
		return err
	}
	return handOut(w, held)
}

// handOut answers with the exact sealed bytes.
func handOut(w http.ResponseWriter, held wallet.Held) error {
	w.Header().Set("Content-Type", "application/ld+json")
	w.Header().Set("Content-Disposition", `attachment; filename="`+fileName(held.Record)+`"`)
	_, _ = w.Write(held.Sealed) // the status is sent: nothing is left to answer
	return nil
}

var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9._-]+|^\.+`)

// fileName names a file after the module and after nothing else.
func fileName(record registry.Record) string {
	code := unsafeInName.ReplaceAllString(record.Module, "")
	if len(code) > 40 {
		code = code[:40]
	}
	if code == "" {
		return "attestato.jsonld"
	}
	return "attestato-" + code + ".jsonld"
}
