package registrytest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"attesta/registry"
	"attesta/status"
)

func racePromises() []promise {
	return []promise{
		{"many who reserve one award at once get one record", reserveRace},
		{"eight writers never get one position twice", positionRace},
		{"many who seal one record at once agree on its bytes", sealRace},
		{"revoked stays revoked whoever reinstates meanwhile", revokeRace},
		{"a list is a consistent picture while it changes", publishRace},
		{"of many who redeem one secret exactly one succeeds", redeemRace},
		{"of many who extend one record at once exactly one succeeds", extendRace},
		{"extending and changing the status at once lose nothing", extendStatusRace},
		{"a reader meets the bytes before or those after", extendReadRace},
		{"who follows the log and the unfinished records misses nothing", followRace},
	}
}

// B6, S8
func reserveRace(k *kit) {
	const n = 24
	seqs, fresh := make([]uint64, n), make([]bool, n)
	for _, err := range together(n, func(i int) error {
		in := intents(0, 5)
		if i%2 == 1 { // in the other order, so that locks taken row by row would cross
			in[0], in[1], in[3], in[4] = in[4], in[3], in[1], in[0]
		}
		got, err := k.Reserve(k.ctx(), in, k.at)
		if err == nil {
			seqs[i], fresh[i] = got[2].Record.Seq, !got[2].Existing
		}
		return err
	}) {
		k.must(err)
	}
	news := 0
	for i := range seqs {
		if seqs[i] != seqs[0] {
			k.Errorf("caller %d got record %d and caller 0 record %d", i, seqs[i], seqs[0])
		}
		if fresh[i] {
			news++
		}
	}
	k.same("callers told that the record is new", news, 1)
	k.same("records", len(k.all(registry.Query{}, 100)), 5)
	k.same("events", len(k.events()), 5)
}

// S8, S9
func positionRace(k *kit) {
	const writers, each = 8, 60
	for _, err := range together(writers, func(i int) error {
		for n := range each / 4 {
			in := intents(i*each+n*4, i*each+n*4+4)
			in[3].Provider = "prov-2"
			if _, err := k.Reserve(k.ctx(), in, k.at); err != nil {
				return err
			}
		}
		return nil
	}) {
		k.must(err)
	}
	type place struct {
		list  string
		index uint32
	}
	owner, neighbours := map[place]string{}, 0
	lists := map[string]string{}
	var last registry.Record
	for _, r := range k.all(registry.Query{}, 50) {
		if o, ok := owner[place{r.List, r.Index}]; ok {
			k.Errorf("%s and %s share position %d", o, r.Credential, r.Index)
		}
		owner[place{r.List, r.Index}] = r.Credential
		if p, ok := lists[r.List]; ok && p != r.Provider {
			k.Errorf("providers %s and %s share list %s", p, r.Provider, r.List)
		}
		lists[r.List] = r.Provider
		if r.Index == last.Index+1 || r.Index+1 == last.Index {
			neighbours++
		}
		last = r
	}
	k.same("positions", len(owner), writers*each)
	k.same("lists", len(lists), 2)
	if neighbours > 5 {
		k.Errorf("%d of %d records stand beside the one reserved before", neighbours, writers*each)
	}
}

func sealRace(k *kit) {
	r := k.reserve(intent(1))[0]
	docs := []string{"one", "two"}
	won := make([]bool, 16)
	for i, err := range together(len(won), func(i int) error {
		return k.Complete(k.ctx(), []registry.Sealing{{Seq: r.Seq, Sealed: []byte(docs[i%2])}}, k.at)
	}) {
		won[i] = err == nil
		if err != nil {
			k.want(err, registry.ErrConflict)
		}
	}
	got, err := k.SealedBytes(k.ctx(), r.Seq)
	k.must(err)
	for i := range won {
		if won[i] != (string(got) == docs[i%2]) {
			k.Errorf("caller %d: success %v, and the registry holds %q", i, won[i], got)
		}
	}
	k.same("events", len(k.events()), 2)
}

// B6: linearisable, the last state wins, each event once.
func revokeRace(k *kit) {
	for round := range 12 {
		r := k.set(k.seal(intent(round))[0], status.Suspended)
		version, events := k.list(r.List).Version, len(k.events())
		to := []status.Value{status.Revoked, status.Valid, status.Suspended, status.Valid, status.Revoked, status.Suspended}
		for i, err := range together(len(to), func(i int) error {
			got, err := k.SetStatus(k.ctx(), change(r, to[i]), k.at)
			if err == nil && got.Status != to[i] {
				return fmt.Errorf("asked for %v, got %v", to[i], got.Status)
			}
			return err
		}) {
			if err != nil && (to[i] == status.Revoked || !errors.Is(err, registry.ErrConflict)) {
				k.Errorf("changing to %v: %v", to[i], err)
			}
		}
		if got := k.find(r.Seq).Status; got != status.Revoked {
			k.Fatalf("round %d: status is %v", round, got)
		}
		_, err := k.SetStatus(k.ctx(), change(r, status.Valid), k.at)
		k.want(err, registry.ErrConflict)
		l := k.list(r.List)
		k.same("entries", len(l.Entries), round+1)
		k.same("entry", entryOf(l, r.Index), status.Revoked)
		changes := k.events()[events:]
		k.same("growth of the version and number of events", l.Version-version, uint64(len(changes)))
		if changes[len(changes)-1].Kind != "revoke" {
			k.Errorf("the last event is %s", changes[len(changes)-1].Kind)
		}
	}
}

func entryOf(l registry.StatusList, index uint32) status.Value {
	for _, e := range l.Entries {
		if e.Index == index {
			return e.Value
		}
	}
	return status.Valid
}

// B6: two records of a pair change one after the other, so a picture of the
// list shows both or the first alone; and one version has one picture.
func publishRace(k *kit) {
	recs := k.seal(intents(0, 20)...)
	k.seal(intent(99))
	done := make(chan struct{})
	errs := together(4, func(i int) error {
		if i == 0 {
			defer close(done)
			for _, r := range recs {
				if _, err := k.SetStatus(k.ctx(), change(r, status.Revoked), k.at); err != nil {
					return err
				}
			}
			return nil
		}
		var last uint64
		for {
			l, err := k.List(k.ctx(), recs[0].List)
			if err != nil {
				return err
			}
			if l.Version < last || uint64(len(l.Entries)) != l.Version {
				return fmt.Errorf("version %d after %d has %d entries", l.Version, last, len(l.Entries))
			}
			for n, r := range recs {
				if (entryOf(l, r.Index) == status.Revoked) != (n < len(l.Entries)) {
					return fmt.Errorf("version %d: record %d out of order", l.Version, n)
				}
			}
			last = l.Version
			select {
			case <-done:
				return nil
			case <-time.After(time.Millisecond):
			}
		}
	})
	for _, err := range errs {
		k.must(err)
	}
}

// B6
func redeemRace(k *kit) {
	const n = 16
	for round := range 6 { // in the first, connections of a store may still be made one after the other
		secret, err := k.Grant(k.ctx(), registry.SignIn, "operator", time.Hour, k.at)
		k.must(err)
		won := 0
		for _, err := range together(n, func(int) error {
			a, err := k.Redeem(k.ctx(), registry.SignIn, secret, k.at)
			if err == nil && (a.By != "operator" || a.Kind != registry.SignIn) {
				return fmt.Errorf("the secret opens %+v", a)
			}
			return err
		}) {
			if err == nil {
				won++
				continue
			}
			k.want(err, registry.ErrNotFound)
		}
		k.same("callers who succeeded", won, 1)
		_, err = k.Enter(k.ctx(), registry.SignIn, secret, k.at)
		k.want(err, registry.ErrNotFound)
		k.same("events", len(k.events()), 2*(round+1))
	}
}

// B6
func extendRace(k *kit) {
	for round := range 8 {
		pair := k.seal(intent(2*round), intent(2*round+1))
		events := len(k.events())
		const n = 12
		won, doc := -1, func(i int) string { return fmt.Sprintf("round %d, by %d", round, i) }
		for i, err := range together(n, func(i int) error {
			x := make([]registry.Extension, 2)
			for j := range x {
				r := pair[(i+j)%2] // half in the other order, so that locks taken row by row would cross
				x[j] = registry.Extension{Seq: r.Seq, Before: r.Digest, Sealed: []byte(doc(i)), Level: levels()[i%4]}
			}
			return k.Extend(k.ctx(), x, k.at)
		}) {
			switch {
			case err != nil:
				k.want(err, registry.ErrConflict)
			case won >= 0:
				k.Errorf("callers %d and %d both succeeded", won, i)
			default:
				won = i
			}
		}
		if won < 0 {
			k.Fatal("nobody succeeded")
		}
		for _, r := range pair {
			k.same("bytes", k.bytes(r.Seq), doc(won))
			r.Digest, r.Level = digest([]byte(doc(won))), levels()[won%4]
			k.same("record", k.find(r.Seq), r)
			k.same("levels it is at", k.where(r.Seq), []registry.Level{r.Level})
		}
		k.same("events", len(k.events()), events+2)
	}
}

// B6
func extendStatusRace(k *kit) {
	for round := range 12 {
		r := k.seal(intent(round))[0]
		x := extension(r, registry.LevelT)
		for _, err := range together(4, func(i int) error {
			if i%2 == 0 {
				return k.Extend(k.ctx(), []registry.Extension{x}, k.at)
			}
			_, err := k.SetStatus(k.ctx(), change(r, status.Revoked), k.at)
			return err
		}) {
			k.must(err)
		}
		r.Digest, r.Level = digest(x.Sealed), registry.LevelT
		r.Status, r.Reason, r.StatusAt = status.Revoked, "other", k.at
		k.same("record", k.find(r.Seq), r)
		k.same("events", len(k.events()), 4*(round+1))
	}
}

func extendReadRace(k *kit) {
	r := k.seal(intent(1))[0]
	const n = 40
	doc := func(i int) []byte { return bytes.Repeat(fmt.Appendf(nil, "%04d", i), 500) }
	done := make(chan struct{})
	for _, err := range together(4, func(i int) error {
		if i == 0 {
			defer close(done)
			before := r.Digest
			for n := range n {
				x := registry.Extension{Seq: r.Seq, Before: before, Sealed: doc(n), Level: registry.LevelLTA}
				if err := k.Extend(k.ctx(), []registry.Extension{x}, k.at); err != nil {
					return err
				}
				before = digest(x.Sealed)
			}
			return nil
		}
		for last := ""; ; {
			b, err := k.SealedBytes(k.ctx(), r.Seq)
			if err != nil {
				return err
			}
			now := string(b[:min(4, len(b))])
			if now == "seal" {
				now = ""
			} else if string(b) != strings.Repeat(now, 500) {
				return errors.New("the bytes are mixed")
			}
			if now < last {
				return fmt.Errorf("%q came after %q", now, last)
			}
			last = now
			select {
			case <-done:
				return nil
			default: // without a pause, so that an extension falls into the midst of a reading
			}
		}
	}) {
		k.must(err)
	}
	k.same("bytes", k.bytes(r.Seq), string(doc(n-1)))
}

// B6, R1: nothing appears below a number that was read. Steps of several
// lengths end in another order than they began.
func followRace(k *kit) {
	const writers, each = 4, 6
	var left atomic.Int32
	left.Store(writers)
	var events []registry.Event
	seen := map[uint64]bool{}
	follow := func() error {
		after, last := uint64(0), uint64(0)
		for range 100_000 {
			done := left.Load() == 0
			page, err := k.Events(k.ctx(), after, 7)
			if err != nil {
				return err
			}
			events = append(events, page...)
			open, err := k.Unfinished(k.ctx(), last, 7)
			if err != nil {
				return err
			}
			for _, r := range open {
				seen[r.Seq], last = true, r.Seq
			}
			if len(page) > 0 {
				after = page[len(page)-1].Seq
			} else if done && len(open) == 0 {
				return nil
			} else if len(open) == 0 {
				time.Sleep(100 * time.Microsecond)
			}
		}
		return errors.New("the pages never end")
	}
	for _, err := range together(writers+1, func(i int) error {
		if i == writers {
			return follow()
		}
		defer left.Add(-1)
		for n := range each {
			from := (i*each + n) * 50
			in := intents(from, from+[]int{40, 3, 1}[(i+n)%3])
			for j := range in {
				in[j].Provider = fmt.Sprint("prov-", i) // lists of their own: what orders them is the log
			}
			if _, err := k.Reserve(k.ctx(), in, k.at); err != nil {
				return err
			}
		}
		return nil
	}) {
		k.must(err)
	}
	k.same("events met on the way", events, k.events())
	for _, r := range k.all(registry.Query{}, 500) {
		if !seen[r.Seq] {
			k.Errorf("record %d was never met", r.Seq)
		}
	}
}
