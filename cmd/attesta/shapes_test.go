package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"attesta/credentials"
)

// TestShapes issues the credentials of the fictional school and lets an
// independent checker hold one of every module against the shapes of the
// application profile, with two engines, on the current and the former shapes.
//
// The checker is named by SHACL_VALIDATOR (a script for node) and finds its
// data by EDC_DATA.
func TestShapes(t *testing.T) {
	check := shapes(t)
	check("generic-full", issueEveryModule(t, t.TempDir()))
}

// issueEveryModule makes an installation in a folder and issues a credential of
// every module of the fixtures that may be issued. It returns the files.
func issueEveryModule(t *testing.T, dir string) []string {
	t.Helper()
	if err := copyFixtures(dir); err != nil {
		t.Fatal(err)
	}
	attesta(t, dir, "import", "--provider", "issuers.json", "--catalogue", "catalogue_national_school.json",
		"--catalogue", "catalogue_jobseekers.json", "--learners", "cohort_tot_25.csv", "--learners", "cohort_toolkit_15.csv")
	modules := []string{"GB-01", "GB-02", "GB-03", "GB-06"} // the provider of GB-04 and GB-05 is no longer accredited
	for n := 1; n <= 12; n++ {
		modules = append(modules, fmt.Sprintf("SN-%02d", n))
	}
	return issueOneOfEach(t, dir, "TOT25-003", modules)
}

// TestShapesOfEveryProfile does the same for credentials with every optional
// element, under each profile that attesta issues.
func TestShapesOfEveryProfile(t *testing.T) {
	check := shapes(t)
	dir := t.TempDir()
	if err := copyFixtures(dir); err != nil {
		t.Fatal(err)
	}
	providers, modules := variants(t, dir)
	writeJSON(t, filepath.Join(dir, "v-issuers.json"), map[string]any{"issuers": providers})
	writeJSON(t, filepath.Join(dir, "v-modules.json"), map[string]any{"modules": modules})
	class := "learner_id,given_name,family_name,data_nascita,codice_fiscale\nV-1,Ada,Esempio,29/05/1980,RSSMRA80A01H501U\n"
	if err := os.WriteFile(filepath.Join(dir, "v.csv"), []byte(class), 0o600); err != nil {
		t.Fatal(err)
	}
	attesta(t, dir, "import", "--provider", "v-issuers.json", "--catalogue", "v-modules.json", "--learners", "v.csv")
	for code, profile := range map[string]string{"VG-01": "generic-full", "VA-01": "accredited", "VP-01": "accredited", "VM-01": "issued-by-mandate", "VB-01": "auto"} {
		check(profile, issueOneOfEach(t, dir, "V-1", []string{code}))
	}
	check("generic-full", []string{stackDocument(t, dir, modules[0], providers)})
}

// shapes returns a check of files against the shapes of a profile; auto takes
// those that the file names as its schemas.
func shapes(t *testing.T) func(profile string, files []string) {
	t.Helper()
	validator := os.Getenv("SHACL_VALIDATOR")
	if validator == "" {
		required(t, "a SHACL checker, named by SHACL_VALIDATOR")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		required(t, "node")
	}
	return func(profile string, files []string) {
		t.Helper()
		for _, version := range [][]string{{"--shapes", "3.2-lts", "--context", "3.2"}, {"--shapes", "3.1", "--context", "3.1"}} {
			args := append([]string{validator, "--engine", "both", "--profile", profile}, version...)
			out, err := exec.Command(node, append(args, files...)...).CombinedOutput()
			if err != nil || strings.Count(string(out), "CONFORMS") != len(files) || strings.Count(string(out), "shacl-engine=true") != len(files) {
				t.Errorf("%v: %v\n%s", version, err, out)
			}
			t.Logf("%s", out)
		}
	}
}

// issueOneOfEach issues one credential of each module to a learner.
func issueOneOfEach(t *testing.T, dir, learner string, modules []string) []string {
	t.Helper()
	rows := "learner_id,module_code,edition,completion_date,attendance_percent,result,score\n"
	for _, m := range modules {
		rows += learner + "," + m + "," + m + "/2026/SHAPES,2026-05-29,100,passed,88\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "all.csv"), []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	out := "out-" + modules[0]
	attesta(t, dir, "issue", "--completions", "all.csv", "--out", out)
	files, err := filepath.Glob(filepath.Join(dir, out, "*.jsonld"))
	if err != nil || len(files) != len(modules) {
		t.Fatalf("%d files issued, want %d (%v)", len(files), len(modules), err)
	}
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() >= 60_000 {
			t.Errorf("%s has %d bytes", filepath.Base(name), info.Size())
		}
	}
	return files
}

// variants are one provider and one module for each profile.
func variants(t *testing.T, dir string) (providers []credentials.Provider, modules []credentials.Module) {
	t.Helper()
	var issuers struct{ Issuers []credentials.Provider }
	var catalogue struct{ Modules []credentials.Module }
	readJSON(t, filepath.Join(dir, "issuers.json"), &issuers)
	readJSON(t, filepath.Join(dir, "catalogue_national_school.json"), &catalogue)
	provider := issuers.Issuers[slices.IndexFunc(issuers.Issuers, func(p credentials.Provider) bool { return p.ID == "iss-scuola" })]
	module := catalogue.Modules[slices.IndexFunc(catalogue.Modules, func(m credentials.Module) bool { return m.Code == "SN-11" })]
	text := func(s string) credentials.Text { return credentials.Text{"it": s + " (it)", "en": s} }
	accreditation := &credentials.Accreditation{
		Register: "Albo di prova", Number: "7", ValidFrom: "2025-01-01", ValidUntil: "2030-12-31",
		ID: "https://albo.example.org/accreditamenti/7", Type: "http://data.europa.eu/snb/accreditation/003293d2ce", Title: text("Institutional licence"),
		Agent:    &credentials.Body{Name: text("Region of the Examples"), Country: "ITA", LegalID: "NTRIT-0000001"},
		Decision: &credentials.Decision{URI: "https://albo.example.org/esiti/si", Label: text("Accredited")},
		Report:   "https://albo.example.org/accreditamenti/7/relazione", LimitEQF: 7,
	}
	mandate := &credentials.Mandate{
		SealedBy:  credentials.Body{ID: "iss-piattaforma", Name: text("Platform of the Examples"), Country: "ITA"},
		Statement: text("agreement no. 12 of 3 March 2026"), From: "2026-03-03", Until: "2040-12-31",
	}
	for _, v := range []struct {
		code, region string
		provider     *credentials.Accreditation
		module       *credentials.Accreditation
		mandate      *credentials.Mandate
		legal        string
	}{
		{"VG-01", "ITA_CIM_ROM", nil, nil, nil, "VATIT-00000000000"},
		{"VA-01", "ITI4", accreditation, nil, nil, ""},
		{"VP-01", "", nil, accreditation, nil, ""},
		{"VM-01", "ITA_RG_LOMB", nil, nil, mandate, "VATIT-00000000001"},
		{"VB-01", "ITA_RG_LOMB", accreditation, nil, mandate, "NTRIT-00000000002"},
	} {
		p, m := provider, module
		p.ID, p.Modules, p.LegalID, p.Region = "iss-"+strings.ToLower(v.code), []string{v.code}, v.legal, v.region
		p.Accreditation, p.Mandate = v.provider, v.mandate
		m.Code, m.Accreditation = v.code, v.module
		m.FurtherInformation, m.URL = text("The course is held twice a year."), "https://scuola.example.org/corsi/x"
		m.Level.Basis, m.Level.Reference = "national_framework", text("Repertory of the Examples, no. 4")
		ects, months := 1.5, 24
		m.Workload.ECTS, m.ValidityMonths = &ects, &months
		providers, modules = append(providers, p), append(modules, m)
	}
	return providers, modules
}

// stackDocument is the unsealed document of an award that is made of others.
func stackDocument(t *testing.T, dir string, m credentials.Module, providers []credentials.Provider) string {
	t.Helper()
	a := credentials.Award{
		Provider: providers[0], Module: m, Learner: credentials.Learner{GivenName: "Ada", FamilyName: "Esempio"}, CompletedOn: "2026-06-01",
		Stacks: map[string]credentials.Text{"QS-B": {"it": "Operatore", "en": "Operator"}},
		Parts: []credentials.Part{
			{Credential: "urn:credential:1", Module: "SN-01", Title: m.Title, CompletedOn: "2026-05-01", Hours: 16},
			{Credential: "urn:credential:2", Module: "VA-01", Title: m.Title, CompletedOn: "2026-05-02", Provider: &providers[1]},
		},
	}
	d, err := credentials.NewDocument(a, credentials.Issue{
		Credential: "urn:credential:6c0f6c0e-8a55-4d0e-8b1e-3a8c8b0c9d11", At: time.Date(2026, 6, 2, 9, 0, 0, 0, time.UTC),
		Signer:   credentials.Signer{Organisation: "Scuola", LegalID: "VATIT-00000000000", Country: "IT"},
		Pictures: map[string][]byte{"it": []byte("x"), "en": []byte("x")},
	})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "stack.jsonld")
	if err := os.WriteFile(name, d, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func writeJSON(t *testing.T, name string, v any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err == nil {
		err = os.WriteFile(name, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
