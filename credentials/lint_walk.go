package credentials

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// walk visits every node once and checks what holds at any depth.
func (l *linter) walk(path string, v any, name string) {
	switch v := v.(type) {
	case []any:
		for i, child := range v {
			l.walk(fmt.Sprintf("%s[%d]", path, i), child, name)
		}
	case map[string]any:
		if isLanguageMap[name] {
			l.languageMap(path, name, v)
			return
		}
		l.identity(path, v)
		l.members(path, v)
		for _, child := range sortedKeys(v) {
			if child == "@context" || child == "status" || child == "prefLabel" {
				continue
			}
			l.need(!strings.Contains(child, ":"), "S21", clauseRead, path+"/"+child,
				"a member is named by an IRI: readers of JSON-LD and of JSON understand it differently", "un campo ha per nome un IRI: chi legge JSON-LD e chi legge JSON lo intendono in modo diverso")
			l.walk(path+"/"+child, v[child], child)
		}
	case string:
		l.word(path, name, v)
	case json.Number:
		l.number(path, name, v)
	}
}

func (l *linter) number(path, name string, v json.Number) {
	if name == "page" {
		l.page(path, v.String())
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

func (l *linter) languageMap(path, name string, v map[string]any) {
	for _, language := range sortedKeys(v) {
		s, ok := v[language].(string)
		l.need(ok && s != "" && len(language) >= 2 && len(language) <= 12, "S13", clauseAP, path,
			"one text per language is needed", "serve un solo testo per ogni lingua")
	}
	if oneLanguage[name] {
		l.need(len(v) == 1, "S15", clauseAP, path, "a name is given in one language only", "un nome sta in una sola lingua")
	}
}

// identity: ids are absolute, one id stands for one content, and types are
// strings (the Commission's reader refuses arrays below the top).
func (l *linter) identity(path string, v map[string]any) {
	if path != "" {
		if t, ok := v["type"]; ok {
			_, single := t.(string)
			l.need(single, "S14", clauseRead, path+"/type", "the type of a nested object must be one string", "il tipo di un oggetto interno deve essere una sola parola")
		}
	}
	id, ok := v["id"].(string)
	if !ok {
		return
	}
	l.need(absolute(id), "S12", clauseAP, path+"/id", "the id is not an absolute IRI: "+id, "l’identificativo non è un IRI assoluto: "+id)
	if len(v) <= 2 {
		return // only named, or named with its type
	}
	first, seen := l.first[id]
	if !seen {
		l.first[id] = v
		return
	}
	l.need(reflect.DeepEqual(first, v), "S16", clauseAP, path+"/id", "the id "+id+" stands for two contents", "l’identificativo "+id+" indica due contenuti diversi")
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

func (l *linter) members(path string, v map[string]any) {
	kind, _ := v["type"].(string)
	if !l.mention(v) {
		for _, name := range required[kind] {
			if v[name] == nil {
				l.report(Error, "S17", clauseAP, path, kind+" lacks "+name, kind+": manca "+name)
			}
		}
	}
	for _, name := range sortedKeys(v) {
		rule, ok := codeRules[name]
		if name == "dcType" {
			rule, ok = dcTypeRules[kind]
		}
		switch {
		case name == "relatedESCOSkill":
			l.skills(path+"/"+name, node{v[name]})
		case name == "limitOccupation":
			l.schemed(path+"/"+name, schemeOccupations, node{v[name]})
		case name == "nqfLevel":
			l.schemed(path+"/"+name, schemeNQF, node{v[name]}) // the published list lacks levels
		case name == "spatialCode":
			l.territories(path+"/"+name, node{v[name]})
		case ok:
			l.listedConcepts(path+"/"+name, rule, node{v[name]})
		}
	}
}

// listedConcepts checks membership, which the shapes do not.
func (l *linter) listedConcepts(path string, rule codeRule, n node) {
	for _, c := range l.all.concepts(n) {
		_, member := rule.list.find(c.URI)
		inScheme := c.Scheme == rule.list.scheme
		switch {
		case member && inScheme:
		case !rule.fixed && !l.issuing: // lists grow, and nothing forbids a concept of another
			l.report(Warning, "C01", clauseCode, path, c.URI+" is a concept outside the usual list", c.URI+" è un concetto fuori dall’elenco usuale")
		default:
			l.report(Error, "C01", clauseCode, path, c.URI+" does not belong to the list "+rule.list.scheme, c.URI+" non appartiene all’elenco "+rule.list.scheme)
		}
	}
}

// schemed checks the scheme alone, where no whole list is published.
func (l *linter) schemed(path, scheme string, n node) {
	for _, c := range l.all.concepts(n) {
		l.need(c.Scheme == scheme, "C01", clauseCode, path, c.URI+" is not in the scheme "+scheme, c.URI+" non è nello schema "+scheme)
	}
}

// territories come from one of two lists, which the profile does not fix.
func (l *linter) territories(path string, n node) {
	for _, c := range l.all.concepts(n) {
		_, known := RegionURI(c.URI)
		unit := known && strings.HasPrefix(c.URI, listTerritory.prefix) && c.Scheme == listTerritory.scheme
		nuts := strings.HasPrefix(c.URI, listNUTS.prefix) && c.Scheme == listNUTS.scheme && (known || !l.issuing)
		switch {
		case unit || nuts:
		case l.issuing:
			l.report(Error, "C01", clauseCode, path, c.URI+" belongs neither to the list of territories nor to NUTS", c.URI+" non appartiene né all’elenco dei territori né a NUTS")
		default:
			l.report(Warning, "C01", clauseCode, path, c.URI+" is a territory outside the usual lists", c.URI+" è un territorio fuori dagli elenchi usuali")
		}
	}
}

func (l *linter) skills(path string, n node) {
	for _, c := range l.all.concepts(n) {
		l.need(c.Scheme == schemeESCO && escoSkill.MatchString(c.URI), "C02", clauseCode, path,
			c.URI+" is not a skill of ESCO in the scheme "+schemeESCO, c.URI+" non è una competenza ESCO dello schema "+schemeESCO)
	}
}

// word checks a plain string by the member it stands in.
func (l *linter) word(path, name, value string) {
	switch name {
	case "volumeOfLearning", "maximumDuration", "workload":
		l.duration(path, value)
	case "awardingDate", "dateOfBirth", "dateIssued", "expiryDate", "reviewDate", "valid", "startDate", "endDate", "applicationDeadline":
		l.dateTime(path, value)
	case "page":
		l.page(path, value)
	case "evidence", "accreditation", "accreditingAgent", "awardingBody", "awardedBy", "specifiedBy", "nationalID":
		l.need(described(l.all, value), "S20", clauseAP, path, "this names nothing that is described in the file", "non indica nulla di descritto nel file")
	case "hasCredential", "hasClaim":
		l.need(described(l.all, value), "S20", clauseAP, path, "this is not an object", "non è un oggetto")
	case "contentURL":
		l.need(absolute(value), "S12", clauseRead, path, "this is not an absolute address", "l’indirizzo non è assoluto")
	case "emailAddress":
		l.report(Error, "S18", clauseRead, path, "an e-mail address is an object with its mailto id", "un indirizzo e-mail è un oggetto con il suo mailto")
	default:
		if isLanguageMap[name] {
			l.report(Error, "S13", clauseAP, path, "a text must say its language", "un testo deve dire la sua lingua")
		}
	}
}
