package web

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	browsing "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// keys presses keys one after another.
func (p *phone) keys(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		p.do(chromedp.KeyEvent(key))
	}
}

// tabTo goes with the tab key until it comes to an element.
func (p *phone) tabTo(sel string) {
	p.t.Helper()
	for range 150 {
		if p.js("document.activeElement.matches(`"+sel+"`)") == "true" {
			return
		}
		p.keys("\t")
	}
	p.t.Fatalf("the tab key does not lead to %s", sel)
}

// stop is where the tab key leads.
type stop struct {
	What   string
	Place  int  // in the order of the document
	Marked bool // one sees that it is there
	Inside bool // it is on the screen
}

// stopped describes the element that has the keyboard; its place is -1 where
// none has.
const stopped = `JSON.stringify((() => {
	const e = document.activeElement;
	if (!e || e === document.body || e === document.documentElement) return { place: -1 };
	const style = getComputedStyle(e), box = e.getBoundingClientRect();
	return {
		what: e.tagName.toLowerCase() + " " + (e.id || e.textContent.trim().slice(0, 40)),
		place: [...document.querySelectorAll("*")].indexOf(e),
		marked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
		inside: box.width > 0 && box.height > 0 && box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight,
	};
})())`

// reachable counts what the keyboard should reach, and names it.
const reachable = `JSON.stringify([...document.querySelectorAll("a[href], button, input:not([type=hidden]), textarea, select, summary, [tabindex='0']")]
	.filter((e) => e.checkVisibility() && !e.disabled)
	.filter((e) => e.type !== "radio" || e === document.querySelector("input[type=radio][name='" + e.name + "']"))
	.map((e) => [...document.querySelectorAll("*")].indexOf(e)))`

// tabsThrough goes with the tab key from the top of a page to its end, and says
// what is wrong of this: in the order of the page, everything, seen, and out
// again.
func (p *phone) tabsThrough() (wrong []string) {
	p.t.Helper()
	var want []int
	if err := json.Unmarshal([]byte(p.js(reachable)), &want); err != nil {
		p.t.Fatal(err)
	}
	last, came := -1, map[int]bool{}
	for presses := 0; ; presses++ {
		if presses > 3*len(want)+20 { // a field for a date has several stops
			return append(wrong, "the keyboard does not come out")
		}
		p.keys("\t")
		s := stop{Place: -1}
		if err := json.Unmarshal([]byte(p.js(stopped)), &s); err != nil {
			p.t.Fatal(err)
		}
		if s.Place < 0 || s.Place < last && len(came) >= len(want) { // out at the end, and in again at the top
			break
		}
		if s.Place < last {
			wrong = append(wrong, s.What+" comes out of order")
		}
		if !s.Marked {
			wrong = append(wrong, "nobody sees that the keyboard is at "+s.What)
		}
		if !s.Inside {
			wrong = append(wrong, s.What+" is not on the screen")
		}
		last, came[s.Place] = s.Place, true
	}
	for n, place := range want {
		if !came[place] {
			wrong = append(wrong, fmt.Sprintf("the keyboard does not reach stop %d of %d", n+1, len(want)))
		}
	}
	return wrong
}

// TestKeyboard: every page is gone through with the tab key, and a whole check
// is done with nothing but keys: one credential, the question about the person,
// many, their order and their file.
func TestKeyboard(t *testing.T) {
	p := pager(t)
	folder := p.downloads()
	through := func(name string) {
		t.Helper()
		for _, wrong := range p.tabsThrough() {
			t.Errorf("%s: %s", name, wrong)
		}
	}
	for _, v := range openPages(t) {
		p.do(chromedp.Navigate(p.base + v.in("it")))
		if v.then != nil {
			v.then(p)
		}
		through(v.name)
	}

	// The first stop leads past what stands on every page.
	p.do(chromedp.Navigate(p.base + "/verify?lang=it"))
	p.keys("\t")
	if at := p.js("document.activeElement.className"); at != "skip" {
		t.Errorf("the first stop is %q", at)
	}
	p.keys("\r")
	p.until("document.activeElement.id", "content")
	p.keys("\t")
	if p.js(`document.querySelector("main").contains(document.activeElement)`) != "true" {
		t.Error("the skip link leads past nothing")
	}

	// One credential by its code, and whether it is this person's.
	p.tabTo("#text")
	p.keys(strings.Split(handleValid, "")...)
	p.tabTo(checkButton)
	p.keys("\r")
	p.until("document.readyState + location.pathname", "complete/v/"+handleValid)
	p.tabTo("details summary")
	p.keys("\r")
	p.tabTo("#birth")
	p.keys(append(strings.Split(bornTyped, ""), "\r")...)
	p.until(`document.querySelector("#answer")?.textContent`, "corrisponde")

	// Many: pasted, sorted, saved.
	p.do(chromedp.Navigate(p.base + "/verify?lang=it"))
	p.tabTo("#text")
	p.keys(append(append(strings.Split(handleValid, ""), "\r"), strings.Split(handleRevoked, "")...)...)
	p.tabTo(checkButton)
	p.keys(" ")
	p.until(`document.querySelector("table")?.rows.length`, "3")
	p.tabTo("button[value=verdict]")
	p.keys("\r")
	p.until(`document.querySelector("button[aria-current]")?.value`, "verdict")
	p.tabTo("button[value=csv]")
	p.keys("\r")
	p.saved(folder, "Valido", "Non valido")

	p.signIn()
	for _, v := range consolePages() {
		p.do(chromedp.Navigate(p.base + v.in("it")))
		if v.then != nil {
			v.then(p)
		}
		through(v.name)
	}
	p.do(chromedp.Navigate(p.copied()))
	through("copy")

	// The control: a page that breaks the rules.
	p.do(chromedp.Navigate("data:text/html,<a href='' tabindex=2>second</a><a href='' tabindex=1 style='outline:0'>first</a><a href='' tabindex=-1>never</a>"))
	found := strings.Join(p.tabsThrough(), "\n")
	for _, want := range []string{"out of order", "nobody sees", "does not reach"} {
		if !strings.Contains(found, want) {
			t.Errorf("a page that breaks the rules: no %q in %s", want, found)
		}
	}
}

// TestWithoutScripts: everything but the live camera works in a browser that
// runs no script, and the camera is not offered.
func TestWithoutScripts(t *testing.T) {
	p := pager(t)
	folder := p.downloads()
	ctx, cancel := context.WithTimeout(p.tab, 10*time.Second)
	defer cancel()
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	form := func(language string) {
		p.do(chromedp.Navigate(p.base + "/verify?lang=" + language))
	}
	says := func(expression, want string) {
		t.Helper()
		p.until("document.readyState + ("+expression+")", "complete"+want)
	}
	const heading = `document.querySelector("h1").innerText.replace(/\s+/g, " ").trim()`
	form("it")
	if p.js(`document.getElementById("camera").checkVisibility()`) != "false" {
		t.Error("the camera is offered")
	}
	pasted(p.base + "/v/" + handleValid)(p)
	says(heading, "Valido")

	// The language, on that page.
	press("nav a[hreflang=en]")(p)
	says(heading, "Valid")
	press("nav a[hreflang=it]")(p)
	says(heading, "Valido")

	// Files: one, and several in a table that is sorted and saved.
	form("en")
	chosen(t, upload{"x.jsonld", `{"broken": 1}`})(p)
	says(heading, "Not valid")
	form("it")
	chosen(t, upload{"b.jsonld", `{"a valid": 1}`}, upload{"a.jsonld", `{"broken valid": 1}`}, upload{"c.png", shot(t, p.base+"/v/"+handleUnclear)})(p)
	says(`[...document.querySelectorAll("tbody th")].map((e) => e.innerText).join()`, "b.jsonld,a.jsonld,c.png")
	press("button[value=file]")(p)
	says(`[...document.querySelectorAll("tbody th")].map((e) => e.innerText).join()`, "a.jsonld,b.jsonld,c.png")
	p.do(chromedp.Click(chromedp.CSS("button[value=csv]")))
	p.saved(folder, "b.jsonld", "a.jsonld", "c.png", "Non è possibile dirlo ora")

	// The question about the person, on the page behind the QR and with a file.
	p.do(chromedp.Navigate(p.base + "/v/" + handleValid + "?lang=it"))
	typedAbout(otherTyped)(p)
	says(heading, "Non valido per questa persona")
	form("it")
	p.do(chromedp.Click(chromedp.CSS("details summary")), chromedp.SendKeys(chromedp.CSS("#number"), numberTyped))
	chosen(t, upload{"x.jsonld", `{"a valid": 1}`})(p)
	says(`document.querySelector("#answer").innerText.includes("corrisponde a quello")`, "true")
	p.quiet()
}

// downloads has the browser keep what it downloads in a folder.
func (p *phone) downloads() string {
	p.t.Helper()
	folder := p.t.TempDir()
	ctx, cancel := context.WithTimeout(p.tab, 10*time.Second)
	defer cancel()
	if _, err := chromedp.Call(ctx, browsing.SetDownloadBehavior, browsing.SetDownloadBehaviorParams{Behavior: browsing.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder}); err != nil {
		p.t.Fatal(err)
	}
	return folder
}

// saved waits for a table that was downloaded and looks for words in it, in
// their order.
func (p *phone) saved(folder string, words ...string) {
	p.t.Helper()
	for range 100 {
		names, err := filepath.Glob(filepath.Join(folder, "*.csv"))
		if err != nil {
			p.t.Fatal(err)
		}
		if len(names) == 1 {
			raw, err := os.ReadFile(names[0])
			if err != nil {
				p.t.Fatal(err)
			}
			rest := string(raw)
			for _, word := range words {
				_, after, ok := strings.Cut(rest, word)
				if !ok {
					p.t.Errorf("%q does not come next in %s", word, raw)
				}
				rest = after
			}
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.t.Error("no table was downloaded")
}
