package registrytest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"

	"attesta/registry"
	"attesta/status"
)

func ledgerPromises() []promise {
	return []promise{
		{"a reservation is the intent with unguessable names and a place in a list", reserveGivesRecords},
		{"reserving again returns the first record", reserveAgain},
		{"a contradicting row leaves the first facts", contradictionKept},
		{"an award twice in one call is reserved once", duplicatesInOneCall},
		{"no choice of names joins two awards", namesDoNotJoin},
		{"sealed bytes come back byte for byte", sealedBytesExact},
		{"sealing drops the body and keeps the digest", sealingDropsBody},
		{"sealing again with the same bytes changes nothing", sealAgain},
		{"sealing with other bytes is a conflict and does nothing", sealOther},
		{"sealing what was never reserved is not found and does nothing", sealUnknown},
		{"nothing sealed is served before it is sealed", sealedTooEarly},
		{"every key finds its record and no other text does", keysFind},
		{"what was returned can be changed without changing the registry", resultsAreCopies},
		{"times come back in UTC and whole seconds", timesTruncated},
		{"each change is one event and no event holds personal data", eventsComplete},
		{"a call about nothing does nothing", emptyCalls},
	}
}

func reserveGivesRecords(k *kit) {
	in := intents(0, 50)
	handle := regexp.MustCompile(`^[A-Z2-7]{26}$`)
	urn := regexp.MustCompile(`^urn:credential:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	got, err := k.Reserve(k.ctx(), in, k.at)
	k.must(err)
	for i, r := range got {
		rec := r.Record
		if r.Existing {
			k.Errorf("record %d is said to exist", rec.Seq)
		}
		if !handle.MatchString(rec.Handle) || !urn.MatchString(rec.Credential) || !handle.MatchString(rec.List) {
			k.Errorf("names of record %d: %q %q %q", rec.Seq, rec.Handle, rec.Credential, rec.List)
		}
		for _, name := range []string{rec.Handle, rec.Credential, k.ClaimToken(rec.Credential)} {
			if seen[name] {
				k.Errorf("name %q occurs twice", name)
			}
			seen[name] = true
		}
		k.same("record", rec, registry.Record{
			Seq: uint64(i + 1), Credential: rec.Credential, Handle: rec.Handle, List: rec.List, Index: rec.Index,
			Provider: in[i].Provider, Learner: in[i].Learner, Module: in[i].Module, Version: in[i].Version,
			Edition: in[i].Edition, Facts: in[i].Facts, State: registry.Reserved, ReservedAt: k.at,
		})
		rec.Body = in[i].Body
		k.same("record read again", k.find(rec.Seq), rec)
		if rec.Index >= registry.ListSize || k.list(rec.List).Provider != "prov-1" {
			k.Errorf("record %d has place %d in list %s", rec.Seq, rec.Index, rec.List)
		}
	}
}

func reserveAgain(k *kit) {
	first := k.reserve(intents(0, 3)...)
	k.seal(intent(1))
	events := len(k.events())
	again := intents(0, 4)
	again[0].Body, again[0].Version, again[0].Provider = []byte("other"), "2.0", "prov-2"
	k.at = k.at.Add(time.Hour)
	got, err := k.Reserve(k.ctx(), again, k.at)
	k.must(err)
	for i, r := range got {
		if r.Existing != (i < 3) {
			k.Errorf("intent %d: Existing is %v", i, r.Existing)
		}
	}
	k.same("reserved record", got[0].Record, first[0])
	k.same("sealed record", got[1].Record, k.find(first[1].Seq))
	if n := len(k.events()) - events; n != 1 {
		k.Errorf("%d events for one new record", n)
	}
}

func contradictionKept(k *kit) {
	first := k.reserve(intent(1))[0]
	other := intent(1)
	other.Facts = registry.Facts{CompletedOn: "2026-02-28", Score: "30"}
	got, err := k.Reserve(k.ctx(), []registry.Intent{other}, k.at)
	k.must(err)
	if !got[0].Existing {
		k.Error("the contradicting row is said to be new")
	}
	k.same("facts", got[0].Record.Facts, first.Facts)
	k.same("facts read again", k.find(first.Seq).Facts, first.Facts)
}

func duplicatesInOneCall(k *kit) {
	twin := intent(1)
	twin.Body, twin.Facts = []byte("later"), registry.Facts{Score: "18"}
	got, err := k.Reserve(k.ctx(), []registry.Intent{intent(1), intent(2), twin, twin}, k.at)
	k.must(err)
	for i, existing := range []bool{false, false, true, true} {
		if got[i].Existing != existing {
			k.Errorf("intent %d: Existing is %v", i, got[i].Existing)
		}
	}
	k.same("third", got[2].Record, got[0].Record)
	k.same("fourth", got[3].Record, got[0].Record)
	if n := len(k.all(registry.Query{}, 10)); n != 2 {
		k.Errorf("%d records, want 2", n)
	}
}

// Whatever separator a store might put between names, and in whatever order:
// a-b c d, a b-c d and a b c-d are three awards. So are names that differ in
// case, blanks or composition.
func namesDoNotJoin(k *kit) {
	awards := [][3]string{{"x", "y", "z"}, {"X", "y", "z"}, {"x ", "y", "z"}, {" x", "y", "z"}, {"é", "y", "z"}, {"e\u0301", "y", "z"}}
	for _, sep := range []string{"", "/", "|", ":", ";", ",", ".", "-", "_", " ", "#", "\\", "\"", "%00"} {
		for _, p := range [][3]string{{"a" + sep + "b", "c", "d"}, {"a", "b" + sep + "c", "d"}, {"a", "b", "c" + sep + "d"}} {
			awards = append(awards, p, [3]string{p[0], p[2], p[1]}, [3]string{p[1], p[0], p[2]},
				[3]string{p[1], p[2], p[0]}, [3]string{p[2], p[0], p[1]}, [3]string{p[2], p[1], p[0]})
		}
	}
	var in []registry.Intent
	for _, a := range awards {
		one := intent(0)
		one.Learner, one.Module, one.Edition = a[0], a[1], a[2]
		in = append(in, one)
	}
	got, err := k.Reserve(k.ctx(), in, k.at)
	k.must(err)
	for i, r := range got {
		if r.Existing || r.Record.Learner != in[i].Learner || r.Record.Module != in[i].Module || r.Record.Edition != in[i].Edition {
			k.Errorf("%q %q %q met another award", in[i].Learner, in[i].Module, in[i].Edition)
		}
	}
}

func sealedBytesExact(k *kit) {
	noise := make([]byte, 60_000)
	src := rand.NewChaCha8([32]byte{1})
	_, _ = src.Read(noise)
	for i, doc := range [][]byte{
		{0},
		[]byte("{}"),
		bytes.Repeat([]byte("all alike "), 10_000),
		[]byte(strings.Repeat(hex.EncodeToString(noise[:1000]), 20)),
		noise,
		{0xff, 0xfe, 0, '\r', '\n', 0xc3},
	} {
		r := k.reserve(intent(i))[0]
		k.must(k.Complete(k.ctx(), []registry.Sealing{{Seq: r.Seq, Sealed: doc}}, k.at))
		got, err := k.SealedBytes(k.ctx(), r.Seq)
		k.must(err)
		if !bytes.Equal(got, doc) {
			k.Errorf("document %d of %d bytes came back as %d other bytes", i, len(doc), len(got))
		}
		sum := sha256.Sum256(doc)
		if d := k.find(r.Seq).Digest; d != hex.EncodeToString(sum[:]) {
			k.Errorf("document %d has digest %q", i, d)
		}
	}
}

func sealingDropsBody(k *kit) {
	was := k.reserve(intent(1))[0]
	doc := sealedBytes(was)
	k.at = k.at.Add(time.Minute)
	k.must(k.Complete(k.ctx(), []registry.Sealing{{Seq: was.Seq, Sealed: doc}}, k.at))
	want := was
	sum := sha256.Sum256(doc)
	want.State, want.Body, want.Digest, want.SealedAt = registry.Sealed, nil, hex.EncodeToString(sum[:]), k.at
	k.same("sealed record", k.find(was.Seq), want)
	left, err := k.Unfinished(k.ctx(), 0, 10)
	k.must(err)
	k.same("unfinished", len(left), 0)
}

func sealAgain(k *kit) {
	r := k.seal(intent(1))[0]
	events := len(k.events())
	k.at = k.at.Add(time.Hour)
	s := registry.Sealing{Seq: r.Seq, Sealed: sealedBytes(r)}
	k.must(k.Complete(k.ctx(), []registry.Sealing{s, s}, k.at))
	k.same("record", k.find(r.Seq), r)
	k.same("events", len(k.events()), events)
}

func sealOther(k *kit) {
	done := k.seal(intent(1))[0]
	open := k.reserve(intent(2), intent(3))
	err := k.Complete(k.ctx(), []registry.Sealing{
		{Seq: open[0].Seq, Sealed: []byte("fine")}, {Seq: done.Seq, Sealed: []byte("other bytes")},
	}, k.at)
	k.want(err, registry.ErrConflict)
	err = k.Complete(k.ctx(), []registry.Sealing{
		{Seq: open[1].Seq, Sealed: []byte("one")}, {Seq: open[1].Seq, Sealed: []byte("two")},
	}, k.at)
	k.want(err, registry.ErrConflict)
	k.same("sealed record", k.find(done.Seq), done)
	k.same("first reserved record", k.find(open[0].Seq), open[0])
	k.same("second reserved record", k.find(open[1].Seq), open[1])
	got, err := k.SealedBytes(k.ctx(), done.Seq)
	k.must(err)
	k.same("sealed bytes", string(got), string(sealedBytes(done)))
}

func sealUnknown(k *kit) {
	open := k.reserve(intent(1))[0]
	for _, seq := range []uint64{0, open.Seq + 1, 1 << 63, ^uint64(0)} {
		err := k.Complete(k.ctx(), []registry.Sealing{{Seq: open.Seq, Sealed: []byte("x")}, {Seq: seq, Sealed: []byte("x")}}, k.at)
		k.want(err, registry.ErrNotFound)
	}
	k.same("reserved record", k.find(open.Seq), open)
}

func sealedTooEarly(k *kit) {
	r := k.reserve(intent(1))[0]
	for _, seq := range []uint64{0, r.Seq, r.Seq + 1, ^uint64(0)} {
		_, err := k.SealedBytes(k.ctx(), seq)
		k.want(err, registry.ErrNotFound)
	}
}

func keysFind(k *kit) {
	recs := append(k.seal(intent(1)), k.reserve(intent(2))...)
	for _, r := range recs {
		token := k.ClaimToken(r.Credential)
		if token != k.ClaimToken(r.Credential) || len(token) != 26 {
			k.Errorf("claim token %q is not the same each time", token)
		}
		for name, find := range map[string]func() (registry.Record, error){
			"seq":        func() (registry.Record, error) { return k.Find(k.ctx(), registry.Key{Seq: r.Seq}) },
			"handle":     func() (registry.Record, error) { return k.ByHandle(k.ctx(), r.Handle) },
			"credential": func() (registry.Record, error) { return k.ByCredential(k.ctx(), r.Credential) },
			"claim":      func() (registry.Record, error) { return k.ByClaim(k.ctx(), token) },
		} {
			got, err := find()
			k.must(err)
			k.same("by "+name, got, r)
		}
		// One kind of name opens nothing of another kind.
		for _, text := range []string{
			"", strings.ToLower(r.Handle), r.Handle + " ", r.Handle[:25], "AAAAAAAAAAAAAAAAAAAAAAAAAA", "%", "\x00", "\xff",
			strings.ToUpper(r.Credential), r.List,
		} {
			_, err := k.ByHandle(k.ctx(), text)
			k.want(err, registry.ErrNotFound)
			_, err = k.ByClaim(k.ctx(), text)
			k.want(err, registry.ErrNotFound)
			_, err = k.ByCredential(k.ctx(), text)
			k.want(err, registry.ErrNotFound)
		}
		_, err := k.ByHandle(k.ctx(), token)
		k.want(err, registry.ErrNotFound)
		_, err = k.ByClaim(k.ctx(), r.Handle)
		k.want(err, registry.ErrNotFound)
		_, err = k.Find(k.ctx(), registry.Key{Seq: r.Seq, Handle: r.Handle})
		k.want(err, registry.ErrInvalid)
	}
	_, err := k.Find(k.ctx(), registry.Key{})
	k.want(err, registry.ErrInvalid)
	_, err = k.Find(k.ctx(), registry.Key{Seq: 99})
	k.want(err, registry.ErrNotFound)
}

func resultsAreCopies(k *kit) {
	in := intent(1)
	r := k.reserve(in)[0]
	in.Body[0], r.Body[1] = '!', '!'
	again := k.find(r.Seq)
	k.same("body", string(again.Body), "body of 1")
	doc := []byte("sealed")
	k.must(k.Complete(k.ctx(), []registry.Sealing{{Seq: r.Seq, Sealed: doc}}, k.at))
	doc[0] = '!'
	got, err := k.SealedBytes(k.ctx(), r.Seq)
	k.must(err)
	got[1] = '!'
	got, err = k.SealedBytes(k.ctx(), r.Seq)
	k.must(err)
	k.same("sealed bytes", string(got), "sealed")
}

func timesTruncated(k *kit) {
	utc := k.at
	k.at = utc.Add(999_999_999 * time.Nanosecond).In(time.FixedZone("elsewhere", 5*3600+1800))
	r := k.set(k.seal(intent(1))[0], status.Revoked)
	secret, err := k.Grant(k.ctx(), registry.Session, "operator", 1500*time.Millisecond, k.at)
	k.must(err)
	a, err := k.Enter(k.ctx(), registry.Session, secret, k.at)
	k.must(err)
	times := []time.Time{r.ReservedAt, r.SealedAt, r.StatusAt, a.Expires.Add(-time.Second)}
	for _, ev := range k.events() {
		times = append(times, ev.At)
	}
	for i, got := range times {
		if got != utc { // the same location too
			k.Errorf("time %d came back as %v, want %v", i, got, utc)
		}
	}
	unsealed := k.reserve(intent(2))[0]
	if !unsealed.SealedAt.IsZero() || !unsealed.StatusAt.IsZero() || !k.find(unsealed.Seq).StatusAt.IsZero() {
		k.Error("a time that is not set did not come back as the zero time")
	}
}

// R1
func eventsComplete(k *kit) {
	k.must(k.PutProviders(k.ctx(), []registry.Provider{{ID: "prov-1", Spec: []byte("{}")}}, k.at))
	k.must(k.PutModules(k.ctx(), []registry.Module{{Code: "MOD-1", Version: "1.0", Provider: "prov-1", Spec: []byte("{}")}}, k.at))
	person := registry.Learner{Ref: "L-0001", GivenName: "Zqx-Canary", FamilyName: "Ñandù", Email: "canary@example.org"}
	k.must(k.PutLearners(k.ctx(), []registry.Learner{person}, k.at))
	r := k.seal(intent(1))[0]
	k.set(r, status.Suspended)
	k.set(r, status.Valid)
	k.set(r, status.Revoked)
	secret, err := k.Grant(k.ctx(), registry.SignIn, "operator", time.Hour, k.at)
	k.must(err)
	_, err = k.Redeem(k.ctx(), registry.SignIn, secret, k.at)
	k.must(err)
	secret, err = k.Grant(k.ctx(), registry.Session, "operator", time.Hour, k.at)
	k.must(err)
	k.must(k.Leave(k.ctx(), secret))
	want := []string{
		"provider", "module", "learners", "reserve", "seal", "suspend", "reinstate", "revoke",
		"access", "access", "access", "access",
	}
	events := k.events()
	for i, ev := range events {
		if i >= len(want) || ev.Kind != want[i] || ev.Seq != uint64(i+1) || ev.At != k.at {
			k.Errorf("event %d is %+v", i+1, ev)
		}
		for _, text := range []string{ev.What, ev.By, ev.Why} {
			for _, secret := range []string{"Canary", "Ñandù", "L-0001", "@", secret, k.ClaimToken(r.Credential)} {
				if strings.Contains(text, secret) {
					k.Errorf("event %d tells %q", ev.Seq, secret)
				}
			}
		}
		if i >= 3 && i <= 7 && ev.What != r.Credential {
			k.Errorf("event %d is about %q", ev.Seq, ev.What)
		}
		if i >= 5 && i <= 7 && (ev.By != "operator" || ev.Why != "other") {
			k.Errorf("event %d is by %q for %q", ev.Seq, ev.By, ev.Why)
		}
	}
	if len(events) != len(want) {
		k.Errorf("%d events, want %d", len(events), len(want))
	}
}

func emptyCalls(k *kit) {
	got, err := k.Reserve(k.ctx(), nil, k.at)
	k.must(err)
	k.same("reservations", len(got), 0)
	k.must(k.Complete(k.ctx(), nil, k.at))
	k.must(k.Extend(k.ctx(), nil, k.at))
	k.must(k.PutProviders(k.ctx(), nil, k.at))
	k.must(k.PutModules(k.ctx(), nil, k.at))
	k.must(k.PutLearners(k.ctx(), nil, k.at))
	people, err := k.Learners(k.ctx(), nil)
	k.must(err)
	k.same("learners", len(people), 0)
	k.same("events", len(k.events()), 0)
	c, err := k.Counts(k.ctx(), "")
	k.must(err)
	k.same("counts", c, registry.Counts{})
}
