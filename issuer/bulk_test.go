package issuer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"attesta/credentials"
	"attesta/intake"
	"attesta/issuer"
	"attesta/registry"
)

// kept is a store that keeps what it was given to seal.
type kept struct {
	registry.Backend
	mu     sync.Mutex
	seals  []registry.Document
	shared []registry.SharedEntry
}

func (k *kept) Complete(ctx context.Context, documents []registry.Document, shared []registry.SharedEntry, at time.Time) error {
	k.mu.Lock()
	k.seals, k.shared = append(k.seals, documents...), append(k.shared, shared...)
	k.mu.Unlock()
	return k.Backend.Complete(ctx, documents, shared, at)
}

// What an answer says of a record is what the registry says of it, at once and
// when it is read again.
func TestTheAnswerIsWhatIsStored(t *testing.T) {
	h := school(t)
	rows := h.completions(t, "completions_tot.csv", intake.ISO)
	for _, round := range []string{"issued", "already_issued"} {
		outcomes := h.issue(t, rows)
		if got := answers(outcomes)[round]; got != 125 {
			t.Fatalf("%d %s", got, round)
		}
		for _, o := range outcomes {
			if o.Record == nil {
				continue
			}
			record, err := h.registry.Find(t.Context(), registry.Key{Seq: o.Record.Seq})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(record, *o.Record); diff != "" {
				t.Fatalf("%s %s: %s", round, o.RowID, diff)
			}
			_, parsed := h.sealed(t, o.Record)
			if v := parsed.View(); v.ID != o.Record.Credential || v.Status[0].Index != fmt.Sprint(o.Record.Index) || v.HolderName == "" || !v.Issued.Equal(o.Record.ReservedAt) {
				t.Errorf("%s: %+v", o.RowID, v)
			}
		}
	}
}

// many is a table of more rows than go in one slice, for as many learners.
func (h *house) many(t *testing.T, n int) []string {
	t.Helper()
	people := make([]registry.Learner, n)
	lines := make([]string, n)
	for k := range people {
		people[k] = registry.Learner{Ref: fmt.Sprintf("M-%04d", k), GivenName: "Ada", FamilyName: fmt.Sprintf("Prova%04d", k)}
		lines[k] = fmt.Sprintf("R%d,M-%04d,SN-11,SN-11/2026/M,2026-05-29,100,passed,", k, k)
	}
	if _, err := h.AddLearners(t.Context(), people, false); err != nil {
		t.Fatal(err)
	}
	return lines
}

// Slices are on their way at the same time, and give the answers that they would
// give one after the other: of the same award in several, the first is issued.
func TestTheSameAwardInSeveralSlices(t *testing.T) {
	h := school(t)
	lines := h.many(t, 1001)
	lines = append(lines, lines...)
	lines = append(lines, "R2,M-0002,SN-11,SN-11/2026/N,2026-05-29,100,passed,", "R3,M-0003,SN-11,SN-11/2026/M,2026-05-28,100,passed,")
	store := &kept{Backend: h.store.Backend}
	h.store.Backend = store
	outcomes := h.issue(t, h.row(t, lines...))
	for k, o := range outcomes {
		want, warned := "issued", 0
		switch {
		case k == 2003:
			want = "refused duplicate_of_existing"
		case k == 2002:
			warned = 1 // of the edition before
		case k >= 1001:
			want = "already_issued"
		}
		if got := strings.TrimSpace(string(o.Answer) + " " + o.Reason); got != want {
			t.Errorf("row %d: %s, want %s", k, got, want)
		}
		if o.Answer != issuer.Refused && len(o.Findings) != warned {
			t.Errorf("row %d: %v", k, o.Findings)
		}
		if want == "already_issued" && (o.Record.State != registry.Sealed || o.Record.Credential != outcomes[k-1001].Record.Credential) {
			t.Errorf("row %d: %+v", k, o.Record)
		}
	}
	if c := h.counts(t); c.Sealed != 1002 || c.Reserved != 0 || len(store.seals) != 1002 {
		t.Errorf("%+v, %d seals made", c, len(store.seals))
	}
}

// An error in one slice leaves the slices before it acknowledged, and those after
// it at most reserved; the same rows again finish the work.
func TestAnErrorInALaterSlice(t *testing.T) {
	h := school(t)
	rows := h.row(t, h.many(t, 2500)...)
	store := &failsLater{Backend: h.store.Backend, left: 2}
	h.store.Backend = store
	outcomes, err := h.Issue(t.Context(), rows)
	if err == nil || len(outcomes) != 2000 || answers(outcomes)["issued"] != 2000 {
		t.Fatalf("%v, %v", answers(outcomes), err)
	}
	if c := h.counts(t); c.Sealed != 2000 {
		t.Errorf("%+v", c)
	}
	store.left = 100
	again := h.issue(t, rows)
	if got := answers(again); got["already_issued"] != 2000 || got["issued"] != 500 {
		t.Errorf("%v", got)
	}
	if c := h.counts(t); c.Sealed != 2500 || c.Reserved != 0 {
		t.Errorf("%+v", c)
	}
	h.places(t)
}

// Who has the registry alone takes more in one step.
func TestAloneTakesLongerSlices(t *testing.T) {
	for alone, want := range map[bool]int{false: 3, true: 2} {
		h := school(t)
		rows := h.row(t, h.many(t, 2500)...)
		store := &failsLater{Backend: h.store.Backend, left: 100}
		h.store.Backend, h.Alone = store, alone
		if got := answers(h.issue(t, rows)); got["issued"] != 2500 || 100-store.left != want {
			t.Errorf("alone %v: %v in %d steps, want %d", alone, got, 100-store.left, want)
		}
	}
}

// failsLater is a store whose Complete fails after so many.
type failsLater struct {
	registry.Backend
	left int
}

func (f *failsLater) Complete(ctx context.Context, documents []registry.Document, shared []registry.SharedEntry, at time.Time) error {
	if f.left--; f.left < 0 {
		return errDisk
	}
	return f.Backend.Complete(ctx, documents, shared, at)
}

// What the records of a module share is stored once for all of them, and each
// adds little to it.
func TestWhatRecordsShare(t *testing.T) {
	h := school(t)
	store := &kept{Backend: h.store.Backend}
	h.store.Backend = store
	h.issue(t, h.completions(t, "completions_tot.csv", intake.ISO))
	for _, d := range store.seals {
		if len(d.Data) > 500 {
			t.Errorf("record %d takes %d bytes", d.Seq, len(d.Data))
		}
	}
	if len(store.seals) != 125 || len(store.shared) != 9 {
		t.Errorf("%d records share %d texts, want 125 and 9", len(store.seals), len(store.shared))
	}
}

// A stack is like no other credential: it is sealed by itself, from what was
// intended when it was reserved.
func TestAStackIsSealedByItself(t *testing.T) {
	h := school(t)
	provider, err := h.registry.Provider(t.Context(), "iss-scuola")
	if err != nil {
		t.Fatal(err)
	}
	module, err := h.registry.Module(t.Context(), "SN-11")
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{
		"provider": json.RawMessage(provider.Spec), "module": json.RawMessage(module.Spec),
		"learner": credentials.Learner{Ref: "TOT25-001", GivenName: "Ada", FamilyName: "Esempio"},
		"edition": "SN-11/2026/X", "completed_on": "2026-05-29", "house": "DM:IT-iss-scuola",
		"parts": []credentials.Part{{Credential: "urn:credential:1", Module: "SN-01", Title: credentials.Text{"it": "Primo", "en": "First"}, CompletedOn: "2026-05-01"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.registry.Reserve(t.Context(), []registry.Intent{{
		Provider: "iss-scuola", Learner: "TOT25-001", Module: "SN-11", Version: module.Version, Edition: "SN-11/2026/X", Body: body,
		House: registry.House{Sealer: "iss-scuola", LegalID: "DM:IT-iss-scuola"},
	}}, h.clock.now()); err != nil {
		t.Fatal(err)
	}
	if n, err := h.Resume(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d finished, %v", n, err)
	}
	record, err := h.registry.Find(t.Context(), registry.Key{Seq: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, parsed := h.sealed(t, &record); len(parsed.View().Parts) != 1 {
		t.Errorf("%+v", parsed.View().Parts)
	}
}

// breaks is a store that panics when it is to complete, and counts what is
// reserved.
type breaks struct {
	registry.Backend
	reserved atomic.Int64
}

func (b *breaks) Reserve(ctx context.Context, intents []registry.Intent, names []registry.Names, shared []registry.SharedEntry, at time.Time) ([]registry.Reservation, error) {
	b.reserved.Add(1)
	return b.Backend.Reserve(ctx, intents, names, shared, at)
}

func (b *breaks) Complete(context.Context, []registry.Document, []registry.SharedEntry, time.Time) error {
	panic("the store breaks")
}

// A fault of the program in another goroutine is an error, not the end of a server.
func TestAFaultWhileReserving(t *testing.T) {
	h := school(t)
	rows := h.completions(t, "completions_tot.csv", intake.ISO)
	h.Admit = func(context.Context) error { panic("a fault of the program") }
	outcomes, err := h.Issue(t.Context(), rows)
	if err == nil || !strings.Contains(err.Error(), "a fault of the program") || len(outcomes) != 0 {
		t.Errorf("%d outcomes, %v", len(outcomes), err)
	}
	h.Admit = nil
	if got := answers(h.issue(t, rows)); got["issued"] != 125 {
		t.Errorf("then: %v", got)
	}
}

// So is one on another core.
func TestAFaultWhileSealing(t *testing.T) {
	h := school(t)
	rows := h.completions(t, "completions_tot.csv", intake.ISO)
	good := h.Issuer
	h.Issuer = h.newIssuer(t, func(credentials.Provider, credentials.Module, string) ([]byte, error) {
		panic("a fault of the program")
	})
	outcomes, err := h.Issue(t.Context(), rows)
	if err == nil || !strings.Contains(err.Error(), "a fault of the program") || len(outcomes) != 0 {
		t.Errorf("%d outcomes, %v", len(outcomes), err)
	}
	h.Issuer = good
	if got := answers(h.issue(t, rows)); got["issued"] != 125 {
		t.Errorf("then: %v", got)
	}
}

// A panic that who serves requests catches leaves nothing on its way behind it.
func TestNothingIsOnItsWayAfterAPanic(t *testing.T) {
	h := school(t)
	rows := h.row(t, h.many(t, 4500)...)
	store := &breaks{Backend: h.store.Backend}
	h.store.Backend = store
	before := runtime.NumGoroutine()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("nothing broke")
			}
		}()
		_, _ = h.Issue(t.Context(), rows)
	}()
	for begun := time.Now(); runtime.NumGoroutine() > before && time.Since(begun) < 10*time.Second; {
		time.Sleep(10 * time.Millisecond)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, %d before, after %d slices", after, before, store.reserved.Load())
	}
}
