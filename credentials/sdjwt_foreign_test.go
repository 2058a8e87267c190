package credentials

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Digests may be made with a longer hash, and then all of them are, also that of
// the proof of the holder's key (D6).
func TestSDJWTDigests(t *testing.T) {
	s := newSealer(t)
	for name, sum := range map[string]func([]byte) []byte{
		"sha-384": func(b []byte) []byte { d := sha512.Sum384(b); return d[:] },
		"sha-512": func(b []byte) []byte { d := sha512.Sum512(b); return d[:] },
	} {
		w := goodToken(t)
		w.claims, w.sum, w.binding = strings.Replace(w.claims, "sha-256", name, 1), sum, same
		p, err := ParseSDJWT([]byte(w.present(t, s)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := p.CheckBinding(); err != nil || p.View().HolderName != "Ada Esempio" {
			t.Errorf("%s: of %q, %v", name, p.View().HolderName, err)
		}
	}
}

// A moment may have a fraction, and be that at which the count begins or before.
func TestSDJWTTimes(t *testing.T) {
	for written, want := range map[string]time.Time{
		"1795249800.75": time.Unix(1795249800, 0), "0": time.Unix(0, 0), "-1": time.Unix(-1, 0), "1.7952498e9": time.Unix(1795249800, 0),
	} {
		w := goodToken(t)
		w.claims = strings.Replace(w.claims, `"exp"`, `"nbf":`+written+`,"exp"`, 1)
		p, err := ParseSDJWT([]byte(w.present(t, newSealer(t))))
		if err != nil {
			t.Errorf("%s: %v", written, err)
		} else if got := p.View().ValidFrom; !got.Equal(want) {
			t.Errorf("%s: %s", written, got)
		}
	}
}

// The time of signing may stand in the header, and a last day is a day or a moment:
// what cannot be read is told from what is not there.
func TestSDJWTLastDay(t *testing.T) {
	for name, c := range map[string]struct {
		claims string
		until  time.Time
		unread bool
	}{
		"none":               {`"x":1`, time.Time{}, false},
		"a day":              {`"date_of_expiry":"2028-11-20"`, time.Date(2028, 11, 20, 23, 59, 59, 0, time.UTC), false},
		"a moment":           {`"date_of_expiry":"2020-01-01T00:00:00Z"`, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), false},
		"by its other name":  {`"expiry_date":"2020-01-01"`, time.Date(2020, 1, 1, 23, 59, 59, 0, time.UTC), false},
		"the sooner of both": {`"expiry_date":"2020-01-01","date_of_expiry":"2028-11-20"`, time.Date(2020, 1, 1, 23, 59, 59, 0, time.UTC), false},
		"in words":           {`"date_of_expiry":"20/11/2020"`, time.Time{}, true},
		"a list":             {`"date_of_expiry":["2020-01-01"]`, time.Time{}, true},
		"no day":             {`"date_of_expiry":"2021-02-29"`, time.Time{}, true},
	} {
		w := goodToken(t)
		w.claims, w.disclosed, w.header = `{"vct":"x",`+c.claims+`}`, nil, `,"iat":1795249800`
		p, err := ParseSDJWT([]byte(w.present(t, newSealer(t))))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := p.View().ValidUntil; !got.Equal(c.until) || p.EndsUnread() != c.unread || p.Envelope.SealedAt.Unix() != 1795249800 {
			t.Errorf("%s: %s, unread %v, sealed at %s", name, got, p.EndsUnread(), p.Envelope.SealedAt)
		}
	}
}

// A wallet may be given a credential again: when it was issued is the day that it
// states, and how long it is valid counts from when it was signed.
func TestSDJWTIssued(t *testing.T) {
	signed, day := time.Unix(1795249800, 0).UTC(), time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	for claims, want := range map[string][2]time.Time{
		`"iat":1795249800`: {signed, signed},
		`"iat":1795249800,"date_of_issuance":"2025-06-01"`: {day, signed},
		`"iat":1795249800,"nbf":1795249801`:                {signed, signed.Add(time.Second)},
		`"date_of_issuance":"2025-06-01"`:                  {day, {}},
		`"x":1`:                                            {},
	} {
		w := goodToken(t)
		w.claims, w.disclosed = `{"vct":"x",`+claims+`}`, nil
		p, err := ParseSDJWT([]byte(w.present(t, newSealer(t))))
		if err != nil {
			t.Fatalf("%s: %v", claims, err)
		}
		if v := p.View(); !v.Issued.Equal(want[0]) || !v.ValidFrom.Equal(want[1]) {
			t.Errorf("%s: issued %s, valid from %s", claims, v.Issued, v.ValidFrom)
		}
	}
}

// A status that is not understood is seen, also beside one that is, and by the
// name that W3C has for it.
func TestSDJWTStatus(t *testing.T) {
	list := `"status_list":{"idx":1,"uri":"u"}`
	understood := StatusEntry{Type: TokenStatusEntry, List: "u", Index: "1"}
	for claims, want := range map[string][]StatusEntry{
		`"x":1`:                           nil,
		`"status":{` + list + `}`:         {understood},
		`"status":{"identifier_list":{}}`: {{}},
		`"status":{}`:                     {{}},
		`"status":{` + list + `,"identifier_list":{}}`:           {understood, {}},
		`"credentialStatus":{"type":"BitstringStatusListEntry"}`: {{}},
		`"credentialStatus":{},"status":{` + list + `}`:          {understood, {}},
		`"status":{"status_list":[{"idx":1,"uri":"u"}]}`:         {{Type: TokenStatusEntry}},
	} {
		w := goodToken(t)
		w.claims, w.disclosed = `{"vct":"x",`+claims+`}`, nil
		p, err := ParseSDJWT([]byte(w.present(t, newSealer(t))))
		if err != nil {
			t.Fatalf("%s: %v", claims, err)
		}
		if diff := cmp.Diff(want, p.View().Status); diff != "" {
			t.Errorf("%s: %s", claims, diff)
		}
	}
}

// D11: a proof that is made in a way that is not read is no forgery, but only
// where all else of it holds.
func TestSDJWTBindingUnread(t *testing.T) {
	s := newSealer(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, minRSABits)
	if err != nil {
		t.Fatal(err)
	}
	ofRSA := `{"jwk":{"kty":"RSA","e":"AQAB","n":"` + b64(string(rsaKey.N.Bytes())) + `"}}`
	in := func(old, replacement string) func(*bindingParts) {
		return func(b *bindingParts) {
			b.header, b.claims = strings.Replace(b.header, old, replacement, 1), strings.Replace(b.claims, old, replacement, 1)
		}
	}
	for name, c := range map[string]struct {
		cnf    string
		change func(*bindingParts)
		code   string // "" where it holds
	}{
		"for several":             {`{"jwk":{JWK}}`, in(`"https://check.example"`, `["https://check.example","x"]`), ""},
		"for a number":            {`{"jwk":{JWK}}`, in(`"https://check.example"`, `[1]`), "sdjwt"},
		"a key by its name":       {`{"kid":"did:jwk:x"}`, same, ErrUnread},
		"a key by its thumbprint": {`{"jkt":"x"}`, same, ErrUnread},
		"Ed25519":                 {`{"jwk":{"kty":"OKP","crv":"Ed25519","x":"AA"}}`, in("ES256", "EdDSA"), ErrUnread},
		"P-521":                   {`{"jwk":{"kty":"EC","crv":"P-521","x":"AA","y":"AA"}}`, in("ES256", "ES512"), ErrUnread},
		"RSA-PSS":                 {ofRSA, in("ES256", "PS256"), ErrUnread},
		"RSA, and another's":      {ofRSA, in("ES256", "RS256"), "seal"},
		"EdDSA by a key on P-256": {`{"jwk":{JWK}}`, in("ES256", "EdDSA"), "seal"},
		"a secret":                {`{"jwk":{"kty":"oct","k":"AA"}}`, in("ES256", "HS256"), "sdjwt"},
		"none, by its name":       {`{"kid":"x"}`, in("ES256", "none"), "sdjwt"},
		"no key":                  {`{}`, same, "sdjwt"},
		"by its name, over other": {`{"kid":"x"}`, func(b *bindingParts) { b.over += "x~" }, "sdjwt"},
		"by its name, undated":    {`{"kid":"x"}`, in("iat", "jat"), "sdjwt"},
		"by its name, another":    {`{"kid":"x"}`, in("kb+jwt", "JWT"), "sdjwt"},
	} {
		w := goodToken(t)
		w.claims, w.disclosed, w.binding = `{"vct":"x","cnf":`+c.cnf+`}`, nil, c.change
		p, err := ParseSDJWT([]byte(w.present(t, s)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, err = p.CheckBinding()
		format, code := new(FormatError), ""
		switch {
		case errors.As(err, &format):
			code = format.Code
		case errors.Is(err, ErrSeal):
			code = "seal"
		}
		if code != c.code || (err == nil) != (code == "") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// inJSON serialises a token that is presented in its compact form.
func inJSON(t testing.TB, compact string, general bool) string {
	t.Helper()
	parts := strings.Split(compact, "~")
	token, proof := strings.Split(parts[0], "."), parts[len(parts)-1]
	header := map[string]any{"disclosures": parts[1 : len(parts)-1]}
	if proof != "" {
		header["kb_jwt"] = proof
	}
	signature := map[string]any{"protected": token[0], "signature": token[2], "header": header}
	outer := signature
	if general {
		outer = map[string]any{"signatures": []any{signature}}
	}
	outer["payload"] = token[1]
	raw, err := json.Marshal(outer)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// RFC 9901 section 8: a token as JSON is the token in its compact form, and what
// has two readings, or is something else, is none (J6).
func TestCompactSDJWT(t *testing.T) {
	s, w := newSealer(t), goodToken(t)
	for _, binding := range []func(*bindingParts){nil, same} {
		w.binding = binding
		want := w.present(t, s)
		for _, general := range []bool{false, true} {
			if got, ok := CompactSDJWT([]byte(" " + inJSON(t, want, general) + "\n")); !ok || string(got) != want {
				t.Errorf("general %v: %v\n%s\n%s", general, ok, got, want)
			}
		}
	}
	flat, general := inJSON(t, w.present(t, s), false), inJSON(t, w.present(t, s), true)
	bare := w
	bare.disclosed, bare.claims = nil, `{"vct":"x"}`
	for name, c := range map[string]struct {
		data string
		is   bool
	}{
		"nothing disclosed":       {strings.Replace(inJSON(t, bare.present(t, s), false), `"disclosures":[]`, `"x":1`, 1), true},
		"two signatures":          {strings.Replace(general, `"signatures":[`, `"signatures":[{},`, 1), false},
		"no signature":            {strings.Replace(flat, `"signature"`, `"signed"`, 1), false},
		"both ways":               {strings.Replace(general, `"signatures"`, `"signature":"AA","signatures"`, 1), false},
		"a tilde in a disclosure": {strings.Replace(flat, `"disclosures":["`, `"disclosures":["AA~`, 1), false},
		"an empty proof":          {strings.Replace(inJSON(t, bare.present(t, s), false), `"disclosures":[]`, `"kb_jwt":""`, 1), false},
		"a name twice":            {strings.Replace(flat, `"payload"`, `"payload":"AA","payload"`, 1), false},
		"a sealed file":           {`{"payload":"e30","signatures":[{"protected":"eyJhbGciOiJFUzI1NiJ9","signature":"AA"}]}`, false},
		"no object":               {`[` + flat + `]`, false},
		"nothing":                 {``, false},
	} {
		if got, ok := CompactSDJWT([]byte(c.data)); ok != c.is {
			t.Errorf("%s: %v %s", name, ok, got)
		}
	}
}

// T1: what is read as JSON is a compact token of the same parts, or nothing.
func FuzzCompactSDJWT(f *testing.F) {
	s := fixedSealer(f)
	w := goodToken(f)
	w.holder, w.binding = s, same
	f.Add([]byte(inJSON(f, w.present(f, s), false)))
	f.Add([]byte(inJSON(f, w.present(f, s), true)))
	f.Add([]byte(`{"payload":"e30","protected":"e30","signature":"AA","header":{"disclosures":["WyJzIiwieCJd",1]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		token, ok := CompactSDJWT(data)
		if !ok {
			return
		}
		parts := strings.Split(string(token), "~")
		if len(parts) < 2 || strings.Count(parts[0], ".") < 2 {
			t.Fatalf("%q", token)
		}
		p, err := ParseSDJWT(token)
		if err != nil {
			return
		}
		if p.Bound != (parts[len(parts)-1] != "") {
			t.Fatalf("bound %v: %q", p.Bound, token)
		}
		_ = p.View()
	})
}
