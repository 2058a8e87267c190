package wordstest

import (
	"fmt"
	"strings"
	"testing"
)

// heard keeps what was found.
type heard []string

func (h *heard) Helper() {}
func (h *heard) Errorf(format string, args ...any) {
	*h = append(*h, fmt.Sprintf(format, args...))
}

// Every fault is found, and what is well said has none.
func TestCompare(t *testing.T) {
	english := map[string]string{"a": "The seal of {name} is good", "b": "Format", "c": ""}
	good := map[string]string{"a": "Das Siegel von {name} ist gut", "b": "Format", "c": ""}
	var none heard
	if Compare(&none, "de", english, good, "b"); len(none) > 0 {
		t.Errorf("%q", none)
	}
	for says, c := range map[string]struct{ language, key, text string }{
		"fr lacks the words of 2 keys: b, c":    {"fr", "a", "Le sceau appartient à {name}"},
		"it fills [{nome}]":                     {"fr", "a", "Le sceau appartient à {nome}"},
		`"" where the English is`:               {"fr", "a", ""},
		"is English":                            {"fr", "a", "The seal of {name} is good"},
		"more than 64 letters":                  {"fr", "a", strings.Repeat("sceau {name}", 1) + strings.Repeat(" et encore", 10)},
		"straight apostrophe":                   {"fr", "a", "L'émetteur est {name}"},
		`"de {name}" in`:                        {"fr", "a", "Le sceau de {name} est bon"},
		`" : " in`:                              {"fr", "a", "Le sceau : {name} est bon"},
		`"}?" in`:                               {"fr", "a", "Le sceau, {name}?"},
		`" ton " in`:                            {"fr", "a", "C’est ton sceau, {name}"},
		`"dein" in`:                             {"de", "a", "Ist das dein Siegel, {name}?"},
		"has words of keys that nobody uses: x": {"de", "x", "Wort"},
	} {
		var found heard
		Compare(&found, c.language, english, map[string]string{c.key: c.text})
		if !strings.Contains(strings.Join(found, "\n"), says) {
			t.Errorf("%q in %s: %q, want %s", c.text, c.language, found, says)
		}
	}
}
