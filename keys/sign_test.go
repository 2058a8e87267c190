package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// kinds are private keys of every kind that is used, by algorithm and size.
func kinds(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	return map[string]crypto.Signer{
		"ES256":      must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t),
		"ES384":      must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))(t),
		"RS256":      must(rsa.GenerateKey(rand.Reader, 2048))(t),
		"RS256 3072": must(rsa.GenerateKey(rand.Reader, 3072))(t),
	}
}

// must is a value whose making has to succeed.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Every kind of key goes to disk and comes back, names its algorithm and makes
// signatures that a library without knowledge of this ring finds good.
func TestKindsOfKeys(t *testing.T) {
	ca := made(t, nil, authority("CA"))
	for name, private := range kinds(t) {
		r, dir := filled(t)
		leaf := issued(t, ca, private, asIs)
		if _, err := r.Import(packed(t, private, leaf, ca.c), "segreta", Seal, Owner{ID: theOwner.ID}, theMoment); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, err := openRing(t, dir)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		k := current(t, again, Seal)
		if k.Algorithm() != name[:5] {
			t.Errorf("%s: the algorithm is %s", name, k.Algorithm())
		}
		signature, err := k.Sign([]byte("abc"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		verifier, err := jws.NewVerifier(jwa.SignatureAlgorithm(name[:5]))
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify([]byte("abc"), signature, leaf.PublicKey); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := verifier.Verify([]byte("abd"), signature, leaf.PublicKey); err == nil {
			t.Errorf("%s: the signature is good for something else", name)
		}
		sha2, sha3 := sha256.Sum256([]byte("abc")), sha512.Sum384([]byte("abc"))
		digest, other := sha2[:], sha3[:]
		if name == "ES384" {
			digest, other = other, digest
		}
		for range 20 { // one number in 128 has a leading zero
			if signature, err = k.SignDigest(digest); err != nil || verifier.Verify([]byte("abc"), signature, leaf.PublicKey) != nil {
				t.Errorf("%s: over the digest: %v", name, err)
			}
		}
		for _, digest := range [][]byte{nil, other, digest[1:]} {
			if _, err := k.SignDigest(digest); err == nil {
				t.Errorf("%s: a digest of %d bytes was signed", name, len(digest))
			}
		}
	}
}

func TestKindsOfKeysThatAreNotUsed(t *testing.T) {
	small := must(rsa.GenerateKey(rand.Reader, 1024))
	for name, public := range map[string]crypto.PublicKey{
		"P-224": must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))(t).Public(),
		"P-521": must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))(t).Public(),
		"RSA with exponent 3": &rsa.PublicKey{
			N: must(rsa.GenerateKey(rand.Reader, 2048))(t).N, E: 3,
		},
		"RSA of 1024 bits": small(t).Public(),
		"none":             nil,
	} {
		if alg, err := algorithmOf(public); err == nil {
			t.Errorf("%s: %s", name, alg)
		}
	}
}

// What Sign costs beside the bare signature.
func BenchmarkSign(b *testing.B) {
	input := make([]byte, 12<<10)
	for name, private := range kinds(b) {
		jose, err := newJOSEKey(private)
		if err != nil {
			b.Fatal(err)
		}
		r, _ := filled(b)
		k := current(b, r, Seal)
		k.jose = jose
		b.Run(name+"/key", func(b *testing.B) {
			for b.Loop() {
				if _, err := k.Sign(input); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/bare", func(b *testing.B) {
			for b.Loop() {
				sum, hash := sha256.Sum256(input), crypto.SHA256
				digest := sum[:]
				if name == "ES384" {
					long := sha512.Sum384(input)
					digest, hash = long[:], crypto.SHA384
				}
				if _, err := private.Sign(rand.Reader, digest, hash); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
