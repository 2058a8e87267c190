package verifier

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/verifier/wordstest"
)

// reasons finds every reason code in the source: strings that begin with the id
// of a check and stand in the code that makes reports, and those that are put
// together from the codes of other packages.
func reasons(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`^(format|seal|issuer|accreditation|validity|status|schema|holder)_[a-z_]*[a-z]$`)
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") || strings.HasPrefix(e.Name(), "words") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if _, ok := n.(*ast.Field); ok {
				return false // names in JSON
			}
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if s, err := strconv.Unquote(l.Value); err == nil && code.MatchString(s) {
					found[s] = true
				}
			}
			return true
		})
	}
	for _, f := range credentials.Formats {
		found["format_"+f.Name()] = true
	}
	for _, c := range []string{"too_large", "empty", "not_json", "not_sealed", "header", "certificate", "payload", "unreadable"} {
		found["format_"+c] = true
	}
	for _, l := range []keys.Level{keys.Demonstration, keys.Advanced, keys.Qualified} {
		found["issuer_"+string(l)] = true
	}
	for _, s := range []string{"status_revoked", "status_suspended"} {
		found[s+"_since"] = true
	}
	return found
}

// Whatever a report can say, it says in words, in every language; and there are
// no words that no report can say.
func TestEveryReasonHasWords(t *testing.T) {
	all := reasons(t)
	if len(all) < 30 {
		t.Fatalf("only %d reasons were found in the source", len(all))
	}
	for reason := range all {
		if english[reason][0] == "" {
			t.Errorf("%s has no words", reason)
		}
	}
	for reason := range english {
		if !all[reason] && reason != "unknown" {
			t.Errorf("the words of %s are never said", reason)
		}
	}
	for language, s := range speeches {
		if language != "en" {
			wordstest.Compare(t, language, wordstest.Pairs(english), wordstest.Pairs(s.reasons))
		}
	}
}

// No language says more of a seal than another: a self-made key makes no
// qualified seal in any.
func TestLevelsAreSaidInEveryLanguage(t *testing.T) {
	for language, words := range map[string][3]string{
		"it": {"Non è un sigillo qualificato", "sigillo avanzato", "sigillo elettronico qualificato"},
		"en": {"It is not a qualified seal", "advanced seal", "qualified electronic seal"},
		"de": {"Es ist kein qualifiziertes Siegel", "fortgeschrittenes Siegel", "qualifiziertes elektronisches Siegel"},
		"fr": {"Ce n’est pas un sceau qualifié", "sceau avancé", "sceau électronique qualifié"},
	} {
		for n, reason := range []string{"issuer_demonstration", "issuer_advanced", "issuer_qualified"} {
			if found, _ := Words(Check{Reason: reason}, language); !strings.Contains(found, words[n]) {
				t.Errorf("%s in %s: %s", reason, language, found)
			}
		}
		if found, _ := Words(Check{Reason: "issuer_demonstration"}, language); strings.Contains(found, words[2]) {
			t.Errorf("%s: %s", language, found)
		}
	}
}

// The codes that the format package gives are those that have words.
func TestFormatCodesAreTheKnownOnes(t *testing.T) {
	all := reasons(t)
	source := regexp.MustCompile(`badFormat\("([a-z_]+)"`)
	for _, name := range []string{"envelope.go", "header.go", "unsigned.go", "compact.go", "edc.go", "sdjwt.go", "sdjwt_disclose.go", "sdjwt_binding.go"} {
		text, err := os.ReadFile("../credentials/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range source.FindAllStringSubmatch(string(text), -1) {
			if !all["format_"+m[1]] {
				t.Errorf("%s gives the code %s, which has no words", name, m[1])
			}
		}
	}
}

// Every placeholder is filled by the facts that come with its reason.
func TestNoPlaceholderIsLeft(t *testing.T) {
	h := newTimed(t)
	month := 1
	var reports []Report
	h.award.Module.Accreditation = anAccreditation()
	reports = append(reports, h.verify(h.seal(h.document())))
	h.award.Module.Accreditation = nil
	reports = append(reports, h.verify(h.seal(h.document())), h.verify(nil))
	h.award.Module.ValidityMonths = &month
	reports = append(reports, h.verify(h.seal(h.document())), h.verifyAt(h.seal(h.document()), h.now.AddDate(-1, 0, 0)))
	early := h.changed(h.document(), `"validFrom":"2026-11-21T`, `"validFrom":"2025-01-01T`)
	reports = append(reports, h.verifyAt(h.seal(early), h.now.AddDate(0, -6, 0)))
	h.award.Module.ValidityMonths = new(int)
	h.award.CompletedOn = "2026-11-21"
	reports = append(reports, h.verify(h.seal(h.document())))
	reports = append(reports,
		h.verify(h.sealWith(h.key(keys.Seal), h.document(), h.now.AddDate(0, 0, 1))),
		h.verify(h.sealWith(h.key(keys.Status), h.document(), h.now)),
		h.verify(h.seal(h.changed(h.document(), "DM:IT-iss-scuola", "DM:IT-x"))),
		h.verify(h.seal(h.changed(h.document(), `"volumeOfLearning":"PT`, `"volumeOfLearning":"x PT`))))
	reports = append(reports,
		h.verify(h.seal(h.changed(h.document(), manyClaims(60)...))),
		h.verify(h.seal(h.changed(h.document(), "http://data.europa.eu/snb/eqf/5", "http://evil.example/eqf/8"))))
	for _, since := range []time.Duration{-time.Hour, time.Hour} {
		h.revoke(h.now.Add(since))
		reports = append(reports, h.verify(h.seal(h.document())), h.verify(h.stampedAt(h.seal(h.document()), h.now)))
	}
	h.trust.Anchors[0].Revoked = nil
	sealed := h.seal(h.document())
	h.now = h.now.AddDate(5, 0, 0)
	reports = append(reports, h.verify(sealed))
	h.now = h.now.AddDate(-5, 0, 0)
	h.trust.Anchors[0].Level = keys.Advanced
	reports = append(reports, h.verify(h.seal(h.document())))
	reports = append(reports, h.briefReports()...)
	reports = append(reports, h.walletReports()...)
	for _, device := range []bool{true, false} {
		reports = append(reports, h.verify(h.qualified(device)))
	}
	reports = append(reports, accreditationReports(t)...)
	h.trust = keys.Trust{}
	reports = append(reports, h.verify(h.seal(h.document())))
	someone := reports[0]
	someone.Holder = HolderOf("1980-01-01")
	for _, p := range []Person{{BirthDate: "1980-01-01"}, {BirthDate: "1980-01-02"}, {Number: "1"}} {
		reports = append(reports, someone.About(p))
	}
	said := map[string]bool{}
	for _, r := range reports {
		for _, c := range r.Checks {
			said[c.Reason] = true
			for _, language := range []string{"it", "en", "de", "fr", ""} {
				found, todo := Words(c, language)
				if source := Source(c, language); strings.ContainsAny(found+todo+source, "{}") || found == "" {
					t.Errorf("%s in %q: %s %s %s", c.Reason, language, found, todo, source)
				}
			}
		}
	}
	for reason, words := range english {
		if strings.Contains(words[0]+words[1], "{") && !said[reason] {
			t.Errorf("the facts of %s were not tried", reason)
		}
	}
}

func TestWordsOfAnUnknownReasonClaimNothing(t *testing.T) {
	if found, todo := Words(Check{Reason: "status_x", Outcome: Pass}, "en"); found != "This check was not made." || todo != "" {
		t.Errorf("%s %s", found, todo)
	}
}

// A fact is put in as it is: what it holds is no placeholder.
func TestFactsAreNotPlaceholders(t *testing.T) {
	c := Check{Reason: "issuer_mismatch", Facts: map[string]string{"name": "{sealer}", "sealer": "{name}"}}
	found, _ := Words(c, "en")
	if !strings.Contains(found, "({sealer})") || !strings.Contains(found, "({name})") {
		t.Error(found)
	}
}

// Days are written as people read them, in the zone of the credential.
func TestDay(t *testing.T) {
	zone := theMoment(t).Location()
	for _, c := range []struct {
		at             time.Time
		it, en, de, fr string
	}{
		{time.Date(2026, 5, 29, 0, 0, 0, 0, zone), "29 maggio 2026", "29 May 2026", "29. Mai 2026", "29 mai 2026"},
		{time.Date(2026, 1, 1, 23, 59, 59, 0, zone), "1º gennaio 2026", "1 January 2026", "1. Januar 2026", "1er janvier 2026"},
		{time.Date(2026, 12, 31, 23, 59, 59, 0, zone), "31 dicembre 2026", "31 December 2026", "31. Dezember 2026", "31 décembre 2026"},
		{time.Date(2026, 8, 11, 0, 0, 0, 0, zone), "11 agosto 2026", "11 August 2026", "11. August 2026", "11 août 2026"},
		{time.Date(2026, 3, 14, 0, 0, 0, 0, zone), "14 marzo 2026", "14 March 2026", "14. März 2026", "14 mars 2026"},
		{time.Date(2026, 2, 8, 0, 0, 0, 0, zone), "8 febbraio 2026", "8 February 2026", "8. Februar 2026", "8 février 2026"},
	} {
		for language, want := range map[string]string{"it": c.it, "en": c.en, "de": c.de, "fr": c.fr, "es": c.en, "": c.en} {
			if got := Day(c.at, language); got != want {
				t.Errorf("%q in %q, want %q", got, language, want)
			}
			found, _ := Words(Check{Reason: "validity_until", Facts: map[string]string{"on": stamp(c.at)}}, language)
			if !strings.Contains(found, want) {
				t.Errorf("%s: %s", language, found)
			}
		}
	}
}

// The day asked about is called today where it is, in every language, and is
// written out where it is another.
func TestTodayInEveryLanguage(t *testing.T) {
	for language, want := range map[string][2]string{
		"it": {"e lo è oggi", "e lo è l’8 maggio 2026"},
		"en": {"and is today", "and is on 8 May 2026"},
		"de": {"und ist es heute", "und ist es am 8. Mai 2026"},
		"fr": {"et aussi aujourd’hui", "et aussi le 8 mai 2026"},
	} {
		for n, day := range []string{"", "2026-05-08T23:59:59+02:00"} {
			c := Check{Reason: "accreditation_then_and_now", Facts: map[string]string{}}
			if day != "" {
				c.Facts["day"] = day
			}
			if found, _ := Words(c, language); !strings.Contains(found, want[n]) {
				t.Errorf("%s: %s", language, found)
			}
		}
	}
}

// TestFilled: an Italian article of a sentence is elided before a day that is
// spoken with a vowel, and before nothing else; what stands inside a value is
// somebody's words and stays as it is (W1).
func TestFilled(t *testing.T) {
	for _, c := range []struct{ sentence, value, want string }{
		{"scaduto il {x}.", "8 maggio 2026", "scaduto l’8 maggio 2026."},
		{"scaduto il {x}.", "11 giugno 2026", "scaduto l’11 giugno 2026."},
		{"scaduto il {x}.", "18 giugno 2026", "scaduto il 18 giugno 2026."},
		{"scaduto il {x}.", "1º agosto 2026", "scaduto il 1º agosto 2026."},
		{"vale dal {x}", "8 maggio 2026 alle 14:05", "vale dall’8 maggio 2026 alle 14:05"},
		{"fino al {x}", "8 dicembre 2026", "fino all’8 dicembre 2026"},
		{"copia del {x}", "11 marzo 2026", "copia dell’11 marzo 2026"},
		{"nel {x}, sul {x}", "8 marzo 2026", "nell’8 marzo 2026, sull’8 marzo 2026"},
		{"(il {x})", "8 marzo 2026", "(l’8 marzo 2026)"},
		{"il {x}", "8 maggio 2026", "l’8 maggio 2026"},
		{"mil {x}", "8 maggio 2026", "mil 8 maggio 2026"},
		// A number is no day, and a name begins as it likes.
		{"il {x}", "8 ore", "il 8 ore"},
		{"il {x}", "11 marcatori", "il 11 marcatori"},
		{"rilasciato da {x}", "ACME S.p.A.", "rilasciato da ACME S.p.A."},
		{"il sigillo di {x}", "«Azienda»", "il sigillo di «Azienda»"},
		{"il sigillo di {x}", "\"E. Fermi\"", "il sigillo di \"E. Fermi\""},
		{"il sigillo di {x}", "Il corso dal 8 maggio 2026 al 11 giugno 2026", "il sigillo di Il corso dal 8 maggio 2026 al 11 giugno 2026"},
		{"File: «{x}»", "presenze dal 8 maggio.pdf", "File: «presenze dal 8 maggio.pdf»"},
		{"File: «{x}» del 4", "il", "File: «il» del 4"},
		// Values are not filled in turn, and what is no name stays.
		{"{x} e {y}", "{y}", "{y} e {y}"},
		{"{{x}}", "a", "{a}"},
		{"{x", "a", "{x"},
		{"x}{", "a", "x}{"},
		{"", "a", ""},
	} {
		if got := Filled(c.sentence, "x", c.value, "z", "x"); got != c.want {
			t.Errorf("%q with %q: %q, want %q", c.sentence, c.value, got, c.want)
		}
	}
	if got := Filled("{x} {y}", "z", "x", "x", "y", "y"); got != "y {y}" {
		t.Errorf("a value that reads like a name, and a name without a value: %q", got)
	}
}

// TestItalianNames: no sentence asks a name for an article, which would have to
// know its gender and its first letter; before a day the sentences have one.
func TestItalianNames(t *testing.T) {
	days := []string{"at", "on", "then", "since", "speaks", "from", "day", "until"}
	before := regexp.MustCompile(`(?i)(?:^|[^\pL])(il|lo|la|i|gli|le|un|uno|una|(?:d|n|s|d)?[aeu]l(?:lo|la|le)?|dei|degli|del|sul) \{(\w+)\}|[lLnN]’\{(\w+)\}`)
	for reason, said := range italian {
		for _, sentence := range said {
			for _, found := range before.FindAllStringSubmatch(sentence, -1) {
				if !slices.Contains(days, found[2]) {
					t.Errorf("%s: %q", reason, found[0])
				}
			}
		}
	}
	for name, c := range map[string]struct {
		check Check
		want  string
	}{
		"a vowel": {Check{Reason: "issuer_advanced", Facts: map[string]string{"name": "Ente Ligure", "anchor": "un’autorità"}}, "Il sigillo è di Ente Ligure. Lo garantisce un’autorità."},
		"a digit": {Check{Reason: "issuer_key_revoked", Facts: map[string]string{"name": "8 maggio 2026 coop", "on": "2026-05-08T10:00:00+02:00"}}, "La chiave di 8 maggio 2026 coop non vale più dall’8 maggio 2026."},
		"a quote": {Check{Reason: "accreditation_claimed", Facts: map[string]string{"register": "«Albo al 11 maggio 2026»"}}, "(«Albo al 11 maggio 2026»)"},
	} {
		if found, _ := Words(c.check, "it"); !strings.Contains(found, c.want) {
			t.Errorf("%s: %q", name, found)
		}
	}
}
