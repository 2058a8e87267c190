package brief

import (
	"strings"
	"testing"

	"github.com/skip2/go-qrcode"
)

// The largest QR that is printed, and what the fixtures need: the names are those
// of the cohorts and one that is longer than any of them. A change that makes the
// picture finer is to be seen here.
const (
	maxVersion     = 20
	fixtureVersion = 20
)

// A compact QR of whatever fixture is of version 20 or less at level M, also with
// a long public address.
func TestSize(t *testing.T) {
	h, f := newHouse(t), readFixtures(t)
	finest := 0
	for _, p := range f.providers {
		for _, m := range f.modules {
			b := h.award(t, p, m, "Maria Antonietta Francesca", "Della Valle Quattropani D’Angelo")
			text, err := Seal(b, h.key(t, p), h.now)
			if err != nil {
				t.Fatalf("%s %s: %v", p.ID, m.Code, err)
			}
			q := drawn(t, Address("https://attestati.regione.example.org", text))
			if q.VersionNumber > finest {
				t.Logf("%s %s: %d characters, version %d", p.ID, m.Code, len(text), q.VersionNumber)
			}
			finest = max(finest, q.VersionNumber)
		}
	}
	if finest > maxVersion || finest != fixtureVersion {
		t.Errorf("the fixtures need version %d", finest)
	}
}

// The bound on an address is that of the picture: one character more than it is
// too fine soon after, and none below it is.
func TestMaxAddress(t *testing.T) {
	start := Address("https://h.example", Prefix)
	for length, want := range map[int]bool{MaxAddress: true, MaxAddress + 5: false} {
		q := drawn(t, start+strings.Repeat("A", length-len(start)))
		if fits := q.VersionNumber <= maxVersion; fits != want {
			t.Errorf("%d characters have version %d", length, q.VersionNumber)
		}
	}
}

func drawn(t *testing.T, address string) *qrcode.QRCode {
	t.Helper()
	q, err := qrcode.New(address, qrcode.Medium)
	if err != nil {
		t.Fatal(err)
	}
	return q
}
