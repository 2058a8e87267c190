package keys

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"testing"
	"time"
)

// stating adds statements (EN 319 412-5) to a certificate.
func stating(t testing.TB, more ...any) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		var all []byte
		for _, m := range more {
			der, err := asn1.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, der...)
		}
		value, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: all})
		if err != nil {
			t.Fatal(err)
		}
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: qcStatements, Value: value})
	}
}

type plainStatement struct{ ID asn1.ObjectIdentifier }

type typeStatement struct {
	ID    asn1.ObjectIdentifier
	Types []asn1.ObjectIdentifier
}

func ofType(last int) typeStatement {
	return typeStatement{qcType, []asn1.ObjectIdentifier{{0, 4, 0, 1862, 1, 6, last}}}
}

func qualifiedSeal(t testing.TB) func(*x509.Certificate) {
	return stating(t, plainStatement{qcCompliance}, plainStatement{qcDevice}, ofType(2))
}

// J12: a seal is qualified by what the lists say, and by what its certificate
// says, and by nothing else.
func TestQualified(t *testing.T) {
	root := made(t, nil, authority("CA sigilli"))
	under := made(t, root, authority("CA intermedia"))
	good := chain(made(t, root, qualifiedSeal(t)))
	year := func(n int) time.Time { return theMoment.AddDate(n, 0, 0) } // certificates begin a year before theMoment
	list := func() *List {
		return &List{Territory: "IT", Issued: theMoment.AddDate(0, -1, 0), NextUpdate: theMoment.AddDate(0, 5, 0)}
	}
	always := []Period{{From: year(-5)}}
	service := func(c *pair, level Level, l *List, p ...Period) Anchor {
		return Anchor{Name: c.c.Subject.CommonName, Level: level, Certificate: c.c, For: []Use{ForSeals}, Periods: p, List: l}
	}
	granted := service(root, Qualified, list(), always...)
	stale := &List{Territory: "IT", Issued: theMoment.AddDate(0, -7, 0), NextUpdate: theMoment.AddDate(0, -1, 0)}
	forgotten := &List{Territory: "IT", Issued: theMoment.AddDate(-1, 0, 0), NextUpdate: theMoment.AddDate(0, -7, 0)}
	closed := &List{Territory: "UK", Issued: theMoment.AddDate(0, -1, 0)}
	own := Anchor{Name: "propria", Level: Advanced, Certificate: root.c}
	for name, c := range map[string]struct {
		chain   []*x509.Certificate
		anchors []Anchor
		want    Level
		device  bool
	}{
		"granted":                      {good, []Anchor{granted}, Qualified, true},
		"through an authority":         {chain(made(t, under, qualifiedSeal(t)), under), []Anchor{granted}, Qualified, true},
		"without a device":             {chain(made(t, root, stating(t, plainStatement{qcCompliance}, ofType(2)))), []Anchor{granted}, Qualified, false},
		"for signatures":               {chain(made(t, root, stating(t, plainStatement{qcCompliance}, ofType(1)))), []Anchor{granted}, Advanced, false},
		"for web sites":                {chain(made(t, root, stating(t, plainStatement{qcCompliance}, ofType(3)))), []Anchor{granted}, Advanced, false},
		"of no type":                   {chain(made(t, root, stating(t, plainStatement{qcCompliance}, plainStatement{qcType}))), []Anchor{granted}, Advanced, false},
		"not said to be qualified":     {chain(made(t, root, stating(t, ofType(2)))), []Anchor{granted}, Advanced, false},
		"stating nothing":              {chain(made(t, root, asIs)), []Anchor{granted}, Advanced, false},
		"stating what nobody can read": {chain(made(t, root, unreadable)), []Anchor{granted}, Advanced, false},
		"withdrawn before it sealed":   {good, []Anchor{service(root, Qualified, list(), Period{year(-5), theMoment})}, Unrecognised, false},
		"withdrawn after it sealed":    {good, []Anchor{service(root, Qualified, list(), Period{year(-5), theMoment.Add(time.Second)})}, Qualified, true},
		"granted after it was issued":  {good, []Anchor{service(root, Qualified, list(), Period{From: year(-1).Add(time.Second)})}, Unrecognised, false},
		"granted when it was issued":   {good, []Anchor{service(root, Qualified, list(), Period{From: year(-1)})}, Qualified, true},
		"granted in between only":      {good, []Anchor{service(root, Qualified, list(), Period{year(-5), year(-2)}, Period{From: theMoment.Add(-time.Hour)})}, Unrecognised, false},
		"interrupted in between":       {good, []Anchor{service(root, Qualified, list(), Period{year(-5), theMoment.Add(-2 * time.Hour)}, Period{From: theMoment.Add(-time.Hour)})}, Qualified, true},
		"with exceptions":              {good, []Anchor{service(root, Advanced, list(), always...)}, Advanced, true},
		"on a stale list":              {good, []Anchor{service(root, Qualified, stale, always...)}, Advanced, true},
		"on a list long forgotten":     {good, []Anchor{service(root, Qualified, forgotten, always...)}, Unrecognised, false},
		"on a closed list":             {good, []Anchor{service(root, Qualified, closed, always...)}, Advanced, true},
		"for time only":                {good, []Anchor{{Level: Qualified, Certificate: root.c, For: []Use{ForTime}, Periods: always, List: list()}}, Unrecognised, false},
		"qualified by a file":          {good, []Anchor{{Level: Qualified, Certificate: root.c}}, Advanced, true},
		"by another list too":          {good, []Anchor{service(root, Qualified, list(), Period{year(-5), year(-2)}), granted}, Qualified, true},
		"withdrawn, and trusted here":  {good, []Anchor{service(root, Qualified, list(), Period{year(-5), year(-2)}), own}, Advanced, true},
		"granted, and trusted here":    {good, []Anchor{own, granted}, Qualified, true},
		"granted, and revoked here":    {good, []Anchor{granted, {Certificate: root.c, Level: Advanced, Revoked: []RevokedKey{{Certificate: Fingerprint(good[0])}}}}, Unrecognised, true},
		"the nearer service was withdrawn": {
			chain(made(t, under, qualifiedSeal(t)), under),
			[]Anchor{granted, service(under, Qualified, list(), Period{year(-5), year(-2)})},
			Unrecognised, false,
		},
		"the further service was withdrawn": {
			chain(made(t, under, qualifiedSeal(t)), under),
			[]Anchor{service(root, Qualified, list(), Period{year(-5), year(-2)}), service(under, Qualified, list(), always...)},
			Qualified, true,
		},
		"another authority of the same name": {chain(made(t, made(t, nil, authority("CA sigilli")), qualifiedSeal(t))), []Anchor{granted}, Unrecognised, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := Trust{c.anchors}.Vouch(c.chain, theMoment)
			if v.Level != c.want || v.Device != c.device || (v.Err == nil) != (c.want != Unrecognised) {
				t.Errorf("%+v", v)
			}
		})
	}
	if v := (Trust{[]Anchor{granted, {Certificate: root.c, Revoked: []RevokedKey{{Certificate: Fingerprint(good[0])}}}}}).Vouch(good, theMoment); !errors.Is(v.Err, ErrRevoked) {
		t.Errorf("%+v", v)
	}
}

func unreadable(c *x509.Certificate) {
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: qcStatements, Value: []byte{0x30, 0x03, 1}})
}

// J13: a time-stamping service counts while it was granted.
func TestQualifiedTime(t *testing.T) {
	unit := made(t, nil, timeStamping(true))
	list := &List{Territory: "IT", Issued: theMoment, NextUpdate: theMoment.AddDate(0, 6, 0)}
	for name, c := range map[string]struct {
		periods []Period
		want    Level
	}{
		"granted":                        {[]Period{{From: theMoment.AddDate(-3, 0, 0)}}, Qualified},
		"granted after it was certified": {[]Period{{From: theMoment.AddDate(0, -1, 0)}}, Qualified},
		"withdrawn":                      {[]Period{{theMoment.AddDate(-3, 0, 0), theMoment}}, Unrecognised},
		"granted later":                  {[]Period{{From: theMoment.Add(time.Second)}}, Unrecognised},
	} {
		trust := Trust{[]Anchor{{Level: Qualified, Certificate: unit.c, For: []Use{ForTime}, Periods: c.periods, List: list}}}
		if v := trust.VouchTime(chain(unit), theMoment); v.Level != c.want {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func FuzzStatements(f *testing.F) {
	f.Add(made(f, nil, qualifiedSeal(f)).c.Extensions[0].Value)
	f.Fuzz(func(t *testing.T, value []byte) {
		s := statements(&x509.Certificate{Extensions: []pkix.Extension{{Id: qcStatements, Value: value}}})
		if (s.qualified || s.forSeals || s.device) && len(value) < 10 {
			t.Fatalf("%x states %+v", value, s)
		}
	})
}

// A thousand services beside the one that counts cost little.
func BenchmarkVouch(b *testing.B) {
	for _, others := range []int{0, 1000} {
		b.Run(fmt.Sprint(others, " others"), func(b *testing.B) {
			root := made(b, nil, authority("CA sigilli"))
			list := &List{Territory: "IT", Issued: theMoment, NextUpdate: theMoment.AddDate(0, 6, 0)}
			always := []Period{{From: theMoment.AddDate(-5, 0, 0)}}
			trust := Trust{}
			for n := range others {
				c := made(b, nil, authority(fmt.Sprint("CA sigillo n. ", n)))
				trust.Anchors = append(trust.Anchors, Anchor{Level: Qualified, Certificate: c.c, Periods: always, List: list})
			}
			trust.Anchors = append(trust.Anchors, Anchor{Level: Qualified, Certificate: root.c, Periods: always, List: list})
			leaf := chain(made(b, root, qualifiedSeal(b)))
			for b.Loop() {
				if v := trust.Vouch(leaf, theMoment); v.Level != Qualified {
					b.Fatalf("%+v", v)
				}
			}
		})
	}
}
