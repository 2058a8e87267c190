package accreditation

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
)

func rome(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// theMoment is when the lists of these tests are read.
func theMoment(t testing.TB) time.Time { return time.Date(2026, 11, 21, 9, 30, 0, 0, rome(t)) }

const (
	coop    = "VATIT-00000000002"
	school  = "VATIT-00000000001"
	regione = "VATIT-00000000099"
)

// aList has a cooperative whose accreditation ended, which was suspended once
// and changed its name, and a centre with limits.
func aList(t testing.TB) *List {
	t.Helper()
	now := theMoment(t).UTC()
	return &List{
		ID: "https://regione.example.org/accreditati", Authority: Authority{Name: "Regione Esempio", LegalID: regione, Country: "IT"},
		Sequence: 7, Issued: now.Add(-time.Hour), NextUpdate: now.AddDate(0, 0, 30),
		Providers: []Provider{
			{
				LegalIDs: []string{coop, "NTRIT-MI-1234567"},
				Names:    []Name{{Name: "Cooperativa Brianza Esempio"}, {"Formazione Brianza Esempio", "2025-05-01"}},
				SealedBy: []string{"VATIT-00000000077"},
				Accreditations: []Accreditation{{
					Register: "Albo regionale di esempio – sezione B", Number: "ESEMPIO-0002", Link: "https://regione.example.org/albo/2",
					From: "2023-01-01", Until: "2026-06-30",
					Suspended: []Suspension{{From: "2024-03-01", Until: "2024-03-31", Reason: "documenti mancanti"}},
				}},
			},
			{
				LegalIDs: []string{"VATIT-00000000003"}, Names: []Name{{Name: "CFP Lago Chiaro"}},
				Accreditations: []Accreditation{
					{Register: "Albo", Number: "1", From: "2025-01-01", MaxEQF: 4, Fields: []string{"04", "0611"}, Regions: []string{"ITC4"}},
				},
			},
		},
	}
}

// authority is somebody with a key whose certificate has a legal identifier.
type authority struct {
	key   *keys.Key
	trust keys.Trust
}

func newAuthority(t testing.TB, id string) authority {
	t.Helper()
	dir := t.TempDir()
	ring, err := keys.Open(filepath.Join(dir, "keys"), filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	start := theMoment(t).AddDate(-1, 0, 0)
	if _, err := ring.EnsureAuthority(keys.Owner{ID: "authority", Name: "Regione Esempio", LegalID: id, Country: "IT"}, start); err != nil {
		t.Fatal(err)
	}
	ring.Now = func() time.Time { return theMoment(t) }
	k, err := ring.Current(keys.Accreditation, "authority", theMoment(t))
	if err != nil {
		t.Fatal(err)
	}
	root := k.Chain()[len(k.Chain())-1]
	return authority{k, keys.Trust{Anchors: []keys.Anchor{{Name: "Regione", Level: keys.Advanced, Certificate: root}}}}
}

func sealed(t testing.TB, l *List, a authority) []byte {
	t.Helper()
	token, err := Seal(l, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// claims seals what is no list that Seal would write.
func claims(t testing.TB, payload string, a authority) []byte {
	t.Helper()
	token, err := credentials.SealCompact(Type, json.RawMessage(payload), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func asJSON(t testing.TB, l *List) string {
	t.Helper()
	raw, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
