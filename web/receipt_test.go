package web

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"attesta/keys"
	"attesta/presentation"
	"attesta/receipt"
	"attesta/receipt/receipttest"
)

// withReceipts gives a site a key for receipts that is its own root.
func withReceipts(t testing.TB) (func(*Config), *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "attestati.example.org (ricevute)"}, NotBefore: now().AddDate(-1, 0, 0), NotAfter: now().AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	signer := receipt.Signer{Key: key, Chain: []*x509.Certificate{root}}
	return func(c *Config) {
		c.Receipts = func(context.Context) (receipt.Signer, error) { return signer, nil }
	}, root
}

// signedBy holds a receipt against its signature.
func signedBy(pdf []byte, root *x509.Certificate) error {
	_, err := receipttest.Check(pdf, root, now())
	return err
}

// parts are the fields of a table on a page.
func parts(page string) (all []string) {
	for _, found := range tableField.FindAllStringSubmatch(page, -1) {
		all = append(all, found[1])
	}
	return all
}

func asReceipt(r *reader, parts ...string) *httptest.ResponseRecorder {
	return ask(r.r, "POST", "/verify/table?lang="+r.lang, strings.NewReader(url.Values{"table": parts, "as": {"receipt"}}.Encode()), "Content-Type", "application/x-www-form-urlencoded")
}

// TestReceipt: the table and the answer about one file lead to a receipt with a
// good signature; dropped on the page of the check it is a receipt and no
// credential.
func TestReceipt(t *testing.T) {
	for _, lang := range []string{"it", "en"} {
		with, root := withReceipts(t)
		_, mux := newSite(t, newWorld(), with)
		for name, files := range map[string][]upload{"many": batch(t), "one": {{"zoe.jsonld", `{"a valid": "file"}`}}} {
			body, kind := several(t, files...)
			page := ask(mux, "POST", "/verify?lang="+lang, body, "Content-Type", kind).Body.String()
			answer := asReceipt(&reader{mux, lang}, parts(page)...)
			file := map[string]string{"it": "ricevuta", "en": "receipt"}[lang]
			if h := answer.Header(); answer.Code != 200 || h.Get("Content-Type") != "application/pdf" || h.Get("Cache-Control") != "no-store" ||
				h.Get("Content-Disposition") != `attachment; filename="`+file+`-2026-11-21.pdf"` {
				t.Fatalf("%s: %d %v", name, answer.Code, h)
			}
			pdf := answer.Body.Bytes()
			if err := signedBy(pdf, root); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			changed := bytes.Clone(pdf)
			changed[len(changed)/3] ^= 1
			if signedBy(changed, root) == nil {
				t.Errorf("%s: a changed one is good", name)
			}
			body, kind = several(t, upload{"ricevuta.pdf", string(pdf)})
			said := text(ask(mux, "POST", "/verify?lang="+lang, body, "Content-Type", kind).Body.String())
			if want := map[string]string{"it": "È una ricevuta di verifiche già fatte", "en": "It is a receipt of checks made before"}[lang]; !strings.Contains(said, want) {
				t.Errorf("%s: dropped: %s", name, said)
			}
		}
	}
}

// TestReceiptSays: a receipt says of each file its verdict and its digest, of
// whose installation it is and with which key, that it is no qualified seal, and of
// nobody the name.
func TestReceiptSays(t *testing.T) {
	with, root := withReceipts(t)
	s, mux := newSite(t, newWorld(), with, func(c *Config) { c.Demonstration = true })
	body, kind := several(t, batch(t)...)
	request := httptest.NewRequest(http.MethodPost, "/verify?lang=it", body)
	request.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, request)
	all, err := s.readTables(parts(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := s.Receipts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := Page{words: s.catalogue["it"], Lang: "it", zone: s.Zone}
	c := s.receiptOf(p, all, signer)
	said := fmt.Sprint(c)
	for _, want := range []string{
		"21 novembre 2026 alle 14:05 (ora italiana), UTC+01:00", "http://127.0.0.1:8080 (dimostrazione", keys.Fingerprint(root), "(ricevute), " + keys.Fingerprint(root)[:16],
		"Verifiche: 10 · Valido: 1 · Non valido: 3 · Non è possibile dirlo ora: 1 · Niente da verificare: 5", "Non è un sigillo qualificato",
		"File: «all.zip › bruno.jsonld»", "revocato il 3 luglio 2026", "Scuola Dimostrativa", fmt.Sprintf("%x", sha256.Sum256([]byte(`{"unclear valid": 1}`))),
	} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in %s", want, said)
		}
	}
	if strings.Contains(said, "Angelo") || len(c.Rows) != 10 || c.Page(2, 3) != "pagina 2 di 3" {
		t.Errorf("%s", said)
	}
}

// TestReceiptTimes: where files were checked at several moments, a receipt says of each
// the one at which it was; where it was one moment, once.
func TestReceiptTimes(t *testing.T) {
	with, _ := withReceipts(t)
	at := now()
	s, mux := newSite(t, newWorld(), with, func(c *Config) { c.Now = func() time.Time { return at } })
	var signed []string
	for n := range 3 {
		rows, _ := group(t, &reader{mux, "it"}, upload{fmt.Sprint(n, ".jsonld"), `{"valid": 1}`})
		signed = append(signed, rows.Table)
		at = at.Add(time.Minute)
	}
	signer, err := s.Receipts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := Page{words: s.catalogue["it"], Lang: "it", zone: s.Zone}
	for _, c := range []struct {
		parts []string
		want  []string
	}{
		{signed, []string{"14:05", "14:06", "14:07"}},
		{[]string{signed[2], signed[0]}, []string{"14:07", "14:05"}},
		{signed[:1], []string{""}},
	} {
		all, err := s.readTables(c.parts)
		if err != nil {
			t.Fatal(err)
		}
		for n, row := range s.receiptOf(p, all, signer).Rows {
			last := row.Facts[len(row.Facts)-1]
			if c.want[n] == "" && last.Name == "Verificato il" ||
				c.want[n] != "" && (last.Name != "Verificato il" || last.Value != "21 novembre 2026 alle "+c.want[n]+" (ora italiana), UTC+01:00") {
				t.Errorf("%d of %d: %v", n, len(c.want), last)
			}
		}
	}
}

// TestTableAge: a table counts for a working day, also when the clock of another
// server is a little behind; later, or when it is from days to come, it is refused.
func TestTableAge(t *testing.T) {
	with, _ := withReceipts(t)
	at := now()
	_, mux := newSite(t, newWorld(), with, func(c *Config) { c.Now = func() time.Time { return at } })
	body, kind := several(t, batch(t)...)
	signed := parts(ask(mux, "POST", "/verify?lang=it", body, "Content-Type", kind).Body.String())
	for age, want := range map[time.Duration]int{0: 200, 11 * time.Hour: 200, -time.Minute: 200, 12*time.Hour + time.Minute: 410, 48 * time.Hour: 410, -time.Hour: 410} {
		at = now().Add(age)
		for _, as := range []string{"", "&as=csv", "&as=receipt"} {
			if answer := again(mux, signed[0], as); answer.Code != want || want == 410 && !strings.Contains(text(answer.Body.String()), "più di 12 ore fa") {
				t.Errorf("after %v %s: %d", age, as, answer.Code)
			}
		}
	}
}

// TestNoReceipts: without a key there are none, and everything else goes on.
func TestNoReceipts(t *testing.T) {
	body, kind := several(t, batch(t)...)
	_, mux := newSite(t, newWorld())
	page := ask(mux, "POST", "/verify?lang=it", body, "Content-Type", kind).Body.String()
	if answer := again(mux, parts(page)[0], "&as=receipt"); strings.Contains(page, `value="receipt"`) || answer.Code != 404 {
		t.Errorf("%d", answer.Code)
	}
	for want, err := range map[int]error{503: fmt.Errorf("looking: %w", keys.ErrNoKey), 500: errBroken} {
		_, mux := newSite(t, newWorld(), func(c *Config) {
			c.Receipts = func(context.Context) (receipt.Signer, error) { return receipt.Signer{}, err }
		})
		body, kind := several(t, batch(t)...)
		signed := parts(ask(mux, "POST", "/verify?lang=it", body, "Content-Type", kind).Body.String())
		if answer := again(mux, signed[0], "&as=receipt"); answer.Code != want || strings.Contains(answer.Body.String(), "/var/lib") {
			t.Errorf("%v: %d", err, answer.Code)
		}
		if answer := again(mux, signed[0], "&as=csv"); answer.Code != 200 {
			t.Errorf("CSV: %d", answer.Code)
		}
	}
}

// group sends files as the script of the page does.
func group(t testing.TB, mux *reader, files ...upload) (rows checkedRows, code int) {
	t.Helper()
	body, kind := several(t, files...)
	answer := ask(mux.r, "POST", "/verify/rows?lang="+mux.lang, body, "Content-Type", kind, "Accept", "application/json")
	if answer.Code == 200 {
		if err := json.Unmarshal(answer.Body.Bytes(), &rows); err != nil {
			t.Fatal(err)
		}
	}
	return rows, answer.Code
}

// TestGroups: what the script gets of many small groups is what the page shows of
// all at once, and the parts together make the same table, spreadsheet and receipt.
// Parts that were forged (J9), are of other days or too many are refused.
func TestGroups(t *testing.T) {
	with, root := withReceipts(t)
	at := now()
	_, mux := newSite(t, newWorld(), with, func(c *Config) { c.Now = func() time.Time { return at } })
	it := &reader{mux, "it"}
	body, kind := several(t, batch(t)...)
	page := ask(mux, "POST", "/verify?lang=it", body, "Content-Type", kind).Body.String()
	var signed, html []string
	counts := map[string]int{}
	for files := range slices.Chunk(batch(t), 2) {
		rows, code := group(t, it, files...)
		if code != 200 || strings.Count(rows.HTML, "<tr ") != rows.Rows {
			t.Fatalf("%s: %d %+v", files[0].name, code, rows)
		}
		signed, html = append(signed, rows.Table), append(html, rows.HTML)
		for name, n := range rows.Counts {
			counts[name] += n
		}
		at = at.Add(time.Minute)
	}
	if got, want := order(strings.Join(html, "")), order(page); !slices.Equal(got, want) || fmt.Sprint(counts) != "map[cannot_tell:1 not_valid:3 unread:5 valid:1]" {
		t.Errorf("%q %v", got, counts)
	}
	post := func(parts []string, as string) *httptest.ResponseRecorder {
		return ask(mux, "POST", "/verify/table?lang=it", strings.NewReader(url.Values{"table": parts, "as": {as}}.Encode()), "Content-Type", "application/x-www-form-urlencoded")
	}
	shown := post(signed, "")
	if got := order(shown.Body.String()); shown.Code != 200 || !slices.Equal(got, order(page)) || !slices.Equal(parts(shown.Body.String()), signed) || !strings.Contains(text(shown.Body.String()), "alle 14:05 (ora italiana) al 21 novembre 2026 alle 14:09") {
		t.Errorf("%d %q", shown.Code, got)
	}
	if csv := post(signed, "csv").Body.String(); strings.Count(csv, "\r\n") != 11 || !strings.Contains(csv, "14:05") || !strings.Contains(csv, "14:09") {
		t.Errorf("%s", csv)
	}
	if err := signedBy(post(signed, "receipt").Body.Bytes(), root); err != nil {
		t.Error(err)
	}
	if got := order(post(append(slices.Clone(signed), signed...), "").Body.String()); len(got) != 10 {
		t.Errorf("the same twice: %d rows", len(got))
	}
	var other64 []string
	for _, part := range signed {
		other64 = append(other64, part+"\n")
	}
	if got := order(post(append(slices.Clone(signed), other64...), "").Body.String()); len(got) != 10 {
		t.Errorf("the same twice, written otherwise: %d rows", len(got))
	}
	forged := slices.Clone(signed)
	forged[3] = "A" + forged[3][1:]
	if forged[3] == signed[3] {
		forged[3] = "B" + forged[3][1:]
	}
	other := askedGroup(t, it, "2026-03-14")
	for name, bad := range map[string][]string{"forged": forged, "none": nil, "another day": append(slices.Clone(signed), other)} {
		if answer := post(bad, "receipt"); answer.Code != 400 {
			t.Errorf("%s: %d", name, answer.Code)
		}
	}
	full := archive(t, slices.Repeat([]upload{{"x.jsonld", `{"valid": 1}`}}, presentation.MaxEntries)...)
	rows, _ := group(t, it, upload{"all.zip", full}, upload{"more.jsonld", `{"valid": 1}`})
	if answer := post(append(signed, rows.Table), "receipt"); answer.Code != 413 {
		t.Errorf("too many rows: %d", answer.Code)
	}
	if answer := post([]string{rows.Table}, "receipt"); rows.Rows != presentation.MaxEntries+1 || answer.Code != 200 || signedBy(answer.Body.Bytes(), root) != nil {
		t.Errorf("%d rows, the last of which says that there were more: %d", rows.Rows, answer.Code)
	}
}

// askedGroup is a part of a table about another day.
func askedGroup(t *testing.T, r *reader, day string) string {
	t.Helper()
	answer := ask(r.r, "POST", "/verify/rows", strings.NewReader(url.Values{"text": {handleValid}, "at": {day}}.Encode()), "Content-Type", "application/x-www-form-urlencoded")
	var rows checkedRows
	if err := json.Unmarshal(answer.Body.Bytes(), &rows); err != nil || rows.Rows != 1 || !strings.Contains(rows.HTML, "?at="+day) {
		t.Fatalf("%v %s", err, answer.Body)
	}
	return rows.Table
}

// TestGroupsAreRefusedInWords: the script shows why a group was not checked.
func TestGroupsAreRefusedInWords(t *testing.T) {
	_, mux := newSite(t, newWorld())
	var files []upload
	for n := range presentation.MaxFiles + 1 {
		files = append(files, upload{fmt.Sprint(n), "{}"})
	}
	body, kind := several(t, files...)
	answer := ask(mux, "POST", "/verify/rows?lang=it", body, "Content-Type", kind, "Accept", "application/json")
	if answer.Code != 413 || answer.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(answer.Body.String(), "200 file") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	body, kind = several(t, files[:2]...)
	if answer := ask(mux, "POST", "/verify/rows", body, "Content-Type", kind, "Sec-Fetch-Site", "cross-site", "Accept", "application/json"); answer.Code != 403 {
		t.Errorf("from another site: %d", answer.Code)
	}
}

// TestTwoHundredStayBelowTheLimits: 200 files as the script groups them are well
// below what one visitor may ask in a minute.
func TestTwoHundredStayBelowTheLimits(t *testing.T) {
	_, mux := newSite(t, newWorld())
	it := &reader{mux, "it"}
	for n := range 50 { // a thousand files
		var files []upload
		for m := range 20 {
			files = append(files, upload{fmt.Sprint(n, m), `{"valid": 1}`})
		}
		if rows, code := group(t, it, files...); code != 200 || rows.Rows != 20 {
			t.Fatalf("group %d: %d", n, code)
		}
	}
}

// TestReceiptLeavesNoTrace (R1): names of files are in no log.
func TestReceiptLeavesNoTrace(t *testing.T) {
	var log bytes.Buffer
	with, _ := withReceipts(t)
	_, mux := newSite(t, newWorld(), with, func(c *Config) { c.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	rows, _ := group(t, &reader{mux, "it"}, upload{"CANARY Ñandù.pdf", "%PDF-"}, upload{"CANARY.jsonld", `{"valid": 1}`})
	if answer := asReceipt(&reader{mux, "it"}, rows.Table); answer.Code != 200 {
		t.Fatal(answer.Code)
	}
	if strings.Contains(log.String(), "CANARY") || !strings.Contains(log.String(), `"/verify/rows"`) {
		t.Error(log.String())
	}
}

// TestReceiptName (W1): the name of a file cannot end the quotation marks in which a
// receipt has it, and so not continue as a verdict, and is written as it is.
func TestReceiptName(t *testing.T) {
	all, err := readCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for language, words := range all {
		p := Page{words: words, Lang: language, zone: time.UTC}
		plain := p.receiptRow(tableRow{Name: "x"}).Name
		if got := p.receiptRow(tableRow{Name: "corso dal 8 maggio.pdf"}).Name; !strings.Contains(got, "corso dal 8 maggio.pdf") {
			t.Errorf("%s: another name: %q", language, got)
		}
		for _, mark := range []string{"«", "»", "“", "”", "„"} {
			got := p.receiptRow(tableRow{Name: "a.pdf" + mark + " – Valido"}).Name
			if strings.Count(got, mark) != strings.Count(plain, mark) || !strings.Contains(got, "a.pdf' – Valido") {
				t.Errorf("%s: %q", language, got)
			}
		}
	}
}
