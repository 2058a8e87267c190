package credentials

import (
	"slices"
	"strings"
)

//go:generate go run lists_generate.go

// codeList is one controlled list of the learning model. Its concepts are
// sorted by code.
type codeList struct {
	scheme   string
	prefix   string
	concepts []listed
}

// listed is a concept: the code after the list's prefix, the official English
// label and our own Italian one, which may be empty.
type listed struct{ code, en, it string }

// find returns the concept with the URI and whether the list has it.
func (l *codeList) find(uri string) (listed, bool) {
	code, ok := strings.CutPrefix(uri, l.prefix)
	if !ok {
		return listed{}, false
	}
	i, ok := slices.BinarySearchFunc(l.concepts, code, func(c listed, code string) int {
		return strings.Compare(c.code, code)
	})
	if !ok {
		return listed{}, false
	}
	return l.concepts[i], true
}

// label gives what is known of a concept's name in Italian and English.
func (c listed) label() Text {
	t := Text{}
	c.name(t)
	return t
}

// name puts what is known of a concept's name into a text.
func (c listed) name(t Text) {
	if c.en != "" {
		t["en"] = c.en
	}
	if c.it != "" {
		t["it"] = c.it
	}
}

// Scheme and concepts that are not in a generated list.
const (
	schemeESCO = "http://data.europa.eu/esco/concept-scheme/skills"
	prefixESCO = "http://data.europa.eu/esco/skill/"

	shortLearningProgramme = "http://data.europa.eu/snb/learning-opportunity/74a4a268e8"
	attendanceOnly         = "http://data.europa.eu/snb/assessment/7331eb4762"
	profileGeneric         = "http://data.europa.eu/snb/credential/e34929035b"
	profileAccredited      = "http://data.europa.eu/snb/credential/6cf8e68c43"
	profileMandate         = "http://data.europa.eu/snb/credential/c_9a31f32a"
	evidenceAccreditation  = "http://data.europa.eu/snb/evidence-type/c_991b06c6"
	evidenceMandate        = "http://data.europa.eu/snb/evidence-type/c_18016257"
	activityOnline         = "http://data.europa.eu/snb/learning-activity/bf2e3a7bae"
	activitySelfStudy      = "http://data.europa.eu/snb/learning-activity/b660f5dcea"
	modeOnline             = "http://data.europa.eu/snb/learning-assessment/920fbb3cbe"
	creditECTS             = "http://data.europa.eu/snb/education-credit/6fcec5c5af"
	encodingBase64         = "http://data.europa.eu/snb/encoding/6146cde7dd"
	fileTypePNG            = "http://publications.europa.eu/resource/authority/file-type/PNG"
	countryPrefix          = "http://publications.europa.eu/resource/authority/country/"
	eqfPrefix              = "http://data.europa.eu/snb/eqf/"
)

// RegionURI gives the URI of a territory by its URI or by its code alone: that
// of the EU list of administrative territorial units (ITA_CIM_ROM), or the NUTS
// code of an Italian one (ITI4), for the first list lacks most regions. The
// second result tells whether one of the lists has it.
func RegionURI(code string) (string, bool) {
	for _, l := range [...]*codeList{&listTerritory, &listNUTS} {
		uri := code
		if !strings.HasPrefix(uri, l.prefix) {
			uri = l.prefix + code
		}
		if _, ok := l.find(uri); ok {
			return uri, true
		}
	}
	return code, false
}

// IsAccreditationType tells whether the list of kinds of accreditation has the
// URI.
func IsAccreditationType(uri string) bool {
	_, ok := listAccreditationType.find(uri)
	return ok
}

// IsCountry tells whether the EU country list has the three-letter code.
func IsCountry(code string) bool {
	_, ok := listCountry.find(countryPrefix + code)
	return ok
}

// languageConcept gives the URI of a language by its two-letter code, for the
// languages that attesta's users write in.
func languageConcept(code string) string {
	for _, l := range [...][2]string{
		{"it", "ITA"}, {"en", "ENG"}, {"de", "DEU"}, {"fr", "FRA"}, {"sl", "SLV"}, {"es", "SPA"}, {"ro", "RON"},
	} {
		if l[0] == code {
			return listLanguage.prefix + l[1]
		}
	}
	return ""
}

// label is the label of a concept by the list that has it, with what the file adds
// to it: so a reader sees a name even where a file carries none.
func label(uri string, said node) Text {
	for _, l := range allLists() {
		if found, ok := l.find(uri); ok {
			label := said.texts()
			if label == nil {
				label = Text{}
			}
			found.name(label)
			return label
		}
	}
	return said.texts()
}

func allLists() []*codeList {
	return []*codeList{
		&listMode, &listAssessmentType, &listSupervision, &listSetting, &listEQF, &listField,
		&listLanguage, &listCountry, &listOpportunity, &listSkillType, &listReuse, &listCredit,
		&listProfile, &listEvidenceType, &listAccreditationType, &listActivityType, &listEncoding, &listFileType,
		&listTerritory, &listNUTS,
	}
}

// countries pairs the three-letter codes of the EU country list with the two
// letters that certificates have (ISO 3166-1), for the countries whose
// organisations seal here.
const countries = "ITA:IT AUT:AT BEL:BE BGR:BG CHE:CH CYP:CY CZE:CZ DEU:DE DNK:DK ESP:ES EST:EE FIN:FI FRA:FR GBR:GB GRC:GR HRV:HR HUN:HU IRL:IE ISL:IS LIE:LI LTU:LT LUX:LU LVA:LV MLT:MT NLD:NL NOR:NO POL:PL PRT:PT ROU:RO SMR:SM SVK:SK SVN:SI SWE:SE VAT:VA"

// TwoLetters turns the code of a country in the EU list into that of X.509.
func TwoLetters(country string) (string, bool) {
	for pair := range strings.FieldsSeq(countries) {
		if three, two, _ := strings.Cut(pair, ":"); three == country {
			return two, true
		}
	}
	return "", false
}

// ThreeLetters is the inverse of TwoLetters.
func ThreeLetters(country string) (string, bool) {
	for pair := range strings.FieldsSeq(countries) {
		if three, two, _ := strings.Cut(pair, ":"); two == country {
			return three, true
		}
	}
	return "", false
}
