package intake

import (
	"strings"
	"testing"
)

const inFull = `{"register": "Albo", "number": "1", "valid_from": "2025-01-01", "valid_until": "",
 "id": "https://albo.example.org/1", "type": "http://data.europa.eu/snb/accreditation/003293d2ce", "title": {"it": "Licenza", "en": "Licence"},
 "agent": {"name": {"it": "Regione", "en": "Region"}, "country": "ITA", "legal_id": "NTRIT-1"},
 "decision": {"uri": "https://albo.example.org/si", "label": {"it": "Sì", "en": "Yes"}}, "report": "https://albo.example.org/1/r", "limit_eqf": 5}`

const theMandate = `{"sealed_by": {"id": "iss-p", "name": {"it": "Piattaforma", "en": "Platform"}, "country": "ITA"},
 "statement": {"it": "convenzione 12", "en": "agreement 12"}, "from": "2026-01-01", "until": "2026-12-31"}`

func TestProfilesOfProviders(t *testing.T) {
	base := strings.Replace(oneProvider, `{"register": "Albo", "number": "1", "valid_from": "2025-01-01", "valid_until": "2027-12-31"}`,
		inFull+`, "region": "ITI4", "mandate": `+theMandate, 1)
	runJSON(t, base, []jsonCase{
		{"in order", "", "", ""},
		{"a territory", `"ITI4"`, `"ITA_CIM_ROM"`, ""},
		{"a territory by its address", `"ITI4"`, `"http://data.europa.eu/nuts/code/ITI4"`, ""},
		{"a region in words", `"ITI4"`, `"Lazio"`, "unknown_region iss-x: region"},
		{"an accreditation that ends", `"valid_until": ""`, `"valid_until": "2027-12-31"`, ""},
		{"one that ends before it begins", `"valid_until": ""`, `"valid_until": "2024-12-31"`, "dates_reversed iss-x: accreditation"},
		{"one that never begins", `"2025-01-01"`, `""`, "invalid_day iss-x: accreditation.valid_from; invalid_day iss-x: accreditation.valid_until"},
		{"an id that is no address", `"https://albo.example.org/1"`, `"1"`, "invalid_accreditation_id iss-x: accreditation.id"},
		{"an id with a space", `"https://albo.example.org/1"`, `"https://albo.example.org/a b"`, "invalid_accreditation_id iss-x: accreditation.id"},
		{"a kind of another list", `accreditation/003293d2ce`, `accreditation/x`, "unknown_accreditation_type iss-x: accreditation.type"},
		{"a title in one language", `"en": "Licence"`, `"en": ""`, "missing_field iss-x: accreditation.title.en"},
		{"an agent without a name", `"it": "Regione", `, ``, "missing_field iss-x: accreditation.agent.name.it"},
		{"an agent of no country", `"ITA", "legal_id"`, `"IT", "legal_id"`, "invalid_country iss-x: accreditation.agent.country"},
		{"a decision without address", `"https://albo.example.org/si"`, `"si"`, "invalid_accreditation_id iss-x: accreditation.decision.uri"},
		{"a report that runs", `"https://albo.example.org/1/r"`, `"javascript:alert(1)"`, "invalid_homepage iss-x: accreditation.report"},
		{"a level of nine", `"limit_eqf": 5`, `"limit_eqf": 9`, "invalid_level iss-x: accreditation.limit_eqf"},
		{"two people for ten and more", `"mandate":`, `"four_eyes": {"above": 9}, "mandate":`, ""},
		{"two people always", `"mandate":`, `"four_eyes": {}, "mandate":`, ""},
		{"two people for fewer than none", `"mandate":`, `"four_eyes": {"above": -1}, "mandate":`, "negative_number iss-x: four_eyes.above"},
		{"a mandate to nobody", `"id": "iss-p"`, `"id": ""`, "invalid_provider_id iss-x: mandate.sealed_by.id"},
		{"a mandate to itself", `"id": "iss-p"`, `"id": "iss-x"`, "mandate_to_itself iss-x: mandate.sealed_by.id"},
		{"a mandate by no act", `"it": "convenzione 12", `, ``, "missing_field iss-x: mandate.statement.it"},
		{"a mandate without end", `"until": "2026-12-31"`, `"until": ""`, "invalid_day iss-x: mandate.until"},
		{"a mandate the wrong way round", `"until": "2026-12-31"`, `"until": "2025-12-31"`, "dates_reversed iss-x: mandate"},
	}, func(file string) error {
		_, err := Providers(strings.NewReader(file))
		return err
	})
}

func TestOptionalElementsOfModules(t *testing.T) {
	base := strings.Replace(oneModule, `"language": "it"`,
		`"language": "it", "url": "https://x.example.org/m", "further_information": {"it": "Altro", "en": "More"}, "accreditation": `+inFull, 1)
	const declared = `"basis": "declared_by_issuer"`
	runJSON(t, base, []jsonCase{
		{"in order", "", "", ""},
		{"a page that runs", `https://x.example.org/m`, `javascript:alert(1)`, "invalid_homepage XY-01: url"},
		{"information in one language", `"en": "More"`, `"en": ""`, "missing_field XY-01: further_information.en"},
		{"an accreditation in short", `"id": "https://albo.example.org/1", `, ``, "invalid_accreditation_id XY-01: accreditation.id"},
		{"an accreditation by nobody", `"agent": {"name": {"it": "Regione", "en": "Region"}, "country": "ITA", "legal_id": "NTRIT-1"}`, `"agent": null`, "missing_field XY-01: accreditation.agent"},
		{"a level of a framework", declared, `"basis": "national_framework", "reference": {"it": "QRSP 4", "en": "QRSP 4"}`, ""},
		{"a framework without reference", declared, `"basis": "national_framework"`, "missing_field XY-01: level.reference.it; missing_field XY-01: level.reference.en"},
		{"a reference without framework", declared, declared + `, "reference": {"it": "x", "en": "x"}`, "reference_without_framework XY-01: level.reference"},
		{"a basis that is none", declared, `"basis": "x"`, "unknown_basis XY-01: level.basis"},
		{"no level", `{"eqf": 2, "uri": "http://data.europa.eu/snb/eqf/2", ` + declared + `}`, `{}`, ""},
	}, func(file string) error {
		_, err := Catalogue(strings.NewReader(file))
		return err
	})
}
