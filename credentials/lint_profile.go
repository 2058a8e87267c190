package credentials

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// profiles checks what the profiles Accredited and Issued by mandate ask for
// beside the generic one. Their shapes bind every evidence in the document.
func (l *linter) profiles() {
	accredited := l.profile(profileAccredited, schemaAccredited)
	mandated := l.profile(profileMandate, schemaMandate)
	evidence := l.doc.get("evidence")
	l.need(!accredited && !mandated || evidence.count() > 0, "S22", clauseAP, "/evidence",
		"the profile asks for an evidence", "il profilo chiede una prova (evidence)")
	for i := range evidence.count() {
		e := l.all.resolve(evidence.nth(i))
		path := fmt.Sprintf("/evidence[%d]", i)
		if accredited {
			l.need(e.get("accreditation").count() == 1, "S23", clauseAccredited, path+"/accreditation",
				"each evidence has exactly one accreditation", "ogni prova (evidence) ha esattamente un accreditamento")
		}
		statement, plain := e.get("evidenceStatement").str()
		if mandated {
			l.need(plain && statement != "", "S24", clauseMandate, path+"/evidenceStatement",
				"each evidence has one statement, a plain text", "ogni prova (evidence) ha una dichiarazione, in testo semplice")
		}
		l.accreditation(path+"/accreditation", l.all.resolve(e.get("accreditation")))
	}
	if accredited {
		claims := l.doc.at("credentialSubject", "hasClaim")
		l.need(claims.count() == 1 && l.all.resolve(claims.nth(0)).get("type").text() == "LearningAchievement", "S23", clauseAccredited, "/credentialSubject/hasClaim",
			"an accredited credential has exactly one claim, an achievement", "una credenziale accreditata ha esattamente un’attestazione, un risultato")
	}
}

// profile tells whether a profile is that of the document. Its concept and its
// schema go together; other software writes one alone.
func (l *linter) profile(concept, schema string) bool {
	named, checked := false, false
	for n := range l.doc.get("credentialProfiles").every() {
		c, _ := l.all.bare(n)
		named = named || c.URI == concept
	}
	for s := range l.doc.get("credentialSchema").every() {
		checked = checked || s.get("id").text() == schema
	}
	if named != checked {
		l.report(l.ours(), "S22", clauseAP, "/credentialProfiles",
			"the profile "+concept+" and the schema "+schema+" go together", "il profilo "+concept+" e lo schema "+schema+" vanno insieme")
	}
	return named || checked
}

// ours is the gravity of what is ours to keep to and others’ to be told.
func (l *linter) ours() Severity {
	if l.issuing {
		return Error
	}
	return Warning
}

// accreditation must cover the day and the level of the credential, as the
// register asks when it is looked up. The day is no error: a module may be
// admitted and renewed between two accreditations, and the issuer refuses by
// the day of issuing.
func (l *linter) accreditation(path string, a node) {
	issued, until := readTime(l.doc.get("issued")), readTime(a.get("expiryDate"))
	if !until.IsZero() && issued.After(until) {
		l.report(Warning, "S25", clauseRegister, path+"/expiryDate",
			"the accreditation ended before the credential was issued", "l’accreditamento è finito prima del rilascio")
	}
	level, levelled := l.all.bare(l.all.resolve(l.doc.at("credentialSubject", "hasClaim", "specifiedBy")).get("eqfLevel"))
	limited, covered := false, false
	for n := range a.get("limitEQFLevel").every() {
		if limit, ok := l.all.bare(n); ok {
			limited = true
			covered = covered || !levelled || limit.URI >= level.URI // the same list, one digit
		}
	}
	if limited && !covered {
		l.report(l.ours(), "S25", clauseRegister, path+"/limitEQFLevel",
			"the level is above those that the accreditation covers", "il livello è sopra quelli coperti dall’accreditamento")
	}
}

// mostYears is how long a credential may sensibly be valid.
const mostYears = 20

// plausible warns of what keeps to every rule and is probably a mistake.
func (l *linter) plausible() {
	warn := func(rule, path, en, it string) { l.report(Warning, rule, clauseSense, path, en, it) }
	from, until := readTime(l.doc.get("validFrom")), readTime(l.doc.get("validUntil"))
	if !from.IsZero() && until.After(from.AddDate(mostYears, 0, 1)) {
		warn("P01", "/validUntil", "it is valid for more than twenty years", "vale per più di vent’anni")
	}
	if !until.IsZero() && until.Before(from) {
		warn("P01", "/validUntil", "it ends before it begins", "finisce prima di cominciare")
	}
	claim := l.all.resolve(l.doc.at("credentialSubject", "hasClaim"))
	whole, ok := minutes(l.all.resolve(claim.get("specifiedBy")).get("volumeOfLearning").text())
	sum, parts := 0, 0
	for a := range claim.get("influencedBy").every() {
		part, known := minutes(l.all.resolve(a).get("workload").text())
		sum, ok = sum+part, ok && known
		parts++
	}
	if ok && parts > 0 && sum != whole {
		warn("P02", "/credentialSubject/hasClaim/influencedBy", "the hours of the activities do not add up to the workload", "le ore delle attività non danno l’impegno orario")
	}
	l.birth(warn)
}

func (l *linter) birth(warn func(rule, path, en, it string)) {
	const path = "/credentialSubject/dateOfBirth"
	born, issued := readTime(l.doc.at("credentialSubject", "dateOfBirth")), readTime(l.doc.get("issued"))
	if born.IsZero() {
		return
	}
	if born.Hour() > 1 { // one o’clock where summer time took the hour before
		warn("P03", path, "the birth date is not midnight by its own offset: some readers will show the day before or after", "la data di nascita non è a mezzanotte secondo il suo fuso: qualche lettore mostrerà il giorno prima o dopo")
	}
	if age := issued.Sub(born); !issued.IsZero() && (age < 0 || age > 120*366*24*time.Hour) {
		warn("P03", path, "the birth date cannot be right", "la data di nascita non può essere giusta")
	}
}

// minutes reads a duration in hours and minutes; days, months and years are no
// hours that could be added.
func minutes(duration string) (int, bool) {
	rest, ok := strings.CutPrefix(duration, "PT")
	if !ok || !isoDuration(duration) || strings.Contains(rest, "S") {
		return 0, false
	}
	var hours, mins int
	var err error
	if before, after, found := strings.Cut(rest, "H"); found {
		hours, err = strconv.Atoi(before)
		rest, ok = after, ok && err == nil
	}
	if rest != "" || !strings.HasSuffix(duration, "H") {
		mins, err = strconv.Atoi(strings.TrimSuffix(rest, "M"))
		ok = ok && err == nil
	}
	const most = 1 << 20 // more is no workload
	return hours*60 + mins, ok && hours < most && mins < most
}
