package verifier

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/status"
)

// walletToken is a credential for wallets of the house before it is signed.
type walletToken struct {
	typ    string
	claims []string // members of the claims, each "name":value
	names  bool     // given and family name are disclosed
	key    *ecdsa.PrivateKey
	proof  string // claims of the proof of the holder's key; "" for none
	cnf    string // instead of the key itself
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// wallet is a token of which all is in order.
func (h *house) wallet() walletToken {
	h.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	return walletToken{typ: credentials.SDJWTType, names: true, key: key, claims: []string{
		`"vct":"urn:eu.europa.ec.eudi:learning:credential:1"`, `"achievement_title":"Saldatura"`,
		fmt.Sprintf(`"iat":%d`, h.now.Unix()), fmt.Sprintf(`"nbf":%d`, h.now.Unix()), fmt.Sprintf(`"exp":%d`, h.now.AddDate(1, 0, 0).Unix()),
		`"status":{"status_list":{"idx":4711,"uri":"` + tokenURL + `"}}`,
	}}
}

// with replaces the claims of the names in what is given, or adds them.
func (w walletToken) with(claims ...string) walletToken {
	all := append([]string{}, claims...)
	for _, old := range w.claims {
		name, _, _ := strings.Cut(old, ":")
		if !strings.Contains(strings.Join(claims, "\n"), name+":") {
			all = append(all, old)
		}
	}
	w.claims = all
	return w
}

// without leaves out the claim of a name.
func (w walletToken) without(name string) walletToken {
	w.claims = slices.DeleteFunc(slices.Clone(w.claims), func(c string) bool { return strings.HasPrefix(c, `"`+name+`":`) })
	return w
}

// bound adds a proof of the holder's key, made at a time.
func (w walletToken) bound(at time.Time) walletToken {
	w.proof = fmt.Sprintf(`{"iat":%d,"aud":"https://check.example","nonce":"n","sd_hash":"{HASH}"}`, at.Unix())
	return w
}

func (h *house) present(w walletToken) []byte { return h.presentBy(h.key(keys.Seal), w) }

func (h *house) presentBy(s credentials.Sealer, w walletToken) []byte {
	h.t.Helper()
	sign := func(s credentials.Sealer, header, claims string) string {
		input := b64([]byte(header)) + "." + b64([]byte(claims))
		signature, err := s.Sign([]byte(input))
		if err != nil {
			h.t.Fatal(err)
		}
		return input + "." + b64(signature)
	}
	var x5c, digests, disclosed []string
	for _, c := range s.Chain() {
		x5c = append(x5c, `"`+base64.StdEncoding.EncodeToString(c.Raw)+`"`)
	}
	if w.names {
		disclosed = []string{b64([]byte(`["s-1","given_name","Ada"]`)), b64([]byte(`["s-2","family_name","Esempio"]`)), b64([]byte(`["s-3","birthdate","1990-12-31"]`))}
	}
	for _, d := range disclosed {
		sum := sha256.Sum256([]byte(d))
		digests = append(digests, `"`+b64(sum[:])+`"`)
	}
	if w.cnf == "" {
		w.cnf = `{"jwk":` + jwkOf(h.t, w.key) + `}`
	}
	claims := append([]string{`"_sd":[` + strings.Join(digests, ",") + `]`, `"cnf":` + w.cnf}, w.claims...)
	text := sign(s, `{"alg":"`+s.Algorithm()+`","typ":"`+w.typ+`","x5c":[`+strings.Join(x5c, ",")+`]}`, "{"+strings.Join(claims, ",")+"}")
	text = strings.Join(append([]string{text}, disclosed...), "~") + "~"
	if w.proof != "" {
		sum := sha256.Sum256([]byte(text))
		text += sign(rawSealer{w.key, nil}, `{"alg":"ES256","typ":"kb+jwt"}`, strings.ReplaceAll(w.proof, "{HASH}", b64(sum[:])))
	}
	return []byte(text)
}

// jwkOf writes the public key of a wallet.
func jwkOf(t testing.TB, key *ecdsa.PrivateKey) string {
	t.Helper()
	raw, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, b64(raw[1:33]), b64(raw[33:]))
}

// D5, D11, J2, J10: the verdict about a credential for wallets, by what is wrong.
func TestSDJWTVerdicts(t *testing.T) {
	tampered := func(h *house, old, replacement string) []byte {
		text := string(h.present(h.wallet()))
		parts := strings.SplitN(text, ".", 3)
		raw, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil || !strings.Contains(string(raw), old) {
			h.t.Fatalf("no %s: %v", old, err)
		}
		return []byte(parts[0] + "." + b64([]byte(strings.Replace(string(raw), old, replacement, 1))) + "." + parts[2])
	}
	set := func(value status.Value) func(*house) []byte {
		return func(h *house) []byte {
			h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(2, map[uint32]status.Value{position: value}))
			return h.present(h.wallet())
		}
	}
	for name, c := range map[string]struct {
		data    func(*house) []byte
		verdict Verdict
		reason  string
	}{
		"in order":              {func(h *house) []byte { return h.present(h.wallet()) }, Valid, "valid"},
		"the older type":        {func(h *house) []byte { w := h.wallet(); w.typ = credentials.SDJWTOlderType; return h.present(w) }, Valid, "valid"},
		"with its holder's key": {func(h *house) []byte { return h.present(h.wallet().bound(h.now)) }, Valid, "valid"},
		"presented long ago":    {func(h *house) []byte { return h.present(h.wallet().bound(h.now.AddDate(0, 0, -7))) }, Valid, "valid"},
		"nothing disclosed":     {func(h *house) []byte { w := h.wallet(); w.names = false; return h.present(w) }, Valid, "valid"},
		"presented tomorrow":    {func(h *house) []byte { return h.present(h.wallet().bound(h.now.AddDate(0, 0, 1))) }, NotValid, "seal_sdjwt_holder"},
		"another's proof": {func(h *house) []byte {
			w := h.wallet()
			w.proof = `{"iat":1,"aud":"a","nonce":"n","sd_hash":"x"}`
			return h.present(w)
		}, NotValid, "seal_sdjwt_holder"},
		"changed":         {func(h *house) []byte { return tampered(h, "Saldatura", "Chirurgia") }, NotValid, "seal_sdjwt_broken"},
		"expired":         {func(h *house) []byte { return h.present(h.wallet().with(fmt.Sprintf(`"exp":%d`, h.now.Unix()-600))) }, NotValid, "validity_expired"},
		"not yet":         {func(h *house) []byte { return h.present(h.wallet().with(fmt.Sprintf(`"nbf":%d`, h.now.Unix()+600))) }, NotValid, "validity_not_yet"},
		"from the future": {func(h *house) []byte { return h.present(h.wallet().with(fmt.Sprintf(`"iat":%d`, h.now.Unix()+600))) }, NotValid, "seal_in_future"},
		"revoked":         {set(status.Revoked), NotValid, "status_revoked"},
		"suspended":       {set(status.Suspended), NotValid, "status_suspended"},
		"another status":  {func(h *house) []byte { return h.present(h.wallet().with(`"status":{"other":{}}`)) }, CannotTell, "status_unsupported"},
		"a status of no place": {func(h *house) []byte {
			return h.present(h.wallet().with(`"status":{"status_list":{"idx":"4711","uri":"` + tokenURL + `"}}`))
		}, NotValid, "status_index"},
		"no list published":      {func(h *house) []byte { clear(h.lists.at); return h.present(h.wallet()) }, CannotTell, "status_unreachable"},
		"nobody vouches":         {func(h *house) []byte { data := h.present(h.wallet()); h.trust = keys.Trust{}; return data }, CannotTell, "issuer_unrecognised"},
		"the key of lists (J10)": {func(h *house) []byte { return h.presentBy(h.key(keys.Status), h.wallet()) }, NotValid, "issuer_certificate"},
		"another type (J10)":     {func(h *house) []byte { w := h.wallet(); w.typ = "kb+jwt"; return h.present(w) }, NotValid, "format_header"},
		"a disclosure too many":  {func(h *house) []byte { return append(h.present(h.wallet()), b64([]byte(`["s","admin",true]`))+"~"...) }, NotValid, "format_sdjwt_unreadable"},
		"no certificate": {func(*house) []byte {
			return append(unsigned(`{"alg":"ES256","typ":"dc+sd-jwt","kid":"did:web:x"}`, `{"vct":"x"}`), '~')
		}, CannotTell, "format_sdjwt_key"},
		"an Open Badge 3.0": {func(*house) []byte {
			return unsigned(`{"alg":"RS256","typ":"JWT"}`, `{"vc":{"type":["VerifiableCredential","OpenBadgeCredential"]}}`)
		}, CannotTell, "format_vcjwt"},
		"an Open Badge of nobody (J2)": {func(*house) []byte { return unsigned(`{"alg":"none"}`, `{"vc":{}}`) }, NotValid, "format_token"},
		"a status list (J10)":          {func(h *house) []byte { return h.lists.at[tokenURL] }, NotValid, "format_token"},
	} {
		h := newHouse(t)
		h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(2, nil))
		r := h.verify(c.data(h))
		if r.Verdict != c.verdict || r.Reason != c.reason {
			t.Errorf("%s: %s, %s; %+v", name, r.Verdict, r.Reason, r.Checks)
		}
		if good := r.Find(CheckSeal).Outcome == Pass; good != (r.Credential != nil) || good != (r.Summary != nil) {
			t.Errorf("%s: shown %v, with the seal %s", name, r.Credential != nil, r.Find(CheckSeal).Outcome)
		}
	}
}

// Who issued it, the certificate says: an address that the token gives is to be in
// it, where it has any; where it has none, the report says so (J12).
func TestSDJWTIssuer(t *testing.T) {
	address, err := url.Parse("https://scuola.example.org/enti/1")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change change
		iss    string
		reason string // of the check of the issuer
		schema string
	}{
		"none":                  {nil, "", "issuer_advanced", "schema_sdjwt"},
		"no address in it":      {nil, "https://scuola.example.org", "issuer_advanced", "schema_sdjwt_issuer"},
		"by its host":           {func(c *x509.Certificate) { c.DNSNames = []string{"Scuola.example.org"} }, "https://scuola.example.org/x", "issuer_advanced", "schema_sdjwt"},
		"by its address":        {func(c *x509.Certificate) { c.URIs = []*url.URL{address} }, address.String(), "issuer_advanced", "schema_sdjwt"},
		"by a host of many":     {func(c *x509.Certificate) { c.DNSNames = []string{"*.example.org"} }, "https://scuola.example.org", "issuer_advanced", "schema_sdjwt"},
		"another host":          {func(c *x509.Certificate) { c.DNSNames = []string{"scuola.example.org"} }, "https://evil.example", "issuer_address", "schema_sdjwt_issuer"},
		"another address":       {func(c *x509.Certificate) { c.URIs = []*url.URL{address} }, "https://scuola.example.org/enti/2", "issuer_address", "schema_sdjwt_issuer"},
		"its host in a name":    {func(c *x509.Certificate) { c.DNSNames = []string{"scuola.example.org"} }, "https://scuola.example.org.evil.example", "issuer_address", "schema_sdjwt_issuer"},
		"not over https":        {func(c *x509.Certificate) { c.DNSNames = []string{"scuola.example.org"} }, "http://scuola.example.org", "issuer_address", "schema_sdjwt_issuer"},
		"a name and no number":  {named([]string{"Scuola Dimostrativa"}, nil), "", "issuer_advanced", "schema_sdjwt"},
		"names no organisation": {named(nil, nil), "", "issuer_nameless", ""},
		"a number and no name":  {named(nil, []string{"DM:IT-iss-scuola"}), "", "issuer_nameless", ""},
		"names two":             {named([]string{"Scuola Dimostrativa", "Politecnico"}, nil), "", "issuer_nameless", ""},
		"nameless, for servers": {func(c *x509.Certificate) { named(nil, nil)(c); usage(x509.ExtKeyUsageServerAuth)(c) }, "", "issuer_certificate", ""},
		"elsewhere, for servers": {func(c *x509.Certificate) {
			c.DNSNames = []string{"scuola.example.org"}
			usage(x509.ExtKeyUsageServerAuth)(c)
		}, "https://evil.example", "issuer_certificate", ""},
	} {
		p := newPKI(t)
		leaf := p.issue(p.root)
		if c.change != nil {
			leaf = p.issue(p.root, c.change)
		}
		w := p.wallet()
		if c.iss != "" {
			w = w.with(`"iss":"` + c.iss + `"`)
		}
		sealer := chainSealer{key: leaf.key, chain: []*x509.Certificate{leaf.c}}
		p.publishToken(credentials.TokenListType, sealer, p.tokenList(2, nil))
		r := p.verify(p.presentBy(sealer, w))
		want := map[string]Verdict{"issuer_advanced": Valid, "issuer_address": CannotTell, "issuer_nameless": CannotTell, "issuer_certificate": NotValid}[c.reason]
		if got := r.Find(CheckIssuer).Reason; got != c.reason || r.Verdict != want || want != Valid && r.Reason != c.reason {
			t.Errorf("%s: %s; %s, %s", name, got, r.Verdict, r.Reason)
		}
		if r.Credential == nil || (r.Credential.IssuerURL != "") != (c.iss != "" && c.schema == "schema_sdjwt") {
			t.Errorf("%s: an address is shown that is not in the certificate, or none", name)
		}
		if got := r.Find(CheckSchema).Reason; c.schema != "" && got != c.schema {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// What was disclosed can be compared with a document, and is in no report.
func TestSDJWTPerson(t *testing.T) {
	h := newHouse(t)
	h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(2, nil))
	r := h.verify(h.present(h.wallet()))
	if r.Summary == nil || r.Summary.HolderName != "Ada Esempio" || r.Summary.Issuer["und"] != "Scuola Dimostrativa" || r.Summary.IssuerID != "DM:IT-iss-scuola" {
		t.Errorf("%+v", r.Summary)
	}
	if got := r.About(Person{BirthDate: "1990-12-31"}); got.Verdict != Valid || got.Find(CheckHolder).Reason != "holder_matches" {
		t.Errorf("%s, %s", got.Verdict, got.Reason)
	}
	if got := r.About(Person{Number: "SMPDAA90T71H501X"}); got.Verdict != CannotTell || got.Reason != "holder_hidden" {
		t.Errorf("%s, %s", got.Verdict, got.Reason)
	}
	if got := r.About(Person{BirthDate: "1990-12-30"}); got.Verdict != NotValid || got.Reason != "holder_differs" {
		t.Errorf("%s, %s", got.Verdict, got.Reason)
	}
}

// walletReports have the reasons that only credentials for wallets have.
func (h *house) walletReports() []Report {
	h.t.Helper()
	unnamed := h.wallet()
	unnamed.names = false
	p := newPKI(h.t)
	leaf := p.issue(p.root, func(c *x509.Certificate) { c.DNSNames = []string{"scuola.example.org"} })
	held := newTimed(h.t)
	held.holds(region(h.t))
	return []Report{
		p.verify(p.presentBy(chainSealer{key: leaf.key, chain: []*x509.Certificate{leaf.c}}, p.wallet().with(`"iss":"https://evil.example"`))),
		held.verify(held.present(held.wallet().without("iat"))),
		h.verify(h.present(h.wallet().bound(h.now))), h.verify(h.present(unnamed)),
		h.verify(h.present(h.wallet().with(`"iss":"https://scuola.example.org"`))),
	}
}

// Whatever is presented beside the proof of a key: no panic, and nothing is valid
// but what the trusted key signed.
func FuzzSDJWT(f *testing.F) {
	h := newHouse(f)
	h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(2, nil))
	good := h.present(h.wallet().bound(h.now))
	f.Add(good)
	f.Add(h.present(h.wallet()))
	v := h.verifier()
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := v.Verify(context.Background(), data)
		if err != nil {
			t.Fatal(err)
		}
		if r.Credential != nil && r.Find(CheckIssuer).Outcome == Pass && r.Credential.Title["und"] != "Saldatura" {
			t.Fatalf("%s for %v, which the key did not sign", r.Verdict, r.Credential.Title)
		}
	})
}
