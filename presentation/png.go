package presentation

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// badge is the keyword under which a badge picture carries its credential (Open
// Badges 3.0, section 5.3.1).
const badge = "openbadges"

// pngFacts are what the chunks of a PNG say, without a look at its picture.
type pngFacts struct {
	width, height, pixel uint32 // pixel is the bytes of one, as a decoder keeps it
	animated             bool
	statement            []byte // the credential of a badge; nil where there is none
}

// png reads a badge picture by its chunks, and any other by the QR in it. What
// carries a credential is never decoded as a picture.
func (r *reading) png(i Item, data []byte) {
	facts, code := readPNG(data)
	switch {
	case code != "":
		r.problem(i, code)
	case facts.statement != nil:
		i.Found = InBadge
		r.add(r.refer(i, string(facts.statement)))
	case facts.animated:
		r.problem(i, "png_animated")
	case uint64(facts.width)*uint64(facts.height) > maxPixels, uint64(facts.width)*uint64(facts.height)*uint64(facts.pixel) > maxPlane:
		r.problem(i, "picture_large")
	default:
		r.photo(i, data)
	}
}

// readPNG goes through all chunks (PNG, third edition, section 5) and returns
// why they are refused: every checksum must hold, nothing may follow the end,
// and a credential stands there once and in plain text.
func readPNG(data []byte) (f pngFacts, code string) {
	if len(data) > maxPicture {
		return f, "picture_large"
	}
	rest := data[len(pngSignature):]
	for n := 0; ; n++ {
		if len(rest) < 12 {
			return f, "png_damaged"
		}
		length := binary.BigEndian.Uint32(rest)
		if uint64(length)+12 > uint64(len(rest)) {
			return f, "png_damaged"
		}
		kind, body := string(rest[4:8]), rest[8:8+length]
		if crc32.ChecksumIEEE(rest[4:8+length]) != binary.BigEndian.Uint32(rest[8+length:]) || (kind == "IHDR") != (n == 0) {
			return f, "png_damaged"
		}
		rest = rest[12+length:]
		switch kind {
		case "IHDR":
			if !f.header(body) {
				return f, "png_damaged"
			}
		case "acTL":
			f.animated = true
		case "iTXt":
			if code = f.text(body); code != "" {
				return f, code
			}
		case "tEXt", "zTXt":
			if key, _, _ := bytes.Cut(body, []byte{0}); string(key) == badge {
				return f, "badge_form"
			}
		case "IEND":
			if len(rest) > 0 || length > 0 {
				return f, "png_trailing"
			}
			return f, ""
		}
	}
}

// header reads the size of the picture and the depth of its pixels.
func (f *pngFacts) header(body []byte) bool {
	if len(body) != 13 {
		return false
	}
	f.width, f.height = binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
	f.pixel = 4
	if body[8] == 16 {
		f.pixel = 8
	}
	return f.width > 0 && f.height > 0 && f.width < 1<<31 && f.height < 1<<31
}

// text keeps the credential of a badge (PNG section 11.3.3.4: keyword,
// compression flag and method, language, translated keyword, text).
func (f *pngFacts) text(body []byte) (code string) {
	key, rest, _ := bytes.Cut(body, []byte{0})
	if string(key) != badge {
		return ""
	}
	if f.statement != nil {
		return "badge_several"
	}
	if len(rest) < 2 || rest[0] != 0 || rest[1] != 0 {
		return "badge_form"
	}
	_, rest, ok := bytes.Cut(rest[2:], []byte{0})
	if !ok {
		return "badge_form"
	}
	_, statement, ok := bytes.Cut(rest, []byte{0})
	switch {
	case !ok || len(statement) == 0:
		return "badge_form"
	case len(statement) > maxStatement:
		return "badge_large"
	}
	f.statement = statement
	return ""
}
