package credentials

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A statement that this program wrote is read back in its two languages, also
// when the act has a slash in its name; one of others stays as it is.
func TestStatementOfAMandate(t *testing.T) {
	name := Text{"it": "Scuola / Centro", "en": "School / Centre"}
	act := func(it, en string) *Mandate { return &Mandate{Statement: Text{"it": it, "en": en}} }
	written := func(sealer, it, en string) string { return act(it, en).statement(name, sealer) }
	for _, m := range []struct{ sealer, it, en string }{
		{"Piattaforma", "convenzione 12", "agreement 12"},
		{"Piattaforma / Nord", "delibera 12 / 2026", "decision 12 / 2026"},
	} {
		got := readStatement(written(m.sealer, m.it, m.en))
		want := Text{
			"it": m.sealer + sealsIT + name["it"] + awardsIT + m.it,
			"en": m.sealer + sealsEN + name["en"] + awardsEN + m.en,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%+v: %s", m, diff)
		}
	}
	whole := written("P", "a", "b")
	for _, text := range []string{
		"convenzione 12 / agreement 12", "/", " / ", sealsIT, "P" + sealsIT + " / P" + sealsEN,
		whole + " / P" + sealsEN + "another" + awardsEN, // twice: which of them begins the English is not known
		"P" + sealsIT + "x" + awardsIT + "a / Q" + sealsEN + "x" + awardsEN + "b",
	} {
		if diff := cmp.Diff(Text{"und": text}, readStatement(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

// Whatever is read of a statement is the statement, and nothing is lost.
func FuzzStatement(f *testing.F) {
	f.Add("P" + sealsIT + "x" + awardsIT + "a / P" + sealsEN + "x" + awardsEN + "b")
	f.Add("convenzione 12 / agreement 12")
	f.Fuzz(func(t *testing.T, text string) {
		read := readStatement(text)
		if whole, one := read["und"]; one && whole == text && len(read) == 1 {
			return
		}
		if len(read) != 2 || read["it"]+" / "+read["en"] != text {
			t.Fatalf("%q is read as %q", text, read)
		}
	})
}
