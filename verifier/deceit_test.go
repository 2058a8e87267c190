package verifier

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
)

// TestDeceit holds sealed files of a trusted sealer that try to say one thing
// to the verifier and another to the reader (J9, Q3, S4, S7, K1).
func TestDeceit(t *testing.T) {
	entry := func(members string) []string {
		return []string{`"status":[`, `"status":[{"id":"` + publicURL + `/x#1","type":"BitstringStatusListEntry","statusListIndex":"1","statusListCredential":"` + publicURL + `/x"` + members + `},`}
	}
	for _, c := range []struct {
		name    string
		changes []string
		verdict Verdict
		reason  string
	}{
		{"an entry without a purpose", entry(``), CannotTell, "status_unsupported"},
		{"an entry for a purpose in other letters", entry(`,"statusPurpose":"Revocation"`), CannotTell, "status_unsupported"},
		{"an entry for several purposes", entry(`,"statusPurpose":["message","revocation"]`), CannotTell, "status_unsupported"},
		{"an entry of two bits", entry(`,"statusPurpose":"revocation","statusSize":2`), CannotTell, "status_unsupported"},
		{"an index in an array", []string{`"statusListIndex":"4711"`, `"statusListIndex":["4711","5"]`}, NotValid, "status_index"},
		{"a page that does not count, which misleads nobody", []string{`"page":1`, `"page":0`}, Valid, "valid"},
		{"a second claim, which is shown", secondClaim, Valid, "valid"},
		{"more claims than are shown", manyClaims(60), CannotTell, "schema_several"},
		{"one id for two contents", []string{`"volumeOfLearning":"PT16H"`, `"volumeOfLearning":"PT16H","hasPart":{"id":"urn:epass:qualification:1","type":"Qualification","title":{"it":"x"},"volumeOfLearning":"PT900H"}`}, CannotTell, "schema_ambiguous"},
		{"a level of another list", []string{`http://data.europa.eu/snb/eqf/5`, `http://evil.example/eqf/8`}, CannotTell, "schema_ambiguous"},
		{"an expiry under the full name of its property", []string{`"validFrom":`, `"cred:expirationDate":"2020-01-01T00:00:00Z","validFrom":`}, CannotTell, "schema_ambiguous"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			h.publishAll()
			if r := h.verify(h.seal(h.changed(h.document(), c.changes...))); r.Verdict != c.verdict || r.Reason != c.reason {
				t.Errorf("%s because of %s; want %s, %s\n%+v", r.Verdict, r.Reason, c.verdict, c.reason, r.Checks)
			}
		})
	}
}

var secondClaim = []string{`"hasClaim":[`, `"hasClaim":[{"id":"urn:epass:learningAchievement:9","type":"LearningAchievement","title":{"it":"Altro"},"awardedBy":{"id":"urn:epass:awardingProcess:1","type":"AwardingProcess"}},`}

func manyClaims(n int) []string {
	const claim = `{"type":"LearningAchievement","title":{"it":"Altro"},"awardedBy":{"id":"urn:epass:awardingProcess:1","type":"AwardingProcess"}},`
	return []string{`"hasClaim":[`, `"hasClaim":[` + strings.Repeat(claim, n)}
}

// TestEveryClaimIsShown: of a file that attests several things each is named.
func TestEveryClaimIsShown(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	r := h.verify(h.seal(h.changed(h.document(), secondClaim...)))
	if r.Credential.Claims != 2 || len(r.Credential.More) != 1 || len(r.Summary.More) != 1 {
		t.Fatalf("%+v", r.Summary)
	}
	titles := []string{r.Summary.Title["it"], r.Summary.More[0].Title["it"]}
	if titles[0] != "Altro" || titles[1] == "" || titles[1] == "Altro" || r.Summary.More[0].Kind != "LearningAchievement" {
		t.Errorf("%q", titles)
	}
}

// revoke lets the anchor say that the sealing key no longer counts.
func (h *house) revoke(since time.Time) {
	h.t.Helper()
	h.revokeKey(keys.Seal, since)
}

func (h *house) revokeKey(p keys.Purpose, since time.Time) {
	h.t.Helper()
	h.trust.Anchors[0].Revoked = []keys.RevokedKey{{Certificate: keys.Fingerprint(h.key(p).Certificate()), Since: since}}
}

// TestNameShownIsThatOfTheCertificate: a trusted sealer cannot put another
// organisation's name before the reader in any language.
func TestNameShownIsThatOfTheCertificate(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	r := h.verify(h.seal(h.changed(h.document(), `"legalName":{`, `"legalName":{"de":"Politecnico di Milano",`)))
	if r.Verdict != Valid {
		t.Fatalf("%s because of %s", r.Verdict, r.Reason)
	}
	said, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range []string{"it", "en", "de"} {
		name, _ := r.Credential.IssuerNames.In(language)
		if name != "Scuola Dimostrativa" || r.Credential.Issuer != name || strings.Contains(string(said), "Politecnico") {
			t.Errorf("in %s the issuer is shown as %q and %q\n%s", language, name, r.Credential.Issuer, said)
		}
	}
}

// TestRevokedKey: a key that no longer counts vouches for nothing sealed since,
// and for what says it was sealed before there is only the seal's word (K1).
func TestRevokedKey(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	for since, want := range map[time.Duration]string{-time.Hour: "issuer_key_revoked", time.Hour: "issuer_key_revoked_since"} {
		h.revoke(h.now.Add(since))
		if r := h.verify(h.seal(h.document())); r.Verdict == Valid || r.Reason != want {
			t.Errorf("revoked %v from the seal: %s because of %s, want %s", since, r.Verdict, r.Reason, want)
		}
	}
	h.revokeKey(keys.Status, h.now)
	if r := h.verify(h.seal(h.document())); r.Verdict == Valid || r.Reason != "status_list_untrusted" {
		t.Errorf("with a list of a revoked key: %s because of %s", r.Verdict, r.Reason)
	}
}

// TestStrangersCostLittle: what a self-made seal can make the verifier do is
// bounded, however its content repeats itself (S1, S10, W9).
func TestStrangersCostLittle(t *testing.T) {
	h := newHouse(t)
	h.trust = keys.Trust{}
	labels := make([]string, 60)
	for i := range labels {
		labels[i] = fmt.Sprintf(`"l%d":"x"`, i)
	}
	concept := `{"id":"urn:c:1","type":"Concept","inScheme":{"id":"urn:s:1","type":"ConceptScheme"},"prefLabel":{` + strings.Join(labels, ",") + `}}`
	many := strings.Repeat(`"urn:c:1",`, 20_000) + concept
	bomb := h.seal(h.changed(h.document(), `"learningOutcome":[`, `"thematicArea2":[`+many+`],"learningOutcome":[{"id":"urn:o:1","type":"LearningOutcome","title":{"it":"x"},"relatedESCOSkill":[`+many+`]},`))
	allocated := testing.AllocsPerRun(1, func() {
		if r := h.verify(bomb); r.Verdict == Valid {
			t.Error("a stranger's file is valid")
		}
	})
	if allocated > 1_000_000 {
		t.Errorf("%.0f allocations for a file of %d bytes", allocated, len(bomb))
	}
	entries := strings.Repeat(`{"id":"urn:x:1","type":"BitstringStatusListEntry","statusPurpose":"revocation","statusListIndex":"1","statusListCredential":"https://a.example/x"},`, 1000)
	h.verify(h.seal(h.changed(h.document(), `"status":[`, `"status":[`+entries)))
	if len(h.lists.asked) > 0 {
		t.Errorf("a stranger's file made %d requests", len(h.lists.asked))
	}
	long := credentials.Document(strings.Replace(string(h.document()), `"identifier":`, `"`+strings.Repeat("n", 129)+`":1,"identifier":`, 1))
	if r, err := New(Config{Trust: func() keys.Trust { return h.trust }, Now: func() time.Time { return h.now }}).Verify(context.Background(), h.seal(long)); err != nil || r.Reason != "format_payload" {
		t.Errorf("a name of 129 bytes: %s, %v", r.Reason, err)
	}
}
