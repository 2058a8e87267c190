package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	devlog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/skip2/go-qrcode"
)

// film writes a video in which a QR stands on light ground, as a camera that a
// browser takes for one.
func film(t *testing.T, content string, width, height, module int) string {
	t.Helper()
	q, err := qrcode.New(content, qrcode.Low)
	if err != nil {
		t.Fatal(err)
	}
	rows := q.Bitmap()
	side := len(rows) * module
	if side > height {
		t.Fatalf("the QR has %d pixels, the film %d", side, height)
	}
	picture := bytes.Repeat([]byte{225}, width*height)
	left, top := (width-side)/2, (height-side)/2
	for y := range side {
		for x := range side {
			if rows[y/module][x/module] {
				picture[(top+y)*width+left+x] = 20
			}
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\n", width, height)
	for range 5 {
		b.WriteString("FRAME\n")
		b.Write(picture)
		b.Write(bytes.Repeat([]byte{128}, width*height/2))
	}
	name := filepath.Join(t.TempDir(), "camera.y4m")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// required skips a test on a machine that lacks something, and fails it where
// nothing may be left out.
func required(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("ATTESTA_REQUIRE_ALL") == "1" {
		t.Fatalf("this test needs %s, and ATTESTA_REQUIRE_ALL=1 forbids to skip it", what)
	}
	t.Skipf("skipped: this test needs %s", what)
}

func needsReader(t *testing.T) {
	t.Helper()
	if s, _ := newSite(t, newWorld()); s.camera().Reader == "" {
		required(t, "the reader of QR codes: go generate ./web")
	}
}

// phone is a browser of the size of a phone.
type phone struct {
	t    *testing.T
	base string
	// The site that it opens.
	world *world
	site  *Site
	log   lockedLog
	tab   context.Context //nolint:containedctx // the tab is a context in this library

	mu       sync.Mutex
	asked    []string
	errors   []string
	presents []string // what was posted
}

// newPhone starts a browser before a site of its own. Its camera shows a film;
// without one it has no permission to use any. change may alter the site.
func newPhone(t *testing.T, film string, change ...func(*Config)) *phone {
	t.Helper()
	return newPhoneBefore(t, film, func(h http.Handler) http.Handler { return h }, change...)
}

// newPhoneBefore does so with something around the site, which may be made
// otherwise.
func newPhoneBefore(t *testing.T, film string, around func(http.Handler) http.Handler, change ...func(*Config)) *phone {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		required(t, "the program chromium")
	}
	p := &phone{t: t, world: carrying(true, numberSaid)}
	server := httptest.NewUnstartedServer(nil)
	p.base = "http://" + server.Listener.Addr().String()
	site, mux := newSite(t, p.world, append(change, func(c *Config) { c.PublicURL, c.Log = p.base, slog.New(slog.NewJSONHandler(&p.log, nil)) })...)
	p.site = site
	r := around(mux)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodPost {
			raw, _ := io.ReadAll(q.Body)
			p.mu.Lock()
			p.presents = append(p.presents, string(raw))
			p.mu.Unlock()
			q.Body = io.NopCloser(bytes.NewReader(raw))
		}
		r.ServeHTTP(w, q)
	})
	server.Start()
	t.Cleanup(server.Close)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("accept-lang", "it-IT"), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.UserDataDir(t.TempDir()))
	if film != "" {
		options = append(options, chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-file-for-fake-video-capture", film))
	} else {
		options = append(options, chromedp.Flag("deny-permission-prompts", true))
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	tab, stopTab := chromedp.NewContext(allocator)
	t.Cleanup(func() { stopTab(); stopAllocator() })
	p.tab = tab
	// The first call starts the browser, which ends with that call's context.
	if err := chromedp.Do(tab, chromedp.EmulateViewport(390, 844)); err != nil {
		t.Fatal(err)
	}
	p.watch()
	return p
}

// watch keeps what the browser asks for and what it complains of.
func (p *phone) watch() {
	err := chromedp.Listen(p.tab, func(event any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			p.asked = append(p.asked, e.Request.URL)
		case *devlog.EventEntryAdded:
			if e.Entry.Source != devlog.EntrySourceNetwork { // a page that answers 400 is one of the answers
				p.errors = append(p.errors, e.Entry.Text)
			}
		}
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, devlog.Enable, cdp.Empty{})
		return err
	}))
}

func (p *phone) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.tab, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// js is the value of an expression, or "" while the page changes.
func (p *phone) js(expression string) string {
	ctx, cancel := context.WithTimeout(p.tab, 10*time.Second)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		return ""
	}
	return value
}

// until waits until an expression holds a text.
func (p *phone) until(expression, want string) {
	p.t.Helper()
	for range 400 {
		if strings.Contains(p.js(expression), want) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.shot("stuck")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.t.Fatalf("%s is not %q; complaints: %q", expression, want, p.errors)
}

func (p *phone) shot(name string) {
	p.t.Helper()
	dir := os.Getenv("ATTESTA_SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(p.tab, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// quiet holds the browser to one host and to no complaint of its policy.
func (p *phone) quiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, address := range p.asked {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "data" && u.Scheme+"://"+u.Host != p.base {
			p.t.Errorf("the browser asked %s", address)
		}
	}
	if len(p.errors) > 0 {
		p.t.Errorf("the browser complains: %q", p.errors)
	}
	p.discreet()
}

func (p *phone) loaded(part string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.asked, func(address string) bool { return strings.Contains(address, part) })
}

const cameraSaid = `document.getElementById("camera-said").textContent`

// TestCamera (Q1, Q3, R4): the page reads a QR with the camera. Ours leads to its
// answer; any other is shown and not followed. Nothing is loaded before it is
// wanted, nothing is asked of others, and all of it goes by keyboard.
func TestCamera(t *testing.T) {
	needsReader(t)
	big := strings.TrimSpace(strings.Repeat("una riga di testo che non è un attestato ", 70))[:2850]
	for _, c := range []struct {
		name, content         string
		width, height, module int
		lands, says           string
	}{
		{"ours", "BASE/v/" + handleValid, 640, 480, 8, "/v/" + handleValid, "Valido"},
		{"foreign", "https://attesta.evil.example/v/" + handleValid, 640, 480, 8, "/verify", "non"},
		{"script", "javascript:alert(document.cookie)", 640, 480, 8, "/verify", "codice"},
		{"data", "data:text/html,<script>alert(1)</script>\u202E{", 640, 480, 8, "/verify", "Non valido"},
		{"big", big, 1280, 720, 3, "/verify", "Non valido"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// The film has to be there before the browser, whose site it may name.
			name := filepath.Join(t.TempDir(), "late.y4m")
			p := newPhone(t, name)
			content := strings.Replace(c.content, "BASE", p.base, 1)
			if err := os.Rename(film(t, content, c.width, c.height, c.module), name); err != nil {
				t.Fatal(err)
			}
			p.do(chromedp.Navigate(p.base + "/verify"))
			p.until(`document.getElementById("camera").hidden`, "false")
			if p.loaded("zxing") {
				t.Error("the reader is loaded before it is wanted")
			}
			p.do(chromedp.Focus(chromedp.CSS("#camera-start")), chromedp.KeyEvent("\r"))
			p.until("document.readyState + location.pathname", "complete"+c.lands)
			p.until(`document.querySelector("h1")?.textContent`, c.says)
			if c.name != "ours" && strings.Contains(p.js("document.body.innerText"), "Esito della verifica\nValido") {
				t.Error("it is called valid")
			}
			p.shot("camera-" + c.name)
			p.quiet()
			p.mu.Lock()
			defer p.mu.Unlock()
			form, err := url.ParseQuery(strings.Join(p.presents, ";"))
			if got := strings.ReplaceAll(form.Get("text"), "\r\n", "\n"); err != nil || got != content {
				t.Errorf("sent %q: %v", p.presents, err)
			}
		})
	}
}

// TestReaderOfThePlatform: where a browser brings a reader, ours is not loaded;
// what neither can read stops nothing.
func TestReaderOfThePlatform(t *testing.T) {
	p := newPhone(t, film(t, "https://attesta.evil.example/", 640, 480, 8))
	const own = `window.BarcodeDetector = class {
		static async getSupportedFormats() { return ["qr_code"]; }
		async detect() { return [{ rawValue: " " }, { rawValue: "` + handleRevoked + `" }]; }
	}`
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: own})
		return err
	}), chromedp.Navigate(p.base+"/verify"))
	p.until(`document.getElementById("camera").hidden`, "false")
	p.do(chromedp.Click(chromedp.CSS("#camera-start")))
	p.until("document.readyState + location.pathname", "complete/v/"+handleRevoked)
	if p.loaded("zxing") {
		t.Error("our reader is loaded all the same")
	}
	p.quiet()
}

// TestCameraStops: the camera is switched off by the button, by Escape and when
// the page is left, which keeps the keyboard where it was.
func TestCameraStops(t *testing.T) {
	needsReader(t)
	empty := filepath.Join(t.TempDir(), "empty.y4m")
	frame := "FRAME\n" + strings.Repeat("\xb4", 640*480) + strings.Repeat("\x80", 640*480/2)
	if err := os.WriteFile(empty, []byte("YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n"+strings.Repeat(frame, 3)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newPhone(t, empty)
	p.do(chromedp.Navigate(p.base + "/verify?lang=en"))
	const live = `(document.getElementById("camera-picture").srcObject?.getTracks() ?? []).map((t) => t.readyState).join()`
	const focus = `document.activeElement.id`
	for way, stop := range map[string]chromedp.Action[chromedp.Void]{
		"button": chromedp.KeyEvent("\r"), "Escape": chromedp.KeyEvent("\u001b"),
	} {
		p.until(`document.getElementById("camera").hidden`, "false")
		p.do(chromedp.Focus(chromedp.CSS("#camera-start")), chromedp.KeyEvent("\r"))
		p.until(cameraSaid, "The camera is on")
		if words := p.js(cameraSaid); !strings.HasPrefix(words, "The camera is on") {
			t.Errorf("it says %s", words)
		}
		if p.js(live) != "live" || p.js(focus) != "camera-stop" {
			t.Errorf("%s: the track is %s, the keyboard at %s", way, p.js(live), p.js(focus))
		}
		p.shot("camera-on")
		p.js(`window.kept = document.getElementById("camera-picture").srcObject`)
		p.do(stop)
		p.until(cameraSaid, "The camera is off")
		if p.js(live) != "" || p.js(`window.kept.getTracks()[0].readyState`) != "ended" || p.js(focus) != "camera-start" {
			t.Errorf("%s: the track is %s, the keyboard at %s", way, p.js(live), p.js(focus))
		}
	}
	// Another tab hides this one.
	p.do(chromedp.Focus(chromedp.CSS("#camera-start")), chromedp.KeyEvent("\r"))
	p.until(cameraSaid, "The camera is on")
	p.js(`Object.defineProperty(document, "hidden", { value: true }) && document.dispatchEvent(new Event("visibilitychange"))`)
	p.until(cameraSaid, "The camera is off")
	p.quiet()
}

// TestNoCamera: without permission, without a reader and without JavaScript the
// page says what to do, and everything else of it works.
func TestNoCamera(t *testing.T) {
	p := newPhone(t, "")
	p.do(chromedp.Navigate(p.base + "/verify?lang=en"))
	p.until(`document.getElementById("camera").hidden`, "false")
	if p.js(`document.getElementById("camera-start").hidden`) == "false" { // built with a reader
		p.do(chromedp.Focus(chromedp.CSS("#camera-start")), chromedp.KeyEvent("\r"))
		p.until(cameraSaid, "does not allow the camera")
	} else {
		p.until(cameraSaid, "no reader of QR codes")
	}
	p.shot("camera-denied")
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}), chromedp.Navigate(p.base+"/verify?lang=en"))
	if visible := p.js(`document.querySelectorAll("#camera, #drop-hint").length + " " + [...document.querySelectorAll("#camera, #drop-hint")].filter((e) => e.getClientRects().length > 0).length`); visible != "2 0" {
		t.Errorf("without JavaScript the camera is offered, or dropping: %s", visible)
	}
	p.shot("verify-without-javascript")

	// The form about the person works without JavaScript too.
	p.do(chromedp.Navigate(p.base + "/v/" + handleValid + "?lang=en"))
	p.shot("person-closed")
	p.do(chromedp.Click(chromedp.CSS("summary")), chromedp.SendKeys(chromedp.CSS("#birth"), otherTyped), chromedp.Click(chromedp.CSS("details button")))
	p.until(`document.querySelector("h1").textContent`, "Not valid for this person")
	p.shot("person-differs")
	p.do(chromedp.SendKeys(chromedp.CSS("#birth"), bornTyped), chromedp.Click(chromedp.CSS("details button")))
	p.until(`document.querySelector("#answer")?.textContent`, "is what the credential says")
	if address := p.js("location.href"); strings.Contains(address, "1987") || strings.Contains(address, "02") && !strings.Contains(p.base, "02") {
		t.Errorf("the address is %s", address)
	}
	p.shot("person-matches")
	p.quiet()
}

// TestMade: what was generated is an asset like others, is sent packed to who
// takes it so and whole to others, and the site does without it.
func TestMade(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte("program"))
	_ = z.Close()
	s, r := newSite(t, newWorld())
	for name := range s.assets {
		if strings.HasPrefix(name, "zxing") {
			delete(s.assets, name)
		}
	}
	if c := s.camera(); c.Reader != "" || c.Program != "" || c.Script == "" {
		t.Errorf("%+v", c)
	}
	form := ask(r, "GET", "/verify", nil)
	if !strings.Contains(form.Body.String(), `data-reader=""`) || strings.Contains(form.Header().Get("Content-Security-Policy"), "wasm") {
		t.Errorf("%v", form.Header())
	}
	made := fstest.MapFS{"generated/README.md": {Data: []byte("x")}, "generated/zxing.wasm.gz": {Data: b.Bytes()}, "generated/zxing.js": {Data: []byte("plain")}}
	if err := s.assets.readMade(made); err != nil {
		t.Fatal(err)
	}
	if s.assets.address("README.md") != "" {
		t.Error("the note is served")
	}
	c := s.camera()
	for accept, packed := range map[string]bool{"": false, "gzip": true, "br, GZIP;q=0.5": true, "gzip;q=0": false, "gzip; q=0.0": false, "identity": false, "deflate, gzip": true} {
		w := ask(r, "GET", c.Program, nil, "Accept-Encoding", accept)
		body := w.Body.Bytes()
		if gzipped(body) != packed || (w.Header().Get("Content-Encoding") == "gzip") != packed || w.Header().Get("Content-Type") != "application/wasm" || !strings.Contains(w.Header().Get("Vary"), "Accept-Encoding") {
			t.Errorf("%q: %v", accept, w.Header())
		}
		if !packed && string(body) != "program" {
			t.Errorf("%q: %q", accept, body)
		}
	}
	if w := ask(r, "GET", c.Reader, nil); w.Body.String() != "plain" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") {
		t.Errorf("%s %v", w.Body, w.Header())
	}
	if w := ask(r, "GET", "/v/"+handleValid, nil); strings.Contains(w.Body.String(), "<script") {
		t.Error("another page has a script")
	}
}
