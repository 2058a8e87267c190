package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"attesta/accreditation"
	"attesta/keys"
	"attesta/verifier"
	"attesta/web"
	"attesta/web/offline"
)

// survivor is what is left of an installation: its export, in the folder public,
// and what people have.
type survivor struct {
	dir, origin                       string
	valid, revoked, suspended, broken string // files
	key                               string // of the log
	short                             string // text of the compact QR of the valid one
	secrets                           []string
}

// survive begins an installation, issues, withdraws, exports with the flags
// given, and removes the installation.
func survive(t *testing.T, flags ...string) survivor {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := survivor{dir: t.TempDir(), origin: "http://" + l.Addr().String()}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := copyFixtures(s.dir); err != nil {
		t.Fatal(err)
	}
	attesta(t, s.dir, "import", "--public-url", s.origin, "--provider", "provider_national_school.json", "--catalogue", "catalogue_national_school.json",
		"--learners", "cohort_tot_25.csv")
	class := "learner_id,module_code,edition,completion_date,attendance_percent,result,assessor,evidence_ref\n"
	for _, learner := range []string{"001", "003", "004", "005"} {
		class += "TOT25-" + learner + ",SN-11,SN-11/2026/TOT25,2026-05-29,95,passed,VAL-03,EV-0001\n"
	}
	if err := os.WriteFile(filepath.Join(s.dir, "class.csv"), []byte(class), 0o600); err != nil {
		t.Fatal(err)
	}
	answer, err := output(t, s.dir, "issue", "--completions", "class.csv", "--out", "out", "--json")
	if err != nil {
		t.Fatal(err)
	}
	s.secrets = secretsIn(answer)
	files, err := filepath.Glob(filepath.Join(s.dir, "out", "SN-11-*.jsonld"))
	if err != nil || len(files) != 4 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	s.valid, s.revoked, s.suspended = files[0], files[1], files[2]
	attesta(t, s.dir, "status", "revoke", s.revoked, "--reason", "issued-in-error")
	attesta(t, s.dir, "status", "suspend", s.suspended, "--reason", "under-review")
	raw, err := os.ReadFile(s.valid)
	if err != nil {
		t.Fatal(err)
	}
	s.broken = filepath.Join(s.dir, "broken.jsonld")
	changed := bytes.Replace(raw, []byte(`"signature":"`), []byte(`"signature":"A`), 1)
	if bytes.Equal(raw, changed) {
		changed = bytes.Replace(raw, []byte("SN-11"), []byte("SN-12"), 1)
	}
	if err := os.WriteFile(s.broken, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	s.short = compactText(t, filepath.Join(s.dir, "attesta-data"), s.valid)
	// Whoever issues may keep a list of its own, and then it holds that.
	attesta(t, s.dir, "trust", "authority", "--id", "https://albo.example.org/accreditati", "--name", "Albo Dimostrativo", "--legal-id", "VATIT-00000000099", "--country", "IT")
	attesta(t, s.dir, "trust", "accredit", "DM:IT-iss-scuola", "--name", "Scuola Dimostrativa", "--register", "Albo", "--number", "7", "--from", "2025-01-01")
	if s.key, err = output(t, s.dir, "log", "key"); err != nil {
		t.Fatal(err)
	}
	attesta(t, s.dir, append([]string{"export", "--static", "public"}, flags...)...)
	if err := os.RemoveAll(filepath.Join(s.dir, "attesta-data")); err != nil {
		t.Fatal(err)
	}
	return s
}

// secretsIn are handles, links, ids and names in what issue prints as JSON.
func secretsIn(answer string) (all []string) {
	for _, found := range regexp.MustCompile(`/[vc]/([^"/]+)"|urn:credential:([0-9a-f-]+)|"name": "([^"]+)"|"email": "([^"]+)"`).FindAllStringSubmatch(answer, -1) {
		all = append(all, strings.Join(found[1:], ""))
	}
	return all
}

func (s survivor) public() string { return filepath.Join(s.dir, "public") }

// serve serves the export as a file server does that was told the types.
func (s survivor) serve(t *testing.T, typed bool) {
	t.Helper()
	m, err := readManifest(s.public())
	if err != nil {
		t.Fatal(err)
	}
	files := http.FileServer(http.Dir(s.public()))
	listener, err := net.Listen("tcp", strings.TrimPrefix(s.origin, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, f := range m.Files {
			if typed && r.URL.Path == f.Path {
				w.Header().Set("Content-Type", f.Type)
			}
		}
		files.ServeHTTP(w, r)
	}), ReadHeaderTimeout: time.Second}
	go server.Serve(listener)
	t.Cleanup(func() { _ = server.Close() })
}

// check runs attesta verify on another day and returns its first line.
func (s survivor) check(t *testing.T, now time.Time, file string, flags ...string) (code int, headline, all string) {
	t.Helper()
	var out, errors bytes.Buffer
	code = run(t.Context(), &console{out: &out, err: &errors, getenv: func(string) string { return "" }, now: func() time.Time { return now }},
		append([]string{"verify", file}, flags...))
	headline, _, _ = strings.Cut(out.String(), "\n")
	return code, headline, out.String() + errors.String()
}

// TestSurvival: the installation is gone. Whoever has its anchor checks what it
// issued, by its old addresses or by the folder, and is told how old that is.
func TestSurvival(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		flags   []string
		days    int
		valid   string // the headline of what was good
		held    string
		revoked string // by the folder
		remote  string // the same, by the old addresses
		then    string
	}{
		{"on its day", nil, 0, "VALID", "NOT VALID: SUSPENDED", "NOT VALID: REVOKED", "NOT VALID: REVOKED", "by a copy made on 21 November 2026"},
		{"in a year", nil, 365, "CANNOT TELL: STATUS STALE", "CANNOT TELL: STATUS STALE", "NOT VALID: REVOKED", "CANNOT TELL: STATUS STALE", "on 21 November 2026 it was valid; what happened since nobody can say"},
		{"in four years, signed for ten", []string{"--years", "10"}, 4 * 365, "VALID", "NOT VALID: SUSPENDED", "NOT VALID: REVOKED", "NOT VALID: REVOKED", "signed its lists for the last time"},
	} {
		s := survive(t, c.flags...)
		s.serve(t, true)
		now := fixedDay().AddDate(0, 0, c.days)
		folder, network := []string{"--static", s.public()}, []string{"--trust", filepath.Join(s.public(), "trust")}
		for _, x := range []struct {
			file, want string
			flags      []string
		}{
			{s.valid, c.valid, folder},
			{s.valid, c.valid, network},
			{s.suspended, c.held, folder},
			{s.suspended, c.held, network},
			{s.revoked, c.revoked, folder},
			{s.revoked, c.remote, network},
			{s.broken, "NOT VALID", folder},
			{s.valid, "CANNOT TELL: ISSUER UNRECOGNISED", []string{"--static", s.public(), "--trust", t.TempDir()}},
		} {
			code, headline, all := s.check(t, now, x.file, x.flags...)
			want := map[string]int{"VALID": exitDone, "NOT V": exitNo, "CANNO": exitCannotTell}[x.want[:5]]
			if !strings.HasPrefix(headline, x.want) || code != want {
				t.Errorf("%s, %s %v: %d %s, want %s\n%s", c.name, filepath.Base(x.file), x.flags, code, headline, x.want, all)
			}
		}
		if _, _, all := s.check(t, now, s.valid, folder...); !strings.Contains(all, c.then) || !strings.Contains(all, "Albo Dimostrativo") {
			t.Errorf("%s: %q is not said, or not who accredits:\n%s", c.name, c.then, all)
		}
	}
}

// TestExportHoldsNothingPrivate (R1): values of learners, of their results, of
// links and of keys stand in no file of an export, in no encoding that is easily
// undone.
func TestExportHoldsNothingPrivate(t *testing.T) {
	t.Parallel()
	s := survive(t, "--years", "5")
	raw, err := os.ReadFile(s.valid)
	if err != nil {
		t.Fatal(err)
	}
	canaries := []string{"PRIVATE KEY", "AGE-SECRET", "TOT25-0", "D’Angelo", "VAL-03", "EV-0001", "urn:credential:", "attesta-data", s.dir, "/c/"}
	if canaries = append(canaries, s.secrets...); len(s.secrets) < 12 {
		t.Fatalf("%d handles, links, ids and names", len(s.secrets))
	}
	for _, name := range []string{"cohort_tot_25.csv"} {
		class, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(strings.TrimSpace(string(class)), "\n")[1:] {
			for field := range strings.SplitSeq(line, ",") {
				if len(field) > 5 && !strings.HasPrefix(field, "2026-") && !regexp.MustCompile(`^[0-9.]+$`).MatchString(field) {
					canaries = append(canaries, strings.TrimSpace(field))
				}
			}
		}
	}
	if !bytes.Contains(raw, []byte("payload")) || len(canaries) < 50 {
		t.Fatalf("%d canaries", len(canaries))
	}
	seen := 0
	err = filepath.WalkDir(s.public(), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if filepath.Base(filepath.Dir(name)) == "assets" {
			return nil // of the program, the same for everybody
		}
		seen++
		data, err := os.ReadFile(name)
		for _, canary := range canaries {
			if bytes.Contains(data, []byte(canary)) {
				t.Errorf("%s holds %q", name, canary)
			}
		}
		return err
	})
	if err != nil || seen < 15 {
		t.Errorf("%d files: %v", seen, err)
	}
}

// nodeScript runs the verifier for browsers under node: it reads a request with
// several files from standard input and prints the answers.
const nodeScript = `
const fs = require("node:fs"), zlib = require("node:zlib"), vm = require("node:vm");
const q = JSON.parse(fs.readFileSync(0, "utf8"));
vm.runInThisContext(fs.readFileSync(q.assets + "/wasm_exec.js", "utf8"));
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
(async () => {
	const go = new Go();
	const { instance } = await WebAssembly.instantiate(zlib.gunzipSync(fs.readFileSync(q.assets + "/verifier.bin")), go.importObject);
	await new Promise((resolve, reject) => { globalThis.attestaReady = resolve; go.run(instance).then(reject, reject); });
	const read = (files) => files.map((a) => ({ name: a.name, data: bytes(a.data) }));
	const anchors = read(q.anchors), accreditations = read(q.accreditations);
	const list = async (address) => address in q.lists ? bytes(q.lists[address]) : null;
	const answers = [];
	for (const presented of q.files)
		answers.push(JSON.parse(await attesta({ ...q.with, presented: bytes(presented), anchors, accreditations, list })));
	const wrong = await attesta({ ...q.with, now: "today", presented: new Uint8Array(), anchors, accreditations, list }).catch((e) => e.message);
	process.stdout.write(JSON.stringify({ answers, wrong }), () => process.exit(0));
})();
`

// TestTheSameInABrowser: the verifier for browsers gives the same reports, in
// the same words, as the one in this program (J9).
func TestTheSameInABrowser(t *testing.T) {
	t.Parallel()
	if _, err := offline.Files(); err != nil {
		required(t, "the verifier for browsers: go generate ./web/offline")
	}
	if _, err := exec.LookPath("node"); err != nil {
		required(t, "the program node")
	}
	s := survive(t)
	m, err := readManifest(s.public())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		language string
		now      time.Time
		until    time.Time
	}{{"it", fixedDay(), time.Time{}}, {"en", fixedDay().AddDate(1, 0, 0), time.Time{}}, {"en", fixedDay(), fixedDay().AddDate(9, 0, 0)}} {
		presented := [][]byte{nil, []byte("{}"), []byte(`{"a":1}`), bytes.Repeat([]byte("["), 5<<20)}
		for _, name := range []string{s.valid, s.revoked, s.suspended, s.broken} {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			presented = append(presented, raw, raw[:len(raw)/2])
		}
		got, wrong := inNode(t, s, m, presented, map[string]string{
			"made": m.Made.Format(time.RFC3339), "until": stampOr(c.until), "now": c.now.Format(time.RFC3339), "at": "", "origin": m.PublicURL, "language": c.language,
		})
		if !strings.Contains(wrong, "now is no time") {
			t.Errorf("a wrong request is answered with %q", wrong)
		}
		for n, raw := range presented {
			if diff := cmp.Diff(native(t, s, m, raw, c.language, c.now, c.until), got[n]); diff != "" {
				t.Errorf("%s, file %d (- here, + in a browser):\n%s", c.language, n, diff)
			}
		}
	}
}

func stampOr(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// native is the answer of this program, as a browser gets it.
func native(t *testing.T, s survivor, m manifest, presented []byte, language string, now, until time.Time) map[string]any {
	t.Helper()
	copied, err := openCopy(s.public())
	if err != nil {
		t.Fatal(err)
	}
	trust, err := keys.LoadTrust(filepath.Join(s.public(), "trust"))
	if err != nil {
		t.Fatal(err)
	}
	lists, err := heldFor("", s.public())
	if err != nil {
		t.Fatal(err)
	}
	v := verifier.New(verifier.Config{
		Trust: func() keys.Trust { return trust }, Now: func() time.Time { return now }, Fetcher: copied,
		Accreditations: func() accreditation.Lists { return lists },
	})
	report, then, err := v.VerifyCopy(t.Context(), presented, time.Time{}, m.Made)
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	answers, err := web.NewAnswers(zone)
	if err != nil {
		t.Fatal(err)
	}
	said, err := answers.OfCopy(web.Copy{PublicURL: m.PublicURL, Made: m.Made, Until: until}, language, report, then)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	var plain map[string]any
	if err := json.Unmarshal(raw, &plain); err != nil {
		t.Fatal(err)
	}
	return plain
}

// inNode asks the verifier for browsers.
func inNode(t *testing.T, s survivor, m manifest, presented [][]byte, with map[string]string) (answers []map[string]any, wrong string) {
	t.Helper()
	q := struct {
		Assets  string            `json:"assets"`
		With    map[string]string `json:"with"`
		Files   [][]byte          `json:"files"`
		Lists   map[string][]byte `json:"lists"`
		Anchors []namedFile       `json:"anchors"`
		Held    []namedFile       `json:"accreditations"`
	}{filepath.Join(s.public(), "assets"), with, presented, map[string][]byte{}, nil, nil}
	for n, f := range q.Files {
		if f == nil {
			q.Files[n] = []byte{}
		}
	}
	for _, f := range m.Files {
		data, err := os.ReadFile(filepath.Join(s.public(), filepath.FromSlash(f.Name)))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(f.Name, "status/") {
			q.Lists[m.PublicURL+f.Path] = data
		}
		switch {
		case strings.HasSuffix(f.Name, heldEnding):
			q.Held = append(q.Held, namedFile{f.Name, data})
		case strings.HasPrefix(f.Name, "trust/"):
			q.Anchors = append(q.Anchors, namedFile{f.Name, data})
		}
	}
	raw, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "-e", nodeScript)
	node.Stdin, node.Stderr = bytes.NewReader(raw), t.Output()
	out, err := node.Output()
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	var answer struct {
		Answers []map[string]any `json:"answers"`
		Wrong   string           `json:"wrong"`
	}
	if err := json.Unmarshal(out, &answer); err != nil || len(answer.Answers) != len(presented) {
		t.Fatalf("%d answers: %v\n%.500s", len(answer.Answers), err, out)
	}
	return answer.Answers, answer.Wrong
}
