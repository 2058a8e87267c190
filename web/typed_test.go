package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"attesta/presentation"
	"attesta/verifier"
)

// verdictWords are the words of an answer about a credential.
var verdictWords = regexp.MustCompile(`(?i)\b(non )?valid[oa]?\b|\bnot valid\b|sigill|\bseal|revocat|revoked|sospes|suspended|scadut|expired|fals[oa]|fake|non è possibile dirlo|cannot tell|\bgültig|siegel|widerruf|ausgesetzt|abgelaufen|gefälscht|\bvalides?\b|\bsceau|révoqu|suspendu|expirée|\bfauss|impossible`)

// reader is a router and the language in which it is asked.
type reader struct {
	r    http.Handler
	lang string
}

func paste(h *reader, text string) *httptest.ResponseRecorder {
	return ask(h.r, "POST", "/verify?lang="+h.lang, strings.NewReader(url.Values{"text": {text}}.Encode()), "Content-Type", "application/x-www-form-urlencoded")
}

// TestSlipsAreNoVerdict (Q1): what is typed from paper with a slip gets a page
// that says what to look at, and never an answer about a credential.
func TestSlipsAreNoVerdict(t *testing.T) {
	const mixed = "ABCDEFGHIJKLMNOPQRSTUVWXYO" // with O, I and B
	w := newWorld()
	var judged atomic.Int32
	w.report = func(b []byte) (verifier.Report, error) { judged.Add(1); return judge(b) }
	routers := map[string]http.Handler{} // one for each language, since a visitor may ask so often only
	for _, lang := range languages {
		_, routers[lang] = newSite(t, w, func(c *Config) { c.PublicURL = "https://attesta.example:8443" })
	}
	for _, c := range []struct {
		text string
		code int
		want string // where it leads, or which refusal answers
	}{
		{handleValid, 303, handleValid},
		{"aaaa-AAAA aaaa\u2013AAAA aaaa AAAA\u00a0aa", 303, handleValid},
		{strings.Repeat("A", 13) + "\r\n" + strings.Repeat("a", 13), 303, handleValid},
		{"\u201c" + handleValid + ".\u201d", 303, handleValid},
		{"abcdefgh1jklmnopqrstuvwxy0", 303, mixed},
		{"A8CDEFGHIJKLMNOPQRSTUVWXY0", 303, mixed},
		{strings.Repeat("A", 24), 400, "code"},
		{strings.Repeat("A", 25), 400, "code"},
		{strings.Repeat("A", 27), 400, "code"},
		{strings.Repeat("A", 25) + "9", 400, "code"},
		{strings.Repeat("A", 25) + "\u0130", 400, "code"},
		{"hello", 400, "code"},
		{"this is not a credential", 400, "code"},
		{"www.attesta.example", 400, "code"},
		{"SN-11-6963ACBB", 400, "number"},
		{"sn-11-6963acbb", 400, "number"},
		{"urn:credential:3f1c9a52-7d0e-4b6a-9c58-2b1d0f6e7a90", 400, "number"},
		{"https://attesta.example:8443/v/" + handleValid, 303, handleValid},
		{"http://attesta.example:8443/v/" + handleValid + "?lang=en#x", 303, handleValid},
		{"attesta.example:8443/v/" + handleValid, 303, handleValid},
		{"https://attesta.example:8443/v/" + strings.ToLower(handleValid), 303, handleValid},
		{"HTTPS://ATTESTA.EXAMPLE:8443/V/" + handleValid, 303, handleValid},
		{"attesta.example:8443/v/aaaa aaaa aaaa aaaa aaaa aaaa aa.", 303, handleValid},
		{"https://attesta.example:8443/v/" + strings.Repeat("A", 25), 400, "code"},
		{"attesta.example:8443/v/", 400, "code"},
		{"https://attesta.example:8443/c/" + tokenValid, 400, "link"},
		{"https://attesta.evil.example/v/" + handleValid, 400, "link"},
		{"attesta.evil.example/v/" + handleValid, 400, "link"},
		{"https://attesta.example:8443@evil.example/v/" + handleValid, 400, "link"},
		{"https://attesta.example:8443.evil.example/v/" + handleValid, 400, "link"},
		{"https://evil.example/" + strings.Repeat("x", 200), 400, "link"},
		{"http://%zz", 400, "link"},
	} {
		for _, lang := range languages {
			answer := paste(&reader{routers[lang], lang}, c.text)
			if c.code == 303 {
				if to := answer.Header().Get("Location"); answer.Code != 303 || to != "/v/"+c.want+"?lang="+lang {
					t.Errorf("%q: %d to %q, want %s", c.text, answer.Code, to, c.want)
				}
				continue
			}
			words, err := readCatalogue()
			if err != nil {
				t.Fatal(err)
			}
			page := text(answer.Body.String())
			if answer.Code != c.code || !strings.Contains(page, words[lang].T("error."+c.want+".title")) {
				t.Errorf("%q: %d, want the page %s: %.200s", c.text, answer.Code, c.want, page)
			}
			if found := verdictWords.FindString(page); found != "" && c.want != "link" {
				t.Errorf("%q: the page says %q", c.text, found)
			}
		}
	}
	if n := judged.Load(); n != 0 {
		t.Errorf("%d slips were judged", n)
	}
	for _, credential := range []string{`{"valid":1}`, "eyJhbGciOi.valid.x", strings.Repeat("valid ", 30), strings.Repeat("A", 600)} {
		if answer := paste(&reader{routers["it"], "it"}, credential); answer.Code != 200 {
			t.Errorf("%.20q is not judged: %d", credential, answer.Code)
		}
	}
}

// TestUnknownCodeIsNoVerdict: a whole code that nobody has leads to a page
// that says what to look at.
func TestUnknownCodeIsNoVerdict(t *testing.T) {
	_, r := newSite(t, newWorld())
	answer := paste(&reader{r, "it"}, strings.ToLower(handleUnknown))
	page := ask(r, "GET", answer.Header().Get("Location"), nil)
	if body := text(page.Body.String()); page.Code != 404 || !strings.Contains(body, "lettere dalla A alla Z e cifre da 2 a 7") || verdictWords.MatchString(body) {
		t.Errorf("%d %s", page.Code, body)
	}
}

// TestSmallLettersInThePath: the page of a code does not mind capitals.
func TestSmallLettersInThePath(t *testing.T) {
	_, r := newSite(t, newWorld())
	for _, handle := range []string{strings.ToLower(handleValid), "aaaa-AAAA-aaaa-AAAA-aaaa-AAAA-aa"} {
		for _, tail := range []string{"", "/qr.svg"} {
			if answer := ask(r, "GET", "/v/"+handle+tail, nil); answer.Code != 200 {
				t.Errorf("%s%s: %d", handle, tail, answer.Code)
			}
		}
		if page := ask(r, "GET", "/v/"+handle, nil).Body.String(); !strings.Contains(page, "http://127.0.0.1:8080/v/"+handleValid) {
			t.Errorf("%s: the page does not give the address in its one form", handle)
		}
	}
}

// TestFileAndText: of two things neither is judged.
func TestFileAndText(t *testing.T) {
	w := newWorld()
	w.report = func([]byte) (verifier.Report, error) { t.Error("judged"); return verifier.Report{}, nil }
	_, r := newSite(t, w)
	for _, typed := range []string{handleValid, `{"valid":1}`} {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		part, err := m.CreateFormFile("file", "x.jsonld")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(part, "a valid file")
		_ = m.WriteField("text", typed)
		_ = m.Close()
		answer := ask(r, "POST", "/verify", &b, "Content-Type", m.FormDataContentType())
		if page := text(answer.Body.String()); answer.Code != 400 || !strings.Contains(page, "Scegli una cosa sola") || verdictWords.MatchString(page) {
			t.Errorf("%d %s", answer.Code, page)
		}
	}
}

// TestParallelChecks (S1, W9): at most four uploads are judged at once; who
// waits ten seconds is told when to come back, and who leaves waits no more.
func TestParallelChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		release := make(chan struct{})
		var running, most atomic.Int32
		w.report = func(b []byte) (verifier.Report, error) {
			most.Store(max(most.Load(), running.Add(1)))
			<-release
			running.Add(-1)
			return judge(b)
		}
		s, r := newSite(t, w)
		h := &reader{r, "it"}
		answers := make(chan *httptest.ResponseRecorder, 6)
		for n := range judgedAtOnce + 2 {
			go func() {
				request := httptest.NewRequest(http.MethodPost, "/verify?lang=it", strings.NewReader("text="+url.QueryEscape(`{"valid":1}`)))
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				request.RemoteAddr = fmt.Sprintf("198.51.100.%d:1000", n)
				answer := httptest.NewRecorder()
				r.ServeHTTP(answer, request)
				answers <- answer
			}()
		}
		begun := time.Now()
		for range 2 {
			late := <-answers
			if late.Code != 503 || late.Header().Get("Retry-After") != strconv.Itoa(int(judgingWait.Seconds())) || verdictWords.MatchString(text(late.Body.String())) {
				t.Errorf("%d %v %s", late.Code, late.Header(), late.Body)
			}
		}
		if waited := time.Since(begun); waited != judgingWait || most.Load() != judgedAtOnce {
			t.Errorf("%d at once, the others waited %v", most.Load(), waited)
		}
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		gone := httptest.NewRequest(http.MethodPost, "/verify", nil).WithContext(ctx)
		begun = time.Now()
		if err := s.judging.turn(httptest.NewRecorder(), gone, func() error { return nil }); err == nil || time.Since(begun) != time.Second {
			t.Errorf("who left waited %v: %v", time.Since(begun), err)
		}
		close(release)
		for range judgedAtOnce {
			if answer := <-answers; answer.Code != 200 {
				t.Errorf("in time: %d", answer.Code)
			}
		}
		if answer := paste(h, `{"valid":1}`); answer.Code != 200 {
			t.Errorf("afterwards: %d", answer.Code)
		}
	})
}

func FuzzTyped(f *testing.F) {
	for _, seed := range []string{handleValid, "http://127.0.0.1:8080/v/" + handleValid, "SN-11-6963ACBB", "{", "eyJ.a.b", "a b", "\u201c", "127.0.0.1:8080/V/x?", ""} {
		f.Add(seed)
	}
	s, _ := newSite(f, newWorld())
	f.Fuzz(func(t *testing.T, text string) {
		handle, no := s.typedIn(text)
		if handle != "" && (no != nil || presentation.HandleIn(handle) != handle) || handle == "" && no == nil && len(text) <= maxTyped &&
			!strings.Contains(text, "{") && !tokenForm.MatchString(text) {
			t.Fatalf("%q: %q, %v", text, handle, no)
		}
	})
}
