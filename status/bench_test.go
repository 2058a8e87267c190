package status

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	mathrand "math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// filled is a register with a share of its entries revoked, by chance.
func filled(t testing.TB, size uint32, share float64) *Register {
	t.Helper()
	chance := mathrand.New(mathrand.NewPCG(7, 7))
	r := NewRegister(size)
	err := r.SetAll(func(yield func(uint32, Value) bool) {
		for range int(float64(size) * share) {
			if !yield(chance.Uint32N(size), Revoked) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// signer stands for a status key: SHA-256 and P-256, as it is done for a token.
func signer(t testing.TB) func([]byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return func(token []byte) {
		digest := sha256.Sum256(token)
		if _, err := ecdsa.SignASN1(rand.Reader, key, digest[:]); err != nil {
			t.Error(err)
		}
	}
}

func cpuTime() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// BenchmarkPublish is B7: from one changed entry to the signed token, of lists of
// which one in a hundred is revoked, and the same with the list packed as a whole.
//
//	go test ./status -run '^$' -bench Publish
func BenchmarkPublish(b *testing.B) {
	before, after := []byte(`{"sub":"https://scuola.example.org/status/AAAAAAAAAAAAAAAAAAAAAAAAAA","status_list":{"lst":"`), []byte(`"}}`)
	sign, w := signer(b), NewPacker()
	for _, size := range []uint32{MinEntries, 1_000_000, 10_000_000} {
		r := filled(b, size, 0.01)
		chance := mathrand.New(mathrand.NewPCG(1, 2))
		texts := map[string]func() Text{
			"bits":  func() Text { t, _ := r.BitList(w, Revocation); return t },
			"token": func() Text { return r.TokenList(w) },
		}
		whole := map[string]func() []byte{
			"bits":  func() []byte { return wholly(b, r.purpose[Revocation].raw, false, flate.DefaultCompression) },
			"token": func() []byte { return wholly(b, r.token.raw, true, flate.DefaultCompression) },
		}
		at, back := uint32(0), false
		change := func() { // and the next one undoes it, so that the list stays as dense
			if back = !back; back {
				at = chance.Uint32N(size)
			}
			v, _ := r.Get(at)
			if err := r.Set(at, Revoked-v); err != nil {
				b.Fatal(err)
			}
		}
		for _, form := range []string{"bits", "token"} {
			texts[form]()
			run := func(name string, one func() int) {
				b.Run(fmt.Sprint(form, "-", size, "/", name), func(b *testing.B) {
					b.ReportAllocs()
					length, cpu := 0, cpuTime()
					for b.Loop() {
						change()
						length = one()
					}
					b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N), "cpu-ns/op")
					b.ReportMetric(float64(length), "token-B")
				})
			}
			run("incremental", func() int {
				t := texts[form]()
				token := t.AppendClaims(make([]byte, 0, t.Len(before, after)), before, after)
				sign(token)
				return len(token)
			})
			run("whole", func() int {
				list := base64.RawURLEncoding.AppendEncode(nil, whole[form]())
				token := base64.RawURLEncoding.AppendEncode(nil, bytes.Join([][]byte{before, list, after}, nil))
				sign(token)
				return len(token)
			})
		}
	}
}

// wholly packs an array in one piece.
func wholly(t testing.TB, raw []byte, zlibForm bool, level int) []byte {
	t.Helper()
	var buf bytes.Buffer
	var err error
	if zlibForm {
		var z *zlib.Writer
		if z, err = zlib.NewWriterLevel(&buf, level); err == nil {
			_, _ = z.Write(raw)
			err = z.Close()
		}
	} else {
		var z *gzip.Writer
		if z, err = gzip.NewWriterLevel(&buf, level); err == nil {
			_, _ = z.Write(raw)
			err = z.Close()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// entropy is the least number of bytes in which a list with this share of revoked
// entries can be written.
func entropy(size uint32, share float64) float64 {
	return -(share*math.Log2(share) + (1-share)*math.Log2(1-share)) * float64(size) / 8
}

// packedBytes is the length of a text before base64url.
func packedBytes(t Text) int {
	return base64.RawURLEncoding.DecodedLen(len(t.String()) - len(t.prefix))
}

// BenchmarkSize is B8: the bytes of lists before base64url, those of the whole at
// levels 6 and 9, and how many times the least possible they are.
//
//	go test ./status -run '^$' -bench Size -benchtime 1x
func BenchmarkSize(b *testing.B) {
	w := NewPacker()
	for _, size := range []uint32{MinEntries, 1_000_000, 10_000_000} {
		for _, share := range []float64{0.001, 0.01, 0.02, 0.05} {
			r := filled(b, size, share)
			revoked, _ := r.BitList(w, Revocation)
			for _, x := range []struct {
				form string
				text Text
				raw  []byte
			}{{"bits", revoked, r.purpose[Revocation].raw}, {"token", r.TokenList(w), r.token.raw}} {
				b.Run(fmt.Sprintf("%s-%d/%g%%", x.form, size, share*100), func(b *testing.B) {
					var six, nine int
					for b.Loop() {
						six, nine = len(wholly(b, x.raw, x.form == "token", 6)), len(wholly(b, x.raw, x.form == "token", 9))
					}
					least := entropy(size, share)
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(float64(packedBytes(x.text)), "B")
					b.ReportMetric(float64(packedBytes(x.text))/least, "x-least")
					b.ReportMetric(float64(six)/least, "x-level6")
					b.ReportMetric(float64(nine)/least, "x-level9")
					b.ReportMetric(float64(nine), "level9-B")
				})
			}
		}
	}
}

// B8 as counts: what is published of a list of the usual size is at most so many
// times the least possible, and not much more than the whole in one piece.
func TestListsAreSmall(t *testing.T) {
	w := NewPacker()
	for share, most := range map[float64][2]float64{0.001: {2.8, 3.5}, 0.01: {1.7, 2.0}, 0.02: {1.5, 1.8}, 0.05: {1.1, 1.5}} {
		r := filled(t, MinEntries, share)
		revoked, err := r.BitList(w, Revocation)
		if err != nil {
			t.Fatal(err)
		}
		for n, text := range []Text{revoked, r.TokenList(w)} {
			times := float64(packedBytes(text)) / entropy(MinEntries, share)
			t.Logf("%g%%: %d bytes, %.2f times the least", share*100, packedBytes(text), times)
			if times > most[n] {
				t.Errorf("%g%%: %.2f times the least possible, at most %.2f", share*100, times, most[n])
			}
		}
	}
	empty := NewRegister(0)
	none, err := empty.BitList(w, Suspension)
	if err != nil || packedBytes(none) > 120 || packedBytes(empty.TokenList(w)) > 250 {
		t.Errorf("%d and %d bytes of nothing, %v", packedBytes(none), packedBytes(empty.TokenList(w)), err)
	}
}

// B7 as counts: publishing a change takes few allocations, however long the list.
func TestAChangeAllocatesLittle(t *testing.T) {
	w := NewPacker()
	for _, size := range []uint32{MinEntries, 4 << 20} {
		r, v := filled(t, size, 0.01), Valid
		r.TokenList(w)
		got := testing.AllocsPerRun(50, func() {
			v = Revoked - v
			if err := r.Set(99, v); err != nil {
				t.Error(err)
			}
			text := r.TokenList(w)
			text.AppendClaims(make([]byte, 0, text.Len([]byte("{"), nil)), []byte("{"), nil)
		})
		if got > 12 {
			t.Errorf("%d entries: %.0f allocations", size, got)
		}
	}
}
