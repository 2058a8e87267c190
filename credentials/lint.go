package credentials

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Severity says whether a finding stops issuing.
type Severity string

// An error stops issuing; a warning is shown to whoever approves.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Finding is one thing that is wrong with a document.
type Finding struct {
	Rule     string   `json:"rule"` // stable id: A… annex element, S… shape, C… code list, I… issuer, P… plausible
	Severity Severity `json:"severity"`
	Clause   string   `json:"clause"`    // where the rule comes from
	ClauseIT string   `json:"clause_it"` // the same in Italian
	Path     string   `json:"path"`      // member names from the top, with positions
	Message  Text     `json:"message"`
}

// String gives the English words on one line.
func (f Finding) String() string {
	return fmt.Sprintf("%s %s at %s: %s (%s)", f.Severity, f.Rule, f.Path, f.Message["en"], f.Clause)
}

// Errors returns the findings that stop issuing.
func Errors(findings []Finding) []Finding {
	var errors []Finding
	for _, f := range findings {
		if f.Severity == Error {
			errors = append(errors, f)
		}
	}
	return errors
}

const (
	clauseAnnex = "Council Recommendation 2022/C 243/02, Annex I"
	clauseAP    = "EDC application profile 1.2.0"
	clauseCode  = "EDC application profile 1.2.0, code lists"
	clauseRead  = "readers of the Commission's software"
	clauseSeal  = "ETSI TS 119 182-1; EDC sealing rules"
	clauseSense = "practice; no rule asks for it"

	clauseAccredited = "EDC application profile 1.2.0, edc-accredited"
	clauseMandate    = "EDC application profile 1.2.0, edc-issued-by-mandate"
	clauseRegister   = "check of the accreditation register"
)

// clauseInItalian says a clause in Italian; the number of a standard stays.
func clauseInItalian(clause string) string {
	switch clause {
	case clauseRead:
		return "lettori del software della Commissione"
	case clauseSense:
		return "buona prassi; nessuna regola lo chiede"
	case clauseRegister:
		return "controllo nel registro degli accreditamenti"
	case clauseSeal:
		return "ETSI TS 119 182-1; regole EDC sui sigilli"
	case clauseCode:
		return "profilo applicativo EDC 1.2.0, elenchi di codici"
	}
	if element, ok := strings.CutPrefix(clause, clauseAnnex+", element "); ok {
		return "raccomandazione del Consiglio 2022/C 243/02, allegato I, elemento " + element
	}
	if profile, ok := strings.CutPrefix(clause, clauseAP); ok {
		return "profilo applicativo EDC 1.2.0" + profile
	}
	return clause
}

// Lint holds a document to the mandatory elements of a micro-credential, to
// the shapes of the application profiles edc-generic-full, edc-accredited and
// edc-issued-by-mandate 3.2, to the code lists, and to what the Commission's own readers refuse. When signer is given
// the issuer must be the organisation that its certificate names.
func Lint(d Document, signer *Signer) []Finding {
	doc, err := readJSON(d)
	if err != nil {
		return []Finding{{
			Rule: "S00", Severity: Error, Clause: "RFC 8259", ClauseIT: "RFC 8259", Path: "/",
			Message: Text{"en": "the document is not strict JSON: " + err.Error(), "it": "il documento non è JSON rigoroso: " + err.Error()},
		}}
	}
	return lint(doc, indexed(doc), signer, checkKind(doc) == nil)
}

func lint(doc node, known *described, signer *Signer, kind bool) []Finding {
	l := &linter{doc: doc, all: reader{known: known}, issuing: signer != nil, first: make([]*value, len(known.full)), trail: make(trail, 0, maxDepth)}
	l.annex()
	l.shape(kind)
	l.profiles()
	l.plausible()
	l.walk(doc.v, 0)
	if signer != nil {
		l.signer(*signer)
	}
	return l.findings
}

type linter struct {
	doc      node
	all      reader
	first    []*value // by the position of its id among what is described, the first content
	issuing  bool     // by us: then the lists are ours to keep to
	trail    trail
	findings []Finding
}

// maxFindings bounds a report; who has so many mends the first and lints again.
const maxFindings = 200

func (l *linter) report(severity Severity, rule, clause, path, en, it string) {
	if len(l.findings) >= maxFindings {
		return
	}
	if path == "" {
		path = "/"
	}
	l.findings = append(l.findings, Finding{rule, severity, clause, clauseInItalian(clause), path, Text{"en": en, "it": it}})
}

func (l *linter) need(ok bool, rule, clause, path, en, it string) {
	if !ok {
		l.report(Error, rule, clause, path, en, it)
	}
}

func bothLanguages(n node) bool { return n.in("it") != "" && n.in("en") != "" }

// annex checks the eleven mandatory elements of Annex I, in its order.
func (l *linter) annex() {
	subject := l.doc.get("credentialSubject")
	claim := subject.get("hasClaim")
	spec := l.all.resolve(claim.get("specifiedBy"))
	issuer := l.doc.get("issuer")
	need := func(ok bool, n int, path, en, it string) {
		if !ok {
			l.report(Error, fmt.Sprintf("A%02d", n), fmt.Sprintf("%s, element %d", clauseAnnex, n), path, en, it)
		}
	}
	need(holderName(subject) != "", 1, "/credentialSubject/fullName",
		"the learner has no name", "manca il nome della persona")
	need(bothLanguages(claim.get("title")) && bothLanguages(l.doc.at("displayParameter", "title")), 2, "/credentialSubject/hasClaim/title",
		"the title is missing in Italian or English", "manca il titolo in italiano o in inglese")
	body := l.all.resolve(l.all.resolve(claim.get("awardedBy")).get("awardingBody"))
	place := body.get("location")
	if !place.present() {
		place = issuer.get("location")
	}
	address := l.all.resolve(l.all.resolve(place).get("address"))
	need(address.get("countryCode").present(), 3, "/credentialSubject/hasClaim/awardedBy/awardingBody/location/address/countryCode",
		"the country of the provider is missing", "manca il paese dell’ente")
	need(body.get("legalName").any() != "", 4, "/credentialSubject/hasClaim/awardedBy/awardingBody",
		"the awarding body has no name", "manca il nome dell’ente che attribuisce")
	need(!readTime(l.doc.get("issued")).IsZero(), 5, "/issued",
		"the date of issuing is missing", "manca la data di rilascio")
	outcomes := spec.get("learningOutcome")
	complete := outcomes.count() > 0
	for o := range outcomes.every() {
		complete = complete && l.all.resolve(o).get("title").any() != ""
	}
	need(complete, 6, "/credentialSubject/hasClaim/specifiedBy/learningOutcome",
		"there is no learning outcome, or one without words", "mancano i risultati di apprendimento, o uno è senza testo")
	need(spec.get("volumeOfLearning").present() || spec.get("creditPoint").present(), 7, "/credentialSubject/hasClaim/specifiedBy/volumeOfLearning",
		"the workload is missing", "manca l’impegno orario")
	if !spec.get("eqfLevel").present() && !spec.get("nqfLevel").present() {
		l.report(Warning, "A08", clauseAnnex+", element 8", "/credentialSubject/hasClaim/specifiedBy/eqfLevel",
			"no level is given; wallets of the European Digital Identity ask for one", "manca il livello; i portafogli di identità digitale europea lo chiedono")
	}
	l.annexAssessment(claim)
	need(spec.get("mode").present() || l.all.resolve(claim.at("influencedBy", "specifiedBy")).get("mode").present(), 10, "/credentialSubject/hasClaim/specifiedBy/mode",
		"the form of participation is missing", "manca la modalità di partecipazione")
	quality := spec.get("accreditation").present() || issuer.get("accreditation").present()
	for n := range spec.get("additionalNote").every() {
		n = l.all.resolve(n)
		quality = quality || n.at("subject", "id").text() == noteQuality && n.get("noteLiteral").any() != ""
	}
	need(quality, 11, "/credentialSubject/hasClaim/specifiedBy/additionalNote",
		"nothing is said about quality assurance", "manca l’assicurazione della qualità")
}

// annexAssessment: a record of presence alone is a certificate of attendance.
func (l *linter) annexAssessment(claim node) {
	assessed := false
	for p := range claim.get("provenBy").every() {
		c, ok := l.all.bare(l.all.resolve(l.all.resolve(p).get("specifiedBy")).get("dcType"))
		assessed = assessed || !ok || c.URI != attendanceOnly
	}
	l.need(assessed, "A09", clauseAnnex+", element 9", "/credentialSubject/hasClaim/provenBy",
		"there is no assessment beside attendance, so this is no micro-credential", "manca una prova oltre alla frequenza: non è una microcredenziale")
}

// shape checks what the profile demands of the top of the document.
func (l *linter) shape(kind bool) {
	d := l.doc
	shape := func(ok bool, rule, path, en, it string) { l.need(ok, rule, clauseAP, path, en, it) }
	shape(kind, "S01", "/type", "type, context, subject or issuer is not that of a European Digital Credential", "tipo, contesto, persona o ente non sono quelli di una credenziale digitale europea")
	shape(d.at("credentialProfiles", "id").present(), "S02", "/credentialProfiles", "the profile is missing", "manca il profilo")
	schemas := d.get("credentialSchema")
	typed := schemas.count() > 0
	for s := range schemas.every() {
		typed = typed && s.get("id").text() != "" && s.get("type").text() == schemaType
	}
	shape(typed, "S03", "/credentialSchema", "the schema is missing or not an object of type "+schemaType, "manca lo schema, o non è un oggetto di tipo "+schemaType)
	l.displayShape()
	shape(d.at("issuer", "eIDASIdentifier", "notation").present() && d.at("issuer", "eIDASIdentifier", "spatial").present(), "S05", "/issuer/eIDASIdentifier", "the issuer has no legal identifier with its country", "l’ente non ha un identificativo legale con il paese")
	for _, name := range []string{"issued", "validFrom"} {
		shape(!readTime(d.get(name)).IsZero(), "S06", "/"+name, "the date and time is missing or not a dateTime", "la data e ora manca o non è completa")
	}
	for _, name := range []string{"issuanceDate", "expirationDate", "validUntil"} {
		shape(!d.get(name).present() || !readTime(d.get(name)).IsZero(), "S06", "/"+name, "this is not a dateTime", "la data e ora non è completa")
	}
	shape(readTime(d.get("expirationDate")).Equal(readTime(d.get("validUntil"))), "S07", "/expirationDate", "expirationDate and validUntil differ", "expirationDate e validUntil sono diversi")
	shape(strings.Contains(d.get("id").text(), ":"), "S08", "/id", "the credential has no id", "manca l’identificativo della credenziale")
	claims := d.at("credentialSubject", "hasClaim")
	shape(claims.count() > 0, "S09", "/credentialSubject/hasClaim", "nothing is claimed", "non è attestato nulla")
	for i := range claims.count() {
		switch l.all.resolve(claims.nth(i)).get("type").text() {
		case "LearningAchievement", "LearningActivity", "LearningAssessment", "LearningEntitlement":
		default:
			shape(false, "S09", fmt.Sprintf("/credentialSubject/hasClaim[%d]", i), "this is not one of the four kinds of claim", "non è uno dei quattro tipi di attestazione")
		}
	}
	for _, name := range []string{"proof", "termsOfUse", "credentialStatus"} {
		l.need(!d.get(name).present(), "S10", clauseRead, "/"+name, "this member is refused by a reader of the Commission's software", "questo campo è rifiutato da un lettore della Commissione")
	}
}

func (l *linter) displayShape() {
	p := l.doc.get("displayParameter")
	l.need(p.get("title").any() != "" && p.get("language").present() && p.get("primaryLanguage").present(), "S04", clauseAP, "/displayParameter",
		"title, languages or primary language is missing", "mancano titolo, lingue o lingua principale")
	pictures := map[string]bool{}
	for page := range p.get("individualDisplay").every() {
		image := l.all.resolve(page.at("displayDetail", "image"))
		if image.get("content").text() != "" && page.at("displayDetail", "page").present() {
			if c, ok := l.all.bare(page.get("language")); ok {
				pictures[c.URI] = true
			}
		}
	}
	for n := range p.get("language").every() {
		if c, ok := l.all.bare(n); ok {
			l.need(pictures[c.URI], "S04", clauseAP, "/displayParameter/individualDisplay",
				"there is no picture for the language "+c.URI, "manca l’immagine per la lingua "+c.URI)
		}
	}
}

// signer checks that the issuer is the organisation of the certificate.
func (l *linter) signer(s Signer) {
	issuer := l.doc.get("issuer")
	named := false
	for _, name := range issuer.get("legalName").texts() {
		named = named || name == s.Organisation
	}
	l.need(named, "I01", clauseSeal, "/issuer/legalName",
		"the issuer is not the organisation of the sealing certificate ("+s.Organisation+")", "l’ente non è quello del certificato del sigillo ("+s.Organisation+")")
	l.need(issuer.at("eIDASIdentifier", "notation").text() == s.LegalID, "I02", clauseSeal, "/issuer/eIDASIdentifier/notation",
		"the legal identifier is not that of the sealing certificate ("+s.LegalID+")", "l’identificativo legale non è quello del certificato del sigillo ("+s.LegalID+")")
	certified, _ := ThreeLetters(s.Country)
	country := countryPrefix + certified
	address := l.all.resolve(l.all.resolve(issuer.get("location")).get("address"))
	for _, place := range []struct {
		path string
		node node
	}{
		{"/issuer/eIDASIdentifier/spatial", issuer.at("eIDASIdentifier", "spatial")},
		{"/issuer/location/address/countryCode", address.get("countryCode")},
	} {
		c, ok := l.all.bare(place.node)
		l.need(certified != "" && ok && c.URI == country, "I03", clauseSeal, place.path,
			"the country is not that of the sealing certificate ("+cmp.Or(s.Country, "it names none")+")", "il paese non è quello del certificato del sigillo ("+cmp.Or(s.Country, "non ne indica")+")")
	}
}

// duration checks syntax and sense: P60M is sixty months, not minutes.
func (l *linter) duration(value string) {
	ok := isoDuration(value) && value != "P" && !strings.HasSuffix(value, "T")
	l.demand(ok, "S11", clauseAP, "this is not an ISO 8601 duration", "la durata non è in forma ISO 8601")
	if ok && manyMonths(value) {
		l.report(Warning, "S11", "ISO 8601", l.path(), "this means months: hours are written PT60H", "così sono mesi: le ore si scrivono PT60H")
	}
}

func (l *linter) dateTime(value string) {
	_, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		_, err = time.Parse("2006-01-02T15:04:05", value)
	}
	l.demand(err == nil, "S06", clauseAP, "this is not a date with a time", "la data è senza ora, o non esiste")
}
