package accreditation

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"attesta/credentials"
)

var plain = Question{LegalIDs: []string{coop}}

// Days count from their first to their last moment in Rome, the first and the
// last day of a period with it.
func TestDays(t *testing.T) {
	lists := NewLists(rome(t), aList(t))
	for _, c := range []struct {
		day   credentials.Date
		state State
		turn  credentials.Date
	}{
		{"2022-12-31", NotBegun, "2023-01-01"},
		{"2023-01-01", Accredited, ""},
		{"2024-02-29", Accredited, ""},
		{"2024-03-01", Suspended, "2024-03-01"},
		{"2024-03-31", Suspended, "2024-03-01"},
		{"2024-04-01", Accredited, ""},
		{"2026-06-30", Accredited, ""},
		{"2026-07-01", Ended, "2026-06-30"},
		{"2026-11-21", Ended, "2026-06-30"},
	} {
		a, known := lists.Ask(plain, c.day, c.day, theMoment(t))
		if !known || a.Then.State != c.state || a.Then.Day != c.turn || a.Day != a.Then {
			t.Errorf("%s: %v, %+v", c.day, known, a.Then)
		}
	}
	for at, want := range map[time.Time]credentials.Date{
		time.Date(2026, 6, 30, 21, 59, 59, 0, time.UTC): "2026-06-30",
		time.Date(2026, 6, 30, 22, 0, 0, 0, time.UTC):   "2026-07-01", // midnight in Rome
		time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC):  "2027-01-01",
	} {
		if day := lists.Day(at); day != want {
			t.Errorf("%v: %s", at, day)
		}
	}
}

// Who is not in the list is not known, by any of its names.
func TestWhoIsNotKnown(t *testing.T) {
	lists := NewLists(rome(t), aList(t))
	for _, ids := range [][]string{nil, {""}, {"VATIT-99999999999"}, {"Cooperativa Brianza Esempio"}} {
		if a, known := lists.Ask(Question{LegalIDs: ids}, "2026-01-01", "2026-01-01", theMoment(t)); known {
			t.Errorf("%v: %+v", ids, a)
		}
	}
	if _, known := (Lists{}).Ask(plain, "2026-01-01", "2026-01-01", theMoment(t)); known {
		t.Error("no list knows somebody")
	}
	if a, known := lists.Ask(Question{LegalIDs: []string{"NTRIT-MI-1234567"}}, "2025-01-01", "2025-01-01", theMoment(t)); !known || a.Then.State != Accredited {
		t.Errorf("by its other identifier: %+v", a.Then)
	}
}

func TestNamesOverTime(t *testing.T) {
	p := &aList(t).Providers[0]
	for day, want := range map[credentials.Date]string{
		"2020-01-01": "Cooperativa Brianza Esempio", "2025-04-30": "Cooperativa Brianza Esempio",
		"2025-05-01": "Formazione Brianza Esempio", "2030-01-01": "Formazione Brianza Esempio",
	} {
		if got := p.Called(day); got != want {
			t.Errorf("%s: %s", day, got)
		}
	}
}

// A list speaks until its next update. Then it says nothing of today, its yes
// for a day before stays, and its no does not.
func TestAListFades(t *testing.T) {
	l := aList(t)
	lists := NewLists(rome(t), l)
	late, lastDay := l.NextUpdate.Add(time.Second), lists.Day(l.NextUpdate)
	for _, c := range []struct {
		then, day   credentials.Date
		now         time.Time
		first, last State
	}{
		{"2026-05-29", "2026-11-21", theMoment(t), Accredited, Ended},
		{"2026-05-29", lastDay, theMoment(t), Accredited, Ended},
		{"2026-05-29", after(lastDay), theMoment(t), Accredited, Silent},
		{"2026-05-29", lastDay, l.NextUpdate, Accredited, Ended},
		{"2026-05-29", lastDay, late, Accredited, Silent},
		{"2026-07-01", lastDay, late, Silent, Silent},
		{"2024-03-01", "2024-04-01", late, Silent, Accredited},
		{after(lastDay), after(lastDay), late.AddDate(0, 0, 2), Silent, Silent},
	} {
		a, _ := lists.Ask(plain, c.then, c.day, c.now)
		if a.Then.State != c.first || a.Day.State != c.last {
			t.Errorf("%s, %s at %v: %s, %s", c.then, c.day, c.now, a.Then.State, a.Day.State)
		}
	}
}

func TestLimits(t *testing.T) {
	lists := NewLists(rome(t), aList(t))
	old := Question{LegalIDs: []string{"VATIT-00000000003"}, EQF: 5, Fields: []string{"0417"}, Region: "ITC4"}
	if a, _ := lists.Ask(old, "2026-01-01", "2026-01-01", theMoment(t).AddDate(0, 2, 0)); a.Then.State != Silent {
		t.Errorf("of an old list: %s", a.Then.State)
	}
	for _, c := range []struct {
		name string
		q    Question
		want State
	}{
		{"inside", Question{EQF: 4, Fields: []string{"0417"}, Region: "ITC4"}, Accredited},
		{"a province of the region", Question{EQF: 2, Fields: []string{"0611"}, Region: "ITC4C"}, Accredited},
		{"above the level", Question{EQF: 5, Fields: []string{"0417"}, Region: "ITC4"}, Outside},
		{"no level", Question{Fields: []string{"0417"}, Region: "ITC4"}, Unclear},
		{"another field", Question{EQF: 4, Fields: []string{"0417", "1013"}, Region: "ITC4"}, Outside},
		{"a field near it", Question{EQF: 4, Fields: []string{"0612"}, Region: "ITC4"}, Outside},
		{"a wider field", Question{EQF: 4, Fields: []string{"06"}, Region: "ITC4"}, Unclear},
		{"no field", Question{EQF: 4, Region: "ITC4"}, Unclear},
		{"another region", Question{EQF: 4, Fields: []string{"04"}, Region: "ITC1"}, Outside},
		{"a wider region", Question{EQF: 4, Fields: []string{"04"}, Region: "ITC"}, Unclear},
		{"a country", Question{EQF: 4, Fields: []string{"04"}, Country: "ITA"}, Unclear},
		{"another country", Question{EQF: 4, Fields: []string{"04"}, Country: "FRA"}, Outside},
		{"another country's region", Question{EQF: 4, Fields: []string{"04"}, Region: "FR10", Country: "ITA"}, Outside},
		{"a unit of the other list", Question{EQF: 4, Fields: []string{"04"}, Region: "ITA_CIM_ROM"}, Unclear},
		{"no place at all", Question{EQF: 4, Fields: []string{"04"}}, Unclear},
	} {
		c.q.LegalIDs = []string{"VATIT-00000000003"}
		if a, _ := lists.Ask(c.q, "2026-01-01", "2026-01-01", theMoment(t)); a.Then.State != c.want {
			t.Errorf("%s: %s", c.name, a.Then.State)
		}
	}
	for _, c := range []struct {
		limit, code, country string
		want                 covered
	}{
		{"IT", "ITC4", "", yes},
		{"IT", "", "ITA", yes},
		{"ITA_CIM", "ITA_CIM_ROM", "", yes},
		{"IT", "ITA_CIM_ROM", "", yes},
		{"ITA_CIM", "ITA_CIMX", "", no},
		{"ITA_CIM", "ITA", "", unclear},
		{"EL", "EL30", "", yes},
		{"EL", "", "GRC", yes},
		{"ITC", "ITC4", "FRA", yes},
	} {
		if got := inside(c.limit, c.code, c.country); got != c.want {
			t.Errorf("%s in %s: %v", c.code, c.limit, got)
		}
	}
}

// Of several authorities the one that says yes is heard, in whatever order their
// lists are held.
func TestSeveralAuthorities(t *testing.T) {
	one, other := aList(t), aList(t)
	other.ID, other.Authority.Name = "urn:example:altra", "Altra Regione"
	other.Providers = []Provider{{LegalIDs: []string{coop}, Names: []Name{{Name: "Coop"}}, Accreditations: []Accreditation{{Register: "R", Number: "9", From: "2026-01-01"}}}}
	for _, lists := range []Lists{NewLists(rome(t), one, other), NewLists(rome(t), other, one)} {
		a, _ := lists.Ask(plain, "2026-10-01", "2026-11-21", theMoment(t))
		if a.List.Authority.Name != "Altra Regione" || a.Then.State != Accredited {
			t.Errorf("%s: %s", a.List.Authority.Name, a.Then.State)
		}
		if a, _ = lists.Ask(plain, "2025-10-01", "2026-11-21", theMoment(t)); a.List.Authority.Name != "Regione Esempio" || a.Day.State != Ended {
			t.Errorf("%s: %s", a.List.Authority.Name, a.Day.State)
		}
	}
	other.Providers[0].Accreditations[0].Regions = []string{"ITC1"} // not for this, which takes nothing back
	q := plain
	q.Region = "ITC4"
	if a, _ := NewLists(rome(t), one, other).Ask(q, "2026-10-01", "2026-11-21", theMoment(t)); a.Then.State != Ended {
		t.Errorf("%s of %s", a.Then.State, a.List.Authority.Name)
	}
}

func TestWhoMaySealForAProvider(t *testing.T) {
	lists := NewLists(rome(t), aList(t))
	for sealer, want := range map[string]bool{"": true, coop: true, "NTRIT-MI-1234567": true, "VATIT-00000000077": true, "VATIT-00000000078": false} {
		q := plain
		q.Sealer = sealer
		if a, _ := lists.Ask(q, "2026-01-01", "2026-01-01", theMoment(t)); a.MaySeal != want {
			t.Errorf("%q: %v", sealer, a.MaySeal)
		}
	}
}

func TestGaps(t *testing.T) {
	a, _ := NewLists(rome(t), aList(t)).Ask(plain, "2024-01-01", "2026-01-01", theMoment(t))
	for days, want := range map[[2]credentials.Date]credentials.Date{
		{"2024-01-01", "2024-02-29"}: "",
		{"2024-01-01", "2024-03-01"}: "2024-03-01",
		{"2024-04-01", "2026-06-30"}: "",
		{"2024-04-01", "2026-07-01"}: "2026-07-01",
		{"2024-01-01", "2026-11-21"}: "2024-03-01",
	} {
		if got := a.Gap(days[0], days[1]); got != want {
			t.Errorf("%v: %q", days, got)
		}
	}
}

// Providers that a question is not about change no answer.
func TestUnrelatedProvidersChangeNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	day := func() credentials.Date {
		return credentials.Date(time.Date(2022, 1, 1+random.IntN(1900), 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	}
	for round := range 200 {
		l, more := aList(t), aList(t)
		for n := range 1 + random.IntN(20) {
			from, until := day(), day()
			if until < from {
				from, until = until, from
			}
			more.Providers = append(more.Providers, Provider{
				LegalIDs: []string{fmt.Sprintf("VATIT-9%010d", n)}, Names: []Name{{Name: "Altro"}},
				Accreditations: []Accreditation{{Register: "Albo", Number: fmt.Sprint(n), From: from, Until: until}},
			})
		}
		if err := more.Check(); err != nil {
			t.Fatal(err)
		}
		random.Shuffle(len(more.Providers), func(i, j int) { more.Providers[i], more.Providers[j] = more.Providers[j], more.Providers[i] })
		stranger := aList(t)
		stranger.ID, stranger.Providers = "urn:example:altra", more.Providers[:0:0]
		for _, p := range more.Providers {
			if p.Names[0].Name == "Altro" {
				stranger.Providers = append(stranger.Providers, p)
			}
		}
		then, at := day(), day()
		want, _ := NewLists(rome(t), l).Ask(plain, then, at, theMoment(t))
		for _, lists := range []Lists{NewLists(rome(t), more), NewLists(rome(t), stranger, more), NewLists(rome(t), l, stranger)} {
			got, known := lists.Ask(plain, then, at, theMoment(t))
			if !known || got.List.ID != want.List.ID || cmp.Diff(want.Then, got.Then) != "" || cmp.Diff(want.Day, got.Day) != "" {
				t.Fatalf("round %d, %s and %s: %+v", round, then, at, got)
			}
		}
	}
}

// A change is whole or none, and what was in the list stays there.
func TestChanges(t *testing.T) {
	l := aList(t)
	steps := []struct {
		name string
		do   func() error
		bad  error
	}{
		{"a new one", func() error {
			return l.Accredit(Admission{LegalIDs: []string{"VATIT-00000000005"}, Name: "Nuova", Accreditation: Accreditation{Register: "Albo", Number: "5", From: "2026-01-01"}})
		}, nil},
		{"without a name", func() error {
			return l.Accredit(Admission{LegalIDs: []string{"VATIT-00000000006"}, Accreditation: Accreditation{Register: "Albo", Number: "6", From: "2026-01-01"}})
		}, ErrUnknown},
		{"longer", func() error {
			return l.Accredit(Admission{LegalIDs: []string{coop}, Accreditation: Accreditation{Register: "Albo regionale di esempio – sezione B", Number: "ESEMPIO-0002", From: "2023-01-01", Until: "2028-12-31"}})
		}, nil},
		{"overlapping", func() error {
			return l.Accredit(Admission{LegalIDs: []string{coop}, Accreditation: Accreditation{Register: "Albo regionale di esempio – sezione B", Number: "ESEMPIO-0002", From: "2024-01-01"}})
		}, ErrList},
		{"suspended", func() error { return l.Suspend(coop, "", Suspension{From: "2026-11-21"}) }, nil},
		{"suspended again", func() error { return l.Suspend(coop, "", Suspension{From: "2026-12-01"}) }, ErrList},
		{"reinstated", func() error { return l.Reinstate(coop, "", "2026-12-24") }, nil},
		{"reinstated again", func() error { return l.Reinstate(coop, "", "2026-12-26") }, ErrNone},
		{"renamed", func() error { return l.Rename(coop, "Terzo nome", "2026-12-01") }, nil},
		{"renamed before", func() error { return l.Rename(coop, "Quarto nome", "2026-11-01") }, ErrList},
		{"renamed by accrediting", func() error {
			return l.Accredit(Admission{LegalIDs: []string{coop}, Name: "Altro nome", Accreditation: Accreditation{Register: "Albo", Number: "7", From: "2026-01-01"}})
		}, errAny},
		{"ended", func() error { return l.End(coop, "ESEMPIO-0002", "2027-01-31", "rinuncia") }, nil},
		{"ended, who is not there", func() error { return l.End("VATIT-00000000042", "", "2027-01-31", "") }, ErrUnknown},
	}
	for _, s := range steps {
		before, held := asJSON(t, l), *l
		err := s.do()
		switch {
		case s.bad == nil && err != nil, s.bad != nil && err == nil, err != nil && !errors.Is(s.bad, errAny) && !errors.Is(err, s.bad):
			t.Errorf("%s: %v", s.name, err)
		case err != nil && asJSON(t, l) != before:
			t.Errorf("%s: half done", s.name)
		case err == nil:
			next := *l
			next.Sequence++
			if err := next.Follows(&held); err != nil {
				t.Errorf("%s: %v", s.name, err)
			}
		}
	}
	want := Accreditation{
		Register: "Albo regionale di esempio – sezione B", Number: "ESEMPIO-0002", From: "2023-01-01", Until: "2027-01-31", Reason: "rinuncia",
		Suspended: []Suspension{{From: "2024-03-01", Until: "2024-03-31", Reason: "documenti mancanti"}, {From: "2026-11-21", Until: "2026-12-23"}},
	}
	if diff := cmp.Diff(want, l.Providers[0].Accreditations[0]); diff != "" {
		t.Error(diff)
	}
}

var errAny = errors.New("any error")
