package keys

import (
	"bytes"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
)

// Bounds on what the certificates of a stranger may cost: the time to use an
// RSA key grows with the square of its length, and nothing in a certificate
// bounds that.
const (
	maxExponent = 65537
	maxTries    = 24 // signatures that are checked to find one chain
)

// affordable tells whether the key of a certificate can be used at little cost.
func affordable(c *x509.Certificate) bool {
	key, ok := c.PublicKey.(*rsa.PublicKey)
	return !ok || key.N.BitLen() <= maxRSABits && key.E <= maxExponent
}

// search looks for those that issued certificates, and checks so many
// signatures at most.
type search struct{ left int }

// issued tells whether an authority issued a certificate: by its name, and by a
// signature that is affordable to check. When no check is left, none did.
func (s *search) issued(authority, c *x509.Certificate) bool {
	if !bytes.Equal(authority.RawSubject, c.RawIssuer) || !affordable(authority) {
		return false
	}
	s.left--
	return s.left >= 0 && c.CheckSignatureFrom(authority) == nil
}

// writings are the fingerprints that a certificate may have without its
// authority. A signature can be written with bits that do not count, and one of
// ECDSA has a twin: of (r, s) it is (r, -s), which anybody can work out.
func writings(c *x509.Certificate) []string {
	all := []string{Fingerprint(c)}
	var written struct {
		Signed    asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	if rest, err := asn1.Unmarshal(c.Raw, &written); err != nil || len(rest) > 0 {
		return all
	}
	for _, signature := range append([][]byte{c.Signature}, twins(c.Signature)...) {
		written.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
		if der, err := asn1.Marshal(written); err == nil {
			sum := sha256.Sum256(der)
			all = append(all, hex.EncodeToString(sum[:]))
		}
	}
	return all
}

// twins are the signatures that hold where this one of ECDSA does, one for each
// curve that it may be of.
func twins(signature []byte) [][]byte {
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(signature, &pair); err != nil || len(rest) > 0 {
		return nil
	}
	var all [][]byte
	for _, curve := range []elliptic.Curve{elliptic.P224(), elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		twin := pair
		twin.S = new(big.Int).Sub(curve.Params().N, pair.S)
		if twin.S.Cmp(new(big.Int)) <= 0 {
			continue
		}
		if der, err := asn1.Marshal(twin); err == nil {
			all = append(all, der)
		}
	}
	return all
}

// answererOf is the certificate that comes with an answer (RFC 6960 clause
// 4.2.1), before anything is done with its key; nil when there is none.
func answererOf(raw []byte) (*x509.Certificate, error) {
	var outer struct {
		Status   asn1.Enumerated
		Response struct {
			Kind  asn1.ObjectIdentifier
			Basic []byte
		} `asn1:"explicit,tag:0,optional"`
	}
	if _, err := asn1.Unmarshal(raw, &outer); err != nil {
		return nil, err
	}
	var basic struct {
		Data         asn1.RawValue
		Algorithm    asn1.RawValue
		Signature    asn1.BitString
		Certificates []asn1.RawValue `asn1:"explicit,tag:0,optional"`
	}
	if _, err := asn1.Unmarshal(outer.Response.Basic, &basic); err != nil || len(basic.Certificates) == 0 {
		return nil, err
	}
	return x509.ParseCertificate(basic.Certificates[0].FullBytes)
}
