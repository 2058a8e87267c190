package credentials

import (
	"crypto/ecdsa"
	"crypto/rand"
	"testing"
	"time"
)

// BenchmarkIssueCore is B1: sealing one credential, with its full header. The ratio
// is to a raw P-256 signature made in the same run.
func BenchmarkIssueCore(b *testing.B) {
	s := newSealer(b)
	d := goodDocument(b)
	raw := rawSign(b, s)
	b.Run("raw", func(b *testing.B) {
		digest := sha256Of([]byte("attesta"))
		for b.Loop() {
			if _, err := ecdsa.SignASN1(rand.Reader, s.key.(*ecdsa.PrivateKey), digest); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("edc", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(d)))
		for b.Loop() {
			if _, err := EDC.Seal(d, s, theMoment); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(raw), "ratio")
	})
	b.Run("document", func(b *testing.B) {
		b.ReportAllocs()
		a, i := goodAward(b), goodIssue(b)
		for b.Loop() {
			if _, err := NewDocument(a, i); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(raw), "ratio")
	})
}

func rawSign(b *testing.B, s *testSealer) time.Duration {
	digest := sha256Of([]byte("attesta"))
	const n = 2000
	started := time.Now()
	for range n {
		if _, err := ecdsa.SignASN1(rand.Reader, s.key.(*ecdsa.PrivateKey), digest); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(started) / n
}

// BenchmarkVerify is the envelope's part of B3: parsing and checking the seal.
// The ratio is to a raw P-256 verification made in the same run.
func BenchmarkVerifySeal(b *testing.B) {
	s := newSealer(b)
	sealed := seal(b, goodDocument(b), s)
	key := s.key.(*ecdsa.PrivateKey)
	digest := sha256Of([]byte("attesta"))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest)
	if err != nil {
		b.Fatal(err)
	}
	const n = 2000
	started := time.Now()
	for range n {
		if !ecdsa.VerifyASN1(&key.PublicKey, digest, signature) {
			b.Fatal("the signature does not hold")
		}
	}
	raw := time.Since(started) / n
	b.Run("edc", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(sealed)))
		for b.Loop() {
			if _, err := open(sealed); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(raw), "ratio")
	})
}
