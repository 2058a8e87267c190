package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/skip2/go-qrcode"
)

// withAttachment is a PDF whose page says VALID and which carries a file.
func withAttachment(data []byte) []byte {
	var b bytes.Buffer
	var at []int
	object := func(format string, args ...any) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n", len(at))
		fmt.Fprintf(&b, format+"\nendobj\n", args...)
	}
	b.WriteString("%PDF-1.7\n")
	object("<</Type /Catalog /Pages 2 0 R /Names <</EmbeddedFiles <</Names [(a) 3 0 R]>>>>>>")
	object("<</Type /Pages /Kids [] /Count 0>>")
	object("<</Type /Filespec /UF (attestato.jsonld) /EF <</F 4 0 R>>>>")
	object("<</Type /EmbeddedFile /Length %d>>\nstream\n%s\nendstream", len(data), data)
	object("<</Length 19>>\nstream\nBT (VALIDO) Tj ET  \nendstream")
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<</Root 1 0 R /Size %d>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return b.Bytes()
}

// asBadge is a PNG that carries a credential.
func asBadge(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	body := append([]byte("iTXtopenbadges\x00\x00\x00\x00\x00"), data...)
	whole := b.Bytes()
	end := len(whole) - 12
	out := binary.BigEndian.AppendUint32(append([]byte{}, whole[:end]...), uint32(len(body)-4))
	out = binary.BigEndian.AppendUint32(append(out, body...), crc32.ChecksumIEEE(body))
	return append(out, whole[end:]...)
}

func asArchive(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"a.jsonld", "b.jsonld", "c.pdf"} {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asQR(t *testing.T, text string) []byte {
	t.Helper()
	picture, err := qrcode.Encode(text, qrcode.Medium, 400)
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// candidates writes the files of an agency into a folder and returns their names.
func (d runningDemo) candidates(t *testing.T) []string {
	t.Helper()
	file := d.download(t)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := os.ReadFile(tampered(t, file))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var names []string
	for _, f := range []struct {
		name string
		data []byte
	}{
		{"rossi.jsonld", good},
		{"bianchi.jsonld", changed},
		{"verdi cv.pdf", withAttachment(good)},
		{"neri badge.png", asBadge(t, good)},
		{"gialli.zip", asArchive(t, map[string][]byte{"a.jsonld": good, "b.jsonld": changed, "c.pdf": []byte("%PDF-1.4 VALIDO")})},
		{"foto.png", asQR(t, d.check)},
		{"falso.png", asQR(t, "https://attesta-verifica.example/v/AAAAAAAAAAAAAAAAAAAAAAAAAA")},
	} {
		name := filepath.Join(dir, f.name)
		if err := os.WriteFile(name, f.data, 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// TestVerifyMany checks what an agency has from candidates in a terminal: a PDF
// is judged by what is attached to it, a badge by what is in it, and an archive
// by its files (F1, F3, F6); the QR is told where it leads (Q1).
func TestVerifyMany(t *testing.T) {
	demo := startDemo(t)
	files := demo.candidates(t)
	check := func(args ...string) (int, string) {
		var out, errors bytes.Buffer
		code := run(t.Context(), &console{out: &out, err: &errors, getenv: func(string) string { return "" }, now: fixedDay}, append([]string{"verify", "--data", demo.dir}, args...))
		return code, out.String() + errors.String()
	}
	for n, want := range []struct {
		code  int
		first string
	}{
		{exitDone, "VALID\n"},
		{exitNo, "NOT VALID: SEAL BROKEN\n"},
		{exitDone, "VALID\n"},
		{exitDone, "VALID\n"},
		{exitNo, "VALID             gialli.zip › a.jsonld  "},
		{exitCannotTell, "NOTHING TO CHECK\n  it leads to " + demo.check},
		{exitCannotTell, "NOTHING TO CHECK\n  it leads to https://attesta-verifica.example/v/AAAAAAAAAAAAAAAAAAAAAAAAAA (site attesta-verifica.example); it was not opened"},
	} {
		code, out := check(files[n])
		if code != want.code || !strings.HasPrefix(out, want.first) {
			t.Errorf("%s: %d\n%s", filepath.Base(files[n]), code, out)
		}
	}
	code, out := check(files...)
	if code != exitNo || !strings.Contains(out, "verdi cv.pdf › attestato.jsonld  Niccolò D’Angelo") ||
		!strings.HasSuffix(out, "9 things: 4 valid, 2 not valid, 0 cannot tell, 3 with nothing to check\n") {
		t.Errorf("all: %d\n%s", code, out)
	}
	code, out = check(files[0], files[2], files[3])
	if code != exitDone {
		t.Errorf("three good ones: %d\n%s", code, out)
	}
	code, out = check(append(files, "--json")...)
	var answer struct {
		Results []struct {
			Name, Found string
			Report      *struct{ Verdict string }
			Problem     *struct{ Code string }
		}
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || code != exitNo || len(answer.Results) != 9 || answer.Results[6].Problem.Code != "pdf_damaged" || answer.Results[1].Report.Verdict != "not_valid" {
		t.Errorf("as JSON: %d, %v\n%s", code, err, out)
	}
}

// TestBrowserMany: on a phone and without JavaScript, somebody chooses several
// files, reads the table, sorts it and opens what came with a QR; a QR that leads
// elsewhere is shown and not opened.
func TestBrowserMany(t *testing.T) {
	demo := startDemo(t)
	b := newBrowser(t)
	files := demo.candidates(t)
	if _, err := chromedp.Call(b.tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.open(demo.employer)
	b.shot("verify-many-form", 420)
	b.do(chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), files))
	b.press("form button")
	b.says("main", "Valido: 5", "Niente da verificare: 2", "Non valido: 2", "rossi.jsonld", "verdi cv.pdf › attestato.jsonld", "attesta-verifica.example", "Niccolò D’Angelo")
	b.shot("verify-many-table", 420)
	b.shot("verify-many-table-wide", 1100)
	b.do(chromedp.EmulateViewport(420, 900))
	b.press("button[value=verdict]")
	b.says("tbody tr:first-child", "Non valido")
	b.shot("verify-many-sorted", 420)
	b.press("th.file a")
	b.says("h1", "Valido")
	for _, c := range []struct {
		file int
		says string
	}{{5, "Valido"}, {2, "Valido"}, {6, "non porta a una nostra pagina"}} {
		b.open(demo.employer)
		b.upload("input[type=file]", files[c.file], "form button")
		b.says("h1", c.says)
	}
	b.says("main", "attesta-verifica.example", "non l’abbiamo aperto")
	b.shot("verify-elsewhere", 420)
	b.asksOnly(demo.base)
}

// TestSixHundred is a count and no time: 600 credentials in one archive are
// 600 rows, each judged.
func TestSixHundred(t *testing.T) {
	demo := startDemo(t)
	good, err := os.ReadFile(demo.download(t))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for n := range 600 {
		w, err := z.Create(fmt.Sprint(n, ".jsonld"))
		if err == nil {
			_, err = w.Write(good)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	status, page := demo.post(t, file("all.zip", b.Bytes()))
	t.Logf("figures: 600 credentials in an archive of %d kB, over HTTP, in %v", b.Len()>>10, time.Since(begun).Round(time.Millisecond))
	if status != 200 || !strings.Contains(page, "Valido: 600<") {
		t.Errorf("%d %.3000s", status, page)
	}
}
