package verifier

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"testing"
	"time"

	"attesta/keys"
)

// J12: each row is a good seal under a chain in which one thing is wrong, or
// none. What is wrong with the certificate is a finding; what nobody known
// vouches for nobody can tell; and neither is valid.
func TestChains(t *testing.T) {
	p := newPKI(t)
	now, hour := p.now, time.Hour
	before, after := now.Add(-2*hour), now.Add(2*hour)
	year := now.AddDate(1, 0, 0)
	stranger := p.issue(nil, ca("Ignota"))
	namesake := p.issue(nil, ca("CA di prova")) // the name of the anchor, another key
	between := p.issue(p.root, ca("Intermedia"))
	under := func(changes ...change) []byte { // an authority under the anchor, and a leaf under that
		middle := p.issue(p.root, append([]change{ca("Di mezzo")}, changes...)...)
		return p.by(p.issue(middle), middle)
	}
	leaf := func(changes ...change) []byte { return p.by(p.issue(p.root, changes...)) }
	unknown := asn1.ObjectIdentifier{2, 999, 7}
	statusSigning := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 30}
	const certificate, unrecognised, nameless = "issuer_certificate", "issuer_unrecognised", "issuer_nameless"
	for _, c := range []struct {
		name    string
		file    func() []byte
		verdict Verdict
		reason  string
	}{
		// controls
		{"a leaf of the anchor", func() []byte { return leaf() }, Valid, "valid"},
		{"through an authority", func() []byte { return under() }, Valid, "valid"},
		{"an authority among what was added", func() []byte { return p.with(p.by(p.issue(between)), nil, between) }, Valid, "valid"},
		{"certificates that have nothing to do", func() []byte { return p.by(p.issue(p.root), stranger, p.issue(nil), namesake, between) }, Valid, "valid"},
		{"the leaf twice", func() []byte { l := p.issue(p.root); return p.by(l, l, p.root) }, Valid, "valid"},
		{"an RSA key", func() []byte { return p.by(p.issueFor(p.rsaKey(), p.root)) }, Valid, "valid"},
		{"for e-mail", func() []byte { return leaf(usage(x509.ExtKeyUsageEmailProtection)) }, Valid, "valid"},
		{"an unknown extension that may be skipped", func() []byte { return leaf(extension(false, unknown, []byte{5, 0})) }, Valid, "valid"},

		// when
		{"ended before the seal", func() []byte { return leaf(lives(before, now.Add(-90*time.Minute))) }, NotValid, certificate},
		{"ended since", func() []byte { return leaf(lives(before, now.Add(-time.Minute))) }, CannotTell, "issuer_certificate_ended"},
		{"begins after the seal", func() []byte { return leaf(lives(now.Add(-time.Minute), year)) }, NotValid, certificate},
		{"begins after its end", func() []byte { return leaf(lives(after, before)) }, NotValid, certificate},
		{"sealed in the future", func() []byte { return p.byAt(now.Add(hour), p.issue(p.root)) }, NotValid, "seal_in_future"},
		{"an authority that has ended", func() []byte { return under(lives(before, now.Add(-90*time.Minute))) }, NotValid, certificate},
		{"an authority that begins later", func() []byte { return under(lives(after, year)) }, NotValid, certificate},

		// what for
		{"for web servers", func() []byte { return leaf(usage(x509.ExtKeyUsageServerAuth)) }, NotValid, certificate},
		{"for web servers and e-mail", func() []byte { return leaf(usage(x509.ExtKeyUsageEmailProtection, x509.ExtKeyUsageServerAuth)) }, NotValid, certificate},
		{"for code", func() []byte { return leaf(usage(x509.ExtKeyUsageCodeSigning)) }, NotValid, certificate},
		{"for OCSP answers", func() []byte { return leaf(usage(x509.ExtKeyUsageOCSPSigning)) }, NotValid, certificate},
		{"for time stamps", func() []byte { return leaf(usage(x509.ExtKeyUsageTimeStamping)) }, NotValid, certificate},
		{"for status lists", func() []byte {
			return leaf(func(c *x509.Certificate) { c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{statusSigning} })
		}, NotValid, certificate},
		{"for key agreement", func() []byte { return leaf(mayBe(x509.KeyUsageKeyAgreement)) }, NotValid, certificate},
		{"for enciphering keys", func() []byte { return leaf(mayBe(x509.KeyUsageKeyEncipherment)) }, NotValid, certificate},
		{"for signing certificates", func() []byte { return leaf(mayBe(x509.KeyUsageCertSign)) }, NotValid, certificate},
		{"of an authority", func() []byte { return leaf(func(c *x509.Certificate) { c.IsCA = true }) }, NotValid, certificate},
		{"the anchor itself", func() []byte { return p.by(p.root) }, NotValid, nameless},

		// under whom
		{"through one that is no authority", func() []byte { m := p.issue(p.root); return p.by(p.issue(m), m) }, CannotTell, unrecognised},
		{"through one that says nothing of itself", func() []byte {
			return under(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false })
		}, CannotTell, unrecognised},
		{"through one that may not sign certificates", func() []byte { return under(mayBe(x509.KeyUsageDigitalSignature)) }, CannotTell, unrecognised},
		{"one authority too deep", func() []byte {
			first := p.issue(p.root, ca("Prima"), func(c *x509.Certificate) { c.MaxPathLenZero = true })
			second := p.issue(first, ca("Seconda"))
			return p.by(p.issue(second), second, first)
		}, NotValid, certificate},
		{"outside the names of its authority", func() []byte {
			m := p.issue(p.root, ca("Di mezzo"), func(c *x509.Certificate) {
				c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.org"}
			})
			return p.by(p.issue(m, func(c *x509.Certificate) { c.DNSNames = []string{"scuola.example.com"} }), m)
		}, NotValid, certificate},
		{"names of persons limited by its authority", func() []byte { return under(extension(true, asn1.ObjectIdentifier{2, 5, 29, 30}, personNames(t))) }, NotValid, certificate},
		{"an unknown critical extension", func() []byte { return leaf(extension(true, unknown, []byte{5, 0})) }, NotValid, certificate},
		{"an authority with one", func() []byte { return under(extension(true, unknown, []byte{5, 0})) }, NotValid, certificate},
		{"another issuer's name over the anchor's signature", func() []byte {
			posing := *p.root.c
			posing.RawSubject = stranger.c.RawSubject
			return p.by(p.issue(&holder{&posing, p.root.key}))
		}, CannotTell, unrecognised},
		{"the anchor's name over another's signature", func() []byte { return p.by(p.issue(namesake), namesake) }, CannotTell, unrecognised},
		{"the anchor beside it, which did not sign it", func() []byte { return p.by(p.issue(namesake), p.root) }, CannotTell, unrecognised},
		{"signed by itself in the anchor's name", func() []byte {
			return p.by(p.issue(nil, func(c *x509.Certificate) { c.Subject = p.root.c.Subject }))
		}, NotValid, nameless},
		{"signed by itself", func() []byte { return p.by(p.issue(nil)) }, CannotTell, unrecognised},
		{"of an authority nobody knows", func() []byte { return p.by(p.issue(stranger), stranger) }, CannotTell, unrecognised},
		{"through an authority that is not there", func() []byte { return p.by(p.issue(between)) }, CannotTell, unrecognised},
		{"a loop of authorities", func() []byte { return loop(p, 3) }, CannotTell, unrecognised},
		{"more loops than are followed", func() []byte { return loop(p, 8) }, NotValid, certificate},
		{"six certificates", func() []byte { return p.by(p.issue(p.root), slices.Repeat([]*holder{between}, 5)...) }, NotValid, "format_certificate"},
		{"a hundred certificates", func() []byte { return p.by(p.issue(p.root), slices.Repeat([]*holder{between}, 99)...) }, NotValid, "format_header"},

		// signed how
		{"over SHA-1", func() []byte { return leaf(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }) }, CannotTell, unrecognised},
		{"an authority over SHA-1", func() []byte { return under(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }) }, CannotTell, unrecognised},
		{"over MD5", func() []byte {
			m := p.issueFor(p.rsaKey(), p.root, ca("Con RSA"))
			return p.by(p.signedMD5(p.issue(m), p.rsaKey()), m)
		}, CannotTell, unrecognised},
		{"an authority with a key of 1024 bits", func() []byte {
			m := p.issueFor(p.rsaOf(1024), p.root, ca("Debole"))
			return p.by(p.issue(m), m)
		}, NotValid, certificate},

		// whose
		{"without an identifier", func() []byte { return leaf(named([]string{"Scuola Dimostrativa"}, nil)) }, NotValid, nameless},
		{"without a name", func() []byte { return leaf(named(nil, []string{"DM:IT-iss-scuola"})) }, NotValid, nameless},
		{"two organisations", func() []byte {
			return leaf(named([]string{"Scuola Dimostrativa", "Politecnico"}, []string{"DM:IT-iss-scuola"}))
		}, NotValid, nameless},
		{"two identifiers", func() []byte {
			return leaf(named([]string{"Scuola Dimostrativa"}, []string{"DM:IT-iss-scuola", "VATIT-00000000000"}))
		}, NotValid, nameless},
		{"another organisation", func() []byte { return leaf(named([]string{"Politecnico"}, []string{"DM:IT-iss-scuola"})) }, NotValid, "issuer_mismatch"},
		{"another identifier", func() []byte { return leaf(named([]string{"Scuola Dimostrativa"}, []string{"VATIT-00000000000"})) }, NotValid, "issuer_mismatch"},

		// revoked by its authority
		{"revoked before the seal", func() []byte { l := p.issue(p.root); return p.with(p.by(l), p.crl(p.root, l.c, before)) }, NotValid, "issuer_key_revoked"},
		{"revoked since the seal", func() []byte {
			l := p.issue(p.root)
			return p.with(p.by(l), p.crl(p.root, l.c, now.Add(-time.Minute)))
		}, CannotTell, "issuer_key_revoked_since"},
		{"an authority revoked before the seal", func() []byte {
			return p.with(p.by(p.issue(between), between), p.crl(p.root, between.c, before))
		}, NotValid, "issuer_key_revoked"},
		{"an authority revoked since the seal", func() []byte {
			return p.with(p.by(p.issue(between), between), p.crl(p.root, between.c, now.Add(-time.Minute)))
		}, CannotTell, "issuer_key_revoked_since"},
		{"revoked by somebody else", func() []byte { l := p.issue(p.root); return p.with(p.by(l), p.crl(namesake, l.c, before)) }, Valid, "valid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			started := time.Now()
			r := p.verify(c.file())
			if r.Verdict != c.verdict || r.Reason != c.reason {
				t.Errorf("%s because of %s; want %s, %s\n%+v", r.Verdict, r.Reason, c.verdict, c.reason, r.Checks)
			}
			if r.Verdict != Valid && (r.Level == string(keys.Qualified) || r.Find(CheckIssuer).Outcome == Pass) {
				t.Errorf("the sealer passes at level %s", r.Level)
			}
			if spent := time.Since(started); spent > 5*time.Second {
				t.Errorf("it took %v", spent)
			}
		})
	}
}

// personNames limits the names that an authority may put into certificates to
// those of another country (RFC 5280 clause 4.2.1.10).
func personNames(t *testing.T) []byte {
	t.Helper()
	name, err := asn1.Marshal(pkix.Name{Country: []string{"FR"}}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	type subtree struct {
		Base asn1.RawValue
	}
	base := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: name}
	der, err := asn1.Marshal(struct {
		Permitted []subtree `asn1:"optional,tag:0"`
	}{[]subtree{{base}}})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// loop is a seal under authorities that all signed each other and no anchor.
func loop(p *pki, authorities int) []byte {
	all := make([]*holder, authorities)
	for n := range all {
		all[n] = p.issue(nil, ca(fmt.Sprintf("Anello %d", n)))
	}
	var crossed []*holder
	for _, by := range all {
		for n, of := range all {
			if of != by {
				crossed = append(crossed, p.issueFor(of.key, by, ca(fmt.Sprintf("Anello %d", n))))
			}
		}
	}
	return p.with(p.by(p.issue(all[0]), crossed[:2]...), nil, crossed...)
}

type decision = func(*keys.Anchor)

// J12: what a verifier has decided about an anchor holds for every chain to it.
func TestAnchorsThatDoNotVouch(t *testing.T) {
	p := newPKI(t)
	between := p.issue(p.root, ca("Intermedia"))
	leaf := p.issue(between)
	file := p.by(leaf, between)
	weak := p.issueFor(p.rsaOf(1024), nil, ca("Radice debole"))
	underWeak := p.by(p.issue(weak), weak)
	revokes := func(c *x509.Certificate, since time.Time) decision {
		return func(a *keys.Anchor) { a.Revoked = []keys.RevokedKey{{Certificate: keys.Fingerprint(c), Since: since}} }
	}
	before, after := p.now.Add(-2*time.Hour), p.now.Add(-time.Minute)
	for name, c := range map[string]struct {
		file    []byte
		change  decision
		verdict Verdict
		reason  string
	}{
		"as it is":                           {file, func(*keys.Anchor) {}, Valid, "valid"},
		"for time only":                      {file, func(a *keys.Anchor) { a.For = []keys.Use{keys.ForTime} }, CannotTell, "issuer_unrecognised"},
		"for both":                           {file, func(a *keys.Anchor) { a.For = []keys.Use{keys.ForTime, keys.ForSeals} }, Valid, "valid"},
		"in a period that has ended":         {file, func(a *keys.Anchor) { a.Periods = []keys.Period{{From: p.now.AddDate(-3, 0, 0), Until: before}} }, CannotTell, "issuer_unrecognised"},
		"in a period after the issue":        {file, func(a *keys.Anchor) { a.Periods = []keys.Period{{From: before}} }, CannotTell, "issuer_unrecognised"},
		"revokes the leaf before":            {file, revokes(leaf.c, before), NotValid, "issuer_key_revoked"},
		"revokes the leaf since":             {file, revokes(leaf.c, after), CannotTell, "issuer_key_revoked_since"},
		"revokes the authority before":       {file, revokes(between.c, before), NotValid, "issuer_key_revoked"},
		"revokes the authority since":        {file, revokes(between.c, after), CannotTell, "issuer_key_revoked_since"},
		"revokes one that has nothing to do": {file, revokes(p.issue(p.root).c, before), Valid, "valid"},
		"another one":                        {file, func(a *keys.Anchor) { a.Certificate = p.issue(nil, ca("CA di prova")).c }, CannotTell, "issuer_unrecognised"},
		"with a key of 1024 bits":            {underWeak, func(a *keys.Anchor) { a.Certificate = weak.c }, NotValid, "issuer_certificate"},
	} {
		anchor := keys.Anchor{Name: "CA di prova", Level: keys.Advanced, Certificate: p.root.c}
		c.change(&anchor)
		p.trust = keys.Trust{Anchors: []keys.Anchor{anchor}}
		if r := p.verify(c.file); r.Verdict != c.verdict || r.Reason != c.reason {
			t.Errorf("an anchor %s: %s because of %s; want %s, %s", name, r.Verdict, r.Reason, c.verdict, c.reason)
		}
	}
	p.trust = keys.Trust{}
	if r := p.verify(file); r.Verdict != CannotTell || r.Reason != "issuer_unrecognised" {
		t.Errorf("without anchors: %s because of %s", r.Verdict, r.Reason)
	}
}
