package registrytest

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"attesta/registry"
)

// Canaries is a learner whose every value stands nowhere else, with two
// credentials, among others who stay.
type Canaries struct {
	Learner registry.Learner
	Words   [][]byte // that must never be read in what a backend keeps
	Traces  [][]byte // of the learner: what must be gone from it after an erasure
	Salt    []byte   // the trace without which nobody can read the others
}

// Plant puts canaries into a registry.
func Plant(t testing.TB, r *registry.Registry, b registry.Backend, at time.Time) Canaries {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	c := Canaries{Learner: registry.Learner{
		Ref: "Zqx-Canary-Ref", GivenName: "Zqx-Canary-Given", FamilyName: "Zqx-Canary-Family", Email: "zqx-canary@example.org",
		Employer: "Zqx-Canary-Employer", Region: "Zqx-Canary-Region", Role: "Zqx-Canary-Role",
		BirthDate: "1987-02-31", NationalID: "ZQXCNR87B31X", NationalCountry: "Zqx-Canary-Country", NationalScheme: "Zqx-Canary-Scheme",
	}}
	learners := []registry.Learner{c.Learner}
	for n := range 300 { // so that the canaries lie among others
		learners = append(learners, registry.Learner{Ref: fmt.Sprint("other ", n), GivenName: "Zqx-Canary-Other", Email: "zqx-canary-other@example.org"})
	}
	must(r.PutLearners(ctx, learners, at))
	shared := bytes.Repeat([]byte("what is shared "), 40)
	for round := range 2 {
		var intents []registry.Intent
		for n := range 100 {
			in := intent(n)
			in.Learner, in.Edition = fmt.Sprint("other ", n), fmt.Sprint("edition ", round)
			if n == 50 {
				in.Learner, in.Facts = c.Learner.Ref, registry.Facts{CompletedOn: "2026-01-02", Attendance: "98.7654", Score: "29.8765"}
			}
			in.Body, in.Shared = append(bytes.Clone(shared), "Zqx-Canary-Body"...), shared
			intents = append(intents, in)
		}
		got, err := r.Reserve(ctx, intents, at)
		must(err)
		var sealings []registry.Sealing
		for _, x := range got {
			sealings = append(sealings, registry.Sealing{Seq: x.Record.Seq, Sealed: append(bytes.Clone(shared), "Zqx-Canary-Sealed "+x.Record.Learner...), Shared: shared})
		}
		must(r.Complete(ctx, sealings, at))
		rec, data, err := b.Document(ctx, got[50].Record.Seq)
		must(err)
		people, err := b.People(ctx, []string{rec.Learner})
		must(err)
		p := people[rec.Learner]
		c.Traces = append(c.Traces, data, rec.Hidden)
		if round == 0 {
			c.Salt = bytes.Clone(p.Salt[:])
			c.Traces = append(c.Traces, c.Salt, p.Data)
		}
	}
	for _, word := range []string{"zqx-canary", "ZQX-CANARY", "Zqx-Canary", "zqxcnr87b31x", "ZQXCNR87B31X", "1987-02-31", "98.7654", "29.8765"} {
		c.Words = append(c.Words, []byte(word))
	}
	return c
}

// Found says which of some bytes stand in others.
func Found(in []byte, all [][]byte) (found []string) {
	for _, b := range all {
		if bytes.Contains(in, b) {
			found = append(found, fmt.Sprintf("%.20q", b))
		}
	}
	return found
}
