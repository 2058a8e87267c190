package status

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"hash/adler32"
	"hash/crc32"
)

// A packed is a byte array with its compressed form, which is kept in pieces so
// that a change costs one piece and not the whole. DEFLATE blocks that start
// without history and end on a byte may stand in any order behind one another
// (RFC 1951, section 3.2.3; RFC 1950 and RFC 1952 for what stands around them).
type packed struct {
	container
	raw   []byte
	block int // bytes of raw to a piece; the last one may be shorter
	parts []part
	first matrix // checksum behind a whole block
	last  matrix // checksum behind the last one
	done  int    // pieces that were compressed so far
}

// part is one piece: base64url of the base64url of its bytes, as it stands in a
// JWS. They are a multiple of nine, so that neighbours do not mix. The text is
// never changed, only replaced.
type part struct {
	text  []byte
	sum   uint32
	stale bool
}

// container is the format around the blocks.
type container int

const (
	gzipped container = iota
	zlibbed
)

// Small arrays are smaller in large pieces, in large ones the time of a change
// counts.
const (
	largeBlock = 8 << 10
	smallBlock = 4 << 10
	manyBytes  = 128 << 10
)

func newPacked(c container, size uint64) *packed {
	p := &packed{container: c, raw: make([]byte, size), block: largeBlock}
	if size > manyBytes {
		p.block = smallBlock
	}
	p.parts = make([]part, (len(p.raw)+p.block-1)/p.block)
	for n := range p.parts {
		p.parts[n].stale = true
	}
	if c == gzipped {
		p.first, p.last = zeros(p.block), zeros(len(p.raw)-(len(p.parts)-1)*p.block)
	}
	return p
}

// put writes one byte.
func (p *packed) put(n int, b byte) {
	if p.raw[n] != b {
		p.raw[n] = b
		p.parts[n/p.block].stale = true
	}
}

// replace takes hold of other bytes, as many as there are.
func (p *packed) replace(raw []byte) {
	for n := range p.parts {
		if from, to := p.span(n); !bytes.Equal(raw[from:to], p.raw[from:to]) {
			p.parts[n].stale = true
		}
	}
	p.raw = raw
}

func (p *packed) span(n int) (from, to int) { return n * p.block, min((n+1)*p.block, len(p.raw)) }

// text compresses what changed and puts everything together.
func (p *packed) text(w *Packer) Text {
	t := Text{parts: make([][]byte, len(p.parts))}
	for n := range p.parts {
		if p.parts[n].stale {
			p.parts[n] = p.pack(w, n)
			p.done++
		}
		t.parts[n] = p.parts[n].text
	}
	tail := []byte{3, 0} // an empty last block
	if p.container == gzipped {
		tail = binary.LittleEndian.AppendUint32(tail, p.sum())
		tail = binary.LittleEndian.AppendUint32(tail, uint32(len(p.raw)))
	} else {
		tail = binary.BigEndian.AppendUint32(tail, p.sum())
	}
	t.tail = base64.RawURLEncoding.AppendEncode(nil, tail)
	return t
}

// pack compresses one piece.
func (p *packed) pack(w *Packer, n int) part {
	from, to := p.span(n)
	var before []byte
	if n == 0 && p.container == gzipped {
		before = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff} // no time, no system
	} else if n == 0 {
		before = []byte{0x78, 0xda} // what "compressed as well as can be" says is what the draft shows
	}
	raw := p.raw[from:to]
	out := part{sum: crc32.ChecksumIEEE(raw)}
	if p.container == zlibbed {
		out.sum = adler32.Checksum(raw)
	}
	once := base64.RawURLEncoding.AppendEncode(nil, w.deflate(before, raw))
	out.text = base64.RawURLEncoding.AppendEncode(nil, once)
	return out
}

// sum is the checksum of the whole, made of those of the pieces.
func (p *packed) sum() uint32 {
	whole := p.parts[0].sum
	for n := 1; n < len(p.parts); n++ {
		from, to := p.span(n)
		switch next := p.parts[n].sum; {
		case p.container == zlibbed:
			whole = adlerOf(whole, next, to-from)
		case n == len(p.parts)-1:
			whole = p.last.times(whole) ^ next
		default:
			whole = p.first.times(whole) ^ next
		}
	}
	return whole
}

// adlerOf is the Adler-32 of a text whose second part has n bytes, from those of
// its parts (RFC 1950, section 9).
func adlerOf(a, b uint32, n int) uint32 {
	const base = 65521
	low := uint64(a&0xffff) + base - 1
	sum := (low + uint64(b&0xffff)) % base
	more := (uint64(a>>16) + uint64(b>>16) + uint64(n)%base*(low%base)) % base
	return uint32(more<<16 | sum)
}

// matrix is a linear map of 32 bits: the images of the single bits.
type matrix [32]uint32

func (m *matrix) times(v uint32) (out uint32) {
	for n := 0; v != 0; n, v = n+1, v>>1 {
		if v&1 == 1 {
			out ^= m[n]
		}
	}
	return out
}

// zeros is what n zero bytes behind a text do to its CRC-32, so that the CRC-32
// of a longer text is that of its first part times zeros, xor that of the second.
func zeros(n int) matrix {
	var all, some matrix
	table := crc32.MakeTable(crc32.IEEE)
	for bit := range all {
		c := uint32(1) << bit
		all[bit], some[bit] = c, table[byte(c)]^c>>8
	}
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			all = some.of(all)
		}
		some = some.of(some)
	}
	return all
}

// of is m after o.
func (m *matrix) of(o matrix) matrix {
	for n, v := range o {
		o[n] = m.times(v)
	}
	return o
}

// Packer compresses registers, one at a time. It takes about a megabyte.
type Packer struct {
	best, even *flate.Writer
	buf, other bytes.Buffer
}

// NewPacker returns a packer.
func NewPacker() *Packer {
	w := &Packer{}
	w.best, _ = flate.NewWriter(nil, 6)                 // a level that there is
	w.even, _ = flate.NewWriter(nil, flate.HuffmanOnly) // better where many bits are set, and quick
	return w
}

// dense is the share of the bytes that remain, one in so many, above which a
// second way of compressing is tried.
const dense = 6

// deflate returns what stands before and blocks that hold raw, without an end, as
// a multiple of nine bytes. They are valid until the next call.
func (w *Packer) deflate(before, raw []byte) []byte {
	pack := func(z *flate.Writer, buf *bytes.Buffer) {
		buf.Reset()
		buf.Write(before)
		z.Reset(buf)
		_, _ = z.Write(raw) // a bytes.Buffer takes everything
		_ = z.Flush()
		for buf.Len()%9 != 0 {
			buf.Write([]byte{0, 0, 0, 0xff, 0xff}) // an empty stored block
		}
	}
	pack(w.best, &w.buf)
	if w.buf.Len() > len(raw)/dense {
		if pack(w.even, &w.other); w.other.Len() < w.buf.Len() {
			return w.other.Bytes()
		}
	}
	return w.buf.Bytes()
}

// Text is a compressed list as a text of a signed JSON object. It is not changed
// by later changes of its register.
type Text struct {
	prefix string
	parts  [][]byte // base64url of base64url
	tail   []byte   // base64url
}

// String returns the text as a reader of the object finds it: base64url without
// padding, behind a multibase prefix in a Bitstring Status List.
func (t Text) String() string {
	out := []byte(t.prefix)
	for _, p := range t.parts {
		out, _ = base64.RawURLEncoding.AppendDecode(out, p) // we encoded it
	}
	return string(append(out, t.tail...))
}

// Len returns how many bytes AppendClaims appends at most.
func (t Text) Len(before, after []byte) int {
	n := base64.RawURLEncoding.EncodedLen(len(before) + 2 + len(t.prefix) + len(t.tail) + len(after))
	for _, p := range t.parts {
		n += len(p)
	}
	return n + 2
}

// AppendClaims appends to dst the base64url of a JSON object that is before, this
// text and after, one behind the other. After the brace with which before begins
// there is white space, so that the text is encoded already.
func (t Text) AppendClaims(dst, before, after []byte) []byte {
	const blanks = "  "
	head := append(make([]byte, 0, len(before)+len(blanks)+len(t.prefix)), before[:1]...)
	head = append(head, blanks[:(3-(len(before)+len(t.prefix))%3)%3]...)
	head = append(append(head, before[1:]...), t.prefix...)
	dst = base64.RawURLEncoding.AppendEncode(dst, head)
	for _, p := range t.parts {
		dst = append(dst, p...)
	}
	rest := append(append(make([]byte, 0, len(t.tail)+len(after)), t.tail...), after...)
	return base64.RawURLEncoding.AppendEncode(dst, rest)
}
