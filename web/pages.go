package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Page is what every page has: its words, its language and its frame.
type Page struct {
	words
	Lang          string
	Heading       string // also the title of the window; never personal, never a secret
	Demonstration bool
	Inside        bool // a page of the console
	Wide          bool // for a table
	SignedIn      bool
	Changing      bool   // the console can change the status of credentials
	Secret        bool   // the address of the page is a secret, so that it must not be printed
	Style, Icon   string // addresses of the assets
	Menu          []tongue
	Redo          string // key of the words for a menu that leads to the form that this page answers
	query         string // "?lang=en" where the visitor chose a language
	Manifest      string // address of the description as an app; "" where the page is none
	zone          *time.Location
}

// Link is an address of ours that keeps the chosen language.
func (p Page) Link(address string) string {
	if p.query != "" && strings.Contains(address, "?") {
		return address + "&" + p.query[1:]
	}
	return address + p.query
}

// page prepares the frame of a page; key names its heading.
func (s *Site) page(r *http.Request, key string) Page {
	v := visitOf(r)
	p := Page{
		words: s.catalogue[v.language], Lang: v.language,
		Demonstration: s.Demonstration, zone: s.Zone,
		Style: s.assets.address("style.css"), Icon: s.assets.address("icon.svg"),
		Inside: strings.HasPrefix(route(r), "/console"), Changing: s.Acts != nil,
	}
	p.Heading = p.T(key)
	if v.chosen != "" {
		p.query = "?lang=" + v.chosen
	}
	p.Menu, p.Redo = s.catalogue.menu(r, p.Lang)
	return p
}

// switchTo is the address of the same page in another language. It is always
// a path of this site: a path that a browser could take for another host has
// no switch.
func switchTo(u *url.URL, language string) string {
	if !strings.HasPrefix(u.EscapedPath(), "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, `\`) {
		return ""
	}
	q := u.Query()
	q.Set("lang", language)
	return u.EscapedPath() + "?" + q.Encode()
}

// document is a page with the name of its template.
type document interface{ template() string }

func (startPage) template() string    { return "start.html" }
func (verifyPage) template() string   { return "verify.html" }
func (resultPage) template() string   { return "result.html" }
func (holderPage) template() string   { return "holder.html" }
func (compactPage) template() string  { return "compact.html" }
func (signInPage) template() string   { return "sign-in.html" }
func (overviewPage) template() string { return "overview.html" }
func (modulesPage) template() string  { return "modules.html" }
func (recordsPage) template() string  { return "records.html" }
func (errorPage) template() string    { return "error.html" }
func (copyPage) template() string     { return "copy.html" }
func (offlinePage) template() string  { return "offline.html" }

func (statusPage) template() string    { return "status.html" }
func (proposalsPage) template() string { return "proposals.html" }

// documents are all pages there are.
func documents() []document {
	return []document{
		startPage{},
		verifyPage{},
		resultPage{},
		tablePage{},
		unjudgedPage{},
		holderPage{},
		compactPage{},
		signInPage{},
		overviewPage{},
		modulesPage{},
		recordsPage{},
		statusPage{},
		proposalsPage{},
		errorPage{},
		copyPage{},
		offlinePage{},
	}
}

// errorPage says what went wrong and what can be done about it.
type errorPage struct {
	Page
	Name string // of the refusal
	ID   string // of the request, on faults
	Back string // to the page of the holder who asked
}

// startPage is the first page.
type startPage struct{ Page }

func (s *Site) start(w http.ResponseWriter, r *http.Request) error {
	return s.show(w, r, http.StatusOK, startPage{s.page(r, "start.title")})
}

// pageSet holds the parsed templates by the name of their file.
type pageSet map[string]*template.Template

// readPages parses the template of every document with the shared ones, whose
// names begin with an underscore. A template that no document declares, or a
// document without a template, is an error.
func readPages() (pageSet, error) {
	set := pageSet{}
	for _, d := range documents() {
		t, err := readPage(d)
		if err != nil {
			return nil, err
		}
		set[d.template()] = t
	}
	found, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("listing templates: %w", err)
	}
	for _, file := range found {
		if name := path.Base(file); set[name] == nil && !strings.HasPrefix(name, "_") {
			return nil, fmt.Errorf("reading template %s: no page declares it", name)
		}
	}
	return set, nil
}

// readPage parses the template of one document.
func readPage(d document) (*template.Template, error) {
	t, err := template.New("_layout.html").Option("missingkey=error").ParseFS(files, "templates/_*.html", "templates/"+d.template())
	if err != nil {
		return nil, fmt.Errorf("reading template %s: %w", d.template(), err)
	}
	return t, nil
}

// show answers with a page. It is written out only when it is whole.
func (s *Site) show(w http.ResponseWriter, r *http.Request, code int, d document) error {
	var b bytes.Buffer
	b.Grow(16 << 10) // most pages have less
	if err := s.pages[d.template()].Execute(&b, d); err != nil {
		err = fmt.Errorf("filling page %s: %w", d.template(), err)
		if code >= http.StatusBadRequest { // an error page that is broken is not answered by another one
			s.Log.Error("fault", "id", visitOf(r).id, "error", err)
			http.Error(w, http.StatusText(code), code)
			return nil
		}
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", visitOf(r).language)
	h.Add("Vary", "Accept, Accept-Language")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache")
	}
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes()) // the status is sent: nothing is left to answer
	return nil
}

// assetSet holds the assets by their public name, which carries a digest of
// their content. Those that are compressed are unpacked for who takes no gzip.
type assetSet map[string][]byte

// readAssets reads the embedded assets and names them.
func readAssets() (assetSet, error) {
	set := assetSet{}
	entries, err := fs.ReadDir(files, "assets")
	if err != nil {
		return nil, fmt.Errorf("listing assets: %w", err)
	}
	for _, e := range entries {
		data, err := files.ReadFile("assets/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("reading asset %s: %w", e.Name(), err)
		}
		if err := set.pack(e.Name(), data); err != nil {
			return nil, err
		}
	}
	if err := set.readMade(made); err != nil {
		return nil, err
	}
	for _, name := range []string{"style.css", "icon.svg", "camera.js", "many.js"} {
		if set.address(name) == "" {
			return nil, errors.New("reading assets: " + name + " is missing")
		}
	}
	return set, nil
}

// add names an asset.
func (a assetSet) add(name string, data []byte) { a[public(name, data)] = data }

// pack names an asset and keeps it compressed, once for all who ask.
func (a assetSet) pack(name string, data []byte) error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(data)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return fmt.Errorf("packing asset %s: %w", name, err)
	}
	a[public(name, data)] = b.Bytes()
	return nil
}

// public is the name of an asset in addresses.
func public(name string, data []byte) string {
	sum := sha256.Sum256(data)
	base, ext, _ := strings.Cut(name, ".")
	return base + "." + hex.EncodeToString(sum[:6]) + "." + ext
}

// address is where the asset with a file name is found.
func (a assetSet) address(name string) string {
	base, ext, _ := strings.Cut(name, ".")
	for public := range a {
		if strings.HasPrefix(public, base+".") && strings.HasSuffix(public, "."+ext) {
			return "/assets/" + public
		}
	}
	return ""
}
