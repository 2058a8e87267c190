package keys

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"strings"
	"testing"
	"time"
)

// K2: who is renamed has one house and its newest key signs; who gets another
// legal identifier has two, and the key of the former goes on signing its lists.
func TestAChangeOfNameOrIdentifier(t *testing.T) {
	for name, c := range map[string]struct {
		owner  Owner
		houses int // with a status key once the overlap is over
	}{
		"a rename": {Owner{ID: theOwner.ID, Name: "Nome Nuovo", LegalID: theOwner.LegalID, Country: "IT"}, 1},
		"a merger": {Owner{ID: theOwner.ID, Name: "Nome Nuovo", LegalID: "VATIT-99999999999", Country: "IT"}, 2},
	} {
		r, _ := filled(t)
		before := current(t, r, Status)
		for _, p := range []Purpose{Seal, Status} {
			if k := must(r.Following(p, c.owner, theMoment))(t); k.ID != current(t, r, p).ID {
				t.Errorf("%s: the %s key would follow %s", name, p, k.ID)
			}
			must(r.Rotate(p, c.owner, theMoment, time.Hour))(t)
		}
		later, signing := theMoment.Add(2*time.Hour), map[Purpose]int{}
		for _, k := range r.All() {
			if k.MaySign(later) == nil {
				signing[k.Purpose]++
			}
		}
		if signing[Seal] != 1 || signing[Status] != c.houses {
			t.Errorf("%s: %v keys sign", name, signing)
		}
		old, err := r.CurrentOf(Status, theOwner.ID, theOwner.LegalID, later)
		if err != nil || (old.ID == before.ID) != (c.houses == 2) {
			t.Errorf("%s: the lists of before: %v, %v", name, old, err)
		}
		if now := must(r.CurrentOf(Status, theOwner.ID, c.owner.LegalID, later))(t); !c.owner.Names(now.Certificate()) {
			t.Errorf("%s: the new key names %v", name, now.Certificate().Subject)
		}
		if _, err := r.CurrentOf(Seal, theOwner.ID, theOwner.LegalID, later); (err == nil) != (c.houses == 1) {
			t.Errorf("%s: a seal of before: %v", name, err)
		}
		// The next one of either house follows that one alone.
		must(r.Rotate(Status, theOwner, later, 0))(t)
		if k, err := r.CurrentOf(Status, theOwner.ID, c.owner.LegalID, later); err != nil || c.houses == 2 && k.LegalID() != c.owner.LegalID {
			t.Errorf("%s: the other house: %v", name, err)
		}
	}
}

// A house has only keys that name it; why there is none is said of the newest.
func TestCurrentOf(t *testing.T) {
	r, _ := filled(t)
	for name, c := range map[string]struct{ owner, legal string }{
		"another identifier": {theOwner.ID, "VATIT-1"}, "another owner": {"iss-cfp", theOwner.LegalID}, "nothing": {}, "the root": {"", ""},
	} {
		if k, err := r.CurrentOf(Status, c.owner, c.legal, theMoment); !errors.Is(err, ErrNoKey) {
			t.Errorf("%s: %v, %v", name, k, err)
		}
	}
	must(r.Retire(current(t, r, Status).ID, theMoment))(t)
	if _, err := r.CurrentOf(Status, theOwner.ID, theOwner.LegalID, theMoment); !errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), "was retired on") {
		t.Errorf("%v", err)
	}
}

// A key for status lists that is imported takes the place of those of its house.
func TestImportForAHouse(t *testing.T) {
	r, _ := filled(t)
	before := current(t, r, Status)
	ca := made(t, nil, authority("CA"))
	leaf := made(t, ca, withUsage(statusSigning))
	if _, err := r.Import(packed(t, leaf.key, leaf.c, ca.c), "segreta", Status, Owner{ID: theOwner.ID, LegalID: "VATIT-1"}, theMoment); err == nil {
		t.Error("a certificate of another house was taken")
	}
	merged := theOwner
	merged.LegalID = "VATIT-1"
	other := must(r.Rotate(Status, merged, theMoment, 0))(t)
	must(r.Import(packed(t, leaf.key, leaf.c, ca.c), "segreta", Status, theOwner, theMoment))(t)
	if byID(t, r, before.ID).MaySign(theMoment) == nil || byID(t, r, other.ID).MaySign(theMoment) != nil {
		t.Error("it took the place of another one than that of its house")
	}
}

// A certificate names an organisation as it is called now, or cut as certificates
// are; a longer name that begins alike is another one.
func TestOwnerNames(t *testing.T) {
	long := strings.Repeat("Scuola ", 20)
	for name, c := range map[string]struct {
		made, now Owner
		want      bool
	}{
		"as it is":           {theOwner, theOwner, true},
		"renamed":            {theOwner, Owner{Name: "Nome Nuovo", LegalID: theOwner.LegalID}, false},
		"a longer name":      {theOwner, Owner{Name: theOwner.Name + " Unita", LegalID: theOwner.LegalID}, false},
		"another identifier": {theOwner, Owner{Name: theOwner.Name, LegalID: "VATIT-1"}, false},
		"cut":                {Owner{ID: "x", Name: long, LegalID: "VATIT-1", Country: "IT"}, Owner{Name: long, LegalID: "VATIT-1"}, true},
	} {
		r, _ := openRing(t, t.TempDir())
		must(r.Ensure(c.made, theMoment))(t)
		k := must(r.Current(Seal, c.made.ID, theMoment))(t)
		if got := c.now.Names(k.Certificate()); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A house of before that had demonstration keys gets another one, also where the
// owner seals with keys of an authority since.
func TestAHouseOfBeforeBesideAnAuthority(t *testing.T) {
	r, _ := filled(t)
	later := theMoment.Add(2 * time.Minute)
	ca := made(t, nil, authority("CA"))
	called := func(c *x509.Certificate) {
		c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: organizationIdentifier, Value: "VATIT-1"}}
	}
	leaf := made(t, ca, func(c *x509.Certificate) { called(c); withUsage(statusSigning)(c) })
	must(r.Import(packed(t, leaf.key, leaf.c, ca.c), "segreta", Status, Owner{ID: theOwner.ID}, theMoment.Add(time.Minute)))(t)
	merged := theOwner
	merged.LegalID = "VATIT-1"
	if _, err := r.Rotate(Status, merged, later, 0); !errors.Is(err, ErrNotSelfMade) {
		t.Errorf("an imported key gives way to a demonstration key: %v", err)
	}
	unheard := theOwner
	unheard.LegalID = "DM:IT-altro"
	if _, err := r.Rotate(Status, unheard, later, 0); !errors.Is(err, ErrNotSelfMade) {
		t.Errorf("a demonstration key beside the imported one: %v", err)
	}
	former := must(r.CurrentOf(Status, theOwner.ID, theOwner.LegalID, later))(t)
	must(r.Retire(former.ID, later))(t)
	if k, err := r.Rotate(Status, theOwner, later, 0); err != nil || k.LegalID() != theOwner.LegalID {
		t.Errorf("%v, %v", k, err)
	}
	if byID(t, r, keyID(leaf.c)).MaySign(later) != nil {
		t.Error("the imported key was retired")
	}
}
