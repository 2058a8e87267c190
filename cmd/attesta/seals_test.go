package main

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/interop/dss"
	"attesta/keys"
	"attesta/timestamp/timestamptest"
	"attesta/verifier"
)

// TestSeals issues a credential of every module with the keys that the
// installation made for itself, extends the seals level by level, and lets the
// Commission's own library judge each of them with the installation's root, its
// list of revoked certificates, and those of the time-stamping authority.
func TestSeals(t *testing.T) {
	judge, err := dss.Find()
	if err != nil {
		required(t, fmt.Sprintf("the judge of interop/dss (%v)", err))
	}
	dir := t.TempDir()
	files := issueEveryModule(t, dir)
	authority := timestamptest.New(t, fixedDay)
	trustAuthority(t, filepath.Join(dir, "attesta-data"), authority)
	ring, err := keys.Open(filepath.Join(dir, "attesta-data", "keys"), filepath.Join(dir, "attesta-data", "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := ring.CRL(fixedDay())
	if err != nil {
		t.Fatal(err)
	}
	attesta(t, dir, "seal", "authority", authority.URL)
	seen := map[string][]byte{}
	for _, level := range []string{"B", "T", "LT", "LTA"} {
		if level != "B" {
			attesta(t, dir, "seal", "upgrade", "--level", level)
			attesta(t, dir, "issue", "--completions", "all.csv", "--out", "out-"+level)
			if files, err = filepath.Glob(filepath.Join(dir, "out-"+level, "*.jsonld")); err != nil || len(files) != 16 {
				t.Fatalf("%d files of level %s, %v", len(files), level, err)
			}
		}
		var tasks []dss.Task
		for _, name := range files {
			data, root := sealedFile(t, name)
			e, err := credentials.ParseSealed(data)
			if err != nil {
				t.Fatal(err)
			}
			if before, ok := seen[filepath.Base(name)]; ok && !slices.Equal(before, e.EncodedSignature()) {
				t.Errorf("%s: extending the seal changed its signature", name)
			}
			seen[filepath.Base(name)] = e.EncodedSignature()
			task := dss.Task{
				Kind: dss.Validate, File: data, Anchors: [][]byte{root, authority.Root.Raw},
				CRLs: [][]byte{list, authority.CRL(fixedDay())}, At: fixedDay().Add(time.Minute),
			}
			tasks = append(tasks, task)
			if r := judgedByUs(t, dir, name); r.Baseline != "JAdES-BASELINE-"+level || (r.ProvenAt == nil) != (level == "B") || r.Find(verifier.CheckIssuer).Outcome != verifier.Pass {
				t.Errorf("%s: attesta says %+v", name, r)
			}
		}
		results, err := judge.Do(t.Context(), tasks...)
		if err != nil {
			t.Fatal(err)
		}
		for n, r := range results {
			t.Logf("%s: %s %s %s, %d bytes", filepath.Base(files[n]), r.Level, r.Indication, r.SubIndication, len(tasks[n].File))
			if r.Signatures != 1 || !r.Intact || !r.Valid || r.Level != "JAdES-BASELINE-"+level || r.Indication != "TOTAL_PASSED" {
				t.Errorf("%s: %+v", files[n], r)
			}
		}
	}
}

// judgedByUs is the report about a file, without asking for its status: no server
// runs that publishes it.
func judgedByUs(t *testing.T, dir, name string) verifier.Report {
	t.Helper()
	cmd := exec.Command("attesta", "verify", "--offline", "--json", "--data", "attesta-data", name)
	cmd.Dir = dir
	out, _ := cmd.Output() // cannot tell, for the status
	var r verifier.Report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return r
}

func sealedFile(t *testing.T, name string) (data, root []byte) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := credentials.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	chain := parsed.Envelope.Chain
	last := chain[len(chain)-1]
	if len(chain) != 2 || last.CheckSignatureFrom(last) != nil {
		t.Fatalf("%s: the seal carries %d certificates, and not the installation's root", name, len(chain))
	}
	return data, last.Raw
}

// trustAuthority puts a time-stamping authority among the anchors of an
// installation, and lets its list be asked for although it is on this machine.
func trustAuthority(t *testing.T, data string, a *timestamptest.Authority) {
	t.Helper()
	anchor := keys.Anchor{
		Name: "Ora di prova", Level: keys.Advanced, Certificate: a.Root, For: []keys.Use{keys.ForTime}, Origins: []string{a.URL},
	}
	if err := keys.WriteAnchor(filepath.Join(data, "trust", "ora.json"), anchor); err != nil {
		t.Fatal(err)
	}
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Root.Raw})
	if err := os.WriteFile(filepath.Join(filepath.Dir(data), "ora.pem"), authority, 0o600); err != nil {
		t.Fatal(err)
	}
}
