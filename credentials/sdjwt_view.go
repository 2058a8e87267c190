package credentials

import (
	"regexp"
	"strings"
	"time"
)

// hoursForm is a duration as a View has it.
var hoursForm = regexp.MustCompile(`^PT([0-9]+H)?([0-9]+M)?$`)

// View reads what the token says, by the names of the European type for
// micro-credentials (urn:eu.europa.ec.eudi:learning:credential:1) and of OpenID
// Connect: what other types call otherwise is not shown, and neither is what the
// holder did not disclose. Call it on verified bytes only.
func (s *SDJWT) View() View {
	c := s.claims
	v := View{
		ID:    c.get("jti").scalar(),
		Title: plain(c.get("achievement_title").scalar()), Description: plain(c.get("achievement_description").scalar()),
		HolderName:     strings.TrimSpace(c.get("given_name").scalar() + " " + c.get("family_name").scalar()),
		BirthDateGiven: c.get("birthdate").present(), NationalIDGiven: c.get("personal_administrative_number").present(),
		Issued: dayOf(c.get("date_of_issuance")), ValidFrom: secondsOf(c.get("nbf")), ValidUntil: secondsOf(c.get("exp")),
		Quality: s.lines("types_of_quality_assurance"), Requires: s.lines("prerequisites_to_enroll"),
		AwardedBy: plain(c.get("issuing_authority").scalar()),
	}
	if s.NamesIssuer() {
		v.IssuerURL = s.Issuer // any other address is nobody's word but its own
	}
	if len(v.Title) == 0 {
		v.Title = plain(s.Kind)
	}
	if signed := secondsOf(c.get("iat")); !signed.IsZero() {
		// Wallets are given the same credential anew, with a new iat.
		if v.ValidFrom.IsZero() {
			v.ValidFrom = signed
		}
		if v.Issued.IsZero() {
			v.Issued = signed
		}
	}
	if last, _ := s.lastDay(); !last.IsZero() {
		v.ValidUntil = earliest(v.ValidUntil, last)
	}
	if country := c.get("issuing_country").scalar(); country != "" {
		v.Country = Concept{Label: plain(country)}
	}
	if level := c.get("level_of_learning_experience").scalar(); len(level) == 1 && level >= "1" && level <= "8" {
		v.Level = &Concept{URI: eqfPrefix + level, Label: Text{"it": "Livello " + level, "en": "Level " + level}}
	}
	if hours := c.get("expected_study_time").scalar(); len(hours) > 2 && hoursForm.MatchString(hours) {
		v.Hours = hours
	}
	for n := range c.get("language_of_classes").every() {
		v.Language = append(v.Language, Concept{Label: plain(n.scalar())})
	}
	for n := range c.get("learning_outcomes").every() {
		v.Outcomes = append(v.Outcomes, OutcomeView{Title: plain(n.scalar())})
	}
	if grade := c.get("assessment_grade").scalar(); grade != "" {
		v.Assessments = []AssessmentView{{Grade: plain(grade)}}
	}
	v.Status = s.status()
	return v
}

// EndsUnread tells whether the token states a last day, beside exp, in a way that
// is not read here.
func (s *SDJWT) EndsUnread() bool {
	_, read := s.lastDay()
	return !read
}

// lastDay is the end of the last day that the token states beside exp, by the
// names that European types have for it, and whether what it states is read: a
// day, or a moment.
func (s *SDJWT) lastDay() (last time.Time, read bool) {
	for _, name := range []string{"date_of_expiry", "expiry_date"} {
		n := s.claims.get(name)
		if !n.present() {
			continue
		}
		until, err := time.Parse(time.RFC3339, n.scalar())
		if day := dayOf(n); err != nil && !day.IsZero() {
			until, err = day.AddDate(0, 0, 1).Add(-time.Second), nil
		}
		if err != nil {
			return time.Time{}, false
		}
		last = earliest(last, until)
	}
	return last, true
}

// status is where the token says that its status is published. A status that is
// not understood is kept with its type empty, so that it is seen, also beside one
// that is.
func (s *SDJWT) status() (entries []StatusEntry) {
	published := s.claims.get("status")
	if list := published.get("status_list"); list.present() {
		entries = append(entries, tokenEntry(list))
	}
	if published.present() && (entries == nil || len(published.members()) > 1) || s.claims.get("credentialStatus").present() {
		entries = append(entries, StatusEntry{})
	}
	return entries
}

// HolderData returns the birth date and the national number that the holder
// discloses, as that of Parsed does.
func (s *SDJWT) HolderData() (born Date, numbers []string) {
	if day := dayOf(s.claims.get("birthdate")); !day.IsZero() {
		born = Date(day.Format(time.DateOnly))
	}
	if number := s.claims.get("personal_administrative_number").scalar(); number != "" {
		numbers = []string{number}
	}
	return born, numbers
}

// lines is a claim of one text or several, one in a line.
func (s *SDJWT) lines(name string) Text {
	var all []string
	for n := range s.claims.get(name).every() {
		if text := n.scalar(); text != "" {
			all = append(all, text)
		}
	}
	return plain(strings.Join(all, "\n"))
}

// plain is a text of which nobody says in which language it is.
func plain(text string) Text {
	if text == "" {
		return nil
	}
	return Text{"und": text}
}

// dayOf reads a day, the zero time where there is none.
func dayOf(n node) time.Time {
	day, err := time.Parse(time.DateOnly, n.scalar())
	if err != nil {
		return time.Time{}
	}
	return day
}
