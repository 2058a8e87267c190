package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"attesta/verifier"
)

// About what was presented there is always an answer; what the page asks wrongly
// is an error, and never an answer (J9). That a browser gives the same answers is
// tested where there are credentials.
func TestCheck(t *testing.T) {
	j, err := newJudge()
	if err != nil {
		t.Fatal(err)
	}
	good := request{Now: "2026-11-21T10:00:00Z", Made: "2026-11-21T09:00:00Z", Origin: "https://x.example", Language: "en"}
	for name, presented := range map[string][]byte{"nothing": nil, "no credential": []byte("{}"), "depth": bytes.Repeat([]byte("["), 1<<20)} {
		q := good
		q.Presented = presented
		said, err := j.check(t.Context(), q)
		if err != nil || said.Report.Verdict != verifier.NotValid || !strings.Contains(said.HTML, "Not valid") || said.Then != nil {
			t.Errorf("%s: %+v %v", name, said.Report, err)
		}
	}
	for language, want := range map[string]string{"it": "Non valido", "de": "Nicht gültig", "fr": "Non valide", "xx": "Non valido"} {
		q := good
		q.Language, q.Presented = language, []byte("{}")
		if said, err := j.check(t.Context(), q); err != nil || !strings.Contains(said.HTML, want) {
			t.Errorf("%s: %s %v", language, said.HTML, err)
		}
	}
	for name, c := range map[string]struct{ presented, says string }{
		"a PDF without":    {"%PDF-1.7\n", "The PDF is damaged"},
		"an SVG without":   {`<svg xmlns="http://www.w3.org/2000/svg"/>`, "The SVG picture holds no credential"},
		"a code of ours":   {"https://x.example/v/AAAAAAAAAAAAAAAAAAAAAAAAAA", "holds nobody’s credentials"},
		"a link elsewhere": {"https://evil.example/v/x", "evil.example"},
	} {
		q := good
		q.Presented = []byte(c.presented)
		said, err := j.check(t.Context(), q)
		if err != nil || said.Report.Verdict != "" || !strings.Contains(said.HTML, c.says) || strings.Contains(said.HTML, `href="`) {
			t.Errorf("%s: %v\n%s", name, err, said.HTML)
		}
	}
	for name, change := range map[string]func(*request){
		"no time":       func(q *request) { q.Now = "" },
		"a wrong time":  func(q *request) { q.Made = "yesterday" },
		"no anchor":     func(q *request) { q.Anchors = []file{{"trust/x.json", []byte("{}")}} },
		"an anchor cut": func(q *request) { q.Anchors = []file{{"trust/x.pem", []byte("-----BEGIN")}} },
	} {
		q := good
		change(&q)
		if said, err := j.check(t.Context(), q); err == nil || said.HTML != "" {
			t.Errorf("%s: %q", name, said.HTML)
		}
	}
}

// A compact QR is judged with the published keys that the page gives, else with
// those that it is asked for; without them nothing of it is shown.
func TestCompactQR(t *testing.T) {
	j, err := newJudge()
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	text, set := read("compact.txt"), read("jwks.json")
	anchor := func(name string) []byte {
		if name == own {
			return read(own)
		}
		return bytes.ReplaceAll(read(own), []byte("https://scuola.example.org"), []byte("https://other.example"))
	}
	asked := []string{}
	for _, tt := range []struct {
		name      string
		presented []byte
		keys      []byte
		published []byte
		anchor    string
		reason    string
		asks      bool
	}{
		{"keys given", text, set, nil, own, "status_unreachable", false},
		{"a whole address", append([]byte("HTTPS://SCUOLA.EXAMPLE.ORG/C#"), text...), set, nil, own, "status_unreachable", false},
		{"keys asked for", text, nil, set, own, "status_unreachable", true},
		{"keys asked for, and no anchor names the installation", text, nil, set, "authority.json", "status_unreachable", true},
		{"no keys", text, nil, nil, own, "seal_brief_key", true},
		{"keys that cannot be read", text, []byte("<html>"), nil, own, "seal_brief_key", true},
		{"a part of it", text[:len(text)/2], set, nil, own, "format_brief_unreadable", false},
	} {
		asked = asked[:0]
		said, err := j.check(t.Context(), request{
			Presented: tt.presented, Keys: tt.keys, Now: "2026-11-22T10:00:00Z", Origin: "https://scuola.example.org", Language: "en",
			Anchors: []file{{tt.anchor, anchor(tt.anchor)}},
			Fetcher: page(func(address string) ([]byte, error) {
				asked = append(asked, address)
				if address == "https://scuola.example.org/.well-known/jwks.json" && tt.published != nil {
					return tt.published, nil
				}
				return nil, verifier.ErrUnreachable
			}),
		})
		if err != nil || said.Report.Reason != tt.reason {
			t.Fatalf("%s: %s %v", tt.name, said.Report.Reason, err)
		}
		if shown := strings.Contains(said.HTML, "Ada Esempio"); shown != (tt.reason == "status_unreachable") {
			t.Errorf("%s: the name is shown: %v", tt.name, shown)
		}
		if (len(asked) > 0 && strings.HasSuffix(asked[0], "/jwks.json")) != tt.asks {
			t.Errorf("%s: asked %q", tt.name, asked)
		}
	}
}

// A credential for wallets is judged as elsewhere, however it was written down.
func TestWalletCredential(t *testing.T) {
	j, err := newJudge()
	if err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile(filepath.Join("testdata", "wallet.sdjwt"))
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(filepath.Join("testdata", "authority.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		presented []byte
		anchors   []file
		reason    string
	}{
		"as it is":         {token, []file{{"trust/authority.pem", authority}}, "valid"},
		"in parts":         {bytes.ReplaceAll(token, []byte("~"), []byte("~\r\n")), []file{{"trust/authority.pem", authority}}, "valid"},
		"without a part":   {token[:bytes.LastIndexByte(token, '~')], []file{{"trust/authority.pem", authority}}, "format_sdjwt_unreadable"},
		"changed":          {bytes.Replace(token, []byte("."), []byte(".e"), 1), []file{{"trust/authority.pem", authority}}, "format_sdjwt_unreadable"},
		"nobody vouches":   {token, nil, "issuer_unrecognised"},
		"its proof is cut": {token[:len(token)-4], []file{{"trust/authority.pem", authority}}, "seal_sdjwt_holder"},
	} {
		said, err := j.check(t.Context(), request{
			Presented: c.presented, Now: "2026-11-22T20:00:00Z", Origin: "https://scuola.example.org", Language: "en", Anchors: c.anchors,
		})
		if err != nil || said.Report.Reason != c.reason {
			t.Errorf("%s: %s %v", name, said.Report.Reason, err)
		}
		if shown := strings.Contains(said.HTML, "Ada Esempio"); shown != (c.reason == "valid" || c.reason == "issuer_unrecognised") {
			t.Errorf("%s: the name is shown: %v", name, shown)
		}
	}
}

// page answers like the page that asks.
type page func(address string) ([]byte, error)

func (p page) Fetch(_ context.Context, address string, _ []string) ([]byte, error) { return p(address) }
