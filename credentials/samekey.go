package credentials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"
	"sync"
	"sync/atomic"

	"filippo.io/nistec"
)

// SameKeys verifies signatures of few keys over digests, as verifyDigest does: of
// an issuer that reads its own seals back. Of P-256 it prepares the multiples of a
// key once it is asked often, and then needs a third of the time. Only public
// values go through it, so its time may depend on them. The zero value is ready.
// It is safe for concurrent use.
type SameKeys struct {
	mu sync.Mutex
	of map[*ecdsa.PublicKey]*sameKey
}

// maxSameKeys bounds how many keys are prepared at a time.
const maxSameKeys = 8

type sameKey struct {
	asked     atomic.Int64
	prepare   sync.Once
	multiples atomic.Pointer[multiples]
}

// often is after how many signatures the multiples are worth their making, which
// takes as long as a hundred of them, and 1.3 MB.
const often = 150

// A scalar is written in digits of so many bits, from minus half to half of base.
const (
	digitBits = 10
	base      = 1 << digitBits
)

// multiples of a point: in row i those by 0 to half of base times base to the
// power of i.
type multiples [256/digitBits + 1][base/2 + 1]nistec.P256Point

// verify is verifyDigest.
func (k *SameKeys) verify(alg string, key any, digest, signature []byte) error {
	if public, ok := key.(*ecdsa.PublicKey); ok && alg == "ES256" && public.Curve == elliptic.P256() {
		if m := k.key(public).get(public); m != nil && m.verify(digest, signature) {
			return nil
		}
	} // what was not found good is judged, and worded, by the library
	return verifyDigest(alg, key, digest, signature)
}

// key makes room for one that is new at the cost of any other.
func (k *SameKeys) key(public *ecdsa.PublicKey) *sameKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	if one, ok := k.of[public]; ok {
		return one
	}
	if k.of == nil {
		k.of = map[*ecdsa.PublicKey]*sameKey{}
	}
	for other := range k.of {
		if len(k.of) < maxSameKeys {
			break
		}
		delete(k.of, other)
	}
	one := new(sameKey)
	k.of[public] = one
	return one
}

// get returns the multiples, or nil as long as it is not asked often.
func (k *sameKey) get(public *ecdsa.PublicKey) *multiples {
	if k.asked.Add(1) <= often {
		return nil
	}
	k.prepare.Do(func() {
		if m, err := multiplesOf(public); err == nil {
			k.multiples.Store(m)
		}
	})
	return k.multiples.Load()
}

func multiplesOf(key *ecdsa.PublicKey) (*multiples, error) {
	encoded, err := key.Bytes()
	if err != nil {
		return nil, err
	}
	step, err := nistec.NewP256Point().SetBytes(encoded)
	if err != nil {
		return nil, err
	}
	m := new(multiples)
	for i := range m {
		row := &m[i]
		row[0] = *nistec.NewP256Point()
		for n := 1; n < len(row); n++ {
			row[n].Add(&row[n-1], step)
		}
		step = nistec.NewP256Point().Double(&row[len(row)-1])
	}
	return m, nil
}

// verify tells whether a signature, r and s of 32 bytes each, is good (FIPS
// 186-5, section 6.4.2) for a digest of 32 bytes.
func (m *multiples) verify(digest, signature []byte) bool {
	if len(digest) != 32 || len(signature) != 64 {
		return false
	}
	order := elliptic.P256().Params().N
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if r.BitLen() == 0 || s.BitLen() == 0 || r.Cmp(order) >= 0 || s.Cmp(order) >= 0 {
		return false
	}
	inverse := s.ModInverse(s, order)
	u, v := new(big.Int).SetBytes(digest), new(big.Int).Mul(r, inverse)
	u.Mod(u.Mul(u, inverse), order)
	v.Mod(v, order)

	var scalar [32]byte
	sum, err := nistec.NewP256Point().ScalarBaseMult(u.FillBytes(scalar[:]))
	if err != nil {
		return false
	}
	v.FillBytes(scalar[:])
	for i, digit := range digitsOf(&scalar) {
		if digit > 0 {
			sum.Add(sum, &m[i][digit])
		} else if digit < 0 {
			sum.Add(sum, nistec.NewP256Point().Negate(&m[i][-digit]))
		}
	}
	x, err := sum.BytesX()
	if err != nil { // the point at infinity
		return false
	}
	u.SetBytes(x)
	return u.Mod(u, order).Cmp(r) == 0
}

// digitsOf are the digits of a number, whose most significant byte is the first;
// the least significant digit is the first.
func digitsOf(number *[32]byte) (digits [256/digitBits + 1]int) {
	bits, have, next, carry := 0, 0, len(number), 0
	for i := range digits {
		for ; have < digitBits && next > 0; have += 8 {
			next--
			bits |= int(number[next]) << have
		}
		digit := bits&(base-1) + carry
		bits, have, carry = bits>>digitBits, have-digitBits, 0
		if digit > base/2 {
			digit, carry = digit-base, 1
		}
		digits[i] = digit
	}
	return digits
}
