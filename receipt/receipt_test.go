package receipt

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"attesta/receipt/receipttest"

	"github.com/smallstep/pkcs7"
)

func made() time.Time { return time.Date(2026, 11, 21, 13, 5, 9, 0, time.UTC) }

// signer makes one with a root of its own for a key.
func signer(t testing.TB, key crypto.Signer) Signer {
	t.Helper()
	root, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	chain := make([]*x509.Certificate, 2)
	parent := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, NotBefore: made().AddDate(-1, 0, 0), NotAfter: made().AddDate(9, 0, 0), IsCA: true, BasicConstraintsValid: true}
	for n, c := range []*x509.Certificate{parent, {SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "receipts"}, NotBefore: parent.NotBefore, NotAfter: parent.NotAfter}} {
		public := key.Public()
		if n == 0 {
			public = root.Public()
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, public, root)
		if err == nil {
			chain[1-n], err = x509.ParseCertificate(der)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return Signer{key, chain}
}

func p256(t testing.TB) Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer(t, key)
}

func content(rows int) Content {
	c := Content{
		Language: "it", Title: "Ricevuta di verifica", Summary: "Validi: 3 · Non validi: 1", Made: made(),
		Facts: []Fact{{"Verificato il", "21 novembre 2026 alle 14:05 (UTC+1)"}, {"Da", "https://attestati.example.org"}, {"Vuoto", ""}},
		Notes: []string{strings.Repeat("Una frase che dice che cosa prova e che cosa no. ", 6)},
		Page:  func(n, of int) string { return fmt.Sprintf("pagina %d di %d", n, of) },
	}
	for n := range rows {
		c.Rows = append(c.Rows, Row{
			Name: fmt.Sprintf("curriculum di Nicolò n. %d.pdf › attestato.jsonld", n), Verdict: "Non valido", Tone: Tone(n % 4), Reason: "revocato il 3 luglio 2026",
			Facts: []Fact{{"Microcredenziale", "Formare formatori con metodi partecipativi"}, {"SHA-256", strings.Repeat("0123456789abcdef", 4)}},
		})
	}
	return c
}

// check holds a file against its signature.
func check(pdf []byte, root *x509.Certificate) (*pkcs7.PKCS7, error) {
	return receipttest.Check(pdf, root, made())
}

// TestMake: a receipt bears a signature that another library finds good, over all
// of the file, with the chain and the attributes of PAdES baseline and no more.
func TestMake(t *testing.T) {
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Signer{"P-256": p256(t), "P-384": signer(t, p384), "RSA": signer(t, large)} {
		pdf, err := Make(content(4), s)
		if err != nil {
			t.Fatal(name, err)
		}
		p, err := check(pdf, s.Chain[1])
		if err != nil {
			t.Fatal(name, err)
		}
		if len(p.Certificates) != 2 || !bytes.Contains(pdf, []byte("/SubFilter /ETSI.CAdES.detached")) || !bytes.Contains(pdf, []byte("/M (D:20261121130509Z)")) {
			t.Errorf("%s: %d certificates", name, len(p.Certificates))
		}
		var stamp time.Time
		if err := p.UnmarshalSignedAttribute(pkcs7.OIDAttributeSigningTime, &stamp); err == nil {
			t.Errorf("%s: signing-time is there (EN 319 142-1 clause 6.3)", name)
		}
		var certificate signingCertificate
		if err := p.UnmarshalSignedAttribute(oidSigningCertificate, &certificate); err != nil || len(certificate.Certificates) != 1 {
			t.Errorf("%s: signing-certificate-v2: %v", name, err)
		}
		if _, err := check(pdf, p256(t).Chain[1]); err == nil {
			t.Errorf("%s: good under the root of somebody else", name)
		}
	}
	if name := os.Getenv("RECEIPT_OUT"); name != "" {
		pdf, err := Make(content(60), p256(t))
		if err == nil {
			err = os.WriteFile(name, pdf, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestTampering (F1): whatever byte is changed in what is signed, the signature is
// no longer good; what is added at the end is not covered and shows.
func TestTampering(t *testing.T) {
	s := p256(t)
	pdf, err := Make(content(2), s)
	if err != nil {
		t.Fatal(err)
	}
	begins := bytes.Index(pdf, []byte("/Contents <")) + len("/Contents <")
	ends := begins + 2*signatureRoom
	step := len(pdf)/400 + 1
	for n := 0; n < len(pdf); n += step {
		if n >= begins && n < ends {
			continue
		}
		changed := bytes.Clone(pdf)
		changed[n] ^= 1
		if _, err := check(changed, s.Chain[1]); err == nil {
			t.Fatalf("byte %d of %d was changed, and the signature is good", n, len(pdf))
		}
	}
	if _, err := check(append(bytes.Clone(pdf), "9 0 obj\n"...), s.Chain[1]); err == nil {
		t.Error("something was added, and the signature covers the file")
	}
	if _, err := check(pdf, s.Chain[1]); err != nil {
		t.Errorf("the control: %v", err)
	}
}

// TestHarmless (F2): there is nothing in a receipt that acts, leads elsewhere or
// names a person beside what it says.
func TestHarmless(t *testing.T) {
	pdf, err := Make(content(3), p256(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"/JS", "/JavaScript", "/AA", "/OpenAction", "/Launch", "/URI", "/Author", "/Keywords", "Nicol"} {
		if bytes.Contains(pdf, []byte(bad)) {
			t.Errorf("there is %s in it", bad)
		}
	}
}

// TestNamed: a reader is told the language of a receipt, and shows its title and
// not the name of the file.
func TestNamed(t *testing.T) {
	pdf, err := Make(content(1), p256(t))
	if err != nil {
		t.Fatal(err)
	}
	catalog := pdf[bytes.LastIndex(pdf, []byte("/Type /Catalog")):]
	for _, want := range []string{"/Lang (it)", "/ViewerPreferences << /DisplayDocTitle true >>"} {
		if bytes.Count(catalog, []byte(want)) != 1 {
			t.Errorf("the catalog in use has no %s", want)
		}
	}
	if !bytes.Contains(pdf, []byte("/Title (")) {
		t.Error("there is no title")
	}
}

func blank(t *testing.T) *paper {
	t.Helper()
	p, err := newPaper()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func hostile() []string {
	return []string{
		"", " ", "\x00\x01\x1b[31m", "\u202Egnp.exe\u2066", "😀👩‍👩‍👧‍👦🏳️‍🌈", strings.Repeat("W", 10000), strings.Repeat("m ", 10000), strings.Repeat("𝒳", 3000),
		"\xff\xfe\xfd", "a\xc3", "漢字かな交じり文", "مرحبا بالعالم", "e\u0301\u0301\u0301\u0301", "(\\) endobj >> stream", "{nb}", "\uFFFF\uFFFE\uFFFD", strings.Repeat("\u0301", 5000), "\u2028\u2029\u0085",
	}
}

// TestHostileWords (W1, F5): whatever names and words hold, there is a receipt,
// its signature is good and every text stands inside the page.
func TestHostileWords(t *testing.T) {
	s := p256(t)
	for _, text := range hostile() {
		c := content(2)
		c.Language, c.Title, c.Summary, c.Notes, c.Facts = text, text, text, []string{text}, []Fact{{text, text}}
		for n := range c.Rows {
			c.Rows[n] = Row{Name: text, Verdict: text, Reason: text, Facts: []Fact{{text, text}, {text, text}, {text, text}}}
		}
		c.Page = func(int, int) string { return text }
		pdf, err := Make(c, s)
		if err == nil {
			_, err = check(pdf, s.Chain[1])
		}
		if err != nil {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	if got := blank(t).clean("a\u202Eb😀 c\n d"); got != "a□b□ c d" {
		t.Errorf("%q", got)
	}
	if got := []rune(blank(t).clean(strings.Repeat("W", 10000))); len(got) != maxText+1 || got[maxText] != '…' {
		t.Errorf("%d letters", len(got))
	}
}

func TestBounds(t *testing.T) {
	s := p256(t)
	begun := time.Now()
	pdf, err := Make(content(MaxRows), s)
	if err == nil {
		_, err = check(pdf, s.Chain[1])
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("figures: a receipt of %d rows has %d kB and took %v", MaxRows, len(pdf)>>10, time.Since(begun).Round(time.Millisecond))
	for name, make := range map[string]func() ([]byte, error){
		"rows":   func() ([]byte, error) { return Make(content(MaxRows+1), s) },
		"pages":  func() ([]byte, error) { c := content(1); c.Page = nil; return Make(c, s) },
		"time":   func() ([]byte, error) { c := content(1); c.Made = time.Time{}; return Make(c, s) },
		"key":    func() ([]byte, error) { return Make(content(1), Signer{Chain: s.Chain}) },
		"chain":  func() ([]byte, error) { return Make(content(1), Signer{Key: s.Key}) },
		"refuse": func() ([]byte, error) { return Make(content(1), Signer{refusing{s.Key}, s.Chain}) },
		"long": func() ([]byte, error) {
			c := s
			for range 40 {
				c.Chain = append(c.Chain, s.Chain[1])
			}
			return Make(content(1), c)
		},
	} {
		if _, err := make(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := certify([]byte("%PDF-1.3\nnothing"), s, made()); err == nil {
		t.Error("a file of another form was signed")
	}
}

// TestPages: every line stands on the paper, above the footer, and all of them are
// there, however many pages that takes.
func TestPages(t *testing.T) {
	for _, rows := range []int{0, 1, 7, 200} {
		c := content(rows)
		pages := blank(t).lay(c)
		seen := 0
		for _, lines := range pages {
			for _, l := range lines {
				if l.y < margin-1 || l.y > bottom+1 || l.x < margin {
					t.Errorf("%d rows: %q at %v, %v", rows, l.text, l.x, l.y)
				}
				if strings.HasPrefix(l.text, "Non valido") {
					seen++
				}
			}
		}
		if seen != rows || rows == 200 && len(pages) < 10 {
			t.Errorf("%d rows: %d verdicts on %d pages", rows, seen, len(pages))
		}
	}
}

type refusing struct{ crypto.Signer }

func (refusing) Sign(_ io.Reader, _ []byte, _ crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the device is away")
}

func FuzzMake(f *testing.F) {
	for _, text := range hostile() {
		f.Add(text, text)
	}
	s := p256(f)
	f.Fuzz(func(t *testing.T, name, words string) {
		c := content(1)
		c.Title, c.Rows[0] = words, Row{Name: name, Verdict: words, Reason: name, Facts: []Fact{{name, words}}}
		pdf, err := Make(c, s)
		if err == nil {
			_, err = check(pdf, s.Chain[1])
		}
		if err != nil {
			t.Error(err)
		}
	})
}
