package registrytest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"attesta/registry"
	"attesta/status"
)

func extendPromises() []promise {
	return []promise{
		{"extending changes bytes, digest and level and nothing else", extendReplaces},
		{"extended bytes come back byte for byte, grown or shrunk", extendExact},
		{"extending again with the same bytes changes nothing", extendAgain},
		{"extending what changed meanwhile is a conflict and does nothing", extendChanged},
		{"extending what does not exist is not found and does nothing", extendUnknown},
		{"only a sealed record can be extended", extendUnsealed},
		{"a level never falls and may stay", levelsRise},
		{"one record twice in a call is extended once or not at all", extendTwice},
		{"an extended record works as before", extendedWorks},
		{"each extension is one event that says the level", extendEvents},
	}
}

func levels() []registry.Level {
	return []registry.Level{registry.LevelB, registry.LevelT, registry.LevelLT, registry.LevelLTA}
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// extension is the next seal of a record as it is now.
func extension(r registry.Record, l registry.Level) registry.Extension {
	return registry.Extension{Seq: r.Seq, Before: r.Digest, Sealed: fmt.Appendf(nil, "sealed %d, %v after %s", r.Seq, l, r.Digest), Level: l}
}

// extend extends and reads again.
func (k *kit) extend(r registry.Record, l registry.Level) registry.Record {
	k.Helper()
	k.must(k.Extend(k.ctx(), []registry.Extension{extension(r, l)}, k.at))
	return k.find(r.Seq)
}

func (k *kit) bytes(seq uint64) string {
	k.Helper()
	b, err := k.SealedBytes(k.ctx(), seq)
	k.must(err)
	return string(b)
}

// atLevel reads every record of a level, limit at a time.
func (k *kit) atLevel(l registry.Level, limit int) []registry.Record {
	k.Helper()
	var out []registry.Record
	for after := uint64(0); ; {
		page, err := k.AtLevel(k.ctx(), l, after, limit)
		k.must(err)
		if !k.more(len(page), limit) {
			return out
		}
		out = append(out, page...)
		after = page[len(page)-1].Seq
	}
}

// where tells which levels list a record.
func (k *kit) where(seq uint64) []registry.Level {
	k.Helper()
	var out []registry.Level
	for _, l := range levels() {
		if slices.Contains(seqs(k.atLevel(l, 500)), seq) {
			out = append(out, l)
		}
	}
	return out
}

func extendReplaces(k *kit) {
	recs := k.seal(intents(0, 5)...)
	k.set(recs[1], status.Suspended)
	for i := range recs {
		recs[i] = k.find(recs[i].Seq)
		k.same("level once sealed", recs[i].Level, registry.LevelB)
	}
	list, counts := k.list(recs[1].List), k.counts()
	k.at = k.at.Add(time.Hour)
	a, b := extension(recs[3], registry.LevelLT), extension(recs[1], registry.LevelT)
	k.must(k.Extend(k.ctx(), []registry.Extension{a, b}, k.at))
	recs[3].Digest, recs[3].Level = digest(a.Sealed), registry.LevelLT
	recs[1].Digest, recs[1].Level = digest(b.Sealed), registry.LevelT
	slices.Reverse(recs)
	k.same("records", k.all(registry.Query{}, 2), recs)
	for _, r := range recs {
		k.same("record", k.find(r.Seq), r)
		k.same("levels it is at", k.where(r.Seq), []registry.Level{r.Level})
	}
	k.same("bytes of the first", k.bytes(a.Seq), string(a.Sealed))
	k.same("bytes of the second", k.bytes(b.Seq), string(b.Sealed))
	k.same("bytes of another", k.bytes(recs[0].Seq), string(sealedBytes(recs[0])))
	k.same("list", k.list(list.ID), list)
	k.same("counts", k.counts(), counts)
	a.Sealed[0] = '!' // the registry keeps its own copy
	k.same("bytes after the caller changed theirs", k.bytes(a.Seq)[:1], "s")
}

func (k *kit) counts() registry.Counts {
	k.Helper()
	c, err := k.Counts(k.ctx(), "")
	k.must(err)
	return c
}

func extendExact(k *kit) {
	noise := make([]byte, 400_000)
	src := rand.NewChaCha8([32]byte{2})
	_, _ = src.Read(noise)
	r := k.seal(intent(1), intent(2), intent(3))[1]
	for i, doc := range [][]byte{
		noise,
		{0},
		bytes.Repeat([]byte("all alike "), 30_000),
		noise[:20_000],
		[]byte(strings.Repeat(hex.EncodeToString(noise[:1000]), 40)),
		[]byte("{}"),
		{0xff, 0xfe, 0, '\r', '\n', 0xc3},
	} {
		x := registry.Extension{Seq: r.Seq, Before: k.find(r.Seq).Digest, Sealed: doc, Level: registry.LevelLTA}
		k.must(k.Extend(k.ctx(), []registry.Extension{x}, k.at))
		if got := k.bytes(r.Seq); got != string(doc) {
			k.Errorf("document %d of %d bytes came back as %d other bytes", i, len(doc), len(got))
		}
		k.same("digest", k.find(r.Seq).Digest, digest(doc))
		for _, seq := range []uint64{r.Seq - 1, r.Seq + 1} {
			k.same("bytes beside it", k.bytes(seq), fmt.Sprint("sealed ", seq))
		}
	}
}

func extendAgain(k *kit) {
	was := k.seal(intent(1))[0]
	other := k.seal(intent(2))[0]
	x := extension(was, registry.LevelT)
	is := k.extend(was, registry.LevelT)
	events := len(k.events())
	k.at = k.at.Add(time.Hour)
	now := x
	now.Before = is.Digest
	none := x
	none.Before = ""
	for _, again := range []registry.Extension{x, now, none} {
		k.must(k.Extend(k.ctx(), []registry.Extension{again}, k.at))
		k.same("record", k.find(was.Seq), is)
		k.same("events", len(k.events()), events)
	}
	// What was done already does not hinder the rest of the call.
	k.must(k.Extend(k.ctx(), []registry.Extension{x, extension(other, registry.LevelT), x}, k.at))
	k.same("level of the other", k.find(other.Seq).Level, registry.LevelT)
	k.same("events then", len(k.events()), events+1)
	// The same bytes at a level that they did not have are no repetition.
	x.Level = registry.LevelLT
	k.want(k.Extend(k.ctx(), []registry.Extension{x}, k.at), registry.ErrConflict)
	k.same("record", k.find(was.Seq), is)
	now.Level = registry.LevelLT
	k.must(k.Extend(k.ctx(), []registry.Extension{now}, k.at))
	is.Level = registry.LevelLT
	k.same("record at the other level", k.find(was.Seq), is)
	k.same("levels it is at", k.where(was.Seq), []registry.Level{registry.LevelLT})
}

// conflict checks that a call is refused and changes nothing.
func (k *kit) conflict(kind error, x ...registry.Extension) {
	k.Helper()
	before, events := k.all(registry.Query{}, 100), len(k.events())
	err := k.Extend(k.ctx(), x, k.at.Add(time.Hour))
	if err == nil {
		k.Errorf("the call went through")
	}
	k.want(err, kind)
	k.same("records", k.all(registry.Query{}, 100), before)
	k.same("events", len(k.events()), events)
	for _, r := range before {
		if r.State == registry.Sealed {
			k.same("digest of the bytes", digest([]byte(k.bytes(r.Seq))), r.Digest)
			k.same("levels it is at", k.where(r.Seq), []registry.Level{r.Level})
		}
	}
}

func extendChanged(k *kit) {
	recs := k.seal(intents(0, 3)...)
	stale := extension(recs[1], registry.LevelLT)
	k.extend(recs[1], registry.LevelT)
	good, last := extension(recs[0], registry.LevelT), extension(recs[2], registry.LevelLTA)
	k.conflict(registry.ErrConflict, stale)
	k.conflict(registry.ErrConflict, good, last, stale)
	k.conflict(registry.ErrConflict, stale, good, last)
	for _, before := range []string{"", strings.Repeat("0", 64), recs[2].Digest} {
		x := good
		x.Before = before
		k.conflict(registry.ErrConflict, last, x)
	}
	k.must(k.Extend(k.ctx(), []registry.Extension{good, last}, k.at)) // it was not them
}

func extendUnknown(k *kit) {
	recs := k.seal(intents(0, 2)...)
	for _, seq := range []uint64{0, 3, 1<<63 - 1, 1 << 63, ^uint64(0)} {
		x := extension(recs[0], registry.LevelT)
		x.Seq = seq
		k.conflict(registry.ErrNotFound, extension(recs[1], registry.LevelT), x)
	}
}

func extendUnsealed(k *kit) {
	done, open := k.seal(intent(1))[0], k.reserve(intent(2))[0]
	for _, before := range []string{"", digest(open.Body), done.Digest} {
		for _, l := range levels() {
			x := registry.Extension{Seq: open.Seq, Before: before, Sealed: []byte("x"), Level: l}
			k.conflict(registry.ErrConflict, extension(done, registry.LevelT), x)
		}
	}
	k.same("reserved record", k.find(open.Seq), open)
	k.same("levels it is at", len(k.where(open.Seq)), 0)
	k.must(k.Complete(k.ctx(), []registry.Sealing{{Seq: open.Seq, Sealed: sealedBytes(open)}}, k.at))
	k.same("levels once sealed", k.where(open.Seq), []registry.Level{registry.LevelB})
}

func levelsRise(k *kit) {
	n := 0
	for _, from := range levels() {
		for _, to := range levels() {
			n++
			r := k.extend(k.seal(intent(n))[0], from)
			k.same("level", r.Level, from)
			x := extension(r, to)
			if to < from {
				k.conflict(registry.ErrConflict, x)
				x.Sealed = []byte(k.bytes(r.Seq))
				k.conflict(registry.ErrConflict, x) // the same bytes said to be less
				continue
			}
			k.must(k.Extend(k.ctx(), []registry.Extension{x}, k.at))
			r.Digest, r.Level = digest(x.Sealed), to
			k.same("record", k.find(r.Seq), r)
			k.same("bytes", k.bytes(r.Seq), string(x.Sealed))
			k.same("levels it is at", k.where(r.Seq), []registry.Level{to})
		}
	}
}

func extendTwice(k *kit) {
	r := k.seal(intent(1))[0]
	x := extension(r, registry.LevelT)
	bytes, level, before := x, x, x
	bytes.Sealed, level.Level, before.Before = []byte("other"), registry.LevelLT, digest(x.Sealed)
	for _, other := range []registry.Extension{bytes, level, before} {
		k.conflict(registry.ErrConflict, x, other)
		k.conflict(registry.ErrConflict, other, x)
	}
	k.must(k.Extend(k.ctx(), []registry.Extension{x, x, x}, k.at))
	k.same("level", k.find(r.Seq).Level, registry.LevelT)
	k.same("events", len(k.events()), 3)
}

func extendedWorks(k *kit) {
	first := k.seal(intent(1))[0]
	r := k.extend(k.extend(first, registry.LevelT), registry.LevelLT)
	doc := k.bytes(r.Seq)
	for name, find := range map[string]func() (registry.Record, error){
		"handle":     func() (registry.Record, error) { return k.ByHandle(k.ctx(), r.Handle) },
		"credential": func() (registry.Record, error) { return k.ByCredential(k.ctx(), r.Credential) },
		"claim":      func() (registry.Record, error) { return k.ByClaim(k.ctx(), k.ClaimToken(r.Credential)) },
	} {
		got, err := find()
		k.must(err)
		k.same("by "+name, got, r)
	}
	again, err := k.Reserve(k.ctx(), []registry.Intent{intent(1)}, k.at)
	k.must(err)
	k.same("reserved again", again[0], registry.Reservation{Record: r, Existing: true})
	k.want(k.Complete(k.ctx(), []registry.Sealing{{Seq: r.Seq, Sealed: sealedBytes(first)}}, k.at), registry.ErrConflict)
	k.must(k.Complete(k.ctx(), []registry.Sealing{{Seq: r.Seq, Sealed: []byte(doc)}}, k.at.Add(time.Hour)))
	k.same("record after sealing again", k.find(r.Seq), r)
	for _, to := range []status.Value{status.Suspended, status.Valid, status.Revoked} {
		r.Status, r.Reason, r.StatusAt = to, "other", k.at
		k.same("record with another status", k.set(r, to), r)
		k.same("entry", entryOf(k.list(r.List), r.Index), to)
		k.same("levels it is at", k.where(r.Seq), []registry.Level{registry.LevelLT})
	}
	x := extension(r, registry.LevelLTA) // the status is no matter of the seal
	k.must(k.Extend(k.ctx(), []registry.Extension{x}, k.at))
	r.Digest, r.Level = digest(x.Sealed), registry.LevelLTA
	k.same("revoked record, extended", k.find(r.Seq), r)
	k.same("entry", entryOf(k.list(r.List), r.Index), status.Revoked)
}

// R1
func extendEvents(k *kit) {
	recs := k.seal(intents(0, 2)...)
	n := len(k.events())
	k.at = k.at.Add(time.Hour)
	var want []registry.Event
	for i, l := range append(levels(), registry.LevelLTA) {
		var x []registry.Extension
		for _, r := range []registry.Record{k.find(recs[1].Seq), k.find(recs[0].Seq)} {
			x = append(x, extension(r, l))
			want = append(want, registry.Event{
				Seq: uint64(n + len(want) + 1), At: k.at, Kind: "extend", What: r.Credential,
				Why: []string{"B", "T", "LT", "LTA", "LTA"}[i],
			})
		}
		k.must(k.Extend(k.ctx(), x, k.at.Add(time.Duration(i)*time.Millisecond)))
	}
	k.same("events", k.events()[n:], want)
}
