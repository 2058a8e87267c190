package trustlist_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"attesta/trustlist"
	"attesta/trustlist/trustlisttest"
)

const (
	supervised = "http://uri.etsi.org/TrstSvc/eSigDir-1999-93-EC-TrustedList/Svcstatus/undersupervision"
	nationally = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/recognisedatnationallevel"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// periods: from, until, from, until, ...; "" is no end.
func periods(days ...string) []trustlist.Period {
	var all []trustlist.Period
	for n := 0; n < len(days); n += 2 {
		p := trustlist.Period{From: day(days[n])}
		if days[n+1] != "" {
			p.Until = day(days[n+1])
		}
		all = append(all, p)
	}
	return all
}

func read(t *testing.T, l trustlisttest.List) *trustlist.List {
	t.Helper()
	operator := trustlisttest.NewSigner(t, "Gestore", begun, ended)
	got, err := trustlist.Read(trustlisttest.Sign(t, l.XML(), operator, trustlisttest.Options{}), der(operator))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Each service gives the periods in which it had its status, for seals only
// where the list says so.
func TestPeriods(t *testing.T) {
	type states = []trustlisttest.State
	state := func(kind, status, from string, seals bool) trustlisttest.State {
		return trustlisttest.State{Type: kind, Status: status, From: day(from), ForSeals: seals}
	}
	const qc, qtst, granted, withdrawn = trustlisttest.CAQC, trustlisttest.QTST, trustlisttest.Granted, trustlisttest.Withdrawn
	for name, c := range map[string]struct {
		states states
		kind   trustlist.Kind // "" when the list leaves it out
		want   []trustlist.Period
	}{
		"granted":             {states{state(qc, granted, "2018-01-01", true)}, trustlist.Seals, periods("2018-01-01", "")},
		"granted twice over":  {states{state(qc, granted, "2020-01-01", true), state(qc, granted, "2018-01-01", true)}, trustlist.Seals, periods("2018-01-01", "")},
		"withdrawn":           {states{state(qc, withdrawn, "2022-01-01", true), state(qc, granted, "2018-01-01", true)}, trustlist.Seals, periods("2018-01-01", "2022-01-01")},
		"withdrawn and back":  {states{state(qc, granted, "2023-01-01", true), state(qc, withdrawn, "2022-01-01", true), state(qc, granted, "2018-01-01", true)}, trustlist.Seals, periods("2018-01-01", "2022-01-01", "2023-01-01", "")},
		"in any order":        {states{state(qc, granted, "2023-01-01", true), state(qc, granted, "2018-01-01", true), state(qc, withdrawn, "2022-01-01", true)}, trustlist.Seals, periods("2018-01-01", "2022-01-01", "2023-01-01", "")},
		"never granted":       {states{state(qc, withdrawn, "2018-01-01", true)}, trustlist.Seals, nil},
		"for seals later":     {states{state(qc, granted, "2020-01-01", true), state(qc, granted, "2018-01-01", false)}, trustlist.Seals, periods("2020-01-01", "")},
		"for seals once":      {states{state(qc, granted, "2020-01-01", false), state(qc, granted, "2018-01-01", true)}, trustlist.Seals, periods("2018-01-01", "2020-01-01")},
		"under the Directive": {states{state(qtst, granted, "2017-01-01", false), state(qtst, supervised, "2012-01-01", false)}, trustlist.Time, periods("2012-01-01", "2016-07-01", "2017-01-01", "")},
		"and nothing since":   {states{state(qtst, supervised, "2012-01-01", false)}, trustlist.Time, periods("2012-01-01", "2016-07-01")},
		"too late for it":     {states{state(qtst, supervised, "2018-01-01", false)}, trustlist.Time, nil},
		"stamps time":         {states{state(qtst, granted, "2018-01-01", false)}, trustlist.Time, periods("2018-01-01", "")},
		"known nationally":    {states{state(qtst, nationally, "2018-01-01", false)}, trustlist.Time, nil},
		"a status of others":  {states{state(qc, "https://evil.example/granted", "2018-01-01", true)}, trustlist.Seals, nil},
		"history ahead":       {states{state(qc, withdrawn, "2020-01-01", true), state(qc, granted, "2021-01-01", true), state(qc, granted, "2018-01-01", true)}, trustlist.Seals, nil},
		"for signatures only": {states{state(qc, granted, "2018-01-01", false)}, "", nil},
		"another service":     {states{state("http://uri.etsi.org/TrstSvc/Svctype/EDS/Q", granted, "2018-01-01", true)}, "", nil},
		"a national service":  {states{state("http://uri.etsi.org/TrstSvc/Svctype/TSA", granted, "2018-01-01", false)}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			l := plainList(t)
			l.Services[0].States = c.states
			got := read(t, l).Services
			if c.kind == "" {
				if len(got) != 0 {
					t.Errorf("%+v", got)
				}
				return
			}
			if len(got) != 1 || got[0].Kind != c.kind {
				t.Fatalf("%+v", got)
			}
			if diff := cmp.Diff(c.want, got[0].Granted, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A service keeps what can be read of it, and says what cannot.
func TestServices(t *testing.T) {
	l := plainList(t)
	first := l.Services[0].Identity[0]
	second := trustlisttest.NewAuthority(t, "CA sigilli", nil, begun, ended)
	l.Services[0].Identity = append(l.Services[0].Identity, first, "AAAA", "no base64", trustlisttest.Identity(second.Certificate)[0])
	l.Services[0].States[0].NotQualified = true
	got := read(t, l).Services[0]
	if len(got.Certificates) != 2 || got.Unreadable != 2 || !got.Excepts || got.Provider != "Prestatore <& C.>" || got.Name != "Seals" {
		t.Errorf("%+v", got)
	}
	operator := trustlisttest.NewSigner(t, "Gestore", begun, ended)
	english := strings.Replace(l.XML(), "</TSPName>", `<Name xml:lang="en"> Provider
 One </Name></TSPName>`, 1)
	named, err := trustlist.Read(trustlisttest.Sign(t, english, operator, trustlisttest.Options{}), der(operator))
	if err != nil || named.Services[0].Provider != "Provider One" {
		t.Errorf("%+v, %v", named, err)
	}
	l.Services[0].Identity = nil
	if got := read(t, l).Services[0]; len(got.Certificates) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestPointers(t *testing.T) {
	operator := trustlisttest.NewSigner(t, "Gestore", begun, ended)
	second := trustlisttest.NewSigner(t, "Gestore di riserva", begun, ended)
	l := trustlisttest.List{Territory: "EU", OfLists: true, Sequence: 250, Issued: issued, Pointers: []trustlisttest.Pointer{
		{Territory: "EU", Address: "https://lists.example/eu.xml", OfLists: true, Signers: nil},
		{Territory: "IT", Address: " https://lists.example/it.xml?a&b ", Signers: nil, MediaType: "application/pdf"},
	}}
	l.Pointers[1].Signers = append(l.Pointers[1].Signers, operator.Certificate, second.Certificate)
	got := read(t, l)
	want := []trustlist.Pointer{
		{Territory: "EU", Address: "https://lists.example/eu.xml", OfLists: true, MediaType: trustlist.MediaType},
		{Territory: "IT", Address: "https://lists.example/it.xml?a&b", MediaType: "application/pdf", Signers: der(operator, second)},
	}
	if diff := cmp.Diff(want, got.Pointers); diff != "" || !got.OfLists || !got.NextUpdate.IsZero() {
		t.Errorf("%+v %s", got, diff)
	}
}

// What a list must say of itself.
func TestListsThatDoNotSayWhatTheyAre(t *testing.T) {
	operator := trustlisttest.NewSigner(t, "Gestore", begun, ended)
	list := plainList(t).XML()
	for name, c := range map[string][3]string{
		"no territory":      {"<SchemeTerritory>IT", "<SchemeTerritory>", "territory"},
		"a path":            {"<SchemeTerritory>IT", "<SchemeTerritory>../IT", "territory"},
		"no sequence":       {"Number>7<", "Number>0<", "sequence"},
		"no number":         {"Number>7<", "Number>x<", "invalid"},
		"no date":           {"<ListIssueDateTime>2026", "<ListIssueDateTime>x2026", "date of issue"},
		"no next date":      {"<dateTime>", "<dateTime>x", "next update"},
		"a list of a third": {"EUgeneric", "CClist", "type"},
	} {
		changed := strings.Replace(list, c[0], c[1], 1)
		if changed == list {
			t.Fatalf("%s: nothing was changed", name)
		}
		raw := trustlisttest.Sign(t, changed, operator, trustlisttest.Options{})
		if got, err := trustlist.Read(raw, der(operator)); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestTerritory(t *testing.T) {
	list := plainList(t).XML()
	for text, want := range map[string]string{
		list: "IT", "\ufeff" + list: "IT", "": "", "x": "", "<a>": "",
		"<!DOCTYPE a>" + list: "", strings.Replace(list, "<SchemeTerritory>IT</SchemeTerritory>", "", 1): "",
	} {
		if got := trustlist.Territory([]byte(text)); got != want {
			t.Errorf("%.40q: %q", text, got)
		}
	}
}

// A national list with a thousand services is read in a moment.
func BenchmarkRead(b *testing.B) {
	l := plainList(b)
	for range 1000 {
		l.Services = append(l.Services, l.Services[0])
	}
	operator := trustlisttest.NewSigner(b, "Gestore", begun, ended)
	raw := trustlisttest.Sign(b, l.XML(), operator, trustlisttest.Options{})
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := trustlist.Read(raw, der(operator)); err != nil {
			b.Fatal(err)
		}
	}
}
