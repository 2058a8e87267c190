package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// strace is the program that makes system calls fail. Where the machine lets
// nothing be traced, ATTESTA_NO_TRACING says so.
func strace(t *testing.T) string {
	t.Helper()
	if os.Getenv("ATTESTA_NO_TRACING") != "" {
		t.Skip("skipped: this machine lets no program be traced")
	}
	name, err := exec.LookPath("strace")
	if err == nil {
		err = exec.Command(name, "-f", "-o", os.DevNull, "true").Run()
	}
	if err != nil {
		required(t, "strace, which may trace")
	}
	return name
}

// faulty is a command whose nth call of a kind fails: nth of its thread, so
// the command keeps to one thread as long as it is no server.
func faulty(t *testing.T, dir, fault string, args ...string) *exec.Cmd {
	t.Helper()
	call, _, _ := strings.Cut(fault, ":")
	cmd := exec.Command(strace(t), append([]string{"-f", "--seccomp-bpf", "-qq", "-o", os.DevNull, "-e", "trace=" + call, "-e", "inject=" + fault, "attesta"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ATTESTA_TEST_ONE_THREAD=1")
	return cmd
}

// again is a copy of a folder for one more try.
func again(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	err := filepath.Walk(filepath.Join(to, "attesta-data"), func(name string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return errors.Join(err, os.Chmod(name, 0o700))
		}
		return os.Chmod(name, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// TestDiskErrors lets one call to the disk fail while 125 credentials are
// issued in two durable steps, reserving and sealing. Of each step the first
// sync is that of the pages: when it fails nothing of the step persists. The
// second is that of the page that makes the step count: when it fails the step
// persists all the same. Either way nothing is acknowledged, and the same
// command issues what is missing, nothing twice (T5, B1, T15).
func TestDiskErrors(t *testing.T) {
	from := imported(t)
	tried, persisted := 0, 0
	const error, full = ":error=EIO", ":error=ENOSPC"
	for _, c := range []struct {
		fault           string
		fails           bool
		records, sealed int // afterwards
	}{
		{"fdatasync" + error + ":when=1", true, 0, 0},
		{"fdatasync" + error + ":when=2", true, 125, 0},
		{"fdatasync" + error + ":when=3", true, 125, 0},
		{"fdatasync" + error + ":when=4", true, 125, 125},
		{"fdatasync" + full + ":when=2", true, 125, 0},
		{"fdatasync" + full + ":when=4", true, 125, 125},
		{"fdatasync" + error + ":when=5", false, 125, 125}, // the control: there is no fifth
		{"pwrite64" + error + ":when=1", true, 0, 0},       // that of the mark, at opening
		{"pwrite64" + error + ":when=9", true, 0, 0},
		{"pwrite64" + error + ":when=20", true, 0, 0},
		{"pwrite64" + full + ":when=20", true, 0, 0},
		{"pwrite64" + error + ":when=45", true, 125, 0}, // a page of the second step
		{"pwrite64" + full + ":when=45", true, 125, 0},
		{"pwrite64" + full + ":when=9+", true, 0, 0},
	} {
		t.Run(c.fault, func(t *testing.T) {
			dir := again(t, from)
			out, err := faulty(t, dir, c.fault, "issue", "--completions", "completions_tot.csv", "--json").CombinedOutput()
			t.Logf("%v: %.300s", err, bytes.TrimSpace(out))
			if (err != nil) != c.fails {
				t.Fatalf("ended with %v", err)
			}
			if c.fails && (bytes.Contains(out, []byte("urn:credential:")) || !bytes.Contains(out, []byte("stopped after 0 of 145 rows")) && !bytes.Contains(out, []byte("opening the registry"))) {
				t.Errorf("it acknowledged something")
			}
			acknowledged := map[string]bool{}
			if records, sealed := audit(t, dir, acknowledged); records != c.records || sealed != c.sealed {
				t.Errorf("%d records, %d sealed; want %d, %d", records, sealed, c.records, c.sealed)
			}
			attesta(t, dir, "issue", "--completions", "completions_tot.csv")
			if records, sealed := audit(t, dir, acknowledged); records != 125 || sealed != 125 {
				t.Errorf("afterwards %d records, %d sealed", records, sealed)
			}
			if c.fails {
				tried++
				persisted += min(c.sealed, 1)
			}
		})
	}
	t.Logf("figures: %d failures of the disk, %d of which persisted all the same: 0 acknowledged, 0 lost, 0 issued twice", tried, persisted)
}

// TestAServerEndsWhenItsDiskFails: after the first error of the disk a server
// acknowledges nothing more, although the disk would take it, says why and
// ends; at the next start what was in doubt is settled by repeating it (T5).
func TestAServerEndsWhenItsDiskFails(t *testing.T) {
	from := imported(t)
	for _, when := range []int{1, 2, 3, 4} {
		t.Run(fmt.Sprintf("fdatasync %d", when), func(t *testing.T) {
			t.Parallel()
			dir := again(t, from)
			data := folder(filepath.Join(dir, "attesta-data"))
			cmd := faulty(t, dir, fmt.Sprintf("fdatasync:error=EIO:when=%d", when), "serve", "--listen", "127.0.0.1:0")
			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &said, &said // no terminal: no sign-in link is made
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			server := answering(t, data)
			w := &work{rows: awardRows(60), issued: map[string]string{}}
			failed := 0
			for n := range 10 {
				if err := w.issue(t.Context(), server, n*3, n*3+3); err != nil {
					failed++
				} else if failed > 0 {
					t.Error("something was acknowledged after the error")
				}
			}
			if failed == 0 {
				t.Error("the error did not show")
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			select {
			case err := <-ended:
				if err == nil || !strings.Contains(said.String(), "the registry takes no more changes") || !strings.Contains(said.String(), "look after the disk") {
					t.Errorf("it ended with %v and said %s", err, said.String())
				}
			case <-time.After(20 * time.Second):
				_ = cmd.Process.Kill()
				t.Fatal("the server goes on")
			}
			settle(t, dir, w, 30)
		})
	}
}

// settle repeats everything with a good disk and holds it to what was
// acknowledged before.
func settle(t *testing.T, dir string, w *work, rows int) {
	t.Helper()
	ctx := context.Background()
	c := &console{err: t.Output(), getenv: func(string) string { return "" }, now: fixedDay}
	o, err := reach(ctx, c, folder(filepath.Join(dir, "attesta-data")))
	if err != nil {
		t.Fatal(err)
	}
	err = w.issue(ctx, o, 0, rows)
	if err = errors.Join(err, o.Close()); err != nil {
		t.Fatal(err)
	}
	if records, sealed := audit(t, dir, map[string]bool{}); records != rows || sealed != rows {
		t.Errorf("%d records, %d sealed; want %d", records, sealed, rows)
	}
}
