package issuer_test

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"attesta/brief"
	"attesta/credentials"
	"attesta/intake"
	"attesta/keys"
	"attesta/status"
)

// Of every credential of the fixtures a compact QR can be made; it fits, says what
// the document says, and leads to the one list that says all of its status.
func TestBrief(t *testing.T) {
	h := school(t)
	tried := 0
	for _, o := range h.issue(t, h.completions(t, "completions_tot.csv", intake.ISO)) {
		if o.Record == nil {
			continue
		}
		tried++
		data, parsed := h.sealed(t, o.Record)
		address, err := h.Brief(t.Context(), *o.Record, data)
		if err != nil {
			t.Fatalf("%s: %v", o.RowID, err)
		}
		text, ok := brief.In([]byte(address))
		s, err := brief.Parse(text)
		if !ok || err != nil || len(address) > brief.MaxAddress || !strings.HasPrefix(address, "HTTPS://SCUOLA.EXAMPLE.ORG/C#AT1:") {
			t.Fatalf("%s: %d characters, %v", o.RowID, len(address), err)
		}
		if err := s.Verify(parsed.Envelope.Leaf()); err != nil {
			t.Fatalf("%s: %v", o.RowID, err)
		}
		b, v := s.Brief(), parsed.View()
		if b.ID != v.ID || b.Holder != v.HolderName || b.Digest != sha256.Sum256(parsed.Envelope.Payload()) || b.Provider != v.Issuer || !b.Issued.Equal(v.Issued) {
			t.Errorf("%s: %+v", o.RowID, b)
		}
		want := credentials.StatusEntry{Type: credentials.TokenStatusEntry, List: publicURL + "/status/" + o.Record.List, Index: v.Status[0].Index}
		if !slices.Equal(b.Status, []credentials.StatusEntry{want}) {
			t.Errorf("%s: %+v", o.RowID, b.Status)
		}
	}
	if tried < 20 {
		t.Fatalf("only %d credentials were tried", tried)
	}
}

// After a rotation the new key signs; a withdrawn credential, and one whose key is
// not here, gets none.
func TestBriefKey(t *testing.T) {
	h := school(t)
	one := h.issue(t, h.completions(t, "completions_tot.csv", intake.ISO)[:1])[0].Record
	data, parsed := h.sealed(t, one)
	key := h.ring.Chains(keys.Fingerprint(parsed.Envelope.Leaf())[:16])
	if len(key) != 1 {
		t.Fatal("the key of the seal is not in the ring")
	}
	all := h.ring.All()
	n := slices.IndexFunc(all, func(k *keys.Key) bool { return k.Certificate().Equal(parsed.Envelope.Leaf()) })
	p := providers(t)[slices.IndexFunc(providers(t), func(p credentials.Provider) bool { return p.ID == all[n].Owner })]
	owner, err := h.SealerOf(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	next, err := h.ring.Rotate(keys.Seal, owner, theDay(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	address, err := h.Brief(t.Context(), *one, data)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := brief.In([]byte(address))
	if s, err := brief.Parse(text); err != nil || s.Verify(next.Certificate()) != nil {
		t.Errorf("it is not signed with the new key: %v", err)
	}
	for _, withdrawn := range []status.Value{status.Revoked, status.Suspended} {
		other := *one
		other.Status = withdrawn
		if _, err := h.Brief(t.Context(), other, data); !errors.Is(err, brief.ErrUnfit) {
			t.Errorf("%s: %v", withdrawn, err)
		}
	}
	broken := slices.Clone(data)
	broken[len(broken)/2] ^= 1
	if _, err := h.Brief(t.Context(), *one, broken); err == nil {
		t.Error("it is made of bytes that nobody sealed")
	}
	if _, err := school(t).Brief(t.Context(), *one, data); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("without the key: %v", err)
	}
}
