package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
)

// TestStrangers is what others try at a running program.
func TestStrangers(t *testing.T) {
	demo := startDemo(t)
	inside := signedIn(t, demo)
	t.Run("no page issues", func(t *testing.T) { testNoPageIssues(t, demo, inside) })
	t.Run("every secret opens one door", func(t *testing.T) { testEverySecretOpensOneDoor(t, demo, inside) })
	t.Run("the page judges what was sealed", func(t *testing.T) { testThePageJudgesWhatWasSealed(t, demo) })
	t.Run("nothing is taken for something else", func(t *testing.T) { testNothingIsTakenForSomethingElse(t, demo) })
}

// testNoPageIssues: of all addresses a few take anything, two of them only from
// who signed in, and one, which writes what is sealed already in its short form,
// only from who has the claim link; none of them issues, and what the channel of the commands takes
// it takes from nobody without the secret of the data folder. Each command is
// tried at each door, without rights and with those of the console, and nothing is signed (J14).
func testNoPageIssues(t *testing.T, demo runningDemo, inside *http.Client) {
	a, err := begin(t.Context(), &console{err: t.Output(), getenv: func(string) string { return "" }, now: fixedDay}, folder(t.TempDir()), settings{PublicURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	site, err := a.site()
	if err != nil {
		t.Fatal(err)
	}
	var patterns, changing []string
	err = chi.Walk(routes(site).(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		patterns = append(patterns, pattern)
		if method != http.MethodGet && method != http.MethodHead {
			changing = append(changing, method+" "+pattern)
		}
		return nil
	})
	slices.Sort(changing)
	if want := []string{"POST /api/v1/verify", "POST /c/{token}/compact", "POST /console/proposals", "POST /console/sign-in", "POST /console/sign-out", "POST /console/status", "POST /v/{handle}", "POST /verify", "POST /verify/rows", "POST /verify/table"}; err != nil || !slices.Equal(changing, want) {
		t.Errorf("what takes anything: %q, want %q (%v)", changing, want, err)
	}

	before := answer(t, inside, http.MethodGet, demo.base+"/console", "")
	if !strings.Contains(before, "125") {
		t.Fatalf("the console does not count its credentials:\n%s", before)
	}
	rows, err := json.Marshal(issueRequest{File: namedFile{Name: "x.csv", Data: []byte("learner_id,module_code\nTOT25-001,SN-11\n")}})
	if err != nil {
		t.Fatal(err)
	}
	commands := []string{"/issue", "/hand-out", "/log", "/seals", "/backup", "/import", "/status", "/proposals", "/erase", "/find", "/extend", "/keys", "/keys/change", "/sign-in", "/doctor", "/lint", "/ping", "/time-authority", "/console/issue", "/api/issue", "/credentials"}
	for _, pattern := range slices.Concat(commands, patterns) {
		address := demo.base + strings.NewReplacer("{", "", "}", "", "*", "").Replace(pattern)
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, "ISSUE"} {
			if method == http.MethodPost && slices.Contains([]string{"/console/sign-in", "/console/sign-out", "/v/{handle}", "/verify", "/api/v1/verify"}, pattern) {
				continue // these are tried by tests of their own
			}
			for _, who := range []*http.Client{http.DefaultClient, inside} {
				if body := answer(t, who, method, address, string(rows)); !strings.HasPrefix(body, "4") || strings.Contains(body, "payload") {
					t.Errorf("%s %s: %.200s", method, address, body)
				}
			}
		}
	}
	if after := answer(t, inside, http.MethodGet, demo.base+"/console", ""); after != before {
		t.Error("the console counts other credentials than before")
	}

	raw, err := readPrivate(folder(demo.dir).beside())
	if err != nil {
		t.Fatal(err)
	}
	var there besideFile
	if err := json.Unmarshal(raw, &there); err != nil {
		t.Fatal(err)
	}
	stranger := &http.Client{Timeout: proofTime + 5*time.Second}
	for _, command := range commands[:4] {
		response, err := stranger.Post("http://"+there.Address+command, "application/json", strings.NewReader(string(rows)))
		if err == nil {
			response.Body.Close()
			t.Errorf("the channel answered %d to %s without proof", response.StatusCode, command)
		}
	}
	if conn, err := dialProven(t.Context(), there.Address, there.Secret+"x"); err == nil {
		conn.Close()
		t.Error("another secret opened the channel")
	}
	if _, ok := dial(t.Context(), folder(demo.dir)); !ok {
		t.Error("the control: the operator cannot reach the server")
	}
}

// answer is the status of an answer, and its body.
func answer(t *testing.T, c *http.Client, method, address, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.Status + "\n" + string(raw)
}

// signedIn is a visitor with a session of the console.
func signedIn(t *testing.T, demo runningDemo) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	link, err := url.Parse(demo.provider)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	response, err := c.PostForm(demo.base+"/console/sign-in", url.Values{"key": {link.Query().Get("key")}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Request.URL.Path != "/console" {
		t.Fatalf("signing in leads to %s: %d", response.Request.URL, response.StatusCode)
	}
	return c
}

// testEverySecretOpensOneDoor: a key to sign in, a session, a link of a holder,
// the code behind a QR and the name of a status list are of one length and look
// alike; each opens its own door and no other (J10).
func testEverySecretOpensOneDoor(t *testing.T, demo runningDemo, inside *http.Client) {
	link, err := url.Parse(demo.provider)
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(demo.base)
	if err != nil {
		t.Fatal(err)
	}
	session := inside.Jar.Cookies(base)[0]
	server, ok := dial(t.Context(), folder(demo.dir))
	if !ok {
		t.Fatal("the server does not answer commands")
	}
	fresh, err := server.SignIn(t.Context(), "operator")
	if err != nil {
		t.Fatal(err)
	}
	freshLink, err := url.Parse(strings.TrimSpace(fresh))
	if err != nil {
		t.Fatal(err)
	}
	list := listBehind(t, demo)
	secrets := map[string]string{
		"a key": freshLink.Query().Get("key"), "a key that was used": link.Query().Get("key"), "a session": session.Value, "a list": list,
		"a holder's link": demo.holder[strings.LastIndex(demo.holder, "/")+1:], "a code": demo.check[strings.LastIndex(demo.check, "/")+1:],
	}
	doors := []struct {
		name string
		open func(secret string) bool
		with string
	}{ // that of keys is the last: a key is used up
		{"the console", func(s string) bool {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, demo.base+"/console", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.AddCookie(&http.Cookie{Name: session.Name, Value: s})
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			return response.StatusCode == http.StatusOK
		}, "a session"},
		{"the holder's page", func(s string) bool { return opens(t, demo.base+"/c/"+s) }, "a holder's link"},
		{"the holder's file", func(s string) bool { return opens(t, demo.base+"/c/"+s+"/credential.jsonld") }, "a holder's link"},
		{"the page of a code", func(s string) bool { return opens(t, demo.base+"/v/"+s) }, "a code"},
		{"a status list", func(s string) bool { return opens(t, demo.base+"/status/"+s+"/revocation") }, "a list"},
		{"the way in", func(s string) bool {
			response, err := http.PostForm(demo.base+"/console/sign-in", url.Values{"key": {s}})
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			// Without a place for cookies the way ends before the console.
			return response.Request.URL.Path == "/console"
		}, "a key"},
	}
	for _, door := range doors {
		for name, secret := range secrets {
			if got := secret != "" && door.open(secret); got != (name == door.with) {
				t.Errorf("%s opens %s: %v", name, door.name, got)
			}
		}
	}
}

func opens(t *testing.T, address string) bool {
	t.Helper()
	return strings.HasPrefix(answer(t, http.DefaultClient, http.MethodGet, address, ""), "200")
}

// listBehind is the name of a status list of the demonstration.
func listBehind(t *testing.T, demo runningDemo) string {
	t.Helper()
	text := string(get(t, demo.holder+"/credential.jsonld"))
	_, rest, found := strings.Cut(text, "/status/")
	if !found {
		t.Fatal("the credential points at no status list")
	}
	list, _, _ := strings.Cut(rest, "/")
	return list
}
