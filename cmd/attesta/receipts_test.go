package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"attesta/keys"
	"attesta/receipt/receipttest"
)

// group sends files as the script of the page of the check does.
func (d runningDemo) group(t *testing.T, names []string, data []byte) (table string, rows int) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, name := range names {
		if err := file(name, data)(form); err != nil {
			t.Error(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Error(err)
	}
	response, err := http.Post(d.employer+"/rows", form.FormDataContentType(), &body)
	if err != nil {
		t.Error(err)
		return "", 0
	}
	defer response.Body.Close()
	var answer struct {
		Table string
		Rows  int
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("%d %v", response.StatusCode, err)
	}
	return answer.Table, answer.Rows
}

// receipt asks for the receipt of a table.
func (d runningDemo) receipt(t *testing.T, tables ...string) (pdf []byte, status int) {
	t.Helper()
	response, err := http.PostForm(d.employer+"/table", url.Values{"table": tables, "as": {"receipt"}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if pdf, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	return pdf, response.StatusCode
}

// TestReceipts: the first receipt makes the key that signs it, under the root of the
// installation. It is listed, rotated and retired as others are; without it there
// are no receipts, and nothing else is missing.
func TestReceipts(t *testing.T) {
	demo := startDemo(t)
	good, err := os.ReadFile(demo.download(t))
	if err != nil {
		t.Fatal(err)
	}
	own, err := keys.LoadTrust(folder(demo.dir).own())
	if err != nil {
		t.Fatal(err)
	}
	root := own.Anchors[0].Certificate
	command := func(want int, args ...string) string {
		t.Helper()
		var out lockedBuffer
		if code := run(t.Context(), &console{out: &out, err: &out, getenv: func(string) string { return "" }, now: fixedDay}, append(args, "--data", demo.dir)); code != want {
			t.Fatalf("%v: %d\n%s", args, code, out.String())
		}
		return out.String()
	}
	if listed := command(exitDone, "keys", "list"); strings.Contains(listed, "receipt") {
		t.Errorf("a key before any receipt:\n%s", listed)
	}
	table, _ := demo.group(t, []string{"rossi.jsonld", "bianchi.jsonld"}, good)
	pdf, status := demo.receipt(t, table)
	signature, err := receipttest.Check(pdf, root, fixedDay())
	if status != http.StatusOK || err != nil {
		t.Fatalf("%d %v", status, err)
	}
	key := regexp.MustCompile(`(?m)^([0-9a-f]{16})  receipt  .*  in use .* 127\.0\.0\.1:\d+ \(ricevute\)$`)
	first := key.FindStringSubmatch(command(exitDone, "keys", "list"))
	if first == nil || !strings.HasPrefix(keys.Fingerprint(signature.GetOnlySigner()), first[1]) {
		t.Fatalf("signed with another key than %q", first)
	}
	if again, _ := demo.receipt(t, table); len(key.FindAllString(command(exitDone, "keys", "list"), -1)) != 1 || len(again) == 0 {
		t.Error("the second receipt made a second key")
	}
	if code, page := demo.post(t, file("ricevuta.pdf", pdf)); code != http.StatusBadRequest || !strings.Contains(page, "ricevuta di verifiche") {
		t.Errorf("dropped on the page: %d", code)
	}
	command(exitDone, "keys", "rotate", "--provider", receiptOwner, "--for", "receipt", "--overlap", "0s")
	pdf, _ = demo.receipt(t, table)
	if signature, err = receipttest.Check(pdf, root, fixedDay()); err != nil || strings.HasPrefix(keys.Fingerprint(signature.GetOnlySigner()), first[1]) {
		t.Errorf("after the rotation: %v", err)
	}
	command(exitDone, "keys", "retire", keys.Fingerprint(signature.GetOnlySigner())[:16])
	if _, status := demo.receipt(t, table); status != http.StatusServiceUnavailable {
		t.Errorf("without a key: %d", status)
	}
	if _, rows := demo.group(t, []string{"rossi.jsonld"}, good); rows != 1 {
		t.Error("without a key nothing is checked")
	}
}

// TestSixHundredInGroups is a count and no time: 600 credentials, sent as the
// script of the page sends them, are 600 rows and one receipt.
func TestSixHundredInGroups(t *testing.T) {
	demo := startDemo(t)
	good, err := os.ReadFile(demo.download(t))
	if err != nil {
		t.Fatal(err)
	}
	var tables [30]string
	var sum [2]int
	begun, used := time.Now(), cpuTime()
	var wait sync.WaitGroup
	for half := range sum {
		wait.Go(func() {
			for n := half; n < len(tables); n += len(sum) {
				var names []string
				for m := range 20 {
					names = append(names, fmt.Sprint(n, "-", m, ".jsonld"))
				}
				table, rows := demo.group(t, names, good)
				tables[n] = table
				sum[half] += rows
			}
		})
	}
	wait.Wait()
	t.Logf("figures: 600 credentials in 30 groups, two at a time, over HTTP, in %v (%v of CPU, with the sender)", time.Since(begun).Round(time.Millisecond), (cpuTime() - used).Round(time.Millisecond))
	begun = time.Now()
	pdf, status := demo.receipt(t, tables[:]...)
	t.Logf("figures: their receipt has %d kB and took %v", len(pdf)>>10, time.Since(begun).Round(time.Millisecond))
	if sum[0]+sum[1] != 600 || status != http.StatusOK {
		t.Errorf("%v rows, %d", sum, status)
	}
}
