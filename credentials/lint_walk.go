package credentials

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// trail is where a value stands. It is put into words only when there is
// something to report. The top is nil.
type trail struct {
	above *trail
	name  string // of the member, "" for an element of an array
	at    int    // position in the array
}

func (p *trail) String() string {
	switch {
	case p == nil:
		return ""
	case p.name == "":
		return p.above.String() + "[" + strconv.Itoa(p.at) + "]"
	}
	return p.above.String() + "/" + p.name
}

// walk visits every node once and checks what holds at any depth. Reports are
// put together only when there is one to make: most nodes have none.
func (l *linter) walk(path *trail, v any, name string) {
	switch v := v.(type) {
	case []any:
		for i, child := range v {
			l.walk(&trail{above: path, at: i}, child, name)
		}
	case map[string]any:
		if isLanguageMap[name] {
			l.languageMap(path, name, v)
			return
		}
		names := sortedKeys(v)
		l.identity(path, v)
		l.members(path, v, names)
		for _, child := range names {
			if child == "@context" || child == "status" || child == "prefLabel" {
				continue
			}
			below := &trail{above: path, name: child}
			if strings.Contains(child, ":") {
				l.report(Error, "S21", clauseRead, below.String(),
					"a member is named by an IRI: readers of JSON-LD and of JSON understand it differently", "un campo ha per nome un IRI: chi legge JSON-LD e chi legge JSON lo intendono in modo diverso")
			}
			l.walk(below, v[child], child)
		}
	case string:
		l.word(path, name, v)
	case json.Number:
		if name == "page" {
			l.page(path.String(), v.String())
		}
	}
}

// page: pages count from 1, written as a number or as a string.
func (l *linter) page(path, value string) {
	n, err := strconv.ParseUint(value, 10, 32)
	l.need(err == nil && n > 0, "S19", clauseAP, path, "a page is a number from 1", "una pagina è un numero da 1 in su")
}

// isLanguageMap names the members whose values are language maps.
var isLanguageMap = map[string]bool{
	"title": true, "description": true, "legalName": true, "altLabel": true, "prefLabel": true,
	"noteLiteral": true, "fullName": true, "givenName": true, "familyName": true, "label": true,
}

// oneLanguage names the language maps that may hold one language only.
var oneLanguage = map[string]bool{"fullName": true, "givenName": true, "familyName": true}

func (l *linter) languageMap(path *trail, name string, v map[string]any) {
	for language, said := range v { // the reports do not tell them apart: any order will do
		s, ok := said.(string)
		if !ok || s == "" || len(language) < 2 || len(language) > 12 {
			l.report(Error, "S13", clauseAP, path.String(), "one text per language is needed", "serve un solo testo per ogni lingua")
		}
	}
	if oneLanguage[name] && len(v) != 1 {
		l.report(Error, "S15", clauseAP, path.String(), "a name is given in one language only", "un nome sta in una sola lingua")
	}
}

// identity: ids are absolute, one id stands for one content, and types are
// strings (the Commission's reader refuses arrays below the top).
func (l *linter) identity(path *trail, v map[string]any) {
	if t, ok := v["type"]; ok && path != nil {
		if _, single := t.(string); !single {
			l.report(Error, "S14", clauseRead, path.String()+"/type", "the type of a nested object must be one string", "il tipo di un oggetto interno deve essere una sola parola")
		}
	}
	id, ok := v["id"].(string)
	if !ok {
		return
	}
	if !absolute(id) {
		l.report(Error, "S12", clauseAP, path.String()+"/id", "the id is not an absolute IRI: "+id, "l’identificativo non è un IRI assoluto: "+id)
	}
	if len(v) <= 2 {
		return // only named, or named with its type
	}
	first, seen := l.first[id]
	if !seen {
		l.first[id] = v
		return
	}
	if !same(first, v) {
		l.report(Error, "S16", clauseAP, path.String()+"/id", "the id "+id+" stands for two contents", "l’identificativo "+id+" indica due contenuti diversi")
	}
}

// same compares two JSON values as they were read.
func same(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, v := range a {
			if other, there := b[name]; !there || !same(v, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	}
	switch b.(type) {
	case map[string]any, []any:
		return false
	}
	return a == b // strings, numbers as written, booleans, null
}

func described(r reader, id string) bool {
	_, ok := r.known[id]
	return ok
}

func absolute(iri string) bool {
	scheme, rest, ok := strings.Cut(iri, ":")
	return ok && scheme != "" && rest != "" && !strings.ContainsAny(iri, " \t\n<>\"{}|\\^`")
}

// mention tells whether a node only names, by its id and perhaps its type, what
// is described elsewhere in the document.
func (l *linter) mention(v map[string]any) bool {
	id, _ := v["id"].(string)
	described, _ := l.all.known[id].v.(map[string]any)
	return id != "" && len(v) <= 2 && len(described) > 2
}

func (l *linter) members(path *trail, v map[string]any, names []string) {
	kind, _ := v["type"].(string)
	if !l.mention(v) {
		for _, name := range required[kind] {
			if v[name] == nil {
				l.report(Error, "S17", clauseAP, path.String(), kind+" lacks "+name, kind+": manca "+name)
			}
		}
	}
	for _, name := range names {
		rule, ok := codeRules[name]
		if name == "dcType" {
			rule, ok = dcTypeRules[kind]
		}
		below := &trail{above: path, name: name}
		switch {
		case name == "relatedESCOSkill":
			l.skills(below, node{v[name]})
		case name == "limitOccupation":
			l.schemed(below, schemeOccupations, node{v[name]})
		case name == "nqfLevel":
			l.schemed(below, schemeNQF, node{v[name]}) // the published list lacks levels
		case name == "spatialCode":
			l.territories(below, node{v[name]})
		case ok:
			l.listedConcepts(below, rule, node{v[name]})
		}
	}
}

// listedConcepts checks membership, which the shapes do not.
func (l *linter) listedConcepts(path *trail, rule codeRule, n node) {
	for _, c := range l.all.concepts(n) {
		_, member := rule.list.find(c.URI)
		inScheme := c.Scheme == rule.list.scheme
		switch {
		case member && inScheme:
		case !rule.fixed && !l.issuing: // lists grow, and nothing forbids a concept of another
			l.report(Warning, "C01", clauseCode, path.String(), c.URI+" is a concept outside the usual list", c.URI+" è un concetto fuori dall’elenco usuale")
		default:
			l.report(Error, "C01", clauseCode, path.String(), c.URI+" does not belong to the list "+rule.list.scheme, c.URI+" non appartiene all’elenco "+rule.list.scheme)
		}
	}
}

// schemed checks the scheme alone, where no whole list is published.
func (l *linter) schemed(path *trail, scheme string, n node) {
	for _, c := range l.all.concepts(n) {
		if c.Scheme != scheme {
			l.report(Error, "C01", clauseCode, path.String(), c.URI+" is not in the scheme "+scheme, c.URI+" non è nello schema "+scheme)
		}
	}
}

// territories come from one of two lists, which the profile does not fix.
func (l *linter) territories(path *trail, n node) {
	for _, c := range l.all.concepts(n) {
		_, known := RegionURI(c.URI)
		unit := known && strings.HasPrefix(c.URI, listTerritory.prefix) && c.Scheme == listTerritory.scheme
		nuts := strings.HasPrefix(c.URI, listNUTS.prefix) && c.Scheme == listNUTS.scheme && (known || !l.issuing)
		switch {
		case unit || nuts:
		case l.issuing:
			l.report(Error, "C01", clauseCode, path.String(), c.URI+" belongs neither to the list of territories nor to NUTS", c.URI+" non appartiene né all’elenco dei territori né a NUTS")
		default:
			l.report(Warning, "C01", clauseCode, path.String(), c.URI+" is a territory outside the usual lists", c.URI+" è un territorio fuori dagli elenchi usuali")
		}
	}
}

func (l *linter) skills(path *trail, n node) {
	for _, c := range l.all.concepts(n) {
		if c.Scheme != schemeESCO || !escoSkill.MatchString(c.URI) {
			l.report(Error, "C02", clauseCode, path.String(),
				c.URI+" is not a skill of ESCO in the scheme "+schemeESCO, c.URI+" non è una competenza ESCO dello schema "+schemeESCO)
		}
	}
}

// word checks a plain string by the member it stands in.
func (l *linter) word(path *trail, name, value string) {
	switch name {
	case "volumeOfLearning", "maximumDuration", "workload":
		l.duration(path.String(), value)
	case "awardingDate", "dateOfBirth", "dateIssued", "expiryDate", "reviewDate", "valid", "startDate", "endDate", "applicationDeadline":
		l.dateTime(path.String(), value)
	case "page":
		l.page(path.String(), value)
	case "evidence", "accreditation", "accreditingAgent", "awardingBody", "awardedBy", "specifiedBy", "nationalID":
		l.need(described(l.all, value), "S20", clauseAP, path.String(), "this names nothing that is described in the file", "non indica nulla di descritto nel file")
	case "hasCredential", "hasClaim":
		l.need(described(l.all, value), "S20", clauseAP, path.String(), "this is not an object", "non è un oggetto")
	case "contentURL":
		l.need(absolute(value), "S12", clauseRead, path.String(), "this is not an absolute address", "l’indirizzo non è assoluto")
	case "emailAddress":
		l.report(Error, "S18", clauseRead, path.String(), "an e-mail address is an object with its mailto id", "un indirizzo e-mail è un oggetto con il suo mailto")
	default:
		if isLanguageMap[name] {
			l.report(Error, "S13", clauseAP, path.String(), "a text must say its language", "un testo deve dire la sua lingua")
		}
	}
}
