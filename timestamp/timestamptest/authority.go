// Package timestamptest is a time-stamping authority for tests: it answers over
// HTTP on loopback, and makes tokens that are wrong in a chosen way.
//
//	tsa := timestamptest.New(t, now)
//	token, err := (&timestamp.Authority{URL: tsa.URL}).Stamp(ctx, data)
//
// Its keys are made anew for every test and are worth nothing elsewhere.
package timestamptest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	tsp "github.com/digitorus/timestamp"
)

// Policy is the policy in every token: an arc for examples.
const Policy = "2.999.1"

// Authority is a time-stamping authority with a root of its own. It is safe for
// concurrent use; the methods that return no error end the test and are for the
// goroutine of the test.
type Authority struct {
	URL  string
	Root *x509.Certificate // of P-256, valid from two years before the clock's first time to 20 years after
	Leaf *x509.Certificate // of P-256, under the root, for time stamps; from one year before to five after

	t       testing.TB
	now     func() time.Time
	born    time.Time
	rootKey crypto.Signer
	leafKey crypto.Signer
	down    atomic.Bool
}

// New starts an authority that stamps what the clock says, cut to seconds, and
// stops it when the test ends.
func New(t testing.TB, now func() time.Time) *Authority {
	t.Helper()
	a := &Authority{t: t, now: now, born: now().UTC().Truncate(time.Second)}
	server := httptest.NewServer(http.HandlerFunc(a.answer))
	t.Cleanup(server.Close)
	a.URL = server.URL
	a.rootKey, a.leafKey = newKey(t), newKey(t)
	var err error
	if a.Root, err = a.makeRoot(); err == nil {
		a.Leaf, err = a.makeLeaf(a.leafKey.Public(), a.born, None)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Down makes the server answer 503, or answer again.
func (a *Authority) Down(down bool) { a.down.Store(down) }

// Token is a time stamp over data, made without HTTP and without a nonce. It
// carries leaf and root.
func (a *Authority) Token(data []byte) []byte {
	a.t.Helper()
	return a.Make(data, Options{})
}

// CRL is the DER of a list of the root that revokes nothing, made at a time and
// good for a week. The certificates say that it lies at URL/root.crl.
func (a *Authority) CRL(at time.Time) []byte {
	a.t.Helper()
	list, err := a.list(at)
	if err != nil {
		a.t.Fatal(err)
	}
	return list
}

func (a *Authority) list(at time.Time) ([]byte, error) {
	return x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(at.Unix()), ThisUpdate: at.UTC(), NextUpdate: at.UTC().AddDate(0, 0, 7),
	}, a.Root, a.rootKey)
}

const maxQuery = 64 << 10

func (a *Authority) answer(w http.ResponseWriter, r *http.Request) {
	if a.down.Load() {
		http.Error(w, "the authority rests", http.StatusServiceUnavailable)
		return
	}
	if r.URL.Path == "/root.crl" {
		list, err := a.list(a.now())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/pkix-crl")
		w.Write(list)
		return
	}
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/timestamp-query" {
		http.Error(w, "a time-stamp query is wanted", http.StatusBadRequest)
		return
	}
	query, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxQuery))
	if err != nil {
		http.Error(w, "the query is too long", http.StatusBadRequest)
		return
	}
	reply, err := a.reply(query)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	w.Write(reply)
}

func (a *Authority) reply(query []byte) ([]byte, error) {
	q, err := tsp.ParseRequest(query)
	if err != nil {
		return tsp.CreateErrorResponse(tsp.Rejection, tsp.BadDataFormat)
	}
	if q.HashAlgorithm == crypto.SHA1 || len(q.HashedMessage) != q.HashAlgorithm.Size() {
		return tsp.CreateErrorResponse(tsp.Rejection, tsp.BadAlgorithm)
	}
	o := Options{Hash: q.HashAlgorithm, Nonce: q.Nonce}
	if !q.Certificates {
		o.Flaw = NoCertificates
	}
	token, err := a.make(q.HashedMessage, o)
	if err != nil {
		return nil, err
	}
	return Reply(token)
}

// Reply is the answer of an authority that grants a request with this token.
func Reply(token []byte) ([]byte, error) {
	return asn1.Marshal(struct {
		Status struct{ Status int }
		Token  asn1.RawValue
	}{Token: asn1.RawValue{FullBytes: token}})
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *Authority) makeRoot() (*x509.Certificate, error) {
	return sign(&x509.Certificate{
		Subject:   pkix.Name{Organization: []string{"Test"}, CommonName: "Test root for time stamps"},
		NotBefore: a.born.AddDate(-2, 0, 0), NotAfter: a.born.AddDate(20, 0, 0),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil, a.rootKey.Public(), a.rootKey)
}

// makeLeaf makes the certificate of a key that stamps at a time.
func (a *Authority) makeLeaf(key crypto.PublicKey, at time.Time, flaw Flaw) (*x509.Certificate, error) {
	leaf := &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{"Test"}, CommonName: "Test authority for time stamps"},
		NotBefore: at.AddDate(-1, 0, 0), NotAfter: at.AddDate(5, 0, 0),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		SubjectKeyId:          []byte("a key that makes stamps"),
		CRLDistributionPoints: []string{a.URL + "/root.crl"},
	}
	purposes := []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}} // id-kp-timeStamping
	switch flaw {
	case SecondEKU:
		purposes = append(purposes, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}) // id-kp-emailProtection
	case UnknownEKU:
		purposes = append(purposes, asn1.ObjectIdentifier{2, 999, 2})
	case NoEKU:
		purposes = nil
	case CALeaf:
		leaf.IsCA = true
		leaf.KeyUsage |= x509.KeyUsageCertSign
	case NoSigning:
		leaf.KeyUsage = x509.KeyUsageKeyAgreement
	case ExpiredLeaf:
		leaf.NotAfter = at.Add(-time.Second)
	case FutureLeaf:
		leaf.NotBefore = at.Add(time.Second)
	default:
	}
	if purposes != nil {
		value, err := asn1.Marshal(purposes)
		if err != nil {
			return nil, fmt.Errorf("writing the purposes: %w", err)
		}
		leaf.ExtraExtensions = []pkix.Extension{{
			Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: flaw != PlainEKU, Value: value,
		}}
	}
	return sign(leaf, a.Root, key, a.rootKey)
}

// sign makes a certificate; without a parent it signs itself.
func sign(template, parent *x509.Certificate, key crypto.PublicKey, by crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, by)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}
