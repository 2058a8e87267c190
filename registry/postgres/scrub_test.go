package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"attesta/registry"
	"attesta/registry/registrytest"
)

// saltIn are the files of the server in which a salt stands.
func saltIn(t *testing.T, address string, salt []byte) (names []string) {
	t.Helper()
	sql(t, address, "checkpoint")
	server.Files(t, "base", func(name string, content []byte) {
		if len(registrytest.Found(content, [][]byte{salt})) > 0 {
			names = append(names, name)
		}
	})
	return names
}

// picture holds a picture of the database as it is now, as pg_dump does, after
// reading a table; the function that it returns lets go of it.
func picture(t *testing.T, address, table string) func() {
	t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := c.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err == nil {
		_, err = tx.Exec(ctx, "select count(*) from "+table)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(ctx) })
	return func() { _ = tx.Rollback(ctx) }
}

// TestScrubUnderPictures: as long as somebody may still read who was erased, the
// salt is not gone and nobody is told that it is; others are not held up, and
// afterwards it can be finished (R2).
func TestScrubUnderPictures(t *testing.T) {
	for _, table := range []string{"records", "salts"} {
		t.Run(table, func(t *testing.T) {
			s, address := create(t)
			r := newRegistry(s)
			c := registrytest.Plant(t, r, s, testAt)
			release := picture(t, address, table)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				_, err := r.Erase(ctx, c.Learner.Ref, "operator", testAt)
				ended <- err
			}()
			for waiting := true; waiting; {
				begun := time.Now()
				if _, err := r.Learners(t.Context(), []string{"other 1"}); err != nil || time.Since(begun) > time.Second {
					t.Errorf("others read after %v: %v", time.Since(begun), err)
				}
				select {
				case err := <-ended:
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("erased under a picture: %v", err)
					}
					waiting = false
				case <-time.After(50 * time.Millisecond):
				}
			}
			if due, err := s.Erasing(t.Context()); !due || err != nil {
				t.Error("then:", due, err)
			}
			release()
			if err := newRegistry(open(t, address)).FinishErasing(t.Context()); err != nil {
				t.Fatal(err)
			}
			if names := saltIn(t, address, c.Salt); len(names) > 0 {
				t.Errorf("the salt stands in %v", names)
			}
			if due, err := s.Erasing(t.Context()); due || err != nil {
				t.Error("after:", due, err)
			}
		})
	}
}

// TestScrubStatistics: what the server samples of its tables has no salt (R2).
func TestScrubStatistics(t *testing.T) {
	s, address := create(t)
	r := newRegistry(s)
	c := registrytest.Plant(t, r, s, testAt)
	// So few people that a sample has all of them.
	sql(t, address, `delete from tokens where id not in (select learner from records); delete from people where id not in (select learner from records);
		delete from salts where id not in (select learner from records); analyze salts`)
	if n := sql(t, address, "select count(*) from pg_stats where tablename = 'salts' and attname = 'id' and histogram_bounds is not null"); n == "0\n" {
		t.Fatal("nothing was sampled")
	}
	if _, err := r.Erase(t.Context(), c.Learner.Ref, "operator", testAt); err != nil {
		t.Fatal(err)
	}
	if names := saltIn(t, address, c.Salt); len(names) > 0 {
		t.Errorf("the salt stands in %v", names)
	}
}

// TestSharedMissing: what documents share and is gone is damage (B9).
func TestSharedMissing(t *testing.T) {
	s, address := create(t)
	r := newRegistry(s)
	registrytest.Plant(t, r, s, testAt)
	sql(t, address, "delete from shared")
	if err := r.Check(t.Context()); err == nil {
		t.Error("Check does not see it")
	}
}

// TestScrubTogether: those who erase at once in several programs do not keep
// each other's deleted rows in the files (R2).
func TestScrubTogether(t *testing.T) {
	const programs, people = 4, 24
	first, address := create(t)
	var of []*registry.Registry
	var learners []registry.Learner
	for n := range people {
		learners = append(learners, registry.Learner{Ref: fmt.Sprint("L-", n), GivenName: "Ada", FamilyName: "Colombo"})
	}
	for range programs {
		of = append(of, newRegistry(open(t, address)))
	}
	if err := of[0].PutLearners(t.Context(), learners, testAt); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for n, l := range learners {
		all.Go(func() {
			if _, err := of[n%programs].Erase(t.Context(), l.Ref, "operator", testAt); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if due, err := first.Erasing(t.Context()); due || err != nil {
		t.Error("then:", due, err)
	}
}
