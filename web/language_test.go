package web

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"attesta/credentials"
	"attesta/verifier"
	"attesta/verifier/wordstest"
)

// notForEmployers are the keys, and with a point at their end the beginnings of keys, that nobody meets who checks:
// those of holders and of providers. All others are in every language.
var notForEmployers = []string{
	"holder.", "compact.", "lang.back", "write.", "proves.", "eqf.", "show.title", "show.text", "show.link", "show.who", "show.nearby", "show.paper", "show.print", "paper.", "keep.",
	"sign-in.", "sign-out", "console.", "count.", "providers.", "provider.", "accreditation.", "commands.", "modules.", "editions.", "records.", "pager.",
	"col.number", "col.code", "col.title", "col.version", "col.module", "col.edition", "col.learner", "col.issued", "col.state", "col.status", "col.check",
	"state.", "status.", "act.", "proposals.", "proposal.",
	"compact.", "error.compact-status.", "error.compact-unfit.", "error.compact-key.", "error.claim.", "error.oneself.", "error.expired.", "error.sign-in.", "error.key.",
}

// sameWords are the keys whose text is the English one in a language.
var sameWords = map[string][]string{
	"de": {"check.format", "colon"},
	"fr": {"check.format", "sort.day", "minute.one", "minute.other"},
}

// TestEmployersLanguages: what somebody meets who checks is said in every
// language. What fails here names the keys and the language that lacks them: add
// them to web/locales/<language>.json.
func TestEmployersLanguages(t *testing.T) {
	english, err := readLocale("en")
	if err != nil {
		t.Fatal(err)
	}
	met := maps.Clone(english)
	maps.DeleteFunc(met, func(key, _ string) bool {
		return slices.ContainsFunc(notForEmployers, func(p string) bool { return key == p || strings.HasSuffix(p, ".") && strings.HasPrefix(key, p) })
	})
	if len(met) < 250 {
		t.Fatalf("only %d keys are for those who check", len(met))
	}
	for _, l := range languages[everywhere:] {
		w, err := readLocale(l)
		if err != nil {
			t.Fatal(err)
		}
		wordstest.Compare(t, l, met, w, sameWords[l]...)
	}
	for _, l := range languages {
		if found, _ := verifier.Words(verifier.Check{Reason: "status_valid"}, l); l != "en" && found == "It is neither revoked nor suspended." {
			t.Errorf("the verifier does not speak %s", l)
		}
	}
}

// TestLanguage: ?lang= before Accept-Language before Italian; a page that is not
// in a language is in English for whoever asks for that or reads nothing else.
func TestLanguage(t *testing.T) {
	_, r := newSite(t, newWorld())
	for _, c := range []struct{ path, accept, want string }{
		{"/", "", "it"},
		{"/", "de-DE,de;q=0.9", "de"},
		{"/", "de-CH,fr-CH;q=0.9,it-CH;q=0.8", "de"},
		{"/", "fr-CA,en;q=0.5", "fr"},
		{"/", "gsw", "de"},
		{"/", "en-GB,en;q=0.9,it;q=0.5", "en"},
		{"/", "it-CH,en;q=0.5", "it"},
		{"/", "es-ES,es;q=0.9", "it"},
		{"/", "es-ES,de;q=0.3", "de"},
		{"/", "*", "it"},
		{"/", ";;;=,,", "it"},
		{"/", strings.Repeat("en,", 1000), "it"},
		{"/?lang=en", "it", "en"},
		{"/?lang=de", "fr", "de"},
		{"/?lang=xx", "fr", "fr"},
		{"/?lang=DE", "fr", "fr"},
		{"/?lang=xx%22%3E%3Cscript%3E", "", "it"},
		{"/verify", "de", "de"},
		{"/verify?lang=fr", "de", "fr"},
		{"/v/" + handleValid, "fr", "fr"},
		{"/v/" + handleUnknown, "de", "de"},
		{"/none", "de", "de"},
		{"/c/" + tokenValid, "de", "en"},
		{"/c/" + tokenValid, "fr-FR,it;q=0.1", "it"},
		{"/c/" + tokenValid, "es", "it"},
		{"/c/" + tokenValid + "?lang=fr", "it", "en"},
		{"/c/" + tokenValid + "?lang=it", "de", "it"},
		{"/console/sign-in?key=K", "de,en;q=0.1", "en"},
		{"/console/sign-in?key=K&lang=de", "it", "en"},
		{"/console", "fr", "en"},
	} {
		w := ask(r, "GET", c.path, nil, "Accept-Language", c.accept)
		if got := w.Header().Get("Content-Language"); got != c.want || !strings.Contains(w.Body.String(), `<html lang="`+c.want+`">`) {
			t.Errorf("%s with %.20q: %s, want %s", c.path, c.accept, got, c.want)
		}
		if !slices.Contains(strings.Split(w.Header().Get("Vary"), ", "), "Accept-Language") {
			t.Errorf("Vary is %q", w.Header().Get("Vary"))
		}
	}
	// A language that a page does not have is kept for the next page.
	page := ask(r, "GET", "/c/"+tokenValid+"?lang=fr", nil).Body.String()
	if !strings.Contains(page, `href="/verify?lang=fr"`) || strings.Contains(page, `hreflang="fr"`) || !strings.Contains(page, `hreflang="it"`) {
		t.Error(page)
	}
}

// TestLanguageMenu: every page for those who check is offered in the four
// languages under their own names, the present one marked; the answer to a form
// leads to the form, since it cannot be asked for again.
func TestLanguageMenu(t *testing.T) {
	_, r := newSite(t, newWorld())
	for path, c := range map[string]struct {
		method, begins string
		again          bool
	}{
		"/":                                    {"GET", "/?lang=", false},
		"/verify":                              {"GET", "/verify?lang=", false},
		"/v/" + handleValid:                    {"GET", "/v/" + handleValid + "?", false},
		"/v/" + handleValid + "?at=2026-10-01": {"GET", "/v/" + handleValid + "?at=2026-10-01&amp;lang=", false},
		"/none":                                {"GET", "/none?lang=", false},
		"/verify#":                             {"POST", "/verify?lang=", true},
	} {
		for _, lang := range languages {
			var w *httptest.ResponseRecorder
			if c.method == "POST" {
				body, kind := several(t, upload{"a.jsonld", `{"valid": 1}`})
				w = ask(r, "POST", "/verify?lang="+lang, body, "Content-Type", kind)
			} else {
				to, _, _ := strings.Cut(path, "#")
				w = ask(r, "GET", to, nil, "Accept-Language", lang)
			}
			page := w.Body.String()
			_, menu, _ := strings.Cut(page, `<nav class="tongues"`)
			menu, _, _ = strings.Cut(menu, "</nav>")
			for other, name := range map[string]string{"it": "Italiano", "en": "English", "de": "Deutsch", "fr": "Français"} {
				current := ""
				if other == lang {
					current = ` aria-current="true"`
				}
				if want := `lang=` + other + `" lang="` + other + `" hreflang="` + other + `"` + current + `>` + name + `</a>`; !strings.Contains(menu, want) {
					t.Errorf("%s in %s: no %s in %s", path, lang, want, menu)
				}
			}
			if !strings.Contains(menu, `href="`+c.begins) || strings.Contains(menu, "<p>") != c.again {
				t.Errorf("%s in %s: %s", path, lang, menu)
			}
		}
	}
	// The language that was chosen goes on: with links, forms and redirects.
	page := ask(r, "GET", "/verify?lang=de", nil).Body.String()
	for _, want := range []string{`href="/?lang=de"`, `action="/verify?lang=de"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	if to := paste(&reader{r, "fr"}, handleValid).Header().Get("Location"); to != "/v/"+handleValid+"?lang=fr" {
		t.Error(to)
	}
	page = ask(r, "GET", "/v/"+handleValid+"?lang=fr", nil).Body.String()
	for _, want := range []string{`href="/verify?lang=fr"`, `<input type="hidden" name="lang" value="fr">`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
}

// TestAnswersInFourLanguages looks at what each person reads: the verdict, its
// reason with a day, what to do, who vouches, and the page about what leads
// elsewhere; and that no sentence of another language stands between.
func TestAnswersInFourLanguages(t *testing.T) {
	w := carrying(true)
	_, r := newSite(t, w)
	elsewhere := shot(t, "https://attesta.evil.example/v/"+handleValid)
	paths := []string{"/v/" + handleValid, "/v/" + handleRevoked, "/v/" + handleUnclear, "elsewhere", "/verify", "person"}
	only := map[string][]string{} // what one language says, and no other may
	said := map[string]string{}
	for lang, want := range map[string][][]string{
		"it": {{"Valido", "29 maggio 2026", "32 ore", "superato"}, {"Non valido: revocato il 3 luglio 2026"}, {"Non è possibile dirlo ora: non riusciamo"}, {"non l’abbiamo aperto"}, {"Le tre risposte"}, {"non corrisponde"}},
		"en": {{"Valid", "29 May 2026", "32 hours", "passed"}, {"Not valid: revoked on 3 July 2026"}, {"Cannot tell right now: we could not"}, {"we did not open it"}, {"The three answers"}, {"does not match"}},
		"de": {
			{"Gültig", "29. Mai 2026", "32 Stunden", "bestanden", "Siegel zur Demonstration", "Wer für den Aussteller bürgt", "Es ist kein qualifiziertes Siegel.", "21. November 2026 um 14:05 Uhr (Zeit in Italien)", "Vergleichen Sie"},
			{"Nicht gültig: widerrufen am 3. Juli 2026", "Nehmen Sie den Nachweis nicht als Beleg an"},
			{"Kann jetzt nicht geprüft werden: wir konnten nicht erfahren", "Versuchen Sie es in einigen Minuten noch einmal"},
			{"haben wir ihn nicht geöffnet", "Diese Website ist http://127.0.0.1:8080"},
			{"Die drei Antworten", "Kann jetzt nicht geprüft werden"},
			{"Nicht gültig für diese Person", "stimmt nicht überein"},
		},
		"fr": {
			{"Valide", "29 mai 2026", "32 heures", "contrôle réussi", "Sceau de démonstration", "Qui se porte garant de l’émetteur", "Ce n’est pas un sceau qualifié.", "21 novembre 2026 à 14:05 (heure d’Italie)", "Comparez"},
			{"Non valide : révoquée le 3 juillet 2026", "N’acceptez pas cette attestation comme preuve"},
			{"Impossible à dire maintenant : nous n’avons pas pu savoir", "Réessayez dans quelques minutes"},
			{"nous ne l’avons pas ouvert", "Ce site est http://127.0.0.1:8080"},
			{"Les trois réponses", "Impossible à dire maintenant"},
			{"Non valide pour cette personne", "ne correspond pas"},
		},
	} {
		for n, path := range paths {
			var answer *httptest.ResponseRecorder
			switch path {
			case "elsewhere":
				body, kind := several(t, upload{"x.png", elsewhere})
				answer = ask(r, "POST", "/verify?lang="+lang, body, "Content-Type", kind)
			case "person":
				answer = ask(r, "POST", "/v/"+handleValid+"?lang="+lang, strings.NewReader("birth=31/12/1901"), "Content-Type", "application/x-www-form-urlencoded")
			default:
				answer = ask(r, "GET", path, nil, "Accept-Language", lang+"-XX,"+lang+";q=0.9")
			}
			page := answer.Body.String()
			wellFormed(t, path+" "+lang, page)
			shown := strings.ReplaceAll(text(page), "\u00a0", " ")
			for _, part := range want[n] {
				if !strings.Contains(shown, part) {
					t.Errorf("%s in %s: no %q in\n%s", path, lang, part, shown)
				}
			}
			only[lang], said[lang] = append(only[lang], want[n]...), said[lang]+shown
		}
	}
	for lang, parts := range only {
		for _, part := range parts {
			for other, all := range said {
				if other != lang && len(part) > 12 && strings.Contains(all, part) {
					t.Errorf("%q, which is %s, stands in a page in %s", part, lang, other)
				}
			}
		}
	}
}

// TestTablesInFourLanguages: the table, its file and its problems.
func TestTablesInFourLanguages(t *testing.T) {
	for lang, want := range map[string][3]string{
		"it": {"Valido Sigillo dimostrativo. Accreditamento: non verificabile", "Il PDF è danneggiato", "File;Esito;Titolare"},
		"en": {"Valid Demonstration seal. Accreditation: cannot be checked", "The PDF is damaged", "File;Result;Holder"},
		"de": {"Gültig Siegel zur Demonstration. Akkreditierung: nicht prüfbar", "Das PDF ist beschädigt", "Datei;Ergebnis;Ausgestellt für"},
		"fr": {"Valide Sceau de démonstration. Accréditation : non vérifiable", "Le PDF est endommagé", "Fichier;Résultat;Titulaire"},
	} {
		_, r := newSite(t, newWorld())
		body, kind := several(t, batch(t)...)
		w := ask(r, "POST", "/verify", body, "Content-Type", kind, "Accept-Language", lang)
		page := w.Body.String()
		shown := strings.ReplaceAll(text(page), "\u00a0", " ")
		if !strings.Contains(shown, want[0]) || !strings.Contains(shown, want[1]) {
			t.Errorf("%s: %s", lang, shown)
		}
		wellFormed(t, "table "+lang, page)
		field := tableField.FindStringSubmatch(page)
		if field == nil {
			t.Fatalf("%s: no table", lang)
		}
		w = ask(r, "POST", "/verify/table", strings.NewReader("as=csv&table="+field[1]), "Content-Type", "application/x-www-form-urlencoded", "Accept-Language", lang)
		if head := strings.ReplaceAll(w.Body.String(), `"`, ""); w.Code != http.StatusOK || !strings.Contains(strings.ReplaceAll(head, ",", ";"), want[2]) {
			t.Errorf("%s: %d %.200s", lang, w.Code, head)
		}
		if name := w.Header().Get("Content-Disposition"); strings.ContainsFunc(name, func(c rune) bool { return c > '~' }) {
			t.Errorf("%s: %q", lang, name)
		}
	}
}

// TestProblemsInFourLanguages: a program gets the sentence in its own language.
func TestProblemsInFourLanguages(t *testing.T) {
	_, r := newSite(t, newWorld())
	for lang, want := range map[string]string{"it": "Non c’è nulla", "en": "There is nothing", "de": "Es gibt nichts zu prüfen", "fr": "Il n’y a rien à vérifier"} {
		w := ask(r, "POST", "/api/v1/verify", strings.NewReader(" "), "Accept-Language", lang)
		if body := w.Body.String(); w.Header().Get("Content-Language") != lang || !strings.Contains(strings.ReplaceAll(body, "\u00a0", " "), want) {
			t.Errorf("%s: %s %s", lang, w.Header(), body)
		}
	}
}

// TestSay: what a credential says is taken in the language of the page, then in
// English, in Italian, or in another one; where it is not that of the page, it
// is marked for who reads it aloud.
func TestSay(t *testing.T) {
	for _, c := range []struct {
		text       credentials.Text
		page, want string
		lang       string
	}{
		{credentials.Text{"it": "i", "en": "e", "de": "d", "fr": "f"}, "de", "d", ""},
		{credentials.Text{"it": "i", "en": "e", "de": "d", "fr": "f"}, "fr", "f", ""},
		{credentials.Text{"it": "i", "en": "e", "fr": "f"}, "de", "e", "en"},
		{credentials.Text{"it": "i", "fr": "f"}, "de", "i", "it"},
		{credentials.Text{"sl": "s", "fr": "f"}, "de", "f", "fr"},
		{credentials.Text{"sl": "s"}, "fr", "s", "sl"},
		{credentials.Text{"de": "", "it": "i"}, "de", "i", "it"},
		{credentials.Text{"de": "d"}, "it", "d", "de"},
		{nil, "de", "", ""},
	} {
		if got := say(c.text, c.page); got.Text != c.want || got.Lang != c.lang {
			t.Errorf("%v on a page in %s: %+v", c.text, c.page, got)
		}
	}
}

// TestItalianArticles: the texts of the pages put an Italian article before days
// only, and what a file says of itself stays as it is, whatever it begins with.
func TestItalianArticles(t *testing.T) {
	all, err := readCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	article := regexp.MustCompile(`(?i)(?:^|[^\pL])(?:il|lo|la|gli|le|un|uno|una|(?:[dns]|d)?[aeu]l(?:lo|la|le)?|dei|degli) \{(\w+)\}|[ln]’\{`)
	for key, text := range all["it"] {
		for _, found := range article.FindAllStringSubmatch(text, -1) {
			if !slices.Contains([]string{"day", "moment", "from", "until", "time"}, found[1]) {
				t.Errorf("%s: %q", key, found[0])
			}
		}
	}
	for _, c := range []struct{ key, name, value, want string }{
		{"because.status_revoked.on", "day", "8 maggio 2026", "revocato l’8 maggio 2026"},
		{"because.status_suspended.on", "day", "11 maggio 2026", "sospeso dall’11 maggio 2026"},
		{"because.status_revoked.on", "day", "28 maggio 2026", "revocato il 28 maggio 2026"},
		{"table.elsewhere", "host", "il 8 maggio 2026.example", "il 8 maggio 2026.example"},
		{"table.other", "text", "iscrizioni dal 8 al 11 maggio 2026", "iscrizioni dal 8 al 11 maggio 2026"},
		{"table.other", "text", "«Il corso di 8 ore»", "«Il corso di 8 ore»"},
		{"issuer.mandate", "provider", "Azienda 8 maggio", "Rilasciato da Azienda 8 maggio"},
	} {
		if got := all["it"].T(c.key, c.name, c.value); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q has no %q", c.key, got, c.want)
		}
	}
}
