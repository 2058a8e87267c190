package presentation

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf16"
)

// Limits on what is attached to a PDF.
const (
	maxAttached  = 100
	maxTreeNodes = 1000
	maxTreeDepth = 16
)

// document reads the files that are attached to a PDF as a whole (ISO 32000-2
// sections 7.7.4 and 14.13). What its pages show is never looked at: anybody can
// draw anything on a page, above anything.
func (r *reading) document(i Item, data []byte) {
	if len(data) > maxDocument {
		r.problem(i, "pdf_large")
		return
	}
	p, err := openPDF(data)
	var specs []any
	if err == nil {
		specs, err = p.attached()
	}
	if err != nil {
		r.problem(i, pdfCode(err))
		return
	}
	found, unread := false, ""
	seen := map[pdfRef]bool{}
	for _, spec := range specs {
		file, err := p.attachment(spec)
		if file.ref != (pdfRef{}) && seen[file.ref] {
			continue // named in the tree and associated too
		}
		seen[file.ref] = true
		item := Item{Name: inside(i.Name, cleanPath(file.name)), Found: InAttachment, Digest: i.Digest}
		switch {
		case errors.Is(err, errTwofold):
			r.problem(item, "pdf_twofold")
			found = true
		case err != nil:
			unread = pdfCode(err)
		default:
			found = r.attached(item, file.data) || found
		}
	}
	switch {
	case found:
	case unread != "":
		r.problem(i, unread)
	case len(seen) > 0:
		r.problem(i, "pdf_other")
	case p.saysReceipt():
		r.problem(i, "pdf_receipt")
	default:
		r.problem(i, "pdf_none")
	}
}

// receiptMark is the name in the catalog of a receipt of checks. Anybody can
// write it: it picks the words for a file in which there is nothing to check.
const receiptMark = "ATTESTA_Receipt"

func (p *pdfFile) saysReceipt() bool {
	root, err := p.dictOf(p.trailer["Root"])
	_, marked := root[receiptMark]
	return err == nil && marked
}

// attached reads one attachment if it is a credential or a badge picture.
func (r *reading) attached(i Item, data []byte) bool {
	bare := bytes.TrimLeft(data, " \t\r\n")
	switch {
	case bytes.HasPrefix(bare, []byte("{")), token.Match(bytes.TrimSpace(data)):
		if len(data) > maxSealed {
			r.problem(i, "large")
			return true
		}
		i.Sealed = data
		r.unpacked(i)
		return true
	case bytes.HasPrefix(data, []byte(pngSignature)):
		facts, code := readPNG(data)
		if code == "" && facts.statement != nil {
			i.Found = InBadge
			r.unpacked(r.refer(i, string(facts.statement)))
			return true
		}
	case bytes.HasPrefix(bare, []byte("<")) && isSVG(bare):
		if statement, code := readSVG(bare); code == "" {
			i.Found = InBadge
			r.unpacked(r.refer(i, statement))
			return true
		}
	}
	return false
}

func pdfCode(err error) string {
	switch {
	case errors.Is(err, errPDFLocked):
		return "pdf_encrypted"
	case errors.Is(err, errPDFLarge):
		return "pdf_large"
	case errors.Is(err, errPDFFilter):
		return "pdf_filter"
	}
	return "pdf_damaged"
}

// attached lists the file specifications of the document: those of its name
// tree, and those associated with it.
func (p *pdfFile) attached() ([]any, error) {
	root, err := p.dictOf(p.trailer["Root"])
	if err != nil {
		return nil, err
	}
	names, err := p.dictOf(root["Names"])
	if err != nil {
		return nil, err
	}
	walk := &treeWalk{pdfFile: p}
	if err := walk.node(names["EmbeddedFiles"], 0); err != nil {
		return nil, err
	}
	associated, err := p.resolve(root["AF"])
	if err != nil {
		return nil, err
	}
	list, _ := associated.(pdfArray)
	if len(walk.specs)+len(list) > 2*maxAttached {
		return nil, errPDFLarge
	}
	return append(walk.specs, list...), nil
}

// dictOf resolves a dictionary; what is none is empty.
func (p *pdfFile) dictOf(o any) (pdfDict, error) {
	o, err := p.resolve(o)
	if err != nil {
		return nil, err
	}
	switch o := o.(type) {
	case pdfDict:
		return o, nil
	case nil:
		return pdfDict{}, nil
	}
	return nil, errPDF
}

// treeWalk goes through a name tree (section 7.9.6).
type treeWalk struct {
	*pdfFile
	nodes int
	specs []any
}

func (w *treeWalk) node(o any, depth int) error {
	if w.nodes++; w.nodes > maxTreeNodes || depth > maxTreeDepth {
		return errPDFLarge
	}
	dict, err := w.dictOf(o)
	if err != nil {
		return err
	}
	names, err := w.resolve(dict["Names"])
	if err != nil {
		return err
	}
	if list, ok := names.(pdfArray); ok {
		for n := 1; n < len(list); n += 2 {
			w.specs = append(w.specs, list[n])
		}
		if len(w.specs) > maxAttached {
			return errPDFLarge
		}
	}
	kids, err := w.resolve(dict["Kids"])
	if err != nil {
		return err
	}
	list, _ := kids.(pdfArray)
	for _, kid := range list {
		if err := w.node(kid, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// errTwofold says that an attachment is two files, of which readers open one or
// the other.
var errTwofold = errors.New("reading the PDF: an attachment is two files")

// attachment is one attached file.
type attachment struct {
	name string
	data []byte
	ref  pdfRef
}

// attachment reads the file of a specification (section 7.11.3).
func (p *pdfFile) attachment(spec any) (a attachment, err error) {
	dict, err := p.dictOf(spec)
	if err != nil {
		return a, err
	}
	for _, key := range []pdfName{"UF", "F"} {
		name, err := p.resolve(dict[key])
		if s, ok := name.(pdfString); ok && err == nil && a.name == "" {
			a.name = textString(s)
		}
	}
	files, err := p.dictOf(dict["EF"])
	if err != nil {
		return a, err
	}
	for _, key := range []pdfName{"UF", "F", "Unix", "Mac", "DOS"} {
		o, there := files[key]
		if !there {
			continue
		}
		switch ref, ok := o.(pdfRef); {
		case !ok:
			return a, errPDF
		case a.ref == pdfRef{}:
			a.ref = ref
		case a.ref != ref:
			return a, errTwofold
		}
	}
	o, err := p.resolve(a.ref)
	if err != nil {
		return a, err
	}
	s, ok := o.(pdfStream)
	if !ok {
		return a, errPDF
	}
	a.data, err = p.decode(s, maxPicture)
	return a, err
}

// textString reads a text string: UTF-16 or UTF-8 with a mark, else Latin-1 for
// the letters that names of files have (section 7.9.2.2).
func textString(s pdfString) string {
	switch {
	case bytes.HasPrefix(s, []byte("\xFE\xFF")):
		var units []uint16
		for rest := s[2:]; len(rest) >= 2; rest = rest[2:] {
			units = append(units, binary.BigEndian.Uint16(rest))
		}
		return string(utf16.Decode(units))
	case bytes.HasPrefix(s, []byte("\xEF\xBB\xBF")):
		return string(s[3:])
	}
	var out []rune
	for _, c := range s {
		out = append(out, rune(c))
	}
	return string(out)
}
