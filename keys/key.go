package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Purpose says what a key is for. A key serves one purpose only.
type Purpose string

// Seal keys seal credentials, Status keys sign status lists; Root is the
// certificate authority that this installation made for itself.
const (
	Seal   Purpose = "seal"
	Status Purpose = "status"
	Root   Purpose = "root"
)

// ErrNoKey is wrapped when there is no key for a purpose, or none that may
// sign at the moment asked for.
var ErrNoKey = errors.New("no key that may sign")

// Key is one key with its certificates and its life. It may sign from From until
// it is retired or revoked or its certificate ends: ask MaySign, or take the
// key from Current. Its fields are not to be changed.
type Key struct {
	ID       string
	Purpose  Purpose
	Owner    string // provider id; empty for the root
	From     time.Time
	Retired  time.Time // zero while in use
	Revoked  time.Time // zero unless it must no longer be believed
	SelfMade bool      // the certificate comes from this installation's own root
	chain    []*x509.Certificate
	signer   crypto.Signer
}

// Chain is the key's certificate followed by those that issued it.
func (k *Key) Chain() []*x509.Certificate { return k.chain }

// Certificate is the key's own certificate.
func (k *Key) Certificate() *x509.Certificate { return k.chain[0] }

// Algorithm is the JWS algorithm that the key signs with.
func (k *Key) Algorithm() string {
	if public, ok := k.signer.Public().(*ecdsa.PublicKey); ok && public.Curve.Params().BitSize == 384 {
		return "ES384"
	}
	return "ES256"
}

// MaySign says why the key may not sign at a moment, or nil.
func (k *Key) MaySign(at time.Time) error {
	leaf := k.Certificate()
	switch {
	case !k.Revoked.IsZero():
		return fmt.Errorf("%w: key %s was revoked on %s", ErrNoKey, k.ID, k.Revoked.Format(time.DateOnly))
	case !k.Retired.IsZero():
		return fmt.Errorf("%w: key %s was retired on %s", ErrNoKey, k.ID, k.Retired.Format(time.DateOnly))
	case at.Before(k.From) || at.Before(leaf.NotBefore):
		return fmt.Errorf("%w: key %s starts on %s", ErrNoKey, k.ID, k.From.Format(time.DateOnly))
	case at.After(leaf.NotAfter):
		return fmt.Errorf("%w: the certificate of key %s ended on %s", ErrNoKey, k.ID, leaf.NotAfter.Format(time.DateOnly))
	}
	return nil
}

// Sign returns the raw JWS signature over the input (RFC 7515 clause 5.1). This
// and the making of certificates are the places where a private key of this
// program is used. A key that was retired or revoked does not sign, nor does a
// root. It is safe for concurrent use.
func (k *Key) Sign(input []byte) ([]byte, error) {
	if k.Purpose == Root || !k.Retired.IsZero() || !k.Revoked.IsZero() {
		return nil, fmt.Errorf("signing with key %s: %w", k.ID, ErrNoKey)
	}
	signer, err := jws.NewSigner(jwa.SignatureAlgorithm(k.Algorithm()))
	if err != nil {
		return nil, fmt.Errorf("preparing key %s: %w", k.ID, err)
	}
	signature, err := signer.Sign(input, k.signer)
	if err != nil {
		return nil, fmt.Errorf("signing with key %s: %w", k.ID, err)
	}
	return signature, nil
}
