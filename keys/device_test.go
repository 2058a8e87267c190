//go:build !pkcs11

package keys

import (
	"strings"
	"testing"
)

// A program without PKCS #11 says how to get it, opens a ring with keys on
// devices all the same, and signs with the others.
func TestWithoutPKCS11(t *testing.T) {
	r, dir := filled(t)
	leaf := made(t, nil, asIs)
	d := Device{Module: "/usr/lib/module.so", Token: "seals", Label: "seal", PIN: "24680135"}
	if _, err := r.Attach(d, []byte(asPEM(leaf.c)), Seal, Owner{ID: theOwner.ID}, theMoment); err == nil || !strings.Contains(err.Error(), "go build -tags pkcs11") || strings.Contains(err.Error(), d.PIN) {
		t.Error(err)
	}
	if len(r.All()) != 3 {
		t.Errorf("%d keys", len(r.All()))
	}
	attached := must(r.newKey(chain(leaf), &deviceSigner{tokens: &r.tokens, device: d, public: leaf.c.PublicKey}))(t)
	attached.device = &d
	must(r.admit(attached, Seal, Owner{ID: theOwner.ID}, theMoment))(t)
	again := must(openRing(t, dir))(t)
	k := current(t, again, Seal)
	if k.ID != attached.ID || !k.OnDevice() || k.device.PIN != d.PIN {
		t.Errorf("%+v", k)
	}
	if _, err := k.Sign(nil); err == nil || !strings.Contains(err.Error(), "go build -tags pkcs11") {
		t.Error(err)
	}
	if _, err := current(t, again, Status).Sign(nil); err != nil {
		t.Error(err)
	}
	if raw := string(readFile(t, dir+"/keys/"+k.ID+".key.json")); strings.Contains(raw, d.PIN) || !strings.Contains(raw, d.Token) {
		t.Errorf("the file of the key: %s", raw)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
