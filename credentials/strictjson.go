package credentials

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deeply a JSON text may nest.
const maxDepth = 32

var errJSON = errors.New("not strict JSON")

// checkJSON reads data as exactly one JSON object in the strict sense of RFC
// 8259 and RFC 7493 (I-JSON): valid UTF-8, no byte order mark, no name twice
// in one object (nor twice but for the case of its letters), no lone
// surrogate, nothing after the object, no deeper than maxDepth. Readers differ
// in what they make of anything else, and a signature must mean one thing.
func checkJSON(data []byte) error {
	if !utf8.Valid(data) {
		return fmt.Errorf("%w: the text is not valid UTF-8", errJSON)
	}
	w := walker{data: data}
	w.space()
	if w.peek() != '{' {
		return w.fail("an object was expected")
	}
	if err := w.object(1); err != nil {
		return err
	}
	w.space()
	if w.pos != len(data) {
		return w.fail("text follows the object")
	}
	return nil
}

type walker struct {
	data []byte
	pos  int
}

func (w *walker) fail(why string) error {
	return fmt.Errorf("%w: %s at byte %d", errJSON, why, w.pos)
}

func (w *walker) peek() byte {
	if w.pos < len(w.data) {
		return w.data[w.pos]
	}
	return 0
}

func (w *walker) space() {
	for w.pos < len(w.data) {
		switch w.data[w.pos] {
		case ' ', '\t', '\n', '\r':
			w.pos++
		default:
			return
		}
	}
}

func (w *walker) value(depth int) error {
	if depth > maxDepth {
		return w.fail("nesting is too deep")
	}
	switch c := w.peek(); {
	case c == '{':
		return w.object(depth)
	case c == '[':
		return w.array(depth)
	case c == '"':
		_, err := w.text(false)
		return err
	case c == '-' || '0' <= c && c <= '9':
		return w.number()
	default:
		return w.literal()
	}
}

func (w *walker) object(depth int) error {
	w.pos++
	w.space()
	if w.peek() == '}' {
		w.pos++
		return nil
	}
	var few [16]string
	names := few[:0]
	var many map[string]bool
	for {
		w.space()
		if w.peek() != '"' {
			return w.fail("a name was expected")
		}
		name, err := w.text(true)
		if err != nil {
			return err
		}
		folded := strings.ToLower(name)
		if many == nil && len(names) == cap(few[:]) {
			many = make(map[string]bool, 64)
			for _, n := range names {
				many[n] = true
			}
		}
		if many != nil {
			if many[folded] {
				return w.fail("a name stands twice in one object")
			}
			many[folded] = true
		} else {
			for _, n := range names {
				if n == folded {
					return w.fail("a name stands twice in one object")
				}
			}
			names = append(names, folded)
		}
		w.space()
		if w.peek() != ':' {
			return w.fail("a colon was expected")
		}
		w.pos++
		w.space()
		if err := w.value(depth + 1); err != nil {
			return err
		}
		if done, err := w.next('}'); done || err != nil {
			return err
		}
	}
}

func (w *walker) array(depth int) error {
	w.pos++
	w.space()
	if w.peek() == ']' {
		w.pos++
		return nil
	}
	for {
		w.space()
		if err := w.value(depth + 1); err != nil {
			return err
		}
		if done, err := w.next(']'); done || err != nil {
			return err
		}
	}
}

// next steps over a comma or the closing bracket.
func (w *walker) next(closing byte) (done bool, err error) {
	w.space()
	switch w.peek() {
	case ',':
		w.pos++
		return false, nil
	case closing:
		w.pos++
		return true, nil
	}
	return false, w.fail("a comma or a closing bracket was expected")
}

// text steps over a string. Only when asked does it build the value.
func (w *walker) text(wanted bool) (string, error) {
	w.pos++
	start := w.pos
	for w.pos < len(w.data) {
		switch c := w.data[w.pos]; {
		case c == '"':
			s := w.data[start:w.pos]
			w.pos++
			if !wanted {
				return "", nil
			}
			return string(s), nil
		case c == '\\':
			if !wanted {
				if _, err := w.escape(); err != nil {
					return "", err
				}
				continue
			}
			return w.escapedText(start)
		case c < 0x20:
			return "", w.fail("a control character stands in a string")
		default:
			w.pos++
		}
	}
	return "", w.fail("a string is not closed")
}

// escapedText finishes a string whose value is wanted and that holds escapes.
func (w *walker) escapedText(start int) (string, error) {
	b := append([]byte(nil), w.data[start:w.pos]...)
	for w.pos < len(w.data) {
		switch c := w.data[w.pos]; {
		case c == '"':
			w.pos++
			return string(b), nil
		case c == '\\':
			r, err := w.escape()
			if err != nil {
				return "", err
			}
			b = utf8.AppendRune(b, r)
		case c < 0x20:
			return "", w.fail("a control character stands in a string")
		default:
			b = append(b, c)
			w.pos++
		}
	}
	return "", w.fail("a string is not closed")
}

func (w *walker) escape() (rune, error) {
	if w.pos+1 >= len(w.data) {
		return 0, w.fail("an escape is not finished")
	}
	c := w.data[w.pos+1]
	w.pos += 2
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		r, err := w.hex4()
		if err != nil || !utf16.IsSurrogate(r) {
			return r, err
		}
		if w.pos+1 < len(w.data) && w.data[w.pos] == '\\' && w.data[w.pos+1] == 'u' {
			w.pos += 2
			low, err := w.hex4()
			if err != nil {
				return 0, err
			}
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, nil
			}
		}
		return 0, w.fail("half of a surrogate pair stands alone")
	}
	return 0, w.fail("an escape is unknown")
}

func (w *walker) hex4() (rune, error) {
	if w.pos+4 > len(w.data) {
		return 0, w.fail("an escape is not finished")
	}
	var r rune
	for _, c := range w.data[w.pos : w.pos+4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, w.fail("an escape is not hexadecimal")
		}
	}
	w.pos += 4
	return r, nil
}

func (w *walker) number() error {
	if w.peek() == '-' {
		w.pos++
	}
	switch c := w.peek(); {
	case c == '0':
		w.pos++
	case '1' <= c && c <= '9':
		w.digits()
	default:
		return w.fail("a digit was expected")
	}
	if w.peek() == '.' {
		w.pos++
		if w.digits() == 0 {
			return w.fail("a digit was expected")
		}
	}
	if c := w.peek(); c == 'e' || c == 'E' {
		w.pos++
		if c := w.peek(); c == '+' || c == '-' {
			w.pos++
		}
		if w.digits() == 0 {
			return w.fail("a digit was expected")
		}
	}
	return nil
}

func (w *walker) digits() int {
	start := w.pos
	for c := w.peek(); '0' <= c && c <= '9'; c = w.peek() {
		w.pos++
	}
	return w.pos - start
}

func (w *walker) literal() error {
	for _, word := range []string{"true", "false", "null"} {
		if strings.HasPrefix(string(w.data[w.pos:min(len(w.data), w.pos+5)]), word) {
			w.pos += len(word)
			return nil
		}
	}
	return w.fail("a value was expected")
}
