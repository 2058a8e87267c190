package intake

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"attesta/registry"
)

func TestBirthDatesAndNationalNumbers(t *testing.T) {
	const codes = "RSSMRA80A01H501U"
	for name, c := range map[string]struct {
		header, row string
		want        registry.Learner
		code        string // of the finding
	}{
		"none":                      {"", "", registry.Learner{}, ""},
		"empty cells":               {",birth_date,codice_fiscale", ",,", registry.Learner{}, ""},
		"ISO":                       {",birth_date", ",1980-05-29", registry.Learner{BirthDate: "1980-05-29"}, ""},
		"an Italian header":         {",Data di nascita", ",29/05/1980", registry.Learner{BirthDate: "1980-05-29"}, ""},
		"an Italian header and ISO": {",data_nascita", ",1980-05-29", registry.Learner{BirthDate: "1980-05-29"}, ""},
		"another header":            {",date_of_birth", ",29/05/1980", registry.Learner{}, "invalid_birth_date"},
		"no such day":               {",birth_date", ",1980-02-30", registry.Learner{}, "invalid_birth_date"},
		"tomorrow":                  {",birth_date", ",2026-11-22", registry.Learner{}, "invalid_birth_date"},
		"a tax code":                {",Codice fiscale", ",rssmra80a01h501u ", registry.Learner{NationalID: codes, NationalCountry: "ITA", NationalScheme: "Codice fiscale"}, ""},
		"a wrong check character":   {",codice_fiscale", ",RSSMRA80A01H501V", registry.Learner{}, "invalid_tax_code"},
		"a letter for a digit":      {",cf", ",RSSMRA80A01H50MO", registry.Learner{}, "invalid_tax_code"},
		"a provisional one":         {",cf", ",12345678901", registry.Learner{NationalID: "12345678901", NationalCountry: "ITA", NationalScheme: "Codice fiscale"}, ""},
		"another country":           {",national_id,national_id_country,national_id_scheme", ",X1234567L,ESP,NIE", registry.Learner{NationalID: "X1234567L", NationalCountry: "ESP", NationalScheme: "NIE"}, ""},
		"no country":                {",national_id", ",X1234567L", registry.Learner{}, "missing_id_country"},
		"a country of two letters":  {",national_id,national_id_country", ",X1,ES", registry.Learner{}, "missing_id_country"},
		"a number without end":      {",national_id,national_id_country", "," + strings.Repeat("9", 65) + ",ESP", registry.Learner{}, "invalid_national_id"},
		"an unreadable number":      {",national_id,national_id_country", ",9\u202e9,ESP", registry.Learner{}, "invalid_national_id"},
	} {
		file := "learner_id,given_name,family_name" + c.header + "\nL1,Ada,Esempio" + c.row + "\n"
		list, findings, err := Learners(bytes.NewReader([]byte(file)), Options{Today: "2026-11-21"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.code != "" {
			if len(findings) != 1 || findings[0].Code != c.code || len(list) != 0 {
				t.Errorf("%s: %+v", name, findings)
				continue
			}
			f := findings[0]
			if said := f.Value + f.Message["it"] + f.Message["en"] + f.Remedy["it"] + f.Remedy["en"]; strings.Contains(said, strings.TrimPrefix(c.row, ",")) || f.Value != "" || f.Remedy["it"] == "" {
				t.Errorf("%s: the finding repeats the cell: %+v", name, f)
			}
			continue
		}
		c.want.Ref, c.want.GivenName, c.want.FamilyName = "L1", "Ada", "Esempio"
		if len(list) != 1 || len(findings) > 0 {
			t.Errorf("%s: %+v %+v", name, list, findings)
		} else if diff := cmp.Diff(c.want, list[0]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTaxCodes(t *testing.T) {
	for code, want := range map[string]bool{
		"RSSMRA80A01H501U": true, "RSSMRA80A01H501A": false, "": false, "RSSMRA80A01H501": false, "rssmra80a01h501u": false,
		"R5SMRA80A01H501U": false, "12345678901": true, "1234567890A": false, "RSSMRA80A01H50MU": false, "RSSMRAÀ0A01H501": false,
	} {
		if isTaxCode(code) != want {
			t.Errorf("%s: %v", code, !want)
		}
	}
	// The check character of a code with a letter for a digit is its own.
	right := 0
	for c := byte('A'); c <= 'Z'; c++ {
		if isTaxCode("RSSMRA80A01H50M" + string(c)) {
			right++
		}
	}
	if right != 1 {
		t.Errorf("%d check characters are right", right)
	}
}
