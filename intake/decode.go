package intake

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// decode turns the bytes of a text file into UTF-8 without a byte order mark:
// UTF-16 with a mark, UTF-8, or else Windows-1252. Lines end in \n, \r\n or,
// throughout the file, \r.
func decode(b []byte) (string, error) {
	if err := notText(b); err != nil {
		return "", err
	}
	var s string
	switch {
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}):
		u, err := fromUTF16(b[2:], binary.LittleEndian)
		if err != nil {
			return "", err
		}
		s = u
	case bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		u, err := fromUTF16(b[2:], binary.BigEndian)
		if err != nil {
			return "", err
		}
		s = u
	default:
		b = bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF"))
		if utf8.Valid(b) {
			s = string(b)
			break
		}
		u, err := fromWindows1252(b)
		if err != nil {
			return "", err
		}
		s = u
	}
	if i := strings.IndexByte(s, 0); i >= 0 {
		return "", fileError("nul_byte", lineAt(s, i), "")
	}
	if !strings.Contains(s, "\n") {
		s = strings.ReplaceAll(s, "\r", "\n")
	}
	return s, nil
}

// notText recognises the files that are handed in by mistake for a table.
func notText(b []byte) error {
	for _, magic := range []string{"PK\x03\x04", "\xD0\xCF\x11\xE0", "%PDF-", "{\\rtf"} {
		if bytes.HasPrefix(b, []byte(magic)) {
			return fileError("not_a_table", 0, "")
		}
	}
	return nil
}

func fromUTF16(b []byte, order binary.ByteOrder) (string, error) {
	if len(b)%2 != 0 {
		return "", fileError("damaged_utf16", 0, "")
	}
	var s strings.Builder
	s.Grow(len(b) / 2)
	line := 1
	for i := 0; i < len(b); i += 2 {
		r := rune(order.Uint16(b[i:]))
		if utf16.IsSurrogate(r) {
			low := rune(0)
			if i+3 < len(b) {
				low = rune(order.Uint16(b[i+2:]))
			}
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return "", fileError("damaged_utf16", line, "")
			}
			i += 2
		}
		if r == '\n' {
			line++
		}
		s.WriteRune(r)
	}
	return s.String(), nil
}

// fromWindows1252 reads what a spreadsheet on an Italian Windows saves. Text
// that is mostly UTF-8 with some damaged letters is refused, because reading
// it as Windows-1252 would turn every good accent into two wrong letters.
func fromWindows1252(b []byte) (string, error) {
	good, bad, firstBad := 0, 0, 0
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			if bad == 0 {
				firstBad = i
			}
			bad++
		case n > 1:
			good++
		}
		i += n
	}
	if good >= bad {
		return "", fileError("mixed_encoding", lineAt(string(b[:firstBad]), firstBad), "")
	}
	var s strings.Builder
	s.Grow(len(b) + bad)
	for i, c := range b {
		switch c {
		case 0x81, 0x8D, 0x8F, 0x90, 0x9D: // no letter has these places in Windows-1252
			return "", fileError("undefined_byte", lineAt(string(b[:i]), i), "", fmt.Sprintf("0x%02X", c))
		}
		s.WriteRune(charmap.Windows1252.DecodeByte(c))
	}
	return s.String(), nil
}

// lineAt returns the line, from 1, of the byte at an offset.
func lineAt(s string, offset int) int {
	return strings.Count(s[:offset], "\n") + 1
}
