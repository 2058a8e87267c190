package main

import (
	"context"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"attesta/registry"
)

// kills is how often the program is killed in the middle of issuing.
const kills = 24

// TestKill kills the program with SIGKILL at moments spread over its run while it issues
// 125 credentials, again and again on the same folder, and then lets the same
// command end: exactly 125 records, each sealed once, no status position given
// twice (S8, B1, T2).
//
// A kill proves that no step depends on a later one. It proves nothing about
// power cuts: what the program wrote, the system still has.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short was asked for")
	}
	done := 0
	var seen states
	for done < kills {
		done += killUntilDone(t, kills-done, &seen)
	}
	t.Logf("%d kills: %d before anything was reserved, %d between reserving and sealing, %d after", done, seen.nothing, seen.reserved, seen.sealed)
}

// states counts what a kill left behind.
type states struct{ nothing, reserved, sealed int }

// killUntilDone begins a folder, kills the issuing of its completions until
// that has ended or most kills are done, and audits the folder.
func killUntilDone(t *testing.T, most int, seen *states) int {
	t.Helper()
	dir := imported(t)
	acknowledged := map[string]bool{}
	done := 0
	other := imported(t)
	whole := timeOf(func() { attesta(t, other, "issue", "--completions", "completions_tot.csv") })
	for done < min(most, 3) {
		after := time.Duration(spread(most-done) * float64(whole))
		if !killAfter(t, dir, after) {
			break // it had ended: begin anew
		}
		done++
		switch records, sealed := audit(t, dir, acknowledged); {
		case records == 0:
			seen.nothing++
		case sealed < records:
			seen.reserved++
		default:
			seen.sealed++
		}
	}
	attesta(t, dir, "issue", "--completions", "completions_tot.csv")
	if records, sealed := audit(t, dir, acknowledged); records != 125 || sealed != 125 {
		t.Fatalf("%d records, %d sealed; want 125", records, sealed)
	}
	return done
}

// spread gives moments between 0 and 1 that lie evenly, however many are asked.
func spread(n int) float64 {
	const golden = 0.6180339887498949
	_, part := math.Modf(float64(n) * golden)
	return part
}

func timeOf(do func()) time.Duration {
	start := time.Now()
	do()
	return time.Since(start)
}

// imported is a folder with the fictional school and nothing issued.
func imported(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := copyFixtures(dir); err != nil {
		t.Fatal(err)
	}
	attesta(t, dir, "import", "--provider", "provider_national_school.json", "--catalogue", "catalogue_national_school.json",
		"--learners", "cohort_tot_25.csv", "--learners", "cohort_toolkit_15.csv")
	return dir
}

func attesta(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("attesta", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("attesta %v: %v\n%s", args, err, out)
	}
}

// killAfter runs the issuing and kills it after some time. It reports whether
// the kill came before the end.
func killAfter(t *testing.T, dir string, after time.Duration) bool {
	t.Helper()
	cmd := exec.Command("attesta", "issue", "--completions", "completions_tot.csv")
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("issuing after a kill: %v", err)
		}
		return false
	case <-time.After(after):
	}
	if err := cmd.Process.Kill(); err != nil {
		return false
	}
	<-ended
	return true
}

// audit opens the folder as it is and holds it to the promises. Sealed once
// is sealed for ever: whatever an earlier audit saw must still be there.
func audit(t *testing.T, dir string, acknowledged map[string]bool) (records, nowSealed int) {
	t.Helper()
	ctx := context.Background()
	a, err := open(ctx, &console{err: t.Output(), getenv: func(string) string { return "" }, now: fixedDay}, folder(filepath.Join(dir, "attesta-data")), "")
	if err != nil {
		t.Fatalf("opening after a kill: %v", err)
	}
	defer a.Close()
	if err := a.registry.Check(ctx); err != nil {
		t.Fatalf("checking after a kill: %v", err)
	}
	places := map[string]bool{}
	sealed := map[string]bool{}
	awards := map[string]bool{}
	for before := uint64(0); ; {
		page, err := a.registry.Records(ctx, registry.Query{Before: before, Limit: registry.MaxLimit})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			before = r.Seq
			place := fmt.Sprint(r.List, " ", r.Index)
			award := r.Learner + "|" + r.Module + "|" + r.Edition
			if places[place] || awards[award] {
				t.Fatalf("record %d has a position or an award that another has", r.Seq)
			}
			places[place], awards[award] = true, true
			if r.State == registry.Sealed {
				sealed[r.Credential] = true
			}
		}
	}
	for credential := range acknowledged {
		if !sealed[credential] {
			t.Fatalf("the credential %s was there and is lost", credential)
		}
	}
	for credential := range sealed {
		acknowledged[credential] = true
	}
	return len(awards), len(sealed)
}
