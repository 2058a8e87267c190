package status

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"
)

// Bitstring is one bit for each entry of a list, as in W3C Bitstring Status
// List 1.0: index 0 is the left-most bit of the first byte. It is safe for
// concurrent reading; Set needs exclusive use.
type Bitstring struct {
	bits []byte
}

// NewBitstring returns a list of at least size entries, none set: size is
// raised to MinEntries and to a multiple of eight.
func NewBitstring(size uint32) *Bitstring {
	n := max(uint64(size), MinEntries)
	return &Bitstring{bits: make([]byte, (n+7)/8)}
}

// Size returns the number of entries.
func (b *Bitstring) Size() uint64 { return uint64(len(b.bits)) * 8 }

// Count returns the number of entries that are set.
func (b *Bitstring) Count() int {
	n := 0
	for _, x := range b.bits {
		n += bits.OnesCount8(x)
	}
	return n
}

// Set sets entry i. An index outside the list is ErrRange.
func (b *Bitstring) Set(i uint32) error {
	if uint64(i) >= b.Size() {
		return fmt.Errorf("setting entry %d of %d: %w", i, b.Size(), ErrRange)
	}
	b.bits[i/8] |= 0x80 >> (i % 8)
	return nil
}

// Get tells whether entry i is set. An index outside the list is ErrRange and
// must not be read as "not set".
func (b *Bitstring) Get(i uint32) (bool, error) {
	if uint64(i) >= b.Size() {
		return false, fmt.Errorf("reading entry %d of %d: %w", i, b.Size(), ErrRange)
	}
	return b.bits[i/8]&(0x80>>(i%8)) != 0, nil
}

// Encode returns the list as encodedList: multibase 'u', base64url without
// padding, of gzip at level 6 (Bitstring Status List 1.0, section 3.2). Equal
// lists give equal text with one version of the toolchain.
func (b *Bitstring) Encode() string {
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf) // the default level is 6
	_, _ = zw.Write(b.bits)    // a bytes.Buffer takes everything
	_ = zw.Close()
	return "u" + base64.RawURLEncoding.EncodeToString(buf.Bytes())
}

// DecodeBitstring is the inverse of Encode, for text from anywhere. It refuses
// any other multibase, padding, line breaks, more than one gzip member, bytes
// after it, and lists with fewer than MinEntries or more than maxEntries
// entries (ErrLength). Memory is bounded by a few times maxEntries/8 bytes
// whatever the text holds.
func DecodeBitstring(encoded string, maxEntries uint32) (*Bitstring, error) {
	limit := int64(maxEntries) / 8
	// Bits that cannot be compressed grow by a few bytes a block; what is much
	// longer than that is padding and is not looked at.
	if longest := (limit+limit/8+1024)*4/3 + 1; int64(len(encoded)) > longest {
		return nil, fmt.Errorf("decoding list: %d characters, at most %d: %w", len(encoded), longest, ErrLength)
	}
	text, ok := strings.CutPrefix(encoded, "u")
	if !ok {
		return nil, errors.New("decoding list: multibase prefix is not u")
	}
	if strings.ContainsAny(text, "\r\n") { // encoding/base64 skips them
		return nil, errors.New("decoding list: line break in base64url")
	}
	packed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("decoding list: base64url: %w", err)
	}
	unpacked, err := gunzip(packed, limit)
	if err != nil {
		return nil, err
	}
	if len(unpacked) < MinEntries/8 {
		return nil, fmt.Errorf("decoding list: %d entries, at least %d: %w", len(unpacked)*8, MinEntries, ErrLength)
	}
	return &Bitstring{bits: unpacked}, nil
}

// gunzip unpacks exactly one gzip member of at most limit bytes.
func gunzip(packed []byte, limit int64) ([]byte, error) {
	src := bytes.NewReader(packed)
	zr, err := gzip.NewReader(src)
	if err != nil {
		return nil, fmt.Errorf("unpacking list: %w", err)
	}
	zr.Multistream(false)
	out, err := io.ReadAll(io.LimitReader(zr, limit+1))
	if err != nil {
		return nil, fmt.Errorf("unpacking list: %w", err)
	}
	if int64(len(out)) > limit {
		return nil, fmt.Errorf("unpacking list: more than %d entries: %w", limit*8, ErrLength)
	}
	if src.Len() > 0 {
		return nil, fmt.Errorf("unpacking list: %d bytes after the gzip member", src.Len())
	}
	return out, nil
}
