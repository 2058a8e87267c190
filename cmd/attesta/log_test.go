package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// logScripts are the commands of testdata/script/log.txtar.
func logScripts() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"edit": cmdEdit,
	}
}

// cmdEdit replaces words in a file wherever they stand, whatever else is in it.
func cmdEdit(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	raw, err := os.ReadFile(name)
	ts.Check(err)
	edited := bytes.ReplaceAll(raw, []byte(args[1]), []byte(args[2]))
	if bytes.Equal(raw, edited) {
		ts.Fatalf("%s has no %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(name, edited, 0o600))
}

// TestLogInPostgreSQL: a log goes on when its registry moves, all replicas sign
// one log, and an edited or older database is noticed (R2, K6).
func TestLogInPostgreSQL(t *testing.T) {
	address := database.Address(t)
	dir := imported(t)
	said := func(args ...string) string {
		t.Helper()
		out, err := output(t, dir, args...)
		if err != nil {
			t.Fatalf("attesta %v: %v\n%s", args, err, out)
		}
		return out
	}
	first := said("log", "checkpoint")
	key := strings.TrimSpace(said("log", "key"))
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first", first)
	attesta(t, dir, "migrate", "--from", "attesta-data", "--to", address)
	attesta(t, dir, "log", "prove", "--since", "first", "--out", "grown.json")
	if out := said("log", "check", "grown.json", "--key", key, "--since", "first"); !strings.Contains(out, "it grew from") {
		t.Errorf("%s", out)
	}
	attesta(t, dir, "issue", "--completions", "completions_tot.csv")
	if out, err := exec.Command("cp", "-a", filepath.Join(dir, "attesta-data"), filepath.Join(dir, "replica")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	second := said("log", "checkpoint")
	if other := said("log", "checkpoint", "--data", "replica"); other != second || other == first {
		t.Errorf("one replica says\n%sand the other\n%s", second, other)
	}

	schema := address[strings.Index(address, "search_path=")+len("search_path="):]
	schema, _, _ = strings.Cut(schema, "&")
	sql := func(text string) {
		t.Helper()
		database.Command(t, "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", "set search_path = "+schema, "-c", text)
	}
	sql("update events set who = 'nobody' where seq = 2")
	refused(t, dir, "it is not what the log was made of", "log", "prove", "2")
	refused(t, dir, "The registry is damaged", "doctor")
	sql("update events set who = '' where seq = 2")
	attesta(t, dir, "log", "prove", "2")

	// An older database: the folder of each replica remembers.
	sql("create table was as select * from head")
	attesta(t, dir, "sign-in")
	attesta(t, dir, "log", "checkpoint")
	sql("delete from events where seq > (select events from was); update head set (records, events, edge, checkpoint, signed) = (select records, events, edge, checkpoint, signed from was)")
	refused(t, dir, "the registry is an older copy", "log", "checkpoint")
	refused(t, dir, "The audit log cannot be believed", "doctor")
}
