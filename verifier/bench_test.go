package verifier

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"runtime"
	"syscall"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
)

// BenchmarkVerifyCore is B3: seal, chain, issuer, dates, status and schema of
// one credential, the lists at hand, of a file with two small pictures and of one
// with two as people get them. The shares are the CPU of a raw P-256 verification
// in the same run, over a digest that is there and over the bytes of the file,
// divided by the CPU taken. Lists and chains are remembered, so that one such
// verification is left, that of the seal; the rest is reading, showing and linting
// the document.
func BenchmarkVerifyCore(b *testing.B) {
	h := newHouse(b)
	h.publishAll()
	small := h.document()
	noise := make([]byte, 11<<10)
	rand.Read(noise)
	encode := base64.StdEncoding.EncodeToString
	large := h.changed(small, encode([]byte("\x89PNG\r\n\x1a\n")), encode(noise))
	for name, d := range map[string]credentials.Document{"small": small, "pictured": large} {
		b.Run(name, func(b *testing.B) { benchmarkVerify(b, h.verifier(), h.seal(d)) })
	}
}

func benchmarkVerify(b *testing.B, v *Verifier, sealed []byte) {
	digest := sha256.Sum256(sealed)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	full := func() bool {
		r, err := v.Verify(context.Background(), sealed)
		return err == nil && r.Verdict == Valid
	}
	raw := func() bool { return ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) }
	bytes := func() bool {
		sum := sha256.Sum256(sealed)
		return ecdsa.VerifyASN1(&key.PublicKey, sum[:], signature)
	}
	const round = 50
	took := func(do func() bool) time.Duration {
		before := cpuTime()
		for range round {
			if !do() {
				b.Fatal("it does not hold")
			}
		}
		return cpuTime() - before
	}
	var checks, digests, files time.Duration
	rounds := 0
	for b.Loop() {
		checks, digests, files = checks+took(full), digests+took(raw), files+took(bytes)
		rounds++
	}
	b.ReportMetric(0, "ns/op") // of all three
	b.ReportMetric(float64(len(sealed)), "bytes")
	b.ReportMetric(testing.AllocsPerRun(round, func() { full() }), "allocs/check")
	b.ReportMetric(float64(bytesPerRun(round, func() { full() })), "B/check")
	b.ReportMetric(float64(checks)/float64(time.Microsecond)/float64(rounds*round), "µs-CPU/check")
	b.ReportMetric(float64(digests)/float64(checks), "share-of-raw")
	b.ReportMetric(float64(files)/float64(checks), "share-of-raw-over-the-file")
}

// TestCheckAllocatesLittle: a whole verification takes memory for the text of the
// file, that of its content, where its values stand, and what is shown of them.
func TestCheckAllocatesLittle(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	sealed := h.seal(h.document())
	v := h.verifier()
	full := func() {
		if r, err := v.Verify(context.Background(), sealed); err != nil || r.Verdict != Valid {
			t.Fatal(err, r.Reason)
		}
	}
	full()
	if got := testing.AllocsPerRun(50, full); got > 300 {
		t.Errorf("%v allocations", got)
	}
	if got := bytesPerRun(50, full); got > 6*uint64(len(sealed)) {
		t.Errorf("%d bytes for a file of %d", got, len(sealed))
	}
}

func bytesPerRun(runs uint64, do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		do()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / runs
}

func cpuTime() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// BenchmarkStatus is B9: the whole status step of one credential in a token list
// of a million entries of which one in a hundred is withdrawn. Kept: the list was
// asked for before. Cold: it is unpacked, and its signature and chain are checked;
// the network is not counted.
func BenchmarkStatus(b *testing.B) {
	h := newHouse(b)
	data := make([]byte, 1<<18)
	for n := 0; n < len(data); n += 25 {
		data[n] = 1
	}
	l := h.tokenList(2, nil)
	l.List.List = zipped(b, data)
	h.publishToken(credentials.TokenListType, h.key(keys.Status), l)
	parsed, err := credentials.Parse(h.sealedToken("4711"))
	if err != nil {
		b.Fatal(err)
	}
	kept := NewKept(h.lists, func() time.Time { return h.now })
	v := New(Config{Trust: func() keys.Trust { return h.trust }, Now: func() time.Time { return h.now }, Fetcher: kept})
	j := &judgement{Verifier: v, trust: h.trust, now: h.now, at: h.now, parsed: parsed}
	if !j.seal() {
		b.Fatal(j.report)
	}
	j.issuer(&j.view)
	ask := func(b *testing.B) {
		if s := j.ask(b.Context(), j.view.Status); s.Reason != "status_valid" {
			b.Fatal(s.Reason)
		}
	}
	b.Run("kept", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ask(b)
		}
	})
	b.Run("cold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v.memory, v.chains = &memory{known: map[string]*remembered{}}, keys.NewChains()
			ask(b)
		}
	})
}
