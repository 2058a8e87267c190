package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
)

// keyInUse is the newest key of the school for a purpose, as a command says it.
func keyInUse(t *testing.T, dir string, purpose keys.Purpose) (id string) {
	t.Helper()
	out, err := output(t, dir, "keys", "list", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var all []keyAnswer
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		if k.Owner == "iss-scuola" && k.Purpose == purpose && k.State == "in use" {
			id = k.ID
		}
	}
	if id == "" {
		t.Fatalf("no %s key is in use", purpose)
	}
	return id
}

// mustFail runs a command that must fail, and returns what it says.
func mustFail(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := output(t, dir, args...)
	exit, failed := errors.AsType[*exec.ExitError](err)
	if !failed {
		t.Errorf("attesta %v did not fail: %v", args, err)
		return out
	}
	return out + string(exit.Stderr)
}

// TestServersOfOneFolderFollowItsKeys (K1, K2): what a command changes through
// one server another one takes up within seconds, and nobody restarts it.
func TestServersOfOneFolderFollowItsKeys(t *testing.T) {
	dir, _ := school(t, map[string]int{"ONE": 2, "TWO": 2, "THREE": 2})
	beside := filepath.Join(dir, "attesta-data", "server.json")
	var doors [2][]byte
	var servers [2]*replica
	for n := range servers {
		servers[n] = startReplica(t, dir, day)
		var err error
		if doors[n], err = os.ReadFile(beside); err != nil {
			t.Fatal(err)
		}
	}
	through := func(n int) { // the commands that follow
		if err := os.WriteFile(beside, doors[n], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	through(0)
	attesta(t, dir, "issue", "--completions", "ONE_rows.csv")
	first := keyInUse(t, dir, keys.Seal)
	_, list := servers[0].get(t, "/keys/root.crl")

	through(1)
	attesta(t, dir, "keys", "rotate", "--provider", "iss-scuola", "--for", "seal")
	second := keyInUse(t, dir, keys.Seal)
	eventually(t, 10*time.Second, func() string {
		if _, set := servers[0].get(t, "/.well-known/jwks.json"); !strings.Contains(set, second) || !strings.Contains(set, first) {
			return "the other server does not publish the new key beside the former"
		}
		return ""
	})
	through(0)
	attesta(t, dir, "issue", "--completions", "TWO_rows.csv", "--out", "two")
	files, err := filepath.Glob(filepath.Join(dir, "two", "*.jsonld"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		if id := keyIn(t, name); id != second {
			t.Errorf("%s was sealed with %s, not with %s", name, id, second)
		}
	}

	through(1)
	for _, id := range []string{first, second} {
		attesta(t, dir, "keys", "revoke", id, "--since", "2026-11-01")
	}
	attesta(t, dir, "seal", "authority", "http://127.0.0.1:9/tsr")
	through(0)
	if said := mustFail(t, dir, "issue", "--completions", "THREE_rows.csv"); !strings.Contains(said, "was revoked on") {
		t.Errorf("issuing through the other server: %s", said)
	}
	eventually(t, 10*time.Second, func() string {
		_, set := servers[0].get(t, "/.well-known/jwks.json")
		if _, now := servers[0].get(t, "/keys/root.crl"); now == list || strings.Contains(set, first) || strings.Contains(set, second) {
			return "the other server publishes the keys as they were"
		}
		if seals, err := output(t, dir, "seal", "list"); err != nil || !strings.Contains(seals, "http://127.0.0.1:9/tsr") {
			return "the other server asks another time authority: " + seals
		}
		return ""
	})
	through(1)
	attesta(t, dir, "keys", "rotate", "--provider", "iss-scuola", "--for", "seal")
	through(0)
	attesta(t, dir, "issue", "--completions", "THREE_rows.csv")
}

// keyIn is the id of the key that sealed a file.
func keyIn(t *testing.T, name string) string {
	t.Helper()
	data, _ := sealedFile(t, name)
	parsed, err := credentials.ParseSealed(data)
	if err != nil {
		t.Fatal(err)
	}
	return keys.Fingerprint(parsed.Leaf())[:16]
}

// copyKeys brings the keys of one machine to another, file by file.
func copyKeys(t *testing.T, from, to string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(from, "attesta-data", "keys", "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(files)
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, "attesta-data", "keys", filepath.Base(name)), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestAServerWithOlderKeysSealsNothing (K1): of two machines one revokes a key.
// The other learns from the registry that its folder is older: it seals nothing,
// reserves nothing and says what to do, until it has the keys.
func TestAServerWithOlderKeysSealsNothing(t *testing.T) {
	one, _ := school(t, map[string]int{"ONE": 3, "TWO": 3})
	two := copyData(t, one)
	writeClass(t, two, "TWO", 3)
	startReplica(t, one, day)
	b := startReplica(t, two, day)
	watch := shared(t, one)
	attesta(t, one, "issue", "--completions", "ONE_rows.csv")
	key := keyInUse(t, one, keys.Seal)
	if code, _ := b.get(t, "/readyz"); code != http.StatusOK {
		t.Fatalf("before anything changed it is not ready: %d", code)
	}
	stale := func(what string, change ...string) {
		t.Helper()
		attesta(t, one, change...)
		said := mustFail(t, two, "issue", "--completions", "TWO_rows.csv")
		if !strings.Contains(said, "older than those that the registry knows ("+what) || !strings.Contains(said, "copy keys/") {
			t.Errorf("after %v it says: %s", change, said)
		}
		if code, _ := b.get(t, "/readyz"); code != http.StatusServiceUnavailable {
			t.Errorf("after %v /readyz is %d", change, code)
		}
		if found := mustFail(t, two, "doctor"); !strings.Contains(found, "WRONG  The keys in the data folder are older than those that the registry knows ("+what) {
			t.Errorf("after %v the doctor says:\n%s", change, found)
		}
	}
	stale("missing: ", "import", "--provider", "issuers.json") // others get keys at one machine
	copyKeys(t, one, two)
	stale("ended elsewhere: "+key+")", "keys", "revoke", key, "--since", "2026-11-20")
	stale("missing: ", "keys", "rotate", "--provider", "iss-scuola", "--for", "seal")
	if said := mustFail(t, two, "keys", "rotate", "--provider", "iss-scuola", "--for", "seal"); !strings.Contains(said, "older than those that the registry knows") {
		t.Errorf("making keys beside keys that it does not know: %s", said)
	}
	if counts, err := watch.registry.Counts(t.Context(), ""); err != nil || counts.Sealed != 3 || counts.Reserved != 0 {
		t.Errorf("%+v, %v", counts, err)
	}
	copyKeys(t, one, two)
	eventually(t, 10*time.Second, func() string {
		if code, body := b.get(t, "/readyz"); code != http.StatusOK {
			return "with the keys of the other machine it is not ready: " + body
		}
		return ""
	})
	attesta(t, two, "issue", "--completions", "TWO_rows.csv")
	if anchors, err := keys.LoadTrust(folder(filepath.Join(two, "attesta-data")).own()); err != nil || len(anchors.Anchors) != 1 || len(anchors.Anchors[0].Revoked) != 1 {
		t.Errorf("its anchor does not say which key was revoked: %+v, %v", anchors, err)
	}

	// The machine with the newest key is gone: the key is forgotten, the one that it
	// replaced is retired, and another is made.
	before := keyInUse(t, two, keys.Status)
	attesta(t, one, "keys", "rotate", "--provider", "iss-scuola", "--for", "status")
	gone := keyInUse(t, one, keys.Status)
	if said := mustFail(t, two, "keys", "forget", before); !strings.Contains(said, "it is in this data folder") {
		t.Errorf("forgetting a key that is there: %s", said)
	}
	attesta(t, two, "keys", "forget", gone)
	attesta(t, two, "keys", "retire", before)
	attesta(t, two, "keys", "rotate", "--provider", "iss-scuola", "--for", "status")
	if code, _ := b.get(t, "/readyz"); code != http.StatusOK {
		t.Errorf("after that /readyz is %d", code)
	}
}
