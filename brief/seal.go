package brief

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/veraison/go-cose"
)

// Sealer is a sealing key with its certificates, leaf first, such as *keys.Key.
// Sign returns the raw signature of its JWS algorithm.
type Sealer interface {
	Algorithm() string
	Chain() []*x509.Certificate
	Sign(input []byte) ([]byte, error)
}

// keyIDSize is how many bytes name a certificate.
const keyIDSize = 8

// contentFormat is that of CBOR (RFC 7252 section 12.3).
const contentFormat = 60

// KeyID is the name of a certificate in briefs: the first eight bytes of the
// SHA-256 of its DER. Several certificates may have one name; the signature says
// which of them it is.
func KeyID(c *x509.Certificate) []byte {
	sum := sha256.Sum256(c.Raw)
	return sum[:keyIDSize]
}

// ErrKey is wrapped where a key cannot sign a brief.
var ErrKey = errors.New("a compact QR is signed with an EC key on P-256 or P-384; an RSA signature does not fit into it")

// signer is a Sealer as the library wants it: the raw signatures of JWS and COSE
// are the same (RFC 7518 clause 3.4, RFC 9053 section 2.1).
type signer struct {
	Sealer
	algorithm cose.Algorithm
}

// Algorithm implements cose.Signer.
func (s signer) Algorithm() cose.Algorithm { return s.algorithm }

// Sign implements cose.Signer; the key has its own source of randomness.
func (s signer) Sign(_ io.Reader, content []byte) ([]byte, error) { return s.Sealer.Sign(content) }

// algorithmOf is the algorithm of the key of a certificate.
func algorithmOf(c *x509.Certificate) (cose.Algorithm, error) {
	if public, ok := c.PublicKey.(*ecdsa.PublicKey); ok {
		switch public.Curve {
		case elliptic.P256():
			return cose.AlgorithmES256, nil
		case elliptic.P384():
			return cose.AlgorithmES384, nil
		}
	}
	return 0, ErrKey
}

// headerOf is the protected header of a message.
func headerOf(algorithm cose.Algorithm, key []byte) cose.ProtectedHeader {
	return cose.ProtectedHeader{
		cose.HeaderLabelAlgorithm: algorithm, cose.HeaderLabelContentType: int64(contentFormat), cose.HeaderLabelKeyID: key,
	}
}

// Seal writes a brief as a text, signed at a moment. It must name the provider as
// the certificate does. The error is ErrKey for a key of another kind, and
// ErrUnfit where the brief cannot be written.
func Seal(b Brief, s Sealer, at time.Time) (string, error) {
	c, err := contentOf(b, at)
	if err != nil {
		return "", fmt.Errorf("making a compact QR: %w", err)
	}
	leaf := s.Chain()[0]
	algorithm, err := algorithmOf(leaf)
	if err != nil {
		return "", fmt.Errorf("making a compact QR: %w", err)
	}
	payload, err := c.write()
	if err != nil {
		return "", fmt.Errorf("making a compact QR: %w", err)
	}
	m := &cose.Sign1Message{Headers: cose.Headers{Protected: headerOf(algorithm, KeyID(leaf))}, Payload: payload}
	if err := m.Sign(nil, []byte(Prefix), signer{s, algorithm}); err != nil {
		return "", fmt.Errorf("making a compact QR: %w", err)
	}
	raw, err := m.MarshalCBOR()
	if err != nil {
		return "", fmt.Errorf("making a compact QR: %w", err)
	}
	text := Prefix + encode(raw)
	if len(text) > maxText {
		return "", fmt.Errorf("making a compact QR: %w: it has too many words", ErrUnfit)
	}
	return text, nil
}

// Sealed is a brief that was taken apart and whose signature has not been checked.
type Sealed struct {
	Key     []byte // names the certificate, see KeyID
	message *cose.Sign1Message
	content content
}

// Parse takes the text of a brief apart. The error wraps ErrMalformed.
func Parse(text string) (*Sealed, error) {
	if len(text) > maxText || len(text) < len(Prefix) || text[:len(Prefix)] != Prefix {
		return nil, malformed("it does not begin with %s, or is too long", Prefix)
	}
	raw, err := decode(text[len(Prefix):])
	if err != nil {
		return nil, err
	}
	m := &cose.Sign1Message{}
	if err := m.UnmarshalCBOR(raw); err != nil {
		return nil, malformed("it is no signed message")
	}
	algorithm, err := m.Headers.Protected.Algorithm()
	if err != nil {
		return nil, malformed("it names no algorithm")
	}
	key, ok := m.Headers.Protected[cose.HeaderLabelKeyID].([]byte)
	if !ok || len(key) != keyIDSize {
		return nil, malformed("it names no key")
	}
	again, err := (&cose.Sign1Message{Headers: cose.Headers{Protected: headerOf(algorithm, key)}, Payload: m.Payload, Signature: m.Signature}).MarshalCBOR()
	if err != nil || !bytes.Equal(again, raw) {
		return nil, malformed("its header is not what belongs there")
	}
	c, err := readContent(m.Payload)
	if err != nil {
		return nil, err
	}
	return &Sealed{key, m, c}, nil
}

// Brief is what it says. Nothing in it is to be believed before Verify.
func (s *Sealed) Brief() Brief { return s.content.brief() }

// Made is when it says that it was signed, to the second.
func (s *Sealed) Made() time.Time { return time.Unix(int64(s.content.Made), 0).UTC() }

// ErrSignature is wrapped where a signature does not hold.
var ErrSignature = errors.New("the signature of the compact QR does not hold")

// Verify checks the signature with the key of a certificate. It says nothing about
// whether that certificate deserves trust, nor whether it names the same provider.
func (s *Sealed) Verify(c *x509.Certificate) error {
	algorithm, err := algorithmOf(c)
	if err != nil {
		return fmt.Errorf("checking a compact QR: %w", err)
	}
	named, err := s.message.Headers.Protected.Algorithm()
	if err != nil || named != algorithm || !bytes.Equal(KeyID(c), s.Key) {
		return fmt.Errorf("checking a compact QR: it is signed with another key: %w", ErrSignature)
	}
	verifier, err := cose.NewVerifier(algorithm, c.PublicKey)
	if err != nil {
		return fmt.Errorf("checking a compact QR: %w: %w", ErrSignature, err)
	}
	if err := s.message.Verify([]byte(Prefix), verifier); err != nil {
		return fmt.Errorf("checking a compact QR: %w: %w", ErrSignature, err)
	}
	return nil
}
