package web

import (
	"regexp"
	"strconv"
	"time"

	"attesta/verifier"
)

// local gives the zone in which a moment is shown: one that was written with
// an offset keeps the day that its writer saw, one in UTC gets the zone of the
// site.
func (p Page) local(t time.Time) time.Time {
	if _, offset := t.Zone(); offset == 0 {
		return t.In(p.zone)
	}
	return t
}

// day writes a date as people say it: 29 maggio 2026.
func (p Page) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = p.local(t)
	return verifier.Day(t, p.Lang)
}

// moment writes a date and a time of day in the zone of the site.
func (p Page) moment(t time.Time) string {
	t = t.In(p.zone)
	return p.T("moment", "day", p.day(t), "time", t.Format("15:04"))
}

// dayOf writes the day in a fact of a report, which is a day or a moment, or
// "" when it is neither.
func (p Page) dayOf(fact string) string {
	if t, err := time.ParseInLocation(time.DateOnly, fact, p.zone); err == nil {
		return p.day(t)
	}
	if t, err := time.Parse(time.RFC3339, fact); err == nil {
		return p.day(t)
	}
	return ""
}

// period is the part of an ISO 8601 duration that a workload uses.
var period = regexp.MustCompile(`^PT(?:(\d{1,5})H)?(?:(\d{1,2})M)?$`)

// effort writes a duration such as PT32H as 32 ore. What it does not
// understand is shown as it was written.
func (p Page) effort(iso string) string {
	m := period.FindStringSubmatch(iso)
	if m == nil || m[1] == "" && m[2] == "" {
		return visible(iso)
	}
	hours, minutes := p.number("hour", m[1]), p.number("minute", m[2])
	switch {
	case minutes == "":
		return hours
	case hours == "":
		return minutes
	}
	return p.T("effort.both", "hours", hours, "minutes", minutes)
}

// number writes digits with their unit, or "" when there are none.
func (p Page) number(unit, digits string) string {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return ""
	}
	if n == 1 {
		return p.T(unit + ".one")
	}
	return p.T(unit+".other", "n", strconv.Itoa(n))
}
