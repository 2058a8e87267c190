package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"attesta/brief"
	"attesta/keys"
	"attesta/registry"
	"attesta/verifier"
)

// canary stands for what a compact QR holds.
var canary = "HTTP://127.0.0.1:8080/C#AT1:CANARY" + strings.Repeat("6BF+$/.Z0", 80)

func making(address string, err error, calls *int) func(*Config) {
	return func(c *Config) {
		c.Brief = func(_ context.Context, _ registry.Record, sealed []byte) (string, error) {
			if string(sealed) != "sealed valid" {
				return "", errors.New("other bytes")
			}
			*calls++
			return address, err
		}
	}
}

// TestCompact: a compact QR is made when its holder presses the button, and never
// otherwise; nothing of it is cached, logged or in an address (R1, R4).
func TestCompact(t *testing.T) {
	var log bytes.Buffer
	calls := 0
	_, r := newSite(t, newWorld(), making(canary, nil, &calls), func(c *Config) { c.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	address := "/c/" + tokenValid + "/compact"
	page := ask(r, "GET", "/c/"+tokenValid, nil).Body.String()
	for _, want := range []string{`<form method="post" action="` + address + `">`, "questo QR contiene il tuo nome"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of the holder has no %s", want)
		}
	}
	for _, method := range []string{"GET", "HEAD"} {
		if w := ask(r, method, address, nil); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/c/"+tokenValid || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
	if calls != 0 || strings.Contains(page, "CANARY") {
		t.Fatal("it was made though nobody asked for it")
	}
	for origin, site := range map[string]string{"": "same-origin", "null": "same-origin", "http://127.0.0.1:8080": ""} {
		w := ask(r, "POST", address, nil, "Content-Type", "application/x-www-form-urlencoded", "Origin", origin, "Sec-Fetch-Site", site)
		body := w.Body.String()
		if w.Code != 200 || !strings.Contains(body, "<svg") || !strings.Contains(text(body), "questo QR contiene il tuo nome") {
			t.Fatalf("from %q: %d %s", origin, w.Code, text(body))
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow", "Content-Encoding": "", "Set-Cookie": "", "Location": ""} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if strings.Contains(body, "CANARY") || !strings.Contains(body, `class="secret"`) || !strings.Contains(body, `class="qr compact paper"`) {
			t.Error("the data stands in the page as a text, or the page is printed with its secret")
		}
	}
	file := ask(r, "POST", address, strings.NewReader("as=file"), "Content-Type", "application/x-www-form-urlencoded")
	if file.Code != 200 || file.Header().Get("Content-Type") != "image/svg+xml" || file.Header().Get("Cache-Control") != "no-store" ||
		file.Header().Get("Content-Disposition") != `attachment; filename="qr.svg"` || !strings.HasPrefix(file.Body.String(), "<svg") {
		t.Errorf("the file: %d %v", file.Code, file.Header())
	}
	for _, secret := range []string{"CANARY", tokenValid, "Angelo", "AT1"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
	// What is read of one on the page of the check, or by a program, is in no log either.
	form := url.Values{"text": {canary}}.Encode()
	if w := ask(r, "POST", "/verify", strings.NewReader(form), "Content-Type", "application/x-www-form-urlencoded"); w.Code != 200 || w.Header().Get("Location") != "" {
		t.Errorf("the page of the check: %d", w.Code)
	}
	if w := ask(r, "POST", "/api/v1/verify", strings.NewReader(canary), "Content-Type", "text/plain"); w.Code != 200 {
		t.Errorf("the interface for programs: %d", w.Code)
	}
	for _, secret := range []string{"CANARY", "AT1", "6BF"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log of a check holds %s", secret)
		}
	}
	if w := ask(r, "POST", "/c/unknown/compact", nil); w.Code != 404 {
		t.Errorf("an unknown link: %d", w.Code)
	}
	if w := ask(r, "POST", "/c/"+tokenErased+"/compact", nil); w.Code != 410 {
		t.Errorf("an erased credential: %d", w.Code)
	}
}

// Where there can be none the page says so and nothing is drawn; an error says
// nothing of what it is about.
func TestCompactRefused(t *testing.T) {
	for name, c := range map[string]struct {
		address string
		err     error
		status  int
		says    string
	}{
		"an RSA key":     {"", fmt.Errorf("x: %w", brief.ErrKey), 409, "non è adatta"},
		"no key":         {"", fmt.Errorf("x: %w", keys.ErrNoKey), 409, "non è adatta"},
		"too many words": {"", fmt.Errorf("x: %w", brief.ErrUnfit), 409, "Usa il QR normale"},
		"too fine":       {canary + strings.Repeat("A", 400), nil, 500, "REQUEST-1"},
		"a fault":        {"", errors.New("CANARY"), 500, "REQUEST-1"},
	} {
		calls := 0
		_, r := newSite(t, newWorld(), making(c.address, c.err, &calls))
		w := ask(r, "POST", "/c/"+tokenValid+"/compact", nil)
		if w.Code == 409 && (!strings.Contains(w.Body.String(), `href="/c/`+tokenValid+`">Torna alla tua pagina`) || strings.Contains(text(w.Body.String()), "non risulta valido")) {
			t.Errorf("%s: another cause, or no way back: %s", name, text(w.Body.String()))
		}
		if w.Code != c.status || !strings.Contains(text(w.Body.String()), c.says) || strings.Contains(w.Body.String(), "CANARY") || strings.Contains(w.Body.String(), "<path fill=\"#000\"") {
			t.Errorf("%s: %d %s", name, w.Code, text(w.Body.String()))
		}
	}
	_, without := newSite(t, newWorld())
	if w := ask(without, "POST", "/c/"+tokenValid+"/compact", nil); w.Code != 404 {
		t.Errorf("where none is made: %d", w.Code)
	}
	if page := ask(without, "GET", "/c/"+tokenValid, nil).Body.String(); strings.Contains(page, "/compact") {
		t.Error("one is offered where none is made")
	}
	calls := 0
	w := newWorld()
	judged := w.report
	w.report = func(sealed []byte) (verifier.Report, error) {
		r, err := judged(sealed)
		r.Verdict, r.Reason = "cannot_tell", "status_unreachable"
		return r, err
	}
	_, unclear := newSite(t, w, making(canary, nil, &calls))
	a := ask(unclear, "POST", "/c/"+tokenValid+"/compact?lang=en", nil)
	if said := text(a.Body.String()); a.Code != 409 || calls != 0 || !strings.Contains(said, "not found valid now") || strings.Contains(said, "too many words") ||
		!strings.Contains(a.Body.String(), `href="/c/`+tokenValid+`?lang=en">Back to your page`) {
		t.Errorf("a credential that is not found valid: %d %s", a.Code, said)
	}
	if page := ask(unclear, "GET", "/c/"+tokenValid, nil).Body.String(); strings.Contains(page, "/compact") {
		t.Error("one is offered of a credential that is not found valid")
	}
}
