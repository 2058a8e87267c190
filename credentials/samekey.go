package credentials

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"slices"
	"sync"
	"sync/atomic"
)

// SameKeys verifies signatures of few keys over digests, as verifyDigest does: of
// an issuer that reads its own seals back. Of P-256 it prepares the multiples of a
// key once it is asked often, and verifies many signatures together, each for
// itself; then one needs a sixth of the time. Only public values go through it, so its
// time may depend on them. The zero value is ready. It is safe for concurrent use.
type SameKeys struct {
	benches sync.Pool // of *bench

	once      sync.Once
	generator *multiples // of the curve; nil if the library's is none

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
// takes as long as that many of them, and 2.9 MB.
const often = 300

// verify is verifyDigest for every check, in their order. It returns how many are
// good, and what is wrong with the one after them.
func (k *SameKeys) verify(alg string, key crypto.PublicKey, checks []check) (good int, err error) {
	public, ok := key.(*ecdsa.PublicKey)
	var prepared *multiples
	if ok && alg == "ES256" && public.Curve == elliptic.P256() {
		prepared = k.prepared(public, len(checks))
	}
	for together := range slices.Chunk(checks, atOnce) {
		var found [atOnce]bool
		if prepared != nil {
			b, ok := k.benches.Get().(*bench)
			if !ok {
				b = new(bench)
			}
			found = b.verify(prepared, k.generator, together)
			k.benches.Put(b)
		}
		for n, c := range together {
			if !found[n] { // what was not found good is judged, and worded, by the library
				if err := verifyDigest(alg, key, c.digest, c.signature); err != nil {
					return good, err
				}
			}
			good++
		}
	}
	return good, nil
}

// prepared returns the multiples of a key, or nil as long as it is not asked often.
func (k *SameKeys) prepared(public *ecdsa.PublicKey, times int) *multiples {
	one := k.key(public)
	if one.asked.Add(int64(times)) <= often {
		return nil
	}
	k.once.Do(func() {
		g := elliptic.P256().Params()
		k.generator, _ = multiplesOf(slices.Concat(g.Gx.FillBytes(make([]byte, 32)), g.Gy.FillBytes(make([]byte, 32))))
	})
	one.prepare.Do(func() {
		encoded, err := public.Bytes() // 4, then the coordinates (SEC 1, section 2.3.3)
		if err != nil || k.generator == nil {
			return
		}
		if m, err := multiplesOf(encoded[1:]); err == nil {
			one.multiples.Store(m)
		}
	})
	return one.multiples.Load()
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
