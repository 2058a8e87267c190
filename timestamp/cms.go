package timestamp

import (
	"bytes"
	"crypto"
	_ "crypto/sha1" //nolint:gosec // only to find a certificate that an old token names by it
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// The parser of the library behind this room turns BER into DER by a package
// variable that is not guarded, passes over errors and trailing elements, and
// indexes past the end of some input. So the envelope is read here, in DER only.

const (
	oidSignedData     = "1.2.840.113549.1.7.2"
	oidTSTInfo        = "1.2.840.113549.1.9.16.1.4"
	oidContentType    = "1.2.840.113549.1.9.3"
	oidMessageDigest  = "1.2.840.113549.1.9.4"
	oidSigningCert    = "1.2.840.113549.1.9.16.2.12"
	oidSigningCertV2  = "1.2.840.113549.1.9.16.2.47"
	oidExtKeyUsage    = "2.5.29.37"
	oidSHA256         = "2.16.840.1.101.3.4.2.1"
	oidSHA384         = "2.16.840.1.101.3.4.2.2"
	oidSHA512         = "2.16.840.1.101.3.4.2.3"
	oidRSA            = "1.2.840.113549.1.1.1"
	oidSHA256WithRSA  = "1.2.840.113549.1.1.11"
	oidSHA384WithRSA  = "1.2.840.113549.1.1.12"
	oidSHA512WithRSA  = "1.2.840.113549.1.1.13"
	oidECDSAAndSHA256 = "1.2.840.10045.4.3.2"
	oidECDSAAndSHA384 = "1.2.840.10045.4.3.3"
	oidECDSAAndSHA512 = "1.2.840.10045.4.3.4"
)

// hashOf is 0 for an algorithm that is not accepted.
func hashOf(oid string) crypto.Hash {
	switch oid {
	case oidSHA256:
		return crypto.SHA256
	case oidSHA384:
		return crypto.SHA384
	case oidSHA512:
		return crypto.SHA512
	}
	return 0
}

// signed is a CMS SignedData over a TSTInfo with one signer, taken apart (RFC
// 5652 clause 5). Nothing in it is to be believed before verify.
type signed struct {
	content      []byte
	certificates [][]byte

	by         certName
	hash       crypto.Hash
	attributes []byte // as the signature covers them
	values     map[string][]byte
	algorithm  string
	signature  []byte
}

func readSigned(der []byte) (*signed, error) {
	outer := open(der)
	info := outer.enter(asn1.ClassUniversal, asn1.TagSequence)
	kind := info.oid()
	explicit := info.enter(asn1.ClassContextSpecific, 0)
	e := explicit.enter(asn1.ClassUniversal, asn1.TagSequence)
	var version int
	e.take(&version, "")
	hashes := map[string]bool{}
	digests := e.enter(asn1.ClassUniversal, asn1.TagSet)
	for digests.more() {
		hashes[digests.algorithm()] = true
	}
	s := &signed{}
	content := e.enter(asn1.ClassUniversal, asn1.TagSequence)
	contentKind := content.oid()
	octets := content.enter(asn1.ClassContextSpecific, 0)
	octets.take(&s.content, "")
	s.readCertificates(&e)
	if e.at(asn1.ClassContextSpecific, 1) {
		e.next() // who judges the certificate asks for its own
	}
	signers := e.enter(asn1.ClassUniversal, asn1.TagSet)
	signer := signers.enter(asn1.ClassUniversal, asn1.TagSequence)
	hash := s.readSigner(&signer)
	for _, level := range []*elements{&signer, &octets, &content, &e, &explicit, &info, &outer} {
		level.end()
	}
	switch err := outer.error(); {
	case err != nil:
		return nil, err
	case kind != oidSignedData || contentKind != oidTSTInfo:
		return nil, errors.New("it is no signed time stamp")
	case version != 3:
		return nil, fmt.Errorf("its version is %d, 3 is known", version)
	case signers.more():
		return nil, errors.New("it has more than one signer")
	case len(s.certificates) > maxCertificates:
		return nil, fmt.Errorf("it carries %d certificates, at most %d are accepted", len(s.certificates), maxCertificates)
	case s.hash == 0 || !hashes[hash]:
		return nil, fmt.Errorf("its digest is of the algorithm %s, SHA-256, 384 and 512 are accepted", hash)
	}
	return s, nil
}

func (s *signed) readCertificates(e *elements) {
	if !e.at(asn1.ClassContextSpecific, 0) {
		return
	}
	all := e.enter(asn1.ClassContextSpecific, 0)
	for all.more() {
		c := all.next()
		if c.Class != asn1.ClassUniversal || c.Tag != asn1.TagSequence {
			all.fail("a certificate is not of X.509")
		}
		s.certificates = append(s.certificates, c.FullBytes)
	}
}

// readSigner reads a SignerInfo (RFC 5652 clause 5.3) and returns the OID of
// its digest.
func (s *signed) readSigner(e *elements) string {
	var version int
	e.take(&version, "")
	switch version {
	case 1:
		id := e.enter(asn1.ClassUniversal, asn1.TagSequence)
		s.by.issuer = id.next().FullBytes
		id.take(&s.by.serial, "")
		id.end()
	case 3:
		e.take(&s.by.key, "tag:0")
	default:
		e.fail("the version of the signer is %d, 1 and 3 are known", version)
	}
	hash := e.algorithm()
	s.hash = hashOf(hash)
	s.attributes = bytes.Clone(e.peek().FullBytes)
	s.readAttributes(e)
	s.algorithm = e.algorithm()
	e.take(&s.signature, "")
	if e.at(asn1.ClassContextSpecific, 1) {
		e.next() // unsigned attributes prove nothing
	}
	return hash
}

// readAttributes reads the signed attributes: each once, with one value (RFC
// 5652 clauses 5.3 and 11).
func (s *signed) readAttributes(e *elements) {
	s.values = map[string][]byte{}
	all := e.enter(asn1.ClassContextSpecific, 0)
	for all.more() {
		one := all.enter(asn1.ClassUniversal, asn1.TagSequence)
		oid := one.oid()
		values := one.enter(asn1.ClassUniversal, asn1.TagSet)
		value := values.next().FullBytes
		values.end()
		one.end()
		if _, twice := s.values[oid]; twice {
			all.fail("the attribute %s stands twice", oid)
		}
		s.values[oid] = value
	}
	if len(s.attributes) > 0 {
		s.attributes[0] = asn1.TagSet | 0x20 // clause 5.4: signed as a SET OF
	}
}

// verify checks the attributes that must be signed, and the signature with the
// key of a certificate (RFC 5652 clauses 5.4 and 5.6).
func (s *signed) verify(by *x509.Certificate) error {
	kind, sum := open(s.values[oidContentType]), open(s.values[oidMessageDigest])
	signedKind := kind.oid()
	var want []byte
	sum.take(&want, "")
	kind.end()
	sum.end()
	switch {
	case kind.error() != nil || signedKind != oidTSTInfo:
		return errors.New("it is not over a time stamp")
	case sum.error() != nil || !bytes.Equal(want, digest(s.hash, s.content)):
		return errors.New("it is over other contents")
	}
	if err := strongKey(by.PublicKey); err != nil {
		return err
	}
	algorithm := signatureAlgorithm(s.algorithm, s.hash)
	if algorithm == x509.UnknownSignatureAlgorithm {
		return fmt.Errorf("the algorithm %s is not accepted with the digest %s", s.algorithm, s.hash)
	}
	return by.CheckSignature(algorithm, s.attributes, s.signature)
}

// signatureAlgorithm is the one that an OID and a digest stand for together.
func signatureAlgorithm(oid string, hash crypto.Hash) x509.SignatureAlgorithm {
	for _, known := range []struct {
		oid  string
		hash crypto.Hash
		is   x509.SignatureAlgorithm
	}{
		{oidRSA, crypto.SHA256, x509.SHA256WithRSA},
		{oidRSA, crypto.SHA384, x509.SHA384WithRSA},
		{oidRSA, crypto.SHA512, x509.SHA512WithRSA},
		{oidSHA256WithRSA, crypto.SHA256, x509.SHA256WithRSA},
		{oidSHA384WithRSA, crypto.SHA384, x509.SHA384WithRSA},
		{oidSHA512WithRSA, crypto.SHA512, x509.SHA512WithRSA},
		{oidECDSAAndSHA256, crypto.SHA256, x509.ECDSAWithSHA256},
		{oidECDSAAndSHA384, crypto.SHA384, x509.ECDSAWithSHA384},
		{oidECDSAAndSHA512, crypto.SHA512, x509.ECDSAWithSHA512},
	} {
		if known.oid == oid && known.hash == hash {
			return known.is
		}
	}
	return x509.UnknownSignatureAlgorithm
}

// certName is how a certificate is named without its hash: by issuer and
// serial number, or by the identifier of its key.
type certName struct {
	issuer []byte // DER
	serial *big.Int
	key    []byte
}

func (n certName) names(c *x509.Certificate) bool {
	if n.serial == nil {
		return len(n.key) > 0 && bytes.Equal(n.key, c.SubjectKeyId)
	}
	return bytes.Equal(n.issuer, c.RawIssuer) && n.serial.Cmp(c.SerialNumber) == 0
}

// certID is an ESSCertID or ESSCertIDv2 (RFC 5035 clauses 5 and 6).
type certID struct {
	hash crypto.Hash
	sum  []byte
	by   *certName
}

func (i certID) is(der []byte) bool { return bytes.Equal(digest(i.hash, der), i.sum) }

// certificateIDs reads which certificate the signed attributes name: the first
// of each list is the signer's. A token from before RFC 5816 has only the old
// attribute, which knows SHA-1 alone.
func (s *signed) certificateIDs() ([]certID, error) {
	var named []certID
	for _, oid := range []string{oidSigningCertV2, oidSigningCert} {
		value, there := s.values[oid]
		if !there {
			continue
		}
		id, err := readCertID(value, oid == oidSigningCertV2)
		if err != nil {
			return nil, fmt.Errorf("the attribute %s: %w", oid, err)
		}
		named = append(named, id)
	}
	if len(named) == 0 {
		return nil, errors.New("the signature names none")
	}
	return named, nil
}

func readCertID(der []byte, second bool) (certID, error) {
	outer := open(der)
	attribute := outer.enter(asn1.ClassUniversal, asn1.TagSequence)
	list := attribute.enter(asn1.ClassUniversal, asn1.TagSequence)
	e := list.enter(asn1.ClassUniversal, asn1.TagSequence)
	id := certID{hash: crypto.SHA1}
	if second {
		id.hash = crypto.SHA256
		if e.at(asn1.ClassUniversal, asn1.TagSequence) {
			oid := e.algorithm()
			if id.hash = hashOf(oid); id.hash == 0 {
				e.fail("its hash is of the algorithm %s, SHA-256, 384 and 512 are accepted", oid)
			}
		}
	}
	e.take(&id.sum, "")
	if e.more() {
		id.by = &certName{}
		name := e.enter(asn1.ClassUniversal, asn1.TagSequence)
		names := name.enter(asn1.ClassUniversal, asn1.TagSequence)
		directory := names.enter(asn1.ClassContextSpecific, 4)
		id.by.issuer = directory.next().FullBytes
		name.take(&id.by.serial, "")
		for _, level := range []*elements{&directory, &names, &name} {
			level.end()
		}
	}
	e.end()
	if attribute.more() {
		attribute.next() // policies
	}
	attribute.end()
	outer.end()
	return id, outer.error()
}
