package verifier

import (
	"strings"
	"testing"

	"attesta/credentials"
)

func anAccreditation() *credentials.Accreditation {
	return &credentials.Accreditation{
		Register: "Albo", Number: "1", ValidFrom: "2025-01-01", ValidUntil: "2030-12-31",
		ID: "https://albo.example.org/1", Type: "http://data.europa.eu/snb/accreditation/003293d2ce",
		Title: credentials.Text{"it": "Licenza", "en": "Licence"},
		Agent: &credentials.Body{Name: credentials.Text{"it": "Regione Esempio", "en": "Example Region"}, Country: "ITA"},
	}
}

// An accreditation that a credential claims is said to be claimed: never to be
// missing, never to be checked, and it decides nothing.
func TestAClaimedAccreditation(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	h.award.Module.Accreditation = anAccreditation()
	r := h.verify(h.seal(h.document()))
	c := r.Find(CheckAccreditation)
	if r.Verdict != Valid || c.Outcome != Unknown || c.Reason != "accreditation_claimed" {
		t.Fatalf("%s, %+v", r.Verdict, c)
	}
	found, todo := Words(c, "it")
	if found != "L’attestato dichiara un accreditamento (Regione Esempio). Qui non c’è un registro con cui controllarlo." || !strings.Contains(todo, "albo della regione") {
		t.Errorf("%s %s", found, todo)
	}
	for want, a := range map[string]*credentials.AccreditationView{
		"Ente":                    {ID: "https://x", Title: credentials.Text{"en": "Licence"}, Agent: credentials.Text{"und": "Ente"}},
		"Licence":                 {ID: "https://x", Title: credentials.Text{"en": "Licence"}},
		"https://x":               {ID: "https://x"},
		"–":                       {},
		"accreditation_not_known": nil,
	} {
		j := &judgement{}
		j.accreditation(credentials.View{Accreditation: a})
		if c := j.report.Checks[0]; c.Facts["register"] != want && c.Reason != want || c.Outcome != Unknown {
			t.Errorf("%s: %+v", want, c)
		}
	}
}
