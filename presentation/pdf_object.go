package presentation

import (
	"bytes"
	"errors"
	"strconv"
)

// The objects of a PDF (ISO 32000-2 section 7.3): nil, bool, float64 for every
// number, and these.
type (
	pdfName   string
	pdfString []byte
	pdfArray  []any
	pdfDict   map[pdfName]any
	pdfRef    struct{ number, generation int }
	pdfStream struct {
		dict pdfDict
		raw  []byte
	}
	pdfWord string // an operator or keyword, such as obj
)

const pdfNesting = 64

// errPDF says that a PDF is not written as it should be.
var errPDF = errors.New("reading the PDF: it is damaged")

// pdfLexer reads objects one after the other.
type pdfLexer struct {
	data   []byte
	at     int
	tokens *int // that may still be read
}

const (
	pdfSpace      = "\x00\t\n\f\r "
	pdfDelimiters = "()<>[]{}/%"
)

// space skips white space and comments.
func (l *pdfLexer) space() {
	for l.at < len(l.data) {
		switch c := l.data[l.at]; {
		case bytes.IndexByte([]byte(pdfSpace), c) >= 0:
			l.at++
		case c == '%':
			for l.at < len(l.data) && l.data[l.at] != '\n' && l.data[l.at] != '\r' {
				l.at++
			}
		default:
			return
		}
	}
}

// regular reads a run of characters that are neither space nor delimiters.
func (l *pdfLexer) regular() string {
	from := l.at
	for l.at < len(l.data) && bytes.IndexByte([]byte(pdfSpace+pdfDelimiters), l.data[l.at]) < 0 {
		l.at++
	}
	return string(l.data[from:l.at])
}

// object reads the next object. A word that is none, such as endobj, is a
// pdfWord.
func (l *pdfLexer) object(depth int) (any, error) {
	l.space()
	*l.tokens--
	if l.at >= len(l.data) || depth > pdfNesting || *l.tokens < 0 {
		return nil, errPDF
	}
	rest := l.data[l.at:]
	switch {
	case rest[0] == '/':
		l.at++
		return l.name()
	case rest[0] == '(':
		return l.literal()
	case bytes.HasPrefix(rest, []byte("<<")):
		l.at += 2
		return l.dict(depth)
	case rest[0] == '<':
		return l.hex()
	case rest[0] == '[':
		l.at++
		return l.array(depth)
	}
	word := l.regular()
	switch word {
	case "":
		return nil, errPDF
	case "null":
		return nil, nil
	case "true", "false":
		return word == "true", nil
	}
	if n, err := strconv.ParseFloat(word, 64); err == nil && len(word) < 32 {
		if ref, ok := l.reference(n); ok {
			return ref, nil
		}
		return n, nil
	}
	return pdfWord(word), nil
}

// reference reads the rest of 12 0 R, or nothing.
func (l *pdfLexer) reference(n float64) (pdfRef, bool) {
	from := l.at
	l.space()
	generation, err := strconv.Atoi(l.regular())
	if err == nil && n == float64(int(n)) && n >= 0 && n < 1e8 && generation >= 0 {
		l.space()
		if l.regular() == "R" {
			return pdfRef{int(n), generation}, true
		}
	}
	l.at = from
	return pdfRef{}, false
}

func (l *pdfLexer) array(depth int) (any, error) {
	all := pdfArray{}
	for {
		l.space()
		if l.at < len(l.data) && l.data[l.at] == ']' {
			l.at++
			return all, nil
		}
		o, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if _, word := o.(pdfWord); word {
			return nil, errPDF
		}
		all = append(all, o)
	}
}

// dict reads a dictionary. A name that stands there twice is refused: readers
// differ in which one counts.
func (l *pdfLexer) dict(depth int) (any, error) {
	all := pdfDict{}
	for {
		l.space()
		if bytes.HasPrefix(l.data[min(l.at, len(l.data)):], []byte(">>")) {
			l.at += 2
			return all, nil
		}
		key, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		name, ok := key.(pdfName)
		if !ok {
			return nil, errPDF
		}
		value, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if _, word := value.(pdfWord); word {
			return nil, errPDF
		}
		if _, twice := all[name]; twice {
			return nil, errPDF
		}
		all[name] = value
	}
}

func (l *pdfLexer) name() (any, error) {
	raw := l.regular()
	var out []byte
	for n := 0; n < len(raw); n++ {
		if raw[n] == '#' && n+2 < len(raw) {
			if v, err := strconv.ParseUint(raw[n+1:n+3], 16, 8); err == nil {
				out = append(out, byte(v))
				n += 2
				continue
			}
		}
		out = append(out, raw[n])
	}
	return pdfName(out), nil
}

// literal reads a string in parentheses (section 7.3.4.2).
func (l *pdfLexer) literal() (any, error) {
	var out []byte
	open := 0
	for ; l.at < len(l.data); l.at++ {
		c := l.data[l.at]
		switch c {
		case '(':
			if open++; open == 1 {
				continue
			}
		case ')':
			if open--; open == 0 {
				l.at++
				return pdfString(out), nil
			}
		case '\\':
			out = l.escape(out)
			continue
		}
		out = append(out, c)
	}
	return nil, errPDF
}

// escape reads what follows a backslash, on which it ends.
func (l *pdfLexer) escape(out []byte) []byte {
	l.at++
	if l.at >= len(l.data) {
		return out
	}
	c := l.data[l.at]
	if n := bytes.IndexByte([]byte("nrtbf"), c); n >= 0 {
		return append(out, "\n\r\t\b\f"[n])
	}
	if c == '\r' && l.at+1 < len(l.data) && l.data[l.at+1] == '\n' {
		l.at++
		return out
	}
	if c == '\r' || c == '\n' {
		return out
	}
	if c < '0' || c > '7' {
		return append(out, c)
	}
	v := 0
	for n := 0; n < 3 && l.at < len(l.data) && l.data[l.at] >= '0' && l.data[l.at] <= '7'; n++ {
		v = v*8 + int(l.data[l.at]-'0')
		l.at++
	}
	l.at--
	return append(out, byte(v))
}

func (l *pdfLexer) hex() (any, error) {
	end := bytes.IndexByte(l.data[l.at:], '>')
	if end < 0 {
		return nil, errPDF
	}
	var digits []byte
	for _, c := range l.data[l.at+1 : l.at+end] {
		if bytes.IndexByte([]byte(pdfSpace), c) < 0 {
			digits = append(digits, c)
		}
	}
	l.at += end + 1
	if len(digits)%2 == 1 {
		digits = append(digits, '0')
	}
	out := make(pdfString, len(digits)/2)
	for n := range out {
		v, err := strconv.ParseUint(string(digits[2*n:2*n+2]), 16, 8)
		if err != nil {
			return nil, errPDF
		}
		out[n] = byte(v)
	}
	return out, nil
}
