package credentials

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deeply a JSON text may nest, maxValues how many values it
// may hold (small ones take far more room in memory than in the text), and
// maxName how many bytes a member's name may have.
const (
	maxDepth  = 32
	maxValues = 50_000
	maxName   = 128
)

var errJSON = errors.New("not strict JSON")

// readJSON reads data as exactly one JSON object in the strict sense of RFC
// 8259 and RFC 7493 (I-JSON): valid UTF-8, no byte order mark, no name twice
// in one object (nor twice but for the case of its letters), no lone
// surrogate, no number that a reader would round, nothing after the object, within
// maxDepth and maxValues. Readers differ in what they make of anything else, and a
// signature must mean one thing. Numbers stay as written, as json.Number.
func readJSON(data []byte) (node, error) {
	return (&walker{data: string(data)}).whole()
}

// readClaims is readJSON for claims of which the reader bounds the numbers.
func readClaims(data []byte) (node, error) {
	return (&walker{data: string(data), anySize: true}).whole()
}

func (w *walker) whole() (node, error) {
	if !utf8.ValidString(w.data) {
		return node{}, fmt.Errorf("%w: the text is not valid UTF-8", errJSON)
	}
	w.space()
	if w.peek() != '{' {
		return node{}, w.fail("an object was expected")
	}
	v, err := w.object(1)
	if err != nil {
		return node{}, err
	}
	w.space()
	if w.pos != len(w.data) {
		return node{}, w.fail("text follows the object")
	}
	return node{v}, nil
}

// walker reads from a string, of which the texts without an escape are parts.
type walker struct {
	data   string
	pos    int
	values int
	// anySize lets numbers stand that a reader would round, not those that are none.
	anySize bool
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

func (w *walker) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, w.fail("nesting is too deep")
	}
	if w.values++; w.values > maxValues {
		return nil, w.fail("there are too many values")
	}
	switch c := w.peek(); {
	case c == '{':
		return w.object(depth)
	case c == '[':
		return w.array(depth)
	case c == '"':
		return w.text()
	case c == '-' || '0' <= c && c <= '9':
		return w.number()
	default:
		return w.literal()
	}
}

func (w *walker) object(depth int) (any, error) {
	w.pos++
	members := map[string]any{}
	w.space()
	if w.peek() == '}' {
		w.pos++
		return members, nil
	}
	var room [few]foldedName
	names := folded{few: room[:0]}
	for {
		w.space()
		if w.peek() != '"' {
			return nil, w.fail("a name was expected")
		}
		name, err := w.text()
		if err != nil {
			return nil, err
		}
		if len(name) > maxName {
			return nil, w.fail("a name is too long")
		}
		if !names.add(name) {
			return nil, w.fail("a name stands twice in one object")
		}
		w.space()
		if w.peek() != ':' {
			return nil, w.fail("a colon was expected")
		}
		w.pos++
		w.space()
		if members[name], err = w.value(depth + 1); err != nil {
			return nil, err
		}
		if done, err := w.next('}'); done || err != nil {
			return members, err
		}
	}
}

// folded is the set of the names of one object without the case of their
// letters: some readers of JSON take two such names for one.
type folded struct {
	few  []foldedName
	many map[string]bool
}

// foldedName is a name with a number that is the same for names that differ in
// the case of their letters only.
type foldedName struct {
	number uint64
	name   string
}

// few is how many names of an object are compared one by one.
const few = 16

// add tells whether the name is new.
func (f *folded) add(name string) bool {
	if f.many == nil && len(f.few) < few {
		number := foldNumber(name)
		for _, n := range f.few {
			if n.number == number && strings.EqualFold(n.name, name) {
				return false
			}
		}
		f.few = append(f.few, foldedName{number, name})
		return true
	}
	if f.many == nil {
		f.many = make(map[string]bool, 64)
		for _, n := range f.few {
			f.many[fold(n.name)] = true
		}
	}
	name = fold(name)
	if f.many[name] {
		return false
	}
	f.many[name] = true
	return true
}

func foldNumber(name string) uint64 {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			name = fold(name)
			break
		}
	}
	number := uint64(14695981039346656037) // FNV-1a
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		number = (number ^ uint64(c)) * 1099511628211
	}
	return number
}

// fold takes the case from every letter as encoding/json does, for which the
// Kelvin sign is a k and the long s an s.
func fold(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return strings.Map(foldRune, s)
		}
	}
	return strings.ToLower(s)
}

func foldRune(r rune) rune {
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

func (w *walker) array(depth int) (any, error) {
	w.pos++
	values := []any{}
	w.space()
	if w.peek() == ']' {
		w.pos++
		return values, nil
	}
	for {
		w.space()
		v, err := w.value(depth + 1)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		if done, err := w.next(']'); done || err != nil {
			return values, err
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

// text reads a string. What stands between two escapes is taken at once.
func (w *walker) text() (string, error) {
	w.pos++
	var before []byte
	start := w.pos
	for w.plain() {
		switch c := w.data[w.pos]; c {
		case '"':
			last := w.data[start:w.pos]
			w.pos++
			if before == nil {
				return last, nil
			}
			return string(append(before, last...)), nil
		case '\\':
			if before == nil {
				before = make([]byte, 0, w.pos-start+w.length())
			}
			before = append(before, w.data[start:w.pos]...)
			r, err := w.escape()
			if err != nil {
				return "", err
			}
			before = utf8.AppendRune(before, r)
			start = w.pos
		default:
			return "", w.fail("a control character stands in a string")
		}
	}
	return "", w.fail("a string is not closed")
}

// plain steps over what means only itself in a string, and tells whether
// something else follows.
func (w *walker) plain() bool {
	for w.pos+8 <= len(w.data) {
		if found := special(word(w.data[w.pos:])); found != 0 {
			w.pos += bits.TrailingZeros64(found) / 8
			return true
		}
		w.pos += 8
	}
	for w.pos < len(w.data) && !escaped(w.data[w.pos]) {
		w.pos++
	}
	return w.pos < len(w.data)
}

// word is the first eight bytes of a text as a number, the first the lowest.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// length is the number of bytes up to the end of the string that is being
// read.
func (w *walker) length() int {
	here := *w
	for here.plain() && here.data[here.pos] == '\\' {
		here.pos = min(here.pos+2, len(here.data))
	}
	return here.pos - w.pos
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
			r = r<<4 | (c - '0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | (c - 'a' + 10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | (c - 'A' + 10)
		default:
			return 0, w.fail("an escape is not hexadecimal")
		}
	}
	w.pos += 4
	return r, nil
}

func (w *walker) number() (any, error) {
	start := w.pos
	if w.peek() == '-' {
		w.pos++
	}
	switch c := w.peek(); {
	case c == '0':
		w.pos++
	case '1' <= c && c <= '9':
		w.digits()
	default:
		return nil, w.fail("a digit was expected")
	}
	if w.peek() == '.' {
		w.pos++
		if w.digits() == 0 {
			return nil, w.fail("a digit was expected")
		}
	}
	if c := w.peek(); c == 'e' || c == 'E' {
		w.pos++
		if c := w.peek(); c == '+' || c == '-' {
			w.pos++
		}
		if w.digits() == 0 {
			return nil, w.fail("a digit was expected")
		}
	}
	n := json.Number(w.data[start:w.pos])
	if _, err := n.Float64(); err != nil || !w.anySize && !plainNumber(n) {
		return nil, w.fail("a number that readers would round was not expected")
	}
	return n, nil
}

func (w *walker) digits() int {
	start := w.pos
	for c := w.peek(); '0' <= c && c <= '9'; c = w.peek() {
		w.pos++
	}
	return w.pos - start
}

func (w *walker) literal() (any, error) {
	for _, l := range [...]struct {
		word  string
		value any
	}{{"true", true}, {"false", false}, {"null", nil}} {
		if strings.HasPrefix(w.data[w.pos:], l.word) {
			w.pos += len(l.word)
			return l.value, nil
		}
	}
	return nil, w.fail("a value was expected")
}
