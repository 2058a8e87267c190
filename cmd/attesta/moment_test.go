package main

import (
	"testing"
	"time"
)

// TestMoment reads what --at says: a day means its end in Rome, and today means
// now, as no day at all does.
func TestMoment(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct{ said, want string }{
		{"", ""},
		{"2026-11-22", ""},
		{"2026-11-21", "2026-11-21T23:59:59+01:00"},
		{"2026-07-01", "2026-07-01T23:59:59+02:00"},
		{"2026-10-25", "2026-10-25T23:59:59+01:00"}, // that day has 25 hours
		{"2026-11-23", "2026-11-23T23:59:59+01:00"},
		{"2026-03-14T10:00:00Z", "2026-03-14T10:00:00Z"},
	} {
		got, err := moment(c.said, now)
		if err != nil {
			t.Errorf("%q: %v", c.said, err)
		}
		if said := got.Format(time.RFC3339); got.IsZero() != (c.want == "") || c.want != "" && said != c.want {
			t.Errorf("%q means %s, want %q", c.said, said, c.want)
		}
	}
	for _, said := range []string{"14/03/2026", "2026-02-30", "2026-03-14T10:00:00", "yesterday"} {
		if _, err := moment(said, now); err == nil {
			t.Errorf("%q means something", said)
		}
	}
}
