package credentials

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every module of the fixtures gives a document without any finding, and the
// issuer is the organisation of the certificate.
func TestLintFindsNothingInWhatIsIssued(t *testing.T) {
	awards := fixtureModules(t)
	if len(awards) != 18 {
		t.Fatalf("%d modules", len(awards))
	}
	for _, a := range awards {
		if found := Lint(newDocument(t, a, goodIssue(t)), &theSigner); len(found) > 0 {
			t.Errorf("%s: %v", a.Module.Code, found)
		}
	}
}

// The eleven mandatory elements of Annex I of Council Recommendation 2022/C
// 243/02: without one of them its rule is broken.
func TestLintMissesEachElementOfTheAnnex(t *testing.T) {
	spec := []any{"credentialSubject", "hasClaim", 0, "specifiedBy"}
	claim := slices.Clip(spec[:3])
	for rule, changes := range map[string][]func(map[string]any){
		"A01": {
			func(d map[string]any) {
				s := objectAt(t, d, "credentialSubject")
				delete(s, "fullName")
				delete(s, "givenName")
				delete(s, "familyName")
			},
			func(d map[string]any) {
				s := objectAt(t, d, "credentialSubject")
				s["fullName"], s["givenName"], s["familyName"] = map[string]any{"it": ""}, map[string]any{}, nil
			},
		},
		"A02": {
			func(d map[string]any) { delete(objectAt(t, d, append(claim, "title")...), "it") },
			func(d map[string]any) { delete(objectAt(t, d, "displayParameter", "title"), "en") },
		},
		"A03": {func(d map[string]any) { everywhere(d, func(m map[string]any) { delete(m, "countryCode") }) }},
		"A04": {func(d map[string]any) { delete(objectAt(t, d, append(claim, "awardedBy")...), "awardingBody") }},
		"A05": {func(d map[string]any) { delete(d, "issued") }},
		"A06": {
			func(d map[string]any) { delete(objectAt(t, d, spec...), "learningOutcome") },
			func(d map[string]any) { delete(objectAt(t, d, append(spec, "learningOutcome", 1)...), "title") },
		},
		"A07": {func(d map[string]any) { delete(objectAt(t, d, spec...), "volumeOfLearning") }},
		"A09": {
			func(d map[string]any) { delete(objectAt(t, d, claim...), "provenBy") },
			func(d map[string]any) { // attendance alone
				for _, p := range atPath(t, d, append(claim, "provenBy")...).([]any) {
					objectAt(t, p, "specifiedBy", "dcType")["id"] = attendanceOnly
				}
			},
		},
		"A10": {func(d map[string]any) { delete(objectAt(t, d, spec...), "mode") }},
		"A11": {
			func(d map[string]any) { delete(objectAt(t, d, spec...), "additionalNote") },
			func(d map[string]any) { // the notes about the level and the prerequisites are none about quality
				notes := atPath(t, d, append(spec, "additionalNote")...).([]any)
				objectAt(t, d, spec...)["additionalNote"] = notes[1:]
			},
		},
	} {
		for n, change := range changes {
			if found := Lint(edited(t, goodDocument(t), change), nil); !rulesOf(found)[rule] {
				t.Errorf("%s, change %d: %v", rule, n, found)
			}
		}
	}
	found := Lint(edited(t, goodDocument(t), func(d map[string]any) { delete(objectAt(t, d, spec...), "eqfLevel") }), nil)
	if len(found) != 1 || found[0].Rule != "A08" || found[0].Severity != Warning {
		t.Errorf("without a level: %v", found)
	}
}

// P60M is sixty months; the hours were meant.
func TestLintWarnsOfDurationsInMonths(t *testing.T) {
	for value, want := range map[string]Severity{"PT60H": "", "P1M": "", "P60M": Warning, "PT60M": "", "P2DT3H": "", "P1W": "", "P": Error, "60": Error, "PT1.5H": Error, "-PT1H": Error} {
		found := Lint(edited(t, goodDocument(t), func(d map[string]any) {
			objectAt(t, d, "credentialSubject", "hasClaim", 0, "specifiedBy")["volumeOfLearning"] = value
		}), nil)
		got := Severity("")
		for _, f := range found {
			if f.Rule == "S11" {
				got = f.Severity
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

// The issuer in the document is the organisation of the certificate.
func TestLintHoldsTheIssuerAgainstTheCertificate(t *testing.T) {
	other := theSigner
	other.Organisation, other.LegalID = "Altra Scuola", "VATIT-00000000001"
	if got, want := rulesOf(Lint(goodDocument(t), &other)), map[string]bool{"I01": true, "I02": true}; !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// The issuer's country is the one that the certificate names.
func TestLintHoldsTheCountryToTheCertificate(t *testing.T) {
	for country, want := range map[string]map[string]bool{
		"IT": {}, "DE": {"I03": true}, "": {"I03": true}, "XX": {"I03": true},
	} {
		i := goodIssue(t)
		i.Signer.Country = country
		d := newDocument(t, goodAward(t), i)
		if got := rulesOf(Errors(Lint(d, &i.Signer))); !maps.Equal(got, want) {
			t.Errorf("a certificate with the country %q: %v", country, got)
		}
		said := node{}
		if doc, err := readJSON(d); err == nil {
			said = doc.at("issuer", "eIDASIdentifier", "spatial", "id")
		}
		if want := map[string]string{"DE": countryPrefix + "DEU"}[country]; want != "" && said.text() != want {
			t.Errorf("a certificate with the country %q: the identifier is of %s", country, said.text())
		}
	}
}

// The name in English is that of the provider's entry only where the certificate
// is of the same organisation.
func TestNoNameIsGivenToAnotherOrganisation(t *testing.T) {
	a, i := goodAward(t), goodIssue(t)
	for _, c := range []struct {
		legal, organisation string
		english             bool
	}{
		{i.Signer.LegalID, "Altro nome", true},
		{"VATIT-12345678901", i.Signer.Organisation, false},
		{"", i.Signer.Organisation, true},
		{"", "Altra ditta", false},
	} {
		a.Provider.LegalID, i.Signer.Organisation = c.legal, c.organisation
		doc, err := readJSON(newDocument(t, a, i))
		if err != nil {
			t.Fatal(err)
		}
		names := doc.at("issuer", "legalName").texts()
		if names["it"] != c.organisation || (names["en"] != "") != c.english {
			t.Errorf("an entry with %q under a certificate of %q: %v", c.legal, c.organisation, names)
		}
	}
}

// Every finding says in both languages what is wrong, where, and by which rule.
func TestFindingsHaveWordsInBothLanguages(t *testing.T) {
	found := append(Lint(Document(smallDocument), &theSigner), Lint(Document("{"), nil)...)
	if len(found) < 15 {
		t.Fatalf("only %d findings", len(found))
	}
	for _, f := range found {
		if f.ClauseIT == "" || f.ClauseIT == f.Clause && f.Clause != "RFC 8259" && f.Clause != "ISO 8601" {
			t.Errorf("%s: the clause %q is not said in Italian", f.Rule, f.Clause)
		}
		if f.Message["it"] == "" || f.Message["en"] == "" || f.Rule == "" || f.Clause == "" || !strings.HasPrefix(f.Path, "/") {
			t.Errorf("%+v", f)
		}
		if !strings.Contains(f.String(), f.Rule) {
			t.Errorf("%s does not name its rule", f)
		}
	}
}

// Every clause has Italian words of its own.
func TestClausesInItalian(t *testing.T) {
	for _, clause := range []string{
		clauseAnnex + ", element 11", clauseAP, clauseCode, clauseRead, clauseSeal, clauseSense, clauseAccredited, clauseMandate, clauseRegister,
	} {
		it := clauseInItalian(clause)
		if it == clause || strings.Contains(it, "element ") || strings.Contains(it, "application profile") {
			t.Errorf("%q is %q", clause, it)
		}
	}
}

// edcData is the folder with the Commission's published material.
func edcData(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("EDC_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "edc")
	}
	if _, err := os.Stat(filepath.Join(dir, "vocab")); err != nil {
		if os.Getenv("ATTESTA_REQUIRE_ALL") == "1" {
			t.Fatalf("the Commission's lists and samples are needed: set EDC_DATA (%v)", err)
		}
		t.Skipf("without the Commission's lists and samples: set EDC_DATA to their folder (%v)", err)
	}
	return dir
}

// The Commission's own samples break few rules, and these are known. Sealing
// adds the day of issuing and the legal identifier (A05, S05, S06); they are in
// English only (A02); and neither says anything of quality assurance (A11). The
// certificate of participation is no micro-credential (A06, A09).
func TestLintOfTheCommissionsSamples(t *testing.T) {
	dir := filepath.Join(edcData(t), "examples-unsigned")
	for name, want := range map[string][]string{
		"Sample-MC-Annex1-unsigned.jsonld":  {"A02", "A05", "A11", "S05", "S06"},
		"Sample-CertOfPart-unsigned.jsonld": {"A02", "A05", "A06", "A09", "A11", "S05", "S06"},
	} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		found := Lint(data, nil)
		got := slices.Sorted(maps.Keys(rulesOf(found)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func FuzzLint(f *testing.F) {
	f.Add([]byte(smallDocument))
	f.Add([]byte(shortDocument(f)))
	f.Add([]byte(`{"credentialProfiles":[{"id":"` + profileAccredited + `"}],"credentialSchema":{"id":"` + schemaMandate + `"},"evidence":["x",{"type":"Evidence","evidenceStatement":1,` +
		`"accreditation":[{"type":"Accreditation","limitEQFLevel":["http://data.europa.eu/snb/eqf/1"],"expiryDate":"2020-01-01T00:00:00Z"}]}],` +
		`"credentialSubject":{"dateOfBirth":"1999-10-01T22:00:00Z","nationalID":[],"hasClaim":{"influencedBy":[{"workload":"PT1H"}],"specifiedBy":{"volumeOfLearning":"PT2H30M","isPartOf":{},"eqfLevel":"http://data.europa.eu/snb/eqf/7"}}},` +
		`"issuer":{"location":{"spatialCode":{"id":"http://data.europa.eu/nuts/code/ITI4"}}}}`))
	f.Add([]byte(`{"credentialSubject":{"hasClaim":[{"provenBy":[[[]]],"specifiedBy":{"id":"x","learningOutcome":[null,1,"x"]}}]}}`))
	f.Add([]byte(`{"id":"a:b","displayParameter":[{"language":["a:b",{"id":"a:b"}],"individualDisplay":{"displayDetail":[[]]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, finding := range Lint(data, &theSigner) {
			if finding.Rule == "" || finding.Path == "" {
				t.Fatalf("%+v", finding)
			}
		}
	})
}
