package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"attesta/keys"
	"attesta/registry"
	"attesta/status"
	"attesta/timestamp/timestamptest"
)

// kills is how often the server is killed while it works.
const kills = 50

// TestKill kills a server with SIGKILL at moments spread over its life, while
// one command after another issues, another revokes what was issued, one
// extends seals and one rotates keys. After each kill the folder is held to
// what was acknowledged: nothing lost, nothing doubled, no status position
// given twice, every revocation kept (S8, B1, T2).
//
// A kill proves that no step depends on a later one. It proves nothing about
// power cuts, for what the program wrote, the system still has: see TestPowerCut
// in registry/bolt.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short was asked for")
	}
	start := time.Now()
	dir := imported(t)
	authority := timestamptest.New(t, fixedDay)
	attesta(t, dir, "seal", "authority", authority.URL)
	w := &work{rows: awardRows(4000), issued: map[string]string{}, revoked: map[string]bool{}}
	if err := os.WriteFile(filepath.Join(dir, "many.csv"), learnersOf(4000), 0o600); err != nil {
		t.Fatal(err)
	}
	attesta(t, dir, "import", "--learners", "many.csv")
	var slowest time.Duration
	for n := range kills {
		began := time.Now()
		server := serving(t, dir)
		if n > 0 {
			slowest = max(slowest, time.Since(began))
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		for _, task := range []func(context.Context, operator) error{w.issueOn, w.revokeOn, w.extendOn, w.rotateOn} {
			wait.Go(func() {
				for ctx.Err() == nil && task(ctx, server.operator) == nil {
				}
			})
		}
		time.Sleep(time.Duration(spread(n) * float64(400*time.Millisecond)))
		server.kill(t)
		cancel()
		wait.Wait()
		w.hold(t, dir, n%10 == 9)
	}
	// With nobody killing, everything that was ever asked for is there once.
	server := serving(t, dir)
	asked := w.asked
	if err := w.issue(t.Context(), server.operator, 0, asked); err != nil {
		t.Fatal(err)
	}
	server.kill(t)
	if records := w.hold(t, dir, true); records != asked {
		t.Errorf("%d records for %d awards", records, asked)
	}
	t.Logf("figures: %d kills in %.0f s: %d issued, %d revoked, %d rotations acknowledged, %d seals extended, %d calls cut off; 0 lost, 0 doubled, 0 positions given twice; restart at most %d ms",
		kills, time.Since(start).Seconds(), len(w.issued), len(w.revoked), w.rotated, w.extended, w.cut, slowest.Milliseconds())
	if w.extended == 0 || w.rotated == 0 || len(w.revoked) == 0 || w.cut < kills/2 {
		t.Error("the kills did not meet all kinds of work")
	}
}

// work is what commands asked of a server, and what was acknowledged.
type work struct {
	rows     []string
	asked    int               // rows from the first that were ever asked for
	issued   map[string]string // credential by row
	revoked  map[string]bool
	extended int // seals, by a command or by the server itself
	rotated  int
	cut      int // calls that ended without an answer
	mu       sync.Mutex
}

const columns = "row_id,learner_id,module_code,edition,completion_date,attendance_percent,result,score\n"

// awardRows are completions of n learners; the first 25 are those of the fixtures.
func awardRows(n int) []string {
	rows := make([]string, n)
	for k := range rows {
		learner := fmt.Sprintf("MANY-%04d", k)
		if k < 25 {
			learner = fmt.Sprintf("TOT25-%03d", k+1)
		} else if k < 40 {
			learner = fmt.Sprintf("TLK15-%03d", k-24)
		}
		rows[k] = fmt.Sprintf("%d,%s,SN-11,SN-11/2026/K,2026-05-29,100,passed,88\n", k, learner)
	}
	return rows
}

func learnersOf(n int) []byte {
	var csv strings.Builder
	csv.WriteString("learner_id,given_name,family_name,email,preferred_language,organisation,region,role\n")
	for k := range n {
		fmt.Fprintf(&csv, "MANY-%04d,Ada,Prova,ada%d@many.example.org,it,Ente di prova,Lazio,formatore\n", k, k)
	}
	return []byte(csv.String())
}

// issue asks for rows and notes what was acknowledged. The same award gives the
// same credential, whenever it is asked for.
func (w *work) issue(ctx context.Context, o operator, from, to int) error {
	w.mu.Lock()
	w.asked = max(w.asked, to)
	w.mu.Unlock()
	answer, err := o.Issue(ctx, issueRequest{File: namedFile{"rows.csv", []byte(columns + strings.Join(w.rows[from:to], ""))}})
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.cut++
		return err
	}
	for _, row := range answer.Rows {
		if row.Credential == "" {
			return fmt.Errorf("row %s is %s: %s", row.Row, row.Outcome, row.Reason)
		}
		if before := w.issued[row.Row]; before != "" && before != row.Credential {
			return fmt.Errorf("row %s is %s and was %s", row.Row, row.Credential, before)
		}
		w.issued[row.Row] = row.Credential
	}
	return nil
}

func (w *work) issueOn(ctx context.Context, o operator) error {
	w.mu.Lock()
	from := w.asked
	w.mu.Unlock()
	return w.issue(ctx, o, from, min(from+5, len(w.rows)))
}

// revokeOn revokes one of every few that were acknowledged.
func (w *work) revokeOn(ctx context.Context, o operator) error {
	w.mu.Lock()
	credential := ""
	for _, c := range w.issued {
		if !w.revoked[c] && len(w.revoked)*3 < len(w.issued) {
			credential = c
			break
		}
	}
	w.mu.Unlock()
	if credential == "" {
		time.Sleep(time.Millisecond)
		return nil
	}
	_, err := o.SetStatus(ctx, statusRequest{IDs: []string{credential}, To: "revoked", Reason: "other"}, nil)
	return w.note(err, func() { w.revoked[credential] = true })
}

func (w *work) extendOn(ctx context.Context, o operator) error {
	_, err := o.Extend(ctx, extendRequest{Level: registry.LevelT})
	if errors.Is(err, registry.ErrConflict) {
		err = nil // the server itself was faster
	}
	return w.note(err, func() {})
}

func (w *work) rotateOn(ctx context.Context, o operator) error {
	time.Sleep(60 * time.Millisecond)
	_, err := o.ChangeKeys(ctx, keyRequest{Do: "rotate", Provider: "iss-scuola", Purpose: keys.Seal, Overlap: time.Hour})
	return w.note(err, func() { w.rotated++ })
}

func (w *work) note(err error, done func()) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.cut++
		return err
	}
	done()
	return nil
}

// hold opens the folder as the kill left it and compares it with what was
// acknowledged.
func (w *work) hold(t *testing.T, dir string, thoroughly bool) (records int) {
	t.Helper()
	found := map[string]registry.Record{}
	extended := 0
	awards, places := map[string]bool{}, map[string]bool{}
	opened(t, dir, func(a *app) {
		eachRecord(t, a, func(r registry.Record) {
			award, place := r.Learner+" "+r.Module+" "+r.Edition, fmt.Sprint(r.List, " ", r.Index)
			if awards[award] || places[place] {
				t.Errorf("record %d: its award or its position is there twice", r.Seq)
			}
			awards[award], places[place] = true, true
			found[r.Credential] = r
			if r.Level == registry.LevelT {
				extended++
			}
		})
		if thoroughly {
			if err := a.registry.Check(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	if extended < w.extended {
		t.Errorf("%d seals are extended and %d were", extended, w.extended)
	}
	w.extended = extended
	for row, credential := range w.issued {
		if r, ok := found[credential]; !ok || r.State != registry.Sealed {
			t.Errorf("row %s: credential %s was acknowledged and is lost", row, credential)
		}
	}
	for credential := range w.revoked {
		if found[credential].Status != status.Revoked {
			t.Errorf("the revocation of %s was acknowledged and is lost", credential)
		}
	}
	return len(found)
}

func opened(t *testing.T, dir string, look func(*app)) {
	t.Helper()
	a, err := open(context.Background(), &console{err: t.Output(), getenv: func(string) string { return "" }, now: fixedDay}, folder(filepath.Join(dir, "attesta-data")), "")
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	defer a.Close()
	look(a)
}

func eachRecord(t *testing.T, a *app, look func(registry.Record)) {
	t.Helper()
	for before := uint64(0); ; {
		page, err := a.registry.Records(context.Background(), registry.Query{Before: before, Limit: registry.MaxLimit})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return
		}
		for _, r := range page {
			before = r.Seq
			look(r)
		}
	}
}

// served is a server in a process of its own.
type served struct {
	operator
	cmd *exec.Cmd
}

func serving(t *testing.T, dir string) *served {
	t.Helper()
	cmd := exec.Command("attesta", "serve", "--listen", "127.0.0.1:0")
	cmd.Dir = dir
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &served{answering(t, folder(filepath.Join(dir, "attesta-data"))), cmd}
}

// answering waits for the server of a folder.
func answering(t *testing.T, f folder) operator {
	t.Helper()
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(2 * time.Millisecond) {
		if server, ok := dial(t.Context(), f); ok {
			return server
		}
	}
	t.Fatal("the server does not answer")
	return nil
}

func (s *served) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatalf("the server ended by itself: %v", errors.Join(err, s.cmd.Wait()))
	}
	_ = s.cmd.Wait()
}

// spread gives moments between 0 and 1 that lie evenly, however many are asked.
func spread(n int) float64 {
	const golden = 0.6180339887498949
	_, part := math.Modf(float64(n) * golden)
	return part
}

// imported is a folder with the fictional school and nothing issued.
func imported(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := copyFixtures(dir); err != nil {
		t.Fatal(err)
	}
	attesta(t, dir, "import", "--provider", "provider_national_school.json", "--catalogue", "catalogue_national_school.json",
		"--learners", "cohort_tot_25.csv", "--learners", "cohort_toolkit_15.csv")
	return dir
}

func attesta(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("attesta", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("attesta %v: %v\n%s", args, err, out)
	}
}

// audit opens the folder as it is and holds it to the promises. Sealed once
// is sealed for ever: whatever an earlier audit saw must still be there.
func audit(t *testing.T, dir string, acknowledged map[string]bool) (records, sealed int) {
	t.Helper()
	awards, places, now := map[string]bool{}, map[string]bool{}, map[string]bool{}
	opened(t, dir, func(a *app) {
		if err := a.registry.Check(context.Background()); err != nil {
			t.Fatalf("checking: %v", err)
		}
		eachRecord(t, a, func(r registry.Record) {
			award, place := r.Learner+" "+r.Module+" "+r.Edition, fmt.Sprint(r.List, " ", r.Index)
			if places[place] || awards[award] {
				t.Fatalf("record %d has a position or an award that another has", r.Seq)
			}
			places[place], awards[award] = true, true
			if r.State == registry.Sealed {
				now[r.Credential] = true
			}
		})
	})
	for credential := range acknowledged {
		if !now[credential] {
			t.Fatalf("the credential %s was there and is lost", credential)
		}
	}
	for credential := range now {
		acknowledged[credential] = true
	}
	return len(awards), len(now)
}
