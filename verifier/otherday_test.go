package verifier

import (
	"strings"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/status"
)

// The question may be about another day. The lists speak of today: of another
// day they tell only what cannot have changed since.
func TestVerdictsAsOfAnotherDay(t *testing.T) {
	for _, c := range []struct {
		name    string
		days    int
		revoked bool
		held    bool
		end     bool // the module ends after a month
		verdict Verdict
		reason  string
	}{
		{"the day after it was sealed, today still good", -9, false, false, false, Valid, "valid"},
		{"before it was sealed", -20, false, false, false, NotValid, "validity_not_yet"},
		{"then, revoked today", -9, true, false, false, CannotTell, "status_revoked_since"},
		{"then, suspended today", -9, false, true, false, CannotTell, "status_suspended_since"},
		{"today, revoked", 0, true, false, false, NotValid, "status_revoked"},
		{"in a year, revoked today", 365, true, false, false, NotValid, "status_revoked"},
		{"in a year, good today", 365, false, false, false, CannotTell, "status_not_yet"},
		{"in a year, suspended today", 365, false, true, false, CannotTell, "status_not_yet"},
		{"in a year, when it will have ended", 365, false, false, true, NotValid, "validity_expired"},
	} {
		h := newHouse(t)
		today := h.now
		h.now = today.AddDate(0, 0, -10)
		h.award.CompletedOn = credentials.Date(h.now.Format(time.DateOnly))
		if months := 1; c.end {
			h.award.Module.ValidityMonths = &months
		}
		sealed := h.seal(h.document())
		h.now = today
		h.publishAll()
		if c.revoked {
			h.publish(status.Revocation, h.list(status.Revocation, position))
		}
		if c.held {
			h.publish(status.Suspension, h.list(status.Suspension, position))
		}
		r := h.verifyAt(sealed, today.AddDate(0, 0, c.days))
		if r.Verdict != c.verdict || r.Reason != c.reason {
			t.Errorf("%s: %s because of %s", c.name, r.Verdict, r.Reason)
		}
		if !r.CheckedAt.Equal(today) || !r.At.Equal(today.AddDate(0, 0, c.days)) {
			t.Errorf("%s: checked %v as of %v", c.name, r.CheckedAt, r.At)
		}
	}
}

// A list of now, asked about a day in the past, says what it can know: that the
// credential was not revoked, and of a suspension only where there can be none.
func TestWhatAListTellsOfThePast(t *testing.T) {
	for name, c := range map[string]struct {
		entries string // "" for those of the house
		width   int
		want    string
	}{
		"two lists, one of suspensions": {"", 2, "status_not_revoked_then"},
		"revocations alone":             {`[{"type":"BitstringStatusListEntry","statusPurpose":"revocation","statusListIndex":"4711","statusListCredential":"` + listURL(status.Revocation) + `"}]`, 2, "status_valid_then"},
		"a token list of two bits":      {`{"status_list":{"idx":4711,"uri":"` + tokenURL + `"}}`, 2, "status_not_revoked_then"},
		"a token list of one bit":       {`{"status_list":{"idx":4711,"uri":"` + tokenURL + `"}}`, 1, "status_valid_then"},
	} {
		h := newHouse(t)
		text := string(h.document())
		if c.entries != "" {
			from := strings.Index(text, `"status":[`)
			end := from + strings.Index(text[from:], "]") + 1
			text = text[:from] + `"status":` + c.entries + text[end:]
		}
		sealed := h.seal(credentials.Document(text))
		h.now = h.now.AddDate(0, 0, 10)
		h.publishAll()
		h.publishToken(credentials.TokenListType, h.key(keys.Status), h.tokenList(c.width, nil))
		for at, want := range map[time.Time]string{h.now.AddDate(0, 0, -5): c.want, h.now: "status_valid", {}: "status_valid"} {
			r := h.verifyAt(sealed, at)
			if check := r.Find(CheckStatus); r.Verdict != Valid || check.Reason != want || check.Outcome != Pass {
				t.Errorf("%s: %s, %s; want %s", name, r.Verdict, check.Reason, want)
			}
		}
		if r := h.verifyAt(sealed, h.now.AddDate(0, 0, 5)); r.Reason != "status_not_yet" {
			t.Errorf("%s: of a day to come %s", name, r.Reason)
		}
	}
}

// What says that it holds from before its seal did not hold before its seal.
func TestBeforeItsSeal(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	sealed := h.seal(h.changed(h.document(), `"validFrom":"2026-11-21T`, `"validFrom":"2026-01-01T`))
	for days, want := range map[int]string{-400: "validity_not_yet", -100: "validity_sealed_later", -1: "validity_sealed_later", 0: "valid"} {
		if r := h.verifyAt(sealed, h.now.AddDate(0, 0, days)); r.Reason != want {
			t.Errorf("%d days: %s, want %s", days, r.Reason, want)
		}
	}
}

// Without a network nobody can know whether it was revoked.
func TestOfflineIsNeverValidWhereAStatusIsPublished(t *testing.T) {
	h := newHouse(t)
	offline := New(Config{Trust: func() keys.Trust { return h.trust }, Now: func() time.Time { return h.now }})
	for text, want := range map[string]Verdict{`"status":`: CannotTell, `"statuss":`: Valid} {
		r, err := offline.Verify(t.Context(), h.seal(h.changed(h.document(), `"status":`, text)))
		if err != nil || r.Verdict != want {
			t.Errorf("%s: %v, %s because of %s", text, err, r.Verdict, r.Reason)
		}
	}
}
