package credentials

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The table holds every list as the Commission publishes it, so that a change
// of either is seen.
func TestTheTableEqualsThePublishedLists(t *testing.T) {
	vocab := filepath.Join(edcData(t), "vocab")
	for list, file := range map[*codeList]string{
		&listOpportunity: "europass-learning-opportunity-types.csv", &listMode: "europass-modes.csv",
		&listAssessmentType: "europass-learning-assessment-types.csv", &listSetting: "europass-learning-setting-types.csv",
		&listEQF: "eqf.csv", &listField: "isced-f.csv", &listSkillType: "skill-types.csv", &listReuse: "skill-reuse-levels.csv",
		&listCredit: "credit-points.csv", &listLanguage: "language.csv", &listCountry: "country.csv",
		&listAccreditationType: "europass-accreditation-types.csv", &listActivityType: "europass-learning-activity-types.csv",
		&listEntitlementStatus: "europass-learning-entitlement-statuses.csv", &listCurrency: "currency.csv",
		&listTerritory: "atu.csv", &listFileType: "file-type.csv",
	} {
		f, err := os.Open(filepath.Join(vocab, file))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		if f.Close(); err != nil {
			t.Fatal(err)
		}
		uri, label, scheme := slices.Index(rows[0], "uri"), slices.Index(rows[0], "label_en"), slices.Index(rows[0], "scheme")
		published := map[string]string{}
		for _, row := range rows[1:] {
			if row[scheme] != list.scheme {
				t.Errorf("%s: %s is in the scheme %s", file, row[uri], row[scheme])
			}
			published[row[uri]] = row[label]
		}
		if len(published) != len(list.concepts) {
			t.Errorf("%s: %d concepts are published, the table has %d", file, len(published), len(list.concepts))
		}
		for uri, label := range published {
			if found, ok := list.find(uri); !ok || found.en != label {
				t.Errorf("%s: the table has %q for %s, %q is published", file, found.en, uri, label)
			}
		}
	}
	constants, err := os.ReadFile(filepath.Join(vocab, "edc-constants.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []*codeList{&listProfile, &listSupervision, &listEvidenceType, &listEncoding} {
		for _, c := range list.concepts {
			if !strings.Contains(string(constants), list.prefix+c.code) {
				t.Errorf("%s%s is not among the published constants", list.prefix, c.code)
			}
		}
	}
}

// A search in a list that is not in order finds too little.
func TestListsAreInOrderAndWithoutRepeats(t *testing.T) {
	for _, l := range allLists() {
		if len(l.concepts) == 0 || l.scheme == "" {
			t.Errorf("%s is empty", l.prefix)
		}
		for i := range l.concepts {
			c := l.concepts[i]
			if i > 0 && l.concepts[i-1].code >= c.code {
				t.Errorf("%s: %s is out of order", l.prefix, c.code)
			}
			if c.en == "" && l != &listTerritory { // published without, in part
				t.Errorf("%s%s has no label", l.prefix, c.code)
			}
			if found, ok := l.find(l.prefix + c.code); !ok || found != c {
				t.Errorf("%s%s is not found", l.prefix, c.code)
			}
		}
		for _, uri := range []string{"", l.prefix, l.prefix + "~", l.scheme + "x", "x" + l.prefix + l.concepts[0].code} {
			if _, ok := l.find(uri); ok {
				t.Errorf("%q is found in %s", uri, l.prefix)
			}
		}
	}
}

// The constants that the code writes are in the lists.
func TestConstantsAreInTheirLists(t *testing.T) {
	for uri, list := range map[string]*codeList{
		shortLearningProgramme: &listOpportunity, attendanceOnly: &listAssessmentType, profileGeneric: &listProfile,
		profileAccredited: &listProfile, profileMandate: &listProfile, evidenceAccreditation: &listEvidenceType, evidenceMandate: &listEvidenceType,
		activityOnline: &listActivityType, activitySelfStudy: &listActivityType, modeOnline: &listMode, eqfPrefix + "8": &listEQF,
		creditECTS: &listCredit, encodingBase64: &listEncoding, fileTypePNG: &listFileType, countryPrefix + "ITA": &listCountry,
	} {
		if _, ok := list.find(uri); !ok {
			t.Errorf("%s is not in %s", uri, list.scheme)
		}
	}
	for _, code := range []string{"it", "en", "de", "fr", "sl", "es", "ro"} {
		if _, ok := listLanguage.find(languageConcept(code)); !ok {
			t.Errorf("the language %s has no concept", code)
		}
	}
	if languageConcept("xx") != "" {
		t.Error("an unknown language has a concept")
	}
}

// Every concept of a document is labelled in Italian and English.
func TestDocumentsLabelEveryConceptInItalian(t *testing.T) {
	for _, a := range fixtureModules(t) {
		var d any
		if err := json.Unmarshal(newDocument(t, a, goodIssue(t)), &d); err != nil {
			t.Fatal(err)
		}
		everywhere(d, func(m map[string]any) {
			if m["type"] != "Concept" {
				return
			}
			label, _ := m["prefLabel"].(map[string]any)
			if label["it"] == nil || label["en"] == nil {
				t.Errorf("%s: %v is labelled %v", a.Module.Code, m["id"], label)
			}
		})
	}
}
