package dss_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/interop/dss"
	"attesta/keys"
	"attesta/verifier"
)

// findJudge ends a test where there is no judge: a skip with a plain message
// for a newcomer, a failure where everything is demanded.
func findJudge(t *testing.T) dss.Judge {
	t.Helper()
	judge, err := dss.Find()
	if err == nil {
		return judge
	}
	if os.Getenv("ATTESTA_REQUIRE_ALL") == "1" {
		t.Fatalf("this test needs the judge of interop/dss, and ATTESTA_REQUIRE_ALL=1 forbids to skip it: %v", err)
	}
	t.Skipf("skipped: this test needs the judge of interop/dss, see README.md there: %v", err)
	return judge
}

func ask(t *testing.T, judge dss.Judge, tasks []dss.Task) []dss.Result {
	t.Helper()
	results, err := judge.Do(context.Background(), tasks...)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// examine is the task of judging a file as one who trusts both authorities of
// a PKI and has their lists.
func (p *pki) examine(file []byte) dss.Task {
	return dss.Task{Kind: dss.Validate, File: file, Anchors: p.anchors(), CRLs: p.crls}
}

// said is the judgement in one line.
func said(r dss.Result) string {
	switch {
	case r.Failure != "":
		return "failure: " + r.Failure
	case r.Signatures == 0:
		return "no signature found: " + r.Unrecognised
	}
	return strings.TrimSpace(r.Level + " " + r.Indication + " " + r.SubIndication)
}

// refused tells whether a changed file was refused for the change. A change of
// payload, signature or claimed time leaves a signature that is broken; one of
// the header may also leave no header or no certificate to hold it against.
func refused(r dss.Result, what string) bool {
	if strings.Contains(what, "protected") && r.Failure == "" && (r.Signatures == 0 || r.SubIndication == "NO_SIGNING_CERTIFICATE_FOUND") {
		return !r.Intact && !r.Valid
	}
	return r.Signatures == 1 && !r.Intact && !r.Valid && r.Indication == "TOTAL_FAILED"
}

// passed tells whether the judge found exactly one good signature, made by the
// organisation of these tests.
func passed(r dss.Result) bool {
	return r.Signatures == 1 && r.Intact && r.Valid && r.Indication == "TOTAL_PASSED" && strings.HasPrefix(r.SignedBy, "Sigillo di prova ")
}

// attestaSays is the report of a verifier that trusts the same authorities.
func (p *pki) attestaSays(t *testing.T, file []byte) verifier.Report {
	t.Helper()
	var trust keys.Trust
	for a, use := range map[*pair]keys.Use{p.root: keys.ForSeals, p.stamps: keys.ForTime} {
		trust.Anchors = append(trust.Anchors, keys.Anchor{
			Name: a.chain[0].Subject.CommonName, Level: keys.Advanced, Certificate: a.chain[0], For: []keys.Use{use},
		})
	}
	v := verifier.New(verifier.Config{Trust: func() keys.Trust { return trust }, Now: func() time.Time { return p.now }})
	r, err := v.Verify(context.Background(), file)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// inWords is why a report says what it says.
func inWords(r verifier.Report) string {
	text := string(r.Verdict) + " " + r.Reason
	for _, c := range r.Checks {
		if detail := c.Facts["detail"]; detail != "" {
			text += ": " + detail
		}
	}
	return text
}

// documents are unsigned credentials of every module of both catalogues of the
// fixtures, by code. They point at no status list: nobody here publishes one.
func documents(t *testing.T, at time.Time, signer credentials.Signer) map[string]credentials.Document {
	t.Helper()
	var providers struct {
		Issuers []credentials.Provider `json:"issuers"`
	}
	readFixture(t, "issuers.json", &providers)
	owners := map[string]credentials.Provider{}
	for _, p := range providers.Issuers {
		for _, code := range p.Modules {
			owners[code] = p
		}
	}
	picture := []byte("\x89PNG\r\n\x1a\n one pixel")
	all := map[string]credentials.Document{}
	for _, name := range []string{"catalogue_national_school.json", "catalogue_jobseekers.json"} {
		var catalogue struct {
			Modules []credentials.Module `json:"modules"`
		}
		readFixture(t, name, &catalogue)
		for _, m := range catalogue.Modules {
			d, err := credentials.NewDocument(credentials.Award{
				Provider: owners[m.Code], Module: m, Edition: m.Code + "/2026/TOT25", CompletedOn: "2026-05-29",
				Learner: credentials.Learner{GivenName: "Ada", FamilyName: "D’Esempio \u2028 <è>"},
			}, credentials.Issue{
				Credential: "urn:credential:6c0f6c0e-8a55-4d0e-8b1e-3a8c8b0c9d11", At: at, Signer: signer,
				Pictures: map[string][]byte{"it": picture, "en": picture},
			})
			if err != nil {
				t.Fatal(err)
			}
			all[m.Code] = d
		}
	}
	return all
}

func readFixture(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "credentials", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// member is where the text of a member of a sealed file stands.
func member(t *testing.T, file []byte, name string) (from, to int) {
	t.Helper()
	start := []byte(`"` + name + `":"`)
	from = bytes.Index(file, start) + len(start)
	if from < len(start) {
		t.Fatalf("the file has no member %s", name)
	}
	for to = from; file[to] != '"'; to++ {
		if file[to] == '\\' {
			to++
		}
	}
	return from, to
}

// change is a file with one byte replaced by another.
type change struct {
	what string
	file []byte
}

// changes replaces single letters at the start, in the middle and at the end of
// payload, protected header and signature. The end stops short of the last
// letter, some bits of which may mean nothing (RFC 4648 clause 3.5).
func changes(t *testing.T, file []byte) []change {
	t.Helper()
	all := []change{{"the claimed time", otherTime(t, file)}}
	for _, name := range []string{"payload", "protected", "signature"} {
		from, to := member(t, file, name)
		all = append(all,
			change{name + ", start", otherLetter(file, from, 1)},
			change{name + ", middle", otherLetter(file, (from+to)/2, 1)},
			change{name + ", end", otherLetter(file, to-2, -1)})
	}
	return all
}

// otherLetter changes the letter of a file at a place or, by steps, after it.
func otherLetter(file []byte, n, step int) []byte {
	isLetter := func(c byte) bool { return 'a' <= c && c <= 'z' }
	for !isLetter(file[n]) || file[n-1] == '\\' {
		n += step
	}
	other := bytes.Clone(file)
	if other[n]++; !isLetter(other[n]) {
		other[n] = 'a'
	}
	return other
}

// otherTime changes the last digit of the time that a seal claims: the header
// stays readable and says something else.
func otherTime(t *testing.T, file []byte) []byte {
	t.Helper()
	from, to := member(t, file, "protected")
	raw, err := base64.RawURLEncoding.DecodeString(string(file[from:to]))
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(raw, []byte(`"sigT":"`)) + len(`"sigT":"2026-11-22T02:52:4`)
	if n := bytes.Index(raw, []byte(`"iat":`)); n >= 0 {
		at = n + len(`"iat":179531596`)
	}
	raw[at] = '0' + (raw[at]-'0'+1)%10
	return append(append(bytes.Clone(file[:from]), base64.RawURLEncoding.EncodeToString(raw)...), file[to:]...)
}
