package verifier

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/status"
)

const tokenURL = "https://scuola.example.org/statuslists/7"

// tokenClaims are what a Status List Token says, before it is signed.
type tokenClaims struct {
	Subject string     `json:"sub"`
	Issued  any        `json:"iat,omitempty"`
	Expires any        `json:"exp,omitempty"`
	TTL     any        `json:"ttl,omitempty"`
	List    tokenInner `json:"status_list"`
}

type tokenInner struct {
	Bits        any    `json:"bits"`
	List        any    `json:"lst"`
	Aggregation string `json:"aggregation_uri,omitempty"`
}

// tokenList has 2^17 entries of so many bits, all valid but those that are given.
func (h *house) tokenList(width int, set map[uint32]status.Value) tokenClaims {
	h.t.Helper()
	data := make([]byte, (1<<17)*width/8)
	for index, value := range set {
		bit := int(index) * width
		data[bit/8] |= byte(value) << (bit % 8)
	}
	return tokenClaims{
		Subject: tokenURL, Issued: h.now.Unix(), Expires: h.now.Add(24 * time.Hour).Unix(), TTL: 300,
		List: tokenInner{Bits: width, List: zipped(h.t, data), Aggregation: "https://127.0.0.1/all"},
	}
}

func zipped(t testing.TB, data []byte) string {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(out.Bytes())
}

func (h *house) publishToken(typ string, s credentials.Sealer, c any) {
	h.t.Helper()
	token, err := credentials.SealCompact(typ, c, s)
	if err != nil {
		h.t.Fatal(err)
	}
	h.lists.at[tokenURL] = token
}

// sealedToken seals a credential whose only status is in the token list.
func (h *house) sealedToken(index string) []byte { return h.sealedIn(tokenURL, index) }

func (h *house) sealedAt(address string) []byte { return h.sealedIn(address, "4711") }

func (h *house) sealedIn(address, index string) []byte {
	h.t.Helper()
	text := string(h.document())
	from := strings.Index(text, `"status":[`)
	end := from + strings.Index(text[from:], "]") + 1
	if from < 0 || end <= from {
		h.t.Fatal("the document has no status")
	}
	return h.seal(credentials.Document(text[:from] + `"status":{"status_list":{"idx":` + index + `,"uri":"` + address + `"}}` + text[end:]))
}

// S1-S5, S10: a Token Status List, from us and from strangers.
func TestTokenListVerdicts(t *testing.T) {
	here := fmt.Sprint(position)
	for _, c := range []struct {
		name    string
		change  func(*house, *tokenClaims)
		index   string
		verdict Verdict
		reason  string
	}{
		{"good", nil, here, Valid, "valid"},
		{"the last position", nil, "131071", Valid, "valid"},
		{"revoked", entry(2, position, status.Revoked), here, NotValid, "status_revoked"},
		{"suspended", entry(2, position, status.Suspended), here, NotValid, "status_suspended"},
		{"another one revoked (S4, order of bits)", entry(2, position^3, status.Revoked), here, Valid, "valid"},
		{"one bit, revoked", entry(1, position, status.Revoked), here, NotValid, "status_revoked"},
		{"one bit, the mirrored one revoked (S4, order of bits)", entry(1, position^7, status.Revoked), here, Valid, "valid"},
		{"four bits, suspended", entry(4, position, status.Suspended), here, NotValid, "status_suspended"},
		{"eight bits, revoked", entry(8, position, status.Revoked), here, NotValid, "status_revoked"},
		{"a value of the application's own", entry(2, position, 3), here, CannotTell, "status_unsupported"},
		{"another value of its own", entry(4, position, 12), here, CannotTell, "status_unsupported"},

		{"a position outside (S4)", nil, "131072", NotValid, "status_index"},
		{"a position below zero (S4)", nil, "-1", NotValid, "status_index"},
		{"a position that is text (S4)", nil, `"1"`, NotValid, "status_index"},
		{"a position that is not whole (S4)", nil, "1.0", NotValid, "status_index"},
		{"a position with an exponent (S4)", nil, "1e2", NotValid, "status_index"},
		{"a position of 2^32 (S4)", nil, "4294967296", NotValid, "status_index"},
		{"no position (S4)", nil, "null", NotValid, "status_index"},
		{"several positions (S4)", nil, "[1]", NotValid, "status_index"},

		{"the list of another address (S3)", func(_ *house, c *tokenClaims) { c.Subject += "/" }, here, NotValid, "status_list_swapped"},
		{"the list of no address (S3)", func(_ *house, c *tokenClaims) { c.Subject = "" }, here, NotValid, "status_list_swapped"},
		{"three bits (S3)", func(_ *house, c *tokenClaims) { c.List.Bits = 3 }, here, NotValid, "status_list_unreadable"},
		{"no bits (S3)", func(_ *house, c *tokenClaims) { c.List.Bits = nil }, here, NotValid, "status_list_unreadable"},
		{"bits as text (S3)", func(_ *house, c *tokenClaims) { c.List.Bits = "2" }, here, NotValid, "status_list_unreadable"},
		{"fewer bits than it has (S3)", func(_ *house, c *tokenClaims) { c.List.Bits = 8 }, "131071", NotValid, "status_index"},
		{"no list", func(_ *house, c *tokenClaims) { c.List.List = "" }, here, CannotTell, "status_list_damaged"},
		{"a list of another kind inside", func(_ *house, c *tokenClaims) { c.List.List = []int{1} }, here, NotValid, "status_list_unreadable"},

		{"ended (S5)", func(h *house, c *tokenClaims) { c.Expires = h.now.Add(-time.Second).Unix() }, here, CannotTell, "status_stale"},
		{"of tomorrow (S5, clock back)", func(h *house, c *tokenClaims) { c.Issued = h.now.Add(24 * time.Hour).Unix() }, here, CannotTell, "status_stale"},
		{"without an end", func(_ *house, c *tokenClaims) { c.Expires = nil }, here, Valid, "valid"},
		{"without an end, two days old (S5)", func(h *house, c *tokenClaims) {
			c.Expires, c.Issued = nil, h.now.Add(-48*time.Hour).Unix()
		}, here, CannotTell, "status_stale"},
		{"without a beginning", func(_ *house, c *tokenClaims) { c.Issued = nil }, here, NotValid, "status_list_unreadable"},
		{"a beginning that is text", func(_ *house, c *tokenClaims) { c.Issued = "2026-11-21" }, here, NotValid, "status_list_unreadable"},
		{"an end without bounds (S5)", func(_ *house, c *tokenClaims) { c.Expires = rawNumber("1e300") }, here, Valid, "valid"},
		{"an end before all times (S5)", func(_ *house, c *tokenClaims) { c.Expires = rawNumber("-1e300") }, here, CannotTell, "status_stale"},
		{"a ttl of nothing (S10)", func(_ *house, c *tokenClaims) { c.TTL = rawNumber("0") }, here, Valid, "valid"},
		{"a ttl below nothing (S10)", func(_ *house, c *tokenClaims) { c.TTL = -1 }, here, Valid, "valid"},
		{"a ttl without bounds (S10)", func(_ *house, c *tokenClaims) { c.TTL = rawNumber("1000000000000000000") }, here, Valid, "valid"},
		{"a ttl of text (S10)", func(_ *house, c *tokenClaims) { c.TTL = "300" }, here, Valid, "valid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			claims := h.tokenList(2, nil)
			if c.change != nil {
				c.change(h, &claims)
			}
			h.publishToken(credentials.TokenListType, h.key(keys.Status), claims)
			r := h.verify(h.sealedToken(c.index))
			if r.Verdict != c.verdict || r.Reason != c.reason {
				t.Errorf("%s because of %s; want %s, %s", r.Verdict, r.Reason, c.verdict, c.reason)
			}
			for _, asked := range h.lists.asked {
				if asked != tokenURL {
					t.Errorf("%s was asked too", asked)
				}
			}
		})
	}
}

// rawNumber is a number as it is written.
type rawNumber string

func (n rawNumber) MarshalJSON() ([]byte, error) { return []byte(n), nil }

func entry(width int, index uint32, value status.Value) func(*house, *tokenClaims) {
	return func(h *house, c *tokenClaims) { *c = h.tokenList(width, map[uint32]status.Value{index: value}) }
}

// S2, S3, J10: who signed a token list, and as what.
func TestTokenListSigners(t *testing.T) {
	for name, c := range map[string]struct {
		publish func(*house)
		verdict Verdict
		reason  string
	}{
		"the seal key": {func(h *house) {
			h.publishToken(credentials.TokenListType, h.key(keys.Seal), h.tokenList(2, nil))
		}, Valid, "valid"},
		"another house": {func(h *house) {
			h.publishToken(credentials.TokenListType, newHouse(h.t).key(keys.Status), h.tokenList(2, nil))
		}, NotValid, "status_list_untrusted"},
		"a neighbour": {func(h *house) {
			h.ensure("iss-cfp", "DM:IT-iss-cfp")
			owner := h.owner
			h.owner = "iss-cfp"
			h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(2, nil))
			h.owner = owner
		}, NotValid, "status_list_untrusted"},
		"another house, and a bomb": {func(h *house) {
			l := h.tokenList(2, nil)
			l.List.List = zipped(h.t, make([]byte, 8<<20))
			h.publishToken(credentials.TokenListType, newHouse(h.t).key(keys.Status), l)
		}, NotValid, "status_list_untrusted"},
		"one byte changed": {func(h *house) {
			h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(2, nil))
			token := h.lists.at[tokenURL]
			first, rest, _ := bytes.Cut(token, []byte("."))
			if rest[40] == 'A' {
				rest[40] = 'B'
			} else {
				rest[40] = 'A'
			}
			h.lists.at[tokenURL] = bytes.Join([][]byte{first, rest}, []byte("."))
		}, NotValid, ""},
		"not signed": {func(h *house) {
			h.lists.at[tokenURL] = []byte(`{"sub":"` + tokenURL + `"}`)
		}, NotValid, "status_list_unreadable"},
		"alg none (J1)": {func(h *house) {
			h.lists.at[tokenURL] = unsigned(`{"alg":"none","typ":"statuslist+jwt"}`, "{}")
		}, NotValid, "status_list_unreadable"},
		"another typ": {func(h *house) {
			h.publishToken("JWT", h.key(keys.Status), h.tokenList(2, nil))
		}, NotValid, "status_list_unreadable"},
		"the typ of the other kind": {func(h *house) {
			h.publishToken(credentials.StatusListType, h.key(keys.Status), h.tokenList(2, nil))
		}, NotValid, "status_list_unreadable"},
		"the typ with application/": {func(h *house) {
			h.publishToken("application/statuslist+jwt", h.key(keys.Status), h.tokenList(2, nil))
		}, NotValid, "status_list_unreadable"},
		"the other kind of list": {func(h *house) {
			l := h.list(status.Revocation)
			l.ID = tokenURL
			h.publishToken(credentials.StatusListType, h.key(keys.Status), l)
		}, NotValid, "status_list_unreadable"},
		"a key that no longer counts": {func(h *house) {
			h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(2, nil))
			h.trust.Anchors[0].Revoked = []keys.RevokedKey{{Certificate: keys.Fingerprint(h.key(keys.Status).Certificate()), Since: h.now.Add(-time.Hour)}}
		}, NotValid, "status_list_untrusted"},
	} {
		h := newHouse(t)
		c.publish(h)
		r := h.verify(h.sealedToken("4711"))
		if r.Verdict != c.verdict || c.reason != "" && r.Reason != c.reason {
			t.Errorf("%s: %s because of %s", name, r.Verdict, r.Reason)
		}
	}
}

// Both kinds of entry in one credential: the gravest answer counts.
func TestBothKindsOfList(t *testing.T) {
	for _, c := range []struct {
		bits, token bool
		reason      string
	}{{false, false, "valid"}, {true, false, "status_revoked"}, {false, true, "status_revoked"}, {true, true, "status_revoked"}} {
		h := newHouse(t)
		h.publishAll()
		set := map[uint32]status.Value{}
		if c.token {
			set[position] = status.Revoked
		}
		if c.bits {
			h.publish(status.Revocation, h.list(status.Revocation, position))
		}
		h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(2, set))
		d := h.changed(h.document(), `"status":[`, `"status":[{"status_list":{"idx":4711,"uri":"`+tokenURL+`"}},`)
		if r := h.verify(h.seal(d)); r.Reason != c.reason || len(h.lists.asked) != 3 {
			t.Errorf("%+v: %s, asked %v", c, r.Reason, h.lists.asked)
		}
	}
}
