package issuer_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"attesta/display"
	"attesta/intake"
	"attesta/issuer"
	"attesta/registry"
)

// BenchmarkIssueBulk is B2: 100,000 rows of tables to durable credentials on bbolt,
// of an issuer that has it alone.
// The ratios are to raw P-256 signatures that all cores make in the same run, before
// and after, of a
// digest that is there already and of as many bytes as a document has: by the
// clock, and by the time that the processors worked, which leaves out waiting for
// the disk.
//
// Garbage is collected as seldom as in the program (cmd/attesta, gcPercent and
// memoryLimit).
func BenchmarkIssueBulk(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(512 << 20))
	const n, long = 100_000, 20_000
	tables := make([]strings.Builder, n/long)
	for k := range n {
		table := &tables[k/long]
		if k%long == 0 {
			table.WriteString("row_id,learner_id,module_code,edition,completion_date,attendance_percent,result\n")
		}
		fmt.Fprintf(table, "R%d,P-%05d,SN-%02d,SN-%02d/2026/B,2026-05-29,%d,passed\n", k, k, k%12+1, k%12+1, 75+k%26)
	}
	people := make([]registry.Learner, n)
	for k := range people {
		people[k] = registry.Learner{Ref: fmt.Sprintf("P-%05d", k), GivenName: "Ada", FamilyName: fmt.Sprintf("Prova%05d", k)}
	}
	var spent, digest, bytes cost
	var size int64
	for b.Loop() {
		b.StopTimer()
		h := emptyHouse(b, theDay(b))
		h.Issuer = h.newIssuer(b, display.Module)
		h.Alone = true
		h.fill(b)
		if _, err := h.AddLearners(b.Context(), people, false); err != nil {
			b.Fatal(err)
		}
		before := fileSize(b, h)
		digest.add(rawSigning(b, 0))
		bytes.add(rawSigning(b, 50<<10))
		b.StartTimer()
		for k := range tables {
			var outcomes []issuer.Outcome
			spent.add(measured(func() {
				outcomes = h.issue(b, h.rows(b, strings.NewReader(tables[k].String()), intake.ISO))
			}))
			if got := answers(outcomes)["issued"]; got != long {
				b.Fatalf("issued %d of %d: %v", got, long, answers(outcomes))
			}
		}
		b.StopTimer()
		digest.add(rawSigning(b, 0))
		bytes.add(rawSigning(b, 50<<10))
		size += fileSize(b, h) - before
		b.StartTimer()
	}
	each, digest, bytes := spent.over(n*b.N), digest.over(2*b.N), bytes.over(2*b.N)
	b.ReportMetric(float64(time.Second)/float64(each.wall), "cred/s")
	b.ReportMetric(float64(each.cpu)/1000, "cpu-µs/cred")
	b.ReportMetric(float64(digest.wall)/float64(each.wall), "ratio")
	b.ReportMetric(float64(digest.cpu)/float64(each.cpu), "cpu-ratio")
	b.ReportMetric(float64(bytes.wall)/float64(each.wall), "ratio-to-bytes")
	b.ReportMetric(float64(bytes.cpu)/float64(each.cpu), "cpu-ratio-to-bytes")
	b.ReportMetric(float64(size)/float64(n*b.N), "B/cred")
}

func fileSize(b *testing.B, h *house) int64 {
	info, err := os.Stat(filepath.Join(h.dir, "registry.db"))
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

// cost is what something took by the clock, and of the processors.
type cost struct{ wall, cpu time.Duration }

func (c *cost) add(other cost) { c.wall, c.cpu = c.wall+other.wall, c.cpu+other.cpu }

func (c cost) over(n int) cost { return cost{c.wall / time.Duration(n), c.cpu / time.Duration(n)} }

func measured(do func()) cost {
	worked := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			return 0
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before, started := worked(), time.Now()
	do()
	return cost{time.Since(started), worked() - before}
}

// rawSigning is the cost of one signature when all cores sign so many bytes, or
// a digest when there are none.
func rawSigning(b testing.TB, size int) cost {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	text := make([]byte, size)
	const each = 4000
	cores := runtime.GOMAXPROCS(0)
	return measured(func() {
		var wait sync.WaitGroup
		for range cores {
			wait.Go(func() {
				digest := sha256.Sum256([]byte("attesta"))
				for range each {
					if size > 0 {
						digest = sha256.Sum256(text)
					}
					if _, err := ecdsa.SignASN1(rand.Reader, key, digest[:]); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wait.Wait()
	}).over(each * cores)
}
