package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

var (
	theMoment = time.Date(2026, 11, 21, 8, 30, 0, 0, time.UTC)
	theOwner  = Owner{ID: "iss-scuola", Name: "Scuola Dimostrativa", LegalID: "DM:IT-iss-scuola", Country: "IT"}
)

func openRing(t testing.TB, dir string) (*Ring, error) {
	t.Helper()
	r, err := Open(filepath.Join(dir, "keys"), filepath.Join(dir, "master.key"))
	if err == nil {
		r.Now = func() time.Time { return theMoment }
	}
	return r, err
}

// filled is a ring in a folder of its own with the keys of theOwner.
func filled(t testing.TB) (*Ring, string) {
	t.Helper()
	dir := t.TempDir()
	r, err := openRing(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Ensure(theOwner, theMoment); err != nil {
		t.Fatal(err)
	}
	return r, dir
}

func current(t testing.TB, r *Ring, p Purpose) *Key {
	t.Helper()
	k, err := r.Current(p, theOwner.ID, theMoment)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeTo(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// pair is a certificate with its key.
type pair struct {
	c   *x509.Certificate
	key *ecdsa.PrivateKey
}

// made issues a certificate under another, or under itself when there is none.
func made(t testing.TB, under *pair, change func(*x509.Certificate)) *pair {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	return &pair{issued(t, under, key, change), key}
}

// issued is a certificate for any kind of key.
func issued(t testing.TB, under *pair, key crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject: pkix.Name{
			CommonName: "Sigillo", Organization: []string{theOwner.Name}, Country: []string{"IT"},
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: organizationIdentifier, Value: theOwner.LegalID}},
		},
		NotBefore: theMoment.AddDate(-1, 0, 0), NotAfter: theMoment.AddDate(1, 0, 0),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	change(template)
	parent, signer := template, key
	if under != nil {
		parent, signer = under.c, crypto.Signer(under.key)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return must(x509.ParseCertificate(der))(t)
}

// packed is a PKCS #12 file with the password segreta.
func packed(t testing.TB, private any, leaf *x509.Certificate, others ...*x509.Certificate) []byte {
	t.Helper()
	return must(pkcs12.Modern.Encode(private, leaf, others, "segreta"))(t)
}

func authority(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: name}
		c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign
	}
}

func asIs(*x509.Certificate) {}

func withUsage(usage asn1.ObjectIdentifier) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{usage} }
}

func chain(pairs ...*pair) []*x509.Certificate {
	var all []*x509.Certificate
	for _, p := range pairs {
		all = append(all, p.c)
	}
	return all
}

func asPEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}
