package web

import (
	"context"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"attesta/verifier"
)

// A check may be about another day: the end of that day in the zone of the site.
// Today and nothing mean now.
func TestAnotherDay(t *testing.T) {
	w := newWorld()
	var about []time.Time
	_, r := newSite(t, w, func(c *Config) {
		judge := c.Verify
		c.Verify = func(ctx context.Context, presented []byte, at time.Time) (verifier.Report, error) {
			about = append(about, at)
			return judge(ctx, presented, at)
		}
	})
	form := func(day, body string) (string, string) {
		var b strings.Builder
		m := multipart.NewWriter(&b)
		for name, value := range map[string]string{"at": day, "text": body} {
			if err := m.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String(), m.FormDataContentType()
	}
	end := time.Date(2026, 3, 14, 22, 59, 59, 0, time.UTC) // 23:59:59 in the zone of the site
	for day, want := range map[string]time.Time{"2026-03-14": end, "": {}, "2026-11-21": {}} {
		about = nil
		page := ask(r, http.MethodGet, "/v/"+handleValid+"?at="+day+"&lang=it", nil).Body.String()
		body, kind := form(day, `{"x":1}`)
		multi := ask(r, http.MethodPost, "/verify", strings.NewReader(body), "Content-Type", kind)
		plain := ask(r, http.MethodPost, "/verify", strings.NewReader(url.Values{"at": {day}, "text": {`{"x":1}`}}.Encode()), "Content-Type", "application/x-www-form-urlencoded")
		inForm := ask(r, http.MethodPost, "/api/v1/verify", strings.NewReader(body), "Content-Type", kind)
		inQuery := ask(r, http.MethodPost, "/api/v1/verify?at="+day, strings.NewReader(`{"x":1}`), "Content-Type", "application/json")
		if len(about) != 5 {
			t.Fatalf("%q: judged %d times, %d, %d, %d, %d", day, len(about), multi.Code, plain.Code, inForm.Code, inQuery.Code)
		}
		for _, at := range about {
			if !at.Equal(want) {
				t.Errorf("%q: asked about %v", day, at)
			}
		}
		said := strings.Contains(text(page), "La risposta riguarda il 14 marzo 2026")
		if said != !want.IsZero() {
			t.Errorf("%q: the page says the day: %v", day, said)
		}
		for _, part := range []string{`action="/v/` + handleValid + `"`, `type="date"`, `<input type="hidden" name="lang" value="it">`} {
			if !strings.Contains(page, part) {
				t.Errorf("%q: the page lacks %s", day, part)
			}
		}
	}
	body, kind := form("2026-03-14", handleValid)
	if to := ask(r, http.MethodPost, "/verify?lang=en", strings.NewReader(body), "Content-Type", kind).Header().Get("Location"); to != "/v/"+handleValid+"?at=2026-03-14&lang=en" {
		t.Errorf("a code that was typed leads to %s", to)
	}
	for _, day := range []string{"14/03/2026", "2026-02-30", "2026-3-4", "tomorrow", "2026-03-14T10:00:00Z", "0", strings.Repeat("9", 5000), "\x00"} {
		about = nil
		body, kind := form(day, `{"x":1}`)
		for _, answer := range []int{
			ask(r, http.MethodGet, "/v/"+handleValid+"?at="+url.QueryEscape(day), nil).Code,
			ask(r, http.MethodPost, "/verify", strings.NewReader(body), "Content-Type", kind).Code,
			ask(r, http.MethodPost, "/api/v1/verify", strings.NewReader(body), "Content-Type", kind).Code,
			ask(r, http.MethodPost, "/api/v1/verify?at="+url.QueryEscape(day), strings.NewReader(`{"x":1}`), "Content-Type", "application/json").Code,
		} {
			if answer != http.StatusBadRequest || len(about) > 0 {
				t.Errorf("%.20q: %d, judged %d times", day, answer, len(about))
			}
		}
	}
	if page := ask(r, http.MethodGet, "/verify", nil).Body.String(); !strings.Contains(page, `<input type="date" id="at" name="at"`) {
		t.Error("the form does not ask for a day")
	}
}
