package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"attesta/credentials"
)

// TestReceiptKey: the key for receipts has a certificate under the own root, signs
// digests and nothing once it is retired, is published nowhere, and no verifier
// takes it for the key of an organisation.
func TestReceiptKey(t *testing.T) {
	dir := t.TempDir()
	ring, err := Open(filepath.Join(dir, "keys"), filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	ring.Now = func() time.Time { return theMoment }
	owner := Owner{ID: "installation", Name: "attestati.example.org"}
	made, err := ring.EnsureReceipts(owner, theMoment)
	if err != nil || len(made) != 2 || made[1].Purpose != Receipt || made[1].OnDevice() {
		t.Fatalf("%v %v", made, err)
	}
	if again, err := ring.EnsureReceipts(owner, theMoment); err != nil || len(again) != 0 {
		t.Errorf("made again: %v %v", again, err)
	}
	key, leaf := made[1], made[1].Certificate()
	if leaf.Subject.CommonName != "attestati.example.org (ricevute)" || key.LegalID() != "" || leaf.CheckSignatureFrom(made[0].Certificate()) != nil || len(key.Chain()) != 2 {
		t.Errorf("%v %q", leaf.Subject, key.LegalID())
	}
	signer, err := key.ReceiptSigner()
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("a receipt"))
	signature, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	public, ok := signer.Public().(*ecdsa.PublicKey)
	if err != nil || !ok || !ecdsa.VerifyASN1(public, digest[:], signature) {
		t.Errorf("signing: %v", err)
	}
	if signer, err := credentials.SignerOf(leaf); err == nil {
		t.Errorf("a verifier would take it for the key of %+v", signer)
	}
	jwks, err := ring.JWKS()
	if err != nil || strings.Contains(string(jwks), key.ID) {
		t.Errorf("published: %s %v", jwks, err)
	}
	next, err := ring.Rotate(Receipt, owner, theMoment, 0)
	if err != nil || next.Purpose != Receipt {
		t.Fatal(next, err)
	}
	if _, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256); !errors.Is(err, ErrNoKey) {
		t.Errorf("a retired key signs: %v", err)
	}
	others, err := ring.Ensure(Owner{ID: "iss", Name: "Scuola", LegalID: "DM:IT-iss", Country: "IT"}, theMoment)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range others {
		if _, err := k.ReceiptSigner(); err == nil {
			t.Errorf("a %s key signs receipts", k.Purpose)
		}
	}
}
