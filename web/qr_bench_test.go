package web

import (
	"image"
	"image/color"
	"image/png"
	"io"
	"testing"

	"github.com/skip2/go-qrcode"
)

// BenchmarkQR (B19) draws the QR of an address of 61 bytes: as SVG, which is what
// the pages serve, beside what the library takes of that for the modules; and for
// comparison as PNG from the same modules, and by the library.
func BenchmarkQR(b *testing.B) {
	const address = "https://attesta.regione.example.it/v/AAAAAAAAAAAAAAAAAAAAAAAA"
	if len(address) != 61 {
		b.Fatal(len(address))
	}
	encoded := func(b *testing.B) *qrcode.QRCode {
		q, err := code(address)
		if err != nil {
			b.Fatal(err)
		}
		return q
	}
	b.Run("SVG", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := QR(address); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("modules-by-library", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			encoded(b).Bitmap()
		}
	})
	b.Run("PNG-by-library", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := encoded(b).PNG(-8); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("PNG", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			rows := encoded(b).Bitmap()
			picture := image.NewPaletted(image.Rect(0, 0, len(rows), len(rows)), color.Palette{color.White, color.Black})
			for y, row := range rows {
				for x, dark := range row {
					if dark {
						picture.Pix[y*picture.Stride+x] = 1
					}
				}
			}
			if err := png.Encode(io.Discard, picture); err != nil {
				b.Fatal(err)
			}
		}
	})
}
