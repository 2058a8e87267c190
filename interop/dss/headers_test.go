package dss_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/interop/dss"
	"attesta/verifier"
)

// TestHeaders puts into seals what neither writer would, with a signature that
// is good. attesta may be the stricter of the two and never the laxer: what it
// calls valid, the library passes (J1, J4, J5).
func TestHeaders(t *testing.T) {
	judge := findJudge(t)
	p := newPKI(t, time.Now().Truncate(time.Second))
	s := p.sealers["ES256"]
	signer, err := credentials.SignerOf(s.chain[0])
	if err != nil {
		t.Fatal(err)
	}
	document := documents(t, p.now.Add(-time.Hour), signer)["SN-11"]
	thumb, longer := sha256.Sum256(s.chain[0].Raw), sha512.Sum512(s.chain[0].Raw)
	other, root := sha512.Sum512(p.stranger.chain[0].Raw), sha512.Sum512(p.root.chain[0].Raw)
	b64 := base64.RawURLEncoding.EncodeToString
	named := func(digest []byte) map[string]string {
		return map[string]string{"digAlg": "S512", "digVal": b64(digest)}
	}
	iat, sigT := p.now.Unix(), p.now.UTC().Format("2006-01-02T15:04:05Z")
	const (
		both     = "both take it"
		neither  = "neither takes it"
		stricter = "attesta does not take it"
	)
	type with = map[string]any // nil takes a member away
	cases := []struct {
		name string
		with with
		want string
	}{
		{"iat", with{}, both},
		{"iat, critical", with{"crit": []string{"b64", "iat"}}, both},
		{"sigT of before", with{"iat": nil, "sigT": "2025-07-14T23:59:59Z", "crit": []string{"b64", "sigT"}}, both},
		{"sigT of now", with{"iat": nil, "sigT": sigT, "crit": []string{"b64", "sigT"}}, both},
		{"sigT, not critical", with{"iat": nil, "sigT": sigT}, both},
		{"x5t#o", with{"x5t#S256": nil, "x5t#o": named(longer[:])}, both},
		{"another media type", with{"cty": "json"}, both},
		{"no name of the certificate", with{"x5t#S256": nil}, both},

		{"iat and sigT", with{"sigT": sigT, "crit": []string{"b64", "sigT"}}, neither},
		{"no time", with{"iat": nil}, neither},
		{"iat as a text", with{"iat": "1795315966"}, neither},
		{"sigT without a zone", with{"iat": nil, "sigT": "2026-11-22T02:52:46", "crit": []string{"b64", "sigT"}}, neither},
		{"x5t#S256 of another certificate", with{"x5t#S256": b64(other[:32])}, neither},
		{"x5t#o of another certificate", with{"x5t#S256": nil, "x5t#o": named(other[:])}, neither},
		{"x5t#o of the root", with{"x5t#S256": nil, "x5t#o": named(root[:])}, stricter},
		{"another certificate", with{"x5c": []string{base64.StdEncoding.EncodeToString(p.sealers["ES384"].chain[0].Raw)}}, neither},
		{"kid of something else", with{"kid": "key-1"}, stricter},
		{"unknown and critical", with{"other": 1, "crit": []string{"b64", "other"}}, stricter},
		{"critical twice", with{"crit": []string{"b64", "b64"}}, stricter},
		{"b64 not critical", with{"crit": nil}, stricter},
		{"alg none", with{"alg": "none"}, neither},
		{"alg of another key", with{"alg": "RS256"}, neither},
		{"alg of an authenticator", with{"alg": "HS256"}, neither},
	}
	var files [][]byte
	var tasks []dss.Task
	for _, c := range cases {
		header := with{
			"alg": "ES256", "typ": "jose+json", "cty": "octet-stream", "b64": false, "iat": iat, "crit": []string{"b64"},
			"x5t#S256": b64(thumb[:]), "x5c": []string{base64.StdEncoding.EncodeToString(s.chain[0].Raw)},
		}
		maps.Copy(header, c.with)
		maps.DeleteFunc(header, func(_ string, v any) bool { return v == nil })
		file := sealed(t, s, header, document)
		files = append(files, file)
		tasks = append(tasks, p.examine(file))
	}
	var table rows
	for n, r := range ask(t, judge, tasks) {
		c, report := cases[n], p.attestaSays(t, files[n])
		table.add(c.name, said(r), inWords(report))
		theirs, ours := passed(r), report.Verdict == verifier.Valid
		if ours != (c.want == both) || theirs != (c.want != neither) {
			t.Errorf("%s: want %s; the library says %s, attesta %s", c.name, c.want, said(r), inWords(report))
		}
	}
	t.Log(table.text())
}

// sealed is a file with a header of any kind and a good signature.
func sealed(t *testing.T, s *pair, header map[string]any, d credentials.Document) []byte {
	t.Helper()
	raw, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	protected := base64.RawURLEncoding.EncodeToString(raw)
	signature, err := s.Sign(slices.Concat([]byte(protected+"."), d))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(string(d))
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat([]byte(`{"payload":`), payload,
		[]byte(`,"signatures":[{"protected":"`+protected+`","signature":"`+base64.RawURLEncoding.EncodeToString(signature)+`"}]}`))
}
