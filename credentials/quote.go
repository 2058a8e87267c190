package credentials

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// appendQuoted writes text that is valid UTF-8 as a JSON string (RFC 8259
// clause 7). A sealed file is mostly one such string: long runs of base64, and
// JSON with a quote every few bytes. The first go 32 bytes at a time, the rest
// eight, of which those before the next escape stay.
func appendQuoted(b, text []byte) []byte {
	b = append(b, '"')
	for len(text) >= 8 {
		if cap(b)-len(b) < 32 {
			b = slices.Grow(b, len(text)+32)
		}
		eight := binary.LittleEndian.Uint64(text)
		found := special(eight)
		if found == 0 {
			n := plainRun(text)
			b, text = append(b, text[:n]...), text[n:]
			continue
		}
		here := len(b)
		binary.LittleEndian.PutUint64(b[here:here+8], eight)
		n := bits.TrailingZeros64(found) / 8
		b = appendEscape(b[:here+n], text[n])
		text = text[n+1:]
	}
	for _, c := range text {
		if escaped(c) {
			b = appendEscape(b, c)
		} else {
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// plainRun is the length of the text's beginning that needs no escape, in steps
// of eight bytes, of which the first are known to need none.
func plainRun(text []byte) int {
	n := 8
	for len(text)-n >= 32 {
		next := text[n : n+32]
		if special(binary.LittleEndian.Uint64(next))|special(binary.LittleEndian.Uint64(next[8:]))|
			special(binary.LittleEndian.Uint64(next[16:]))|special(binary.LittleEndian.Uint64(next[24:])) != 0 {
			break
		}
		n += 32
	}
	for len(text)-n >= 8 && special(binary.LittleEndian.Uint64(text[n:])) == 0 {
		n += 8
	}
	return n
}

const (
	everyByte = 0x0101010101010101
	highBits  = 0x8080808080808080
)

// special marks the high bit of the first byte of a word that is a quote, a
// backslash or a control character; marks above the first may be false.
func special(word uint64) uint64 {
	quote := word ^ everyByte*'"'
	slash := word ^ everyByte*'\\'
	control := (word - everyByte*0x20) &^ word
	return ((quote-everyByte)&^quote | (slash-everyByte)&^slash | control) & highBits
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
