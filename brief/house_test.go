package brief

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
)

// fixtures are providers and modules as they come with the program.
type fixtures struct {
	providers []credentials.Provider
	modules   []credentials.Module
}

func readFixtures(t testing.TB) (f fixtures) {
	t.Helper()
	read := func(name string, into any) {
		data, err := os.ReadFile(filepath.Join("..", "credentials", "testdata", name))
		if err == nil {
			err = json.Unmarshal(data, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var issuers struct {
		Issuers []credentials.Provider `json:"issuers"`
	}
	read("issuers.json", &issuers)
	f.providers = issuers.Issuers
	for _, name := range []string{"catalogue_national_school.json", "catalogue_jobseekers.json"} {
		var catalogue struct {
			Modules []credentials.Module `json:"modules"`
		}
		read(name, &catalogue)
		f.modules = append(f.modules, catalogue.Modules...)
	}
	return f
}

// house is a provider with its keys.
type house struct {
	now  time.Time
	ring *keys.Ring
}

func newHouse(t testing.TB) *house {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	h := &house{now: time.Date(2026, 11, 22, 9, 30, 0, 0, zone)}
	if h.ring, err = keys.Open(filepath.Join(dir, "keys"), filepath.Join(dir, "master.key")); err != nil {
		t.Fatal(err)
	}
	return h
}

// key is the sealing key of a provider.
func (h *house) key(t testing.TB, p credentials.Provider) *keys.Key {
	t.Helper()
	if _, err := h.ring.Ensure(keys.Owner{ID: p.ID, Name: p.Name["it"], LegalID: "DM:IT-" + p.ID, Country: "IT"}, h.now.AddDate(-1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	k, err := h.ring.Current(keys.Seal, p.ID, h.now)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// award is the short form of one award, as its document was sealed.
func (h *house) award(t testing.TB, p credentials.Provider, m credentials.Module, given, family string) Brief {
	t.Helper()
	k := h.key(t, p)
	signer, err := credentials.SignerOf(k.Certificate())
	if err != nil {
		t.Fatal(err)
	}
	picture := []byte("\x89PNG\r\n\x1a\n")
	entries := []credentials.StatusEntry{{Type: credentials.TokenStatusEntry, List: "https://attestati.regione.example.org/status/L12", Index: "131071"}}
	d, err := credentials.NewDocument(credentials.Award{
		Provider: p, Module: m, CompletedOn: "2026-05-29", Learner: credentials.Learner{GivenName: given, FamilyName: family},
	}, credentials.Issue{
		Credential: "urn:credential:6c0f6c0e-8a55-4d0e-8b1e-3a8c8b0c9d11", At: h.now, Signer: signer,
		Status: entries, Pictures: map[string][]byte{"it": picture, "en": picture},
	})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := credentials.EDC.Seal(d, k, h.now)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := credentials.Parse(sealed)
	if err != nil {
		t.Fatal(err)
	}
	view := parsed.View()
	view.Status = entries
	b, err := Of(view, parsed.Envelope.Payload())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// one is a brief that is usual, and the key that signs it.
func one(t testing.TB) (Brief, *keys.Key, *house) {
	t.Helper()
	h, f := newHouse(t), readFixtures(t)
	return h.award(t, f.providers[0], f.modules[0], "Ada", "Esempio"), h.key(t, f.providers[0]), h
}

// lone is a key outside any ring.
type lone struct {
	algorithm string
	sign      func([]byte) ([]byte, error)
	chain     []*x509.Certificate
}

func (l lone) Algorithm() string                 { return l.algorithm }
func (l lone) Chain() []*x509.Certificate        { return l.chain }
func (l lone) Sign(input []byte) ([]byte, error) { return l.sign(input) }

// rsaKey is a key whose signature does not fit.
func rsaKey(t testing.TB) lone {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return lone{"RS256", nil, []*x509.Certificate{{Raw: []byte("rsa"), PublicKey: &k.PublicKey}}}
}

// p521 is a certificate with a key on a curve that is not used here.
func p521(t testing.TB) *x509.Certificate {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &x509.Certificate{Raw: []byte("p521"), PublicKey: &k.PublicKey}
}
