package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync/atomic"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Purpose says what a key is for. A key serves one purpose only.
type Purpose string

// Seal keys seal credentials, Status keys sign status lists, Accreditation keys
// the lists of accredited providers of an authority, Receipt keys what an
// installation hands out about its own checks; Root is the certificate authority
// that this installation made for itself.
const (
	Seal          Purpose = "seal"
	Status        Purpose = "status"
	Accreditation Purpose = "accreditation"
	Receipt       Purpose = "receipt"
	Root          Purpose = "root"
)

// ErrNoKey is wrapped when there is no key for a purpose, or none that may
// sign at the moment asked for.
var ErrNoKey = errors.New("no key that may sign")

// Key is one key with its certificates and its life. It may sign from From until
// it is retired or revoked or its certificate ends: ask MaySign, or take the
// key from Current. Its fields are not to be changed, and are those of the
// moment at which the ring handed it out.
type Key struct {
	ID        string
	Purpose   Purpose
	Owner     string // provider id; empty for the root
	From      time.Time
	Retired   time.Time // when it stops to sign, which may be still to come; zero while nobody said
	Revoked   time.Time // since when it must no longer be believed; zero while it may
	RevokedAt time.Time // when that was said
	SelfMade  bool      // the certificate comes from this installation's own root
	chain     []*x509.Certificate
	signer    crypto.Signer
	device    *Device // where the private key is, when that is not this ring
	jose      joseKey
	now       func() time.Time
	latest    *atomic.Pointer[Key] // the same key as it stands in the ring now
}

// Chain is the key's certificate followed by those that issued it.
func (k *Key) Chain() []*x509.Certificate { return k.chain }

// Certificate is the key's own certificate.
func (k *Key) Certificate() *x509.Certificate { return k.chain[0] }

// Algorithm is the JWS algorithm that the key signs with: ES256, ES384 or
// RS256 (RFC 7518 clause 3.1).
func (k *Key) Algorithm() string { return k.jose.algorithm }

// OnDevice tells whether the private key is in a device and not in the ring.
func (k *Key) OnDevice() bool { return k.device != nil }

// MaySign says why the key may not sign at a moment, or nil.
func (k *Key) MaySign(at time.Time) error {
	leaf := k.Certificate()
	switch {
	case !k.Revoked.IsZero():
		return fmt.Errorf("%w: key %s was revoked on %s", ErrNoKey, k.ID, k.RevokedAt.Format(time.DateOnly))
	case k.retired(at):
		return fmt.Errorf("%w: key %s was retired on %s", ErrNoKey, k.ID, k.Retired.Format(time.DateOnly))
	case at.Before(k.From) || at.Before(leaf.NotBefore):
		return fmt.Errorf("%w: key %s starts on %s", ErrNoKey, k.ID, k.From.Format(time.DateOnly))
	case at.After(leaf.NotAfter):
		return fmt.Errorf("%w: the certificate of key %s ended on %s", ErrNoKey, k.ID, leaf.NotAfter.Format(time.DateOnly))
	}
	return nil
}

func (k *Key) retired(at time.Time) bool { return !k.Retired.IsZero() && !at.Before(k.Retired) }

// Sign returns the raw JWS signature over the input (RFC 7515 clause 5.1). This
// and the making of certificates and lists of revoked ones are the places where
// a private key of this program is used. A key that was retired or revoked does
// not sign, also when it was taken from the ring before; nor does a root. It is
// safe for concurrent use.
func (k *Key) Sign(input []byte) ([]byte, error) {
	return k.with(func() ([]byte, error) { return k.jose.sign(input) })
}

// SignDigest is Sign over an input whose digest, by the hash of the algorithm, is
// known already: who seals many documents with the same beginning hashes that
// once. It is the same key under the same conditions.
func (k *Key) SignDigest(digest []byte) ([]byte, error) {
	return k.with(func() ([]byte, error) { return k.jose.signDigest(digest) })
}

// ReceiptSigner is a Receipt key for whoever asks for a crypto.Signer: it signs
// digests as that says, an ECDSA signature in ASN.1, under the same conditions as
// Sign. No other key signs what only its digest is known of by this way. It is
// safe for concurrent use.
func (k *Key) ReceiptSigner() (crypto.Signer, error) {
	if k.Purpose != Receipt {
		return nil, fmt.Errorf("signing a receipt: key %s is a %s key", k.ID, k.Purpose)
	}
	return digestSigner{k}, nil
}

type digestSigner struct{ key *Key }

// Public is the public key.
func (s digestSigner) Public() crypto.PublicKey { return s.key.signer.Public() }

// Sign signs a digest.
func (s digestSigner) Sign(random io.Reader, digest []byte, options crypto.SignerOpts) ([]byte, error) {
	return s.key.with(func() ([]byte, error) { return s.key.signer.Sign(random, digest, options) })
}

// with uses the private key, if it may still sign.
func (k *Key) with(use func() ([]byte, error)) ([]byte, error) {
	now := k.latest.Load()
	if now.Purpose == Root || !now.Revoked.IsZero() || !now.Retired.IsZero() && now.retired(k.now()) {
		return nil, fmt.Errorf("signing with key %s: %w", k.ID, ErrNoKey)
	}
	signature, err := use()
	if err != nil {
		return nil, fmt.Errorf("signing with key %s: %w", k.ID, err)
	}
	return signature, nil
}

// changed is the key with another life, to take its place in the ring.
func (k *Key) changed(change func(*Key)) *Key {
	other := *k
	change(&other)
	return &other
}

// Bounds of RSA keys: those that a seal is read with (package credentials).
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// algorithmOf is the JWS algorithm that a key of this kind signs with.
func algorithmOf(public crypto.PublicKey) (string, error) {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return "ES256", nil
		case elliptic.P384():
			return "ES384", nil
		}
	case *rsa.PublicKey:
		if k.N.BitLen() >= minRSABits && k.N.BitLen() <= maxRSABits && k.E == 65537 {
			return "RS256", nil
		}
	}
	return "", errors.New("keys of this kind are not used here: take an EC key on P-256 or P-384, or an RSA key of 2048 to 8192 bits with the exponent 65537")
}

// joseKey is a private key made ready for the JOSE library, which is touched
// nowhere else in the room and gets constants and bytes only.
type joseKey struct {
	algorithm string
	signer    jws.Signer
	private   crypto.Signer
}

func newJOSEKey(private crypto.Signer) (joseKey, error) {
	algorithm, err := algorithmOf(private.Public())
	if err != nil {
		return joseKey{}, err
	}
	signer, err := jws.NewSigner(jwa.SignatureAlgorithm(algorithm))
	if err != nil {
		return joseKey{}, fmt.Errorf("preparing to sign with %s: %w", algorithm, err)
	}
	return joseKey{algorithm, signer, private}, nil
}

func (j joseKey) sign(input []byte) ([]byte, error) { return j.signer.Sign(input, j.private) }

// signDigest signs what is hashed already, which the library does not offer: it
// asks the key as the library does and writes the two numbers of an ECDSA
// signature as RFC 7518 clause 3.4 wants them.
func (j joseKey) signDigest(digest []byte) ([]byte, error) {
	hash := crypto.SHA256
	if j.algorithm == "ES384" {
		hash = crypto.SHA384
	}
	if len(digest) != hash.Size() {
		return nil, fmt.Errorf("signing a digest of %d bytes: %s has %d", len(digest), j.algorithm, hash.Size())
	}
	signature, err := j.private.Sign(rand.Reader, digest, hash)
	public, isEC := j.private.Public().(*ecdsa.PublicKey)
	if err != nil || !isEC {
		return signature, err
	}
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(signature, &pair); err != nil || len(rest) > 0 {
		return nil, errors.New("signing a digest: the key gave no ECDSA signature")
	}
	half := (public.Params().BitSize + 7) / 8
	for _, n := range []*big.Int{pair.R, pair.S} {
		if n.Sign() <= 0 || n.BitLen() > 8*half {
			return nil, errors.New("signing a digest: the key gave no ECDSA signature")
		}
	}
	raw := make([]byte, 2*half)
	pair.R.FillBytes(raw[:half])
	pair.S.FillBytes(raw[half:])
	return raw, nil
}

// verify holds a signature of ours against a public key.
func (j joseKey) verify(input, signature []byte, public crypto.PublicKey) error {
	verifier, err := jws.NewVerifier(jwa.SignatureAlgorithm(j.algorithm))
	if err != nil {
		return fmt.Errorf("preparing to verify %s: %w", j.algorithm, err)
	}
	return verifier.Verify(input, signature, public)
}
