package issuer_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"attesta/brief"
	"attesta/credentials"
	"attesta/intake"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
	"attesta/verifier"
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

// wholly answers for the token lists of an installation too.
type wholly struct{ own }

func (w wholly) Fetch(ctx context.Context, address string, origins []string) ([]byte, error) {
	if list := strings.TrimPrefix(address, publicURL+"/status/"); !strings.Contains(list, "/") {
		p, err := w.TokenList(ctx, list)
		return p.Token, err
	}
	return w.own.Fetch(ctx, address, origins)
}

// judgeBrief judges the compact QR of a record as this installation does.
func (h *house) judgeBrief(t *testing.T, r registry.Record) verifier.Report {
	t.Helper()
	data, _ := h.sealed(t, &r)
	address, err := h.Brief(t.Context(), r, data)
	if err != nil {
		t.Fatal(err)
	}
	chain := h.ring.All()[0].Chain()
	root := keys.Anchor{Name: "casa", Level: keys.Demonstration, Certificate: chain[len(chain)-1]}
	v := verifier.New(verifier.Config{
		Trust: func() keys.Trust { return keys.Trust{Anchors: []keys.Anchor{root}} },
		Now:   h.clock.now, Fetcher: wholly{own{h}}, Certificates: h.ring.Chains,
	})
	report, err := v.Verify(t.Context(), []byte(address))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// What a platform sealed by mandate says so in the compact QR too, and who has got
// another name since signs with that one.
func TestBriefOfOthers(t *testing.T) {
	h := mandated(t, "2026-01-01", "2026-12-31")
	r := h.judgeBrief(t, *h.issue(t, h.row(t, cfpRow))[0].Record)
	by, _ := r.Summary.AwardedBy.In("it")
	if r.Verdict != verifier.Valid || by != "CFP Lago Chiaro (ente di fantasia)" || r.Credential.Issuer != "Piattaforma degli Esempi" {
		t.Errorf("by mandate: %s %s, awarded by %q, sealed by %q", r.Verdict, r.Reason, by, r.Credential.Issuer)
	}

	h = emptyHouse(t, theDay(t))
	h.admit(t, providers(t))
	before := h.issue(t, h.row(t, cfpRow))[0].Record
	p, _ := h.change(t, renamed)
	h.clock.set(theDay(t).Add(time.Hour))
	h.rotate(t, p)
	h.clock.set(theDay(t).AddDate(0, 0, 2))
	if r := h.judgeBrief(t, *before); r.Verdict != verifier.Valid || r.Credential.Issuer != "Centro Nuovo" {
		t.Errorf("after a rename: %s %s, sealed by %q", r.Verdict, r.Reason, r.Credential.Issuer)
	}
}
