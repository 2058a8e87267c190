package timestamp

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes that a crypto.Hash below stands for
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// ErrToken is wrapped by every error that says a time stamp does not hold.
var ErrToken = errors.New("the time stamp does not hold")

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrToken, fmt.Sprintf(format, args...))
}

// Limits on what is read. A token is 1 to 6 KB with all its certificates. An
// RSA key above the limit costs seconds to use.
const (
	maxToken        = 64 << 10
	maxCertificates = 10
	minRSA, maxRSA  = 2048, 8192 // bits
)

// Token is a time stamp whose CMS signature was checked against the
// certificate inside it. Whether that certificate deserves trust is for the
// caller to ask. It is not changed after Parse and safe for concurrent use.
type Token struct {
	Time   time.Time           // genTime, UTC
	Policy string              // of the authority; OID, dotted
	Chain  []*x509.Certificate // the signer's certificate first, then the others the token carries

	hash    crypto.Hash
	imprint []byte
	nonce   *big.Int // nil when there is none
}

// Parse reads the DER of a TimeStampToken (RFC 3161 clause 2.4.2) of at most
// 64 KiB. It holds when exactly one signer signed it, with SHA-256, 384 or 512
// and a key of ECDSA on P-256, 384 or 521 or of RSA from 2048 bits on; when the
// certificate that the signature itself names (RFC 5816) is inside, is for time
// stamping and for nothing else, and was valid at the stamped time; and when
// nothing in it is unknown and critical. Of the other certificates, which the
// signature does not cover, one that cannot be read is left out. Errors wrap
// ErrToken.
func Parse(der []byte) (*Token, error) {
	switch {
	case len(der) == 0:
		return nil, bad("reading it: it is empty")
	case len(der) > maxToken:
		return nil, bad("reading it: it is larger than %d bytes", maxToken)
	}
	s, err := readSigned(bytes.Clone(der)) // the certificates keep parts of it
	if err != nil {
		return nil, bad("reading its envelope: %v", err)
	}
	t := &Token{}
	if err := t.readInfo(s.content); err != nil {
		return nil, bad("reading what it says: %v", err)
	}
	if err := t.findSigner(s); err != nil {
		return nil, bad("finding the certificate of its signer: %v", err)
	}
	if err := s.verify(t.Chain[0]); err != nil {
		return nil, bad("checking its signature: %v", err)
	}
	if err := mayStamp(t.Chain[0], t.Time); err != nil {
		return nil, bad("reading the certificate of its signer: %v", err)
	}
	return t, nil
}

// Over tells whether the time stamp is over this data: nil when it is, else an
// error that wraps ErrToken.
func (t *Token) Over(data []byte) error {
	if t.hash == 0 || !bytes.Equal(digest(t.hash, data), t.imprint) {
		return bad("comparing the imprint: it is of other data")
	}
	return nil
}

func digest(h crypto.Hash, data []byte) []byte {
	d := h.New()
	d.Write(data)
	return d.Sum(nil)
}

// readInfo reads a TSTInfo (RFC 3161 clause 2.4.2).
func (t *Token) readInfo(der []byte) error {
	outer := open(der)
	e := outer.enter(asn1.ClassUniversal, asn1.TagSequence)
	var version int
	var policy asn1.ObjectIdentifier
	var serial *big.Int
	var at time.Time
	e.take(&version, "")
	e.take(&policy, "")
	imprint := e.enter(asn1.ClassUniversal, asn1.TagSequence)
	oid := imprint.algorithm()
	imprint.take(&t.imprint, "")
	imprint.end()
	e.take(&serial, "")
	clock := e.peek()
	e.take(&at, "generalized")
	if e.at(asn1.ClassUniversal, asn1.TagSequence) {
		e.next() // accuracy
	}
	if e.at(asn1.ClassUniversal, asn1.TagBoolean) {
		var ordering bool
		e.take(&ordering, "")
	}
	if e.at(asn1.ClassUniversal, asn1.TagInteger) {
		e.take(&t.nonce, "")
	}
	if e.at(asn1.ClassContextSpecific, 0) {
		e.next() // tsa: a hint, the certificate says it
	}
	critical := readExtensions(&e)
	e.end()
	outer.end()
	if err := outer.error(); err != nil {
		return err
	}
	t.hash = hashOf(oid)
	switch {
	case version != 1:
		return fmt.Errorf("its version is %d, 1 is known", version)
	case t.hash == 0:
		return fmt.Errorf("the imprint is of the algorithm %s, SHA-256, 384 and 512 are accepted", oid)
	case len(t.imprint) != t.hash.Size():
		return fmt.Errorf("the imprint has %d bytes, %s has %d", len(t.imprint), t.hash, t.hash.Size())
	case !bytes.HasSuffix(clock.Bytes, []byte("Z")):
		return errors.New("its time is not in UTC")
	case critical != "":
		return fmt.Errorf("the extension %s is critical and not known", critical)
	}
	t.Time, t.Policy = at.UTC(), policy.String()
	return nil
}

// readExtensions returns a critical extension, of which none is known.
func readExtensions(e *elements) (critical string) {
	if !e.at(asn1.ClassContextSpecific, 1) {
		return ""
	}
	all := e.enter(asn1.ClassContextSpecific, 1)
	for all.more() {
		one := all.enter(asn1.ClassUniversal, asn1.TagSequence)
		var oid asn1.ObjectIdentifier
		var isCritical bool
		var value []byte
		one.take(&oid, "")
		if one.at(asn1.ClassUniversal, asn1.TagBoolean) {
			one.take(&isCritical, "")
		}
		one.take(&value, "")
		one.end()
		if isCritical && critical == "" {
			critical = oid.String()
		}
	}
	return critical
}

// findSigner fills the chain: the certificate that the signed attributes name
// by its hash, then the others, each once.
func (t *Token) findSigner(s *signed) error {
	named, err := s.certificateIDs()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	var others []*x509.Certificate
	for _, raw := range s.certificates {
		if seen[string(raw)] {
			continue
		}
		seen[string(raw)] = true
		c, err := x509.ParseCertificate(raw)
		signer := named[0].is(raw)
		switch {
		case err != nil && signer:
			return err
		case err != nil:
		case signer:
			t.Chain = append(t.Chain, c)
		default:
			others = append(others, c)
		}
	}
	if len(t.Chain) != 1 {
		return errors.New("the token does not carry the certificate that its signature names")
	}
	for _, id := range named {
		if !id.is(t.Chain[0].Raw) || id.by != nil && !id.by.names(t.Chain[0]) {
			return errors.New("the signature names two different certificates")
		}
	}
	if !s.by.names(t.Chain[0]) {
		return errors.New("the signature names one certificate and the signer another")
	}
	t.Chain = append(t.Chain, others...)
	return nil
}

// mayStamp holds a certificate to RFC 3161 clause 2.3: its key makes time
// stamps and nothing else, and was in use at the stamped time.
func mayStamp(c *x509.Certificate, at time.Time) error {
	critical := false
	for _, e := range c.Extensions {
		if e.Id.String() == oidExtKeyUsage {
			critical = e.Critical
		}
	}
	const signs = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	only := len(c.ExtKeyUsage) == 1 && c.ExtKeyUsage[0] == x509.ExtKeyUsageTimeStamping && len(c.UnknownExtKeyUsage) == 0
	switch {
	case c.IsCA:
		return errors.New("it belongs to an authority over certificates")
	case !only:
		return errors.New("its key is not for time stamps alone")
	case !critical:
		return errors.New("it does not say critically that its key is for time stamps alone")
	case c.KeyUsage != 0 && c.KeyUsage&signs == 0:
		return errors.New("its key may not sign")
	case at.Before(c.NotBefore) || at.After(c.NotAfter):
		return errors.New("it was not valid at the stamped time")
	}
	return nil
}

// strongKey refuses keys that are too weak, and those that cost too much.
func strongKey(key any) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < minRSA || n > maxRSA {
			return fmt.Errorf("the RSA key has %d bits, %d to %d are accepted", n, minRSA, maxRSA)
		}
		return nil
	case *ecdsa.PublicKey:
		if c := key.Curve; c == elliptic.P256() || c == elliptic.P384() || c == elliptic.P521() {
			return nil
		}
		return errors.New("the curve of the key is not P-256, P-384 or P-521")
	}
	return errors.New("the key is neither RSA nor ECDSA")
}
