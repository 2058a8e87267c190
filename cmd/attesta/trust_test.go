package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"attesta/keys"
	"attesta/trustlist/trustlisttest"
)

// A running server takes up the lists without a restart, and its page, like the
// command, says qualified of a seal under them and of no other.
func TestTheTrustedListsEndToEnd(t *testing.T) {
	u, demo := newContinent(t), startDemo(t)
	good := sealed(t, u.seal, fixedDay())
	page := func(credential []byte) string {
		_, answer := demo.post(t, file("c.jsonld", credential))
		return answer
	}
	if before := page(good); !strings.Contains(before, "ente non riconosciuto") || strings.Contains(before, "qualificato") {
		t.Fatalf("before the lists are read:\n%.3000s", before)
	}
	u.write()
	code, out := atConsole(t, "trust", "import", "--data", demo.dir, "--lotl", u.file("eu-lotl.xml"), "--lists", u.dir, "--signers", u.file("signers.pem"))
	if code != exitDone || !strings.Contains(out, "IT           7  2026-10-21  2027-04-21      1      1  good; 1 service cannot be used\n      none of its certificates can be read: Prestatore Tre, ") {
		t.Fatalf("%d\n%s", code, out)
	}
	after := page(good)
	for _, says := range []string{"Sigillo elettronico qualificato", "È un sigillo elettronico qualificato: lo garantisce Prestatore Uno, nell’elenco di fiducia dell’Unione europea."} {
		if !strings.Contains(after, says) {
			t.Errorf("the page does not say %q:\n%.3000s", says, after)
		}
	}
	anchors := filepath.Join(demo.dir, "trust")
	if out := judged(t, anchors, good); !strings.HasPrefix(out, "VALID\n") || !strings.Contains(out, "It is a qualified electronic seal: Prestatore Uno, on the trusted list") {
		t.Errorf("%s", out)
	}
	until := fixedDay().AddDate(3, 0, 0)
	for name, c := range map[string]struct {
		says trustlisttest.Statements
		want string
	}{
		"for signatures":   {trustlisttest.Statements{Compliant: true, Device: true}, "It is an advanced seal.\n"},
		"not qualified":    {trustlisttest.Statements{ForSeals: true, Device: true}, "It is an advanced seal.\n"},
		"without a device": {trustlisttest.Statements{Compliant: true, ForSeals: true}, "an advanced seal with a qualified certificate"},
	} {
		seal := u.authority.NewSeal(t, "Scuola Vera", "VATIT-01234567890", c.says, fixedDay().AddDate(0, -6, 0), until)
		if out := judged(t, anchors, sealed(t, seal, fixedDay())); !strings.Contains(out, c.want) || strings.Contains(out, "qualified electronic seal") {
			t.Errorf("%s: %s", name, out)
		}
	}
}

// A service that was withdrawn vouches for what was sealed before, and for
// nothing since.
func TestAWithdrawnService(t *testing.T) {
	u, anchors := newContinent(t), t.TempDir()
	service := &u.lists["IT"].Services[0]
	withdrawn := fixedDay().AddDate(0, -2, 0)
	service.States = append([]trustlisttest.State{{Type: trustlisttest.CAQC, Status: trustlisttest.Withdrawn, From: withdrawn, ForSeals: true}}, service.States...)
	if code, out := u.load(anchors, "--signers", u.file("signers.pem")); code != exitDone {
		t.Fatal(out)
	}
	if out := judged(t, anchors, sealed(t, u.seal, withdrawn.Add(time.Hour))); !strings.HasPrefix(out, "CANNOT TELL: ISSUER UNRECOGNISED") {
		t.Errorf("sealed after: %s", out)
	}
	if out := judged(t, anchors, sealed(t, u.seal, withdrawn.Add(-time.Hour))); !strings.Contains(out, "qualified electronic seal") {
		t.Errorf("sealed before: %s", out)
	}
}

// What is wrong with one list is said of that list; the others count, and what
// was read before is kept (J3, J9, F4).
func TestTrustImportRefuses(t *testing.T) {
	edit := func(old, replacement string) func([]byte) []byte {
		return func(raw []byte) []byte { return bytes.Replace(raw, []byte(old), []byte(replacement), 1) }
	}
	for name, c := range map[string]struct {
		spoil func(*continent)
		says  string
		whole bool // nothing is imported
	}{
		"a byte of a list":        {func(u *continent) { u.changed["IT.xml"] = edit("Prestatore Uno", "Prestatore Una") }, "IT .*changed after", false},
		"a list by another":       {func(u *continent) { u.operators["IT"] = u.operators["DE"] }, "not signed by any", false},
		"a list of another":       {func(u *continent) { u.lists["IT"].Territory = "FR" }, "it is the one of FR", false},
		"an older list":           {func(u *continent) { u.lists["IT"].Sequence = 6; u.lists["IT"].Issued = fixedDay().AddDate(0, -2, 0) }, "older than number 7", false},
		"a list of the future":    {func(u *continent) { u.lists["IT"].Issued = fixedDay().AddDate(0, 1, 0) }, "is to come", false},
		"a list that is a bomb":   {func(u *continent) { u.changed["IT.xml"] = func([]byte) []byte { return []byte("<!DOCTYPE a><a/>") } }, "document type", false},
		"no list":                 {func(u *continent) { delete(u.lists, "IT"); u.remove("IT.xml") }, "there is no file for it", false},
		"a byte of the top":       {func(u *continent) { u.changed["eu-lotl.xml"] = edit(">250<", ">251<") }, "changed after", true},
		"the top by another":      {func(u *continent) { u.commission = u.operators["DE"] }, "not signed by any", true},
		"a national list as top":  {func(u *continent) { u.top.OfLists = false }, "not the list of lists", true},
		"the top of another":      {func(u *continent) { u.top.Territory = "IT" }, "not the list of lists", true},
		"a top without pointers":  {func(u *continent) { u.top.Pointers = u.top.Pointers[:1] }, "points to no national list", true},
		"an older top":            {func(u *continent) { u.top.Sequence = 249 }, "older than number 250", true},
		"a top of the future":     {func(u *continent) { u.top.Issued = fixedDay().AddDate(0, 1, 0) }, "is to come", true},
		"a top that is not there": {func(u *continent) { u.changed["eu-lotl.xml"] = func([]byte) []byte { return nil } }, "empty", true},
	} {
		t.Run(name, func(t *testing.T) {
			u, anchors := newContinent(t), t.TempDir()
			if code, out := u.load(anchors, "--signers", u.file("signers.pem")); code != exitDone {
				t.Fatal(out)
			}
			before, err := os.ReadFile(filepath.Join(anchors, keys.ListsFile))
			if err != nil {
				t.Fatal(err)
			}
			c.spoil(u)
			code, out := u.load(anchors)
			if code != exitNo || !strings.Contains(out, strings.TrimPrefix(c.says, "IT .*")) {
				t.Errorf("%d\n%s", code, out)
			}
			after, err := os.ReadFile(filepath.Join(anchors, keys.ListsFile))
			if err != nil || c.whole && !bytes.Equal(before, after) {
				t.Errorf("the lists changed: %v", err)
			}
			if !c.whole && (!strings.Contains(out, "the one read before is kept") || !strings.Contains(out, "\nDE           7")) {
				t.Errorf("%s", out)
			}
			if out := judged(t, anchors, sealed(t, newSealOf(t, u), fixedDay())); !strings.Contains(out, "qualified electronic seal") {
				t.Errorf("what was read before does not count: %s", out)
			}
		})
	}
}

func newSealOf(t *testing.T, u *continent) trustlisttest.Signer {
	t.Helper()
	return u.authority.NewSeal(t, "Scuola Vera", "VATIT-01234567890", trustlisttest.Qualified(), fixedDay().AddDate(0, -6, 0), fixedDay().AddDate(3, 0, 0))
}

func (u *continent) remove(name string) {
	if err := os.Remove(u.file(name)); err != nil {
		u.t.Fatal(err)
	}
}

// Nothing is taken from a first import that fails, and who signs is asked for.
func TestFirstImport(t *testing.T) {
	u, anchors := newContinent(t), t.TempDir()
	if code, out := u.load(anchors); code != exitUsage || !strings.Contains(out, "Official Journal") {
		t.Errorf("%d\n%s", code, out)
	}
	u.changed["IT.xml"] = func(raw []byte) []byte { return bytes.Replace(raw, []byte("granted"), []byte("grantee"), 1) }
	if code, out := u.load(anchors, "--signers", u.file("signers.pem")); code != exitNo || !strings.Contains(out, "1 list could not be read") {
		t.Errorf("%d\n%s", code, out)
	}
	if out := judged(t, anchors, sealed(t, u.seal, fixedDay())); !strings.HasPrefix(out, "CANNOT TELL: ISSUER UNRECOGNISED") {
		t.Error(out)
	}
}

// The list of lists announces who signs the next one; nobody else does.
func TestTheNextSigners(t *testing.T) {
	u, anchors := newContinent(t), t.TempDir()
	next := trustlisttest.NewSigner(t, "Commissione nuova", fixedDay().AddDate(-1, 0, 0), fixedDay().AddDate(5, 0, 0))
	u.top.Pointers[0].Signers = append(u.top.Pointers[0].Signers, next.Certificate)
	if code, out := u.load(anchors, "--signers", u.file("signers.pem")); code != exitDone {
		t.Fatal(out)
	}
	u.commission = next
	u.top.Pointers[0] = u.pointer("EU", next)
	u.top.Pointers[0].OfLists = true
	u.top.Sequence++
	if code, out := u.load(anchors); code != exitDone {
		t.Fatal(out)
	}
	kept, err := os.ReadFile(filepath.Join(anchors, keys.SignersFile))
	if n := bytes.Count(kept, []byte("BEGIN")); err != nil || n != 1 {
		t.Errorf("%d signers are kept, %v", n, err)
	}
	u.commission = u.operators["IT"]
	if code, out := u.load(anchors); code != exitNo || !strings.Contains(out, "not signed by any") {
		t.Errorf("%d\n%s", code, out)
	}
}

// A service of which the list excepts some certificates gives no qualified seal.
func TestAServiceWithExceptions(t *testing.T) {
	u, anchors := newContinent(t), t.TempDir()
	u.lists["IT"].Services[0].States[0].NotQualified = true
	if code, out := u.load(anchors, "--signers", u.file("signers.pem")); code != exitDone {
		t.Fatal(out)
	}
	if out := judged(t, anchors, sealed(t, u.seal, fixedDay())); !strings.Contains(out, "It is an advanced seal") {
		t.Error(out)
	}
}

// A list that is not renewed loses its word by and by, and is not forgotten at
// once.
func TestStaleLists(t *testing.T) {
	for months, want := range map[int][2]string{
		5: {"qualified electronic seal", "good"}, 7: {"It is an advanced seal", "STALE"}, 13: {"nobody we know", "FADED"},
	} {
		u, anchors := newContinent(t), t.TempDir()
		issued := fixedDay().AddDate(0, -months, 0)
		u.lists["IT"].Issued, u.lists["IT"].Next = issued, issued.AddDate(0, 6, 0)
		code, out := u.load(anchors, "--signers", u.file("signers.pem"))
		if code != exitDone || !strings.Contains(out, want[1]) {
			t.Errorf("%d\n%s", code, out)
		}
		if out := judged(t, anchors, sealed(t, u.seal, fixedDay())); !strings.Contains(out, want[0]) {
			t.Errorf("after %d months: %s", months, out)
		}
	}
}

// Lists are fetched from where the list of lists says, and from the origin that
// the operator names even when it is inside; from nowhere else inside (N1).
func TestFetchedLists(t *testing.T) {
	u, anchors := newContinent(t), t.TempDir()
	u.write()
	asked := make(chan string, 10)
	server := func() *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked <- r.Host + r.URL.Path
			w.Header().Set("Content-Type", "text/xml")
			http.ServeFile(w, r, u.file(filepath.Base(r.URL.Path)))
		}))
		t.Cleanup(s.Close)
		return s
	}
	mirror, inside := server(), server()
	u.top.Pointers[1].Address = mirror.URL + "/IT.xml"
	u.top.Pointers[2].Address = inside.URL + "/DE.xml"
	u.write()
	code, out := atConsole(t, "trust", "import", "--trust", anchors, "--lotl", mirror.URL+"/eu-lotl.xml", "--signers", u.file("signers.pem"))
	if code != exitNo || !strings.Contains(out, "\nIT           7") || !strings.Contains(out, "the address is not asked") {
		t.Errorf("%d\n%s", code, out)
	}
	close(asked)
	for address := range asked {
		if strings.HasPrefix(address, strings.TrimPrefix(inside.URL, "http://")) {
			t.Errorf("%s was asked", address)
		}
	}
	if out := judged(t, anchors, sealed(t, u.seal, fixedDay())); !strings.Contains(out, "qualified electronic seal") {
		t.Error(out)
	}
}

// An address inside is asked when the operator names it, and only then (N1);
// the certificate of a seal is no authority, and the command says so.
func TestTrustAddOrigin(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "trust")
	ca := trustlisttest.NewAuthority(t, "CA regionale", nil, fixedDay().AddDate(-1, 0, 0), fixedDay().AddDate(1, 0, 0))
	leaf := ca.NewSeal(t, "Scuola Vera", "VATIT-01234567890", trustlisttest.Qualified(), fixedDay().AddDate(0, -6, 0), fixedDay().AddDate(0, 6, 0))
	add := func(name string, c *x509.Certificate, flags ...string) string {
		file := filepath.Join(t.TempDir(), "c.pem")
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out := atConsole(t, append([]string{"trust", "add", file, "--trust", dir, "--name", name}, flags...)...)
		if code != exitDone {
			t.Fatalf("%d\n%s", code, out)
		}
		return out
	}
	const only = "vouches for what was made with this one certificate only"
	if out := add("Una", ca.Certificate, "--origin", "http://127.0.0.1:8080/", "--origin", "https://status.example.lan"); strings.Contains(out, only) || !strings.Contains(out, "https://status.example.lan may be asked although it is not public") {
		t.Error(out)
	}
	if out := add("Due", leaf.Certificate); !strings.Contains(out, only) {
		t.Error(out)
	}
	trust, err := keys.LoadTrust(dir)
	if err != nil || len(trust.Anchors) != 2 {
		t.Fatalf("%+v, %v", trust, err)
	}
	for _, a := range trust.Anchors {
		want := map[string][]string{"Una": {"http://127.0.0.1:8080", "https://status.example.lan"}}[a.Name]
		if !slices.Equal(a.Origins, want) {
			t.Errorf("%s: %q", a.Name, a.Origins)
		}
	}
	if _, out := atConsole(t, "trust", "list", "--trust", dir); !strings.Contains(out, "may be asked although not public: http://127.0.0.1:8080\n") {
		t.Error(out)
	}
	if _, out := atConsole(t, "trust", "list", "--trust", dir, "--json"); !strings.Contains(out, `"origins": [`) {
		t.Error(out)
	}
	if v := trust.Vouch([]*x509.Certificate{leaf.Certificate}, fixedDay()); v.Err != nil {
		t.Errorf("the anchor of one seal does not vouch for it: %v", v.Err)
	}
}

func TestTrustAddListRemove(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "trust")
	ca := trustlisttest.NewAuthority(t, "CA regionale", nil, fixedDay().AddDate(-1, 0, 0), fixedDay().AddDate(1, 0, 0))
	certificate := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"list"}, exitDone, "nobody is trusted"},
		{[]string{"add", certificate, "--name", "Autorità della Regione", "--for", "seals,time"}, exitDone, "trusted for seals, time, at level advanced"},
		{[]string{"list"}, exitDone, "autorita-della-regione.json   advanced       seals, time  2027-11-21  Autorità della Regione"},
		{[]string{"list", "--json"}, exitDone, `"level": "advanced"`},
		{[]string{"add", certificate, "--name", "Autorità della Regione"}, exitNo, "already"},
		{[]string{"add", certificate}, exitUsage, "--name"},
		{[]string{"add", certificate, "--name", "x", "--level", "qualified"}, exitUsage, "trust import"},
		{[]string{"add", certificate, "--name", "x", "--for", "codes"}, exitUsage, "seals or time"},
		{[]string{"add", certificate, "--name", "EU trusted lists"}, exitUsage, "attesta writes itself"},
		{[]string{"add", filepath.Join(dir, "autorita-della-regione.json"), "--name", "x"}, exitUsage, "PEM"},
		{[]string{"add", filepath.Join(dir, "none.pem"), "--name", "x"}, exitNo, "there is no such file"},
		{[]string{"add", dir, "--name", "x"}, exitNo, "it is a folder"},
		{[]string{"add", certificate, "--name", "x", "--origin", "ftp://x"}, exitUsage, "is not the beginning of a web address"},
		{[]string{"add", certificate, "--name", "x", "--origin", "http://x/lists"}, exitUsage, "is not the beginning of a web address"},
		{[]string{"add", certificate, "--name", "x", "--origin", "http://user@x"}, exitUsage, "is not the beginning of a web address"},
		{[]string{"remove", "Nessuno"}, exitNo, "no such anchor"},
		{[]string{"remove", "Autorità della Regione"}, exitDone, "trusted no longer"},
		{[]string{"list"}, exitDone, "nobody is trusted"},
		{[]string{"import"}, exitUsage, "--lotl"},
		{[]string{"import", "--lotl", certificate, "--signers", certificate}, exitNo, "it is not XML, as trusted lists are\n  certificates go with --signers"},
		{[]string{"forget"}, exitUsage, "is not: import"},
		{nil, exitUsage, "say what to do"},
	} {
		code, out := atConsole(t, append([]string{"trust", "--trust", dir}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.says) {
			t.Errorf("%q: %d\n%s", c.args, code, out)
		}
	}
	if code, out := atConsole(t, "trust", "add", certificate, "--name", "x", "--data", filepath.Join(dir, "nowhere")); code != exitUsage || !strings.Contains(out, "no attesta data") {
		t.Errorf("%d %s", code, out)
	}
}

// The folder of anchors is read again when it changed, by many at once, and a
// folder that cannot be read changes nothing.
func TestTrustFolder(t *testing.T) {
	dir := t.TempDir()
	ca := trustlisttest.NewAuthority(t, "CA", nil, fixedDay().AddDate(-1, 0, 0), fixedDay().AddDate(1, 0, 0))
	f, err := openTrustFolder(filepath.Join(dir, "trust"), slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil || len(f.now().Anchors) != 0 {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "trust"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				f.now()
			}
		})
	}
	name := filepath.Join(dir, "trust", "a.json")
	for n, level := range []keys.Level{keys.Advanced, keys.Demonstration, keys.Advanced} {
		if err := keys.WriteAnchor(name, keys.Anchor{Name: "CA", Level: level, Certificate: ca.Certificate}); err != nil {
			t.Fatal(err)
		}
		if got := f.now().Anchors; len(got) != 1 || got[0].Level != level {
			t.Errorf("change %d: %+v", n, got)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "trust", "b.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := f.now().Anchors; len(got) != 1 {
		t.Errorf("beside a broken file: %+v", got)
	}
	os.Remove(filepath.Join(dir, "trust", "b.json"))
	os.Remove(name)
	if got := f.now().Anchors; len(got) != 0 {
		t.Errorf("after removing: %+v", got)
	}
	cancel()
	readers.Wait()
}
