package registrytest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"attesta/registry"
	"attesta/status"
)

func pagePromises() []promise {
	return []promise{
		{"records page newest first without gaps or repeats, whatever is selected", recordPages},
		{"records added meanwhile do not disturb a reader of pages", recordPagesWhileAdding},
		{"unfinished records page oldest first with their bodies", unfinishedPages},
		{"editions page in order without gaps or repeats, whatever they are called", editionPages},
		{"events page in order without gaps or repeats", eventPages},
		{"the newest event is found however many there are", lastEvent},
		{"providers and modules page in order without gaps or repeats", cataloguePages},
		{"records of a level page oldest first without gaps or repeats", levelPages},
		{"records that leave a level do not disturb a reader of pages", levelPagesWhileExtending},
	}
}

func seqs(recs []registry.Record) []uint64 {
	var out []uint64
	for _, r := range recs {
		out = append(out, r.Seq)
	}
	return out
}

func recordPages(k *kit) {
	var recs []registry.Record
	for n := range 60 {
		in := intent(n)
		in.Provider = []string{"p", "pp"}[n%2]
		in.Module = []string{"p/m", "m", "mm"}[n%3]
		in.Edition = []string{"e", "e/e"}[n/2%2]
		recs = append(recs, k.reserve(in)...)
	}
	k.seal(intent(999))
	for _, p := range []string{"", "p", "pp", "x"} {
		for _, m := range []string{"", "m", "mm", "p/m", "x"} {
			for _, e := range []string{"", "e", "e/e", "x"} {
				var want []uint64
				if p+m+e == "" {
					want = append(want, 61)
				}
				for _, r := range slices.Backward(recs) {
					if (p == "" || p == r.Provider) && (m == "" || m == r.Module) && (e == "" || e == r.Edition) {
						want = append(want, r.Seq)
					}
				}
				for _, limit := range []int{1, 7, 500} {
					got := k.all(registry.Query{Provider: p, Module: m, Edition: e}, limit)
					k.same(fmt.Sprintf("records of %q %q %q by %d", p, m, e, limit), seqs(got), want)
					for _, r := range got {
						if len(r.Body) > 0 {
							k.Fatal("a page carries bodies")
						}
					}
				}
			}
		}
	}
	for _, l := range []string{recs[0].Learner, recs[59].Learner, "x"} {
		var want, ofModule []uint64
		for _, r := range slices.Backward(recs) {
			if r.Learner == l {
				want = append(want, r.Seq)
				if r.Module == "m" {
					ofModule = append(ofModule, r.Seq)
				}
			}
		}
		k.same("records of the learner "+l, seqs(k.all(registry.Query{Learner: l}, 7)), want)
		k.same("records of the learner and a module", seqs(k.all(registry.Query{Learner: l, Module: "m"}, 7)), ofModule)
	}
	// A position beyond the newest is the newest.
	got, err := k.Records(k.ctx(), registry.Query{Before: 1 << 40, Limit: 1})
	k.must(err)
	k.same("records below a far position", seqs(got), []uint64{61})
	got, err = k.Records(k.ctx(), registry.Query{Before: 1, Limit: 1})
	k.must(err)
	k.same("records below the first", len(got), 0)
}

func recordPagesWhileAdding(k *kit) {
	k.reserve(intents(0, 20)...)
	q := registry.Query{Provider: "prov-1", Limit: 3}
	var got []uint64
	for n := 20; ; n++ {
		page, err := k.Records(k.ctx(), q)
		k.must(err)
		if !k.more(len(page), q.Limit) {
			break
		}
		got = append(got, seqs(page)...)
		q.Before = page[len(page)-1].Seq
		k.reserve(intent(n))
	}
	var want []uint64
	for n := uint64(20); n > 0; n-- {
		want = append(want, n)
	}
	k.same("records", got, want)
}

func unfinishedPages(k *kit) {
	k.reserve(intents(0, 30)...)
	var want []uint64
	for n := range 30 {
		if n%3 == 0 {
			k.seal(intent(n))
		} else {
			want = append(want, uint64(n+1))
		}
	}
	for _, limit := range []int{1, 4, 500} {
		var got []uint64
		for after := uint64(0); ; {
			page, err := k.Unfinished(k.ctx(), after, limit)
			k.must(err)
			if !k.more(len(page), limit) {
				break
			}
			for _, r := range page {
				k.same("record", r, k.find(r.Seq))
				k.same("body", string(r.Body), fmt.Sprintf("body of %d", r.Seq-1))
			}
			got = append(got, seqs(page)...)
			after = page[len(page)-1].Seq
		}
		k.same("unfinished", got, want)
	}
	for _, after := range []uint64{30, 1 << 62, ^uint64(0)} {
		page, err := k.Unfinished(k.ctx(), after, 5)
		k.must(err)
		k.same("unfinished beyond the last", len(page), 0)
	}
}

func editionPages(k *kit) {
	names := []string{"A", "A/B", "a", "B", "%2F", "A B", "A?b=c&d", "Ä", "课程", "A\"B", "."}
	var want []string
	for n, m := range names {
		for _, e := range names {
			in := intent(n)
			in.Module, in.Edition = m, e
			k.reserve(in)
			in.Provider, in.Module = "prov-2", "other "+m
			k.reserve(in)
			want = append(want, m+"\x00"+e)
		}
	}
	slices.Sort(want)
	for _, limit := range []int{1, 9, 500} {
		var got []string
		for after := ""; ; {
			page, err := k.Editions(k.ctx(), "prov-1", after, limit)
			k.must(err)
			if !k.more(len(page), limit) {
				break
			}
			for _, e := range page {
				got = append(got, e.Module+"\x00"+e.Edition)
				k.same("counts", e.Counts, registry.Counts{Reserved: 1})
			}
			after = page[len(page)-1].Key()
		}
		k.same(fmt.Sprintf("editions by %d", limit), got, want)
	}
	page, err := k.Editions(k.ctx(), "prov", "", 5)
	k.must(err)
	k.same("editions of another provider", len(page), 0)
}

func eventPages(k *kit) {
	k.reserve(intents(0, 25)...)
	all, err := k.Events(k.ctx(), 0, 500)
	k.must(err)
	var got []registry.Event
	for after := uint64(0); ; {
		page, err := k.Events(k.ctx(), after, 4)
		k.must(err)
		if !k.more(len(page), 4) {
			break
		}
		got = append(got, page...)
		after = page[len(page)-1].Seq
	}
	k.same("events", got, all)
	for i, ev := range all {
		k.same("number", ev.Seq, uint64(i+1))
	}
	k.same("number of events", len(all), 25)
}

func lastEvent(k *kit) {
	_, err := k.LastEvent(k.ctx())
	k.want(err, registry.ErrNotFound)
	for n := range 12 {
		k.reserve(intents(n*n, n*n+2*n+1)...)
		if n%3 == 0 {
			continue // so that it has to look further on
		}
		all := k.events()
		last, err := k.LastEvent(k.ctx())
		k.must(err)
		k.same("last event", last, all[len(all)-1])
	}
}

func cataloguePages(k *kit) {
	ids := []string{"a", "B", "b", "a b", "aa", "é", "ß", "中", "~"}
	var providers []registry.Provider
	var modules []registry.Module
	for i, id := range ids {
		providers = append(providers, registry.Provider{ID: id, Spec: []byte("spec of " + id)})
		for _, v := range []string{"2", "1"} {
			modules = append(modules, registry.Module{Code: id, Version: v, Provider: ids[i%2], Spec: []byte(v)})
		}
	}
	k.must(k.PutProviders(k.ctx(), providers, k.at))
	k.must(k.PutModules(k.ctx(), modules, k.at))
	slices.Sort(ids)
	for _, limit := range []int{1, 2, 500} {
		var got []string
		for after := ""; ; {
			page, err := k.Providers(k.ctx(), after, limit)
			k.must(err)
			if !k.more(len(page), limit) {
				break
			}
			for _, p := range page {
				got = append(got, p.ID)
				k.same("spec", string(p.Spec), "spec of "+p.ID)
			}
			after = page[len(page)-1].ID
		}
		k.same("providers", got, ids)
		for _, provider := range []string{"", "a", "B", "x"} {
			var got, want []string
			for _, id := range ids {
				if m, err := k.Module(k.ctx(), id); err == nil && (provider == "" || m.Provider == provider) {
					want = append(want, id)
				}
			}
			for after := ""; ; {
				page, err := k.Modules(k.ctx(), provider, after, limit)
				k.must(err)
				if !k.more(len(page), limit) {
					break
				}
				for _, m := range page {
					got = append(got, m.Code)
					k.same("version", m.Version, "1")
				}
				after = page[len(page)-1].Code
			}
			k.same("modules of "+provider, got, want)
		}
	}
}

func levelPages(k *kit) {
	want := map[registry.Level][]uint64{}
	rnd := rand.New(rand.NewPCG(3, 4))
	for n := range 60 {
		if n%5 == 4 {
			k.reserve(intent(n))
			continue
		}
		r := k.seal(intent(n))[0]
		if n%7 < 2 {
			k.set(r, status.Value(1+n%7))
		}
		l := levels()[rnd.IntN(4)]
		if want[l] = append(want[l], r.Seq); l > registry.LevelB {
			k.extend(r, l)
		}
	}
	for _, l := range levels() {
		if len(want[l]) < 5 {
			k.Fatalf("only %d records at %v", len(want[l]), l)
		}
		for _, limit := range []int{1, 4, 500} {
			got := k.atLevel(l, limit)
			k.same(fmt.Sprintf("records at %v by %d", l, limit), seqs(got), want[l])
			for _, r := range got {
				k.same("record", r, k.find(r.Seq))
			}
		}
		for i, seq := range want[l] {
			page, err := k.AtLevel(k.ctx(), l, seq-1, 2)
			k.must(err)
			k.same("records from one on", seqs(page), want[l][i:min(i+2, len(want[l]))])
		}
		for _, after := range []uint64{60, 1 << 62, 1<<63 - 1, ^uint64(0)} {
			page, err := k.AtLevel(k.ctx(), l, after, 5)
			k.must(err)
			k.same("records beyond the last", len(page), 0)
		}
	}
}

// What extends a registry reads a page, extends it and asks for the next one.
func levelPagesWhileExtending(k *kit) {
	k.seal(intents(0, 20)...)
	for _, l := range levels()[:3] {
		var got, want []uint64
		for after := uint64(0); ; {
			page, err := k.AtLevel(k.ctx(), l, after, 3)
			k.must(err)
			if !k.more(len(page), 3) {
				break
			}
			var x []registry.Extension
			for _, r := range page {
				x = append(x, extension(r, l+1))
			}
			k.must(k.Extend(k.ctx(), x, k.at))
			got = append(got, seqs(page)...)
			after = page[len(page)-1].Seq
		}
		for n := uint64(1); n <= 20; n++ {
			want = append(want, n)
		}
		k.same(fmt.Sprintf("records that were at %v", l), got, want)
		k.same("records left there", len(k.atLevel(l, 500)), 0)
	}
	k.same("records at LTA", len(k.atLevel(registry.LevelLTA, 7)), 20)
}
