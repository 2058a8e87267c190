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
	"strings"
	"sync"
	"testing"
	"time"

	"attesta/display"
	"attesta/intake"
	"attesta/registry"
)

// BenchmarkIssueBulk is B2: a thousand rows of a table to durable credentials
// on bbolt. The ratio is the time that two cores would need for the thousand
// raw P-256 signatures alone, divided by the time taken.
func BenchmarkIssueBulk(b *testing.B) {
	const n = 5000
	raw := rawSigning(b)
	var table strings.Builder
	table.WriteString("row_id,learner_id,module_code,edition,completion_date,attendance_percent,result\n")
	for k := range n {
		fmt.Fprintf(&table, "R%d,P-%05d,SN-%02d,SN-%02d/2026/B,2026-05-29,%d,passed\n", k, k, k%12+1, k%12+1, 75+k%26)
	}
	people := make([]registry.Learner, n)
	for k := range people {
		people[k] = registry.Learner{Ref: fmt.Sprintf("P-%05d", k), GivenName: "Ada", FamilyName: fmt.Sprintf("Prova%05d", k)}
	}
	var spent time.Duration
	var size int64
	for b.Loop() {
		b.StopTimer()
		h := emptyHouse(b, theDay(b))
		h.Issuer = h.newIssuer(b, display.Module)
		h.fill(b)
		if _, err := h.AddLearners(b.Context(), people, false); err != nil {
			b.Fatal(err)
		}
		before := fileSize(b, h)
		b.StartTimer()
		started := time.Now()
		rows := h.rows(b, strings.NewReader(table.String()), intake.ISO)
		outcomes := h.issue(b, rows)
		spent += time.Since(started)
		b.StopTimer()
		if got := answers(outcomes)["issued"]; got != n {
			b.Fatalf("issued %d of %d: %v", got, n, answers(outcomes))
		}
		size += fileSize(b, h) - before
		b.StartTimer()
	}
	each := spent / time.Duration(n*b.N)
	b.ReportMetric(float64(time.Second)/float64(each), "cred/s")
	b.ReportMetric(float64(raw)/float64(each), "ratio")
	b.ReportMetric(float64(size)/float64(n*b.N), "B/cred")
}

func fileSize(b *testing.B, h *house) int64 {
	info, err := os.Stat(filepath.Join(h.dir, "registry.db"))
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

// rawSigning is the wall time of one signature when all cores sign.
func rawSigning(b *testing.B) time.Duration {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("attesta"))
	const each = 4000
	started := time.Now()
	var wait sync.WaitGroup
	cores := runtime.GOMAXPROCS(0)
	for range cores {
		wait.Go(func() {
			for range each {
				if _, err := ecdsa.SignASN1(rand.Reader, key, digest[:]); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wait.Wait()
	return time.Since(started) / time.Duration(each*cores)
}
