package trustlist

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"github.com/beevik/etree"
)

// MaxBytes bounds a list. The largest national ones have about 5 MB.
const MaxBytes = 32 << 20

// What a list may consist of. The largest national ones have about a third of
// these elements; the other bounds are far from any.
const (
	maxElements   = 400_000
	maxAttributes = 400_000
	maxPrefixes   = 64
	maxNamespace  = 256
	maxDepth      = 48
)

const byteOrderMark = "\xef\xbb\xbf"

// tree reads XML that is plain: UTF-8, no document type, no entities of its
// own, no instructions, no name twice, within bounds.
func tree(raw []byte) (*etree.Document, error) {
	raw = bytes.TrimPrefix(raw, []byte(byteOrderMark))
	if len(raw) > MaxBytes {
		return nil, fmt.Errorf("reading the list: it is larger than %d bytes", MaxBytes)
	}
	if err := checkPlain(raw); err != nil {
		return nil, fmt.Errorf("reading the list: %w", err)
	}
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{MaxDepth: maxDepth}
	if err := doc.ReadFromBytes(raw); err != nil {
		return nil, fmt.Errorf("reading the list: %w", err)
	}
	return doc, nil
}

// plainness counts what was met in a list.
type plainness struct {
	elements, attributes, depth int
	prefixes                    map[string]bool
	ids                         map[string]bool
}

func checkPlain(raw []byte) error {
	d := xml.NewDecoder(bytes.NewReader(raw))
	seen := plainness{prefixes: map[string]bool{}, ids: map[string]bool{}}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(bytes.TrimSpace(raw)) == 0 {
				return errors.New("it is empty")
			}
			if seen.elements == 0 {
				return errors.New("it is not XML, as trusted lists are")
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.Directive:
			return errors.New("it has a document type, which no trusted list has")
		case xml.ProcInst:
			if t.Target != "xml" || seen.elements > 0 {
				return fmt.Errorf("it has an instruction %.40q, which no trusted list has", t.Target)
			}
		case xml.StartElement:
			if err := seen.start(t); err != nil {
				return err
			}
		case xml.EndElement:
			seen.depth--
		}
	}
}

func (p *plainness) start(e xml.StartElement) error {
	if p.depth == 0 && p.elements > 0 {
		return errors.New("it has two roots")
	}
	p.elements++
	p.depth++
	p.attributes += len(e.Attr)
	if p.elements > maxElements || p.attributes > maxAttributes || p.depth > maxDepth {
		return errors.New("it has more elements, or deeper ones, than any trusted list")
	}
	names := make(map[xml.Name]bool, len(e.Attr))
	for _, a := range e.Attr {
		if names[a.Name] {
			return fmt.Errorf("the attribute %.40q stands twice in one element", a.Name.Local)
		}
		names[a.Name] = true
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			p.prefixes[a.Name.Local] = true
			if len(p.prefixes) > maxPrefixes || len(a.Value) > maxNamespace {
				return errors.New("it declares more names of namespaces, or longer ones, than any trusted list")
			}
		}
		if isID(a.Name) {
			if p.ids[a.Value] {
				return fmt.Errorf("the id %.60q is given twice", a.Value)
			}
			p.ids[a.Value] = true
		}
	}
	return nil
}

const xmlNamespace = "http://www.w3.org/XML/1998/namespace"

// isID tells whether some reader takes an attribute for an id.
func isID(name xml.Name) bool {
	switch name.Local {
	case "Id", "ID", "id":
		return name.Space == "" || name.Space == xmlNamespace
	}
	return false
}

// is tells whether an element has a name in a namespace.
func is(e *etree.Element, space, name string) bool {
	return e.Tag == name && e.NamespaceURI() == space
}

// children are the children of an element with a name in a namespace.
func children(e *etree.Element, space, name string) []*etree.Element {
	var found []*etree.Element
	for _, c := range e.ChildElements() {
		if is(c, space, name) {
			found = append(found, c)
		}
	}
	return found
}

// only is the one child of an element with a name in a namespace.
func only(e *etree.Element, space, name string) (*etree.Element, error) {
	found := children(e, space, name)
	if len(found) != 1 {
		return nil, fmt.Errorf("%s has %d elements %s, one is wanted", e.Tag, len(found), name)
	}
	return found[0], nil
}

// attribute is the value of an attribute without a namespace, "" when absent.
func attribute(e *etree.Element, name string) string {
	for _, a := range e.Attr {
		if a.Space == "" && a.Key == name {
			return a.Value
		}
	}
	return ""
}

func hasAttribute(e *etree.Element, space, name string) bool {
	for _, a := range e.Attr {
		if a.Space == space && a.Key == name {
			return true
		}
	}
	return false
}
