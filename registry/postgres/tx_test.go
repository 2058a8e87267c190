package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"attesta/registry"
	"attesta/registry/postgres/postgrestest"
)

// TestServer is the server of all tests of this package.
var TestServer postgrestest.Server

// TestMigrationsStay holds what was released to what it was.
func TestMigrationsStay(t *testing.T) {
	released := []string{}
	steps, err := migrations()
	if err != nil || len(steps) < 1 {
		t.Fatal(len(steps), err)
	}
	for i, want := range released {
		sum := sha256.Sum256([]byte(steps[i]))
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("migration %d was released and has changed: %s", i+1, got)
		}
	}
}

// TestAgain: what PostgreSQL gives up is begun again, a bounded number of times
// and as long as the caller waits.
func TestAgain(t *testing.T) {
	s := inner(t)
	for _, code := range []string{"40001", "40P01"} {
		for _, x := range []struct {
			failures, runs int
			works          bool
		}{{0, 1, true}, {2, 3, true}, {tries - 1, tries, true}, {tries, tries, false}} {
			runs := 0
			err := s.update(t.Context(), func(*tx) error {
				if runs++; runs <= x.failures {
					return fmt.Errorf("deep down: %w", &pgconn.PgError{Code: code})
				}
				return nil
			})
			if runs != x.runs || (err == nil) != x.works {
				t.Errorf("%s, %d failures: %d runs, %v", code, x.failures, runs, err)
			}
		}
	}
	runs := 0
	ctx, cancel := context.WithCancel(t.Context())
	err := s.update(ctx, func(*tx) error { runs++; cancel(); return &pgconn.PgError{Code: "40001"} })
	if runs != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("after the caller went away: %d runs, %v", runs, err)
	}
	runs = 0
	if err := s.update(t.Context(), func(*tx) error { runs++; return &pgconn.PgError{Code: "23505"} }); runs != 1 || !errors.Is(err, registry.ErrConflict) {
		t.Errorf("a conflict: %d runs, %v", runs, err)
	}
}

// TestHanging: a replica that stands still in the midst of a step holds up the
// others for a while only, and a caller that does not wait gets away.
func TestHanging(t *testing.T) {
	s := inner(t)
	hung := make(chan struct{})
	end := make(chan error)
	release := make(chan struct{})
	begun := false
	go func() {
		end <- s.update(context.Background(), func(t *tx) error {
			if begun { // its connection was ended, so the step may begin anew
				return errors.New("begun anew")
			}
			begun = true
			if _, err := t.Exec(context.Background(), "set local idle_in_transaction_session_timeout = '700ms'"); err != nil {
				return err
			}
			if err := t.hold(context.Background()); err != nil {
				return err
			}
			close(hung)
			<-release
			return nil
		})
	}()
	<-hung
	put := func(ctx context.Context) error {
		return s.PutProviders(ctx, []registry.Provider{{ID: "p", Spec: []byte("x")}}, time.Unix(1, 0))
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := put(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who does not wait: %v", err)
	}
	if err := put(t.Context()); err != nil {
		t.Errorf("who waits: %v", err)
	}
	close(release)
	if err := <-end; err == nil {
		t.Error("the replica that hung was told that its step was made")
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPool(t *testing.T) {
	s := inner(t)
	var all []resting
	for range cap(s.pool.slots) {
		c, err := s.pool.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.pool.take(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one more than there may be: %v", err)
	}
	if _, err := all[0].Exec(t.Context(), "begin"); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		s.pool.give(c)
	}
	if n := len(s.pool.rest); n != len(all)-1 || !all[0].IsClosed() {
		t.Errorf("%d connections rest; the one in a transaction is closed: %v", n, all[0].IsClosed())
	}
	s.pool.rest[len(s.pool.rest)-1].since = time.Now().Add(-time.Hour)
	_ = s.pool.rest[len(s.pool.rest)-1].PgConn().Conn().Close() // the network cut it
	if _, err := s.Counts(t.Context(), ""); err != nil {
		t.Errorf("after a rest in which the connection was cut: %v", err)
	}
}

// inner is a store of its own for tests of what is inside.
func inner(t *testing.T) *Store {
	t.Helper()
	s, err := Create(t.Context(), TestServer.Address(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// A connection that counted a request, also with others in one message, keeps
// what comes next as safely as before.
func TestACountLeavesItsConnectionAsItWas(t *testing.T) {
	s := inner(t)
	s.pool.slots = make(chan struct{}, 1) // so that all share one connection
	for n := range 3 {
		s.sweep.Store(0) // drops what is over as well
		if _, _, err := s.Take(t.Context(), [32]byte{byte(n)}, time.Minute, 5, time.Now()); err != nil {
			t.Fatal(err)
		}
		var is string
		err := s.read(t.Context(), func(c *pgx.Conn) error {
			return c.QueryRow(t.Context(), "select current_setting('synchronous_commit')").Scan(&is)
		})
		if err != nil || is != "on" {
			t.Errorf("after a count synchronous_commit is %q, %v", is, err)
		}
	}
}

// TestScrubInTurn: who waits for another that removes what was erased is told so
// in the end, nothing else; and whoever gives up keeps nobody waiting (R2).
func TestScrubInTurn(t *testing.T) {
	s := inner(t)
	s.pool.slots = make(chan struct{}, 1) // so that all share one connection
	ctx := t.Context()
	other, err := pgx.Connect(ctx, TestServer.Address(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close(context.Background()) })
	lock := func(does string) (done bool) {
		t.Helper()
		if err := other.QueryRow(ctx, "select pg_"+does+"($1)", lockKey(s.schema+" scrub")).Scan(&done); err != nil {
			t.Fatal(err)
		}
		return done
	}
	erased := func() {
		t.Helper()
		if err := s.update(ctx, func(x *tx) error {
			_, err := x.Exec(ctx, "update head set erased = erased + 1")
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	erased()
	if !lock("try_advisory_lock") {
		t.Fatal("the turn is taken")
	}
	if left, err := s.scrub(ctx, 1); left != another || err != nil || !errors.Is(left.late(), errTurn) {
		t.Errorf("while another has its turn: %v, %v, %v", left, err, left.late())
	}
	lock("advisory_unlock")
	for n := range 20 {
		erased()
		short, cancel := context.WithTimeout(ctx, time.Duration(n+1)*time.Millisecond)
		_ = s.Scrub(short)
		cancel()
		free := false
		for begun := time.Now(); !free && time.Since(begun) < 5*time.Second; time.Sleep(time.Millisecond) {
			free = lock("try_advisory_lock")
		}
		if !free {
			t.Fatalf("given up after %d ms, the turn is kept", n+1)
		}
		lock("advisory_unlock")
	}
	if err := s.Scrub(ctx); err != nil {
		t.Error(err)
	}
	if due, err := s.Erasing(ctx); due || err != nil {
		t.Error("then:", due, err)
	}
}
