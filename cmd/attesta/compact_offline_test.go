package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"attesta/web/offline"
)

// TestCompactOnADevice (R1, S7): the compact QR of a credential is checked in the
// browser, with a network and on a ready device without: valid, revoked, and by
// old lists neither. No server is told what it says.
func TestCompactOnADevice(t *testing.T) {
	if _, err := offline.Files(); err != nil {
		required(t, "the verifier for browsers: go generate ./web/offline")
	}
	h := newLiveHouse(t)
	data := filepath.Join(h.dir, "attesta-data")
	h.close()
	valid, revoked := compactText(t, data, h.valid), compactText(t, data, h.later)
	attesta(t, h.dir, "status", "revoke", h.later, "--reason", "issued-in-error")
	h.reopen()
	b := newBrowser(t)
	b.at(fixedDay().Add(time.Minute))
	b.open("HTTP://" + h.address + "/C#" + valid)
	b.comes("#answer h1", "Valido")
	b.shot("compact-valid", 420)
	if at := b.evaluate(`location.href`); at != h.base()+"/C" {
		t.Errorf("the address still is %s", at)
	}
	b.do(chromedp.Click(chromedp.CSS("#device-keep")))
	b.comes("#device-said", "pronto")
	for _, asked := range h.seen() {
		if strings.Contains(asked, "AT1") || strings.Contains(asked, "%") || !strings.HasPrefix(asked, "GET ") {
			t.Errorf("the server was told: %.300s", asked)
		}
	}
	h.stop()
	check := func(text, want string) {
		t.Helper()
		b.open("about:blank")
		b.open(h.base() + "/c#" + text)
		b.comes("#answer h1", want)
	}
	check(valid, "Valido")
	check(revoked, "Non valido")
	check(valid[:40]+"A"+valid[41:], "Non valido")
	b.at(fixedDay().AddDate(0, 0, 2))
	check(valid, "Non è possibile dirlo ora")
	b.comes("#answer", "Era valido il 21 novembre 2026 alle")
	check(revoked, "Non valido")
	b.asksOnly(h.base())
}
