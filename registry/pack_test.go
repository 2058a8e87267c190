package registry

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
)

func TestPacking(t *testing.T) {
	noise := make([]byte, 30_000)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	picture := base64.StdEncoding.EncodeToString(noise)
	ends := `,"a text that all have":"and one more","name":"","end":""}`
	shared := []byte(`{"picture":"` + picture + `"` + ends)
	for _, x := range []struct {
		name          string
		content       []byte
		shared, begun []byte // what was packed with it before
		most          int
	}{
		{"short", []byte("x"), nil, nil, 2},
		{"empty", []byte{}, nil, nil, 2},
		{"noise", noise, nil, nil, len(noise) + 1},
		{"repeating", []byte(strings.Repeat("QUJD", 20_000)), nil, nil, 100},
		{"base64", shared, nil, nil, len(noise) + 1000},
		{"alike", bytes.Replace(shared, []byte(`""`), []byte(`"Ada"`), 1), shared, nil, 100},
		{"the same", shared, shared, nil, 100},
		{"alike after another", bytes.Replace(shared, []byte(`""`), []byte(`"Ada"`), 1), shared, bytes.Replace(shared, []byte(`""}`), []byte(`"x"}`), 1), 100},
		{"beginning otherwise", append([]byte(" "), shared...), shared, shared, 100},
		{"another", []byte("other"), shared, shared, 40},
		{"shorter than the prefix", shared[:100], shared, shared, 120},
		{"alike in nothing", shared, noise, nil, len(noise) + 1000},
		{"with too little in common", shared, []byte("{"), nil, len(noise) + 1000},
		{"beyond what is near", append([]byte("x"), noise...), append([]byte("y"), append(bytes.Clone(noise), picture...)...), nil, len(noise) + 1000},
		{"much beside what is near", append(bytes.Clone(shared), picture[:4000]...), shared, nil, 3200},
	} {
		var p packer
		if x.begun != nil {
			if _, err := p.choose(x.shared, nil, x.begun); err != nil {
				t.Fatal(err)
			}
		}
		d, err := p.choose(x.shared, nil, x.content)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{0, min(1, len(x.content)), len(x.content) / 2, len(x.content)} {
			for range 2 { // the second finds it where it was
				parts, err := p.choose(x.shared, x.content[:at:at], x.content[at:])
				if err != nil {
					t.Fatal(err)
				}
				if packed := parts.pack(); parts.digest() != sha256.Sum256(x.content) || !bytes.Equal(parts.whole(), x.content) || len(packed) > x.most+at {
					t.Errorf("%s: in two parts at %d: %d bytes", x.name, at, len(packed))
				} else if back, err := parts.unpack(packed); err != nil || !bytes.Equal(back, x.content) {
					t.Errorf("%s: in two parts at %d: came back as %d bytes, %v", x.name, at, len(back), err)
				}
			}
		}
		packed := d.pack()
		if len(packed) > x.most {
			t.Errorf("%s: %d bytes take %d", x.name, len(x.content), len(packed))
		}
		id, err := packedBy(packed)
		if err != nil {
			t.Fatal(err)
		}
		var fresh packer // of another process
		d2, err := fresh.get(id, func() ([]byte, error) { return d.kept, nil })
		if err != nil {
			t.Fatal(err)
		}
		back, err := d2.unpack(packed)
		if err != nil || !bytes.Equal(back, x.content) {
			t.Errorf("%s: %d bytes came back as %d, %v", x.name, len(x.content), len(back), err)
		}
		if d.digest() != sha256.Sum256(x.content) {
			t.Errorf("%s: another digest", x.name)
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
	plain, err := p.none()
	if err != nil {
		f.Fatal(err)
	}
	other, err := p.choose(shared, nil, append(bytes.Clone(shared[:100]), "other"...))
	if err != nil {
		f.Fatal(err)
	}
	with := other.dictionary
	f.Add(plain.of([]byte("x")).pack())
	f.Add(plain.of(bytes.Repeat([]byte("ab"), 500)).pack())
	f.Add(with.of(append(bytes.Clone(shared[:120]), "a"...)).pack())
	for _, c := range []content{with.of(append(bytes.Clone(shared[:130]), bytes.Repeat(shared, 9)...)), with.of(append(bytes.Clone(shared[:130]), bytes.Repeat([]byte("other"), 900)...))} {
		for _, way := range []byte{packedNear, packedShared} {
			f.Add(c.frame(way))
		}
	}
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := packedBy(b)
		if err != nil {
			return
		}
		d := plain
		if id == with.id {
			d = with
		}
		if out, err := d.unpack(b); err == nil && len(out) > MaxBytes+len(shared) {
			t.Errorf("%d bytes", len(out))
		}
	})
}

// BenchmarkPack packs what differs from others in its last bytes, as a sealed
// document does.
func BenchmarkPack(b *testing.B) {
	noise := make([]byte, 33_000)
	if _, err := rand.Read(noise); err != nil {
		b.Fatal(err)
	}
	ends := strings.Repeat(`,"a text that all have":"and one more"`, 90)
	shared := []byte(base64.StdEncoding.EncodeToString(noise) + ends + "00000000" + base64.StdEncoding.EncodeToString(noise[:300]))
	content := bytes.Replace(shared, []byte("00000000"), []byte(base64.StdEncoding.EncodeToString(noise[300:464])), 1)
	var p packer
	d, err := p.choose(shared, nil, content)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("digest", func(b *testing.B) {
		for b.Loop() {
			d.digest()
		}
	})
	b.Run("pack", func(b *testing.B) {
		for b.Loop() {
			b.ReportMetric(float64(len(d.pack())), "bytes")
		}
	})
}

// TestChosenIsBounded gives the same content from ever another place.
func TestChosenIsBounded(t *testing.T) {
	var p packer
	content := bytes.Repeat([]byte("what is shared "), 20)
	for range 3 * maxDictionaries {
		again := bytes.Clone(content)
		if _, err := p.choose(again, nil, again); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.chosen) > maxDictionaries || len(p.ready) != 1 {
		t.Errorf("%d places are kept of %d contents", len(p.chosen), len(p.ready))
	}
}

// TestWays: little beside what is shared makes a block, and more a frame.
func TestWays(t *testing.T) {
	noise := make([]byte, 100_000)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	text := []byte(base64.StdEncoding.EncodeToString(noise))
	short, long := text[:20_000], text[:100_000]
	for _, x := range []struct {
		name          string
		shared, whole []byte
		want          byte
	}{
		{"little more", short, bytes.Join([][]byte{short[:100], []byte("Ada"), short[100:]}, nil), packedNear},
		{"much more", short, bytes.Join([][]byte{short[:100], text[110_000:114_000], short[100:]}, nil), packedShared},
		{"a dictionary that is too long", long, bytes.Join([][]byte{long[:100], []byte("Ada"), long[100:]}, nil), packedShared},
		{"the end only", short, append(bytes.Clone(short), "Ada"...), packedRest},
		{"alone", nil, short, packedZstd},
		{"another", short, []byte("{}"), packedRest},
	} {
		var p packer
		c, err := p.choose(x.shared, nil, x.whole)
		if err != nil {
			t.Fatal(err)
		}
		if packed := c.pack(); packed[0] != x.want {
			t.Errorf("%s: %d, want %d", x.name, packed[0], x.want)
		}
	}
}
