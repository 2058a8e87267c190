package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fewAtATime is an operator that hands out files and notes for how many it was
// asked at once.
type fewAtATime struct {
	operator
	most, asked int
	failAfter   int // 0: never
}

func (o *fewAtATime) HandOut(_ context.Context, ids []string) ([]handedOut, error) {
	o.most, o.asked = max(o.most, len(ids)), o.asked+len(ids)
	if o.failAfter > 0 && o.asked > o.failAfter {
		return nil, errors.New("reading a sealed credential: gone")
	}
	out := make([]handedOut, len(ids))
	for n, id := range ids {
		out[n] = handedOut{Sealed: []byte("sealed " + id), Name: "Ada", Email: "ada@example.org"}
	}
	return out, nil
}

// TestManyFilesAreWrittenAFewAtATime: however long a list is, an answer of the
// server and the memory of the command hold few files; and what was written
// before an error stands in results.csv.
func TestManyFilesAreWrittenAFewAtATime(t *testing.T) {
	const many = 3*atOnce + 7
	rows := func() []rowAnswer {
		out := make([]rowAnswer, 0, many+2)
		for n := range many {
			id := fmt.Sprintf("urn:credential:%08x", n)
			out = append(out, rowAnswer{Line: n + 2, Outcome: "issued", Credential: id, Number: fmt.Sprint("SN-", n)})
		}
		again := out[0] // the same credential in a second row, and a row that gave none
		again.Line, again.Outcome = many+2, "already_issued"
		return append(out, again, rowAnswer{Line: many + 3, Outcome: "refused"})
	}
	for name, fails := range map[string]int{"whole": 0, "stopped": atOnce} {
		t.Run(name, func(t *testing.T) {
			dir, o, answered := filepath.Join(t.TempDir(), "out"), &fewAtATime{failAfter: fails}, rows()
			err := writeOut(t.Context(), o, dir, answered)
			written, want := 0, many
			if fails > 0 {
				want = fails
			}
			if (err != nil) != (fails > 0) || o.most > atOnce {
				t.Errorf("%v; asked for %d files at once", err, o.most)
			}
			for _, row := range answered[:many] {
				data, err := os.ReadFile(filepath.Join(dir, row.Number+".jsonld"))
				if err == nil && string(data) == "sealed "+row.Credential && row.File != "" {
					written++
				}
			}
			if written != want || answered[many].File != answered[0].File || answered[many+1].File != "" {
				t.Errorf("%d files, want %d; the same credential again: %q", written, want, answered[many].File)
			}
			table, err := os.ReadFile(filepath.Join(dir, "results.csv"))
			if lines := strings.Count(string(table), "\n"); err != nil || lines != many+3 {
				t.Errorf("results.csv has %d lines, want %d (%v)", lines, many+3, err)
			}
		})
	}
}
