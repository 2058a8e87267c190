package keys

import (
	"crypto/x509"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// K2: a rotation gives another key at once; the former may finish what it began
// until the overlap is over, and does not sign after it, whoever holds it.
func TestRotate(t *testing.T) {
	for _, p := range []Purpose{Seal, Status} {
		r, dir := filled(t)
		now := theMoment
		r.Now = func() time.Time { return now }
		former := current(t, r, p)
		fresh, err := r.Rotate(p, theOwner, theMoment, 24*time.Hour) // in the second in which the former began
		if err != nil {
			t.Fatal(err)
		}
		again := must(openRing(t, dir))(t)
		again.Now = r.Now
		for _, r := range []*Ring{r, again} {
			if k := current(t, r, p); k.ID != fresh.ID || k.ID == former.ID {
				t.Errorf("%s: the key in use is %s, not %s", p, k.ID, fresh.ID)
			}
			for after, signs := range map[time.Duration]bool{0: true, 24*time.Hour - time.Second: true, 24 * time.Hour: false, 48 * time.Hour: false} {
				now = theMoment.Add(after)
				k := byID(t, r, former.ID)
				if err := k.MaySign(now); (err == nil) != signs {
					t.Errorf("%s: after %s: %v", p, after, err)
				}
				if _, err := k.Sign(nil); (err == nil) != signs {
					t.Errorf("%s: after %s it signs: %v", p, after, err)
				}
				if _, err := k.SignDigest(make([]byte, 32)); (err == nil) != signs {
					t.Errorf("%s: after %s it signs a digest: %v", p, after, err)
				}
			}
		}
		now = theMoment.Add(48 * time.Hour)
		if _, err := former.Sign(nil); err == nil { // taken before the rotation
			t.Errorf("%s: who held the former key signs with it", p)
		}
		root := must(r.Current(Root, "", now))(t)
		trust := Trust{Anchors: []Anchor{{Level: Demonstration, Certificate: root.Certificate()}}}
		if p == Seal && (trust.Vouch(former.Chain(), now).Err != nil || trust.Vouch(fresh.Chain(), now).Err != nil) {
			t.Error("nobody vouches for the former or for the new key")
		}
		if !SameHouse(former.Chain(), fresh.Chain(), now) {
			t.Error("the two are not of one house")
		}
	}
}

func TestRotateAgainAndAgain(t *testing.T) {
	r, _ := filled(t)
	ids := map[string]bool{current(t, r, Seal).ID: true}
	for n := range 4 {
		k, err := r.Rotate(Seal, theOwner, theMoment.Add(time.Duration(n)*time.Minute), time.Hour)
		if err != nil || ids[k.ID] {
			t.Fatalf("%v, %v", k, err)
		}
		ids[k.ID] = true
	}
	signing := 0
	for _, k := range r.All() {
		if k.Purpose == Seal && k.MaySign(theMoment.Add(2*time.Hour)) == nil {
			signing++
		}
	}
	if signing != 1 {
		t.Errorf("%d keys sign when all overlaps are over", signing)
	}
}

func TestRotateRefuses(t *testing.T) {
	r, _ := filled(t)
	ca := made(t, nil, authority("CA"))
	leaf := made(t, ca, asIs)
	must(r.Import(packed(t, leaf.key, leaf.c, ca.c), "segreta", Seal, Owner{ID: theOwner.ID}, theMoment))(t)
	n := len(r.All())
	if _, err := r.Rotate(Seal, theOwner, theMoment, 0); !errors.Is(err, ErrNotSelfMade) {
		t.Errorf("an imported key gives way to a demonstration key: %v", err)
	}
	if _, err := r.Rotate(Status, theOwner, theMoment, -time.Second); err == nil {
		t.Error("an overlap in the past")
	}
	if _, err := r.Rotate(Root, Owner{}, theMoment, 0); err == nil {
		t.Error("the root was rotated")
	}
	if len(r.All()) != n {
		t.Errorf("%d keys, before %d", len(r.All()), n)
	}
	must(r.Revoke(current(t, r, Seal).ID, theMoment, theMoment))(t)
	if _, err := r.Current(Seal, theOwner.ID, theMoment); !errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("after the imported key was revoked an older one seals: %v", err)
	}
	must(r.Rotate(Seal, theOwner, theMoment, 0))(t)
}

func TestRetire(t *testing.T) {
	r, dir := filled(t)
	k := current(t, r, Seal)
	later := theMoment.Add(time.Hour)
	must(r.Retire(k.ID, later))(t)
	if _, err := r.Retire(k.ID, later.Add(time.Hour)); err == nil {
		t.Error("a retirement was put off")
	}
	must(r.Retire(k.ID, theMoment))(t)
	for _, r := range []*Ring{r, must(openRing(t, dir))(t)} {
		if _, err := r.Current(Seal, theOwner.ID, theMoment); !errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), "retired") {
			t.Error(err)
		}
		if _, err := byID(t, r, k.ID).Sign(nil); !errors.Is(err, ErrNoKey) {
			t.Error(err)
		}
	}
	if _, err := k.Sign(nil); !errors.Is(err, ErrNoKey) {
		t.Errorf("who held the key signs with it: %v", err)
	}
	if made, err := r.Ensure(theOwner, theMoment); err != nil || len(made) != 0 {
		t.Errorf("%d keys made, %v", len(made), err)
	}
}

// K1: a revocation counts since a moment, is final and stands on disk.
func TestRevoke(t *testing.T) {
	r, dir := filled(t)
	k := current(t, r, Seal)
	since := theMoment.AddDate(0, 0, -3)
	if _, err := r.Revoke(k.ID, theMoment.Add(time.Second), theMoment); err == nil {
		t.Error("revoked since a moment to come")
	}
	must(r.Revoke(k.ID, since, theMoment))(t)
	if _, err := k.Sign(nil); !errors.Is(err, ErrNoKey) {
		t.Errorf("who held the key signs with it: %v", err)
	}
	for _, at := range []time.Time{since, since.Add(time.Hour), theMoment} {
		if _, err := r.Revoke(k.ID, at, theMoment); err == nil {
			t.Errorf("the revocation was moved to %s", at)
		}
	}
	if _, err := r.Retire(k.ID, theMoment); err == nil {
		t.Error("a revoked key was retired")
	}
	earlier := since.AddDate(0, 0, -1)
	must(r.Revoke(k.ID, earlier, theMoment.Add(time.Hour)))(t)
	again := byID(t, must(openRing(t, dir))(t), k.ID)
	if !again.Revoked.Equal(earlier) || !again.RevokedAt.Equal(theMoment.Add(time.Hour)) {
		t.Errorf("revoked since %s, said %s", again.Revoked, again.RevokedAt)
	}
	if err := again.MaySign(earlier.AddDate(-1, 0, 0)); !errors.Is(err, ErrNoKey) {
		t.Errorf("it may sign before: %v", err)
	}
}

func TestTheRootAndStrangersAreNotEnded(t *testing.T) {
	r, _ := filled(t)
	root := must(r.Current(Root, "", theMoment))(t)
	for name, end := range map[string]func(string) (*Key, error){
		"retire": func(id string) (*Key, error) { return r.Retire(id, theMoment) },
		"revoke": func(id string) (*Key, error) { return r.Revoke(id, theMoment, theMoment) },
	} {
		if _, err := end(root.ID); err == nil || !strings.Contains(err.Error(), "root") {
			t.Errorf("%s the root: %v", name, err)
		}
		if _, err := end("0123456789abcdef"); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s a stranger: %v", name, err)
		}
	}
}

// What could not be written has not happened.
func TestAChangeThatIsNotDurableIsNone(t *testing.T) {
	r, dir := filled(t)
	k := current(t, r, Seal)
	if err := os.RemoveAll(dir + "/keys"); err != nil {
		t.Fatal(err)
	}
	_, one := r.Retire(k.ID, theMoment)
	_, two := r.Revoke(k.ID, theMoment, theMoment)
	_, three := r.Rotate(Seal, theOwner, theMoment, 0)
	if one == nil || two == nil || three == nil {
		t.Errorf("%v, %v, %v", one, two, three)
	}
	if now := current(t, r, Seal); now.ID != k.ID {
		t.Errorf("the key in use is %s", now.ID)
	}
	if _, err := k.Sign(nil); err != nil {
		t.Error(err)
	}
}

// Keys may be changed while others sign and read.
func TestChangesBesideSigning(t *testing.T) {
	r, _ := filled(t)
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			for range 40 {
				if k, err := r.Current(Seal, theOwner.ID, theMoment); err == nil {
					_, _ = k.Sign([]byte("x"))
				}
				_, one := r.JWKS()
				_, two := r.CRL(theMoment)
				if one != nil || two != nil {
					t.Error(one, two)
				}
			}
		})
	}
	for range 5 {
		k := must(r.Rotate(Seal, theOwner, theMoment, 0))(t)
		must(r.Revoke(k.ID, theMoment, theMoment))(t)
	}
	wait.Wait()
}

// K1: the list of the root names the certificates of its revoked keys, and no
// others.
func TestCRL(t *testing.T) {
	empty := must(openRing(t, t.TempDir()))(t)
	if _, err := empty.CRL(theMoment); !errors.Is(err, ErrNoKey) {
		t.Errorf("a list without a root: %v", err)
	}
	r, dir := filled(t)
	root := must(r.Current(Root, "", theMoment))(t).Certificate()
	read := func(r *Ring, at time.Time) *x509.RevocationList {
		t.Helper()
		l := must(x509.ParseRevocationList(must(r.CRL(at))(t)))(t)
		if err := l.CheckSignatureFrom(root); err != nil {
			t.Error(err)
		}
		return l
	}
	first := read(r, theMoment)
	if len(first.RevokedCertificateEntries) != 0 || !first.NextUpdate.Equal(theMoment.AddDate(0, 0, 7)) || first.Number.Int64() != theMoment.Unix() {
		t.Errorf("%+v", first)
	}
	if same := read(r, theMoment.Add(59*time.Minute)); same.Number.Cmp(first.Number) != 0 {
		t.Error("signed anew within the hour")
	}
	ca := made(t, nil, authority("CA"))
	leaf := made(t, ca, asIs)
	seal := current(t, r, Seal)
	imported := must(r.Import(packed(t, leaf.key, leaf.c, ca.c), "segreta", Seal, Owner{ID: theOwner.ID}, theMoment))(t)
	since := theMoment.AddDate(0, 0, -3)
	must(r.Revoke(seal.ID, since, theMoment))(t)
	must(r.Revoke(imported.ID, since, theMoment))(t)
	for _, r := range []*Ring{r, must(openRing(t, dir))(t)} {
		l := read(r, theMoment)
		if len(l.RevokedCertificateEntries) != 1 {
			t.Fatalf("%d entries", len(l.RevokedCertificateEntries))
		}
		e := l.RevokedCertificateEntries[0]
		if e.SerialNumber.Cmp(seal.Certificate().SerialNumber) != 0 || e.ReasonCode != 1 || !e.RevocationTime.Equal(since) {
			t.Errorf("%+v", e)
		}
		found := false
		for _, x := range e.Extensions {
			found = found || x.Id.Equal(invalidityDate) && !x.Critical && string(x.Value) == "\x18\x0f20261118083000Z"
		}
		if !found {
			t.Errorf("no invalidity date among %v", e.Extensions)
		}
	}
	if second := read(r, theMoment); second.Number.Cmp(first.Number) <= 0 {
		t.Error("another list has no greater number")
	}
	if third := read(r, theMoment.Add(2*time.Hour)); third.Number.Int64() != theMoment.Add(2*time.Hour).Unix() {
		t.Error("the list was not signed anew after an hour")
	}
}

func byID(t testing.TB, r *Ring, id string) *Key {
	t.Helper()
	for _, k := range r.All() {
		if k.ID == id {
			return k
		}
	}
	t.Fatalf("no key %s", id)
	return nil
}
