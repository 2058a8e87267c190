package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestSlope(t *testing.T) {
	for name, x := range map[string]struct {
		at   []point
		want string
	}{
		"the same":       {[]point{{1e3, 5}, {1e4, 5}, {1e6, 5}}, "+0.00"},
		"in proportion":  {[]point{{1e3, 2}, {1e4, 20}, {1e5, 200}}, "+1.00"},
		"its square":     {[]point{{10, 1}, {100, 100}}, "+2.00"},
		"less and less":  {[]point{{1e3, 100}, {1e5, 10}}, "-0.50"},
		"one alone":      {[]point{{1e3, 100}}, ""},
		"the same size":  {[]point{{1e3, 100}, {1e3, 200}}, ""},
		"none of it":     {nil, ""},
		"nothing at all": {[]point{{1e3, 0}, {1e4, 1}}, ""},
	} {
		if got := growth(x.at); got != x.want {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
}

func TestFigures(t *testing.T) {
	f := &figures{store: "bbolt"}
	for _, n := range []int{10000, 1000} {
		f.n = n
		f.add("B12", "counts", "µs", 2)
		f.add("B2", "bulk", "1/s", 1e6/float64(n))
	}
	f.add("B2", "once", "", 1.5)
	f.note("and a note")
	var table, lines strings.Builder
	if err := f.print(&table); err != nil {
		t.Fatal(err)
	}
	if err := f.lines(&lines); err != nil {
		t.Fatal(err)
	}
	var words [][]string
	for line := range strings.Lines(table.String()) {
		if w := strings.Fields(line); len(w) > 0 {
			words = append(words, w)
		}
	}
	want := "[[bbolt unit 1000 10000 growth] [B2 bulk 1/s 1000 100 -1.00] [B2 once 1.50 –] [B12 counts µs 2 2 +0.00] [and a note]]"
	if got := fmt.Sprint(words); got != want {
		t.Errorf("the table is\n%s\nwant\n%s", got, want)
	}
	if got, want := strings.Count(lines.String(), "\n"), 5; got != want || !strings.HasPrefix(lines.String(), "bbolt\t10000\tB12\tcounts\tµs\t2\n") {
		t.Errorf("%d lines, want %d:\n%s", got, want, lines.String())
	}
}
