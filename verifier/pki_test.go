package verifier

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/md5" // what is signed over it must not be believed
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
)

// holder is a certificate with its key.
type holder struct {
	c   *x509.Certificate
	key crypto.Signer
}

// pki is an authority that a verifier knows, and whatever is issued under it or
// beside it for the house of a test.
type pki struct {
	*house
	root *holder
	rsa  *rsa.PrivateKey // made when it is first needed
}

func newPKI(t testing.TB) *pki {
	t.Helper()
	p := &pki{house: newHouse(t)}
	p.root = p.issue(nil, ca("CA di prova"))
	p.trust = keys.Trust{Anchors: []keys.Anchor{{Name: "CA di prova", Level: keys.Advanced, Certificate: p.root.c}}}
	return p
}

type change = func(*x509.Certificate)

// issue makes a certificate of a new P-256 key with the names of the house,
// under another or, where there is none, under itself.
func (p *pki) issue(under *holder, changes ...change) *holder {
	return p.issueFor(newKey(p.t), under, changes...)
}

func (p *pki) issueFor(key crypto.Signer, under *holder, changes ...change) *holder {
	p.t.Helper()
	template := p.template(changes...)
	parent, by := template, key
	if under != nil {
		parent, by = under.c, under.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		p.t.Fatal(err)
	}
	return &holder{p.read(der), key}
}

func (p *pki) template(changes ...change) *x509.Certificate {
	p.t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		p.t.Fatal(err)
	}
	names := p.key(keys.Seal).Certificate().Subject
	names.ExtraNames, names.Names = names.Names, nil
	template := &x509.Certificate{
		SerialNumber: serial, Subject: names, NotBefore: p.now.AddDate(-1, 0, 0), NotAfter: p.now.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	for _, change := range changes {
		change(template)
	}
	return template
}

func (p *pki) read(der []byte) *x509.Certificate {
	p.t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func ca(name string) change {
	return func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: name}
		c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	}
}

func usage(all ...x509.ExtKeyUsage) change {
	return func(c *x509.Certificate) { c.ExtKeyUsage = all }
}

func mayBe(u x509.KeyUsage) change { return func(c *x509.Certificate) { c.KeyUsage = u } }

func lives(from, until time.Time) change {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = from, until }
}

func extension(critical bool, id asn1.ObjectIdentifier, value []byte) change {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: id, Critical: critical, Value: value})
	}
}

var organizationIdentifier = asn1.ObjectIdentifier{2, 5, 4, 97}

// named replaces the names of the certificate: organisations and identifiers.
func named(organisations, identifiers []string) change {
	return func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "Sigillo", Country: []string{"IT"}, Organization: organisations}
		for _, id := range identifiers {
			c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: organizationIdentifier, Value: id})
		}
	}
}

// rsaKey is one RSA key of 2048 bits for all that need one.
func (p *pki) rsaKey() *rsa.PrivateKey {
	p.t.Helper()
	if p.rsa == nil {
		p.rsa = p.rsaOf(2048)
	}
	return p.rsa
}

func (p *pki) rsaOf(bits int) *rsa.PrivateKey {
	p.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		p.t.Fatal(err)
	}
	return key
}

// signedMD5 is a certificate whose signature is made over MD5: the standard
// library reads one and makes none.
func (p *pki) signedMD5(leaf *holder, by *rsa.PrivateKey) *holder {
	p.t.Helper()
	const withSHA256, withMD5 = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"
	tbs := bytes.Replace(leaf.c.RawTBSCertificate, []byte(withSHA256), []byte(withMD5), 1)
	sum := md5.Sum(tbs)
	signature, err := rsa.SignPKCS1v15(rand.Reader, by, crypto.MD5, sum[:])
	if err != nil || bytes.Equal(tbs, leaf.c.RawTBSCertificate) {
		p.t.Fatalf("no such certificate: %v", err)
	}
	der, err := asn1.Marshal(struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{
		asn1.RawValue{FullBytes: tbs},
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4}, Parameters: asn1.NullRawValue},
		asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return &holder{p.read(der), leaf.key}
}

// by seals the house's document, which points at no status list, an hour ago.
func (p *pki) by(leaf *holder, others ...*holder) []byte {
	return p.byAt(p.now.Add(-time.Hour), leaf, others...)
}

func (p *pki) byAt(at time.Time, leaf *holder, others ...*holder) []byte {
	p.t.Helper()
	s := chainSealer{key: leaf.key, chain: []*x509.Certificate{leaf.c}}
	for _, o := range others {
		s.chain = append(s.chain, o.c)
	}
	return p.sealWith(s, p.changed(p.document(), `"status":`, `"statuss":`), at)
}

// with adds certificates and lists of revoked ones to a seal.
func (p *pki) with(sealed []byte, crl []byte, certificates ...*holder) []byte {
	p.t.Helper()
	var added []credentials.Unsigned
	if certificates != nil {
		u := credentials.Unsigned{Name: credentials.ChainValues}
		for _, h := range certificates {
			u.Certificates = append(u.Certificates, h.c.Raw)
		}
		added = append(added, u)
	}
	if crl != nil {
		added = append(added, credentials.Unsigned{Name: credentials.StatusValues, CRLs: [][]byte{crl}})
	}
	out, err := credentials.Extend(sealed, added...)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// crl is a list of an authority that names a certificate as revoked.
func (p *pki) crl(by *holder, c *x509.Certificate, since time.Time) []byte {
	p.t.Helper()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: p.now.Add(-time.Minute), NextUpdate: p.now.AddDate(0, 0, 7),
		RevokedCertificateEntries: []x509.RevocationListEntry{revoked(c, since)},
	}, by.c, by.key)
	if err != nil {
		p.t.Fatal(err)
	}
	return der
}

// chainSealer seals with any key of P-256 or RSA and any certificates.
type chainSealer struct {
	key   crypto.Signer
	chain []*x509.Certificate
}

func (s chainSealer) Chain() []*x509.Certificate { return s.chain }

func (s chainSealer) Algorithm() string {
	if _, ok := s.key.(*rsa.PrivateKey); ok {
		return "RS256"
	}
	return "ES256"
}

func (s chainSealer) Sign(input []byte) ([]byte, error) {
	switch key := s.key.(type) {
	case *ecdsa.PrivateKey:
		return rawSealer{key, nil}.Sign(input)
	case *rsa.PrivateKey:
		sum := sha256.Sum256(input)
		return rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	}
	return nil, errors.New("no such key")
}
