package credentials

import (
	"iter"
	"strings"
	"time"
)

// viewWith reads a learning-model document written by anyone: members may be one
// value or several, concepts may be given in full or by their id alone. Known are
// the nodes of the document by their id.
func viewWith(doc node, known *described) View {
	r := reader{known, &budget{left: maxShown}}
	subject := doc.get("credentialSubject")
	claim := subject.get("hasClaim")
	spec := r.resolve(claim.get("specifiedBy"))
	issuer := doc.get("issuer")
	body := r.resolve(r.resolve(claim.get("awardedBy")).get("awardingBody"))
	v := View{
		ID:          doc.get("id").text(),
		Title:       firstText(claim.get("title").texts(), doc.at("displayParameter", "title").texts()),
		Description: claim.get("description").texts(),
		HolderName:  holderName(subject),
		IssuerNames: issuer.get("legalName").texts(),
		IssuerLegal: issuer.at("eIDASIdentifier", "notation").text(),
		IssuerURL:   r.resolve(issuer.get("homepage")).get("contentURL").text(),
		Issued:      readTime(doc.get("issued")),
		CompletedOn: readTime(r.resolve(claim.get("awardedBy")).get("awardingDate")),
		ValidFrom:   readTime(doc.get("validFrom")),
		ValidUntil:  earliest(readTime(doc.get("expirationDate")), readTime(doc.get("validUntil"))),
		Level:       r.concept(spec.get("eqfLevel")),
		Hours:       spec.get("volumeOfLearning").text(),
		Mode:        r.concepts(spec.get("mode")),
		Setting:     r.concept(spec.get("learningSetting")),
		Field:       r.concepts(spec.get("thematicArea")),
		Language:    r.concepts(spec.get("language")),
		Requires:    r.resolve(spec.get("entryRequirement")).get("noteLiteral").texts(),
		Status:      statusOf(doc),
		Claims:      subject.get("hasClaim").count(),
	}
	v.BirthDateGiven, v.NationalIDGiven = subject.get("dateOfBirth").present(), subject.get("nationalID").present()
	v.Issuer, _ = v.IssuerNames.In("it", "en")
	v.AwardedBy, v.AwardedIDs = r.awardedBy(claim, issuer)
	place := r.resolve(issuer.get("location"))
	if len(v.AwardedBy) > 0 {
		place = r.resolve(body.get("location"))
	}
	if c := r.concept(r.resolve(place.get("address")).get("countryCode")); c != nil {
		v.Country = *c
	}
	v.Region = r.concept(place.get("spatialCode"))
	r.evidence(doc, &v)
	r.notes(spec, &v)
	v.Outcomes = r.outcomes(spec)
	v.Assessments = r.assessments(claim)
	r.composition(claim, spec, &v)
	v.ModuleURL = r.resolve(spec.get("homepage")).get("contentURL").text()
	claims := subject.get("hasClaim")
	for n := range claims.count() {
		if c := r.resolve(claims.nth(n)); n > 0 && n <= maxClaims && r.spend() {
			v.More = append(v.More, ClaimView{Kind: c.get("type").text(), Title: c.get("title").texts()})
		}
	}
	for i := range doc.get("identifier").every() {
		if number := i.get("notation").text(); number != "" {
			v.Identifiers = append(v.Identifiers, number)
		}
	}
	return v
}

// maxClaims bounds how many further claims are named.
const maxClaims = 50

// awardedBy names the awarding bodies when they are others than the issuer, and
// by which legal identifiers one of them is known.
func (r reader) awardedBy(claim, issuer node) (Text, []string) {
	var others []Text
	var ids []string
	own := issuer.get("legalName").texts()
	for n := range r.resolve(claim.get("awardedBy")).get("awardingBody").every() {
		if !r.spend() {
			break
		}
		b := r.resolve(n)
		name := b.get("legalName").texts()
		if id := b.get("id").text(); len(name) == 0 || id != "" && id == issuer.get("id").text() || sameName(name, own) {
			continue
		}
		others = append(others, name)
		ids = r.legalIDs(b)
	}
	if len(others) < 2 {
		return firstText(others...), ids
	}
	var names []string
	for _, o := range others {
		names = append(names, anyText(o))
	}
	return Text{"und": strings.Join(names, ", ")}, nil
}

// legalIDs are the identifiers of an organisation in the members for them
// (ETSI EN 319 412-1 clause 5.1.4).
func (r reader) legalIDs(body node) []string {
	var all []string
	for _, member := range [...]string{"eIDASIdentifier", "registration", "vatIdentifier", "taxIdentifier"} {
		for n := range body.get(member).every() {
			if !r.spend() {
				return all
			}
			if id := r.resolve(n).get("notation").text(); id != "" {
				all = append(all, id)
			}
		}
	}
	return all
}

// sameName tells whether two names agree in every language that both have, and
// have one in common.
func sameName(a, b Text) bool {
	common := false
	for language, name := range a {
		other, ok := b[language]
		if ok && other != name {
			return false
		}
		common = common || ok
	}
	return common
}

// evidence reads on what the profile of a credential stands.
func (r reader) evidence(doc node, v *View) {
	for e := range doc.get("evidence").every() {
		if !r.spend() {
			return
		}
		e = r.resolve(e)
		kind := r.concept(e.get("dcType"))
		statement := e.get("evidenceStatement").text()
		if kind != nil && kind.URI == evidenceMandate && statement != "" && v.Mandate == nil {
			v.Mandate = readStatement(statement)
		}
		if a := r.resolve(e.get("accreditation")); a.present() && v.Accreditation == nil {
			v.Accreditation = &AccreditationView{
				ID:     a.get("id").text(),
				Title:  a.get("title").texts(),
				Agent:  r.resolve(a.get("accreditingAgent")).get("legalName").texts(),
				From:   readTime(a.get("dateIssued")),
				Until:  readTime(a.get("expiryDate")),
				Report: r.resolve(a.get("report")).get("contentURL").text(),
			}
		}
	}
}

// notes reads what the learning model has no member for.
func (r reader) notes(spec node, v *View) {
	for n := range spec.get("additionalNote").every() {
		n = r.resolve(n)
		switch n.at("subject", "id").text() {
		case noteQuality:
			v.Quality = n.get("noteLiteral").texts()
		case noteLevel:
			v.LevelNote, v.LevelDeclared = n.get("noteLiteral").texts(), true
		case noteSource:
			v.LevelNote = n.get("noteLiteral").texts()
		case noteFurther:
			v.Further = n.get("noteLiteral").texts()
		}
	}
}

// composition reads what an award is made of and what it counts towards.
func (r reader) composition(claim, spec node, v *View) {
	for _, whole := range [...]node{spec.get("isPartOf"), claim.get("isPartOf")} {
		for n := range whole.every() {
			if !r.spend() {
				return
			}
			n = r.resolve(n)
			v.Stacks = append(v.Stacks, StackView{Code: r.resolve(n.get("identifier")).get("notation").text(), Title: n.get("title").texts()})
		}
	}
	for n := range claim.get("hasPart").every() {
		if !r.spend() {
			return
		}
		n = r.resolve(n)
		v.Parts = append(v.Parts, PartView{
			Title:       n.get("title").texts(),
			Credential:  r.resolve(n.get("identifier")).get("notation").text(),
			CompletedOn: readTime(r.resolve(n.get("awardedBy")).get("awardingDate")),
		})
	}
	for n := range claim.get("influencedBy").every() {
		if !r.spend() {
			return
		}
		n = r.resolve(n)
		hours := n.get("workload").text()
		if hours == "" {
			hours = r.resolve(n.get("specifiedBy")).get("volumeOfLearning").text()
		}
		v.Activities = append(v.Activities, ActivityView{Title: n.get("title").texts(), Hours: hours})
	}
}

func (r reader) outcomes(spec node) []OutcomeView {
	var all []OutcomeView
	for o := range spec.get("learningOutcome").every() {
		if !r.spend() {
			break
		}
		o = r.resolve(o)
		all = append(all, OutcomeView{
			Title:  o.get("title").texts(),
			Skills: append(r.concepts(o.get("relatedESCOSkill")), r.concepts(o.get("relatedSkill"))...),
		})
	}
	return all
}

func (r reader) assessments(claim node) []AssessmentView {
	var all []AssessmentView
	for a := range claim.get("provenBy").every() {
		if !r.spend() {
			break
		}
		a = r.resolve(a)
		s := r.resolve(a.get("specifiedBy"))
		all = append(all, AssessmentView{
			Title:       a.get("title").texts(),
			Type:        r.concept(s.get("dcType")),
			Grade:       r.resolve(a.get("grade")).get("noteLiteral").texts(),
			Supervision: r.concept(a.get("idVerification")),
			Rule:        s.get("description").texts(),
		})
	}
	return all
}

// maxShown bounds how many outcomes, assessments and concepts of one credential
// are read: one of them may be mentioned again and again at little cost to its
// writer.
const maxShown = 2000

type budget struct{ left int }

type reader struct {
	known  *described
	budget *budget // nil: without bound
}

// spend tells whether one more thing may be read.
func (r reader) spend() bool {
	if r.budget == nil {
		return true
	}
	r.budget.left--
	return r.budget.left >= 0
}

// resolve returns the description of a node that is given by its id, and of
// several the first.
func (r reader) resolve(n node) node {
	if n.is(isList) && n.v.size() > 0 {
		n = n.nth(0)
	}
	if full := r.known.of(n); full != nil {
		return node{n.t, full}
	}
	return n
}

// concept reads a concept with its labels.
func (r reader) concept(n node) *Concept {
	if !n.present() || !r.spend() {
		return nil
	}
	full := r.resolve(n)
	uri, scheme := uriOf(n, full)
	if uri == "" {
		return nil
	}
	return &Concept{URI: strings.TrimSpace(uri), Scheme: scheme, Label: label(strings.TrimSpace(uri), full.get("prefLabel"))}
}

// bare reads which concept it is, without its labels.
func (r reader) bare(n node) (c Concept, ok bool) {
	uri, scheme := uriOf(n, r.resolve(n))
	return Concept{URI: strings.TrimSpace(uri), Scheme: scheme}, uri != ""
}

// bares goes through a repeatable concept without labels.
func (r reader) bares(n node) iter.Seq[Concept] {
	return func(yield func(Concept) bool) {
		for one := range n.every() {
			if c, ok := r.bare(one); ok && !yield(c) {
				return
			}
		}
	}
}

// uriOf is the URI and the scheme of a concept with its description.
func uriOf(n, full node) (uri, scheme string) {
	if uri = full.member(symID).text(); uri == "" {
		uri = n.text()
	}
	return uri, full.member(symScheme).member(symID).text()
}

func (r reader) concepts(n node) []Concept {
	var all []Concept
	for one := range n.every() {
		if c := r.concept(one); c != nil {
			all = append(all, *c)
		}
		if r.budget != nil && r.budget.left <= 0 {
			break
		}
	}
	return all
}

func firstText(texts ...Text) Text {
	for _, t := range texts {
		if len(t) > 0 {
			return t
		}
	}
	return nil
}

func holderName(subject node) string {
	if full := subject.get("fullName").any(); full != "" {
		return full
	}
	return Learner{
		GivenName:  subject.get("givenName").any(),
		FamilyName: subject.get("familyName").any(),
	}.FullName()
}

// readTime reads a dateTime with or without a zone; anything else is the zero
// time.
func readTime(n node) time.Time {
	text := n.text()
	if text == "" {
		return time.Time{}
	}
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	return time.Time{}
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// statusOf reads the status entries of a credential from both members in which
// they are found, each as one object or several, and those that point at a token
// list. A status that is not an object is kept with its type empty, so that it
// is seen and not passed over.
func statusOf(doc node) []StatusEntry {
	var entries []StatusEntry
	for _, name := range []string{"status", "credentialStatus"} {
		for n := range doc.get(name).every() {
			if n.is(isList) {
				n = node{}
			}
			if list := n.get("status_list"); list.present() {
				entries = append(entries, tokenEntry(list))
				if !n.get("type").present() {
					continue
				}
			}
			kind := n.get("type").text()
			if types := n.get("type"); types.is(isList) {
				for k := range types.count() {
					if s := types.nth(k).text(); strings.HasSuffix(s, "Entry") {
						kind = s
					}
				}
			}
			if size := n.get("statusSize"); size.present() && size.scalar() != "1" {
				kind = "" // more than one bit an entry is not read
			}
			entries = append(entries, StatusEntry{
				Type:    kind,
				Purpose: n.get("statusPurpose").scalar(),
				List:    n.get("statusListCredential").scalar(),
				Index:   n.get("statusListIndex").scalar(),
			})
		}
	}
	return entries
}

// tokenEntry reads where a token list says the status (IETF Token Status List,
// section 6.1). The index is a JSON integer there: anything else is kept as no
// index at all.
func tokenEntry(n node) StatusEntry {
	e := StatusEntry{Type: TokenStatusEntry}
	if n.is(isObject) {
		e.List, _ = n.get("uri").str()
		e.Index = n.get("idx").number()
	}
	return e
}
