package bolt

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"attesta/registry"
)

// How sealed bytes are stored: the first byte says which.
const (
	packedPlain = 0
	packedFlate = 1 // length of the original as a number, then raw DEFLATE
)

// parcel is a sealed document made ready to be stored.
type parcel struct {
	digest string
	packed []byte
}

func (s *Store) parcel(sealed []byte) parcel {
	digest := sha256.Sum256(sealed)
	return parcel{hex.EncodeToString(digest[:]), s.pack(sealed)}
}

// pack compresses sealed bytes if that saves an eighth or more. Documents are
// JSON around images in base64, where all that can be won cheaply is the two
// idle bits of eight; Huffman coding alone wins them at several times the speed.
func (s *Store) pack(sealed []byte) []byte {
	var buf bytes.Buffer
	buf.Grow(len(sealed) + 16)
	head := encoder{b: []byte{packedFlate}}
	head.number(uint64(len(sealed)))
	buf.Write(head.b)
	zw, ok := s.packer.Get().(*flate.Writer)
	if ok {
		zw.Reset(&buf)
	} else {
		var err error
		if zw, err = flate.NewWriter(&buf, flate.HuffmanOnly); err != nil {
			return append([]byte{packedPlain}, sealed...)
		}
	}
	defer s.packer.Put(zw)
	_, err := zw.Write(sealed)
	if err == nil {
		err = zw.Close()
	}
	if err != nil || buf.Len() > len(sealed)/8*7 {
		return append(append(make([]byte, 0, len(sealed)+5), packedPlain), sealed...)
	}
	return buf.Bytes()
}

// unpack is the inverse of pack, in new memory, for bytes whose digest is known.
func unpack(b []byte, digest string) ([]byte, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("unpacking sealed bytes: empty: %w", errDamaged)
	}
	var out []byte
	switch b[0] {
	case packedPlain:
		out = bytes.Clone(b[1:])
	case packedFlate:
		d := decoder{b: b[1:]}
		n := d.number()
		if d.err != nil || n > registry.MaxBytes {
			return nil, fmt.Errorf("unpacking sealed bytes: length: %w", errDamaged)
		}
		out = make([]byte, n)
		zr := flate.NewReader(bytes.NewReader(d.b))
		if _, err := io.ReadFull(zr, out); err != nil {
			return nil, fmt.Errorf("unpacking sealed bytes: %v: %w", err, errDamaged)
		}
	default:
		return nil, fmt.Errorf("unpacking sealed bytes: layout %d: %w", b[0], errDamaged)
	}
	if fmt.Sprintf("%x", sha256.Sum256(out)) != digest {
		return nil, fmt.Errorf("unpacking sealed bytes: the digest differs: %w", errDamaged)
	}
	return out, nil
}
