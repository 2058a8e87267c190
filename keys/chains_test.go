package keys

import (
	"crypto/x509"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"
)

// What is remembered changes no answer: asked in any order, at any time, under
// any trust and by many at once, a memory says what nobody's memory says.
func TestChainsChangeNoAnswer(t *testing.T) {
	root := made(t, nil, authority("Radice"))
	other := made(t, nil, authority("Altra radice"))
	lookAlike := made(t, nil, authority("Radice"))
	between := made(t, root, authority("Intermedia"))
	short := made(t, root, func(c *x509.Certificate) {
		authority("Breve")(c)
		c.NotAfter = theMoment.AddDate(0, 0, 10)
	})
	sealer := made(t, between, asIs)
	chains := map[string][]*x509.Certificate{
		"direct":                {made(t, root, asIs).c},
		"with its root":         chain(made(t, root, asIs), root),
		"over another":          chain(sealer, between),
		"the same, longer":      chain(sealer, between, root),
		"the same, with others": chain(sealer, other, between, lookAlike),
		"without what it needs": chain(sealer),
		"that ends early":       chain(made(t, short, asIs), short),
		"of a look-alike":       chain(made(t, lookAlike, asIs), lookAlike),
		"nothing":               nil,
	}
	revoked := []RevokedKey{{Certificate: Fingerprint(sealer.c), Since: theMoment}}
	trusts := map[string]Trust{
		"nobody":          {},
		"root":            {[]Anchor{{Name: "r", Level: Advanced, Certificate: root.c}}},
		"both":            {[]Anchor{{Name: "o", Level: Advanced, Certificate: other.c}, {Name: "r", Level: Demonstration, Certificate: root.c}}},
		"revoked":         {[]Anchor{{Name: "r", Level: Advanced, Certificate: root.c, Revoked: revoked}}},
		"for a day":       {[]Anchor{{Name: "r", Level: Advanced, Certificate: root.c, Periods: []Period{{From: theMoment.AddDate(0, 0, -1), Until: theMoment.AddDate(0, 0, 1)}}}}},
		"the one between": {[]Anchor{{Name: "b", Level: Advanced, Certificate: between.c}}},
		"the look-alike":  {[]Anchor{{Name: "l", Level: Advanced, Certificate: lookAlike.c}}},
	}
	m := NewChains()
	ask := func() {
		for name, c := range chains {
			for trust, anchors := range trusts {
				for _, days := range []int{0, -4000, 4000, 9, 11, 0} {
					at := theMoment.AddDate(0, 0, days)
					want, got := anchors.Vouch(c, at), m.Vouch(anchors, c, at)
					if fmt.Sprint(want.Err) != fmt.Sprint(got.Err) {
						t.Errorf("%s, %s, %d days: %v; want %v", name, trust, days, got.Err, want.Err)
					}
					want.Err, got.Err = nil, nil
					if !reflect.DeepEqual(want, got) {
						t.Errorf("%s, %s, %d days: %+v; want %+v", name, trust, days, got, want)
					}
					for second, list := range chains {
						if want, got := SameHouse(c, list, at), m.SameHouse(c, list, at); want != got {
							t.Errorf("%s and %s, %d days: %v", name, second, days, got)
						}
						if want, got := anchors.VouchList(c, Advanced, list, at), m.VouchList(anchors, c, Advanced, list, at); want != got {
							t.Errorf("%s and %s under %s, %d days: %v", name, second, trust, days, got)
						}
					}
				}
			}
		}
	}
	var all sync.WaitGroup
	for range 2 {
		all.Go(ask)
	}
	all.Wait()
	if len(m.known) == 0 {
		t.Error("nothing was remembered")
	}
}

// What is remembered is bounded.
func TestChainsAreBounded(t *testing.T) {
	m := NewChains()
	for n := range 4096 {
		m.remember(append(make([]byte, 8<<10), fmt.Sprint(n)...), fact{})
		if m.bytes > maxRemembered {
			t.Fatalf("%d bytes are remembered", m.bytes)
		}
	}
	m.remember(make([]byte, maxLength+1), fact{})
	if _, ok := m.recall(make([]byte, maxLength+1)); ok {
		t.Error("what is too long is remembered")
	}
}

// BenchmarkChains is a chain of three certificates, built anew and remembered.
func BenchmarkChains(b *testing.B) {
	root := made(b, nil, authority("Radice"))
	between := made(b, root, authority("Intermedia"))
	c := chain(made(b, between, asIs), between, root)
	trust := Trust{[]Anchor{{Level: Advanced, Certificate: root.c}}}
	for name, m := range map[string]*Chains{"anew": nil, "remembered": NewChains()} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if v := m.Vouch(trust, c, theMoment.Add(time.Minute)); v.Err != nil {
					b.Fatal(v.Err)
				}
			}
		})
	}
}
