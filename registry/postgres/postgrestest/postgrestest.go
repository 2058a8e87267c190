// Package postgrestest starts a PostgreSQL server of its own for tests.
//
//	var server postgrestest.Server
//
//	func TestMain(m *testing.M) { os.Exit(server.Run(m)) }
//
//	func TestX(t *testing.T) { store, err := postgres.Create(ctx, server.Address(t), postgres.Options{}) }
//
// It listens on a socket in a folder of its own and nowhere else, keeps what it
// acknowledges (fsync is on), and orders text as Italians do, so that whoever
// relies on the order of a server is found out.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Server is a PostgreSQL server that is started when a test first needs it. The
// zero value is ready.
type Server struct {
	// Settings are those of the server that differ, such as "fsync=off".
	Settings []string
	// NoChecksums leaves the checksums of its data off.
	NoChecksums bool

	once    sync.Once
	err     error
	dir     string
	process *exec.Cmd
	schemas atomic.Int64
}

var errMissing = errors.New("PostgreSQL is not installed")

// Run runs tests and stops the server at their end.
func (s *Server) Run(m interface{ Run() int }) int {
	defer s.Stop()
	return m.Run()
}

// Address returns the URL of a schema that nobody has used. Without PostgreSQL
// the test is skipped, or fails under ATTESTA_REQUIRE_ALL=1.
func (s *Server) Address(t testing.TB) string {
	t.Helper()
	s.once.Do(func() { s.err = s.start() })
	if errors.Is(s.err, errMissing) && os.Getenv("ATTESTA_REQUIRE_ALL") != "1" {
		t.Skip("no PostgreSQL 15 or newer: apt-get install postgresql-15")
	}
	if s.err != nil {
		t.Fatalf("starting PostgreSQL: %v", s.err)
	}
	return s.In("postgres", fmt.Sprint("t", s.schemas.Add(1)))
}

// In returns the URL of a schema of a database of a server that was started.
func (s *Server) In(database, schema string) string {
	q := url.Values{"host": {s.dir}, "user": {"test"}, "search_path": {schema}}
	return "postgres:///" + database + "?" + q.Encode()
}

// Command runs one of PostgreSQL's own programs on the server, such as psql.
func (s *Server) Command(t testing.TB, name string, args ...string) string {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, name), args...)
	cmd.Env = append(os.Environ(), "PGHOST="+s.dir, "PGUSER=test", "PGDATABASE=postgres")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// Files reads every file of the server whose name begins with a folder of its
// data, such as base or pg_wal, one after another.
func (s *Server) Files(t testing.TB, folder string, each func(name string, content []byte)) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(s.dir, "data", folder), func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && entry.IsDir() {
			return nil
		}
		if err != nil {
			return err
		}
		raw, err := os.ReadFile(name)
		if err == nil {
			each(name, raw)
		} else if errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			err = nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Stop ends the server and removes its data.
func (s *Server) Stop() {
	if s.process != nil {
		_ = s.process.Process.Signal(syscall.SIGINT)
		_ = s.process.Wait()
		s.process = nil
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// binaries returns the folder of the newest PostgreSQL on this machine.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	best, version := "", 14
	for _, name := range found {
		bin := filepath.Dir(name)
		if n, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && n > version {
			best, version = bin, n
		}
	}
	if best == "" {
		return "", errMissing
	}
	return best, nil
}

func (s *Server) start() error {
	bin, err := binaries()
	if err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "attesta-postgres-"); err != nil {
		return err
	}
	as, err := s.owner()
	if err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	args := []string{"-D", data, "-U", "test", "-A", "trust", "--locale-provider=icu", "--icu-locale=it", "-E", "UTF8", "-N"}
	if !s.NoChecksums {
		args = append(args, "-k")
	}
	initdb := exec.CommandContext(context.Background(), filepath.Join(bin, "initdb"), args...)
	initdb.SysProcAttr, initdb.Dir = as, s.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return s.launch(bin, as)
}

func (s *Server) launch(bin string, as *syscall.SysProcAttr) error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"-D", filepath.Join(s.dir, "data"), "-c", "listen_addresses=", "-c", "unix_socket_directories=" + s.dir}
	for _, setting := range s.Settings {
		args = append(args, "-c", setting)
	}
	cmd := exec.CommandContext(context.Background(), filepath.Join(bin, "postgres"), args...)
	cmd.SysProcAttr, cmd.Dir, cmd.Stdout, cmd.Stderr = as, s.dir, log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	s.process = cmd
	return s.ready(bin)
}

// Crash ends every process of the server at once, as a crash of the machine
// would but for what the disk had not yet been told, and starts it again.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	pids := []int{s.process.Process.Pid}
	children, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range children {
		raw, err := os.ReadFile(name)
		if err != nil {
			continue // it ended
		}
		fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil && fields[1] == strconv.Itoa(pids[0]) {
			pids = append(pids, pid)
		}
	}
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = s.process.Wait() // it was killed
	_ = os.Remove(filepath.Join(s.dir, "data", "postmaster.pid"))
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	as, err := s.owner()
	if err != nil {
		t.Fatal(err)
	}
	for tries := 0; ; tries++ { // the shared memory of the killed goes away a moment later
		if err = s.launch(bin, as); err == nil {
			return
		}
		if tries == 5 {
			t.Fatalf("starting after a crash: %v", err)
		}
		_ = s.process.Process.Kill()
		_ = s.process.Wait()
	}
}

// owner gives the folder to who may run the server, which root may not.
func (s *Server) owner() (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMissing, err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(s.dir, uid, gid)
}

func (s *Server) ready(bin string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if exec.CommandContext(ctx, filepath.Join(bin, "pg_isready"), "-q", "-h", s.dir).Run() == nil {
			return nil
		}
		if s.process.Process.Signal(syscall.Signal(0)) != nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	raw, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return fmt.Errorf("the server does not answer: %s", raw[max(0, len(raw)-2000):])
}
