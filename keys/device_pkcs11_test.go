//go:build pkcs11

package keys

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"attesta/credentials"

	"github.com/ThalesGroup/crypto11"
)

const (
	softHSM = "/usr/lib/softhsm/libsofthsm2.so"
	thePIN  = "24680135"
)

// device is a token of SoftHSM with a key pair of each kind, labelled by its
// algorithm.
func device(t *testing.T) (Device, map[string]crypto.PublicKey) {
	t.Helper()
	tool, err := exec.LookPath("softhsm2-util")
	if _, missing := os.Stat(softHSM); err != nil || missing != nil {
		if os.Getenv("ATTESTA_REQUIRE_ALL") == "1" {
			t.Fatal("this test needs SoftHSM2, and ATTESTA_REQUIRE_ALL=1 forbids to skip it: apt-get install softhsm2")
		}
		t.Skip("skipped: this test needs SoftHSM2: apt-get install softhsm2")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	writeTo(t, conf, fmt.Appendf(nil, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", dir))
	t.Setenv("SOFTHSM2_CONF", conf)
	out, err := exec.CommandContext(t.Context(), tool, "--init-token", "--free", "--label", "seals", "--pin", thePIN, "--so-pin", "13572468").CombinedOutput()
	if err != nil {
		t.Fatalf("making a token: %v\n%s", err, out)
	}
	d := Device{Module: softHSM, Token: "seals", PIN: thePIN}
	c := must(crypto11.Configure(&crypto11.Config{Path: d.Module, TokenLabel: d.Token, Pin: d.PIN}))(t)
	defer c.Close()
	public := map[string]crypto.PublicKey{}
	for n, label := range []string{"ES256", "ES384", "RS256", "other"} {
		id, name := []byte{byte(n + 1)}, []byte(label)
		var pair crypto.Signer
		switch label {
		case "RS256":
			pair, err = c.GenerateRSAKeyPairWithLabel(id, name, 2048)
		case "ES384":
			pair, err = c.GenerateECDSAKeyPairWithLabel(id, name, elliptic.P384())
		default:
			pair, err = c.GenerateECDSAKeyPairWithLabel(id, name, elliptic.P256())
		}
		if err != nil {
			t.Fatal(err)
		}
		public[label] = pair.Public()
	}
	return d, public
}

// onlyPublic lets a certificate be made for a key that is elsewhere.
type onlyPublic struct {
	crypto.Signer
	public crypto.PublicKey
}

func (o onlyPublic) Public() crypto.PublicKey { return o.public }

// A key of each kind in a device seals, also when the ring is opened again, and
// the seal is good.
func TestDevice(t *testing.T) {
	d, public := device(t)
	ca := made(t, nil, authority("CA"))
	for _, alg := range []string{"ES256", "ES384", "RS256"} {
		d := d
		d.Label = alg
		leaf := issued(t, ca, onlyPublic{public: public[alg]}, asIs)
		r, dir := filled(t)
		k, err := r.Attach(d, []byte(asPEM(ca.c)+asPEM(leaf)), Seal, Owner{ID: theOwner.ID}, theMoment) // the authority first
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		if len(k.Chain()) != 2 || k.Algorithm() != alg || !k.OnDevice() || current(t, r, Seal).ID != k.ID {
			t.Errorf("%s: %+v", alg, k)
		}
		again := must(openRing(t, dir))(t)
		sealAndRead(t, current(t, r, Seal))
		sealAndRead(t, current(t, again, Seal))
		for _, e := range must(os.ReadDir(dir + "/keys"))(t) {
			if bytes.Contains(readFile(t, filepath.Join(dir, "keys", e.Name())), []byte(thePIN)) {
				t.Errorf("%s: %s holds the PIN", alg, e.Name())
			}
		}
		must(r.Retire(k.ID, theMoment))(t)
		if _, err := k.Sign(nil); !errors.Is(err, ErrNoKey) {
			t.Errorf("%s: a retired key on a device signs: %v", alg, err)
		}
		if err := errors.Join(r.Close(), again.Close()); err != nil {
			t.Error(err)
		}
	}
}

func sealAndRead(t *testing.T, k *Key) {
	t.Helper()
	document := credentials.Document(`{"@context":["https://www.w3.org/2018/credentials/v1","http://data.europa.eu/snb/model/context/edc-ap"],"id":"urn:credential:5d2c2d2a-8a2f-4b9e-9d6e-0d1a3ad9c001","type":["VerifiableCredential","EuropeanDigitalCredential"],"issuer":{"id":"urn:epass:org:1"},"credentialSubject":{"id":"urn:epass:person:1"}}`)
	sealed, err := credentials.EDC.Seal(document, k, theMoment)
	if err != nil {
		t.Errorf("%s: %v", k.Algorithm(), err)
		return
	}
	parsed, err := credentials.EDC.Parse(sealed)
	if err != nil {
		t.Errorf("%s: %v", k.Algorithm(), err)
		return
	}
	if err := parsed.Envelope.Verify(); err != nil || parsed.Envelope.Algorithm != k.Algorithm() || !parsed.Envelope.Leaf().Equal(k.Certificate()) {
		t.Errorf("%s: %v", k.Algorithm(), err)
	}
}

func TestAttachRefuses(t *testing.T) {
	d, public := device(t)
	d.Label = "ES256"
	leaf := issued(t, made(t, nil, authority("CA")), onlyPublic{public: public["ES256"]}, asIs)
	for name, c := range map[string]struct {
		change func(*Device)
		chain  string
		says   string
		is     error
	}{
		"wrong PIN":             {func(d *Device) { d.PIN = "11111111" }, asPEM(leaf), "password or PIN is wrong", ErrPassword},
		"PIN too short":         {func(d *Device) { d.PIN = "1" }, asPEM(leaf), "password or PIN is wrong", ErrPassword},
		"no such token":         {func(d *Device) { d.Token = "other" }, asPEM(leaf), "there is no such token; see that the device is connected", nil},
		"no such module":        {func(d *Device) { d.Module = "/nowhere.so" }, asPEM(leaf), "there is no PKCS #11 library /nowhere.so", nil},
		"another file":          {func(d *Device) { d.Module = "/etc/hosts" }, asPEM(leaf), "/etc/hosts cannot be loaded", nil},
		"no such key":           {func(d *Device) { d.Label = "seal" }, asPEM(leaf), "no key pair of this label", nil},
		"no label":              {func(d *Device) { d.Label = "" }, asPEM(leaf), "label", nil},
		"key of another":        {func(d *Device) { d.Label = "other" }, asPEM(leaf), "no key pair of this label", nil},
		"certificate of nobody": {func(*Device) {}, asPEM(made(t, nil, asIs).c), "no key pair of this label", nil},
		"no certificate":        {func(*Device) {}, "", "certificates", nil},
	} {
		r, _ := filled(t)
		d := d
		c.change(&d)
		_, err := r.Attach(d, []byte(c.chain), Seal, Owner{ID: theOwner.ID}, theMoment)
		if err == nil || !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) || strings.Contains(err.Error(), d.PIN) && len(d.PIN) > 1 {
			t.Errorf("%s: %v", name, err)
		}
		if len(r.All()) != 3 {
			t.Errorf("%s: it left a trace", name)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A PIN that is wrong is tried once: a token that is asked again and again
// locks itself. Beside an open token a wrong PIN is wrong too.
func TestAWrongPINIsTriedOnce(t *testing.T) {
	d, public := device(t)
	d.Label = "ES256"
	r, _ := filled(t)
	defer r.Close()
	bad := d
	bad.PIN = "11111111"
	for range 20 {
		if _, err := r.tokens.find(bad, public["ES256"]); !errors.Is(err, ErrPassword) {
			t.Fatal(err)
		}
	}
	if _, err := r.tokens.find(d, public["ES256"]); err != nil {
		t.Errorf("the right PIN after a wrong one: %v", err)
	}
	if _, err := r.tokens.find(bad, public["ES256"]); !errors.Is(err, ErrPassword) {
		t.Errorf("a wrong PIN for an open token: %v", err)
	}
}

// T12: a device that is not there stops what needs it, and nothing else; when it
// is back, so are its keys.
func TestADeviceThatIsAway(t *testing.T) {
	d, public := device(t)
	d.Label = "ES256"
	leaf := issued(t, made(t, nil, authority("CA")), onlyPublic{public: public["ES256"]}, asIs)
	r, dir := filled(t)
	must(r.Attach(d, []byte(asPEM(leaf)), Seal, Owner{ID: theOwner.ID}, theMoment))(t)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	there := os.Getenv("SOFTHSM2_CONF")
	writeTo(t, dir+"/empty.conf", fmt.Appendf(nil, "directories.tokendir = %s\n", t.TempDir()))
	t.Setenv("SOFTHSM2_CONF", dir+"/empty.conf")
	again := must(openRing(t, dir))(t)
	defer again.Close()
	if _, err := current(t, again, Seal).Sign(nil); err == nil {
		t.Error("it signs without its device")
	}
	if _, err := current(t, again, Status).Sign(nil); err != nil {
		t.Error(err)
	}
	t.Setenv("SOFTHSM2_CONF", there)
	if _, err := current(t, again, Seal).Sign(nil); err != nil {
		t.Errorf("the device is back: %v", err)
	}
}

func TestManySignAtOnceInADevice(t *testing.T) {
	d, public := device(t)
	r, _ := filled(t)
	defer r.Close()
	ca := made(t, nil, authority("CA"))
	var all []*Key
	for _, alg := range []string{"ES256", "ES384", "RS256"} {
		d.Label = alg
		leaf := issued(t, ca, onlyPublic{public: public[alg]}, asIs)
		all = append(all, must(r.Attach(d, []byte(asPEM(leaf)), Seal, Owner{ID: alg}, theMoment))(t))
	}
	started := time.Now()
	var wait sync.WaitGroup
	for n := range 8 {
		wait.Go(func() {
			for m := range 50 {
				k, input := all[(n+m)%len(all)], []byte{byte(n), byte(m)}
				signature, err := k.Sign(input)
				if err == nil {
					err = k.jose.verify(input, signature, k.Certificate().PublicKey)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	t.Logf("400 signatures by 8 at once in %s", time.Since(started))
}
