package status

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
)

// S4: lists as they stand in the specification (1 and 2 bits) and by its rule
// (4 and 8), compressed bytes included. All patterns are asymmetric: read from
// the other end they give something else.
func TestDecodeTokenListExamples(t *testing.T) {
	for _, c := range []struct {
		width  int
		packed string // hex
		bytes  string
		want   []Value
	}{
		{1, "78dadbb918000217015d", "b9a3", []Value{1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1}},
		{2, "78da3be9f2130003df0207", "c944f9", []Value{1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3}},
		{4, "", "21c30f", []Value{1, 2, 3, 12, 15, 0}},
		{8, "", "0102030c0ff0", []Value{1, 2, 3, 12, 15, 240}},
	} {
		data, err := hex.DecodeString(c.bytes)
		if err != nil {
			t.Fatal(err)
		}
		packed := deflated(t, data)
		if c.packed != "" {
			if packed, err = hex.DecodeString(c.packed); err != nil {
				t.Fatal(err)
			}
		}
		l, err := DecodeTokenList(base64.RawURLEncoding.EncodeToString(packed), c.width, 1<<20)
		if err != nil {
			t.Errorf("%d bits: %v", c.width, err)
			continue
		}
		if hex.EncodeToString(l.data) != c.bytes || l.Size() != uint64(len(c.want)) || l.Bytes() != len(data) {
			t.Errorf("%d bits: %x, %d entries", c.width, l.data, l.Size())
		}
		var got []Value
		for i := range c.want {
			v, err := l.Get(uint32(i))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, v)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%d bits: %v, want %v", c.width, got, c.want)
		}
		for _, i := range []uint32{uint32(len(c.want)), 1 << 31, 1<<32 - 1} {
			if _, err := l.Get(i); !errors.Is(err, ErrRange) {
				t.Errorf("%d bits: entry %d: %v", c.width, i, err)
			}
		}
	}
}

// The same bits in the two kinds of list are two different lists.
func TestBitOrders(t *testing.T) {
	bits := NewBitstring(MinEntries)
	if err := bits.Set(1); err != nil {
		t.Fatal(err)
	}
	l, err := DecodeTokenList(base64.RawURLEncoding.EncodeToString(deflated(t, bits.bits)), 1, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range map[uint32]Value{1: Valid, 6: Revoked} {
		if v, err := l.Get(i); err != nil || v != want {
			t.Errorf("entry %d: %v, %v", i, v, err)
		}
	}
}

func deflated(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// S1, S4: what is no list is refused, and a bomb at its bound.
func TestDecodeTokenListRefuses(t *testing.T) {
	good := deflated(t, []byte{0xb9, 0xa3})
	text := base64.RawURLEncoding.EncodeToString
	dictionary, err := hex.DecodeString("78bb0fb603f14a04020001014c6a00ac")
	if err != nil {
		t.Fatal(err)
	}
	broken := slices.Clone(good)
	broken[len(broken)-1]++
	for name, c := range map[string]struct {
		lst   string
		width int
		long  bool
	}{
		"no bits":              {text(good), 0, false},
		"three bits":           {text(good), 3, false},
		"sixteen bits":         {text(good), 16, false},
		"fewer than no bits":   {text(good), -1, false},
		"nothing":              {"", 1, false},
		"an empty list":        {text(deflated(t, nil)), 1, true},
		"multibase":            {"u" + text(good), 1, false},
		"padding":              {base64.URLEncoding.EncodeToString(good), 1, false},
		"the other alphabet":   {"+/" + text(good), 1, false},
		"a line break":         {text(good)[:4] + "\n" + text(good)[4:], 1, false},
		"gzip":                 {"H4sIAAAAAAAAA9u5GAAcpFLcAgAAAA", 1, false},
		"bare deflate":         {text(good[2 : len(good)-4]), 1, false},
		"a wrong check sum":    {text(broken), 1, false},
		"cut short":            {text(good[:len(good)-1]), 1, false},
		"bytes after it":       {text(append(slices.Clone(good), 0)), 1, false},
		"a second stream":      {text(slices.Concat(good, good)), 1, false},
		"a preset dictionary":  {text(dictionary), 1, false},
		"a bomb":               {text(deflated(t, make([]byte, 8<<20))), 1, true},
		"one byte too many":    {text(deflated(t, make([]byte, 1<<20+1))), 1, true},
		"text without end":     {strings.Repeat("A", 2<<20), 1, true},
		"bits that do not end": {text(deflated(t, bytes.Repeat([]byte{0xb9, 0xa3, 0x0e}, 1<<20))), 2, true},
	} {
		l, err := DecodeTokenList(c.lst, c.width, 1<<20)
		if err == nil || l != nil || errors.Is(err, ErrLength) != c.long {
			t.Errorf("%s: %v, %v", name, l != nil, err)
		}
	}
	if l, err := DecodeTokenList(text(deflated(t, make([]byte, 1<<20))), 8, 1<<20); err != nil || l.Size() != 1<<20 {
		t.Errorf("as large as the bound: %v", err)
	}
}

// FuzzDecodeTokenList: whatever the text, memory is bounded, every entry inside
// can be read and none outside.
func FuzzDecodeTokenList(f *testing.F) {
	for _, packed := range []string{"78dadbb918000217015d", "78da3be9f2130003df0207", "78bb0fb603f14a04020001014c6a00ac"} {
		raw, err := hex.DecodeString(packed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(base64.RawURLEncoding.EncodeToString(raw), 1)
		f.Add(base64.RawURLEncoding.EncodeToString(raw), 2)
	}
	f.Add(base64.RawURLEncoding.EncodeToString(deflated(f, make([]byte, 1<<12))), 8)
	f.Add("", 4)
	const bound = 1 << 12
	f.Fuzz(func(t *testing.T, lst string, width int) {
		l, err := DecodeTokenList(lst, width, bound)
		if err != nil {
			return
		}
		if l.Bytes() > bound || l.Size()*uint64(width) != uint64(l.Bytes())*8 {
			t.Fatalf("%d bytes, %d entries", l.Bytes(), l.Size())
		}
		if v, err := l.Get(uint32(l.Size() - 1)); err != nil || int(v) >= 1<<width {
			t.Fatalf("the last entry: %v, %v", v, err)
		}
		if _, err := l.Get(uint32(l.Size())); !errors.Is(err, ErrRange) {
			t.Fatal("an entry outside is read")
		}
	})
}

// BenchmarkTokenEntry is the look-up of B9.
func BenchmarkTokenEntry(b *testing.B) {
	l, err := DecodeTokenList(base64.RawURLEncoding.EncodeToString(deflated(b, make([]byte, 1<<18))), 2, 1<<20)
	if err != nil {
		b.Fatal(err)
	}
	i := uint32(0)
	for b.Loop() {
		if v, err := l.Get(i & (1<<20 - 1)); err != nil || v != Valid {
			b.Fatal(v, err)
		}
		i += 7919
	}
}
