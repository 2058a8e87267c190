package verifier

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
)

// BenchmarkVerifyCore is B3: seal, chain, issuer, dates, status and schema of
// one credential, the lists at hand. The ratio is the time of a raw P-256
// verification in the same run divided by the time taken. Lists and chains are
// remembered, so that one such verification is left, that of the seal; the rest is
// reading, showing and linting the document.
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
