package trustlist

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha1" //nolint:gosec // names certificates only: see namedSigner
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

const (
	dsNamespace    = "http://www.w3.org/2000/09/xmldsig#"
	xadesNamespace = "http://uri.etsi.org/01903/v1.3.2#"
	exclusiveC14N  = "http://www.w3.org/2001/10/xml-exc-c14n#"
	enveloped      = dsNamespace + "enveloped-signature"
	signedKind     = "http://uri.etsi.org/01903#SignedProperties"
)

const minRSABits = 2048

// digestOf gives the hash of a digest method. SHA-1 is none of them.
func digestOf(method string) (crypto.Hash, bool) {
	switch method {
	case "http://www.w3.org/2001/04/xmlenc#sha256":
		return crypto.SHA256, true
	case "http://www.w3.org/2001/04/xmldsig-more#sha384":
		return crypto.SHA384, true
	case "http://www.w3.org/2001/04/xmlenc#sha512":
		return crypto.SHA512, true
	}
	return 0, false
}

// method is a way to sign (RFC 9231).
type method struct {
	hash  crypto.Hash
	ecdsa bool
	pss   bool
}

func methodOf(name string) (method, bool) {
	for _, h := range []struct {
		bits string
		hash crypto.Hash
	}{{"256", crypto.SHA256}, {"384", crypto.SHA384}, {"512", crypto.SHA512}} {
		switch name {
		case "http://www.w3.org/2001/04/xmldsig-more#rsa-sha" + h.bits:
			return method{hash: h.hash}, true
		case "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha" + h.bits:
			return method{hash: h.hash, ecdsa: true}, true
		case "http://www.w3.org/2007/05/xmldsig-more#sha" + h.bits + "-rsa-MGF1":
			return method{hash: h.hash, pss: true}, true
		}
	}
	return method{}, false
}

// verified checks the signature of a list against the certificates that may
// sign it. It returns the canonical bytes that the signature covers and the
// certificates whose key made it. The document is used up.
func verified(doc *etree.Document, signers [][]byte) (covered []byte, by []*x509.Certificate, err error) {
	root := doc.Root()
	signature, err := theSignature(root)
	if err != nil {
		return nil, nil, err
	}
	info, err := only(signature, dsNamespace, "SignedInfo")
	if err != nil {
		return nil, nil, err
	}
	by, err = whoSigned(signature, info, signers)
	if err != nil {
		return nil, nil, err
	}
	whole, properties, err := references(root, signature, info)
	if err != nil {
		return nil, nil, err
	}
	canonical, err := canonicalPart(properties.target, properties.prefixes)
	if err != nil {
		return nil, nil, err
	}
	if err := properties.matches(canonical); err != nil {
		return nil, nil, err
	}
	if by, err = namedSigner(properties.target, by, signers); err != nil {
		return nil, nil, err
	}
	root.RemoveChild(signature)
	if covered, err = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(whole.prefixes).Canonicalize(root); err != nil {
		return nil, nil, fmt.Errorf("making it canonical: %w", err)
	}
	return covered, by, whole.matches(covered)
}

// theSignature is the one signature of a list. A second one, anywhere, is
// refused: nothing may be taken for what another signature covers.
func theSignature(root *etree.Element) (*etree.Element, error) {
	if n := countSignatures(root); n != 1 {
		return nil, fmt.Errorf("it has %d signatures, one is wanted", n)
	}
	found := children(root, dsNamespace, "Signature")
	if len(found) != 1 {
		return nil, errors.New("the signature does not stand directly in the list")
	}
	return found[0], nil
}

func countSignatures(e *etree.Element) int {
	n := 0
	if is(e, dsNamespace, "Signature") {
		n++
	}
	for _, c := range e.ChildElements() {
		n += countSignatures(c)
	}
	return n
}

// whoSigned returns the certificates, among those that may sign and those in
// the signature that have the same key as one of them, whose key made it.
func whoSigned(signature, info *etree.Element, signers [][]byte) ([]*x509.Certificate, error) {
	c14n, err := only(info, dsNamespace, "CanonicalizationMethod")
	if err != nil {
		return nil, err
	}
	prefixes, err := exclusive(c14n)
	if err != nil {
		return nil, err
	}
	element, err := only(info, dsNamespace, "SignatureMethod")
	if err != nil {
		return nil, err
	}
	how, ok := methodOf(attribute(element, "Algorithm"))
	if !ok {
		return nil, fmt.Errorf("it is signed with %.80q, which does not count", attribute(element, "Algorithm"))
	}
	element, err = only(signature, dsNamespace, "SignatureValue")
	if err != nil {
		return nil, err
	}
	value, err := unbase64(element.Text())
	if err != nil {
		return nil, errors.New("the value of the signature is not base64")
	}
	signed, err := canonicalPart(info, prefixes)
	if err != nil {
		return nil, err
	}
	digest := sum(how.hash, signed)
	var by []*x509.Certificate
	for _, c := range mayHaveSigned(signature, signers) {
		if how.verify(c.PublicKey, digest, value) {
			by = append(by, c)
		}
	}
	if len(by) == 0 {
		return nil, errors.New("it is not signed by any of the certificates that may sign it")
	}
	return by, nil
}

// mayHaveSigned are the certificates that may sign, and after them those in
// the signature that renew one of them with the same key.
func mayHaveSigned(signature *etree.Element, signers [][]byte) []*x509.Certificate {
	var all []*x509.Certificate
	for _, der := range signers {
		if c, err := x509.ParseCertificate(der); err == nil {
			all = append(all, c)
		}
	}
	pinned := len(all)
	for _, info := range children(signature, dsNamespace, "KeyInfo") {
		for _, data := range children(info, dsNamespace, "X509Data") {
			for _, e := range children(data, dsNamespace, "X509Certificate") {
				der, err := unbase64(e.Text())
				if err != nil {
					continue
				}
				c, err := x509.ParseCertificate(der)
				if err == nil && sameKey(c, all[:pinned]) && len(all) < pinned+8 {
					all = append(all, c)
				}
			}
		}
	}
	return all
}

func sameKey(c *x509.Certificate, among []*x509.Certificate) bool {
	for _, other := range among {
		if bytes.Equal(c.RawSubjectPublicKeyInfo, other.RawSubjectPublicKeyInfo) {
			return true
		}
	}
	return false
}

func (m method) verify(public crypto.PublicKey, digest, value []byte) bool {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		size := (key.Curve.Params().BitSize + 7) / 8
		if !m.ecdsa || len(value) != 2*size {
			return false
		}
		return ecdsa.Verify(key, digest, new(big.Int).SetBytes(value[:size]), new(big.Int).SetBytes(value[size:]))
	case *rsa.PublicKey:
		switch {
		case m.ecdsa || key.N.BitLen() < minRSABits:
			return false
		case m.pss:
			return rsa.VerifyPSS(key, m.hash, digest, value, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		}
		return rsa.VerifyPKCS1v15(key, m.hash, digest, value) == nil
	}
	return false
}

// reference is one thing that a signature covers.
type reference struct {
	target   *etree.Element
	prefixes string
	hash     crypto.Hash
	digest   []byte
}

func (r *reference) matches(canonical []byte) error {
	if !bytes.Equal(sum(r.hash, canonical), r.digest) {
		return errors.New("it was changed after it was signed")
	}
	return nil
}

// references reads what the signature covers: the list itself without the
// signature, and the signed properties of the signature (ETSI TS 119 612
// clause 5.7.1, EN 319 132-1). Anything else, or a third thing, is refused.
func references(root, signature, info *etree.Element) (whole, properties *reference, err error) {
	found := children(info, dsNamespace, "Reference")
	if len(found) != 2 {
		return nil, nil, fmt.Errorf("the signature covers %d things, two are wanted", len(found))
	}
	signed, err := signedProperties(signature)
	if err != nil {
		return nil, nil, err
	}
	id, rootID := attribute(signed, "Id"), attribute(root, "Id")
	for _, e := range found {
		uri := attribute(e, "URI")
		switch {
		case id != "" && uri == "#"+id && attribute(e, "Type") == signedKind && properties == nil:
			properties, err = readReference(e, signed, exclusiveC14N)
		case hasAttribute(e, "", "URI") && (uri == "" || rootID != "" && uri == "#"+rootID) && whole == nil:
			whole, err = readReference(e, root, enveloped, exclusiveC14N)
		default:
			err = fmt.Errorf("the signature covers %.60q, which is neither the list nor the signed properties", uri)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return whole, properties, nil
}

func readReference(e, target *etree.Element, transforms ...string) (*reference, error) {
	list, err := only(e, dsNamespace, "Transforms")
	if err != nil {
		return nil, err
	}
	found := list.ChildElements()
	if len(found) != len(transforms) {
		return nil, fmt.Errorf("the signature changes what it covers in %d steps, %d are wanted", len(found), len(transforms))
	}
	r := &reference{target: target}
	for n, wanted := range transforms {
		t := found[n]
		if !is(t, dsNamespace, "Transform") || attribute(t, "Algorithm") != wanted {
			return nil, fmt.Errorf("the signature changes what it covers by %.80q, which does not count", attribute(t, "Algorithm"))
		}
		if wanted == exclusiveC14N {
			if r.prefixes, err = exclusive(t); err != nil {
				return nil, err
			}
		}
	}
	element, err := only(e, dsNamespace, "DigestMethod")
	if err != nil {
		return nil, err
	}
	var ok bool
	if r.hash, ok = digestOf(attribute(element, "Algorithm")); !ok {
		return nil, fmt.Errorf("the signature covers by the digest %.80q, which does not count", attribute(element, "Algorithm"))
	}
	if element, err = only(e, dsNamespace, "DigestValue"); err != nil {
		return nil, err
	}
	if r.digest, err = unbase64(element.Text()); err != nil {
		return nil, errors.New("a digest in the signature is not base64")
	}
	return r, nil
}

// signedProperties finds the signed properties where they must stand.
func signedProperties(signature *etree.Element) (*etree.Element, error) {
	var found []*etree.Element
	for _, object := range children(signature, dsNamespace, "Object") {
		found = append(found, children(object, xadesNamespace, "QualifyingProperties")...)
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("the signature has %d sets of properties, one is wanted", len(found))
	}
	if target, id := attribute(found[0], "Target"), attribute(signature, "Id"); target != "#"+id {
		return nil, errors.New("the properties are those of another signature")
	}
	return only(found[0], xadesNamespace, "SignedProperties")
}

// namedSigner keeps the certificates that the signed properties name, when
// they name any, and else those that the caller did. The digest may be SHA-1, which some lists still use here: the
// certificates are pinned by the caller, and nobody can swap one for another.
func namedSigner(properties *etree.Element, by []*x509.Certificate, pinned [][]byte) ([]*x509.Certificate, error) {
	var digests []*etree.Element
	for _, p := range children(properties, xadesNamespace, "SignedSignatureProperties") {
		for _, name := range []string{"SigningCertificate", "SigningCertificateV2"} {
			for _, s := range children(p, xadesNamespace, name) {
				for _, c := range children(s, xadesNamespace, "Cert") {
					digests = append(digests, children(c, xadesNamespace, "CertDigest")...)
				}
			}
		}
	}
	var named []*x509.Certificate
	for _, c := range by {
		if len(digests) == 0 && slices.ContainsFunc(pinned, func(der []byte) bool { return bytes.Equal(der, c.Raw) }) {
			named = append(named, c)
		}
		for _, e := range digests {
			if namesCertificate(e, c) {
				named = append(named, c)
				break
			}
		}
	}
	if len(named) == 0 {
		return nil, errors.New("it names another certificate as its signer than the one whose key signed it")
	}
	return named, nil
}

func namesCertificate(e *etree.Element, c *x509.Certificate) bool {
	how, err := only(e, dsNamespace, "DigestMethod")
	if err != nil {
		return false
	}
	hash, ok := digestOf(attribute(how, "Algorithm"))
	if !ok && attribute(how, "Algorithm") == dsNamespace+"sha1" {
		hash, ok = crypto.SHA1, true
	}
	value, err := only(e, dsNamespace, "DigestValue")
	if err != nil || !ok {
		return false
	}
	digest, err := unbase64(value.Text())
	return err == nil && bytes.Equal(digest, sum(hash, c.Raw))
}

// exclusive reads a method of canonicalisation, which must be the exclusive one
// without comments, and returns its list of prefixes.
func exclusive(e *etree.Element) (prefixes string, err error) {
	if a := attribute(e, "Algorithm"); a != exclusiveC14N {
		return "", fmt.Errorf("it is made canonical by %.80q, which does not count", a)
	}
	for _, c := range e.ChildElements() {
		if !is(c, exclusiveC14N, "InclusiveNamespaces") || prefixes != "" {
			return "", errors.New("it is made canonical in a way that does not count")
		}
		prefixes = attribute(c, "PrefixList")
	}
	return prefixes, nil
}

// canonicalPart makes a part of a list canonical, in the namespaces that it
// stands in.
func canonicalPart(e *etree.Element, prefixes string) ([]byte, error) {
	part := e.Copy()
	for up := e.Parent(); up != nil; up = up.Parent() {
		for _, a := range up.Attr {
			isDeclaration := a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns"
			if isDeclaration && !hasAttribute(part, a.Space, a.Key) {
				part.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	canonical, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(prefixes).Canonicalize(part)
	if err != nil {
		return nil, fmt.Errorf("making it canonical: %w", err)
	}
	return canonical, nil
}

func sum(h crypto.Hash, data []byte) []byte {
	w := h.New()
	w.Write(data)
	return w.Sum(nil)
}

// unbase64 reads base64 as it stands in XML, with line breaks.
func unbase64(text string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
}
