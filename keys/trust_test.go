package keys

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// J12: which certificates an anchor vouches for, and which it must not.
func TestVouch(t *testing.T) {
	root := made(t, nil, authority("Radice"))
	between := made(t, root, authority("Intermedia"))
	other := made(t, nil, authority("Altra radice"))
	lookAlike := made(t, nil, authority("Radice")) // the same name, another key
	selfSigned := made(t, nil, asIs)
	notCA := made(t, root, asIs)
	changed := func(change func(*x509.Certificate)) *pair { return made(t, root, change) }
	trust := Trust{Anchors: []Anchor{
		{Name: "altra", Level: Demonstration, Certificate: other.c},
		{Name: "radice", Level: Advanced, Certificate: root.c, Origins: []string{"http://127.0.0.1:8080"}},
	}}
	const (
		good      = "vouched for"
		misused   = "misused"
		stranger  = "unrecognised"
		condemned = "misused or unrecognised" // the reason depends on the reader of the chain
	)
	for name, c := range map[string]struct {
		chain []*x509.Certificate
		want  string
	}{
		"a leaf of the anchor":                 {chain(made(t, root, asIs)), good},
		"a leaf with the anchor beside it":     {chain(made(t, root, asIs), root), good},
		"a leaf through an authority":          {chain(made(t, between, asIs), between), good},
		"certificates that have nothing to do": {chain(made(t, root, asIs), other, selfSigned), good},
		"authorities in any order":             {chain(made(t, between, asIs), root, between), good},
		"without usages":                       {chain(changed(func(c *x509.Certificate) { c.KeyUsage = 0 })), good},
		"for content commitment":               {chain(changed(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageContentCommitment })), good},
		"for client authentication and e-mail": {chain(changed(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} })), good},
		"ended":                                {chain(changed(func(c *x509.Certificate) { c.NotAfter = theMoment.Add(-time.Second) })), misused},
		"not begun":                            {chain(changed(func(c *x509.Certificate) { c.NotBefore = theMoment.Add(time.Second) })), misused},
		"of an authority":                      {chain(changed(func(c *x509.Certificate) { c.IsCA = true })), misused},
		"the anchor itself":                    {chain(root), misused},
		"for key agreement":                    {chain(changed(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement })), misused},
		"for signing certificates":             {chain(changed(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })), misused},
		"for web servers":                      {chain(changed(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })), misused},
		"for time stamps":                      {chain(changed(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping} })), misused},
		"for OCSP answers":                     {chain(changed(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} })), misused},
		"for code":                             {chain(changed(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} })), misused},
		"for status lists":                     {chain(changed(withUsage(statusSigning))), misused},
		"with a critical extension nobody knows": {chain(changed(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
		})), misused},
		"of an unknown authority":                 {chain(made(t, made(t, nil, authority("Ignota")), asIs)), stranger},
		"of an authority of the same name":        {chain(made(t, lookAlike, asIs), lookAlike), condemned},
		"signed by itself":                        {chain(selfSigned), stranger},
		"through an authority that is not there":  {chain(made(t, between, asIs)), stranger},
		"through one that is no authority":        {chain(made(t, notCA, asIs), notCA), condemned},
		"through an authority that ended":         {through(t, root, func(c *x509.Certificate) { c.NotAfter = theMoment.Add(-time.Hour) }), condemned},
		"through one that may not sign":           {through(t, root, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }), condemned},
		"through an authority that bears no more": {deeper(t, root), condemned},
		"nothing": {nil, stranger},
	} {
		t.Run(name, func(t *testing.T) {
			v := trust.Vouch(c.chain, theMoment)
			got := stranger
			switch {
			case v.Err == nil:
				got = good
			case errors.Is(v.Err, ErrMisused):
				got = misused
			}
			if got != c.want && !(c.want == condemned && got != good) {
				t.Errorf("%s: %+v", got, v)
			}
			if got == good && (v.Level != Advanced || v.Anchor.Name != "radice" || len(v.Anchor.Origins) != 1) {
				t.Errorf("%+v", v)
			}
			if got != good && (v.Level != Unrecognised || v.Anchor.Name != "" || v.Anchor.Origins != nil) {
				t.Errorf("%+v", v)
			}
		})
	}
	if v := (Trust{}).Vouch(chain(made(t, root, asIs)), theMoment); v.Level != Unrecognised || v.Err == nil || errors.Is(v.Err, ErrMisused) {
		t.Errorf("without anchors: %+v", v)
	}
	pinned := Trust{Anchors: []Anchor{{Name: "uno", Level: Demonstration, Certificate: selfSigned.c}}}
	if v := pinned.Vouch(chain(selfSigned), theMoment); v.Level != Demonstration {
		t.Errorf("a self-signed certificate that is an anchor itself: %+v", v)
	}
}

func through(t *testing.T, root *pair, change func(*x509.Certificate)) []*x509.Certificate {
	between := made(t, root, func(c *x509.Certificate) { authority("Intermedia")(c); change(c) })
	return chain(made(t, between, asIs), between)
}

func deeper(t *testing.T, root *pair) []*x509.Certificate {
	first := made(t, root, func(c *x509.Certificate) { authority("Prima")(c); c.MaxPathLenZero = true })
	second := made(t, first, authority("Seconda"))
	return chain(made(t, second, asIs), second, first)
}

// J10: the keys of one house do not stand in for each other.
func TestAStatusCertificateIsRefusedUnderASeal(t *testing.T) {
	r, _ := filled(t)
	root, err := r.Current(Root, "", theMoment)
	if err != nil {
		t.Fatal(err)
	}
	trust := Trust{Anchors: []Anchor{{Name: "propria", Level: Demonstration, Certificate: root.Certificate()}}}
	if v := trust.Vouch(current(t, r, Seal).Chain(), theMoment); v.Level != Demonstration || v.Err != nil {
		t.Errorf("the seal key: %+v", v)
	}
	for _, k := range []*Key{current(t, r, Status), root} {
		if v := trust.Vouch(k.Chain(), theMoment); !errors.Is(v.Err, ErrMisused) {
			t.Errorf("the %s key: %+v", k.Purpose, v)
		}
	}
}

// S2: a status list is believed when it comes from the same organisation under
// the same authority.
func TestSameHouse(t *testing.T) {
	r, _ := filled(t)
	neighbour := theOwner
	neighbour.ID, neighbour.LegalID = "iss-cfp", "DM:IT-iss-cfp"
	if _, err := r.Ensure(neighbour, theMoment); err != nil {
		t.Fatal(err)
	}
	foreign, _ := filled(t) // another installation that uses the same names
	seal, status := current(t, r, Seal).Chain(), current(t, r, Status).Chain()
	other, err := r.Current(Status, "iss-cfp", theMoment)
	if err != nil {
		t.Fatal(err)
	}
	called := func(name string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.Subject.Organization = []string{name} }
	}
	root := made(t, nil, authority("Radice"))
	own := chain(made(t, root, asIs), root)
	self := made(t, nil, asIs)
	nameless := made(t, root, func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "x"} })
	for name, c := range map[string]struct {
		first, second []*x509.Certificate
		want          bool
	}{
		"the status key of the same owner":      {seal, status, true},
		"the seal key itself":                   {seal, seal, true},
		"the same certificate, self-signed":     {chain(self), chain(self), true},
		"a second certificate of the same body": {own, chain(made(t, root, asIs), root), true},
		"the same body under another name":      {own, chain(made(t, root, called("Scuola Rinominata")), root), true},
		"the status key of another owner":       {seal, other.Chain(), false},
		"the same names from elsewhere":         {seal, current(t, foreign, Status).Chain(), false},
		"a leaf from elsewhere beside our root": {seal, append(current(t, foreign, Status).Chain()[:1:1], seal[1]), false},
		"two self-signed certificates":          {chain(self), chain(made(t, nil, asIs)), false},
		"a body without a name":                 {chain(nameless, root), chain(made(t, root, func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "x"} }), root), false},
		"the authority itself":                  {seal, seal[1:], false},
		"a web server of the same body":         {own, chain(made(t, root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), root), false},
		"one that ended":                        {own, chain(made(t, root, func(c *x509.Certificate) { c.NotAfter = theMoment.Add(-time.Hour) }), root), false},
		"nothing":                               {nil, nil, false},
		"nothing for the second":                {seal, nil, false},
	} {
		if got := SameHouse(c.first, c.second, theMoment); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAnchorsAreReadAsTheyWereWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "trust [1]")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	root, second := made(t, nil, authority("Radice")), made(t, nil, authority("Seconda"))
	want := Anchor{Name: "propria", Level: Demonstration, Certificate: root.c, For: []Use{ForSeals, ForTime}, Origins: []string{"http://127.0.0.1:8080"}}
	if err := WriteAnchor(filepath.Join(dir, "own.json"), want); err != nil {
		t.Fatal(err)
	}
	writeTo(t, filepath.Join(dir, "others.pem"), []byte("a comment\n"+asPEM(root.c)+asPEM(second.c)))
	writeTo(t, filepath.Join(dir, "notes.txt"), []byte("not an anchor"))
	trust, err := LoadTrust(dir)
	if err != nil || len(trust.Anchors) != 3 {
		t.Fatalf("%v, %+v", err, trust)
	}
	got := trust.Anchors[0]
	if got.Name != want.Name || got.Level != want.Level || !got.Certificate.Equal(want.Certificate) || got.Origins[0] != want.Origins[0] || !slices.Equal(got.For, want.For) {
		t.Errorf("%+v", got)
	}
	if pem := trust.Anchors[2]; pem.Name != "Seconda" || pem.Level != Advanced || pem.Origins != nil || pem.For != nil {
		t.Errorf("%+v", pem)
	}
	if one, err := LoadTrust(filepath.Join(dir, "own.json")); err != nil || len(one.Anchors) != 1 {
		t.Errorf("a file alone: %v, %+v", err, one)
	}
	if none, err := LoadTrust(filepath.Join(dir, "missing")); err != nil || len(none.Anchors) != 0 {
		t.Errorf("a folder that is not there: %v, %+v", err, none)
	}
}

// An anchor decides what is believed: whatever is not plainly one is refused,
// and nobody becomes qualified by a file.
func TestAnchorsThatAreNotPlainAreRefused(t *testing.T) {
	c := strings.ReplaceAll(asPEM(made(t, nil, authority("Radice")).c), "\n", `\n`)
	anchor := func(level, more string) string {
		return `{"name":"x","level":"` + level + `","certificate":"` + c + `"` + more + `}`
	}
	for name, text := range map[string]string{
		"nothing":              "",
		"not JSON":             "x",
		"a list":               "[]",
		"qualified":            anchor("qualified", ""),
		"unrecognised":         anchor("unrecognised", ""),
		"without a level":      anchor("", ""),
		"an unknown member":    anchor("advanced", `,"trust":true`),
		"two objects":          anchor("advanced", "") + anchor("advanced", ""),
		"text after it":        anchor("advanced", "") + "x",
		"an unknown use":       anchor("advanced", `,"for":["seals","codes"]`),
		"for nothing":          anchor("advanced", `,"for":[]`),
		"at no time":           anchor("advanced", `,"periods":[]`),
		"a period of no start": anchor("advanced", `,"periods":[{"until":"2026-01-01T00:00:00Z"}]`),
		"no certificate":       `{"name":"x","level":"advanced"}`,
		"two certificates":     `{"name":"x","level":"advanced","certificate":"` + c + c + `"}`,
		"a private key":        `{"name":"x","level":"advanced","certificate":"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}`,
		"a broken certifcate":  `{"name":"x","level":"advanced","certificate":"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}`,
	} {
		dir := t.TempDir()
		writeTo(t, filepath.Join(dir, "a.json"), []byte(text))
		if trust, err := LoadTrust(dir); err == nil {
			t.Errorf("%s: read as %+v", name, trust)
		}
	}
	dir := t.TempDir()
	writeTo(t, filepath.Join(dir, "a.pem"), []byte("nothing of use"))
	if _, err := LoadTrust(dir); err == nil {
		t.Error("a PEM file without certificates was read")
	}
}

func FuzzLoadTrust(f *testing.F) {
	c := asPEM(made(f, nil, authority("Radice")).c)
	f.Add(true, []byte(`{"name":"x","level":"advanced","certificate":"`+strings.ReplaceAll(c, "\n", `\n`)+`"}`))
	f.Add(false, []byte(c))
	f.Add(false, []byte("-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, isJSON bool, data []byte) {
		name := filepath.Join(dir, "a.pem")
		if isJSON {
			name = filepath.Join(dir, "a.json")
		}
		writeTo(t, name, data)
		trust, err := LoadTrust(name)
		if err != nil {
			return
		}
		for _, a := range trust.Anchors {
			if a.Certificate == nil || a.Level != Demonstration && a.Level != Advanced {
				t.Fatalf("%+v", a)
			}
			trust.Vouch([]*x509.Certificate{a.Certificate}, theMoment)
		}
		if len(trust.Anchors) == 0 {
			t.Fatal("neither an anchor nor an error")
		}
	})
}
