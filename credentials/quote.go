package credentials

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// appendQuoted writes text that is valid UTF-8 as a JSON string (RFC 8259
// clause 7). A sealed file is mostly one such string: JSON with a quote every few
// bytes, which goes eight bytes at a time, of which those before the next escape
// stay; and long runs of base64, which are searched and copied at once.
func appendQuoted(b, text []byte) []byte {
	b = append(b, '"')
	if anyControl(text) {
		return appendBytes(b, text)
	}
	b = slices.Grow(b, len(text)+escapes(text)+1)
	out := b[len(b):cap(b)]
	n := 0
	for len(text) >= 8 {
		eight := binary.LittleEndian.Uint64(text)
		binary.LittleEndian.PutUint64(out[n:], eight)
		found := special(eight)
		if found == 0 {
			run := copy(out[n:], text[:plainRun(text)])
			n, text = n+run, text[run:]
			continue
		}
		here := bits.TrailingZeros64(found) / 8
		n += here
		out[n], out[n+1] = '\\', text[here]
		n, text = n+2, text[here+1:]
	}
	return appendBytes(b[:len(b)+n], text)
}

// escapes is how many bytes the escapes of a text without control characters
// add to it, and what a step may write that the next writes over.
func escapes(text []byte) int {
	return bytes.Count(text, []byte{'"'}) + bytes.Count(text, []byte{'\\'}) + 8
}

// appendBytes writes the rest of a string byte by byte, and its end.
func appendBytes(b, text []byte) []byte {
	for _, c := range text {
		if escaped(c) {
			b = appendEscape(b, c)
		} else {
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// longRun is from when on a run is searched for its end instead of stepped over.
const longRun = 64

// plainRun is the length of the beginning of a text without control characters
// that needs no escape, or of a part of it, of which the first eight bytes are
// known to need none.
func plainRun(text []byte) int {
	n := 8
	for len(text)-n >= 8 && special(binary.LittleEndian.Uint64(text[n:])) == 0 {
		if n += 8; n >= longRun {
			return n + untilQuote(text[n:])
		}
	}
	return n
}

// untilQuote is the length of the text before its first quote or backslash.
func untilQuote(text []byte) int {
	if n := bytes.IndexByte(text, '"'); n >= 0 {
		text = text[:n]
	}
	if n := bytes.IndexByte(text, '\\'); n >= 0 {
		return n
	}
	return len(text)
}

// anyControl tells whether a control character stands in the text.
func anyControl[T string | []byte](text T) bool {
	var found uint64
	for len(text) >= 32 {
		w0, w1 := word(text), word(text[8:])
		w2, w3 := word(text[16:]), word(text[24:])
		found |= (w0-everyByte*0x20)&^w0 | (w1-everyByte*0x20)&^w1 | (w2-everyByte*0x20)&^w2 | (w3-everyByte*0x20)&^w3
		text = text[32:]
	}
	if found&highBits != 0 {
		return true
	}
	for i := range len(text) {
		if text[i] < 0x20 {
			return true
		}
	}
	return false
}

// word is the first eight bytes of a text as a number, the first the lowest.
func word[T string | []byte](s T) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

const (
	everyByte = 0x0101010101010101
	highBits  = 0x8080808080808080
)

// special marks the high bit of the first byte of a word that is a quote, a
// backslash or a control character; marks above the first may be false.
func special(word uint64) uint64 {
	low := word ^ everyByte*2 // the quote becomes 0x20, and what is below that stays below
	slash := word ^ everyByte*'\\'
	return ((low-everyByte*0x21)&^low | (slash-everyByte)&^slash) & highBits
}

func escaped(c byte) bool { return c < 0x20 || c == '"' || c == '\\' }

func appendEscape(b []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
