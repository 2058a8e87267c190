package registry_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"attesta/registry"
)

func TestPacking(t *testing.T) {
	var p registry.Packer
	for _, doc := range []string{"x", "{}", strings.Repeat("ab", 500), strings.Repeat("QUJD", 20_000)} {
		sum := sha256.Sum256([]byte(doc))
		packed := p.Pack([]byte(doc))
		got, err := registry.Unpack(packed, hex.EncodeToString(sum[:]))
		if err != nil || string(got) != doc {
			t.Errorf("%d bytes came back as %d, %v", len(doc), len(got), err)
		}
		if len(doc) >= 1000 && len(packed) > len(doc)*7/8 {
			t.Errorf("%d bytes take %d", len(doc), len(packed))
		}
		packed[len(packed)/2] ^= 4
		if _, err := registry.Unpack(packed, hex.EncodeToString(sum[:])); err == nil {
			t.Errorf("%d bytes changed on the disk were taken", len(doc))
		}
	}
}

func FuzzUnpack(f *testing.F) {
	var p registry.Packer
	f.Add(p.Pack([]byte("x")))
	f.Add(p.Pack(bytes.Repeat([]byte("ab"), 500)))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		if out, err := registry.Unpack(b, strings.Repeat("0", 64)); err == nil {
			t.Errorf("%d bytes with the digest of nothing", len(out))
		}
	})
}
