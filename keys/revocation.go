package keys

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Evidence is what authorities signed about certificates below them, as it
// stands in a seal: other certificates, revocation lists (RFC 5280 clause 5)
// and answers about one certificate (RFC 6960). Nothing in it is believed
// without the signature of the authority that it speaks for.
type Evidence struct {
	Certificates []*x509.Certificate
	crls         []*x509.RevocationList
	ocsps        [][]byte
}

// Bounds on the evidence of one seal: what is beyond them is not looked at.
const (
	maxCertificates = 64
	maxWords        = 64
	maxAnswer       = 64 << 10 // bytes; an answer with its certificates has 1 to 6 KB
)

// ReadEvidence reads DER. What cannot be read is left out: it proves nothing.
func ReadEvidence(certificates, crls, ocsps [][]byte) Evidence {
	var e Evidence
	for _, der := range certificates[:min(len(certificates), maxCertificates)] {
		if c, err := x509.ParseCertificate(der); err == nil && affordable(c) {
			e.Certificates = append(e.Certificates, c)
		}
	}
	for _, der := range crls[:min(len(crls), maxWords)] {
		if l, err := x509.ParseRevocationList(der); err == nil {
			e.crls = append(e.crls, l)
		}
	}
	for _, der := range ocsps[:min(len(ocsps), maxWords)] {
		if len(der) > maxAnswer {
			continue
		}
		if by, err := answererOf(der); err == nil && (by == nil || affordable(by)) {
			e.ocsps = append(e.ocsps, der)
		}
	}
	return e
}

// Silent tells whether there is no list and no answer in it at all.
func (e Evidence) Silent() bool { return len(e.crls)+len(e.ocsps) == 0 }

// Word is what an authority says about a certificate. Known is false when it
// says nothing. Since is the earliest moment from which the certificate is
// revoked, zero when it is not.
type Word struct {
	Known bool
	Since time.Time
}

// Revoked tells whether the authority has revoked the certificate.
func (w Word) Revoked() bool { return !w.Since.IsZero() }

// About looks for the word of a certificate's authority. The authority is
// sought among the certificates given and those of the evidence, and must have
// signed the certificate.
func (e Evidence) About(c *x509.Certificate, others []*x509.Certificate) Word {
	var word Word
	if e.Silent() {
		return word
	}
	tries := search{maxTries}
	for _, authority := range slices.Concat(others, e.Certificates) {
		if !tries.issued(authority, c) {
			continue
		}
		for _, l := range e.crls {
			word = word.and(listed(l, c, authority))
		}
		for _, raw := range e.ocsps {
			word = word.and(answered(raw, c, authority))
		}
		return word
	}
	return word
}

// maxPath bounds how many authorities are looked for above a certificate.
const maxPath = 8

// Path is a certificate followed by the authorities above it as far as they are
// among others, without the anchor that they lead to. The anchor may be nil.
func Path(c, anchor *x509.Certificate, others []*x509.Certificate) []*x509.Certificate {
	path := []*x509.Certificate{c}
	tries := search{maxTries}
	for len(path) < maxPath && (anchor == nil || !signedBy(c, anchor)) {
		next := slices.IndexFunc(others, func(o *x509.Certificate) bool {
			return !slices.ContainsFunc(path, o.Equal) && tries.issued(o, c)
		})
		if next < 0 {
			break
		}
		c = others[next]
		path = append(path, c)
	}
	return path
}

// signedBy tells whether an authority signed a certificate.
func signedBy(c, authority *x509.Certificate) bool {
	return bytes.Equal(authority.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(authority) == nil
}

// and keeps the earlier revocation of two words.
func (w Word) and(other Word) Word {
	if other.Revoked() && (!w.Revoked() || other.Since.Before(w.Since)) {
		w.Since = other.Since
	}
	w.Known = w.Known || other.Known
	return w
}

var (
	deltaIndicator    = asn1.ObjectIdentifier{2, 5, 29, 27}
	distributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
)

// listed reads a revocation list. A list for a part of the certificates, or
// with the changes only, says nothing about those that are not in it.
func listed(l *x509.RevocationList, c, authority *x509.Certificate) Word {
	if !bytes.Equal(l.RawIssuer, authority.RawSubject) || l.CheckSignatureFrom(authority) != nil {
		return Word{}
	}
	partial := false
	for _, x := range l.Extensions {
		switch {
		case x.Id.Equal(deltaIndicator), x.Id.Equal(distributionPoint):
			partial = true
		case x.Critical:
			return Word{} // it may mean anything
		}
	}
	for _, entry := range l.RevokedCertificateEntries {
		if entry.SerialNumber.Cmp(c.SerialNumber) == 0 {
			return Word{Known: true, Since: entry.RevocationTime}
		}
	}
	return Word{Known: !partial}
}

// answered reads an answer of the authority, or of a responder that it
// appointed for this (RFC 6960 clause 4.2.2.2).
func answered(raw []byte, c, authority *x509.Certificate) Word {
	answer, err := ocsp.ParseResponseForCert(raw, c, authority)
	if err != nil {
		return Word{}
	}
	if r := answer.Certificate; r != nil && !r.Equal(authority) {
		appointed := slices.Contains(r.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning)
		if !appointed || answer.ProducedAt.Before(r.NotBefore) || answer.ProducedAt.After(r.NotAfter) {
			return Word{}
		}
	}
	switch answer.Status {
	case ocsp.Good:
		return Word{Known: true}
	case ocsp.Revoked:
		return Word{Known: true, Since: answer.RevokedAt}
	}
	return Word{}
}
