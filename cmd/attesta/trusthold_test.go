package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"attesta/accreditation"
)

// site publishes a list at an address of its own, or what a test puts there.
type listSite struct {
	*httptest.Server
	answer func(http.ResponseWriter)
	asked  int
}

func newListSite(t *testing.T) *listSite {
	s := &listSite{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.asked++
		s.answer(w)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *listSite) publish(t *testing.T, file string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s.answer = func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", accreditation.MediaType)
		_, _ = w.Write(raw)
	}
}

// said runs a command that must end with a code, and returns what it prints.
func said(t *testing.T, code int, args ...string) string {
	t.Helper()
	got, out := atConsole(t, args...)
	if got != code {
		t.Fatalf("%v: exit code %d\n%s", args, got, out)
	}
	return out
}

// aRegion keeps a list with one provider in a folder of its own.
func aRegion(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "region")
	said(t, 0, "trust", "authority", "--data", dir, "--id", "urn:example:albo", "--name", "Regione Esempio", "--legal-id", "VATIT-00000000099", "--country", "IT")
	said(t, 0, "trust", "accredit", "VATIT-00000000002", "--data", dir, "--name", "Ente", "--register", "Albo", "--number", "2", "--from", "2026-01-01")
	return dir
}

// A list that was imported from an address is read again from there; what does
// not follow it, or is none, changes nothing (S1, S5, S6).
func TestListsFromAnAddress(t *testing.T) {
	region, dir := aRegion(t), t.TempDir()
	file, signer, anchors := filepath.Join(dir, "l.jws"), filepath.Join(dir, "s.pem"), filepath.Join(dir, "trust")
	said(t, 0, "trust", "export", file, "--data", region, "--certificate", signer)
	site := newListSite(t)
	site.publish(t, file)
	out := said(t, 0, "trust", "import", "--accreditation", site.URL+"/l", "--signer", signer, "--trust", anchors)
	if !strings.Contains(out, "list no. 3 of 2026-11-21") {
		t.Fatal(out)
	}
	before := said(t, 0, "trust", "list", "--trust", anchors)

	said(t, 0, "trust", "suspend", "VATIT-00000000002", "--data", region)
	newer := filepath.Join(dir, "newer.jws")
	said(t, 0, "trust", "export", newer, "--data", region)
	for name, answer := range map[string]func(http.ResponseWriter){
		"a page":         func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<html></html>") },
		"not found":      func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) },
		"somewhere else": func(w http.ResponseWriter) { w.Header().Set("Location", "/other"); w.WriteHeader(http.StatusFound) },
		"29 MB": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", accreditation.MediaType)
			_, _ = w.Write(bytes.Repeat([]byte("A"), 29<<20))
		},
	} {
		site.answer = answer
		said(t, 1, "trust", "refresh", "--trust", anchors)
		if after := said(t, 0, "trust", "list", "--trust", anchors); after != before {
			t.Errorf("%s changed what is held:\n%s", name, after)
		}
	}
	site.publish(t, newer)
	if out := said(t, 0, "trust", "refresh", "--trust", anchors); !strings.Contains(out, "list no. 5") || !strings.Contains(out, "suspended 2026-11-21 on") {
		t.Error(out)
	}
	held := said(t, 0, "trust", "list", "--trust", anchors)
	site.publish(t, file)
	if out := said(t, 1, "trust", "refresh", "--trust", anchors); !strings.Contains(out, "is older than number 5") {
		t.Error(out)
	}
	if after := said(t, 0, "trust", "list", "--trust", anchors); after != held {
		t.Errorf("an older list was taken up:\n%s", after)
	}
}

// A file of a held list that was changed by hand is not used, and says so.
func TestAHeldListThatWasChanged(t *testing.T) {
	region := aRegion(t)
	name := folder(region).ownList()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, damaged := range [][]byte{nil, []byte("{}"), bytes.Replace(raw, []byte(`"list": "ey`), []byte(`"list": "eZ`), 1), raw[:len(raw)/2]} {
		if err := os.WriteFile(name, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out := atConsole(t, "trust", "list", "--data", region); code != 1 || !strings.Contains(out, "this-installation.accreditation") {
			t.Errorf("%d %s", code, out)
		}
		if code, out := atConsole(t, "verify", "--data", region, "--offline", name); code != exitUsage || !strings.Contains(out, "this-installation.accreditation") {
			t.Errorf("%d %s", code, out)
		}
	}
}

// A running server renews its own list before it fades, and fetches those of
// others. Whatever is done with a list stands in the log.
func TestAServerKeepsListsFresh(t *testing.T) {
	region, dir := aRegion(t), t.TempDir()
	file, signer, data := filepath.Join(dir, "l.jws"), filepath.Join(dir, "s.pem"), filepath.Join(dir, "d")
	said(t, 0, "trust", "export", file, "--data", region, "--certificate", signer)
	site := newListSite(t)
	site.publish(t, file)
	said(t, 0, "trust", "authority", "--data", data, "--id", "urn:example:scuola", "--name", "Scuola", "--legal-id", "VATIT-00000000098", "--country", "IT")
	said(t, 0, "trust", "import", "--accreditation", site.URL+"/l", "--signer", signer, "--data", data)
	said(t, 0, "trust", "end", "VATIT-00000000002", "--data", region, "--until", "2026-12-31")
	said(t, 0, "trust", "export", file, "--data", region)
	site.publish(t, file)

	now := fixedDay()
	a, err := open(t.Context(), &console{out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }, now: func() time.Time { return now }}, folder(data), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	numbers := func() map[string]int {
		t.Helper()
		if err := a.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		found := map[string]int{}
		all, bad := heldIn(folder(data).trust())
		for _, h := range all {
			found[h.List.Authority.Name] = h.List.Sequence
		}
		if len(bad) > 0 || len(found) != 2 {
			t.Fatal(bad, found)
		}
		return found
	}
	asked := site.asked
	if n := numbers(); n["Scuola"] != 1 || n["Regione Esempio"] != 3 || site.asked != asked {
		t.Errorf("at once: %v", n)
	}
	now = now.Add(2 * time.Hour)
	if n := numbers(); n["Scuola"] != 1 || n["Regione Esempio"] != 5 {
		t.Errorf("after two hours: %v", n)
	}
	now = now.AddDate(0, 0, 17)
	if n := numbers(); n["Scuola"] != 2 || n["Regione Esempio"] != 5 {
		t.Errorf("after more than half of its time: %v", n)
	}
	a.verifier.Trust() // as every check begins
	q := accreditation.Question{LegalIDs: []string{"VATIT-00000000002"}}
	if answer, known := a.verifier.Accreditations().Ask(q, "2026-12-01", "2027-01-01", now); !known || answer.Then.State != accreditation.Accredited || answer.Day.State != accreditation.Silent || answer.Then.Accreditation.Until != "2026-12-31" {
		t.Errorf("%v %s %s", known, answer.Then.State, answer.Day.State)
	}
	log, err := a.registry.Log(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, openings, err := log.Entries(1, int(log.Size()))
	if err != nil {
		t.Fatal(err)
	}
	var noted []string
	for _, o := range openings {
		if o.Kind == "accreditation" {
			noted = append(noted, o.What+": "+o.Why)
		}
	}
	want := []string{
		"VATIT-00000000098: authority; list no. 1 of VATIT-00000000098; name Scuola",
		"VATIT-00000000099: import; list no. 3 of urn:example:albo",
		"VATIT-00000000099: import; list no. 5 of urn:example:albo",
		"VATIT-00000000098: export; list no. 2 of VATIT-00000000098",
	}
	if strings.Join(noted, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s", strings.Join(noted, "\n"))
	}
}
