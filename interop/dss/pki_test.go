package dss_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"
)

var (
	organizationIdentifier = asn1.ObjectIdentifier{2, 5, 4, 97}
	extendedKeyUsage       = asn1.ObjectIdentifier{2, 5, 29, 37}
	timeStamping           = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
)

const (
	school      = "Scuola Dimostrativa per le Politiche Attive del Lavoro"
	schoolLegal = "DM:IT-iss-scuola"
)

// algorithms are all that attesta seals with, and the digest that each takes.
var algorithms = map[string]string{"RS256": "SHA256", "ES256": "SHA256", "ES384": "SHA384"}

// pair is a key with its certificate and those that issued it.
type pair struct {
	alg   string
	key   crypto.Signer
	chain []*x509.Certificate
}

func (p *pair) Algorithm() string          { return p.alg }
func (p *pair) Chain() []*x509.Certificate { return p.chain }

// Sign makes the raw signature of JWS without the code under test.
func (p *pair) Sign(input []byte) ([]byte, error) {
	sum := sha256.Sum256(input)
	hash, digest := crypto.SHA256, sum[:]
	if p.alg == "ES384" {
		longer := sha512.Sum384(input)
		hash, digest = crypto.SHA384, longer[:]
	}
	switch key := p.key.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, digest)
		if err != nil {
			return nil, err
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), nil
	case *rsa.PrivateKey:
		return rsa.SignPKCS1v15(nil, key, hash, digest)
	}
	return nil, errors.New("no such key")
}

func (p *pair) pkcs8(t testing.TB) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func (p *pair) der() [][]byte {
	var all [][]byte
	for _, c := range p.chain {
		all = append(all, c.Raw)
	}
	return all
}

// pki is an authority that issues certificates for seals and one that issues
// those of a time-stamping service, each with an empty list of revoked ones.
type pki struct {
	now          time.Time
	root, stamps *pair
	crls         [][]byte
	sealers      map[string]*pair // by algorithm
	tsa          *pair
	stranger     *pair // an authority that issued none of them
}

func newPKI(t testing.TB, now time.Time) *pki {
	t.Helper()
	p := &pki{now: now, sealers: map[string]*pair{}}
	p.root = p.authority(t, "Radice di prova")
	p.stamps = p.authority(t, "Radice delle marche di prova")
	p.stranger = p.authority(t, "Radice estranea")
	p.crls = [][]byte{p.list(t, p.root), p.list(t, p.stamps)}
	for alg := range algorithms {
		p.sealers[alg] = p.leaf(t, p.root, alg, pkix.Name{
			CommonName: "Sigillo di prova " + alg, Organization: []string{school}, Country: []string{"IT"},
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: organizationIdentifier, Value: schoolLegal}},
		}, nil)
	}
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{timeStamping})
	if err != nil {
		t.Fatal(err)
	}
	p.tsa = p.leaf(t, p.stamps, "RS256", pkix.Name{CommonName: "Marche di prova", Organization: []string{"Marche"}, Country: []string{"IT"}},
		[]pkix.Extension{{Id: extendedKeyUsage, Critical: true, Value: usage}}) // RFC 3161 clause 2.3
	return p
}

// revoking is a list of the root that revokes a pair's certificate.
func (p *pki) revoking(t testing.TB, one *pair) []byte {
	t.Helper()
	return p.list(t, p.root, x509.RevocationListEntry{SerialNumber: one.chain[0].SerialNumber, RevocationTime: p.now.Add(-time.Minute)})
}

func (p *pki) list(t testing.TB, by *pair, entries ...x509.RevocationListEntry) []byte {
	t.Helper()
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: p.now.Add(-time.Minute), NextUpdate: p.now.AddDate(0, 0, 7), RevokedCertificateEntries: entries,
	}, by.chain[0], by.key)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// anchors are the two authorities.
func (p *pki) anchors() [][]byte { return [][]byte{p.root.chain[0].Raw, p.stamps.chain[0].Raw} }

func newKey(t testing.TB, alg string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch alg {
	case "RS256":
		key, err = rsa.GenerateKey(rand.Reader, 3072)
	case "ES256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (p *pki) authority(t testing.TB, name string) *pair {
	t.Helper()
	key := newKey(t, "ES256")
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: name, Organization: []string{"Autorità di prova"}, Country: []string{"IT"}},
		NotBefore: p.now.AddDate(-4, 0, 0), NotAfter: p.now.AddDate(8, 0, 0), SerialNumber: newSerial(t),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true,
	}
	return &pair{"ES256", key, []*x509.Certificate{certify(t, template, template, key, key)}}
}

func (p *pki) leaf(t testing.TB, by *pair, alg string, subject pkix.Name, more []pkix.Extension) *pair {
	t.Helper()
	key := newKey(t, alg)
	template := &x509.Certificate{
		Subject: subject, SerialNumber: newSerial(t), ExtraExtensions: more,
		NotBefore: p.now.AddDate(-3, 0, 0), NotAfter: p.now.AddDate(2, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, BasicConstraintsValid: true,
	}
	if more != nil { // a time-stamping service
		template.KeyUsage, template.NotAfter = x509.KeyUsageDigitalSignature, p.now.AddDate(7, 0, 0)
	}
	return &pair{alg, key, []*x509.Certificate{certify(t, template, by.chain[0], key, by.key), by.chain[0]}}
}

func certify(t testing.TB, template, parent *x509.Certificate, key, signer crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newSerial(t testing.TB) *big.Int {
	t.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		t.Fatal(err)
	}
	return n.Add(n, big.NewInt(1))
}
