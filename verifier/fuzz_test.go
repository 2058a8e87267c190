package verifier

import (
	"bytes"
	"context"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"attesta/brief"
	"attesta/credentials"
	"attesta/keys"
	"attesta/status"
)

// Whatever is presented: no panic, and valid only for what the trusted key
// sealed.
func FuzzVerify(f *testing.F) {
	h := newHouse(f)
	h.publishAll()
	h.award.Module.Outcomes, h.award.Module.Description = h.award.Module.Outcomes[:1], nil
	d := h.document()
	sealed := h.seal(d)
	f.Add(sealed)
	f.Add([]byte(d))
	f.Add([]byte(`{"payload":"{}","signatures":[{"protected":"e30","signature":"AA"}]}`))
	f.Add(h.lists.at[listURL(status.Revocation)])
	v := h.verifier()
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := v.Verify(context.Background(), data)
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != Valid && r.Verdict != NotValid && r.Verdict != CannotTell {
			t.Fatalf("no verdict: %+v", r)
		}
		if r.Verdict == NotValid || r.Brief && r.Reason == "seal_brief_key" || r.Reason == "format_vcjwt" || r.Reason == "format_sdjwt_key" || r.Discloses() && r.Verdict == CannotTell {
			return
		}
		parsed, err := credentials.Parse(data)
		if err != nil || !bytes.Equal(parsed.Envelope.Payload(), d) {
			t.Fatalf("%s for what the key did not seal", r.Verdict)
		}
	})
}

// Whatever is presented as a compact QR: no panic, and nothing is shown but what
// the trusted key signed.
func FuzzBrief(f *testing.F) {
	h := newHouse(f)
	h.publishAll()
	want, text := h.shortOf(), h.short()
	f.Add(text)
	f.Add(text[:len(text)-2])
	f.Add([]byte(brief.Address(publicURL, string(text))))
	v := h.briefs()
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := v.Verify(context.Background(), data)
		if err != nil {
			t.Fatal(err)
		}
		if r.Brief && r.Credential != nil && (r.Summary.ID != want.ID || r.Summary.HolderName != want.Holder || r.Document != hex.EncodeToString(want.Digest[:])) {
			t.Fatalf("%s for what the key did not sign", r.Verdict)
		}
	})
}

// Whatever is published as a list: no panic, and what is read was signed by the
// certificate that it carries.
func FuzzReadList(f *testing.F) {
	h := newHouse(f)
	h.publishAll()
	h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(2, nil))
	for _, token := range h.lists.at {
		f.Add(token, true)
		f.Add(token, false)
	}
	f.Add(unsigned(`{"alg":"none","typ":"statuslist+jwt"}`, "{}"), true)
	f.Fuzz(func(t *testing.T, data []byte, token bool) {
		kind, typ := kindBitstring, credentials.StatusListType
		if token {
			kind, typ = kindToken, credentials.TokenListType
		}
		l, err := readList(data, kind)
		if l == nil && err == nil {
			t.Fatal("neither a list nor an error")
		}
		if l == nil {
			return
		}
		if e, wrong := credentials.ParseCompact(data, typ); wrong != nil || e.Verify() != nil {
			t.Fatal("a list that nobody signed")
		}
		if err == nil && (l.until.IsZero() || l.size() > maxListBytes+len(data) || l.fresh < 0 || l.fresh > keptMost) {
			t.Fatalf("%+v", l)
		}
	})
}

// FuzzOutsideName: no form of an address that some reader takes for one inside is
// a name of the public network.
func FuzzOutsideName(f *testing.F) {
	for _, name := range []string{"example.org", "127.1", "0x7f.1", "localhost", "a.localhost.", "127。0。0。1", "xn--a.example", "[::1]"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !outsideName(name) {
			return
		}
		if a, err := netip.ParseAddr(name); err == nil {
			_ = Public(a)
			return
		}
		last := name[strings.LastIndexByte(strings.TrimSuffix(name, "."), '.')+1:]
		if !strings.Contains(strings.TrimSuffix(name, "."), ".") || last[0] >= '0' && last[0] <= '9' || strings.ContainsAny(name, "%@/\\:[] ") {
			t.Fatalf("%q is taken for a public name", name)
		}
	})
}
