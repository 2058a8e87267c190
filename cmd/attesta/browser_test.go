package main

import (
	"bytes"
	"context"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestBrowser walks through the pages in a real browser as the four people do
// whom they are for. It asks nothing of any other host (R4). With
// ATTESTA_SCREENSHOTS it writes what it saw into that folder.
func TestBrowser(t *testing.T) {
	demo := startDemo(t)
	b := newBrowser(t)

	// An employer scans the QR.
	b.open(demo.check)
	b.says("h1", "Valido")
	b.says("main", "Formare formatori con metodi partecipativi", "Niccolò D’Angelo", "32 ore", "dimostrativ", "29 maggio 2026")
	b.shot("check-page", 420)
	b.open(demo.check + "?lang=en")
	b.says("h1", "Valid")
	b.says("main", "Training trainers with participatory methods", "demonstration")
	b.shot("check-page-en", 1100)

	// The holder opens the link and downloads the file.
	b.open(demo.holder)
	b.says("main", "Formare formatori con metodi partecipativi")
	b.shot("holder-page", 420)
	file := demo.download(t)

	// She makes a compact QR by a button of its own, and goes back.
	b.press(`form[action*="/compact"] button`)
	b.says("h1", "senza rete")
	b.says("main", "questo QR contiene il tuo nome")
	b.shot("compact-page", 420)
	b.press(`main a[href*="/c/"]`)
	b.says("main", "Formare formatori con metodi partecipativi")

	// The employer uploads it, then a changed copy of it.
	b.open(demo.employer)
	b.shot("verify-page", 420)
	b.upload("input[type=file]", file, "form button")
	b.says("h1", "Valido")
	b.open(demo.employer)
	b.upload("input[type=file]", tampered(t, file), "form button")
	b.says("h1", "Non valido")
	b.shot("tampered-page", 420)
	b.open(demo.employer)
	b.typeIn("textarea", `{"title": "this is not a credential"}`, "form button")
	b.says("h1", "Non valido")

	// A code that was typed wrong is no verdict about anybody.
	b.open(demo.employer)
	b.typeIn("textarea", "SN-11-6963ACBB", "form button")
	b.says("h1", "codice")
	b.open(demo.employer)
	b.typeIn("textarea", strings.ToLower(demo.check[strings.LastIndex(demo.check, "/")+1:]), "form button")
	b.says("h1", "Valido")

	// The provider signs in with the one-time link: opening it is not enough,
	// and it works once (Q4).
	b.open(demo.provider)
	b.open(demo.provider)
	b.press("main form button")
	b.says("h1, main", "125")
	b.shot("console", 1100)
	b.open(demo.base + "/console/records")
	b.says("main", "SN-06", "TLK15-")
	b.shot("console-records", 1100)

	// The provider revokes; the same page says so at once.
	if err := demo.revoke(t, file); err != nil {
		t.Fatal(err)
	}
	b.open(demo.check)
	b.says("h1", "Non valido", "revocato")
	b.shot("revoked-page", 420)

	// What does not exist says what to do.
	b.open(demo.base + "/v/AAAAAAAAAAAAAAAAAAAAAAAAAA")
	b.says("main", "QR")
	b.asksOnly(demo.base)
}

// runningDemo is a demonstration in this process, and what it printed and logged.
type runningDemo struct {
	base, provider, holder, employer, check, dir string

	log *lockedBuffer
}

func startDemo(t *testing.T) runningDemo {
	t.Helper()
	var out lockedBuffer
	d := runningDemo{dir: filepath.Join(t.TempDir(), "demo"), log: &lockedBuffer{}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- demo(ctx, &console{out: &out, err: io.MultiWriter(t.Output(), d.log), getenv: func(string) string { return "" }, now: fixedDay}, folder(d.dir), "127.0.0.1:0")
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the demonstration ended with %v", err)
		}
	})
	for wait := 0; !strings.Contains(out.String(), "ready in"); wait++ {
		if wait > 600 {
			t.Fatalf("the demonstration is not ready:\n%s", out.String())
		}
		time.Sleep(50 * time.Millisecond)
	}
	for name, into := range map[string]*string{"provider": &d.provider, "holder": &d.holder, "employer": &d.employer, "QR target": &d.check} {
		found := regexp.MustCompile(`(?m)^\s+` + name + `\s+(http\S+)$`).FindStringSubmatch(out.String())
		if found == nil {
			t.Fatalf("the demonstration prints no address for %s:\n%s", name, out.String())
		}
		*into = found[1]
	}
	d.base = strings.TrimSuffix(d.employer, "/verify")
	return d
}

func (d runningDemo) download(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "credential.jsonld")
	body := get(t, d.holder+"/credential.jsonld")
	if err := os.WriteFile(name, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func (d runningDemo) revoke(t *testing.T, file string) error {
	t.Helper()
	id, err := idOf(file)
	if err != nil {
		return err
	}
	server, ok := dial(t.Context(), folder(d.dir))
	if !ok {
		t.Fatal("the server does not answer commands")
	}
	_, err = server.SetStatus(t.Context(), statusRequest{IDs: []string{id}, To: "revoked", Reason: "issued-in-error"}, nil)
	return err
}

func tampered(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(data, []byte("D’Angelo"), []byte("D’Angela"), 1)
	name := filepath.Join(t.TempDir(), "changed.jsonld")
	if err := os.WriteFile(name, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// lockedBuffer may be read while a program writes into it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// browser is a real browser with one tab.
type browser struct {
	t     *testing.T
	tab   context.Context //nolint:containedctx // the tab is a context in this library
	mu    sync.Mutex
	asked []string
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		required(t, "a browser: the program chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("accept-lang", "it-IT"), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.UserDataDir(t.TempDir()))
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	tab, stopTab := chromedp.NewContext(allocator)
	t.Cleanup(func() { stopTab(); stopAllocator() })
	b := &browser{t: t, tab: tab}
	// The first call starts the browser, which ends with that call's context.
	if err := chromedp.Do(tab, chromedp.EmulateViewport(420, 900)); err != nil {
		t.Fatal(err)
	}
	err = chromedp.Listen(tab, func(event any) {
		if r, ok := event.(*network.EventRequestWillBeSent); ok {
			b.mu.Lock()
			b.asked = append(b.asked, r.Request.URL)
			b.mu.Unlock()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.tab, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
}

// press clicks and waits for the page that comes.
func (b *browser) press(sel string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.tab, 30*time.Second)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.Click(chromedp.CSS(sel)))); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) upload(sel, file, button string) {
	b.t.Helper()
	b.do(chromedp.SetUploadFiles(chromedp.CSS(sel), []string{file}))
	b.press(button)
}

func (b *browser) typeIn(sel, text, button string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS(sel), text))
	b.press(button)
}

func (b *browser) says(sel string, words ...string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.tab, 30*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(sel)))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			b.t.Errorf("%q does not stand in %s:\n%s", word, sel, text)
		}
	}
}

// shot writes a picture of the first screen into the folder of screenshots.
func (b *browser) shot(name string, width int64) {
	b.t.Helper()
	dir := os.Getenv("ATTESTA_SCREENSHOTS")
	if dir == "" {
		return
	}
	b.do(chromedp.EmulateViewport(width, 900))
	picture, err := chromedp.Run(b.tab, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// asksOnly holds every request of the browser to one host.
func (b *browser) asksOnly(base string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.asked) == 0 {
		b.t.Error("no request was seen")
	}
	for _, address := range b.asked {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "data" && u.Scheme+"://"+u.Host != base {
			b.t.Errorf("the browser asked %s", address)
		}
	}
}
