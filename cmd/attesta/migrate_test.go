package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMigrate moves a registry, killed in the midst, and goes on with it.
func TestMigrate(t *testing.T) {
	const people = 900
	address := database.Address(t)
	dir := imported(t)
	writeClass(t, dir, "BIG", people)
	attesta(t, dir, "import", "--learners", "BIG_people.csv")
	attesta(t, dir, "issue", "--completions", "completions_tot.csv")
	attesta(t, dir, "issue", "--completions", "BIG_rows.csv")
	withPassword := strings.Replace(address, "user=test", "user=test&password=s3cret", 1)

	refused(t, dir, "keeps its registry in a file", "serve", "--listen", "127.0.0.1:0", "--store", address)
	cmd := exec.Command("attesta", "migrate", "--from", "attesta-data", "--to", withPassword)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	schema := address[strings.Index(address, "search_path=")+len("search_path="):]
	schema, _, _ = strings.Cut(schema, "&")
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); {
		out := database.Command(t, "psql", "-qAtXc", "select to_regclass('"+schema+".documents') is not null")
		if strings.HasPrefix(out, "t") && database.Command(t, "psql", "-qAtXc", "select count(*) > 200 from "+schema+".documents") == "t\n" {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal("it was done before it could be killed: use a larger class")
	}
	_ = cmd.Wait() // it was killed
	copied := database.Command(t, "psql", "-qAtXc", "select count(*) from "+schema+".documents")
	t.Logf("killed after %s documents", strings.TrimSpace(copied))

	// Nobody issues from a registry that is on its way.
	refused(t, dir, "is being moved", "issue", "--completions", "BIG_rows.csv")
	attesta(t, dir, "migrate", "--from", "attesta-data", "--give-up")
	attesta(t, dir, "issue", "--completions", "completions_tot.csv")
	out, err := output(t, dir, "migrate", "--from", "attesta-data", "--to", withPassword)
	if err != nil || !strings.Contains(out, "uses the registry at") || !strings.Contains(out, "the same in both") || strings.Contains(out, "s3cret") {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "attesta-data", "registry.db")); !os.IsNotExist(err) {
		t.Error("the old file still has its name")
	}
	if _, err := os.Stat(filepath.Join(dir, "attesta-data", "registry.db.moved")); err != nil {
		t.Error(err)
	}
	refused(t, dir, "in PostgreSQL already", "migrate", "--from", "attesta-data", "--to", address)
	out, err = output(t, dir, "issue", "--completions", "BIG_rows.csv", "--json")
	if n := strings.Count(out, `"outcome": "already_issued"`); err != nil || n != people {
		t.Errorf("%d of %d were there, %v", n, people, err)
	}
	out, err = output(t, dir, "doctor")
	if err != nil || !strings.Contains(out, "is in PostgreSQL") || !strings.Contains(out, "1025 credentials") || strings.Contains(out, "s3cret") {
		t.Errorf("%v\n%s", err, out)
	}

	// The folder knows its own registry, wherever it is.
	other := t.TempDir()
	if err := copyFixtures(other); err != nil {
		t.Fatal(err)
	}
	refused(t, other, "holds a registry", "import", "--store", address, "--provider", "provider_national_school.json")
	stranger := database.Address(t)
	attesta(t, other, "import", "--store", stranger, "--provider", "provider_national_school.json")
	refused(t, dir, "is not that of attesta-data", "serve", "--listen", "127.0.0.1:0", "--store", stranger)
	t.Setenv("ATTESTA_STORE", strings.Replace(stranger, "user=test", "user=test&password=s3cret", 1))
	refused(t, dir, "is not that of attesta-data", "doctor")
	t.Setenv("ATTESTA_STORE", "postgres://u:s3cret@127.0.0.1:1/x")
	refused(t, dir, "reaching the database", "doctor")
	t.Setenv("ATTESTA_STORE", "mysql://u:s3cret@x")
	refused(t, dir, "does not begin with postgres://", "doctor")
}

// refused runs a command that must say why it does not work, without the
// password.
func refused(t *testing.T, dir, why string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // a server that is not refused would serve
	defer cancel()
	cmd := exec.CommandContext(ctx, "attesta", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), why) || strings.Contains(string(out), "s3cret") {
		t.Errorf("attesta %v: %v, want %q\n%s", args, err, why, out)
	}
}
