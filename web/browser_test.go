package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"attesta/registry"
	"attesta/verifier"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// lockedLog may be read while a site writes into it.
type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// view is a page as somebody comes to it.
type view struct {
	name string
	path string
	then func(p *phone) // what is done on that page; nil for nothing
}

// press presses the button of a form and waits for the page that comes.
func press(sel string) func(p *phone) {
	return func(p *phone) {
		p.t.Helper()
		ctx, cancel := context.WithTimeout(p.tab, 30*time.Second)
		defer cancel()
		if _, err := chromedp.Run(ctx, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.Click(chromedp.CSS(sel)))); err != nil {
			p.t.Fatal(err)
		}
	}
}

const checkButton = "form.panel[action^='/verify'] button:not([type=button])"

// pasted checks a text on the page of the check.
func pasted(text string) func(p *phone) {
	return func(p *phone) {
		p.t.Helper()
		p.do(chromedp.SendKeys(chromedp.CSS("#text"), text))
		press(checkButton)(p)
	}
}

// chosen checks files on the page of the check.
func chosen(t *testing.T, files ...upload) func(p *phone) {
	t.Helper()
	names := written(t, files...)
	return func(p *phone) {
		p.t.Helper()
		p.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), names))
		press(checkButton)(p)
	}
}

// written are the paths of files that are to be chosen.
func written(t *testing.T, files ...upload) (names []string) {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		name := filepath.Join(dir, f.name)
		if err := os.WriteFile(name, []byte(f.data), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// typedAbout asks about the person on the page behind a QR.
func typedAbout(birth string) func(p *phone) {
	return func(p *phone) {
		p.t.Helper()
		p.do(chromedp.Click(chromedp.CSS("details summary")), chromedp.SendKeys(chromedp.CSS("#birth"), birth))
		press("details button")(p)
	}
}

// openPages are the pages for everybody: for employers, for holders, and those
// that say what went wrong.
func openPages(t *testing.T) []view {
	t.Helper()
	return []view{
		{"start", "/", nil},
		{"verify", "/verify", nil},
		{"verify-open", "/verify", func(p *phone) {
			p.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach((d) => { d.open = true; })`))
		}},
		{"valid", "/v/" + handleValid, nil},
		{"valid-another-day", "/v/" + handleValid + "?at=2026-11-01", nil},
		{"not-valid", "/v/" + handleRevoked, nil},
		{"cannot-tell", "/v/" + handleUnclear, nil},
		{"person-matches", "/v/" + handleValid, typedAbout(bornTyped)},
		{"person-differs", "/v/" + handleValid, typedAbout(otherTyped)},
		{"person-unclear", "/v/" + handleValid, typedAbout("31.02.87")},
		{"valid-file", "/verify", chosen(t, upload{"x.jsonld", `{"a valid": 1}`})},
		{"broken-file", "/verify", chosen(t, upload{"x.jsonld", `{"broken": 1}`})},
		{"no-credential", "/verify", pasted("buongiorno")},
		{"code-with-a-slip", "/verify", pasted("SN-11-6963ACBB")},
		{"code-unknown", "/verify", pasted(handleUnknown)},
		{"elsewhere", "/verify", pasted("https://verifica-attestà.example/v/" + handleValid)},
		{"photo-elsewhere", "/verify", chosen(t, upload{"x.png", shot(t, "https://attesta.evil.example/"+strings.Repeat("long/", 30))})},
		{"picture-without-qr", "/verify", chosen(t, upload{"blank.png", blank(t)})},
		{"nothing-presented", "/verify", pasted("")},
		{"table", "/verify", func(p *phone) {
			const long = "un nome di file molto lungo che nessuno avrebbe mai dato di sua volontà a un attestato.jsonld"
			chosen(p.t, append(batchOf(p.t, p.base+"/v/")[:4], upload{long, "{}"})...)(p)
		}},
		{"table-in-groups", "/verify", func(p *phone) {
			p.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), written(p.t, batchOf(p.t, p.base+"/v/")...)), chromedp.Click(chromedp.CSS(checkButton)))
			p.until(`(({value, max}) => value === max)(document.getElementById("many-bar"))`, "true")
			p.js(`document.body.tabIndex = -1, document.body.focus(), document.body.removeAttribute("tabindex")`)
		}},
		{"offline", "/offline", nil},
		{"compact-empty", "/c", nil},
		{"holder", "/c/" + tokenValid, nil},
		{"holder-compact", "/c/" + tokenValid, press(`form[action*="/compact"] button:not([name])`)},
		{"holder-unknown", "/c/nothing", nil},
		{"erased", "/v/" + handleErased, nil},
		{"unknown", "/v/" + handleUnknown, nil},
		{"no-page", "/none", nil},
		{"console-closed", "/console", nil},
		{"sign-in", "/console/sign-in?key=K", nil},
	}
}

// consolePages are those for who is signed in.
func consolePages() []view {
	confirm := "/console/status?credential=" + url.QueryEscape(someID) + "&to=revoke&reason=fraud"
	return []view{
		{"console", "/console", nil},
		{"console-modules", "/console/modules", nil},
		{"console-records", "/console/records", nil},
		{"console-records-filtered", "/console/records?module=SN-11&edition=2026-1", nil},
		{"console-records-none", "/console/records?module=NONE", nil},
		{"console-status", "/console/status?credential=" + url.QueryEscape(someID), nil},
		{"console-confirm", confirm, nil},
		{"console-done", confirm, press("main form.panel button")},
		{"console-proposals", "/console/proposals", nil},
		{"console-proposal", "/console/proposals?number=2", nil},
		{"console-unknown", "/console/status?credential=nothing", nil},
	}
}

// in is the same page in a language.
func (v view) in(language string) string {
	if strings.Contains(v.path, "?") {
		return v.path + "&lang=" + language
	}
	return v.path + "?lang=" + language
}

// pager is a phone before a site with everything that pages show.
func pager(t *testing.T) *phone {
	t.Helper()
	operator := &acts{wants: true, proposals: map[uint64]registry.Proposal{1: aProposal(1), 2: aProposal(2)}}
	receipts, _ := withReceipts(t)
	p := newPhone(t, "", withProgram, receipts, func(c *Config) {
		c.Demonstration, c.Acts = true, operator
		c.Brief = func(context.Context, registry.Record, []byte) (string, error) { return canary, nil }
	})
	judged, asked := p.world.report, 0
	p.world.report = func(b []byte) (verifier.Report, error) {
		r, err := judged(b)
		if asked++; r.Credential != nil { // another one each time, since of each one few things may be asked
			r.Credential.ID = fmt.Sprint("urn:credential:", asked)
		}
		return r, err
	}
	return p
}

// signIn opens the console with a link and its button.
func (p *phone) signIn() {
	p.t.Helper()
	key, err := p.world.Grant(p.t.Context(), registry.SignIn, "Segreteria", time.Hour, now())
	if err != nil {
		p.t.Fatal(err)
	}
	p.do(chromedp.Navigate(p.base + "/console/sign-in?key=" + key))
	press("main form button")(p)
	p.until("location.pathname", "/console")
}

// eachPage opens every page in every language that it has and has it looked at.
func (p *phone) eachPage(look func(name string)) {
	p.t.Helper()
	walk := func(views []view) {
		for _, v := range views {
			for _, language := range spoken(strings.Split(v.path, "?")[0]) {
				p.do(chromedp.Navigate(p.base + v.in(language)))
				if v.then != nil {
					v.then(p)
				}
				look(v.name + "-" + language)
			}
		}
	}
	walk(openPages(p.t))
	p.signIn()
	walk(consolePages())
	copied := p.copied()
	for language, file := range map[string]string{"it": "index.html", "en": "index.en.html"} {
		p.do(chromedp.Navigate(copied + file))
		look("copy-" + language)
	}
	p.do(chromedp.Navigate(copied + "v/"))
	look("copy-qr")
}

// copied serves the pages of a static copy, with their script and without the
// verifier.
func (p *phone) copied() string {
	p.t.Helper()
	pages, err := CopyPages(copied, time.UTC)
	if err != nil {
		p.t.Fatal(err)
	}
	if pages["assets/check.js"], err = os.ReadFile("offline/check.js"); err != nil {
		p.t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" || strings.HasSuffix(name, "/") {
			name += "index.html"
		}
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(pages[name]))
	}))
	p.t.Cleanup(server.Close)
	return server.URL + "/"
}

// TestPagesInABrowser opens every page that employers, holders and providers
// meet, in every language, on a phone and on a desk, and lets axe look for what
// keeps people out (WCAG 2.2 AA and good practice). Nothing is cut off at the
// side, also where it is read four times as large, and no page is longer than
// ten screens of a phone. With ATTESTA_SCREENSHOTS it writes a picture of each
// into that folder.
func TestPagesInABrowser(t *testing.T) {
	p := pager(t)
	script := axeScript(t)
	const cutOff = `Math.max(document.documentElement.scrollWidth - innerWidth,
		...[...document.querySelectorAll(".scroll")].map((e) => e.scrollWidth - e.clientWidth))`
	// A compact QR names skills by their addresses, which are long words.
	const address = `(document.querySelector(".skills li") || {}).textContent = "http://data.europa.eu/esco/skill/60856bbb-e5db-4398-babb-300a24a7fe97"`
	p.eachPage(func(name string) {
		p.js(address)
		for _, width := range []int64{320, 390, 1280} {
			p.do(chromedp.EmulateViewport(width, 844))
			if over := p.js(cutOff); over != "0" && !strings.HasPrefix(over, "-") {
				t.Errorf("%s: %s pixels are cut off at a width of %d", name, over, width)
			}
			if width == 320 {
				continue
			}
			if height, err := strconv.Atoi(p.js("document.documentElement.scrollHeight")); err != nil || height > 10*844 {
				t.Errorf("%s: %d pixels long at a width of %d: %v", name, height, width, err)
			}
			p.whole(fmt.Sprint(name, "-", width))
			for _, v := range p.axe(script) {
				t.Errorf("%s at a width of %d: %s", name, width, v)
			}
		}
	})
	// The controls: what has to be found.
	p.do(chromedp.Navigate("data:text/html,<meta name=viewport content='width=device-width'><div style='width:2000px'>wide</div>"))
	if over := p.js(cutOff); over == "0" {
		t.Error("a page that is wider than the screen is found good")
	}
	if script == "" {
		required(t, "axe-core, and AXE_SCRIPT with the path of its axe.min.js: npm pack axe-core@4.14.1")
	}
	p.do(chromedp.Navigate("data:text/html,<title>x</title><img src='data:,'><input><p style='color:%23bbb'>pale</p><a href='%23' style='font-size:8px'>a</a>"))
	found := strings.Join(p.axe(script), "\n")
	for _, rule := range []string{"image-alt", "label", "color-contrast", "html-has-lang", "region"} {
		if !strings.Contains(found, rule+": ") {
			t.Errorf("axe does not find %s:\n%s", rule, found)
		}
	}
}

// axeScript is the program that looks for what keeps people out, "" where it is
// not at hand.
func axeScript(t *testing.T) string {
	t.Helper()
	name := os.Getenv("AXE_SCRIPT")
	if name == "" {
		return ""
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// axe names what the program finds wrong with the page that is open: the rule,
// how to mend it, and where.
func (p *phone) axe(script string) []string {
	p.t.Helper()
	if script == "" {
		return nil
	}
	const ask = `axe.run(document, {
		runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] },
		rules: { "target-size": { enabled: true } }, resultTypes: ["violations"],
	}).then((found) => JSON.stringify(found.violations.map((v) => v.id + ": " + v.help + "\n" +
		v.nodes.map((n) => "  " + n.target.join(" ") + ": " + n.failureSummary.replace(/\s+/g, " ")).join("\n"))))`
	ctx, cancel := context.WithTimeout(p.tab, 60*time.Second)
	defer cancel()
	answer, err := chromedp.Run(ctx, chromedp.Evaluate[string](script+"\n;"+ask, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	var found []string
	if err := json.Unmarshal([]byte(answer), &found); err != nil {
		p.t.Fatal(err)
	}
	return found
}

// whole writes a picture of the page from top to bottom into the folder of
// screenshots.
func (p *phone) whole(name string) {
	p.t.Helper()
	dir := os.Getenv("ATTESTA_SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(p.tab, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// discreet holds the log to lines that name nobody and no credential (R1).
func (p *phone) discreet() {
	p.t.Helper()
	log := p.log.String()
	for _, secret := range []string{handleValid, handleRevoked, "Angelo", "evil", bornTyped, bornSaid, otherTyped, otherSaid, numberTyped, numberSaid} {
		if strings.Contains(log, secret) {
			p.t.Errorf("the log holds %s:\n%s", secret, log)
		}
	}
	if !strings.Contains(log, `"route":"/`) {
		p.t.Errorf("the log has no lines:\n%s", log)
	}
}
