package intake

import (
	"slices"
	"strings"

	"attesta/credentials"
)

// maxNumber bounds a national number.
const maxNumber = 64

// italianBirth and taxCode are headers that only Italian lists have: under the
// first a day is written as Italians do, under the second the number is an
// Italian tax code.
func italianBirth() []string { return []string{"datadinascita", "datanascita", "natoil", "nascita"} }
func taxCode() []string      { return []string{"codicefiscale", "codfiscale", "codfisc", "cf"} }

// private tells which columns hold what no message repeats.
func private(key string) bool {
	return key == "birth_date" || strings.HasPrefix(key, "national_id")
}

// birth reads the birth date.
func (p *person) birth() {
	word := trim(p.row.cell("birth_date"))
	if word == "" {
		return
	}
	l := p.locale
	if slices.Contains(italianBirth(), fold(p.row.column("birth_date"))) {
		l = Italian
	}
	day, ok := date(word, l)
	if !ok || p.today != "" && day > p.today {
		p.found("birth_date", "invalid_birth_date", Error)
		return
	}
	p.out.BirthDate = string(day)
}

// number reads the national number with its country and its name.
func (p *person) number() {
	number := trim(p.row.cell("national_id"))
	if number == "" {
		return
	}
	country, scheme := trim(p.row.cell("national_id_country")), p.text("national_id_scheme")
	if slices.Contains(taxCode(), fold(p.row.column("national_id"))) {
		if country == "" {
			country = "ITA"
		}
		if scheme == "" && country == "ITA" {
			scheme = italianTaxCode
		}
	}
	switch {
	case len(number) > maxNumber || strings.IndexFunc(number, unfit) >= 0:
		p.found("national_id", "invalid_national_id", Error)
		return
	case !credentials.IsCountry(country):
		p.found("national_id_country", "missing_id_country", Error)
		return
	case country == "ITA" && strings.EqualFold(scheme, italianTaxCode):
		scheme = italianTaxCode
		if number = strings.ToUpper(strings.ReplaceAll(number, " ", "")); !isTaxCode(number) {
			p.found("national_id", "invalid_tax_code", Error)
			return
		}
	}
	p.out.NationalID, p.out.NationalCountry, p.out.NationalScheme = number, country, scheme
}

const italianTaxCode = "Codice fiscale"

// isTaxCode tells whether a text has the form of a person’s Italian tax code,
// with its check character where it has one: sixteen letters and digits, or the
// eleven digits of a provisional one (decree of 23 December 1976, articles 1 to
// 9).
func isTaxCode(s string) bool {
	if len(s) == 11 {
		return digits(s)
	}
	if len(s) != 16 {
		return false
	}
	// What the characters in odd places count, for 0 and A, 1 and B, and so on.
	const odd = "\x01\x00\x05\x07\x09\x0d\x0f\x11\x13\x15\x02\x04\x12\x14\x0b\x03\x06\x08\x0c\x0e\x10\x0a\x16\x19\x18\x17"
	// Letters stand for digits where two people would have one code.
	const form, stand = "AAAAAA00A00A000A", "LMNPQRSTUV"
	sum := 0
	for i := range 15 {
		var n int
		switch c := s[i]; {
		case form[i] == '0' && c >= '0' && c <= '9':
			n = int(c - '0')
		case c >= 'A' && c <= 'Z' && (form[i] == 'A' || strings.IndexByte(stand, c) >= 0):
			n = int(c - 'A')
		default:
			return false
		}
		if i%2 == 0 {
			n = int(odd[n])
		}
		sum += n
	}
	return s[15] == byte('A'+sum%26)
}
