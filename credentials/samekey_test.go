package credentials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"slices"
	"testing"
)

// signed returns a key with one signature of it over a digest.
func signed(t testing.TB, curve elliptic.Curve, text string) (public *ecdsa.PublicKey, digest, signature []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	half := signatureBytes(&key.PublicKey) / 2
	return &key.PublicKey, sum[:], slices.Concat(r.FillBytes(make([]byte, half)), s.FillBytes(make([]byte, half)))
}

// TestSameKeyJudgesAsTheLibrary (J8): the prepared multiples find good what
// crypto/ecdsa does, and nothing else.
func TestSameKeyJudgesAsTheLibrary(t *testing.T) {
	order := elliptic.P256().Params().N
	for n := range 20 {
		public, digest, good := signed(t, elliptic.P256(), string(rune('a'+n)))
		_, _, foreign := signed(t, elliptic.P256(), string(rune('a'+n)))
		r, s := new(big.Int).SetBytes(good[:32]), new(big.Int).SetBytes(good[32:])
		pair := func(r, s *big.Int) []byte {
			return slices.Concat(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32)))
		}
		flipped := slices.Clone(good)
		flipped[n] ^= 1 << (n % 8)
		most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
		all := map[string][]byte{
			"good": good, "its other s": pair(r, new(big.Int).Sub(order, s)),
			"of another key": foreign, "one bit": flipped, "swapped": pair(s, r),
			"r 0": pair(new(big.Int), s), "s 0": pair(r, new(big.Int)), "zeros": make([]byte, 64),
			"r order": pair(order, s), "s order": pair(r, order), "most": pair(most, most),
			"short": good[:63], "long": append(slices.Clone(good), 0), "none": nil,
		}
		var k SameKeys
		m := k.prepared(public, often+1)
		verify := func(d, signature []byte) bool {
			return new(bench).verify(m, k.generator, []check{{d, signature}})[0]
		}
		other := slices.Clone(digest)
		other[31-n] ^= 1
		for name, signature := range all {
			for _, d := range [][]byte{digest, other, make([]byte, 32), digest[:31]} {
				want := verifyDigest("ES256", public, d, signature) == nil && len(d) == 32
				if got := verify(d, signature); got != want {
					t.Errorf("%s over %x: %v, and the library says %v", name, d, got, want)
				}
			}
		}
		if !verify(digest, good) || !verify(digest, all["its other s"]) {
			t.Error("a good signature is found bad")
		}
	}
}

// TestDigits puts numbers together again from their digits.
func TestDigits(t *testing.T) {
	all := [][32]byte{{}, {31: 1}, {0: 0x80}}
	var most, alternating [32]byte
	for n := range most {
		most[n], alternating[n] = 0xff, 0xaa
	}
	all = append(all, most, alternating)
	for range 1000 {
		var number [32]byte
		if _, err := rand.Read(number[:]); err != nil {
			t.Fatal(err)
		}
		all = append(all, number)
	}
	for _, number := range all {
		sum := new(big.Int)
		digits := digitsOf(&number)
		for _, digit := range slices.Backward(digits[:]) {
			if digit < -base/2 || digit > base/2 {
				t.Errorf("%x has the digit %d", number, digit)
			}
			sum.Add(sum.Mul(sum, big.NewInt(base)), big.NewInt(int64(digit)))
		}
		if want := new(big.Int).SetBytes(number[:]); sum.Cmp(want) != 0 {
			t.Errorf("%x is read as %x", want, sum)
		}
	}
}

// TestSameKeyOfEveryKind asks often about keys with and without multiples.
func TestSameKeyOfEveryKind(t *testing.T) {
	for name, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384()} {
		public, digest, good := signed(t, curve, name)
		bad := slices.Clone(good)
		bad[len(bad)-1] ^= 1
		var k SameKeys
		for n := range 2 * often {
			if good, err := k.verify(name, public, []check{{digest, good}}); err != nil || good != 1 {
				t.Errorf("%s, good, after %d: %d, %v", name, n, good, err)
			}
			_, got := k.verify(name, public, []check{{digest, bad}})
			want := verifyDigest(name, public, digest, bad)
			if got == nil || want == nil || got.Error() != want.Error() {
				t.Errorf("%s, bad, after %d: %v, want %v", name, n, got, want)
			}
			if _, err := k.verify("ES512", public, []check{{digest, good}}); err == nil {
				t.Errorf("%s passes for ES512", name)
			}
		}
		if prepared := k.of[public] != nil && k.of[public].multiples.Load() != nil; prepared != (name == "ES256") {
			t.Errorf("%s: prepared %v", name, prepared)
		}
	}
}

// TestSameKeysAreFew: those of which multiples are kept are bounded.
func TestSameKeysAreFew(t *testing.T) {
	var k SameKeys
	for n := range 3 * maxSameKeys {
		public, digest, good := signed(t, elliptic.P256(), string(rune('a'+n)))
		for range 2 {
			if _, err := k.verify("ES256", public, []check{{digest, good}}); err != nil {
				t.Error(err)
			}
		}
		if k.of[public] == nil || len(k.of) > maxSameKeys {
			t.Errorf("after key %d: %d are kept, this one: %v", n, len(k.of), k.of[public] != nil)
		}
	}
}

// TestSameKeysTellWhichIsBad (J8): of many that are verified together every
// bad one is found, in its place, and none makes another good.
func TestSameKeysTellWhichIsBad(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := make([]check, 2*atOnce+5)
	for n := range good {
		digest := sha256.Sum256([]byte{byte(n)})
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		good[n] = check{digest[:], slices.Concat(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32)))}
	}
	var k SameKeys
	for _, asked := range []int64{0, often} { // by the library, and together
		k.key(&key.PublicKey).asked.Store(asked)
		for _, many := range []int{0, 1, 2, 3, atOnce - 1, atOnce, atOnce + 1, len(good)} {
			if found, err := k.verify("ES256", &key.PublicKey, good[:many]); err != nil || found != many {
				t.Errorf("%d good ones: %d, %v", many, found, err)
			}
		}
		for n := range good {
			for name, bad := range map[string]check{
				"of its neighbour": {good[n].digest, good[(n+1)%len(good)].signature}, "zeros": {good[n].digest, make([]byte, 64)},
				"short": {good[n].digest, good[n].signature[:63]}, "no digest": {nil, good[n].signature},
			} {
				all := slices.Clone(good)
				all[n] = bad
				if n+3 < len(all) {
					all[n+3] = bad
				}
				if found, err := k.verify("ES256", &key.PublicKey, all); err == nil || found != n {
					t.Errorf("%s in place %d: %d are good, %v", name, n, found, err)
				}
			}
		}
	}
}

// TestSameKeysWhereSumsMeet (J8): keys that are the generator, or a small multiple
// of it or of its inverse, whose sums are of equal points and of points that
// cancel out, with scalars chosen for it.
func TestSameKeysWhereSumsMeet(t *testing.T) {
	order := elliptic.P256().Params().N
	number := func(n int64) *big.Int { return new(big.Int).Mod(big.NewInt(n), order) }
	for _, d := range []int64{1, -1, 2, -2, 3, base, -base, base / 2} {
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), number(d).FillBytes(make([]byte, 32)))
		if err != nil {
			t.Fatal(err)
		}
		var k SameKeys
		m := k.prepared(&key.PublicKey, often+1)
		var all []check
		for _, v := range []int64{1, -1, 2, 3, base / 2, -base / 2, base, base + 1, 1 << 40, -(1 << 40)} {
			for _, u := range []int64{0, v, -v, d * v, -d * v, 2 * v, 1, base} {
				// The sum is of (u + v d) times the generator: r is its x, s is r / v, and
				// the digest is u s.
				sum := number(u)
				sum.Mod(sum.Add(sum, new(big.Int).Mul(number(v), number(d))), order)
				r := big.NewInt(1)
				if sum.Sign() != 0 {
					point, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum.FillBytes(make([]byte, 32)))
					if err != nil {
						t.Fatal(err)
					}
					encoded, err := point.PublicKey.Bytes()
					if err != nil {
						t.Fatal(err)
					}
					r.Mod(r.SetBytes(encoded[1:33]), order)
				}
				s := new(big.Int).ModInverse(number(v), order)
				s.Mod(s.Mul(s, r), order)
				e := new(big.Int).Mul(number(u), s)
				c := check{e.Mod(e, order).FillBytes(make([]byte, 32)), slices.Concat(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32)))}
				all = append(all, c)
				want := verifyDigest("ES256", &key.PublicKey, c.digest, c.signature) == nil
				if want != (sum.Sign() != 0) {
					t.Fatalf("key %d, %d and %d: the library says %v", d, u, v, want)
				}
				if got := new(bench).verify(m, k.generator, []check{c})[0]; got != want {
					t.Errorf("key %d, %d and %d: %v, and the library says %v", d, u, v, got, want)
				}
			}
		}
		for some := range slices.Chunk(all, atOnce) {
			for n, got := range new(bench).verify(m, k.generator, some) {
				if n < len(some) && got != (verifyDigest("ES256", &key.PublicKey, some[n].digest, some[n].signature) == nil) {
					t.Errorf("key %d, together: place %d is %v", d, n, got)
				}
			}
		}
	}
}

// TestPoints adds what additions of points make an exception of, and holds the
// multiples against those of the library.
func TestPoints(t *testing.T) {
	curve := elliptic.P256().Params()
	at := func(n *big.Int) (p point) {
		if n.Sign() == 0 {
			return p
		}
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), n.FillBytes(make([]byte, 32)))
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		p.x.SetBytes(encoded[1:33])
		p.y.SetBytes(encoded[33:])
		return p
	}
	minus := func(n int64) *big.Int { return new(big.Int).Sub(curve.N, big.NewInt(n)) }
	some := []*big.Int{big.NewInt(0), big.NewInt(1), big.NewInt(2), big.NewInt(3), minus(1), minus(2), minus(3)}
	var to, more, want []point
	for _, a := range some {
		for _, b := range some {
			sum := new(big.Int).Add(a, b)
			to, more, want = append(to, at(a)), append(more, at(b)), append(want, at(sum.Mod(sum, curve.N)))
		}
	}
	new(adder).addAll(to, more)
	for n := range to {
		if to[n] != want[n] {
			t.Errorf("%v + %v: %v, want %v", some[n/len(some)], some[n%len(some)], to[n], want[n])
		}
	}
	one := at(big.NewInt(1))
	x, y := one.x.Bytes(), one.y.Bytes()
	m, err := multiplesOf(slices.Concat(x[:], y[:]))
	if err != nil {
		t.Fatal(err)
	}
	for i := range m {
		for _, n := range []int64{0, 1, 2, 3, base/4 - 1, base / 4, base/4 + 1, base/2 - 1, base / 2} {
			by := new(big.Int).Lsh(big.NewInt(n), uint(i*digitBits))
			if m[i][n] != at(by.Mod(by, curve.N)) {
				t.Errorf("row %d, multiple %d", i, n)
			}
		}
	}
	if _, err := multiplesOf(slices.Repeat([]byte{0xff}, 64)); err == nil {
		t.Error("coordinates beyond the field are taken")
	}
}

// BenchmarkSameKey is the verification of 32 signatures of a key that is always
// the same one, beside as many of the library.
func BenchmarkSameKey(b *testing.B) {
	public, digest, good := signed(b, elliptic.P256(), "attesta")
	checks := slices.Repeat([]check{{digest, good}}, atOnce)
	verify := func(b *testing.B, k *SameKeys) {
		if _, err := k.verify("ES256", public, checks); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("prepared", func(b *testing.B) {
		var k SameKeys
		for range often/atOnce + 1 {
			verify(b, &k)
		}
		for b.Loop() {
			verify(b, &k)
		}
	})
	b.Run("library", func(b *testing.B) {
		for b.Loop() {
			for range checks {
				_ = verifyDigest("ES256", public, digest, good)
			}
		}
	})
	b.Run("preparing", func(b *testing.B) {
		for b.Loop() {
			new(SameKeys).prepared(public, often+1)
		}
	})
}
