package verifier

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"attesta/brief"
	"attesta/credentials"
	"attesta/keys"
	"attesta/status"
)

// shortOf is the short form of the credential of the house, changed by a test.
func (h *house) shortOf(change ...func(*brief.Brief)) brief.Brief {
	h.t.Helper()
	parsed, err := credentials.Parse(h.seal(h.document()))
	if err != nil {
		h.t.Fatal(err)
	}
	b, err := brief.Of(parsed.View(), parsed.Envelope.Payload())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, c := range change {
		c(&b)
	}
	return b
}

func (h *house) short(change ...func(*brief.Brief)) []byte {
	return h.shortWith(h.key(keys.Seal), h.shortOf(change...))
}

func (h *house) shortWith(s brief.Sealer, b brief.Brief) []byte {
	h.t.Helper()
	text, err := brief.Seal(b, s, h.now)
	if err != nil {
		h.t.Fatal(err)
	}
	return []byte(text)
}

// briefs is a verifier that has the certificates of the house at hand.
func (h *house) briefs(change ...func(*Config)) *Verifier {
	c := h.verifier().Config
	c.Certificates = h.ring.Chains
	for _, f := range change {
		f(&c)
	}
	return New(c)
}

func (h *house) judge(v *Verifier, data []byte, at time.Time) Report {
	h.t.Helper()
	r, err := v.VerifyAt(context.Background(), data, at)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// A compact QR is judged like the credential that it is short for, and says what
// was not seen.
func TestBrief(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	document := h.document()
	whole := h.verify(h.seal(document))
	text := h.short()
	for name, presented := range map[string][]byte{
		"text": text, "line": append(bytes.Clone(text), '\n'),
		"address": []byte(brief.Address(publicURL, string(text))), "another site": []byte(brief.Address("https://other.example", string(text))),
	} {
		r := h.judge(h.briefs(), presented, time.Time{})
		if r.Verdict != Valid || !r.Brief || r.Level != "demonstration" || r.Baseline != "" {
			t.Fatalf("%s: %s %s %+v", name, r.Verdict, r.Reason, r.Checks)
		}
		sum := sha256.Sum256(document)
		if r.Document != hex.EncodeToString(sum[:]) || r.Document != whole.Document || whole.Brief {
			t.Errorf("%s: the document has the digest %s, the report %s", name, whole.Document, r.Document)
		}
		if c := r.Find(CheckSchema); c.Outcome != Skipped || c.Reason != "schema_brief" || c.Facts["digest"] != r.Document {
			t.Errorf("%s: %+v", name, c)
		}
		got, want := *r.Summary, *whole.Summary
		if got.ID != want.ID || got.HolderName != want.HolderName || got.Title["it"] != want.Title["it"] || got.IssuerID != want.IssuerID || !got.Issued.Equal(want.Issued) {
			t.Errorf("%s: %+v, the credential says %+v", name, got, want)
		}
		if Day(r.Credential.CompletedOn, "it") != Day(whole.Credential.CompletedOn, "it") {
			t.Errorf("%s: achieved on %s", name, r.Credential.CompletedOn)
		}
	}
}

// Every negative case, and why: L and J of the threats, the name of another
// provider, what was withdrawn, what is over, a list of somebody else.
func TestBriefRefused(t *testing.T) {
	for _, tt := range []struct {
		name    string
		make    func(h *house) []byte
		verdict Verdict
		reason  string
	}{
		{"cut", func(h *house) []byte { s := h.short(); return s[:len(s)-3] }, NotValid, "format_brief_unreadable"},
		{"nothing after the beginning", func(*house) []byte { return []byte(brief.Prefix) }, NotValid, "format_brief_unreadable"},
		{"another character", func(h *house) []byte { s := h.short(); s[len(s)-10]++; return s }, NotValid, ""},
		{"the key of a stranger with the same names", func(h *house) []byte { return newHouse(h.t).short() }, CannotTell, "seal_brief_key"},
		{"another provider in the name of this one (J)", func(h *house) []byte {
			b := h.shortOf()
			return h.shortWith(h.other(), b)
		}, NotValid, "issuer_mismatch"},
		{"the legal identifier of another", func(h *house) []byte {
			return h.short(func(b *brief.Brief) { b.LegalID = "DM:IT-altro" })
		}, NotValid, "issuer_mismatch"},
		{"over", func(h *house) []byte {
			return h.short(func(b *brief.Brief) { b.ValidUntil = h.now.Add(-time.Hour) })
		}, NotValid, "validity_expired"},
		{"not begun", func(h *house) []byte {
			return h.short(func(b *brief.Brief) { b.ValidFrom = h.now.Add(time.Hour) })
		}, NotValid, "validity_not_yet"},
		{"revoked", func(h *house) []byte {
			h.publish(status.Revocation, h.list(status.Revocation, position))
			return h.short()
		}, NotValid, "status_revoked"},
		{"suspended", func(h *house) []byte {
			h.publish(status.Suspension, h.list(status.Suspension, position))
			return h.short()
		}, NotValid, "status_suspended"},
		{"the list of another", func(h *house) []byte {
			h.lists.at["https://scuola.example.org/status/L2/revocation"] = h.lists.at[listURL(status.Revocation)]
			return h.short(func(b *brief.Brief) { b.Status[0].List = "https://scuola.example.org/status/L2/revocation" })
		}, NotValid, "status_list_swapped"},
		{"a position beyond the list", func(h *house) []byte {
			return h.short(func(b *brief.Brief) { b.Status[0].Index = "99999999" })
		}, NotValid, "status_index"},
		{"no list", func(h *house) []byte { clear(h.lists.at); return h.short() }, CannotTell, "status_unreachable"},
		{"sealed tomorrow", func(h *house) []byte {
			h.now = h.now.AddDate(0, 0, 1)
			s := h.short()
			h.now = h.now.AddDate(0, 0, -1)
			return s
		}, NotValid, "seal_in_future"},
		{"a key that was revoked before", func(h *house) []byte {
			h.trust.Anchors[0].Revoked = []keys.RevokedKey{{Certificate: keys.Fingerprint(h.key(keys.Seal).Certificate()), Since: h.now.Add(-time.Hour)}}
			return h.short()
		}, NotValid, "issuer_key_revoked"},
		{"nobody vouches", func(h *house) []byte { h.trust = keys.Trust{}; return h.short() }, CannotTell, "issuer_unrecognised"},
		{"the key of status lists", func(h *house) []byte { return h.shortWith(h.key(keys.Status), h.shortOf()) }, CannotTell, "seal_brief_key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			h.publishAll()
			r := h.judge(h.briefs(), tt.make(h), time.Time{})
			if r.Verdict != tt.verdict || tt.reason != "" && r.Reason != tt.reason {
				t.Errorf("%s %s, want %s %s\n%+v", r.Verdict, r.Reason, tt.verdict, tt.reason, r.Checks)
			}
			if seal := r.Find(CheckSeal).Outcome; (r.Credential != nil) != (seal == Pass) {
				t.Errorf("the seal is %s, and something is shown: %v", seal, r.Credential != nil)
			}
			for _, c := range r.Checks {
				for _, language := range []string{"it", "en"} {
					if found, _ := Words(c, language); found == "" || strings.Contains(found, "{") {
						t.Errorf("%s: %q", c.Reason, found)
					}
				}
			}
		})
	}
}

// other is the sealing key of another provider of the installation.
func (h *house) other() *keys.Key {
	h.t.Helper()
	owner := h.owner
	defer func() { h.owner = owner }()
	h.owner = "iss-altro"
	if _, err := h.ring.Ensure(keys.Owner{ID: h.owner, Name: "Altro Ente", LegalID: "DM:IT-iss-altro", Country: "IT"}, h.now.AddDate(-1, 0, 0)); err != nil {
		h.t.Fatal(err)
	}
	return h.key(keys.Seal)
}

// The same under the key of somebody whose certificate is at hand under the id of
// another: the id is that of the certificate.
func TestBriefOtherKey(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	other := h.other()
	v := h.briefs(func(c *Config) {
		c.Certificates = func(string) [][]*x509.Certificate { return [][]*x509.Certificate{other.Chain()} }
	})
	if r := h.judge(v, h.short(), time.Time{}); r.Verdict != NotValid || r.Reason != "seal_brief_broken" {
		t.Errorf("%s %s", r.Verdict, r.Reason)
	}
}

// What somebody typed about the person cannot be compared with a compact QR.
func TestBriefAbout(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	r := h.judge(h.briefs(), h.short(), time.Time{}).About(Person{BirthDate: "1980-01-01"})
	if r.Verdict != CannotTell || r.Reason != "holder_brief" {
		t.Errorf("%s %s", r.Verdict, r.Reason)
	}
}

// Where no certificate is at hand the published keys of an installation are asked
// that an anchor names, and nobody else; without a network nobody can tell.
func TestBriefKeys(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	set, err := h.ring.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	at := publicURL + keyDocument
	h.lists.at[at] = set
	text := h.short()
	if r := h.judge(h.verifier(), text, time.Time{}); r.Verdict != Valid || h.lists.asked[0] != at {
		t.Errorf("%s %s after asking %q", r.Verdict, r.Reason, h.lists.asked)
	}
	h.lists.asked = nil
	evil := h.short(func(b *brief.Brief) {
		b.Status[0].List, b.Status[1].List = "https://evil.example/a", "https://evil.example/b"
	})
	if r := h.judge(h.verifier(), evil, time.Time{}); r.Reason != "seal_brief_key" || len(h.lists.asked) != 0 {
		t.Errorf("%s %s after asking %q", r.Verdict, r.Reason, h.lists.asked)
	}
	for name, published := range map[string][]byte{"": nil, "no JSON": []byte("<html>"), "nobody": []byte(`{"keys":[]}`), "no certificate": bytes.ReplaceAll(set, []byte(`"x5c":["M`), []byte(`"x5c":["!`))} {
		h.lists.at[at] = published
		if r := h.judge(h.verifier(), text, time.Time{}); r.Reason != "seal_brief_key" {
			t.Errorf("%s: %s %s", name, r.Verdict, r.Reason)
		}
	}
	offline := h.briefs(func(c *Config) { c.Fetcher = nil })
	if r := h.judge(offline, text, time.Time{}); r.Verdict != CannotTell || r.Reason != "status_offline" || r.Credential == nil {
		t.Errorf("offline: %s %s", r.Verdict, r.Reason)
	}
	offline.Certificates = nil
	if r := h.judge(offline, text, time.Time{}); r.Reason != "seal_brief_key" {
		t.Errorf("offline without certificates: %s %s", r.Verdict, r.Reason)
	}
}

// A day before the QR was made is one on which the credential was there.
func TestBriefOtherDay(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	issued := h.now
	b := h.shortOf()
	h.now = h.now.AddDate(0, 1, 0)
	h.publishAll()
	text := h.shortWith(h.key(keys.Seal), b)
	for days, want := range map[int]string{10: "valid", -10: "validity_not_yet"} {
		if r := h.judge(h.briefs(), text, issued.AddDate(0, 0, days)); r.Reason != want {
			t.Errorf("%d days after: %s %s", days, r.Verdict, r.Reason)
		}
	}
}

// What is presented beside its document is said to belong to it; what belongs to
// another is not.
func TestPair(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	whole, short := h.verify(h.seal(h.document())), h.judge(h.briefs(), h.short(), time.Time{})
	alien := h.judge(h.briefs(), h.short(func(b *brief.Brief) { b.Digest[0]++ }), time.Time{})
	renamed := h.judge(h.briefs(), h.short(func(b *brief.Brief) { b.Holder = "Somebody Else" }), time.Time{})
	before, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	Pair([]*Report{&alien, &renamed, &short, &whole})
	if c := renamed.Find(CheckSchema); c.Reason != "schema_brief" {
		t.Errorf("the digest of a document of somebody else: %+v", c)
	}
	if c := short.Find(CheckSchema); c.Outcome != Pass || c.Reason != "schema_brief_beside" {
		t.Errorf("its own: %+v", c)
	}
	if c := alien.Find(CheckSchema); c.Reason != "schema_brief" {
		t.Errorf("another: %+v", c)
	}
	if after, err := json.Marshal(whole); err != nil || !bytes.Equal(before, after) {
		t.Error("the report about the document changed")
	}
	if short.Verdict != Valid || alien.Verdict != Valid {
		t.Errorf("verdicts changed: %s %s", short.Verdict, alien.Verdict)
	}
}

// briefReports are those about a compact QR, alone and beside its document.
func (h *house) briefReports() []Report {
	h.t.Helper()
	alone, beside, whole := h.judge(h.briefs(), h.short(), time.Time{}), h.judge(h.briefs(), h.short(), time.Time{}), h.verify(h.seal(h.document()))
	Pair([]*Report{&beside, &whole})
	return []Report{alone, beside, alone.About(Person{BirthDate: "1980-01-01"})}
}

// BenchmarkBrief is one check of a compact QR, the lists at hand.
func BenchmarkBrief(b *testing.B) {
	h := newHouse(b)
	h.publishAll()
	benchmarkVerify(b, h.briefs(), h.short())
}
