package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/registry"

	"github.com/go-chi/chi/v5"
)

// signedIn goes through the sign-in page and returns the Cookie header.
func signedIn(t *testing.T, w *world, r http.Handler) string {
	t.Helper()
	key, err := w.Grant(context.Background(), registry.SignIn, "Segreteria", time.Hour, now())
	if err != nil {
		t.Fatal(err)
	}
	answer := postKey(r, key)
	cookies := answer.Result().Cookies()
	if answer.Code != 303 || answer.Header().Get("Location") != "/console" || len(cookies) != 1 {
		t.Fatalf("sign-in: %d %v", answer.Code, answer.Header())
	}
	return cookies[0].Name + "=" + cookies[0].Value
}

func postKey(r http.Handler, key string) *httptest.ResponseRecorder {
	return ask(r, "POST", "/console/sign-in", strings.NewReader(url.Values{"key": {key}}.Encode()),
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
}

// TestSignIn (Q4): opening the link signs nobody in and uses nothing up; the
// button does, once.
func TestSignIn(t *testing.T) {
	w := newWorld()
	_, r := newSite(t, w)
	key, _ := w.Grant(context.Background(), registry.SignIn, "Segreteria", time.Hour, now())
	for range 5 {
		for _, method := range []string{"GET", "HEAD"} {
			answer := ask(r, method, "/console/sign-in?key="+key, nil)
			if answer.Code != 200 || len(answer.Result().Cookies()) > 0 {
				t.Fatalf("%s: %d %v", method, answer.Code, answer.Result().Cookies())
			}
			if answer.Header().Get("Referrer-Policy") != "strict-origin" {
				t.Error("the key could go into a Referer")
			}
		}
	}
	if answer := postKey(r, key); answer.Code != 303 {
		t.Fatalf("the link was used up by looking at it: %d", answer.Code)
	}
	for _, again := range []string{key, "wrong", "", strings.Repeat("x", 1000)} {
		if answer := postKey(r, again); answer.Code != 401 || len(answer.Result().Cookies()) > 0 {
			t.Errorf("key %.10q: %d", again, answer.Code)
		}
	}
	for _, path := range []string{"/console/sign-in", "/console/sign-in?key=", "/console/sign-in?key=a&key=b"} {
		if answer := ask(r, "GET", path, nil); answer.Code != 401 {
			t.Errorf("%s: %d", path, answer.Code)
		}
	}
}

// TestConsoleIsClosed (W2, W5): every address of the console that the router
// knows is closed to no cookie, a wrong one, one of another kind, an expired
// one and one that was signed out.
func TestConsoleIsClosed(t *testing.T) {
	w := newWorld()
	clock := now()
	s, r := newSite(t, w, func(c *Config) { c.Now = func() time.Time { return clock } })
	name := s.cookieName()
	key, _ := w.Grant(context.Background(), registry.SignIn, "x", time.Hour, clock)
	old, _ := w.Grant(context.Background(), registry.Session, "x", time.Second, clock.Add(-time.Minute))
	out := signedIn(t, w, r)
	if answer := ask(r, "POST", "/console/sign-out", nil, "Cookie", out, "Sec-Fetch-Site", "same-origin"); answer.Code != 303 || answer.Result().Cookies()[0].MaxAge >= 0 {
		t.Fatalf("sign-out: %d", answer.Code)
	}
	inside := 0
	err := chi.Walk(r, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if !strings.HasPrefix(route, "/console") || strings.HasPrefix(route, "/console/sign-") {
			return nil
		}
		inside++
		for _, cookie := range []string{"", name + "=", name + "=wrong", name + "=" + key, name + "=" + old, out, "__Host-" + out, name + "=" + strings.Repeat("x", 4000)} {
			answer := ask(r, method, route, nil, "Cookie", cookie)
			if answer.Code != 401 || method == "GET" && !strings.Contains(answer.Body.String(), "attesta sign-in --data DIR") {
				t.Errorf("%s %s with %.30q: %d", method, route, cookie, answer.Code)
			}
		}
		return nil
	})
	if err != nil || inside < 6 {
		t.Fatalf("%d addresses: %v", inside, err)
	}
	live := signedIn(t, w, r)
	if answer := ask(r, "GET", "/console", nil, "Cookie", live); answer.Code != 200 {
		t.Errorf("signed in: %d", answer.Code)
	}
	clock = clock.Add(sessionLength + time.Second)
	if answer := ask(r, "GET", "/console", nil, "Cookie", live); answer.Code != 401 {
		t.Errorf("after %v: %d", sessionLength, answer.Code)
	}
}

// TestCookie (W5): the attributes of the session cookie.
func TestCookie(t *testing.T) {
	for address, want := range map[string]string{"http://127.0.0.1:8080": "attesta-session", "https://attesta.example": "__Host-attesta"} {
		w := newWorld()
		_, r := newSite(t, w, func(c *Config) { c.PublicURL = address })
		key, _ := w.Grant(context.Background(), registry.SignIn, "x", time.Hour, now())
		c := postKey(r, key).Result().Cookies()[0]
		if c.Name != want || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" ||
			c.Secure != strings.HasPrefix(address, "https") || c.MaxAge != 8*3600 || c.Value == key {
			t.Errorf("%s: %+v", address, c)
		}
	}
}

// TestForeignPosts (W4): a request that another site starts changes nothing.
func TestForeignPosts(t *testing.T) {
	w := newWorld()
	_, r := newSite(t, w)
	cookie := signedIn(t, w, r)
	for _, path := range []string{"/verify", "/console/sign-in", "/console/sign-out"} {
		for _, headers := range [][]string{
			{"Origin", "https://evil.example"},
			{"Origin", "null"},
			{"Sec-Fetch-Site", "cross-site"},
			{"Sec-Fetch-Site", "same-site"},
			{"Origin", "https://evil.example", "X-HTTP-Method-Override", "GET"},
		} {
			answer := ask(r, "POST", path, strings.NewReader("text=valid"), append(headers, "Cookie", cookie, "Content-Type", "application/x-www-form-urlencoded")...)
			if answer.Code != 403 || !strings.Contains(text(answer.Body.String()), "Richiesta rifiutata") {
				t.Errorf("%s %v: %d", path, headers, answer.Code)
			}
		}
		if answer := ask(r, "GET", path, nil, "X-HTTP-Method-Override", "POST", "Cookie", cookie); path == "/console/sign-out" && (answer.Code != 303 || answer.Header().Get("Location") != "/console" || answer.Header().Get("Set-Cookie") != "") {
			t.Errorf("%s by GET: %d", path, answer.Code)
		}
	}
	if answer := ask(r, "GET", "/console", nil, "Cookie", cookie); answer.Code != 200 {
		t.Errorf("the session was ended by another site: %d", answer.Code)
	}
}

// TestRecordsPaging walks the whole register by its links.
func TestRecordsPaging(t *testing.T) {
	w := newWorld()
	_, r := newSite(t, w)
	cookie := signedIn(t, w, r)
	next, pages, rows := "/console/records?module=SN-11", 0, 0
	for next != "" && pages < 10 {
		page := ask(r, "GET", next, nil, "Cookie", cookie).Body.String()
		pages++
		rows += strings.Count(page, `<th role="rowheader" scope="row"`)
		if next = ""; strings.Contains(page, `" rel="next"`) {
			upTo, _, _ := strings.Cut(page, `" rel="next"`)
			next = strings.ReplaceAll(upTo[strings.LastIndex(upTo, `"`)+1:], "&amp;", "&")
		}
		if strings.Contains(page, "Angelo") {
			t.Error("the register shows a name")
		}
	}
	if pages != 5 || rows != 120 {
		t.Errorf("%d pages with %d rows", pages, rows)
	}
}

// TestHostileQueries (W14): what the console cannot mean is 400.
func TestHostileQueries(t *testing.T) {
	w := newWorld()
	_, r := newSite(t, w)
	cookie := signedIn(t, w, r)
	for _, q := range []string{
		"before=-1", "before=1.5", "before=0", "before=01", "before=9223372036854775808", "before=1&before=2", "before=x", "before=+1",
		"module=%00", "module=a%0Ab", "module=%ff", "module=" + strings.Repeat("x", 2000), "edition=%E2%80%AE", "nonsense=1", "lang=it&limit=5",
		"module=a;b", "%zz", "module=a&module=b", "after=x",
	} {
		if answer := ask(r, "GET", "/console/records?"+q, nil, "Cookie", cookie); answer.Code != 400 {
			t.Errorf("%.40s: %d", q, answer.Code)
		}
	}
	for _, q := range []string{"", "before=7", "module=SN-11&edition=", "lang=en&before=9223372036854775807", "module=%3Cscript%3E"} {
		answer := ask(r, "GET", "/console/records?"+q, nil, "Cookie", cookie)
		if answer.Code != 200 || strings.Contains(answer.Body.String(), "<script") {
			t.Errorf("%s: %d", q, answer.Code)
		}
	}
	if answer := ask(r, "GET", "/console/modules?provider=nobody", nil, "Cookie", cookie); answer.Code != 404 {
		t.Errorf("unknown provider: %d", answer.Code)
	}
}

// TestConsolePages looks for what each page is for.
func TestConsolePages(t *testing.T) {
	w := newWorld()
	_, r := newSite(t, w)
	cookie := signedIn(t, w, r)
	for path, want := range map[string][]string{
		"/console":                             {"Accesso di Segreteria", "Rilasciati 118", "ESEMPIO-0001, dal 1º gennaio 2025 al 31 dicembre 2027", "nessun accreditamento registrato", "attesta status --help"},
		"/console/modules?provider=iss-scuola": {"SN-11", "Formare formatori", "32 ore", "EQF 6", "2026-1"},
		"/console/records":                     {"TOT25-120", "in preparazione", "revocato", "sospeso", "attesta issue --help"},
	} {
		page := text(ask(r, "GET", path, nil, "Cookie", cookie).Body.String())
		for _, one := range want {
			if !strings.Contains(page, one) && !strings.Contains(page, strings.ReplaceAll(one, "1º", "1")) {
				t.Errorf("%s: no %q in %s", path, one, page)
			}
		}
	}
	w.ledger = errBroken
	for _, path := range []string{"/console", "/console/modules", "/console/records"} {
		if answer := ask(r, "GET", path, nil, "Cookie", cookie); answer.Code != 500 || strings.Contains(answer.Body.String(), "/var/lib") {
			t.Errorf("%s on a broken ledger: %d", path, answer.Code)
		}
	}
}

// TestRecordsOnAPhone: the number that the command line takes stands in the
// register, and every cell says what it is where the table is stacked.
func TestRecordsOnAPhone(t *testing.T) {
	w := newWorld()
	_, r := newSite(t, w)
	cookie := signedIn(t, w, r)
	page := ask(r, "GET", "/console/records", nil, "Cookie", cookie).Body.String()
	number := credentials.Number("SN-11", record(120, handleValid).Credential)
	if !strings.Contains(page, "<bdi>"+number+"</bdi>") || !strings.Contains(page, `aria-label="Verifica l’attestato `+number+`"`) {
		t.Errorf("no %s", number)
	}
	for _, path := range []string{"/console/records", "/console/modules"} {
		page := ask(r, "GET", path, nil, "Cookie", cookie).Body.String()
		for _, cell := range regexp.MustCompile(`<t[dh] [^>]*role="(?:cell|rowheader)"[^>]*>|<td>`).FindAllString(page, -1) {
			if !strings.Contains(cell, `data-label="`) {
				t.Errorf("%s: %s has no label", path, cell)
			}
		}
		if !strings.Contains(page, `<td role="cell" data-label="`) {
			t.Errorf("%s: no labels", path)
		}
	}
	if page := text(page); strings.Contains(page, "traccia") {
		t.Error("the console promises a trace of who asked")
	}
	css, _ := files.ReadFile("assets/style.css")
	if !strings.Contains(string(css), "content:attr(data-label)") {
		t.Error("the style does not show the labels")
	}
}

func FuzzConsoleQuery(f *testing.F) {
	for _, seed := range []string{"", "before=5&module=SN-11&edition=2026-1", "before=1&before=2", "module=%00", "%zz", "lang=it", "after=SN-11/2026-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := readQuery(raw, "provider", "module", "edition", "before", "after")
		if err != nil {
			if q != (query{}) {
				t.Fatalf("%q: refused, yet %+v", raw, q)
			}
			return
		}
		// What is taken comes back the same from the links made of it.
		_, rest, _ := strings.Cut(q.address("/x"), "?")
		again, err := readQuery(rest, "provider", "module", "edition", "before", "after")
		if err != nil || again != q {
			t.Fatalf("%q: %+v, then %+v (%v)", raw, q, again, err)
		}
	})
}
