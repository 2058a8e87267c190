package verifier

import (
	"testing"
	"time"

	"attesta/keys"
	"attesta/status"
)

// S2, J12: a list counts when its certificate has the legal identifier of the
// seal under the same authority, whatever name stands beside it; a name alone, or
// the names under another root, make nobody the same house.
func TestWhoMaySignAListAfterARename(t *testing.T) {
	const old, fresh = "Scuola Dimostrativa", "Scuola Rinominata"
	for name, c := range map[string]struct {
		owner     keys.Owner
		elsewhere bool
		verdict   Verdict
		reason    string
		now       string
	}{
		"the same name":                         {keys.Owner{Name: old, LegalID: "DM:IT-iss-scuola"}, false, Valid, "valid", ""},
		"renamed":                               {keys.Owner{Name: fresh, LegalID: "DM:IT-iss-scuola"}, false, Valid, "valid", fresh},
		"merged: another identifier":            {keys.Owner{Name: fresh, LegalID: "DM:IT-iss-unita"}, false, NotValid, "status_list_untrusted", ""},
		"another organisation of the same name": {keys.Owner{Name: old, LegalID: "DM:IT-iss-altra"}, false, NotValid, "status_list_untrusted", ""},
		"both names, from another installation": {keys.Owner{Name: old, LegalID: "DM:IT-iss-scuola"}, true, NotValid, "status_list_untrusted", ""},
		"renamed, from another installation":    {keys.Owner{Name: fresh, LegalID: "DM:IT-iss-scuola"}, true, NotValid, "status_list_untrusted", ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			sealed := h.seal(h.document())
			ring := h.ring
			if c.elsewhere {
				ring = newHouse(t).ring
			}
			c.owner.ID, c.owner.Country = h.owner, "IT"
			signs, err := ring.Rotate(keys.Status, c.owner, h.now, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range []status.Purpose{status.Revocation, status.Suspension} {
				h.publishWith(signs, p, h.list(p))
			}
			r := h.verify(sealed)
			if r.Verdict != c.verdict || c.reason != "valid" && r.Find(CheckStatus).Reason != c.reason || r.NowNamed != c.now {
				t.Errorf("%s because of %s, now %q", r.Verdict, r.Find(CheckStatus).Reason, r.NowNamed)
			}
			if r.Credential.Issuer != old {
				t.Errorf("shown as %q", r.Credential.Issuer)
			}
		})
	}
}

// What does not hold tells no name: a list that is stale, of another address or
// not to be had.
func TestOnlyAListThatHoldsTellsAName(t *testing.T) {
	for name, spoil := range map[string]func(*house, *list){
		"stale":   func(h *house, l *list) { l.ValidUntil = h.now.Add(-time.Hour).UTC().Format(time.RFC3339) },
		"swapped": func(_ *house, l *list) { l.ID += "x" },
		"no bits": func(_ *house, l *list) { l.Subject.List = "u!" },
	} {
		h := newHouse(t)
		sealed := h.seal(h.document())
		signs, err := h.ring.Rotate(keys.Status, keys.Owner{ID: h.owner, Name: "Scuola Rinominata", LegalID: "DM:IT-iss-scuola", Country: "IT"}, h.now, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []status.Purpose{status.Revocation, status.Suspension} {
			l := h.list(p)
			spoil(h, &l)
			h.publishWith(signs, p, l)
		}
		if r := h.verify(sealed); r.Verdict == Valid || r.NowNamed != "" {
			t.Errorf("%s: %s, now %q", name, r.Verdict, r.NowNamed)
		}
	}
}
