package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/interop/dss"
)

// TestSeals issues the credentials of the fictional school with the keys that
// the installation made for itself, and lets the Commission's own library judge
// their seals on that day. It finds every one intact and the way to the
// installation's root; that the root publishes no list of revoked certificates
// leaves it undecided, until the certificate itself is trusted.
func TestSeals(t *testing.T) {
	judge, err := dss.Find()
	if err != nil {
		required(t, fmt.Sprintf("the judge of interop/dss (%v)", err))
	}
	files := issueEveryModule(t, t.TempDir())
	var tasks []dss.Task
	var levels []string
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := credentials.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		chain := parsed.Envelope.Chain
		if root := chain[len(chain)-1]; len(chain) != 2 || root.CheckSignatureFrom(root) != nil {
			t.Fatalf("%s: the seal carries %d certificates, and not the installation's root", name, len(chain))
		}
		level, err := dss.LevelOf(data)
		if err != nil {
			t.Fatal(err)
		}
		levels = append(levels, level)
		for _, anchor := range []*x509.Certificate{chain[0], chain[1]} {
			tasks = append(tasks, dss.Task{Kind: dss.Validate, File: data, Anchors: [][]byte{anchor.Raw}, At: fixedDay().Add(time.Minute)})
		}
	}
	results, err := judge.Do(t.Context(), tasks...)
	if err != nil {
		t.Fatal(err)
	}
	for n, r := range results {
		name, want, reason := filepath.Base(files[n/2]), "TOTAL_PASSED", ""
		if n%2 == 1 {
			want, reason = "INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE"
		}
		t.Logf("%s: %s %s %s", name, r.Level, r.Indication, r.SubIndication)
		if r.Signatures != 1 || !r.Intact || !r.Valid || r.Level != levels[n/2] || r.Indication != want || r.SubIndication != reason {
			t.Errorf("%s: %+v, want %s %s %s", name, r, levels[n/2], want, reason)
		}
	}
}
