package bolt

import (
	"bytes"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"attesta/registry"
	"attesta/status"
)

// row is a record with what nobody but the store is told of it.
type row struct {
	registry.Record
	claim [32]byte // hash of its claim token
}

// The first byte of a record: its state in two bits, from the lowest, its
// status in two, its level in two, and two marks.
const (
	statusBits = 2
	levelBits  = 4
	wasChanged = 1 << 6 // a reason and time of a change of status follow
	rawLearner = 1 << 7 // the learner is a reference, stored raw

	referenceBytes = 17
	referenceLen   = 26
	idPrefix       = "urn:credential:"
)

func states() []registry.State {
	return []registry.State{registry.Reserved, registry.Sealed, registry.Erased}
}

// encodeRow writes a row, without Body. number gives a word its number. A
// reserved record has the room of what its seal will need, so that sealing
// makes no page overflow.
func encodeRow(r row, number func(string) (uint64, error)) ([]byte, error) {
	first, err := firstByte(r.Record)
	if err != nil {
		return nil, err
	}
	e := encoder{b: append(make([]byte, 0, 192), first)}
	id, ok := rawCredential(r.Credential)
	handle, okHandle := rawReference(r.Handle)
	if !ok || !okHandle {
		return nil, errors.New("encoding a record: its names are of another shape")
	}
	e.b = append(append(append(e.b, id...), handle...), r.claim[:]...)
	if learner, raw := rawReference(r.Learner); raw {
		e.b[0] |= rawLearner
		e.b = append(e.b, learner...)
	} else {
		e.text(r.Learner)
	}
	if err := e.words(number, r.Provider, r.Module, r.Version, r.Edition, r.List); err != nil {
		return nil, err
	}
	e.number(uint64(r.Index))
	e.text(string(r.Hidden))
	e.moment(r.ReservedAt)
	if r.Reason != "" || !r.StatusAt.IsZero() {
		e.b[0] |= wasChanged
		if err := e.words(number, r.Reason); err != nil {
			return nil, err
		}
		e.moment(r.StatusAt)
	}
	var digest [32]byte
	if n, err := hex.Decode(digest[:], []byte(r.Digest)); err != nil || (n != 0) != (r.State != registry.Reserved) || n%len(digest) != 0 {
		return nil, fmt.Errorf("encoding a record: it is %s with a digest of %d bytes", r.State, n)
	}
	e.b = append(e.b, digest[:]...)
	e.moment(r.SealedAt)
	n, err := number(r.SealKey)
	if err != nil {
		return nil, err
	}
	e.b = binary.BigEndian.AppendUint32(e.b, uint32(n)) // a reserved record has its room
	return e.b, nil
}

func firstByte(r registry.Record) (byte, error) {
	for n, s := range states() {
		if s == r.State && r.Status <= status.Suspended && r.Level <= registry.LevelLTA {
			return byte(n) | byte(r.Status)<<statusBits | byte(r.Level)<<levelBits, nil
		}
	}
	return 0, fmt.Errorf("encoding a record: it is %s, %v, at level %v", r.State, r.Status, r.Level)
}

// decodeRow reads a row from any bytes. word tells the word of a number.
func decodeRow(seq uint64, b []byte, word func(uint64) (string, error)) (row, error) {
	d := decoder{b: b}
	r := row{Record: registry.Record{Seq: seq}}
	first := d.take(1)
	if len(first) == 0 {
		return row{}, fmt.Errorf("reading record %d: %w", seq, d.end())
	}
	flags := first[0]
	r.Credential = textCredential(d.take(16))
	r.Handle = d.reference()
	copy(r.claim[:], d.take(32))
	if flags&rawLearner != 0 {
		r.Learner = d.reference()
	} else {
		r.Learner = d.text()
	}
	for _, p := range []*string{&r.Provider, &r.Module, &r.Version, &r.Edition, &r.List} {
		*p = d.word(word)
	}
	index := d.number()
	if hidden := d.take(d.number()); len(hidden) > 0 {
		r.Hidden = bytes.Clone(hidden)
	}
	r.ReservedAt = d.moment()
	if flags&wasChanged != 0 {
		r.Reason = d.word(word)
		r.StatusAt = d.moment()
	}
	digest := d.take(32)
	r.SealedAt = d.moment()
	if n := d.take(4); len(n) == 4 {
		if r.SealKey, d.err = word(uint64(binary.BigEndian.Uint32(n))); d.err != nil {
			d.b = nil
		}
	}
	if index >= registry.ListSize {
		d.fail("the index of a record")
	}
	r.Index = uint32(index)
	if err := d.end(); err != nil {
		return row{}, fmt.Errorf("reading record %d: %w", seq, err)
	}
	if err := r.unpackFlags(flags, digest); err != nil {
		return row{}, fmt.Errorf("reading record %d: %w", seq, err)
	}
	return r, nil
}

func (r *row) unpackFlags(flags byte, digest []byte) error {
	state, value, level := int(flags&3), status.Value(flags>>statusBits&3), registry.Level(flags>>levelBits&3)
	if state >= len(states()) || value > status.Suspended {
		return fmt.Errorf("decoding its state: %w", errDamaged)
	}
	r.State, r.Status, r.Level = states()[state], value, level
	if r.State != registry.Reserved {
		r.Digest = hex.EncodeToString(digest)
	} else if level != registry.LevelB || strings.Trim(string(digest), "\x00") != "" || r.SealKey != "" {
		return fmt.Errorf("decoding what it has reserved: %w", errDamaged)
	}
	return nil
}

// words appends the numbers of words.
func (e *encoder) words(number func(string) (uint64, error), words ...string) error {
	for _, w := range words {
		n, err := number(w)
		if err != nil {
			return err
		}
		e.number(n)
	}
	return nil
}

func (d *decoder) word(word func(uint64) (string, error)) string {
	n := d.number()
	if d.err != nil {
		return ""
	}
	w, err := word(n)
	if err != nil {
		d.err = err
	}
	return w
}

// moment appends a time as the seconds since the second before 1970, in five
// bytes; no time is zero.
func (e *encoder) moment(t time.Time) {
	n := uint64(0)
	if !t.IsZero() {
		n = uint64(t.Unix() + 1)
	}
	e.b = appendSeq(e.b, n)
}

func (d *decoder) moment() time.Time {
	n, err := seqOf(d.take(seqBytes))
	if err != nil {
		d.fail("moment")
	}
	if n == 0 || d.err != nil {
		return time.Time{}
	}
	return time.Unix(int64(n-1), 0).UTC()
}

// rawReference turns 26 characters A-Z2-7, 130 bits, into 17 bytes.
func rawReference(s string) ([]byte, bool) {
	if len(s) != referenceLen {
		return nil, false
	}
	var text [32]byte
	copy(text[copy(text[:], s):], "AAAAAA")
	raw := make([]byte, 20)
	if n, err := base32.StdEncoding.Decode(raw, text[:]); err != nil || n != len(raw) {
		return nil, false
	}
	return raw[:referenceBytes], true
}

// reference reads 17 bytes as the 26 characters they stand for.
func (d *decoder) reference() string {
	var raw [20]byte
	if copy(raw[:], d.take(referenceBytes)); raw[referenceBytes-1]&0x3f != 0 {
		d.fail("reference")
	}
	return base32.StdEncoding.EncodeToString(raw[:])[:referenceLen]
}

// rawCredential turns urn:credential:<uuid> into the 16 bytes of the UUID.
func rawCredential(s string) ([]byte, bool) {
	text, ok := strings.CutPrefix(s, idPrefix)
	if !ok || len(text) != 36 {
		return nil, false
	}
	var digits, again [32]byte
	n := 0
	for _, part := range []string{text[:8], text[9:13], text[14:18], text[19:23], text[24:]} {
		n += copy(digits[n:], part)
	}
	raw := make([]byte, 16)
	if _, err := hex.Decode(raw, digits[:]); err != nil {
		return nil, false
	}
	hex.Encode(again[:], raw) // other letters than those it is written with
	return raw, again == digits && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-'
}

func textCredential(raw []byte) string {
	if len(raw) != 16 {
		return ""
	}
	h := hex.EncodeToString(raw)
	return idPrefix + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
