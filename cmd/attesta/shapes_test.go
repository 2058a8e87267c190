package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestShapes issues the credentials of the fictional school and lets an
// independent checker hold one of every module against the shapes of the
// application profile, with two engines, on the current and the former shapes.
//
// The checker is named by SHACL_VALIDATOR (a script for node) and finds its
// data by EDC_DATA.
func TestShapes(t *testing.T) {
	validator := os.Getenv("SHACL_VALIDATOR")
	if validator == "" {
		required(t, "a SHACL checker, named by SHACL_VALIDATOR")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		required(t, "node")
	}
	files := issueEveryModule(t, t.TempDir())
	for _, version := range [][]string{{"--shapes", "3.2-lts", "--context", "3.2"}, {"--shapes", "3.1", "--context", "3.1"}} {
		args := append([]string{validator, "--engine", "both", "--profile", "generic-full"}, version...)
		out, err := exec.Command(node, append(args, files...)...).CombinedOutput()
		if err != nil || strings.Count(string(out), "CONFORMS") != len(files) || strings.Count(string(out), "shacl-engine=true") != len(files) {
			t.Errorf("%v: %v\n%s", version, err, out)
		}
	}
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
	rows := "learner_id,module_code,edition,completion_date,attendance_percent,result,score\n"
	modules := []string{"GB-01", "GB-02", "GB-03", "GB-06"} // the provider of GB-04 and GB-05 is no longer accredited
	for n := 1; n <= 12; n++ {
		modules = append(modules, "SN-"+string([]byte{'0' + byte(n/10), '0' + byte(n%10)}))
	}
	for _, m := range modules {
		rows += "TOT25-003," + m + "," + m + "/2026/SHAPES,2026-05-29,100,passed,88\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "all.csv"), []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	attesta(t, dir, "issue", "--completions", "all.csv", "--out", "out")
	files, err := filepath.Glob(filepath.Join(dir, "out", "*.jsonld"))
	if err != nil || len(files) != len(modules) {
		t.Fatalf("%d files issued, want %d (%v)", len(files), len(modules), err)
	}
	return files
}
