package registrytest

import (
	"attesta/registry"
	"attesta/status"
)

// housePromises are about who signs a status list: whoever seals for a provider
// may change, and a list is of one house only.
func housePromises() []promise {
	return []promise{
		{"a status list is of one provider and one house", listsOfHouses},
		{"the first house of an award is the one that stays", firstHouseStays},
		{"the houses of the lists are told, with how many", housesTold},
	}
}

var (
	oldHouse = registry.House{Sealer: "prov-1", LegalID: "VATIT-01234567890"}
	merged   = registry.House{Sealer: "prov-1", LegalID: "VATIT-99999999999"}
	platform = registry.House{Sealer: "platform", LegalID: "VATIT-01234567890"}
)

// sealedBy is the n-th award of one class, which a house is to seal.
func sealedBy(n int, h registry.House) registry.Intent {
	in := intent(n)
	in.House = h
	return in
}

// S2: a record of one house is never in the list of another, however often who
// seals changes, and comes back to the open list of its own.
func listsOfHouses(k *kit) {
	turns := []registry.House{oldHouse, merged, platform, {}, oldHouse, platform, merged, {}}
	lists, records := map[registry.House]string{}, map[string][]registry.Record{}
	other := sealedBy(99, oldHouse)
	other.Provider = "prov-2"
	foreign := k.reserve(other)[0].List
	for n, h := range turns {
		r := k.seal(sealedBy(n, h))[0]
		if was, ok := lists[h]; ok && was != r.List {
			k.Errorf("turn %d: another list for %v", n, h)
		}
		lists[h], records[r.List] = r.List, append(records[r.List], r)
		k.same("house", k.list(r.List).House, h)
		k.same("provider", k.list(r.List).Provider, "prov-1")
	}
	k.same("lists", len(records), 4)
	if len(records[foreign]) > 0 {
		k.Errorf("two providers share the list %s", foreign)
	}
	// All in one step too.
	var all []registry.Intent
	for n, h := range turns {
		all = append(all, sealedBy(20+n, h))
	}
	for n, r := range k.reserve(all...) {
		k.same("list", r.List, lists[turns[n]])
	}
	// What is withdrawn in one of them shows in no other.
	r := records[lists[oldHouse]][1]
	versions := map[string]uint64{}
	for list := range records {
		versions[list] = k.list(list).Version
	}
	k.set(r, status.Revoked)
	for list, before := range versions {
		l := k.list(list)
		if own := list == r.List; own != (l.Version > before) || own != (len(l.Entries) == 1) {
			k.Errorf("the list of %v has %v and went from %d to %d", l.House, l.Entries, before, l.Version)
		}
	}
}

func firstHouseStays(k *kit) {
	first := k.reserve(sealedBy(1, oldHouse))[0]
	got, err := k.Reserve(k.ctx(), []registry.Intent{sealedBy(1, merged)}, k.at)
	k.must(err)
	if !got[0].Existing || got[0].Record.List != first.List {
		k.Errorf("%+v", got[0])
	}
	k.same("house", k.list(first.List).House, oldHouse)
	k.refuse(map[string]func() error{
		"a sealer with NUL":              func() error { return k.try(sealedBy(2, registry.House{Sealer: "a\x00b"})) },
		"a legal identifier of no UTF-8": func() error { return k.try(sealedBy(2, registry.House{LegalID: "\xff"})) },
	})
}

func (k *kit) try(in registry.Intent) error {
	_, err := k.Reserve(k.ctx(), []registry.Intent{in}, k.at)
	return err
}

func housesTold(k *kit) {
	none, err := k.Houses(k.ctx())
	k.must(err)
	k.same("houses", len(none), 0)
	other := sealedBy(4, platform)
	other.Provider = "prov-2"
	k.reserve(sealedBy(1, merged), sealedBy(2, oldHouse), sealedBy(3, oldHouse), other)
	got, err := k.Houses(k.ctx())
	k.must(err)
	k.same("houses", got, []registry.ListHouse{
		{Provider: "prov-1", House: oldHouse, Lists: 1}, {Provider: "prov-1", House: merged, Lists: 1}, {Provider: "prov-2", House: platform, Lists: 1},
	})
}
