package credentials

// isLanguageMap names the members whose values are language maps.
var isLanguageMap = map[string]bool{
	"title": true, "description": true, "legalName": true, "altLabel": true, "prefLabel": true,
	"noteLiteral": true, "fullName": true, "givenName": true, "familyName": true, "label": true,
}

// rule is what holds of the members of one name, wherever they stand.
type rule struct {
	languageMap bool
	oneLanguage bool // it may hold one language only
	closed      bool // what is below it is not looked at
	word        bool // a plain string in it is looked at
	// check holds a member of an object to the list that its concepts come from.
	check func(l *linter, of *value, n node)
}

// rules are those of memberNames, at their symbols. Other names have none.
var rules = ruleTable()

// ruleOf is the rule of a name, or the empty one.
func ruleOf(name symbol) *rule {
	if name >= firstOther {
		name = 0
	}
	return &rules[name]
}

func ruleTable() (table [firstOther]rule) {
	at := func(name string) *rule { return &table[known.find(name)] }
	for name := range isLanguageMap {
		at(name).languageMap, at(name).word = true, true
	}
	for _, name := range [...]string{"fullName", "givenName", "familyName"} {
		at(name).oneLanguage = true
	}
	for _, name := range [...]string{"@context", "status", "prefLabel"} {
		at(name).closed = true
	}
	for _, name := range [...]string{
		"volumeOfLearning", "maximumDuration", "workload", "page", "contentURL", "emailAddress", "hasCredential", "hasClaim",
		"awardingDate", "dateOfBirth", "dateIssued", "expiryDate", "reviewDate", "valid", "startDate", "endDate", "applicationDeadline",
		"evidence", "accreditation", "accreditingAgent", "awardingBody", "awardedBy", "specifiedBy", "nationalID",
	} {
		at(name).word = true
	}
	for name, code := range codeRules {
		at(name).check = func(l *linter, _ *value, n node) { l.listedConcepts(code, n) }
	}
	at("dcType").check = func(l *linter, of *value, n node) {
		if code, ok := dcTypeRules[l.kindOf(of)]; ok {
			l.listedConcepts(code, n)
		}
	}
	at("relatedESCOSkill").check = func(l *linter, _ *value, n node) { l.skills(n) }
	at("limitOccupation").check = func(l *linter, _ *value, n node) { l.schemed(schemeOccupations, n) }
	at("nqfLevel").check = func(l *linter, _ *value, n node) { l.schemed(schemeNQF, n) } // the published list lacks levels
	at("spatialCode").check = func(l *linter, _ *value, n node) { l.territories(n) }
	return table
}

// demands are the members that required demands, by the position of the type
// among demanding.
var (
	demanding = newWords(sortedKeys(required))
	demands   = demandTable()
)

func demandTable() [][]symbol {
	table := make([][]symbol, 1, len(required)+1)
	for _, kind := range demanding.list {
		var names []symbol
		for _, name := range required[kind] {
			names = append(names, known.find(name))
		}
		table = append(table, names)
	}
	return table
}

// demandsOf are the members that the profile demands of an object of a type.
func demandsOf(kind string) []symbol { return demands[demanding.find(kind)] }
