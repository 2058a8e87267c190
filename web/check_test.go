package web

import (
	"bytes"
	"context"
	"html"
	"io"
	"log/slog"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/verifier"
)

// form makes a multipart body with one field.
func form(t testing.TB, field, content string) (io.Reader, string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	var part io.Writer
	var err error
	if field == "file" {
		part, err = m.CreateFormFile("file", "x.jsonld")
	} else {
		part, err = m.CreateFormField(field)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(part, content); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return &b, m.FormDataContentType()
}

// text is a page without its tags, with single spaces.
func text(page string) string {
	page = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")
	return strings.Join(strings.Fields(html.UnescapeString(page)), " ")
}

// TestVerdicts looks at the three answers as people read them.
func TestVerdicts(t *testing.T) {
	_, r := newSite(t, newWorld())
	for _, c := range []struct {
		name, path, lang string
		want, not        []string
	}{
		{"valid", "/v/" + handleValid, "it", []string{
			"Valido Sigillo dimostrativo: non ha valore", "Chi ha ottenuto che cosa", "Nicolò D’Angelo-Çelik",
			"Confronta questo nome con un documento d’identità", "29 maggio 2026", "8 giugno 2026", "EQF 6 Dichiarato dall’ente",
			"32 ore", "Mista", "educazione degli adulti", "Prova pratica", "Idoneo su griglia di osservazione",
			"Con sorveglianza e verifica dell’identità", "Procedura interna", "Esperienza di almeno un anno", "Senza scadenza",
			"superato", "non verificabile", "non applicabile", "Che cosa questa verifica non prova", "21 novembre 2026 alle 14:05",
		}, []string{"Non valido", "{"}},
		{"valid", "/v/" + handleValid, "en", []string{"Valid Demonstration seal", "29 May 2026", "32 hours", "passed", "cannot be checked"}, nil},
		{"revoked", "/v/" + handleRevoked, "it", []string{"Esito della verifica Non valido: revocato il 3 luglio 2026", "Che cosa dichiarava", "non superato"}, []string{"Chi ha ottenuto", "frode"}},
		{"unclear", "/v/" + handleUnclear, "it", []string{"Esito della verifica Non è possibile dirlo ora: non riusciamo", "Che cosa dichiara, da confermare"}, []string{"verifica Valido"}},
	} {
		page := text(ask(r, "GET", c.path+"?lang="+c.lang, nil).Body.String())
		for _, want := range c.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s %s: no %q in\n%s", c.name, c.lang, want, page)
			}
		}
		for _, not := range c.not {
			if strings.Contains(page, not) {
				t.Errorf("%s %s: says %q", c.name, c.lang, not)
			}
		}
	}
}

// TestVerdictSentences covers the reasons one by one, known and not.
func TestVerdictSentences(t *testing.T) {
	s, _ := newSite(t, newWorld())
	p := s.page(httptest.NewRequest(http.MethodGet, "/", nil), "start.title")
	for _, c := range []struct {
		verdict verifier.Verdict
		reason  string
		facts   map[string]string
		want    string
	}{
		{verifier.Valid, "", nil, "Valido"},
		{verifier.NotValid, "status_revoked", nil, "Non valido: revocato"},
		{verifier.NotValid, "status_revoked", map[string]string{"at": "2026-07-02T23:30:00Z"}, "Non valido: revocato il 3 luglio 2026"},
		{verifier.NotValid, "status_revoked", map[string]string{"at": "<b>never</b>"}, "Non valido: revocato"},
		{verifier.NotValid, "status_suspended", map[string]string{"at": "2026-07-03"}, "Non valido: sospeso dal 3 luglio 2026"},
		{verifier.NotValid, "validity_expired", map[string]string{"on": "2026-06-30"}, "Non valido: scaduto il 30 giugno 2026"},
		{verifier.NotValid, "validity_not_yet", map[string]string{"on": "2027-01-10"}, "Non valido: non ancora valido, lo è dal 10 gennaio 2027"},
		{verifier.NotValid, "seal_broken", nil, "Non valido: modificato o falso"},
		{verifier.NotValid, "format_not_json", nil, "Non valido: questo non è un attestato digitale con sigillo"},
		{verifier.NotValid, "issuer_mismatch", nil, "Non valido: l’ente indicato non è quello del sigillo"},
		{verifier.NotValid, "status_index", nil, "Non valido: l’elenco delle revoche non è quello dell’ente"},
		{verifier.NotValid, "novelty_found", nil, "Non valido"},
		{verifier.CannotTell, "issuer_unrecognised", nil, "Non è possibile dirlo ora: ente non riconosciuto"},
		{verifier.CannotTell, "status_offline", nil, "Non è possibile dirlo ora: senza collegamento non si può sapere se è stato revocato o sospeso"},
		{verifier.CannotTell, "novelty_found", nil, "Non è possibile dirlo ora"},
		{"surprise", "x", nil, "Non è possibile dirlo ora"},
		{"", "", nil, "Non è possibile dirlo ora"},
		{verifier.NotValid, "status_revoked", map[string]string{"at": "2026-07-08"}, "Non valido: revocato l’8 luglio 2026"},
		{verifier.NotValid, "status_suspended", map[string]string{"at": "2026-07-11"}, "Non valido: sospeso dall’11 luglio 2026"},
	} {
		outcome := verifier.Unknown
		if c.verdict == verifier.NotValid {
			outcome = verifier.Fail
		}
		v := p.verdictOf(verifier.Report{Verdict: c.verdict, Reason: c.reason, Checks: []verifier.Check{{ID: "x", Outcome: outcome, Reason: c.reason, Facts: c.facts}}})
		if v.Sentence != c.want || v.Todo == "" {
			t.Errorf("%s %s: %q (do: %q), want %q", c.verdict, c.reason, v.Sentence, v.Todo, c.want)
		}
	}
}

// TestPresented goes through the ways of presenting something.
func TestPresented(t *testing.T) {
	_, r := newSite(t, newWorld())
	for _, c := range []struct {
		name, field, content string
		code                 int
		want                 string
	}{
		{"file", "file", "a valid file", 200, "Valido"},
		{"text", "text", "  {\"some\": \"valid text\"}\r\n", 200, "Valido"},
		{"broken seal", "file", "broken valid", 200, "Non valido: modificato o falso"},
		{"not a credential", "text", `{"hello": 1}`, 200, "questo non è un attestato digitale con sigillo"},
		{"nothing", "text", " \r\n ", 400, "Non c’è nulla da verificare"},
		{"empty file", "file", "", 400, "Non c’è nulla da verificare"},
		{"typed code", "text", "aaaa-AAAA aaaa AAAA aaaa AAAA aa", 303, ""},
		{"our address", "text", "http://127.0.0.1:8080/v/" + handleValid + "?lang=en", 303, ""},
		{"foreign address (Q1)", "text", "https://attesta.evil.example/v/" + handleValid, 400, "non l’abbiamo aperto"},
		{"claim address", "text", "http://127.0.0.1:8080/c/" + tokenValid, 400, "non porta a una nostra pagina"},
		{"too large", "file", strings.Repeat("x", 12<<20), 413, "non supera i 4 MB"},
	} {
		body, kind := form(t, c.field, c.content)
		w := ask(r, "POST", "/verify", body, "Content-Type", kind)
		if w.Code != c.code || !strings.Contains(text(w.Body.String()), c.want) {
			t.Errorf("%s: %d, want %d and %q in %.300s", c.name, w.Code, c.code, c.want, text(w.Body.String()))
		}
		if to := w.Header().Get("Location"); to != "" && to != "/v/"+handleValid {
			t.Errorf("%s: leads to %s", c.name, to)
		}
		if c.code != 303 && !strings.Contains(w.Header().Get("Cache-Control"), "no-store") {
			t.Errorf("%s: may be stored", c.name)
		}
	}
	// Nothing of a credential is shown unless the seal is good.
	body, kind := form(t, "file", "broken valid")
	if page := ask(r, "POST", "/verify", body, "Content-Type", kind).Body.String(); strings.Contains(page, "Angelo") {
		t.Error("a broken seal still shows the name")
	}
}

// TestMalformedForms: truncated and odd bodies are 400 and never 500.
func TestMalformedForms(t *testing.T) {
	_, r := newSite(t, newWorld())
	whole, kind := form(t, "file", strings.Repeat("valid ", 50))
	all, _ := io.ReadAll(whole)
	for n := 0; n < len(all)-4; n += 7 {
		w := ask(r, "POST", "/verify", bytes.NewReader(all[:n]), "Content-Type", kind)
		if w.Code != 400 {
			t.Fatalf("cut after %d of %d bytes: %d", n, len(all), w.Code)
		}
	}
	var many bytes.Buffer
	m := multipart.NewWriter(&many)
	for range 50 {
		_ = m.WriteField("text", "valid")
	}
	_ = m.Close()
	for name, c := range map[string]struct{ kind, body string }{
		"no type":       {"", "x"},
		"bad type":      {"multipart/form-data; boundary", "x"},
		"no boundary":   {"multipart/form-data", "x"},
		"plain":         {"text/plain", "valid"},
		"json":          {"application/json", `{"text":"valid"}`},
		"bad escape":    {"application/x-www-form-urlencoded", "text=%zz"},
		"fifty fields":  {m.FormDataContentType(), many.String()},
		"empty, parsed": {"application/x-www-form-urlencoded", "text="},
	} {
		if w := ask(r, "POST", "/verify", strings.NewReader(c.body), "Content-Type", c.kind); w.Code != 400 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

// TestHandleAnswersAlike (W2, W3): a handle that is unknown and one that is
// malformed have the same answer, byte for byte, on both addresses.
func TestHandleAnswersAlike(t *testing.T) {
	_, r := newSite(t, newWorld())
	switched := regexp.MustCompile(`href="/v/[^"]*"`)
	for _, tail := range []string{"", "/qr.svg"} {
		var first string
		for _, handle := range []string{handleUnknown, "x", "zzzzzzzzzzzzzzzzzzzzzzzzzz", strings.Repeat("A", 25), strings.Repeat("A", 300), "AAAAAAAAAAAAA%00AAAAAAAAAAA", "..%2f..%2fetc%2fpasswd"} {
			w := ask(r, "GET", "/v/"+handle+tail, nil)
			got := switched.ReplaceAllString(w.Body.String(), "")
			if first == "" {
				first = got
			}
			if w.Code != 404 || got != first {
				t.Errorf("%s%s: %d, another answer than for the unknown one", handle, tail, w.Code)
			}
		}
	}
	for path, want := range map[string]string{
		"/v/" + handleErased: "Chi ne ha ancora il file può caricarlo", "/v/" + handleErased + "/qr.svg": "È stato cancellato",
		"/c/" + tokenErased: "insieme ai dati della persona", "/c/" + tokenErased + "/credential.jsonld": "È stato cancellato",
	} {
		if a := ask(r, "GET", path, nil); a.Code != http.StatusGone || !strings.Contains(text(a.Body.String()), want) {
			t.Errorf("%s: %d %s", path, a.Code, text(a.Body.String()))
		}
	}
	if page := text(ask(r, "GET", "/v/"+handleUnknown, nil).Body.String()); !strings.Contains(page, "Inquadra di nuovo") {
		t.Errorf("no remedy: %s", page)
	}
}

// TestFaults (W16): a failing or crashing verifier is a fault and never a
// verdict, and the page shows the request id and nothing else.
func TestFaults(t *testing.T) {
	for name, report := range map[string]func([]byte) (verifier.Report, error){
		"error": func([]byte) (verifier.Report, error) { return verifier.Report{Verdict: verifier.Valid}, errBroken },
		"panic": func([]byte) (verifier.Report, error) { panic("at /home/secret") },
	} {
		w := newWorld()
		w.report = report
		var log bytes.Buffer
		_, r := newSite(t, w, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		answer := ask(r, "GET", "/v/"+handleValid, nil)
		page := text(answer.Body.String())
		if answer.Code != 500 || !strings.Contains(page, "REQUEST-1") || strings.Contains(page, "Valido") ||
			regexp.MustCompile(`/var|/home|goroutine|disk on fire|\.go:`).MatchString(answer.Body.String()) {
			t.Errorf("%s: %d %s", name, answer.Code, page)
		}
		if !strings.Contains(log.String(), "REQUEST-1") {
			t.Errorf("%s: the log does not name the request", name)
		}
	}
}

// TestLogHoldsNoSecrets (R1): handles, tokens, keys, names and queries are not
// in the log.
func TestLogHoldsNoSecrets(t *testing.T) {
	var log bytes.Buffer
	_, r := newSite(t, newWorld(), func(c *Config) { c.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	for _, path := range []string{"/v/" + handleValid, "/v/" + handleUnknown, "/c/" + tokenValid, "/c/" + tokenValid + "x", "/console/sign-in?key=CANARYKEY", "/CANARYPATH?CANARYQUERY", "/c/" + tokenValid + "/credential.jsonld"} {
		ask(r, "GET", path, nil)
		ask(r, "CANARYMETHOD", path, nil)
	}
	for _, secret := range []string{handleValid, handleUnknown, tokenValid, "CANARY", "Angelo"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %s:\n%s", secret, log.String())
		}
	}
	if !strings.Contains(log.String(), `"/c/{token}"`) {
		t.Errorf("the log has no route:\n%s", log.String())
	}
}

// payloads are texts that must come out as text.
var payloads = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' autofocus onfocus=alert(1) x='`, `</title><svg/onload=alert(1)>`,
	`javascript:alert(1)`, `<!--`, `]]>`, `{{.}}`, "\u202Emoc.elpmaxe\u202C", "a\x00b\x1b[31m", `<a href="javascript:x">y</a>`, `&lt;b&gt;`, "\xff\xfe",
}

// TestEscaping (W1): every text field of a credential, in key and value, comes
// out as text on every page that shows it.
func TestEscaping(t *testing.T) {
	for _, payload := range payloads {
		w := newWorld()
		w.report = func(b []byte) (verifier.Report, error) {
			r, err := judge(b)
			r.Credential, r.Level, r.Digest = hostile(payload), payload, payload
			for i := range r.Checks {
				r.Checks[i].ID, r.Checks[i].Facts = payload, map[string]string{"name": payload, "at": payload, "reason": payload}
			}
			return r, err
		}
		_, r := newSite(t, w)
		for _, path := range []string{"/v/" + handleValid, "/v/" + handleRevoked, "/v/" + handleUnclear, "/c/" + tokenValid} {
			answer := ask(r, "GET", path, nil)
			page := answer.Body.String()
			if answer.Code != 200 {
				t.Fatalf("%q: %d", payload, answer.Code)
			}
			for _, bad := range []string{"<script", "<img src=x", "<a href=\"javascript", "onload=alert(1)>", "autofocus onfocus=alert(1) x='", "<!--", "\u202E", "\x00", "\x1b", "href=\"javascript"} {
				if strings.Contains(page, bad) {
					t.Errorf("%s with %q holds %q", path, payload, bad)
				}
			}
			wellFormed(t, path, page)
		}
	}
}

// hostile is a credential in which every text is the payload.
func hostile(p string) *credentials.View {
	text := credentials.Text{"it": p, p: p}
	only := credentials.Text{p: p}
	concept := credentials.Concept{URI: p, Scheme: p, Label: only}
	return &credentials.View{
		ID: p, Title: text, Description: only, HolderName: p, Issuer: p, IssuerNames: only, IssuerLegal: p, IssuerURL: p,
		Country: concept, Issued: now(), Level: &concept, LevelNote: text, Hours: p, Mode: []credentials.Concept{concept},
		Setting: &concept, Field: []credentials.Concept{concept}, Language: []credentials.Concept{concept},
		Outcomes:    []credentials.OutcomeView{{Title: text, Skills: []credentials.Concept{concept}}},
		Assessments: []credentials.AssessmentView{{Title: text, Type: &concept, Grade: only, Supervision: &concept, Rule: text}},
		Quality:     text, Requires: only, Stacks: []credentials.StackView{{Code: p}, {Title: only}}, Identifiers: []string{p},
		Parts: []credentials.PartView{{Title: text, Credential: p}}, Activities: []credentials.ActivityView{{Title: only, Hours: p}},
		Further: only, ModuleURL: p, Region: &concept, Mandate: only,
		Accreditation: &credentials.AccreditationView{ID: p, Title: text, Agent: only, From: now(), Report: p},
		More:          []credentials.ClaimView{{Kind: p, Title: only}, {Kind: "LearningActivity", Title: text}},
	}
}

func TestOutsideLinks(t *testing.T) {
	for address, want := range map[string]string{
		"https://scuola.example.org/a?b=c": "https://scuola.example.org/a?b=c", "http://scuola.example.org": "", "javascript:alert(1)": "",
		"//evil.example": "", "https://user@evil.example": "", "data:text/html,x": "", "https://": "", "https://x.example/\u202Ea": "",
	} {
		if got := outside(address); got != want {
			t.Errorf("%q gives %q, want %q", address, got, want)
		}
	}
}

// TestOtherLanguagesAreMarked: text in another language carries its lang.
func TestOtherLanguagesAreMarked(t *testing.T) {
	_, r := newSite(t, newWorld())
	page := ask(r, "GET", "/v/"+handleValid+"?lang=it", nil).Body.String()
	if !strings.Contains(page, `<bdi lang="en">apply blended learning</bdi>`) {
		t.Error("English text on an Italian page is not marked")
	}
	if got := saidIn("x", `en" onclick="x`, "it").Lang; got != "" {
		t.Errorf("a made-up language is kept: %q", got)
	}
}

func TestEffort(t *testing.T) {
	s, _ := newSite(t, newWorld())
	p := s.page(httptest.NewRequest(http.MethodGet, "/", nil), "start.title")
	for iso, want := range map[string]string{"PT32H": "32 ore", "PT1H": "1 ora", "PT7H30M": "7 ore e 30 minuti", "PT45M": "45 minuti", "PT": "PT", "P1Y": "P1Y", "": ""} {
		if got := p.effort(iso); got != want {
			t.Errorf("%q: %q, want %q", iso, got, want)
		}
	}
}

// TestDated: the day of a revocation comes from the registry, its reason is
// for the holder only, and neither changes a verdict.
func TestDated(t *testing.T) {
	held, _ := newWorld().Show(context.Background(), handleRevoked)
	report, _ := judge([]byte("revoked"))
	before := maps.Clone(report.Find("status").Facts)
	shown, own := dated(report, held.Record, false), dated(report, held.Record, true)
	if shown.Find("status").Facts["at"] != held.Record.StatusAt.Format(time.RFC3339) || shown.Find("status").Facts["reason"] != "" {
		t.Errorf("public: %v", shown.Find("status").Facts)
	}
	if own.Find("status").Facts["reason"] != "fraud" {
		t.Errorf("holder: %v", own.Find("status").Facts)
	}
	if len(report.Find("status").Facts) != len(before) || shown.Verdict != report.Verdict {
		t.Error("the report was changed")
	}
	valid, _ := judge([]byte("valid"))
	if got := dated(valid, held.Record, true); len(got.Find("status").Facts) != len(valid.Find("status").Facts) {
		t.Error("a valid report got a date of revocation")
	}
}

// TestLargeBodyOverTheWire sends 12 MB to a real server.
func TestLargeBodyOverTheWire(t *testing.T) {
	_, r := newSite(t, newWorld())
	server := httptest.NewServer(r)
	defer server.Close()
	body, kind := form(t, "file", strings.Repeat("x", 12<<20))
	answer, err := http.Post(server.URL+"/verify", kind, body)
	if err != nil {
		t.Log("the connection was cut before the answer was read, as it may be:", err)
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", answer.StatusCode)
	}
}

// TestSealedForAnother: the page says who awarded and who sealed, on whose word,
// and whose identifier it shows; and it names everything that a file attests.
func TestSealedForAnother(t *testing.T) {
	s, _ := newSite(t, newWorld())
	p := s.page(httptest.NewRequest(http.MethodGet, "/?lang=it", nil), "result.title")
	v := &credentials.View{
		Title: both("Corso", "Course"), AwardedBy: both("Centro Lago", "Lake Centre"), Issuer: "Piattaforma", IssuerNames: credentials.Text{"und": "Piattaforma"},
		IssuerLegal: "VATIT-1", Mandate: credentials.Text{"und": "convenzione 12"},
		Activities: []credentials.ActivityView{{Title: both("Ore in presenza", "Contact hours"), Hours: "PT20H"}, {Title: both("Studio", "Study"), Hours: "PT4H"}},
		Parts:      []credentials.PartView{{Title: both("Primo modulo", "First"), CompletedOn: now()}},
		Claims:     3, More: []credentials.ClaimView{
			{Kind: "LearningActivity", Title: both("Visita", "Visit")}, {Kind: "LearningActivity", Title: both("Stage", "Work placement")}, {Kind: "odd"},
		},
		Accreditation: &credentials.AccreditationView{ID: "https://albo.example.org/1", Title: both("Licenza", "Licence"), From: now()},
	}
	c := p.claimsOf(verifier.Report{Credential: v, NowNamed: "Piattaforma Nuova"})
	if got := c.Issuer.Text; got != "Rilasciato da Centro Lago, sigillato per suo conto da Piattaforma: così dichiara Piattaforma." {
		t.Errorf("%s", got)
	}
	details := map[string]fact{}
	for _, f := range c.Details {
		if _, twice := details[f.Term]; twice {
			t.Errorf("%s stands there twice", f.Term)
		}
		details[f.Term] = f
	}
	if f := details["Nome di oggi di chi sigilla"]; len(f.Values) != 1 || f.Values[0].Text != "Piattaforma Nuova" || !strings.Contains(f.Note.Text, "stesso ente") {
		t.Errorf("%+v", f)
	}
	if f := details["Come è distribuito l’impegno"]; len(f.Values) != 2 || f.Values[0].Text != "Ore in presenza: 20 ore" {
		t.Errorf("%+v", f)
	}
	if f := details["Identificativo di chi sigilla"]; len(f.Values) != 1 || details["Chi sigilla per conto di chi"].Values[0].Text != "convenzione 12" {
		t.Errorf("%+v", details)
	}
	if f := details["Accreditamento dichiarato"]; len(f.Values) != 3 || !strings.Contains(f.Note.Text, "non è stato controllato") {
		t.Errorf("%+v", f)
	}
	if len(c.More) != 2 || len(c.More[0].Values) != 2 || c.More[0].Term != "Attività" || c.More[1].Values[0].Text == "" {
		t.Errorf("%+v", c.More)
	}
}
