package keys

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

// rewritten is a certificate whose signature is written in another way.
func rewritten(t *testing.T, c *x509.Certificate, signature asn1.BitString) *x509.Certificate {
	t.Helper()
	var parts struct {
		Signed, Algorithm asn1.RawValue
		Signature         asn1.BitString
	}
	if _, err := asn1.Unmarshal(c.Raw, &parts); err != nil {
		t.Fatal(err)
	}
	parts.Signature = signature
	return must(x509.ParseCertificate(must(asn1.Marshal(parts))(t)))(t)
}

// K1, J12: who has a revoked key cannot make another certificate of it by
// writing the signature of its authority in another way.
func TestARevokedCertificateWrittenInAnotherWay(t *testing.T) {
	root := made(t, nil, authority("Root"))
	leaf := chain(made(t, root, asIs))[0]
	var twin struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(leaf.Signature, &twin); err != nil {
		t.Fatal(err)
	}
	twin.S.Sub(elliptic.P256().Params().N, twin.S)
	other := must(asn1.Marshal(twin))(t)
	shifted := func(signature []byte) asn1.BitString {
		moved := new(big.Int).Lsh(new(big.Int).SetBytes(signature), 2).Bytes()
		return asn1.BitString{Bytes: moved, BitLength: 8*len(moved) - 2}
	}
	revoked := Trust{[]Anchor{{Level: Advanced, Certificate: root.c, Revoked: []RevokedKey{{Fingerprint(leaf), theMoment}}}}}
	trusted := Trust{[]Anchor{{Level: Advanced, Certificate: root.c}}}
	for name, c := range map[string]*x509.Certificate{
		"as it is":                   leaf,
		"the twin of the signature":  rewritten(t, leaf, asn1.BitString{Bytes: other, BitLength: 8 * len(other)}),
		"bits that do not count":     rewritten(t, leaf, shifted(leaf.Signature)),
		"the twin, and bits besides": rewritten(t, leaf, shifted(other)),
	} {
		if v := trusted.Vouch([]*x509.Certificate{c}, theMoment); v.Err != nil {
			t.Errorf("%s: the control: %v", name, v.Err)
		}
		if v := revoked.Vouch([]*x509.Certificate{c}, theMoment); v.Level != Unrecognised || v.Worth != Advanced {
			t.Errorf("%s: %s, %v", name, v.Level, v.Err)
		}
	}
	if v := revoked.Vouch(chain(made(t, root, asIs)), theMoment); v.Err != nil {
		t.Errorf("another certificate: %v", v.Err)
	}
}

// J12, W9: what the certificates of a stranger cost is bounded, however long
// their keys are and however many bear the name of the issuer.
func TestCertificatesOfStrangersCostLittle(t *testing.T) {
	huge := func(bits int) *x509.Certificate {
		n := make([]byte, bits/8)
		for at := range n {
			n[at] = 0xff
		}
		return &x509.Certificate{PublicKey: &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 1<<31 - 1}}
	}
	root := made(t, nil, authority("Root"))
	leaf := made(t, root, asIs).c
	leaf.Signature, leaf.SignatureAlgorithm = make([]byte, 40_000), x509.SHA256WithRSA
	beside := []*x509.Certificate{leaf}
	for range maxCertificates {
		c := huge(8 * len(leaf.Signature))
		c.RawSubject, c.Raw, c.IsCA, c.BasicConstraintsValid, c.Version = leaf.RawIssuer, []byte{1}, true, true, 3
		beside = append(beside, c)
	}
	start := time.Now()
	if v := (Trust{[]Anchor{{Level: Advanced, Certificate: root.c}}}).Vouch(beside, theMoment); v.Err == nil {
		t.Error("it vouches for it")
	}
	if w := (Evidence{Certificates: beside[1:]}).About(leaf, nil); w.Known {
		t.Error("somebody speaks of it")
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %v", took)
	}
	key := must(rsa.GenerateKey(rand.Reader, 2048))(t)
	if c := issued(t, nil, key, asIs); !affordable(c) || affordable(huge(16384)) || affordable(huge(4096)) || !affordable(leaf) {
		t.Error("the bounds of keys do not hold")
	}
}

// An answer comes with the certificate of who gives it, which is read before
// its key is used.
func TestAnswersOfStrangersCostLittle(t *testing.T) {
	n := make([]byte, 40_000)
	for at := range n {
		n[at] = 0xff
	}
	hugeKey := must(asn1.Marshal(struct {
		N *big.Int
		E int
	}{new(big.Int).SetBytes(n), 65537}))(t)
	root := made(t, nil, authority("Root"))
	key := must(rsa.GenerateKey(rand.Reader, 2048))(t)
	small := issued(t, root, key, asIs)
	raw := answerWith(t, forgedKey(t, small, hugeKey))
	if e := ReadEvidence(nil, nil, [][]byte{raw, answerWith(t, small.Raw), {0x30, 0}}); len(e.ocsps) != 1 {
		t.Errorf("%d answers are kept", len(e.ocsps))
	}
}

// forgedKey puts another RSA key into a certificate, whose signature no longer
// holds.
func forgedKey(t *testing.T, c *x509.Certificate, key []byte) []byte {
	t.Helper()
	type spki struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	var old spki
	if _, err := asn1.Unmarshal(c.RawSubjectPublicKeyInfo, &old); err != nil {
		t.Fatal(err)
	}
	old.Key = asn1.BitString{Bytes: key, BitLength: 8 * len(key)}
	var outer, inner []asn1.RawValue
	for from, into := range map[*[]byte]*[]asn1.RawValue{&c.Raw: &outer, &c.RawTBSCertificate: &inner} {
		if _, err := asn1.Unmarshal(*from, into); err != nil {
			t.Fatal(err)
		}
	}
	for n := range inner {
		if string(inner[n].FullBytes) == string(c.RawSubjectPublicKeyInfo) {
			inner[n] = asn1.RawValue{FullBytes: must(asn1.Marshal(old))(t)}
		}
	}
	outer[0] = asn1.RawValue{FullBytes: must(asn1.Marshal(inner))(t)}
	return must(asn1.Marshal(outer))(t)
}

func answerWith(t *testing.T, certificate []byte) []byte {
	t.Helper()
	type basic struct {
		Data, Algorithm []int
		Signature       asn1.BitString
		Certificates    []asn1.RawValue `asn1:"explicit,tag:0"`
	}
	type kind struct {
		ID    asn1.ObjectIdentifier
		Basic []byte
	}
	return must(asn1.Marshal(struct {
		Status   asn1.Enumerated
		Response kind `asn1:"explicit,tag:0"`
	}{0, kind{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}, must(asn1.Marshal(basic{Certificates: []asn1.RawValue{{FullBytes: certificate}}}))(t)}}))(t)
}
