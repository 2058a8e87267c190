package registrytest

import (
	"bytes"
	"fmt"
	"strings"

	"attesta/registry"
)

// storedPromises are about what a Registry itself would not notice for a while:
// it remembers what is shared, and asks again when somebody was faster.
func storedPromises() []promise {
	return []promise{
		{"what many share is there for who remembers nothing", sharedAfterwards},
		{"what is shared is kept where nothing else is new, and never replaced", sharedAlone},
		{"a person with another salt is a conflict and nothing is stored", otherSalt},
	}
}

func sharedAfterwards(k *kit) {
	shared := []byte(strings.Repeat("what all of a module have: ", 400))
	whole := fmt.Append(bytes.Clone(shared), "body")
	later := func() *registry.Registry {
		return unlocked(k.backend)
	}
	in := intents(1, 5)
	for n, begins := range [][]byte{nil, shared, shared[:9000], whole} { // in one part, and in two
		in[n].Begins, in[n].Body, in[n].Shared = begins, bytes.Clone(whole[len(begins):]), shared
	}
	recs := k.reserve(in...)
	for _, r := range recs {
		got, err := later().Find(k.ctx(), registry.Key{Seq: r.Seq})
		k.must(err)
		k.same("body", got.Body, whole)
	}
	r := recs[0]
	other := fmt.Append([]byte(strings.Repeat("and what all documents have: ", 400)), "sealed")
	k.must(k.Complete(k.ctx(), []registry.Sealing{{Seq: r.Seq, Sealed: other, Shared: other[:9000]}}, k.at))
	b, err := later().SealedBytes(k.ctx(), r.Seq)
	k.must(err)
	k.same("sealed", b, other)
	k.must(later().Check(k.ctx()))
}

// stored is a record as the backend has it, and the intent that would give it.
func (k *kit) stored(seq uint64) (registry.Record, registry.Intent) {
	k.Helper()
	r, err := k.backend.Find(k.ctx(), registry.Key{Seq: seq})
	k.must(err)
	return r, registry.Intent{
		Provider: r.Provider, Learner: r.Learner, Module: r.Module, Version: r.Version, Edition: r.Edition, Body: []byte("body"),
	}
}

// someNames are free for a record of a person.
func someNames(p registry.Person) []registry.Names {
	return []registry.Names{{
		Credential: "urn:credential:00000000-0000-4000-8000-000000000001", Handle: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", ClaimHash: [32]byte{1}, Learner: p,
	}}
}

func sharedAlone(k *kit) {
	rec := k.seal(intent(1))[0]
	was, in := k.stored(rec.Seq)
	before := k.events()
	entry := func(n byte, text string) []registry.SharedEntry {
		return []registry.SharedEntry{{ID: registry.SharedID{n}, Content: []byte(text)}}
	}
	for _, text := range []string{"first", "second"} {
		got, err := k.backend.Reserve(k.ctx(), []registry.Intent{in}, someNames(registry.Person{ID: in.Learner}), entry(1, text), k.at)
		k.must(err)
		k.same("there already", got[0].Existing, true)
		_, data, err := k.backend.Document(k.ctx(), rec.Seq)
		k.must(err)
		k.must(k.backend.Complete(k.ctx(), []registry.Document{{Seq: rec.Seq, Digest: was.Digest, Data: data}}, entry(2, text), k.at))
	}
	for n := range byte(2) {
		content, err := k.backend.Shared(k.ctx(), registry.SharedID{n + 1})
		k.must(err)
		k.same("shared", string(content), "first")
	}
	_, err := k.backend.Shared(k.ctx(), registry.SharedID{3})
	k.want(err, registry.ErrNotFound)
	k.same("record", k.find(rec.Seq), rec)
	k.same("events", k.events(), before)
}

func otherSalt(k *kit) {
	k.must(k.PutLearners(k.ctx(), []registry.Learner{learner(1)}, k.at))
	rec := k.seal(intent(1))[0]
	_, in := k.stored(rec.Seq)
	known, err := k.backend.People(k.ctx(), []string{in.Learner})
	k.must(err)
	was := known[in.Learner]
	other := was
	other.Salt[0]++
	other.Data, other.Tokens = []byte("other"), nil
	fresh := registry.Person{ID: strings.Repeat("Q", 26), Data: []byte("fresh")}
	events, counts := k.events(), k.counts()
	k.want(k.backend.PutPeople(k.ctx(), []registry.Person{fresh, other}, k.at), registry.ErrConflict)
	in.Edition = "another"
	shared := []registry.SharedEntry{{ID: registry.SharedID{1}, Content: []byte("shared")}}
	_, err = k.backend.Reserve(k.ctx(), []registry.Intent{in}, someNames(other), shared, k.at)
	k.want(err, registry.ErrConflict)
	known, err = k.backend.People(k.ctx(), []string{in.Learner, fresh.ID})
	k.must(err)
	k.same("people", known, map[string]registry.Person{was.ID: was})
	_, err = k.backend.Shared(k.ctx(), shared[0].ID)
	k.want(err, registry.ErrNotFound)
	k.same("events", k.events(), events)
	k.same("counts", k.counts(), counts)
	k.same("records", len(k.all(registry.Query{}, 10)), 1)
}
