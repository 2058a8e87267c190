package status

import (
	"errors"
	"fmt"
	"iter"
)

// TokenBits is how many bits an entry has in the Token Status Lists that a
// Register gives: enough for every Value there is.
const TokenBits = 2

// Register is the status of every entry of one list, in the forms in which it is
// published: a Token Status List, and a Bitstring Status List for each purpose.
// Each is kept compressed in pieces, so that publishing after a change costs the
// pieces that changed and a copy of the rest. It needs exclusive use; what it
// gave out stays as it was.
//
//	r := status.NewRegister(status.MinEntries)
//	err := r.Set(index, status.Revoked)
//	text := r.TokenList(packer)
type Register struct {
	token   *packed
	purpose map[Purpose]*packed
}

// NewRegister returns a register of at least size entries, all Valid: size is
// raised to MinEntries and to a multiple of eight.
func NewRegister(size uint32) *Register {
	n := (max(uint64(size), MinEntries) + 7) / 8
	return &Register{
		token:   newPacked(zlibbed, n*TokenBits),
		purpose: map[Purpose]*packed{Revocation: newPacked(gzipped, n), Suspension: newPacked(gzipped, n)},
	}
}

// Size returns the number of entries.
func (r *Register) Size() uint64 { return uint64(len(r.token.raw)) * 8 / TokenBits }

// Get returns the status of entry i. An index outside the list is ErrRange and
// must not be read as Valid.
func (r *Register) Get(i uint32) (Value, error) {
	if uint64(i) >= r.Size() {
		return Valid, fmt.Errorf("reading entry %d of %d: %w", i, r.Size(), ErrRange)
	}
	return Value(tokenValue(r.token.raw, TokenBits, i)), nil
}

// Set gives entry i a status. An index outside the list is ErrRange.
func (r *Register) Set(i uint32, v Value) error {
	if err := r.check(i, v); err != nil {
		return err
	}
	at := i / (8 / TokenBits)
	r.token.put(int(at), withToken(r.token.raw[at], TokenBits, i, uint8(v)))
	for purpose, p := range r.purpose {
		p.put(int(i/8), withBit(p.raw[i/8], i, v.sets(purpose)))
	}
	return nil
}

func (r *Register) check(i uint32, v Value) error {
	if uint64(i) >= r.Size() {
		return fmt.Errorf("setting entry %d of %d: %w", i, r.Size(), ErrRange)
	}
	if v > Suspended {
		return fmt.Errorf("setting entry %d: %v is not valid, revoked or suspended", i, v)
	}
	return nil
}

// SetAll gives the entries named the status that is named with them and all
// others Valid, or on an error changes nothing.
func (r *Register) SetAll(entries iter.Seq2[uint32, Value]) error {
	token := make([]byte, len(r.token.raw))
	bits := map[Purpose][]byte{}
	for purpose, p := range r.purpose {
		bits[purpose] = make([]byte, len(p.raw))
	}
	for i, v := range entries {
		if err := r.check(i, v); err != nil {
			return err
		}
		at := i / (8 / TokenBits)
		token[at] = withToken(token[at], TokenBits, i, uint8(v))
		for purpose, p := range bits {
			p[i/8] = withBit(p[i/8], i, v.sets(purpose))
		}
	}
	r.token.replace(token)
	for purpose, p := range r.purpose {
		p.replace(bits[purpose])
	}
	return nil
}

// TokenList returns the list as lst of a Token Status List with TokenBits for an
// entry: base64url of zlib, the least significant bits of a byte first
// (draft-ietf-oauth-status-list, section 4).
func (r *Register) TokenList(w *Packer) Text { return r.token.text(w) }

// BitList returns the list as the encodedList of a Bitstring Status List of a
// purpose: multibase 'u', base64url of gzip, the left-most bit of a byte first
// (Bitstring Status List 1.0, section 2.2). There is one for Revocation and one
// for Suspension.
func (r *Register) BitList(w *Packer, purpose Purpose) (Text, error) {
	p := r.purpose[purpose]
	if p == nil {
		return Text{}, errors.New("packing a list: its purpose is neither revocation nor suspension")
	}
	t := p.text(w)
	t.prefix = "u"
	return t, nil
}
