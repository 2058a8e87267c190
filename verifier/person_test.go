package verifier

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"attesta/credentials"
)

func TestReadBirthDate(t *testing.T) {
	for text, want := range map[string]string{
		"31/12/1990": "1990-12-31", " 31/12/1990 ": "1990-12-31", "31-12-1990": "1990-12-31", "31.12.1990": "1990-12-31",
		"1990-12-31": "1990-12-31", "1990/12/31": "1990-12-31", "1990.12.31": "1990-12-31", "31 12 1990": "1990-12-31",
		"31. 12. 1990": "1990-12-31", "31–12–1990": "1990-12-31", "1/2/2003": "2003-02-01", "2003-2-1": "2003-02-01",
		"31121990": "1990-12-31", "19901231": "1990-12-31", "20011912": "1912-01-20", "20011012": "2001-10-12", "29/2/2000": "2000-02-29",
		"31.12.90": "short", "1/2/3": "short", "90-12-31": "short",
		"": "no", "31/12": "no", "12/31/1990": "no", "31/02/1990": "no", "29/2/2001": "no", "0/1/1990": "no", "31/12/199": "no",
		"31/12/19900": "no", "31/12/1990/1": "no", "31 dicembre 1990": "no", "311290": "no", "31/012/1990": "no", "1990-012-31": "no",
		"-1/12/1990x": "no", "٣١/١٢/١٩٩٠": "no", "31/12/1990" + strings.Repeat(" ", 10) + "x": "no", strings.Repeat("/", 50): "no",
	} {
		got, err := ReadBirthDate(text)
		said := string(got)
		switch {
		case errors.Is(err, ErrShortYear):
			said += "short"
		case errors.Is(err, ErrNoDay):
			said += "no"
		}
		if said != want {
			t.Errorf("%q gives %q, want %q", text, said, want)
		}
	}
}

func FuzzReadBirthDate(f *testing.F) {
	for _, seed := range []string{"31/12/1990", "1990-12-31", "31.12.90", "31121990", "", "//", "0000-01-01", "٣"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		day, err := ReadBirthDate(text)
		if (err == nil) == (day == "") {
			t.Fatalf("%q: %q, %v", text, day, err)
		}
		if err == nil {
			if again, err := ReadBirthDate(string(day)); again != day || err != nil {
				t.Fatalf("%q is read as %q, and that as %q", text, day, again)
			}
		} else if text != "" && strings.Contains(err.Error(), text) && len(text) > 3 {
			t.Fatalf("the error repeats %q", text)
		}
	})
}

const taxCode = "RSSMRA80A01H501U"

// TestAbout (Q2): a match changes no verdict, what differs makes not valid, what
// is not in the credential leaves it open, and nothing is compared unless the
// seal is good.
func TestAbout(t *testing.T) {
	both := HolderOf("1980-01-01", taxCode)
	for _, c := range []struct {
		name    string
		holder  Holder
		person  Person
		verdict Verdict
		reason  string
		want    string // verdict, its reason and that of the check
	}{
		{"birth date", both, Person{BirthDate: "1980-01-01"}, Valid, "valid", "valid valid holder_matches"},
		{"number", both, Person{Number: " rssmra 80a01 h501u "}, Valid, "valid", "valid valid holder_matches"},
		{"number with hyphens", both, Person{Number: "RSS-MRA-80A01-H501U"}, Valid, "valid", "valid valid holder_matches"},
		{"both", both, Person{"1980-01-01", taxCode}, Valid, "valid", "valid valid holder_matches"},
		{"another day", both, Person{BirthDate: "1980-01-02"}, Valid, "valid", "not_valid holder_differs holder_differs"},
		{"one of two differs", both, Person{"1980-01-02", taxCode}, Valid, "valid", "not_valid holder_differs holder_differs"},
		{"the other of two", both, Person{"1980-01-01", "RSSMRA80A01H501X"}, Valid, "valid", "not_valid holder_differs holder_differs"},
		{"a variant where two would have one code", both, Person{Number: "RSSMRA80A01H50MQ"}, Valid, "valid", "not_valid holder_differs holder_differs"},
		{"the beginning", both, Person{Number: taxCode[:15]}, Valid, "valid", "not_valid holder_differs holder_differs"},
		{"it says nothing", Holder{}, Person{"1980-01-01", ""}, Valid, "valid", "cannot_tell holder_no_data holder_no_data"},
		{"it says one of two", HolderOf("1980-01-01"), Person{"1980-01-01", taxCode}, Valid, "valid", "cannot_tell holder_no_data holder_no_data"},
		{"it says one, which differs", HolderOf("1980-01-01"), Person{"1980-01-02", taxCode}, Valid, "valid", "not_valid holder_differs holder_differs"},
		{"the second number", HolderOf("", "1", taxCode), Person{Number: taxCode}, Valid, "valid", "valid valid holder_matches"},
		{"nobody", both, Person{}, Valid, "valid", "valid valid holder_not_bound"},
		{"nobody, in signs", both, Person{Number: " -./ "}, Valid, "valid", "valid valid holder_not_bound"},
		{"revoked", both, Person{BirthDate: "1980-01-01"}, NotValid, "status_revoked", "not_valid status_revoked holder_matches"},
		{"revoked, another", both, Person{BirthDate: "1980-01-02"}, NotValid, "status_revoked", "not_valid status_revoked holder_differs"},
		{"revoked, says nothing", Holder{}, Person{BirthDate: "1980-01-02"}, NotValid, "status_revoked", "not_valid status_revoked holder_no_data"},
		{"open", both, Person{BirthDate: "1980-01-01"}, CannotTell, "status_offline", "cannot_tell status_offline holder_matches"},
		{"open, another", both, Person{BirthDate: "1980-01-02"}, CannotTell, "status_offline", "not_valid holder_differs holder_differs"},
		{"open, says nothing", Holder{}, Person{BirthDate: "1980-01-02"}, CannotTell, "status_offline", "cannot_tell status_offline holder_no_data"},
	} {
		before := []Check{{ID: CheckHolder, Outcome: Skipped, Reason: "holder_not_bound"}}
		r := Report{Verdict: c.verdict, Reason: c.reason, Holder: c.holder, Checks: before, Credential: &credentials.View{HolderName: "Ada"}}
		got := r.About(c.person)
		said := fmt.Sprint(got.Verdict, " ", got.Reason, " ", got.Find(CheckHolder).Reason)
		if said != c.want || before[0].Reason != "holder_not_bound" {
			t.Errorf("%s: %s, want %s", c.name, said, c.want)
		}
		r.Credential = nil
		if got := r.About(c.person); got.Verdict != c.verdict || got.Find(CheckHolder).Reason != "holder_not_bound" {
			t.Errorf("%s, without a good seal: %+v", c.name, got)
		}
	}
}

// TestPersonOfASealedFile goes the whole way, from what is issued, and holds the
// report to saying nothing of it (R1).
func TestPersonOfASealedFile(t *testing.T) {
	h := newHouse(t)
	h.award.Learner.BirthDate = "1980-01-01"
	h.award.Learner.NationalID = &credentials.NationalID{Number: taxCode, Country: "ITA", Scheme: "Codice fiscale"}
	h.publishAll()
	report := h.verify(h.seal(h.document()))
	if birth, number := report.Holder.Carries(); !birth || !number || report.Verdict != Valid {
		t.Fatalf("carries %v, %v: %v", birth, number, report)
	}
	for _, c := range []struct {
		person Person
		want   Outcome
	}{
		{Person{"1980-01-01", taxCode}, Pass},
		{Person{"1979-12-31", taxCode}, Fail},
		{Person{"1980-01-01", "VRDLGI80A01H501X"}, Fail},
	} {
		got := report.About(c.person)
		if got.Find(CheckHolder).Outcome != c.want {
			t.Errorf("%v, want %s", got.Find(CheckHolder), c.want)
		}
		raw, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{string(raw), fmt.Sprintf("%v %+v %#v", got, got, got.Holder), fmt.Sprintf("%+v", *got.Credential)} {
			// With the hyphen: the address of something in memory may hold any digits.
			if strings.Contains(text, "1980-") || strings.Contains(text, taxCode) || strings.Contains(text, "1979-") || strings.Contains(text, "VRDLGI") {
				t.Errorf("it is written out: %s", text)
			}
		}
	}
	// A broken seal compares with nobody.
	broken := h.verify([]byte(strings.Replace(string(h.seal(h.document())), "Esempio", "Esempia", 1)))
	if b, n := broken.Holder.Carries(); b || n || broken.About(Person{BirthDate: "1980-01-01"}).Find(CheckHolder).Outcome == Pass {
		t.Error("a broken seal is compared with")
	}
}
