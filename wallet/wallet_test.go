package wallet_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"attesta/registry"
	"attesta/registry/bolt"
	"attesta/wallet"
)

var theMoment = time.Date(2026, 11, 21, 8, 30, 0, 0, time.UTC)

func open(t *testing.T) *registry.Registry {
	t.Helper()
	store, err := bolt.Create(filepath.Join(t.TempDir(), "registry.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := registry.New(store, registry.Config{ClaimKey: bytes.Repeat([]byte{7}, 32), DataKey: bytes.Repeat([]byte{7}, 32)})
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// Claim link and handle open the same exact bytes, once they are sealed and
// not before; whatever else is asked for is not found, and in the same words.
func TestWhatIsSealedIsOpenedAndNothingElse(t *testing.T) {
	r := open(t)
	w := wallet.New(r)
	reserved, err := r.Reserve(t.Context(), []registry.Intent{{
		Provider: "iss-scuola", Learner: "L1", Module: "SN-11", Version: "1.0", Edition: "SN-11/2026/A", Body: []byte("{}"),
	}}, theMoment)
	if err != nil {
		t.Fatal(err)
	}
	record := reserved[0].Record
	token := r.ClaimToken(record.Credential)
	ask := func(token, handle string) (claimed, shown wallet.Held, err1, err2 error) {
		claimed, err1 = w.Open(t.Context(), token)
		shown, err2 = w.Show(t.Context(), handle)
		return claimed, shown, err1, err2
	}
	if _, _, err1, err2 := ask(token, record.Handle); !errors.Is(err1, registry.ErrNotFound) || !errors.Is(err2, registry.ErrNotFound) {
		t.Errorf("before it is sealed: %v, %v", err1, err2)
	}
	sealed := []byte(`{"payload":"x"}`)
	if err := r.Complete(t.Context(), []registry.Sealing{{Seq: record.Seq, Sealed: sealed}}, theMoment); err != nil {
		t.Fatal(err)
	}
	claimed, shown, err1, err2 := ask(token, record.Handle)
	if err1 != nil || err2 != nil || !bytes.Equal(claimed.Sealed, sealed) || !bytes.Equal(shown.Sealed, sealed) || claimed.Record.Credential != record.Credential {
		t.Errorf("%v, %v, %+v", err1, err2, claimed)
	}
	for name, text := range map[string]string{
		"nothing":             "",
		"cut short":           token[:len(token)-1],
		"longer":              token + "A",
		"in lower case":       strings.ToLower(token),
		"with a blank":        token + " ",
		"with a zero byte":    "\x00" + token[1:],
		"very long":           strings.Repeat("A", 1<<20),
		"a path":              "../" + token,
		"of no credential":    strings.Repeat("A", len(token)),
		"not UTF-8":           "\xff" + token[1:],
		"the credential's id": record.Credential,
	} {
		if _, _, err1, err2 := ask(text, text); !errors.Is(err1, registry.ErrNotFound) || !errors.Is(err2, registry.ErrNotFound) {
			t.Errorf("%s: %v, %v", name, err1, err2)
		}
	}
	if n, err := r.Erase(t.Context(), "L1", "operator", theMoment); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if _, _, err1, err2 := ask(token, record.Handle); !errors.Is(err1, wallet.ErrErased) || !errors.Is(err2, wallet.ErrErased) {
		t.Errorf("after it was erased: %v, %v", err1, err2)
	}
	if _, _, err1, err2 := ask(record.Handle, token); !errors.Is(err1, registry.ErrNotFound) || !errors.Is(err2, registry.ErrNotFound) {
		t.Errorf("each for the other: %v, %v", err1, err2)
	}
}
