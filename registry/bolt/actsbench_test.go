package bolt

import (
	"cmp"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"attesta/registry"
	"attesta/status"
)

// BenchmarkWithdraw revokes 100,000 credentials of a region, in steps of
// several sizes (B6), and in the same run writes and syncs as many bytes as each
// step wrote pages, in one piece: what the disk could do at best. How many:
// ATTESTA_WITHDRAWN.
func BenchmarkWithdraw(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("ATTESTA_WITHDRAWN"))
	n = cmp.Or(n, 100_000)
	if err != nil && os.Getenv("ATTESTA_WITHDRAWN") != "" {
		b.Fatal(err)
	}
	for _, step := range []int{500, 1000, 2000, registry.MaxChanges} {
		b.Run(strconv.Itoa(step), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				s, r, _ := newStore(b)
				issue(b, r, 0, n, 500)
				ids := make([]string, 0, n)
				for seq := range uint64(n) {
					rec, err := s.Find(b.Context(), registry.Key{Seq: seq + 1})
					if err != nil {
						b.Fatal(err)
					}
					ids = append(ids, rec.Credential)
				}
				before := s.Stats()
				b.StartTimer()
				began := time.Now()
				for from := 0; from < n; from += step {
					changes := make([]registry.Change, 0, step)
					for _, id := range ids[from:min(from+step, n)] {
						changes = append(changes, registry.Change{Credential: id, To: status.Revoked, Reason: "key-compromised", By: "operator"})
					}
					if _, err := r.SetStatuses(b.Context(), changes, at); err != nil {
						b.Fatal(err)
					}
				}
				took := time.Since(began)
				b.StopTimer()
				pages := s.Stats().Pages - before.Pages
				raw := rawWrites(b, n/step, int(pages)*os.Getpagesize()/max(n/step, 1))
				b.ReportMetric(float64(n)/took.Seconds(), "records/s")
				b.ReportMetric(float64(pages)/float64(n), "pages/record")
				b.ReportMetric(took.Seconds(), "s")
				b.ReportMetric(raw.Seconds(), "raw-s")
				b.StartTimer()
			}
		})
	}
}

// rawWrites is how long it takes to append so many pieces to a file and to sync
// it after each.
func rawWrites(b *testing.B, pieces, size int) time.Duration {
	b.Helper()
	file, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	piece := make([]byte, size)
	began := time.Now()
	for range pieces {
		if _, err := file.Write(piece); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}
