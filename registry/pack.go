package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// How content is packed: the first byte says which.
const (
	packedPlain  = 0 // the content
	packedZstd   = 1 // its length as a number, then a zstd frame
	packedShared = 2 // the SharedID, its length, then a frame that refers to the shared content
)

// SharedID names content that many others share: the first bytes of its
// SHA-256.
type SharedID [16]byte

func sharedID(content []byte) SharedID {
	sum := sha256.Sum256(content)
	return SharedID(sum[:16])
}

// maxDictionaries bounds how many shared contents are kept ready: each takes
// some megabytes.
const maxDictionaries = 32

// maxStored bounds how many are known to be stored; others are handed down
// again.
const maxStored = 1 << 16

// packer makes content smaller before it is encrypted and stored. Documents of
// one module differ in some hundred bytes: the rest is taken from what they
// share, which is stored once.
type packer struct {
	mu     sync.Mutex
	ready  map[SharedID]*dictionary
	stored map[SharedID]bool // known to be in the backend
}

// dictionary packs and unpacks what refers to one shared content, or to none.
// It is safe for concurrent use.
type dictionary struct {
	content []byte
	encode  *zstd.Encoder
	decode  *zstd.Decoder
}

// dictionaryNumber is what zstd calls every dictionary: which one it is stands
// before the frame.
const dictionaryNumber = 1

func newDictionary(content []byte) (*dictionary, error) {
	encoding := []zstd.EOption{zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithAllLitEntropyCompression(true), zstd.WithEncoderCRC(false), zstd.WithWindowSize(1 << 20)}
	decoding := []zstd.DOption{zstd.WithDecoderMaxMemory(2 * MaxBytes), zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxWindow(1 << 23)}
	if content != nil {
		encoding = append(encoding, zstd.WithEncoderDictRaw(dictionaryNumber, content))
		decoding = append(decoding, zstd.WithDecoderDictRaw(dictionaryNumber, content))
	}
	e, err := zstd.NewWriter(nil, encoding...)
	if err != nil {
		return nil, fmt.Errorf("preparing to pack: %w", err)
	}
	d, err := zstd.NewReader(nil, decoding...)
	if err != nil {
		return nil, fmt.Errorf("preparing to unpack: %w", err)
	}
	return &dictionary{content: content, encode: e, decode: d}, nil
}

// get returns the dictionary of a shared content that fetch reads, if it is not
// ready. The zero id is that of none.
func (p *packer) get(id SharedID, fetch func() ([]byte, error)) (*dictionary, error) {
	p.mu.Lock()
	d := p.ready[id]
	p.mu.Unlock()
	if d != nil {
		return d, nil
	}
	var content []byte
	if id != (SharedID{}) {
		var err error
		if content, err = fetch(); err != nil {
			return nil, err
		}
		if sharedID(content) != id {
			return nil, errors.New("the shared content is damaged")
		}
	}
	d, err := newDictionary(content)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ready == nil || len(p.ready) >= maxDictionaries {
		p.ready = map[SharedID]*dictionary{}
	}
	p.ready[id] = d
	return d, nil
}

func (p *packer) isStored(id SharedID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stored[id]
}

// nowStored notes what a step of the backend has stored.
func (p *packer) nowStored(shared []SharedEntry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stored == nil || len(p.stored) >= maxStored {
		p.stored = map[SharedID]bool{}
	}
	for _, s := range shared {
		p.stored[s.ID] = true
	}
}

// pack makes content smaller. What would not come back exactly the same is
// kept as it is.
func (d *dictionary) pack(id SharedID, content []byte) []byte {
	head := make([]byte, 0, 1+len(id)+binary.MaxVarintLen64)
	if d.content == nil {
		head = append(head, packedZstd)
	} else {
		head = append(append(head, packedShared), id[:]...)
	}
	head = binary.AppendUvarint(head, uint64(len(content)))
	out := d.encode.EncodeAll(content, append(make([]byte, 0, len(head)+len(content)/8+256), head...))
	if len(out) <= len(content) {
		if back, err := d.unpack(out); err == nil && bytes.Equal(back, content) {
			return out
		}
	}
	return append([]byte{packedPlain}, content...)
}

// unpack is the inverse of pack, in new memory, from any bytes that packedBy
// says are of this dictionary.
func (d *dictionary) unpack(b []byte) ([]byte, error) {
	if len(b) > 0 && b[0] == packedPlain {
		return bytes.Clone(b[1:]), nil
	}
	at := 1
	if len(b) > 0 && b[0] == packedShared {
		at += len(SharedID{})
	}
	if at >= len(b) {
		return nil, errors.New("unpacking: it is cut short")
	}
	n, size := binary.Uvarint(b[at:])
	if size <= 0 || n > MaxBytes {
		return nil, errors.New("unpacking: the length is damaged")
	}
	out, err := d.decode.DecodeAll(b[at+size:], make([]byte, 0, n))
	if err != nil {
		return nil, fmt.Errorf("unpacking: %w", err)
	}
	if uint64(len(out)) != n {
		return nil, errors.New("unpacking: the length differs")
	}
	return out, nil
}

// packedBy tells which shared content is needed to unpack something.
func packedBy(b []byte) (id SharedID, err error) {
	switch {
	case len(b) == 0:
		return id, errors.New("unpacking: there is nothing")
	case b[0] == packedShared && len(b) > len(id):
		copy(id[:], b[1:])
		if id == (SharedID{}) {
			return id, errors.New("unpacking: the shared content has no name")
		}
		return id, nil
	case b[0] == packedPlain, b[0] == packedZstd:
		return id, nil
	}
	return id, fmt.Errorf("unpacking: layout %d", b[0])
}
