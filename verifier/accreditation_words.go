package verifier

import "strings"

// Source says on what a check of the accreditation stands, for a person to look
// it up: the entry in the register with its address, and the list. It is "" for
// other checks and where no list speaks of the provider.
func Source(c Check, language string) string {
	if c.ID != CheckAccreditation || c.Facts["list"] == "" {
		return ""
	}
	s := speechOf(language)
	fill := s.filling(c)
	var parts []string
	for n, fact := range [...]string{"number", "limits", "sequence", "called"} {
		if c.Facts[fact] != "" {
			parts = append(parts, Filled(s.source[n], fill...))
		}
		if n == 0 && c.Facts["link"] != "" {
			parts = append(parts, c.Facts["link"])
		}
	}
	return strings.Join(parts, " · ")
}
