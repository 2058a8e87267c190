package credentials

import (
	"strconv"
	"strings"
)

// trail is where a value stands, step by step from the top. It is put into words
// only when there is something to report.
type trail []step

// step is the name of a member, or no name and the position in a list.
type step struct {
	name symbol
	at   int
}

// path is where the value stands that is looked at.
func (l *linter) path() string {
	var b strings.Builder
	for _, s := range l.trail {
		name := ""
		if s.name != 0 {
			name = l.doc.t.nameOf(s.name)
		}
		if name == "" {
			b.WriteString("[" + strconv.Itoa(s.at) + "]")
		} else {
			b.WriteString("/" + name)
		}
	}
	return b.String()
}

// into and out go a step down the document, and up again.
func (l *linter) into(s step) { l.trail = append(l.trail, s) }

func (l *linter) out() { l.trail = l.trail[:len(l.trail)-1] }

// walk visits every node once and checks what holds at any depth. A value in a
// list stands in the member in which the list stands. Reports are put together
// only when there is one to make: most nodes have none.
func (l *linter) walk(v *value, name symbol) {
	t := l.doc.t
	switch v.kind {
	case isList:
		below := t.below(v)
		for i := range below {
			l.into(step{at: i})
			l.walk(&below[i], name)
			l.out()
		}
	case isObject:
		l.object(v, name)
	case isText, isSpelled:
		if ruleOf(name).word {
			l.word(t.nameOf(name), t.textOf(v))
		}
	case isNumber:
		if name == symPage {
			l.page(t.textOf(v))
		}
	}
}

func (l *linter) object(v *value, name symbol) {
	if ruleOf(name).languageMap {
		l.languageMap(name, v)
		return
	}
	l.identity(v)
	l.lacks(v)
	below := l.doc.t.below(v)
	for i := range below {
		if rule := ruleOf(below[i].name); rule.check != nil {
			l.into(step{name: below[i].name})
			rule.check(l, v, l.doc.of(&below[i]))
			l.out()
		}
	}
	for i := range below {
		child := below[i].name
		if ruleOf(child).closed {
			continue
		}
		l.into(step{name: child})
		if child >= firstOther && strings.Contains(l.doc.t.nameOf(child), ":") {
			l.report(Error, "S21", clauseRead, l.path(),
				"a member is named by an IRI: readers of JSON-LD and of JSON understand it differently", "un campo ha per nome un IRI: chi legge JSON-LD e chi legge JSON lo intendono in modo diverso")
		}
		l.walk(&below[i], child)
		l.out()
	}
}

// page: pages count from 1, written as a number or as a string.
func (l *linter) page(value string) {
	n, err := strconv.ParseUint(value, 10, 32)
	l.demand(err == nil && n > 0, "S19", clauseAP, "a page is a number from 1", "una pagina è un numero da 1 in su")
}

func (l *linter) languageMap(name symbol, v *value) {
	t := l.doc.t
	below := t.below(v)
	for i := range below {
		s, ok := t.str(&below[i])
		if language := t.nameOf(below[i].name); !ok || s == "" || len(language) < 2 || len(language) > 12 {
			l.report(Error, "S13", clauseAP, l.path(), "one text per language is needed", "serve un solo testo per ogni lingua")
		}
	}
	if ruleOf(name).oneLanguage && len(below) != 1 {
		l.report(Error, "S15", clauseAP, l.path(), "a name is given in one language only", "un nome sta in una sola lingua")
	}
}

// identity: ids are absolute, one id stands for one content, and types are
// strings (the Commission's reader refuses arrays below the top).
func (l *linter) identity(v *value) {
	t := l.doc.t
	if kind := t.member(v, symType); kind != nil && len(l.trail) > 0 {
		if _, single := t.str(kind); !single {
			l.report(Error, "S14", clauseRead, l.path()+"/type", "the type of a nested object must be one string", "il tipo di un oggetto interno deve essere una sola parola")
		}
	}
	if v.id == 0 {
		return
	}
	if l.all.known.relative[v.id-1] {
		id := t.textOf(t.member(v, symID))
		l.report(Error, "S12", clauseAP, l.path()+"/id", "the id is not an absolute IRI: "+id, "l’identificativo non è un IRI assoluto: "+id)
	}
	if v.size() <= 2 {
		return // only named, or named with its type
	}
	first := &l.first[v.id-1]
	if *first == nil {
		*first = v
		return
	}
	if !t.same(*first, v) {
		id := t.textOf(t.member(v, symID))
		l.report(Error, "S16", clauseAP, l.path()+"/id", "the id "+id+" stands for two contents", "l’identificativo "+id+" indica due contenuti diversi")
	}
}

// notInIRI are the characters that stand in no IRI and are looked for.
var notInIRI = [256]bool{' ': true, '\t': true, '\n': true, '<': true, '>': true, '"': true, '{': true, '}': true, '|': true, '\\': true, '^': true, '`': true}

func absolute(iri string) bool {
	scheme, rest, ok := strings.Cut(iri, ":")
	for i := range len(iri) {
		ok = ok && !notInIRI[iri[i]]
	}
	return ok && scheme != "" && rest != ""
}

// mention tells whether a node only names, by its id and perhaps its type, what
// is described elsewhere in the document.
func (l *linter) mention(v *value) bool {
	if v.id == 0 || v.size() > 2 {
		return false
	}
	full := l.all.known.full[v.id-1]
	return full != nil && full.size() > 2 && l.doc.t.textOf(l.doc.t.member(v, symID)) != ""
}

// kindOf is the type of an object, "" when it is not one string.
func (l *linter) kindOf(v *value) string {
	if kind := l.doc.t.member(v, symType); kind != nil {
		s, _ := l.doc.t.str(kind)
		return s
	}
	return ""
}

// lacks: an object has the members that the profile demands of its type.
func (l *linter) lacks(v *value) {
	kind := l.kindOf(v)
	demanded := demandsOf(kind)
	if len(demanded) == 0 || l.mention(v) {
		return
	}
	for _, name := range demanded {
		if m := l.doc.t.member(v, name); m == nil || m.kind == isNull {
			name := l.doc.t.nameOf(name)
			l.report(Error, "S17", clauseAP, l.path(), kind+" lacks "+name, kind+": manca "+name)
		}
	}
}

// listedConcepts checks membership, which the shapes do not.
func (l *linter) listedConcepts(rule codeRule, n node) {
	for c := range l.all.bares(n) {
		_, member := rule.list.find(c.URI)
		inScheme := c.Scheme == rule.list.scheme
		switch {
		case member && inScheme:
		case !rule.fixed && !l.issuing: // lists grow, and nothing forbids a concept of another
			l.report(Warning, "C01", clauseCode, l.path(), c.URI+" is a concept outside the usual list", c.URI+" è un concetto fuori dall’elenco usuale")
		default:
			l.report(Error, "C01", clauseCode, l.path(), c.URI+" does not belong to the list "+rule.list.scheme, c.URI+" non appartiene all’elenco "+rule.list.scheme)
		}
	}
}

// schemed checks the scheme alone, where no whole list is published.
func (l *linter) schemed(scheme string, n node) {
	for c := range l.all.bares(n) {
		if c.Scheme != scheme {
			l.report(Error, "C01", clauseCode, l.path(), c.URI+" is not in the scheme "+scheme, c.URI+" non è nello schema "+scheme)
		}
	}
}

// territories come from one of two lists, which the profile does not fix.
func (l *linter) territories(n node) {
	for c := range l.all.bares(n) {
		_, known := RegionURI(c.URI)
		unit := known && strings.HasPrefix(c.URI, listTerritory.prefix) && c.Scheme == listTerritory.scheme
		nuts := strings.HasPrefix(c.URI, listNUTS.prefix) && c.Scheme == listNUTS.scheme && (known || !l.issuing)
		switch {
		case unit || nuts:
		case l.issuing:
			l.report(Error, "C01", clauseCode, l.path(), c.URI+" belongs neither to the list of territories nor to NUTS", c.URI+" non appartiene né all’elenco dei territori né a NUTS")
		default:
			l.report(Warning, "C01", clauseCode, l.path(), c.URI+" is a territory outside the usual lists", c.URI+" è un territorio fuori dagli elenchi usuali")
		}
	}
}

func (l *linter) skills(n node) {
	for c := range l.all.bares(n) {
		if c.Scheme != schemeESCO || !escoSkill(c.URI) {
			l.report(Error, "C02", clauseCode, l.path(),
				c.URI+" is not a skill of ESCO in the scheme "+schemeESCO, c.URI+" non è una competenza ESCO dello schema "+schemeESCO)
		}
	}
}

// word checks a plain string by the member it stands in.
func (l *linter) word(name, value string) {
	switch name {
	case "volumeOfLearning", "maximumDuration", "workload":
		l.duration(value)
	case "awardingDate", "dateOfBirth", "dateIssued", "expiryDate", "reviewDate", "valid", "startDate", "endDate", "applicationDeadline":
		l.dateTime(value)
	case "page":
		l.page(value)
	case "evidence", "accreditation", "accreditingAgent", "awardingBody", "awardedBy", "specifiedBy", "nationalID":
		l.demand(l.described(value), "S20", clauseAP, "this names nothing that is described in the file", "non indica nulla di descritto nel file")
	case "hasCredential", "hasClaim":
		l.demand(l.described(value), "S20", clauseAP, "this is not an object", "non è un oggetto")
	case "contentURL":
		l.demand(absolute(value), "S12", clauseRead, "this is not an absolute address", "l’indirizzo non è assoluto")
	case "emailAddress":
		l.report(Error, "S18", clauseRead, l.path(), "an e-mail address is an object with its mailto id", "un indirizzo e-mail è un oggetto con il suo mailto")
	default:
		if isLanguageMap[name] {
			l.report(Error, "S13", clauseAP, l.path(), "a text must say its language", "un testo deve dire la sua lingua")
		}
	}
}

// described tells whether the document describes what has this id.
func (l *linter) described(id string) bool {
	at := l.all.known.at[id]
	return at > 0 && l.all.known.full[at-1] != nil
}

// demand is need, with the path put into words only when there is something to
// report.
func (l *linter) demand(ok bool, rule, clause, en, it string) {
	if !ok {
		l.report(Error, rule, clause, l.path(), en, it)
	}
}
