package web

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"attesta/credentials"
	"attesta/verifier"
)

// TestHolder looks at the page of the holder (Q4: reading consumes nothing).
func TestHolder(t *testing.T) {
	_, r := newSite(t, newWorld())
	for range 5 {
		ask(r, "HEAD", "/c/"+tokenValid, nil)
		ask(r, "GET", "/c/"+tokenValid, nil)
	}
	w := ask(r, "GET", "/c/"+tokenValid, nil)
	page := w.Body.String()
	for _, want := range []string{
		"Che cosa prova", "Nicolò D’Angelo-Çelik", "32 ore, livello EQF 6 L’EQF è il quadro europeo", "Qui il livello è dichiarato dall’ente.",
		"Come Prova pratica Valutazione tra pari", "Osservazione tra pari", "Due riscontri scritti completi",
		"http://127.0.0.1:8080/v/" + handleValid, "attestato-SN-11.jsonld",
	} {
		if !strings.Contains(text(page), want) {
			t.Errorf("no %q in %s", want, text(page))
		}
	}
	title := regexp.MustCompile(`<title>(.*)</title>`).FindStringSubmatch(page)[1]
	if strings.Contains(title, tokenValid) || strings.Contains(title, "Angelo") {
		t.Errorf("the title says too much: %s", title)
	}
	file := ask(r, "GET", "/c/"+tokenValid+"/credential.jsonld", nil)
	if file.Body.String() != "sealed valid" || file.Header().Get("Content-Type") != "application/ld+json" ||
		file.Header().Get("Content-Disposition") != `attachment; filename="attestato-SN-11.jsonld"` {
		t.Errorf("the file: %v %s", file.Header(), file.Body)
	}
	for _, path := range []string{"/c/unknown", "/c/" + strings.Repeat("x", 500), "/c/unknown/credential.jsonld"} {
		if w := ask(r, "GET", path, nil); w.Code != 404 || !strings.Contains(text(w.Body.String()), "chiedi all’ente di mandartelo di nuovo") {
			t.Errorf("%.20s: %d", path, w.Code)
		}
	}
}

// TestLevelMeans: the framework is explained only where the level is one of
// it, and "declared by the provider" is said only where the credential says so.
func TestLevelMeans(t *testing.T) {
	s, _ := newSite(t, newWorld())
	p := s.page(httptest.NewRequest(http.MethodGet, "/", nil), "start.title")
	six := &credentials.Concept{URI: "http://data.europa.eu/snb/eqf/6"}
	for _, c := range []struct {
		level    *credentials.Concept
		note     credentials.Text
		declared bool
		want     string
	}{
		{nil, nil, true, ""},
		{&credentials.Concept{URI: "https://evil.example/eqf/8"}, nil, true, ""},
		{six, nil, false, p.T("eqf.plain")},
		{six, both("Viene dal quadro nazionale.", "From the national framework."), false, p.T("eqf.plain")},
		{six, both("Il livello EQF è dichiarato dall’ente che rilascia.", "The level is declared by the provider."), false, p.T("eqf.plain")},
		{six, both("x", "y"), true, p.T("eqf.declared")},
	} {
		if got := p.levelMeans(&credentials.View{Level: c.level, LevelNote: c.note, LevelDeclared: c.declared}); got != c.want {
			t.Errorf("%v %v: %q, want %q", c.level, c.note, got, c.want)
		}
	}
}

// TestLevelsOfOthers (W1): only the address of the European framework itself
// is shown as one of its levels.
func TestLevelsOfOthers(t *testing.T) {
	s, _ := newSite(t, newWorld())
	p := s.page(httptest.NewRequest(http.MethodGet, "/", nil), "start.title")
	for address, want := range map[string]string{
		"http://data.europa.eu/snb/eqf/8": "EQF 8", "https://evil.example/eqf/8": "https://evil.example/eqf/8",
		"http://evil.example/http://data.europa.eu/snb/eqf/8": "http://evil.example/http://data.europa.eu/snb/eqf/8",
		"http://dataxeuropa.eu/snb/eqf/8":                     "http://dataxeuropa.eu/snb/eqf/8", "http://data.europa.eu/snb/eqf/9": "http://data.europa.eu/snb/eqf/9",
	} {
		if got := p.levelOf(credentials.Concept{URI: address}).Text; got != want {
			t.Errorf("%s is shown as %q, want %q", address, got, want)
		}
	}
}

// holderSees returns the page of the holder under a report that change alters.
func holderSees(t *testing.T, sealed string, change func(*verifier.Report)) string {
	t.Helper()
	w := newWorld()
	w.report = func([]byte) (verifier.Report, error) {
		r, err := judge([]byte(sealed))
		change(&r)
		return r, err
	}
	_, r := newSite(t, w)
	return ask(r, "GET", "/c/"+tokenValid, nil).Body.String()
}

func unrecognised(r *verifier.Report) {
	for i := range r.Checks {
		if r.Checks[i].ID == "issuer" {
			r.Checks[i] = verifier.Check{ID: "issuer", Outcome: verifier.Unknown, Reason: "issuer_unrecognised"}
		}
	}
}

// TestPersonalData: who holds a credential is told what else the file says of
// them, and the page for employers does not mention it.
func TestPersonalData(t *testing.T) {
	const birth, number = "la tua data di nascita", "il tuo codice fiscale"
	for _, c := range []struct{ birth, number bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		change := func(r *verifier.Report) {
			r.Credential.BirthDateGiven, r.Credential.NationalIDGiven = c.birth, c.number
		}
		page := text(holderSees(t, "valid", change))
		if strings.Contains(page, birth) != c.birth || strings.Contains(page, number) != c.number {
			t.Errorf("%+v: %s", c, page)
		}
		w := newWorld()
		w.report = func(presented []byte) (verifier.Report, error) {
			r, err := judge(presented)
			change(&r)
			return r, err
		}
		_, router := newSite(t, w)
		if page := text(ask(router, "GET", "/v/"+handleValid, nil).Body.String()); strings.Contains(page, birth) || strings.Contains(page, number) {
			t.Errorf("%+v: the page for employers: %s", c, page)
		}
	}
	if page := holderSees(t, "broken valid", func(*verifier.Report) {}); strings.Contains(page, birth) {
		t.Error("of a broken file something is said")
	}
}

// TestWhereToWrite: who is told to write to the provider is told where, and
// never by an address of an issuer that nobody knows.
func TestWhereToWrite(t *testing.T) {
	const live, message = `<a href="https://scuola.example.org"`, "usa l’indirizzo del messaggio con cui hai ricevuto questo link"
	same := func(*verifier.Report) {}
	for _, c := range []struct {
		name, sealed  string
		change        func(*verifier.Report)
		link, instead bool
	}{
		{"revoked", "revoked", same, true, false},
		{"revoked, no website", "revoked", func(r *verifier.Report) { r.Credential.IssuerURL = "" }, false, true},
		{"revoked, plain http", "revoked", func(r *verifier.Report) { r.Credential.IssuerURL = "http://scuola.example.org" }, false, true},
		{"revoked, unrecognised", "revoked", unrecognised, false, true},
		{"broken", "broken valid", same, false, true},
		{"valid", "valid", same, false, false},
	} {
		page := holderSees(t, c.sealed, c.change)
		if strings.Contains(page, live) != c.link || strings.Contains(page, message) != c.instead {
			t.Errorf("%s: a link %v, the message %v", c.name, strings.Contains(page, live), strings.Contains(page, message))
		}
	}
}

// TestLinksOfUnrecognisedIssuers (Q1): the address that a file gives for its
// own issuer is text, not a link, unless the issuer is known.
func TestLinksOfUnrecognisedIssuers(t *testing.T) {
	for name, change := range map[string]func(*verifier.Report){
		"passed": func(*verifier.Report) {}, "unknown": unrecognised,
		"failed":  func(r *verifier.Report) { unrecognised(r); r.Checks[2].Outcome = verifier.Fail },
		"skipped": func(r *verifier.Report) { unrecognised(r); r.Checks[2].Outcome = verifier.Skipped },
		"missing": func(r *verifier.Report) { r.Checks = r.Checks[:2] },
	} {
		w := newWorld()
		w.report = func(b []byte) (verifier.Report, error) {
			r, err := judge(b)
			change(&r)
			return r, err
		}
		_, r := newSite(t, w)
		page := ask(r, "GET", "/v/"+handleValid, nil).Body.String()
		if live := strings.Contains(page, `href="https://scuola`); live != (name == "passed") || !strings.Contains(page, "https://scuola.example.org") {
			t.Errorf("issuer check %s: the link is live: %v", name, live)
		}
	}
	s, _ := newSite(t, newWorld())
	p := s.page(httptest.NewRequest(http.MethodGet, "/", nil), "start.title")
	v := p.verdictOf(verifier.Report{Verdict: verifier.CannotTell, Reason: "issuer_unrecognised", Checks: []verifier.Check{{ID: "issuer", Outcome: verifier.Unknown, Reason: "issuer_unrecognised"}}})
	if !strings.Contains(v.Todo, "non con gli indirizzi scritti in questo attestato") {
		t.Errorf("the advice is %q", v.Todo)
	}
}

// TestPrinting (R1): the page with the secret address is not printed, and leads
// to the one that is.
func TestPrinting(t *testing.T) {
	_, r := newSite(t, newWorld())
	page := ask(r, "GET", "/c/"+tokenValid, nil).Body.String()
	paper := regexp.MustCompile(`(?s)<div class="printonly">.*?</div>`).FindString(page)
	if !strings.Contains(page, `<body class="secret">`) || !strings.Contains(paper, "http://127.0.0.1:8080/v/"+handleValid) || strings.Contains(paper, tokenValid) {
		t.Errorf("on paper: %s", paper)
	}
	if !strings.Contains(page, `<a href="/v/`+handleValid+`">Apri la pagina da stampare</a>`) || strings.Contains(page, "stampare la pagina.") {
		t.Error("the page does not lead to the one to print")
	}
	check := ask(r, "GET", "/v/"+handleValid, nil).Body.String()
	if strings.Contains(check, `class="secret"`) || !strings.Contains(check, `<p class="qr printonly"><img src="/v/`+handleValid+`/qr.svg"`) {
		t.Error("the check page cannot be printed with its QR")
	}
	css, err := os.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	print := string(css[strings.Index(string(css), "@media print"):])
	for _, rule := range []string{".secret>:not(main),.secret main>:not(.printonly,.paper){display:none}", ".printonly{display:block}", "@page secret{margin:0}"} {
		if !strings.Contains(print, rule) {
			t.Errorf("the style for paper has no %s", rule)
		}
	}
}

// TestOnlyOnThisComputer: a QR that no other device can open says so.
func TestOnlyOnThisComputer(t *testing.T) {
	for address, near := range map[string]bool{
		"http://127.0.0.1:8080": true, "http://[::1]:8080": true, "http://localhost": true, "http://LOCALHOST:1": true, "http://127.9.9.9": true,
		"https://attesta.example": false, "http://192.0.2.1:8080": false, "https://localhost.example": false, "https://127.0.0.1.example": false,
	} {
		_, r := newSite(t, newWorld(), func(c *Config) { c.PublicURL = address })
		if got := strings.Contains(ask(r, "GET", "/c/"+tokenValid, nil).Body.String(), "si aprono solo su questo computer"); got != near {
			t.Errorf("%s: says so: %v", address, got)
		}
	}
}

// TestIconsStaySmall: without the style sheet an icon is as large as its
// attributes say.
func TestIconsStaySmall(t *testing.T) {
	_, r := newSite(t, newWorld())
	svg := regexp.MustCompile(`<svg[^>]*>`)
	for _, path := range []string{"/", "/verify", "/v/" + handleValid, "/v/" + handleRevoked, "/c/" + tokenValid} {
		for _, tag := range svg.FindAllString(ask(r, "GET", path, nil).Body.String(), -1) {
			if !strings.Contains(tag, ` width="`) || !strings.Contains(tag, ` height="`) {
				t.Errorf("%s: %s", path, tag)
			}
		}
	}
	icon, _ := files.ReadFile("assets/icon.svg")
	if tag := svg.FindString(string(icon)); !strings.Contains(tag, ` width="`) {
		t.Errorf("icon.svg: %s", tag)
	}
}
