package registrytest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"attesta/registry"
	"attesta/status"
)

func statusPromises() []promise {
	return []promise{
		{"a status moves as the rules allow and not otherwise", transitions},
		{"asking for the status there is changes nothing", sameStatus},
		{"only a sealed record has a status to change", onlySealed},
		{"a list shows what is not valid, in order, and grows its version with each change", listFollows},
		{"a list is found by its exact id", listByID},
		{"who knows a list at its version gets no entries, and all of them at another", listKnown},
		{"lists come page by page in order of their id, without entries", listPages},
		{"counts equal a recount after any history", countsRecount},
	}
}

func transitions(k *kit) {
	path := map[status.Value][]status.Value{
		status.Valid: nil, status.Suspended: {status.Suspended}, status.Revoked: {status.Suspended, status.Revoked},
	}
	n := 0
	for from, steps := range path {
		for to, legal := range map[status.Value]bool{
			status.Valid: from != status.Revoked, status.Suspended: from != status.Revoked, status.Revoked: true,
		} {
			n++
			r := k.seal(intent(n))[0]
			for _, s := range steps {
				r = k.set(r, s)
			}
			before := k.list(r.List)
			c := change(r, to)
			c.Reason, c.By = "under-review", "Ada"
			at := k.at.Add(time.Hour)
			got, err := k.SetStatus(k.ctx(), c, at)
			if !legal {
				k.want(err, registry.ErrConflict)
				k.same("record", k.find(r.Seq), r)
				k.same("list", k.list(r.List), before)
				continue
			}
			k.must(err)
			want := r
			if from != to {
				want.Status, want.Reason, want.StatusAt = to, "under-review", at
			}
			k.same("record returned", got, want)
			k.same("record read again", k.find(r.Seq), want)
			k.same("entry", entryOf(k.list(r.List), r.Index), to)
		}
	}
}

func sameStatus(k *kit) {
	for i, s := range []status.Value{status.Valid, status.Suspended, status.Revoked} {
		r := k.set(k.seal(intent(i))[0], s)
		list, events := k.list(r.List), len(k.events())
		c := change(r, s)
		c.Reason = "fraud"
		got, err := k.SetStatus(k.ctx(), c, k.at.Add(time.Hour))
		k.must(err)
		k.same("record returned", got, r)
		k.same("record read again", k.find(r.Seq), r)
		k.same("list", k.list(r.List), list)
		k.same("events", len(k.events()), events)
	}
}

func onlySealed(k *kit) {
	r := k.reserve(intent(1))[0]
	for _, to := range []status.Value{status.Valid, status.Suspended, status.Revoked} {
		_, err := k.SetStatus(k.ctx(), change(r, to), k.at)
		k.want(err, registry.ErrConflict)
	}
	k.same("record", k.find(r.Seq), r)
	unknown := registry.Record{Credential: "urn:credential:00000000-0000-4000-8000-000000000000"}
	_, err := k.SetStatus(k.ctx(), change(unknown, status.Revoked), k.at)
	k.want(err, registry.ErrNotFound)
	_, err = k.SetStatus(k.ctx(), change(registry.Record{Credential: "x"}, status.Revoked), k.at)
	k.want(err, registry.ErrNotFound)
}

func listFollows(k *kit) {
	recs := k.seal(intents(0, 30)...)
	l := k.list(recs[0].List)
	k.same("new list", l, registry.StatusList{ID: recs[0].List, Provider: "prov-1", Size: registry.ListSize, Version: l.Version})
	want := map[uint32]status.Value{}
	rnd := rand.New(rand.NewPCG(7, 7))
	for range 60 {
		r := recs[rnd.IntN(len(recs))]
		to := status.Value(rnd.IntN(3))
		if want[r.Index] == status.Revoked {
			to = status.Revoked
		}
		if before := l.Version; want[r.Index] != to {
			want[r.Index] = to
			k.set(r, to)
			if l = k.list(r.List); l.Version <= before {
				k.Errorf("version went from %d to %d", before, l.Version)
			}
		}
	}
	var entries []registry.StatusEntry
	for i, v := range want {
		if v != status.Valid {
			entries = append(entries, registry.StatusEntry{Index: i, Value: v})
		}
	}
	slices.SortFunc(entries, func(a, b registry.StatusEntry) int { return int(a.Index) - int(b.Index) })
	k.same("entries", l.Entries, entries)
}

func listByID(k *kit) {
	r := k.reserve(intent(1))[0]
	for _, id := range []string{"", r.List[:25], r.List + "A", "AAAAAAAAAAAAAAAAAAAAAAAAAA", "prov-1", "\x00", "../" + r.List[3:]} {
		_, err := k.List(k.ctx(), id)
		k.want(err, registry.ErrNotFound)
	}
}

func listKnown(k *kit) {
	recs := k.seal(intents(0, 6)...)
	id := recs[0].List
	ask := func(known uint64) registry.StatusList {
		k.Helper()
		l, err := k.ListAfter(k.ctx(), id, known)
		k.must(err)
		return l
	}
	for n, r := range recs {
		before := k.list(id)
		k.set(r, status.Suspended)
		for _, known := range []uint64{0, before.Version, before.Version + 1000, 1<<64 - 1} {
			k.same("a list that moved on", len(ask(known).Entries), n+1)
		}
		l := k.list(id)
		k.same("a list that is known", ask(l.Version), registry.StatusList{ID: id, Provider: l.Provider, Size: l.Size, Version: l.Version})
	}
	for _, r := range recs { // nothing is left and the version says that there was
		k.set(r, status.Valid)
	}
	l := ask(0)
	k.same("entries of a list that became valid again", len(l.Entries), 0)
	k.same("changes of a list", l.Version, uint64(2*len(recs)))
	_, err := k.ListAfter(k.ctx(), "AAAAAAAAAAAAAAAAAAAAAAAAAA", 0)
	k.want(err, registry.ErrNotFound)
}

func listPages(k *kit) {
	page, err := k.Lists(k.ctx(), "", 10)
	k.must(err)
	k.same("lists of an empty registry", len(page), 0)
	var want []registry.StatusList
	for n, provider := range []string{"prov-1", "prov-2", "Prov-2", "prov-11", "è"} {
		in := intent(n)
		in.Provider, in.Module = provider, "M-"+provider
		r := k.seal(in)[0]
		k.set(r, status.Revoked)
		want = append(want, registry.StatusList{ID: r.List, Provider: provider, Size: registry.ListSize, Version: 1})
	}
	slices.SortFunc(want, func(a, b registry.StatusList) int { return strings.Compare(a.ID, b.ID) })
	for _, limit := range []int{1, 2, 5, 7} {
		var got []registry.StatusList
		for after := ""; ; {
			page, err := k.Lists(k.ctx(), after, limit)
			k.must(err)
			if !k.more(len(page), limit) {
				break
			}
			got = append(got, page...)
			after = page[len(page)-1].ID
		}
		k.same("lists", got, want)
	}
}

func countsRecount(k *kit) {
	rnd := rand.New(rand.NewPCG(1, 2))
	providers := []string{"prov-1", "prov-2", "prov-11"}
	for n := range 120 {
		in := intent(n)
		in.Provider = providers[n%3]
		in.Module = "M-" + in.Provider
		in.Edition = []string{"A", "B"}[rnd.IntN(2)]
		switch rnd.IntN(4) {
		case 0:
			k.reserve(in, in)
		case 1:
			k.seal(in)
		default:
			r := k.seal(in)[0]
			k.reserve(in)
			if k.set(r, status.Suspended); rnd.IntN(2) == 0 {
				k.set(r, status.Value(rnd.IntN(3)))
			}
		}
	}
	again := map[string]registry.Counts{}
	for _, r := range k.all(registry.Query{}, 40) {
		for _, key := range []string{"", r.Provider, r.Provider + " " + r.Module + " " + r.Edition} {
			c := again[key]
			if r.State == registry.Reserved {
				c.Reserved++
			} else {
				c.Sealed++
			}
			switch r.Status {
			case status.Suspended:
				c.Suspended++
			case status.Revoked:
				c.Revoked++
			}
			again[key] = c
		}
	}
	for _, p := range append(providers, "", "prov") {
		c, err := k.Counts(k.ctx(), p)
		k.must(err)
		k.same("counts of "+p, c, again[p])
		if p == "" {
			continue
		}
		editions, err := k.Editions(k.ctx(), p, "", 100)
		k.must(err)
		for _, e := range editions {
			key := p + " " + e.Module + " " + e.Edition
			k.same("counts of "+key, e.Counts, again[key])
		}
		if p != "prov" && len(editions) != 2 {
			k.Errorf("%d editions of %s", len(editions), p)
		}
	}
}
