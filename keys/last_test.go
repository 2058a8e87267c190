package keys

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The key of last lists lasts as long as it is told, is of the same house, and is
// left nowhere.
func TestTheLastStatusKey(t *testing.T) {
	r, dir := filled(t)
	status, seal := current(t, r, Status), current(t, r, Seal)
	before := filesBelow(t, dir)
	until := theMoment.AddDate(15, 0, 0)
	last, err := r.Last(status, theMoment, until)
	if err != nil {
		t.Fatal(err)
	}
	if c := last.Certificate(); !c.NotAfter.Equal(until) || c.Subject.String() != status.Certificate().Subject.String() || c.Equal(status.Certificate()) {
		t.Errorf("the certificate is of %s, until %v", c.Subject, c.NotAfter)
	}
	if !SameHouse(seal.Chain(), last.Chain(), until) || SameHouse(seal.Chain(), last.Chain(), until.Add(time.Second)) {
		t.Error("it is not of the house of the seals until then, and not after")
	}
	if SameHouse(seal.Chain(), status.Chain(), until) {
		t.Error("the ordinary key lasts so long too: this test shows nothing")
	}
	if _, err := last.Sign([]byte("list")); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, filesBelow(t, dir)); diff != "" || len(r.All()) != 3 {
		t.Errorf("%d keys in the ring; files:\n%s", len(r.All()), diff)
	}
	if now := current(t, r, Status); now.ID != status.ID {
		t.Error("another status key is in use now")
	}

	root, err := r.Current(Root, "", theMoment)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Last(status, theMoment, root.Certificate().NotAfter.Add(time.Hour)); !errors.Is(err, ErrTooLong) {
		t.Errorf("past the end of the root: %v", err)
	}
	for name, k := range map[string]*Key{"a seal key": seal, "a root": root} {
		if _, err := r.Last(k, theMoment, until); !errors.Is(err, ErrNoKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.Retire(status.ID, theMoment); err != nil {
		t.Fatal(err)
	}
	retired := r.All()
	for _, k := range retired {
		if k.ID == status.ID {
			if _, err := r.Last(k, theMoment, until); !errors.Is(err, ErrNoKey) {
				t.Errorf("a retired key: %v", err)
			}
		}
	}
}

func filesBelow(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, _ os.DirEntry, err error) error {
		names = append(names, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// A last list of revoked certificates names the same ones, to its own end.
func TestTheLastListOfRevokedCertificates(t *testing.T) {
	r, _ := filled(t)
	if _, err := r.Revoke(current(t, r, Seal).ID, theMoment.Add(-time.Hour), theMoment); err != nil {
		t.Fatal(err)
	}
	until := theMoment.AddDate(10, 0, 0)
	der, err := r.LastCRL(theMoment, until)
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	if !list.NextUpdate.Equal(until) || len(list.RevokedCertificateEntries) != 1 {
		t.Errorf("until %v, %d entries", list.NextUpdate, len(list.RevokedCertificateEntries))
	}
}

// What stands in a file of a folder of anchors is read the same as bytes.
func TestAnchorsAsBytes(t *testing.T) {
	r, dir := filled(t)
	root, err := r.Current(Root, "", theMoment)
	if err != nil {
		t.Fatal(err)
	}
	a := Anchor{Name: "Scuola", Level: Demonstration, Certificate: root.Certificate(), Origins: []string{"http://127.0.0.1:1"}, Revoked: []RevokedKey{{"ab", theMoment}}}
	name := filepath.Join(dir, "scuola.json")
	if err := WriteAnchor(name, a); err != nil {
		t.Fatal(err)
	}
	raw, err := a.File()
	if err != nil || string(raw) != string(readFile(t, name)) {
		t.Errorf("the file is another one: %v", err)
	}
	read, err := ParseAnchors("scuola.json", raw)
	if err != nil || len(read) != 1 || !read[0].Certificate.Equal(a.Certificate) || read[0].Name != a.Name || len(read[0].Revoked) != 1 {
		t.Errorf("%+v: %v", read, err)
	}
}
