package verifier

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"
)

// BenchmarkVerifyCore is B3: seal, chain, issuer, dates, status and schema of
// one credential, the lists at hand. The ratio is the time of a raw P-256
// verification in the same run divided by the time taken; a credential with its
// two lists and their chains needs seven such verifications.
func BenchmarkVerifyCore(b *testing.B) {
	h := newHouse(b)
	h.publishAll()
	sealed := h.seal(h.document())
	v := h.verifier()
	raw := rawVerify(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(sealed)))
	for b.Loop() {
		r, err := v.Verify(context.Background(), sealed)
		if err != nil || r.Verdict != Valid {
			b.Fatal(err, r.Reason)
		}
	}
	b.ReportMetric(float64(raw)/(float64(b.Elapsed())/float64(b.N)), "ratio")
}

func rawVerify(b *testing.B) time.Duration {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("attesta"))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	const n = 2000
	started := time.Now()
	for range n {
		if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) {
			b.Fatal("the signature does not hold")
		}
	}
	return time.Since(started) / n
}
