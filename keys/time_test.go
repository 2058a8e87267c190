package keys

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"testing"
	"time"
)

// timeStamping makes a certificate one for time-stamps, with more usages when
// they are given.
func timeStamping(critical bool, more ...asn1.ObjectIdentifier) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		value, err := asn1.Marshal(append([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}}, more...))
		if err != nil {
			panic(err)
		}
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: extendedKeyUsage, Critical: critical, Value: value})
	}
}

// J13: whose time-stamps count, and that an anchor counts for what it is
// trusted for only.
func TestVouchTime(t *testing.T) {
	root, seals := made(t, nil, authority("Radice del tempo")), made(t, nil, authority("Radice dei sigilli"))
	between := made(t, root, authority("Intermedia"))
	listed := made(t, made(t, nil, authority("Ignota")), timeStamping(true))
	both := made(t, nil, authority("Radice di tutto"))
	changed := func(change func(*x509.Certificate)) []*x509.Certificate {
		return chain(made(t, root, func(c *x509.Certificate) { timeStamping(true)(c); change(c) }))
	}
	trust := Trust{Anchors: []Anchor{
		{Name: "sigilli", Level: Demonstration, Certificate: seals.c},
		{Name: "tempo", Level: Advanced, Certificate: root.c, For: []Use{ForTime}},
		{Name: "elenco", Level: Advanced, Certificate: listed.c, For: []Use{ForTime}},
		{Name: "tutto", Level: Advanced, Certificate: both.c, For: []Use{ForSeals, ForTime}},
	}}
	for name, c := range map[string]struct {
		chain   []*x509.Certificate
		anchor  string
		misused bool
	}{
		"a leaf of the anchor":                {chain(made(t, root, timeStamping(true))), "tempo", false},
		"a leaf through an authority":         {chain(made(t, between, timeStamping(true)), between), "tempo", false},
		"the anchor itself":                   {chain(listed), "elenco", false},
		"under an anchor for both":            {chain(made(t, both, timeStamping(true))), "tutto", false},
		"without key usages":                  {changed(func(c *x509.Certificate) { c.KeyUsage = 0 }), "tempo", false},
		"under an anchor for seals":           {chain(made(t, seals, timeStamping(true))), "", false},
		"under nobody known":                  {chain(made(t, nil, timeStamping(true))), "", false},
		"nothing":                             {nil, "", false},
		"not for time-stamps":                 {chain(made(t, root, asIs)), "", true},
		"for time-stamps and something":       {chain(made(t, root, timeStamping(true, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}))), "", true},
		"for time-stamps and status lists":    {chain(made(t, root, timeStamping(true, statusSigning))), "", true},
		"in an extension that may be skipped": {chain(made(t, root, timeStamping(false))), "", true},
		"of an authority":                     {changed(func(c *x509.Certificate) { c.IsCA = true }), "", true},
		"for signing certificates":            {changed(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }), "", true},
		"ended":                               {changed(func(c *x509.Certificate) { c.NotAfter = theMoment.Add(-time.Second) }), "", true},
		"not begun":                           {changed(func(c *x509.Certificate) { c.NotBefore = theMoment.Add(time.Second) }), "", true},
	} {
		t.Run(name, func(t *testing.T) {
			v := trust.VouchTime(c.chain, theMoment)
			if v.Anchor.Name != c.anchor || (v.Err == nil) != (c.anchor != "") || errors.Is(v.Err, ErrMisused) != c.misused {
				t.Errorf("%+v", v)
			}
			if want := map[bool]Level{true: Advanced, false: Unrecognised}[c.anchor != ""]; v.Level != want {
				t.Errorf("level %s, want %s", v.Level, want)
			}
		})
	}
	if v := trust.Vouch(chain(made(t, root, asIs)), theMoment); v.Level != Unrecognised || v.Err == nil || errors.Is(v.Err, ErrMisused) {
		t.Errorf("a seal under an anchor for time: %+v", v)
	}
	if v := trust.Vouch(chain(made(t, both, asIs)), theMoment); v.Level != Advanced || v.Anchor.Name != "tutto" {
		t.Errorf("a seal under an anchor for both: %+v", v)
	}
}
