package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"attesta/registry"
)

// replica is a running server of its own process.
type replica struct {
	*exec.Cmd
	dir, base string
}

// startReplica serves the data folder in a folder, as at a time.
func startReplica(t *testing.T, dir, now string) *replica {
	t.Helper()
	cmd := exec.Command("attesta", "serve", "--listen", "127.0.0.1:0")
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), "ATTESTA_TEST_NOW="+now), t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := &replica{Cmd: cmd, dir: dir}
	t.Cleanup(r.kill)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), " on 127"); ok {
			r.base = "http://127" + address
		}
		if strings.HasPrefix(lines.Text(), "ready") {
			go io.Copy(io.Discard, out) // so that the server never waits for a reader
			return r
		}
	}
	t.Fatalf("the server of %s did not become ready", dir)
	return nil
}

func (r *replica) kill() {
	if r.ProcessState == nil {
		_ = r.Process.Kill()
		_ = r.Wait() // it was killed
	}
}

// copyData gives another machine the data folder.
func copyData(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(filepath.Join(to, "attesta-data"), os.DirFS(filepath.Join(from, "attesta-data"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"attesta-data", "attesta-data/keys", "attesta-data/trust"} {
		if err := os.Chmod(filepath.Join(to, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(to, "attesta-data", "*"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(filepath.Join(to, "attesta-data", "keys", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(files, more...) {
		if info, err := os.Stat(name); err == nil && !info.IsDir() {
			if err := os.Chmod(name, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return to
}

// writeClass writes a class of n people and their completions.
func writeClass(t *testing.T, dir, class string, n int) {
	t.Helper()
	var people, rows strings.Builder
	people.WriteString("learner_id,given_name,family_name,email,preferred_language\n")
	rows.WriteString("learner_id,module_code,edition,completion_date,attendance_percent,result,score\n")
	for i := range n {
		fmt.Fprintf(&people, "%s-%04d,Ada,Esempio,a%d@example.org,it\n", class, i, i)
		fmt.Fprintf(&rows, "%s-%04d,SN-11,SN-11/2026/%s,2026-05-29,95,passed,80\n", class, i, class)
	}
	for name, text := range map[string]string{"people": people.String(), "rows": rows.String()} {
		if err := os.WriteFile(filepath.Join(dir, class+"_"+name+".csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func shared(t *testing.T, dir string) *app {
	t.Helper()
	a, err := open(t.Context(), &console{err: t.Output(), getenv: func(string) string { return "" }, now: fixedDay}, folder(filepath.Join(dir, "attesta-data")), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func output(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("attesta", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	return string(out), err
}

const later = "2026-11-21T10:05:00+01:00"

// TestReplicas runs two servers with a copy of the folder each on one database,
// issues through both, and kills one in the midst (B6, S8, T11): nothing that
// was acknowledged is lost, nothing is issued twice, no position is given twice,
// and the next server finishes what was left.
func TestReplicas(t *testing.T) {
	if testing.Short() {
		t.Skip("two servers for some seconds")
	}
	const most = 1500
	address := database.Address(t)
	one := t.TempDir()
	if err := copyFixtures(one); err != nil {
		t.Fatal(err)
	}
	writeClass(t, one, "BIG", most)
	writeClass(t, one, "OTHER", 60)
	attesta(t, one, "import", "--store", address, "--provider", "provider_national_school.json", "--catalogue", "catalogue_national_school.json",
		"--learners", "BIG_people.csv", "--learners", "OTHER_people.csv")
	two := copyData(t, one)
	writeClass(t, two, "BIG", most)
	writeClass(t, two, "OTHER", 60)
	a, b := startReplica(t, one, day), startReplica(t, two, day)
	watch := shared(t, two)

	bulk := make(chan error, 1)
	go func() {
		_, err := output(t, one, "issue", "--completions", "BIG_rows.csv")
		bulk <- err
	}()
	acknowledged := map[string]bool{}
	var wait sync.WaitGroup
	wait.Go(func() { acknowledge(t, two, acknowledged) })
	counts := func() registry.Counts {
		c, err := watch.registry.Counts(t.Context(), "")
		if err != nil {
			t.Error(err)
		}
		return c
	}
	// Wait until the first slice is sealed and another is reserved, or nearly so.
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(2 * time.Millisecond) {
		if c := counts(); c.Sealed > 300 && c.Reserved > 100 {
			break
		}
	}
	a.kill()
	if err := <-bulk; err == nil {
		t.Error("the server was killed and the bulk issue says that it is done")
	}
	wait.Wait()
	left := counts()
	t.Logf("after the kill: %d sealed, %d reserved", left.Sealed, left.Reserved)
	if left.Reserved == 0 || left.Sealed < 300 {
		t.Errorf("the kill came at no interesting moment: %+v", left)
	}

	c := startReplica(t, one, later)
	if now := counts(); now.Reserved != 0 || now.Sealed != left.Sealed+left.Reserved {
		t.Errorf("after another server began: %+v", now)
	}
	if _, err := output(t, two, "issue", "--completions", "BIG_rows.csv"); err != nil {
		t.Errorf("issuing the rest: %v", err)
	}
	if records, sealed := auditShared(t, watch, acknowledged); records != most+60 || sealed != most+60 {
		t.Errorf("%d records, %d sealed, want %d", records, sealed, most+60)
	}
	signInOnce(t, b, c)
}

// acknowledge issues a class through a server in small parts, revokes some, and
// notes what the program said was done.
func acknowledge(t *testing.T, dir string, acknowledged map[string]bool) {
	out, err := output(t, dir, "issue", "--completions", "OTHER_rows.csv", "--json")
	if err != nil {
		t.Errorf("issuing beside the bulk: %v", err)
		return
	}
	var answer issueAnswer
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		t.Error(err)
		return
	}
	for i, row := range answer.Rows {
		if row.Outcome != "issued" || row.Credential == "" {
			t.Errorf("row %d is %s", row.Line, row.Outcome)
			continue
		}
		acknowledged[row.Credential] = false
		if i < 4 {
			if _, err := output(t, dir, "status", "revoke", row.Credential, "--reason", "issued-in-error"); err != nil {
				t.Errorf("revoking: %v", err)
			}
			acknowledged[row.Credential] = true
		}
	}
}

// auditShared holds the whole registry to the promises. The map says of each
// credential that was acknowledged whether it was revoked.
func auditShared(t *testing.T, a *app, acknowledged map[string]bool) (records, sealed int) {
	t.Helper()
	ctx := context.Background()
	if err := a.registry.Check(ctx); err != nil {
		t.Error(err)
	}
	places, awards := map[string]bool{}, map[string]bool{}
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
			place, award := fmt.Sprint(r.List, " ", r.Index), r.Learner+"|"+r.Module+"|"+r.Edition
			if places[place] || awards[award] {
				t.Errorf("record %d has a position or an award that another has", r.Seq)
			}
			places[place], awards[award] = true, true
			if r.State == registry.Sealed {
				sealed++
				if revoked, ok := acknowledged[r.Credential]; ok && revoked == (r.Status == 0) {
					t.Errorf("%s: revoked is %v and its status %v", r.Credential, revoked, r.Status)
				}
				delete(acknowledged, r.Credential)
			}
		}
	}
	if len(acknowledged) > 0 {
		t.Errorf("%d credentials were acknowledged and are lost", len(acknowledged))
	}
	return len(awards), sealed
}

// signInOnce uses one link at two servers at once: it opens one session, which
// holds at both (K4), and returns it.
func signInOnce(t *testing.T, b, c *replica) *http.Cookie {
	t.Helper()
	link, err := output(t, c.dir, "sign-in")
	if err != nil {
		t.Fatal(err)
	}
	_, key, ok := strings.Cut(strings.TrimSpace(link), "key=")
	if !ok {
		t.Fatalf("no key in %q", link)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var mu sync.Mutex
	var cookies []*http.Cookie
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			response, err := client.PostForm([]*replica{b, c}[i%2].base+"/console/sign-in", url.Values{"key": {key}})
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			cookies = append(cookies, response.Cookies()...)
		})
	}
	wait.Wait()
	if len(cookies) != 1 {
		t.Fatalf("one link opened %d sessions", len(cookies))
	}
	for _, r := range []*replica{b, c} {
		if code := ask(t, http.MethodGet, r.base+"/console", cookies[0]); code != http.StatusOK {
			t.Errorf("the session is worth %d at %s", code, r.base)
		}
	}
	return cookies[0]
}
