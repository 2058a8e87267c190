// Package wordstest holds what is said in one language against the English of
// it, for tests of the rooms that speak to people.
//
//	wordstest.Compare(t, "de", english, german)
package wordstest

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Length: no text is more than this many times as long as the English one, and
// so many letters more; a column of a table is as wide in every language.
const (
	times  = 1.7
	letter = 20
)

var (
	blank = regexp.MustCompile(`\{[a-z]+\}`)
	// manners finds what each language is not to have: the wrong form of address,
	// and, in French, marks without their hard space and names after a word that
	// is elided before a vowel. The blanks that stand there are days and numbers.
	manners = map[string][]*regexp.Regexp{
		"de": {regexp.MustCompile(`(?i)\b(du|dir|dich|dein\w*)\b`)},
		"fr": {
			regexp.MustCompile(`(?i)(^|[^\p{L}-])(tu|te|toi|ton|ta|tes)([^\p{L}]|$)`),
			regexp.MustCompile(`[^\x{A0}][;?!»]|[^\x{A0}\d]:([^/]|$)|«[^\x{A0}]`),
			regexp.MustCompile(`(?i)\b(de|le|la|que|ne|se|ce) \{(name|sealer|provider|authority|anchor|by|host|reason|because)\}`),
		},
	}
)

// Reporter is the part of a *testing.T that hears of faults.
type Reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// Compare fails where other, by the same keys, does not say what english says:
// it names all keys that have no text and all that are of no use, and each text
// that is empty, fills other blanks, is the English one, is far longer, or has
// not the manners of the language. Same are keys whose text may be the English one.
func Compare(t Reporter, language string, english, other map[string]string, same ...string) {
	t.Helper()
	if lacking := without(english, other); len(lacking) > 0 {
		t.Errorf("%s lacks the words of %d keys: %s", language, len(lacking), strings.Join(lacking, ", "))
	}
	if more := without(other, english); len(more) > 0 {
		t.Errorf("%s has words of keys that nobody uses: %s", language, strings.Join(more, ", "))
	}
	for _, key := range slices.Sorted(maps.Keys(english)) {
		en, text := english[key], other[key]
		if _, ok := other[key]; !ok {
			continue
		}
		if (text == "") != (en == "") {
			t.Errorf("%s %s: %q where the English is %q", language, key, text, en)
			continue
		}
		if got, want := blanks(text), blanks(en); !slices.Equal(got, want) {
			t.Errorf("%s %s: it fills %v, and the English %v", language, key, got, want)
		}
		if text != "" && text == en && !slices.Contains(same, key) {
			t.Errorf("%s %s: %q is English", language, key, text)
		}
		if most := int(times*float64(utf8.RuneCountInString(en))) + letter; utf8.RuneCountInString(text) > most {
			t.Errorf("%s %s: more than %d letters: %s", language, key, most, text)
		}
		if strings.Contains(text, "'") {
			t.Errorf("%s %s: straight apostrophe: %s", language, key, text)
		}
		for _, bad := range manners[language] {
			if found := bad.FindString(text); found != "" {
				t.Errorf("%s %s: %q in %s", language, key, found, text)
			}
		}
	}
}

// without are the keys of all that are not in some.
func without(all, some map[string]string) (lacking []string) {
	for key := range all {
		if _, ok := some[key]; !ok {
			lacking = append(lacking, key)
		}
	}
	slices.Sort(lacking)
	return lacking
}

func blanks(text string) []string { return slices.Sorted(slices.Values(blank.FindAllString(text, -1))) }

// Pairs are texts in pairs of found and todo under a key of their own each, to
// be compared.
func Pairs(said map[string][2]string) map[string]string {
	all := make(map[string]string, 2*len(said))
	for code, pair := range said {
		all[code], all[code+" (what to do)"] = pair[0], pair[1]
	}
	return all
}
