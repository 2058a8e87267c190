package credentials

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"math/big"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// This is the one place in the room that touches the JOSE library, and it
// hands over constants and bytes only: an algorithm from our own table, a
// signing input and a key. See docs/decisions/jwx.md for the way to its
// successor.

// minRSABits is the smallest RSA key whose seal is read.
const minRSABits = 2048

// maxRSABits bounds what a stranger's key may cost to check.
const maxRSABits = 8192

// algorithmFits tells whether an algorithm may be used with a key: the list of
// accepted algorithms, each pinned to its kind of key. PS* is left out because
// the library does not hold to the salt length of RFC 7518 clause 3.5.
func algorithmFits(alg string, key crypto.PublicKey) bool {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return alg == "ES256" && k.Curve == elliptic.P256() || alg == "ES384" && k.Curve == elliptic.P384()
	case *rsa.PublicKey:
		return (alg == "RS256" || alg == "RS384" || alg == "RS512") &&
			k.N.BitLen() >= minRSABits && k.N.BitLen() <= maxRSABits && k.E == 65537
	}
	return false
}

// verifySignature checks a raw JWS signature (RFC 7515 clause 5.2 step 8).
func verifySignature(alg string, key crypto.PublicKey, input, signature []byte) error {
	if !algorithmFits(alg, key) {
		return fmt.Errorf("algorithm %q does not fit the key", alg)
	}
	verifier, err := jws.NewVerifier(jwa.SignatureAlgorithm(alg))
	if err != nil {
		return fmt.Errorf("preparing to verify %s: %w", alg, err)
	}
	if err := verifier.Verify(input, signature, key); err != nil {
		return fmt.Errorf("verifying %s: %w", alg, err)
	}
	return nil
}

// hashOf is the hash of an accepted algorithm (RFC 7518 clauses 3.3 and 3.4).
func hashOf(alg string) crypto.Hash {
	switch alg {
	case "ES384", "RS384":
		return crypto.SHA384
	case "RS512":
		return crypto.SHA512
	}
	return crypto.SHA256
}

// signatureBytes is the length of the raw signatures of a key.
func signatureBytes(key crypto.PublicKey) int {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return 2 * ((k.Params().BitSize + 7) / 8)
	case *rsa.PublicKey:
		return k.Size()
	}
	return 0
}

// verifyDigest is verifySignature over an input that is hashed already, which
// the library does not offer.
func verifyDigest(alg string, key crypto.PublicKey, digest, signature []byte) error {
	if !algorithmFits(alg, key) || len(signature) != signatureBytes(key) {
		return fmt.Errorf("algorithm %q or the length of the signature does not fit the key", alg)
	}
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		half := len(signature) / 2
		r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
		if !ecdsa.Verify(k, digest, r, s) {
			return fmt.Errorf("verifying %s: the signature is not of this key over this input", alg)
		}
		return nil
	case *rsa.PublicKey:
		if err := rsa.VerifyPKCS1v15(k, hashOf(alg), digest, signature); err != nil {
			return fmt.Errorf("verifying %s: %w", alg, err)
		}
		return nil
	}
	return fmt.Errorf("verifying %s: there is no such kind of key", alg)
}
