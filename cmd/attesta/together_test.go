package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"attesta/timestamp/timestamptest"
)

// What several real processes on one database have in common: limits, keys,
// works, and what opens a door.

// school is a folder whose registry is in PostgreSQL, with classes of people who
// may be issued something.
func school(t *testing.T, classes map[string]int) (dir, address string) {
	t.Helper()
	if testing.Short() {
		t.Skip("two servers for some seconds")
	}
	dir, address = t.TempDir(), database.Address(t)
	if err := copyFixtures(dir); err != nil {
		t.Fatal(err)
	}
	args := []string{"import", "--store", address, "--provider", "provider_national_school.json", "--catalogue", "catalogue_national_school.json"}
	for class, n := range classes {
		writeClass(t, dir, class, n)
		args = append(args, "--learners", class+"_people.csv")
	}
	attesta(t, dir, args...)
	return dir, address
}

// databaseText runs a statement in the schema of a registry.
func databaseText(t *testing.T, address, text string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return database.Command(t, "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", "set search_path = "+u.Query().Get("search_path"), "-c", text)
}

// eventually waits until something holds; what it returns says what does not.
func eventually(t *testing.T, within time.Duration, holds func() string) {
	t.Helper()
	for limit := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		why := holds()
		if why == "" {
			return
		}
		if time.Now().After(limit) {
			t.Errorf("after %v: %s", within, why)
			return
		}
	}
}

// get asks a server for a page.
func (r *replica) get(t *testing.T, path string) (code int, body string) {
	t.Helper()
	response, err := http.Get(r.base + path)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response.StatusCode, string(raw)
}

// TestLimitHoldsAcrossServers (W7): who asks two servers in turn may ask as often
// as if there were one. When the registry cannot count, each server's own limit
// still holds, and what is kept meanwhile names nobody.
func TestLimitHoldsAcrossServers(t *testing.T) {
	dir, address := school(t, nil)
	servers := []*replica{startReplica(t, dir, day), startReplica(t, dir, day)}
	var next atomic.Int64
	ask := func(n int) (passed, refused int) {
		var mu sync.Mutex
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				for range n / 8 {
					response, err := http.PostForm(servers[next.Add(1)%2].base+"/verify", url.Values{"text": {`{"valid":1}`}})
					if err != nil {
						t.Error(err)
						return
					}
					response.Body.Close()
					mu.Lock()
					switch {
					case response.StatusCode == http.StatusOK:
						passed++
					case response.StatusCode == http.StatusTooManyRequests && response.Header.Get("Retry-After") != "":
						refused++
					default:
						t.Errorf("answer %d", response.StatusCode)
					}
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		return passed, refused
	}
	const limit = 120
	if passed, refused := ask(200); passed != limit || refused != 200-limit {
		t.Errorf("%d passed and %d were refused, of two servers with one limit of %d", passed, refused, limit)
	}
	psql := func(text string) string { return databaseText(t, address, text) }
	if kept := psql("select count(*), min(octet_length(key)), bool_or(limits::text like '%127.0.0.1%' or encode(key, 'escape') like '%127.0.0.1%') from limits"); kept != "1|32|f\n" {
		t.Errorf("kept of those who ask: %s", kept)
	}
	if kind := psql("select relpersistence from pg_class where oid = 'limits'::regclass"); kind != "u\n" {
		t.Errorf("the counts are in the log of the database: %s", kind)
	}
	psql("drop table limits")
	if passed, refused := ask(400); passed == 0 || refused == 0 {
		t.Errorf("without the common count %d passed and %d were refused", passed, refused)
	}
}

// slowAuthority is a time-stamping authority that takes its time and counts.
func slowAuthority(t *testing.T) (address string, asked *atomic.Int64) {
	t.Helper()
	authority, err := url.Parse(timestamptest.New(t, fixedDay).URL)
	if err != nil {
		t.Fatal(err)
	}
	asked = new(atomic.Int64)
	proxy := httputil.NewSingleHostReverseProxy(authority)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		time.Sleep(20 * time.Millisecond)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// stamped tells how many seals have a time stamp.
func stamped(t *testing.T, dir string) int {
	t.Helper()
	out, err := output(t, dir, "seal", "list", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var seals sealsAnswer
	if err := json.Unmarshal([]byte(out), &seals); err != nil {
		t.Fatal(err)
	}
	return seals.Levels["T"]
}

// TestOneServerStampsAtATime: of two servers one adds the time stamps, so that
// none is asked for twice (T12).
func TestOneServerStampsAtATime(t *testing.T) {
	const n = 200
	dir, _ := school(t, map[string]int{"ALL": n})
	attesta(t, dir, "issue", "--completions", "ALL_rows.csv")
	address, asked := slowAuthority(t)
	attesta(t, dir, "seal", "authority", address)
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() { startReplica(t, dir, day) })
	}
	wait.Wait()
	eventually(t, 30*time.Second, func() string {
		if done := stamped(t, dir); done != n {
			return "not all seals are stamped"
		}
		return ""
	})
	if a := asked.Load(); a != n {
		t.Errorf("the authority was asked %d times for %d seals", a, n)
	}
}

// TestAnotherServerGoesOnStamping kills the one that stamps: the other goes on
// once the lease has ended, and what was stored is not stamped again (T12).
func TestAnotherServerGoesOnStamping(t *testing.T) {
	const n, batch = 300, 50
	dir, _ := school(t, map[string]int{"ALL": n})
	attesta(t, dir, "issue", "--completions", "ALL_rows.csv")
	address, asked := slowAuthority(t)
	attesta(t, dir, "seal", "authority", address)
	t.Setenv("ATTESTA_TEST_LEASE", "4s")
	a := startReplica(t, dir, day)
	eventually(t, 10*time.Second, func() string {
		if asked.Load() == 0 {
			return "nobody stamps"
		}
		return ""
	})
	startReplica(t, dir, day)
	time.Sleep(time.Second) // it has tried by now
	a.kill()
	at := asked.Load()
	if at == 0 || at >= n-batch {
		t.Errorf("the kill came at no interesting moment: %d", at)
	}
	begun := time.Now()
	eventually(t, 40*time.Second, func() string {
		if done := stamped(t, dir); done != n {
			return "not all seals are stamped"
		}
		return ""
	})
	t.Logf("killed after %d stamps; all were there %v later; the authority was asked %d times", at, time.Since(begun).Round(time.Second), asked.Load())
	if total := asked.Load(); total < n || total > n+batch {
		t.Errorf("the authority was asked %d times for %d seals: more than one batch again", total, n)
	}
}

// TestAWorkKeepsItsLease: a work that takes longer than its lease stays with who
// does it, and is ended when somebody else may have it.
func TestAWorkKeepsItsLease(t *testing.T) {
	dir, _ := school(t, nil)
	a, b := shared(t, dir), shared(t, dir)
	a.lease, b.lease = 3*time.Second, 3*time.Second
	ctx := t.Context()
	refused := 0
	did, err := a.alone(ctx, "work", func(ctx context.Context) error {
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if did, err := b.alone(ctx, "work", func(context.Context) error { return nil }); did || err != nil {
				t.Errorf("another does it meanwhile: %v, %v", did, err)
				break
			}
			refused++
		}
		return ctx.Err()
	})
	if !did || err != nil || refused < 20 {
		t.Errorf("%v, %v; another was refused %d times", did, err, refused)
	}
	did, err = a.alone(ctx, "work", func(ctx context.Context) error {
		if did, err := b.alone(ctx, "other work", func(context.Context) error { return nil }); !did || err != nil {
			t.Errorf("another work has to wait: %v, %v", did, err)
		}
		// As if this process had stood still until its lease was another's.
		for _, step := range []string{"delete from leases where name = 'work'", "insert into leases values ('work', 'somebody', now() + interval '1 hour')"} {
			databaseText(t, a.settings.Store, step)
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Second):
			t.Error("it goes on without its lease")
		}
		return ctx.Err()
	})
	if !did || !errors.Is(err, errLeaseLost) {
		t.Errorf("when the lease was lost: %v, %v", did, err)
	}
	if did, err = b.alone(ctx, "work", func(context.Context) error { return nil }); did || err != nil {
		t.Errorf("the one that lost it gave away what is another's: %v, %v", did, err)
	}
}

// TestDoorsOpenAtEveryServer (K4): a link to sign in works once, raced for at two
// servers at once; the session that it opens holds at both until it is left at
// one; the page of a holder opens at both.
func TestDoorsOpenAtEveryServer(t *testing.T) {
	one, _ := school(t, map[string]int{"ONE": 2})
	two := copyData(t, one)
	a, b := startReplica(t, one, day), startReplica(t, two, day)
	for range 4 {
		cookie := signInOnce(t, a, b)
		for n, r := range []*replica{a, b, a} {
			if n == 1 { // left at one
				if code := ask(t, http.MethodPost, b.base+"/console/sign-out", cookie); code != http.StatusSeeOther {
					t.Errorf("leaving: %d", code)
				}
			}
			if code := ask(t, http.MethodGet, r.base+"/console", cookie); (code == http.StatusOK) != (n == 0) {
				t.Errorf("look %d: the session is worth %d at %s", n, code, r.base)
			}
		}
	}
	out, err := output(t, one, "issue", "--completions", "ONE_rows.csv", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var answer issueAnswer
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		t.Fatal(err)
	}
	for _, row := range answer.Rows {
		link, err := url.Parse(row.ClaimURL)
		if err != nil || len(link.Path) < 20 {
			t.Fatalf("the claim link %q: %v", row.ClaimURL, err)
		}
		for _, r := range []*replica{a, b} {
			for _, path := range []string{link.Path, link.Path + "/credential.jsonld"} {
				if code, _ := r.get(t, path); code != http.StatusOK {
					t.Errorf("a claim link is worth %d at %s", code, r.base)
				}
			}
			if code, _ := r.get(t, "/c/"+strings.Repeat("A", 26)); code != http.StatusNotFound {
				t.Errorf("the control: a link that nobody made is worth %d", code)
			}
		}
	}
}

// ask sends a request with a session and returns the status of the answer.
func ask(t *testing.T, method, address string, cookie *http.Cookie) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Cookie", cookie.Name+"="+cookie.Value)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}
