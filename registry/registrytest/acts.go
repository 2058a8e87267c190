package registrytest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"attesta/registry"
	"attesta/status"
)

func actPromises() []promise {
	return []promise{
		{"of many each is changed by itself, and record, list, counts and log agree", actEach},
		{"many in one step end as one after the other would", actLikeSingles},
		{"an act that was interrupted is repeated and finishes", actAgain},
		{"acts out of bounds are refused and leave nothing", badActs},
		{"the key that sealed a record stays with it", sealKeyStays},
		{"a selection is what its fields say, and knows nobody", selections},
		{"acts, single changes, seals and erasures at once lose nothing", actRace},
		{"acts over the same records in any order end well", actsRace},
	}
}

// changes asks for the same of many.
func changes(recs []registry.Record, to status.Value) []registry.Change {
	var out []registry.Change
	for _, r := range recs {
		out = append(out, change(r, to))
	}
	return out
}

func (k *kit) act(recs []registry.Record, to status.Value) []registry.Effect {
	k.Helper()
	out, err := k.SetStatuses(k.ctx(), changes(recs, to), k.at)
	k.must(err)
	return out
}

func actEach(k *kit) {
	other := intent(9)
	other.Provider, other.Module = "prov-2", "MOD-2"
	recs := k.seal(append(intents(0, 5), other)...)
	recs = append(recs, k.reserve(intent(6))...)
	k.set(recs[1], status.Suspended)
	k.set(recs[2], status.Revoked)
	k.erase(recs[3].Learner, 1)
	before, events := k.list(recs[0].List), len(k.events())
	missing := registry.Record{Credential: "urn:credential:00000000-0000-4000-8000-000000000000"}
	asked := append(slices.Clone(recs), missing, registry.Record{Credential: "x"})
	k.at = k.at.Add(time.Hour)
	k.same("effects", k.act(asked, status.Suspended), []registry.Effect{
		registry.Changed, registry.AlreadySo, registry.Final, registry.Changed, registry.Changed, registry.Changed,
		registry.Unsealed, registry.Unknown, registry.Unknown,
	})
	for n, want := range []status.Value{1: status.Suspended, 2: status.Revoked, 0: status.Suspended, 3: status.Suspended, 4: status.Suspended, 5: status.Suspended, 6: status.Valid} {
		now := k.find(recs[n].Seq)
		k.same(fmt.Sprint("status of ", n), now.Status, want)
		k.same("its entry", entryOf(k.list(now.List), now.Index), want)
		if n == 0 || n > 2 && n < 6 {
			k.same("when and why", []any{now.StatusAt, now.Reason}, []any{k.at, "other"})
		}
	}
	if now := k.list(recs[0].List); now.Version <= before.Version {
		k.Errorf("the version of the list went from %d to %d", before.Version, now.Version)
	}
	var told []string
	for _, ev := range k.events()[events:] {
		told = append(told, ev.Kind+" "+ev.What+" "+ev.By+" "+ev.Why)
	}
	var want []string
	for _, n := range []int{0, 3, 4, 5} {
		want = append(want, "suspend "+recs[n].Credential+" operator other")
	}
	k.same("events", told, want)
	c, err := k.Counts(k.ctx(), "prov-1")
	k.must(err)
	k.same("counts", c, registry.Counts{Reserved: 1, Sealed: 5, Suspended: 4, Revoked: 1})
}

func actLikeSingles(k *kit) {
	recs := k.seal(intents(0, 60)...)
	rnd := rand.New(rand.NewPCG(5, 6))
	is := map[uint64]status.Value{}
	for range 12 {
		to := status.Value(rnd.IntN(3))
		if to == status.Revoked && rnd.IntN(3) > 0 {
			to = status.Suspended
		}
		part := slices.Clone(recs)
		rnd.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
		part = part[:1+rnd.IntN(30)]
		for n, got := range k.act(part, to) {
			want := registry.Changed
			switch is[part[n].Seq] {
			case to:
				want = registry.AlreadySo
			case status.Revoked:
				want = registry.Final
			default:
				is[part[n].Seq] = to
			}
			k.same("effect", got, want)
		}
	}
	for _, r := range recs {
		now := k.find(r.Seq)
		k.same("status", now.Status, is[r.Seq])
		k.same("entry", entryOf(k.list(r.List), r.Index), is[r.Seq])
	}
}

func actAgain(k *kit) {
	recs := k.seal(intents(0, 30)...)
	k.act(recs[10:20], status.Revoked)
	events := len(k.events())
	done, already := 0, 0
	for _, e := range k.act(recs, status.Revoked) {
		switch e {
		case registry.Changed:
			done++
		case registry.AlreadySo:
			already++
		}
	}
	k.same("changed and so already", []int{done, already}, []int{20, 10})
	k.same("events", len(k.events())-events, 20)
	version := k.list(recs[0].List).Version
	for _, e := range k.act(recs, status.Revoked) {
		k.same("a third time", e, registry.AlreadySo)
	}
	k.same("version of the list", k.list(recs[0].List).Version, version)
	k.same("events of nothing", len(k.events())-events, 20)
}

func badActs(k *kit) {
	recs := k.seal(intents(0, 3)...)
	calls := map[string]func() error{
		"twice": func() error {
			_, err := k.SetStatuses(k.ctx(), changes(append(recs, recs[0]), status.Revoked), k.at)
			return err
		},
		"too many": func() error {
			_, err := k.SetStatuses(k.ctx(), make([]registry.Change, registry.MaxChanges+1), k.at)
			return err
		},
		"time": func() error {
			_, err := k.SetStatuses(k.ctx(), changes(recs, status.Revoked), time.Time{})
			return err
		},
	}
	for name, edit := range map[string]func(*registry.Change){
		"status": func(c *registry.Change) { c.To = 3 },
		"reason": func(c *registry.Change) { c.Reason = "because" },
		"by":     func(c *registry.Change) { c.By = "" },
	} {
		calls[name] = func() error {
			all := changes(recs, status.Revoked)
			edit(&all[2])
			_, err := k.SetStatuses(k.ctx(), all, k.at)
			return err
		}
	}
	for name, s := range map[string]registry.Selection{
		"all":            {},
		"provider alone": {Provider: "prov-1"},
		"edition alone":  {Edition: "2026-A"},
		"edition of key": {Edition: "2026-A", SealKey: "k"},
		"no reference":   {Module: "a\x00"},
		"no key":         {SealKey: "a\nb"},
	} {
		calls["selection of "+name] = func() error { _, err := k.Select(k.ctx(), s, 0, 10); return err }
	}
	for _, limit := range []int{-1, 0, registry.MaxChanges + 1} {
		calls[fmt.Sprint("limit ", limit)] = func() error {
			_, err := k.Select(k.ctx(), registry.Selection{Module: "MOD-1"}, 0, limit)
			return err
		}
	}
	k.refuse(calls)
	ctx, cancel := context.WithCancel(k.ctx())
	cancel()
	_, err := k.SetStatuses(ctx, changes(recs, status.Revoked), k.at)
	k.want(err, context.Canceled)
	none, err := k.SetStatuses(k.ctx(), nil, k.at)
	k.must(err)
	k.same("effects of nothing", len(none), 0)
	for _, r := range recs {
		k.same("record", k.find(r.Seq), r)
	}
}

// K1
func sealKeyStays(k *kit) {
	recs := k.reserve(intents(0, 4)...)
	var s []registry.Sealing
	for n, r := range recs[:3] {
		s = append(s, registry.Sealing{Seq: r.Seq, Sealed: sealedBytes(r), SealKey: []string{"0011223344556677", "8899aabbccddeeff", ""}[n]})
	}
	k.must(k.Complete(k.ctx(), s, k.at))
	again := slices.Clone(s)
	again[0].SealKey = "another" // the bytes are the same: the first stays
	k.must(k.Complete(k.ctx(), again, k.at))
	k.want(k.Complete(k.ctx(), []registry.Sealing{{Seq: recs[3].Seq, Sealed: []byte("x"), SealKey: "a\nb"}}, k.at), registry.ErrInvalid)
	first := k.find(recs[0].Seq)
	k.extend(first, registry.LevelT)
	k.set(first, status.Suspended)
	k.erase(recs[1].Learner, 1)
	for n, want := range []string{"0011223344556677", "8899aabbccddeeff", "", ""} {
		k.same(fmt.Sprint("key of ", n), k.find(recs[n].Seq).SealKey, want)
	}
	k.same("records of a key", seqs(k.all(registry.Query{SealKey: "8899aabbccddeeff"}, 5)), []uint64{recs[1].Seq})
	k.same("records of no key", len(k.all(registry.Query{SealKey: "another"}, 5)), 0)
}

func selections(k *kit) {
	var recs []registry.Record
	for n := range 40 {
		in := intent(n)
		in.Provider = []string{"p", "pp"}[n%2]
		in.Module = in.Provider + []string{"/m", "/mm"}[n/2%2]
		in.Edition = []string{"e", "e/e", "f"}[n%3]
		r := k.reserve(in)[0]
		if n%5 != 4 {
			k.must(k.Complete(k.ctx(), []registry.Sealing{{Seq: r.Seq, Sealed: sealedBytes(r), SealKey: []string{"a", "b"}[n/10%2]}}, k.at))
			r = k.find(r.Seq)
		}
		recs = append(recs, r)
	}
	k.erase(recs[0].Learner, 1)
	for _, s := range []registry.Selection{
		{Module: "p/m"},
		{Module: "p/m", Edition: "e"},
		{Module: "pp/mm", Edition: "f", Provider: "pp"},
		{Module: "p/m", Provider: "pp"},
		{SealKey: "a"},
		{SealKey: "b", Provider: "p"},
		{SealKey: "a", Module: "p/mm"},
		{SealKey: "none"},
		{Module: "p/m", Below: 20},
		{SealKey: "a", Below: 1},
		{SealKey: "b", Below: 1 << 62},
	} {
		var want []uint64
		for _, r := range slices.Backward(recs) {
			if (s.Module == "" || s.Module == r.Module) && (s.Edition == "" || s.Edition == r.Edition) && (s.Provider == "" || s.Provider == r.Provider) &&
				(s.SealKey == "" || s.SealKey == r.SealKey) && (s.Below == 0 || r.Seq < s.Below) {
				want = append(want, r.Seq)
			}
		}
		for _, limit := range []int{1, 3, registry.MaxChanges} {
			var got []uint64
			for before := uint64(0); ; {
				page, err := k.Select(k.ctx(), s, before, limit)
				k.must(err)
				if !k.more(len(page), limit) {
					break
				}
				for _, r := range page {
					k.same("what is known of people", []any{r.Learner, r.Facts, len(r.Hidden), len(r.Body)}, []any{"", registry.Facts{}, 0, 0})
				}
				got = append(got, seqs(page)...)
				before = page[len(page)-1].Seq
			}
			k.same(fmt.Sprintf("records of %+v by %d", s, limit), got, want)
		}
	}
}

// S5, B6: whoever comes first, a record has one history and everything agrees
// with it.
func actRace(k *kit) {
	recs := k.seal(intents(0, 24)...)
	late := k.reserve(intents(24, 32)...)
	all := append(slices.Clone(recs), late...)
	for _, err := range together(8, func(i int) error {
		switch i % 4 {
		case 0:
			_, err := k.SetStatuses(k.ctx(), changes(all, status.Revoked), k.at)
			return err
		case 1:
			for _, r := range recs {
				if _, err := k.SetStatus(k.ctx(), change(r, status.Suspended), k.at); err != nil && !errors.Is(err, registry.ErrConflict) {
					return err
				}
			}
		case 2:
			for _, r := range late {
				if err := k.Complete(k.ctx(), []registry.Sealing{{Seq: r.Seq, Sealed: sealedBytes(r), SealKey: "k"}}, k.at); err != nil {
					return err
				}
				if _, err := k.Reserve(k.ctx(), []registry.Intent{intent(100*i + int(r.Seq))}, k.at); err != nil {
					return err
				}
			}
		case 3:
			for n := range 6 {
				if _, err := k.Erase(k.ctx(), recs[n].Learner, "operator", k.at); err != nil && !errors.Is(err, registry.ErrNotFound) {
					return err
				}
			}
		}
		return nil
	}) {
		k.must(err)
	}
	told := map[string]status.Value{}
	revoked := map[string]int{}
	for _, ev := range k.events() {
		switch ev.Kind {
		case "suspend":
			told[ev.What] = status.Suspended
		case "revoke":
			told[ev.What] = status.Revoked
			revoked[ev.What]++
		}
	}
	list := k.list(recs[0].List)
	for _, r := range all {
		now := k.find(r.Seq)
		k.same("the log says of it", told[r.Credential], now.Status)
		k.same("the list says of it", entryOf(list, r.Index), now.Status)
		if revoked[r.Credential] > 1 {
			k.Errorf("record %d was revoked %d times", r.Seq, revoked[r.Credential])
		}
	}
	for _, r := range recs { // these were sealed before, and revoking wins
		k.same("status", k.find(r.Seq).Status, status.Revoked)
	}
}

// Acts whose records cross must not wait for each other for ever.
func actsRace(k *kit) {
	recs := k.seal(intents(0, 40)...)
	for _, err := range together(12, func(i int) error {
		mine := slices.Clone(recs)
		if i%2 == 1 {
			slices.Reverse(mine)
		}
		for n := range 3 {
			if _, err := k.SetStatuses(k.ctx(), changes(mine, []status.Value{status.Suspended, status.Valid}[(i+n)%2]), k.at); err != nil {
				return err
			}
		}
		return nil
	}) {
		k.must(err)
	}
	for e := range slices.Values(k.act(recs, status.Revoked)) {
		k.same("effect", e, registry.Changed)
	}
	c, err := k.Counts(k.ctx(), "")
	k.must(err)
	k.same("counts", c, registry.Counts{Sealed: 40, Revoked: 40})
}
