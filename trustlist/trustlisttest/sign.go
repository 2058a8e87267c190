package trustlisttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // some lists name their signer by it
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

const (
	ds        = `xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`
	xades     = `xmlns:xades="http://uri.etsi.org/01903/v1.3.2#"`
	c14n      = "http://www.w3.org/2001/10/xml-exc-c14n#"
	enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	// SHA256 is the digest method of a signature that names no other.
	SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
)

// Options change how Sign signs. The zero value signs as real lists do.
type Options struct {
	URI        string // of the list; "" means the whole document
	Method     string // signature method, instead of the one of the key
	Digest     string // name of the digest method; the digest stays SHA-256
	NameBySHA1 bool   // names the signer by SHA-1
	Nameless   bool   // does not name its signer
	Named      *Signer
	Third      bool                // covers a third thing
	Forget     bool                // does not cover the signed properties
	PSS        bool                // RSA-PSS instead of PKCS #1 v1.5
	Shown      *Signer             // whose certificate stands in KeyInfo
	Info       func(string) string // changes the signed info before it is signed
}

// Sign signs a list with XAdES, as TS 119 612 wants it.
func Sign(t testing.TB, list string, s Signer, o Options) []byte {
	t.Helper()
	body := strings.TrimSuffix(strings.TrimSpace(list), "</TrustServiceStatusList>")
	properties := propertiesOf(s, o)
	plain := parse(t, list)
	info := infoOf(s, o, digest(canonical(t, plain)), digest(canonical(t, parse(t, properties))))
	if o.Info != nil {
		info = o.Info(info)
	}
	value := s.sign(t, canonical(t, parse(t, info)), o.PSS)
	shown := s
	if o.Shown != nil {
		shown = *o.Shown
	}
	return []byte(body + `<ds:Signature ` + ds + ` Id="sig">` + info +
		`<ds:SignatureValue>` + base64.StdEncoding.EncodeToString(value) + `</ds:SignatureValue>` +
		`<ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + base64.StdEncoding.EncodeToString(shown.Certificate.Raw) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo>` +
		`<ds:Object><xades:QualifyingProperties ` + xades + ` Target="#sig">` + properties + `</xades:QualifyingProperties></ds:Object>` +
		`</ds:Signature></TrustServiceStatusList>`)
}

func propertiesOf(s Signer, o Options) string {
	names := ""
	if !o.Nameless {
		named, method := s, SHA256
		if o.Named != nil {
			named = *o.Named
		}
		sum := digest(named.Certificate.Raw)
		if o.NameBySHA1 {
			short := sha1.Sum(named.Certificate.Raw) //nolint:gosec // as above
			sum, method = base64.StdEncoding.EncodeToString(short[:]), "http://www.w3.org/2000/09/xmldsig#sha1"
		}
		names = `<xades:SigningCertificateV2><xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="` + method + `"/><ds:DigestValue>` + sum + `</ds:DigestValue></xades:CertDigest></xades:Cert></xades:SigningCertificateV2>`
	}
	return `<xades:SignedProperties ` + ds + ` ` + xades + ` Id="props"><xades:SignedSignatureProperties><xades:SigningTime>2026-01-01T00:00:00Z</xades:SigningTime>` + names + `</xades:SignedSignatureProperties></xades:SignedProperties>`
}

func infoOf(s Signer, o Options, whole, properties string) string {
	method, hash := o.Method, o.Digest
	if method == "" {
		method = s.method(o.PSS)
	}
	if hash == "" {
		hash = SHA256
	}
	reference := func(attributes, transforms, sum string) string {
		return `<ds:Reference ` + attributes + `><ds:Transforms>` + transforms + `</ds:Transforms><ds:DigestMethod Algorithm="` + hash + `"/><ds:DigestValue>` + sum + `</ds:DigestValue></ds:Reference>`
	}
	transform := func(name string) string { return `<ds:Transform Algorithm="` + name + `"/>` }
	list := reference(`Id="r1" URI="`+o.URI+`"`, transform(enveloped)+transform(c14n), whole)
	all := list
	if !o.Forget {
		all += reference(`Type="http://uri.etsi.org/01903#SignedProperties" URI="#props"`, transform(c14n), properties)
	}
	if o.Third {
		all += strings.Replace(list, "r1", "r3", 1)
	}
	return `<ds:SignedInfo ` + ds + `><ds:CanonicalizationMethod Algorithm="` + c14n + `"/><ds:SignatureMethod Algorithm="` + method + `"/>` + all + `</ds:SignedInfo>`
}

func (s Signer) method(pss bool) string {
	switch {
	case pss:
		return "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
	case isRSA(s.Key):
		return "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	}
	return "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
}

func isRSA(key crypto.Signer) bool {
	_, ok := key.(*rsa.PrivateKey)
	return ok
}

// sign signs with SHA-256; ECDSA gives r and s side by side (RFC 9231).
func (s Signer) sign(t testing.TB, data []byte, pss bool) []byte {
	t.Helper()
	sum := sha256.Sum256(data)
	if key, ok := s.Key.(*ecdsa.PrivateKey); ok {
		r, v, err := ecdsa.Sign(rand.Reader, key, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		size := (key.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), v.FillBytes(make([]byte, size))...)
	}
	var options crypto.SignerOpts = crypto.SHA256
	if pss {
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	}
	value, err := s.Key.Sign(rand.Reader, sum[:], options)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func parse(t testing.TB, text string) *etree.Element {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(text); err != nil {
		t.Fatal(fmt.Errorf("reading the list to be signed: %w", err))
	}
	return doc.Root()
}

func canonical(t testing.TB, e *etree.Element) []byte {
	t.Helper()
	out, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(e)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return base64.StdEncoding.EncodeToString(sum[:])
}
