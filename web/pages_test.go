package web

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/jba/templatecheck"
)

// TestTemplates checks every template against the struct that fills it.
func TestTemplates(t *testing.T) {
	set, err := readPages()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range documents() {
		if err := templatecheck.CheckHTML(set[d.template()], d); err != nil {
			t.Errorf("%s: %v", d.template(), err)
		}
	}
}

// dynamic are the beginnings of keys whose end is made at run time.
var dynamic = []string{
	"claim.", "person.",
	"because.", "todo.", "reason.", "check.", "outcome.", "level.", "error.", "verdict.", "declares.",
	"act.do.", "act.hint.", "act.ask.", "act.done.", "proposal.state.", "hour.", "minute.", "state.", "status.", "holder.todo.", "sort.",
}

// TestLocales checks that Italian and English have the same texts with the same
// blanks to fill, that each text is used, and that each text used is there.
func TestLocales(t *testing.T) {
	c, err := readCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	blank := regexp.MustCompile(`\{[a-z]+\}`)
	for key, it := range c["it"] {
		en, ok := c["en"][key]
		if !ok {
			t.Errorf("%s: not in en.json", key)
			continue
		}
		of := func(s string) []string { return slices.Sorted(slices.Values(blank.FindAllString(s, -1))) }
		if diff := cmp.Diff(of(it), of(en)); diff != "" {
			t.Errorf("%s: blanks differ: %s", key, diff)
		}
		if it == "" || en == "" {
			t.Errorf("%s: empty", key)
		}
		if strings.Contains(it+en, "'") {
			t.Errorf("%s: straight apostrophe", key)
		}
	}
	for _, l := range languages {
		data, err := files.ReadFile("locales/" + l + ".json")
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^\s*"([^"]+)":`).FindAllSubmatch(data, -1) {
			if key := string(m[1]); seen[key] {
				t.Errorf("%s: twice in %s.json", key, l)
			} else {
				seen[key] = true
			}
		}
	}
	for key := range c["en"] {
		if !c["it"].Has(key) {
			t.Errorf("%s: not in it.json", key)
		}
	}
	used := regexp.MustCompile(`"([a-z-]+(?:\.[a-z_-]+)*)"`)
	calls := regexp.MustCompile(`(?:\.T|p\.T|add)\(? ?\(?"([^"]+)"`)
	var source strings.Builder
	for _, pattern := range []string{"*.go", "templates/*.html"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(data)
			for _, m := range calls.FindAllStringSubmatch(string(data), -1) {
				if !strings.HasSuffix(m[1], ".") && !c["it"].Has(m[1]) {
					t.Errorf("%s uses %q, which is in no locale", name, m[1])
				}
			}
		}
	}
	named := map[string]bool{}
	for _, m := range used.FindAllStringSubmatch(source.String(), -1) {
		named[m[1]] = true
	}
	for key := range c["it"] {
		if !named[key] && !slices.ContainsFunc(dynamic, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("%s: used nowhere", key)
		}
	}
}

// TestRefusalsHaveWords checks that every refusal named in the code can be said.
func TestRefusalsHaveWords(t *testing.T) {
	c, err := readCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob("*.go")
	found := 0
	for _, name := range names {
		data, _ := os.ReadFile(name)
		for _, m := range regexp.MustCompile(`refusal\{http\.Status\w+, "([^"]+)"\}`).FindAllStringSubmatch(string(data), -1) {
			found++
			for _, part := range []string{".title", ".text"} {
				if key := "error." + m[1] + part; !c["it"].Has(key) {
					t.Errorf("%s: %s has no words", name, key)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("found %d refusals only", found)
	}
}

// TestNoForbiddenWords keeps out of pages and texts what may not be said.
func TestNoForbiddenWords(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)certificato di competenz|firma digitale|firma non valida|blockchain|accepted by europass|<script|javascript:| style="|https?://[^"' ]*\.(js|css|woff)`)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := files.ReadFile(name)
		for _, script := range []string{`<script src="{{.Camera.Script}}" defer></script>`, `<script src="{{.Script}}" defer></script>`} {
			if name == "templates/_camera.html" || name == "templates/_table.html" { // the scripts of the page of the check
				data = bytes.Replace(data, []byte(script), nil, 1)
			}
		}
		if name == "templates/copy.html" || name == "templates/offline.html" { // they check in the browser
			data = regexp.MustCompile(`<script src="{{\.(Ready|Form\.Script)}}"( defer)?>`).ReplaceAll(data, nil)
		}
		if m := forbidden.Find(data); m != nil {
			t.Errorf("%s says %q", name, m)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// requests gives one request for every route of the router itself, so that a
// new route is covered on the day it is added.
func requests(t *testing.T, r chi.Router) []*http.Request {
	t.Helper()
	fill := strings.NewReplacer("{handle}", handleValid, "{token}", tokenValid, "{list}", listKnown, "{purpose}", "revocation")
	var all []*http.Request
	err := chi.Walk(r, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		all = append(all, httptest.NewRequest(method, fill.Replace(route), nil))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 30 {
		t.Fatalf("only %d routes", len(all))
	}
	return append(all, httptest.NewRequest(http.MethodGet, "/nothing/here", nil), httptest.NewRequest(http.MethodDelete, "/verify", nil))
}

// TestSecurityHeaders (W10, W11, W12): every route, found or not, carries the
// headers; what is about a person is not stored or indexed; only status lists
// can be read by other sites.
func TestSecurityHeaders(t *testing.T) {
	for _, address := range []string{"http://127.0.0.1:8080", "https://attesta.example"} {
		s, r := newSite(t, newWorld(), func(c *Config) { c.PublicURL = address })
		for _, request := range requests(t, r) {
			w := httptest.NewRecorder()
			r.ServeHTTP(w, request)
			h, at := w.Header(), request.Method+" "+request.URL.Path
			want := map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Content-Security-Policy": contentPolicy}
			if request.URL.Path == "/verify" && w.Code == http.StatusOK { // the one page with scripts, ours alone
				want["Content-Security-Policy"] = verifyPolicy(s)
				want["Permissions-Policy"] = "camera=(self), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"
			}
			if strings.HasPrefix(address, "https") {
				want["Strict-Transport-Security"] = "max-age=31536000"
			}
			personal := regexp.MustCompile(`^/((v|c)/|console(/|$))`).MatchString(request.URL.Path)
			if personal && w.Code < 300 {
				want["Cache-Control"], want["X-Robots-Tag"] = "no-store", "noindex, nofollow"
			}
			if strings.HasPrefix(request.URL.Path, "/c/") {
				want["Referrer-Policy"] = "no-referrer"
			}
			for name, value := range want {
				if h.Get(name) != value {
					t.Errorf("%s: %s is %q, want %q", at, name, h.Get(name), value)
				}
			}
			if h.Get("Referrer-Policy") == "" || h.Get("Permissions-Policy") == "" {
				t.Errorf("%s: headers missing: %v", at, h)
			}
			open := h.Get("Access-Control-Allow-Origin") != "" || h.Get("Access-Control-Allow-Credentials") != ""
			if open != strings.HasPrefix(request.URL.Path, "/status/") && w.Code < 400 {
				t.Errorf("%s: open to other sites: %v", at, open)
			}
			if w.Code >= 500 {
				t.Errorf("%s: %d", at, w.Code)
			}
		}
	}
}

// verifyPolicy is the policy of the page that reads with the camera.
func verifyPolicy(s *Site) string {
	if s.camera().Reader == "" {
		return contentPolicy + "; script-src 'self'; connect-src 'self'"
	}
	return contentPolicy + "; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
}

// TestPagesAreWellFormed parses every page strictly, in its languages, and
// looks for what each must have.
func TestPagesAreWellFormed(t *testing.T) {
	w := newWorld()
	_, r := newSite(t, w, func(c *Config) { c.Demonstration = true })
	cookie := signedIn(t, w, r)
	for _, path := range []string{
		"/", "/verify", "/v/" + handleValid, "/v/" + handleRevoked, "/v/" + handleUnclear, "/v/" + handleUnknown,
		"/c/" + tokenValid, "/offline", "/c", "/console", "/console/modules", "/console/records", "/console/sign-in?key=K",
	} {
		for _, lang := range languages {
			separator := "?"
			if strings.Contains(path, "?") {
				separator = "&"
			}
			answer := ask(r, "GET", path+separator+"lang="+lang, nil, "Cookie", cookie)
			page := answer.Body.String()
			if !slices.Contains(spoken(path), lang) {
				lang = instead
			}
			if answer.Header().Get("Content-Language") != lang || !strings.Contains(page, `<html lang="`+lang+`">`) {
				t.Errorf("%s: not in %s", path, lang)
			}
			for _, want := range []string{`class="skip" href="#content"`, "<main", "<h1", "<footer", "<header", `name="viewport"`, `class="demo"`} {
				if !strings.Contains(page, want) {
					t.Errorf("%s: no %s", path, want)
				}
			}
			if strings.Count(page, "<h1") != 1 || strings.Contains(page, "{") && !strings.Contains(path, "/verify") {
				t.Errorf("%s: not one h1, or a blank was left unfilled", path)
			}
			wellFormed(t, path, page)
		}
	}
}

// wellFormed checks that elements are closed and ids are unique.
func wellFormed(t *testing.T, name, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(page, "<!doctype html>")))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	ids := map[string]bool{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if e, ok := token.(xml.StartElement); ok {
			for _, a := range e.Attr {
				if a.Name.Local == "id" && ids[a.Value] {
					t.Errorf("%s: id %s twice", name, a.Value)
				}
				if a.Name.Local == "id" {
					ids[a.Value] = true
				}
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" {
					t.Errorf("%s: attribute %s", name, a.Name.Local)
				}
			}
		}
	}
}

// TestWeight holds the check page to what a slow phone loads in a moment.
func TestWeight(t *testing.T) {
	s, r := newSite(t, newWorld())
	total := 0
	for _, path := range []string{"/v/" + handleValid, "/v/" + handleValid + "/qr.svg", s.assets.address("style.css"), s.assets.address("icon.svg")} {
		w := ask(r, "GET", path, nil, "Accept-Encoding", "gzip")
		if w.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("%s is not compressed", path)
		}
		total += w.Body.Len()
		z, err := gzip.NewReader(bytes.NewReader(w.Body.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		whole, _ := io.ReadAll(z)
		t.Logf("%s: %d bytes, %d compressed", path, len(whole), w.Body.Len())
	}
	if total > 14<<10 {
		t.Errorf("the check page weighs %d bytes compressed", total)
	}
	css, _ := files.ReadFile("assets/style.css")
	if len(css) > 14<<10 {
		t.Errorf("the style weighs %d bytes", len(css))
	}
	for _, path := range []string{"/c/" + tokenValid, "/console/sign-in?key=K"} {
		if w := ask(r, "GET", path, nil, "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed although a secret opens it", path)
		}
	}
}

// TestNoForeignHost (R4): no page makes a browser ask another site.
func TestNoForeignHost(t *testing.T) {
	_, r := newSite(t, newWorld())
	loads := regexp.MustCompile(`(?:src|<link[^>]* href|action)="([^"]*)"`)
	for _, path := range []string{"/", "/verify", "/offline", "/v/" + handleValid, "/c/" + tokenValid, "/none"} {
		for _, m := range loads.FindAllStringSubmatch(ask(r, "GET", path, nil).Body.String(), -1) {
			if !strings.HasPrefix(m[1], "/") || strings.HasPrefix(m[1], "//") {
				t.Errorf("%s loads %s", path, m[1])
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	w := newWorld()
	for _, address := range []string{"", "attesta.example", "ftp://x", "https://x/", "https://x/y", "https://x?y"} {
		if _, err := New(Config{Registry: w, Wallet: w, Verify: nil, Lists: w, Now: now, PublicURL: address}); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
}

// TestAnswersOpenedAgain: the address of an answer to a form, opened again or in
// another language, leads to the page where the form stands: never to an error, never to
// another site, and nothing is done by it. Programs hear which method it has.
func TestAnswersOpenedAgain(t *testing.T) {
	w := newWorld()
	calls := 0
	_, r := newSite(t, w, making(canary, nil, &calls), func(c *Config) { c.Acts = &acts{} })
	cookie := signedIn(t, w, r)
	form := []string{"Content-Type", "application/x-www-form-urlencoded", "Cookie", cookie}
	for path, c := range map[string]struct{ leads, says string }{
		"/verify/rows":                  {"/verify", "ripeti la verifica"},
		"/verify/table":                 {"/verify", "ripeti la verifica"},
		"/c/" + tokenValid + "/compact": {"/c/" + tokenValid, "alla pagina di prima"},
		"/console/status":               {"/console/records", "alla pagina di prima"},
		"/console/sign-out":             {"/console", ""},
	} {
		for query, kept := range map[string]string{"": "", "?lang=en": "?lang=en", "?lang=xx": ""} {
			for _, method := range []string{"GET", "HEAD"} {
				answer := ask(r, method, path+query, nil, "Cookie", cookie)
				if to := answer.Header().Get("Location"); answer.Code != http.StatusSeeOther || to != c.leads+kept {
					t.Errorf("%s %s%s: %d %s", method, path, query, answer.Code, to)
				}
			}
		}
		if page := ask(r, "GET", c.leads, nil, "Cookie", cookie); page.Code != 200 {
			t.Errorf("%s leads to %s: %d", path, c.leads, page.Code)
		}
		if answer := ask(r, "GET", path, nil, "Accept", "application/json", "Cookie", cookie); answer.Code != 405 && path != "/console/status" {
			t.Errorf("%s for a program: %d", path, answer.Code)
		}
		if c.says == "" {
			continue
		}
		answer := ask(r, "POST", path, strings.NewReader("x=1"), form...)
		if page := answer.Body.String(); path != "/verify/rows" && (!strings.Contains(page, `<a href="`+c.leads+`?lang=en" lang="en"`) || !strings.Contains(text(page), c.says)) {
			t.Errorf("%s: %d, its menu leads elsewhere: %s", path, answer.Code, page)
		}
	}
	if page := ask(r, "GET", "/console", nil, "Cookie", cookie); calls != 1 || page.Code != 200 {
		t.Errorf("opening an address did something: %d made, %d", calls, page.Code)
	}
	// Whatever stands in the place of the token, no other site is led to.
	for _, token := range []string{"%2F%2Fevil.example", "%5Cevil.example", "..", "%2e%2e"} {
		answer := ask(r, "GET", "/c/"+token+"/compact", nil)
		if to := answer.Header().Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.Contains(to, `\`)) {
			t.Errorf("%s: %s", token, to)
		}
	}
}
