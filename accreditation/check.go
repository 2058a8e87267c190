package accreditation

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"attesta/credentials"
)

// Bounds of a list. A sealed list is at most 1 MB (package credentials), which
// is some two thousand providers.
const (
	maxEach  = 50  // of a repeated member of one provider
	maxText  = 300 // characters
	maxLink  = 500 // bytes
	maxSpeak = 366 * 24 * time.Hour
)

// ErrList is wrapped by every error about what stands in a list.
var ErrList = errors.New("the list cannot be used")

var (
	legalID = regexp.MustCompile(`^[A-Za-z:]{5}-[!-~]{1,64}$`)
	country = regexp.MustCompile(`^[A-Z]{2}$`)
	field   = regexp.MustCompile(`^[0-9]{2,4}$`)
	region  = regexp.MustCompile(`^([A-Z]{2}[A-Z0-9]{0,3}|[A-Z]{3}(_[A-Z0-9]+)+)$`)
)

// fault says where something is wrong.
func fault(where, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrList, where, fmt.Sprintf(format, args...))
}

// Check says what is wrong in a list, or nil: whether every day is one, no
// period overlaps another, nobody stands there twice.
func (l *List) Check() error {
	if err := l.checkHead(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for n := range l.Providers {
		p := &l.Providers[n]
		where := fmt.Sprintf("provider %d", n+1)
		if len(p.LegalIDs) == 0 || len(p.LegalIDs) > maxEach {
			return fault(where, "it has %d legal identifiers, 1 to %d are wanted", len(p.LegalIDs), maxEach)
		}
		for _, id := range p.LegalIDs {
			if err := checkLegalID(where, id); err != nil {
				return err
			}
			if seen[id] {
				return fault(where, "the legal identifier %s stands in the list twice", id)
			}
			seen[id] = true
		}
		if err := p.check(where + " (" + p.LegalIDs[0] + ")"); err != nil {
			return err
		}
	}
	return nil
}

func (l *List) checkHead() error {
	u, err := url.Parse(l.ID)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "urn" || u.Host == "" && u.Opaque == "" ||
		len(l.ID) > maxLink || strings.ContainsFunc(l.ID, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fault("id", "%q is not an address or a URN", clip(l.ID))
	case l.Sequence < 1 || l.Sequence >= 1<<53:
		return fault("sequence", "%d is not a number from 1 on", l.Sequence)
	case l.Issued.IsZero() || l.Issued.Year() < 2000 || l.Issued.Year() > 2200:
		return fault("issued", "it is not dated")
	case !l.NextUpdate.After(l.Issued) || l.NextUpdate.Sub(l.Issued) > maxSpeak:
		return fault("next_update", "it is not after \"issued\" and at most a year later")
	case l.Authority.Country != "" && !country.MatchString(l.Authority.Country):
		return fault("authority", "the country %q does not have two letters", clip(l.Authority.Country))
	}
	if err := checkLegalID("authority", l.Authority.LegalID); err != nil {
		return err
	}
	return checkText("authority", "name", l.Authority.Name, true)
}

func (p *Provider) check(where string) error {
	if len(p.Names) == 0 || len(p.Names) > maxEach || len(p.SealedBy) > maxEach {
		return fault(where, "it has %d names and %d sealers, 1 to %d names are wanted", len(p.Names), len(p.SealedBy), maxEach)
	}
	for n, name := range p.Names {
		if err := checkText(where, "name", name.Name, true); err != nil {
			return err
		}
		switch {
		case n == 0 && name.From == "":
		case !isDay(name.From):
			return fault(where, "the name %q is not dated", name.Name)
		case n > 0 && name.From <= p.Names[n-1].From:
			return fault(where, "the name %q does not begin after the one before it", name.Name)
		}
	}
	for n, id := range p.SealedBy {
		if err := checkLegalID(where, id); err != nil {
			return err
		}
		if repeated(p.SealedBy, n) {
			return fault(where, "%s may seal for it twice", id)
		}
	}
	if len(p.Accreditations) == 0 || len(p.Accreditations) > maxEach {
		return fault(where, "it has %d accreditations, 1 to %d are wanted", len(p.Accreditations), maxEach)
	}
	for n := range p.Accreditations {
		a := &p.Accreditations[n]
		if err := a.check(where + ", number " + clip(a.Number)); err != nil {
			return err
		}
		for m := range p.Accreditations[:n] {
			other := &p.Accreditations[m]
			if other.Register == a.Register && other.Number == a.Number &&
				(holds(other.From, other.Until, a.From) || holds(a.From, a.Until, other.From)) {
				return fault(where, "two periods of number %s overlap", a.Number)
			}
		}
	}
	return nil
}

func (a *Accreditation) check(where string) error {
	for _, needed := range [][2]string{{"register", a.Register}, {"number", a.Number}} {
		if err := checkText(where, needed[0], needed[1], true); err != nil {
			return err
		}
	}
	if err := checkText(where, "reason", a.Reason, false); err != nil {
		return err
	}
	switch u, err := url.Parse(a.Link); {
	case a.Link == "":
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(a.Link) > maxLink ||
		strings.ContainsFunc(a.Link, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fault(where, "the link %q is not a web address", clip(a.Link))
	}
	if err := checkPeriod(where, a.From, a.Until); err != nil {
		return err
	}
	switch {
	case a.MaxEQF < 0 || a.MaxEQF > 8:
		return fault(where, "max_eqf %d is not a level from 1 to 8", a.MaxEQF)
	case len(a.Fields) > maxEach || len(a.Regions) > maxEach || len(a.Suspended) > maxEach:
		return fault(where, "more than %d fields, regions or suspensions", maxEach)
	}
	for n, f := range a.Fields {
		if !field.MatchString(f) || repeated(a.Fields, n) {
			return fault(where, "the field %q is no code of ISCED-F with 2 to 4 digits, or stands there twice", clip(f))
		}
	}
	for n, r := range a.Regions {
		if !region.MatchString(r) || repeated(a.Regions, n) {
			return fault(where, "the region %q is no NUTS or ATU code and no country, or stands there twice", clip(r))
		}
	}
	return a.checkSuspensions(where)
}

func (a *Accreditation) checkSuspensions(where string) error {
	for n, s := range a.Suspended {
		if err := checkPeriod(where+", suspension", s.From, s.Until); err != nil {
			return err
		}
		if err := checkText(where, "reason", s.Reason, false); err != nil {
			return err
		}
		switch {
		case !holds(a.From, a.Until, s.From):
			return fault(where, "the suspension from %s begins outside the accreditation", s.From)
		case n > 0 && (a.Suspended[n-1].Until == "" || s.From <= a.Suspended[n-1].Until):
			return fault(where, "the suspension from %s does not begin after the end of the one before it", s.From)
		}
	}
	return nil
}

func checkPeriod(where string, from, until credentials.Date) error {
	switch {
	case !isDay(from):
		return fault(where, "it begins on %q, which is no day such as 2026-03-14", clip(string(from)))
	case until != "" && !isDay(until):
		return fault(where, "it ends on %q, which is no day such as 2026-03-14", clip(string(until)))
	case until != "" && until < from:
		return fault(where, "it ends on %s, before it begins on %s", until, from)
	}
	return nil
}

// isDay tells whether a text is a day of the years 1900 to 2200.
func isDay(d credentials.Date) bool {
	t, err := time.Parse(time.DateOnly, string(d))
	return err == nil && t.Year() >= 1900 && t.Year() <= 2200
}

func checkLegalID(where, id string) error {
	if !legalID.MatchString(id) {
		return fault(where, "%q is no legal identifier such as VATIT-00000000000", clip(id))
	}
	return nil
}

// checkText refuses what would show as something else than it is: control
// characters and marks that change the direction of writing.
func checkText(where, what, text string, needed bool) error {
	switch {
	case text == "" && !needed:
		return nil
	case strings.TrimSpace(text) != text || text == "" || utf8.RuneCountInString(text) > maxText || !utf8.ValidString(text):
		return fault(where, "the %s has no text of at most %d characters, or blanks around it", what, maxText)
	case strings.ContainsFunc(text, func(r rune) bool {
		return unicode.Is(unicode.C, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
	}):
		return fault(where, "the %s has characters that do not show", what)
	}
	return nil
}

// clip keeps what an error repeats of a list short and on one line.
func clip(s string) string {
	const most = 60
	if r := []rune(strings.ToValidUTF8(s, "")); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.C, r) {
			return ' '
		}
		return r
	}, s)
}

// repeated tells whether the text at n stands before it already.
func repeated(all []string, n int) bool { return slices.Contains(all[:n], all[n]) }
