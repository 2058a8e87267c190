package registrytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"attesta/registry"
	"attesta/status"
)

func erasePromises() []promise {
	return []promise{
		{"an erased learner is gone, and so is what was sealed", eraseRemoves},
		{"what is erased keeps its place, its award and its status", eraseKeeps},
		{"the status of what is erased may still change", erasedStatus},
		{"erasing again, and erasing nobody, changes nothing", eraseAgain},
		{"nobody is erased whose record waits for its seal", eraseReserved},
		{"who comes back is a new person to whom the same award is not given", eraseAndReturn},
		{"erasing races with all else and leaves nothing half done", eraseRace},
		{"who is erased in the midst of another step does not come back", erasedInTheMidst},
		{"who is erased while a record is read is met as erased", erasedWhileRead},
		{"what many share is stored once and comes back exactly", sharedContent},
		{"people are found by the beginnings of their names", findLearners},
		{"another data key opens nothing", otherKey},
	}
}

// learner is the one of intent n.
func learner(n int) registry.Learner {
	return registry.Learner{Ref: intent(n).Learner, GivenName: fmt.Sprint("Ada ", n), FamilyName: "Lovelace", Email: "ada@example.org"}
}

func (k *kit) erase(ref string, want int) {
	k.Helper()
	n, err := k.Erase(k.ctx(), ref, "operator", k.at)
	k.must(err)
	k.same("erased", n, want)
}

// R2
func eraseRemoves(k *kit) {
	k.must(k.PutLearners(k.ctx(), []registry.Learner{learner(1), learner(2)}, k.at))
	other := intent(1)
	other.Edition = "another"
	recs := k.seal(intent(1), intent(2), other)
	k.erase(recs[0].Learner, 2)
	known, err := k.Learners(k.ctx(), []string{recs[0].Learner, recs[1].Learner})
	k.must(err)
	k.same("learners", known, map[string]registry.Learner{recs[1].Learner: learner(2)})
	found, _, err := k.FindLearners(k.ctx(), "lovelace", "", 10)
	k.must(err)
	k.same("found", found, []registry.Learner{learner(2)})
	for _, n := range []int{0, 2} {
		_, err := k.SealedBytes(k.ctx(), recs[n].Seq)
		k.want(err, registry.ErrNotFound)
	}
	k.bytes(recs[1].Seq)
	k.same("of the learner", len(k.all(registry.Query{Learner: recs[1].Learner}, 10)), 1)
	k.same("unfinished or at a level", len(k.atLevel(registry.LevelB, 10)), 1)
}

func eraseKeeps(k *kit) {
	in := intent(1)
	in.Facts = registry.Facts{CompletedOn: "2026-01-02", Attendance: "90", Score: "27"}
	was := k.set(k.seal(in)[0], status.Suspended)
	counts, list, before := k.counts(), k.list(was.List), len(k.events())
	k.at = k.at.AddDate(0, 0, 1)
	k.erase(was.Learner, 1)
	want := was
	want.State, want.Learner, want.Facts = registry.Erased, "", registry.Facts{}
	k.same("by number", k.find(was.Seq), want)
	for _, find := range []func() (registry.Record, error){
		func() (registry.Record, error) { return k.ByHandle(k.ctx(), was.Handle) },
		func() (registry.Record, error) { return k.ByClaim(k.ctx(), k.ClaimToken(was.Credential)) },
		func() (registry.Record, error) { return k.ByCredential(k.ctx(), was.Credential) },
	} {
		got, err := find()
		k.must(err)
		k.same("record", got, want)
	}
	k.same("page", k.all(registry.Query{Module: in.Module}, 10), []registry.Record{want})
	k.same("counts", k.counts(), counts)
	k.same("list", k.list(was.List), list)
	events := k.events()[before:]
	for i := range events {
		events[i].Seq = 0
	}
	k.same("events", events, []registry.Event{
		{At: k.at, Kind: "erase", What: "1", By: "operator"},
		{At: k.at, Kind: "erase", What: was.Credential, By: "operator"},
	})
	again, err := k.Reserve(k.ctx(), []registry.Intent{in}, k.at)
	k.must(err)
	k.same("the same award", again, []registry.Reservation{{Record: want, Existing: true}})
}

func erasedStatus(k *kit) {
	was := k.seal(intent(1))[0]
	k.erase(was.Learner, 1)
	got := k.set(was, status.Revoked)
	k.same("status", got.Status, status.Revoked)
	k.same("state", got.State, registry.Erased)
	k.same("entry", entryOf(k.list(was.List), was.Index), status.Revoked)
}

func eraseAgain(k *kit) {
	was := k.seal(intent(1))[0]
	k.erase(was.Learner, 1)
	before := k.events()
	for _, ref := range []string{was.Learner, "nobody"} {
		_, err := k.Erase(k.ctx(), ref, "operator", k.at)
		k.want(err, registry.ErrNotFound)
	}
	k.same("events", k.events(), before)
}

func eraseReserved(k *kit) {
	sealed := k.seal(intent(1))[0]
	other := intent(1)
	other.Edition = "another"
	open := k.reserve(other)[0]
	_, err := k.Erase(k.ctx(), sealed.Learner, "operator", k.at)
	k.want(err, registry.ErrConflict)
	k.bytes(sealed.Seq)
	k.must(k.Complete(k.ctx(), []registry.Sealing{{Seq: open.Seq, Sealed: sealedBytes(open)}}, k.at))
	k.erase(sealed.Learner, 2)
	k.want(k.Complete(k.ctx(), []registry.Sealing{{Seq: open.Seq, Sealed: []byte("other")}}, k.at), registry.ErrConflict)
}

func eraseAndReturn(k *kit) {
	k.must(k.PutLearners(k.ctx(), []registry.Learner{learner(1)}, k.at))
	was := k.seal(intent(1))[0]
	k.erase(was.Learner, 1)
	k.must(k.PutLearners(k.ctx(), []registry.Learner{learner(1)}, k.at))
	next := intent(1)
	next.Edition = "another"
	recs := k.seal(next)
	k.same("learner", recs[0].Learner, was.Learner)
	got, err := k.Reserve(k.ctx(), []registry.Intent{intent(1)}, k.at)
	k.must(err)
	k.same("the same award", []any{got[0].Existing, got[0].Record.Seq, got[0].Record.State}, []any{true, was.Seq, registry.Erased})
	_, err = k.SealedBytes(k.ctx(), was.Seq)
	k.want(err, registry.ErrNotFound)
	k.erase(was.Learner, 1)
}

// R2, T13
func eraseRace(k *kit) {
	const people, rounds = 6, 5
	var sealed atomic.Int64
	for _, err := range together(people*3, func(i int) error {
		for round := range rounds {
			in := intent(i % people)
			in.Edition = fmt.Sprint("edition ", i/people, round)
			switch i / people {
			case 0:
				_, err := k.Erase(k.ctx(), in.Learner, "operator", k.at)
				if err != nil && !errors.Is(err, registry.ErrNotFound) && !errors.Is(err, registry.ErrConflict) {
					return err
				}
				continue
			case 1:
				if err := k.PutLearners(k.ctx(), []registry.Learner{learner(i % people)}, k.at); err != nil {
					return err
				}
			}
			got, err := k.Reserve(k.ctx(), []registry.Intent{in}, k.at)
			if err != nil {
				return err
			}
			r := got[0].Record
			if err := k.Complete(k.ctx(), []registry.Sealing{{Seq: r.Seq, Sealed: sealedBytes(r)}}, k.at); err != nil {
				return err
			}
			sealed.Add(1)
			b, err := k.SealedBytes(k.ctx(), r.Seq)
			if err == nil && !bytes.Equal(b, sealedBytes(r)) || err != nil && !errors.Is(err, registry.ErrNotFound) {
				return fmt.Errorf("record %d has %q, %w", r.Seq, b, err)
			}
			if _, err := k.Records(k.ctx(), registry.Query{Limit: 100}); err != nil {
				return err
			}
		}
		return nil
	}) {
		k.must(err)
	}
	k.same("counted", k.counts().Sealed, uint64(sealed.Load()))
	for n := range people {
		if _, err := k.Erase(k.ctx(), intent(n).Learner, "operator", k.at); !errors.Is(err, registry.ErrNotFound) {
			k.must(err)
		}
	}
	for _, r := range k.all(registry.Query{}, 100) {
		k.same("state", r.State, registry.Erased)
	}
}

// between does something before and after people are looked up, once each.
type between struct {
	registry.Backend
	before, then func()
}

func (b *between) People(ctx context.Context, ids []string) (map[string]registry.Person, error) {
	once(&b.before)
	out, err := b.Backend.People(ctx, ids)
	once(&b.then)
	return out, err
}

func once(do *func()) {
	if f := *do; f != nil {
		*do = nil
		f()
	}
}

// unlocked is a registry over a backend with the keys of the suite.
func unlocked(b registry.Backend) *registry.Registry {
	return registry.New(b, registry.Config{ClaimKey: []byte("a key of the conformance suite"), DataKey: []byte("a key of the conformance suite")})
}

// R2: who is erased between the reading of a record and that of its person is
// met as erased, also when the same person came back at once.
func erasedWhileRead(k *kit) {
	for n, step := range []struct {
		name string
		do   func(*registry.Registry, registry.Record) error
	}{
		{"find", func(r *registry.Registry, rec registry.Record) error {
			got, err := r.Find(k.ctx(), registry.Key{Seq: rec.Seq})
			k.same("state", got.State, registry.Erased)
			return err
		}},
		{"list", func(r *registry.Registry, rec registry.Record) error {
			got, err := r.Records(k.ctx(), registry.Query{Limit: 1})
			k.must(err)
			k.same("record", []any{got[0].Seq, got[0].State, got[0].Learner}, []any{rec.Seq, registry.Erased, ""})
			return nil
		}},
		{"status", func(r *registry.Registry, rec registry.Record) error {
			got, err := r.SetStatus(k.ctx(), registry.Change{Credential: rec.Credential, To: status.Revoked, Reason: "other", By: "operator"}, k.at)
			k.same("record", []any{got.State, got.Learner}, []any{registry.Erased, ""})
			return err
		}},
		{"read", func(r *registry.Registry, rec registry.Record) error {
			_, err := r.SealedBytes(k.ctx(), rec.Seq)
			k.want(err, registry.ErrNotFound)
			return nil
		}},
		{"complete", func(r *registry.Registry, rec registry.Record) error {
			k.want(r.Complete(k.ctx(), []registry.Sealing{{Seq: rec.Seq, Sealed: sealedBytes(rec)}}, k.at), registry.ErrConflict)
			return nil
		}},
		{"extend", func(r *registry.Registry, rec registry.Record) error {
			k.want(r.Extend(k.ctx(), []registry.Extension{{Seq: rec.Seq, Before: rec.Digest, Sealed: append(sealedBytes(rec), '!'), Level: registry.LevelT}}, k.at), registry.ErrConflict)
			return nil
		}},
	} {
		for _, back := range []bool{false, true} {
			in := intent(1)
			in.Edition = fmt.Sprint("edition ", n, back)
			rec := k.seal(in)[0]
			b := &between{Backend: k.backend, before: func() {
				k.erase(in.Learner, 1)
				if back {
					k.must(k.PutLearners(k.ctx(), []registry.Learner{learner(1)}, k.at))
				}
			}}
			if err := step.do(unlocked(b), rec); err != nil {
				k.Errorf("%s, back %v: %v", step.name, back, err)
			}
		}
	}
}

// R2
func erasedInTheMidst(k *kit) {
	was := learner(1)
	changed := was
	changed.Email = "other@example.org"
	for _, step := range []struct {
		name string
		do   func(*registry.Registry) error
		want map[string]registry.Learner
	}{
		{"reserving", func(r *registry.Registry) error {
			_, err := r.Reserve(k.ctx(), []registry.Intent{intent(1)}, k.at)
			return err
		}, map[string]registry.Learner{}},
		{"storing", func(r *registry.Registry) error {
			return r.PutLearners(k.ctx(), []registry.Learner{changed}, k.at)
		}, map[string]registry.Learner{was.Ref: changed}},
	} {
		k.must(k.PutLearners(k.ctx(), []registry.Learner{was}, k.at))
		salts := k.salts()
		b := &between{Backend: k.backend, then: func() { k.erase(was.Ref, 0) }}
		k.must(step.do(unlocked(b)))
		known, err := k.Learners(k.ctx(), []string{was.Ref})
		k.must(err)
		k.same(step.name, known, step.want)
		for salt := range k.salts() {
			if salts[salt] {
				k.Errorf("%s: the salt that was to be forgotten is back", step.name)
			}
		}
		if rec, err := k.Find(k.ctx(), registry.Key{Seq: 1}); err == nil && rec.State == registry.Reserved {
			k.must(k.Complete(k.ctx(), []registry.Sealing{{Seq: rec.Seq, Sealed: sealedBytes(rec)}}, k.at))
			k.erase(was.Ref, 1)
		}
	}
}

// salts are those of all people.
func (k *kit) salts() map[[registry.SaltSize]byte]bool {
	k.Helper()
	out := map[[registry.SaltSize]byte]bool{}
	source, ok := k.backend.(registry.Source)
	if !ok {
		k.Skip("this backend hands nothing out")
	}
	entries, err := source.Export(k.ctx(), "people", nil, 1000)
	k.must(err)
	for _, e := range entries {
		out[e.Person.Salt] = true
	}
	return out
}

func sharedContent(k *kit) {
	shared := []byte(strings.Repeat("what all of a module have: ", 400))
	var sealings []registry.Sealing
	var want [][]byte
	for n := range 8 {
		in := intent(n)
		in.Body, in.Shared = fmt.Append(slices.Clone(shared), "body ", n), shared
		r := k.reserve(in)[0]
		k.same("body", k.find(r.Seq).Body, in.Body)
		want = append(want, fmt.Append(nil, "name ", n, string(shared), n))
		sealings = append(sealings, registry.Sealing{Seq: r.Seq, Sealed: want[n], Shared: shared})
	}
	// Given in two parts, of which the first lies in one place; and one whose like
	// is unknown.
	for n := 2; n < 6; n++ {
		begins := len("name ")
		if n == 5 {
			begins = len(want[n])
		}
		sealings[n].Begins, sealings[n].Sealed = want[2][:begins:begins], want[n][begins:]
		if n == 5 {
			sealings[n].Begins = want[n]
		}
	}
	sealings[7].Shared = nil
	k.must(k.Complete(k.ctx(), sealings, k.at))
	for n, s := range sealings {
		got, err := k.SealedBytes(k.ctx(), s.Seq)
		k.must(err)
		k.same("sealed", got, want[n])
	}
	r := k.find(sealings[0].Seq)
	longer := append(slices.Clone(want[0]), "proof of time"...)
	k.must(k.Extend(k.ctx(), []registry.Extension{{Seq: r.Seq, Before: r.Digest, Sealed: longer, Level: registry.LevelT}}, k.at))
	k.same("extended", k.bytes(r.Seq), string(longer))
}

func findLearners(k *kit) {
	people := []registry.Learner{
		{Ref: "1", GivenName: "Ñusta", FamilyName: "D'Ávila Rossi"},
		{Ref: "2", GivenName: "Maria", FamilyName: "ROSSINI"},
		{Ref: "3", GivenName: "Rosa Maria", FamilyName: "Bianchi"},
		{Ref: "4", GivenName: "Bo", FamilyName: "Li"},
		{Ref: "5", GivenName: "Дарья", FamilyName: "Straße"},
		{Ref: "6", GivenName: "Ros", FamilyName: "Rossi"},
	}
	k.must(k.PutLearners(k.ctx(), people, k.at))
	for name, want := range map[string]string{
		"rossi": "126", "ROSS": "126", "ros": "1236", "rossini": "2", "maria": "23", "bia ros": "3", "rosa bianchi": "3", "nusta": "1", "avila": "1",
		"дарья": "5", "STRASSE": "5", "mar xyz": "", "ros ros": "6", "ros rossi ross": "", "d'avila rossi": "1", "zzz": "",
	} {
		var refs []string
		for after, last := "", false; !last; last = after == "" {
			found, next, err := k.FindLearners(k.ctx(), name, after, 2)
			k.must(err)
			if after = next; len(found) > 2 || len(refs) > 10 {
				k.Fatalf("%q: %d on a page", name, len(found))
			}
			for _, l := range found {
				refs = append(refs, l.Ref)
			}
		}
		slices.Sort(refs)
		k.same(name, strings.Join(refs, ""), want)
	}
	for _, name := range []string{"", "  ", "li", "b o l i", "\x00abc", "abc\xff", strings.Repeat("a", 600)} {
		_, _, err := k.FindLearners(k.ctx(), name, "", 2)
		k.want(err, registry.ErrInvalid)
	}
	people[1].FamilyName = "Verdi"
	k.must(k.PutLearners(k.ctx(), people[1:2], k.at))
	found, _, err := k.FindLearners(k.ctx(), "rossini", "", 5)
	k.must(err)
	k.same("by a former name", len(found), 0)
}

// K4
func otherKey(k *kit) {
	k.must(k.Unlock(k.ctx(), k.at))
	k.must(k.Unlock(k.ctx(), k.at))
	k.must(k.PutLearners(k.ctx(), []registry.Learner{learner(1)}, k.at))
	rec := k.seal(intent(1))[0]
	for _, key := range []string{"another key of the suite", ""} {
		other := registry.New(k.backend, registry.Config{ClaimKey: []byte("a key of the conformance suite"), DataKey: []byte(key)})
		k.want(other.Unlock(k.ctx(), k.at), registry.ErrInvalid)
		if b, err := other.SealedBytes(k.ctx(), rec.Seq); err == nil {
			k.Errorf("with another key: %q", b)
		}
		if known, _ := other.Learners(k.ctx(), []string{rec.Learner}); len(known) > 0 {
			k.Errorf("with another key: %v", known)
		}
	}
}
