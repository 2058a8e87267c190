package main

import (
	"bytes"
	"encoding/base64"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"attesta/web/offline"
)

// liveHouse is an installation with its server, which can be stopped and come
// back at the same address, and what was asked of it.
type liveHouse struct {
	t       *testing.T
	app     *app
	dir     string
	address string
	stop    func()
	valid   string // files
	revoked string
	later   string // revoked after the copy
	secrets []string

	mu    sync.Mutex
	asked []string // first lines and bodies of requests
}

func newLiveHouse(t *testing.T) *liveHouse {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &liveHouse{t: t, dir: t.TempDir(), address: listener.Addr().String()}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := copyFixtures(h.dir); err != nil {
		t.Fatal(err)
	}
	attesta(t, h.dir, "import", "--public-url", h.base(), "--provider", "provider_national_school.json", "--catalogue", "catalogue_national_school.json",
		"--learners", "cohort_tot_25.csv")
	class := "learner_id,module_code,edition,completion_date,attendance_percent,result,assessor,evidence_ref\n"
	for _, learner := range []string{"001", "003", "004"} {
		class += "TOT25-" + learner + ",SN-11,SN-11/2026/TOT25,2026-05-29,95,passed,VAL-03,EV-0001\n"
	}
	if err := os.WriteFile(filepath.Join(h.dir, "class.csv"), []byte(class), 0o600); err != nil {
		t.Fatal(err)
	}
	answer, err := output(t, h.dir, "issue", "--completions", "class.csv", "--out", "out", "--json")
	if err != nil {
		t.Fatal(err)
	}
	h.secrets = secretsIn(answer)
	files, err := filepath.Glob(filepath.Join(h.dir, "out", "SN-11-*.jsonld"))
	if err != nil || len(files) != 3 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	h.valid, h.revoked, h.later = files[0], files[1], files[2]
	attesta(t, h.dir, "status", "revoke", h.revoked, "--reason", "issued-in-error")
	attesta(t, h.dir, "trust", "authority", "--id", "https://albo.example.org/accreditati", "--name", "Albo Dimostrativo", "--legal-id", "VATIT-00000000099", "--country", "IT")
	attesta(t, h.dir, "trust", "accredit", "DM:IT-iss-scuola", "--name", "Scuola Dimostrativa", "--register", "Albo", "--number", "7", "--from", "2025-01-01")
	h.reopen()
	t.Cleanup(h.close)
	return h
}

// reopen opens the installation and serves it.
func (h *liveHouse) reopen() {
	h.t.Helper()
	var err error
	h.app, err = open(h.t.Context(), &console{err: h.t.Output(), getenv: func(string) string { return "" }, now: fixedDay}, folder(filepath.Join(h.dir, "attesta-data")), "")
	if err != nil {
		h.t.Fatal(err)
	}
	h.start()
}

// close stops the server and closes the installation.
func (h *liveHouse) close() {
	if h.stop != nil {
		h.stop()
	}
	if err := h.app.Close(); err != nil {
		h.t.Error(err)
	}
}

func (h *liveHouse) base() string { return "http://" + h.address }

func (h *liveHouse) start() {
	h.t.Helper()
	site, err := h.app.site()
	if err != nil {
		h.t.Fatal(err)
	}
	pages := routes(site)
	listener, err := net.Listen("tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		h.mu.Lock()
		h.asked = append(h.asked, r.Method+" "+r.RequestURI+" "+r.Referer()+" "+body.String())
		h.mu.Unlock()
		r.Body = http.NoBody
		pages.ServeHTTP(w, r)
	}))
	_ = server.Listener.Close()
	server.Listener = listener
	server.Start()
	h.stop = func() {
		server.CloseClientConnections()
		server.Close()
		h.stop = nil
	}
}

// seen is what was asked since the last call.
func (h *liveHouse) seen() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	asked := h.asked
	h.asked = nil
	return asked
}

// promised evaluates a script that ends with a promise of a text.
func (b *browser) promised(script string) string {
	b.t.Helper()
	start := func() {
		b.evaluate(`globalThis.promised = undefined; (async () => { ` + script + ` })().then((v) => { globalThis.promised = String(v); }, (e) => { globalThis.promised = "error: " + e; }); ""`)
	}
	start()
	for limit := time.Now().Add(30 * time.Second); time.Now().Before(limit); time.Sleep(50 * time.Millisecond) {
		switch v := b.evaluate(`"promised" in globalThis ? globalThis.promised ?? "\u0000" : "\u0001"`); v {
		case "\u0000":
		case "\u0001": // another page has come in the place of the one that was asked
			start()
		default:
			return v
		}
	}
	b.t.Fatalf("the promise is not kept: %s", script)
	return ""
}

func (b *browser) paste(text string) {
	b.t.Helper()
	b.evaluate(`document.getElementById("text").value = new TextDecoder().decode(Uint8Array.from(atob("` + base64.StdEncoding.EncodeToString([]byte(text)) + `"), (c) => c.charCodeAt(0))); ""`)
	b.do(chromedp.Click(chromedp.CSS("#check button")))
}

// installable opens a page and says what keeps the browser from installing it.
func (b *browser) installable(address string) (problems []string) {
	b.t.Helper()
	b.open(address)
	said, err := chromedp.Call(b.tab, page.GetInstallabilityErrors, cdp.Empty{})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, p := range said.InstallabilityErrors {
		problems = append(problems, p.ErrorID)
	}
	return problems
}

// TestOfflineInBrowser (R1, R4, S7): a device is made ready, the server stops,
// and the page still comes and checks, says how old its data are, and when they
// are too old that it cannot tell. Nothing of what is checked is ever sent.
func TestOfflineInBrowser(t *testing.T) {
	if _, err := offline.Files(); err != nil {
		required(t, "the verifier for browsers: go generate ./web/offline")
	}
	h := newLiveHouse(t)
	b := newBrowser(t)
	b.at(fixedDay().Add(time.Hour))

	// Who only checks with a network loads nothing of this.
	b.open(h.base() + "/verify")
	b.says("main", "Controllare senza rete")
	for _, asked := range h.seen() {
		if regexp.MustCompile(`verifier|check\.|ready|worker|webmanifest|copy\.json|/trust/|/status/`).MatchString(asked) {
			t.Errorf("the page that checks with a network asks for %s", asked)
		}
	}

	// Nothing is kept unasked.
	b.open(h.base() + "/offline")
	b.comes("#age", "non c’è ancora una copia")
	b.says("#device", "MB")
	b.shot("offline-new", 420)
	if kept := b.promised(`return (await caches.keys()).length + (await navigator.serviceWorker.getRegistrations()).length`); kept != "0" {
		t.Errorf("%s things are kept unasked", kept)
	}
	if n := b.count("copy.json"); n != 0 {
		t.Errorf("the copy was fetched %d times unasked", n)
	}
	if problems := b.installable(h.base() + "/offline"); len(problems) > 0 {
		t.Errorf("the page cannot be installed: %s", problems)
	}
	if len(b.installable(h.base()+"/verify")) == 0 {
		t.Error("the control: a page that is no app can be installed")
	}
	b.open(h.base() + "/offline")

	// Made ready, it does without the server.
	b.do(chromedp.Click(chromedp.CSS("#device-keep")))
	b.comes("#device-said", "pronto")
	b.comes("#age", "21 novembre 2026", "ora fa")
	b.comes("#device-keep", "Aggiorna la copia")
	bytesKept := b.promised(`let n = 0; for (const name of await caches.keys()) { const c = await caches.open(name); for (const r of await c.keys()) n += (await (await c.match(r)).arrayBuffer()).byteLength; } return n`)
	for kept := range strings.FieldsSeq(b.promised(`const all = []; for (const name of await caches.keys()) for (const r of await (await caches.open(name)).keys()) all.push(r.url); return all.join(" ")`)) {
		if !regexp.MustCompile(`^` + h.base() + `/(offline(\?lang=[a-z]{2}|/copy\.json)?|assets/[a-z_]+\.[0-9a-f]{12}\.[a-z]+|(status|trust|keys|\.well-known)/[A-Za-z0-9._/-]+)$`).MatchString(kept) {
			t.Errorf("the device keeps %s", kept)
		}
	}
	t.Logf("figures: a ready device keeps %s bytes", bytesKept)
	h.seen()
	h.stop()
	h.checksOffline(b)
	b.open(h.base() + "/verify?lang=en")
	b.comes("h1", "Check without a network")
	b.comes("#age", "21 November 2026 at 10:00")

	// A day later: what held then, and no more.
	b.at(fixedDay().AddDate(0, 0, 3))
	b.open(h.base() + "/offline?lang=en")
	b.comes("#age", "3 days ago")
	b.drop(h.valid)
	b.comes("#answer h1", "Cannot tell")
	b.comes("#answer", "On 21 November 2026 at 10:00 (time in Italy) it was valid", "renew the copy")
	b.shot("offline-old", 420)
	b.drop(h.revoked)
	b.comes("#answer h1", "Not valid", "revoked")
	// A clock that is behind gives no answer: by it an old list would count.
	b.at(fixedDay().AddDate(0, 0, -1))
	b.open(h.base() + "/offline?lang=en")
	b.drop(h.valid)
	b.comes("#busy", "The clock of this device is behind")
	if said := b.evaluate(`document.getElementById("answer").textContent`); said != "" {
		t.Errorf("a clock that is behind gives an answer: %s", said)
	}
	if asked := h.seen(); len(asked) > 0 {
		t.Errorf("a server that is gone was asked: %q", asked)
	}
	b.asksOnly(h.base())
}

// checksOffline checks everything on a device that is ready.
func (h *liveHouse) checksOffline(b *browser) {
	h.t.Helper()
	b.open(h.base() + "/offline")
	b.comes("#age", "21 novembre 2026", "1 ora fa")
	if got := b.promised(`return (await Promise.allSettled(["/verify", "/status/aggregation", "/c/AAAA", "/offline/copy.json"].map((a) => fetch(a)))).map((r) => r.status)`); strings.Contains(got, "fulfilled") {
		h.t.Errorf("the worker answers for what is not its own: %s", got)
	}
	b.drop(h.valid)
	b.comes("#answer h1", "Valido")
	b.comes("#answer", "Formare formatori con metodi partecipativi", "una copia fatta il 21 novembre 2026 alle 10:00", "Se dopo il 21 novembre 2026 alle 10:00")
	b.shot("offline-valid", 420)
	b.drop(h.revoked)
	b.comes("#answer h1", "Non valido", "revocato")
	b.shot("offline-revoked", 420)
	raw, err := os.ReadFile(h.valid)
	if err != nil {
		h.t.Fatal(err)
	}
	b.paste(string(raw))
	b.comes("#answer h1", "Valido")
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"cv.pdf":    {withAttachment(raw), "Valido"},
		"badge.png": {asBadge(h.t, raw), "Valido"},
		"two.zip":   {asArchive(h.t, map[string][]byte{"a.jsonld": raw, "b.jsonld": raw}), "Qui non c’è nulla"},
		"none.pdf":  {[]byte("%PDF-1.4 VALIDO"), "Qui non c’è nulla"},
		"link.txt":  {[]byte("https://altrove.example/v/AAAAAAAAAAAAAAAAAAAAAAAAAA"), "Questo link non porta"},
	} {
		b.evaluate(`document.getElementById("answer").textContent = ""; ""`)
		file := filepath.Join(h.dir, name)
		if err := os.WriteFile(file, c.data, 0o600); err != nil {
			h.t.Fatal(err)
		}
		b.drop(file)
		b.comes("#answer h1", c.says)
	}
	b.paste("HTTPS://ALTROVE.EXAMPLE/V/AAAAAAAAAAAAAAAAAAAAAAAAAA")
	b.comes("#busy", "solo un link", "chiedi alla persona il file")

	// What a camera reads is checked too, and no link is opened.
	scan := func(text string) {
		b.evaluate(`document.getElementById("camera")?.dispatchEvent(new CustomEvent("scanned", { detail: ` + quoted(h.t, text) + `, bubbles: true, cancelable: true })); document.getElementById("camera") || document.dispatchEvent(new CustomEvent("scanned", { detail: ` + quoted(h.t, text) + `, cancelable: true })); ""`)
	}
	scan("https://" + h.address + "/v/AAAAAAAAAAAAAAAAAAAAAAAAAA")
	b.comes("#busy", "solo un link")
	scan("HTTPS://ALTROVE.EXAMPLE/C#" + string(raw))
	b.comes("#answer h1", "Valido")

	// Behind a compact QR, in small letters and in capitals.
	for _, path := range []string{"/c", "/C", "/c?lang=en"} {
		b.open("about:blank")
		b.open(h.base() + path + "#AT1:QVFUVEVTVEE")
		b.comes("#answer h1", map[bool]string{true: "Not valid", false: "Non valido"}[strings.HasSuffix(path, "en")])
		if at := b.evaluate(`location.href`); at != h.base()+path {
			h.t.Errorf("the address still is %s", at)
		}
	}
	b.evaluate(`document.getElementById("answer").textContent = ""; location.hash = "AT1:OTHER"; ""`)
	b.comes("#answer h1", "Not valid")
}

// TestCompactInBrowser (R1, R4, S9): online and on no ready device a compact QR
// is checked in the browser. The server is asked for fixed files and whole
// lists, and never told the data; a new version takes the place of an old one.
func TestCompactInBrowser(t *testing.T) {
	if _, err := offline.Files(); err != nil {
		required(t, "the verifier for browsers: go generate ./web/offline")
	}
	h := newLiveHouse(t)
	b := newBrowser(t)
	b.at(fixedDay().Add(time.Minute))
	raw, err := os.ReadFile(h.later)
	if err != nil {
		t.Fatal(err)
	}
	data := base64.RawURLEncoding.EncodeToString([]byte("Zqx-Canary-1987-02-31"))
	b.open(h.base() + "/c#" + data)
	b.comes("#answer h1", "Non valido")
	if at := b.evaluate(`location.href + history.length`); strings.Contains(at, data) {
		t.Errorf("the address still is %s", at)
	}
	b.shot("compact", 420)
	b.press("nav a[hreflang=en]")
	b.comes("#answer h1", "Not valid")
	if at := b.evaluate(`location.href`); at != h.base()+"/c?lang=en" {
		t.Errorf("the address in another language is %s", at)
	}
	b.open(h.base() + "/c")
	// The link of another site's QR, with a whole credential as its data.
	b.paste(h.base() + "/c#" + string(raw))
	b.comes("#answer h1", "Valido")
	attest := h.seen()
	for _, asked := range attest {
		if strings.Contains(asked, data) || strings.Contains(asked, "#") || strings.Contains(asked, "eyJ") || strings.HasPrefix(asked, "POST") {
			t.Errorf("the server was told: %.200s", asked)
		}
		if !regexp.MustCompile(`^GET (/c(?:\?lang=en)?|/assets/[a-z_]+\.[0-9a-f]{12}\.[a-z]+|/offline/copy\.json|/trust/[a-z-]+\.(json|accreditation)|/trust/[a-z0-9-]+\.accreditation|/status/[A-Za-z0-9_-]+(/revocation|/suspension)?|/app\.webmanifest(?:\?lang=en)?|/app-[0-9]+\.png) `).MatchString(asked) {
			t.Errorf("the server was asked: %.200s", asked)
		}
	}
	if !slices.ContainsFunc(attest, func(a string) bool { return strings.Contains(a, "/status/") }) {
		t.Error("the control: no list was fetched")
	}
	b.asksOnly(h.base())
	b.mu.Lock()
	for _, address := range b.asked {
		if strings.Contains(address, data) && !strings.HasSuffix(address, "/c#"+data) && !strings.HasSuffix(address, "/c?lang=en#"+data) {
			t.Errorf("the browser asked %s", address)
		}
	}
	b.mu.Unlock()

	// Ready, revoked since, and six hours later: the copy renews itself.
	b.do(chromedp.Click(chromedp.CSS("#device-keep")))
	b.comes("#device-said", "pronto")
	before := b.promised(`return (await caches.keys()).filter((n) => n.startsWith("attesta-page")).join()`)
	if _, err := (local{h.app}).SetStatus(t.Context(), statusRequest{IDs: []string{idIn(t, h.later)}, To: "revoked", Reason: "issued-in-error"}, nil); err != nil {
		t.Fatal(err)
	}
	b.open(h.base() + "/offline")
	b.drop(h.later)
	b.comes("#answer h1", "Valido")
	b.at(fixedDay().Add(7 * time.Hour))
	b.open(h.base() + "/offline")
	b.drop(h.later)
	b.comes("#answer h1", "Non valido", "revocato")

	// A new version: the worker keeps that and drops the old one, and the page
	// that opens is the new one.
	h.stop()
	h.app.settings.Demonstration = true
	h.start()
	b.open(h.base() + "/offline")
	b.comes(".demo", "")
	for limit := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		after := b.promised(`return (await caches.keys()).filter((n) => n.startsWith("attesta-page")).join()`)
		if after != before && !strings.Contains(after, ",") && after != "" {
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("the worker keeps %s, as before", after)
		}
	}
	h.stop()
	b.open(h.base() + "/offline")
	b.says(".demo", "dimostra")
	b.drop(h.valid)
	b.comes("#answer h1", "Valido")

	// And it goes away whole.
	b.do(chromedp.Click(chromedp.CSS("#device-drop")))
	b.comes("#device-said", "tolta")
	if kept := b.promised(`return (await caches.keys()).length + (await navigator.serviceWorker.getRegistrations()).length`); kept != "0" {
		t.Errorf("%s things are still kept", kept)
	}
	h.start()
	b.withoutScripts()
	b.open(h.base() + "/c")
	b.says("main", "Questo QR contiene i dati", "Verifica un attestato, con la rete")
	b.shot("compact-without-scripts", 420)
}

func idIn(t *testing.T, file string) string {
	t.Helper()
	id, err := idOf(file)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
