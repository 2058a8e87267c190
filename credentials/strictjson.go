package credentials

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
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
// signature must mean one thing. Numbers stay as written. The data is gone through
// once and not kept.
func readJSON(data []byte) (node, error) { return readText(string(data)) }

// readText is readJSON for a text, of which the tree keeps parts.
func readText(text string) (node, error) { return (&walker{tree: &tree{text: text}}).whole() }

// readClaims is readJSON for claims of which the reader bounds the numbers.
func readClaims(text string) (node, error) {
	return (&walker{tree: &tree{text: text, values: make([]value, 0, few)}, anySize: true}).whole()
}

func (w *walker) whole() (node, error) {
	if !utf8.ValidString(w.text) {
		return node{}, fmt.Errorf("%w: the text is not valid UTF-8", errJSON)
	}
	w.space()
	if w.peek() != '{' {
		return node{}, w.fail("an object was expected")
	}
	var err error
	w.stack = make([]value, 0, 4*few)
	if w.root, err = w.object(1); err != nil {
		return node{}, err
	}
	w.space()
	if w.pos != len(w.text) {
		return node{}, w.fail("text follows the object")
	}
	return node{w.tree, &w.root}, nil
}

// walker reads a text into a tree, of which the texts without an escape are
// parts.
type walker struct {
	*tree
	pos    int
	count  int
	stack  []value // of the objects and lists that are not closed
	buffer []byte  // where strings with escapes are put together
	// anySize lets numbers stand that a reader would round, not those that are none.
	anySize bool
}

func (w *walker) fail(why string) error {
	return fmt.Errorf("%w: %s at byte %d", errJSON, why, w.pos)
}

func (w *walker) peek() byte {
	if w.pos < len(w.text) {
		return w.text[w.pos]
	}
	return 0
}

func (w *walker) space() {
	for w.pos < len(w.text) && w.text[w.pos] <= ' ' {
		switch w.text[w.pos] {
		case ' ', '\t', '\n', '\r':
			w.pos++
		default:
			return
		}
	}
}

func (w *walker) value(depth int) (value, error) {
	if depth > maxDepth {
		return value{}, w.fail("nesting is too deep")
	}
	if w.count++; w.count > maxValues {
		return value{}, w.fail("there are too many values")
	}
	switch c := w.peek(); {
	case c == '"':
		return w.string()
	case c == '{':
		return w.object(depth)
	case c == '[':
		return w.list(depth)
	case c == '-' || '0' <= c && c <= '9':
		return w.number()
	default:
		return w.literal()
	}
}

func (w *walker) object(depth int) (value, error) {
	w.pos++
	mark := len(w.stack)
	w.space()
	if w.peek() == '}' {
		w.pos++
		return w.close(isObject, mark), nil
	}
	var names names
	for {
		w.space()
		if w.peek() != '"' {
			return value{}, w.fail("a name was expected")
		}
		name, err := w.name(&names)
		if err != nil {
			return value{}, err
		}
		w.space()
		if w.peek() != ':' {
			return value{}, w.fail("a colon was expected")
		}
		w.pos++
		w.space()
		v, err := w.value(depth + 1)
		if err != nil {
			return value{}, err
		}
		v.name = name
		w.stack = append(w.stack, v)
		if done, err := w.next('}'); err != nil {
			return value{}, err
		} else if done {
			w.sort(w.stack[mark:])
			return w.close(isObject, mark), nil
		}
	}
}

// close puts what was read of an object or list together.
func (w *walker) close(k kind, mark int) value {
	from := len(w.values)
	if w.values == nil {
		w.values = make([]value, 0, min(len(w.text)/26+16, 1024))
	}
	w.values = append(w.values, w.stack[mark:]...)
	w.stack = w.stack[:mark]
	return value{kind: k, from: uint32(from), to: uint32(len(w.values))} // at most maxValues
}

// name reads the name of a member.
func (w *walker) name(names *names) (symbol, error) {
	if s := w.shortName(); s != 0 {
		if !names.addKnown(s) {
			return 0, w.fail("a name stands twice in one object")
		}
		if s == symContext {
			w.at++
		}
		return s, nil
	}
	v, err := w.string()
	if err != nil {
		return 0, err
	}
	name, _ := w.str(&v)
	if len(name) > maxName {
		return 0, w.fail("a name is too long")
	}
	s := known.find(name)
	if !names.add(name, s) {
		return 0, w.fail("a name stands twice in one object")
	}
	if s == 0 {
		s = firstOther + symbol(len(w.others)) // at most maxValues
		w.others = append(w.others, name)
	}
	if name != "" && name[0] == '@' {
		w.at++
	}
	return s, nil
}

// shortName steps over one of memberNames that has 16 bytes or fewer, or stays
// where it is and gives 0.
func (w *walker) shortName() symbol {
	start := w.pos + 1
	if start+24 > len(w.text) {
		return 0
	}
	e := ends{first: word(w.text[start:])}
	found := special(e.first)
	n := bits.TrailingZeros64(found) / 8
	if found != 0 {
		e.first &= 1<<(8*n) - 1
	} else {
		found = special(word(w.text[start+8:]))
		n = bits.TrailingZeros64(found)/8 + 8
		if found == 0 {
			n = 16
		}
		if n > 8 {
			e.last = word(w.text[start+n-8:])
		}
	}
	if w.text[start+n] != '"' {
		return 0
	}
	e.length = uint64(n) // at most 16
	s := known.findEnds(e, w.text[start:start+n])
	if s != 0 {
		w.pos = start + n + 1
	}
	return s
}

func (w *walker) list(depth int) (value, error) {
	w.pos++
	mark := len(w.stack)
	w.space()
	if w.peek() == ']' {
		w.pos++
		return w.close(isList, mark), nil
	}
	for {
		w.space()
		v, err := w.value(depth + 1)
		if err != nil {
			return value{}, err
		}
		w.stack = append(w.stack, v)
		if done, err := w.next(']'); err != nil {
			return value{}, err
		} else if done {
			return w.close(isList, mark), nil
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

func (w *walker) number() (value, error) {
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
		return value{}, w.fail("a digit was expected")
	}
	if w.peek() == '.' {
		w.pos++
		if w.digits() == 0 {
			return value{}, w.fail("a digit was expected")
		}
	}
	if c := w.peek(); c == 'e' || c == 'E' {
		w.pos++
		if c := w.peek(); c == '+' || c == '-' {
			w.pos++
		}
		if w.digits() == 0 {
			return value{}, w.fail("a digit was expected")
		}
	}
	n := w.text[start:w.pos]
	if _, err := strconv.ParseFloat(n, 64); err != nil || !w.anySize && !plainNumber(n) {
		return value{}, w.fail("a number that readers would round was not expected")
	}
	return value{kind: isNumber, from: uint32(start), to: uint32(w.pos)}, nil // no text is as long
}

func (w *walker) digits() int {
	start := w.pos
	for c := w.peek(); '0' <= c && c <= '9'; c = w.peek() {
		w.pos++
	}
	return w.pos - start
}

func (w *walker) literal() (value, error) {
	for _, l := range [...]struct {
		word string
		kind kind
	}{{"true", isTrue}, {"false", isFalse}, {"null", isNull}} {
		if strings.HasPrefix(w.text[w.pos:], l.word) {
			w.pos += len(l.word)
			return value{kind: l.kind}, nil
		}
	}
	return value{}, w.fail("a value was expected")
}
