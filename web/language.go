package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"attesta/credentials"
	"attesta/verifier"

	"golang.org/x/text/language"
)

// languages are those of the pages, the first being the one used when nothing
// else is asked for.
var languages = [...]string{"it", "en"}

// words are the texts of one language.
type words map[string]string

// catalogue holds the words of every language.
type catalogue map[string]words

// readCatalogue reads the embedded locales.
func readCatalogue() (catalogue, error) {
	c := catalogue{}
	for _, l := range languages {
		data, err := files.ReadFile("locales/" + l + ".json")
		if err != nil {
			return nil, fmt.Errorf("reading locale %s: %w", l, err)
		}
		var w words
		if err := json.Unmarshal(data, &w); err != nil {
			return nil, fmt.Errorf("reading locale %s: %w", l, err)
		}
		c[l] = w
	}
	return c, nil
}

// T returns the text of a key with its {names} filled from pairs of name and
// value. The result is plain text: templates escape it. A key without a text
// is returned as it is.
func (w words) T(key string, pairs ...string) string {
	text, ok := w[key]
	if !ok {
		return key
	}
	if len(pairs) == 0 {
		return text
	}
	fill := make([]string, len(pairs))
	for i, p := range pairs {
		if i%2 == 0 {
			p = "{" + p + "}"
		}
		fill[i] = p
	}
	return verifier.Elided(strings.NewReplacer(fill[:len(fill)/2*2]...).Replace(text))
}

// Has tells whether a key has a text.
func (w words) Has(key string) bool { _, ok := w[key]; return ok }

// languageOf returns the language of a request: the one chosen by ?lang=, else
// the best of Accept-Language, else Italian.
func languageOf(r *http.Request) (lang string, chosen bool) {
	if asked := r.URL.Query().Get("lang"); slices.Contains(languages[:], asked) {
		return asked, true
	}
	header := r.Header.Get("Accept-Language")
	if header == "" || len(header) > 1000 {
		return languages[0], false
	}
	matcher := language.NewMatcher([]language.Tag{language.Italian, language.English})
	_, index := language.MatchStrings(matcher, header)
	return languages[index], false
}

// said is a text from a credential, ready to be shown: Lang is set only when
// it is in another language than the page.
type said struct {
	Text string
	Lang string
}

// say picks the text in the language of the page, or the best other one.
func say(t credentials.Text, page string) said {
	text, lang := t.In(page)
	return saidIn(text, lang, page)
}

func saidIn(text, lang, page string) said {
	s := said{Text: visible(text)}
	if lang != page {
		if tag, err := language.Parse(lang); err == nil && len(lang) <= 35 {
			s.Lang = tag.String()
		}
	}
	return s
}

// visible takes out of a text what does not show but changes what a reader
// sees: control characters and those that override the direction of writing.
func visible(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r < ' ', r >= 0x7F && r < 0xA0, r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0xFEFF:
			return -1
		}
		return r
	}, text)
}
