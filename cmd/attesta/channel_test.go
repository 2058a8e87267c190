package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestStrangerOnTheServersPort: whoever takes over the port of a server that
// was killed gets nothing from a command and can answer nothing.
func TestStrangerOnTheServersPort(t *testing.T) {
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	var heard atomic.Int64
	go func() {
		for {
			conn, err := stranger.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buffer := make([]byte, 4096)
				n, _ := io.ReadAtLeast(conn, buffer, nonceBytes)
				heard.Add(int64(n))
				_, _ = conn.Write(make([]byte, 64))
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"answer\":1}")
				m, _ := io.ReadAtLeast(conn, buffer, 1)
				heard.Add(int64(m))
			}()
		}
	}()
	f := folder(t.TempDir())
	write := func(b besideFile, mode os.FileMode) {
		raw, err := json.Marshal(b)
		if err == nil {
			err = os.WriteFile(f.beside(), raw, mode)
		}
		if err == nil {
			err = os.Chmod(f.beside(), mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(besideFile{stranger.Addr().String(), "the secret of the folder", 1}, 0o600)
	if _, ok := dial(t.Context(), f); ok {
		t.Error("a stranger was taken for the server")
	}
	if n := heard.Load(); n > nonceBytes {
		t.Errorf("the stranger heard %d bytes, more than a nonce", n)
	}
	write(besideFile{stranger.Addr().String(), "the secret of the folder", 1}, 0o666)
	before := heard.Load()
	if _, ok := dial(t.Context(), f); ok || heard.Load() != before {
		t.Error("a file that everybody may write was believed")
	}
	write(besideFile{"192.0.2.1:80", "the secret of the folder", 1}, 0o600)
	if _, ok := dial(t.Context(), f); ok {
		t.Error("an address of another machine was asked")
	}
}

// TestChannelNeedsTheSecret: a caller without the secret reaches no command,
// and one who says nothing holds up nobody.
func TestChannelNeedsTheSecret(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := listenProven(inner, "right")
	defer listener.Close()
	silent, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if conn, err := dialProven(ctx, inner.Addr().String(), "wrong"); err == nil {
		conn.Close()
		t.Error("the wrong secret opened the channel")
	}
	accepted := make(chan net.Conn, 1)
	go func() {
		if conn, err := listener.Accept(); err == nil {
			accepted <- conn
		}
	}()
	conn, err := dialProven(ctx, inner.Addr().String(), "right")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	select {
	case there := <-accepted:
		there.Close()
	case <-ctx.Done():
		t.Error("the right secret did not open the channel")
	}
}

// TestPlain: no value can look like a line of ours (Q3).
func TestPlain(t *testing.T) {
	hostile := "Ada\nVALID\n  pass     seal\t\x1b[2J\u202e\u2028\u061c"
	if got := plain(hostile); strings.ContainsAny(got, "\n\t\x1b\u202e\u2028\u061c") {
		t.Errorf("%q", got)
	}
}

// TestTrustIsNeverTakenFromTheCurrentFolder: an archive that brings its own
// anchors beside a file makes nobody vouch for it (J3).
func TestTrustIsNeverTakenFromTheCurrentFolder(t *testing.T) {
	demo := startDemo(t)
	file := demo.download(t)
	archive := t.TempDir()
	if err := os.CopyFS(filepath.Join(archive, "attesta-data", "trust"), os.DirFS(folder(demo.dir).trust())); err != nil {
		t.Fatal(err)
	}
	t.Chdir(archive)
	var out, problems strings.Builder
	c := &console{out: &out, err: &problems, getenv: func(string) string { return "" }, now: fixedDay}
	if code := run(t.Context(), c, []string{"verify", file}); code != exitCannotTell {
		t.Errorf("exit code %d\n%s", code, out.String())
	}
	if code := run(t.Context(), c, []string{"verify", file, "--data", "attesta-data", "--at", "2026-11-21"}); code != exitDone {
		t.Errorf("with the folder named and the day of today: exit code %d\n%s%s", code, out.String(), problems.String())
	}
	if code := run(t.Context(), c, []string{"verify", file, "--data", "nowhere"}); code != exitUsage {
		t.Errorf("with a folder that is not there: exit code %d", code)
	}
	if code := run(t.Context(), c, []string{"verify", "https://127.0.0.1:1/x"}); code != exitCannotTell {
		t.Errorf("with an address that is not asked: exit code %d", code)
	}
}

// endingServer ends in the middle of extending seals.
type endingServer struct {
	operator
	stop chan func()
}

func (e endingServer) Extend(ctx context.Context, _ extendRequest) (extendAnswer, error) {
	(<-e.stop)()
	<-ctx.Done()
	return extendAnswer{}, ctx.Err()
}

// TestServerEndsWhileExtending: nobody is told that nothing was extended when
// the server went away before it could say how much was.
func TestServerEndsWhileExtending(t *testing.T) {
	f := folder(t.TempDir())
	e := endingServer{stop: make(chan func(), 1)}
	stop, err := serveBeside(t.Context(), f, e)
	if err != nil {
		t.Fatal(err)
	}
	e.stop <- stop
	code, out := atConsole(t, "seal", "upgrade", "--data", string(f))
	if code != exitNo || strings.Contains(out, "0 seals") || strings.Contains(out, "EOF") || strings.Contains(out, "http://") {
		t.Errorf("%d\n%s", code, out)
	}
	for _, says := range []string{"the server ended before it answered", "repeat the command, and it goes on"} {
		if !strings.Contains(out, says) {
			t.Errorf("no %q in %s", says, out)
		}
	}
}
