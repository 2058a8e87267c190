package presentation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strings"
	"unicode/utf8"

	"attesta/brief"
)

// Limits on what is read from the files of one reading.
const (
	MaxFiles     = 200      // that somebody presents at once
	MaxBytes     = 50 << 20 // of them all, as they come and unpacked
	MaxEntries   = 1000     // of all archives together, and items of one reading
	maxPicture   = 8 << 20  // bytes of a picture
	maxPixels    = 40e6     // that a picture declares
	maxPlane     = 160 << 20
	maxDocument  = 16 << 20 // bytes of a PDF
	maxStatement = 1 << 20  // bytes of the credential in a badge picture
	maxSealed    = 4 << 20  // bytes of a credential; a verifier reads no more
	maxReference = 8 << 10  // bytes of a text that is looked at for an address
)

// File is one presented file: its bytes and, to be shown only, its name.
type File struct {
	Name string
	Data []byte
}

// Place is where an item was found.
type Place string

// The places.
const (
	InFile       Place = "file"       // the file itself
	InText       Place = "text"       // what was typed or pasted
	InAttachment Place = "attachment" // of a PDF
	InBadge      Place = "badge"      // the text hidden in a badge picture
	InQR         Place = "qr"         // in a picture
)

// Item is one thing that can be judged, or why there is none. Exactly one of
// Sealed, Handle, Address, Text and Problem is set; Sealed may be of no length.
type Item struct {
	// Name is that of the file, and of what it was found in, made harmless to
	// show: no line breaks, control characters or marks of direction.
	Name  string `json:"name,omitempty"`
	Found Place  `json:"found_in"`

	// Digest is the SHA-256, in hexadecimal, of the file that somebody presented or
	// that was in a presented archive, however much was found in it; "" where no
	// file was read.
	Digest string `json:"-"`

	Sealed  []byte   `json:"-"`                 // a credential, for all that is known: a verifier tells
	Handle  string   `json:"handle,omitempty"`  // of a credential of this installation
	Address *Address `json:"address,omitempty"` // that leads elsewhere; it was not opened
	Text    string   `json:"text,omitempty"`    // of a QR that is neither; harmless to show
	Problem *Problem `json:"problem,omitempty"` // why nothing can be judged
}

// Judged tells whether the item is something that a judge can judge.
func (i Item) Judged() bool { return i.Address == nil && i.Text == "" && i.Problem == nil }

// Reader reads presented files. It is safe for concurrent use and decodes one
// picture at a time, whoever presents it, so that its memory has a bound.
type Reader struct {
	own      string        // public address of this installation, "" where there is none
	pictures chan struct{} // has room for the one that is decoded
}

// NewReader returns a reader that takes addresses below own, such as
// https://attestati.example.org, for those of this installation.
func NewReader(own string) *Reader { return &Reader{own, make(chan struct{}, 1)} }

// reading is one call of Read: the items so far and what may still be read.
type reading struct {
	*Reader
	ctx     context.Context //nolint:containedctx // lives as long as the call
	items   []Item
	bytes   int64 // that may still be unpacked, and of PDFs be kept
	entries int   // of archives that may still be opened
}

// Read returns what the files hold, in their order. Each file has at least one
// item. Where the context ends meanwhile, the files that are left have the
// problem late.
func (r *Reader) Read(ctx context.Context, files ...File) []Item {
	return r.Begin(ctx).Read(files...)
}

// Reading is a reading in several steps. The limits hold for all of them
// together. It is not safe for concurrent use.
type Reading struct{ all *reading }

// Begin begins a reading.
func (r *Reader) Begin(ctx context.Context) *Reading {
	return &Reading{&reading{Reader: r, ctx: ctx, bytes: MaxBytes, entries: MaxEntries}}
}

// Read is that of Reader.
func (r *Reading) Read(files ...File) []Item {
	before := len(r.all.items)
	for _, f := range files {
		r.all.file(Item{Name: clean(f.Name, maxName), Found: InFile}, f.Data, false)
	}
	return r.all.items[before:]
}

// ReadText returns what a text holds that was typed or pasted: the text of a
// credential, or where it leads.
func (r *Reader) ReadText(text string) Item {
	return r.refer(Item{Found: InText}, text)
}

// add keeps an item; beyond the bound only that there are more.
func (r *reading) add(i Item) {
	switch {
	case len(r.items) < MaxEntries:
		r.items = append(r.items, i)
	case len(r.items) == MaxEntries:
		r.items = append(r.items, Item{Name: i.Name, Found: i.Found, Problem: &Problem{Code: "many"}})
	}
}

// unpacked keeps an item that was unpacked from a PDF, however small that is,
// as far as there is room for all of them.
func (r *reading) unpacked(i Item) {
	if int64(len(i.Sealed)) > r.bytes {
		i.Sealed = nil
		r.problem(i, "pdf_large")
		return
	}
	r.bytes -= int64(len(i.Sealed))
	r.add(i)
}

func (r *reading) problem(i Item, code string) {
	i.Problem = &Problem{Code: code}
	r.add(i)
}

// token is how a compact token looks (RFC 7515 section 7.1), but for its header.
var token = regexp.MustCompile(`^(e[wy][A-Za-z0-9_-]*)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*(~[A-Za-z0-9_.~-]*)?$`)

// TokenIn is the compact token that a text is, without the white space that mail
// programs and people put between its lines, which none of its parts can have.
// It tells whether the text is one, and no list: a name of a host may look like a
// token, and has no header that is an object.
func TokenIn(text []byte) ([]byte, bool) {
	text = bytes.TrimSpace(text)
	if !bytes.HasPrefix(text, []byte("e")) || len(text) > maxSealed {
		return nil, false
	}
	if lines := bytes.Fields(text); len(lines) > 1 {
		for _, line := range lines[1:] {
			if bytes.ContainsRune(line, '~') && isToken(line) {
				return nil, false
			}
		}
		text = bytes.Join(lines, nil)
		last := text[bytes.LastIndexByte(text, '~')+1:]
		if len(last) > 0 && bytes.Count(last, []byte(".")) != 2 {
			return nil, false
		}
	}
	return text, isToken(text)
}

func isToken(text []byte) bool {
	parts := token.FindSubmatch(text)
	if parts == nil {
		return false
	}
	header, err := base64.RawURLEncoding.DecodeString(string(parts[1]))
	header = bytes.TrimSpace(header)
	return err == nil && bytes.HasPrefix(header, []byte("{")) && bytes.HasSuffix(header, []byte("}"))
}

// file reads one file by what it holds. What is of no known kind is left to the
// verifier, which says that it is no credential.
func (r *reading) file(i Item, data []byte, packed bool) {
	if r.ctx.Err() != nil {
		r.problem(i, "late")
		return
	}
	sum := sha256.Sum256(data)
	i.Digest = hex.EncodeToString(sum[:])
	bare := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF")), " \t\r\n")
	switch {
	case bytes.HasPrefix(data, []byte("%PDF-")):
		r.document(i, data)
	case bytes.HasPrefix(data, []byte(pngSignature)):
		r.png(i, data)
	case zipped(data) && packed && office(data):
		r.problem(i, "office")
	case zipped(data) && packed:
		r.problem(i, "zip_nested")
	case zipped(data):
		r.archive(i, data)
	case picture(data):
		r.photo(i, data)
	case bytes.HasPrefix(bare, []byte("<")) && isSVG(bare):
		r.svg(i, bare)
	default:
		if len(data) > maxSealed {
			r.problem(i, "large")
			return
		}
		i.Sealed = data
		if compact, ok := TokenIn(bare); ok {
			i.Sealed = compact
			r.add(i)
			return
		}
		if len(bare) > 0 && len(bare) <= maxReference && utf8.Valid(bare) && !bytes.HasPrefix(bare, []byte("{")) {
			if found := r.refer(i, string(bare)); found.Text == "" {
				i = found
			}
		}
		r.add(i)
	}
}

// refer reads a text: that of a credential, or one that leads somewhere.
func (r *Reader) refer(i Item, text string) Item {
	text = strings.TrimSpace(text)
	i.Sealed = nil
	if short, ok := brief.In([]byte(text)); ok { // it says all by itself: the address before it is opened by nobody
		i.Sealed = []byte(short)
		return i
	}
	if compact, ok := TokenIn([]byte(text)); ok {
		i.Sealed = compact
		return i
	}
	switch handle, ours := r.ownHandle(text); {
	case strings.HasPrefix(text, "{"):
		i.Sealed = []byte(text)
	case handle != "":
		i.Handle = handle
	case ours:
		i.Address = &Address{Text: clean(text, maxShown), Ours: true}
	default:
		if i.Address = AddressIn(text); i.Address == nil {
			i.Text = clean(text, maxShown)
			if i.Text == "" {
				i.Problem = &Problem{Code: "empty"}
			}
		}
	}
	return i
}
