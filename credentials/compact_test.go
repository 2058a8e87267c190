package credentials

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"attesta/status"
)

// J10: a compact token is read only as the type that is expected, under the
// same rules as a seal.
func TestParseCompactRefusesWhatIsNotTheTokenExpected(t *testing.T) {
	s := newSealer(t)
	header := func(more string) string { return `{"alg":"ES256","typ":"vc+jwt","x5c":` + s.x5c() + more + `}` }
	const claims = `{"id":"https://scuola.example.org/status/L1/revocation"}`
	good := s.compact(t, header(""), claims)
	e, err := ParseCompact(good, StatusListType)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Verify(); err != nil || string(e.Payload()) != claims {
		t.Fatalf("%v, %s", err, e.Payload())
	}
	sealedFile := seal(t, Document(smallDocument), s)
	for name, bad := range map[string][]byte{
		"another typ":                 s.compact(t, strings.Replace(header(""), "vc+jwt", "JWT", 1), claims),
		"typ in capitals":             s.compact(t, strings.Replace(header(""), "vc+jwt", "VC+JWT", 1), claims),
		"no typ":                      s.compact(t, strings.Replace(header(""), `"typ":"vc+jwt",`, "", 1), claims),
		"alg none":                    s.compact(t, strings.Replace(header(""), "ES256", "none", 1), claims),
		"alg HS256":                   s.compact(t, strings.Replace(header(""), "ES256", "HS256", 1), claims),
		"crit":                        s.compact(t, header(`,"sigT":"2026-11-21T08:30:00Z","crit":["sigT"]`), claims),
		"crit null":                   s.compact(t, header(`,"crit":null`), claims),
		"b64 false":                   s.compact(t, header(`,"b64":false,"crit":["b64"]`), claims),
		"b64 not critical":            s.compact(t, header(`,"b64":true`), claims),
		"no certificate":              s.compact(t, `{"alg":"ES256","typ":"vc+jwt"}`, claims),
		"the thumbprint of another":   s.compact(t, header(`,"x5t#S256":"AAAA"`), claims),
		"claims twice":                s.compact(t, header(""), `{"id":1,"id":2}`),
		"text after the claims":       s.compact(t, header(""), claims+claims),
		"claims that are no object":   s.compact(t, header(""), `"x"`),
		"empty claims":                s.compact(t, header(""), ""),
		"padding":                     append(append([]byte(nil), good...), '='),
		"a line break":                append(append([]byte(nil), good...), '\n'),
		"a space before":              append([]byte(" "), good...),
		"a fourth part":               append(append([]byte(nil), good...), ".AAAA"...),
		"no signature":                good[:strings.LastIndexByte(string(good), '.')+1],
		"two parts":                   good[:strings.LastIndexByte(string(good), '.')],
		"only dots":                   []byte(".."),
		"nothing":                     nil,
		"a sealed credential":         sealedFile,
		"too large":                   make([]byte, maxCompactBytes+1),
		"a JSON list of the claims":   []byte(claims),
		"many dots":                   []byte(strings.Repeat(".", 100_000)),
		"the header of a sealed file": s.compact(t, takeApart(t, Document(smallDocument), s).header, claims),
	} {
		e, err := ParseCompact(bad, StatusListType)
		if err == nil && e.Verify() == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	changed := []byte(strings.Replace(string(good), b64(claims), b64(strings.Replace(claims, "L1", "L2", 1)), 1))
	if e, err := ParseCompact(changed, StatusListType); err != nil || !errors.Is(e.Verify(), ErrSeal) {
		t.Errorf("changed claims: %v", err)
	}
	if _, err := Parse(good); err == nil {
		t.Error("a status list was read as a credential")
	}
}

// SealCompact and ParseCompact agree.
func TestCompactRoundTrip(t *testing.T) {
	s := newSealer(t)
	token, err := SealCompact(StatusListType, struct {
		ID string `json:"id"`
	}{"a <b> & \u2028"}, s)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ParseCompact(token, StatusListType)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Verify(); err != nil || !e.Leaf().Equal(s.chain[0]) || !e.Attached {
		t.Errorf("%v, %+v", err, e)
	}
}

// A list comes out of a token as it went in, wherever its member stands, and
// whatever other texts hold (J10: also as the other kind of list it is not read).
func TestSealStatusListRoundTrip(t *testing.T) {
	s := newSealer(t)
	register, packer := status.NewRegister(0), status.NewPacker()
	for i := range uint32(500) {
		if err := register.Set(i*i%status.MinEntries, status.Revoked); err != nil {
			t.Fatal(err)
		}
	}
	type list struct {
		List string `json:"lst"`
		TTL  int    `json:"ttl"`
	}
	for _, name := range []string{"", "a", "ab", "abc", `"lst":""`, `\","lst":""`, "\u2028 <é>"} {
		claims := struct {
			Name string `json:"name"`
			List list   `json:"status_list"`
			Last string `json:"last"`
		}{name, list{TTL: 5}, name}
		text := register.TokenList(packer)
		token, err := SealStatusList(TokenListType, claims, "lst", text, s)
		if err != nil {
			t.Fatal(err)
		}
		e, err := ParseCompact(token, TokenListType)
		if err != nil {
			t.Fatal(err)
		}
		got := claims
		got.Name, got.Last = "?", "?"
		if err := json.Unmarshal(e.Payload(), &got); err != nil || e.Verify() != nil {
			t.Fatalf("%v, %v", err, e.Verify())
		}
		if got.List.List != text.String() || got.Name != name || got.Last != name || got.List.TTL != 5 {
			t.Errorf("%q came back as %q with a list of %d characters", name, got.Name, len(got.List.List))
		}
		if _, err := ParseCompact(token, StatusListType); err == nil {
			t.Error("it was read as the other kind of list")
		}
	}
	for what, claims := range map[string]any{
		"no place for the list":  struct{ A string }{""},
		"a list there already":   list{List: "x"},
		"two places":             struct{ A, B list }{},
		"claims that are no map": "lst",
	} {
		if _, err := SealStatusList(TokenListType, claims, "lst", status.Text{}, s); err == nil {
			t.Errorf("%s: sealed", what)
		}
	}
}

func FuzzParseCompact(f *testing.F) {
	s := fixedSealer(f)
	f.Add(s.compact(f, `{"alg":"ES256","typ":"vc+jwt","x5c":`+s.x5c()+`}`, `{"id":1}`))
	f.Add([]byte("e30.e30.AA"))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ParseCompact(data, StatusListType)
		if err != nil {
			if !errors.As(err, new(*FormatError)) {
				t.Fatalf("the error is of no known kind: %v", err)
			}
			return
		}
		if e.Verify() == nil && e.Leaf().Equal(s.chain[0]) && string(e.Payload()) != `{"id":1}` {
			t.Fatal("claims that the key never signed were accepted")
		}
	})
}
