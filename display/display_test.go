package display

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"attesta/credentials"
)

func module(t testing.TB, code string) (credentials.Provider, credentials.Module) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "modules.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Provider credentials.Provider
		Modules  []credentials.Module
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	for _, m := range file.Modules {
		if m.Code == code {
			return file.Provider, m
		}
	}
	t.Fatalf("no module %q in testdata", code)
	return credentials.Provider{}, credentials.Module{}
}

// kept writes a picture where ATTESTA_PICTURES says, to be looked at.
func kept(t *testing.T, name string, b []byte) {
	t.Helper()
	if dir := os.Getenv("ATTESTA_PICTURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func picture(t *testing.T, b []byte) *image.Paletted {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	p, ok := m.(*image.Paletted)
	if !ok {
		t.Fatalf("picture is a %T, want a palette", m)
	}
	return p
}

func TestModuleIsSmallAndAlwaysTheSame(t *testing.T) {
	for _, code := range []string{"SN-11", "SN-01"} {
		for _, language := range []string{"it", "en"} {
			p, m := module(t, code)
			first, err := Module(p, m, language)
			if err != nil {
				t.Fatal(err)
			}
			kept(t, "display-"+code+"-"+language+".png", first)
			t.Logf("%s %s: %d bytes", code, language, len(first))
			if len(first) > 13_000 {
				t.Errorf("%s %s: %d bytes, want at most 13000", code, language, len(first))
			}
			pic := picture(t, first)
			if got, want := pic.Bounds(), image.Rect(0, 0, Width, Height); got != want {
				t.Errorf("%s %s: bounds %v, want %v", code, language, got, want)
			}
			if len(pic.Palette) > 16 {
				t.Errorf("%s %s: %d colours, want at most 16", code, language, len(pic.Palette))
			}
			again, err := Module(p, m, language)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first, again) {
				t.Errorf("%s %s: the same module gave other bytes", code, language)
			}
		}
	}
}

func BenchmarkModule(b *testing.B) {
	p, m := module(b, "SN-11")
	var size int
	for b.Loop() {
		out, err := Module(p, m, "it")
		if err != nil {
			b.Fatal(err)
		}
		size = len(out)
	}
	b.ReportMetric(float64(size), "bytes")
}

func TestModuleManyAtOnce(t *testing.T) {
	p, m := module(t, "SN-11")
	want, err := Module(p, m, "it")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if got, err := Module(p, m, "it"); err != nil || !bytes.Equal(got, want) {
				t.Errorf("drawing at the same time gave other bytes (error %v)", err)
			}
		})
	}
	wait.Wait()
}

func TestNothingIsClipped(t *testing.T) {
	provider, m := module(t, "SN-11")
	many := "Łódź, Čeština, Ελληνικά, кириллица, 中文, 🎓, العربية"
	tests := []struct{ name, title string }{
		{"long", strings.Repeat("Orientamento e accompagnamento al lavoro delle persone in difficoltà ", 8)},
		{"endless", strings.Repeat("Orientamento e accompagnamento ", 400)},
		{"one-word", strings.Repeat("Donaudampfschifffahrt", 60)},
		{"scripts", many},
		{"decomposed", "Niccolo\u0300 e\u0301 cosi\u0300"},
		{"turned", "a\u202Eb\x00c\nd"},
		{"empty", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m.Title = credentials.Text{"it": tt.title}
			p := provider
			p.Name = credentials.Text{"it": provider.Name["it"] + " " + tt.title}
			b, err := Module(p, m, "it")
			if err != nil {
				t.Fatal(err)
			}
			kept(t, "display-"+tt.name+".png", b)
			pic := picture(t, b)
			for y := range Height {
				for x := right + 1; x < Width; x++ {
					if pic.ColorIndexAt(x, y) != 0 {
						t.Fatalf("ink in the right margin at %d,%d", x, y)
					}
				}
			}
		})
	}
}

// A letter that the fonts lack leaves a mark in the picture.
func TestMissingLettersLeaveInk(t *testing.T) {
	nothing, err := Draw(Sheet{})
	if err != nil {
		t.Fatal(err)
	}
	for _, title := range []string{"中", "🎓", "\u202E"} {
		drawn, err := Draw(Sheet{Title: title})
		if err != nil {
			t.Fatal(err)
		}
		ink, before := 0, picture(t, nothing)
		for i, p := range picture(t, drawn).Pix {
			if p != before.Pix[i] {
				ink++
			}
		}
		if ink < 20 {
			t.Errorf("%q leaves %d pixels", title, ink)
		}
	}
}

func TestMissingLettersAreSeen(t *testing.T) {
	faces, err := newStyles()
	if err != nil {
		t.Fatal(err)
	}
	if !faces.has(missing) {
		t.Fatalf("the fonts have no %q", missing)
	}
	tests := map[string]string{
		"Łódź, Čeština":      "Łódź, Čeština",
		"Ελληνικά кириллица": "Ελληνικά кириллица",
		"中文 e 🎓":             "□□ e □",
		"a\x00b\u202Ec":      "a□b□c",
		"  due\n righe ":     "due righe",
		"Niccolo\u0300":      "Niccolò",
	}
	for in, want := range tests {
		if got := faces.clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}
