package status

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// plain is a list as three arrays that are written and packed as a whole: what a
// Register must be the same as.
type plain struct {
	values []Value
}

func (p plain) token() []byte {
	out := make([]byte, len(p.values)/4)
	for i, v := range p.values {
		out[i/4] |= byte(v) << (i % 4 * 2)
	}
	return out
}

func (p plain) bits(of Value) []byte {
	out := make([]byte, len(p.values)/8)
	for i, v := range p.values {
		if v == of {
			out[i/8] |= 0x80 >> (i % 8)
		}
	}
	return out
}

// unpacked reads a text back with the standard library alone.
func unpacked(t testing.TB, text string) []byte {
	t.Helper()
	zipped, bits := strings.CutPrefix(text, "u")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(zipped)
	if err != nil {
		t.Fatal(err)
	}
	src := bytes.NewReader(raw)
	var r io.Reader
	if bits {
		var z *gzip.Reader
		if z, err = gzip.NewReader(src); err == nil {
			z.Multistream(false)
		}
		r = z
	} else {
		r, err = zlib.NewReader(src)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r) // also holds the checksum and the length against what it read
	if err != nil || src.Len() > 0 {
		t.Fatalf("%v, and %d bytes behind it", err, src.Len())
	}
	return out
}

// same holds a register against a plain list in all forms.
func same(t testing.TB, w *Packer, r *Register, want plain) {
	t.Helper()
	revoked, err := r.BitList(w, Revocation)
	if err != nil {
		t.Fatal(err)
	}
	suspended, err := r.BitList(w, Suspension)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		got  Text
		want []byte
	}{"token": {r.TokenList(w), want.token()}, "revocation": {revoked, want.bits(Revoked)}, "suspension": {suspended, want.bits(Suspended)}} {
		if got := unpacked(t, x.got.String()); !bytes.Equal(got, x.want) {
			t.Fatalf("%s: %d bytes are not the %d that were set", name, len(got), len(x.want))
		}
	}
}

// S4: the check values of the draft, and the two bit orders on one pattern that
// is not its own mirror image.
func TestEntriesStandWhereTheSpecificationsSay(t *testing.T) {
	for _, x := range []struct {
		bits   uint32
		values []uint8
		want   string
	}{
		{1, []uint8{1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1}, "b9a3"},
		{2, []uint8{1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3}, "c944f9"},
		{4, []uint8{1, 2, 0, 3, 15, 8}, "21308f"},
		{8, []uint8{1, 2, 255}, "0102ff"},
	} {
		array := bytes.Repeat([]byte{0xff}, len(x.want)/2) // what was there is written over
		for i, v := range x.values {
			at := uint32(i) / (8 / x.bits)
			array[at] = withToken(array[at], x.bits, uint32(i), v)
		}
		if got := hex.EncodeToString(array); got != x.want {
			t.Errorf("%d bits: %s, want %s", x.bits, got, x.want)
		}
		for i, v := range x.values {
			if got := tokenValue(array, x.bits, uint32(i)); got != v {
				t.Errorf("%d bits: entry %d is %d, want %d", x.bits, i, got, v)
			}
		}
	}
	r, w := NewRegister(0), NewPacker()
	for i, v := range []Value{Revoked, Suspended, Valid, Revoked, Valid, Valid, Suspended, Valid, Valid, Valid, Revoked} {
		if err := r.Set(uint32(i), v); err != nil {
			t.Fatal(err)
		}
	}
	revoked, _ := r.BitList(w, Revocation)
	suspended, _ := r.BitList(w, Suspension)
	for want, text := range map[string]Text{"492010": r.TokenList(w), "902000": revoked, "420000": suspended} {
		if got := hex.EncodeToString(unpacked(t, text.String())[:3]); got != want {
			t.Errorf("the list begins with %s, want %s", got, want)
		}
	}
}

// The two check values of the draft in their container, read by what we read ours
// with in these tests.
func TestTheContainerOfTheDraft(t *testing.T) {
	for packed, want := range map[string]string{"78dadbb918000217015d": "b9a3", "78da3be9f2130003df0207": "c944f9"} {
		raw, err := hex.DecodeString(packed)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(unpacked(t, base64.RawURLEncoding.EncodeToString(raw))); got != want {
			t.Errorf("%s holds %s, want %s", packed, got, want)
		}
	}
}

// Whatever is set and cleared, one by one or all at once, the list that comes out
// is the one that a full encoding has.
func TestRegisterEqualsAFullEncoding(t *testing.T) {
	chance, w := rand.New(rand.NewPCG(3, 9)), NewPacker()
	for _, size := range []uint32{1, MinEntries + 1, MinEntries + 8, 3<<17 + 5*8, 1<<19 + 8} {
		r := NewRegister(size)
		want := plain{make([]Value, r.Size())}
		if r.Size() < uint64(size) || r.Size()%8 != 0 || r.Size() < MinEntries {
			t.Fatalf("%d entries for %d", r.Size(), size)
		}
		same(t, w, r, want) // all valid
		last := uint32(r.Size() - 1)
		for round := range 12 {
			for range []int{1, 2, 5, 2000}[round%4] {
				i, v := chance.Uint32N(uint32(r.Size())), Value(chance.IntN(3))
				switch chance.IntN(10) {
				case 0:
					i = 0
				case 1:
					i = last
				}
				want.values[i] = v
				if err := r.Set(i, v); err != nil {
					t.Fatal(err)
				}
			}
			same(t, w, r, want)
		}
		for _, i := range []uint32{0, last, last / 2} {
			if got, err := r.Get(i); err != nil || got != want.values[i] {
				t.Errorf("entry %d is %v, %v, want %v", i, got, err, want.values[i])
			}
		}
		other := plain{make([]Value, r.Size())}
		other.values[0], other.values[last] = Suspended, Revoked
		err := r.SetAll(func(yield func(uint32, Value) bool) { _ = yield(last, Revoked) && yield(0, Suspended) })
		if err != nil {
			t.Fatal(err)
		}
		same(t, w, r, other)
	}
}

// S4
func TestRegisterRefusesWhatItDoesNotHave(t *testing.T) {
	r, w := NewRegister(0), NewPacker()
	if err := r.Set(7, Revoked); err != nil {
		t.Fatal(err)
	}
	before := r.TokenList(w).String()
	for _, i := range []uint32{MinEntries, 1<<31 + 1, 1<<32 - 1} {
		if err := r.Set(i, Revoked); !errors.Is(err, ErrRange) {
			t.Errorf("Set(%d): %v, want ErrRange", i, err)
		}
		if _, err := r.Get(i); !errors.Is(err, ErrRange) {
			t.Errorf("Get(%d): %v, want ErrRange", i, err)
		}
		err := r.SetAll(func(yield func(uint32, Value) bool) { _ = yield(1, Revoked) && yield(i, Revoked) })
		if !errors.Is(err, ErrRange) {
			t.Errorf("SetAll with %d: %v, want ErrRange", i, err)
		}
	}
	for _, v := range []Value{3, 255} {
		if err := r.Set(1, v); err == nil {
			t.Errorf("status %d was taken", v)
		}
	}
	for _, p := range []Purpose{"", "message", "refresh"} {
		if _, err := r.BitList(w, p); err == nil {
			t.Errorf("there is a list for the purpose %q", p)
		}
	}
	if r.TokenList(w).String() != before {
		t.Error("what was refused changed the list")
	}
}

// B7 as counts: a change packs one piece of each form, a repetition none, and
// the pieces that stay are the same memory.
func TestAChangePacksOnePiece(t *testing.T) {
	r, w := NewRegister(10_000_000), NewPacker()
	pieces := func() (n int) {
		r.TokenList(w)
		for _, p := range []Purpose{Revocation, Suspension} {
			if _, err := r.BitList(w, p); err != nil {
				t.Fatal(err)
			}
			n += r.purpose[p].done
		}
		return n + r.token.done
	}
	first := pieces()
	if want := 611 + 2*306; first != want {
		t.Errorf("%d pieces at first, want %d", first, want)
	}
	set := func(i uint32, v Value) {
		t.Helper()
		if err := r.Set(i, v); err != nil {
			t.Fatal(err)
		}
	}
	for name, x := range map[string]struct {
		change func()
		want   int
	}{
		"nothing":                    {func() {}, 0},
		"one is revoked":             {func() { set(5_000_000, Revoked) }, 2},
		"the same again":             {func() { set(5_000_000, Revoked); set(1, Valid) }, 0},
		"one is suspended, and back": {func() { set(9, Suspended); pieces(); set(9, Valid) }, 4},
		"a thousand neighbours": {func() {
			for i := range uint32(1000) {
				set(8_192_000+i, Suspended)
			}
		}, 2},
	} {
		set(5_000_000, Valid)
		if name == "the same again" {
			set(5_000_000, Revoked)
		}
		before := pieces()
		if x.change(); pieces()-before != x.want {
			t.Errorf("%s: %d pieces were packed, want %d", name, pieces()-before, x.want)
		}
	}
	set(0, Revoked)
	a := r.TokenList(w)
	set(9_999_999, Revoked)
	b := r.TokenList(w)
	if &a.parts[5][0] != &b.parts[5][0] || a.String() == b.String() || len(a.parts) != len(b.parts) {
		t.Error("a piece that did not change was made again, or one that did was not")
	}
}

// What is spliced into a token is the base64url of the JSON text as a whole,
// whatever stands around it.
func TestAppendClaimsEncodesTheWhole(t *testing.T) {
	r, w := NewRegister(0), NewPacker()
	for i := range uint32(900) {
		if err := r.Set(i*97%MinEntries, Value(i%3)); err != nil {
			t.Fatal(err)
		}
	}
	bits, _ := r.BitList(w, Suspension)
	for _, text := range []Text{r.TokenList(w), bits} {
		for n := range 4 {
			before, after := fmt.Sprintf(`{"a":"%s","l":"`, strings.Repeat("x", n)), `","z":1}`
			dst := []byte("head.")
			out := text.AppendClaims(dst, []byte(before), []byte(after))
			if len(out)-len(dst) > text.Len([]byte(before), []byte(after)) {
				t.Errorf("%d bytes are more than %d", len(out)-len(dst), text.Len([]byte(before), []byte(after)))
			}
			raw, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimPrefix(string(out), "head."))
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				A, L string
				Z    int
			}
			if err := json.Unmarshal(raw, &got); err != nil || got.L != text.String() || len(got.A) != n || got.Z != 1 {
				t.Fatalf("%v: %.80s", err, raw)
			}
		}
	}
}

// The checksums put together from pieces are those of the whole.
func TestChecksumsOfPieces(t *testing.T) {
	chance := rand.New(rand.NewPCG(5, 5))
	for _, n := range []int{0, 1, 2, 3, 255, 256, 4095, 4096, 8192, 70_001} {
		raw := make([]byte, 5000+n)
		for i := range raw {
			raw[i] = byte(chance.Uint32())
		}
		m := zeros(n)
		a, b := raw[:5000], raw[5000:]
		if got, want := m.times(crc32.ChecksumIEEE(a))^crc32.ChecksumIEEE(b), crc32.ChecksumIEEE(raw); got != want {
			t.Errorf("CRC-32 with %d bytes: %x, want %x", n, got, want)
		}
		if got, want := adlerOf(adler32.Checksum(a), adler32.Checksum(b), n), adler32.Checksum(raw); got != want {
			t.Errorf("Adler-32 with %d bytes: %x, want %x", n, got, want)
		}
	}
}

// FuzzRegister holds any sequence of changes against a full encoding.
func FuzzRegister(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0xff, 0xff, 0xff, 2})
	f.Add([]byte{1, 0, 0, 2, 1, 0, 0, 0})
	w := NewPacker()
	f.Fuzz(func(t *testing.T, steps []byte) {
		r := NewRegister(MinEntries + 4096)
		want := plain{make([]Value, r.Size())}
		for ; len(steps) >= 4; steps = steps[4:] {
			i := (uint32(steps[0])<<16 | uint32(steps[1])<<8 | uint32(steps[2])) % uint32(r.Size()+1)
			v := Value(steps[3] % 4)
			err := r.Set(i, v)
			if bad := uint64(i) >= r.Size() || v > Suspended; bad != (err != nil) {
				t.Fatalf("Set(%d, %d): %v", i, v, err)
			}
			if err == nil {
				want.values[i] = v
			}
			if steps[3] > 200 {
				same(t, w, r, want)
			}
		}
		same(t, w, r, want)
	})
}
