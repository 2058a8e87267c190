package registrytest

import (
	"fmt"
	"sync/atomic"
	"time"

	"attesta/registry"
)

// togetherPromises are what several processes of one registry have in common.
func togetherPromises() []promise {
	return []promise{
		{"a lease is renewed by its holder and refused to others", leaseHeld},
		{"of many who take a free lease exactly one has it", leaseRace},
		{"a lease that ended goes to exactly one of many", leaseEnds},
		{"names of leases and lengths that cannot be are refused", leaseInputs},
		{"many who count at once are all counted, and one by one", limitRace},
		{"a window follows another, and what is older is forgotten", limitWindows},
		{"a clock that is behind counts in the newest window", limitBehind},
		{"requests are counted by door and by who asks, up to a bound", limitCount},
		{"what is known of a key is joined and never taken back", keysJoined},
		{"marks of keys come in the order of their changes", keysFollowed},
		{"many who note the same keys at once note them once", keysRace},
	}
}

func (k *kit) lease(name, holder string, length time.Duration, want bool) {
	k.Helper()
	got, err := k.TakeLease(k.ctx(), name, holder, length, time.Now())
	k.must(err)
	k.same("lease "+name+" for "+holder, got, want)
}

func leaseHeld(k *kit) {
	k.lease("stamps", "a", time.Minute, true)
	k.lease("stamps", "a", time.Minute, true)
	k.lease("stamps", "b", time.Minute, false)
	k.lease("other", "b", time.Minute, true)
	k.must(k.LeaveLease(k.ctx(), "stamps", "b")) // has it not
	k.must(k.LeaveLease(k.ctx(), "nobody's", "b"))
	k.lease("stamps", "b", time.Minute, false)
	k.must(k.LeaveLease(k.ctx(), "stamps", "a"))
	k.lease("stamps", "b", time.Minute, true)
	k.must(k.LeaveLease(k.ctx(), "stamps", "a")) // has it no longer
	k.lease("stamps", "a", time.Minute, false)
	k.lease("stamps", "c", time.Minute, false)
	k.same("events", len(k.events()), 0)
}

// B6: the first row of a lease is raced for too.
func leaseRace(k *kit) {
	for round := range 8 {
		var got atomic.Int64
		for _, err := range together(16, func(i int) error {
			held, err := k.TakeLease(k.ctx(), fmt.Sprint("work ", round), fmt.Sprint("holder ", i), time.Minute, time.Now())
			if held {
				got.Add(1)
			}
			return err
		}) {
			k.must(err)
		}
		k.same("holders", got.Load(), int64(1))
	}
}

func leaseEnds(k *kit) {
	k.lease("work", "dead", time.Second, true)
	k.lease("work", "b", time.Second, false)
	time.Sleep(500 * time.Millisecond)
	k.lease("work", "b", time.Second, false)
	time.Sleep(600 * time.Millisecond)
	var got atomic.Int64
	for _, err := range together(16, func(i int) error {
		held, err := k.TakeLease(k.ctx(), "work", fmt.Sprint("holder ", i), time.Minute, time.Now())
		if held {
			got.Add(1)
		}
		return err
	}) {
		k.must(err)
	}
	k.same("holders", got.Load(), int64(1))
	k.lease("work", "dead", time.Second, false)
}

func leaseInputs(k *kit) {
	for _, bad := range []struct {
		name, holder string
		length       time.Duration
	}{{"", "a", time.Minute}, {"w", "", time.Minute}, {"w\x00", "a", time.Minute}, {"w", "a", 0}, {"w", "a", 25 * time.Hour}, {"w", "a", -time.Minute}} {
		_, err := k.TakeLease(k.ctx(), bad.name, bad.holder, bad.length, k.at)
		k.want(err, registry.ErrInvalid)
	}
	k.want(k.LeaveLease(k.ctx(), "", "a"), registry.ErrInvalid)
}

func (k *kit) count(door, who string, most int, at time.Time) int {
	k.Helper()
	n, err := k.Count(k.ctx(), door, who, time.Minute, most, at)
	k.must(err)
	return n
}

// W7
func limitRace(k *kit) {
	const n = 40
	seen := make([]int, n)
	for _, err := range together(n, func(i int) error {
		var err error
		seen[i], err = k.Count(k.ctx(), "door", "one", time.Minute, 1000, k.at)
		return err
	}) {
		k.must(err)
	}
	times := map[int]int{}
	for _, c := range seen {
		times[c]++
	}
	for c := 1; c <= n; c++ {
		k.same(fmt.Sprint("callers who were number ", c), times[c], 1)
	}
}

func limitWindows(k *kit) {
	at := k.at.Truncate(time.Minute)
	for i := range 10 {
		k.same("in the first window", k.count("d", "w", 100, at), i+1)
	}
	k.same("at the start of the next", k.count("d", "w", 100, at.Add(time.Minute)), 11)
	k.same("half-way through it", k.count("d", "w", 100, at.Add(90*time.Second)), 7) // 2 and half of 10
	k.same("in the one after", k.count("d", "w", 100, at.Add(2*time.Minute)), 3)     // 1 and 2
	k.same("three later", k.count("d", "w", 100, at.Add(5*time.Minute)), 1)
	k.same("on another day", k.count("d", "w", 100, at.Add(24*time.Hour)), 1)
	k.same("events", len(k.events()), 0)
}

func limitBehind(k *kit) {
	at := k.at.Truncate(time.Minute)
	k.same("first", k.count("d", "w", 100, at.Add(time.Minute)), 1)
	for i, behind := range []time.Duration{30 * time.Second, time.Minute, 89 * time.Second} {
		k.same(fmt.Sprint("behind by ", behind), k.count("d", "w", 100, at.Add(time.Minute-behind)), i+2)
	}
	// A count from a clock that is hours ahead locks nobody out.
	k.same("ahead", k.count("d", "w", 100, at.Add(3*time.Hour)), 1)
	k.same("right again", k.count("d", "w", 100, at.Add(time.Minute)), 1)
}

func limitCount(k *kit) {
	for i := range 7 {
		k.same("counted up to the bound", k.count("a", "one", 5, k.at), min(i+1, 5))
	}
	k.same("another door", k.count("b", "one", 5, k.at), 1)
	k.same("somebody else", k.count("a", "two", 5, k.at), 1)
	for _, bad := range []func() (int, error){
		func() (int, error) { return k.Count(k.ctx(), "", "w", time.Minute, 5, k.at) },
		func() (int, error) { return k.Count(k.ctx(), "d", "", time.Minute, 5, k.at) },
		func() (int, error) { return k.Count(k.ctx(), "d", "w\n", time.Minute, 5, k.at) },
		func() (int, error) { return k.Count(k.ctx(), "d", "w", time.Millisecond, 5, k.at) },
		func() (int, error) { return k.Count(k.ctx(), "d", "w", 1500*time.Millisecond, 5, k.at) },
		func() (int, error) { return k.Count(k.ctx(), "d", "w", 25*time.Hour, 5, k.at) },
		func() (int, error) { return k.Count(k.ctx(), "d", "w", time.Minute, 0, k.at) },
		func() (int, error) { return k.Count(k.ctx(), "d", "w", time.Minute, 5, time.Time{}) },
	} {
		_, err := bad()
		k.want(err, registry.ErrInvalid)
	}
}

// marks reads every mark above seq after.
func (k *kit) marks(after uint64) []registry.KeyMark {
	k.Helper()
	var out []registry.KeyMark
	for {
		page, err := k.KeyMarks(k.ctx(), after, 2)
		k.must(err)
		if !k.more(len(page), 2) {
			return out
		}
		out = append(out, page...)
		after = page[len(page)-1].Seq
	}
}

// K1, K2
func keysJoined(k *kit) {
	note := func(m ...registry.KeyMark) {
		k.Helper()
		k.must(k.NoteKeys(k.ctx(), m, k.at))
	}
	hour := func(n int) time.Time { return k.at.Add(time.Duration(n) * time.Hour) }
	note(registry.KeyMark{ID: "a"}, registry.KeyMark{ID: "b", Retired: hour(5)})
	note(registry.KeyMark{ID: "a", Seq: 77, Revoked: hour(2)}, registry.KeyMark{ID: "b", Retired: hour(3)})
	note(registry.KeyMark{ID: "a", Revoked: hour(1), Retired: hour(1)}, registry.KeyMark{ID: "b", Lost: hour(9)})
	for range 2 { // nothing of this is new, and nothing is taken back
		note(registry.KeyMark{ID: "a", Revoked: hour(4)}, registry.KeyMark{ID: "b"}, registry.KeyMark{ID: "b", Retired: hour(6), Lost: hour(9)})
	}
	note()
	k.same("marks", k.marks(0), []registry.KeyMark{
		{Seq: 5, ID: "a", Retired: hour(1), Revoked: hour(1)}, {Seq: 6, ID: "b", Retired: hour(3), Lost: hour(9)},
	})
	var told []string
	for _, ev := range k.events() {
		k.same("kind", ev.Kind, "key")
		told = append(told, ev.What+" "+ev.Why)
	}
	k.same("events", told, []string{"a noted", "b retired", "a revoked", "b retired", "a revoked", "b lost"})
	for _, bad := range [][]registry.KeyMark{{{ID: "c"}, {ID: ""}}, {{ID: "c\x00"}}, {{ID: "c", Revoked: time.Unix(-5, 0)}}} {
		k.want(k.NoteKeys(k.ctx(), bad, k.at), registry.ErrInvalid)
	}
	k.same("marks afterwards", len(k.marks(0)), 2)
}

func keysFollowed(k *kit) {
	for _, id := range []string{"d", "b", "c", "a"} {
		k.must(k.NoteKeys(k.ctx(), []registry.KeyMark{{ID: id}}, k.at))
	}
	ids := func(after uint64) (out string) {
		for _, m := range k.marks(after) {
			out += m.ID
		}
		return out
	}
	k.same("all", ids(0), "dbca")
	k.must(k.NoteKeys(k.ctx(), []registry.KeyMark{{ID: "b", Revoked: k.at}}, k.at))
	k.same("after a change", ids(0), "dcab")
	k.same("what changed since", ids(4), "b")
	k.same("since then nothing", ids(5), "")
}

func keysRace(k *kit) {
	const n = 12
	for _, err := range together(n, func(i int) error {
		return k.NoteKeys(k.ctx(), []registry.KeyMark{{ID: "same"}, {ID: fmt.Sprint("own ", i)}, {ID: "ended", Revoked: k.at.Add(-time.Duration(i) * time.Hour)}}, k.at)
	}) {
		k.must(err)
	}
	seen := map[uint64]bool{}
	for _, m := range k.marks(0) {
		seen[m.Seq] = true
		if m.ID == "ended" {
			k.same("the earliest revocation", m.Revoked, k.at.Add(-(n-1)*time.Hour))
		}
	}
	k.same("marks", len(seen), n+2)
	times := map[string]int{}
	for _, ev := range k.events() {
		times[ev.What]++
	}
	k.same("events about the one that all noted", times["same"], 1)
}
