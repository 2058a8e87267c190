package brief

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"attesta/credentials"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/veraison/go-cose"
)

// Every byte string survives, in characters that a QR and a fragment take as they
// are, and the last one is none that programs cut off.
func TestBase41(t *testing.T) {
	data := make([]byte, 0, 600)
	for n := range 300 {
		data = append(data, byte(n), byte(n*7))
	}
	for _, of := range [][]byte{nil, {0}, {255}, {0, 0}, {255, 255}, data, data[:511]} {
		text := encode(of)
		back, err := decode(text)
		if err != nil || !bytes.Equal(back, of) {
			t.Errorf("%d bytes: %v", len(of), err)
		}
		if strings.Trim(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$+-/.") != "" || strings.HasSuffix(text, ".") || strings.HasSuffix(text, "/") {
			t.Errorf("%q", text)
		}
	}
	for n := range 1 << 16 {
		text := encode([]byte{byte(n >> 8), byte(n)})
		if strings.ContainsAny(text[2:], "./") {
			t.Fatalf("%d ends in %q", n, text)
		}
	}
	for _, bad := range []string{"A", "ABCD", "ABc", "AB%", "A B", "...", "..", "$$$A"} {
		if got, err := decode(bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q gave %x %v", bad, got, err)
		}
	}
}

func sealed(t testing.TB) (text string, b Brief, h *house) {
	t.Helper()
	b, k, h := one(t)
	b.AwardedBy, b.AwardedIDs = credentials.Text{"it": "Ente"}, []string{"DM:IT-altro"}
	b.ValidUntil = h.now.AddDate(3, 0, 0)
	b.Outcomes = append(b.Outcomes, []string{"https://example.org/skill", "http://data.europa.eu/esco/skill/NOT-A-UUID"})
	b.Status = append(b.Status,
		credentials.StatusEntry{Type: "BitstringStatusListEntry", Purpose: "revocation", List: "https://h.example/a", Index: "0"},
		credentials.StatusEntry{Type: "BitstringStatusListEntry", Purpose: "suspension", List: "https://h.example/b", Index: "4294967295"})
	text, err := Seal(b, k, h.now)
	if err != nil {
		t.Fatal(err)
	}
	return text, b, h
}

func TestRoundTrip(t *testing.T) {
	text, b, h := sealed(t)
	s, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b, s.Brief(), cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && a.Format(time.RFC3339) == b.Format(time.RFC3339) })); diff != "" {
		t.Error(diff)
	}
	k := h.key(t, readFixtures(t).providers[0])
	if err := s.Verify(k.Certificate()); err != nil || !s.Made().Equal(h.now) || !bytes.Equal(s.Key, KeyID(k.Certificate())) {
		t.Errorf("%v, made %s", err, s.Made())
	}
	v := s.Brief().View()
	if v.HolderName != "Ada Esempio" || v.Claims != 1 || v.Issuer != b.Provider || len(v.Outcomes) != len(b.Outcomes) {
		t.Errorf("%+v", v)
	}
	for _, presented := range []string{text, " " + text + "\n", Address("https://h.example", text), "http://127.0.0.1:8080/c#" + text, "https://h.example/c?lang=en#" + text} {
		if got, ok := In([]byte(presented)); !ok || got != text {
			t.Errorf("%.40s: %v", presented, ok)
		}
	}
	for _, other := range []string{"", "AT1", "AT2:" + text[4:], "https://h.example/v/AAAA#" + text, "x " + text, "javascript:/c#" + text, "https://h.example/c#x" + text, "https://u@h.example/c#" + text} {
		if _, ok := In([]byte(other)); ok {
			t.Errorf("%.40s is taken for a brief", other)
		}
	}
}

// No bit of a brief can be changed, and no character of its text (J: a changed
// header, another key, a cut or longer text).
func TestTampering(t *testing.T) {
	text, _, h := sealed(t)
	f := readFixtures(t)
	certificate := h.key(t, f.providers[0]).Certificate()
	raw, err := decode(text[len(Prefix):])
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(raw) * 8 {
		changed := bytes.Clone(raw)
		changed[n/8] ^= 1 << (n % 8)
		s, err := Parse(Prefix + encode(changed))
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("bit %d: %v", n, err)
		}
		if err == nil && s.Verify(certificate) == nil {
			t.Fatalf("bit %d can be changed", n)
		}
	}
	for _, other := range []string{text + "00", text[:len(text)-2], text[:len(text)-3], text + "0", Prefix, "AT2:" + text[4:], strings.ToLower(text), text + "\n"} {
		if _, err := Parse(other); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.20s…: %v", other, err)
		}
	}
	s, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(h.key(t, f.providers[1]).Certificate()); !errors.Is(err, ErrSignature) {
		t.Errorf("the key of another: %v", err)
	}
	if err := s.Verify(rsaKey(t).chain[0]); !errors.Is(err, ErrKey) {
		t.Errorf("an RSA key: %v", err)
	}
	if err := s.Verify(p521(t)); !errors.Is(err, ErrKey) {
		t.Errorf("a key on P-521: %v", err)
	}
}

// A message is read in one way only: what is in it twice, follows it, has no
// length at its beginning, is longer than it need be or is not known is refused,
// also under a good signature.
func TestStrict(t *testing.T) {
	b, k, h := one(t)
	c, err := contentOf(b, h.now)
	if err != nil {
		t.Fatal(err)
	}
	good, err := c.write()
	if err != nil {
		t.Fatal(err)
	}
	message := func(payload []byte, change func(*cose.Sign1Message)) []byte {
		m := &cose.Sign1Message{Headers: cose.Headers{Protected: headerOf(cose.AlgorithmES256, KeyID(k.Certificate()))}, Payload: payload}
		if change != nil {
			change(m)
		}
		if err := m.Sign(nil, []byte(Prefix), signer{k, cose.AlgorithmES256}); err != nil {
			t.Fatal(err)
		}
		raw, err := m.MarshalCBOR()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	if _, err := Parse(Prefix + encode(message(good, nil))); err != nil {
		t.Fatal(err)
	}
	fields := func(change func(map[int]any)) []byte {
		all := map[int]any{}
		if err := cbor.Unmarshal(good, &all); err != nil {
			t.Fatal(err)
		}
		change(all)
		mode, err := cbor.CoreDetEncOptions().EncMode()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := mode.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	if !bytes.Equal(fields(func(map[int]any) {}), good) {
		t.Fatal("the map of the test is not that of a brief")
	}
	long := strings.Repeat("x", maxTitle+1)
	payloads := map[string][]byte{
		"empty": {}, "no map": {0x80}, "nothing": {0xa0}, "something after it": append(bytes.Clone(good), 0),
		"no length":                append(append([]byte{0xbf}, good[1:]...), 0xff),
		"a key twice":              append([]byte{good[0] + 1, 0x01, 0x50, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, good[1:]...),
		"a longer key":             append([]byte{good[0], 0x18, 0x01}, good[2:]...),
		"an unknown key":           fields(func(m map[int]any) { m[16] = 1 }),
		"a key of text":            append([]byte{good[0] + 1}, append(bytes.Clone(good[1:]), 0x61, 'x', 0x01)...),
		"no digest":                fields(func(m map[int]any) { delete(m, 12) }),
		"a short digest":           fields(func(m map[int]any) { m[12] = []byte{1} }),
		"a short id":               fields(func(m map[int]any) { m[1] = []byte{1} }),
		"an id of text":            fields(func(m map[int]any) { m[1] = "sixteen letters." }),
		"no name":                  fields(func(m map[int]any) { m[5] = "" }),
		"a long name":              fields(func(m map[int]any) { m[5] = long }),
		"no UTF-8":                 fields(func(m map[int]any) { m[5] = "NAME" }),
		"a long title":             fields(func(m map[int]any) { m[2] = map[string]string{"it": long} }),
		"no language":              fields(func(m map[int]any) { m[2] = map[string]string{"": "x"} }),
		"many languages":           fields(func(m map[int]any) { m[2] = map[string]string{"it": "x", "en": "x", "de": "x", "fr": "x", "es": "x"} }),
		"no title":                 fields(func(m map[int]any) { m[2] = map[string]string{} }),
		"a null":                   fields(func(m map[int]any) { m[9] = nil }),
		"a time of three":          fields(func(m map[int]any) { m[6] = []int{1, 2, 3} }),
		"a far time":               fields(func(m map[int]any) { m[6] = []any{uint64(1) << 63, 0} }),
		"a far zone":               fields(func(m map[int]any) { m[6] = []int{1, 100} }),
		"a time of text":           fields(func(m map[int]any) { m[13] = "now" }),
		"a number below":           fields(func(m map[int]any) { m[13] = -1 }),
		"a broken number":          fields(func(m map[int]any) { m[13] = 1.5 }),
		"a great number":           fields(func(m map[int]any) { m[13] = new(big.Int).Lsh(big.NewInt(1), 80) }),
		"an unknown list":          fields(func(m map[int]any) { m[11] = []any{[]any{3, "https://h.example", 1}} }),
		"a list of two":            fields(func(m map[int]any) { m[11] = []any{[]any{0, "https://h.example"}} }),
		"many lists":               fields(func(m map[int]any) { m[11] = []any{1, 2, 3, 4, 5} }),
		"many outcomes":            fields(func(m map[int]any) { m[10] = make([][]string, maxMany+1) }),
		"a skill that is a number": fields(func(m map[int]any) { m[10] = []any{[]any{1}} }),
		"an ESCO skill as text":    fields(func(m map[int]any) { m[10] = []any{[]any{esco + "66d47084-9437-48b2-819b-c4c8214ed650"}} }),
		"a tag":                    append([]byte{0xc1}, good...),
		"depth":                    bytes.Repeat([]byte{0x81}, 100),
	}
	payloads["no UTF-8"] = bytes.Replace(payloads["no UTF-8"], []byte("NAME"), []byte("NA\xffE"), 1)
	for name, payload := range payloads {
		if _, err := Parse(Prefix + encode(message(payload, nil))); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*cose.Sign1Message){
		"an unprotected header": func(m *cose.Sign1Message) { m.Headers.Unprotected = cose.UnprotectedHeader{int64(4): []byte{1}} },
		"another header":        func(m *cose.Sign1Message) { m.Headers.Protected[int64(16)] = "a/b" },
		"another content":       func(m *cose.Sign1Message) { m.Headers.Protected[cose.HeaderLabelContentType] = int64(61) },
		"a critical header": func(m *cose.Sign1Message) {
			m.Headers.Protected[cose.HeaderLabelCritical] = []any{cose.HeaderLabelKeyID}
		},
		"no key":       func(m *cose.Sign1Message) { delete(m.Headers.Protected, cose.HeaderLabelKeyID) },
		"a longer key": func(m *cose.Sign1Message) { m.Headers.Protected[cose.HeaderLabelKeyID] = make([]byte, 9) },
	} {
		if _, err := Parse(Prefix + encode(message(good, change))); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Bytes that were signed for something else are no brief, though the key is right.
	m := &cose.Sign1Message{Headers: cose.Headers{Protected: headerOf(cose.AlgorithmES256, KeyID(k.Certificate()))}, Payload: good}
	if err := m.Sign(nil, nil, signer{k, cose.AlgorithmES256}); err != nil {
		t.Fatal(err)
	}
	raw, err := m.MarshalCBOR()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(Prefix + encode(raw))
	if err != nil || !errors.Is(s.Verify(k.Certificate()), ErrSignature) {
		t.Errorf("a signature over something else counts: %v", err)
	}
}

// What has no short form is refused when it is made, and so is a key that cannot
// sign one.
func TestUnfit(t *testing.T) {
	b, k, h := one(t)
	for name, change := range map[string]func(*Brief){
		"a foreign id":   func(b *Brief) { b.ID = "https://other.example/1" },
		"another status": func(b *Brief) { b.Status = []credentials.StatusEntry{{Type: "Other", List: "https://h.example"}} },
		"a position":     func(b *Brief) { b.Status[0].Index = "-1" },
		"no holder":      func(b *Brief) { b.Holder = "" },
		"no day":         func(b *Brief) { b.Issued = time.Time{} },
		"many words": func(b *Brief) {
			b.Title = credentials.Text{"it": strings.Repeat("x", maxTitle), "en": strings.Repeat("x", maxTitle), "de": strings.Repeat("x", maxTitle), "fr": strings.Repeat("x", maxTitle)}
		},
	} {
		other := b
		other.Status = append([]credentials.StatusEntry{}, b.Status...)
		change(&other)
		if _, err := Seal(other, k, h.now); !errors.Is(err, ErrUnfit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Seal(b, rsaKey(t), h.now); !errors.Is(err, ErrKey) {
		t.Errorf("an RSA key: %v", err)
	}
	if _, err := Of(credentials.View{Claims: 2}, nil); !errors.Is(err, ErrUnfit) {
		t.Errorf("two things: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	text, _, _ := sealed(f)
	f.Add(text[len(Prefix):])
	f.Add("")
	f.Add("...")
	f.Fuzz(func(t *testing.T, text string) {
		data, err := decode(text)
		if err == nil && encode(data) != text {
			t.Fatalf("%q is written as %q too", text, encode(data))
		}
	})
}

// Whatever a message holds: no panic, and what is read is written the same way.
func FuzzParse(f *testing.F) {
	text, _, _ := sealed(f)
	raw, err := decode(text[len(Prefix):])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(raw[:len(raw)-1])
	f.Add([]byte{0xd2, 0x84, 0x40, 0xa0, 0x40, 0x40})
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := Parse(Prefix + encode(raw))
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		b := s.Brief()
		_ = b.View()
		c, err := contentOf(b, s.Made())
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if again, err := c.write(); err != nil || !bytes.Equal(again, s.message.Payload) {
			t.Fatalf("it is written in another way: %v", err)
		}
	})
}

func FuzzIn(f *testing.F) {
	text, _, _ := sealed(f)
	f.Add([]byte(text))
	f.Add([]byte(Address("https://h.example", text)))
	f.Fuzz(func(t *testing.T, presented []byte) {
		if text, ok := In(presented); ok && (!strings.HasPrefix(text, Prefix) || !bytes.Contains(presented, []byte(text))) {
			t.Fatalf("%q is not in %q", text, presented)
		}
	})
}
