package issuer_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
)

// Last lists say what every other list says, for as long as they are told to,
// with one key for each house that nobody has afterwards.
func TestLastLists(t *testing.T) {
	h := school(t)
	record := h.issue(t, h.row(t, goodRow))[0].Record
	if _, err := h.registry.SetStatus(t.Context(), registry.Change{Credential: record.Credential, To: status.Suspended, Reason: "under-review", By: "operator"}, h.clock.now()); err != nil {
		t.Fatal(err)
	}
	until := h.clock.now().AddDate(12, 0, 0)
	last := h.LastLists(until)
	var signers []string
	for p, want := range map[status.Purpose]bool{status.Revocation: false, status.Suspension: true} {
		published, err := last.StatusList(t.Context(), record.List, p)
		if err != nil {
			t.Fatal(err)
		}
		e, err := credentials.ParseCompact(published.Token, credentials.StatusListType)
		if err != nil || e.Verify() != nil {
			t.Fatal(err)
		}
		var l struct {
			ID                    string
			ValidFrom, ValidUntil time.Time
			Subject               struct{ StatusPurpose, EncodedList string } `json:"credentialSubject"`
		}
		if err := json.Unmarshal(e.Payload(), &l); err != nil {
			t.Fatal(err)
		}
		if l.ID != h.ListURL(record.List, p) || l.Subject.StatusPurpose != string(p) || !l.ValidUntil.Equal(until.Truncate(time.Second)) || l.ValidFrom.After(h.clock.now()) {
			t.Errorf("%+v", l)
		}
		bits, err := status.DecodeBitstring(l.Subject.EncodedList, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if set, err := bits.Get(record.Index); err != nil || set != want {
			t.Errorf("%s: %v %v", p, set, err)
		}
		_, parsed := h.sealed(t, record)
		if !keys.SameHouse(parsed.Envelope.Chain, e.Chain, until) {
			t.Error("the list is not of the house that sealed, at its end")
		}
		signers = append(signers, keys.Fingerprint(e.Leaf())[:16])

		// What everybody gets of a working installation stays as it is.
		if _, ordinary := position(t, h, p, record); string(ordinary.Token) == string(published.Token) {
			t.Error("the last list is what is published every day")
		}
	}
	if made := last.Keys(); len(made) != 1 || signers[0] != signers[1] || made[0].ID != signers[0] {
		t.Errorf("%d keys, signed with %v", len(made), signers)
	}
	if _, err := last.StatusList(t.Context(), record.List, "refresh"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("another purpose: %v", err)
	}
	if _, err := last.StatusList(t.Context(), "nothing", status.Revocation); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("another list: %v", err)
	}
	if _, err := h.LastLists(until.AddDate(50, 0, 0)).StatusList(t.Context(), record.List, status.Revocation); !errors.Is(err, keys.ErrTooLong) {
		t.Errorf("longer than any certificate: %v", err)
	}
}
