package credentials

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// symbol stands for the name of a member. Those of memberNames are counted from
// 1 in the order of their bytes; further names of one text follow from
// firstOther on as they come. 0 is no name.
type symbol uint32

// firstOther is the symbol of the first name of a text that is not in
// memberNames.
const firstOther symbol = 256

// memberNames are names that members of documents, headers and tokens mostly
// have, sorted by their bytes. No two of them differ in case only. A name that is
// not here is read as well, only slower.
var memberNames = strings.Fields(`
@context accreditation accreditingAgent additionalNote address adoTst alg altLabel applicationDeadline arcTst awardedBy
awardingBody awardingDate b64 bg bits citizenshipCountry contactHour content contentEncoding contentType contentURL count
countryCode credentialProfiles credentialSchema credentialStatus credentialSubject creditPoint crit crlVals cs cty da dateIssued
dateOfBirth dcType de description digAlg digVal displayDetail displayParameter eIDASIdentifier el elmSubject emailAddress en
encodedList endDate entitlementStatus entryRequirement eqfLevel es et etsiU evidence evidenceStatement evidenceTarget exp
expirationDate expiryDate familyName fi fr framework fullName ga givenName grade hasClaim hasCredential hasPart header homepage
hr hu iat id idVerification identifier idx image inScheme individualDisplay influencedBy isPartOf isPartialQualification
issuanceDate issued issuer it kid label language learningOutcome learningSetting legalName limitEQFLevel limitField
limitJurisdiction limitOccupation location lst lt lv maximumDuration mode mt nationalID nl notation noteLiteral nqfLevel
ocspVals organisation page payload percentageEqual percentageHigher percentageLower pl point prefLabel primaryLanguage proof
protected provenBy providedBy pt rVals registration relatedESCOSkill relatedSkill report reusabilityLevel reviewDate ro
schemeName sigT sigTst signature signatures sk sl spatial spatialCode specifiedBy startDate status statusListCredential
statusListIndex statusPurpose statusSize status_list sub subject sv taxIdentifier termsOfUse thematicArea title tstTokens ttl
typ type und unit uri val valid validFrom validUntil value vatIdentifier verificationStatus volumeOfLearning workload x509Cert
x5c x5t#S256 x5t#o xVals`)

// known finds a member by its name, and knownFolded by its name without case.
var (
	known       = newWords(memberNames)
	knownFolded = newWords(folds(memberNames))

	symContext = known.find("@context")
	symID      = known.find("id")
	symType    = known.find("type")
	symPage    = known.find("page")
	symScheme  = known.find("inScheme")
)

func folds(names []string) []string {
	folded := make([]string, len(names))
	for i, name := range names {
		folded[i] = fold(name)
	}
	return folded
}

// words finds a word among few that do not change: quicker than a map. Its words
// are fewer than firstOther.
type words struct {
	list  []string
	slots [1 << wordBits]slotted // each word at the first free place from its number on
}

// slotted is a word in its place.
type slotted struct {
	ends ends
	at   symbol // its position from 1; 0 where there is none
}

const wordBits = 9

func newWords(list []string) *words {
	w := &words{list: slices.Clip(list)}
	for i, s := range w.list {
		e := endsOf(s)
		place := e.number()
		for w.slots[place].at != 0 {
			place = (place + 1) % (1 << wordBits)
		}
		w.slots[place] = slotted{e, symbol(i + 1)} // fewer than 256, as a test holds
	}
	return w
}

// find gives the position of a word from 1, or 0.
func (w *words) find(s string) symbol { return w.findEnds(endsOf(s), s) }

// findEnds is find for a word whose ends are known.
func (w *words) findEnds(e ends, s string) symbol {
	for place := e.number(); ; place = (place + 1) % (1 << wordBits) {
		slot := &w.slots[place]
		if slot.at == 0 || slot.ends == e && (len(s) <= 16 || w.list[slot.at-1] == s) {
			return slot.at
		}
	}
}

// ends are the first eight bytes, the last eight of what has more, and the length
// of a word: all of it, when it has 16 bytes or fewer.
type ends struct{ first, last, length uint64 }

func endsOf(s string) ends {
	n := len(s)
	e := ends{length: uint64(n)}
	switch { // bytes that are taken twice fall on themselves
	case n > 8:
		e.first, e.last = word(s), word(s[n-8:])
	case n >= 4:
		e.first = uint64(halfWord(s)) | uint64(halfWord(s[n-4:]))<<(8*(n-4))
	case n > 0:
		e.first = uint64(s[0]) | uint64(s[n/2])<<(8*(n/2)) | uint64(s[n-1])<<(8*(n-1))
	}
	return e
}

// halfWord is the first four bytes of a text as a number, the first the lowest.
func halfWord(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// number mixes the ends to a number below 1 << wordBits.
func (e ends) number() uint64 {
	mixed := (e.first^e.length)*0x9e3779b97f4a7c15 ^ e.last*0xc2b2ae3d27d4eb4f
	return (mixed >> 17) * 0xd6e8feb86659fd93 >> (64 - wordBits)
}

// names is the set of the names of one object without the case of their letters.
type names struct {
	seen   [firstOther / 64]uint64 // of memberNames
	others *folded
}

// add tells whether a name with its symbol, 0 for none, is new.
func (n *names) add(name string, s symbol) bool {
	if s == 0 {
		if s = knownFolded.find(fold(name)); s == 0 {
			if n.others == nil {
				n.others = &folded{}
			}
			return n.others.add(name)
		}
	}
	return n.addKnown(s)
}

// addKnown is add for one of memberNames.
func (n *names) addKnown(s symbol) bool {
	before := n.seen[s/64%4]
	n.seen[s/64%4] |= 1 << (s % 64)
	return before != n.seen[s/64%4]
}

// folded is the set of the names of one object without the case of their
// letters: some readers of JSON take two such names for one.
type folded struct {
	few  []foldedName
	many map[string]bool
}

// foldedName is a name with a number that is the same for names that differ in
// the case of their letters only.
type foldedName struct {
	number uint64
	name   string
}

// add tells whether the name is new.
func (f *folded) add(name string) bool {
	if f.many == nil && len(f.few) < few {
		number := foldNumber(name)
		for _, n := range f.few {
			if n.number == number && strings.EqualFold(n.name, name) {
				return false
			}
		}
		f.few = append(f.few, foldedName{number, name})
		return true
	}
	if f.many == nil {
		f.many = make(map[string]bool, 64)
		for _, n := range f.few {
			f.many[fold(n.name)] = true
		}
	}
	name = fold(name)
	if f.many[name] {
		return false
	}
	f.many[name] = true
	return true
}

func foldNumber(name string) uint64 {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			name = fold(name)
			break
		}
	}
	number := uint64(14695981039346656037) // FNV-1a
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		number = (number ^ uint64(c)) * 1099511628211
	}
	return number
}

// fold takes the case from every letter as encoding/json does, for which the
// Kelvin sign is a k and the long s an s.
func fold(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return strings.Map(foldRune, s)
		}
	}
	return strings.ToLower(s)
}

func foldRune(r rune) rune {
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}
