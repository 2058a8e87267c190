package credentials

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/json"
	"testing"
	"time"
)

// BenchmarkIssueCore is B1: sealing one credential, with its full header: a
// document that is there (edc); one of a series, which is written and sealed
// (series), and read back too (compared). The ratios are to raw P-256 signatures
// made in the same run: over the same bytes, and over a digest that is there
// already.
func BenchmarkIssueCore(b *testing.B) {
	s := newSealer(b)
	d := picturedDocument(b)
	raw, digestOnly := rawSign(b, s, d), rawSign(b, s, nil)
	b.Run("raw", func(b *testing.B) {
		b.SetBytes(int64(len(d)))
		for b.Loop() {
			if _, err := ecdsa.SignASN1(rand.Reader, s.key.(*ecdsa.PrivateKey), sha256Of(d)); err != nil {
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
		b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(digestOnly), "ratio-to-digest")
	})
	b.Run("series", func(b *testing.B) { // read back and compared
		b.ReportAllocs()
		series, p := picturedSeries(b, s)
		awards := make([]Particulars, 32)
		for b.Loop() {
			for n := range awards {
				p.Index++
				awards[n] = p
			}
			if _, err := series.Seal(awards, theMoment); err != nil {
				b.Fatal(err)
			}
		}
		each := float64(b.Elapsed()) / float64(b.N*len(awards))
		b.ReportMetric(each/float64(raw), "ratio")
		b.ReportMetric(each/float64(digestOnly), "ratio-to-digest")
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

// picturedDocument is a document of the size that people get, with pictures of
// that size.
func picturedDocument(b *testing.B) Document {
	i := goodIssue(b)
	i.Pictures = largePictures()
	return newDocument(b, goodAward(b), i)
}

func largePictures() map[string][]byte {
	all := map[string][]byte{}
	for _, language := range languages {
		picture := make([]byte, 11<<10)
		rand.Read(picture)
		all[language] = picture
	}
	return all
}

// picturedSeries is a series of such documents, sealed as a key of the ring does.
func picturedSeries(b *testing.B, s *testSealer) (*Series, Particulars) {
	a := goodAward(b)
	c := commonOf(b, a)
	c.Pictures = largePictures()
	series, err := NewSeries(c, digestSealer{s}, &SameKeys{})
	if err != nil {
		b.Fatal(err)
	}
	return series, particularsOf(b, a)
}

func rawSign(b *testing.B, s *testSealer, over []byte) time.Duration {
	const n = 2000
	started := time.Now()
	for range n {
		if _, err := ecdsa.SignASN1(rand.Reader, s.key.(*ecdsa.PrivateKey), sha256Of(over)); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(started) / n
}

// BenchmarkVerifySeal is the envelope's part of B3: parsing and checking the
// seal. The ratio is to a raw P-256 verification over the same bytes and one
// pass of encoding/json over the content, made in the same run.
func BenchmarkVerifySeal(b *testing.B) {
	s := newSealer(b)
	d := picturedDocument(b)
	sealed := seal(b, d, s)
	key := s.key.(*ecdsa.PrivateKey)
	signature, err := ecdsa.SignASN1(rand.Reader, key, sha256Of(d))
	if err != nil {
		b.Fatal(err)
	}
	const n = 500
	started := time.Now()
	for range n {
		if !ecdsa.VerifyASN1(&key.PublicKey, sha256Of(d), signature) {
			b.Fatal("the signature does not hold")
		}
	}
	raw := time.Since(started) / n
	started = time.Now()
	for range n {
		var content any
		if err := json.Unmarshal(d, &content); err != nil {
			b.Fatal(err)
		}
	}
	pass := time.Since(started) / n
	b.Run("edc", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(sealed)))
		for b.Loop() {
			if _, err := open(sealed); err != nil {
				b.Fatal(err)
			}
		}
		spent := float64(b.Elapsed()) / float64(b.N)
		b.ReportMetric(spent/float64(raw+pass), "ratio")
		b.ReportMetric(spent/float64(raw), "ratio-to-raw")
	})
}
