package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/trustlist/trustlisttest"
)

// continent is an invented Union: who signs the list of lists and the national
// lists, the lists as they will be written, and a sealer on one of them.
type continent struct {
	t          *testing.T
	dir        string
	commission trustlisttest.Signer
	operators  map[string]trustlisttest.Signer
	top        trustlisttest.List
	lists      map[string]*trustlisttest.List
	authority  trustlisttest.Signer
	seal       trustlisttest.Signer
	changed    map[string]func([]byte) []byte // what becomes of a file after it was signed
}

func newContinent(t *testing.T) *continent {
	t.Helper()
	from, until := fixedDay().AddDate(-3, 0, 0), fixedDay().AddDate(3, 0, 0)
	u := &continent{
		t: t, dir: t.TempDir(), commission: trustlisttest.NewSigner(t, "Commissione", from, until),
		operators: map[string]trustlisttest.Signer{}, lists: map[string]*trustlisttest.List{}, changed: map[string]func([]byte) []byte{},
		authority: trustlisttest.NewAuthority(t, "CA sigilli qualificati", nil, from, until),
	}
	u.seal = u.authority.NewSeal(t, "Scuola Vera", "VATIT-01234567890", trustlisttest.Qualified(), fixedDay().AddDate(0, -6, 0), until)
	issued := fixedDay().AddDate(0, -1, 0)
	u.top = trustlisttest.List{Territory: "EU", OfLists: true, Sequence: 250, Issued: issued, Next: issued.AddDate(0, 6, 0)}
	u.top.Pointers = []trustlisttest.Pointer{u.pointer("EU", u.commission)}
	u.top.Pointers[0].OfLists = true
	for _, territory := range []string{"IT", "DE"} {
		operator := trustlisttest.NewSigner(t, "Gestore "+territory, from, until)
		u.operators[territory] = operator
		u.top.Pointers = append(u.top.Pointers, u.pointer(territory, operator))
		u.lists[territory] = &trustlisttest.List{ID: "list", Territory: territory, Sequence: 7, Issued: issued, Next: issued.AddDate(0, 6, 0)}
	}
	human := u.pointer("IT", u.operators["IT"])
	human.MediaType = "application/pdf"
	u.top.Pointers = append(u.top.Pointers, human)
	unit := trustlisttest.NewAuthority(t, "Marche", nil, from, until)
	u.lists["IT"].Services = []trustlisttest.Service{
		{Provider: "Prestatore Uno", Identity: trustlisttest.Identity(u.authority.Certificate), States: []trustlisttest.State{{Type: trustlisttest.CAQC, Status: trustlisttest.Granted, From: from, ForSeals: true}}},
		{Provider: "Prestatore Due", Identity: trustlisttest.Identity(unit.Certificate), States: []trustlisttest.State{{Type: trustlisttest.QTST, Status: trustlisttest.Granted, From: from}}},
		{Provider: "Prestatore Tre", Identity: []string{"AAAA"}, States: []trustlisttest.State{{Type: trustlisttest.QTST, Status: trustlisttest.Granted, From: from}}},
	}
	return u
}

func (u *continent) pointer(territory string, s trustlisttest.Signer) trustlisttest.Pointer {
	p := trustlisttest.Pointer{Territory: territory, Address: "https://lists.example/" + territory + ".xml"}
	p.Signers = append(p.Signers, s.Certificate)
	return p
}

// write signs every list and writes it into the folder.
func (u *continent) write() {
	u.t.Helper()
	for territory, l := range u.lists {
		u.put(territory+".xml", trustlisttest.Sign(u.t, l.XML(), u.operators[territory], trustlisttest.Options{}))
	}
	u.put("eu-lotl.xml", trustlisttest.Sign(u.t, u.top.XML(), u.commission, trustlisttest.Options{NameBySHA1: true}))
	u.put("signers.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: u.commission.Certificate.Raw}))
}

func (u *continent) put(name string, data []byte) {
	u.t.Helper()
	if change := u.changed[name]; change != nil {
		data = change(data)
	}
	if err := os.WriteFile(filepath.Join(u.dir, name), data, 0o600); err != nil {
		u.t.Fatal(err)
	}
}

func (u *continent) file(name string) string { return filepath.Join(u.dir, name) }

// load writes the lists and imports them into a folder of anchors.
func (u *continent) load(anchors string, more ...string) (int, string) {
	u.t.Helper()
	u.write()
	return atConsole(u.t, append([]string{"trust", "import", "--trust", anchors, "--lotl", u.file("eu-lotl.xml"), "--lists", u.dir}, more...)...)
}

// atConsole runs a command as main would, on the day of the tests, and returns
// all that it prints.
func atConsole(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code := run(t.Context(), &console{out: &out, err: &out, getenv: func(string) string { return "" }, now: fixedDay}, args)
	return code, out.String()
}

// sealed is a credential of the invented school, sealed by somebody at a time.
func sealed(t *testing.T, s trustlisttest.Signer, at time.Time) []byte {
	t.Helper()
	var providers struct {
		Issuers []credentials.Provider `json:"issuers"`
	}
	var catalogue struct {
		Modules []credentials.Module `json:"modules"`
	}
	for name, into := range map[string]any{"provider_national_school.json": &providers, "catalogue_national_school.json": &catalogue} {
		raw, err := os.ReadFile(filepath.Join("demodata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	signer, err := credentials.SignerOf(s.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	picture := []byte("\x89PNG\r\n\x1a\n")
	document, err := credentials.NewDocument(credentials.Award{
		Provider: providers.Issuers[0], Module: catalogue.Modules[0], CompletedOn: "2026-05-29",
		Learner: credentials.Learner{GivenName: "Ada", FamilyName: "Esempio"},
	}, credentials.Issue{
		Credential: "urn:credential:6c0f6c0e-8a55-4d0e-8b1e-3a8c8b0c9d11", At: at, Signer: signer,
		Pictures: map[string][]byte{"it": picture, "en": picture},
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := credentials.EDC.Seal(document, s, at)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// judged verifies a credential with a folder of anchors.
func judged(t *testing.T, anchors string, credential []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "c.jsonld")
	if err := os.WriteFile(name, credential, 0o600); err != nil {
		t.Fatal(err)
	}
	_, out := atConsole(t, "verify", "--trust", anchors, "--offline", name)
	return out
}
