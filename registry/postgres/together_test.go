package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A count waits for no disk, since its table has no log, and what is over is
// dropped by those who come later.
func TestCountsAreCheapAndForgotten(t *testing.T) {
	s, address := create(t)
	r := newRegistry(s)
	for n := range 50 {
		if _, err := r.Count(t.Context(), "door", fmt.Sprint("visitor ", n), time.Minute, 100, testAt); err != nil {
			t.Fatal(err)
		}
	}
	if got := sql(t, address, "select count(*) from limits"); got != "50\n" {
		t.Errorf("%s are counted", got)
	}
	if got := sql(t, address, "select relpersistence from pg_class where oid = 'limits'::regclass"); got != "u\n" {
		t.Errorf("the table is of the kind %s", got)
	}
	before := walPosition(t, address)
	for range 50 {
		if _, err := r.Count(t.Context(), "door", "visitor 1", time.Minute, 100, testAt); err != nil {
			t.Fatal(err)
		}
	}
	if grown := sql(t, address, "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '"+before+"') < 20000"); grown != "t\n" {
		t.Error("fifty counts were written to the log of the database")
	}
	again := newRegistry(open(t, address)) // one that has not swept yet
	if _, err := again.Count(t.Context(), "door", "visitor 1", time.Minute, 100, testAt.Add(10*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got := sql(t, address, "select count(*) from limits"); got != "1\n" {
		t.Errorf("%s counts are left of an hour ago", got)
	}
}

func walPosition(t *testing.T, address string) string {
	t.Helper()
	return strings.TrimSpace(sql(t, address, "select pg_current_wal_insert_lsn()"))
}

// BenchmarkCount is what one limited request costs in the database.
func BenchmarkCount(b *testing.B) {
	s, _ := create(b)
	r := newRegistry(s)
	n := 0
	for b.Loop() {
		n++
		if _, err := r.Count(b.Context(), "door", fmt.Sprint("visitor ", n%100), time.Minute, 100, testAt); err != nil {
			b.Fatal(err)
		}
	}
}
