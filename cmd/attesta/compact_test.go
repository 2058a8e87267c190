package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"attesta/brief"
	"attesta/presentation"
	"attesta/verifier"
)

// TestCompactQR goes the whole way of a compact QR: from the button of its holder
// to a picture, which the command, the page and the interface for programs read,
// alone and beside the file; and to a revocation.
func TestCompactQR(t *testing.T) {
	demo := startDemo(t)
	dir := t.TempDir()
	said := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if code := run(t.Context(), &console{out: &out, err: &out, getenv: func(string) string { return "" }, now: fixedDay}, args); code != want {
			t.Fatalf("attesta %s: exit code %d\n%s", args[0], code, out.String())
		}
		return out.String()
	}
	holder, _, _ := strings.Cut(demo.holder, "?")
	status, page := post(t, holder+"/compact", url.Values{})
	if status != http.StatusOK || !strings.Contains(page, "questo QR contiene il tuo nome") || strings.Contains(page, "AT1:") {
		t.Fatalf("%d %.2000s", status, page)
	}
	status, svg := post(t, holder+"/compact", url.Values{"as": {"file"}})
	if status != http.StatusOK {
		t.Fatal(status)
	}
	name := filepath.Join(dir, "photo.png")
	if err := os.WriteFile(name, asPicture(t, svg, 4), 0o600); err != nil {
		t.Fatal(err)
	}

	// The command, which asks the demonstration for keys and lists, and nobody.
	out := said(exitDone, "verify", name, "--data", demo.dir)
	if !strings.Contains(out, "VALID") || !strings.Contains(out, "short form") {
		t.Errorf("the command says %s", out)
	}
	if out := said(exitCannotTell, "verify", name, "--data", demo.dir, "--offline"); !strings.Contains(out, "SEAL BRIEF KEY") {
		t.Errorf("without a network the command says %s", out)
	}
	file := demo.download(t)
	var both struct {
		Results []struct {
			Report verifier.Report `json:"report"`
		} `json:"results"`
	}
	if err := json.Unmarshal([]byte(said(exitDone, "verify", name, file, "--data", demo.dir, "--json")), &both); err != nil || len(both.Results) != 2 {
		t.Fatalf("%v, %d results", err, len(both.Results))
	}
	short, whole := both.Results[0].Report, both.Results[1].Report
	if !short.Brief || whole.Brief || short.Document != whole.Document || short.Find(verifier.CheckSchema).Reason != "schema_brief_beside" {
		t.Errorf("beside the file: %+v", short.Checks)
	}

	// The page and the interface for programs, with the text that the picture holds.
	items := presentation.NewReader(demo.base).Read(t.Context(), presentation.File{Data: asPicture(t, svg, 3)})
	if len(items) != 1 || !strings.HasPrefix(string(items[0].Sealed), brief.Prefix) {
		t.Fatalf("the picture holds %+v", items)
	}
	text := string(items[0].Sealed)
	for _, presented := range []string{text, brief.Address(demo.base, text)} {
		if status, page := post(t, demo.base+"/verify", url.Values{"text": {presented}}); status != http.StatusOK || !strings.Contains(page, short.Summary.HolderName) || !strings.Contains(page, "solo la forma breve") ||
			!strings.Contains(page, "Il documento intero non è stato visto") || strings.Contains(page, "né il codice fiscale: si può") || strings.Contains(page, "Garanzia di qualità") {
			t.Errorf("%.40s: the page says %d %.3000s", presented, status, page)
		}
		var r verifier.Report
		if err := json.Unmarshal(reported(t, demo.base, "text", presented), &r); err != nil || r.Verdict != verifier.Valid || !r.Brief || r.Document != whole.Document {
			t.Errorf("%.40s: %v %+v", presented, err, r)
		}
	}

	// The command with the text, and by a static copy, which asks nobody.
	if out := said(exitDone, "verify", brief.Address("https://nobody.example", text), "--data", demo.dir); !strings.Contains(out, "VALID") {
		t.Errorf("the address: %s", out)
	}
	static := filepath.Join(dir, "static")
	said(exitDone, "export", "--static", static, "--data", demo.dir)
	for _, what := range []string{text, brief.Address(demo.base, text)} {
		if out := said(exitDone, "verify", what, "--static", static); !strings.Contains(out, "VALID") || !strings.Contains(out, short.Summary.HolderName) {
			t.Errorf("by a copy: %s", out)
		}
	}

	if err := demo.revoke(t, file); err != nil {
		t.Fatal(err)
	}
	if out := said(exitNo, "verify", name, "--data", demo.dir); !strings.Contains(out, "REVOKED") {
		t.Errorf("after a revocation the command says %s", out)
	}
	if status, _ := post(t, holder+"/compact", url.Values{}); status != http.StatusConflict {
		t.Errorf("after a revocation one is made: %d", status)
	}
}

// compactText is the text of the compact QR of a credential, as an installation
// that nobody has open makes it.
func compactText(t *testing.T, data, file string) string {
	t.Helper()
	a, err := open(t.Context(), &console{out: io.Discard, err: t.Output(), getenv: func(string) string { return "" }, now: fixedDay}, folder(data), "")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	id, err := idOf(file)
	if err != nil {
		t.Fatal(err)
	}
	record, err := a.issuer.Record(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	address, err := a.issuer.Brief(t.Context(), record, sealed)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := brief.In([]byte(address))
	return text
}

func post(t *testing.T, address string, form url.Values) (status int, body string) {
	t.Helper()
	response, err := http.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(raw)
}

var (
	sideOf = regexp.MustCompile(`viewBox="0 0 (\d+) `)
	runsOf = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-`)
)

// asPicture paints a QR that was drawn as lines, each module so many pixels wide.
func asPicture(t *testing.T, svg string, scale int) []byte {
	t.Helper()
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	side := number(sideOf.FindStringSubmatch(svg)[1])
	if version := (side - 8 - 17) / 4; version > 20 {
		t.Fatalf("the QR is of version %d", version)
	}
	picture := image.NewGray(image.Rect(0, 0, side*scale, side*scale))
	for n := range picture.Pix {
		picture.Pix[n] = 0xFF
	}
	for _, run := range runsOf.FindAllStringSubmatch(svg, -1) {
		x, y, width := number(run[1]), number(run[2]), number(run[3])
		for py := y * scale; py < (y+1)*scale; py++ {
			for px := x * scale; px < (x+width)*scale; px++ {
				picture.SetGray(px, py, color.Gray{})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
