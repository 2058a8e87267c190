package web

import (
	"bytes"
	"fmt"
	"net/url"
	"time"
)

// Copy is a static copy of what an installation published, for any web server.
type Copy struct {
	PublicURL string    // of the installation
	Made      time.Time // when it was made
	Until     time.Time // until when its status lists count, where they are the last ones; else zero
	Verifier  bool      // it has the verifier for browsers
}

// copyPage is a page of a static copy. The one at the root checks credentials
// in the browser; those below say what to do.
type copyPage struct {
	Page
	Copy
	Root       string // way to the root of the copy: "" or "../"
	Host       string
	Day, Until string
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
	for _, page := range []struct{ name, frame, language, other, root string }{
		{"index.html", "copy", "it", "index.en.html", ""},
		{"index.en.html", "copy", "en", "index.html", ""},
		{"verify/index.html", "copy", "it", "../index.en.html", "../"},
		{"v/index.html", "copy-elsewhere", "it", "../index.en.html", "../"},
	} {
		p := copyPage{
			Page: Page{words: catalogue[page.language], Lang: page.language, zone: zone, Style: page.root + "assets/style.css", Icon: page.root + "assets/icon.svg"},
			Copy: c, Root: page.root, Host: address.Host,
		}
		p.Heading, p.Day, p.Switch = p.T("verify.title"), p.day(c.Made), page.other
		if p.Other = languages[0]; p.Lang == languages[0] {
			p.Other = languages[1]
		}
		if !c.Until.IsZero() {
			p.Until = p.day(c.Until)
		}
		var b bytes.Buffer
		if err := t.ExecuteTemplate(&b, page.frame, p); err != nil {
			return nil, fmt.Errorf("making the page %s: %w", page.name, err)
		}
		pages[page.name] = b.Bytes()
	}
	return pages, nil
}
