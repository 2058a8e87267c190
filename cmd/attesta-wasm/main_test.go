package main

import (
	"bytes"
	"strings"
	"testing"

	"attesta/verifier"
)

// About what was presented there is always an answer; what the page asks wrongly
// is an error, and never an answer (J9). That a browser gives the same answers is
// tested where there are credentials.
func TestCheck(t *testing.T) {
	j, err := newJudge()
	if err != nil {
		t.Fatal(err)
	}
	good := request{Now: "2026-11-21T10:00:00Z", Made: "2026-11-21T09:00:00Z", Origin: "https://x.example", Language: "en"}
	for name, presented := range map[string][]byte{"nothing": nil, "no credential": []byte("{}"), "depth": bytes.Repeat([]byte("["), 1<<20)} {
		q := good
		q.Presented = presented
		said, err := j.check(t.Context(), q)
		if err != nil || said.Report.Verdict != verifier.NotValid || !strings.Contains(said.HTML, "Not valid") || said.Then != nil {
			t.Errorf("%s: %+v %v", name, said.Report, err)
		}
	}
	for language, want := range map[string]string{"it": "Non valido", "de": "Nicht gültig", "fr": "Non valide", "xx": "Non valido"} {
		q := good
		q.Language, q.Presented = language, []byte("{}")
		if said, err := j.check(t.Context(), q); err != nil || !strings.Contains(said.HTML, want) {
			t.Errorf("%s: %s %v", language, said.HTML, err)
		}
	}
	for name, change := range map[string]func(*request){
		"no time":       func(q *request) { q.Now = "" },
		"a wrong time":  func(q *request) { q.Made = "yesterday" },
		"no anchor":     func(q *request) { q.Anchors = []file{{"trust/x.json", []byte("{}")}} },
		"an anchor cut": func(q *request) { q.Anchors = []file{{"trust/x.pem", []byte("-----BEGIN")}} },
	} {
		q := good
		change(&q)
		if said, err := j.check(t.Context(), q); err == nil || said.HTML != "" {
			t.Errorf("%s: %q", name, said.HTML)
		}
	}
}
