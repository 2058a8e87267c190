package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"attesta/credentials"
	"attesta/verifier"

	"golang.org/x/text/language"
)

// languages are those of the pages, the first being the one used when nothing
// else is asked for. All pages are in the first ones, and what somebody meets who
// checks is in every one of them.
var languages = [...]string{"it", "en", "de", "fr"}

const (
	everywhere = 2    // of the languages are those of all pages
	instead    = "en" // stands for a language that a page does not have
)

// What a visitor reads is matched with the languages of all pages, or with those
// of the pages for checking; the first is taken where nothing fits.
var (
	matchEverywhere = language.NewMatcher([]language.Tag{language.Italian, language.English})
	matchAll        = language.NewMatcher([]language.Tag{language.Italian, language.English, language.German, language.French})
)

// words are the texts of one language.
type words map[string]string

// catalogue holds the words of every language.
type catalogue map[string]words

// readCatalogue reads the embedded locales. A text that a language does not have
// is the English one.
func readCatalogue() (catalogue, error) {
	c := catalogue{}
	for _, l := range languages {
		w, err := readLocale(l)
		if err != nil {
			return nil, err
		}
		c[l] = w
	}
	for _, l := range languages[everywhere:] {
		all := maps.Clone(c[instead])
		maps.Copy(all, c[l])
		c[l] = all
	}
	return c, nil
}

// readLocale reads what is written in one language.
func readLocale(l string) (words, error) {
	data, err := files.ReadFile("locales/" + l + ".json")
	if err != nil {
		return nil, fmt.Errorf("reading locale %s: %w", l, err)
	}
	var w words
	if err := json.Unmarshal(data, &w); err != nil {
		return nil, fmt.Errorf("reading locale %s: %w", l, err)
	}
	return w, nil
}

// T returns the text of a key with its {names} filled from pairs of name and
// value. The result is plain text: templates escape it. A key without a text
// is returned as it is.
func (w words) T(key string, pairs ...string) string {
	text, ok := w[key]
	if !ok {
		return key
	}
	return verifier.Filled(text, pairs...)
}

// Has tells whether a key has a text.
func (w words) Has(key string) bool { _, ok := w[key]; return ok }

// spoken are the languages of the page at an address: the pages of holders and
// of providers have the first ones only.
func spoken(path string) []string {
	if path == "/console" || strings.HasPrefix(path, "/console/") || strings.HasPrefix(path, "/c/") {
		return languages[:everywhere]
	}
	return languages[:]
}

// languageOf returns the language of the answer to a request: the one chosen by
// ?lang=, else the best of Accept-Language, else Italian; English where the page
// does not have it. Chosen is the one that ?lang= names, whether the page has it
// or not, and "" where it names none of ours.
func languageOf(r *http.Request) (shown, chosen string) {
	has := spoken(r.URL.Path)
	if asked := r.URL.Query().Get("lang"); slices.Contains(languages[:], asked) {
		if slices.Contains(has, asked) {
			return asked, asked
		}
		return instead, asked
	}
	if header := r.Header.Get("Accept-Language"); header != "" && len(header) <= 1000 {
		return accepted(header, has), ""
	}
	return languages[0], ""
}

// accepted is the best of the languages of a page for a visitor who reads those
// in a header: English for whoever reads another one of ours, and Italian for
// everybody else.
func accepted(header string, has []string) string {
	reads, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return languages[0]
	}
	_, best, sure := matchAll.Match(reads...)
	if best < len(has) {
		return languages[best]
	}
	if _, other, fits := matchEverywhere.Match(reads...); fits != language.No {
		return languages[other]
	}
	if sure != language.No {
		return instead
	}
	return languages[0]
}

// tongue is a page in one of its languages, for the menu of them.
type tongue struct {
	Lang, Name, Address string
	Current             bool
}

// menu lists the languages of a page. The answer to a form cannot be asked for
// again: its menu leads to where it was asked, and redo is the key of the words
// that say so.
func (c catalogue) menu(r *http.Request, shown string) (all []tongue, redo string) {
	address := *r.URL
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		path := askedAt(address.EscapedPath())
		plain, err := url.PathUnescape(path)
		if err != nil || path == "" {
			return nil, ""
		}
		address = url.URL{Path: plain, RawPath: path}
		redo = "lang.back"
		if path == "/verify" || strings.HasPrefix(path, "/v/") {
			redo = "lang.again"
		}
	}
	for _, l := range spoken(r.URL.Path) {
		if to := switchTo(&address, l); to != "" {
			all = append(all, tongue{l, c[l].T("lang.name"), to, l == shown})
		}
	}
	return all, redo
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
