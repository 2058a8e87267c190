package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"attesta/registry"
)

// TestADatabaseThatWasSetBack (S8, K6): from an older copy of a database nothing
// is issued until the operator says that there is nothing newer, and then no
// position is given out that was given out since the copy was made. The control
// is a folder that knows of nothing newer: it gives positions twice.
func TestADatabaseThatWasSetBack(t *testing.T) {
	address := database.Address(t)
	dir := imported(t)
	attesta(t, dir, "migrate", "--from", "attesta-data", "--to", address)
	rows := awardRows(35)
	issued := func(dir string, from, to int) map[string]bool {
		t.Helper()
		c := &console{out: io.Discard, err: t.Output(), getenv: func(string) string { return "" }, now: fixedDay}
		o, err := reach(t.Context(), c, folder(filepath.Join(dir, "attesta-data")))
		if err != nil {
			t.Fatal(err)
		}
		w := &work{rows: rows, issued: map[string]string{}}
		err = w.issue(t.Context(), o, from, to)
		_ = o.Close()
		if err != nil {
			t.Fatal(err)
		}
		places := map[string]bool{}
		opened(t, dir, func(a *app) {
			eachRecord(t, a, func(r registry.Record) { places[fmt.Sprint(r.List, " ", r.Index)] = true })
		})
		return places
	}
	before := issued(dir, 30, 35) // opens a list
	forgetful := copyData(t, dir)
	schema := address[strings.Index(address, "search_path=")+len("search_path="):]
	schema, _, _ = strings.Cut(schema, "&")
	dump := filepath.Join(dir, "dump.sql")
	database.Command(t, "pg_dump", "--no-unlogged-table-data", "-n", schema, "-f", dump)
	setBack := func() {
		t.Helper()
		database.Command(t, "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", "set client_min_messages = error", "-c", "drop schema "+schema+" cascade", "-f", dump)
	}

	given := issued(dir, 0, 10)

	setBack()
	if err := os.WriteFile(filepath.Join(dir, "rows.csv"), []byte(columns+strings.Join(rows[10:20], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, "The registry is an older copy", "issue", "--completions", "rows.csv")
	refused(t, dir, "attesta restore --accept", "doctor")
	both := func(places map[string]bool) (n int) {
		for place := range places {
			if given[place] && !before[place] {
				n++
			}
		}
		return n
	}
	if n := both(issued(forgetful, 10, 20)); n != 10 {
		t.Errorf("the control gave %d of 10 positions twice: this test would not see it", n)
	}

	setBack()
	if out, err := output(t, dir, "restore", "--accept"); err != nil || !strings.Contains(out, "status list") || !strings.Contains(out, "log.checkpoint.until-") {
		t.Fatalf("accepting: %v\n%s", err, out)
	}
	attesta(t, dir, "doctor")
	if places := issued(dir, 10, 30); len(places) != 25 || both(places) > 0 {
		t.Errorf("%d credentials, %d of them at a position that was given out before", len(places), both(places))
	}
}
