package accreditation

import (
	"strconv"
	"strings"

	"attesta/credentials"
)

// covered says on which side of a limit something lies.
type covered int

const (
	yes covered = iota
	unclear
	no
)

// covers holds a module against the limits of an accreditation (the limits of
// an accreditation in the European Learning Model: limitEQFLevel, limitField,
// limitJurisdiction).
func (a *Accreditation) covers(q Question) covered {
	worst := yes
	for _, c := range []covered{a.coversLevel(q.EQF), a.coversFields(q.Fields), a.coversRegion(q)} {
		worst = max(worst, c)
	}
	return worst
}

func (a *Accreditation) coversLevel(level int) covered {
	switch {
	case a.MaxEQF == 0 || 0 < level && level <= a.MaxEQF:
		return yes
	case level == 0:
		return unclear
	}
	return no
}

// coversFields asks for every field of the module.
func (a *Accreditation) coversFields(fields []string) covered {
	if len(a.Fields) == 0 {
		return yes
	}
	if len(fields) == 0 {
		return unclear
	}
	worst := yes
	for _, f := range fields {
		best := no
		for _, limit := range a.Fields {
			switch {
			case strings.HasPrefix(f, limit):
				best = yes
			case strings.HasPrefix(limit, f): // it says less than the limit asks
				best = min(best, unclear)
			}
		}
		worst = max(worst, best)
	}
	return worst
}

func (a *Accreditation) coversRegion(q Question) covered {
	if len(a.Regions) == 0 {
		return yes
	}
	best := no
	for _, limit := range a.Regions {
		best = min(best, inside(limit, q.Region, q.Country))
	}
	return best
}

// inside compares regions. Codes of two lists are comparable by their country
// alone.
func inside(limit, code, country string) covered {
	if of, ok := countryOf(code); ok {
		country = of
	}
	of, _ := countryOf(limit)
	switch {
	case country == "":
		return unclear
	case country != of:
		return no
	case isCountry(limit):
		return yes
	case code == "" || isCountry(code) || strings.Contains(limit, "_") != strings.Contains(code, "_"):
		return unclear
	}
	sign := ""
	if strings.Contains(limit, "_") {
		sign = "_"
	}
	switch {
	case code == limit || strings.HasPrefix(code, limit+sign):
		return yes
	case strings.HasPrefix(limit, code+sign):
		return unclear
	}
	return no
}

// isCountry tells whether a code is a whole country, in two letters or three.
func isCountry(code string) bool {
	return len(code) == 2 || len(code) == 3 && credentials.IsCountry(code)
}

// countryOf is the country of a code, in three letters.
func countryOf(code string) (string, bool) {
	if first, _, sub := strings.Cut(code, "_"); sub || len(code) == 3 && credentials.IsCountry(code) {
		return first, true
	}
	if len(code) < 2 {
		return "", false
	}
	two := code[:2]
	if two == "EL" { // NUTS writes Greece in its own language
		two = "GR"
	}
	return credentials.ThreeLetters(two)
}

// Limits says for what the accreditation is, by the codes of the lists; "" where
// it is for everything.
func (a *Accreditation) Limits() string {
	var parts []string
	if a.MaxEQF > 0 {
		parts = append(parts, "EQF ≤ "+strconv.Itoa(a.MaxEQF))
	}
	if len(a.Fields) > 0 {
		parts = append(parts, "ISCED-F "+strings.Join(a.Fields, ", "))
	}
	if len(a.Regions) > 0 {
		parts = append(parts, "NUTS/ATU "+strings.Join(a.Regions, ", "))
	}
	return strings.Join(parts, "; ")
}

// FieldCode is the code at the end of the URI of an ISCED-F concept.
func FieldCode(uri string) string { return lastPart(uri) }

// RegionCode is the code at the end of the URI of a territory.
func RegionCode(uri string) string { return lastPart(uri) }

func lastPart(uri string) string {
	part := uri[strings.LastIndexByte(uri, '/')+1:]
	if region.MatchString(part) || field.MatchString(part) {
		return part
	}
	return ""
}
