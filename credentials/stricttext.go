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
		return value{kind: isText, from: uint32(start), to: uint32(w.pos - 1)}, nil // no text is as long
	case '\\':
		text, err := w.unescape(start)
		if err != nil {
			return value{}, err
		}
		w.spelled = append(w.spelled, text)
		return value{kind: isSpelled, from: uint32(len(w.spelled) - 1)}, nil // at most twice maxValues
	}
	return value{}, w.fail("a control character stands in a string")
}

// window is how far a long run without escapes is searched for its end at once.
const window = 4096

// plain steps over what means only itself in a string, and tells whether
// something else follows.
func (w *walker) plain() bool {
	text, pos, start := w.text, w.pos, w.pos
	for len(text)-pos >= 8 {
		if found := special(word(text[pos:])); found != 0 {
			w.pos = pos + bits.TrailingZeros64(found)/8
			return true
		}
		if pos += 8; pos-start < longRun {
			continue
		}
		rest := text[pos:min(len(text), pos+window)]
		run := untilSpecial(rest)
		if anyControl(rest[:run]) {
			start = len(text) // word by word up to where it stands
			continue
		}
		if pos += run; run < len(rest) {
			w.pos = pos
			return true
		}
	}
	for pos < len(text) && !escaped(text[pos]) {
		pos++
	}
	w.pos = pos
	return pos < len(text)
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

// unescape reads a string from its first escape on.
func (w *walker) unescape(start int) (string, error) {
	if most := len(w.text) - start + 16; len(w.buffer) < most {
		w.buffer = slices.Grow(w.buffer[:0], most)
		w.buffer = w.buffer[:cap(w.buffer)]
	}
	n := copy(w.buffer, w.text[start:w.pos])
	for {
		written, read := copyEasy(w.buffer[n:], w.text[w.pos:])
		n, w.pos = n+written, w.pos+read
		from := w.pos
		w.plain()
		n += copy(w.buffer[n:], w.text[from:w.pos])
		switch w.peek() {
		case '"':
			w.pos++
			return string(w.buffer[:n]), nil
		case '\\':
			r, err := w.escape()
			if err != nil {
				return "", err
			}
			n += utf8.EncodeRune(w.buffer[n:], r)
		default:
			if w.pos == len(w.text) {
				return "", w.fail("a string is not closed")
			}
			return "", w.fail("a control character stands in a string")
		}
	}
}

// copyEasy copies the beginning of a string that has no other escapes than that of
// the quotation mark, of which a document within a string has one every few bytes.
// Eight bytes go at once, of which those before the next escape stay. It ends at
// what is not easy, or where there is a long run.
func copyEasy(out []byte, text string) (written, read int) {
	room, rest, run := out, text, 0
	for len(rest) > 8 && len(room) >= 8 {
		eight := word(rest)
		binary.LittleEndian.PutUint64(room, eight)
		found := special(eight)
		if found == 0 {
			room, rest = room[8:], rest[8:]
			if run += 8; run >= longRun {
				break
			}
			continue
		}
		here := bits.TrailingZeros64(found) / 8 & 7
		room, rest = room[here:], rest[here:]
		if rest[0] != '\\' || rest[1] != '"' {
			break
		}
		room[0] = '"'
		room, rest, run = room[1:], rest[2:], 0
	}
	return len(out) - len(room), len(text) - len(rest)
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
