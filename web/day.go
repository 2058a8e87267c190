package web

import (
	"net/http"
	"time"
)

// askedDay reads the day that a check is about, as a date field sends it. The
// end of that day counts, in the zone of the site. Nothing, and today, mean now,
// which is the zero time.
func (s *Site) askedDay(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	zone := s.Zone
	if zone == nil {
		zone = time.UTC
	}
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return time.Time{}, refusal{http.StatusBadRequest, "day"}
	}
	if s.Now().In(zone).Format(time.DateOnly) == text {
		return time.Time{}, nil
	}
	return day.AddDate(0, 0, 1).Add(-time.Second), nil
}
