package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"attesta/brief"
	"attesta/web/offline"
)

// at sets the clock of the browser for every page that it opens from now on.
func (b *browser) at(now time.Time) {
	b.t.Helper()
	const clock = `(() => { const D = Date, now = %d; globalThis.Date = class extends D {
		constructor(...a) { if (a.length) super(...a); else super(now); } static now() { return now; } }; })()`
	_, err := chromedp.Call(b.tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: fmt.Sprintf(clock, now.UnixMilli())})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) evaluate(script string) string {
	b.t.Helper()
	value, err := chromedp.Run(b.tab, chromedp.Evaluate[string](script))
	if err != nil {
		b.t.Fatal(err)
	}
	return value
}

// comes waits until an element of the page has words.
func (b *browser) comes(sel string, words ...string) {
	b.t.Helper()
	text := ""
	for limit := time.Now().Add(60 * time.Second); time.Now().Before(limit); time.Sleep(100 * time.Millisecond) {
		text = b.evaluate(`(document.querySelector("` + sel + `") || {innerText: ""}).innerText`)
		missing := false
		for _, word := range words {
			missing = missing || !strings.Contains(text, word)
		}
		if !missing {
			return
		}
	}
	b.t.Errorf("%q does not come in %s:\n%s", words, sel, text)
}

// drop drops a file on the page, as a hand would.
func (b *browser) drop(name string) {
	b.t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		b.t.Fatal(err)
	}
	b.evaluate(`(() => {
		const data = new DataTransfer();
		data.items.add(new File([Uint8Array.from(atob("` + base64.StdEncoding.EncodeToString(raw) + `"), (c) => c.charCodeAt(0))], "x.jsonld"));
		document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
		return "";
	})()`)
}

// TestExportInBrowser opens an export at phone width, from a file server that
// was told nothing, when its installation is gone: chosen, dropped and pasted
// files get their verdicts, and nothing is asked of another host (R4).
func TestExportInBrowser(t *testing.T) {
	if _, err := offline.Files(); err != nil {
		required(t, "the verifier for browsers: go generate ./web/offline")
	}
	s := survive(t)
	s.serve(t, false)
	b := newBrowser(t)
	b.at(fixedDay().Add(time.Hour))

	b.open(s.origin + "/")
	b.says("main", "copia", "21 novembre 2026")
	b.shot("export-page", 420)
	if n := b.count("verifier.bin"); n != 0 {
		t.Errorf("the verifier was loaded %d times before anything was checked", n)
	}
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{s.valid}))
	b.comes("#answer h1", "Valido")
	b.comes("#answer", "Formare formatori con metodi partecipativi", "viene da una copia fatta il 21 novembre 2026", "dimostrativ")
	b.shot("export-valid", 420)
	b.drop(s.broken)
	b.comes("#answer h1", "Non valido")
	b.shot("export-changed", 420)
	b.drop(s.revoked)
	b.comes("#answer h1", "Non valido", "revocato")
	b.drop(s.suspended)
	b.comes("#answer h1", "Non valido", "sospeso")
	raw, err := os.ReadFile(s.valid)
	if err != nil {
		t.Fatal(err)
	}
	b.evaluate(`document.getElementById("text").value = new TextDecoder().decode(Uint8Array.from(atob("` + base64.StdEncoding.EncodeToString(raw) + `"), (c) => c.charCodeAt(0))); ""`)
	b.do(chromedp.Click(chromedp.CSS("#check button")))
	b.comes("#answer h1", "Valido")
	b.evaluate(`document.getElementById("text").value = "` + s.origin + `/v/AAAAAAAAAAAAAAAAAAAAAAAAAA"; ""`)
	b.do(chromedp.Click(chromedp.CSS("#check button")))
	b.comes("#busy", "non si può cercare")

	// A compact QR, its text and the whole address, with the keys of the copy.
	for _, presented := range []string{s.short, brief.Address(s.origin, s.short)} {
		b.evaluate(`document.getElementById("text").value = "` + presented + `"; ""`)
		b.do(chromedp.Click(chromedp.CSS("#check button")))
		b.comes("#answer", "QR compatto", "Formare formatori con metodi partecipativi", "viene da una copia fatta il 21 novembre 2026")
		b.comes("#answer h1", "Valido")
	}
	b.evaluate(`document.getElementById("text").value = "` + s.short[:len(s.short)-30] + `"; ""`)
	b.do(chromedp.Click(chromedp.CSS("#check button")))
	b.comes("#answer h1", "Non valido")
	b.evaluate(`document.getElementById("text").value = "` + s.origin + `/v/AAAAAAAAAAAAAAAAAAAAAAAAAA"; ""`)
	b.do(chromedp.Click(chromedp.CSS("#check button")))
	b.comes("#busy", "non si può cercare")
	b.comes("#answer")
	if n := b.count("verifier.bin"); n != 1 {
		t.Errorf("the verifier was loaded %d times", n)
	}

	// A year later: what held then is said, and no more. Nothing that was revoked
	// comes back.
	b.at(fixedDay().AddDate(1, 0, 0))
	b.open(s.origin + "/index.en.html")
	b.drop(s.valid)
	b.comes("#answer h1", "Cannot tell")
	b.comes("#answer", "On 21 November 2026 it was valid")
	b.shot("export-old", 420)
	b.drop(s.revoked)
	b.comes("#answer h1", "Not valid", "revoked")

	// The address of a QR leads to what to do, from either place in the folder.
	b.open(s.origin + "/v/")
	b.says("main", "file originale", "original file")
	b.shot("export-qr", 420)
	b.open(s.origin + "/compact/#AT1:NOTHING")
	b.comes("#answer h1", "Non valido")
	b.open(s.origin + "/verify/")
	b.drop(s.broken)
	b.comes("#answer h1", "Non valido")
	b.asksOnly(s.origin)

	// Without JavaScript the page says what else there is.
	b.withoutScripts()
	b.open(s.origin + "/")
	b.says("main", "JavaScript", "attesta verify --static")
	b.shot("export-without-scripts", 420)
}

// count is how many requests went to a file of that name.
func (b *browser) count(name string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, address := range b.asked {
		if strings.HasSuffix(address, "/"+name) {
			n++
		}
	}
	return n
}

func (b *browser) withoutScripts() {
	b.t.Helper()
	if _, err := chromedp.Call(b.tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		b.t.Fatal(err)
	}
}
