package registry

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// How sealed bytes are stored: the first byte says which.
const (
	packedPlain = 0
	packedFlate = 1 // length of the original as a number, then raw DEFLATE
)

// Packer makes sealed bytes smaller for a backend that stores them. The zero
// value is ready, and safe for concurrent use.
type Packer struct{ writers sync.Pool } // of *flate.Writer

// Pack compresses sealed bytes, into new memory, if that saves an eighth or
// more. Documents are JSON around images in base64, where all that can be won
// cheaply is the two idle bits of eight; Huffman coding alone wins them at
// several times the speed. What looks for repetitions wins nothing there.
func (p *Packer) Pack(sealed []byte) []byte {
	var buf bytes.Buffer
	buf.Grow(len(sealed) + 16)
	buf.Write(binary.AppendUvarint([]byte{packedFlate}, uint64(len(sealed))))
	zw, ok := p.writers.Get().(*flate.Writer)
	if ok {
		zw.Reset(&buf)
	} else {
		var err error
		if zw, err = flate.NewWriter(&buf, flate.HuffmanOnly); err != nil {
			return append([]byte{packedPlain}, sealed...)
		}
	}
	defer p.writers.Put(zw)
	_, err := zw.Write(sealed)
	if err == nil {
		err = zw.Close()
	}
	if err != nil || buf.Len() > len(sealed)/8*7 {
		return append(append(make([]byte, 0, len(sealed)+5), packedPlain), sealed...)
	}
	return buf.Bytes()
}

// Unpack is the inverse of Pack, in new memory, from any bytes. What does not
// give bytes with this SHA-256, in hex, is an error.
func Unpack(b []byte, digest string) ([]byte, error) {
	if len(b) == 0 {
		return nil, errors.New("unpacking sealed bytes: there are none")
	}
	var out []byte
	switch b[0] {
	case packedPlain:
		out = bytes.Clone(b[1:])
	case packedFlate:
		n, size := binary.Uvarint(b[1:])
		if size <= 0 || n > MaxBytes {
			return nil, errors.New("unpacking sealed bytes: the length is damaged")
		}
		out = make([]byte, n)
		if _, err := io.ReadFull(flate.NewReader(bytes.NewReader(b[1+size:])), out); err != nil {
			return nil, fmt.Errorf("unpacking sealed bytes: %w", err)
		}
	default:
		return nil, fmt.Errorf("unpacking sealed bytes: layout %d", b[0])
	}
	if fmt.Sprintf("%x", sha256.Sum256(out)) != digest {
		return nil, errors.New("unpacking sealed bytes: the digest differs")
	}
	return out, nil
}
