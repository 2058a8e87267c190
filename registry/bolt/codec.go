package bolt

import (
	"encoding/binary"
	"fmt"
	"time"

	"attesta/registry"
)

// Values are a sequence of variable-length numbers and of text and bytes with
// their length before them; records and events have forms of their own.

type encoder struct{ b []byte }

func (e *encoder) number(n uint64)  { e.b = binary.AppendUvarint(e.b, n) }
func (e *encoder) time(t time.Time) { e.b = binary.AppendVarint(e.b, t.Unix()) }
func (e *encoder) text(parts ...string) {
	for _, s := range parts {
		e.number(uint64(len(s)))
		e.b = append(e.b, s...)
	}
}

// decoder reads what an encoder wrote; after the first error it gives zeros.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("decoding %s: %w", what, errDamaged)
	}
	d.b = nil
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.b)
	if size <= 0 {
		d.fail("number")
		return 0
	}
	d.b = d.b[size:]
	return n
}

func (d *decoder) time() time.Time {
	n, size := binary.Varint(d.b)
	if size <= 0 {
		d.fail("time")
		return time.Time{}
	}
	d.b = d.b[size:]
	return time.Unix(n, 0).UTC()
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail("text")
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) text() string { return string(d.take(d.number())) }

func (d *decoder) end() error {
	if d.err == nil && len(d.b) > 0 {
		d.fail("the end of a value")
	}
	return d.err
}

func encodeCounts(c registry.Counts) []byte {
	var e encoder
	for _, n := range []uint64{c.Reserved, c.Sealed, c.Suspended, c.Revoked} {
		e.number(n)
	}
	return e.b
}

func decodeCounts(b []byte) (registry.Counts, error) {
	d := decoder{b: b}
	c := registry.Counts{Reserved: d.number(), Sealed: d.number(), Suspended: d.number(), Revoked: d.number()}
	return c, d.end()
}

// list is a status list with the part of it that is not published.
type list struct {
	id, provider string
	house        registry.House
	seed         [32]byte // of its registry.Positions
	next         uint32   // positions given out
	version      uint64
}

func encodeList(l *list) []byte {
	var e encoder
	e.text(l.provider, l.house.Sealer, l.house.LegalID, string(l.seed[:]))
	e.number(uint64(l.next))
	e.number(l.version)
	return e.b
}

func decodeList(id string, b []byte) (*list, error) {
	d := decoder{b: b}
	l := &list{id: id, provider: d.text(), house: registry.House{Sealer: d.text(), LegalID: d.text()}}
	if seed := d.take(d.number()); len(seed) == len(l.seed) {
		copy(l.seed[:], seed)
	} else {
		d.fail("seed of a list")
	}
	next := d.number()
	l.version = d.number()
	if next > registry.ListSize {
		d.fail("position of a list")
	}
	l.next = uint32(next)
	return l, d.end()
}

func encodeAccess(a registry.Access) []byte {
	var e encoder
	e.text(a.Kind, a.By)
	e.time(a.Expires)
	return e.b
}

func decodeAccess(b []byte) (registry.Access, error) {
	d := decoder{b: b}
	a := registry.Access{Kind: d.text(), By: d.text(), Expires: d.time()}
	return a, d.end()
}
