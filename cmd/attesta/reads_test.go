package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"attesta/registry"
)

// reads is B10, B11 and B12: what pages, checks and the console ask, with keys
// by chance.
func (f *figures) reads(s *stage) {
	s.Helper()
	chance := rand.New(rand.NewPCG(10, 11))
	handles := s.someHandles(chance, 500)
	records := func(q registry.Query) func() error {
		return func() error { _, err := s.registry.Records(s.Context(), q); return err }
	}
	provider := s.provider()
	f.took("B10", "a record by its handle", s.average(func() error {
		_, err := s.registry.ByHandle(s.Context(), handles[chance.IntN(len(handles))])
		return err
	}))
	f.took("B10", "and its sealed file", s.average(func() error {
		r, err := s.registry.ByHandle(s.Context(), handles[chance.IntN(len(handles))])
		if err == nil {
			_, err = s.registry.SealedBytes(s.Context(), r.Seq)
		}
		return err
	}))
	f.took("B10", "the records of a learner", s.average(func() error {
		return records(registry.Query{Learner: learnerRef(chance.IntN(s.rows / perLearner)), Limit: 50})()
	}))
	f.took("B10", "the newest 50 records", s.average(records(registry.Query{Limit: 50})))
	f.search(s, chance)
	f.took("B12", "counts of all", s.average(func() error { _, err := s.registry.Counts(s.Context(), ""); return err }))
	f.took("B12", "counts of a provider", s.average(func() error { _, err := s.registry.Counts(s.Context(), provider); return err }))
	f.took("B12", "a page of 50 editions", s.average(func() error {
		_, err := s.registry.Editions(s.Context(), provider, "", 50)
		return err
	}))
}

// search is B11: the first letters of a family name, then the newest records of
// the first 50 people who are found.
func (f *figures) search(s *stage, chance *rand.Rand) {
	s.Helper()
	var times []time.Duration
	found, people := 0, invent()
	start := startLap()
	for time.Since(start.wall) < 500*time.Millisecond || len(times) < 5 {
		began := time.Now()
		_, family := people.name()
		learners, _, err := s.registry.FindLearners(s.Context(), family[:min(len(family), 3+chance.IntN(3))], "", 50)
		s.must(err)
		found += len(learners)
		for _, l := range learners {
			_, err := s.registry.Records(s.Context(), registry.Query{Learner: l.Ref, Limit: 50})
			s.must(err)
		}
		times = append(times, time.Since(began))
	}
	took := start.cost().each(len(times))
	slices.Sort(times)
	f.add("B11", "a search and the records of the first 50", "ms", millis(took.wall))
	f.add("B11", "a search and the records of the first 50, CPU", "ms", millis(took.cpu))
	f.add("B11", "the slowest of a hundred", "ms", millis(times[len(times)*99/100]))
	f.add("B11", "people found, of at most 50", "", float64(found)/float64(len(times)))
}

func (s *stage) provider() string {
	s.Helper()
	all, err := s.registry.Providers(s.Context(), "", 1)
	s.must(err)
	return all[0].ID
}

// someHandles are those of records by chance.
func (s *stage) someHandles(chance *rand.Rand, n int) (all []string) {
	s.Helper()
	newest, err := s.registry.Records(s.Context(), registry.Query{Limit: 1})
	s.must(err)
	for len(all) < n {
		page, err := s.registry.Records(s.Context(), registry.Query{Before: 2 + chance.Uint64N(newest[0].Seq), Limit: 1})
		s.must(err)
		for _, r := range page {
			all = append(all, r.Handle)
		}
	}
	return all
}

// average asks for a fifth of a second and gives the cost of one time.
func (s *stage) average(ask func() error) cost {
	s.Helper()
	for range 20 {
		s.must(ask())
	}
	start, n := startLap(), 0
	for ; n < 20 || time.Since(start.wall) < 200*time.Millisecond; n++ {
		s.must(ask())
	}
	return start.cost().each(n)
}

// room is B17: the bytes of all files, and of each part of the registry.
func (f *figures) room(s *stage, store string) {
	s.Helper()
	each := func(bytes uint64) float64 { return float64(bytes) / float64(s.rows) }
	var parts []part
	var total uint64
	if store == "" {
		total = folderSize(s.folder)
		all, err := s.bolt().Parts(s.Context())
		s.must(err)
		for _, p := range all {
			parts = append(parts, part{p.Bucket, p.Bytes})
		}
	} else {
		schema := store[strings.Index(store, "search_path=")+len("search_path="):]
		schema, _, _ = strings.Cut(schema, "&")
		for line := range strings.Lines(database.Command(s, "psql", "-qAtX", "-F", " ", "-c", fmt.Sprintf(
			"select relname, pg_total_relation_size(c.oid) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname = '%s' order by 1", schema))) {
			var p part
			_, err := fmt.Sscan(line, &p.name, &p.bytes)
			s.must(err)
			parts, total = append(parts, p), total+p.bytes
		}
	}
	f.add("B17", "bytes each: all files", "B", each(total))
	used := uint64(0)
	for _, p := range parts {
		used += p.bytes
	}
	f.add("B17", "in use", "B", each(used))
	slices.SortFunc(parts, func(a, b part) int { return int(b.bytes) - int(a.bytes) })
	for _, p := range parts {
		if p.bytes >= uint64(s.rows) { // less than a byte each says nothing
			f.add("B17", "· "+p.name, "B", each(p.bytes))
		}
	}
}

type part struct {
	name  string
	bytes uint64
}
