package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkRegistry prints the figures of the registry at several sizes, and
// how they grow: see docs/reference/figures.md.
//
//	go test ./cmd/attesta -run '^$' -bench '^BenchmarkRegistry$' -benchtime 1x -timeout 0
//
// It takes from the environment, all of which may be left out:
//
//	ATTESTA_FIGURES           sizes on bbolt (1e3,1e4)
//	ATTESTA_FIGURES_POSTGRES  sizes on PostgreSQL (none)
//	ATTESTA_FIGURES_ISSUED    how many are really issued of each size, the rest
//	                          is filled in (1e5)
//	ATTESTA_FIGURES_TO        file for the same figures, one on a line
func BenchmarkRegistry(b *testing.B) {
	issued := sizes(b, "ATTESTA_FIGURES_ISSUED", "1e5")[0]
	f := &figures{}
	program := buildProgram(b)
	for _, n := range sizes(b, "ATTESTA_FIGURES", "1e3,1e4") {
		f.store, f.n = "bbolt", n
		b.Run(fmt.Sprint("bbolt-", n), func(b *testing.B) { f.take(b, program, "", issued) })
	}
	for _, n := range sizes(b, "ATTESTA_FIGURES_POSTGRES", "") {
		f.store, f.n = "PostgreSQL", n
		b.Run(fmt.Sprint("postgres-", n), func(b *testing.B) { f.take(b, program, database.Address(b), issued) })
	}
	f.note("\n%s, %d cores used; %s. Growth is the exponent: 0 the same at any size, 1 in proportion to it.", runtime.Version(), runtime.GOMAXPROCS(0), processor())
	f.note("CPU is that of attesta alone, without the database and the kernel's own threads.")
	if err := f.print(os.Stdout); err != nil {
		b.Fatal(err)
	}
	if name := os.Getenv("ATTESTA_FIGURES_TO"); name != "" {
		file, err := os.Create(name)
		if err == nil {
			err = f.lines(file)
			_ = file.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// sizes reads numbers such as 1e3,20000 from the environment.
func sizes(b *testing.B, name, otherwise string) (all []int) {
	text := os.Getenv(name)
	if text == "" {
		text = otherwise
	}
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ' ' }) {
		v, err := strconv.ParseFloat(word, 64)
		if err != nil || v < classSize*perLearner*modules/perLearner || v > 1e8 {
			b.Fatalf("%s: %q is no number from %d to 1e8", name, word, classSize*modules)
		}
		all = append(all, int(v))
	}
	return all
}

func processor() string {
	raw, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(raw)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
		}
	}
	return runtime.GOARCH
}

func buildProgram(b *testing.B) string {
	program := filepath.Join(b.TempDir(), "attesta")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("building: %v\n%s", err, out)
	}
	return program
}

// take takes all figures of one size on one store.
func (f *figures) take(b *testing.B, program, store string, issued int) {
	b.ReportMetric(0, "ns/op") // the table says more
	s := newStage(b, store)
	started := startLap()
	s.enrol(min(f.n, issued))
	f.add("B2", "learners stored before, CPU each", "µs", micros(started.cost().each(s.learners).cpu))

	f.issueBulk(s, min(f.n, issued))
	if f.n > issued {
		started := startLap()
		s.fill(f.n)
		each := started.cost().each(f.n - issued)
		f.note("%s, %d: %d were issued; %d were filled in by Reserve and Complete at %.0f µs each, with sealed files like those of the issuer and seals of random characters.",
			f.store, f.n, issued, f.n-issued, micros(each.wall))
	}
	f.room(s, store)
	f.reads(s)
	f.revokes(s)
	f.issueMore(s)
	if store == "" {
		f.backups(s)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	f.starts(s, program)
}

// issueBulk is B2 and B18: rows of tables to durable credentials, and what the
// processor would sign in that time with nothing else to do.
func (f *figures) issueBulk(s *stage, rows int) {
	s.Helper()
	before, size := s.synced(), fileSize(s.folder.store())
	bare, same := s.raw()
	s.issuer.Alone = s.bolt() != nil // as attesta issue
	took := s.issue(rows)
	after := s.synced()
	bare2, same2 := s.raw()
	if rows == f.n {
		f.shares("bulk issue", took, rows, [2]rate{bare.with(bare2), same.with(same2)})
	}
	per := func(n uint64) float64 { return float64(n) * 1000 / float64(rows) }
	if s.bolt() == nil {
		f.add("B18", "syncs of the log of PostgreSQL per 1,000", "", per(after.syncs-before.syncs))
		return
	}
	grown := growths(size, fileSize(s.folder.store()))
	f.add("B18", "commits per 1,000", "", per(after.commits-before.commits))
	f.add("B18", "syncs per 1,000: two a commit", "", per(2*(after.commits-before.commits)))
	f.add("B18", "and at most, because the file grows", "", per(grown))
	f.add("B18", "pages of 4 KiB written, each", "", float64(after.pages-before.pages)/float64(rows))
}

// shares are the figures of issuing beside those of the bare signature.
func (f *figures) shares(what string, took cost, rows int, raw [2]rate) {
	each := took.each(rows)
	f.add("B2", what, "1/s", float64(time.Second)/float64(each.wall))
	f.add("B2", what+", CPU each", "µs", micros(each.cpu))
	for n, over := range []string{"a digest", "the file"} {
		f.add("B2", "raw P-256 over "+over, "1/s", raw[n].perSecond)
		f.add("B2", "raw P-256 over "+over+", CPU each", "µs", micros(raw[n].cpu))
		f.add("B2", what+": share of raw over "+over, "%", 100*float64(time.Second)/float64(each.wall)/raw[n].perSecond)
		f.add("B2", what+": share of raw CPU over "+over, "%", 100*float64(raw[n].cpu)/float64(each.cpu))
	}
}

// issueMore is what the next thousand cost in a registry of this size.
func (f *figures) issueMore(s *stage) {
	s.Helper()
	s.enrol(s.rows + 1000)
	each := s.issue(1000).each(1000)
	f.add("B2", "the next 1,000 at this size, CPU each", "µs", micros(each.cpu))
}

// rate is how fast something goes on all cores.
type rate struct {
	perSecond float64
	cpu       time.Duration // of each
}

func (r rate) with(o rate) rate { return rate{(r.perSecond + o.perSecond) / 2, (r.cpu + o.cpu) / 2} }

// raw signs with P-256 on all cores for a moment: a digest, and with its digest
// taken each time as many bytes as a sealed file has.
func (s *stage) raw() (bare, file rate) {
	s.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.must(err)
	digest := sha256.Sum256([]byte("attesta"))
	sealed := make([]byte, s.sealedSize())
	sign := func(digest func() [32]byte) rate {
		var done atomic.Int64
		var wait sync.WaitGroup
		start := startLap()
		for range runtime.GOMAXPROCS(0) {
			wait.Go(func() {
				for time.Since(start.wall) < 400*time.Millisecond {
					for range 20 {
						of := digest()
						if _, err := ecdsa.SignASN1(rand.Reader, key, of[:]); err != nil {
							s.Error(err)
						}
					}
					done.Add(20)
				}
			})
		}
		wait.Wait()
		took := start.cost()
		return rate{float64(done.Load()) / took.wall.Seconds(), took.cpu / time.Duration(done.Load())}
	}
	return sign(func() [32]byte { return digest }), sign(func() [32]byte { return sha256.Sum256(sealed) })
}

// sealedSize is that of a sealed file, or about that while there is none.
func (s *stage) sealedSize() int {
	s.Helper()
	if s.first == "" {
		return 52_000
	}
	r, err := s.registry.ByHandle(s.Context(), s.first)
	s.must(err)
	sealed, err := s.registry.SealedBytes(s.Context(), r.Seq)
	s.must(err)
	return len(sealed)
}

// done counts what a store has made durable.
type done struct{ commits, pages, syncs uint64 }

func (s *stage) synced() (d done) {
	s.Helper()
	if b := s.bolt(); b != nil {
		w := b.Stats()
		return done{commits: w.Commits, pages: w.Pages}
	}
	time.Sleep(1500 * time.Millisecond) // PostgreSQL counts each second
	_, err := fmt.Sscan(database.Command(s, "psql", "-qAtXc", "select wal_sync from pg_stat_wal"), &d.syncs)
	s.must(err)
	return d
}

func fileSize(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}

// growths is how often bbolt makes a file longer, and syncs that, at most
// between two sizes: it doubles, and from 16 MiB on it adds at least as much.
func growths(from, to int64) (n uint64) {
	const step = 16 << 20
	for ; from > 0 && from < to; n++ {
		from += min(from, step)
	}
	return n
}
