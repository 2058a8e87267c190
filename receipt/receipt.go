package receipt

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// MaxRows is how many rows a receipt has: a thousand things, and one to say that
// there were more.
const MaxRows = 1001

// Mark is a name in the catalog of every receipt. It says what the file is for, to
// whoever opens it for a credential, and proves nothing.
const Mark = "ATTESTA_Receipt"

// Content is what a receipt says. Every text may hold anything: what cannot be
// drawn is shown as an empty box, and what is longer than 600 letters is cut.
type Content struct {
	Language string // of the words, such as it
	Title    string
	Facts    []Fact
	Summary  string
	Notes    []string // what the receipt proves, and what it does not
	Rows     []Row
	// Page says which page of how many one is.
	Page func(n, of int) string
	// Made is when it is signed. The signature and the file carry this time.
	Made time.Time
}

// Fact is a thing with its name.
type Fact struct{ Name, Value string }

// Tone picks the colour of a verdict, which is never the only sign of it.
type Tone int

// The tones.
const (
	Neutral Tone = iota
	Good
	Bad
	Doubtful
)

// Row is the answer about one thing.
type Row struct {
	Name    string // of the file
	Verdict string
	Tone    Tone
	Reason  string
	Facts   []Fact
}

// Signer signs receipts.
type Signer struct {
	Key   crypto.Signer       // an ECDSA or RSA key
	Chain []*x509.Certificate // of the key, its own certificate first
}

// Make writes a receipt and signs it. It is safe for concurrent use.
func Make(c Content, s Signer) ([]byte, error) {
	if len(c.Rows) > MaxRows {
		return nil, fmt.Errorf("writing a receipt: it has %d rows, at most %d", len(c.Rows), MaxRows)
	}
	if c.Page == nil || c.Made.IsZero() {
		return nil, errors.New("writing a receipt: the words for its pages and its time are required")
	}
	plain, err := write(c)
	if err != nil {
		return nil, fmt.Errorf("writing a receipt: %w", err)
	}
	signed, err := certify(plain, s, c.Made)
	if err != nil {
		return nil, fmt.Errorf("signing a receipt: %w", err)
	}
	return signed, nil
}

const family = "go"

// write draws the pages. The library crashes on some texts; clean keeps those
// from it, and what is found out later than that is an error all the same.
func write(c Content) (pdf []byte, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("drawing the pages: the library crashed")
		}
	}()
	p, err := newPaper()
	if err != nil {
		return nil, err
	}
	f := p.Fpdf
	f.SetProducer("attesta", true)
	f.SetTitle(p.clean(c.Title), true)
	f.SetLang(language(c.Language))
	f.SetCatalogSort(true)
	made := c.Made.UTC()
	f.SetCreationDate(made)
	f.SetModificationDate(made)
	pages := p.lay(c)
	for n, lines := range pages {
		f.AddPage()
		f.SetFont(family, "", 1) // a page begins without a font
		for _, l := range lines {
			l.draw(f)
		}
		footer(p.clean(c.Title), p.clean(c.Page(n+1, len(pages)))).draw(f)
	}
	var b bytes.Buffer
	if err := f.Output(&b); err != nil {
		return nil, fmt.Errorf("drawing the pages: %w", err)
	}
	return b.Bytes(), nil
}

// newPaper is an empty document with its fonts.
func newPaper() (*paper, error) {
	fonts, err := letters()
	if err != nil {
		return nil, err
	}
	f := fpdf.New("P", "pt", "A4", "")
	f.AddUTF8FontFromBytes(family, "", slices.Clone(goregular.TTF))
	f.AddUTF8FontFromBytes(family, "B", slices.Clone(gobold.TTF))
	f.SetAutoPageBreak(false, 0)
	return &paper{Fpdf: f, fonts: fonts}, nil
}

// language is a tag of a language, or nothing.
func language(tag string) string {
	for _, c := range tag {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' {
			return ""
		}
	}
	return tag
}
