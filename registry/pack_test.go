package registry

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"
)

func TestPacking(t *testing.T) {
	noise := make([]byte, 30_000)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	shared := []byte(`{"name":"","picture":"` + base64.StdEncoding.EncodeToString(noise) + `","end":""}`)
	for _, x := range []struct {
		content []byte
		shared  []byte
		most    int
	}{
		{[]byte("x"), nil, 2},
		{[]byte{}, nil, 2},
		{noise, nil, len(noise) + 1},
		{[]byte(strings.Repeat("QUJD", 20_000)), nil, 100},
		{shared, nil, len(noise) + 1000},
		{bytes.Replace(shared, []byte(`""`), []byte(`"Ada"`), 1), shared, 100},
		{[]byte("other"), shared, 30},
	} {
		var id SharedID
		if x.shared != nil {
			id = sharedID(x.shared)
		}
		var p packer
		d, err := p.get(id, func() ([]byte, error) { return x.shared, nil })
		if err != nil {
			t.Fatal(err)
		}
		packed := d.pack(id, x.content)
		if len(packed) > x.most {
			t.Errorf("%d bytes take %d", len(x.content), len(packed))
		}
		back, err := d.unpack(packed)
		if by, err2 := packedBy(packed); err != nil || err2 != nil || !bytes.Equal(back, x.content) || by != id && packed[0] != packedPlain {
			t.Errorf("%d bytes came back as %d, by %x, %v, %v", len(x.content), len(back), by, err, err2)
		}
	}
	var p packer
	if _, err := p.get(SharedID{1}, func() ([]byte, error) { return shared, nil }); err == nil {
		t.Error("shared content was taken for another")
	}
}

func FuzzUnpack(f *testing.F) {
	var p packer
	shared := bytes.Repeat([]byte("shared "), 30)
	plain, err := p.get(SharedID{}, nil)
	if err != nil {
		f.Fatal(err)
	}
	with, err := p.get(sharedID(shared), func() ([]byte, error) { return shared, nil })
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain.pack(SharedID{}, []byte("x")))
	f.Add(plain.pack(SharedID{}, bytes.Repeat([]byte("ab"), 500)))
	f.Add(with.pack(sharedID(shared), append([]byte("a"), shared...)))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := packedBy(b)
		if err != nil {
			return
		}
		d := plain
		if id == sharedID(shared) {
			d = with
		}
		if out, err := d.unpack(b); err == nil && len(out) > MaxBytes {
			t.Errorf("%d bytes", len(out))
		}
	})
}
