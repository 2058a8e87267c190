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
		m, err := multiplesOf(public)
		if err != nil {
			t.Fatal(err)
		}
		other := slices.Clone(digest)
		other[31-n] ^= 1
		for name, signature := range all {
			for _, d := range [][]byte{digest, other, make([]byte, 32), digest[:31]} {
				want := verifyDigest("ES256", public, d, signature) == nil && len(d) == 32
				if got := m.verify(d, signature); got != want {
					t.Errorf("%s over %x: %v, and the library says %v", name, d, got, want)
				}
			}
		}
		if !m.verify(digest, good) || !m.verify(digest, all["its other s"]) {
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
			if err := k.verify(name, public, digest, good); err != nil {
				t.Errorf("%s, good, after %d: %v", name, n, err)
			}
			got, want := k.verify(name, public, digest, bad), verifyDigest(name, public, digest, bad)
			if got == nil || want == nil || got.Error() != want.Error() {
				t.Errorf("%s, bad, after %d: %v, want %v", name, n, got, want)
			}
			if k.verify("ES512", public, digest, good) == nil {
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
			if err := k.verify("ES256", public, digest, good); err != nil {
				t.Error(err)
			}
		}
		if k.of[public] == nil || len(k.of) > maxSameKeys {
			t.Errorf("after key %d: %d are kept, this one: %v", n, len(k.of), k.of[public] != nil)
		}
	}
}

// BenchmarkSameKey is a verification with a key that is always the same one,
// beside one of the library.
func BenchmarkSameKey(b *testing.B) {
	public, digest, good := signed(b, elliptic.P256(), "attesta")
	b.Run("prepared", func(b *testing.B) {
		var k SameKeys
		for range often + 1 {
			if err := k.verify("ES256", public, digest, good); err != nil {
				b.Fatal(err)
			}
		}
		for b.Loop() {
			_ = k.verify("ES256", public, digest, good)
		}
	})
	b.Run("library", func(b *testing.B) {
		for b.Loop() {
			_ = verifyDigest("ES256", public, digest, good)
		}
	})
}
