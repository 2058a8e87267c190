package status_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"attesta/status"
)

// 0, 3 and 10 are not their own mirror image in any byte: 0x90 0x20 MSB first
// is 1001_0000 0010_0000. The other bit order would give 0x09 0x04.
func TestIndexZeroIsTheLeftMostBit(t *testing.T) {
	b := status.NewBitstring(status.MinEntries)
	for _, i := range []uint32{0, 3, 10, status.MinEntries - 1} {
		if err := b.Set(i); err != nil {
			t.Fatal(err)
		}
	}
	raw := inflate(t, b.Encode())
	if len(raw) != 16384 || raw[0] != 0x90 || raw[1] != 0x20 || raw[2] != 0 || raw[16383] != 0x01 {
		t.Fatalf("bits are %x … %x (%d bytes)", raw[:3], raw[len(raw)-1:], len(raw))
	}
	if b.Count() != 4 {
		t.Errorf("Count = %d, want 4", b.Count())
	}
}

// The empty list of 16 KiB as gzip with a stored CRC and length, written out
// by hand: header 10 bytes, blocks, CRC-32 of 16384 zero bytes (ab54d286),
// length 0x4000.
func TestDecodeReadsAVectorMadeByHand(t *testing.T) {
	var z []byte
	z = append(z, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff)
	z = append(z, 1, 0x00, 0x40, 0xff, 0xbf) // one final stored block of 0x4000 bytes
	block := make([]byte, 0x4000)
	block[0], block[1] = 0x90, 0x20
	z = append(z, block...)
	z = append(z, crcOf(block)...)
	z = append(z, 0x00, 0x40, 0, 0)
	b, err := status.DecodeBitstring(multibase(z), status.MinEntries)
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint32(24) {
		want := i == 0 || i == 3 || i == 10
		if got, err := b.Get(i); err != nil || got != want {
			t.Errorf("Get(%d) = %v, %v, want %v", i, got, err, want)
		}
	}
}

// crcOf computes CRC-32 (IEEE, reflected) bit by bit, little endian, so that
// the vector does not lean on the package that decodes it.
func crcOf(p []byte) []byte {
	c := ^uint32(0)
	for _, x := range p {
		c ^= uint32(x)
		for range 8 {
			if c&1 == 1 {
				c = c>>1 ^ 0xedb88320
			} else {
				c >>= 1
			}
		}
	}
	c = ^c
	return []byte{byte(c), byte(c >> 8), byte(c >> 16), byte(c >> 24)}
}

func TestEncodeAndDecodeAreInverse(t *testing.T) {
	for _, size := range []uint32{0, 1, status.MinEntries, status.MinEntries + 1, 1 << 20} {
		b := status.NewBitstring(size)
		for i := uint32(0); uint64(i) < b.Size(); i = i*3 + 1 {
			if err := b.Set(i); err != nil {
				t.Fatal(err)
			}
		}
		got, err := status.DecodeBitstring(b.Encode(), 1<<20)
		if err != nil {
			t.Fatalf("size %d: %v", size, err)
		}
		if got.Size() != b.Size() || got.Count() != b.Count() || got.Encode() != b.Encode() {
			t.Errorf("size %d came back as another list", size)
		}
	}
}

// S4
func TestIndexOutsideTheListIsAnError(t *testing.T) {
	b := status.NewBitstring(1)
	for _, i := range []uint32{status.MinEntries, 1<<31 + 1, 1<<32 - 1} {
		if err := b.Set(i); !errors.Is(err, status.ErrRange) {
			t.Errorf("Set(%d): %v, want ErrRange", i, err)
		}
		if _, err := b.Get(i); !errors.Is(err, status.ErrRange) {
			t.Errorf("Get(%d): %v, want ErrRange", i, err)
		}
	}
}

func TestDecodeIsStrict(t *testing.T) {
	good := status.NewBitstring(0).Encode()
	packed, _ := base64.RawURLEncoding.DecodeString(good[1:])
	bad := append([]byte(nil), packed...)
	bad[len(bad)-5] ^= 1
	for name, text := range map[string]string{
		"empty":             "",
		"only a prefix":     "u",
		"no prefix":         good[1:],
		"other prefix":      "z" + good[1:],
		"upper-case prefix": "U" + good[1:],
		"padding":           good + "=",
		"line break":        good[:9] + "\n" + good[9:],
		"blank":             good[:9] + " " + good[9:],
		"standard alphabet": "u" + strings.Repeat("+/", 20),
		"loose last bits":   "uH4sIAAAAAAAA_x",
		"no gzip":           multibase([]byte("plain text, not gzip")),
		"cut short":         multibase(packed[:len(packed)-3]),
		"wrong checksum":    multibase(bad),
		"trailing byte":     multibase(append(append([]byte(nil), packed...), 0)),
		"second member":     multibase(append(append([]byte(nil), packed...), packed...)),
		"nested gzip":       multibase(deflate(t, packed)),
		"one entry short":   multibase(deflate(t, make([]byte, status.MinEntries/8-1))),
		"no entries":        multibase(deflate(t, nil)),
		"one byte too long": multibase(deflate(t, make([]byte, status.MinEntries/8+1))),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := status.DecodeBitstring(text, status.MinEntries); err == nil {
				t.Error("accepted")
			}
		})
	}
	if _, err := status.DecodeBitstring(good, status.MinEntries-8); !errors.Is(err, status.ErrLength) {
		t.Errorf("a list above the limit: %v, want ErrLength", err)
	}
}

// S1: 64 MiB of zero bits in 64 KiB.
func TestABombIsRefusedInBoundedMemory(t *testing.T) {
	var buf bytes.Buffer
	zw, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	chunk := make([]byte, 1<<20)
	for range 64 {
		if _, err := zw.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	bomb := multibase(buf.Bytes())
	const entries = 1 << 23 // 1 MiB of bits: the text itself passes the first gate
	if len(bomb) > entries/8 {
		t.Fatalf("the bomb has %d characters and would be refused unread", len(bomb))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := status.DecodeBitstring(bomb, entries)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, status.ErrLength) {
		t.Errorf("%v, want ErrLength", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("allocated %d bytes in all", used)
	}
	if _, err := status.DecodeBitstring("u"+strings.Repeat("A", 64<<20), status.MinEntries); !errors.Is(err, status.ErrLength) {
		t.Errorf("64 MiB of text: %v, want ErrLength", err)
	}
}

func FuzzDecodeBitstring(f *testing.F) {
	b := status.NewBitstring(0)
	f.Add(b.Encode())
	_ = b.Set(12345)
	f.Add(b.Encode())
	f.Add("")
	f.Add("u")
	f.Add("uH4sIAAAAAAAA_-3AMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := status.DecodeBitstring(s, 1<<20)
		if err != nil {
			return
		}
		if got.Size() < status.MinEntries || got.Size() > 1<<20 {
			t.Errorf("size %d is out of bounds", got.Size())
		}
		again, err := status.DecodeBitstring(got.Encode(), 1<<20)
		if err != nil || again.Encode() != got.Encode() {
			t.Errorf("decoding what was encoded: %v", err)
		}
	})
}

func multibase(p []byte) string { return "u" + base64.RawURLEncoding.EncodeToString(p) }

func deflate(t *testing.T, p []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	if _, err := zw.Write(p); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func inflate(t *testing.T, encoded string) []byte {
	t.Helper()
	packed, err := base64.RawURLEncoding.DecodeString(encoded[1:])
	if err != nil {
		t.Fatal(err)
	}
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
