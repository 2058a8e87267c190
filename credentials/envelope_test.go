package credentials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
)

// Every header below is signed with the right key: what is refused is the
// header, not a signature (J1-J5, J8, J10; RFC 7515, RFC 7797).
func TestParseRefusesHeadersThatAreNotExactlyRight(t *testing.T) {
	s := newSealer(t)
	good := takeApart(t, Document(smallDocument), s)
	if _, err := open(good.file(t)); err != nil {
		t.Fatalf("the unchanged file: %v", err)
	}
	other := newSealer(t)
	x5c := func(s *testSealer) string { return strings.Trim(s.x5c(), "[]") }
	replace := func(old, with string) func(string) string {
		return func(h string) string {
			if !strings.Contains(h, old) {
				t.Fatalf("the header has no %s", old)
			}
			return strings.Replace(h, old, with, 1)
		}
	}
	without := func(name string) func(string) string {
		return func(h string) string {
			from := strings.Index(h, `"`+name+`":`)
			to := strings.Index(h[from:], `,"`) + from + 1
			return h[:from] + h[to:]
		}
	}
	add := func(text string) func(string) string {
		return func(h string) string { return strings.TrimSuffix(h, "}") + "," + text + "}" }
	}
	const crit, claimed = `"crit":["b64"]`, `"iat":1795249800`
	for _, c := range []struct {
		name string
		edit func(string) string
	}{
		// J1, J2: the algorithm is the one of the key in the certificate.
		{"alg none", replace(`"ES256"`, `"none"`)},
		{"alg NONE", replace(`"ES256"`, `"NONE"`)},
		{"alg empty", replace(`"ES256"`, `""`)},
		{"alg missing", without("alg")},
		{"alg null", replace(`"ES256"`, `null`)},
		{"alg in an array", replace(`"ES256"`, `["ES256"]`)},
		{"alg HS256 with the public key as secret", replace(`"ES256"`, `"HS256"`)},
		{"alg of another curve", replace(`"ES256"`, `"ES384"`)},
		{"alg of another kind of key", replace(`"ES256"`, `"RS256"`)},
		{"alg with a salt that is not checked", replace(`"ES256"`, `"PS256"`)},
		{"alg EdDSA", replace(`"ES256"`, `"EdDSA"`)},
		{"alg twice", add(`"alg":"none"`)},
		{"alg twice but for case", add(`"ALG":"none"`)},
		{"alg in capitals only", replace(`"alg"`, `"ALG"`)},
		// J4: critical headers.
		{"crit with an unknown name", replace(crit, `"crit":["b64","exp"],"exp":1`)},
		{"crit naming an absent header", replace(crit, `"crit":["b64","adoTst"]`)},
		{"crit with a name twice", replace(crit, `"crit":["b64","b64"]`)},
		{"crit empty", replace(crit, `"crit":[]`)},
		{"crit a string", replace(crit, `"crit":"b64"`)},
		{"crit an object", replace(crit, `"crit":{"b64":true}`)},
		{"crit null", replace(crit, `"crit":null`)},
		{"crit with null", replace(crit, `"crit":["b64",null]`)},
		{"crit naming alg", replace(crit, `"crit":["b64","alg"]`)},
		{"crit missing", replace(","+crit, ``)},
		{"crit twice", add(crit)},
		// J5: the payload is not encoded, and says so critically.
		{"b64 a string", replace(`"b64":false`, `"b64":"false"`)},
		{"b64 null", replace(`"b64":false`, `"b64":null`)},
		{"b64 a number", replace(`"b64":false`, `"b64":0`)},
		{"b64 true", replace(`"b64":false`, `"b64":true`)},
		{"b64 not critical", replace(crit, `"crit":["iat"]`)},
		{"b64 missing", replace(`"b64":false,`, ``)},
		{"b64 twice", add(`"b64":true`)},
		// The claimed time.
		{"iat a string", replace(claimed, `"iat":"1795249800"`)},
		{"iat with fractions", replace(claimed, `"iat":1795249800.5`)},
		{"iat before 1970", replace(claimed, `"iat":-1`)},
		{"iat beyond all days", replace(claimed, `"iat":9999999999999`)},
		{"iat in an array", replace(claimed, `"iat":[1795249800]`)},
		{"iat null", replace(claimed, `"iat":null`)},
		{"iat and sigT", replace(claimed, claimed+`,"sigT":"2026-11-21T08:30:00Z"`)},
		{"no claimed time", replace(claimed+",", "")},
		{"sigT a day", replace(claimed, `"sigT":"2026-11-21"`)},
		{"sigT with a zone", replace(claimed, `"sigT":"2026-11-21T08:30:00+01:00"`)},
		{"sigT with fractions", replace(claimed, `"sigT":"2026-11-21T08:30:00.5Z"`)},
		{"sigT on a day that is not", replace(claimed, `"sigT":"2026-02-30T08:30:00Z"`)},
		{"sigT in an array", replace(claimed, `"sigT":["2026-11-21T08:30:00Z"]`)},
		{"sigT null", replace(claimed, `"sigT":null`)},
		{"adoTst without a token", replace(crit, `"crit":["b64","adoTst"],"adoTst":{"tstTokens":[]}`)},
		{"x5t#o of another certificate", add(`"x5t#o":{"digAlg":"S256","digVal":"AAAA"}`)},
		{"x5t#o of an unknown kind", add(`"x5t#o":{"digAlg":"S1","digVal":"` + base64.RawURLEncoding.EncodeToString(sha256Of(s.chain[0].Raw)) + `"}`)},
		// J3, J12: the certificate is the one that thumbprint and key id name.
		{"no x5c", without("x5c")},
		{"x5c empty", replace(s.x5c(), `[]`)},
		{"x5c a string", replace(s.x5c(), x5c(s))},
		{"x5c with a number", replace(s.x5c(), `[1]`)},
		{"x5c in base64url", replace(s.x5c(), `["`+base64.RawURLEncoding.EncodeToString(s.chain[0].Raw)+`"]`)},
		{"x5c with bytes after the certificate", replace(s.x5c(), `["`+base64.StdEncoding.EncodeToString(append(slices.Clip(s.chain[0].Raw), 0))+`"]`)},
		{"x5c not a certificate", replace(s.x5c(), `["AAAA"]`)},
		{"x5c of another key", replace(s.x5c(), other.x5c())},
		{"x5c of another key before the right one", replace(s.x5c(), "["+x5c(other)+","+x5c(s)+"]")},
		{"x5c of six certificates", replace(s.x5c(), "["+strings.Repeat(x5c(s)+",", 5)+x5c(s)+"]")},
		{"x5c of a hundred certificates", replace(s.x5c(), "["+strings.Repeat(x5c(s)+",", 99)+x5c(s)+"]")},
		{"x5t of another certificate", replace(`"x5t#S256":"`, `"x5t#S256":"AAAA`)},
		{"x5t null", func(h string) string { return add(`"x5t#S256":null`)(without("x5t#S256")(h)) }},
		{"x5t in an array", func(h string) string {
			return add(`"x5t#S256":["` + base64.RawURLEncoding.EncodeToString(sha256Of(s.chain[0].Raw)) + `"]`)(without("x5t#S256")(h))
		}},
		{"kid of another certificate", replace(`"kid":"`, `"kid":"MAAA`)},
		{"kid an address", func(h string) string { return add(`"kid":"https://x.example.org/jwks.json"`)(without("kid")(h)) }},
		{"kid a path", func(h string) string { return add(`"kid":"../../etc/passwd"`)(without("kid")(h)) }},
		// The text of the header itself (J7).
		{"header with text after it", func(h string) string { return h + "{}" }},
		{"header an array", func(h string) string { return "[" + h + "]" }},
		{"header empty", func(string) string { return "{}" }},
		{"header not JSON", func(string) string { return "alg" }},
		{"header with a byte order mark", func(h string) string { return "\ufeff" + h }},
		{"header too large", add(`"x":"` + strings.Repeat("x", maxHeaderBytes) + `"`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := parts{c.edit(good.header), good.payload, s}
			if _, err := open(p.file(t)); err == nil {
				t.Error("was accepted")
			} else if !errors.Is(err, ErrSeal) && !errors.As(err, new(*FormatError)) {
				t.Errorf("the error is of no known kind: %v", err)
			}
		})
	}
}

// A key in the header is never looked at (J3).
func TestParseIgnoresKeysAndAddressesInTheHeader(t *testing.T) {
	s, attacker := newSealer(t), newSealer(t)
	p := takeApart(t, Document(smallDocument), s)
	p.header = strings.TrimSuffix(p.header, "}") + `,"jku":"http://127.0.0.1:1/","x5u":"http://127.0.0.1:1/","jwk":{"kty":"EC"}}`
	if _, err := open(p.file(t)); err != nil {
		t.Errorf("the file of the rightful key: %v", err)
	}
	p.sealer = attacker // the header still carries the certificate of s
	if _, err := open(p.file(t)); !errors.Is(err, ErrSeal) {
		t.Errorf("the file of another key: %v", err)
	}
}

// J6, J7: what stands around the one signature.
func TestParseRefusesEveryOtherShapeOfFile(t *testing.T) {
	s := newSealer(t)
	p := takeApart(t, Document(smallDocument), s)
	payload, one := quote(p.payload), p.one(t)
	protected, signature := `"protected":"`+b64(p.header)+`"`, `"signature":"`+p.sign(t)+`"`
	evil := takeApart(t, Document(strings.Replace(smallDocument, "Ada", "Eva", 1)), newSealer(t)).one(t)
	general := func(signatures string) string {
		return `{"payload":` + payload + `,"signatures":` + signatures + `}`
	}
	for name, good := range map[string]string{
		"general":              general("[" + one + "]"),
		"flattened":            `{"payload":` + payload + `,` + protected + `,` + signature + `}`,
		"spread over lines":    "\n{ \"payload\" :\t" + payload + " ,\r\n\"signatures\" : [ " + one + " ] }\n",
		"with time stamps":     general(`[{` + protected + `,"header":{"etsiU":["` + b64(`{"sigTst":{}}`) + `","???",7]},` + signature + `}]`),
		"with a foreign entry": general(`[{` + protected + `,"header":{"other":1},` + signature + `}]`),
	} {
		if _, err := open([]byte(good)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string]string{
		"two signatures":                       general("[" + one + "," + evil + "]"),
		"two signatures, the other way":        general("[" + evil + "," + one + "]"),
		"the same signature twice":             general("[" + one + "," + one + "]"),
		"another's signature only":             general("[" + evil + "]"),
		"no signature":                         general("[]"),
		"signatures null":                      general("null"),
		"signatures an object":                 general(one),
		"a signature in an array in an array":  general("[[" + one + "," + evil + "]]"),
		"signatures and a flattened one":       `{"payload":` + payload + `,"signatures":[` + one + `],` + protected + `,` + signature + `}`,
		"an unknown member":                    `{"payload":` + payload + `,"signatures":[` + one + `],"x":1}`,
		"an unknown member of the signature":   general(`[{` + protected + `,` + signature + `,"x":1}]`),
		"an unknown member, flattened":         `{"payload":` + payload + `,` + protected + `,` + signature + `,"x":1}`,
		"the payload twice":                    `{"payload":` + payload + `,"payload":` + payload + `,"signatures":[` + one + `]}`,
		"the payload twice but for case":       `{"payload":` + payload + `,"Payload":"{}","signatures":[` + one + `]}`,
		"the payload as an object":             `{"payload":` + p.payload + `,"signatures":[` + one + `]}`,
		"the payload null":                     `{"payload":null,"signatures":[` + one + `]}`,
		"the payload encoded":                  `{"payload":"` + b64(p.payload) + `","signatures":[` + one + `]}`,
		"signatures before the payload":        `{"signatures":[` + one + `],"payload":` + payload + `}`,
		"no protected header":                  general(`[{` + signature + `}]`),
		"the protected header in the open":     general(`[{"protected":` + p.header + `,` + signature + `}]`),
		"no signature value":                   general(`[{` + protected + `}]`),
		"an unprotected header that is text":   general(`[{` + protected + `,"header":"x",` + signature + `}]`),
		"an unprotected header that is a list": general(`[{` + protected + `,"header":[{"etsiU":[]}],` + signature + `}]`),
		"alg outside the seal":                 general(`[{` + protected + `,"header":{"alg":"ES256"},` + signature + `}]`),
		"kid inside and outside the seal":      general(`[{` + protected + `,"header":{"kid":"x"},` + signature + `}]`),
		"crit outside the seal":                general(`[{` + protected + `,"header":{"crit":["b64"]},` + signature + `}]`),
		"cty inside and outside, other case":   general(`[{` + protected + `,"header":{"cty":"json"},` + signature + `}]`),
		"text after the file":                  general("["+one+"]") + "x",
		"two files":                            general("["+one+"]") + general("["+one+"]"),
		"a byte order mark":                    "\ufeff" + general("["+one+"]"),
		"a file in an array":                   "[" + general("["+one+"]") + "]",
		"a compact token":                      b64(p.header) + "." + b64(p.payload) + "." + p.sign(t),
		"the credential without a seal":        p.payload,
		"nothing":                              "",
		"a picture":                            "\x89PNG\r\n\x1a\n",
		"the compact name of a sealed payload": `{"payload":` + payload + `}`,
		"an invalid byte in the payload":       strings.Replace(general("["+one+"]"), "Ada", "Ad\xff", 1),
		"a lone surrogate in the payload":      strings.Replace(general("["+one+"]"), "Ada", `Ad\ud800`, 1),
		"a changed name":                       strings.Replace(general("["+one+"]"), "Ada", "Eva", 1),
		"a letter written in two code points":  strings.Replace(general("["+one+"]"), "Ada", "A\u0301da", 1),
		"a space more in the payload":          strings.Replace(general("["+one+"]"), `Ada Esempio`, `Ada  Esempio`, 1),
		"a payload that is another credential": `{"payload":` + quote(strings.Replace(p.payload, "Ada", "Eva", 1)) + `,"signatures":[` + one + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := open([]byte(bad)); err == nil {
				t.Error("was accepted")
			}
		})
	}
	if _, err := Parse(make([]byte, MaxSealedBytes+1)); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("a file over the limit: %v", err)
	}
}

// J7: base64url has one way of writing each value.
func TestParseRefusesBase64URLThatIsNotCanonical(t *testing.T) {
	s := newSealer(t)
	p := takeApart(t, Document(smallDocument), s)
	protected, signature := b64(p.header), p.sign(t)
	file := func(protected, signature string) []byte {
		return []byte(`{"payload":` + quote(p.payload) + `,"signatures":[{"protected":` + quote(protected) + `,"signature":` + quote(signature) + `}]}`)
	}
	if _, err := open(file(protected, signature)); err != nil {
		t.Fatal(err)
	}
	// 64 bytes leave four unused bits in the last character.
	unused := signature[:len(signature)-1] + string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[strings.IndexByte("AQgw", signature[len(signature)-1])*16+1])
	for name, bad := range map[string][]byte{
		"padding on the signature":     file(protected, signature+"=="),
		"padding on the header":        file(protected+"=", signature),
		"unused bits":                  file(protected, unused),
		"a line break":                 file(protected, signature+"\n"),
		"a line break inside":          file(protected, signature[:10]+"\r\n"+signature[10:]),
		"a space":                      file(protected, " "+signature),
		"the other alphabet":           file(protected, "+/"+signature[2:]),
		"a line break in the header":   file(protected[:8]+"\n"+protected[8:], signature),
		"a signature cut short":        file(protected, signature[:len(signature)-4]),
		"a signature with more":        file(protected, signature+"AAAA"),
		"an empty signature":           file(protected, ""),
		"a character out of both sets": file(protected, "!"+signature[1:]),
	} {
		if _, err := open(bad); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// J8: forms of an ECDSA signature that must not pass (CVE-2022-21449 and kin).
func TestVerifyRefusesDegenerateSignatures(t *testing.T) {
	s := newSealer(t)
	p := takeApart(t, Document(smallDocument), s)
	good, err := s.Sign([]byte(b64(p.header) + "." + p.payload))
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N.FillBytes(make([]byte, 32))
	zero, ones := make([]byte, 32), []byte(strings.Repeat("\xff", 32))
	one := append(make([]byte, 31), 1)
	join := func(a, b []byte) []byte { return append(append([]byte(nil), a...), b...) }
	for name, signature := range map[string][]byte{
		"r and s zero":           join(zero, zero),
		"r zero":                 join(zero, good[32:]),
		"s zero":                 join(good[:32], zero),
		"r and s one":            join(one, one),
		"r is the order":         join(n, good[32:]),
		"s is the order":         join(good[:32], n),
		"all ones":               join(ones, ones),
		"DER":                    derSignature(good),
		"r and s exchanged":      join(good[32:], good[:32]),
		"a zero before":          join([]byte{0}, good),
		"a zero after":           join(good, []byte{0}),
		"half of it":             good[:32],
		"of the size of P-384":   join(join(zero[:16], good[:32]), join(zero[:16], good[32:])),
		"over something else":    mustSign(t, s, "something else"),
		"made with another key":  mustSign(t, newSealer(t), b64(p.header)+"."+p.payload),
		"over the payload alone": mustSign(t, s, p.payload),
		"over the encoded form":  mustSign(t, s, b64(p.header)+"."+b64(p.payload)),
	} {
		file := `{"payload":` + quote(p.payload) + `,"signatures":[{"protected":"` + b64(p.header) + `","signature":"` + b64(string(signature)) + `"}]}`
		if _, err := open([]byte(file)); !errors.Is(err, ErrSeal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func mustSign(t *testing.T, s Sealer, input string) []byte {
	t.Helper()
	signature, err := s.Sign([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// J8: the algorithms and keys that are read, and none beside them.
func TestKeysAndAlgorithmsThatAreAccepted(t *testing.T) {
	curve := func(c elliptic.Curve) *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*testSealer{
		sealerOf(t, curve(elliptic.P256()), "ES256"),
		sealerOf(t, curve(elliptic.P384()), "ES384"),
		sealerOf(t, rsaKey, "RS256"), // as in the Commission's own files
	} {
		p, err := open(seal(t, Document(smallDocument), s))
		if err != nil {
			t.Errorf("%s: %v", s.alg, err)
			continue
		}
		if p.Envelope.Algorithm != s.alg || !p.Envelope.SealedAt.Equal(theMoment) || p.Envelope.Attached {
			t.Errorf("%s: read %+v", s.alg, p.Envelope)
		}
	}
	small := &rsa.PublicKey{N: rsaKey.N, E: 3}
	for _, c := range []struct {
		alg string
		key any
	}{
		{"RS256", small},
		{"PS256", &rsaKey.PublicKey},
		{"ES256", &curve(elliptic.P384()).PublicKey},
		{"ES384", &curve(elliptic.P256()).PublicKey},
		{"ES512", &curve(elliptic.P521()).PublicKey},
		{"ES256", &rsaKey.PublicKey},
		{"HS256", []byte("secret")},
		{"", &rsaKey.PublicKey},
		{"none", nil},
	} {
		if algorithmFits(c.alg, c.key) {
			t.Errorf("%q was accepted for a %T", c.alg, c.key)
		}
	}
	for _, s := range []*testSealer{
		sealerOf(t, curve(elliptic.P521()), "ES512"), sealerOf(t, curve(elliptic.P224()), "ES256"), {key: rsaKey, alg: "RS256"},
	} {
		if _, err := EDC.Seal(Document(smallDocument), s, theMoment); err == nil {
			t.Errorf("%s sealed", s.alg)
		}
	}
}

// Each byte of a sealed file counts: a change makes Parse or Verify fail, or
// changes nothing of what is read (white space, an escape written otherwise).
// The bytes of the protected header and of the signature are all tried with
// all kinds of change; those of the payload are sampled.
func TestNoSingleByteChangeGoesUnnoticed(t *testing.T) {
	s := newSealer(t)
	for _, f := range Formats {
		t.Run(f.Name(), func(t *testing.T) {
			sealed, err := f.Seal(shortDocument(t), s, theMoment)
			if err != nil {
				t.Fatal(err)
			}
			intact, err := open(sealed)
			if err != nil {
				t.Fatal(err)
			}
			from := strings.Index(string(sealed), `"signatures"`)
			for at := range len(sealed) {
				with := []byte{sealed[at] ^ 1}
				switch {
				case at >= from && at%7 == 0:
					with = []byte{sealed[at] ^ 1, sealed[at] ^ 0x20, sealed[at] ^ 0x80, 'A', '=', '.', 0}
				case at < from && at%13 != 0:
					continue
				}
				for _, b := range with {
					changed := append([]byte(nil), sealed...)
					if changed[at] = b; b == sealed[at] {
						continue
					}
					p, err := open(changed)
					if err == nil && string(p.Envelope.Payload()) != string(intact.Envelope.Payload()) {
						t.Fatalf("byte %d changed from %q to %q: read as another credential", at, sealed[at], b)
					}
					if err == nil && at >= from && b != ' ' {
						t.Fatalf("byte %d changed from %q to %q: still good", at, sealed[at], b)
					}
				}
			}
		})
	}
}

// The panics that a malformed chain or envelope could cause are errors.
func FuzzParseSealed(f *testing.F) {
	s := fixedSealer(f)
	p := takeApart(f, Document(smallDocument), s)
	f.Add(p.file(f))
	f.Add([]byte(`{"payload":"{}","signatures":[{"protected":"e30","signature":"AA"}]}`))
	f.Add([]byte(`{"payload":` + quote(p.payload) + `,"protected":"` + b64(p.header) + `","signature":"` + p.sign(f) + `"}`))
	f.Add([]byte(`{"payload":[[[[]]]],"signatures":[[{}]]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ParseSealed(data)
		if err != nil {
			if !errors.As(err, new(*FormatError)) {
				t.Fatalf("the error is of no known kind: %v", err)
			}
			return
		}
		if e.Verify() == nil && string(e.Payload()) != smallDocument && e.Leaf().Equal(s.chain[0]) {
			t.Fatal("a payload that the key never sealed was accepted")
		}
	})
}

// SignerOf reads what a certificate says and refuses one that names nobody.
func TestSignerOfNeedsAnOrganisation(t *testing.T) {
	s := newSealer(t)
	got, err := SignerOf(s.chain[0])
	want := Signer{theSigner.Organisation, "Sigillo di prova", theSigner.LegalID, "IT"}
	if err != nil || got != want {
		t.Errorf("%v, %+v", err, got)
	}
	if _, err := SignerOf(&x509.Certificate{}); err == nil {
		t.Error("a certificate without names was accepted")
	}
}
