package keys

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"strings"
	"testing"
	"time"

	"attesta/credentials"

	"software.sslmate.com/src/go-pkcs12"
)

// An imported key comes with its chain in order, takes the place of the
// owner's others, and seals.
func TestImport(t *testing.T) {
	root := made(t, nil, authority("Root CA"))
	middle := made(t, root, authority("Issuing CA"))
	stranger := made(t, nil, authority("Another CA"))
	leaf := made(t, middle, asIs)
	for name, c := range map[string]struct {
		others []*x509.Certificate
		chain  int
	}{
		"leaf alone":           {nil, 1},
		"without the root":     {chain(middle), 2},
		"in order":             {chain(middle, root), 3},
		"in disorder":          {chain(root, middle), 3},
		"with a stranger":      {chain(stranger, root, middle), 3},
		"with one twice":       {chain(middle, root, middle), 3},
		"with a gap":           {chain(root), 1},
		"root of another tree": {chain(middle, stranger), 2},
	} {
		r, dir := filled(t)
		former := current(t, r, Seal)
		if _, err := r.Import(packed(t, leaf.key, leaf.c, c.others...), "segreta", Seal, Owner{ID: theOwner.ID}, theMoment.Add(time.Millisecond)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		k := current(t, must(openRing(t, dir))(t), Seal)
		if len(k.Chain()) != c.chain || !k.Certificate().Equal(leaf.c) || k.SelfMade || k.Purpose != Seal || k.Owner != theOwner.ID {
			t.Errorf("%s: %d certificates, %+v", name, len(k.Chain()), k)
		}
		for n := range len(k.Chain()) - 1 {
			if err := k.Chain()[n].CheckSignatureFrom(k.Chain()[n+1]); err != nil {
				t.Errorf("%s: certificate %d: %v", name, n, err)
			}
		}
		if err := byID(t, r, former.ID).MaySign(theMoment); !errors.Is(err, ErrNoKey) {
			t.Errorf("%s: the former key signs beside it: %v", name, err)
		}
		if c.chain < 3 {
			continue
		}
		trust := Trust{Anchors: []Anchor{{Level: Advanced, Certificate: root.c}}}
		if v := trust.Vouch(k.Chain(), theMoment); v.Level != Advanced {
			t.Errorf("%s: %+v", name, v)
		}
		signer, err := credentials.SignerOf(k.Certificate())
		if err != nil || signer.LegalID != theOwner.LegalID {
			t.Errorf("%s: %+v, %v", name, signer, err)
		}
	}
}

// Files as OpenSSL and Windows have written them open as well.
func TestImportOfOlderFiles(t *testing.T) {
	leaf := made(t, nil, asIs)
	for name, e := range map[string]*pkcs12.Encoder{"modern": pkcs12.Modern2023, "triple DES": pkcs12.LegacyDES, "RC2": pkcs12.LegacyRC2} {
		r, _ := filled(t)
		p12 := must(e.Encode(leaf.key, leaf.c, nil, "password è €"))(t)
		if _, err := r.Import(p12, "password è €", Seal, Owner{ID: theOwner.ID}, theMoment); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := r.Import(p12, "altra", Seal, Owner{ID: theOwner.ID}, theMoment); !errors.Is(err, ErrPassword) {
			t.Errorf("%s with a wrong password: %v", name, err)
		}
	}
}

func TestImportRefuses(t *testing.T) {
	ca := made(t, nil, authority("CA"))
	with := func(change func(*x509.Certificate)) []byte {
		p := made(t, ca, change)
		return packed(t, p.key, p.c, ca.c)
	}
	subject := func(change func(*pkix.Name)) []byte {
		return with(func(c *x509.Certificate) { change(&c.Subject) })
	}
	p521 := must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))(t)
	short := must(rsa.GenerateKey(rand.Reader, 2048))(t)
	short.E = 65537
	good := made(t, ca, asIs)
	for name, c := range map[string]struct {
		p12     []byte
		purpose Purpose
		says    string
	}{
		"nothing":                   {nil, Seal, "PKCS #12"},
		"no PKCS #12":               {[]byte("-----BEGIN CERTIFICATE-----"), Seal, "PKCS #12"},
		"a curve that is not used":  {packed(t, p521, issued(t, ca, p521, asIs)), Seal, "P-256 or P-384"},
		"the key of another":        {packed(t, ca.key, good.c), Seal, "none of its certificates belongs to the key"},
		"not yet":                   {with(func(c *x509.Certificate) { c.NotBefore = theMoment.Add(time.Second) }), Seal, "begins only on"},
		"ended":                     {with(func(c *x509.Certificate) { c.NotAfter = theMoment.Add(-time.Second) }), Seal, "ended on"},
		"a key for encryption":      {with(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), Seal, "may not sign"},
		"of an authority":           {packed(t, ca.key, ca.c), Seal, "authority"},
		"of a web server":           {with(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), Seal, "another use"},
		"for status lists":          {with(withUsage(statusSigning)), Seal, "status lists"},
		"no organisation":           {subject(func(n *pkix.Name) { n.Organization = nil }), Seal, "names no organisation (O)"},
		"two organisations":         {subject(func(n *pkix.Name) { n.Organization = []string{"A", "B"} }), Seal, "more than one"},
		"no identifier":             {subject(func(n *pkix.Name) { n.ExtraNames = nil }), Seal, "2.5.4.97"},
		"two identifiers":           {subject(func(n *pkix.Name) { n.ExtraNames = append(n.ExtraNames, n.ExtraNames[0]) }), Seal, "2.5.4.97"},
		"no identifier, for status": {subject(func(n *pkix.Name) { n.ExtraNames = nil }), Status, "2.5.4.97"},
		"as a root":                 {packed(t, good.key, good.c), Root, "imported for seal, status or accreditation"},
		"of another organisation":   {packed(t, good.key, good.c), Seal, "that of the organisation"},
	} {
		r, _ := filled(t)
		owner := Owner{ID: theOwner.ID}
		if name == "of another organisation" {
			owner.LegalID = "VATIT-99999999999"
		}
		if _, err := r.Import(c.p12, "segreta", c.purpose, owner, theMoment); err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "segreta") {
			t.Errorf("%s: %v", name, err)
		}
		if len(r.All()) != 3 || current(t, r, Seal).Retired != (time.Time{}) {
			t.Errorf("%s: it left a trace", name)
		}
	}
}

// A key serves one purpose of one owner, comes once, and does not come back
// under another certificate when it was revoked.
func TestImportOfAKeyThatIsThere(t *testing.T) {
	r, _ := filled(t)
	ca := made(t, nil, authority("CA"))
	leaf := made(t, ca, asIs)
	p12 := packed(t, leaf.key, leaf.c, ca.c)
	k := must(r.Import(p12, "segreta", Seal, Owner{ID: theOwner.ID}, theMoment))(t)
	renewed := packed(t, leaf.key, issued(t, ca, leaf.key, asIs), ca.c)
	for name, c := range map[string]struct {
		p12     []byte
		purpose Purpose
		owner   string
	}{
		"again":                            {p12, Seal, theOwner.ID},
		"for another purpose":              {renewed, Status, theOwner.ID},
		"for another owner":                {renewed, Seal, "iss-cfp"},
		"the same file for another owner":  {p12, Seal, "iss-cfp"},
		"the same file, for status lists ": {p12, Status, theOwner.ID},
	} {
		if _, err := r.Import(c.p12, "segreta", c.purpose, Owner{ID: c.owner}, theMoment); err == nil {
			t.Errorf("%s: it was imported", name)
		}
	}
	must(r.Import(renewed, "segreta", Seal, Owner{ID: theOwner.ID}, theMoment))(t)
	must(r.Revoke(k.ID, theMoment, theMoment))(t)
	if _, err := r.Import(packed(t, leaf.key, issued(t, ca, leaf.key, asIs)), "segreta", Seal, Owner{ID: theOwner.ID}, theMoment); err == nil || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("a revoked key came back: %v", err)
	}
}

// Certificates of a stranger, in any order and number, give a chain that begins
// with that of the key and ends.
func FuzzArrange(f *testing.F) {
	root := made(f, nil, authority("Root CA"))
	leaf := made(f, root, asIs)
	f.Add(append(append([]byte{}, leaf.c.Raw...), root.c.Raw...))
	f.Add(append(append([]byte{}, root.c.Raw...), leaf.c.Raw...))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, der []byte) {
		all, err := x509.ParseCertificates(der)
		if err != nil {
			return
		}
		for _, c := range all {
			chain, err := arrange(c.PublicKey, all)
			if err != nil {
				continue
			}
			if len(chain) > len(all) || !samePublic(chain[0].PublicKey, c.PublicKey) {
				t.Errorf("%d certificates of %d", len(chain), len(all))
			}
		}
	})
}
