package keys

import (
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func someLists(t testing.TB) Lists {
	t.Helper()
	l := Lists{Lists: []List{
		{Territory: "EU", Sequence: 250, Issued: theMoment, NextUpdate: theMoment.AddDate(0, 6, 0), Digest: "ab", Source: "https://lists.example/eu.xml"},
		{Territory: "IT", Sequence: 7, Issued: theMoment, Digest: "cd", Source: "IT.xml", Unusable: 2},
	}}
	ca, unit := made(t, nil, authority("CA sigilli")), made(t, nil, timeStamping(true))
	l.Anchors = []Anchor{
		{Name: "Prestatore", Level: Qualified, Certificate: ca.c, For: []Use{ForSeals}, Periods: []Period{{theMoment.AddDate(-2, 0, 0), theMoment.AddDate(-1, 0, 0)}, {From: theMoment}}, List: &l.Lists[1]},
		{Name: "Marche", Level: Qualified, Certificate: unit.c, For: []Use{ForTime}, Periods: []Period{{From: theMoment}}, List: &l.Lists[1]},
	}
	return l
}

func TestListsAreReadAsTheyWereWritten(t *testing.T) {
	dir, want := t.TempDir(), someLists(t)
	name := filepath.Join(dir, ListsFile)
	if err := WriteLists(name, want); err != nil {
		t.Fatal(err)
	}
	writeTo(t, filepath.Join(dir, SignersFile), []byte(asPEM(want.Anchors[0].Certificate)))
	got, err := ReadLists(name)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for _, path := range []string{dir, name} {
		trust, err := LoadTrust(path)
		if diff := cmp.Diff(want.Anchors, trust.Anchors); diff != "" || err != nil {
			t.Errorf("%s: %v %s", path, err, diff)
		}
	}
	if trust, err := LoadTrust(filepath.Join(dir, SignersFile)); err == nil {
		t.Errorf("the signers of a list were taken as anchors: %+v", trust)
	}
	if none, err := ReadLists(filepath.Join(dir, "missing")); err != nil || none.Lists != nil {
		t.Errorf("%+v, %v", none, err)
	}
	if err := WriteLists(name, Lists{Anchors: []Anchor{{Name: "x", Level: Qualified}}}); err == nil {
		t.Error("an anchor of no list was written")
	}
}

// Nobody becomes qualified by a file that is not plainly what import writes.
func TestListsThatAreNotPlainAreRefused(t *testing.T) {
	l := someLists(t)
	c := base64.StdEncoding.EncodeToString(l.Anchors[0].Certificate.Raw)
	const list = `{"territory":"IT","sequence":7,"issued":"2026-11-21T08:30:00Z","sha256":"","source":"x"}`
	file := func(lists, service string) string { return `{"lists":[` + lists + `],"services":[` + service + `]}` }
	service := func(territory, level, use, certificate, periods string) string {
		return `{"territory":"` + territory + `","name":"x","level":"` + level + `","for":"` + use + `","certificate":"` + certificate + `","periods":` + periods + `}`
	}
	const always = `[{"from":"2020-01-01T00:00:00Z"}]`
	good := file(list, service("IT", "qualified", "seals", c, always))
	for name, text := range map[string]string{
		"":                   good,
		"nothing":            "",
		"something after it": good + "{}",
		"an unknown member":  strings.Replace(good, `"lists"`, `"trust":1,"lists"`, 1),
		"no such list":       file(list, service("DE", "qualified", "seals", c, always)),
		"a list twice":       file(list+","+list, ""),
		"a list of no date":  file(`{"territory":"IT"}`, ""),
		"a demonstration":    file(list, service("IT", "demonstration", "seals", c, always)),
		"for codes":          file(list, service("IT", "qualified", "codes", c, always)),
		"no certificate":     file(list, service("IT", "qualified", "seals", "AAAA", always)),
		"at no time":         file(list, service("IT", "qualified", "seals", c, `[]`)),
		"without beginning":  file(list, service("IT", "qualified", "seals", c, `[{"until":"2020-01-01T00:00:00Z"}]`)),
		"back in time":       file(list, service("IT", "qualified", "seals", c, `[{"from":"2020-01-01T00:00:00Z","until":"2019-01-01T00:00:00Z"}]`)),
	} {
		dir := t.TempDir()
		writeTo(t, filepath.Join(dir, ListsFile), []byte(text))
		trust, err := LoadTrust(dir)
		if (err == nil) != (name == "") {
			t.Errorf("%s: %+v, %v", name, trust, err)
		}
	}
}

// An anchor of the operator may be limited to a time.
func TestPeriodsOfAnAnchor(t *testing.T) {
	root, dir := made(t, nil, authority("Radice")), t.TempDir()
	a := Anchor{Name: "x", Level: Advanced, Certificate: root.c, Periods: []Period{{From: theMoment.AddDate(-2, 0, 0), Until: theMoment}}}
	if err := WriteAnchor(filepath.Join(dir, "x.json"), a); err != nil {
		t.Fatal(err)
	}
	trust, err := LoadTrust(dir)
	if err != nil {
		t.Fatal(err)
	}
	leaf := chain(made(t, root, asIs))
	for at, want := range map[time.Time]Level{theMoment: Unrecognised, theMoment.Add(-time.Second): Advanced} {
		if v := trust.Vouch(leaf, at); v.Level != want {
			t.Errorf("%s: %+v", at, v)
		}
	}
}

func FuzzLists(f *testing.F) {
	l := someLists(f)
	name := filepath.Join(f.TempDir(), ListsFile)
	if err := WriteLists(name, l); err != nil {
		f.Fatal(err)
	}
	f.Add(readFile(f, name))
	f.Add([]byte(`{"lists":[{"territory":"IT","issued":"2026-11-21T08:30:00Z"}],"services":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := parseLists(raw)
		for _, a := range l.Anchors {
			if err != nil || a.List == nil || a.Certificate == nil || len(a.For) != 1 || len(a.Periods) == 0 {
				t.Fatalf("%+v, %v", a, err)
			}
		}
	})
}
