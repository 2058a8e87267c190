package credentials

import (
	"bytes"
	"crypto"
	"encoding"
	"encoding/base64"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// template is a document of a series with its slots left open, cut where they
// are: joined with the values it is, byte for byte, what NewDocument writes.
type template struct {
	slots  []slot   // in order
	plain  [][]byte // of the document: one before each slot, one after the last
	quoted [][]byte // the same as it stands in the sealed file; the first from its first byte
	begins []byte   // what the files of the series begin with, or quoted[0]
	latest atomic.Pointer[moment]
}

// fileBegins is what stands before the payload in a sealed file (Envelope.file).
const fileBegins = `{"payload":"`

// newTemplate cuts the document of an award, of which only the shape matters.
func newTemplate(a Award, i Issue, v values) (*template, error) {
	p := &printer{}
	if err := p.document(a, i, v); err != nil {
		return nil, err
	}
	t := &template{}
	from := 0
	for _, open := range p.places {
		t.slots, t.plain, from = append(t.slots, open.slot), append(t.plain, bytes.Clone(p.b[from:open.at])), open.at
	}
	t.plain = append(t.plain, bytes.Clone(p.b[from:]))
	for n, part := range t.plain {
		part = appendQuoted(nil, part)
		part = part[1 : len(part)-1]
		if n == 0 {
			part = append([]byte(fileBegins), part...)
		}
		t.quoted = append(t.quoted, bytes.Clone(part))
	}
	return t, nil
}

// written are values as they stand between the quotes of a document.
type written [slots][]byte

func (v *values) written() (*written, error) {
	var e written
	room := make([]byte, 0, 512)
	for n, text := range v {
		from := len(room)
		var err error
		if room, err = appendEscaped(room, text); err != nil {
			return nil, err
		}
		e[n] = room[from:len(room):len(room)]
	}
	return &e, nil
}

// appendRest writes what follows the first slot of the document, and its value.
func (t *template) appendRest(b []byte, e *written) []byte {
	for n, s := range t.slots {
		b = append(append(b, e[s]...), t.plain[n+1]...)
	}
	return b
}

// appendQuotedRest writes the same as it stands in the sealed file.
func (t *template) appendQuotedRest(b []byte, e *written) []byte {
	var room [128]byte
	for n, s := range t.slots {
		text := appendQuoted(room[:0], e[s])
		b = append(append(b, text[1:len(text)-1]...), t.quoted[n+1]...)
	}
	return b
}

// moment is what the seals made with a template in one second share.
type moment struct {
	second    int64
	protected string
	end       []byte      // of the file, from the end of the payload to the signature
	began     midway      // over the signing input up to the first slot
	proven    atomic.Bool // a seal of this moment was read back in full
}

// fileEnds is what stands after the signature.
const fileEnds = `"}]}`

// at is the moment of sealing. The last one is kept.
func (t *template) at(at time.Time, s *Series) (*moment, error) {
	if m := t.latest.Load(); m != nil && m.second == at.Unix() {
		return m, nil
	}
	header := appendProtected(nil, s.algorithm, s.kid, s.chain, at)
	m := &moment{second: at.Unix(), protected: base64.RawURLEncoding.EncodeToString(header)}
	m.end = bytes.Join([][]byte{[]byte(`","signatures":[{"protected":"`), []byte(m.protected), []byte(`","signature":"`)}, nil)
	var err error
	if m.began, err = stateOf(s.hash, []byte(m.protected), []byte{'.'}, t.plain[0]); err != nil {
		return nil, err
	}
	t.latest.Store(m)
	return m, nil
}

// midway is the state of a hash after the beginning of what it is over.
type midway struct {
	hash  crypto.Hash
	state []byte
}

func stateOf(h crypto.Hash, parts ...[]byte) (midway, error) {
	sum := h.New()
	for _, part := range parts {
		sum.Write(part)
	}
	state, ok := sum.(encoding.BinaryMarshaler)
	if !ok {
		return midway{}, fmt.Errorf("keeping the state of %v: %w", h, errors.ErrUnsupported)
	}
	b, err := state.MarshalBinary()
	if err != nil {
		return midway{}, fmt.Errorf("keeping the state of %v: %w", h, err)
	}
	return midway{h, b}, nil
}

// sum is the digest of the beginning and what follows it.
func (m midway) sum(rest []byte) ([]byte, error) {
	h := m.hash.New()
	state, ok := h.(encoding.BinaryUnmarshaler)
	if !ok {
		return nil, fmt.Errorf("going on from a state of %v: %w", m.hash, errors.ErrUnsupported)
	}
	if err := state.UnmarshalBinary(m.state); err != nil {
		return nil, fmt.Errorf("going on from a state of %v: %w", m.hash, err)
	}
	h.Write(rest)
	return h.Sum(nil), nil
}
