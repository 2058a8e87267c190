package credentials

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// carrier is one of the two forms in which a JWS is read, for tests that hold
// for both.
type carrier struct {
	name    string
	header  string // with %s for the algorithm as it stands in JSON, and x5c after it
	payload string
	input   func(header, payload string) string
	write   func(header, payload, signature string) []byte
	open    func([]byte) (*Envelope, error)
}

func carriers() []carrier {
	return []carrier{{
		"a sealed file", `{"alg":%s,"typ":"jose+json","b64":false,"iat":1795249800,"crit":["b64"],"x5c":%s}`, smallDocument,
		func(header, payload string) string { return b64(header) + "." + payload },
		func(header, payload, signature string) []byte {
			return []byte(`{"payload":` + quote(payload) + `,"signatures":[{"protected":"` + b64(header) + `","signature":"` + signature + `"}]}`)
		},
		func(data []byte) (*Envelope, error) {
			p, err := open(data)
			if err != nil {
				return nil, err
			}
			return p.Envelope, nil
		},
	}, {
		"a token", `{"alg":%s,"typ":"vc+jwt","x5c":%s}`, `{"id":"https://scuola.example.org/status/L1/revocation"}`,
		func(header, payload string) string { return b64(header) + "." + b64(payload) },
		func(header, payload, signature string) []byte {
			return []byte(b64(header) + "." + b64(payload) + "." + signature)
		},
		openToken,
	}}
}

// openToken is what a verifier does before it believes a status list.
func openToken(data []byte) (*Envelope, error) {
	e, err := ParseCompact(data, StatusListType)
	if err == nil {
		err = e.Verify()
	}
	return e, err
}

// J1: a thing without a signature, or that says of itself that it has none, is
// never read, whatever stands in the place of the signature.
func TestNothingUnsignedIsRead(t *testing.T) {
	s := newSealer(t)
	for _, c := range carriers() {
		for _, alg := range []string{
			`"ES256"`, `"none"`, `"None"`, `"NONE"`, `"nOnE"`, `"none "`, `"\u006eone"`, `""`, `" "`, `"es256"`, `"ES256 "`, `null`, `0`, `["none"]`, `{}`, "",
		} {
			header := fmt.Sprintf(c.header, alg, s.x5c())
			if alg == "" {
				header = strings.Replace(header, `"alg":,`, "", 1)
			}
			input := c.input(header, c.payload)
			for what, signature := range map[string]string{
				"the right signature": b64(string(mustSign(t, s, input))), "no signature": "", "two bytes": "AAA",
				"a digest": b64(string(sha256Of([]byte(input)))), "64 bytes of zero": b64(strings.Repeat("\x00", 64)),
			} {
				_, err := c.open(c.write(header, c.payload, signature))
				if good := alg == `"ES256"` && what == "the right signature"; (err == nil) != good {
					t.Errorf("%s with alg %s and %s: %v", c.name, alg, what, err)
				}
				if err != nil && !errors.Is(err, ErrSeal) && !errors.As(err, new(*FormatError)) {
					t.Errorf("the error is of no known kind: %v", err)
				}
			}
		}
	}
}

// J2: what everybody knows is no secret. Each key is our public one in a form
// in which somebody may have it at hand, and the code of it is good: the JOSE
// library would take it.
func TestAPublicKeyIsNoSecret(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, minRSABits)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*testSealer{newSealer(t), sealerOf(t, rsaKey, "RS256")} {
		for form, secret := range formsOf(t, s) {
			for alg, size := range map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New} {
				for _, c := range carriers() {
					forge := func(alg string) []byte {
						header := fmt.Sprintf(c.header, quote(alg), s.x5c())
						mac := hmac.New(size, secret)
						mac.Write([]byte(c.input(header, c.payload)))
						return c.write(header, c.payload, b64(string(mac.Sum(nil))))
					}
					if _, err := c.open(forge(alg)); !errors.As(err, new(*FormatError)) {
						t.Errorf("%s with %s over %s of a key for %s: %v", c.name, alg, form, s.alg, err)
					}
					if _, err := c.open(forge(s.alg)); !errors.Is(err, ErrSeal) {
						t.Errorf("%s that says %s with %s over %s: %v", c.name, s.alg, alg, form, err)
					}
				}
			}
			v, err := jws.NewVerifier(jwa.HS256)
			if err != nil {
				t.Fatal(err)
			}
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte("input"))
			if err := v.Verify([]byte("input"), mac.Sum(nil), secret); err != nil {
				t.Errorf("the control: %s is no key for the library: %v", form, err)
			}
		}
	}
}

// formsOf are the forms of a public key that are read as a secret.
func formsOf(t *testing.T, s *testSealer) map[string][]byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	written := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.chain[0].Raw})
	forms := map[string][]byte{
		"DER": der, "PEM": written, "PEM without the last line break": written[:len(written)-1],
		"PEM with other line breaks": []byte(strings.ReplaceAll(string(written), "\n", "\r\n")),
		"the base64 of DER":          []byte(base64.StdEncoding.EncodeToString(der)),
		"the certificate":            s.chain[0].Raw, "the certificate in PEM": certificate,
		"the certificate as in x5c": []byte(base64.StdEncoding.EncodeToString(s.chain[0].Raw)),
		"the thumbprint":            sha256Of(s.chain[0].Raw),
	}
	switch key := s.key.Public().(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		x, y := b64(string(point[1:33])), b64(string(point[33:]))
		forms["a JWK"] = []byte(`{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`)
		forms["a JWK in another order"] = []byte(`{"kty":"EC","crv":"P-256","x":"` + x + `","y":"` + y + `","alg":"ES256","use":"sig"}`)
		forms["a JWK with blanks"] = []byte(`{"kty": "EC", "crv": "P-256", "x": "` + x + `", "y": "` + y + `"}`)
		forms["X and Y"], forms["the point"], forms["X"] = point[1:], point, point[1:33]
	case *rsa.PublicKey:
		forms["a JWK"] = []byte(`{"e":"AQAB","kty":"RSA","n":"` + b64(string(key.N.Bytes())) + `"}`)
		forms["the modulus"], forms["PKCS #1"] = key.N.Bytes(), x509.MarshalPKCS1PublicKey(key)
		forms["PKCS #1 in PEM"] = pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(key)})
		forms["the exponent"] = big.NewInt(int64(key.E)).Bytes()
	}
	return forms
}

// J4, J5, J7: every header and every text that makes two readers of one token
// see two things, each signed with the right key.
func TestParseCompactRefusesWhatIsNotExactlyRight(t *testing.T) {
	s := newSealer(t)
	const claims = `{"id":"x"}`
	header := func(more string) string { return `{"alg":"ES256","typ":"vc+jwt","x5c":` + s.x5c() + more + `}` }
	for _, more := range []string{
		`,"crit":[]`, `,"crit":["b64"]`, `,"crit":["exp"],"exp":1`, `,"crit":["alg"]`, `,"crit":"alg"`, `,"crit":{}`, `,"crit":[null]`, `,"crit":[7]`,
		`,"crit":["b64","b64"],"b64":true`, `,"crit":["b64"],"b64":true`, `,"crit":["etsiU"],"etsiU":[]`, `,"crit":["sigD"],"sigD":{}`, `,"crit":["typ"]`,
		`,"b64":"false"`, `,"b64":false`, `,"b64":null`, `,"b64":0`, `,"alg":"none"`, `,"ALG":"none"`, `,"typ":"vc+jwt"`, `,"Typ":"JWT"`,
		`,"x":"` + "\xff" + `"`, `,"x":"\ud800"`, `,"x":1e400`, `,"x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), `}{`,
	} {
		if _, err := openToken(s.compact(t, header(more), claims)); !errors.As(err, new(*FormatError)) {
			t.Errorf("with %.40s: %v", more, err)
		}
	}
	for _, more := range []string{"", `,"cty":"vc"`, `,"jku":"http://127.0.0.1:1/"`, `,"x":{"deep":[1,2]}`} {
		if _, err := openToken(s.compact(t, header(more), claims)); err != nil {
			t.Errorf("the control, with %s: %v", more, err)
		}
	}
	for _, bad := range []string{
		`{"id":"x"}{"id":"y"}`, `{"id":"x"} 1`, "\ufeff" + claims, `{"id":"x","Id":"y"}`, `{"id":"x","i\u0064":"y"}`, `{"id":"` + "\xff" + `"}`, `{"id":"\udc00"}`,
		`{"a":{"b":1,"b":2}}`, `{"id":1e400}`, `{"id":01}`, `{"id":NaN}`, `[{"id":"x"}]`, `null`, `{"id":"x",}`, "{\"id\":\"x\x00\"}", strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000),
	} {
		if _, err := openToken(s.compact(t, header(""), bad)); !errors.As(err, new(*FormatError)) {
			t.Errorf("the claims %.40q: %v", bad, err)
		}
	}
	good := strings.Split(string(s.compact(t, header(""), claims)), ".")
	for n, part := range []string{"header", "claims", "signature"} {
		for what, change := range map[string]func(string) string{
			"padded": func(p string) string { return p + "=" }, "padded twice": func(p string) string { return p + "==" },
			"with a line break": func(p string) string { return p[:4] + "\n" + p[4:] }, "with a carriage return": func(p string) string { return p + "\r" },
			"with a blank": func(p string) string { return " " + p }, "in the other alphabet": func(p string) string { return p[:4] + "+/+/" + p[4:] },
			"empty": func(string) string { return "" }, "with one character more": func(p string) string { return p + strings.Repeat("A", 1+(5-len(p)%4)%4) },
		} {
			changed := append([]string(nil), good...)
			changed[n] = change(changed[n])
			if _, err := openToken([]byte(strings.Join(changed, "."))); err == nil {
				t.Errorf("the %s %s was read", part, what)
			}
		}
	}
}

// J4: what a seal calls critical is one of the four headers that this reader
// holds to; one that every reader knows anyway may not be called so (RFC 7515
// clause 4.1.11), and b64 always is.
func TestOnlyKnownHeadersAreCritical(t *testing.T) {
	s := newSealer(t)
	p := takeApart(t, Document(smallDocument), s)
	header := p.header
	for crit, good := range map[string]bool{
		`["b64"]`: true, `["iat","b64"]`: true, `["b64","iat"]`: true,
		`["b64","etsiU"],"etsiU":[]`: false, `["b64","kid"]`: false, `["b64","x5c"]`: false, `["b64","x5t#S256"]`: false, `["b64","typ"]`: false,
		`["b64","cty"]`: false, `["b64","crit"]`: false, `["b64","sigT"]`: false, `["iat"]`: false, `["B64"]`: false, `["b64 "]`: false, `["b64",""]`: false,
		`["b64",["iat"]]`: false, `["b64","iat","iat"]`: false, `["b64","sigPl"],"sigPl":{}`: false, `["b64","srCms"],"srCms":[]`: false, `["b64","exp"],"exp":99999999999`: false,
		`["b64","http://openbadges.org/x"],"http://openbadges.org/x":1`: false,
	} {
		p.header = strings.Replace(header, `["b64"]`, crit, 1)
		if _, err := open(p.file(t)); (err == nil) != good {
			t.Errorf("crit %s: %v", crit, err)
		}
	}
}

// J5: the payload stands in the file and is the one that was signed. There is
// no way to hand it in from outside, or to leave it out.
func TestThePayloadIsNeverDetached(t *testing.T) {
	s := newSealer(t)
	p := takeApart(t, Document(smallDocument), s)
	protected, other := `"protected":"`+b64(p.header)+`"`, strings.Replace(p.payload, "Ada", "Eva", 1)
	over := func(payload string) string {
		return `{` + protected + `,"signature":"` + b64(string(mustSign(t, s, b64(p.header)+"."+payload))) + `"}`
	}
	referring := p
	referring.header = strings.Replace(p.header, `"crit":["b64"]`, `"crit":["b64","sigD"],"sigD":{"mId":"http://uri.etsi.org/19182/ObjectIdByURI","pars":["https://x.example.org/"]}`, 1)
	unencoded := `{"alg":"ES256","typ":"vc+jwt","x5c":` + s.x5c() + `,"b64":false,"crit":["b64"]}`
	for name, bad := range map[string]string{
		"no payload":                            `{"signatures":[` + over("") + `]}`,
		"an empty payload":                      `{"payload":"","signatures":[` + over("") + `]}`,
		"an empty payload, signed with it":      `{"payload":"","signatures":[` + over(p.payload) + `]}`,
		"a payload null":                        `{"payload":null,"signatures":[` + over("null") + `]}`,
		"another payload":                       `{"payload":` + quote(other) + `,"signatures":[` + over(p.payload) + `]}`,
		"two payloads":                          `{"payload":` + quote(p.payload) + `,"payload":` + quote(other) + `,"signatures":[` + over(p.payload) + `]}`,
		"a payload in the signature":            `{"payload":` + quote(other) + `,"signatures":[{"payload":` + quote(p.payload) + `,` + over(p.payload)[1:] + `]}`,
		"a payload in the unprotected header":   `{"payload":` + quote(other) + `,"signatures":[{"header":{"payload":` + quote(p.payload) + `},` + over(p.payload)[1:] + `]}`,
		"the payload encoded and not so signed": `{"payload":"` + b64(p.payload) + `","signatures":[` + over(p.payload) + `]}`,
		"signed encoded and not said so":        `{"payload":` + quote(p.payload) + `,"signatures":[` + over(b64(p.payload)) + `]}`,
		"a reference to the payload":            string(referring.file(t)),
	} {
		if _, err := open([]byte(bad)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	if _, err := open([]byte(`{"payload":` + quote(p.payload) + `,"signatures":[` + over(p.payload) + `]}`)); err != nil {
		t.Errorf("the control: %v", err)
	}
	for name, bad := range map[string]string{
		"a token without claims":    b64(unencoded) + ".." + b64(string(mustSign(t, s, b64(unencoded)+"."+`{"id":1}`))),
		"a token with claims clear": b64(unencoded) + `.{"id":1}.` + b64(string(mustSign(t, s, b64(unencoded)+`.{"id":1}`))),
	} {
		if _, err := openToken([]byte(bad)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
