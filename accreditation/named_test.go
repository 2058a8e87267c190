package accreditation

import (
	"testing"
	"time"

	"attesta/credentials"
)

// TestTwoProvidersInOneQuestion: who may seal for one provider cannot by its
// identifier seal for another one that is named beside it.
func TestTwoProvidersInOneQuestion(t *testing.T) {
	now := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	granted := []Accreditation{{Register: "R", Number: "1", From: "2026-01-01"}}
	ls := NewLists(time.UTC, &List{
		ID: "urn:list", NextUpdate: now.AddDate(0, 1, 0),
		Providers: []Provider{
			{LegalIDs: []string{"VATIT-1", "NTRIT-1"}, Names: []Name{{Name: "One"}}, SealedBy: []string{"VATIT-9"}, Accreditations: granted},
			{LegalIDs: []string{"VATIT-2"}, Names: []Name{{Name: "Two"}}, Accreditations: granted},
		},
	})
	for _, c := range []struct {
		ids  []string
		want bool
	}{
		{[]string{"VATIT-1"}, true},
		{[]string{"VATIT-7", "NTRIT-1", "VATIT-1"}, true},
		{[]string{"VATIT-1", "VATIT-2"}, false},
		{[]string{"VATIT-2", "VATIT-1"}, false},
	} {
		day := credentials.Date("2026-03-14")
		a, known := ls.Ask(Question{LegalIDs: c.ids, Sealer: "VATIT-9"}, day, day, now)
		if !known || a.MaySeal != c.want {
			t.Errorf("%v: known %v, may seal %v", c.ids, known, a.MaySeal)
		}
	}
}
