package status

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// TokenEntries is the content of a Token Status List (IETF Token Status List,
// section 4): one value of 1, 2, 4 or 8 bits for each entry, index 0 in the
// least significant bits of the first byte, which is the other way round than a
// Bitstring. It does not change and is safe for concurrent use.
type TokenEntries struct {
	data  []byte
	width uint8 // bits an entry
}

// DecodeTokenList reads lst, the compressed list of a Status List Token, whose
// entries have so many bits: 1, 2, 4 or 8. The text may come from anywhere:
// padding, line breaks, more than one stream, bytes after it, a preset
// dictionary, an empty list and one of more than maxBytes bytes (ErrLength) are
// refused. Memory is bounded by a few times maxBytes whatever the text holds.
// How few entries there may be the specification leaves open.
func DecodeTokenList(lst string, width int, maxBytes uint32) (*TokenEntries, error) {
	switch width {
	case 1, 2, 4, 8:
	default:
		return nil, fmt.Errorf("decoding token list: %d bits an entry, want 1, 2, 4 or 8", width)
	}
	limit := int64(maxBytes)
	// Bits that cannot be compressed grow by a few bytes a block; what is much
	// longer than that is padding and is not looked at.
	if longest := (limit + limit/8 + 1024) * 4 / 3; int64(len(lst)) > longest {
		return nil, fmt.Errorf("decoding token list: %d characters, at most %d: %w", len(lst), longest, ErrLength)
	}
	if strings.ContainsAny(lst, "\r\n") { // encoding/base64 skips them
		return nil, errors.New("decoding token list: line break in base64url")
	}
	packed, err := base64.RawURLEncoding.Strict().DecodeString(lst)
	if err != nil {
		return nil, fmt.Errorf("decoding token list: base64url: %w", err)
	}
	data, err := inflate(packed, limit)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, fmt.Errorf("decoding token list: no entries: %w", ErrLength)
	}
	return &TokenEntries{data: data, width: uint8(width)}, nil
}

// inflate unpacks exactly one zlib stream (RFC 1950) of at most limit bytes.
func inflate(packed []byte, limit int64) ([]byte, error) {
	src := bytes.NewReader(packed)
	zr, err := zlib.NewReader(src) // a preset dictionary is zlib.ErrDictionary
	if err != nil {
		return nil, fmt.Errorf("unpacking token list: %w", err)
	}
	out, err := io.ReadAll(io.LimitReader(zr, limit+1))
	if err != nil {
		return nil, fmt.Errorf("unpacking token list: %w", err)
	}
	if int64(len(out)) > limit {
		return nil, fmt.Errorf("unpacking token list: more than %d bytes: %w", limit, ErrLength)
	}
	if src.Len() > 0 {
		return nil, fmt.Errorf("unpacking token list: %d bytes after the zlib stream", src.Len())
	}
	return out, nil
}

// Size returns the number of entries.
func (l *TokenEntries) Size() uint64 { return uint64(len(l.data)) * 8 / uint64(l.width) }

// Width returns how many bits an entry has. With one there is no suspension.
func (l *TokenEntries) Width() int { return int(l.width) }

// Bytes returns how much memory the entries take.
func (l *TokenEntries) Bytes() int { return len(l.data) }

// Get returns the value of entry i, which may be one that has no name here. An
// index outside the list is ErrRange and must not be read as Valid.
func (l *TokenEntries) Get(i uint32) (Value, error) {
	if uint64(i) >= l.Size() {
		return Valid, fmt.Errorf("reading entry %d of %d: %w", i, l.Size(), ErrRange)
	}
	bit := uint64(i) * uint64(l.width)
	mask := byte(1<<l.width - 1)
	return Value(l.data[bit/8] >> (bit % 8) & mask), nil
}
