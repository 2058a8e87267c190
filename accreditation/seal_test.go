package accreditation

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"attesta/credentials"
)

func TestAListIsReadAsItWasSealed(t *testing.T) {
	a, want := newAuthority(t, regione), aList(t)
	token := sealed(t, want, a)
	for _, at := range []time.Time{theMoment(t), {}} {
		got, err := Read(append(token, '\n'), a.trust, at)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
}

// A list of somebody else, one that was changed, and one of another kind count
// for nothing (J3, J10, J12, S2).
func TestWhoMaySealAList(t *testing.T) {
	a, stranger, other := newAuthority(t, regione), newAuthority(t, regione), newAuthority(t, school)
	l := aList(t)
	token := sealed(t, l, a)
	if _, err := Read(token, stranger.trust, theMoment(t)); !errors.Is(err, ErrSigner) {
		t.Errorf("of another key: %v", err)
	}
	// Another organisation under an authority that is trusted: its own list is not that of the region.
	mixed := other.trust
	if _, err := Read(claims(t, asJSON(t, l), other), mixed, theMoment(t)); !errors.Is(err, ErrSigner) {
		t.Errorf("of another organisation: %v", err)
	}
	if _, err := Seal(l, other.key); !errors.Is(err, ErrSigner) {
		t.Errorf("sealed for another organisation: %v", err)
	}
	for n := 0; n < len(token); n += 97 {
		changed := bytes.Clone(token)
		changed[n] ^= 1
		if _, err := Read(changed, a.trust, theMoment(t)); !errors.Is(err, ErrSigner) && !errors.Is(err, ErrList) {
			t.Errorf("with byte %d changed: %v", n, err)
		}
	}
	status, err := credentials.SealCompact(credentials.StatusListType, l, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read(status, a.trust, theMoment(t)); !errors.Is(err, ErrList) {
		t.Errorf("of the type of a status list: %v", err)
	}
	if _, err := Read(token, a.trust, theMoment(t).AddDate(6, 0, 0)); !errors.Is(err, ErrSigner) {
		t.Errorf("with a certificate that has ended: %v", err)
	}
	if _, err := Read(token, a.trust, time.Time{}); err != nil {
		t.Errorf("the same, held since: %v", err)
	}
}

// What is not plainly a list is refused, also when its seal is good (J7).
func TestListsThatAreNotPlainAreRefused(t *testing.T) {
	a, good := newAuthority(t, regione), asJSON(t, aList(t))
	for name, change := range map[string][2]string{
		"another member":              {`"sequence":7`, `"sequence":7,"extra":1`},
		"a name twice":                {`"sequence":7`, `"sequence":7,"sequence":8`},
		"a name in capitals":          {`"sequence":7`, `"Sequence":7`},
		"a member twice but for case": {`"until":"2026-06-30"`, `"until":"2026-06-30","Until":"2030-06-30"`},
		"a name in capitals inside":   {`"number":"1"`, `"Number":"1"`},
		"no number":                   {`"sequence":7`, `"sequence":0`},
		"a text for a number":         {`"sequence":7`, `"sequence":"7"`},
		"no address":                  {`"id":"https://regione.example.org/accreditati"`, `"id":"accreditati"`},
		"a script as a link":          {`"link":"https://regione.example.org/albo/2"`, `"link":"javascript:alert(1)"`},
		"a legal id twice":            {`"legal_ids":["VATIT-00000000003"]`, `"legal_ids":["VATIT-00000000002"]`},
		"a legal id twice in one":     {`"legal_ids":["VATIT-00000000003"]`, `"legal_ids":["VATIT-00000000003","VATIT-00000000003"]`},
		"no legal id":                 {`"legal_ids":["VATIT-00000000003"]`, `"legal_ids":[]`},
		"a day that is none":          {`"from":"2025-01-01"`, `"from":"2025-02-30"`},
		"a time for a day":            {`"from":"2025-01-01"`, `"from":"2025-01-01T00:00:00Z"`},
		"a day far away":              {`"from":"2025-01-01"`, `"from":"9999-01-01"`},
		"an end before the beginning": {`"until":"2026-06-30"`, `"until":"2022-06-30"`},
		"a suspension outside":        {`"from":"2024-03-01"`, `"from":"2022-03-01"`},
		"suspensions that overlap":    {`"suspended":[`, `"suspended":[{"from":"2024-02-01","until":"2024-03-01"},`},
		"an open one before another":  {`"suspended":[`, `"suspended":[{"from":"2024-02-01"},`},
		"periods that overlap":        {`{"register":"Albo","number":"1","from":"2025-01-01"`, `{"register":"Albo","number":"1","from":"2024-01-01","until":"2025-01-01"},{"register":"Albo","number":"1","from":"2025-01-01"`},
		"a level that is none":        {`"max_eqf":4`, `"max_eqf":9`},
		"a field that is none":        {`"0611"`, `"arts"`},
		"a region that is none":       {`"ITC4"`, `"Lombardia"`},
		"writing from right to left":  {`"name":"CFP Lago Chiaro"`, "\"name\":\"CFP \u202eoraihC\""},
		"names out of order":          {`{"name":"Cooperativa Brianza Esempio"}`, `{"name":"Cooperativa Brianza Esempio","from":"2025-05-02"}`},
		"no next update":              {`"next_update":"`, `"next_update":"1`},
		"issued tomorrow":             {`"issued":"2026-11-21`, `"issued":"2026-11-22`},
		"nothing accredited":          {`"accreditations":[{"register":"Albo","number":"1","from":"2025-01-01","max_eqf":4,"fields":["04","0611"],"regions":["ITC4"]}]`, `"accreditations":[]`},
	} {
		if !strings.Contains(good, change[0]) {
			t.Fatalf("%s: the list has no %s", name, change[0])
		}
		if _, err := Read(claims(t, strings.Replace(good, change[0], change[1], 1), a), a.trust, theMoment(t)); !errors.Is(err, ErrList) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, payload := range map[string]string{"an array": `[]`, "no member": `{}`, "a bomb": strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40)} {
		if _, err := Read(claims(t, payload, a), a.trust, theMoment(t)); !errors.Is(err, ErrList) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file of 29 MB is refused before anything in it is read, and a list that
// others could not read is not sealed (S1).
func TestLargeListsAreRefused(t *testing.T) {
	a := newAuthority(t, regione)
	large := bytes.Repeat([]byte("A"), 29<<20)
	if _, err := Read(large, a.trust, theMoment(t)); !errors.Is(err, ErrList) {
		t.Error(err)
	}
	if n := testing.AllocsPerRun(1, func() { _, _ = Read(large, a.trust, theMoment(t)) }); n > 50 {
		t.Errorf("%v allocations", n)
	}
	l := aList(t)
	many := func(count int) *List {
		for n := len(l.Providers); n < count; n++ {
			p := l.Providers[0]
			p.LegalIDs = []string{fmt.Sprintf("VATIT-%011d", 1000+n)}
			l.Providers = append(l.Providers, p)
		}
		return l
	}
	if token, err := Seal(many(1500), a.key); err != nil || len(token) > 1<<20 {
		t.Errorf("a list of 1,500 has %d bytes: %v", len(token), err)
	}
	if _, err := Seal(many(5000), a.key); err == nil {
		t.Error("a list that nobody can read was sealed")
	}
}

// Nothing takes the place of a list but a newer one of the same authority, from
// which nothing was removed (S5).
func TestWhatMayFollow(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*List)
		ok     bool
	}{
		"the same":              {func(*List) {}, true},
		"a newer one":           {func(l *List) { l.Sequence++; l.Issued = l.Issued.Add(time.Minute) }, true},
		"an older number":       {func(l *List) { l.Sequence-- }, false},
		"an older day":          {func(l *List) { l.Sequence++; l.Issued = l.Issued.Add(-time.Minute) }, false},
		"the same number":       {func(l *List) { l.Providers[0].Accreditations[0].Until = "2027-06-30" }, false},
		"another list":          {func(l *List) { l.Sequence++; l.ID += "/2" }, false},
		"another authority":     {func(l *List) { l.Sequence++; l.Authority.LegalID = school }, false},
		"a provider less":       {func(l *List) { l.Sequence++; l.Providers = l.Providers[:1] }, false},
		"a legal id less":       {func(l *List) { l.Sequence++; l.Providers[0].LegalIDs = l.Providers[0].LegalIDs[:1] }, false},
		"an accreditation less": {func(l *List) { l.Sequence++; l.Providers[0].Accreditations[0].Number = "ESEMPIO-0003" }, false},
		"an accreditation more": {func(l *List) {
			l.Sequence++
			p := &l.Providers[1]
			p.Accreditations = append(p.Accreditations, Accreditation{Register: "Albo", Number: "2", From: "2026-01-01"})
		}, true},
		"one that was ended": {func(l *List) { l.Sequence++; l.Providers[1].Accreditations[0].Until = "2026-11-20" }, true},
		"two that became one": {func(l *List) {
			l.Sequence++
			p := &l.Providers[0]
			p.LegalIDs = append(p.LegalIDs, l.Providers[1].LegalIDs...)
			p.Accreditations = append(p.Accreditations, l.Providers[1].Accreditations...)
			l.Providers = l.Providers[:1]
		}, true},
	} {
		l := aList(t)
		c.change(l)
		if err := l.Follows(aList(t)); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrFollows) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	a := newAuthority(f, regione)
	f.Add(asJSON(f, aList(f)))
	f.Add(`{}`)
	f.Add(`{"id":"urn:x:y","authority":{"name":"a","legal_id":"VATIT-1"},"sequence":1,"issued":"2026-01-01T00:00:00Z","next_update":"2026-02-01T00:00:00Z","providers":[]}`)
	f.Fuzz(func(t *testing.T, payload string) {
		l, err := parse([]byte(payload))
		if err != nil {
			if !errors.Is(err, ErrList) {
				t.Errorf("%v", err)
			}
			return
		}
		if l.Authority.LegalID != regione {
			return
		}
		again, err := Read(claims(t, payload, a), a.trust, theMoment(t))
		if err != nil {
			return // strict JSON asks for more
		}
		if diff := cmp.Diff(l, again); diff != "" {
			t.Error(diff)
		}
		NewLists(time.UTC, l).Ask(Question{LegalIDs: []string{coop}}, "2026-01-01", "2026-02-01", theMoment(t))
	})
}
