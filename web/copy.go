package web

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// Copy is a copy of what an installation published: a static one for any web
// server, or what a device keeps.
type Copy struct {
	PublicURL string    // of the installation
	Made      time.Time // when it was made
	Until     time.Time // until when its status lists count, where they are the last ones; else zero
	Verifier  bool      // it has the verifier for browsers
	Renews    bool      // it is kept by a device, which can fetch another one
}

// copyPage is a page of a static copy. The one at the root checks credentials
// in the browser; those below say what to do.
type copyPage struct {
	Page
	Copy
	Root       string // way to the root of the copy: "" or "../"
	Index      string // the page at the root in this language
	Form       checkForm
	Host       string
	Day, Until string
	Others     []copyPage // the same in the other languages, on the page where all of them stand
}

// CopyPages are the pages of a copy and what they need of ours, by the name of
// their file. The program for browsers is not among them.
func CopyPages(c Copy, zone *time.Location) (map[string][]byte, error) {
	catalogue, err := readCatalogue()
	if err != nil {
		return nil, err
	}
	t, err := readPage(copyPage{})
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(c.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("making the pages of the copy: %w", err)
	}
	pages := map[string][]byte{}
	for _, name := range []string{"style.css", "icon.svg"} {
		if pages["assets/"+name], err = files.ReadFile("assets/" + name); err != nil {
			return nil, fmt.Errorf("making the pages of the copy: %w", err)
		}
	}
	write := func(name, frame string, p copyPage) error {
		var b bytes.Buffer
		if err := t.ExecuteTemplate(&b, frame, p); err != nil {
			return fmt.Errorf("making the page %s: %w", name, err)
		}
		pages[name] = b.Bytes()
		return nil
	}
	below := make([]copyPage, 0, len(languages))
	for _, l := range languages {
		p := catalogue.copyPage(c, l, zone)
		p.Host = address.Host
		if err := write(p.Index, "copy", p.from("")); err != nil {
			return nil, err
		}
		below = append(below, p.from("../"))
	}
	for _, name := range []string{"verify/index.html", "compact/index.html"} { // the second is where a compact QR leads
		if err := write(name, "copy", below[0]); err != nil {
			return nil, err
		}
	}
	below[0].Others = below[1:]
	if err := write("v/index.html", "copy-elsewhere", below[0]); err != nil {
		return nil, err
	}
	return pages, nil
}

// indexOf is the page at the root of a copy in a language.
func indexOf(language string) string {
	if language == languages[0] {
		return "index.html"
	}
	return "index." + language + ".html"
}

// copyPage is the page of a copy in a language.
func (all catalogue) copyPage(c Copy, language string, zone *time.Location) copyPage {
	p := copyPage{Page: Page{words: all[language], Lang: language, zone: zone}, Copy: c, Index: indexOf(language)}
	p.Heading, p.Day = p.T("verify.title"), p.day(c.Made)
	if !c.Until.IsZero() {
		p.Until = p.day(c.Until)
	}
	for _, l := range languages {
		p.Menu = append(p.Menu, tongue{l, all[l].T("lang.name"), indexOf(l), l == language})
	}
	return p
}

// from is the page with its addresses as they are where root leads to the root.
func (p copyPage) from(root string) copyPage {
	p.Root, p.Style, p.Icon = root, root+"assets/style.css", root+"assets/icon.svg"
	p.Form = checkForm{Root: root, Script: root + "assets/check.js", Link: p.T("copy.link")}
	p.Menu = slices.Clone(p.Menu)
	for n := range p.Menu {
		p.Menu[n].Address = root + p.Menu[n].Address
	}
	return p
}
