package keys

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"
	"time"
)

// Life of what an installation makes for itself.
const (
	rootYears = 20
	leafYears = 5
)

// maxName bounds a name in a certificate (X.520, ub-organization-name).
const maxName = 64

var (
	organizationIdentifier = asn1.ObjectIdentifier{2, 5, 4, 97}
	extendedKeyUsage       = asn1.ObjectIdentifier{2, 5, 29, 37}
	// statusSigning is the extended key usage of certificates that sign status
	// lists (Token Status List, id-kp-oauthStatusSigning).
	statusSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 30}
)

// Owner names the organisation that a generated certificate is for.
type Owner struct {
	ID      string
	Name    string // O
	LegalID string // organizationIdentifier, ETSI EN 319 412-1 clause 5.1.4
	Country string // C, two letters
}

// Ensure makes what a new owner needs: the installation's root, a seal key and
// a status key with certificates from that root. These are demonstration keys:
// nobody but this installation vouches for them. An owner who ever had a key
// for a purpose gets none, whatever became of it: Rotate and Import are for
// somebody to decide. It returns the keys that were made.
func (r *Ring) Ensure(o Owner, at time.Time) ([]*Key, error) {
	return r.ensure(o, at, Seal, Status)
}

// EnsureAuthority does for an authority that accredits providers what Ensure
// does for a provider: it has one key, for its lists.
func (r *Ring) EnsureAuthority(o Owner, at time.Time) ([]*Key, error) {
	return r.ensure(o, at, Accreditation)
}

// EnsureReceipts does for the installation itself what Ensure does for a
// provider: it has one key, for the receipts of its checks. The certificate names
// no organisation by an identifier, so that no verifier takes it for a seal of one.
func (r *Ring) EnsureReceipts(o Owner, at time.Time) ([]*Key, error) {
	return r.ensure(o, at, Receipt)
}

func (r *Ring) ensure(o Owner, at time.Time, purposes ...Purpose) ([]*Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at = at.UTC().Truncate(time.Second)
	var made []*Key
	root, err := r.current(Root, "", at)
	if err != nil {
		if root, err = r.makeRoot(at); err != nil {
			return nil, err
		}
		made = append(made, root)
	}
	for _, p := range purposes {
		if r.had(p, o.ID) {
			continue
		}
		key, err := r.makeLeaf(root, p, o, at)
		if err != nil {
			return made, err
		}
		made = append(made, key)
	}
	return made, nil
}

func (r *Ring) makeRoot(at time.Time) (*Key, error) {
	private, err := newPrivate()
	if err != nil {
		return nil, fmt.Errorf("making the root key: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	// The serial number in the name keeps two installations apart.
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject: pkix.Name{
			CommonName:   "attesta demonstration root " + serial.Text(16)[:8],
			Organization: []string{"Self-made, not qualified"},
		},
		NotBefore: at.Add(-time.Minute), NotAfter: at.AddDate(rootYears, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLen: 0, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, private.Public(), private)
	if err != nil {
		return nil, fmt.Errorf("making the root certificate: %w", err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("making the root certificate: %w", err)
	}
	k, err := r.newKey([]*x509.Certificate{c}, private)
	if err != nil {
		return nil, fmt.Errorf("making the root key: %w", err)
	}
	k.Purpose, k.From, k.SelfMade = Root, at, true
	return k, r.add(k)
}

func (r *Ring) makeLeaf(root *Key, p Purpose, o Owner, at time.Time) (*Key, error) {
	private, err := newPrivate()
	if err != nil {
		return nil, fmt.Errorf("making a %s key: %w", p, err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	what := map[Purpose]string{Seal: " (sigillo dimostrativo)", Status: " (stato)", Accreditation: " (accreditamenti)", Receipt: " (ricevute)"}[p]
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject: pkix.Name{
			CommonName: shorten(o.Name, maxName-len(what)) + what, Organization: []string{shorten(o.Name, maxName)}, Country: countries(o.Country),
		},
		NotBefore: at.Add(-time.Minute), NotAfter: at.AddDate(leafYears, 0, 0),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
	}
	if p != Receipt {
		t.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: organizationIdentifier, Value: o.LegalID}}
	}
	if p == Status {
		t.UnknownExtKeyUsage = []asn1.ObjectIdentifier{statusSigning}
	} else {
		t.KeyUsage |= x509.KeyUsageContentCommitment
	}
	der, err := x509.CreateCertificate(rand.Reader, t, root.Certificate(), private.Public(), root.signer)
	if err != nil {
		return nil, fmt.Errorf("making the certificate of a %s key: %w", p, err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("making the certificate of a %s key: %w", p, err)
	}
	k, err := r.newKey([]*x509.Certificate{c, root.Certificate()}, private)
	if err != nil {
		return nil, fmt.Errorf("making a %s key: %w", p, err)
	}
	k.Purpose, k.Owner, k.From, k.SelfMade = p, o.ID, at, true
	return k, r.add(k)
}

// countries is C of a name; an owner without a country has none.
func countries(country string) []string {
	if country == "" {
		return nil
	}
	return []string{country}
}

// shorten holds a name to so many characters, the bound of X.520.
func shorten(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func newSerial() (*big.Int, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return nil, fmt.Errorf("making a serial number: %w", err)
	}
	b[0] = b[0]&0x7f | 0x40 // positive, always sixteen bytes
	return new(big.Int).SetBytes(b), nil
}

// keyID is the start of the certificate's SHA-256: never used for two keys.
func keyID(c *x509.Certificate) string { return Fingerprint(c)[:16] }

// Fingerprint names a certificate by the SHA-256 of its bytes, in hexadecimal.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}
