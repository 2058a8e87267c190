package main

import (
	"math/rand/v2"
	"testing"

	"attesta/registry"
)

// The bounds of what a credential may cost, in counts that are the same on
// every machine. They stand a little above what is measured: who makes
// something better lowers them, and who makes something dearer sees it here.
const (
	boundAllocations = 235.0  // to reserve and complete one credential, in slices of 1,000
	boundCommits     = 2.0    // per 1,000 credentials issued in bulk
	boundSyncs       = 4.0    // per 1,000: two a commit
	boundPages       = 0.50   // of 4 KiB written for one credential issued in bulk
	boundBytes       = 1500.0 // in use in the file for one credential, at 2,000 of them
	boundSharedBytes = 870.0  // for one whose document shares what it can, of 10,000

	// Values read for an answer, at any size.
	boundGet      = 9.0  // a record by its handle
	boundLearner  = 21.0 // the four records of a learner
	boundPage     = 95.0 // the newest 50 records
	boundCounts   = 1.0  // the counts of all, or of a provider
	boundEditions = 50.0 // a page of 50 editions

	// Growth from 1,000 to 10,000: 0 is none, 1 is in proportion.
	boundBytesGrowth = 0.05 // of the bytes that one more takes
	boundPagesGrowth = 0.20 // of the pages that are written for one more
)

// TestBounds holds what a credential costs to the bounds above: allocations,
// commits, syncs, pages, bytes, what is read to answer, and how that grows.
func TestBounds(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short was asked for")
	}
	s := newStage(t, "")
	atMost := func(what string, got, bound float64) {
		t.Helper()
		if got > bound {
			t.Errorf("%s: %.5g, at most %g", what, got, bound)
			return
		}
		t.Logf("%s: %.5g, at most %g", what, got, bound)
	}

	// Really issued, from tables.
	s.enrol(2000)
	before := s.bolt().Stats()
	s.issue(2000)
	after := s.bolt().Stats()
	commits := float64(after.Commits-before.Commits) / 2
	atMost("commits per 1,000", commits, boundCommits)
	atMost("syncs per 1,000", 2*commits, boundSyncs)
	atMost("pages written for one", float64(after.Pages-before.Pages)/2000, boundPages)
	atMost("bytes for one", s.used()/2000, boundBytes)

	// Filled in, at two sizes.
	s = newStage(t, "")
	s.issue(300)
	var bytes, pages []point
	for _, n := range []int{1000, 10000} { // what the second half of each adds
		s.enrol(n)
		s.fill(n / 2)
		before, used := s.bolt().Stats(), s.used()
		s.fill(n)
		after := s.bolt().Stats()
		bytes = append(bytes, point{float64(n), (s.used() - used) / float64(n/2)})
		pages = append(pages, point{float64(n), float64(after.Pages-before.Pages) / float64(n/2)})
		s.readsAtMost(atMost)
	}
	atMost("bytes for one that shares", bytes[1].value, boundSharedBytes)
	grows, _ := slope(bytes)
	atMost("growth of the bytes", grows, boundBytesGrowth)
	grows, _ = slope(pages)
	atMost("growth of the pages", grows, boundPagesGrowth)

	atMost("allocations for one", s.allocations(), boundAllocations)
}

// allocations is how many it takes to reserve and complete one of 1,000.
func (s *stage) allocations() float64 {
	s.Helper()
	const slice, runs = 1000, 4
	s.enrol(s.rows + (runs+1)*slice)
	var intents [][]registry.Intent
	for range runs + 1 { // one more, to warm up
		intents = append(intents, s.intents(slice))
	}
	sealed := map[string][]byte{}
	for module, t := range s.templates {
		sealed[module] = t.like(t.record, "Ada", "Prova", "seal")
	}
	return testing.AllocsPerRun(runs, func() {
		reserved, err := s.registry.Reserve(s.Context(), intents[0], s.now())
		s.must(err)
		sealings := make([]registry.Sealing, slice)
		for n, r := range reserved {
			t := s.templates[r.Record.Module]
			sealings[n] = registry.Sealing{Seq: r.Record.Seq, Sealed: sealed[r.Record.Module], Shared: t.shared}
		}
		s.must(s.registry.Complete(s.Context(), sealings, s.now()))
		intents = intents[1:]
	}) / slice
}

// readsAtMost holds the values that are read for an answer to their bounds,
// which are the same at any size.
func (s *stage) readsAtMost(atMost func(what string, got, bound float64)) {
	s.Helper()
	handle := s.someHandles(rand.New(rand.NewPCG(1, 2)), 1)[0]
	provider := s.provider()
	for _, x := range []struct {
		what  string
		bound float64
		ask   func() error
	}{
		{"values for a record", boundGet, func() error { _, err := s.registry.ByHandle(s.Context(), handle); return err }},
		{"values for the newest 50", boundPage, func() error {
			_, err := s.registry.Records(s.Context(), registry.Query{Limit: 50})
			return err
		}},
		{"values for a learner's records", boundLearner, func() error {
			_, err := s.registry.Records(s.Context(), registry.Query{Learner: learnerRef(7), Limit: 50})
			return err
		}},
		{"values for the counts of all", boundCounts, func() error { _, err := s.registry.Counts(s.Context(), ""); return err }},
		{"values for the counts of a provider", boundCounts, func() error { _, err := s.registry.Counts(s.Context(), provider); return err }},
		{"values for 50 editions", boundEditions, func() error { _, err := s.registry.Editions(s.Context(), provider, "", 50); return err }},
	} {
		before := s.bolt().Stats().Values
		s.must(x.ask())
		atMost(x.what, float64(s.bolt().Stats().Values-before), x.bound)
	}
}

// used are the bytes in the file, without pages that are free.
func (s *stage) used() float64 {
	s.Helper()
	parts, err := s.bolt().Parts(s.Context())
	s.must(err)
	used := uint64(0)
	for _, p := range parts {
		used += p.Bytes
	}
	return float64(used)
}
