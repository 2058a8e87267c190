package web

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"attesta/verifier"
)

// accredited is a world whose reports say something of the accreditation.
func accredited(outcome verifier.Outcome, reason string, verdict verifier.Verdict, facts map[string]string) *world {
	w := newWorld()
	w.report = func(b []byte) (verifier.Report, error) {
		r, err := judge(b)
		i := slices.IndexFunc(r.Checks, func(c verifier.Check) bool { return c.ID == "accreditation" })
		r.Checks[i] = verifier.Check{ID: "accreditation", Outcome: outcome, Reason: reason, Facts: facts}
		if r.Verdict = verdict; verdict == verifier.NotValid {
			r.Reason = reason
		}
		return r, err
	}
	return w
}

// Whether the provider was accredited then and is today stands under who vouches
// for it, with the place where it can be looked up: as text, for it is not ours.
func TestThePageSaysWhoAccredits(t *testing.T) {
	facts := map[string]string{
		"name": "CFP Lago Chiaro", "authority": "Regione Esempio", "register": "Albo, sezione B", "number": "ESEMPIO-0001",
		"link": "https://regione.example.org/albo/1", "list": "urn:example:albo", "sequence": "7", "listed": "2026-11-20T10:00:00Z",
		"then": "2026-05-29T00:00:00+02:00", "since": "2026-06-30T00:00:00+02:00",
	}
	for _, c := range []struct {
		outcome verifier.Outcome
		reason  string
		verdict verifier.Verdict
		lang    string
		want    []string
		not     string
	}{
		{verifier.Pass, "accreditation_ended", verifier.Valid, "it", []string{
			"era accreditato quando ha rilasciato l’attestato (29 maggio 2026): sì; oggi: no, l’accreditamento è finito il 30 giugno 2026.",
			"Albo, sezione B, n. ESEMPIO-0001 · https://regione.example.org/albo/1 · elenco n. 7 di Regione Esempio, 20 novembre 2026",
		}, "non lo abbiamo potuto confermare"},
		{verifier.Pass, "accreditation_then_and_now", verifier.Valid, "en", []string{"and is today: Regione Esempio says so.", "list no. 7 of Regione Esempio"}, "could not confirm it"},
		{verifier.Unknown, "accreditation_ended_unproven", verifier.Valid, "it", []string{"Valido", "lo dice solo il sigillo", "non lo abbiamo potuto confermare"}, "Non valido"},
		{verifier.Fail, "accreditation_not_then", verifier.NotValid, "it", []string{"Non valido: l’ente non era accreditato quando lo ha rilasciato", "NON era accreditato", "Che cosa fare. Non accettarlo come prova."}, "non lo abbiamo potuto confermare"},
		{verifier.Fail, "accreditation_suspended_then", verifier.NotValid, "en", []string{"Not valid: the accreditation of the provider was suspended when it issued it"}, ""},
	} {
		_, r := newSite(t, accredited(c.outcome, c.reason, c.verdict, facts))
		page := ask(r, "GET", "/v/"+handleValid+"?lang="+c.lang, nil).Body.String()
		for _, want := range c.want {
			if !strings.Contains(text(page), want) {
				t.Errorf("%s: no %q in %s", c.reason, want, text(page))
			}
		}
		if c.not != "" && strings.Contains(text(page), c.not) {
			t.Errorf("%s: says %q", c.reason, c.not)
		}
		if strings.Contains(page, `href="https://regione.example.org`) {
			t.Errorf("%s: links to where a list says", c.reason)
		}
	}
	for _, payload := range payloads {
		hostile := maps.Clone(facts)
		for name := range hostile {
			hostile[name] = payload
		}
		_, r := newSite(t, accredited(verifier.Pass, "accreditation_ended", verifier.Valid, hostile))
		page := ask(r, "GET", "/v/"+handleValid, nil).Body.String()
		for _, bad := range []string{"<script", "<img src=x", "href=\"javascript", "\u202E", "\x00"} {
			if strings.Contains(page, bad) {
				t.Errorf("%q gives %q", payload, bad)
			}
		}
		wellFormed(t, "/v/"+handleValid, page)
	}
}
