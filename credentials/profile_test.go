package credentials

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func both(s string) Text { return Text{"it": s + " (it)", "en": s} }

// fullAward has every optional element that an award can have, and is sealed by
// another under an accreditation in full.
func fullAward(t testing.TB) Award {
	t.Helper()
	a := goodAward(t)
	ects, months := 1.5, 24
	a.Learner.BirthDate = "1980-05-29"
	a.Learner.NationalID = &NationalID{Number: "RSSMRA80A01H501U", Country: "ITA", Scheme: "Codice fiscale"}
	a.Module.FurtherInformation, a.Module.URL = both("Twice a year"), "https://scuola.example.org/sn-11"
	a.Module.Workload.ECTS, a.Module.ValidityMonths = &ects, &months
	a.Module.Level.Basis, a.Module.Level.Reference = "national_framework", both("Repertory no. 4")
	a.Module.Accreditation = &Accreditation{
		Register: "Albo", Number: "7", ValidFrom: "2025-01-01", ValidUntil: "2030-12-31",
		ID: "https://albo.example.org/7", Type: listAccreditationType.prefix + "003293d2ce", Title: both("Licence"),
		Agent:    &Body{Name: both("Region"), Country: "ITA", LegalID: "NTRIT-1"},
		Decision: &Decision{"https://albo.example.org/yes", both("Accredited")}, Report: "https://albo.example.org/7/report", LimitEQF: 7,
	}
	a.Provider.Region, a.Provider.LegalID = "ITI4", "VATIT-00000000001"
	a.Provider.Mandate = &Mandate{
		SealedBy:  Body{ID: "iss-p", Name: Text{"it": theSigner.Organisation, "en": "Platform"}, Country: "ITA"},
		Statement: both("agreement no. 12"), From: "2026-01-01", Until: "2026-12-31",
	}
	a.Stacks = map[string]Text{"QS-B": both("Operator")}
	a.Parts = []Part{
		{Credential: "urn:credential:1", Module: "SN-01", Title: both("First"), CompletedOn: "2026-05-01", Hours: 16},
		{Credential: "urn:credential:2", Module: "GB-01", Title: both("Second"), CompletedOn: "2026-05-02", Provider: &Provider{ID: "other", Name: both("Other"), Country: "AUT"}},
	}
	return a
}

// What is read of a credential with every optional element is what the award
// says, and nothing in it breaks a rule.
func TestViewSaysEveryOptionalElement(t *testing.T) {
	a := fullAward(t)
	d := newDocument(t, a, goodIssue(t))
	if found := Lint(d, &theSigner); len(found) > 0 {
		t.Fatalf("%v", found)
	}
	p, err := open(seal(t, d, newSealer(t)))
	if err != nil {
		t.Fatal(err)
	}
	v := p.View()
	if v.LevelDeclared || v.LevelNote["en"] != "Repertory no. 4" || v.Further["it"] != "Twice a year (it)" || v.ModuleURL != a.Module.URL {
		t.Errorf("%+v", v)
	}
	if v.Region == nil || v.Region.Label["it"] != "Lazio" || v.Country.Label["it"] != "Italia" {
		t.Errorf("%+v in %+v", v.Region, v.Country)
	}
	if v.AwardedBy["it"] != a.Provider.Name["it"] || a.Provider.LegalID == "" || !slices.Equal(v.AwardedIDs, []string{a.Provider.LegalID}) || v.Issuer != theSigner.Organisation {
		t.Errorf("awarded by %v, sealed by %v", v.AwardedBy, v.Issuer)
	}
	if diff := cmp.Diff(Text{
		"it": theSigner.Organisation + " sigilla su mandato di " + a.Provider.Name["it"] + ", che attribuisce quanto qui attestato e ne risponde. Mandato: agreement no. 12 (it)",
		"en": theSigner.Organisation + " seals by mandate of " + a.Provider.Name["en"] + ", which awards what is attested here and answers for it. Mandate: agreement no. 12",
	}, v.Mandate); diff != "" {
		t.Error(diff)
	}
	if !v.BirthDateGiven || !v.NationalIDGiven {
		t.Error("that the birth date and the national number are in the file is not read")
	}
	ac := v.Accreditation
	if ac == nil || ac.ID != a.Module.Accreditation.ID || ac.Agent["en"] != "Region" || ac.From.Format(time.DateOnly) != "2025-01-01" || ac.Until.Format(time.DateOnly) != "2030-12-31" || ac.Report == "" {
		t.Errorf("%+v", ac)
	}
	if diff := cmp.Diff([]StackView{{"QS-B", both("Operator")}}, v.Stacks); diff != "" {
		t.Error(diff)
	}
	if len(v.Parts) != 2 || v.Parts[1].Credential != "urn:credential:2" || v.Parts[1].CompletedOn.Format(time.DateOnly) != "2026-05-02" {
		t.Errorf("%+v", v.Parts)
	}
	var hours []string
	for _, one := range v.Activities {
		hours = append(hours, one.Title["en"]+" "+one.Hours)
	}
	w := a.Module.Workload
	if want := []string{"Contact hours " + Duration(w.Contact), "Online hours " + Duration(w.Online), "Self-study " + Duration(w.SelfStudy)}; !slices.Equal(hours, want) {
		t.Errorf("%q, want %q", hours, want)
	}
}

// A level that the provider declares is told by the subject of its note, in our
// own documents of today and of yesterday, and by no words.
func TestViewTellsADeclaredLevelByItsNote(t *testing.T) {
	n, err := readJSON(goodDocument(t))
	if err != nil {
		t.Fatal(err)
	}
	if v := viewOf(n); !v.LevelDeclared || v.LevelNote["it"] == "" {
		t.Errorf("%v %v", v.LevelDeclared, v.LevelNote)
	}
	words := view(t, `{"credentialSubject":{"hasClaim":{"specifiedBy":{"additionalNote":[{"type":"Note","noteLiteral":{"en":"The EQF level is declared by the provider"}}]}}}}`)
	if words.LevelDeclared {
		t.Error("words alone declare a level")
	}
}

// Each further claim is named, up to a bound.
func TestViewNamesEveryClaim(t *testing.T) {
	v := view(t, `{"credentialSubject":{"hasClaim":[{"title":{"en":"A"}},{"type":"LearningActivity","title":{"en":"B"}},"c:1",{"type":"LearningEntitlement"}]},"x":{"id":"c:1","type":"LearningAchievement","title":{"en":"C"}}}`)
	want := []ClaimView{{"LearningActivity", Text{"en": "B"}}, {"LearningAchievement", Text{"en": "C"}}, {"LearningEntitlement", nil}}
	if diff := cmp.Diff(want, v.More); diff != "" || v.Claims != 4 {
		t.Errorf("%d claims: %s", v.Claims, diff)
	}
	many := view(t, `{"credentialSubject":{"hasClaim":[{}`+strings.Repeat(`,{"type":"LearningActivity"}`, 500)+`]}}`)
	if many.Claims != 501 || len(many.More) != maxClaims {
		t.Errorf("%d claims, %d named", many.Claims, len(many.More))
	}
}

// An awarding body is named beside the issuer only where it is another.
func TestViewNamesAnAwardingBodyThatDoesNotSeal(t *testing.T) {
	for text, want := range map[string]Text{
		`{"id":"o:1","legalName":{"en":"School"}}`: nil,
		`"o:1"`:                                                        nil,
		`{"legalName":{"en":"School"}}`:                                nil,
		`{"legalName":{"en":"School","it":"x"}}`:                       nil,
		`{"id":"o:2","legalName":{"en":"Other"}}`:                      {"en": "Other"},
		`{"id":"o:2","legalName":{"it":"Altra"}}`:                      {"it": "Altra"},
		`[{"id":"o:1"},{"legalName":{"en":"Other"}}]`:                  {"en": "Other"},
		`[{"legalName":{"en":"B"}},{"legalName":{"en":"C","it":"D"}}]`: {"und": "B, D"},
	} {
		v := view(t, `{"issuer":{"id":"o:1","legalName":{"en":"School"}},"credentialSubject":{"hasClaim":{"awardedBy":{"awardingBody":`+text+`}}}}`)
		if diff := cmp.Diff(want, v.AwardedBy); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

// Each profile has its concept, its schema and its evidence.
func TestProfiles(t *testing.T) {
	plain, full := goodAward(t), fullAward(t)
	accredited, mandated := full, full
	accredited.Provider.Mandate, mandated.Module.Accreditation = nil, nil
	for name, c := range map[string]struct {
		award    Award
		profiles []string
		schemas  []string
		evidence []string
	}{
		"generic":    {plain, []string{profileGeneric}, []string{schemaGeneric}, nil},
		"accredited": {accredited, []string{profileAccredited}, []string{schemaAccredited}, []string{evidenceAccreditation}},
		"by mandate": {mandated, []string{profileMandate}, []string{schemaMandate}, []string{evidenceMandate}},
		"both":       {full, []string{profileAccredited, profileMandate}, []string{schemaAccredited, schemaMandate}, []string{evidenceAccreditation, evidenceMandate}},
	} {
		n, err := readJSON(newDocument(t, c.award, goodIssue(t)))
		if err != nil {
			t.Fatal(err)
		}
		ids := func(repeatable node, path ...string) (all []string) {
			for one := range repeatable.every() {
				all = append(all, one.at(path...).text())
			}
			return all
		}
		got := [][]string{ids(n.get("credentialProfiles"), "id"), ids(n.get("credentialSchema"), "id"), ids(n.get("evidence"), "dcType", "id")}
		if diff := cmp.Diff([][]string{c.profiles, c.schemas, c.evidence}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// What the profiles ask for beside the generic one is missed where it lacks.
func TestLintOfProfiles(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(map[string]any)
		rule   string
	}{
		{"no evidence", func(d map[string]any) { delete(d, "evidence") }, "S22"},
		{"an evidence without accreditation", func(d map[string]any) { delete(objectAt(t, d, "evidence", 1), "accreditation") }, "S23"},
		{"two accreditations", func(d map[string]any) {
			e := objectAt(t, d, "evidence", 0)
			e["accreditation"] = []any{e["accreditation"], e["accreditation"]}
		}, "S23"},
		{"two claims", func(d map[string]any) {
			s := objectAt(t, d, "credentialSubject")
			claims := s["hasClaim"].([]any)
			s["hasClaim"] = append(claims, claims[0])
		}, "S23"},
		{"no statement", func(d map[string]any) { delete(objectAt(t, d, "evidence", 1), "evidenceStatement") }, "S24"},
		{"a statement with a language", func(d map[string]any) {
			objectAt(t, d, "evidence", 1)["evidenceStatement"] = map[string]any{"it": "x"}
		}, "S24"},
		{"a profile without its schema", func(d map[string]any) {
			d["credentialSchema"] = d["credentialSchema"].([]any)[:1]
		}, "S22"},
		{"a level above the accreditation", func(d map[string]any) {
			objectAt(t, d, "evidence", 0, "accreditation", "limitEQFLevel", 0)["id"] = eqfPrefix + "1"
		}, "S25"},
		{"an accreditation without its agent", func(d map[string]any) { delete(objectAt(t, d, "evidence", 0, "accreditation"), "accreditingAgent") }, "S17"},
		{"an accreditation without a type", func(d map[string]any) { delete(objectAt(t, d, "evidence", 0, "accreditation"), "dcType") }, "S17"},
		{"an accreditation without a title", func(d map[string]any) { delete(objectAt(t, d, "evidence", 0, "accreditation"), "title") }, "S17"},
		{"a number without its country", func(d map[string]any) { delete(objectAt(t, d, "credentialSubject", "nationalID"), "spatial") }, "S17"},
		{"a birth date without a time", func(d map[string]any) { objectAt(t, d, "credentialSubject")["dateOfBirth"] = "1980-05-29" }, "S06"},
		{"an accreditation of another list", func(d map[string]any) {
			objectAt(t, d, "evidence", 0, "accreditation", "dcType")["id"] = "http://data.europa.eu/snb/accreditation/x"
		}, "C01"},
		{"a territory of no list", func(d map[string]any) {
			everywhere(d, func(m map[string]any) {
				if c, ok := m["spatialCode"].([]any); ok {
					c[0].(map[string]any)["id"] = listNUTS.prefix + "ITX9"
				}
			})
		}, "C01"},
		{"an evidence that is not there", func(d map[string]any) { d["evidence"] = []any{"urn:epass:evidence:9"} }, "S20"},
	} {
		d := edited(t, newDocument(t, fullAward(t), goodIssue(t)), c.change)
		if found := Lint(d, &theSigner); !rulesOf(found)[c.rule] {
			t.Errorf("%s: %v", c.name, found)
		}
	}
	// Who only reads is told of what other software does and nothing more.
	d := edited(t, newDocument(t, fullAward(t), goodIssue(t)), func(d map[string]any) {
		d["credentialSchema"] = d["credentialSchema"].([]any)[:1]
		everywhere(d, func(m map[string]any) {
			if c, ok := m["spatialCode"].([]any); ok {
				c[0].(map[string]any)["id"] = listNUTS.prefix + "DEA29"
			}
		})
	})
	if found := Lint(d, nil); len(Errors(found)) > 0 || len(found) != 1 {
		t.Errorf("%v", found)
	}
}

// Every list that the profile fixes for a member is held to: a concept that is
// no member, and one of another scheme, are errors (code lists of the profile).
func TestLintOfCodeLists(t *testing.T) {
	for name, rule := range codeRules {
		if !rule.fixed || name == "credentialProfiles" || name == "primaryLanguage" {
			continue
		}
		good := Concept{URI: rule.list.prefix + rule.list.concepts[0].code, Scheme: rule.list.scheme}
		for what, c := range map[string]Concept{
			"no member":      {URI: rule.list.prefix + "~", Scheme: rule.list.scheme},
			"another scheme": {URI: good.URI, Scheme: rule.list.scheme + "x"},
		} {
			d := edited(t, goodDocument(t), func(d map[string]any) { d["test"] = map[string]any{"type": "Test", name: conceptJSON(c)} })
			if found := Lint(d, nil); !rulesOf(found)["C01"] {
				t.Errorf("%s, %s: %v", name, what, found)
			}
		}
		d := edited(t, goodDocument(t), func(d map[string]any) { d["test"] = map[string]any{"type": "Test", name: conceptJSON(good)} })
		if found := Errors(Lint(d, nil)); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
	for name, scheme := range map[string]string{"nqfLevel": schemeNQF, "limitOccupation": schemeOccupations} {
		for s, want := range map[string]bool{scheme: false, scheme + "x": true} {
			d := edited(t, goodDocument(t), func(d map[string]any) {
				d["test"] = map[string]any{"type": "Test", name: conceptJSON(Concept{URI: "https://x.example.org/1", Scheme: s})}
			})
			if got := rulesOf(Lint(d, nil))["C01"]; got != want {
				t.Errorf("%s in %s: %v", name, s, got)
			}
		}
	}
}

func conceptJSON(c Concept) map[string]any {
	return map[string]any{"id": c.URI, "type": "Concept", "inScheme": map[string]any{"id": c.Scheme, "type": "ConceptScheme"}}
}

// Every class with mandatory members is missed without each of them, and a
// document that only mentions one is not.
func TestLintOfMandatoryMembers(t *testing.T) {
	for kind, members := range required {
		d := edited(t, goodDocument(t), func(d map[string]any) { d["test"] = map[string]any{"type": kind, "x": 1, "y": 2} })
		missed := map[string]bool{}
		for _, f := range Errors(Lint(d, nil)) {
			if f.Rule == "S17" && f.Path == "/test" {
				missed[strings.TrimPrefix(f.Message["en"], kind+" lacks ")] = true
			}
		}
		for _, m := range members {
			if !missed[m] {
				t.Errorf("%s without %s is not reported", kind, m)
			}
		}
	}
}

// What keeps to every rule and is probably a mistake is a warning.
func TestLintWarnsOfWhatIsNotPlausible(t *testing.T) {
	spec := []any{"credentialSubject", "hasClaim", 0, "specifiedBy"}
	for _, c := range []struct {
		name   string
		change func(map[string]any)
		rule   string
	}{
		{"valid for thirty years", func(d map[string]any) {
			d["expirationDate"], d["validUntil"] = "2056-11-21T23:59:59+01:00", "2056-11-21T23:59:59+01:00"
		}, "P01"},
		{"ended before it began", func(d map[string]any) {
			d["expirationDate"], d["validUntil"] = "2020-11-21T23:59:59+01:00", "2020-11-21T23:59:59+01:00"
		}, "P01"},
		{"hours that do not add up", func(d map[string]any) { objectAt(t, d, spec...)["volumeOfLearning"] = "PT33H30M" }, "P02"},
		{"sixty months", func(d map[string]any) { objectAt(t, d, spec...)["volumeOfLearning"] = "P60M" }, "S11"},
		{"a birthday in another zone", func(d map[string]any) { objectAt(t, d, "credentialSubject")["dateOfBirth"] = "1999-10-01T22:00:00Z" }, "P03"},
		{"born tomorrow", func(d map[string]any) {
			objectAt(t, d, "credentialSubject")["dateOfBirth"] = "2026-11-22T00:00:00+01:00"
		}, "P03"},
		{"born long ago", func(d map[string]any) {
			objectAt(t, d, "credentialSubject")["dateOfBirth"] = "1826-11-22T00:00:00+00:49"
		}, "P03"},
		{"an accreditation that ended", func(d map[string]any) {
			d["evidence"] = []any{map[string]any{"type": "Evidence", "dcType": conceptJSON(Concept{URI: evidenceAccreditation, Scheme: listEvidenceType.scheme}), "accreditation": map[string]any{
				"id": "https://x.example.org/1", "expiryDate": "2020-01-01T00:00:00Z",
			}}}
		}, "S25"},
	} {
		found := Lint(edited(t, goodDocument(t), c.change), nil)
		if len(found) != 1 || found[0].Rule != c.rule || found[0].Severity != Warning || found[0].Message["it"] == "" {
			t.Errorf("%s: %v", c.name, found)
		}
	}
	for text, want := range map[string]int{"PT16H": 960, "PT7H30M": 450, "PT45M": 45, "P60M": -1, "PT": -1, "": -1, "PT1H2S": -1, "P1DT1H": -1, "PT99999999999H": -1} {
		got, ok := minutes(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// A document that cannot be written says why, in words about the award.
func TestADocumentOfADayThatIsNone(t *testing.T) {
	for name, change := range map[string]func(*Award){
		"a part":                           func(a *Award) { a.Parts[0].CompletedOn = "x" },
		"the beginning of a accreditation": func(a *Award) { a.Module.Accreditation.ValidFrom = "x" },
		"the end of an accreditation":      func(a *Award) { a.Module.Accreditation.ValidUntil = "x" },
	} {
		a := fullAward(t)
		change(&a)
		if d, err := NewDocument(a, goodIssue(t)); err == nil {
			t.Errorf("%s: %.40s", name, d)
		}
	}
	a := fullAward(t)
	a.Module.Accreditation.Agent = nil // reported, and no panic
	if !rulesOf(Lint(newDocument(t, a, goodIssue(t)), &theSigner))["S17"] {
		t.Error("an accreditation without its agent is not reported")
	}
}

func TestRegionURI(t *testing.T) {
	for code, want := range map[string]string{
		"ITA_CIM_ROM": listTerritory.prefix + "ITA_CIM_ROM", "ITI4": listNUTS.prefix + "ITI4",
		listTerritory.prefix + "ITA_RG_LOMB": listTerritory.prefix + "ITA_RG_LOMB", listNUTS.prefix + "ITI4": listNUTS.prefix + "ITI4",
		"": "", "Lazio": "", "ITA_RG_LAZ": "", "http://x.example.org/ITI4": "",
	} {
		got, ok := RegionURI(code)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v", code, got, ok)
		}
	}
}

// Where each identifier of an awarding body stands follows its kind.
func TestLegalIdentifiersStandByTheirKind(t *testing.T) {
	for id, member := range map[string]string{"VATIT-1": "vatIdentifier", "NTRIT-1": "registration", "TINIT-1": "taxIdentifier", "DM:IT-x": "registration", "x": "registration"} {
		a := fullAward(t)
		a.Provider.LegalID = id
		var d struct {
			CredentialSubject struct {
				HasClaim []struct {
					AwardedBy struct{ AwardingBody []map[string]any }
				}
			}
		}
		if err := json.Unmarshal(newDocument(t, a, goodIssue(t)), &d); err != nil {
			t.Fatal(err)
		}
		body := d.CredentialSubject.HasClaim[0].AwardedBy.AwardingBody[0]
		for _, m := range []string{"vatIdentifier", "registration", "taxIdentifier", "eIDASIdentifier"} {
			if _, there := body[m]; there != (m == member) {
				t.Errorf("%s: %s %v", id, m, there)
			}
		}
	}
}
