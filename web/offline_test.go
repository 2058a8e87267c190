package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/png"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/go-chi/chi/v5"
)

// withProgram makes a site that has a verifier for browsers, of no use but to be
// handed out.
func withProgram(c *Config) {
	c.Program = map[string][]byte{"check.js": []byte("1"), "wasm_exec.js": []byte("2"), "verifier.bin": []byte("\x1f\x8bpacked")}
	c.Copy = func(context.Context) (DeviceCopy, error) {
		return DeviceCopy{Manifest: []byte(`{"files":[]}`), Bytes: 1_250_000, Trust: map[string][]byte{"own.json": []byte("{}")}}, nil
	}
}

func keeping(t *testing.T, change ...func(*Config)) (*Site, *chi.Mux) {
	t.Helper()
	return newSite(t, newWorld(), append([]func(*Config){withProgram}, change...)...)
}

// TestOfflineHeaders (W11, W12): the page that checks on the device may run the
// verifier and nothing of others, the worker is asked for anew each time, and
// everything has its media type.
func TestOfflineHeaders(t *testing.T) {
	s, r := keeping(t)
	const scripts = "; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; manifest-src 'self'"
	for _, c := range []struct{ path, kind, cache, policy string }{
		{"/offline", "text/html; charset=utf-8", "no-cache", contentPolicy + scripts},
		{"/offline?lang=en", "text/html; charset=utf-8", "no-cache", contentPolicy + scripts},
		{"/c", "text/html; charset=utf-8", "no-cache", contentPolicy + scripts},
		{"/C", "text/html; charset=utf-8", "no-cache", contentPolicy + scripts},
		{"/worker.js", "text/javascript; charset=utf-8", "no-cache", contentPolicy + "; connect-src 'self'"},
		{"/app.webmanifest", "application/manifest+json", "no-cache", contentPolicy},
		{"/app-192.png", "image/png", "public, max-age=86400", contentPolicy},
		{"/app-512.png", "image/png", "public, max-age=86400", contentPolicy},
		{"/offline/copy.json", "application/json", "no-cache", contentPolicy},
		{"/trust/own.json", "application/json", "no-cache", contentPolicy},
		{s.assets.address("verifier.bin"), "application/octet-stream", "public, max-age=31536000, immutable", contentPolicy},
	} {
		w := ask(r, "GET", c.path, nil, "Accept-Encoding", "identity")
		h := w.Header()
		if w.Code != http.StatusOK || h.Get("Content-Type") != c.kind || h.Get("Cache-Control") != c.cache || h.Get("Content-Security-Policy") != c.policy || h.Get("Set-Cookie") != "" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", c.path, w.Code, h)
		}
	}
	packed := ask(r, "GET", s.assets.address("verifier.bin"), nil, "Accept-Encoding", "gzip")
	if packed.Header().Get("Content-Encoding") != "" || !gzipped(packed.Body.Bytes()) {
		t.Error("the verifier is not handed out packed, so that a device would keep it unpacked")
	}
	for _, path := range []string{"/trust/other.json", "/trust/..%2fsettings.json", "/app-99.png", "/worker"} {
		if w := ask(r, "GET", path, nil); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	page := ask(r, "GET", "/offline?lang=en", nil).Body.String()
	for _, want := range []string{`rel="manifest" href="/app.webmanifest?lang=en"`, `data-program="` + s.assets.address("verifier.bin"), "<noscript>", "JavaScript"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if !regexp.MustCompile(`about [1-9]\.[0-9] MB`).MatchString(page) {
		t.Error("the page does not say how much a device keeps")
	}
	if page := ask(r, "GET", "/C", nil).Body.String(); !strings.Contains(page, "Questo QR contiene i dati") || !strings.Contains(page, `href="/verify"`) {
		t.Error("behind a compact QR nothing is said to who has no JavaScript")
	}
}

// TestAppManifest: what browsers ask of an app that is installed (Web
// Application Manifest), in every language.
func TestAppManifest(t *testing.T) {
	_, r := keeping(t)
	for _, lang := range languages {
		var m struct {
			Name, Lang, Display, Scope, ID string
			Start                          string `json:"start_url"`
			Short                          string `json:"short_name"`
			Icons                          []struct{ Src, Sizes, Type, Purpose string }
		}
		if err := json.Unmarshal(ask(r, "GET", "/app.webmanifest?lang="+lang, nil).Body.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		if m.Lang != lang || m.Start != "/offline?lang="+lang || m.ID != "/offline" || m.Display != "standalone" || m.Scope != "/" || m.Short != "attesta" || !strings.HasPrefix(m.Name, "attesta – ") || len(m.Name) < 20 {
			t.Errorf("%+v", m)
		}
		for _, i := range m.Icons {
			if w := ask(r, "GET", i.Src, nil); w.Code != http.StatusOK || w.Header().Get("Content-Type") != i.Type {
				t.Errorf("%s: %d %v", i.Src, w.Code, w.Header())
			}
		}
	}
}

// TestIcon: the picture of the app is the drawing of icon.svg: blue on white,
// with white lines, and nothing where a mask may cut.
func TestIcon(t *testing.T) {
	svg, err := files.ReadFile("assets/icon.svg")
	if err != nil || !bytes.Contains(svg, []byte(`M12 1.5 21 5v6.4c0 5.3-3.7 9.3-9 11.1-5.3-1.8-9-5.8-9-11.1V5z" fill="#06c"`)) || !bytes.Contains(svg, []byte(`M7.5 8.2h9M7.5 11.7h9M7.5 15.2h5" fill="none" stroke="#fff" stroke-width="1.6"`)) {
		t.Fatalf("the drawing is another one: %s %v", svg, err)
	}
	raw, err := drawIcon(192)
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("ATTESTA_SCREENSHOTS"); dir != "" {
		_ = os.WriteFile(dir+"/app-192.png", raw, 0o600)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil || picture.Bounds().Dx() != 192 || picture.Bounds().Dy() != 192 {
		t.Fatal(err)
	}
	at := func(x, y float64) [3]uint32 { // in units of the drawing
		r, g, b, _ := picture.At(int(24+x*6), int(24+y*6)).RGBA()
		return [3]uint32{r >> 8, g >> 8, b >> 8}
	}
	blue, white := [3]uint32{0, 0x66, 0xCC}, [3]uint32{255, 255, 255}
	for _, c := range []struct {
		x, y float64
		want [3]uint32
	}{{12, 4, blue}, {12, 8.2, white}, {9, 15.2, white}, {15.5, 15.2, blue}, {12, 21, blue}, {4, 21, white}, {2, 6, white}, {-3, -3, white}, {12, 10, blue}} {
		if got := at(c.x, c.y); got != c.want {
			t.Errorf("at %v, %v it is %v, want %v", c.x, c.y, got, c.want)
		}
	}
}

// TestWorker (R1, R4, W11): the worker keeps a list of our own addresses, none of
// them about a person or a check, and no script of the page sends or keeps more.
func TestWorker(t *testing.T) {
	s, r := keeping(t)
	script := ask(r, "GET", "/worker.js", nil).Body.String()
	found := regexp.MustCompile(`(?m)^const shell = (.*);$`).FindStringSubmatch(script)
	var shell []string
	if found == nil || json.Unmarshal([]byte(found[1]), &shell) != nil || len(shell) < 8 {
		t.Fatalf("the worker has no list:\n%s", script)
	}
	for _, address := range shell {
		if !strings.HasPrefix(address, "/assets/") && !regexp.MustCompile(`^/offline(\?lang=[a-z]{2})?$`).MatchString(address) {
			t.Errorf("it keeps %s", address)
		}
		if w := ask(r, "GET", address, nil); w.Code != http.StatusOK {
			t.Errorf("%s: %d", address, w.Code)
		}
	}
	for _, name := range []string{"verifier.bin", "wasm_exec.js", "check.js", "ready.js", "camera.js", "style.css"} {
		if !slices.Contains(shell, s.assets.address(name)) {
			t.Errorf("it does not keep %s", name)
		}
	}
	ready, err := files.ReadFile("assets/ready.js")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"worker.js": script, "ready.js": string(ready)} {
		if never := regexp.MustCompile(`https?://[a-z]|\beval\b|new Function|importScripts|localStorage|sessionStorage|document\.cookie|indexedDB|document\.write|innerHTML|sendBeacon|XMLHttpRequest|WebSocket|method:`).FindString(text); never != "" {
			t.Errorf("%s has %q", name, never)
		}
	}

	version := func(change ...func(*Config)) string {
		s, _ := keeping(t, change...)
		return s.version
	}
	if one, other := version(), version(); one != other {
		t.Error("the same contents have two versions")
	}
	for name, change := range map[string]func(*Config){
		"another program": func(c *Config) { c.Program["verifier.bin"] = []byte("\x1f\x8bother") },
		"a demonstration": func(c *Config) { c.Demonstration = true },
	} {
		if version(change) == version() {
			t.Errorf("%s has the same version", name)
		}
	}
}

// TestCameraOffline (R1): what the camera reads on the page that checks on the
// device is handed to that page, and to no server.
func TestCameraOffline(t *testing.T) {
	needsReader(t)
	const link = "https://attesta.example/c#COMPACT"
	p := newPhone(t, film(t, link, 640, 480, 8), withProgram, func(c *Config) {
		c.Program["check.js"] = []byte(`addEventListener("scanned", (e) => { e.preventDefault(); document.getElementById("busy").textContent = e.detail; });`)
	})
	p.do(chromedp.Navigate(p.base+"/offline?lang=en"), chromedp.Click(chromedp.CSS("#camera-start")))
	p.until(`document.getElementById("busy").textContent`, link)
	if at := p.js("location.href"); at != p.base+"/offline?lang=en" || len(p.presents) != 0 {
		t.Errorf("the page is %s, and %q was posted", at, p.presents)
	}
	p.quiet()
}

// TestWithoutProgram: where the verifier for browsers was not built the page says
// so, nothing leads to it, and nothing is there to be kept.
func TestWithoutProgram(t *testing.T) {
	_, bare := newSite(t, newWorld())
	_, whole := keeping(t)
	for _, path := range []string{"/offline", "/c"} {
		w := ask(bare, "GET", path+"?lang=en", nil)
		if page := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(page, "built without") || strings.Contains(page, "<script") || strings.Contains(page, "manifest") || w.Header().Get("Content-Security-Policy") != contentPolicy {
			t.Errorf("%s: %d %v\n%s", path, w.Code, w.Header(), page)
		}
	}
	for _, path := range []string{"/worker.js", "/app.webmanifest", "/app-192.png", "/offline/copy.json", "/trust/own.json"} {
		if w := ask(bare, "GET", path, nil); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	link := `href="/offline?lang=en"`
	if strings.Contains(ask(bare, "GET", "/verify?lang=en", nil).Body.String(), link) || !strings.Contains(ask(whole, "GET", "/verify?lang=en", nil).Body.String(), link) {
		t.Error("the page that checks leads to one that cannot, or not to one that can")
	}
	_, broken := keeping(t, func(c *Config) {
		c.Copy = func(context.Context) (DeviceCopy, error) { return DeviceCopy{}, errors.New("no copy") }
	})
	if w := ask(broken, "GET", "/offline", nil); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "Sono circa") {
		t.Errorf("without a copy: %d", w.Code)
	}
	if w := ask(broken, "GET", "/offline/copy.json", nil); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "no copy") {
		t.Errorf("without a copy: %d %s", w.Code, w.Body)
	}
}
