package keys

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"
)

// A list of the same organisation counts when an anchor of no lesser worth
// vouches for it: a demonstration root cannot clear an advanced seal (J13).
func TestVouchList(t *testing.T) {
	demo, ca, unknown := made(t, nil, authority("Demo")), made(t, nil, authority("CA")), made(t, nil, authority("Unknown"))
	seal := func(under *pair) []*x509.Certificate { return chain(made(t, under, asIs), under) }
	list := func(under *pair, change func(*x509.Certificate)) []*x509.Certificate {
		return chain(made(t, under, func(c *x509.Certificate) { withUsage(statusSigning)(c); change(c) }), under)
	}
	another := func(c *x509.Certificate) {
		c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: organizationIdentifier, Value: "VATIT-00000000000"}}
	}
	revoked, stamping := list(ca, asIs), made(t, nil, authority("Time"))
	trust := Trust{Anchors: []Anchor{
		{Level: Demonstration, Certificate: demo.c},
		{Level: Advanced, Certificate: ca.c, Revoked: []RevokedKey{{Certificate: Fingerprint(revoked[0])}}},
		{Level: Advanced, Certificate: ca.c},
		{Level: Advanced, Certificate: stamping.c, For: []Use{ForTime}},
	}}
	for name, c := range map[string]struct {
		seal  []*x509.Certificate
		level Level
		list  []*x509.Certificate
		want  bool
	}{
		"an authority for a demonstration":      {seal(demo), Demonstration, list(ca, asIs), true},
		"an authority for its own":              {seal(ca), Advanced, list(ca, asIs), true},
		"a demonstration for an authority":      {seal(ca), Advanced, list(demo, asIs), false},
		"an authority for a qualified seal":     {seal(ca), Qualified, list(ca, asIs), false},
		"nobody vouches for the seal":           {seal(unknown), Unrecognised, list(ca, asIs), false},
		"nobody vouches for the list":           {seal(ca), Advanced, list(unknown, asIs), false},
		"an authority for time only":            {seal(ca), Advanced, list(stamping, asIs), false},
		"another organisation":                  {seal(ca), Advanced, list(ca, another), false},
		"a revoked key":                         {seal(ca), Advanced, revoked, false},
		"an ended certificate":                  {seal(ca), Advanced, list(ca, func(c *x509.Certificate) { c.NotAfter = theMoment.AddDate(0, 0, -1) }), false},
		"a certificate of an authority":         {seal(ca), Advanced, list(ca, func(c *x509.Certificate) { c.IsCA = true }), false},
		"no organisation in either":             {chain(unknown), Advanced, chain(unknown), false},
		"no seal":                               {nil, Advanced, list(ca, asIs), false},
		"no list":                               {seal(ca), Advanced, nil, false},
		"a level that is none":                  {seal(ca), "best", list(ca, asIs), false},
		"a list of a web server's certificates": {seal(ca), Advanced, list(ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), false},
	} {
		if got := trust.VouchList(c.seal, c.level, c.list, theMoment); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
