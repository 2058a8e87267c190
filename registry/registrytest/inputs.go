package registrytest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"attesta/registry"
	"attesta/status"
)

func inputPromises() []promise {
	return []promise{
		{"a cancelled context leaves nothing", cancelled},
		{"references that a store might mangle are refused and leave nothing", badReferences},
		{"other input out of bounds is refused and leaves nothing", badInput},
		{"references of full length are kept", longReferences},
		{"extensions out of bounds are refused and leave nothing", badExtensions},
	}
}

func cancelled(k *kit) {
	r := k.seal(intent(1))[0]
	session, err := k.Grant(k.ctx(), registry.Session, "Ada", time.Hour, k.at)
	k.must(err)
	before := k.events()
	ctx, cancel := context.WithCancel(k.ctx())
	cancel()
	open := k.reserve(intent(2))[0]
	before = append(before, k.events()[len(before):]...)
	for i, call := range []func() error{
		func() error { _, err := k.Reserve(ctx, intents(7, 9), k.at); return err },
		func() error { return k.Complete(ctx, []registry.Sealing{{Seq: open.Seq, Sealed: []byte("x")}}, k.at) },
		func() error { return k.Extend(ctx, []registry.Extension{extension(r, registry.LevelT)}, k.at) },
		func() error { _, err := k.AtLevel(ctx, registry.LevelB, 0, 1); return err },
		func() error { _, err := k.SetStatus(ctx, change(r, status.Revoked), k.at); return err },
		func() error { return k.PutProviders(ctx, []registry.Provider{{ID: "p", Spec: []byte("x")}}, k.at) },
		func() error { return k.PutModules(ctx, []registry.Module{module("1", "x")}, k.at) },
		func() error { return k.PutLearners(ctx, []registry.Learner{{Ref: "1"}}, k.at) },
		func() error { _, err := k.Grant(ctx, registry.Session, "Ada", time.Hour, k.at); return err },
		func() error { _, err := k.Redeem(ctx, registry.Session, session, k.at); return err },
		func() error { return k.Leave(ctx, session) },
		func() error { _, err := k.Enter(ctx, registry.Session, session, k.at); return err },
		func() error { _, err := k.Find(ctx, registry.Key{Seq: 1}); return err },
		func() error { _, err := k.ByHandle(ctx, "x"); return err },
		func() error { _, err := k.SealedBytes(ctx, 1); return err },
		func() error { _, err := k.Records(ctx, registry.Query{Limit: 1}); return err },
		func() error { _, err := k.Unfinished(ctx, 0, 1); return err },
		func() error { _, err := k.List(ctx, r.List); return err },
		func() error { _, err := k.Houses(ctx); return err },
		func() error { _, err := k.Lists(ctx, "", 1); return err },
		func() error { _, err := k.Counts(ctx, ""); return err },
		func() error { _, err := k.Editions(ctx, "p", "", 1); return err },
		func() error { _, err := k.Events(ctx, 0, 1); return err },
		func() error { _, err := k.Provider(ctx, "p"); return err },
		func() error { _, err := k.Providers(ctx, "", 1); return err },
		func() error { _, err := k.Module(ctx, "p"); return err },
		func() error { _, err := k.Modules(ctx, "", "", 1); return err },
		func() error { _, err := k.Learners(ctx, []string{"1"}); return err },
		func() error { return k.Check(ctx) },
	} {
		if err := call(); err == nil {
			k.Errorf("call %d went through", i)
		} else {
			k.want(err, context.Canceled)
		}
	}
	k.same("events", k.events(), before)
	k.same("sealed record", k.find(r.Seq), r)
	k.same("reserved record", k.find(open.Seq), open)
	_, err = k.Enter(k.ctx(), registry.Session, session, k.at)
	k.must(err)
}

// refuse checks that calls are ErrInvalid and leave no event.
func (k *kit) refuse(calls map[string]func() error) {
	k.Helper()
	before := len(k.events())
	for name, call := range calls {
		if err := call(); err == nil {
			k.Errorf("%s was accepted", name)
		} else {
			k.want(err, registry.ErrInvalid)
		}
	}
	k.same("events", len(k.events()), before)
}

func badReferences(k *kit) {
	for _, bad := range []string{
		"", "\x00", "a\x00b", "\xff", "a\xc3", "\xed\xa0\x80", "a\nb", "\t", "\x7f", "a\u0085", "a\u202eb", "a\u200bb",
		"\u2028", "\ufeff", strings.Repeat("a", 129), strings.Repeat("é", 65),
	} {
		calls := map[string]func() error{
			"provider": func() error {
				return k.PutProviders(k.ctx(), []registry.Provider{{ID: bad, Spec: []byte("x")}}, k.at)
			},
			"learner": func() error { return k.PutLearners(k.ctx(), []registry.Learner{{Ref: bad}}, k.at) },
			"access": func() error {
				_, err := k.Grant(k.ctx(), registry.Session, bad, time.Hour, k.at)
				return err
			},
			"editions": func() error { _, err := k.Editions(k.ctx(), bad, "", 1); return err },
		}
		for i := range 5 {
			calls[fmt.Sprint("intent ", i)] = func() error {
				in := intent(1)
				*[]*string{&in.Provider, &in.Learner, &in.Module, &in.Version, &in.Edition}[i] = bad
				_, err := k.Reserve(k.ctx(), []registry.Intent{intent(2), in}, k.at)
				return err
			}
		}
		for i := range 3 {
			calls[fmt.Sprint("module ", i)] = func() error {
				m := module("1", "x")
				*[]*string{&m.Provider, &m.Code, &m.Version}[i] = bad
				return k.PutModules(k.ctx(), []registry.Module{module("2", "x"), m}, k.at)
			}
		}
		k.refuse(calls)
		if bad == "" {
			continue
		}
		k.refuse(map[string]func() error{
			"facts": func() error {
				in := intent(1)
				in.Facts.Score = bad
				_, err := k.Reserve(k.ctx(), []registry.Intent{in}, k.at)
				return err
			},
			"query": func() error { _, err := k.Records(k.ctx(), registry.Query{Module: bad, Limit: 1}); return err },
			"count": func() error { _, err := k.Counts(k.ctx(), bad); return err },
			"after": func() error { _, err := k.Providers(k.ctx(), bad, 1); return err },
			"lists": func() error { _, err := k.Lists(k.ctx(), bad, 1); return err },
		})
	}
	for _, bad := range []string{"\x00", "a\nb", "\xff", strings.Repeat("a", 513)} {
		k.refuse(map[string]func() error{
			"name": func() error {
				return k.PutLearners(k.ctx(), []registry.Learner{{Ref: "1", FamilyName: bad}}, k.at)
			},
		})
	}
}

func badInput(k *kit) {
	r := k.seal(intent(1))[0]
	reserve := func(change func(*registry.Intent), at time.Time) func() error {
		return func() error {
			in := intent(5)
			change(&in)
			_, err := k.Reserve(k.ctx(), []registry.Intent{intent(6), in}, at)
			return err
		}
	}
	calls := map[string]func() error{
		"nil body":     reserve(func(in *registry.Intent) { in.Body = nil }, k.at),
		"empty body":   reserve(func(in *registry.Intent) { in.Body = []byte{} }, k.at),
		"huge body":    reserve(func(in *registry.Intent) { in.Body = make([]byte, registry.MaxBytes+1) }, k.at),
		"zero time":    reserve(func(*registry.Intent) {}, time.Time{}),
		"far time":     reserve(func(*registry.Intent) {}, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)),
		"empty sealed": func() error { return k.Complete(k.ctx(), []registry.Sealing{{Seq: 1, Sealed: []byte{}}}, k.at) },
		"nil sealed":   func() error { return k.Complete(k.ctx(), []registry.Sealing{{Seq: 1}}, k.at) },
		"sealed in two": func() error {
			half := make([]byte, registry.MaxBytes/2+1)
			return k.Complete(k.ctx(), []registry.Sealing{{Seq: 1, Begins: half, Sealed: half}}, k.at)
		},
		"sealed at": func() error {
			return k.Complete(k.ctx(), []registry.Sealing{{Seq: 1, Sealed: []byte("x")}}, time.Time{})
		},
		"empty spec":    func() error { return k.PutProviders(k.ctx(), []registry.Provider{{ID: "p", Spec: []byte{}}}, k.at) },
		"module spec":   func() error { return k.PutModules(k.ctx(), []registry.Module{module("1", "")}, k.at) },
		"learners at":   func() error { return k.PutLearners(k.ctx(), []registry.Learner{{Ref: "1"}}, time.Time{}) },
		"no life":       func() error { _, err := k.Grant(k.ctx(), registry.Session, "a", 0, k.at); return err },
		"endless":       func() error { _, err := k.Grant(k.ctx(), registry.Session, "a", 1<<62, k.at); return err },
		"kind of door":  func() error { _, err := k.Grant(k.ctx(), "back", "a", time.Hour, k.at); return err },
		"edition after": func() error { _, err := k.Editions(k.ctx(), "p", "no-slash", 1); return err },
	}
	for _, limit := range []int{-1, 0, 501} {
		calls[fmt.Sprint("records ", limit)] = func() error { _, err := k.Records(k.ctx(), registry.Query{Limit: limit}); return err }
		calls[fmt.Sprint("unfinished ", limit)] = func() error { _, err := k.Unfinished(k.ctx(), 0, limit); return err }
		calls[fmt.Sprint("events ", limit)] = func() error { _, err := k.Events(k.ctx(), 0, limit); return err }
		calls[fmt.Sprint("editions ", limit)] = func() error { _, err := k.Editions(k.ctx(), "p", "", limit); return err }
		calls[fmt.Sprint("providers ", limit)] = func() error { _, err := k.Providers(k.ctx(), "", limit); return err }
		calls[fmt.Sprint("lists ", limit)] = func() error { _, err := k.Lists(k.ctx(), "", limit); return err }
		calls[fmt.Sprint("modules ", limit)] = func() error { _, err := k.Modules(k.ctx(), "", "", limit); return err }
	}
	for name, edit := range map[string]func(*registry.Change){
		"no such status": func(c *registry.Change) { c.To = 3 },
		"no reason":      func(c *registry.Change) { c.Reason = "" },
		"free reason":    func(c *registry.Change) { c.Reason = "because" },
		"nobody asks":    func(c *registry.Change) { c.By = "" },
	} {
		calls[name] = func() error {
			c := change(r, status.Revoked)
			edit(&c)
			_, err := k.SetStatus(k.ctx(), c, k.at)
			return err
		}
	}
	k.refuse(calls)
	k.same("record", k.find(r.Seq), r)
	k.same("records", len(k.all(registry.Query{}, 10)), 1)
}

func longReferences(k *kit) {
	long := strings.Repeat("é", 64)
	in := intent(1)
	in.Provider, in.Learner, in.Module, in.Version, in.Edition = long, long, long, long, long
	in.Facts = registry.Facts{CompletedOn: long, Attendance: long, Score: long}
	r := k.seal(in)[0]
	k.same("records", seqs(k.all(registry.Query{Provider: long, Module: long, Edition: long}, 5)), []uint64{r.Seq})
	editions, err := k.Editions(k.ctx(), long, "", 5)
	k.must(err)
	k.same("editions", len(editions), 1)
	k.must(k.PutModules(k.ctx(), []registry.Module{{Code: long, Version: long, Provider: long, Spec: []byte("x")}}, k.at))
	modules, err := k.Modules(k.ctx(), long, "", 5)
	k.must(err)
	k.same("modules", len(modules), 1)
}

func badExtensions(k *kit) {
	recs := k.seal(intents(0, 2)...)
	call := func(at time.Time, edit func(*registry.Extension)) func() error {
		return func() error {
			x := extension(recs[1], registry.LevelT)
			edit(&x)
			return k.Extend(k.ctx(), []registry.Extension{extension(recs[0], registry.LevelT), x}, at)
		}
	}
	calls := map[string]func() error{
		"zero time":     call(time.Time{}, func(*registry.Extension) {}),
		"far time":      call(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), func(*registry.Extension) {}),
		"nil bytes":     call(k.at, func(x *registry.Extension) { x.Sealed = nil }),
		"empty bytes":   call(k.at, func(x *registry.Extension) { x.Sealed = []byte{} }),
		"huge bytes":    call(k.at, func(x *registry.Extension) { x.Sealed = make([]byte, registry.MaxBytes+1) }),
		"no such level": call(k.at, func(x *registry.Extension) { x.Level = registry.LevelLTA + 1 }),
		"last level":    call(k.at, func(x *registry.Extension) { x.Level = 255 }),
		"page of no level": func() error {
			_, err := k.AtLevel(k.ctx(), registry.LevelLTA+1, 0, 1)
			return err
		},
	}
	for _, bad := range []string{
		"0", "\x00", "\xff", recs[1].Digest[1:], recs[1].Digest + "0", recs[1].Digest + "\x00", " " + recs[1].Digest[1:],
		strings.ToUpper(recs[1].Digest), strings.Repeat("g", 64), strings.Repeat("é", 32), strings.Repeat("/", 64),
	} {
		if bad == recs[1].Digest { // a digest without letters
			continue
		}
		calls[fmt.Sprintf("before %q", bad)] = call(k.at, func(x *registry.Extension) { x.Before = bad })
	}
	for _, limit := range []int{-1, 0, registry.MaxLimit + 1} {
		calls[fmt.Sprint("limit ", limit)] = func() error { _, err := k.AtLevel(k.ctx(), registry.LevelB, 0, limit); return err }
	}
	k.refuse(calls)
	for _, r := range recs {
		k.same("record", k.find(r.Seq), r)
	}
}
