package verifier

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"attesta/credentials"
	"attesta/keys"
	"attesta/status"
)

type members = map[string]any // of a header; nil takes one away

func encoded(chain ...*x509.Certificate) []string {
	var all []string
	for _, c := range chain {
		all = append(all, base64.StdEncoding.EncodeToString(c.Raw))
	}
	return all
}

// written is a header as it is transmitted.
func (h *house) written(header, with members) string {
	h.t.Helper()
	header = maps.Clone(header)
	maps.Copy(header, with)
	maps.DeleteFunc(header, func(_ string, v any) bool { return v == nil })
	raw, err := json.Marshal(header)
	if err != nil {
		h.t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// sealedAs is a sealed file with headers of any kind and a good signature of
// some key.
func (h *house) sealedAs(s credentials.Sealer, with, outside members) []byte {
	h.t.Helper()
	protected := h.written(members{
		"alg": "ES256", "typ": "jose+json", "b64": false, "iat": h.now.Unix(), "crit": []string{"b64"}, "x5c": encoded(h.key(keys.Seal).Chain()...),
	}, with)
	document := h.document()
	signature, err := s.Sign([]byte(protected + "." + string(document)))
	if err != nil {
		h.t.Fatal(err)
	}
	one := members{"protected": protected, "signature": base64.RawURLEncoding.EncodeToString(signature)}
	if outside != nil {
		one["header"] = outside
	}
	payload, err := json.Marshal(string(document))
	if err != nil {
		h.t.Fatal(err)
	}
	signatures, err := json.Marshal([]members{one})
	if err != nil {
		h.t.Fatal(err)
	}
	return fmt.Appendf(nil, `{"payload":%s,"signatures":%s}`, payload, signatures)
}

// bait is a place that gives every key and certificate of an attacker, and
// counts who asks for one.
func bait(t *testing.T, jwk members, certificates ...*x509.Certificate) (address string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if strings.HasSuffix(r.URL.Path, ".json") {
			w.Header().Set("Content-Type", "application/jwk-set+json")
			_ = json.NewEncoder(w).Encode(members{"keys": []members{jwk}})
			return
		}
		for _, c := range certificates {
			_ = pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// J3: a key that stands in a header, or where a header points to, seals
// nothing, and nobody goes there to look.
func TestNoKeyIsTakenFromAHeader(t *testing.T) {
	p := newPKI(t)
	p.publishAll()
	h := newHouse(t) // the attacker's own, with all names of ours
	root, err := h.ring.Current(keys.Root, "", h.now)
	if err != nil {
		t.Fatal(err)
	}
	ours := p.key(keys.Seal).Chain()
	p.trust.Anchors = append(p.trust.Anchors, keys.Anchor{Name: "propria", Level: keys.Demonstration, Certificate: ours[1], Origins: []string{publicURL}})
	s := h.key(keys.Seal)
	theirs := s.Chain()
	self := p.issue(nil)
	thumb := sha256.Sum256(theirs[0].Raw)
	jwk := members{"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "https://evil.example/key", "x5c": encoded(theirs...)}
	point, err := theirs[0].PublicKey.(interface{ Bytes() ([]byte, error) }).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	jwk["x"], jwk["y"] = base64.RawURLEncoding.EncodeToString(point[1:33]), base64.RawURLEncoding.EncodeToString(point[33:])
	there, asked := bait(t, jwk, theirs[0], root.Certificate())
	const broken, certificate, header, unrecognised = "seal_broken", "format_certificate", "format_header", "issuer_unrecognised"
	for name, c := range map[string]struct {
		with, outside members
		by            credentials.Sealer
		reason        string
	}{
		"jwk":                                   {members{"jwk": jwk}, nil, s, broken},
		"jku":                                   {members{"jku": there + "/jwks.json"}, nil, s, broken},
		"jku and a kid":                         {members{"jku": there + "/jwks.json", "kid": "https://evil.example/key"}, nil, s, certificate},
		"x5u":                                   {members{"x5u": there + "/chain.pem"}, nil, s, broken},
		"all of them":                           {members{"jwk": jwk, "jku": there + "/jwks.json", "x5u": there + "/chain.pem"}, nil, s, broken},
		"jwk without x5c":                       {members{"jwk": jwk, "x5c": nil}, nil, s, certificate},
		"jku without x5c":                       {members{"jku": there + "/jwks.json", "x5c": nil}, nil, s, certificate},
		"x5u without x5c":                       {members{"x5u": there + "/chain.pem", "x5c": nil}, nil, s, certificate},
		"x5u called critical":                   {members{"x5u": there + "/chain.pem", "crit": []string{"b64", "x5u"}}, nil, s, header},
		"kid an address":                        {members{"kid": there + "/jwks.json#0"}, nil, s, certificate},
		"kid a path":                            {members{"kid": "../../../../dev/null"}, nil, s, certificate},
		"kid a path of a key of ours":           {members{"kid": "keys/seal-iss-scuola.age"}, nil, s, certificate},
		"kid a thumbprint":                      {members{"kid": base64.StdEncoding.EncodeToString(thumb[:])}, nil, s, certificate},
		"the thumbprint of the attacker":        {members{"x5t#S256": base64.RawURLEncoding.EncodeToString(thumb[:])}, nil, s, certificate},
		"jwk outside the seal":                  {nil, members{"jwk": jwk}, s, broken},
		"x5u outside the seal":                  {nil, members{"x5u": there + "/chain.pem"}, s, broken},
		"x5c outside the seal":                  {members{"x5c": nil}, members{"x5c": encoded(theirs...)}, s, certificate},
		"x5c inside and outside the seal":       {nil, members{"x5c": encoded(theirs...)}, s, header},
		"x5c of the attacker":                   {members{"x5c": encoded(theirs...)}, nil, s, unrecognised},
		"x5c of the attacker, and our root":     {members{"x5c": encoded(theirs[0], ours[1])}, nil, s, unrecognised},
		"x5c of the attacker before ours":       {members{"x5c": encoded(theirs[0], ours[0], ours[1])}, nil, s, unrecognised},
		"x5c of ours before the attacker":       {members{"x5c": encoded(ours[0], theirs[0], theirs[1])}, nil, s, broken},
		"x5c signed by itself with our names":   {members{"x5c": encoded(self.c)}, nil, chainSealer{self.key, []*x509.Certificate{self.c}}, unrecognised},
		"no key at all":                         {members{"x5c": nil}, nil, s, certificate},
		"the rightful key (this is no forgery)": {nil, nil, p.key(keys.Seal), "valid"},
	} {
		r := p.verify(p.sealedAs(c.by, c.with, c.outside))
		if r.Reason != c.reason || (r.Verdict == Valid) != (c.reason == "valid") {
			t.Errorf("%s: %s because of %s, want %s", name, r.Verdict, r.Reason, c.reason)
		}
	}
	between := p.issue(p.root, ca("Intermedia"))
	pointing := p.issue(between, func(c *x509.Certificate) {
		c.IssuingCertificateURL, c.OCSPServer, c.CRLDistributionPoints = []string{there + "/ca.pem"}, []string{there + "/ocsp"}, []string{there + "/ca.crl"}
	})
	if r := p.verify(p.by(pointing)); r.Verdict != CannotTell || r.Reason != unrecognised {
		t.Errorf("a certificate that says where its authority lies: %s because of %s", r.Verdict, r.Reason)
	}
	file := p.seal(p.document())
	for name, c := range map[string]struct {
		with   members
		reason string
	}{
		"jwk":                 {members{"jwk": jwk}, "status_list_untrusted"},
		"jku":                 {members{"jku": there + "/jwks.json"}, "status_list_untrusted"},
		"x5u without x5c":     {members{"x5u": there + "/chain.pem", "x5c": nil}, "status_list_unreadable"},
		"x5c of the attacker": {members{"x5c": encoded(h.key(keys.Status).Chain()...)}, "status_list_untrusted"},
	} {
		p.lists.at[listURL(status.Revocation)] = p.listAs(h.key(keys.Status), c.with)
		if r := p.verify(file); r.Verdict != NotValid || r.Reason != c.reason {
			t.Errorf("a status list with %s: %s because of %s", name, r.Verdict, r.Reason)
		}
	}
	for _, address := range p.lists.asked {
		if !strings.HasPrefix(address, publicURL+"/status/") {
			t.Errorf("asked: %s", address)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the bait was taken %d times", n)
	}
}

// listAs is a status list with headers of any kind.
func (h *house) listAs(s credentials.Sealer, with members) []byte {
	h.t.Helper()
	claims, err := json.Marshal(h.list(status.Revocation))
	if err != nil {
		h.t.Fatal(err)
	}
	input := h.written(members{"alg": "ES256", "typ": "vc+jwt", "x5c": encoded(h.key(keys.Status).Chain()...)}, with) + "." + base64.RawURLEncoding.EncodeToString(claims)
	signature, err := s.Sign([]byte(input))
	if err != nil {
		h.t.Fatal(err)
	}
	return []byte(input + "." + base64.RawURLEncoding.EncodeToString(signature))
}

// J6: a counter-signature is named and not looked at. Whoever made it, whatever
// it holds, and wherever it was put in the place of another, the report is the
// one of the seal without it.
func TestCounterSignaturesChangeNothing(t *testing.T) {
	p := newPKI(t)
	between := p.issue(p.root, ca("Intermedia"))
	stranger := p.issue(nil, named([]string{"Ente Contrario"}, []string{"VATIT-99999999999"}))
	counter := func(by *holder, chain ...*x509.Certificate) string {
		input := p.written(members{"alg": "ES256", "x5c": encoded(append([]*x509.Certificate{by.c}, chain...)...)}, nil) + "."
		signature, err := chainSealer{by.key, nil}.Sign([]byte(input))
		if err != nil {
			t.Fatal(err)
		}
		return input + "." + base64.RawURLEncoding.EncodeToString(signature)
	}
	entry := func(v any) string {
		raw, err := json.Marshal(members{"cSig": v})
		if err != nil {
			t.Fatal(err)
		}
		return `"` + base64.RawURLEncoding.EncodeToString(raw) + `"`
	}
	rightful := p.issue(p.root)
	for what, sealed := range map[string][]byte{
		"a seal that holds": p.by(rightful), "a seal of nobody known": p.by(p.issue(between)), "a seal of a stranger": p.by(stranger),
	} {
		bare := p.verify(sealed)
		for name, etsiU := range map[string]string{
			"its own key":               entry(counter(rightful, p.root.c)),
			"a stranger":                entry(counter(stranger)),
			"the missing authority":     entry(counter(between, between.c, p.root.c)),
			"rubbish":                   entry("???"),
			"what looks like a stamp":   entry(members{"tstTokens": []members{{"val": "MAA="}}}),
			"what looks like a chain":   entry([]members{{"x509Cert": members{"val": encoded(between.c)[0]}}}),
			"a JSON seal":               entry(json.RawMessage(p.by(stranger))),
			"two, the good one first":   entry(counter(rightful)) + "," + entry(counter(stranger)),
			"two, the other way":        entry(counter(stranger)) + "," + entry(counter(rightful)),
			"one in clear":              `{"cSig":` + `"` + counter(stranger) + `"}`,
			"one beside another member": `{"cSig":"x","sigTst":{"tstTokens":[]}}`,
		} {
			file := []byte(strings.Replace(string(sealed), `","signature":"`, `","header":{"etsiU":[`+etsiU+`]},"signature":"`, 1))
			e, err := credentials.ParseSealed(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range e.Unsigned {
				if u.Name != "cSig" && u.Name != "unreadable" || u.Stamps != nil || u.Certificates != nil || u.CRLs != nil || u.OCSPs != nil {
					t.Errorf("%s, counter-signed by %s: read as %+v", what, name, u)
				}
			}
			r := p.verify(file)
			if diff := cmp.Diff(bare, r, cmpopts.IgnoreFields(Report{}, "Digest")); diff != "" {
				t.Errorf("%s, counter-signed by %s: %s", what, name, diff)
			}
		}
		if bare.Verdict == Valid != (what == "a seal that holds") {
			t.Errorf("%s: %s because of %s", what, bare.Verdict, bare.Reason)
		}
	}
	one, other := string(p.by(rightful)), string(p.by(stranger))
	from := func(file string) string {
		return strings.TrimSuffix(file[strings.Index(file, `"signatures":[`)+len(`"signatures":[`):], "]}")
	}
	for _, pair := range []string{from(one) + "," + from(other), from(other) + "," + from(one), from(other)} {
		file := one[:strings.Index(one, `"signatures":[`)] + `"signatures":[` + pair + `]}`
		if r := p.verify([]byte(file)); r.Verdict == Valid || pair != from(other) && r.Reason != "format_not_sealed" {
			t.Errorf("with the signature of a stranger: %s because of %s", r.Verdict, r.Reason)
		}
	}
}
