package web

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"attesta/presentation"
)

// TestStatusList (W10, W11): published for everybody, revalidated by ETag.
func TestStatusList(t *testing.T) {
	_, r := newSite(t, newWorld())
	w := ask(r, "GET", "/status/"+listKnown+"/revocation", nil, "Origin", "https://other.example", "Accept-Encoding", "gzip")
	want := map[string]string{
		"Content-Type": "application/vc+jwt", "ETag": `"v7"`, "Cache-Control": "public, max-age=300",
		"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Credentials": "", "Set-Cookie": "", "Content-Encoding": "",
	}
	for name, value := range want {
		if got := w.Header().Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	if w.Code != 200 || w.Body.String() != "a.b.c" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for tag, code := range map[string]int{`"v7"`: 304, `W/"v7"`: 304, `"v6"`: 200, "*": 304} {
		if w := ask(r, "GET", "/status/"+listKnown+"/suspension", nil, "If-None-Match", tag); w.Code != code {
			t.Errorf("If-None-Match %s: %d", tag, w.Code)
		}
	}
	if w := ask(r, "HEAD", "/status/"+listKnown+"/revocation", nil); w.Code != 200 || w.Header().Get("Content-Length") != "5" {
		t.Errorf("HEAD: %d %v", w.Code, w.Header())
	}
	for _, path := range []string{"/status/" + handleUnknown + "/revocation", "/status/" + listKnown + "/other", "/status/" + strings.Repeat("L", 100) + "/revocation", "/status/x"} {
		problem(t, ask(r, "GET", path, nil, "Accept", "text/html"), 404)
	}
}

// TestTokenList (W10, W11): the other form of a list and the list of all lists,
// published in the same way.
func TestTokenList(t *testing.T) {
	_, r := newSite(t, newWorld())
	for path, want := range map[string][3]string{
		"/status/" + listKnown: {"application/statuslist+jwt", `"v8"`, "d.e.f"},
		"/status/aggregation":  {"application/json", `"v9"`, `{"status_lists":[]}`},
	} {
		w := ask(r, "GET", path, nil, "Origin", "https://other.example", "Accept", "text/html")
		h := w.Header()
		if got := [3]string{h.Get("Content-Type"), h.Get("ETag"), w.Body.String()}; w.Code != 200 || got != want {
			t.Errorf("%s: %d %v", path, w.Code, got)
		}
		if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Cache-Control") != "public, max-age=60" || h.Get("Set-Cookie") != "" || h.Get("Vary") != "" {
			t.Errorf("%s: %v", path, h)
		}
		if w := ask(r, "GET", path, nil, "If-None-Match", want[1]); w.Code != 304 || w.Body.Len() > 0 || w.Header().Get("ETag") != want[1] {
			t.Errorf("%s with its ETag: %d %v", path, w.Code, w.Header())
		}
		if w := ask(r, "HEAD", path, nil); w.Code != 200 || w.Body.Len() > 0 {
			t.Errorf("HEAD %s: %d", path, w.Code)
		}
		problem(t, ask(r, "POST", path, nil), 405)
	}
	for _, path := range []string{"/status/" + handleUnknown, "/status/" + strings.Repeat("L", 100), "/status/x", "/status/" + listKnown + "/"} {
		problem(t, ask(r, "GET", path, nil), 404)
	}
	if w := ask(r, "GET", "/status/", nil); w.Code != 404 {
		t.Errorf("no list: %d", w.Code)
	}
}

// TestNoListOfAnotherDay: who asks for the past is told that there is none, and
// never gets the list of today for it.
func TestNoListOfAnotherDay(t *testing.T) {
	_, r := newSite(t, newWorld())
	for _, query := range []string{"?time=1767225600", "?time=", "?time", "?x=1&time=0", "?timestamp=2026-01-01T00:00:00Z"} {
		for _, path := range []string{"/status/" + listKnown, "/status/" + listKnown + "/revocation"} {
			w := ask(r, "GET", path+query, nil, "Accept-Language", "en")
			problem(t, w, 501)
			if !strings.Contains(w.Body.String(), "as it is now") || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %v %s", path+query, w.Header(), w.Body)
			}
		}
	}
	if w := ask(r, "GET", "/status/"+listKnown+"?times=1", nil); w.Code != 200 {
		t.Errorf("another word: %d", w.Code)
	}
}

// TestNobodySeesWhoAsksForAList (S9): what is written about a request names
// neither the list nor who asked.
func TestNobodySeesWhoAsksForAList(t *testing.T) {
	var log bytes.Buffer
	_, r := newSite(t, newWorld(), func(c *Config) { c.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	for _, path := range []string{"/status/" + listKnown, "/status/" + listKnown + "/suspension", "/status/" + listKnown + "?time=1", "/status/" + handleUnknown, "/status/aggregation"} {
		request := httptest.NewRequest(http.MethodGet, path, nil)
		request.RemoteAddr = "192.0.2.55:4711"
		request.Header.Set("X-Forwarded-For", "198.51.100.66")
		request.Header.Set("User-Agent", "curious/1.0")
		request.Header.Set("Referer", "https://employer.example/applicants")
		r.ServeHTTP(httptest.NewRecorder(), request)
	}
	if strings.Count(log.String(), `"msg":"request"`) != 5 {
		t.Fatalf("not a line a request:\n%s", log.String())
	}
	for _, trace := range []string{listKnown, handleUnknown, "192.0.2.55", "4711", "198.51.100.66", "curious", "employer"} {
		if strings.Contains(log.String(), trace) {
			t.Errorf("the log holds %s:\n%s", trace, log.String())
		}
	}
}

// problem checks that an answer is a problem document.
func problem(t *testing.T, w *httptest.ResponseRecorder, code int) {
	t.Helper()
	var p struct {
		Type, Title string
		Status      int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != code || p.Status != code || p.Title == "" ||
		p.Type != "about:blank" || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v %s (%v)", w.Code, w.Header(), w.Body, err)
	}
}

// TestProblemsByAccept: a program gets a problem document, a browser a page.
func TestProblemsByAccept(t *testing.T) {
	_, r := newSite(t, newWorld())
	for accept, structured := range map[string]bool{
		"": false, "*/*": false, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": false,
		"application/json": true, "application/problem+json, text/html;q=0.5": true, "application/json;q=0.2,text/html": false, "text/html;q=x": false,
	} {
		w := ask(r, "GET", "/v/nobody", nil, "Accept", accept)
		if got := w.Header().Get("Content-Type") == "application/problem+json"; got != structured {
			t.Errorf("%q: %s", accept, w.Header().Get("Content-Type"))
		}
	}
	w := ask(r, "DELETE", "/healthz", nil)
	problem(t, w, 405)
	if got := strings.Join(w.Header().Values("Allow"), ", "); got != "GET, HEAD" {
		t.Errorf("Allow is %q", got)
	}
	problem(t, ask(r, "GET", "/none", nil, "Accept", "application/json"), 404)
	problem(t, ask(r, "POST", "/verify", nil, "Accept", "application/json", "Origin", "https://evil.example"), 403)
}

func TestHealth(t *testing.T) {
	var broken error
	_, r := newSite(t, newWorld(), func(c *Config) { c.Ready = func(context.Context) error { return broken } })
	if w := ask(r, "GET", "/healthz", nil); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := ask(r, "GET", "/readyz", nil); w.Code != 200 {
		t.Errorf("%d", w.Code)
	}
	broken = errBroken
	w := ask(r, "GET", "/readyz", nil)
	problem(t, w, 503)
	if strings.Contains(w.Body.String(), "disk") {
		t.Error("the cause is told to everybody")
	}
}

// TestLimits (W7): too many posts from one address are 429, whatever headers
// say about the address; other addresses go on.
func TestLimits(t *testing.T) {
	_, r := newSite(t, newWorld())
	post := func(from, spoof string) int {
		q := httptest.NewRequest(http.MethodPost, "/verify", strings.NewReader("text=%7B%22valid%22:1%7D"))
		q.RemoteAddr = from
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		q.Header.Set("X-Forwarded-For", spoof)
		q.Header.Set("True-Client-IP", spoof)
		q.Header.Set("X-Real-IP", spoof)
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		if w.Code == 429 && (w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "Troppe richieste")) {
			t.Errorf("429 without remedy: %v", w.Header())
		}
		return w.Code
	}
	refused := 0
	for i := range 2*requestsPerMinute + 20 { // twice: a minute may end in between
		if post(fmt.Sprintf("[2001:db8::%x]:1234", i), fmt.Sprintf("10.0.0.%d", i)) == 429 {
			refused++
		}
	}
	if refused == 0 {
		t.Error("nothing was refused within one /64")
	}
	if code := post("192.0.2.77:1234", "2001:db8::a"); code != 200 {
		t.Errorf("another address: %d", code)
	}
}

// TestNoOpenRedirect: no address of ours sends a browser to another site.
func TestNoOpenRedirect(t *testing.T) {
	w := newWorld()
	_, r := newSite(t, w)
	cookie := signedIn(t, w, r)
	for _, path := range []string{
		"//evil.example", "/%2F%2Fevil.example", "/\\evil.example", "/verify?next=https://evil.example", "/console?lang=//evil.example",
		"/console/sign-in?key=x&return=//evil.example", "/https://evil.example", "/v/" + handleValid + "?url=https://evil.example",
	} {
		request := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080/", nil)
		u, err := url.ParseRequestURI(path)
		if err != nil {
			continue
		}
		request.URL, request.RequestURI = u, path
		request.Header.Set("Cookie", cookie)
		answer := httptest.NewRecorder()
		r.ServeHTTP(answer, request)
		if to := answer.Header().Get("Location"); to != "" {
			t.Errorf("%s leads to %s", path, to)
		}
		for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(answer.Body.String(), -1) {
			if strings.HasPrefix(m[1], "//") || strings.HasPrefix(m[1], `/\`) || strings.HasPrefix(m[1], "http") && !strings.HasPrefix(m[1], "https://scuola.example.org") {
				t.Errorf("%s has a link to %s", path, m[1])
			}
		}
	}
}

func TestAssetsAndRobots(t *testing.T) {
	s, r := newSite(t, newWorld())
	w := ask(r, "GET", s.assets.address("style.css"), nil)
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := ask(r, "GET", "/assets/style.css", nil); w.Code != 404 {
		t.Errorf("an asset without its digest: %d", w.Code)
	}
	if w := ask(r, "GET", "/robots.txt", nil); !strings.Contains(w.Body.String(), "Disallow: /c/") {
		t.Errorf("%s", w.Body)
	}
}

func TestQR(t *testing.T) {
	picture, err := QR("http://127.0.0.1:8080/v/" + handleValid)
	if err != nil {
		t.Fatal(err)
	}
	var svg struct {
		ViewBox string `xml:"viewBox,attr"`
		Path    []struct {
			D string `xml:"d,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal(picture, &svg); err != nil || len(svg.Path) != 2 || !strings.HasPrefix(svg.ViewBox, "0 0 ") {
		t.Errorf("%v %+v", err, svg)
	}
	// The first dark row is a finder pattern of seven modules, four modules in.
	if !strings.HasPrefix(svg.Path[1].D, "M4 4h7v1h-7z") {
		t.Errorf("the quiet zone is not four modules: %.40s", svg.Path[1].D)
	}
	for _, content := range []string{"", strings.Repeat("x", maxQR+1)} {
		if _, err := QR(content); err == nil {
			t.Errorf("%d bytes were drawn", len(content))
		}
	}
	_, r := newSite(t, newWorld())
	if w := ask(r, "GET", "/v/"+handleValid+"/qr.svg", nil); w.Code != 200 || w.Header().Get("Content-Type") != "image/svg+xml" || !bytes.Equal(w.Body.Bytes(), picture) {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestQRTerminal(t *testing.T) {
	var b bytes.Buffer
	if err := QRTerminal(&b, "https://attesta.example/v/"+handleValid); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	if len(lines) < 15 || strings.Trim(lines[0], "█") != "" || !strings.HasPrefix(lines[2], "████ ") {
		t.Errorf("light modules and quiet zone are not drawn:\n%s", b.String())
	}
	if err := QRTerminal(brokenWriter{}, "x"); err == nil {
		t.Error("a broken writer is no error")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken") }

func FuzzHandlePath(f *testing.F) {
	for _, seed := range []string{handleValid, handleUnknown, "", "..", "a/b", "%2e%2e", "A\x00", strings.Repeat("A", 1000), "\u202E"} {
		f.Add(seed)
	}
	_, r := newSite(f, newWorld())
	f.Fuzz(func(t *testing.T, handle string) {
		for _, u := range []*url.URL{{Path: "/v/" + handle}, {Path: "/v/" + handle, RawPath: "/v/" + url.PathEscape(handle)}} {
			request := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080/", nil)
			request.URL = u
			w := httptest.NewRecorder()
			r.ServeHTTP(w, request)
			if known := slices.Contains([]string{handleValid, handleRevoked, handleUnclear}, presentation.HandleIn(handle)); w.Code == 200 && !known && !strings.HasSuffix(handle, "/qr.svg") || w.Code >= 500 || w.Header().Get("Location") != "" {
				t.Fatalf("%q: %d", handle, w.Code)
			}
		}
	})
}
