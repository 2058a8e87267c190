package trustlisttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

// Signer is a key with its certificate. It seals credentials too, with ES256
// (credentials.Sealer), when the key is on P-256.
type Signer struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
	Issuers     []*x509.Certificate
}

// Algorithm implements credentials.Sealer.
func (s Signer) Algorithm() string { return "ES256" }

// Chain implements credentials.Sealer.
func (s Signer) Chain() []*x509.Certificate {
	return append([]*x509.Certificate{s.Certificate}, s.Issuers...)
}

// Sign implements credentials.Sealer.
func (s Signer) Sign(input []byte) ([]byte, error) {
	sum := sha256.Sum256(input)
	key, ok := s.Key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, x509.ErrUnsupportedAlgorithm
	}
	r, v, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return nil, err
	}
	return append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...), nil
}

// NewSigner makes a self-signed certificate on P-256 for the operator of a list.
func NewSigner(t testing.TB, name string, from, until time.Time) Signer {
	t.Helper()
	return issue(t, newKey(t), nil, named(name, from, until))
}

// NewRSASigner is NewSigner with an RSA key of so many bits.
func NewRSASigner(t testing.TB, name string, bits int, from, until time.Time) Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return issue(t, key, nil, named(name, from, until))
}

// Renewed is another certificate for the same key.
func (s Signer) Renewed(t testing.TB, from, until time.Time) Signer {
	t.Helper()
	return issue(t, s.Key, nil, named(s.Certificate.Subject.CommonName, from, until))
}

// NewAuthority makes the certificate of an authority, self-signed or under
// another one.
func NewAuthority(t testing.TB, name string, under *Signer, from, until time.Time) Signer {
	t.Helper()
	c := named(name, from, until)
	c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign
	return issue(t, newKey(t), under, c)
}

// Statements are what a certificate says of itself (ETSI EN 319 412-5).
type Statements struct{ Compliant, ForSeals, Device bool }

// Qualified are the statements of a qualified seal whose key is in a device.
func Qualified() Statements { return Statements{true, true, true} }

// NewSeal makes the certificate of an organisation's seal under an authority.
func (s Signer) NewSeal(t testing.TB, organisation, legalID string, says Statements, from, until time.Time) Signer {
	t.Helper()
	c := named(organisation, from, until)
	c.Subject = pkix.Name{
		CommonName: organisation, Organization: []string{organisation}, Country: []string{"IT"},
		ExtraNames: []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: legalID}},
	}
	c.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	c.ExtraExtensions = says.extension(t)
	return issue(t, newKey(t), &s, c)
}

// NewTimeStamping makes the certificate of a time-stamping unit.
func (s Signer) NewTimeStamping(t testing.TB, name string, from, until time.Time) Signer {
	t.Helper()
	c := named(name, from, until)
	value := marshal(t, []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: value}}
	return issue(t, newKey(t), &s, c)
}

func (s Statements) extension(t testing.TB) []pkix.Extension {
	t.Helper()
	type simple struct{ ID asn1.ObjectIdentifier }
	type typed struct {
		ID    asn1.ObjectIdentifier
		Types []asn1.ObjectIdentifier
	}
	var all []byte
	for n, said := range []bool{s.Compliant, s.Device} {
		if said {
			all = append(all, marshal(t, simple{asn1.ObjectIdentifier{0, 4, 0, 1862, 1, []int{1, 4}[n]}})...)
		}
	}
	kind := asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6, 1} // for signatures
	if s.ForSeals {
		kind = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6, 2}
	}
	all = append(all, marshal(t, typed{asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6}, []asn1.ObjectIdentifier{kind}})...)
	value := marshal(t, asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: all})
	return []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}, Value: value}}
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func named(name string, from, until time.Time) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func issue(t testing.TB, key crypto.Signer, under *Signer, c *x509.Certificate) Signer {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber = serial
	parent, signer := c, key
	made := Signer{Key: key}
	if under != nil {
		parent, signer = under.Certificate, under.Key
		made.Issuers = under.Chain()
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if made.Certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return made
}
