package web

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"attesta/verifier"
)

var copied = Copy{PublicURL: "https://scuola.example.org", Made: time.Date(2026, 11, 8, 9, 0, 0, 0, time.UTC), Verifier: true}

// The pages of a copy are whole, say how old they are, keep everything of others
// out (R4), and lead nowhere that is not in the copy.
func TestCopyPages(t *testing.T) {
	last := copied
	last.Until = copied.Made.AddDate(10, 0, 0)
	bare := copied
	bare.Verifier = false
	for name, c := range map[string]struct {
		copy  Copy
		says  string
		form  bool
		never string
	}{
		"an old copy":        {copied, "solo fino all’8 novembre 2026", true, "l’ultima volta"},
		"last lists":         {last, "fino all’8 novembre 2036", true, ""},
		"without a verifier": {bare, "senza il programma di verifica", false, ""},
	} {
		pages, err := CopyPages(c.copy, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"index.html", "index.en.html", "index.de.html", "index.fr.html", "compact/index.html", "v/index.html", "verify/index.html", "assets/style.css", "assets/icon.svg"} {
			if len(pages[file]) == 0 {
				t.Errorf("%s: there is no %s", name, file)
			}
		}
		index := string(pages["index.html"])
		if !strings.Contains(index, c.says) || !strings.Contains(index, "8 novembre 2026") || c.never != "" && strings.Contains(index, c.never) {
			t.Errorf("%s: it does not say %q:\n%s", name, c.says, index)
		}
		if form, script := strings.Contains(index, `id="check"`), strings.Contains(index, "<script"); form != c.form || script != c.form {
			t.Errorf("%s: form %v, script %v", name, form, script)
		}
		for file, page := range pages {
			if !strings.HasSuffix(file, ".html") {
				continue
			}
			text := string(page)
			for _, l := range languages {
				if want := `hreflang="` + l + `"`; !strings.Contains(text, want) {
					t.Errorf("%s: %s has no %s", name, file, want)
				}
			}
			wellFormed(t, name+" "+file, text)
			if !strings.Contains(text, "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'") || !strings.HasSuffix(text, "</html>\n") {
				t.Errorf("%s: %s has no policy or no end", name, file)
			}
			for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(text, -1) {
				if strings.Contains(m[1], ":") || strings.HasPrefix(m[1], "/") {
					t.Errorf("%s: %s leads to %s", name, file, m[1])
				}
			}
			if regexp.MustCompile(`>[a-z]+\.[a-z.-]+<`).MatchString(text) && !strings.Contains(text, "keys/history.json") {
				t.Errorf("%s: %s shows the name of a text:\n%s", name, file, text)
			}
		}
	}
}

// TestAnswersOfACopy: the part of a page is that of the pages, with how old the
// copy is; every language and every report gives one.
func TestAnswersOfACopy(t *testing.T) {
	a, err := NewAnswers(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	stale := verifier.Report{Verdict: verifier.CannotTell, Reason: "status_stale", Checks: []verifier.Check{{ID: "status", Outcome: verifier.Unknown, Reason: "status_stale"}}}
	good := verifier.Report{Verdict: verifier.Valid, Reason: "valid", Checks: []verifier.Check{{ID: "status", Outcome: verifier.Pass, Reason: "status_valid"}}}
	held := verifier.Report{Verdict: verifier.NotValid, Reason: "status_suspended"}
	gone := verifier.Report{Verdict: verifier.NotValid, Reason: "status_revoked"}
	last, kept := copied, copied
	last.Until, kept.Renews = copied.Made.AddDate(10, 0, 0), true
	for _, c := range []struct {
		copy     Copy
		language string
		report   verifier.Report
		then     *verifier.Report
		says     []string
	}{
		{copied, "it", good, nil, []string{"Valido", "una copia fatta l’8 novembre 2026", "Se dopo l’8 novembre 2026"}},
		{copied, "en", good, nil, []string{"Valid", "made on 8 November 2026", "after 8 November 2026 nobody can tell"}},
		{last, "it", good, nil, []string{"per l’ultima volta l’8 novembre 2026, con valore fino all’8 novembre 2036"}},
		{copied, "it", stale, &good, []string{"Non è possibile dirlo ora", "Era valido l’8 novembre 2026", "se esiste ancora"}},
		{copied, "en", stale, &held, []string{"Cannot tell", "On 8 November 2026 it was suspended"}},
		{copied, "en", stale, &gone, []string{"On 8 November 2026 it was revoked"}},
		{copied, "de", good, nil, []string{"Gültig", "aus einer Kopie vom 8. November 2026", "Ob der Nachweis nach dem 8. November 2026 widerrufen"}},
		{copied, "de", stale, &gone, []string{"Kann jetzt nicht geprüft werden", "Am 8. November 2026 war der Nachweis widerrufen"}},
		{copied, "fr", stale, &good, []string{"Impossible à dire maintenant", "Le 8 novembre 2026, l’attestation était valide", "s’il existe encore"}},
		{last, "fr", good, nil, []string{"pour la dernière fois le 8 novembre 2026, et elles valent jusqu’au 8 novembre 2036"}},
		{copied, "xx", good, nil, []string{"Valido"}},
		{kept, "en", stale, &good, []string{"Cannot tell", "On 8 November 2026 at ", "it was valid", "renew the copy"}},
		{copied, "xx", verifier.Report{}, nil, []string{"Non è possibile dirlo ora"}},
	} {
		said, err := a.OfCopy(c.copy, c.language, c.report, c.then)
		if err != nil {
			t.Fatal(err)
		}
		for _, words := range c.says {
			if !strings.Contains(said.HTML, words) {
				t.Errorf("%s of %s: %q is not said:\n%s", c.language, c.report.Reason, words, said.HTML)
			}
		}
		if strings.Contains(said.HTML, `href="/`) || strings.Contains(said.HTML, "copy.") {
			t.Errorf("%s of %s: it leads to a page of a server, or shows the name of a text", c.language, c.report.Reason)
		}
	}
}
