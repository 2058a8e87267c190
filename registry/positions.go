package registry

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"

	"attesta/status"
)

// ListSize is the number of entries of every status list.
const ListSize = status.MinEntries

// Positions is a secret fixed permutation of 0 to ListSize-1. A list gives out
// the positions At(0), At(1) and so on, so that no position is given twice and
// none says anything of the order of issuing to who has not the seed.
type Positions struct{ block cipher.Block }

// NewPositions returns the permutation of a seed, which must be random and stay
// with its list for life.
func NewPositions(seed [32]byte) (Positions, error) {
	block, err := aes.NewCipher(seed[:])
	if err != nil {
		return Positions{}, fmt.Errorf("making positions: %w", err)
	}
	return Positions{block: block}, nil
}

const (
	halfBits = 9 // two halves of 9 bits are the least even width above 17 bits
	halfMask = 1<<halfBits - 1
	rounds   = 10
)

// At returns the n-th position to give out, or ErrFull from ListSize on.
func (p Positions) At(n uint32) (uint32, error) {
	if n >= ListSize {
		return 0, fmt.Errorf("taking position %d of %d: %w", n, ListSize, ErrFull)
	}
	// The network permutes 2^18 values; walking on until the value is inside the
	// list permutes the list itself (cycle walking).
	for n = p.permute(n); n >= ListSize; {
		n = p.permute(n)
	}
	return n, nil
}

// permute is a Feistel network with AES-256 as its round function.
func (p Positions) permute(n uint32) uint32 {
	left, right := n>>halfBits, n&halfMask
	var in, out [aes.BlockSize]byte
	for round := range byte(rounds) {
		in[0], in[1], in[2] = round, byte(right>>8), byte(right)
		p.block.Encrypt(out[:], in[:])
		f := (uint32(out[0])<<8 | uint32(out[1])) & halfMask
		left, right = right, left^f
	}
	return left<<halfBits | right
}
