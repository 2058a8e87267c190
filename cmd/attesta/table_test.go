package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// lap is when something began, on the wall and on the CPU.
type lap struct {
	wall time.Time
	cpu  time.Duration
}

// cost is what something took. CPU is that of this process with all its
// threads, those that collect garbage too.
type cost struct{ wall, cpu time.Duration }

func startLap() lap { return lap{time.Now(), cpuTime()} }

func (l lap) cost() cost { return cost{time.Since(l.wall), cpuTime() - l.cpu} }

// each is the cost of one of n.
func (c cost) each(n int) cost { return cost{c.wall / time.Duration(n), c.cpu / time.Duration(n)} }

func cpuTime() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// figure is one cell of the table.
type figure struct {
	store, id, what, unit string
	n                     int
	value                 float64
}

// figures collects cells. They are printed in the order in which each row first
// came.
type figures struct {
	cells []figure
	store string
	n     int
	notes []string
}

func (f *figures) add(id, what, unit string, value float64) {
	f.cells = append(f.cells, figure{f.store, id, what, unit, f.n, value})
}

func (f *figures) took(id, what string, c cost) {
	f.add(id, what, "µs", micros(c.wall))
	f.add(id, what+", CPU", "µs", micros(c.cpu))
}

func (f *figures) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// print writes one table a store, with the growth from the smallest size to
// the largest: 0 is the same at any size, 1 twice as much at twice the size.
func (f *figures) print(w io.Writer) error {
	var stores []string
	for _, c := range f.cells {
		if !slices.Contains(stores, c.store) {
			stores = append(stores, c.store)
		}
	}
	for _, store := range stores {
		if err := f.printStore(w, store); err != nil {
			return err
		}
	}
	for _, note := range f.notes {
		if _, err := fmt.Fprintln(w, note); err != nil {
			return err
		}
	}
	return nil
}

func (f *figures) printStore(w io.Writer, store string) error {
	var rows []figure // one of each row
	var sizes []int
	values := map[figure]float64{}
	for _, c := range f.cells {
		if c.store != store {
			continue
		}
		if !slices.Contains(sizes, c.n) {
			sizes = append(sizes, c.n)
		}
		key := figure{store: store, id: c.id, what: c.what, unit: c.unit}
		if !slices.Contains(rows, key) {
			rows = append(rows, key)
		}
		key.n = c.n
		values[key] = c.value
	}
	slices.Sort(sizes)
	slices.SortStableFunc(rows, func(a, b figure) int { return ordinal(a.id) - ordinal(b.id) })
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	head := []string{label("", store), "unit"}
	for _, n := range sizes {
		head = append(head, strconv.Itoa(n))
	}
	_, _ = fmt.Fprintln(t, "\n"+strings.Join(append(head, "growth"), "\t")+"\t")
	for _, row := range rows {
		line := []string{label(row.id, row.what), row.unit}
		var at []point
		for _, n := range sizes {
			row.n = n
			v, there := values[row]
			if !there {
				line = append(line, "–")
				continue
			}
			line, at = append(line, short(v)), append(at, point{float64(n), v})
		}
		_, _ = fmt.Fprintln(t, strings.Join(append(line, growth(at)), "\t")+"\t")
	}
	return t.Flush()
}

// label is the first cell of a row, to the left where others are to the right.
func label(id, what string) string { return fmt.Sprintf("%-5s%-50s", id, what) }

// ordinal is the number in an id such as B10.
func ordinal(id string) int {
	n, _ := strconv.Atoi(strings.TrimLeft(id, "BL"))
	return n
}

// lines writes every cell on a line of its own: store, size, id, what, unit,
// value, with tabs between.
func (f *figures) lines(w io.Writer) error {
	for _, c := range f.cells {
		if _, err := fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%g\n", c.store, c.n, c.id, c.what, c.unit, c.value); err != nil {
			return err
		}
	}
	return nil
}

func short(v float64) string {
	switch {
	case v >= 100 || v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// point is a value at a size.
type point struct{ n, value float64 }

// slope is the exponent of growth: the slope of the line through the points on
// paper with two logarithmic scales. Of fewer than two points, or of one that
// is not positive, there is none.
func slope(at []point) (float64, bool) {
	var x, y, xx, xy float64
	for _, p := range at {
		if p.value <= 0 {
			return 0, false
		}
		u, v := math.Log(p.n), math.Log(p.value)
		x, y, xx, xy = x+u, y+v, xx+u*u, xy+u*v
	}
	k := float64(len(at))
	if k < 2 || k*xx == x*x {
		return 0, false
	}
	return (k*xy - x*y) / (k*xx - x*x), true
}

func growth(at []point) string {
	if s, ok := slope(at); ok {
		return fmt.Sprintf("%+.2f", s)
	}
	return ""
}
