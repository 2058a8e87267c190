package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/verifier"
)

// What is typed in these tests, and what the credential says. None of it may
// be found anywhere afterwards.
const (
	bornTyped, bornSaid   = "28.02.1987", "1987-02-28"
	otherTyped, otherSaid = "27/03/1988", "1988-03-27"
	numberTyped           = "zqx cnr 87b28 h501 j"
	numberSaid            = "ZQXCNR87B28H501J"
)

// carrying is a world whose credentials say more of a person than the name.
func carrying(birth bool, numbers ...string) *world {
	w := newWorld()
	w.report = func(b []byte) (verifier.Report, error) {
		r, err := judge(b)
		if r.Credential != nil {
			born := ""
			if birth {
				born = bornSaid
			}
			r.Holder = verifier.HolderOf(credentials.Date(born), numbers...)
			r.Credential.BirthDateGiven, r.Credential.NationalIDGiven = birth, len(numbers) > 0
		}
		return r, err
	}
	return w
}

func about(r http.Handler, handle, birth, number string) *httptest.ResponseRecorder {
	return ask(r, "POST", "/v/"+handle, strings.NewReader(url.Values{"birth": {birth}, "number": {number}}.Encode()), "Content-Type", "application/x-www-form-urlencoded")
}

// withFile presents a file together with what was typed.
func withFile(t *testing.T, r http.Handler, file, birth, number string) *httptest.ResponseRecorder {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	part, err := m.CreateFormFile("file", "x.jsonld")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write([]byte(file))
	_ = m.WriteField("birth", birth)
	_ = m.WriteField("number", number)
	_ = m.Close()
	return ask(r, "POST", "/verify", &b, "Content-Type", m.FormDataContentType())
}

// TestIsItThisPerson (Q2, R1): the page says match or no match and never what
// is stored or what was typed, whatever the verdict; and nothing of it is logged.
func TestIsItThisPerson(t *testing.T) {
	var log bytes.Buffer
	logged := func(c *Config) {
		// Without its time, whose digits may be those of a year.
		untimed := func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}
		c.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: untimed}))
	}
	for _, c := range []struct {
		name          string
		world         *world
		handle        string
		birth, number string
		code          int
		want, not     string
	}{
		{"matches", carrying(true), handleValid, bornTyped, "", 200, "Valido Sigillo | corrisponde Quello che hai scritto corrisponde", "non corrisponde"},
		{"number matches", carrying(true, numberSaid), handleValid, "", numberTyped, 200, "Quello che hai scritto corrisponde", "non corrisponde"},
		{"both match", carrying(true, numberSaid), handleValid, bornTyped, numberTyped, 200, "Quello che hai scritto corrisponde", "non corrisponde"},
		{"differs", carrying(true), handleValid, otherTyped, "", 200, "Non valido per questa persona: quello che hai scritto non corrisponde|L’attestato in sé è valido|Chi ha ottenuto che cosa", "<s>"},
		{"one of two differs", carrying(true, numberSaid), handleValid, otherTyped, numberTyped, 200, "Non valido per questa persona", "Quello che hai scritto corrisponde"},
		{"revoked and matches", carrying(true), handleRevoked, bornTyped, "", 200, "Non valido: revocato|corrisponde Quello che hai scritto corrisponde", "verifica Valido"},
		{"revoked and differs", carrying(true), handleRevoked, otherTyped, "", 200, "Non valido: revocato|non corrisponde", "in sé è valido"},
		{"unclear and matches", carrying(true), handleUnclear, bornTyped, "", 200, "Non è possibile dirlo ora: non riusciamo|scritto corrisponde", "verifica Valido"},
		{"unclear and differs", carrying(true), handleUnclear, otherTyped, "", 200, "Non valido per questa persona|da confermare", "in sé è valido"},
		{"says nothing", carrying(false), handleValid, bornTyped, "", 200, "Non è possibile dirlo ora: l’attestato non contiene quello che hai scritto|L’attestato in sé è valido|Chi ha ottenuto che cosa|L’attestato non contiene quello che hai scritto|Confronta il nome", "hai scritto corrisponde"},
		{"two digits", carrying(true), handleValid, "28.02.87", "", 400, "Valido Sigillo|Scrivi l’anno con quattro cifre", "hai scritto "},
		{"no day", carrying(true), handleValid, "28 febbraio", "", 400, "Questa data non si può leggere", "hai scritto "},
		{"nothing", carrying(true), handleValid, " ", "", 400, "Scrivi la data di nascita o il codice fiscale", "hai scritto "},
		{"nothing at all", carrying(true), handleValid, "", "", 400, "Scrivi la data di nascita o il codice fiscale", "hai scritto "},
		{"long number", carrying(true), handleValid, "", strings.Repeat("1", 65), 400, "Questo numero è troppo lungo", "hai scritto "},
	} {
		_, r := newSite(t, c.world, logged)
		for way, answer := range map[string]*httptest.ResponseRecorder{
			"behind a QR": about(r, c.handle, c.birth, c.number),
			"a file":      withFile(t, r, map[string]string{handleValid: "valid", handleRevoked: "revoked", handleUnclear: "unclear"}[c.handle], c.birth, c.number),
		} {
			if way == "a file" && c.birth+c.number == "" {
				continue // nobody asked
			}
			body := answer.Body.String()
			page := text(body)
			for want := range strings.SplitSeq(c.want, "|") {
				if !strings.Contains(page, strings.TrimSpace(want)) {
					t.Errorf("%s, %s: no %q in %s", c.name, way, want, page)
				}
			}
			if answer.Code != c.code || strings.Contains(body, c.not) || strings.Contains(page, c.not) {
				t.Errorf("%s, %s: %d, or says %q: %.900s", c.name, way, answer.Code, c.not, page)
			}
			wellFormed(t, c.name, body)
			for _, secret := range []string{bornTyped, bornSaid, otherTyped, otherSaid, numberSaid, numberTyped, "1987", "1988", "28.02.87", "ZQX", "zqx", "febbraio 1"} {
				if strings.Contains(body, secret) || strings.Contains(answer.Header().Get("Location"), secret) {
					t.Errorf("%s, %s: the page holds %s", c.name, way, secret)
				}
			}
			if !strings.Contains(answer.Header().Get("Cache-Control"), "no-store") {
				t.Errorf("%s, %s: may be stored", c.name, way)
			}
		}
	}
	for _, secret := range []string{"1987", "1988", "02.87", "zqx", "ZQX", "febbraio", "Angelo"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %s:\n%s", secret, log.String())
		}
	}
	if !strings.Contains(log.String(), "/v/{handle}") {
		t.Error("nothing was logged")
	}
}

// TestPersonForm: what can be compared is asked for, and where nothing can the
// page says what to do instead. A broken seal and a revoked credential ask for
// nothing.
func TestPersonForm(t *testing.T) {
	const birth, number, none = `name="birth"`, `name="number"`, "non contiene la data di nascita né il codice fiscale"
	for _, c := range []struct {
		name, presented     string
		birth               bool
		numbers             []string
		asksBirth, asksID   bool
		saysNone, fromAFile bool
	}{
		{"birth", "valid", true, nil, true, false, false, true},
		{"number", "valid", false, []string{numberSaid}, false, true, false, true},
		{"both", "unclear", true, []string{numberSaid}, true, true, false, true},
		{"none", "valid", false, nil, false, false, true, false},
		{"revoked", "revoked", true, nil, false, false, false, false},
		{"broken", "broken valid", true, nil, false, false, false, false},
	} {
		_, r := newSite(t, carrying(c.birth, c.numbers...))
		pages := map[string]string{"a file": withFile(t, r, c.presented, "", "").Body.String()}
		if handle := map[string]string{"valid": handleValid, "unclear": handleUnclear, "revoked": handleRevoked}[c.presented]; handle != "" {
			pages["behind a QR"] = ask(r, "GET", "/v/"+handle+"?lang=it", nil).Body.String()
		}
		for way, page := range pages {
			if strings.Contains(page, birth) != c.asksBirth || strings.Contains(page, number) != c.asksID || strings.Contains(page, none) != c.saysNone {
				t.Errorf("%s, %s: %s", c.name, way, text(page))
			}
			if again := strings.Contains(page, `type="file"`); again != (way == "a file" && c.fromAFile) {
				t.Errorf("%s, %s: asks for the file: %v", c.name, way, again)
			}
			if way == "behind a QR" && c.asksBirth && !strings.Contains(page, `action="/v/AAAAAAAAAAAAAAAAAAAAAAAAAA?lang=it"`) && !strings.Contains(page, `action="/v/CCCCCCCCCCCCCCCCCCCCCCCCCC?lang=it"`) {
				t.Errorf("%s: the form leads elsewhere", c.name)
			}
		}
	}
}

// TestTries (W7): a birth date cannot be guessed: of one credential few
// questions are answered, whoever asks and in whatever bytes it is presented;
// what cannot be read is no try, and the verdict stays on the page.
func TestTries(t *testing.T) {
	w := carrying(true)
	said := w.report
	w.report = func(b []byte) (verifier.Report, error) {
		r, err := said(b)
		r.Digest = fmt.Sprintf("%x", sha256.Sum256(b))
		return r, err
	}
	_, r := newSite(t, w)
	for range 3 {
		about(r, handleValid, "1/1/80", "")
	}
	answered := 0
	for n := range 2 * asksPerHour {
		var answer *httptest.ResponseRecorder
		if n%2 == 0 {
			answer = about(r, handleValid, otherTyped, "")
		} else {
			answer = withFile(t, r, strings.Repeat(" ", n)+"valid", otherTyped, "")
		}
		switch page := text(answer.Body.String()); {
		case answer.Code == http.StatusOK && strings.Contains(page, "Non valido per questa persona"):
			answered++
		case answer.Code != http.StatusTooManyRequests || answer.Header().Get("Retry-After") != "3600",
			!strings.Contains(page, "Troppi tentativi"), !strings.Contains(page, "Esito della verifica Valido"), strings.Contains(page, "hai scritto "):
			t.Errorf("%d: %s", answer.Code, page)
		}
	}
	if answered != asksPerHour {
		t.Errorf("%d questions were answered", answered)
	}
	if answer := about(r, handleValid, bornTyped, ""); answer.Code != http.StatusTooManyRequests {
		t.Errorf("the right day after too many: %d", answer.Code)
	}
	if answer := ask(r, "GET", "/v/"+handleValid, nil); answer.Code != http.StatusOK {
		t.Errorf("the page itself: %d", answer.Code)
	}
}

// TestTriesOfAllServers: what all servers counted bounds the questions, what is
// counted names neither person nor credential, and what is typed is not in it.
func TestTriesOfAllServers(t *testing.T) {
	var mu sync.Mutex
	lengths := map[string]time.Duration{}
	for _, full := range []string{"", "person-hour", "person-day", "person-visitor"} {
		_, r := newSite(t, carrying(true), func(c *Config) {
			c.Count = func(_ context.Context, door, who string, length time.Duration, most int) (int, error) {
				mu.Lock()
				defer mu.Unlock()
				lengths[door] = length
				if len(who) > 64 || strings.Contains(who, "1987") || strings.Contains(who, "urn") || strings.Contains(who, "A") {
					t.Errorf("counted at %s: %s", door, who)
				}
				if door == full {
					return most, nil
				}
				return 1, nil
			}
		})
		want := http.StatusOK
		if full != "" {
			want = http.StatusTooManyRequests
		}
		if answer := about(r, handleValid, bornTyped, ""); answer.Code != want {
			t.Errorf("%q: %d", full, answer.Code)
		}
	}
	if lengths["person-hour"] != time.Hour || lengths["person-day"] != 24*time.Hour || lengths["person-visitor"] != time.Hour {
		t.Errorf("%v", lengths)
	}
	// Without the others this server's own count holds.
	_, r := newSite(t, carrying(true), func(c *Config) {
		c.Count = func(context.Context, string, string, time.Duration, int) (int, error) { return 0, errors.New("broken") }
	})
	codes := map[int]int{}
	for range asksPerHour + 3 {
		codes[about(r, handleValid, bornTyped, "").Code]++
	}
	if codes[http.StatusOK] != asksPerHour || codes[http.StatusTooManyRequests] != 3 {
		t.Errorf("%v", codes)
	}
}

// TestPersonFormsThatAreNone: odd bodies are refused, and unknown codes answer
// as they do to everybody.
func TestPersonFormsThatAreNone(t *testing.T) {
	var log bytes.Buffer
	_, r := newSite(t, carrying(true), func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	for name, c := range map[string]struct {
		handle, kind, body string
		code               int
	}{
		"bad escape": {handleValid, "application/x-www-form-urlencoded", "birth=1987%zz", 400},
		"too large":  {handleValid, "application/x-www-form-urlencoded", "birth=" + strings.Repeat("1", 10<<10), 413},
		"unknown":    {handleUnknown, "application/x-www-form-urlencoded", "birth=1", 404},
		"erased":     {handleErased, "application/x-www-form-urlencoded", "birth=1", 410},
		"in the URL": {handleValid + "?birth=1987-02-28", "application/x-www-form-urlencoded", "", 400},
	} {
		w := ask(r, "POST", "/v/"+c.handle, strings.NewReader(c.body), "Content-Type", c.kind)
		if w.Code != c.code || strings.Contains(text(w.Body.String()), "Quello che hai scritto corrisponde") {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if strings.Contains(log.String(), "1987") {
		t.Errorf("the log: %s", log.String())
	}
	w := ask(r, "POST", "/v/"+handleValid, strings.NewReader("birth="+bornTyped), "Content-Type", "application/x-www-form-urlencoded", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
	if w.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", w.Code)
	}
}

// TestWhoGetsTheFile (R1): programs get the sealed file from the page behind a
// QR only where it holds no more of the person than that page; the holder's own
// link gives it always.
func TestWhoGetsTheFile(t *testing.T) {
	for name, c := range map[string]struct {
		world *world
		code  int
	}{
		"name only": {newWorld(), 200}, "birth date": {carrying(true), 403}, "number": {carrying(false, numberSaid), 403},
	} {
		_, r := newSite(t, c.world)
		for _, kind := range []string{"application/json", "application/ld+json", "application/vc+jwt, application/ld+json"} {
			w := ask(r, "GET", "/v/"+handleValid, nil, "Accept", kind)
			if w.Code != c.code || (w.Code == 200) != strings.Contains(w.Body.String(), "sealed valid") {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
		}
		if w := ask(r, "GET", "/c/"+tokenValid+"/credential.jsonld", nil); w.Code != 200 {
			t.Errorf("%s: the holder gets %d", name, w.Code)
		}
	}
	broken := newWorld()
	broken.report = func([]byte) (verifier.Report, error) { return judge([]byte("broken valid")) }
	_, r := newSite(t, broken)
	if w := ask(r, "GET", "/v/"+handleValid, nil, "Accept", "application/json"); w.Code != 403 {
		t.Errorf("what nobody can read is handed out: %d", w.Code)
	}
}
