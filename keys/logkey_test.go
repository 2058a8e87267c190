package keys

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"testing"
)

// K3: the key of the log stays the same, differs between installations, and
// lies in no file in clear.
func TestLogKey(t *testing.T) {
	dir := t.TempDir()
	master := filepath.Join(dir, "master.key")
	var publics []ed25519.PublicKey
	for range 2 {
		r, err := Open(filepath.Join(dir, "keys"), master)
		if err != nil {
			t.Fatal(err)
		}
		k, err := r.LogKey()
		if err != nil {
			t.Fatal(err)
		}
		signature, err := k.Sign([]byte("a checkpoint"))
		if err != nil || !ed25519.Verify(k.Public(), []byte("a checkpoint"), signature) || ed25519.Verify(k.Public(), []byte("another"), signature) {
			t.Errorf("the signature does not verify: %v", err)
		}
		publics = append(publics, k.Public())
		if err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(name)
			if bytes.Contains(raw, k.private.Seed()) {
				t.Errorf("%s holds the private key", name)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	if !publics[0].Equal(publics[1]) {
		t.Error("the key changed")
	}
	other, err := Open(t.TempDir(), filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	if k, err := other.LogKey(); err != nil || k.Public().Equal(publics[0]) {
		t.Errorf("another installation has the same key, %v", err)
	}
	if len(other.All()) != 0 {
		t.Error("the key of the log is none that seals")
	}
}
