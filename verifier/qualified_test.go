package verifier

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"attesta/keys"
)

// outside is a sealer whose certificate an authority outside issued.
type outside struct {
	chain []*x509.Certificate
	key   *ecdsa.PrivateKey
}

func (o outside) Algorithm() string          { return "ES256" }
func (o outside) Chain() []*x509.Certificate { return o.chain }
func (o outside) Sign(input []byte) ([]byte, error) {
	sum := sha256.Sum256(input)
	r, s, err := ecdsa.Sign(rand.Reader, o.key, sum[:])
	if err != nil {
		return nil, err
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
}

// qualified seals the document of the house with a qualified certificate under
// an authority that it puts among the anchors, as a trusted list would.
func (h *house) qualified(device bool) []byte {
	h.t.Helper()
	ca := h.certificate(nil, func(c *x509.Certificate) {
		c.Subject, c.IsCA, c.KeyUsage = pkix.Name{CommonName: "CA sigilli"}, true, x509.KeyUsageCertSign
	})
	leaf := h.certificate(&ca, func(c *x509.Certificate) {
		c.RawSubject = h.key(keys.Seal).Certificate().RawSubject
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}, Value: h.statements(device)}}
	})
	list := &keys.List{Territory: "IT", Sequence: 7, Issued: h.now, NextUpdate: h.now.AddDate(0, 6, 0)}
	h.trust.Anchors = append(h.trust.Anchors, keys.Anchor{
		Name: "Prestatore", Level: keys.Qualified, Certificate: ca.chain[0], For: []keys.Use{keys.ForSeals},
		Periods: []keys.Period{{From: h.now.AddDate(-5, 0, 0)}}, List: list,
	})
	return h.sealWith(leaf, h.document(), h.now)
}

func (h *house) statements(device bool) []byte {
	h.t.Helper()
	type plain struct{ ID asn1.ObjectIdentifier }
	type typed struct {
		ID    asn1.ObjectIdentifier
		Types []asn1.ObjectIdentifier
	}
	says := []any{
		plain{asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 1}},
		typed{asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6}, []asn1.ObjectIdentifier{{0, 4, 0, 1862, 1, 6, 2}}},
	}
	if device {
		says = append(says, plain{asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 4}})
	}
	var all []byte
	for _, s := range says {
		der, err := asn1.Marshal(s)
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, der...)
	}
	der, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: all})
	if err != nil {
		h.t.Fatal(err)
	}
	return der
}

func (h *house) certificate(under *outside, change func(*x509.Certificate)) outside {
	h.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(h.now.UnixNano()), NotBefore: h.now.AddDate(-1, 0, 0), NotAfter: h.now.AddDate(1, 0, 0),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	change(c)
	parent, signer, rest := c, key, []*x509.Certificate(nil)
	if under != nil {
		parent, signer, rest = under.chain[0], under.key, under.chain
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		h.t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		h.t.Fatal(err)
	}
	return outside{append([]*x509.Certificate{made}, rest...), key}
}

// A report says qualified of a seal only when the key is in a qualified device,
// and by which list.
func TestQualified(t *testing.T) {
	for device, want := range map[bool][3]string{
		true:  {"issuer_qualified", "qualified", "yes"},
		false: {"issuer_qualified_certificate", "advanced", "no"},
	} {
		h := newHouse(t)
		sealed := h.qualified(device)
		r := h.verify(sealed)
		c := r.Find(CheckIssuer)
		if c.Reason != want[0] || r.Level != want[1] || c.Facts["device"] != want[2] || c.Outcome != Pass {
			t.Errorf("%+v at level %s", c, r.Level)
		}
		if c.Facts["territory"] != "IT" || c.Facts["list"] != stamp(h.now) || c.Facts["anchor"] != "Prestatore" {
			t.Errorf("%+v", c.Facts)
		}
		h.trust.Anchors[1].Periods[0].Until = h.now
		if r := h.verify(sealed); r.Verdict != CannotTell || r.Reason != "issuer_unrecognised" || r.Level != "unrecognised" {
			t.Errorf("withdrawn: %+v", r)
		}
	}
}

// K1: that a key was revoked after the proof of time makes nothing more of its
// certificate than it was before.
func TestRevokedLaterIsNotWorthMore(t *testing.T) {
	for name, c := range map[string]struct {
		device bool
		change func(*keys.Anchor)
		level  string
		reason string
	}{
		"in a device":     {true, func(*keys.Anchor) {}, "qualified", "issuer_key_revoked_later"},
		"in no device":    {false, func(*keys.Anchor) {}, "advanced", "issuer_key_revoked_later"},
		"on a stale list": {true, func(a *keys.Anchor) { a.List.NextUpdate = a.List.Issued.Add(-time.Hour) }, "advanced", "issuer_key_revoked_later"},
		"withdrawn":       {true, func(a *keys.Anchor) { a.Periods[0].Until = a.Periods[0].From.AddDate(1, 0, 0) }, "unrecognised", "issuer_unrecognised"},
	} {
		h := newTimed(t)
		sealed := h.stampedAt(h.qualified(c.device), h.now)
		h.now = h.now.Add(time.Hour)
		anchor := &h.trust.Anchors[len(h.trust.Anchors)-1]
		anchor.Revoked = []keys.RevokedKey{{Certificate: keys.Fingerprint(h.parse(sealed).Leaf()), Since: h.now.Add(-time.Minute)}}
		c.change(anchor)
		if r := h.verify(sealed); r.Level != c.level || r.Find(CheckIssuer).Reason != c.reason {
			t.Errorf("%s: %s, %s", name, r.Level, r.Find(CheckIssuer).Reason)
		}
	}
}

// K1, J12: who gets hold of the key of an authority whose certificate has ended
// can make certificates that last, and date seals back.
func TestAnEndedAuthorityBetween(t *testing.T) {
	h := newTimed(t)
	isAuthority := func(name string, until time.Time) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.Subject, c.IsCA, c.KeyUsage, c.NotAfter = pkix.Name{CommonName: name}, true, x509.KeyUsageCertSign, until
		}
	}
	root := h.certificate(nil, isAuthority("Radice", h.now.AddDate(9, 0, 0)))
	between := h.certificate(&root, isAuthority("Intermedia", h.now.Add(-time.Hour)))
	leaf := h.certificate(&between, func(c *x509.Certificate) { c.RawSubject = h.key(keys.Seal).Certificate().RawSubject })
	h.trust.Anchors = append(h.trust.Anchors, keys.Anchor{Name: "Radice", Level: keys.Advanced, Certificate: root.chain[0]})
	before := h.now.Add(-2 * time.Hour)
	sealed := h.sealWith(leaf, h.document(), before)
	c := h.verify(sealed).Find(CheckIssuer)
	if c.Reason != "issuer_certificate_ended" || c.Facts["on"] != stamp(between.chain[0].NotAfter) {
		t.Errorf("only its own word: %+v", c)
	}
	if c := h.verify(h.stampedAt(sealed, before)).Find(CheckIssuer); c.Reason != "issuer_advanced" {
		t.Errorf("proved to be from before: %+v", c)
	}
}
