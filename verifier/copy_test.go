package verifier

import (
	"context"
	"testing"
	"time"

	"attesta/keys"
	"attesta/status"
)

// A copy grows old (S5). What it said when it was made is said beside "cannot
// tell", and only where that helps; what was revoked stays revoked.
func TestVerdictsByACopy(t *testing.T) {
	for _, c := range []struct {
		name            string
		days            int // since the copy was made
		set             status.Purpose
		last            bool // the lists count for ten years
		sealedLater     bool
		verdict         Verdict
		reason          string
		then            Verdict
		thenReason      string
		missing, broken bool
	}{
		{name: "fresh", verdict: Valid, reason: "valid"},
		{name: "fresh, revoked", set: status.Revocation, verdict: NotValid, reason: "status_revoked"},
		{name: "old", days: 30, verdict: CannotTell, reason: "status_stale", then: Valid, thenReason: "valid"},
		{name: "old, revoked", days: 30, set: status.Revocation, verdict: NotValid, reason: "status_revoked"},
		{name: "old, suspended", days: 30, set: status.Suspension, verdict: CannotTell, reason: "status_stale", then: NotValid, thenReason: "status_suspended"},
		{name: "old, sealed after it was made", days: 30, sealedLater: true, verdict: CannotTell, reason: "status_stale"},
		{name: "old, without the lists", days: 30, missing: true, verdict: CannotTell, reason: "status_unreachable"},
		{name: "old, changed", days: 30, broken: true, verdict: NotValid},
		{name: "old, with last lists", days: 1400, last: true, verdict: Valid, reason: "valid"},
		{name: "old, with last lists, revoked", days: 1400, last: true, set: status.Revocation, verdict: NotValid, reason: "status_revoked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			made := h.now
			if c.sealedLater {
				h.now = made.AddDate(0, 0, 10)
			}
			sealed := h.seal(h.document())
			h.now = made
			for _, p := range []status.Purpose{status.Revocation, status.Suspension} {
				l := h.list(p)
				if p == c.set {
					l = h.list(p, position)
				}
				if c.last {
					until := made.AddDate(10, 0, 0)
					key, err := h.ring.Last(h.key(keys.Status), made, until)
					if err != nil {
						t.Fatal(err)
					}
					l.ValidUntil = until.UTC().Format(time.RFC3339)
					h.publishWith(key, p, l)
					continue
				}
				h.publish(p, l)
			}
			if c.missing {
				h.lists.at = nil
			}
			if c.broken {
				sealed = append(sealed[:len(sealed)-3], sealed[len(sealed)-2:]...)
			}
			h.now = made.AddDate(0, 0, c.days)
			r, then, err := h.verifier().VerifyCopy(context.Background(), sealed, time.Time{}, made)
			if err != nil {
				t.Fatal(err)
			}
			if c.broken {
				if r.Verdict != NotValid || then != nil {
					t.Errorf("%s because of %s, then %+v", r.Verdict, r.Reason, then)
				}
				return
			}
			if r.Verdict != c.verdict || r.Reason != c.reason || !r.CheckedAt.Equal(h.now) || !r.At.Equal(h.now) {
				t.Errorf("%s because of %s, checked %v as of %v", r.Verdict, r.Reason, r.CheckedAt, r.At)
			}
			switch {
			case then == nil && c.then != "":
				t.Error("nothing is said of then")
			case then != nil && (then.Verdict != c.then || then.Reason != c.thenReason || !then.CheckedAt.Equal(made)):
				t.Errorf("then: %s because of %s, checked %v", then.Verdict, then.Reason, then.CheckedAt)
			}
		})
	}
}
