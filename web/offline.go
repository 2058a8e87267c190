package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"attesta/registry"

	"github.com/go-chi/chi/v5"
)

// DeviceCopy is what a device keeps of an installation, to check without a
// network. It holds nothing that is not published, and nobody's credential.
type DeviceCopy struct {
	// Manifest is JSON of the shape of an export's export.json. Every file that it
	// names is at its path at this server.
	Manifest []byte
	Bytes    int               // of all files that it names
	Trust    map[string][]byte // the files below trust/, by their name there
}

// What the page that checks on the device is made of, beside style and picture.
const (
	checkScript  = "check.js"     // takes what is presented and shows the answer
	checkLoader  = "wasm_exec.js" // starts the verifier
	checkProgram = "verifier.bin" // the verifier
	readyScript  = "ready.js"     // keeps on the device what the others need
	copyAddress  = "/offline/copy.json"
)

// offlinePage checks on the device of the visitor, with or without a network. It
// stands at /offline, and where a compact QR leads.
type offlinePage struct {
	Page
	Form    checkForm
	Action  string // for what has to be asked of the server
	Camera  camera
	Ready   string // address of the script that keeps the copy
	Compact bool   // opened by a compact QR
	Bytes   int    // that a device keeps
}

// checkForm is the form of the pages that check in the browser.
type checkForm struct {
	Root                              string // way to where the files of the copy are
	Manifest, Program, Loader, Script string // from there
	Link                              string // what is said of a link or a code
}

// builtOffline tells whether this program can check on a device.
func (s *Site) builtOffline() bool {
	return s.Copy != nil && s.Program[checkScript] != nil && s.Program[checkLoader] != nil && s.Program[checkProgram] != nil
}

// offlineRoutes are the page that checks on a device, and what it needs there.
func (s *Site) offlineRoutes(r chi.Router) {
	s.get(r, "/offline", s.offline)
	s.get(r, "/c", s.offline) // a compact QR has its data after a #, which no server is told
	s.get(r, "/C", s.offline)
	s.get(r, copyAddress, s.deviceManifest)
	s.get(r, "/trust/{file}", s.trustFile)
	s.get(r, "/worker.js", s.worker)
	s.get(r, "/app.webmanifest", s.appManifest)
	s.get(r, "/app-{size:192|512}.png", s.appIcon)
}

func (s *Site) offline(w http.ResponseWriter, r *http.Request) error {
	p := offlinePage{Page: s.page(r, "offline.title"), Compact: r.URL.Path != "/offline"}
	p.Action = p.Link("/verify")
	if !s.builtOffline() {
		return s.show(w, r, http.StatusOK, p)
	}
	at := s.assets.address
	p.Camera, p.Ready = s.camera(), at(readyScript)
	p.Form = checkForm{Root: "/", Manifest: strings.TrimPrefix(copyAddress, "/"), Program: at(checkProgram), Loader: at(checkLoader), Script: at(checkScript), Link: p.T("offline.link")}
	p.Manifest = p.Link("/app.webmanifest")
	if kept, err := s.Copy(r.Context()); err != nil {
		s.Log.Warn("no copy for devices", "id", visitOf(r).id, "error", err)
	} else {
		p.Bytes = s.shellBytes() + kept.Bytes
	}
	p.Camera.allow(w)
	w.Header().Set("Content-Security-Policy", contentPolicy+"; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; manifest-src 'self'")
	return s.show(w, r, http.StatusOK, p)
}

// Size is how much a device keeps, in megabytes as people write it, or "".
func (p offlinePage) Size() string {
	if p.Bytes == 0 {
		return ""
	}
	size := strconv.FormatFloat(float64(p.Bytes)/1e6, 'f', 1, 64)
	if p.Lang != "en" {
		size = strings.Replace(size, ".", ",", 1)
	}
	return size
}

// shell are the addresses that a device keeps: the page in every language and
// what it loads. The data for checks are kept apart.
func (s *Site) shell() []string {
	all := []string{"/offline"}
	for _, l := range languages {
		all = append(all, "/offline?lang="+l)
	}
	for _, name := range []string{"style.css", "icon.svg", "camera.js", readyScript, checkScript, checkLoader, checkProgram, "zxing.js", "zxing.wasm"} {
		if address := s.assets.address(name); address != "" {
			all = append(all, address)
		}
	}
	return all
}

// shellBytes is about how much the shell is, as it is sent.
func (s *Site) shellBytes() (n int) {
	for _, address := range s.shell() {
		n += len(s.assets[path.Base(address)])
	}
	return n
}

// worker answers with the service worker: what it keeps, by a name that changes
// with it, and the script.
func (s *Site) worker(w http.ResponseWriter, r *http.Request) error {
	if !s.builtOffline() {
		return registry.ErrNotFound
	}
	script, err := files.ReadFile("worker.js")
	if err != nil {
		return fmt.Errorf("reading the worker: %w", err)
	}
	shell, err := json.Marshal(s.shell())
	if err != nil {
		return fmt.Errorf("making the worker: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Content-Security-Policy", contentPolicy+"; connect-src 'self'")
	h.Set("Cache-Control", "no-cache")
	whole := fmt.Sprintf("\"use strict\";\nconst version = %q;\nconst shell = %s;\n%s", s.version, shell, script)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(whole))
	return nil
}

// shellVersion is another one whenever something that a device keeps is.
func (s *Site) shellVersion() (string, error) {
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%q %q %v", s.shell(), s.PublicURL, s.Demonstration) // a hash never fails
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := files.ReadFile(name)
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", name, len(data), data)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("naming what devices keep: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// deviceManifest publishes what a device fetches to check without a network.
func (s *Site) deviceManifest(w http.ResponseWriter, r *http.Request) error {
	kept, err := s.deviceCopy(r)
	if err != nil {
		return err
	}
	return s.handCopy(w, r, "application/json", kept.Manifest)
}

// trustFile publishes a file of the folder of anchors, as an export has it.
func (s *Site) trustFile(w http.ResponseWriter, r *http.Request) error {
	kept, err := s.deviceCopy(r)
	if err != nil {
		return err
	}
	data, ok := kept.Trust[chi.URLParam(r, "file")]
	if !ok {
		return registry.ErrNotFound
	}
	return s.handCopy(w, r, "application/json", data)
}

func (s *Site) deviceCopy(r *http.Request) (DeviceCopy, error) {
	if !s.builtOffline() {
		return DeviceCopy{}, registry.ErrNotFound
	}
	return s.Copy(r.Context())
}

func (s *Site) handCopy(w http.ResponseWriter, r *http.Request, kind string, data []byte) error {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return nil
}

// appManifest says how the page is installed as an app of its own
// (Web Application Manifest).
func (s *Site) appManifest(w http.ResponseWriter, r *http.Request) error {
	if !s.builtOffline() {
		return registry.ErrNotFound
	}
	type icon struct {
		Source  string `json:"src"`
		Sizes   string `json:"sizes"`
		Type    string `json:"type"`
		Purpose string `json:"purpose"`
	}
	p := s.page(r, "offline.title")
	raw, err := json.Marshal(struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		ShortName   string `json:"short_name"`
		Description string `json:"description"`
		Lang        string `json:"lang"`
		Start       string `json:"start_url"`
		Scope       string `json:"scope"`
		Display     string `json:"display"`
		Theme       string `json:"theme_color"`
		Background  string `json:"background_color"`
		Icons       []icon `json:"icons"`
	}{
		"/offline", "attesta – " + p.Heading, "attesta", p.T("offline.app"), p.Lang, p.Link("/offline"), "/", "standalone", "#0066cc", "#ffffff",
		[]icon{
			{s.assets.address("icon.svg"), "any", "image/svg+xml", "any"},
			{"/app-192.png", "192x192", "image/png", "any"},
			{"/app-512.png", "512x512", "image/png", "any"},
			{"/app-512.png", "512x512", "image/png", "maskable"},
		},
	})
	if err != nil {
		return fmt.Errorf("describing the app: %w", err)
	}
	w.Header().Add("Vary", "Accept-Language")
	return s.handCopy(w, r, "application/manifest+json", raw)
}

// appIconSizes are the sizes in pixels that browsers ask of an app.
func appIconSizes() []int { return []int{192, 512} }

// appIcon is the picture of the installed app.
func (s *Site) appIcon(w http.ResponseWriter, r *http.Request) error {
	size, err := strconv.Atoi(chi.URLParam(r, "size"))
	at := slices.Index(appIconSizes(), size)
	if err != nil || at < 0 || !s.builtOffline() {
		return registry.ErrNotFound
	}
	picture, err := s.icons[at]()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(picture))
	return nil
}
