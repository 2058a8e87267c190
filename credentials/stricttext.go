package credentials

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// string reads a string.
func (w *walker) string() (value, error) {
	w.pos++
	start := w.pos
	if !w.plain() {
		return value{}, w.fail("a string is not closed")
	}
	switch w.text[w.pos] {
	case '"':
		w.pos++
		return value{kind: isText, from: uint32(start), to: uint32(w.pos - 1)}, nil //nolint:gosec // no text is as long
	case '\\':
		text, err := w.unescape(start)
		if err != nil {
			return value{}, err
		}
		w.spelled = append(w.spelled, text)
		return value{kind: isSpelled, from: uint32(len(w.spelled) - 1)}, nil //nolint:gosec // at most twice maxValues
	}
	return value{}, w.fail("a control character stands in a string")
}

// window is how far a long run without escapes is searched for its end at once.
const window = 4096

// plain steps over what means only itself in a string, and tells whether
// something else follows.
func (w *walker) plain() bool {
	start := w.pos
	for w.pos+8 <= len(w.text) {
		if found := special(word(w.text[w.pos:])); found != 0 {
			w.pos += bits.TrailingZeros64(found) / 8
			return true
		}
		w.pos += 8
		if w.pos-start >= longRun {
			rest := w.text[w.pos:min(len(w.text), w.pos+window)]
			run := untilSpecial(rest)
			if anyControl(rest[:run]) {
				start = len(w.text) // word by word up to where it stands
				continue
			}
			if w.pos += run; run < len(rest) {
				return true
			}
		}
	}
	for w.pos < len(w.text) && !escaped(w.text[w.pos]) {
		w.pos++
	}
	return w.pos < len(w.text)
}

// untilSpecial is the length of a text before its first quote or backslash.
func untilSpecial(text string) int {
	if n := strings.IndexByte(text, '"'); n >= 0 {
		text = text[:n]
	}
	if n := strings.IndexByte(text, '\\'); n >= 0 {
		return n
	}
	return len(text)
}

// unescape reads a string from its first escape on. Eight bytes are copied at
// once, of which those before the next escape stay; a longer run goes as a whole.
func (w *walker) unescape(start int) (string, error) {
	if most := len(w.text) - start + 8; len(w.buffer) < most {
		w.buffer = slices.Grow(w.buffer[:0], most)
		w.buffer = w.buffer[:cap(w.buffer)]
	}
	n := copy(w.buffer, w.text[start:w.pos])
	for run := 0; ; {
		if w.pos+8 <= len(w.text) {
			eight := word(w.text[w.pos:])
			binary.LittleEndian.PutUint64(w.buffer[n:], eight)
			found := special(eight)
			if found == 0 {
				n, w.pos, run = n+8, w.pos+8, run+8
				if run < longRun {
					continue
				}
				from := w.pos
				w.plain()
				n += copy(w.buffer[n:], w.text[from:w.pos])
			} else {
				here := bits.TrailingZeros64(found) / 8
				n, w.pos = n+here, w.pos+here
				if w.pos+1 < len(w.text) && w.text[w.pos] == '\\' && w.text[w.pos+1] == '"' { // most are of this kind
					w.buffer[n] = '"'
					n, w.pos, run = n+1, w.pos+2, 0
					continue
				}
			}
		} else {
			from := w.pos
			w.plain()
			n += copy(w.buffer[n:], w.text[from:w.pos])
		}
		run = 0
		switch w.peek() {
		case '"':
			w.pos++
			return string(w.buffer[:n]), nil
		case '\\':
			r, err := w.escape()
			if err != nil {
				return "", err
			}
			if r < utf8.RuneSelf {
				w.buffer[n] = byte(r)
				n++
			} else {
				n += utf8.EncodeRune(w.buffer[n:], r)
			}
		default:
			if w.pos == len(w.text) {
				return "", w.fail("a string is not closed")
			}
			return "", w.fail("a control character stands in a string")
		}
	}
}

func (w *walker) escape() (rune, error) {
	if w.pos+1 >= len(w.text) {
		return 0, w.fail("an escape is not finished")
	}
	c := w.text[w.pos+1]
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
		if w.pos+1 < len(w.text) && w.text[w.pos] == '\\' && w.text[w.pos+1] == 'u' {
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
	if w.pos+4 > len(w.text) {
		return 0, w.fail("an escape is not finished")
	}
	var r rune
	for _, c := range w.text[w.pos : w.pos+4] {
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
