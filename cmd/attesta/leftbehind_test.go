package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Of this person nothing may be found but in the credential, on the pages that
// show it and in the forms that were sent.
const (
	zqxPeople = "learner_id,given_name,family_name,email,birth_date,codice_fiscale\nZQX-1,Zqxcanaria,Ñanduzqx,zqx@allievi.example.org,1980-01-01,RSSMRA80A01H501U\n"
	zqxClass  = "row_id,learner_id,module_code,edition,completion_date,attendance_percent,result\nP1,ZQX-1,SN-11,SN-11/2026/C,2026-05-29,100,passed\n"
)

var zqxSaid = []string{"zqx", "ñanduzqx", "1980", "80-01-01", "rssmra80", "a01h501u"}

// TestNothingIsLeftBehind (R1, R4) captures everything that a browser asks while
// an employer does all there is to do, and the holder opens the page. No other
// host is asked; no address, referrer, log line or file of the browser says who
// was checked; no cookie is set before somebody signs in.
func TestNothingIsLeftBehind(t *testing.T) {
	demo := startDemo(t)
	check, claim := demo.canary(t)
	handle, token := last(check), last(claim)
	b := newBrowser(t)
	w := &capture{}
	w.listen(t, b)
	file := filepath.Join(t.TempDir(), "x.jsonld")
	sealed := get(t, claim+"/credential.jsonld")
	paper := filepath.Join(t.TempDir(), "x.pdf")
	for name, data := range map[string][]byte{file: sealed, paper: withAttachment(sealed)} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const form, birth = `form[action^="/verify"] button:not([type=button])`, "#birth"

	b.open(demo.base + "/")
	b.open(check)
	b.says("main", "Zqxcanaria Ñanduzqx")
	b.do(chromedp.Click(chromedp.CSS("details summary")))
	b.typeIn(birth, "01.01.1980", "details button")
	b.says("#answer", "corrisponde")
	b.open(demo.employer)
	b.do(chromedp.Click(chromedp.CSS("details summary")), chromedp.SendKeys(chromedp.CSS("#number"), "RSSMRA80A01H501U"))
	b.upload("#file", file, form)
	b.says("#answer", "corrisponde")
	b.open(demo.employer)
	b.upload("#file", paper, form)
	b.says("main", "Zqxcanaria")
	b.open(demo.employer)
	b.typeIn("#text", check, form)
	b.says("h1", "Valido")
	b.open(demo.employer)
	b.typeIn("#text", strings.ToLower(handle)+" Zqxcanaria", form)
	b.open(demo.employer)
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file, paper}))
	b.press(form)
	b.press("button[value=person]")
	b.says("table", "Zqxcanaria")
	b.open(claim)
	b.says("main", "Zqxcanaria")
	b.press("nav a")
	for _, address := range []string{"/metrics", "/healthz", "/robots.txt", "/v/" + handle + "/none", "/c/" + token + "/none", "/none?name=Zqxcanaria"} {
		b.open(demo.base + address)
		if said := b.evaluate("document.body.innerText"); strings.Contains(strings.ToLower(said), "zqx") {
			t.Errorf("%s says %s", address, said)
		}
	}

	seen := w.all()
	for _, told := range seen.responses {
		if strings.Contains(told, "set-cookie") {
			t.Errorf("a cookie was set: %s", told)
		}
	}
	cookies, err := chromedp.Call(b.tab, network.GetCookies, network.GetCookiesParams{})
	if err != nil || len(cookies.Cookies) > 0 {
		t.Errorf("cookies %v: %v", cookies, err)
	}
	if kept := b.evaluate(`JSON.stringify([document.cookie, localStorage, sessionStorage])`); kept != `["",{},{}]` {
		t.Errorf("the browser keeps %s", kept)
	}
	b.asksOnly(demo.base)
	for _, address := range seen.addresses {
		said := strings.ToLower(strings.TrimPrefix(address, demo.base))
		if plain, err := url.QueryUnescape(said); err == nil {
			said += plain
		}
		found := slices.ContainsFunc(zqxSaid, func(canary string) bool { return strings.Contains(said, canary) })
		if found && !strings.HasSuffix(address, "/none?name=Zqxcanaria") { // which this test typed itself
			t.Errorf("the address %s says who was checked", address)
		}
		if _, query, _ := strings.Cut(address, "?"); strings.Contains(query, handle) || strings.Contains(query, token) {
			t.Errorf("a query holds a code: %s", address)
		}
	}
	for _, header := range seen.referrers {
		if strings.Contains(header, token) || !strings.HasPrefix(header, demo.base) {
			t.Errorf("the referrer %s", header)
		}
	}
	log := strings.ToLower(demo.log.String())
	for _, canary := range append([]string{strings.ToLower(handle), strings.ToLower(token)}, zqxSaid...) {
		if strings.Contains(log, canary) {
			t.Errorf("the log holds %s:\n%s", canary, log)
		}
	}

	// The control: the capture sees what there is to see.
	if len(seen.addresses) < 30 || len(seen.referrers) == 0 || !strings.Contains(strings.Join(seen.posted, "\n"), "1980") {
		t.Errorf("the capture saw %d addresses, %d referrers, %d forms", len(seen.addresses), len(seen.referrers), len(seen.posted))
	}
	b.open(demo.provider)
	b.press("main form button")
	if !strings.Contains(strings.Join(w.all().responses, "\n"), "set-cookie") {
		t.Error("the cookie of a sign-in is not seen either")
	}
}

// canary issues a credential to somebody whose name is found nowhere else.
func (d runningDemo) canary(t *testing.T) (check, claim string) {
	t.Helper()
	dir := t.TempDir()
	for _, step := range []struct{ name, text, command, flag string }{
		{"people.csv", zqxPeople, "import", "--learners"}, {"class.csv", zqxClass, "issue", "--completions"},
	} {
		path := filepath.Join(dir, step.name)
		if err := os.WriteFile(path, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{step.command, "--data", d.dir, step.flag, path}
		if step.command == "issue" {
			args = append(args, "--out", filepath.Join(dir, "out"))
		}
		var out lockedBuffer
		if code := run(t.Context(), &console{out: &out, err: &out, getenv: func(string) string { return "" }, now: fixedDay}, args); code != exitDone {
			t.Fatalf("attesta %s: %s", step.command, out.String())
		}
	}
	return addressesIn(t, filepath.Join(dir, "out", "results.csv"))
}

// last is the last part of an address.
func last(address string) string { return address[strings.LastIndex(address, "/")+1:] }

// capture is what went between a browser and the network.
type capture struct {
	mu   sync.Mutex
	seen traffic
}

type traffic struct {
	addresses, referrers, posted []string
	responses                    []string // headers, names in small letters
}

func (w *capture) listen(t *testing.T, b *browser) {
	t.Helper()
	err := chromedp.Listen(b.tab, func(event any) {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			w.seen.addresses = append(w.seen.addresses, e.Request.URL+e.Request.URLFragment)
			for _, part := range e.Request.PostDataEntries {
				w.seen.posted = append(w.seen.posted, string(part.Bytes))
			}
		case *network.EventRequestWillBeSentExtraInfo:
			for name, value := range e.Headers {
				if strings.EqualFold(name, "referer") {
					w.seen.referrers = append(w.seen.referrers, fmt.Sprint(value))
				}
			}
		case *network.EventResponseReceivedExtraInfo:
			for name, value := range e.Headers {
				w.seen.responses = append(w.seen.responses, strings.ToLower(name)+": "+fmt.Sprint(value))
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// all is what was seen so far.
func (w *capture) all() traffic {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}
