package credentials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// walletToken is a credential for wallets before it is signed: claims in which
// {0}, {1} and so on stand for the digests of the disclosures.
type walletToken struct {
	typ, alg, header string // header: further members, with a comma first
	claims           string
	disclosed        []string // JSON lists, which may hold {0} to {n} of those before
	shown            []int    // which of them are presented; nil means all
	more             []string // further parts, as they are
	holder           *testSealer
	sum              func([]byte) []byte // of the digests; nil means SHA-256
	binding          func(kb *bindingParts)
}

// bindingParts are those of a proof of the holder's key.
type bindingParts struct{ header, claims, over string }

const walletClaims = `{"vct":"urn:eu.europa.ec.eudi:learning:credential:1","iss":"https://scuola.example.org","iat":1795249800,"exp":1858321800,` +
	`"jti":"urn:uuid:1","issuing_authority":"Scuola","issuing_country":"IT","achievement_title":"Saldatura","date_of_expiry":"2028-11-20",` +
	`"cnf":{"jwk":{JWK}},"status":{"status_list":{"idx":4711,"uri":"https://scuola.example.org/s/1"}},"_sd_alg":"sha-256",` +
	`"_sd":["{0}","{1}","{2}","{3}","decoy-decoy-decoy-decoy-decoy-decoy-decoy-x"],"nationalities":[{"...":"{4}"},{"...":"another-decoy"},"IT"]}`

// goodToken discloses a name, a level, outcomes, a birth date and an element.
func goodToken(t testing.TB) walletToken {
	t.Helper()
	return walletToken{
		typ: SDJWTType, claims: walletClaims, holder: newSealer(t),
		disclosed: []string{
			`["salt-salt-salt-0","family_name","Esempio"]`, `["salt-salt-salt-1", "given_name", "Ada"]`,
			`["salt-salt-salt-2","level_of_learning_experience",5]`, `["salt-salt-salt-3","birthdate","1990-12-31"]`, `["salt-salt-salt-4","SM"]`,
		},
	}
}

func (w walletToken) fill(t testing.TB, text string, encoded []string) string {
	t.Helper()
	for n, e := range encoded {
		text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", n), w.digest(e))
	}
	key, err := w.holder.key.Public().(*ecdsa.PublicKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(text, "{JWK}", fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, b64(string(key[1:33])), b64(string(key[33:]))))
}

func (w walletToken) digest(text string) string {
	if w.sum == nil {
		return b64(string(sha256Of([]byte(text))))
	}
	return b64(string(w.sum([]byte(text))))
}

// present signs and presents the token.
func (w walletToken) present(t testing.TB, s *testSealer) string {
	t.Helper()
	var encoded []string
	for _, d := range w.disclosed {
		encoded = append(encoded, b64(w.fill(t, d, encoded)))
	}
	alg := w.alg
	if alg == "" {
		alg = s.alg
	}
	header := `{"alg":"` + alg + `","typ":"` + w.typ + `"` + w.header
	if !strings.Contains(w.header, "noX5c") {
		header += `,"x5c":` + s.x5c()
	}
	text := string(s.compact(t, header+"}", w.fill(t, w.claims, encoded))) + "~"
	for n, e := range encoded {
		if w.shown == nil || slices.Contains(w.shown, n) {
			text += e + "~"
		}
	}
	for _, m := range w.more {
		text += m + "~"
	}
	if w.binding == nil {
		return text
	}
	kb := bindingParts{header: `{"alg":"ES256","typ":"kb+jwt"}`, over: text}
	kb.claims = `{"iat":1795249860,"aud":"https://check.example","nonce":"n1","sd_hash":"{HASH}"}`
	w.binding(&kb)
	return text + string(w.holder.compact(t, kb.header, strings.ReplaceAll(kb.claims, "{HASH}", w.digest(kb.over))))
}

func same(*bindingParts) {}

// What an issuer signed and a holder discloses is read, with every disclosure in
// its place; decoys disturb nothing (D7).
func TestSDJWT(t *testing.T) {
	s, w := newSealer(t), goodToken(t)
	w.binding = same
	p, err := ParseSDJWT([]byte(" " + w.present(t, s) + "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Verify(); err != nil {
		t.Fatal(err)
	}
	b, err := p.CheckBinding()
	if err != nil || !b.At.Equal(time.Unix(1795249860, 0)) || b.Audience != "https://check.example" || b.Nonce != "n1" {
		t.Errorf("the proof of the key: %+v, %v", b, err)
	}
	v := p.View()
	want := View{
		ID: "urn:uuid:1", Title: Text{"und": "Saldatura"}, HolderName: "Ada Esempio", BirthDateGiven: true,
		AwardedBy: Text{"und": "Scuola"}, Country: Concept{Label: Text{"und": "IT"}},
		Issued: time.Unix(1795249800, 0).UTC(), ValidFrom: time.Unix(1795249800, 0).UTC(), ValidUntil: time.Date(2028, 11, 20, 12, 30, 0, 0, time.UTC),
		Level:  &Concept{URI: eqfPrefix + "5", Label: Text{"it": "Livello 5", "en": "Level 5"}},
		Status: []StatusEntry{{Type: TokenStatusEntry, List: "https://scuola.example.org/s/1", Index: "4711"}},
	}
	want.ValidUntil = earliest(time.Unix(1858321800, 0).UTC(), time.Date(2028, 11, 20, 23, 59, 59, 0, time.UTC))
	if diff := cmp.Diff(want, v); diff != "" {
		t.Error(diff)
	}
	if born, numbers := p.HolderData(); born != "1990-12-31" || numbers != nil {
		t.Errorf("born %s, %v", born, numbers)
	}
	if got := p.claims.get("nationalities"); got.count() != 2 || !got.has("SM") || !got.has("IT") {
		t.Errorf("of the list there are %d", got.count())
	}
	if p.claims.get("_sd").present() || p.claims.get("_sd_alg").present() || !p.Envelope.SealedAt.Equal(v.Issued) {
		t.Error("digests are left among the claims, or the time is not that of the token")
	}
}

// What is not disclosed is not there, and below what is disclosed more may be; a
// token says nothing of how digests are made where they are made as usual (D6).
func TestSDJWTDisclosesWhatIsShown(t *testing.T) {
	s, w := newSealer(t), goodToken(t)
	w.shown = []int{0}
	w.claims = strings.Replace(w.claims, `"_sd_alg":"sha-256",`, "", 1)
	p, err := ParseSDJWT([]byte(w.present(t, s)))
	if err != nil {
		t.Fatal(err)
	}
	if v := p.View(); v.HolderName != "Esempio" || v.Level != nil || v.BirthDateGiven {
		t.Errorf("shown: %+v", v)
	}
	w = goodToken(t)
	w.disclosed = []string{`["s","given_name","Ada\u0000\"\\"]`, `["s","deep",{"_sd":["{0}"],"n":[1.50,true,false,null,"x"]}]`}
	w.claims = `{"vct":"x","_sd":["{1}"]}`
	if p, err = ParseSDJWT([]byte(w.present(t, s))); err != nil {
		t.Fatal(err)
	}
	if got := p.claims.at("deep", "given_name").text(); got != "Ada\x00\"\\" {
		t.Errorf("below what is disclosed: %q", got)
	}
	if p.claims.at("deep", "n").count() != 5 {
		t.Error("the values below what is disclosed changed")
	}
	w.shown = []int{0} // what it hangs on is not shown
	if _, err := ParseSDJWT([]byte(w.present(t, s))); err == nil {
		t.Error("a disclosure without its place is read")
	}
}

// D1 to D6, D8, D9, J2, J3, J10: whatever breaks the rules is refused.
func TestSDJWTRefuses(t *testing.T) {
	s := newSealer(t)
	claims := func(old, replacement string) func(*walletToken) {
		return func(w *walletToken) {
			if !strings.Contains(w.claims, old) {
				t.Fatalf("no %s", old)
			}
			w.claims = strings.Replace(w.claims, old, replacement, 1)
		}
	}
	disclosed := func(text string) func(*walletToken) {
		return func(w *walletToken) { w.disclosed[2] = text }
	}
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for name, c := range map[string]struct {
		change func(*walletToken)
		code   string
	}{
		"D1 digest twice in one list":        {claims(`["{0}",`, `["{0}","{0}",`), "sdjwt"},
		"D1 digest twice in two places":      {claims(`{"...":"another-decoy"}`, `{"...":"{4}"}`), "sdjwt"},
		"D1 decoy twice":                     {claims(`"another-decoy"`, `"decoy-decoy-decoy-decoy-decoy-decoy-decoy-x"`), "sdjwt"},
		"D1 in two disclosures":              {disclosed(`["s","x",{"_sd":["{0}"]}]`), "sdjwt"},
		"D2 unreferenced":                    {func(w *walletToken) { w.more = []string{b64(`["s","admin",true]`)} }, "sdjwt"},
		"the same twice":                     {func(w *walletToken) { w.more = []string{b64(w.disclosed[0])} }, "sdjwt"},
		"D3 over a claim":                    {disclosed(`["s","achievement_title","Altro"]`), "sdjwt"},
		"D3 over a claim but for its case":   {disclosed(`["s","Achievement_Title","Altro"]`), "sdjwt"},
		"D3 over another disclosure":         {disclosed(`["s","given_name","Eva"]`), "sdjwt"},
		"D3 named _sd":                       {disclosed(`["s","_sd",[]]`), "sdjwt"},
		"D3 named ...":                       {disclosed(`["s","...","x"]`), "sdjwt"},
		"D3 named _sd_alg":                   {disclosed(`["s","_sd_alg","x"]`), "sdjwt"},
		"D4 element for a claim":             {disclosed(`["s","x"]`), "sdjwt"},
		"D4 claim for an element":            {func(w *walletToken) { w.disclosed[4] = `["s","x","y"]` }, "sdjwt"},
		"one in the list":                    {disclosed(`["s"]`), "sdjwt"},
		"four in the list":                   {disclosed(`["s","x","y","z"]`), "sdjwt"},
		"no list":                            {disclosed(`{"s":"x"}`), "sdjwt"},
		"more than a list":                   {disclosed(`["s","x","y"],"e":[]`), "sdjwt"},
		"a salt that is a number":            {disclosed(`[1,"x","y"]`), "sdjwt"},
		"a name that is a number":            {disclosed(`["s",1,"y"]`), "sdjwt"},
		"D6 sha-1":                           {claims(`"sha-256"`, `"sha-1"`), "sdjwt"},
		"D6 sha-256-32":                      {claims(`"sha-256"`, `"sha-256-32"`), "sdjwt"},
		"D6 sha-512 over digests of sha-256": {claims(`"sha-256"`, `"sha-512"`), "sdjwt"},
		"D6 null":                            {claims(`"sha-256"`, `null`), "sdjwt"},
		"D6 not read":                        {claims(`"sha-256"`, `"sha3-256"`), ErrUnread},
		"D6 no word":                         {claims(`"sha-256"`, `256`), "sdjwt"},
		"D6 elsewhere":                       {claims(`"issuing_country":"IT"`, `"a":{"_sd_alg":"sha-256"}`), "sdjwt"},
		"D8 deep":                            {disclosed(`["s","x",` + deep + `]`), "sdjwt"},
		"D8 many":                            {func(w *walletToken) { w.more = make([]string, 1001) }, "sdjwt"},
		"too large":                          {func(w *walletToken) { w.more = []string{strings.Repeat("A", maxSDJWTBytes)} }, "too_large"},
		"D9 exp disclosed":                   {func(w *walletToken) { claims(`"exp":1858321800,`, "")(w); disclosed(`["s","exp",1858321800]`)(w) }, "sdjwt"},
		"D9 status disclosed":                {disclosed(`["s","status",{}]`), "sdjwt"},
		"D9 vct hidden":                      {claims(`"vct":"urn:eu.europa.ec.eudi:learning:credential:1",`, ""), "sdjwt"},
		"D9 part of status disclosed":        {claims(`"status":{`, `"status":{"_sd":[],`), "sdjwt"},
		"D9 part of cnf disclosed":           {claims(`"cnf":{`, `"cnf":{"x":[{"...":"d"}],`), "sdjwt"},
		"_sd no list":                        {claims(`"_sd":[`, `"_sd":"x","_st":[`), "sdjwt"},
		"a digest that is a number":          {claims(`"_sd":[`, `"_sd":[1,`), "sdjwt"},
		"... as a claim":                     {claims(`"jti"`, `"..."`), "sdjwt"},
		"... beside another":                 {claims(`{"...":"another-decoy"}`, `{"...":"d","x":1}`), "sdjwt"},
		"a name twice":                       {claims(`"jti"`, `"iss"`), "sdjwt"},
		"exp null":                           {claims(`1858321800`, `null`), "sdjwt"},
		"exp without end":                    {claims(`1858321800`, `1e400`), "sdjwt"},
		"exp beyond the calendar":            {claims(`1858321800`, `253402300801`), "sdjwt"},
		"status null":                        {claims(`"status":{"status_list":{"idx":4711,"uri":"https://scuola.example.org/s/1"}}`, `"status":null`), "sdjwt"},
		"vct as a list":                      {claims(`"urn:eu.europa.ec.eudi:learning:credential:1"`, `["x"]`), "sdjwt"},
		"exp as a text":                      {claims(`1858321800`, `"1858321800"`), "sdjwt"},
		"status as a text":                   {claims(`"status":{"status_list":{"idx":4711,"uri":"https://scuola.example.org/s/1"}}`, `"status":"x"`), "sdjwt"},
		"a part that is no base64url":        {func(w *walletToken) { w.more = []string{"!"} }, "sdjwt"},
		"an empty part":                      {func(w *walletToken) { w.more = []string{""} }, "sdjwt"},
		"J10 another type":                   {func(w *walletToken) { w.typ = "JWT" }, "header"},
		"J10 a proof of a key":               {func(w *walletToken) { w.typ = bindingType }, "header"},
		"J2 none":                            {func(w *walletToken) { w.alg = "none" }, "header"},
		"J2 HMAC":                            {func(w *walletToken) { w.alg = "HS256" }, "header"},
		"another algorithm than the key":     {func(w *walletToken) { w.alg = "ES384" }, "header"},
		"a critical header":                  {func(w *walletToken) { w.header = `,"crit":["iat"],"iat":1` }, "header"},
		"J3 a key of its own":                {func(w *walletToken) { w.header = `,"jwk":{"noX5c":1}` }, ErrUnread},
		"J3 an address":                      {func(w *walletToken) { w.header = `,"x5u":"https://noX5c.example"` }, ErrUnread},
		"an algorithm that is not read":      {func(w *walletToken) { w.alg = "EdDSA" }, ErrUnread},
		"a curve that is not read":           {func(w *walletToken) { w.alg = "ESB256" }, ErrUnread},
		"an algorithm that nobody knows":     {func(w *walletToken) { w.alg = "none " }, "header"},
		"a certificate that is none":         {func(w *walletToken) { w.header = `,"noX5c":1,"x5c":["AAAA"]` }, "certificate"},
		"no name of its own: a header null":  {func(w *walletToken) { w.header = `,"kid":null` }, "header"},
	} {
		w := goodToken(t)
		w.holder = s
		c.change(&w)
		_, err := ParseSDJWT([]byte(w.present(t, s)))
		format, ok := errors.AsType[*FormatError](err)
		if !ok || format.Code != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := goodToken(t)
	text := w.present(t, s)
	for name, bad := range map[string]string{
		"no tilde": strings.ReplaceAll(text, "~", ""), "two parts": "e30.e30~", "no tilde at the end": strings.TrimSuffix(text, "~"),
		"D5 a changed salt":  strings.Replace(text, "~"+b64(w.disclosed[0]), "~"+b64(strings.Replace(w.disclosed[0], "salt", "sald", 1)), 1),
		"D5 a changed value": strings.Replace(text, b64(w.disclosed[0]), b64(strings.Replace(w.disclosed[0], "Esempio", "Esemplo", 1)), 1),
	} {
		if p, err := ParseSDJWT([]byte(bad)); err == nil {
			t.Errorf("%s is read, bound %v", name, p.Bound)
		}
	}
}

// Any change of a single character makes the token unreadable or its signature
// fail; of the signature, the last character may be written in one way only.
func TestSDJWTChangedAnywhere(t *testing.T) {
	s, w := newSealer(t), goodToken(t)
	w.binding = same
	text := []byte(w.present(t, s))
	for n := range text {
		bad := append([]byte(nil), text...)
		if bad[n] == 'A' {
			bad[n] = 'B'
		} else {
			bad[n] = 'A'
		}
		p, err := ParseSDJWT(bad)
		if err != nil || p.Verify() != nil {
			continue
		}
		if _, err := p.CheckBinding(); err == nil {
			t.Fatalf("changed at %d of %d, it holds", n, len(text))
		}
	}
}

// D11: the proof of the holder's key is of that key, over this presentation, and
// says when and for whom.
func TestSDJWTBinding(t *testing.T) {
	s := newSealer(t)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	in := func(old, replacement string) func(*bindingParts) {
		return func(b *bindingParts) {
			before := b.header + b.claims
			b.header, b.claims = strings.Replace(b.header, old, replacement, 1), strings.Replace(b.claims, old, replacement, 1)
			if b.header+b.claims == before {
				t.Fatalf("no %s", old)
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*bindingParts)
		token  func(*walletToken)
	}{
		"typ":             {change: in("kb+jwt", "JWT")},
		"none":            {change: in("ES256", "none")},
		"HMAC":            {change: in("ES256", "HS256")},
		"critical":        {change: in(`"typ"`, `"crit":["x"],"x":1,"typ"`)},
		"other disclosed": {change: func(b *bindingParts) { b.over += "x~" }},
		"no hash":         {change: in("sd_hash", "sd_hush")},
		"no time":         {change: in("iat", "jat")},
		"no audience":     {change: in("aud", "out")},
		"no nonce":        {change: in("nonce", "once")},
		"own key":         {change: in(`"typ"`, `"jwk":{"kty":"EC"},"typ"`), token: func(w *walletToken) { w.claims = strings.Replace(w.claims, "{JWK}", "{}", 1) }},
		"no key named":    {change: same, token: func(w *walletToken) { w.claims = strings.Replace(w.claims, `"cnf":{"jwk":{JWK}},`, "", 1) }},
		"a private key":   {change: same, token: func(w *walletToken) { w.claims = strings.Replace(w.claims, "{JWK}", `{"kty":"EC","d":"AA"}`, 1) }},
		"off the curve": {change: same, token: func(w *walletToken) {
			w.claims = strings.Replace(w.claims, "{JWK}", `{"kty":"EC","crv":"P-256","x":"`+b64(strings.Repeat("x", 32))+`","y":"`+b64(strings.Repeat("y", 32))+`"}`, 1)
		}},
		"another key": {change: same, token: func(w *walletToken) {
			w.claims = w.fill(t, w.claims, nil)
			w.holder = sealerOf(t, other, "ES256")
		}},
	} {
		w := goodToken(t)
		w.disclosed, w.claims = nil, `{"vct":"x","cnf":{"jwk":{JWK}},"iat":1}`
		w.binding = c.change
		if c.token != nil {
			c.token(&w)
		}
		p, err := ParseSDJWT([]byte(w.present(t, s)))
		if err != nil || p.Verify() != nil || !p.Bound {
			t.Fatalf("%s: %v", name, err)
		}
		if b, err := p.CheckBinding(); err == nil {
			t.Errorf("%s holds: %+v", name, b)
		}
	}
}

// What a token is it says itself: nothing else is taken for a credential for
// wallets, and nothing that nobody signed for one of another kind.
func TestTokenKindOf(t *testing.T) {
	s, w := newSealer(t), goodToken(t)
	vc := `{"vc":{"type":["VerifiableCredential","OpenBadgeCredential"]}}`
	older := `{"@context":["https://www.w3.org/ns/credentials/v2"]}`
	for name, c := range map[string]struct {
		data string
		want TokenKind
	}{
		"for wallets":              {w.present(t, s), SDJWTToken},
		"without its tildes":       {strings.Split(w.present(t, s), "~")[0], SDJWTToken},
		"Open Badge":               {string(s.compact(t, `{"alg":"RS256"}`, vc)), VCToken},
		"Open Badge, EdDSA":        {string(s.compact(t, `{"alg":"EdDSA","typ":"vc+jwt"}`, older)), VCToken},
		"W3C with disclosures":     {string(s.compact(t, `{"alg":"ES256","typ":"vc+sd-jwt"}`, older)) + "~", VCToken},
		"Open Badge of nobody":     {string(s.compact(t, `{"alg":"none"}`, vc)), OtherToken},
		"Open Badge with a secret": {string(s.compact(t, `{"alg":"HS256"}`, vc)), OtherToken},
		"Open Badge, no algorithm": {string(s.compact(t, `{"typ":"JWT"}`, vc)), OtherToken},
		"status list":              {string(s.compact(t, `{"alg":"ES256","typ":"statuslist+jwt"}`, "{}")), OtherToken},
		"not JSON":                 {"eyJ.eyJ.eyJ", NoToken},
		"a name of a host":         {"example.org.it", NoToken},
		"a file":                   {`{"payload":"a.b.c"}`, NoToken},
		"nothing":                  {"", NoToken},
	} {
		if got := TokenKindOf([]byte(c.data)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// T1: whatever is presented, what holds is what the key signed.
func FuzzParseSDJWT(f *testing.F) {
	s := fixedSealer(f)
	w := goodToken(f)
	w.holder, w.binding = s, same
	f.Add([]byte(w.present(f, s)))
	w.binding = nil
	f.Add([]byte(w.present(f, s)))
	f.Add([]byte("e30.e30.AA~WyJzIiwieCJd~"))
	f.Fuzz(func(t *testing.T, data []byte) {
		kind := TokenKindOf(data)
		p, err := ParseSDJWT(data)
		if err != nil {
			if !errors.As(err, new(*FormatError)) {
				t.Fatalf("the error is of no known kind: %v", err)
			}
			return
		}
		if kind == NoToken {
			t.Fatal("what is read is no token")
		}
		_ = p.View()
		if p.Verify() == nil && p.Leaf().Equal(s.chain[0]) && p.Kind != "urn:eu.europa.ec.eudi:learning:credential:1" {
			t.Fatalf("of the type %s, which the key did not sign", p.Kind)
		}
		if p.Bound {
			_, _ = p.CheckBinding()
		}
	})
}
