package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"attesta/registry"
	"attesta/registry/postgres/postgrestest"
)

// line is a way to a server that can come to a standstill: what goes through is
// kept, nobody is told.
type line struct {
	net.Listener
	server string // its socket
	mu     sync.Mutex
	still  bool
}

func newLine(t *testing.T, address string) *line {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	l := &line{Listener: listener, server: u.Query().Get("host") + "/.s.PGSQL.5432"}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", l.server)
			if err != nil {
				_ = client.Close()
				continue
			}
			t.Cleanup(func() { _, _ = client.Close(), server.Close() })
			go l.carry(client, server)
			go l.carry(server, client)
		}
	}()
	return l
}

func (l *line) carry(from io.Reader, to io.WriteCloser) {
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		l.mu.Lock()
		still := l.still
		l.mu.Unlock()
		if still {
			return
		}
		if err != nil {
			_ = to.Close()
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (l *line) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.still = true
}

// over is an address that leads through lines to the same server.
func over(t *testing.T, address string, lines ...*line) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Del("host")
	q.Set("connect_timeout", "1")
	q.Set("sslmode", "disable")
	var hosts []string
	for _, l := range lines {
		hosts = append(hosts, l.Addr().String())
	}
	u.Host, u.RawQuery = strings.Join(hosts, ","), q.Encode()
	return u.String()
}

// TestAServerThatStandsStill: a server that is gone without a word is left for
// another one; what waits for it is told in the end (T11).
func TestAServerThatStandsStill(t *testing.T) {
	address := TestServer.Address(t)
	first, second := newLine(t, address), newLine(t, address)
	s, err := Create(t.Context(), over(t, address, first, second), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	var all []resting
	for range 3 {
		c, err := s.pool.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	for _, c := range all {
		s.pool.give(c)
	}
	for n := range s.pool.rest {
		s.pool.rest[n].since = time.Now().Add(-time.Hour)
	}
	began := time.Now()
	failed := make(chan error)
	go func() {
		failed <- s.updateWithin(context.Background(), 2*time.Second, func(t *tx) error {
			first.stop()
			_, err := t.Exec(context.Background(), "select 1")
			return err
		})
	}()
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "did not answer within 2s") || again(err) {
		t.Errorf("who was in the midst of a step: %v", err)
	}
	if _, err := s.Counts(t.Context(), ""); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if took := time.Since(began); took > 2*time.Second+patience+3*time.Second {
		t.Errorf("it took %v", took)
	}
	if n := len(s.pool.rest); n != 1 {
		t.Errorf("%d connections rest, want the new one", n)
	}
	second.stop()
	s.pool.rest[0].since = time.Now().Add(-time.Hour)
	_, err = s.Counts(t.Context(), "")
	if err == nil || !strings.Contains(err.Error(), "none of its servers takes changes now") || strings.Contains(err.Error(), "\n") ||
		strings.Count(err.Error(), first.Addr().String()) != 1 || strings.Count(err.Error(), second.Addr().String()) != 1 {
		t.Errorf("with no server left: %v", err)
	}
}

// TestLittlePatience: callers that go away before a silent server is given up
// reach the next one all the same (T11).
func TestLittlePatience(t *testing.T) {
	address := TestServer.Address(t)
	first, second := newLine(t, address), newLine(t, address)
	first.stop()
	s, err := Create(t.Context(), over(t, address, first, second), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	s.pool.abandonAll()
	asked := 0
	for limit := time.Now().Add(10 * time.Second); ; asked++ {
		short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := s.Counts(short, "")
		cancel()
		if err == nil {
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("asked %d times: %v", asked, err)
		}
	}
	if asked == 0 {
		t.Error("the first answer came at once, so nothing was shown")
	}
}

// TestARestart: questions that meet connections which the server has ended are
// asked again, however many there are (T11).
func TestARestart(t *testing.T) {
	address := TestServer.Address(t)
	s, err := Create(t.Context(), over(t, address, newLine(t, address)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	var all []resting
	for range cap(s.pool.slots) {
		c, err := s.pool.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	pids := make([]int32, len(all))
	for n, c := range all {
		pids[n] = int32(c.PgConn().PID())
		s.pool.give(c)
	}
	other, err := pgx.ConnectConfig(t.Context(), s.pool.config)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	if _, err := other.Exec(t.Context(), "select pg_terminate_backend(pid, 5000) from unnest($1::int[]) as pid", pids); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Counts(t.Context(), ""); err != nil {
		t.Errorf("after the server ended all connections: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	for _, c := range []struct{ pgx, want string }{
		{"failed to connect to `user=a database=b`: hostname resolving error", "failed to connect to `user=a database=b`: hostname resolving error"},
		{"failed to connect:\n\tx:1 (x): tls error: server refused TLS connection\n\tx:1 (x): no\n", "failed to connect: x:1 (x): no"},
		{
			"failed to connect:\n\tx:1 (x): tls error: server refused TLS connection\n\tx:1 (x): read only connection\n\ty:1 (y): connection refused",
			"none of its servers takes changes now; if another is about to take over, repeat it in half a minute: x:1 (x): read only connection; y:1 (y): connection refused",
		},
	} {
		if got := unreachable(errors.New(c.pgx)).Error(); got != "reaching the database: "+c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestAlone: what the database committed without its standby, since it was kept
// from waiting, is not acknowledged (T11).
func TestAlone(t *testing.T) {
	server := &postgrestest.Server{Settings: []string{"synchronous_standby_names=nobody"}}
	t.Cleanup(server.Stop)
	address := server.Address(t)
	local, err := Create(t.Context(), address+"&synchronous_commit=local", Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Close() })
	s, err := Open(t.Context(), address, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	put := func(s *Store) error {
		return s.PutProviders(t.Context(), []registry.Provider{{ID: "p", Spec: []byte("x")}}, time.Unix(1, 0))
	}
	acknowledged := make(chan error, 1)
	go func() { acknowledged <- put(s) }()
	cut := false
	for limit := time.Now().Add(10 * time.Second); !cut && time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		err := local.read(t.Context(), func(c *pgx.Conn) error {
			return c.QueryRow(t.Context(), `select coalesce(bool_or(pg_cancel_backend(pid)), false) from pg_stat_activity
				where wait_event = 'SyncRep'`).Scan(&cut)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := <-acknowledged; !cut || !errors.Is(err, errAlone) {
		t.Errorf("a commit that was cut short (%v): %v", cut, err)
	}
	if n := len(s.pool.rest); n != 0 {
		t.Errorf("%d connections rest of those that were cut short", n)
	}
	if err := put(local); err != nil {
		t.Errorf("one that waits for nobody: %v", err)
	}
}
