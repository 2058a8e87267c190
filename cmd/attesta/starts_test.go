package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
)

// backups is B14: a backup of a running installation as it is and encrypted,
// and its restore, beside a plain copy of the registry with a sync at its end.
func (f *figures) backups(s *stage) {
	s.Helper()
	dir, err := os.MkdirTemp(filepath.Dir(string(s.folder)), "copies-*")
	s.must(err)
	defer func() { _ = os.RemoveAll(dir) }()
	size := fileSize(s.folder.store())
	speed := func(c cost) float64 { return float64(size) / 1e6 / c.wall.Seconds() }
	start := startLap()
	s.must(plainCopy(s.folder.store(), filepath.Join(dir, "plain")))
	plain := speed(start.cost())
	s.must(os.Remove(filepath.Join(dir, "plain"))) // at ten million each copy is large
	f.add("B14", "a plain copy with a sync", "MB/s", plain)
	identity, err := age.GenerateX25519Identity()
	s.must(err)
	key := filepath.Join(dir, "identity")
	s.must(os.WriteFile(key, []byte(identity.String()+"\n"), 0o600))
	for _, kind := range []struct{ what, recipient, identity string }{{"", "", ""}, {", encrypted", identity.Recipient().String(), key}} {
		file := filepath.Join(dir, "backup"+kind.recipient)
		start := startLap()
		s.must(writeBackup(s.Context(), s.console, local{s.app}, backupRequest{Recipient: kind.recipient}, file))
		took := start.cost()
		f.add("B14", "backup"+kind.what, "MB/s", speed(took))
		f.add("B14", "backup"+kind.what+", of a plain copy", "%", 100*speed(took)/plain)
		to := folder(filepath.Join(dir, "restored"+kind.recipient))
		start = startLap()
		s.must(restore(s.Context(), s.console, file, kind.identity, to))
		took = start.cost()
		f.add("B14", "restore and its reading"+kind.what, "MB/s", speed(took))
		f.add("B14", "restore and its reading"+kind.what+", in all", "s", took.wall.Seconds())
		s.must(errors.Join(os.RemoveAll(string(to)), os.Remove(file)))
	}
}

// plainCopy copies every byte: no clone of a file system that knows such.
func plainCopy(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{in}, make([]byte, 1<<20))
	return errors.Join(err, out.Sync(), out.Close())
}

func folderSize(f folder) (bytes uint64) {
	_ = filepath.WalkDir(string(f), func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			bytes += uint64(fileSize(name))
		}
		return nil
	})
	return bytes
}

// starts is B15 and B16: the program from its start to its first answers, the
// middle of five, and what it holds in memory when it rests.
func (f *figures) starts(s *stage, program string) {
	s.Helper()
	var valid, ready []time.Duration
	var anonymous float64
	for range 5 {
		toValid, toReady, memory := s.start(program, anonymous == 0)
		valid, ready, anonymous = append(valid, toValid), append(ready, toReady), max(anonymous, memory)
	}
	slices.Sort(valid)
	slices.Sort(ready)
	f.add("B15", "start to the first credential found valid", "ms", millis(valid[2]))
	f.add("B15", "and ready for changes", "ms", millis(ready[2]))
	f.add("B16", "memory at rest", "MB", anonymous/1000)
}

// start runs a server until it says that the first credential is valid, and
// ends it. Memory is in KB, and measured if asked for.
func (s *stage) start(program string, rest bool) (valid, ready time.Duration, memory float64) {
	s.Helper()
	address := freeAddress(s)
	ctx, cancel := context.WithTimeout(s.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "serve", "--data", string(s.folder), "--listen", address)
	cmd.Stderr = s.Output()
	began := time.Now()
	s.must(cmd.Start())
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}()
	s.until(ctx, "http://"+address+"/v/"+s.first, `class="verdict valid"`)
	valid = time.Since(began)
	s.until(ctx, "http://"+address+"/readyz", "")
	ready = time.Since(began)
	if rest {
		time.Sleep(2 * time.Second)
		memory = anonymousMemory(cmd.Process.Pid)
	}
	return valid, ready, memory
}

// until asks until the answer is 200 and holds some words.
func (s *stage) until(ctx context.Context, address, words string) {
	s.Helper()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		s.must(err)
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			body, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err == nil && response.StatusCode == http.StatusOK {
				if !strings.Contains(string(body), words) {
					s.Fatalf("%s does not say %q", address, words)
				}
				return
			}
		}
		if ctx.Err() != nil {
			s.Fatalf("%s gives no answer", address)
		}
		time.Sleep(time.Millisecond)
	}
}

func freeAddress(s *stage) string {
	s.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	defer l.Close()
	return l.Addr().String()
}

// anonymousMemory is what a process holds that is in no file, in KB.
func anonymousMemory(pid int) (kb float64) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		_, _ = fmt.Sscanf(line, "Anonymous: %f", &kb)
	}
	return kb
}
