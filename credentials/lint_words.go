package credentials

import "strings"

// isoDuration tells whether a text has the form of an ISO 8601 duration in whole
// numbers, but for seconds; it may lack any of its parts.
func isoDuration(s string) bool {
	rest, ok := strings.CutPrefix(s, "P")
	for _, unit := range "YMWD" {
		rest = withoutPart(rest, byte(unit), false)
	}
	if rest == "" || !ok {
		return ok
	}
	if rest, ok = strings.CutPrefix(rest, "T"); !ok {
		return false
	}
	for _, unit := range "HMS" {
		rest = withoutPart(rest, byte(unit), unit == 'S')
	}
	return rest == ""
}

// withoutPart takes a number with its unit from the beginning, where it stands
// there.
func withoutPart(s string, unit byte, fraction bool) string {
	n := digits(s)
	if fraction && n > 0 && n < len(s) && s[n] == '.' {
		if part := digits(s[n+1:]); part > 0 {
			n += 1 + part
		}
	}
	if n > 0 && n < len(s) && s[n] == unit {
		return s[n+1:]
	}
	return s
}

// digits is how many digits a text begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

// manyMonths tells whether a duration begins with ten months or more.
func manyMonths(s string) bool {
	rest, ok := strings.CutPrefix(s, "P")
	n := digits(rest)
	return ok && n >= 2 && n < len(rest) && rest[n] == 'M'
}

// escoSkill tells whether an address is that of a skill of ESCO.
func escoSkill(uri string) bool {
	id, ok := strings.CutPrefix(uri, prefixESCO)
	for i := range len(id) {
		c := id[i]
		ok = ok && ('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '.' || c == '-')
	}
	return ok && id != ""
}
