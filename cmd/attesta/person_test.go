package main

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestIsItThisPerson goes the whole way of a birth date and a tax code (Q2, R1):
// from the list of a provider into a sealed file, which the holder's link gives
// and the QR does not, and to the question of an employer on the page behind the
// QR and with the file.
func TestIsItThisPerson(t *testing.T) {
	demo := startDemo(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	said := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		code := run(t.Context(), &console{out: &out, err: &out, getenv: func(string) string { return "" }, now: fixedDay}, args)
		if code != want {
			t.Fatalf("attesta %s: exit code %d\n%s", args[0], code, out.String())
		}
		return out.String()
	}
	said(exitDone, "import", "--data", demo.dir, "--learners", write("people.csv",
		"learner_id,given_name,family_name,email,birth_date,codice_fiscale\nZQX-1,Maria,Rossi,maria@allievi.example.org,1980-01-01,RSSMRA80A01H501U\n"))
	said(exitDone, "issue", "--data", demo.dir, "--out", filepath.Join(dir, "out"), "--completions", write("class.csv",
		"row_id,learner_id,module_code,edition,completion_date,attendance_percent,result\nP1,ZQX-1,SN-11,SN-11/2026/C,2026-05-29,100,passed\n"))
	check, claim := addressesIn(t, filepath.Join(dir, "out", "results.csv"))

	// The file goes out by the holder's link only.
	sealed := get(t, claim+"/credential.jsonld")
	if !bytes.Contains(sealed, []byte("RSSMRA80A01H501U")) {
		t.Fatal("the control: the file holds no tax code")
	}
	if out := said(exitCannotTell, "verify", check, "--data", demo.dir); !strings.Contains(out, "does not hand this out") || !strings.Contains(out, "ask the holder for the file") {
		t.Errorf("the command says %s", out)
	}
	said(exitDone, "verify", claim+"/credential.jsonld", "--data", demo.dir)
	if page := string(get(t, check)); strings.Contains(page, "RSSMRA80") || strings.Contains(page, "1980") {
		t.Error("the page behind the QR shows what it should only compare")
	}

	for _, c := range []struct{ birth, number, want string }{
		{"01.01.1980", "", "corrisponde a quello"},
		{"", "rssmra80 a01 h501u", "corrisponde a quello"},
		{"2/1/1980", "RSSMRA80A01H501U", "Non valido per questa persona"},
		{"1.1.80", "", "Scrivi l’anno con quattro cifre"},
	} {
		response, err := http.PostForm(check, url.Values{"birth": {c.birth}, "number": {c.number}})
		if err != nil {
			t.Fatal(err)
		}
		var page bytes.Buffer
		_, err = page.ReadFrom(response.Body)
		response.Body.Close()
		if text := page.String(); err != nil || !strings.Contains(text, c.want) || strings.Contains(text, "1980") || strings.Contains(strings.ToUpper(text), "RSSMRA80") {
			t.Errorf("%+v: %d %v\n%.3000s", c, response.StatusCode, err, text)
		}
	}
}

// addressesIn are the addresses of the one credential in a table of results.
func addressesIn(t *testing.T, name string) (check, claim string) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	table := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	table.Comma = ';'
	rows, err := table.ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	at := func(column string) string {
		n := slices.Index(rows[0], column)
		if n < 0 {
			t.Fatalf("no column %s in %q", column, rows[0])
		}
		return rows[1][n]
	}
	return at("check_url"), at("claim_url")
}
