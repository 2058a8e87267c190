package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"attesta/registry"
	"attesta/status"
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

// BenchmarkReserveComplete1000 is what registry/bolt measures under this name.
func BenchmarkReserveComplete1000(b *testing.B) {
	const n = 1000
	s, _ := create(b)
	r := newRegistry(s)
	body := text45k()
	for i := range b.N {
		in, sealings := make([]registry.Intent, n), make([]registry.Sealing, n)
		for j := range in {
			in[j] = anIntent(i*n + j)
			in[j].Body = body
		}
		got, err := r.Reserve(b.Context(), in, testAt)
		if err != nil {
			b.Fatal(err)
		}
		for j := range got {
			sealings[j] = registry.Sealing{Seq: got[j].Record.Seq, Sealed: body}
		}
		if err := r.Complete(b.Context(), sealings, testAt); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkSmallSteps is many who change something small at once: all of them
// queue for the head.
func BenchmarkSmallSteps(b *testing.B) {
	for _, writers := range []int{1, 8} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			s, _ := create(b)
			r := newRegistry(s)
			var wait sync.WaitGroup
			var mu sync.Mutex
			var times []time.Duration
			for w := range writers {
				wait.Go(func() {
					for n := range b.N/writers + 1 {
						began := time.Now()
						if _, err := r.Grant(b.Context(), registry.Session, fmt.Sprint(w, n), time.Hour, testAt); err != nil {
							b.Error(err)
							return
						}
						took := time.Since(began)
						mu.Lock()
						times = append(times, took)
						mu.Unlock()
					}
				})
			}
			wait.Wait()
			slices.Sort(times)
			b.ReportMetric(float64(len(times))/b.Elapsed().Seconds(), "steps/s")
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-us")
		})
	}
}

// BenchmarkWithdraw revokes 20,000 credentials in steps of 1000 (B6), and in the
// same run suspends and reinstates as many with one plain statement a step and
// nothing else, no log, no counters: what the server could do at best.
func BenchmarkWithdraw(b *testing.B) {
	const n, step = 20_000, 1000
	for range b.N {
		b.StopTimer()
		s, address := create(b)
		r := newRegistry(s)
		var changes []registry.Change
		for from := 0; from < n; from += step {
			in, sealings := make([]registry.Intent, step), make([]registry.Sealing, step)
			for j := range in {
				in[j] = anIntent(from + j)
			}
			got, err := r.Reserve(b.Context(), in, testAt)
			if err != nil {
				b.Fatal(err)
			}
			for j, g := range got {
				sealings[j] = registry.Sealing{Seq: g.Record.Seq, Sealed: []byte("s"), SealKey: "0123456789abcdef"}
				changes = append(changes, registry.Change{Credential: g.Record.Credential, To: status.Revoked, Reason: "other", By: "operator"})
			}
			if err := r.Complete(b.Context(), sealings, testAt); err != nil {
				b.Fatal(err)
			}
		}
		c, err := pgx.Connect(b.Context(), address)
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		for from := 0; from < n; from += step {
			for _, value := range []int{1, 0} {
				if _, err := c.Exec(b.Context(), "update records set status = $3 where seq > $1 and seq <= $2", from, from+step, value); err != nil {
					b.Fatal(err)
				}
			}
		}
		raw := time.Since(began) / 2
		if err := c.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		began = time.Now()
		for page := range slices.Chunk(changes, step) {
			if _, err := r.SetStatuses(b.Context(), page, testAt); err != nil {
				b.Fatal(err)
			}
		}
		took := time.Since(began)
		b.ReportMetric(float64(n)/took.Seconds(), "records/s")
		b.ReportMetric(took.Seconds(), "s")
		b.ReportMetric(raw.Seconds(), "raw-s")
	}
}
