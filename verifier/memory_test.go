package verifier

import (
	"context"
	"fmt"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/status"
)

// S5: once a newer list was seen, an older one takes nothing back. While the
// newer may be relied on it counts beside the old one; after that nobody can
// tell. A verifier that saw nothing cannot know: the control.
func TestAnOldListTakesNothingBack(t *testing.T) {
	for _, kind := range []string{"bitstring", "token"} {
		h := newHouse(t)
		var sealed []byte
		publish := func(at time.Time, set bool) {
			now := h.now
			h.now = at
			defer func() { h.now = now }()
			if kind == "token" {
				values := map[uint32]status.Value{}
				if set {
					values[position] = status.Revoked
				}
				h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(2, values))
				return
			}
			l := h.list(status.Revocation)
			if set {
				l = h.list(status.Revocation, position)
			}
			l.Subject.TTL = 300_000
			h.publish(status.Revocation, l)
		}
		start := h.now
		if kind == "token" {
			sealed = h.sealedToken("4711")
		} else {
			sealed = h.seal(h.document())
			h.publish(status.Suspension, h.list(status.Suspension))
		}
		v := h.verifier()
		step := func(what string, after time.Duration, made time.Duration, set bool, want string) {
			t.Helper()
			h.now = start.Add(after)
			publish(start.Add(made), set)
			r, err := v.Verify(t.Context(), sealed)
			if err != nil || r.Reason != want {
				t.Errorf("%s, %s: %v, %s; want %s", kind, what, err, r.Reason, want)
			}
			if want == "status_stale" && made < after { // the control
				if r := h.verify(sealed); r.Reason != "valid" {
					t.Errorf("%s, %s: who saw nothing says %s", kind, what, r.Reason)
				}
			}
		}
		step("at first", 0, 0, false, "valid")
		step("revoked", 10*time.Minute, 10*time.Minute, true, "status_revoked")
		step("the old list again", 11*time.Minute, 0, false, "status_revoked")
		step("the old list again, later", 16*time.Minute, 0, false, "status_stale")
		step("the new list again", 17*time.Minute, 10*time.Minute, true, "status_revoked")
		step("one still newer", 20*time.Minute, 20*time.Minute, false, "valid")
		step("of another server, signed a little before", 21*time.Minute, 19*time.Minute, false, "valid")
		step("the same again", 22*time.Minute, 20*time.Minute, false, "valid")
		step("the clock set back", 2*time.Minute, 20*time.Minute, false, "status_stale")
	}
}

// What is remembered is bounded, and forgetting lists keeps their days.
func TestMemoryIsBounded(t *testing.T) {
	m := &memory{known: map[string]*remembered{}}
	now := theMoment(t)
	blob := make([]byte, 1<<20)
	list := func(n int) *publishedList {
		return &publishedList{token: blob, bits: status.NewBitstring(0), from: now.Add(time.Duration(n) * time.Second), until: now.AddDate(1, 0, 0)}
	}
	for n := range 40 {
		if newer, err := m.take(fmt.Sprint("place", n), list(n), now); newer != nil || err != nil {
			t.Fatal(newer, err)
		}
	}
	if m.bytes > knownListBytes || len(m.known) != 40 {
		t.Errorf("%d bytes, %d places", m.bytes, len(m.known))
	}
	if _, err := m.take("place0", list(-1), now); err == nil {
		t.Error("an old list is taken for a new one once the newer is forgotten")
	}
	blob = nil
	for n := range knownLists + 10 {
		if _, err := m.take(fmt.Sprint("other", n), list(n), now); err != nil {
			t.Fatal(err)
		}
	}
	total := 0
	for _, r := range m.known {
		if r.list != nil {
			total += r.list.size()
		}
	}
	if len(m.known) > knownLists || m.bytes > knownListBytes || m.bytes != total {
		t.Errorf("%d places, %d bytes, really %d", len(m.known), m.bytes, total)
	}
}

// Nothing that is remembered outlives the trust it was found under, nor the
// certificates.
func TestTrustIsAskedEveryTime(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	sealed := h.seal(h.document())
	v := h.verifier()
	good := h.trust
	check := func(what, want string) {
		t.Helper()
		r, err := v.Verify(context.Background(), sealed)
		if err != nil || r.Reason != want {
			t.Errorf("%s: %v, %s; want %s", what, err, r.Reason, want)
		}
	}
	check("at first", "valid")
	check("again", "valid")
	h.trust = keys.Trust{}
	check("nobody is trusted", "issuer_unrecognised")
	h.trust = newHouse(t).trust
	check("somebody else is trusted", "issuer_unrecognised")
	h.trust = good
	check("trusted again", "valid")
	anchor := good.Anchors[0]
	for key, want := range map[keys.Purpose]string{keys.Seal: "issuer_key_revoked_since", keys.Status: "status_list_untrusted"} {
		anchor.Revoked = []keys.RevokedKey{{Certificate: keys.Fingerprint(h.key(key).Certificate()), Since: h.now.Add(time.Minute)}}
		h.trust = keys.Trust{Anchors: []keys.Anchor{anchor}}
		check("a key no longer counts", want)
	}
	anchor.Revoked, anchor.Periods = nil, []keys.Period{{From: h.now.AddDate(-3, 0, 0), Until: h.now.AddDate(-2, 0, 0)}}
	h.trust = keys.Trust{Anchors: []keys.Anchor{anchor}}
	check("the anchor vouches no more", "issuer_unrecognised")
	h.trust = good
	check("trusted again", "valid")
	for n := range sealed {
		if n%97 != 0 {
			continue
		}
		bad := append([]byte(nil), sealed...)
		bad[n] ^= 1
		if r, err := v.Verify(context.Background(), bad); err == nil && r.Verdict == Valid && r.Find(CheckSeal).Outcome == Pass && string(bad) != string(sealed) {
			e, err := credentials.Parse(bad)
			if err != nil || e.Envelope.Verify() != nil {
				t.Fatalf("byte %d: valid with a seal that does not hold", n)
			}
		}
	}
	h.now = h.now.AddDate(6, 0, 0)
	check("the certificates have ended", "issuer_certificate_ended")
}
