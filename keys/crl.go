package keys

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"
)

// How long a list of revoked certificates counts, and how often it is signed
// anew when nothing changed.
const (
	crlLife  = 7 * 24 * time.Hour
	crlFresh = time.Hour
)

// keyCompromise is the reason of every revocation here (RFC 5280 clause 5.3.1).
const keyCompromise = 1

// invalidityDate is the extension of an entry that says since when the key is
// not to be believed (RFC 5280 clause 5.3.2).
var invalidityDate = asn1.ObjectIdentifier{2, 5, 29, 24}

// signedList is the list that was signed last.
type signedList struct {
	mu     sync.Mutex
	der    []byte
	of     string // the root and what it revoked
	at     time.Time
	number int64
}

// CRL is the list of the revoked certificates that this installation's own root
// issued, in DER (RFC 5280 clause 5). It counts for seven days and is signed
// anew when a key was revoked or an hour has passed; its number is a time in
// seconds and grows. Without a root the error wraps ErrNoKey.
func (r *Ring) CRL(at time.Time) ([]byte, error) {
	at = at.UTC().Truncate(time.Second)
	root, err := r.Current(Root, "", at)
	if err != nil {
		return nil, err
	}
	entries, of, err := r.revocations(root)
	if err != nil {
		return nil, err
	}
	l := &r.list
	l.mu.Lock()
	defer l.mu.Unlock()
	if age := at.Sub(l.at); l.of == of && age >= 0 && age < crlFresh {
		return l.der, nil
	}
	number := max(at.Unix(), l.number+1)
	der, err := signRevocations(root, entries, number, at, at.Add(crlLife))
	if err != nil {
		return nil, err
	}
	l.der, l.of, l.at, l.number = der, of, at, number
	return der, nil
}

// LastCRL is CRL for an installation that ends: it counts until a moment, at
// most to the end of the root.
func (r *Ring) LastCRL(at, until time.Time) ([]byte, error) {
	at = at.UTC().Truncate(time.Second)
	root, err := r.Current(Root, "", at)
	if err != nil {
		return nil, err
	}
	entries, _, err := r.revocations(root)
	if err != nil {
		return nil, err
	}
	return signRevocations(root, entries, at.Unix()+1, at, until)
}

// revocations are the certificates of a root that were revoked, and a text that
// is another one when they are others.
func (r *Ring) revocations(root *Key) ([]x509.RevocationListEntry, string, error) {
	revoked := []string{root.ID}
	var entries []x509.RevocationListEntry
	for _, k := range r.All() {
		if k.Revoked.IsZero() || !k.SelfMade || !k.chain[len(k.chain)-1].Equal(root.Certificate()) {
			continue
		}
		since, err := asn1.MarshalWithParams(k.Revoked.UTC(), "generalized")
		if err != nil {
			return nil, "", fmt.Errorf("listing revoked certificates: %w", err)
		}
		entries = append(entries, x509.RevocationListEntry{
			SerialNumber: k.Certificate().SerialNumber, RevocationTime: k.Revoked, ReasonCode: keyCompromise,
			ExtraExtensions: []pkix.Extension{{Id: invalidityDate, Value: since}},
		})
		revoked = append(revoked, k.ID, k.Revoked.Format(time.RFC3339))
	}
	return entries, strings.Join(revoked, " "), nil
}

func signRevocations(root *Key, entries []x509.RevocationListEntry, number int64, at, until time.Time) ([]byte, error) {
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(number), ThisUpdate: at, NextUpdate: until.UTC().Truncate(time.Second), RevokedCertificateEntries: entries,
	}, root.Certificate(), root.signer)
	if err != nil {
		return nil, fmt.Errorf("signing the list of revoked certificates: %w", err)
	}
	return der, nil
}
