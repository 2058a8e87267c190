package verifier

import "strings"

// Source says on what a check of the accreditation stands, for a person to look
// it up: the entry in the register with its address, and the list. It is "" for
// other checks and where no list speaks of the provider.
func Source(c Check, language string) string {
	if c.ID != CheckAccreditation || c.Facts["list"] == "" {
		return ""
	}
	said := [...]string{"{register}, n. {number}", "per: {limits}", "elenco n. {sequence} di {authority}, {listed}", "oggi si chiama {called}"}
	if language != "it" {
		said = [...]string{"{register}, no. {number}", "for: {limits}", "list no. {sequence} of {authority}, {listed}", "called {called} today"}
	}
	fill := make([]string, 0, 2*len(c.Facts))
	for name, value := range c.Facts {
		fill = append(fill, "{"+name+"}", inWords(value, language))
	}
	r := strings.NewReplacer(fill...)
	var parts []string
	for n, fact := range [...]string{"number", "limits", "sequence", "called"} {
		if c.Facts[fact] != "" {
			parts = append(parts, r.Replace(said[n]))
		}
		if n == 0 && c.Facts["link"] != "" {
			parts = append(parts, c.Facts["link"])
		}
	}
	return strings.Join(parts, " · ")
}

// today is how a sentence calls the day asked about: a fact names one that is
// not today.
func today(day, language string) string {
	switch {
	case day == "" && language == "it":
		return "oggi"
	case day == "":
		return "today"
	case language == "it":
		return Elided("il " + inWords(day, language))
	}
	return "on " + inWords(day, language)
}
