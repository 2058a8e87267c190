package credentials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"
	"sync"
	"sync/atomic"

	"filippo.io/nistec"
)

// sameKey verifies signatures of one key over digests, as verifyDigest does. Of
// P-256 it prepares the multiples of the key once it is asked often, and then needs
// less than half the time. Only public values go through it, so its time may
// depend on them. It is safe for concurrent use.
type sameKey struct {
	asked     atomic.Int64
	prepare   sync.Once
	multiples atomic.Pointer[multiples]
}

// often is after how many signatures the multiples have paid for themselves.
const often = 16

// multiples of a point: in row i those by 0 to 15 times 16 to the power of i.
type multiples [64][16]nistec.P256Point

// verify is verifyDigest for a key that is always the same one.
func (k *sameKey) verify(alg string, key any, digest, signature []byte) error {
	if public, ok := key.(*ecdsa.PublicKey); ok && alg == "ES256" && public.Curve == elliptic.P256() && k.asked.Add(1) > often {
		k.prepare.Do(func() {
			if m, err := multiplesOf(public); err == nil {
				k.multiples.Store(m)
			}
		})
		if m := k.multiples.Load(); m != nil && m.verify(digest, signature) {
			return nil
		}
	} // what was not found good is judged, and worded, by the library
	return verifyDigest(alg, key, digest, signature)
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
		step = nistec.NewP256Point().Add(&row[len(row)-1], step)
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
	for i, b := range scalar {
		row := 2 * (len(scalar) - 1 - i)
		sum.Add(sum, &m[row][b&15])
		sum.Add(sum, &m[row+1][b>>4])
	}
	x, err := sum.BytesX()
	if err != nil { // the point at infinity
		return false
	}
	u.SetBytes(x)
	return u.Mod(u, order).Cmp(r) == 0
}
