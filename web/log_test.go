package web

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"attesta/registry"
)

// theLog is an audit log of ten entries.
type theLog struct{ asked []string }

func (l *theLog) LogDocument(_ context.Context, what LogDocument, from, to uint64) (Published, error) {
	l.asked = append(l.asked, fmt.Sprint(what, " ", from, " ", to))
	if max(from, to) > 10 {
		return Published{}, registry.ErrNotFound
	}
	return Published{[]byte("text\n"), "text/plain; charset=utf-8", "t", time.Minute}, nil
}

// TestLogDocuments (R1): the log is published for everybody; each part of it has
// one address, and what is no such address is never asked for.
func TestLogDocuments(t *testing.T) {
	for path, want := range map[string]string{
		"/log/checkpoint":                       "checkpoint 0 0",
		"/log/key":                              "key 0 0",
		"/log/entries/1-10":                     "entries 1 10",
		"/log/entries/4-4":                      "entries 4 4",
		"/log/inclusion/3":                      "inclusion 3 0",
		"/log/inclusion/3?size=7":               "inclusion 3 7",
		"/log/consistency/2-9":                  "consistency 2 9",
		"/log/consistency/2-11":                 "consistency 2 11",
		"/log/entries/0-3":                      "",
		"/log/entries/3-0":                      "",
		"/log/entries/4-3":                      "",
		"/log/entries/01-3":                     "",
		"/log/entries/1-1001":                   "",
		"/log/entries/1":                        "",
		"/log/entries/-1-3":                     "",
		"/log/inclusion/3?size=03":              "",
		"/log/inclusion/3?size=2":               "",
		"/log/inclusion/3?x=2":                  "",
		"/log/inclusion/3?size=7&size=8":        "",
		"/log/entries/1-9?a":                    "",
		"/log/checkpoint?size=3":                "",
		"/log/entries/1-9999999999999999999999": "",
		"/log/other":                            "",
		"/log":                                  "",
	} {
		l := &theLog{}
		_, r := newSite(t, newWorld(), func(c *Config) { c.Audit = l })
		w := ask(r, "GET", path, nil, "Origin", "https://other.example")
		if got := strings.Join(l.asked, ", "); got != want {
			t.Errorf("%s asks for %q, want %q", path, got, want)
		}
		switch {
		case want == "" && w.Code != 404 && w.Code != 400, want != "" && strings.HasSuffix(want, "11") && w.Code != 404:
			t.Errorf("%s: %d", path, w.Code)
		case w.Code == 200 && (w.Header().Get("Cache-Control") != "public, max-age=60" || w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Body.String() != "text\n"):
			t.Errorf("%s: %v %s", path, w.Header(), w.Body)
		}
	}
	_, r := newSite(t, newWorld())
	problem(t, ask(r, "GET", "/log/checkpoint", nil), 404)
	_, r = newSite(t, newWorld(), func(c *Config) { c.Audit = &theLog{} })
	problem(t, ask(r, "POST", "/log/checkpoint", strings.NewReader("x"), "Accept", "application/json"), 405)
	refused := false
	for range 2*requestsPerMinute + 2 { // W7
		refused = refused || ask(r, "GET", "/log/inclusion/3", nil).Code == 429
	}
	if !refused {
		t.Error("proofs may be asked for without end")
	}
}

func FuzzLogSpan(f *testing.F) {
	f.Add("entries", "1", "10", "")
	f.Add("inclusion", "3", "", "size=12")
	f.Add("consistency", "9", "08", "size=")
	f.Fuzz(func(t *testing.T, what, first, second, query string) {
		from, to, err := logSpan(LogDocument(what), first, second, query)
		if err != nil && (from != 0 || to != 0) {
			t.Errorf("%q %q %q %q: %d, %d, %v", what, first, second, query, from, to, err)
		}
		if err == nil && to != 0 && (from > to || what == "entries" && to-from >= MaxLogEntries) {
			t.Errorf("%q %q %q %q: %d to %d", what, first, second, query, from, to)
		}
	})
}
