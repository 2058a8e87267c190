package presentation

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// The names under which an SVG badge carries its credential (Open Badges 2.0
// baking, and 3.0 section 5.3.2).
const (
	badgeSpace2 = "http://openbadges.org"
	badgeSpace3 = "https://purl.imsglobal.org/spec/ob/v3p0"
	badgeShort3 = "https://purl.imsglobal.org/ob/v3p0"
	maxElements = 200_000
	maxNesting  = 256
)

// isSVG tells whether a text of XML looks like a picture.
func isSVG(data []byte) bool {
	return bytes.Contains(data[:min(len(data), 4096)], []byte("<svg"))
}

// svg reads the credential of a badge picture. The picture is not drawn, and
// nothing in it is followed or run.
func (r *reading) svg(i Item, data []byte) {
	statement, code := readSVG(data)
	if code != "" {
		r.problem(i, code)
		return
	}
	i.Found = InBadge
	r.add(r.refer(i, statement))
}

// readSVG finds the one element openbadges:credential or openbadges:assertion,
// and returns its attribute verify or its text. A document type, which could
// declare entities, is refused.
func readSVG(data []byte) (statement, code string) {
	if len(data) > maxPicture {
		return "", "picture_large"
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	found, depth, reading := 0, 0, 0
	var text strings.Builder
	for n := 0; ; n++ {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || n > maxElements || depth > maxNesting {
			return "", "svg_damaged"
		}
		switch t := t.(type) {
		case xml.Directive:
			return "", "svg_doctype"
		case xml.StartElement:
			depth++
			if reading > 0 || !isBadge(t.Name) {
				continue
			}
			if found++; found > 1 {
				return "", "badge_several"
			}
			reading = depth
			for _, a := range t.Attr {
				if a.Name.Space == "" && a.Name.Local == "verify" {
					statement = a.Value
				}
			}
		case xml.EndElement:
			if depth == reading {
				reading = 0
			}
			depth--
		case xml.CharData:
			if reading == depth && reading > 0 {
				text.Write(t)
			}
		}
	}
	if inner := strings.TrimSpace(text.String()); inner != "" {
		if statement != "" && strings.HasPrefix(inner, "{") && token.MatchString(statement) {
			return "", "badge_several" // two credentials, of which viewers may show either
		}
		statement = inner
	}
	switch {
	case found == 0:
		return "", "svg_none"
	case statement == "":
		return "", "badge_form"
	case len(statement) > maxStatement:
		return "", "badge_large"
	}
	return statement, ""
}

func isBadge(n xml.Name) bool {
	known := n.Space == badgeSpace2 || n.Space == badgeSpace3 || n.Space == badgeShort3
	return known && (n.Local == "assertion" || n.Local == "credential")
}
