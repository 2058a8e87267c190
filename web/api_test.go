package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"attesta/verifier"

	"github.com/go-chi/chi/v5"
)

// description is the part of an OpenAPI description that the tests read.
type description struct {
	OpenAPI    string
	Paths      map[string]map[string]struct{ Responses map[string]response }
	Components struct{ Schemas map[string]any }
}

type response struct {
	Content map[string]struct{ Schema any }
}

func readDescription(t testing.TB, r http.Handler) (d description) {
	t.Helper()
	answer := ask(r, "GET", "/api/openapi.json", nil)
	if err := json.Unmarshal(answer.Body.Bytes(), &d); err != nil || answer.Code != 200 || d.OpenAPI != "3.1.0" {
		t.Fatalf("%d %v %s", answer.Code, err, d.OpenAPI)
	}
	return d
}

// fits tells in words where a value does not fit a schema (JSON Schema 2020-12,
// the part of it that the description uses).
func (d description) fits(at string, schema, value any) string {
	s, _ := schema.(map[string]any)
	if ref, ok := s["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/components/schemas/")
		if d.Components.Schemas[name] == nil {
			return at + ": there is no schema " + ref
		}
		return d.fits(at, d.Components.Schemas[name], value)
	}
	if either, ok := s["oneOf"].([]any); ok {
		var why []string
		for _, one := range either {
			if no := d.fits(at, one, value); no != "" {
				why = append(why, no)
			}
		}
		if len(why) != len(either)-1 {
			return fmt.Sprintf("%s: fits %d of %d: %s", at, len(either)-len(why), len(either), why)
		}
		return ""
	}
	if kinds := s["type"]; kinds != nil && !strings.Contains(fmt.Sprint(kinds), kindOf(value)) {
		return fmt.Sprintf("%s: %s where %v is said", at, kindOf(value), kinds)
	}
	if allowed, ok := s["enum"].([]any); ok && !slices.Contains(allowed, value) {
		return fmt.Sprintf("%s: %v is none of %v", at, value, allowed)
	}
	if pattern, ok := s["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(fmt.Sprint(value)) {
		return fmt.Sprintf("%s: %v is not of the form %s", at, value, pattern)
	}
	switch value := value.(type) {
	case []any:
		for n, item := range value {
			if no := d.fits(fmt.Sprint(at, "[", n, "]"), s["items"], item); s["items"] != nil && no != "" {
				return no
			}
		}
	case map[string]any:
		return d.fitsObject(at, s, value)
	}
	return ""
}

func (d description) fitsObject(at string, s, value map[string]any) string {
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, ok := value[fmt.Sprint(name)]; !ok {
			return fmt.Sprintf("%s: no %v", at, name)
		}
	}
	known, _ := s["properties"].(map[string]any)
	for name, member := range value {
		schema, ok := known[name]
		if !ok {
			if schema = s["additionalProperties"]; schema == false {
				return at + ": " + name + " is not described"
			}
		}
		if no := d.fits(at+"."+name, schema, member); no != "" {
			return no
		}
	}
	return ""
}

func kindOf(value any) string {
	switch value.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "integer"
	}
	return "null"
}

// fit holds an answer to what the description says of it.
func (d description) fit(t testing.TB, name string, answer *httptest.ResponseRecorder) (value any) {
	t.Helper()
	said, ok := d.Paths["/api/v1/verify"]["post"].Responses[fmt.Sprint(answer.Code)]
	if !ok {
		t.Errorf("%s: %d is not described", name, answer.Code)
		return nil
	}
	kind := answer.Header().Get("Content-Type")
	content, ok := said.Content[kind]
	if !ok {
		t.Errorf("%s: %d with %s is not described", name, answer.Code, kind)
		return nil
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &value); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if no := d.fits("answer", content.Schema, value); no != "" {
		t.Errorf("%s: %s\n%s", name, no, answer.Body)
	}
	return value
}

// TestDescribed: every address below /api is described, no other is, and the
// check of this test sees what does not fit.
func TestDescribed(t *testing.T) {
	_, r := newSite(t, newWorld())
	d := readDescription(t, r)
	var there, said []string
	err := chi.Walk(r, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if strings.HasPrefix(route, "/api/") && method != "HEAD" {
			there = append(there, strings.ToLower(method)+" "+route)
		}
		return nil
	})
	for path, methods := range d.Paths {
		for method := range methods {
			said = append(said, method+" "+path)
		}
	}
	slices.Sort(there)
	slices.Sort(said)
	if err != nil || !slices.Equal(there, said) {
		t.Errorf("there are %v, described are %v", there, said)
	}
	report, _ := judge([]byte("valid"))
	for name, spoil := range map[string]func(m map[string]any){
		"nothing": nil, "another verdict": func(m map[string]any) { m["verdict"] = "fine" }, "no reason": func(m map[string]any) { delete(m, "reason") },
		"a number": func(m map[string]any) { m["level"] = 3.0 }, "an odd digest": func(m map[string]any) { m["digest"] = "x" },
	} {
		raw, _ := json.Marshal(report)
		var m map[string]any
		_ = json.Unmarshal(raw, &m)
		if spoil != nil {
			spoil(m)
		}
		if no := d.fits("report", map[string]any{"$ref": "#/components/schemas/Report"}, m); (no == "") != (spoil == nil) {
			t.Errorf("%s: %q", name, no)
		}
	}
}

// TestVerifyAPI goes through the ways in which a program presents something; all
// answers are as described.
func TestVerifyAPI(t *testing.T) {
	w := newWorld()
	w.report = func(b []byte) (verifier.Report, error) {
		report, err := judge(b)
		if report.Credential != nil {
			report.Summary = &verifier.CredentialSummary{ID: "urn:x", Title: report.Credential.Title, HolderName: "N", Issuer: report.Credential.IssuerNames, IssuerID: "x", Issued: now()}
		}
		return report, err
	}
	_, r := newSite(t, w)
	d := readDescription(t, r)
	form, formKind := several(t, batch(t)...)
	for _, c := range []struct {
		name, kind, body string
		code             int
		want             string
	}{
		{"a file", "application/ld+json", `{"a valid": 1}`, 200, `"verdict":"valid"`},
		{"curl without a type", "application/x-www-form-urlencoded", `{"a valid": 1}`, 200, `"verdict":"valid"`},
		{"no type", "", `{"a valid": 1}`, 200, `"verdict":"valid"`},
		{"a sealed file as JSON", "application/json", `{"payload": "valid", "signatures": []}`, 200, `"verdict":"valid"`},
		{"credential as an object", "application/json", `{"credential": {"payload": "revoked valid"}}`, 200, `"reason":"status_revoked"`},
		{"credential as a string", "application/json", `{"credential": "{\"valid\":1}", "name": "x"}`, 200, `"verdict":"valid"`},
		{"a code", "application/json", `{"text": "` + strings.ToLower(handleRevoked) + `"}`, 200, `"verdict":"not_valid"`},
		{"a link", "application/json", `{"text": "` + ownAddress + handleValid + `"}`, 200, `"verdict":"valid"`},
		{"a screenshot", "image/png", shot(t, ownAddress+handleValid), 200, `"verdict":"valid"`},
		{"not a credential", "application/json", `{"hello": 1}`, 200, `"reason":"format_unknown"`},
		{"another site", "application/json", `{"text": "https://evil.example/x"}`, 422, `"host":"evil.example"`},
		{"an unknown code", "application/json", `{"text": "` + handleUnknown + `"}`, 422, `"code":"handle_unknown"`},
		{"a slip", "application/json", `{"text": "AAAA"}`, 400, "request_id"},
		{"a picture of nothing", "image/png", blank(t), 422, `"code":"qr_none"`},
		{"a broken PDF", "application/pdf", "%PDF-1.7", 422, `"code":"pdf_damaged"`},
		{"both", "application/json", `{"credential": {}, "text": "x"}`, 400, "request_id"},
		{"a name twice (J7)", "application/json", `{"credential": {"valid":1}, "credential": {"evil":1}}`, 400, "request_id"},
		{"no JSON", "application/json", `{"credential": `, 400, "request_id"},
		{"a number", "application/json", `7`, 400, "request_id"},
		{"nothing", "application/json", ` `, 400, "request_id"},
		{"an empty list", "application/json", `[]`, 400, "request_id"},
		{"a list of 1,001", "application/json", "[" + strings.Repeat(`{"text":"x"},`, 1000) + `{"text":"x"}]`, 413, "request_id"},
		{"60 MB", "application/octet-stream", strings.Repeat("x", 60<<20), 413, "request_id"},
		{"5 MB of no credential", "application/octet-stream", strings.Repeat("x", 5<<20), 413, `"code":"large"`},
		{"a list", "application/json", `[{"credential": {"valid": 1}, "name": "one"}, {"text": "` + handleRevoked + `"}, {"payload": "broken valid"}, {"text": "hello"}, {"text":"https://evil.example"}]`, 200, `"results":[{"name":"one","found_in":"file","report"`},
		{"a ZIP", "application/zip", archive(t, upload{"a", `{"valid":1}`}, upload{"b", "%PDF-"}), 200, `"results":[{"name":"a"`},
		{"a ZIP of one", "application/zip", archive(t, upload{"a", `{"valid":1}`}), 200, `"results":[{"name":"a"`},
		{"several where one is asked", "application/octet-stream", archive(t, upload{"a", `{"valid":1}`}, upload{"b", "%PDF-"}), 422, "request_id"},
	} {
		answer := ask(r, "POST", "/api/v1/verify", strings.NewReader(c.body), "Content-Type", c.kind)
		d.fit(t, c.name, answer)
		if answer.Code != c.code || !strings.Contains(answer.Body.String(), c.want) || answer.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, want %d with %s: %.400s", c.name, answer.Code, c.code, c.want, answer.Body)
		}
	}
	answer := ask(r, "POST", "/api/v1/verify", form, "Content-Type", formKind)
	value, _ := d.fit(t, "a form", answer).(map[string]any)
	list, _ := value["results"].([]any)
	if len(list) != 10 {
		t.Errorf("a form of 9 files with 10 items: %d", len(list))
	}
	if answer := ask(r, "GET", "/api/v1/verify", nil); answer.Code != 405 || answer.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("GET: %d", answer.Code)
	}
}

// TestAPIFaults (W16): a fault is a problem and no verdict.
func TestAPIFaults(t *testing.T) {
	w := newWorld()
	w.report = func([]byte) (verifier.Report, error) { return verifier.Report{Verdict: verifier.Valid}, errBroken }
	_, r := newSite(t, w)
	answer := ask(r, "POST", "/api/v1/verify", strings.NewReader(`{"valid":1}`), "Content-Type", "application/json")
	if answer.Code != 500 || strings.Contains(answer.Body.String(), `"verdict"`) || strings.Contains(answer.Body.String(), "disk") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func FuzzPresentedJSON(f *testing.F) {
	for _, seed := range []string{`{"credential":{}}`, `{"text":"x","name":"y"}`, `[{"text":""}]`, `{`, `{"a":1,"a":2}`} {
		f.Add(seed)
	}
	s, _ := newSite(f, newWorld())
	f.Fuzz(func(t *testing.T, body string) {
		o, wrapped, err := s.readObject([]byte(body))
		if wrapped && (err != nil || o.text != "" && o.file.Data != nil) {
			t.Fatalf("%q: %+v, %v", body, o, err)
		}
	})
}

// TestListIsReadNoFurther (W7): a list that is too long costs no more than its
// bytes, however many things are in it.
func TestListIsReadNoFurther(t *testing.T) {
	_, r := newSite(t, newWorld())
	body := "[" + strings.Repeat("1,", 2_000_000) + "1]"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	answer := ask(r, "POST", "/api/v1/verify", strings.NewReader(body), "Content-Type", "application/json")
	runtime.ReadMemStats(&after)
	if answer.Code != 413 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 40<<20 {
		t.Errorf("%d MiB for a list of 4 MB", used>>20)
	}
	for body, want := range map[string]int{"[1,": 400, "[1]x": 400, "[]": 400, "[1 2]": 400, "null": 400} {
		if answer := ask(r, "POST", "/api/v1/verify", strings.NewReader(body), "Content-Type", "application/json"); answer.Code != want {
			t.Errorf("%s: %d, want %d", body, answer.Code, want)
		}
	}
}
