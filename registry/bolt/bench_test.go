package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"attesta/registry"
)

// text45k is like a document around an image in base64.
func text45k() []byte {
	body := make([]byte, 45_000)
	src := rand.NewChaCha8([32]byte{})
	_, _ = src.Read(body)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range body {
		body[i] = alphabet[body[i]&63]
	}
	return body
}

// BenchmarkReserveComplete1000 takes 1000 awards of 45 kB from intent to sealed
// in slices of 500: four commits of two syncs each, and one more where the file
// grows (B18).
func BenchmarkReserveComplete1000(b *testing.B) {
	const n, slice = 1000, 500
	s, r, _ := newStore(b)
	body := text45k()
	before := s.Stats()
	for i := range b.N * n / slice {
		in, sealings := make([]registry.Intent, slice), make([]registry.Sealing, slice)
		for j := range in {
			in[j] = anIntent(i*slice + j)
			in[j].Body = body
		}
		got, err := r.Reserve(b.Context(), in, at)
		if err != nil {
			b.Fatal(err)
		}
		for j := range got {
			sealings[j] = registry.Sealing{Seq: got[j].Record.Seq, Sealed: body}
		}
		if err := r.Complete(b.Context(), sealings, at); err != nil {
			b.Fatal(err)
		}
	}
	after := s.Stats()
	b.ReportMetric(float64(after.Syncs-before.Syncs)/float64(b.N), "syncs/op")
	b.ReportMetric(float64(after.Pages-before.Pages)/float64(b.N), "pages/op")
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkExtend1000 extends 1000 seals of 45 kB, one commit of two fsyncs.
func BenchmarkExtend1000(b *testing.B) {
	const n = 1000
	_, r, _ := newStore(b)
	body := text45k()
	recs := reserveSome(b, r, 0, n)
	sealings, extensions := make([]registry.Sealing, n), make([]registry.Extension, n)
	for i, rec := range recs {
		sealings[i] = registry.Sealing{Seq: rec.Seq, Sealed: body}
		extensions[i] = registry.Extension{Seq: rec.Seq, Sealed: body}
	}
	if err := r.Complete(b.Context(), sealings, at); err != nil {
		b.Fatal(err)
	}
	before := digestOf(string(body))
	b.ResetTimer()
	for i := range b.N {
		longer := append(bytes.Clone(body), fmt.Sprint(i)...)
		for j := range extensions {
			extensions[j].Before, extensions[j].Sealed, extensions[j].Level = before, longer, min(registry.Level(i+1), registry.LevelLTA)
		}
		if err := r.Extend(b.Context(), extensions, at); err != nil {
			b.Fatal(err)
		}
		before = digestOf(string(longer))
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "records/s")
}

// among lets callers do n things in all, at once, and returns how many a second.
func among(b *testing.B, callers, n int, do func(i uint64) error) float64 {
	b.Helper()
	var next atomic.Uint64
	var wait sync.WaitGroup
	start := time.Now()
	for range callers {
		wait.Go(func() {
			for i := next.Add(1); i <= uint64(n); i = next.Add(1) {
				if err := do(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	return float64(n) / time.Since(start).Seconds()
}

// BenchmarkPut makes one put of 512 bytes durable at a time, in order of key, by
// many callers: through the store, and of the same bytes through the two ways
// that bbolt has itself. The three take turns, and the best round of each counts.
func BenchmarkPut(b *testing.B) {
	const rounds = 5
	value := make([]byte, 512)
	for _, callers := range []int{1, 10, 100, 400} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			s, _, _ := newStore(b)
			db, err := bbolt.Open(filepath.Join(b.TempDir(), "raw.db"), 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			put := func(offset uint64) func(uint64) func(*bbolt.Tx) error {
				return func(i uint64) func(*bbolt.Tx) error {
					return func(tx *bbolt.Tx) error {
						bucket, err := tx.CreateBucketIfNotExists([]byte("b"))
						if err != nil {
							return err
						}
						bucket.FillPercent = 1
						return bucket.Put(binary.BigEndian.AppendUint64(nil, offset+i), value)
					}
				}
			}
			n := max(b.N, 50*callers)
			var store, update, batch []float64
			commits, next := uint64(0), uint64(0)
			for range rounds {
				before := s.Stats()
				store = append(store, among(b, callers, n, func(i uint64) error {
					v := roomy(value)
					return s.update(b.Context(), func(t *tx) error { return t.put(bucketEvents, seqKey(next+i), v) })
				}))
				commits += s.Stats().Commits - before.Commits
				update = append(update, among(b, callers, min(n, 500), func(i uint64) error { return db.Update(put(next)(i)) }))
				batch = append(batch, among(b, callers, min(n, 20*callers), func(i uint64) error { return db.Batch(put(1<<40 + next)(i)) }))
				next += uint64(n)
			}
			b.ReportMetric(slices.Max(store), "puts/s")
			b.ReportMetric(slices.Max(store)/slices.Max(update), "x-Update")
			b.ReportMetric(slices.Max(store)/slices.Max(batch), "x-Batch")
			b.ReportMetric(float64(rounds*n)/float64(commits), "puts/commit")
		})
	}
}

// BenchmarkReserve reserves one award at a time, by many callers at once.
func BenchmarkReserve(b *testing.B) {
	for _, callers := range []int{1, 10, 100, 400} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			s, r, _ := newStore(b)
			before := s.Stats()
			n := max(b.N, 50*callers)
			rate := among(b, callers, n, func(i uint64) error {
				_, err := r.Reserve(b.Context(), classes(int(i), int(i)+1), at)
				return err
			})
			b.ReportMetric(rate, "records/s")
			b.ReportMetric(1000*float64(s.Stats().Syncs-before.Syncs)/float64(n), "syncs/1000")
		})
	}
}

// BenchmarkFind looks up records of 100,000 by each of their references, and all
// records of a learner.
func BenchmarkFind(b *testing.B) {
	const n = 100_000
	s, r, _ := newStore(b)
	issue(b, r, 0, n, 1000)
	src := rand.New(rand.NewPCG(1, 2))
	var some []row
	err := s.view(b.Context(), func(t *tx) error {
		for range 1000 {
			x, err := t.row(1 + src.Uint64N(n))
			if err != nil {
				return err
			}
			some = append(some, x)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for name, find := range map[string]func(row) error{
		"credential": func(x row) error { _, err := s.Find(b.Context(), registry.Key{Credential: x.Credential}); return err },
		"handle":     func(x row) error { _, err := s.Find(b.Context(), registry.Key{Handle: x.Handle}); return err },
		"claim":      func(x row) error { _, err := s.Find(b.Context(), registry.Key{ClaimHash: x.claim}); return err },
		"learner": func(x row) error {
			_, err := s.Records(b.Context(), registry.Query{Learner: x.Learner, Limit: 50})
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				if err := find(some[i%len(some)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
