package issuer_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/issuer"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
)

// position reads one place of a published list as a verifier would.
func position(t *testing.T, h *house, p status.Purpose, r *registry.Record) (set bool, published issuer.Published) {
	t.Helper()
	published, err := h.StatusList(t.Context(), r.List, p)
	if err != nil {
		t.Fatal(err)
	}
	e, err := credentials.ParseCompact(published.Token, credentials.StatusListType)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Verify(); err != nil {
		t.Fatal(err)
	}
	_, parsed := h.sealed(t, r)
	if !keys.SameHouse(parsed.Envelope.Chain, e.Chain, h.clock.now()) {
		t.Error("the list is not of the house that sealed")
	}
	var l struct {
		ID                    string
		ValidFrom, ValidUntil time.Time
		Subject               struct{ StatusPurpose, EncodedList string } `json:"credentialSubject"`
	}
	if err := json.Unmarshal(e.Payload(), &l); err != nil {
		t.Fatal(err)
	}
	if l.ID != h.ListURL(r.List, p) || l.Subject.StatusPurpose != string(p) || l.ValidUntil.Sub(l.ValidFrom) != issuer.ListLife {
		t.Errorf("%+v", l)
	}
	bits, err := status.DecodeBitstring(l.Subject.EncodedList, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if set, err = bits.Get(r.Index); err != nil {
		t.Fatal(err)
	}
	if want := 0; !set && bits.Count() != want {
		t.Errorf("%d other places are set", bits.Count())
	}
	return set, published
}

// A change of status is in the next list that is asked for, in the place of the
// credential and in no other; what does not change is not signed again.
func TestAPublishedListFollowsAtOnce(t *testing.T) {
	h := school(t)
	record := h.issue(t, h.row(t, goodRow))[0].Record
	for _, step := range []struct {
		to            status.Value
		revoked, held bool
	}{
		{status.Valid, false, false},
		{status.Suspended, false, true},
		{status.Valid, false, false},
		{status.Suspended, false, true},
		{status.Revoked, true, false},
	} {
		if _, err := h.registry.SetStatus(t.Context(), registry.Change{Credential: record.Credential, To: step.to, Reason: "other", By: "operator"}, theDay(t)); err != nil {
			t.Fatal(err)
		}
		revoked, first := position(t, h, status.Revocation, record)
		onHold, _ := position(t, h, status.Suspension, record)
		if revoked != step.revoked || onHold != step.held {
			t.Errorf("%v: revoked %v, suspended %v", step.to, revoked, onHold)
		}
		if _, again := position(t, h, status.Revocation, record); string(again.Token) != string(first.Token) || again.ETag != first.ETag {
			t.Errorf("%v: the list was signed again", step.to)
		}
	}
	_, before := position(t, h, status.Revocation, record)
	h.clock.set(theDay(t).Add(time.Hour))
	if _, after := position(t, h, status.Revocation, record); string(after.Token) == string(before.Token) {
		t.Error("an old list was not signed again")
	}
	h.clock.set(theDay(t).Add(-time.Hour)) // a clock that goes back
	if _, err := h.StatusList(t.Context(), record.List, status.Revocation); err == nil {
		t.Error("a list was signed before its key began")
	}
	h.clock.set(theDay(t))
	if before.MaxAge != issuer.ListMaxAge || before.MediaType != credentials.StatusListMediaType || before.ETag == "" {
		t.Errorf("%+v", before)
	}
}

// K2: a list is signed with the key of the moment, not with the one that signed
// the copy at hand.
func TestAListIsSignedWithTheNewKeyAtOnce(t *testing.T) {
	h := school(t)
	record := h.issue(t, h.row(t, goodRow))[0].Record
	position(t, h, status.Revocation, record)
	owner, err := issuer.OwnerOf(providers(t)[0])
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := h.Keys.Rotate(keys.Status, owner, h.clock.now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, published := position(t, h, status.Revocation, record)
	e, err := credentials.ParseCompact(published.Token, credentials.StatusListType)
	if err != nil || !e.Leaf().Equal(fresh.Certificate()) {
		t.Errorf("signed with the key of %v, %v", e.Leaf().Subject, err)
	}
	if _, err := h.Keys.Revoke(fresh.ID, h.clock.now(), h.clock.now()); err != nil {
		t.Fatal(err)
	}
	_, published = position(t, h, status.Revocation, record)
	if e, err = credentials.ParseCompact(published.Token, credentials.StatusListType); err != nil || e.Leaf().Equal(fresh.Certificate()) {
		t.Errorf("signed with a revoked key, %v", err)
	}
}

func TestAListThatIsNotThereIsNotFound(t *testing.T) {
	h := school(t)
	record := h.issue(t, h.row(t, goodRow))[0].Record
	for _, c := range []struct {
		list string
		p    status.Purpose
	}{{"NOPE", status.Revocation}, {record.List, "message"}, {record.List, ""}, {"", status.Revocation}, {"../x", status.Revocation}} {
		if _, err := h.StatusList(t.Context(), c.list, c.p); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%q for %q: %v", c.list, c.p, err)
		}
	}
}

// The list says nothing of whom it is about: two lists of the same size and
// state differ in nothing that a credential is known by.
func TestAPublishedListHoldsNoCredential(t *testing.T) {
	h := school(t)
	record := h.issue(t, h.row(t, goodRow))[0].Record
	published, err := h.StatusList(t.Context(), record.List, status.Revocation)
	if err != nil {
		t.Fatal(err)
	}
	e, err := credentials.ParseCompact(published.Token, credentials.StatusListType)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{record.Credential, record.Handle, record.Learner, "Esempio"} {
		if bytes.Contains(e.Payload(), []byte(text)) {
			t.Errorf("the list holds %s", text)
		}
	}
}
