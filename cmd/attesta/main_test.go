package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"attesta/registry/postgres/postgrestest"
	"attesta/timestamp/timestamptest"
)

// day is the day of all tests: rows dated later are in the future. A script may
// go to another with ATTESTA_TEST_NOW.
const day = "2026-11-21T10:00:00+01:00"

func fixedDay() time.Time {
	now := os.Getenv("ATTESTA_TEST_NOW")
	if now == "" {
		now = day
	}
	t, err := time.Parse(time.RFC3339, now)
	if err != nil {
		return time.Time{}
	}
	return t
}

// TestMain lets the test binary be the program: under the name attesta, with
// the clock of the tests.
func TestMain(m *testing.M) {
	testscript.Main(withDatabase{m}, map[string]func(){"attesta": func() {
		if os.Getenv("ATTESTA_TEST_ONE_THREAD") != "" {
			runtime.LockOSThread() // see faulty
		}
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		lease, _ := time.ParseDuration(os.Getenv("ATTESTA_TEST_LEASE")) // zero when there is none
		code := run(ctx, &console{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv, now: fixedDay, lease: lease}, os.Args[1:])
		stop()
		os.Exit(code)
	}})
}

// database is the PostgreSQL server of the tests that need one.
var database postgrestest.Server

// withDatabase ends the server after the tests.
type withDatabase struct{ *testing.M }

func (w withDatabase) Run() int { return database.Run(w.M) }

// TestScripts runs the command line as a person would; each script reads as
// documentation of one subcommand.
func TestScripts(t *testing.T) {
	authority := timestamptest.New(t, fixedDay)
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Root.Raw})
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: scriptCommands(),
		Setup: func(e *testscript.Env) error {
			e.Setenv("LANG", "en_GB.UTF-8")
			e.Setenv("ATTESTA_BY", "operator")
			e.Setenv("TSA", authority.URL)
			if err := os.WriteFile(filepath.Join(e.WorkDir, "ora.pem"), root, 0o600); err != nil {
				return err
			}
			if err := recipients(e); err != nil {
				return err
			}
			return copyFixtures(e.WorkDir)
		},
	})
}

func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	all := map[string]func(*testscript.TestScript, bool, []string){
		"ready": cmdReady,
		"zeros": cmdZeros,
		"fix":   cmdFix,
	}
	maps.Copy(all, keyScripts)
	maps.Copy(all, backupScripts)
	maps.Copy(all, logScripts())
	return all
}

// cmdReady waits until the server of a data folder answers commands.
func cmdReady(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if _, ok := dial(ctx, folder(ts.MkAbs(args[0]))); ok {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("the server of %s does not answer", args[0])
}

// cmdZeros writes a file of so many bytes, all zero.
func cmdZeros(ts *testscript.TestScript, _ bool, args []string) {
	var size int
	_, err := fmt.Sscan(args[1], &size)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), make([]byte, size), 0o600))
}

// cmdFix copies the one file that matches a pattern to a name.
func cmdFix(ts *testscript.TestScript, _ bool, args []string) {
	found, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(found) != 1 {
		ts.Fatalf("%s matches %d files", args[0], len(found))
	}
	data, err := os.ReadFile(found[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}

// copyFixtures gives every script the fictional school and the rows that no
// import may accept.
func copyFixtures(dir string) error {
	for _, from := range []string{"demodata", "testdata/fixtures"} {
		entries, err := os.ReadDir(from)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(from, e.Name()))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, e.Name()), data, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// required ends a test that needs something which is not there: a skip with a
// plain message for a newcomer, a failure where everything is demanded.
func required(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("ATTESTA_REQUIRE_ALL") == "1" {
		t.Fatalf("this test needs %s, and ATTESTA_REQUIRE_ALL=1 forbids to skip it", what)
	}
	t.Skipf("skipped: this test needs %s", what)
}
