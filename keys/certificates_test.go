package keys

import (
	"bytes"
	"strings"
	"testing"
)

// The certificates of a key are found in what is published, whoever made it, and
// only under the id that is theirs.
func TestChainsIn(t *testing.T) {
	r, _ := filled(t)
	first := current(t, r, Seal)
	must(r.Rotate(Seal, theOwner, theMoment, 0))(t)
	second := current(t, r, Seal)
	set := must(r.JWKS())(t)
	for _, k := range []*Key{first, second} {
		found := must(ChainsIn(set, k.ID))(t)
		if len(found) != 1 || !found[0][0].Equal(k.Certificate()) || len(found[0]) != len(k.Chain()) {
			t.Errorf("%s: %d chains", k.ID, len(found))
		}
		if own := r.Chains(k.ID); len(own) != 1 || !own[0][0].Equal(k.Certificate()) {
			t.Errorf("%s: %d chains in the ring", k.ID, len(own))
		}
	}
	must(r.Revoke(first.ID, theMoment, theMoment))(t)
	if found := must(ChainsIn(must(r.JWKS())(t), first.ID))(t); len(found) != 0 {
		t.Error("a revoked key is published")
	}
	if own := r.Chains(first.ID); len(own) != 1 {
		t.Error("a revoked key is not in the ring any more: nobody could say that it was revoked")
	}
	if own := r.Chains(current(t, r, Status).ID); len(own) != 0 {
		t.Error("a key of status lists is among those that seal")
	}
	swapped := bytes.ReplaceAll(bytes.ReplaceAll(set, []byte(first.ID), []byte("x")), []byte(second.ID), []byte(first.ID))
	if found := must(ChainsIn(swapped, first.ID))(t); len(found) != 0 {
		t.Error("a certificate is found under the id of another")
	}
	for name, bad := range map[string]string{
		"no JSON": "<html>", "another list": "[]", "no base64": `{"keys":[{"kid":"x","x5c":["!"]}]}`, "no certificate": `{"keys":[{"kid":"x","x5c":["AAAA"]}]}`,
		"too long": strings.Repeat(" ", maxKeySet+1),
	} {
		if _, err := ChainsIn([]byte(bad), "x"); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	for name, none := range map[string]string{"nobody": "{}", "no certificate": `{"keys":[{"kid":"x"}]}`, "many": `{"keys":[{"kid":"x","x5c":["","","","","","","","",""]}]}`} {
		if found := must(ChainsIn([]byte(none), "x"))(t); len(found) != 0 {
			t.Errorf("%s: %d", name, len(found))
		}
	}
}

func FuzzChainsIn(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kid":"x","x5c":["AAAA"]}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		found, err := ChainsIn(raw, "x")
		if err == nil && len(found) > 0 {
			t.Fatal("x is the id of no certificate")
		}
	})
}
