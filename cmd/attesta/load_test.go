package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"attesta/registry"
	"attesta/registry/bolt"
)

// TestBackupUnderLoad takes backups for a slow reader while a server issues and
// revokes. Every one restores on an empty machine, whole, with everything that
// was acknowledged before it was begun. A plain copy of the file, read as
// slowly, breaks: the control (T7).
func TestBackupUnderLoad(t *testing.T) {
	dir := imported(t)
	if err := os.WriteFile(filepath.Join(dir, "many.csv"), learnersOf(2000), 0o600); err != nil {
		t.Fatal(err)
	}
	attesta(t, dir, "import", "--learners", "many.csv")
	w := &work{rows: awardRows(2000), issued: map[string]string{}, revoked: map[string]bool{}}
	server := serving(t, dir)
	defer server.kill(t)
	if err := w.issue(t.Context(), server.operator, 0, 80); err != nil { // so that a slow copy takes a while
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for pause, task := range map[time.Duration]func(context.Context, operator) error{100: w.issueOn, 10: w.revokeOn} {
		wait.Go(func() {
			for ctx.Err() == nil && task(ctx, server.operator) == nil {
				time.Sleep(pause * time.Millisecond)
			}
		})
	}
	const backups = 12
	broken := 0
	for n := range backups {
		w.mu.Lock()
		before := &work{issued: maps.Clone(w.issued), revoked: maps.Clone(w.revoked)}
		w.mu.Unlock()
		var file bytes.Buffer
		if err := server.Backup(t.Context(), backupRequest{}, &slow{w: &file}); err != nil {
			t.Fatal(err)
		}
		restored := t.TempDir()
		c := &console{in: &file, out: io.Discard, err: t.Output(), getenv: func(string) string { return "" }, now: fixedDay}
		f := folder(filepath.Join(restored, "attesta-data"))
		if err := restore(t.Context(), c, "-", "", f); err != nil {
			t.Fatalf("backup %d: %v", n, err)
		}
		if err := acceptOlder(t.Context(), c, f); err != nil {
			t.Fatalf("backup %d: %v", n, err)
		}
		key, err := os.ReadFile(filepath.Join(dir, "attesta-data", "master.key"))
		if err == nil {
			err = os.WriteFile(filepath.Join(string(f), "master.key"), key, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		before.hold(t, restored, false) // its pages and records were read by the restore
		broken += brokenCopy(t, filepath.Join(dir, "attesta-data", "registry.db"))
	}
	cancel()
	wait.Wait()
	t.Logf("figures: %d backups while %d were issued and %d revoked: %d restored whole with all that was acknowledged before; of %d plain copies %d were broken",
		backups, len(w.issued), len(w.revoked), backups, backups, broken)
	if broken == 0 {
		t.Error("no plain copy broke: this test would see no backup that does")
	}
}

// slow takes 64 KiB in a millisecond.
type slow struct{ w io.Writer }

func (s *slow) Write(p []byte) (int, error) {
	time.Sleep(time.Duration(len(p)) * time.Millisecond / (64 << 10))
	return s.w.Write(p)
}

// brokenCopy is 1 if a slow plain copy of a file is no whole registry.
func brokenCopy(t *testing.T, path string) int {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy.db")
	from, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	file, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := io.CopyBuffer(&slow{w: file}, struct{ io.Reader }{from}, make([]byte, 64<<10)); err != nil {
		t.Fatal(err)
	}
	if err := bolt.Verify(t.Context(), to, bolt.Options{}); err != nil {
		return 1
	}
	return 0
}

// S8, K6: after the restore of an old backup no position is given out that was
// given out since, and what was restored stays as it was.
func TestARestoredBackupGivesNoPositionAgain(t *testing.T) {
	dir := imported(t)
	w := &work{rows: awardRows(40), issued: map[string]string{}}
	data := folder(filepath.Join(dir, "attesta-data"))
	c := &console{out: io.Discard, err: t.Output(), getenv: func(string) string { return "" }, now: fixedDay}
	given := map[string]string{}
	var file bytes.Buffer
	for n := range 2 {
		o, err := reach(t.Context(), c, data)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.issue(t.Context(), o, n*10, n*10+10); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			if err := o.Backup(t.Context(), backupRequest{}, &file); err != nil {
				t.Fatal(err)
			}
		}
		_ = o.Close()
	}
	opened(t, dir, func(a *app) {
		eachRecord(t, a, func(r registry.Record) { given[fmt.Sprint(r.List, " ", r.Index)] = r.Credential })
	})
	restored := t.TempDir()
	again := folder(filepath.Join(restored, "attesta-data"))
	c.in = &file
	if err := restore(t.Context(), c, "-", "", again); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t.Context(), c, again, ""); err == nil {
		t.Fatal("a restored registry was opened without the operator's word")
	}
	if err := acceptOlder(t.Context(), c, again); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(string(data), "master.key"), filepath.Join(string(again), "master.key")); err != nil {
		t.Fatal(err)
	}
	o, err := reach(t.Context(), c, again)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.issue(t.Context(), o, 20, 40); err != nil {
		t.Fatal(err)
	}
	_ = o.Close()
	fresh := 0
	opened(t, restored, func(a *app) {
		eachRecord(t, a, func(r registry.Record) {
			switch credential := given[fmt.Sprint(r.List, " ", r.Index)]; credential {
			case "":
				fresh++
			case r.Credential:
			default:
				t.Errorf("the position of %s was given to %s", credential, r.Credential)
			}
		})
	})
	if fresh != 20 {
		t.Errorf("%d fresh positions for 20 credentials", fresh)
	}
}
