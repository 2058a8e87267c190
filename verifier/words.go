package verifier

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// speech is how one language says what was found.
type speech struct {
	reasons map[string][2]string // by reason: what was found, and what the reader can do
	source  [4]string            // the parts of Source: entry, limits, list, name today
	today   string
	onDay   string // in the place of today, with {day}
	day     func(time.Time) string
}

// speeches are the languages that the verifier speaks. Names stand in the
// sentences where no language asks for their gender, and in French after no word
// that would be elided before a vowel.
var speeches = map[string]speech{
	"it": {
		reasons: italian, today: "oggi", onDay: "il {day}", day: italianDay,
		source: [...]string{"{register}, n. {number}", "per: {limits}", "elenco n. {sequence} di {authority}, {listed}", "oggi si chiama {called}"},
	},
	"en": {
		reasons: english, today: "today", onDay: "on {day}", day: func(t time.Time) string { return t.Format("2 January 2006") },
		source: [...]string{"{register}, no. {number}", "for: {limits}", "list no. {sequence} of {authority}, {listed}", "called {called} today"},
	},
	"de": {
		reasons: german, today: "heute", onDay: "am {day}", day: germanDay,
		source: [...]string{"{register}, Nr. {number}", "für: {limits}", "Liste Nr. {sequence} von {authority}, {listed}", "heißt heute {called}"},
	},
	"fr": {
		reasons: french, today: "aujourd’hui", onDay: "le {day}", day: frenchDay,
		source: [...]string{"{register}, n° {number}", "pour : {limits}", "liste n° {sequence}, {authority}, {listed}", "s’appelle aujourd’hui {called}"},
	},
}

// speechOf is the speech of a language: English where it is none of ours.
func speechOf(language string) speech {
	if s, ok := speeches[language]; ok {
		return s
	}
	return speeches["en"]
}

// Words says a check in a person's language (it, en, de or fr; anything else is
// read as en): what was found, and what the reader can do ("" when nothing).
// Times among the facts are shown as days in the zone in which they are written.
func Words(c Check, language string) (found, todo string) {
	s := speechOf(language)
	said, ok := s.reasons[c.Reason]
	if !ok {
		said = s.reasons["unknown"]
	}
	fill := append(s.filling(c), "today", s.todayOr(c.Facts["day"]))
	return Filled(said[0], fill...), Filled(said[1], fill...)
}

// filling are the facts of a check as they stand in sentences, in pairs of name
// and text.
func (s speech) filling(c Check) []string {
	fill := make([]string, 0, 2*len(c.Facts)+2)
	for name, value := range c.Facts {
		fill = append(fill, name, s.inWords(value))
	}
	return fill
}

// todayOr is how a sentence calls the day asked about: a fact names one that is
// not today.
func (s speech) todayOr(day string) string {
	if day == "" {
		return s.today
	}
	return Filled(s.onDay, "day", s.inWords(day))
}

func (s speech) inWords(value string) string {
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return value
	}
	return s.day(t)
}

// What an Italian article is elided before, and the articles: il 8 maggio is
// spoken l’8 maggio, del 11 giugno dell’11 giugno.
var (
	vowelDay = regexp.MustCompile(`^(8|11) (gen|feb|mar|apr|mag|giu|lug|ago|set|ott|nov|dic)[a-z]* \d`)
	article  = regexp.MustCompile(`(?:^|[^\pL])(il|al|dal|del|nel|sul) $`)
)

// Filled puts values, given in pairs of name and value, into the {names} of a
// sentence, and writes an Italian article before a day as it is spoken. A value
// stands there as it is, whatever is in it, and so does a {name} without a value.
// Other languages need nothing of the kind: German has no elision, and French none
// before the number of a day.
func Filled(sentence string, pairs ...string) string {
	var filled strings.Builder
	for {
		text, rest, open := strings.Cut(sentence, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !open || !closed {
			filled.WriteString(sentence)
			return filled.String()
		}
		value, ok := valueOf(name, pairs)
		if !ok {
			filled.WriteString(text + "{")
			sentence = rest
			continue
		}
		if vowelDay.MatchString(value) && article.MatchString(text) {
			text = strings.TrimSuffix(strings.TrimSuffix(text, " "), "il") + "l’"
		}
		filled.WriteString(text + value)
		sentence = after
	}
}

// valueOf is the value of a name in pairs of both.
func valueOf(name string, pairs []string) (value string, ok bool) {
	for n := 0; n+1 < len(pairs); n += 2 {
		if pairs[n] == name {
			return pairs[n+1], true
		}
	}
	return "", false
}

// Day writes a day as people read it: 29 maggio 2026, 29 May 2026, 29. Mai 2026,
// 29 mai 2026.
func Day(t time.Time, language string) string { return speechOf(language).day(t) }

func italianDay(t time.Time) string {
	months := [...]string{
		"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno",
		"luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre",
	}
	return first(t, "1º") + " " + months[t.Month()-1] + " " + t.Format("2006")
}

func germanDay(t time.Time) string {
	months := [...]string{
		"Januar", "Februar", "März", "April", "Mai", "Juni",
		"Juli", "August", "September", "Oktober", "November", "Dezember",
	}
	return t.Format("2") + ". " + months[t.Month()-1] + " " + t.Format("2006")
}

func frenchDay(t time.Time) string {
	months := [...]string{
		"janvier", "février", "mars", "avril", "mai", "juin",
		"juillet", "août", "septembre", "octobre", "novembre", "décembre",
	}
	return first(t, "1er") + " " + months[t.Month()-1] + " " + t.Format("2006")
}

// first is the number of a day, the first of a month in its own form.
func first(t time.Time, ordinal string) string {
	if t.Day() == 1 {
		return ordinal
	}
	return strconv.Itoa(t.Day())
}
