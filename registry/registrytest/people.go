package registrytest

import (
	"strings"
	"time"

	"attesta/registry"
)

func peoplePromises() []promise {
	return []promise{
		{"providers are replaced and a repeated one leaves no event", providersReplaced},
		{"the version of a module added last is the newest", newestModule},
		{"a version with another spec or owner is a conflict and does nothing", moduleConflict},
		{"learners are replaced by their reference and unknown ones are left out", learnersReplaced},
		{"names in any script are kept as they are", anyScript},
		{"a secret opens its own kind until it expires", accessExpires},
		{"leaving ends a session and nothing else", leaving},
	}
}

func providersReplaced(k *kit) {
	put := func(spec string) {
		k.Helper()
		k.must(k.PutProviders(k.ctx(), []registry.Provider{{ID: "p", Spec: []byte(spec)}}, k.at))
	}
	put("one")
	put("one")
	put("two")
	got, err := k.Provider(k.ctx(), "p")
	k.must(err)
	k.same("provider", got, registry.Provider{ID: "p", Spec: []byte("two")})
	k.same("events", len(k.events()), 2)
	for _, id := range []string{"", "P", "p ", "\x00", "\xff", strings.Repeat("p", 200)} {
		_, err := k.Provider(k.ctx(), id)
		k.want(err, registry.ErrNotFound)
	}
}

func module(version, spec string) registry.Module {
	return registry.Module{Code: "M", Version: version, Provider: "p", Spec: []byte(spec)}
}

func newestModule(k *kit) {
	_, err := k.Module(k.ctx(), "M")
	k.want(err, registry.ErrNotFound)
	for _, v := range []string{"2", "10", "1", "10", "2"} { // the last two are there already
		k.must(k.PutModules(k.ctx(), []registry.Module{module(v, "spec "+v)}, k.at))
	}
	got, err := k.Module(k.ctx(), "M")
	k.must(err)
	k.same("module", got, module("1", "spec 1"))
	k.same("events", len(k.events()), 3)
}

func moduleConflict(k *kit) {
	k.must(k.PutModules(k.ctx(), []registry.Module{module("1", "one")}, k.at))
	other := module("2", "two")
	other.Provider = "q"
	for _, bad := range []registry.Module{module("1", "two"), other} {
		fresh := module("3", "three")
		fresh.Code = "N"
		k.want(k.PutModules(k.ctx(), []registry.Module{fresh, bad}, k.at), registry.ErrConflict)
		_, err := k.Module(k.ctx(), "N")
		k.want(err, registry.ErrNotFound)
		got, err := k.Module(k.ctx(), "M")
		k.must(err)
		k.same("module", got, module("1", "one"))
	}
	k.same("events", len(k.events()), 1)
	mine, err := k.Modules(k.ctx(), "q", "", 10)
	k.must(err)
	k.same("modules of the other provider", len(mine), 0)
}

func learnersReplaced(k *kit) {
	a := registry.Learner{
		Ref: "1", GivenName: "Ada", FamilyName: "Rossi", Email: "ada@example.org", Language: "it",
		Employer: "Alfa", Region: "Lazio", Role: "tecnica",
	}
	b := registry.Learner{Ref: "2", GivenName: "Bo", BirthDate: "1999-10-02", NationalID: "RSSMRA80A01H501U", NationalCountry: "ITA", NationalScheme: "Codice fiscale"}
	k.must(k.PutLearners(k.ctx(), []registry.Learner{a, b}, k.at))
	k.must(k.PutLearners(k.ctx(), []registry.Learner{a, b}, k.at))
	got, err := k.Learners(k.ctx(), []string{"1", "2", "3", "", "\x00", "1"})
	k.must(err)
	k.same("learners", got, map[string]registry.Learner{"1": a, "2": b})
	k.same("event", k.events()[0].What, "2")
	for i, a2 := range []registry.Learner{
		{Ref: "1", GivenName: "Ada Maria"}, {Ref: "1", NationalCountry: "ITA"}, {Ref: "1", NationalScheme: "Codice fiscale"}, {Ref: "1"},
	} {
		k.must(k.PutLearners(k.ctx(), []registry.Learner{{Ref: "1", GivenName: "a row that a later one replaces"}, a2}, k.at))
		got, err = k.Learners(k.ctx(), []string{"1"})
		k.must(err)
		k.same("learner replaced", got, map[string]registry.Learner{"1": a2})
		k.same("events", len(k.events()), i+2)
	}
}

func anyScript(k *kit) {
	names := []string{
		"Ñandù", "Đặng Thị Hồng", "محمد بن أحمد", "王小明", "Ελένη", "Дарья", "שרה", "สมชาย", "O'Brien \\ \"x\"; --", "é", "e\u0301",
		"👩🏽‍🏫", "İıſß", "𝒜", "a\u200db", " blanks ", "\u202eabc", "\ufffd",
	}
	var in []registry.Learner
	var refs []string
	for i, n := range names {
		refs = append(refs, "ref "+string(rune('a'+i)))
		in = append(in, registry.Learner{Ref: refs[i], GivenName: n, FamilyName: strings.Repeat(n, 3), Employer: n})
	}
	k.must(k.PutLearners(k.ctx(), in, k.at))
	got, err := k.Learners(k.ctx(), refs)
	k.must(err)
	for i, ref := range refs {
		k.same("learner", got[ref], in[i])
	}
	for i, n := range []string{"Ñandù", "王小明", "محمد", "é", "e\u0301", "'; --", " x ", "a\"b\\", "𝒜", "%_*"} {
		one := intent(i)
		one.Provider, one.Learner, one.Module, one.Version, one.Edition = n, n, "m"+n, n, n
		r := k.seal(one)[0]
		k.same("names", []string{r.Provider, r.Learner, r.Module, r.Version, r.Edition}, []string{n, n, "m" + n, n, n})
		k.same("records of its provider", seqs(k.all(registry.Query{Provider: n}, 5)), []uint64{r.Seq})
	}
}

// K4
func accessExpires(k *kit) {
	for _, kind := range []string{registry.SignIn, registry.Session} {
		other := map[string]string{registry.SignIn: registry.Session, registry.Session: registry.SignIn}[kind]
		secret, err := k.Grant(k.ctx(), kind, "Ada", time.Minute, k.at)
		k.must(err)
		_, err = k.Redeem(k.ctx(), other, secret, k.at) // and must not use it up
		k.want(err, registry.ErrNotFound)
		for range 2 {
			a, err := k.Enter(k.ctx(), kind, secret, k.at.Add(59*time.Second))
			k.must(err)
			k.same("access", a, registry.Access{Kind: kind, By: "Ada", Expires: k.at.Add(time.Minute)})
		}
		for _, bad := range []string{"", secret[:25], strings.ToLower(secret), "AAAAAAAAAAAAAAAAAAAAAAAAAA", "\x00"} {
			_, err = k.Enter(k.ctx(), kind, bad, k.at)
			k.want(err, registry.ErrNotFound)
		}
		for _, read := range []func() (registry.Access, error){
			func() (registry.Access, error) { return k.Enter(k.ctx(), other, secret, k.at) },
			func() (registry.Access, error) { return k.Enter(k.ctx(), kind, secret, k.at.Add(time.Minute)) },
			func() (registry.Access, error) { return k.Redeem(k.ctx(), kind, secret, k.at.Add(time.Minute)) },
		} {
			_, err = read()
			k.want(err, registry.ErrNotFound)
		}
		again, err := k.Grant(k.ctx(), kind, "Ada", time.Minute, k.at.Add(time.Hour))
		k.must(err)
		if again == secret {
			k.Error("a secret was given twice")
		}
		_, err = k.Redeem(k.ctx(), kind, again, k.at.Add(time.Hour))
		k.must(err)
	}
}

func leaving(k *kit) {
	session, err := k.Grant(k.ctx(), registry.Session, "Ada", time.Hour, k.at)
	k.must(err)
	link, err := k.Grant(k.ctx(), registry.SignIn, "Ada", time.Hour, k.at)
	k.must(err)
	for _, secret := range []string{link, "", "x", session, session} {
		k.must(k.Leave(k.ctx(), secret))
	}
	_, err = k.Enter(k.ctx(), registry.Session, session, k.at)
	k.want(err, registry.ErrNotFound)
	_, err = k.Redeem(k.ctx(), registry.SignIn, link, k.at)
	k.must(err)
	for _, ev := range k.events() {
		k.same("time of the event", ev.At, k.at)
	}
}
