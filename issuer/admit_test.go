package issuer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"attesta/credentials"
	"attesta/issuer"
	"attesta/registry"
)

// A list of differences may be kept by whoever imports: it says that a birth date
// or a number differs, and not what it is.
func TestDifferencesDoNotRepeatBirthDatesAndNumbers(t *testing.T) {
	h := emptyHouse(t, theDay(t))
	first := registry.Learner{Ref: "P-1", GivenName: "Ada", FamilyName: "Esempio", BirthDate: "1980-05-29", NationalID: "RSSMRA80A01H501U", NationalCountry: "ITA"}
	second := first
	second.BirthDate, second.NationalID = "1981-06-30", "VRDLGI80A01H501X"
	for n, l := range []registry.Learner{first, second} {
		a, err := h.AddLearners(t.Context(), []registry.Learner{l}, false)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			continue
		}
		said := fmt.Sprint(a.Different)
		if len(a.Different) != 1 || !strings.Contains(said, "another birth date") || !strings.Contains(said, "another national number") {
			t.Errorf("%s", said)
		}
		for _, secret := range []string{"1980", "1981", "RSSMRA", "VRDLGI"} {
			if strings.Contains(said, secret) {
				t.Errorf("%s is repeated: %s", secret, said)
			}
		}
	}
}

// A second class list adds who is new and leaves who is there: it may come from
// a program that lost letters.
func TestASecondClassListDoesNotOverwrite(t *testing.T) {
	h := school(t)
	list := learners(t, "cohort_tot_25.csv")
	again, err := h.AddLearners(t.Context(), list, false)
	if err != nil || again.Added != 0 || again.Unchanged != 25 || len(again.Different) != 0 {
		t.Fatalf("%v, %+v", err, again)
	}
	kept := list[0]
	list[0].FamilyName = "Espos?to"
	list[1].Email = "" // not given: nothing to say about it
	list = append(list, registry.Learner{Ref: "NEW-1", GivenName: "Nuova", FamilyName: "Persona"})
	changed, err := h.AddLearners(t.Context(), list, false)
	if err != nil || changed.Added != 1 || changed.Unchanged != 24 || len(changed.Different) != 1 || changed.Different[0].What != kept.Ref {
		t.Fatalf("%v, %+v", err, changed)
	}
	stored := func() registry.Learner {
		found, err := h.registry.Learners(t.Context(), []string{kept.Ref})
		if err != nil {
			t.Fatal(err)
		}
		return found[kept.Ref]
	}
	if got := stored(); got.FamilyName != kept.FamilyName {
		t.Errorf("overwritten with %q", got.FamilyName)
	}
	if _, err := h.AddLearners(t.Context(), list, true); err != nil {
		t.Fatal(err)
	}
	if got := stored(); got.FamilyName != "Espos?to" {
		t.Errorf("not replaced although it was asked for: %q", got.FamilyName)
	}
}

// Modules are admitted all or none, of a provider that lists them, and a text
// that changes needs a new version.
func TestModulesAreAdmittedAllOrNone(t *testing.T) {
	h := emptyHouse(t, theDay(t))
	all := modules(t, "catalogue_national_school.json")
	if _, err := h.AddModules(t.Context(), all); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("without a provider: %v", err)
	}
	if _, err := h.AddProviders(t.Context(), providers(t)); err != nil {
		t.Fatal(err)
	}
	bad := append([]credentials.Module(nil), all...)
	bad[5].Outcomes = nil
	var incomplete *issuer.IncompleteError
	if _, err := h.AddModules(t.Context(), bad); !errors.As(err, &incomplete) || len(incomplete.Findings) != 1 {
		t.Errorf("with one that is incomplete: %v", err)
	}
	if stored, err := h.registry.Modules(t.Context(), "", "", 100); err != nil || len(stored) != 0 {
		t.Errorf("%d were stored, %v", len(stored), err)
	}
	for range 2 { // again is the same
		if a, err := h.AddModules(t.Context(), all); err != nil || a.Added != 12 {
			t.Errorf("%v, %+v", err, a)
		}
	}
	all[0].Workload.Total++
	if _, err := h.AddModules(t.Context(), all); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("another text of the same version: %v", err)
	}
}

// A provider from a country that this program has no code for is refused by
// name; one that comes again keeps its keys.
func TestProvidersKeepTheirKeys(t *testing.T) {
	h := school(t)
	before := len(h.ring.All())
	if _, err := h.AddProviders(t.Context(), providers(t)); err != nil {
		t.Fatal(err)
	}
	if n := len(h.ring.All()); n != before {
		t.Errorf("%d keys became %d", before, n)
	}
	other := providers(t)[:1]
	other[0].Country = "USA"
	if _, err := h.AddProviders(t.Context(), other); err == nil {
		t.Error("a country without a code was admitted")
	}
	// Two providers that list one module: nobody knows whose it is.
	thief := providers(t)[1]
	thief.ID, thief.Modules = "iss-ladro", []string{"SN-11"}
	if _, err := h.AddProviders(t.Context(), []credentials.Provider{thief}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.AddModules(t.Context(), modules(t, "catalogue_national_school.json")); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("a module of two providers: %v", err)
	}
}
