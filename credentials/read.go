package credentials

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// viewWith reads a learning-model document written by anyone: members may be one
// value or several, concepts may be given in full or by their id alone. Known are
// the nodes of the document by their id.
func viewWith(doc node, known map[string]node) View {
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
		Claims:      len(subject.get("hasClaim").each()),
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
	for n, c := range subject.get("hasClaim").each() {
		if c = r.resolve(c); n > 0 && n <= maxClaims && r.spend() {
			v.More = append(v.More, ClaimView{Kind: c.get("type").text(), Title: c.get("title").texts()})
		}
	}
	for _, i := range doc.get("identifier").each() {
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
	for _, n := range r.resolve(claim.get("awardedBy")).get("awardingBody").each() {
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
		for _, n := range body.get(member).each() {
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
	for _, e := range doc.get("evidence").each() {
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
	for _, n := range spec.get("additionalNote").each() {
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
	for _, n := range append(spec.get("isPartOf").each(), claim.get("isPartOf").each()...) {
		if !r.spend() {
			return
		}
		n = r.resolve(n)
		v.Stacks = append(v.Stacks, StackView{Code: r.resolve(n.get("identifier")).get("notation").text(), Title: n.get("title").texts()})
	}
	for _, n := range claim.get("hasPart").each() {
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
	for _, n := range claim.get("influencedBy").each() {
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
	for _, o := range spec.get("learningOutcome").each() {
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
	for _, a := range claim.get("provenBy").each() {
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
	known  map[string]node
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

// indexed finds everything in a document by its id.
func indexed(doc node) map[string]node {
	known := map[string]node{}
	index(doc, known)
	return known
}

// index remembers the fullest description of every node by its id.
func index(n node, known map[string]node) {
	switch v := n.v.(type) {
	case map[string]any:
		if id, ok := v["id"].(string); ok && len(v) > 1 {
			if before, _ := known[id].v.(map[string]any); len(v) > len(before) {
				known[id] = n
			}
		}
		var below []string // what has members of its own
		for name, child := range v {
			switch child.(type) {
			case map[string]any, []any:
				below = append(below, name)
			}
		}
		slices.Sort(below)
		for _, name := range below {
			index(node{v[name]}, known)
		}
	case []any:
		for _, child := range v {
			index(node{child}, known)
		}
	}
}

// resolve returns the description of a node that is given by its id, and of
// several the first.
func (r reader) resolve(n node) node {
	if all, ok := n.v.([]any); ok && len(all) > 0 {
		n = node{all[0]}
	}
	id, ok := n.v.(string)
	if !ok {
		members, _ := n.v.(map[string]any)
		if id, ok = members["id"].(string); !ok {
			return n
		}
	}
	if full, ok := r.known[id]; ok {
		return full
	}
	return n
}

func (r reader) concept(n node) *Concept {
	if !n.present() || !r.spend() {
		return nil
	}
	id := n.text()
	full := r.resolve(n)
	if s := full.get("id").text(); s != "" {
		id = s
	}
	if id == "" {
		return nil
	}
	c := labelled(Concept{
		URI:    strings.TrimSpace(id),
		Scheme: full.at("inScheme", "id").text(),
		Label:  full.get("prefLabel").texts(),
	})
	return &c
}

func (r reader) concepts(n node) []Concept {
	var all []Concept
	for _, one := range n.each() {
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
	if full := anyText(subject.get("fullName").texts()); full != "" {
		return full
	}
	return Learner{
		GivenName:  anyText(subject.get("givenName").texts()),
		FamilyName: anyText(subject.get("familyName").texts()),
	}.FullName()
}

// readTime reads a dateTime with or without a zone; anything else is the zero
// time.
func readTime(n node) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, n.text()); err == nil {
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
		for _, n := range doc.get(name).each() {
			if _, nested := n.v.([]any); nested {
				n = node{}
			}
			if list := n.get("status_list"); list.present() {
				entries = append(entries, tokenEntry(list))
				if !n.get("type").present() {
					continue
				}
			}
			kind := n.get("type").text()
			if list, ok := n.get("type").v.([]any); ok {
				for _, t := range list {
					if s := (node{t}).text(); strings.HasSuffix(s, "Entry") {
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
	if list, ok := n.v.(map[string]any); ok {
		e.List, _ = list["uri"].(string)
		index, _ := list["idx"].(json.Number)
		e.Index = index.String()
	}
	return e
}
