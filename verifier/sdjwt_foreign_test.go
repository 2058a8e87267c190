package verifier

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"attesta/accreditation"
	"attesta/credentials"
	"attesta/keys"
	"attesta/status"
)

// What is in order and not done as the house does it is not called invalid, and
// nothing of which a part was not established is called valid (D11, J3, S2).
func TestSDJWTOfOthers(t *testing.T) {
	cnf := func(h *house, value string) walletToken {
		w := h.wallet().bound(h.now)
		w.cnf = value
		return w
	}
	for name, c := range map[string]struct {
		data    func(*house) []byte
		verdict Verdict
		reason  string
		check   string // a check, with its outcome and reason
	}{
		"a key by its name": {func(h *house) []byte { return h.present(cnf(h, `{"kid":"did:jwk:x"}`)) }, CannotTell, "holder_key_unread", "seal pass seal_sdjwt_intact"},
		"Ed25519":           {func(h *house) []byte { return h.present(cnf(h, `{"jwk":{"kty":"OKP","crv":"Ed25519","x":"AA"}}`)) }, CannotTell, "holder_key_unread", "holder unknown holder_key_unread"},
		"no key named":      {func(h *house) []byte { return h.present(cnf(h, `{}`)) }, NotValid, "seal_sdjwt_holder", "seal fail seal_sdjwt_holder"},
		"unread and revoked": {func(h *house) []byte {
			h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(2, map[uint32]status.Value{position: status.Revoked}))
			return h.present(cnf(h, `{"kid":"x"}`))
		}, NotValid, "status_revoked", "holder unknown holder_key_unread"},
		"no tilde at the end": {func(h *house) []byte { return []byte(strings.TrimSuffix(string(h.present(h.wallet())), "~")) }, NotValid, "format_sdjwt_unreadable", ""},
		"no iat":              {func(h *house) []byte { return h.present(h.wallet().without("iat")) }, Valid, "valid", "validity pass validity_until"},
		"neither iat nor nbf": {func(h *house) []byte { return h.present(h.wallet().without("iat").without("nbf")) }, Valid, "valid", "validity pass validity_until"},
		"no dates":            {func(h *house) []byte { return h.present(h.wallet().without("iat").without("nbf").without("exp")) }, CannotTell, "validity_unstated", ""},
		"exp alone, expired": {func(h *house) []byte {
			return h.present(h.wallet().without("iat").without("nbf").with(fmt.Sprintf(`"exp":%d`, h.now.Unix()-1)))
		}, NotValid, "validity_expired", ""},
		"a last day unread":      {func(h *house) []byte { return h.present(h.wallet().with(`"date_of_expiry":"20/11/2020"`)) }, CannotTell, "validity_unread", ""},
		"a last day as a moment": {func(h *house) []byte { return h.present(h.wallet().with(`"date_of_expiry":"2020-01-01T00:00:00Z"`)) }, NotValid, "validity_expired", ""},
		"the last day of others": {func(h *house) []byte { return h.present(h.wallet().with(`"expiry_date":"2020-01-01"`)) }, NotValid, "validity_expired", ""},
		"two kinds of status": {func(h *house) []byte {
			return h.present(h.wallet().with(`"status":{"status_list":{"idx":4711,"uri":"` + tokenURL + `"},"identifier_list":{}}`))
		}, CannotTell, "status_unsupported", ""},
		"the status of W3C": {func(h *house) []byte { return h.present(h.wallet().without("status").with(`"credentialStatus":{}`)) }, CannotTell, "status_unsupported", ""},
		"a list by another (S2)": {func(h *house) []byte {
			h.publishToken(credentials.TokenListType, stranger(h), h.tokenList(2, nil))
			return h.present(h.wallet())
		}, CannotTell, "status_list_untrusted", "status unknown status_list_untrusted"},
		"a list without its chain": {func(h *house) []byte {
			h.lists.at[tokenURL] = unsigned(`{"alg":"ES256","typ":"statuslist+jwt","kid":"x"}`, `{}`)
			return h.present(h.wallet())
		}, CannotTell, "status_list_unreadable", "status unknown status_list_unreadable"},
		"as JSON":               {func(h *house) []byte { return asJSON(h.t, h.present(h.wallet())) }, Valid, "valid", "format pass format_sdjwt"},
		"as JSON, with its key": {func(h *house) []byte { return asJSON(h.t, h.present(h.wallet().bound(h.now))) }, Valid, "valid", "holder skipped holder_key_shown"},
		"as JSON, changed": {func(h *house) []byte {
			return []byte(strings.Replace(string(asJSON(h.t, h.present(h.wallet()))), `"disclosures":["`, `"disclosures":["WyJzIiwiYWRtaW4iLHRydWVd","`, 1))
		}, NotValid, "format_sdjwt_unreadable", ""},
		"a key at an address (J3)": {func(*house) []byte {
			return append(unsigned(`{"alg":"ES256","typ":"dc+sd-jwt","jku":"https://canary.example/jwks"}`, `{"vct":"x","iss":"https://canary.example"}`), '~')
		}, CannotTell, "format_sdjwt_key", ""},
		"addresses beside its certificate (J3)": {func(h *house) []byte {
			return h.present(h.wallet().with(`"vct":"https://canary.example/vct"`, `"iss":"https://canary.example"`, `"vct#integrity":"sha256-x"`))
		}, Valid, "valid", "schema skipped schema_sdjwt_issuer"},
		"brainpool": {func(*house) []byte { return append(unsigned(`{"alg":"ESB256","typ":"dc+sd-jwt"}`, `{"vct":"x"}`), '~') }, CannotTell, "format_sdjwt_key", ""},
	} {
		h := newHouse(t)
		h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(2, nil))
		r := h.verify(c.data(h))
		if r.Verdict != c.verdict || r.Reason != c.reason {
			t.Errorf("%s: %s, %s; %+v", name, r.Verdict, r.Reason, r.Checks)
		}
		for _, address := range h.lists.asked {
			if address != tokenURL || r.Find(CheckIssuer).Outcome != Pass {
				t.Errorf("%s: %s was asked", name, address)
			}
		}
		if id, want, ok := strings.Cut(c.check, " "); ok {
			if got := r.Find(id); string(got.Outcome)+" "+got.Reason != want {
				t.Errorf("%s: %s %s", name, got.Outcome, got.Reason)
			}
		}
	}
}

// stranger signs under an authority of its own.
func stranger(h *house) credentials.Sealer {
	h.t.Helper()
	p := newPKI(h.t)
	leaf := p.issue(p.root)
	return chainSealer{key: leaf.key, chain: []*x509.Certificate{leaf.c, p.root.c}}
}

// asJSON serialises what is presented (RFC 9901 section 8).
func asJSON(t testing.TB, compact []byte) []byte {
	t.Helper()
	parts := strings.Split(string(compact), "~")
	token, header := strings.Split(parts[0], "."), map[string]any{"disclosures": parts[1 : len(parts)-1]}
	if proof := parts[len(parts)-1]; proof != "" {
		header["kb_jwt"] = proof
	}
	raw, err := json.Marshal(map[string]any{"payload": token[1], "protected": token[0], "signature": token[2], "header": header})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// That it was there on a day in the past a credential does not say that keeps back
// when it was issued; of a name without a number no list of providers is asked.
func TestSDJWTUndated(t *testing.T) {
	h := newTimed(t)
	h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(2, nil))
	undated := h.present(h.wallet().without("iat").without("nbf"))
	if r := h.verifyAt(undated, h.now.AddDate(0, -1, 0)); r.Find(CheckValidity).Reason != "validity_unstated" || r.Verdict != CannotTell {
		t.Errorf("a month ago: %s, %+v", r.Verdict, r.Checks)
	}
	for name, c := range map[string]struct {
		change func(*accreditation.Accreditation)
		dated  string
	}{
		"accredited":     {func(a *accreditation.Accreditation) { a.Until = "" }, "accreditation_then_and_now"},
		"not any longer": {func(*accreditation.Accreditation) {}, "accreditation_not_then"},
	} {
		l := region(t)
		c.change(&l.Providers[0].Accreditations[0])
		h.holds(l)
		if got := h.verify(h.present(h.wallet())).Find(CheckAccreditation); got.Reason != c.dated {
			t.Errorf("%s, with its day: %s", name, got.Reason)
		}
		if got := h.verify(undated).Find(CheckAccreditation); got.Reason != "accreditation_undated" || got.Outcome != Unknown {
			t.Errorf("%s, without its day: %s %s", name, got.Outcome, got.Reason)
		}
	}
}

// A certificate that has ended may have signed in time: of what does not show when
// it was signed nobody can tell, and a key that no longer counts does not (J12).
func TestSDJWTUndatedUnderAnEndedCertificate(t *testing.T) {
	p := newPKI(t)
	leaf := p.issue(p.root, lives(p.now.AddDate(-2, 0, 0), p.now.AddDate(0, -1, 0)))
	sealer := chainSealer{key: leaf.key, chain: []*x509.Certificate{leaf.c}}
	for name, w := range map[string]walletToken{
		"undated": p.wallet().without("iat"),
		"dated":   p.wallet().with(fmt.Sprintf(`"iat":%d`, p.now.AddDate(-1, 0, 0).Unix())),
	} {
		if got := p.verify(p.presentBy(sealer, w)).Find(CheckIssuer); got.Outcome != Unknown || got.Reason != "issuer_certificate_ended" {
			t.Errorf("%s: %s %s", name, got.Outcome, got.Reason)
		}
	}
	if r := p.verify(p.presentBy(sealer, p.wallet())); r.Verdict != NotValid || r.Reason != "issuer_certificate" {
		t.Errorf("signed today: %s, %s", r.Verdict, r.Reason)
	}
	early := p.issue(p.root, lives(p.now.AddDate(0, 1, 0), p.now.AddDate(1, 0, 0)))
	if r := p.verify(p.presentBy(chainSealer{key: early.key, chain: []*x509.Certificate{early.c}}, p.wallet().without("iat"))); r.Verdict != NotValid {
		t.Errorf("not begun: %s, %s", r.Verdict, r.Reason)
	}
	p.trust.Anchors[0].Revoked = []keys.RevokedKey{{Certificate: keys.Fingerprint(leaf.c), Since: p.now.AddDate(0, -2, 0)}}
	if r := p.verify(p.presentBy(sealer, p.wallet().without("iat"))); r.Verdict != NotValid || r.Reason != "issuer_key_revoked" {
		t.Errorf("revoked: %s, %s", r.Verdict, r.Reason)
	}
}

// The certificates of the Union's reference issuers have a name, no number and no
// address: who signs with one is named, and nothing is made up.
func TestSDJWTSignerByNameAlone(t *testing.T) {
	p := newPKI(t)
	leaf := p.issue(p.root, named([]string{"EUDI Wallet Reference Implementation"}, nil))
	sealer := chainSealer{key: leaf.key, chain: []*x509.Certificate{leaf.c}}
	p.publishToken(credentials.TokenListType, sealer, p.tokenList(2, nil))
	r := p.verify(p.presentBy(sealer, p.wallet().with(`"iss":"https://backend.issuer.example"`)))
	if r.Verdict != Valid || r.Summary.Issuer["und"] != "EUDI Wallet Reference Implementation" || r.Summary.IssuerID != "" || r.Credential.IssuerURL != "" {
		t.Errorf("%s, %s; %+v", r.Verdict, r.Reason, r.Summary)
	}
	other := p.issue(p.root, named([]string{"EUDI Wallet Reference Implementation"}, nil))
	p.publishToken(credentials.TokenListType, chainSealer{key: other.key, chain: []*x509.Certificate{other.c}}, p.tokenList(2, nil))
	if r := p.verify(p.presentBy(sealer, p.wallet())); r.Verdict != CannotTell || r.Reason != "status_list_untrusted" {
		t.Errorf("a name alone makes nobody the same house: %s, %s", r.Verdict, r.Reason)
	}
}

// FuzzSDJWTJSON presents the other serialisation: nothing is valid but what the
// trusted key signed.
func FuzzSDJWTJSON(f *testing.F) {
	h := newHouse(f)
	h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(2, nil))
	f.Add(asJSON(f, h.present(h.wallet().bound(h.now))))
	v := h.verifier()
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := v.Verify(context.Background(), data)
		if err != nil {
			t.Fatal(err)
		}
		if r.Credential != nil && r.Discloses() && r.Find(CheckIssuer).Outcome == Pass && r.Credential.Title["und"] != "Saldatura" {
			t.Fatalf("%s for %v, which the key did not sign", r.Verdict, r.Credential.Title)
		}
	})
}
