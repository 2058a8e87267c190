package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// How content is packed: the first byte says which.
const (
	packedPlain  = 0 // the content
	packedZstd   = 1 // its length as a number, then a zstd frame
	packedShared = 2 // the SharedID, the length of what follows the prefix, then a frame of that
	packedRest   = 3 // the SharedID, then what follows the prefix
	packedNear   = 4 // as packedShared, with an S2 block
)

// SharedID names content that many others share: the first bytes of the
// SHA-256 of how it is kept.
type SharedID [16]byte

// What many contents share is kept as the length of a prefix, as a number, and
// then the whole. Those contents begin with the prefix, and what follows it is
// much like what follows it there.
func sharedEntry(prefix int, content []byte) (SharedID, []byte) {
	kept := append(binary.AppendUvarint(nil, uint64(prefix)), content...)
	sum := sha256.Sum256(kept)
	return SharedID(sum[:16]), kept
}

// least is the length of what follows a prefix that is worth a dictionary.
const least = 64

// short is the length of what follows a prefix that is not worth a frame: bodies,
// which are there only until their document is.
const short = 768

// maxDictionaries bounds how many shared contents are kept ready.
const maxDictionaries = 64

// packer makes content smaller before it is encrypted and stored. Documents of
// one module differ in some hundred bytes: the rest is taken from what they
// share, which is stored once.
type packer struct {
	mu     sync.Mutex
	ready  map[SharedID]*dictionary
	chosen map[*byte]*dictionary // by where the shared content lies; it is held, so no other comes there
}

// lying is where the beginning of contents lies; it is held too.
type lying struct {
	first *byte
	size  int
}

func lyingOf(b []byte) lying { return lying{&b[0], len(b)} }

// dictionary packs and unpacks what refers to one shared content, or to none.
// It is safe for concurrent use.
type dictionary struct {
	id     SharedID
	kept   []byte // as it is stored
	prefix []byte
	state  []byte // of SHA-256 after the prefix
	known  lying  // where the prefix was found; of the packer's mu
	encode *zstd.Encoder
	decode *zstd.Decoder
	near   *s2.Dict  // for what differs little from the shared content, or nil
	room   sync.Pool // of *[]byte, to pack in

	mu     sync.Mutex
	stored bool // the backend is known to have it
}

// dictionaryNumber is what zstd calls every dictionary: which one it is stands
// before the frame.
const dictionaryNumber = 1

// newDictionary makes a dictionary of what is kept of shared content, or one
// of none.
func newDictionary(id SharedID, kept []byte) (*dictionary, error) {
	d := &dictionary{id: id, kept: kept}
	var rest []byte
	if kept != nil {
		n, size := binary.Uvarint(kept)
		if size <= 0 || n > uint64(len(kept)-size) {
			return nil, errors.New("the shared content is damaged")
		}
		d.prefix, rest = kept[size:size+int(n)], kept[size+int(n):]
	}
	h := sha256.New()
	h.Write(d.prefix) // a hash takes everything
	var err error
	if d.state, err = h.(encoding.BinaryMarshaler).MarshalBinary(); err != nil {
		return nil, fmt.Errorf("keeping a digest: %w", err)
	}
	window := 1 << 20
	if kept != nil { // what follows the prefix is short
		window = 1 << 17
	}
	encoding := []zstd.EOption{
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithAllLitEntropyCompression(true), zstd.WithEncoderCRC(false), zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true),
	}
	decoding := []zstd.DOption{zstd.WithDecoderMaxMemory(2 * MaxBytes), zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(1 << 23)}
	if len(rest) >= least {
		encoding = append(encoding, zstd.WithEncoderDictRaw(dictionaryNumber, rest))
		decoding = append(decoding, zstd.WithDecoderDictRaw(dictionaryNumber, rest))
		if len(rest) <= s2.MaxDictSize {
			d.near = s2.MakeDict(rest, nil)
		}
	}
	if d.encode, err = zstd.NewWriter(nil, encoding...); err != nil {
		return nil, fmt.Errorf("preparing to pack: %w", err)
	}
	if d.decode, err = zstd.NewReader(nil, decoding...); err != nil {
		return nil, fmt.Errorf("preparing to unpack: %w", err)
	}
	return d, nil
}

// none returns the dictionary of no shared content.
func (p *packer) none() (*dictionary, error) { return p.get(SharedID{}, nil) }

// get returns the dictionary of a shared content, of which fetch reads what is
// kept if it is not ready. The zero id is that of none.
func (p *packer) get(id SharedID, fetch func() ([]byte, error)) (*dictionary, error) {
	p.mu.Lock()
	d := p.ready[id]
	p.mu.Unlock()
	if d != nil {
		return d, nil
	}
	var kept []byte
	if id != (SharedID{}) {
		var err error
		if kept, err = fetch(); err != nil {
			return nil, err
		}
		if sum := sha256.Sum256(kept); SharedID(sum[:16]) != id {
			return nil, errors.New("the shared content is damaged")
		}
	}
	d, err := newDictionary(id, kept)
	if err != nil {
		return nil, err
	}
	d.stored = true
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(d)
	return d, nil
}

func (p *packer) keep(d *dictionary) {
	if p.ready == nil || len(p.ready) >= maxDictionaries {
		p.ready, p.chosen = map[SharedID]*dictionary{}, map[*byte]*dictionary{}
	}
	p.ready[d.id] = d
}

// content is what is to be packed, beside the dictionary that packs it.
type content struct {
	*dictionary
	begins bool   // with the prefix of the dictionary
	rest   []byte // what follows it, or all
}

// of looks once whether content begins as the dictionary has it.
func (d *dictionary) of(whole []byte) content {
	if d.kept != nil && bytes.HasPrefix(whole, d.prefix) {
		return content{d, true, whole[len(d.prefix):]}
	}
	return content{d, false, whole}
}

// choose finds the dictionary for content that has some of it in common with
// others: first and rest, one after the other. Its prefix is what the first such
// content and the shared one begin with, or less when another begins with less.
// Shared and first must not be changed any more: a first that lies where one lay
// before is not compared again.
func (p *packer) choose(shared, first, rest []byte) (content, error) {
	if len(shared) < least || len(shared) > MaxBytes {
		d, err := p.none()
		if err != nil {
			return content{}, err
		}
		return d.of(joined(first, rest)), nil
	}
	p.mu.Lock()
	d := p.chosen[&shared[0]]
	known := d != nil && len(first) > 0 && d.known == lyingOf(first)
	p.mu.Unlock()
	if known {
		return content{d, true, rest}, nil
	}
	whole := joined(first, rest)
	if d != nil {
		if c := d.of(whole); c.begins {
			return c, nil
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	size := common(shared, whole)
	if known = len(first) > 0 && size >= len(first); known {
		size = len(first)
	}
	id, kept := sharedEntry(size, shared)
	if d = p.ready[id]; d == nil {
		var err error
		if d, err = newDictionary(id, kept); err != nil {
			return content{}, err
		}
		p.keep(d)
	}
	if known {
		d.known = lyingOf(first)
	}
	if len(p.chosen) >= maxDictionaries { // the same content lies in many places
		p.chosen = map[*byte]*dictionary{}
	}
	p.chosen[&shared[0]] = d
	return d.of(whole), nil
}

// joined is first and rest, one after the other.
func joined(first, rest []byte) []byte {
	if len(first) == 0 {
		return rest
	}
	return slices.Concat(first, rest)
}

// common is how many bytes two begin with alike.
func common(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// pack makes content smaller. What would not come back exactly the same is
// kept as it is.
func (c content) pack() []byte {
	switch {
	case c.kept == nil:
		if out := c.frame(packedZstd); out != nil {
			return out
		}
	case !c.begins:
	case len(c.rest) <= short:
		return slices.Concat([]byte{packedRest}, c.id[:], c.rest)
	default:
		// An S2 block takes a third of the time. It is as good where little is
		// left beside what is shared, and has no entropy coding for more.
		if out := c.frame(packedNear); out != nil && len(out) <= len(c.rest)/8 {
			return out
		}
		if out := c.frame(packedShared); out != nil {
			return out
		}
	}
	return append([]byte{packedPlain}, c.whole()...)
}

// frame packs what follows the prefix in one of the ways, and unpacks it again.
// Nil if that way is not there, is no smaller, or does not come back the same.
func (c content) frame(way byte) []byte {
	room, _ := c.room.Get().(*[]byte)
	if room == nil {
		room = new([]byte)
	}
	defer c.room.Put(room)
	*room = slices.Grow((*room)[:0], 2*len(c.rest)+1024)
	out := append((*room)[:0], way)
	if way != packedZstd {
		out = append(out, c.id[:]...)
	}
	switch {
	case way != packedNear:
		out = c.encode.EncodeAll(c.rest, binary.AppendUvarint(out, uint64(len(c.rest))))
	case c.near == nil:
		return nil
	default: // a block begins with its length itself, and begins where there is room
		block := c.near.Encode(out[len(out):len(out):cap(out)], c.rest)
		out = append(out, block...)
	}
	if len(out) > len(c.prefix)+len(c.rest) {
		return nil
	}
	if back, err := c.unframe(out[len(out):], out); err != nil || !bytes.Equal(back, c.rest) {
		return nil
	}
	return bytes.Clone(out)
}

// whole is the content in one piece.
func (c content) whole() []byte {
	if c.begins {
		return joined(c.prefix, c.rest)
	}
	return c.rest
}

// digest is the SHA-256 of the content.
func (c content) digest() [sha256.Size]byte {
	h := sha256.New()
	if c.begins && !resume(h, c.state) {
		h.Reset()
		h.Write(c.prefix) // a hash takes everything
	}
	h.Write(c.rest)
	return [sha256.Size]byte(h.Sum(nil))
}

func resume(h hash.Hash, state []byte) bool {
	return h.(encoding.BinaryUnmarshaler).UnmarshalBinary(state) == nil
}

// unpack is the inverse of pack, in new memory, from any bytes that packedBy
// says are of this dictionary.
func (d *dictionary) unpack(b []byte) ([]byte, error) {
	switch {
	case len(b) > 0 && b[0] == packedPlain:
		return bytes.Clone(b[1:]), nil
	case len(b) > len(d.id) && b[0] == packedRest:
		return slices.Concat(d.prefix, b[1+len(d.id):]), nil
	case len(b) > 0 && b[0] == packedZstd:
		return d.unframe(nil, b)
	}
	rest, err := d.unframe(nil, b)
	if err != nil {
		return nil, err
	}
	return slices.Concat(d.prefix, rest), nil
}

// unframe is the inverse of frame, in room if there is enough.
func (d *dictionary) unframe(room, b []byte) ([]byte, error) {
	at := 1
	if len(b) > 0 && b[0] != packedZstd {
		at += len(d.id)
	}
	if at >= len(b) {
		return nil, errors.New("unpacking: it is cut short")
	}
	n, size := binary.Uvarint(b[at:])
	if size <= 0 || n > MaxBytes {
		return nil, errors.New("unpacking: the length is damaged")
	}
	if b[0] == packedNear && d.near == nil {
		return nil, errors.New("unpacking: what it shares with others is of another kind")
	}
	decode, from := d.decode.DecodeAll, at+size
	if b[0] == packedNear {
		decode, from = func(src, dst []byte) ([]byte, error) { return d.near.Decode(dst, src) }, at
	}
	out, err := decode(b[from:], slices.Grow(room[:0], int(n)))
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
	case slices.Contains([]byte{packedShared, packedRest, packedNear}, b[0]) && len(b) > len(id):
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
