package keys

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// K3: what stands on disk is readable by its owner only, and the private part
// of a key stands there in no form that is not encrypted.
func TestPrivateKeysNeverStandInClearOnDisk(t *testing.T) {
	r, dir := filled(t)
	secret, err := r.Secret("claim-links")
	if err != nil {
		t.Fatal(err)
	}
	forms := map[string][]byte{"secret": secret, "secret in base64": []byte(base64.StdEncoding.EncodeToString(secret)), "secret in hex": []byte(hex.EncodeToString(secret))}
	for _, k := range r.All() {
		private := k.signer.(*ecdsa.PrivateKey)
		d, err := private.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		for shift := range 3 { // base64 of the key at each place in a text
			forms[string(k.Purpose)+" in base64"+string(rune('0'+shift))] = []byte(base64.StdEncoding.EncodeToString(d[shift:])[:36])
		}
		forms[string(k.Purpose)+" raw"] = d
		forms[string(k.Purpose)+" in hex"] = []byte(hex.EncodeToString(d))
		forms[string(k.Purpose)+" in decimal"] = []byte(private.D.String()) //nolint:staticcheck // a form it might take
		forms[string(k.Purpose)+" as PKCS #8"] = der
		forms[string(k.Purpose)+" as PKCS #8 in base64"] = []byte(base64.StdEncoding.EncodeToString(der)[:64])
	}
	files := 0
	err = filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		info, err := e.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %04o", e.Name(), info.Mode().Perm())
		}
		data := readFile(t, name)
		for form, bytesOf := range forms {
			if bytes.Contains(data, bytesOf) {
				t.Errorf("%s holds the %s", e.Name(), form)
			}
		}
		return nil
	})
	if err != nil || files != 5 { // root, seal, status, secret, master
		t.Errorf("%d files, %v", files, err)
	}
	info, err := os.Stat(filepath.Join(dir, "keys"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info.Mode(), err)
	}
}

func TestARingReadsBackWhatItWrote(t *testing.T) {
	r, dir := filled(t)
	secret, err := r.Secret("claim-links")
	if err != nil {
		t.Fatal(err)
	}
	again, err := openRing(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := again.Secret("claim-links"); err != nil || !bytes.Equal(secret, same) || len(secret) != 32 {
		t.Errorf("the secret differs: %v", err)
	}
	if other, err := again.Secret("sessions"); err != nil || bytes.Equal(secret, other) {
		t.Errorf("two secrets are one: %v", err)
	}
	if len(again.All()) != 3 {
		t.Fatalf("%d keys", len(again.All()))
	}
	for n, k := range again.All() {
		before := r.All()[n]
		if k.ID != before.ID || k.Purpose != before.Purpose || !k.From.Equal(before.From) || !k.Certificate().Equal(before.Certificate()) || !k.SelfMade {
			t.Errorf("%+v became %+v", before, k)
		}
	}
	k := current(t, again, Seal)
	signature, err := k.Sign([]byte("x"))
	if err != nil || len(signature) != 64 {
		t.Errorf("%v, %d bytes", err, len(signature))
	}
}

func TestFilesThatOthersMayReadAreRefused(t *testing.T) {
	_, dir := filled(t)
	names, err := filepath.Glob(filepath.Join(dir, "keys", "*.key.json"))
	if err != nil || len(names) != 3 {
		t.Fatal(names, err)
	}
	for _, name := range append(names[:1], filepath.Join(dir, "master.key")) {
		for _, mode := range []fs.FileMode{0o640, 0o604, 0o660, 0o601} {
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
			if _, err := openRing(t, dir); err == nil || !strings.Contains(err.Error(), "chmod 600") {
				t.Errorf("%s with mode %04o: %v", filepath.Base(name), mode, err)
			}
		}
		if err := os.Chmod(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := openRing(t, dir); err != nil {
		t.Error(err)
	}
}

// Without the master key nothing could be opened again: it is never replaced
// while there is anything that it alone opens.
func TestAMissingMasterKeyIsNotReplaced(t *testing.T) {
	for name, fill := range map[string]func(*Ring) error{
		"keys":          func(r *Ring) error { _, err := r.Ensure(theOwner, theMoment); return err },
		"only a secret": func(r *Ring) error { _, err := r.Secret("claim-links"); return err },
	} {
		for _, folder := range []string{"plain", "data[1]", "a*b?"} {
			dir := filepath.Join(t.TempDir(), folder)
			r, err := openRing(t, dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := fill(r); err != nil {
				t.Fatal(err)
			}
			master := filepath.Join(dir, "master.key")
			if err := os.Rename(master, master+".away"); err != nil {
				t.Fatal(err)
			}
			if _, err := openRing(t, dir); err == nil || !strings.Contains(err.Error(), "missing") {
				t.Errorf("%s in %s: %v", name, folder, err)
			}
			if _, err := os.Stat(master); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s in %s: another master key was made", name, folder)
			}
			if err := os.Rename(master+".away", master); err != nil {
				t.Fatal(err)
			}
			again, err := openRing(t, dir)
			if err != nil || len(again.All()) != len(r.All()) {
				t.Errorf("%s in %s: %v, %d keys of %d", name, folder, err, len(again.All()), len(r.All()))
			}
		}
	}
}

func TestAnotherMasterKeyOpensNothing(t *testing.T) {
	_, dir := filled(t)
	_, other := filled(t)
	writeTo(t, filepath.Join(dir, "master.key"), readFile(t, filepath.Join(other, "master.key")))
	if _, err := openRing(t, dir); err == nil || !strings.Contains(err.Error(), "master key does not open") {
		t.Error(err)
	}
	writeTo(t, filepath.Join(dir, "master.key"), []byte("AGE-SECRET-KEY-1NOPE\n"))
	if _, err := openRing(t, dir); err == nil || strings.Contains(err.Error(), "AGE-SECRET") {
		t.Errorf("a master key that is none, or its text in the error: %v", err)
	}
}

// A file that was changed, exchanged or cut is refused; it never gives another
// key than the one its name and certificate say.
func TestDamagedKeyFilesAreRefused(t *testing.T) {
	r, dir := filled(t)
	name := filepath.Join(dir, "keys", current(t, r, Seal).ID+".key.json")
	statusName := filepath.Join(dir, "keys", current(t, r, Status).ID+".key.json")
	good, other := readFile(t, name), readFile(t, statusName)
	change := func(do func(own, other map[string]any)) []byte {
		var own, foreign map[string]any
		if err := errors.Join(json.Unmarshal(good, &own), json.Unmarshal(other, &foreign)); err != nil {
			t.Fatal(err)
		}
		do(own, foreign)
		out, err := json.Marshal(own)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for what, data := range map[string][]byte{
		"empty":                              {},
		"cut short":                          good[:len(good)/2],
		"without a certificate":              change(func(own, _ map[string]any) { own["chain"] = "" }),
		"with the certificate of another":    change(func(own, o map[string]any) { own["chain"] = o["chain"] }),
		"with another's id and certificate":  change(func(own, o map[string]any) { own["chain"], own["id"] = o["chain"], o["id"] }),
		"with the private key of another":    change(func(own, o map[string]any) { own["private"] = o["private"] }),
		"with another's id":                  change(func(own, o map[string]any) { own["id"] = o["id"] }),
		"with a private key that is changed": change(func(own, _ map[string]any) { own["private"] = "AAAA" + own["private"].(string)[4:] }),
		"with a private key in clear": change(func(own, _ map[string]any) {
			own["chain"] = own["chain"].(string) + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
		}),
	} {
		writeTo(t, name, data)
		if _, err := openRing(t, dir); err == nil {
			t.Errorf("a key file %s was read", what)
		}
	}
}

func TestEnsureMakesOnlyWhatIsMissing(t *testing.T) {
	r, dir := filled(t)
	for _, at := range []time.Time{theMoment, theMoment.AddDate(0, 1, 0), theMoment.AddDate(4, 0, 0)} {
		if made, err := r.Ensure(theOwner, at); err != nil || len(made) != 0 {
			t.Errorf("%v: %d keys made, %v", at, len(made), err)
		}
	}
	second := theOwner
	second.ID = "iss-cfp"
	if made, err := r.Ensure(second, theMoment); err != nil || len(made) != 2 {
		t.Errorf("a second owner: %d keys made, %v", len(made), err)
	}
	// Keys that ended, were retired or were revoked are not replaced unasked.
	if made, err := r.Ensure(theOwner, theMoment.AddDate(leafYears, 0, 1)); err != nil || len(made) != 0 {
		t.Errorf("after the certificates ended: %d keys made, %v", len(made), err)
	}
	_, err := r.Retire(current(t, r, Status).ID, theMoment)
	if _, again := r.Revoke(current(t, r, Seal).ID, theMoment, theMoment); err != nil || again != nil {
		t.Fatal(err, again)
	}
	if made, err := r.Ensure(theOwner, theMoment); err != nil || len(made) != 0 {
		t.Errorf("after the keys were revoked: %d keys made, %v", len(made), err)
	}
	nowhere := Owner{ID: "no-country", Name: "Scuola", LegalID: "DM:XX-1"}
	if made, err := r.Ensure(nowhere, theMoment); err != nil || len(made) != 2 || len(made[0].Certificate().Subject.Country) != 0 {
		t.Errorf("an owner without a country: %d keys made, %v", len(made), err)
	}
	again, err := openRing(t, dir)
	if err != nil || len(again.All()) != 7 {
		t.Errorf("%v, %d keys", err, len(again.All()))
	}
	ids := map[string]bool{}
	for _, k := range again.All() {
		ids[k.ID] = true
	}
	if len(ids) != 7 {
		t.Error("two keys have one id")
	}
}

func TestEnsureOfManyAtOnceMakesEachKeyOnce(t *testing.T) {
	r, err := openRing(t, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := r.Ensure(theOwner, theMoment); err != nil {
				t.Error(err)
			}
			if _, err := r.Secret("claim-links"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := len(r.All()); n != 3 {
		t.Errorf("%d keys", n)
	}
}

// K2: a key that is retired, revoked, not yet in use or past its certificate is
// not handed out, and one that was retired or revoked does not even sign.
func TestKeysThatMayNotSignAreNotUsed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Key)
		at     time.Time
		used   bool
		signs  bool // the key itself asks the clock for its retirement only
	}{
		"in use":                    {func(*Key) {}, theMoment, true, true},
		"retired":                   {func(k *Key) { k.Retired = theMoment.AddDate(0, -1, 0) }, theMoment, false, false},
		"retired now":               {func(k *Key) { k.Retired = theMoment }, theMoment, false, false},
		"to be retired":             {func(k *Key) { k.Retired = theMoment.Add(time.Second) }, theMoment, true, true},
		"retired meanwhile":         {func(k *Key) { k.Retired = theMoment.AddDate(0, 1, 0) }, theMoment.AddDate(0, 1, 0), false, false},
		"revoked":                   {func(k *Key) { k.Revoked = theMoment.AddDate(0, -1, 0) }, theMoment, false, false},
		"not yet in use":            {func(k *Key) { k.From = theMoment.Add(time.Hour) }, theMoment, false, true},
		"before its certificate":    {func(*Key) {}, theMoment.AddDate(0, 0, -1), false, true},
		"past its certificate":      {func(*Key) {}, theMoment.AddDate(leafYears, 0, 1), false, true},
		"a second past certificate": {func(k *Key) {}, theMoment.AddDate(leafYears, 0, 0).Add(time.Second), false, true},
	} {
		r, _ := filled(t)
		r.Now = func() time.Time { return c.at }
		k := current(t, r, Seal)
		c.change(k)
		if got, err := r.Current(Seal, theOwner.ID, c.at); (err == nil) != c.used || err != nil && !errors.Is(err, ErrNoKey) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if _, err := k.Sign([]byte("x")); (err == nil) != c.signs {
			t.Errorf("%s: signing gives %v", name, err)
		}
	}
}

func TestAKeyServesOnePurposeAndOwner(t *testing.T) {
	r, _ := filled(t)
	if seal, status := current(t, r, Seal), current(t, r, Status); seal.ID == status.ID {
		t.Error("one key for two purposes")
	}
	for _, c := range []struct {
		p     Purpose
		owner string
	}{{Seal, "other"}, {Root, theOwner.ID}, {"session", theOwner.ID}, {Seal, ""}} {
		if _, err := r.Current(c.p, c.owner, theMoment); !errors.Is(err, ErrNoKey) {
			t.Errorf("%s key of %q: %v", c.p, c.owner, err)
		}
	}
	root, err := r.Current(Root, "", theMoment)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := root.Sign([]byte("x")); !errors.Is(err, ErrNoKey) {
		t.Errorf("the root signs: %v", err)
	}
	if _, err := root.SignDigest(make([]byte, 32)); !errors.Is(err, ErrNoKey) {
		t.Errorf("the root signs a digest: %v", err)
	}
}

// A generated certificate says what it is for, for how long and for whom, and
// never claims to be qualified.
func TestCertificatesOfGeneratedKeys(t *testing.T) {
	r, _ := filled(t)
	long := theOwner
	long.ID, long.Name = "long", strings.Repeat("Scuola È ", 20)
	if _, err := r.Ensure(long, theMoment); err != nil {
		t.Fatal(err)
	}
	for _, k := range r.All() {
		c := k.Certificate()
		if len([]rune(c.Subject.CommonName)) > 64 {
			t.Errorf("%s: the name is too long for X.520", c.Subject.CommonName)
		}
		if c.SerialNumber.BitLen() > 127 || c.SerialNumber.Sign() <= 0 {
			t.Errorf("serial number %v", c.SerialNumber)
		}
		if k.Purpose == Root {
			if !c.IsCA || !c.MaxPathLenZero || k.Owner != "" {
				t.Errorf("root: %+v", c)
			}
			continue
		}
		if c.IsCA || !c.NotBefore.Before(k.From) || len(k.Chain()) != 2 || organisation(c) != theOwner.LegalID {
			t.Errorf("%s: %+v", k.Purpose, c)
		}
		if (k.Purpose == Seal) != (c.KeyUsage&x509.KeyUsageContentCommitment != 0) || (k.Purpose == Status) != (len(c.UnknownExtKeyUsage) == 1) {
			t.Errorf("%s: usage %v %v", k.Purpose, c.KeyUsage, c.UnknownExtKeyUsage)
		}
	}
}
