package keys

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"
)

// ErrTooLong is wrapped when nothing that a key signs can count for so long.
var ErrTooLong = errors.New("no certificate lasts so long")

// Last returns a key for the status lists that an installation signs once more
// before it ends, and that are to count until a moment. Where the installation's
// own root made the certificate of a status key, it is a new key of the same
// name whose certificate lasts so long; it stands in no ring and is written
// nowhere, so that who lets go of it can sign no other list. Otherwise it is the
// key itself. That a certificate ends before the moment is ErrTooLong.
func (r *Ring) Last(k *Key, at, until time.Time) (*Key, error) {
	at, until = at.UTC().Truncate(time.Second), until.UTC().Truncate(time.Second)
	if k.Purpose != Status || k.MaySign(at) != nil {
		return nil, fmt.Errorf("making the last status key: %w", ErrNoKey)
	}
	root, err := r.Current(Root, "", at)
	above := k.chain[1:]
	renewed := err == nil && k.SelfMade && k.chain[len(k.chain)-1].Equal(root.Certificate())
	if !renewed {
		above = k.chain
	}
	for _, c := range above {
		if until.After(c.NotAfter) {
			return nil, fmt.Errorf("making the last status key: the certificate of %s ends on %s: %w",
				c.Subject.CommonName, c.NotAfter.Format(time.DateOnly), ErrTooLong)
		}
	}
	if !renewed {
		return k, nil
	}
	private, err := newPrivate()
	if err != nil {
		return nil, fmt.Errorf("making the last status key: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, RawSubject: k.Certificate().RawSubject,
		NotBefore: at.Add(-time.Minute), NotAfter: until, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, UnknownExtKeyUsage: []asn1.ObjectIdentifier{statusSigning},
	}, root.Certificate(), private.Public(), root.signer)
	if err != nil {
		return nil, fmt.Errorf("making the certificate of the last status key: %w", err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("making the certificate of the last status key: %w", err)
	}
	last, err := r.newKey([]*x509.Certificate{c, root.Certificate()}, private)
	if err != nil {
		return nil, fmt.Errorf("making the last status key: %w", err)
	}
	last.Purpose, last.Owner, last.From, last.SelfMade = Status, k.Owner, at, true
	return last, nil
}
