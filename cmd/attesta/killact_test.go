package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/registry"
	"attesta/status"
)

// TestKillDuringAnAct kills the server in the midst of a large act, at moments
// spread over it. No record is half told, the same act again does the rest, and
// what two people approved the next start carries out by itself (B1, S5).
func TestKillDuringAnAct(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short was asked for")
	}
	const n, rounds = 6000, 6
	dir := t.TempDir()
	if err := copyFixtures(dir); err != nil {
		t.Fatal(err)
	}
	attesta(t, dir, "import", "--provider", "provider_national_school.json")
	halfway := 0
	for round := range rounds {
		edition, approved := fmt.Sprint("e", round), round%2 == 1
		opened(t, dir, func(a *app) {
			sealMany(t, a, edition, n)
			if approved {
				putFourEyes(t, a, &credentials.FourEyes{})
			}
		})
		server := serving(t, dir)
		q := statusRequest{Module: "SN-11", Edition: edition, To: "suspended", Reason: "under-review", By: "Ada"}
		number := uint64(0)
		if approved {
			answer, err := server.SetStatus(t.Context(), q, nil)
			if err != nil || answer.Proposal == nil {
				t.Fatalf("%+v, %v", answer, err)
			}
			number = answer.Proposal.Number
		}
		ended := make(chan error, 1)
		go func() {
			var err error
			if approved {
				_, err = server.Proposals(context.Background(), proposalRequest{Number: number, Decision: "approve", By: "Bruno"}, nil)
			} else {
				_, err = server.SetStatus(context.Background(), q, nil)
			}
			ended <- err
		}()
		time.Sleep(time.Duration((0.1 + spread(round)) * float64(250*time.Millisecond)))
		server.kill(t)
		cut := <-ended != nil
		var before uint64
		opened(t, dir, func(a *app) {
			before = suspended(t, a, edition)
			if err := a.registry.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
		if cut && before > 0 && before < n {
			halfway++
		}
		server = serving(t, dir)
		if !approved {
			answer, err := server.SetStatus(t.Context(), q, nil)
			if err != nil || answer.Tally != (registry.Tally{Changed: n - before, Already: before}) {
				t.Errorf("round %d, after %d: %+v, %v", round, before, answer.Tally, err)
			}
		}
		server.kill(t)
		opened(t, dir, func(a *app) {
			is := suspended(t, a, edition)
			if !approved {
				if is != n {
					t.Errorf("round %d: %d of %d", round, is, n)
				}
				return
			}
			p, err := a.registry.Proposal(t.Context(), number)
			if err != nil || (is == n) != (p.State == registry.ProposalDone) || p.State == registry.ProposalOpen != (is == 0) {
				t.Errorf("round %d: %d of %d, and the proposal is %+v, %v", round, is, n, p, err)
			}
			putFourEyes(t, a, nil)
		})
	}
	if t.Logf("figures: %d acts over %d credentials killed, %d of them half-way; nothing half told, all finished", rounds, n, halfway); halfway == 0 {
		t.Error("no kill met an act half-way")
	}
}

// sealMany puts records into a registry whose bytes nobody reads.
func sealMany(t *testing.T, a *app, edition string, n int) {
	t.Helper()
	for from := 0; from < n; from += 500 {
		var intents []registry.Intent
		for i := range 500 {
			intents = append(intents, registry.Intent{
				Provider: "iss-scuola", Learner: fmt.Sprint("L", from+i), Module: "SN-11", Version: "1", Edition: edition, Body: []byte("b"),
			})
		}
		got, err := a.registry.Reserve(t.Context(), intents, a.now())
		if err != nil {
			t.Fatal(err)
		}
		sealings := make([]registry.Sealing, len(got))
		for i, g := range got {
			sealings[i] = registry.Sealing{Seq: g.Record.Seq, Sealed: []byte("s"), SealKey: "0123456789abcdef"}
		}
		if err := a.registry.Complete(t.Context(), sealings, a.now()); err != nil {
			t.Fatal(err)
		}
	}
}

func putFourEyes(t *testing.T, a *app, eyes *credentials.FourEyes) {
	t.Helper()
	all, err := local{a}.providers(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(len(all), err)
	}
	all[0].FourEyes = eyes
	if _, err := a.issuer.AddProviders(t.Context(), all); err != nil {
		t.Fatal(err)
	}
}

// suspended counts what an edition has, and holds the list to the records.
func suspended(t *testing.T, a *app, edition string) (n uint64) {
	t.Helper()
	lists := map[string]map[uint32]status.Value{}
	for before := uint64(0); ; {
		page, err := a.registry.Select(t.Context(), registry.Selection{Module: "SN-11", Edition: edition}, before, registry.MaxChanges)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return n
		}
		for _, r := range page {
			if before = r.Seq; lists[r.List] == nil {
				l, err := a.registry.List(t.Context(), r.List)
				if err != nil {
					t.Fatal(err)
				}
				lists[r.List] = map[uint32]status.Value{}
				for _, e := range l.Entries {
					lists[r.List][e.Index] = e.Value
				}
			}
			if lists[r.List][r.Index] != r.Status {
				t.Errorf("record %d is %v and its list says %v", r.Seq, r.Status, lists[r.List][r.Index])
			}
			if r.Status == status.Suspended {
				n++
			}
		}
	}
}
