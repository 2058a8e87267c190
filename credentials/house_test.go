package credentials

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"attesta/status"
)

// testSealer seals with a key of its own. It uses crypto/ecdsa and crypto/rsa
// directly, so that what it writes does not depend on the code under test.
type testSealer struct {
	key   crypto.Signer
	chain []*x509.Certificate
	alg   string
}

func (s *testSealer) Algorithm() string          { return s.alg }
func (s *testSealer) Chain() []*x509.Certificate { return s.chain }

func (s *testSealer) Sign(input []byte) ([]byte, error) {
	hash, digest := crypto.SHA256, sha256Of(input)
	if s.alg == "ES384" {
		sum := sha512.Sum384(input)
		hash, digest = crypto.SHA384, sum[:]
	}
	switch key := s.key.(type) {
	case *ecdsa.PrivateKey:
		r, n, err := ecdsa.Sign(rand.Reader, key, digest)
		if err != nil {
			return nil, err
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), n.FillBytes(make([]byte, size))...), nil
	case *rsa.PrivateKey:
		return rsa.SignPKCS1v15(rand.Reader, key, hash, digest)
	}
	return nil, errors.New("no such key")
}

func sha256Of(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:]
}

func newSealer(t testing.TB) *testSealer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return sealerOf(t, key, "ES256")
}

// fixedSealer has the same key and certificate in every process, as the
// processes of a fuzz test need.
func fixedSealer(t testing.TB) *testSealer {
	t.Helper()
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sha256Of([]byte("not a secret")))
	if err != nil {
		t.Fatal(err)
	}
	return sealerOf(t, key, "ES256")
}

// sealerOf makes a self-signed certificate of the fictional school for a key.
func sealerOf(t testing.TB, key crypto.Signer, alg string) *testSealer {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(42),
		Subject: pkix.Name{
			CommonName: "Sigillo di prova", Organization: []string{theSigner.Organisation}, Country: []string{"IT"},
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: organizationIdentifier, Value: theSigner.LegalID}},
		},
		NotBefore: theMoment.AddDate(-1, 0, 0), NotAfter: theMoment.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &testSealer{key: key, chain: []*x509.Certificate{c}, alg: alg}
}

var (
	theMoment = time.Date(2026, 11, 21, 8, 30, 0, 0, time.UTC)
	theSigner = Signer{
		Organisation: "Scuola Dimostrativa per le Politiche Attive del Lavoro",
		CommonName:   "Scuola Dimostrativa (sigillo dimostrativo)",
		LegalID:      "DM:IT-iss-scuola", Country: "IT",
	}
	// onePixel stands for a drawn picture.
	onePixel = []byte("\x89PNG\r\n\x1a\n one pixel")
)

func rome(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// fixtureModules are the modules of both catalogues, with their providers.
func fixtureModules(t testing.TB) []Award {
	t.Helper()
	var issuers struct {
		Issuers []Provider `json:"issuers"`
	}
	readFixture(t, "issuers.json", &issuers)
	owners := map[string]Provider{}
	for _, p := range issuers.Issuers {
		for _, code := range p.Modules {
			owners[code] = p
		}
	}
	var awards []Award
	for _, name := range []string{"catalogue_national_school.json", "catalogue_jobseekers.json"} {
		var catalogue struct {
			Modules []Module `json:"modules"`
		}
		readFixture(t, name, &catalogue)
		for _, m := range catalogue.Modules {
			awards = append(awards, Award{
				Provider: owners[m.Code], Module: m,
				Learner: Learner{Ref: "TOT25-001", GivenName: "Ada", FamilyName: "Esempio", Email: "ada@example.org", Language: "it"},
				Edition: m.Code + "/2026/TOT25", CompletedOn: "2026-05-29",
			})
		}
	}
	return awards
}

func readFixture(t testing.TB, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// goodAward is an award of SN-11, which ends in nothing and has two outcomes
// or more.
func goodAward(t testing.TB) Award {
	t.Helper()
	for _, a := range fixtureModules(t) {
		if a.Module.Code == "SN-11" {
			return a
		}
	}
	t.Fatal("the catalogue has no SN-11")
	return Award{}
}

func goodIssue(t testing.TB) Issue {
	return Issue{
		Credential: "urn:credential:6c0f6c0e-8a55-4d0e-8b1e-3a8c8b0c9d11",
		At:         theMoment.In(rome(t)), Signer: theSigner,
		Status: StatusEntries(func(p status.Purpose) string {
			return "https://scuola.example.org/status/L1/" + string(p)
		}, 4711),
		Pictures: map[string][]byte{"it": onePixel, "en": onePixel},
	}
}

// shortDocument is a document with little of everything, for fuzz tests.
func shortDocument(t testing.TB) Document {
	t.Helper()
	a := goodAward(t)
	a.Module.Outcomes = a.Module.Outcomes[:1]
	a.Module.Outcomes[0].Skills = a.Module.Outcomes[0].Skills[:1]
	a.Module.Assessments = a.Module.Assessments[:1]
	a.Module.Description, a.Module.Prerequisites, a.Module.QualityAssurance = nil, nil, Text{"it": "q"}
	i := goodIssue(t)
	i.Pictures = nil
	return newDocument(t, a, i)
}

func newDocument(t testing.TB, a Award, i Issue) Document {
	t.Helper()
	d, err := NewDocument(a, i)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func goodDocument(t testing.TB) Document {
	t.Helper()
	return newDocument(t, goodAward(t), goodIssue(t))
}

func seal(t testing.TB, d Document, s Sealer) []byte {
	t.Helper()
	sealed, err := EDC.Seal(d, s, theMoment)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// smallDocument is the least that Parse takes for a European Digital
// Credential, for tests that need many short files.
const smallDocument = (`{"@context":["` + contextW3C + `","` + contextEDC + `"],"id":"urn:credential:1",` +
	`"type":["VerifiableCredential","EuropeanDigitalCredential"],"issued":"2026-11-21T09:30:00+01:00",` +
	`"credentialSubject":{"type":"Person","fullName":{"it":"Ada Esempio"}},"issuer":{"legalName":{"it":"Scuola"}}}`)

// parts are the three parts of a sealed file that hostile variants are built
// from.
type parts struct {
	header  string // JSON of the protected header
	payload string // the credential, unquoted
	sealer  *testSealer
}

func takeApart(t testing.TB, d Document, s *testSealer) parts {
	t.Helper()
	var outer struct {
		Payload    string `json:"payload"`
		Signatures []struct {
			Protected string `json:"protected"`
		} `json:"signatures"`
	}
	if err := json.Unmarshal(seal(t, d, s), &outer); err != nil {
		t.Fatal(err)
	}
	header, err := base64.RawURLEncoding.DecodeString(outer.Signatures[0].Protected)
	if err != nil {
		t.Fatal(err)
	}
	return parts{string(header), outer.Payload, s}
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func quote(s string) string {
	quoted, err := marshalPlain(s)
	if err != nil {
		panic(err) // a string always marshals
	}
	return string(quoted)
}

// sign returns the signature, in base64url, that the key makes over the parts:
// every variant below carries a signature that is good in itself.
func (p parts) sign(t testing.TB) string {
	t.Helper()
	signature, err := p.sealer.Sign([]byte(b64(p.header) + "." + p.payload))
	if err != nil {
		t.Fatal(err)
	}
	return b64(string(signature))
}

func (p parts) one(t testing.TB) string {
	return `{"protected":"` + b64(p.header) + `","signature":"` + p.sign(t) + `"}`
}

func (p parts) file(t testing.TB) []byte {
	return []byte(`{"payload":` + quote(p.payload) + `,"signatures":[` + p.one(t) + `]}`)
}

// compact signs claims as a compact token with any header.
func (s *testSealer) compact(t testing.TB, header, claims string) []byte {
	t.Helper()
	input := b64(header) + "." + b64(claims)
	signature, err := s.Sign([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(input + "." + b64(string(signature)))
}

func (s *testSealer) x5c() string {
	var all []string
	for _, c := range s.chain {
		all = append(all, `"`+base64.StdEncoding.EncodeToString(c.Raw)+`"`)
	}
	return "[" + strings.Join(all, ",") + "]"
}

// open is what a verifier does before it believes anything: parse and verify.
func open(data []byte) (*Parsed, error) {
	p, err := Parse(data)
	if err != nil {
		return nil, err
	}
	e := p.Envelope
	err = e.Verify()
	// A digest that is there already is judged in the same way.
	if sum := hashed(hashOf(e.Algorithm), e.appendInput(nil)); (verifyDigest(e.Algorithm, e.Leaf().PublicKey, sum, e.signature) == nil) != (err == nil) {
		return nil, errors.New("the signature over the input and that over its digest are judged differently")
	}
	return p, err
}

// edited decodes a document, lets a test change it and writes it again.
func edited(t testing.TB, d Document, change func(map[string]any)) Document {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(d))
	decoder.UseNumber()
	var m map[string]any
	if err := decoder.Decode(&m); err != nil {
		t.Fatal(err)
	}
	change(m)
	out, err := marshalPlain(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// atPath follows a path of names and positions into decoded JSON.
func atPath(t testing.TB, v any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok || m[step] == nil {
				t.Fatalf("%v: there is no member %q", path, step)
			}
			v = m[step]
		case int:
			list, ok := v.([]any)
			if !ok || step >= len(list) {
				t.Fatalf("%v: there is no position %d", path, step)
			}
			v = list[step]
		}
	}
	return v
}

func objectAt(t testing.TB, v any, path ...any) map[string]any {
	t.Helper()
	m, ok := atPath(t, v, path...).(map[string]any)
	if !ok {
		t.Fatalf("%v is no object", path)
	}
	return m
}

// rulesOf are the rules of the errors among findings, each once.
func rulesOf(findings []Finding) map[string]bool {
	rules := map[string]bool{}
	for _, f := range Errors(findings) {
		rules[f.Rule] = true
	}
	return rules
}

// asn1Pair is an ECDSA signature as other systems write it.
type asn1Pair struct{ R, S *big.Int }

func derSignature(raw []byte) []byte {
	half := len(raw) / 2
	der, err := asn1.Marshal(asn1Pair{new(big.Int).SetBytes(raw[:half]), new(big.Int).SetBytes(raw[half:])})
	if err != nil {
		panic(err) // two numbers always marshal
	}
	return der
}

// asDecoded is a value of a tree as encoding/json would give it.
func asDecoded(n node) any {
	if n.v == nil {
		return nil
	}
	switch n.v.kind {
	case isTrue, isFalse:
		return n.v.kind == isTrue
	case isNumber:
		return json.Number(n.number())
	case isList:
		all := []any{}
		for child := range n.every() {
			all = append(all, asDecoded(child))
		}
		return all
	case isObject:
		all := map[string]any{}
		for _, m := range n.members() {
			all[n.t.nameOf(m.name)] = asDecoded(n.of(&m))
		}
		return all
	}
	return n.text()
}

// everywhere calls a function on every object of decoded JSON.
func everywhere(v any, do func(map[string]any)) {
	switch v := v.(type) {
	case []any:
		for _, child := range v {
			everywhere(child, do)
		}
	case map[string]any:
		do(v)
		for _, child := range v {
			everywhere(child, do)
		}
	}
}
