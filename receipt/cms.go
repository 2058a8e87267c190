package receipt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// Names of what stands in a signature (RFC 5652, RFC 5035, RFC 5754, RFC 5758).
var (
	oidData               = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningCertificate = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47} // version 2
	oidSHA256             = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidECDSAWithSHA256    = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidSHA256WithRSA      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
)

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content any `asn1:"explicit,tag:0"`
}

type signedData struct {
	Version      int
	Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
	Content      struct{ Type asn1.ObjectIdentifier }
	Certificates []asn1.RawValue `asn1:"set,tag:0"`
	Signers      []signerInfo    `asn1:"set"`
}

type signerInfo struct {
	Version    int
	Issuer     issuerAndSerial
	Digest     pkix.AlgorithmIdentifier
	Attributes asn1.RawValue
	Algorithm  pkix.AlgorithmIdentifier
	Signature  []byte
}

type issuerAndSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values []any `asn1:"set"`
}

// signingCertificate is SigningCertificateV2 with SHA-256, the default.
type signingCertificate struct{ Certificates []struct{ Hash []byte } }

// sign returns a detached CMS signature over bytes with a SHA-256 digest, with
// the attributes that ETSI EN 319 142-1 clause 6.3 wants and no others: the time
// stands in the PDF, and signing-time must not be there.
func (s Signer) sign(digest []byte) ([]byte, error) {
	if s.Key == nil || len(s.Chain) == 0 {
		return nil, errors.New("making the signature: there is no key with a certificate")
	}
	leaf := s.Chain[0]
	algorithm := pkix.AlgorithmIdentifier{Algorithm: oidECDSAWithSHA256}
	switch s.Key.Public().(type) {
	case *ecdsa.PublicKey:
	case *rsa.PublicKey:
		algorithm = pkix.AlgorithmIdentifier{Algorithm: oidSHA256WithRSA, Parameters: asn1.NullRawValue}
	default:
		return nil, errors.New("making the signature: the key is neither ECDSA nor RSA")
	}
	hash := sha256.Sum256(leaf.Raw)
	attributes, err := asn1.MarshalWithParams([]attribute{
		{oidContentType, []any{oidData}},
		{oidMessageDigest, []any{digest}},
		{oidSigningCertificate, []any{signingCertificate{[]struct{ Hash []byte }{{hash[:]}}}}},
	}, "set")
	if err != nil {
		return nil, fmt.Errorf("writing what is signed: %w", err)
	}
	signed := sha256.Sum256(attributes)
	signature, err := s.Key.Sign(rand.Reader, signed[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("making the signature: %w", err)
	}
	attributes[0] = 0xA0 // as a SET they are signed, as [0] they are sent (RFC 5652 clause 5.4)
	data := signedData{Version: 1, Digests: []pkix.AlgorithmIdentifier{{Algorithm: oidSHA256}}}
	data.Content.Type = oidData
	for _, c := range s.Chain {
		data.Certificates = append(data.Certificates, asn1.RawValue{FullBytes: c.Raw})
	}
	data.Signers = []signerInfo{{
		Version: 1, Issuer: issuerAndSerial{asn1.RawValue{FullBytes: leaf.RawIssuer}, leaf.SerialNumber},
		Digest: pkix.AlgorithmIdentifier{Algorithm: oidSHA256}, Attributes: asn1.RawValue{FullBytes: attributes},
		Algorithm: algorithm, Signature: signature,
	}}
	raw, err := asn1.Marshal(contentInfo{oidSignedData, data})
	if err != nil {
		return nil, fmt.Errorf("writing the signature: %w", err)
	}
	return raw, nil
}
