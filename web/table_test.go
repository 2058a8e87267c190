package web

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/presentation"
	"attesta/verifier"
)

// upload is a file of a form.
type upload struct{ name, data string }

// several makes a form with files.
func several(t testing.TB, files ...upload) (io.Reader, string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for _, f := range files {
		part, err := m.CreateFormFile("file", f.name)
		if err == nil {
			_, err = io.WriteString(part, f.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return &b, m.FormDataContentType()
}

// shot is a picture of a QR, as a screenshot has it.
func shot(t testing.TB, content string) string {
	t.Helper()
	q, err := code(content)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := q.PNG(-5)
	if err != nil {
		t.Fatal(err)
	}
	return string(picture)
}

func archive(t testing.TB, files ...upload) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f.name)
		if err == nil {
			_, err = io.WriteString(w, f.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const ownAddress = "http://127.0.0.1:8080/v/"

// batch is one of each kind of thing that somebody may upload.
func batch(t testing.TB) []upload {
	t.Helper()
	return batchOf(t, ownAddress)
}

// batchOf is the same for a site whose answers begin with an address.
func batchOf(t testing.TB, own string) []upload {
	t.Helper()
	return []upload{
		{"zoe.jsonld", `{"a valid": "file"}`},
		{"anna.jsonld", `{"broken valid": 1}`},
		{"cv.pdf", "%PDF-1.7 nothing"},
		{"all.zip", archive(t, upload{"../bruno.jsonld", `{"unclear valid": 1}`}, upload{"scan.png", shot(t, own+handleRevoked)})},
		{"forged.png", shot(t, "https://verifica-attesta.example/v/"+handleValid)},
		{"unknown.png", shot(t, own+handleUnknown)},
		{"erased.png", shot(t, own+handleErased)},
		{"empty.jsonld", ""},
		{"words.png", shot(t, "javascript:alert(1)")},
	}
}

var tableField = regexp.MustCompile(`name="table" value="([^"]*)"`)

func again(r http.Handler, signed, rest string) *httptest.ResponseRecorder {
	return ask(r, "POST", "/verify/table?lang=it", strings.NewReader("table="+url.QueryEscape(signed)+rest), "Content-Type", "application/x-www-form-urlencoded")
}

// order lists the first cells of a table page.
func order(page string) (all []string) {
	for _, row := range regexp.MustCompile(`<tr role="row" class="[a-z_]+"><th[^>]*>(.*?)</th>`).FindAllStringSubmatch(page, -1) {
		all = append(all, text(row[1]))
	}
	return all
}

// TestBatch (Q1, F1, F6): each thing that was uploaded is one row, in order; what
// is broken, hostile or of another site is a row that says so.
func TestBatch(t *testing.T) {
	_, r := newSite(t, newWorld())
	body, kind := several(t, batch(t)...)
	answer := ask(r, "POST", "/verify?lang=it", body, "Content-Type", kind)
	page := answer.Body.String()
	if answer.Code != 200 || answer.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", answer.Code, answer.Header())
	}
	wellFormed(t, "table", page)
	want := []string{
		"zoe.jsonld", "anna.jsonld", "cv.pdf", "all.zip › bruno.jsonld", "all.zip › scan.png", "forged.png", "unknown.png", "erased.png", "empty.jsonld", "words.png",
	}
	if got := order(page); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("rows %q", got)
	}
	said := text(page)
	for _, words := range []string{
		"Valido: 1 · Non valido: 3 · Non è possibile dirlo ora: 1 · Niente da verificare: 5",
		"zoe.jsonld Valido Sigillo dimostrativo. Accreditamento: non verificabile Nicolò D’Angelo-Çelik Formare formatori con metodi partecipativi Scuola Dimostrativa per le Politiche Attive del Lavoro 29 maggio 2026",
		"anna.jsonld Non valido modificato o falso", "cv.pdf Niente da verificare Il PDF è danneggiato",
		"bruno.jsonld Non è possibile dirlo ora non riusciamo", "scan.png Non valido revocato il 3 luglio 2026 Nicolò",
		"Porta a un altro sito, verifica-attesta.example: non l’abbiamo aperto.", "non corrisponde a nessun attestato", "è stato cancellato",
		"Nel codice c’è solo un testo: javascript:alert(1)", "Verifica fatta il 21 novembre 2026 alle 14:05",
	} {
		if !strings.Contains(said, words) {
			t.Errorf("no %q in %s", words, said)
		}
	}
	if strings.Contains(page, "href=\"https://verifica") || strings.Contains(page, "..") {
		t.Error("the table leads to another site, or a name climbs")
	}
}

// TestTableAgain: a table is sorted and saved from what the page carries; one
// that this installation did not write is refused (J9), whatever was changed.
func TestTableAgain(t *testing.T) {
	_, r := newSite(t, newWorld())
	body, kind := several(t, batch(t)...)
	signed := tableField.FindStringSubmatch(ask(r, "POST", "/verify?lang=it", body, "Content-Type", kind).Body.String())[1]
	for by, want := range map[string]string{
		"given": "zoe.jsonld", "verdict": "anna.jsonld", "file": "all.zip › bruno.jsonld", "person": "zoe.jsonld", "nonsense": "zoe.jsonld", "": "zoe.jsonld",
	} {
		answer := again(r, signed, "&sort="+by)
		if got := order(answer.Body.String()); answer.Code != 200 || len(got) != 10 || got[0] != want {
			t.Errorf("by %s: %d %q", by, answer.Code, got)
		}
	}
	for _, bad := range []string{"", "x", signed[:len(signed)-1], "A" + signed[1:], signed[:200] + "A" + signed[201:], signed + "AAAA"} {
		if bad == signed {
			continue
		}
		if answer := again(r, bad, ""); answer.Code != 400 || verdictWords.MatchString(text(answer.Body.String())) {
			t.Errorf("%.20q…: %d %s", bad, answer.Code, text(answer.Body.String()))
		}
	}
	_, other := newSite(t, newWorld())
	if answer := again(other, signed, ""); answer.Code != 400 {
		t.Errorf("another installation: %d", answer.Code)
	}
	shared := func(c *Config) { c.TableKey = []byte("of both servers") }
	_, one := newSite(t, newWorld(), shared)
	_, two := newSite(t, newWorld(), shared)
	body, kind = several(t, batch(t)...)
	signed = tableField.FindStringSubmatch(ask(one, "POST", "/verify", body, "Content-Type", kind).Body.String())[1]
	if answer := again(two, signed, ""); answer.Code != 200 {
		t.Errorf("another server of the same installation: %d", answer.Code)
	}
	if answer := ask(one, "POST", "/verify/table", strings.NewReader("table=%zz"), "Content-Type", "application/x-www-form-urlencoded"); answer.Code != 400 {
		t.Errorf("bad escape: %d", answer.Code)
	}
	if answer := ask(one, "POST", "/verify/table", strings.NewReader("table="+strings.Repeat("x", 7<<20)), "Content-Type", "application/x-www-form-urlencoded"); answer.Code != 413 {
		t.Errorf("7 MB: %d", answer.Code)
	}
}

// TestTableCSV (F5): no cell is a formula, whatever files and credentials say.
func TestTableCSV(t *testing.T) {
	w := newWorld()
	w.report = func(b []byte) (verifier.Report, error) {
		report, err := judge(b)
		if report.Credential != nil {
			report.Credential.HolderName, report.Credential.Title = "=HYPERLINK(\"http://evil\")", credentials.Text{"it": " +1+1"}
			report.Credential.IssuerNames = credentials.Text{"it": "\uFF1Dcmd"}
		}
		return report, err
	}
	_, r := newSite(t, w)
	body, kind := several(t, upload{"=1+1.jsonld", `{"valid": 1}`}, upload{"@x.jsonld", `{"valid": 2}`}, upload{"-a;\"b\".pdf", "%PDF-"})
	page := ask(r, "POST", "/verify?lang=it", body, "Content-Type", kind).Body.String()
	answer := again(r, tableField.FindStringSubmatch(page)[1], "&as=csv")
	h := answer.Header()
	if answer.Code != 200 || h.Get("Content-Type") != "text/csv; charset=utf-8" || h.Get("Content-Disposition") != `attachment; filename="verifiche-2026-11-21.csv"` || h.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", answer.Code, h)
	}
	reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(answer.Body.String(), "\uFEFF")))
	reader.Comma = ';'
	rows, err := reader.ReadAll()
	if err != nil || len(rows) != 4 || len(rows[0]) != 9 {
		t.Fatalf("%q %v", rows, err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if regexp.MustCompile("^\\s*[=+@\uFF1D-]").MatchString(cell) {
				t.Errorf("a formula: %q", cell)
			}
		}
	}
	if rows[1][5] != "2026-05-29" || rows[1][7] != "2026-11-21 14:05" || rows[3][1] != "Niente da verificare" || rows[3][8] != fmt.Sprintf("%x", sha256.Sum256([]byte("%PDF-"))) {
		t.Errorf("%q", rows)
	}
}

// TestTableOfAnotherDay: a table about another day says so, also when it is sorted
// or saved, and its links lead to answers about that day.
func TestTableOfAnotherDay(t *testing.T) {
	_, r := newSite(t, newWorld())
	for day, there := range map[string]bool{"2026-03-14": true, "": false, "2026-11-21": false} {
		var b strings.Builder
		m := multipart.NewWriter(&b)
		for _, field := range [][2]string{{"at", day}, {"text", handleValid + "\n" + handleValid}} {
			if err := m.WriteField(field[0], field[1]); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		page := ask(r, "POST", "/verify?lang=it", strings.NewReader(b.String()), "Content-Type", m.FormDataContentType()).Body.String()
		found := tableField.FindStringSubmatch(page)
		if found == nil {
			t.Fatalf("%q: no table: %s", day, text(page))
		}
		for step, shown := range map[string]string{"first": page, "sorted": again(r, found[1], "&sort=verdict").Body.String()} {
			if strings.Contains(text(shown), "La risposta riguarda il 14 marzo 2026") != there || strings.Contains(shown, "/v/"+handleValid+"?at=2026-03-14") != there {
				t.Errorf("%q, %s: the table says the day: %v", day, step, !there)
			}
		}
		saved := again(r, found[1], "&as=csv").Body.String()
		if strings.Contains(saved, "Giorno richiesto") != there || strings.Contains(saved, "2026-03-14") != there {
			t.Errorf("%q: %s", day, saved)
		}
	}
}

// TestUnjudged (Q1, Q2, Q3): one thing that is no credential of ours gets a page
// that shows where it leads, plainly, and no link to it.
func TestUnjudged(t *testing.T) {
	w := newWorld()
	w.report = func([]byte) (verifier.Report, error) { t.Error("judged"); return verifier.Report{}, nil }
	_, r := newSite(t, w)
	for name, c := range map[string]struct {
		content string
		code    int
		want    []string
	}{
		"another site":      {shot(t, "https://attesta.evil.example/v/"+handleValid), 400, []string{"non porta a una nostra pagina di verifica", "attesta.evil.example", "non l’abbiamo aperto", "Questo sito invece è http://127.0.0.1:8080"}},
		"a look-alike":      {shot(t, "https://\u0430ttesta.example/v/"), 400, []string{"\u0430ttesta.example", "xn--ttesta-2nf.example", "possono imitarne"}},
		"a script":          {shot(t, "javascript:alert(1)//<script>"), 400, []string{"non porta a un attestato", "javascript:alert(1)//<script>"}},
		"a claim link":      {shot(t, "http://127.0.0.1:8080/c/"+tokenValid), 400, []string{"non è quello di una pagina di verifica"}},
		"no QR":             {blank(t), 400, []string{"non abbiamo trovato un QR"}},
		"a PDF of text":     {"%PDF-1.7 valid valid valid", 400, []string{"Il PDF è danneggiato"}},
		"our handle":        {shot(t, ownAddress+handleValid), 303, nil},
		"our unknown code":  {shot(t, ownAddress+handleUnknown), 303, nil},
		"open redirect":     {shot(t, ownAddress+handleValid+"?next=https://evil.example"), 400, []string{"non è quello di una pagina di verifica"}},
		"direction of text": {shot(t, "https://evil.example/\u202Egnp"), 400, []string{"non porta a un attestato"}},
	} {
		body, kind := several(t, upload{"x.png", c.content})
		answer := ask(r, "POST", "/verify?lang=it", body, "Content-Type", kind)
		page := answer.Body.String()
		if answer.Code != c.code {
			t.Errorf("%s: %d %s", name, answer.Code, text(page))
		}
		for _, want := range c.want {
			if !strings.Contains(text(page), want) {
				t.Errorf("%s: no %q in %s", name, want, text(page))
			}
		}
		if strings.Contains(page, `href="https://`) || strings.Contains(page, "<script") || strings.Contains(page, "\u202E") || strings.Contains(answer.Header().Get("Location"), "evil") {
			t.Errorf("%s: %s", name, page)
		}
		if c.code != 303 {
			wellFormed(t, name, page)
		}
	}
}

// blank is a picture without a QR.
func blank(t testing.TB) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 100, 100))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPastedLines: several codes or links, one on each line, are several checks.
func TestPastedLines(t *testing.T) {
	_, r := newSite(t, newWorld())
	answer := paste(&reader{r, "it"}, strings.ToLower(handleValid)+"\r\n\r\n"+ownAddress+handleRevoked+"\nhttps://evil.example/x\n")
	if got := order(answer.Body.String()); answer.Code != 200 || fmt.Sprint(got) != fmt.Sprint([]string{handleValid, handleRevoked, "https://evil.example/x"}) {
		t.Errorf("%d %q", answer.Code, got)
	}
	if answer := paste(&reader{r, "it"}, "{\n \"valid\": 1,\n \"x\": 2\n}"); answer.Code != 200 || !strings.Contains(text(answer.Body.String()), "Valido") || strings.Contains(answer.Body.String(), "<table") {
		t.Errorf("JSON on several lines: %d", answer.Code)
	}
}

// TestBatchBounds: 200 files and no more; a crash or a fault in one is a fault of
// all and no verdict; time that runs out is said.
func TestBatchBounds(t *testing.T) {
	var files []upload
	for n := range presentation.MaxFiles {
		files = append(files, upload{fmt.Sprint(n), `{"valid": 1}`})
	}
	_, r := newSite(t, newWorld())
	body, kind := several(t, files...)
	if answer := ask(r, "POST", "/verify", body, "Content-Type", kind); answer.Code != 200 || len(order(answer.Body.String())) != 200 {
		t.Errorf("200 files: %d, %d rows", answer.Code, len(order(answer.Body.String())))
	}
	body, kind = several(t, append(files, upload{"x", "y"})...)
	if answer := ask(r, "POST", "/verify", body, "Content-Type", kind); answer.Code != 413 || !strings.Contains(text(answer.Body.String()), "200 file") {
		t.Errorf("201 files: %d", answer.Code)
	}
	body, kind = several(t, upload{"a", strings.Repeat("x", 52<<20)})
	if answer := ask(r, "POST", "/verify", body, "Content-Type", kind); answer.Code != 413 {
		t.Errorf("52 MB: %d", answer.Code)
	}
	for name, report := range map[string]func([]byte) (verifier.Report, error){
		"error": func([]byte) (verifier.Report, error) { return verifier.Report{Verdict: verifier.Valid}, errBroken },
		"panic": func([]byte) (verifier.Report, error) { panic("at /home/secret") },
	} {
		w := newWorld()
		w.report = report
		_, r := newSite(t, w)
		body, kind := several(t, files[:3]...)
		answer := ask(r, "POST", "/verify", body, "Content-Type", kind)
		if page := text(answer.Body.String()); answer.Code != 500 || strings.Contains(page, "Valido:") || strings.Contains(page, "/home") {
			t.Errorf("%s: %d %s", name, answer.Code, page)
		}
	}
	late := newWorld()
	_, r = newSite(t, late, func(c *Config) {
		c.Verify = func(context.Context, []byte, time.Time) (verifier.Report, error) {
			return verifier.Report{}, &presentation.Problem{Code: "late"}
		}
	})
	body, kind = several(t, files[:3]...)
	if page := text(ask(r, "POST", "/verify?lang=it", body, "Content-Type", kind).Body.String()); !strings.Contains(page, "Ripeti con meno file") {
		t.Error(page)
	}
}

// TestLargeUploadsTakeTurns (W9): few large bodies are read at once; small ones
// do not wait for them.
func TestLargeUploadsTakeTurns(t *testing.T) {
	s, r := newSite(t, newWorld())
	for range largeAtOnce {
		s.large.all <- struct{}{}
	}
	body, kind := several(t, upload{"a", `{"valid": 1}`})
	request := httptest.NewRequest(http.MethodPost, "/verify", body)
	request.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	r.ServeHTTP(w, request)
	if w.Code != 200 {
		t.Errorf("a small one: %d", w.Code)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	body, kind = several(t, upload{"a", strings.Repeat(" ", 5<<20)})
	request = httptest.NewRequest(http.MethodPost, "/verify", body).WithContext(ctx)
	request.Header.Set("Content-Type", kind)
	w = httptest.NewRecorder()
	r.ServeHTTP(w, request)
	if strings.Contains(w.Body.String(), "verdict") {
		t.Errorf("a large one was taken: %d", w.Code)
	}
}

// TestBatchLeavesNoTrace (R1): names of files, people and codes are in no log.
func TestBatchLeavesNoTrace(t *testing.T) {
	var log bytes.Buffer
	_, r := newSite(t, newWorld(), func(c *Config) { c.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	files := append(batch(t), upload{"CANARY Ñandù 1987.pdf", "%PDF-"})
	for _, path := range []string{"/verify", "/api/v1/verify"} {
		body, kind := several(t, files...)
		page := ask(r, "POST", path, body, "Content-Type", kind).Body.String()
		if found := tableField.FindStringSubmatch(page); found != nil {
			again(r, found[1], "&as=csv")
		}
	}
	for _, secret := range []string{"CANARY", "zoe", handleRevoked, handleUnknown, "Angelo", "evil"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %s:\n%s", secret, log.String())
		}
	}
	if !strings.Contains(log.String(), `"/verify/table"`) {
		t.Error(log.String())
	}
}
