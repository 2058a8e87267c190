package keys

import (
	"path/filepath"
	"testing"
)

// An authority has one key, for its lists: it is made once, can be rotated, and
// signs no status lists.
func TestAuthoritiesHaveAKeyOfTheirOwn(t *testing.T) {
	dir := t.TempDir()
	r, err := Open(filepath.Join(dir, "keys"), filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	owner := Owner{ID: "authority", Name: "Regione Esempio", LegalID: "VATIT-00000000099", Country: "IT"}
	for n := range 2 {
		made, err := r.EnsureAuthority(owner, theMoment)
		if want := 2 * (1 - n); err != nil || len(made) != want { // the root and the key
			t.Fatalf("%d keys, %v", len(made), err)
		}
	}
	first, err := r.Current(Accreditation, "authority", theMoment)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []Purpose{Seal, Status} {
		if _, err := r.Current(p, "authority", theMoment); err == nil {
			t.Errorf("it has a %s key", p)
		}
	}
	if len(first.Certificate().UnknownExtKeyUsage) > 0 || organisation(first.Certificate()) != owner.LegalID {
		t.Errorf("%+v", first.Certificate().Subject)
	}
	next, err := r.Rotate(Accreditation, owner, theMoment, 0)
	if err != nil || next.ID == first.ID || next.MaySign(theMoment) != nil || r.All()[1].MaySign(theMoment) == nil && r.All()[2].MaySign(theMoment) == nil {
		t.Errorf("%v", err)
	}
}
