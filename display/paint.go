package display

import (
	"image"
	"image/color"
	"math"
	"sync"

	"golang.org/x/image/math/fixed"
)

// A ramp is the palette indexes from a ground to a colour laid on it.
type ramp []uint8

// The palette has at most 16 colours, so that a pixel takes four bits: the paper, ink
// and accent in steps on it, the band, and line and white in steps on that.
func inkOnPaper() ramp    { return ramp{0, 1, 2} }
func accentOnPaper() ramp { return ramp{0, 3, 4, 5} }
func lineOnBand() ramp    { return ramp{6, 7, 8} }
func whiteOnBand() ramp   { return ramp{6, 9, 10, 11} }

func palette() color.Palette {
	paper := color.RGBA{0xFB, 0xFA, 0xF5, 0xFF}
	ink := color.RGBA{0x12, 0x2B, 0x45, 0xFF}
	accent := color.RGBA{0x0B, 0x6E, 0x75, 0xFF}
	band := color.RGBA{0x0F, 0x2F, 0x4F, 0xFF}
	line := color.RGBA{0x4F, 0xA3, 0xA6, 0xFF}
	white := color.RGBA{0xFF, 0xFF, 0xFF, 0xFF}
	p := color.Palette{paper}
	p = append(p, steps(paper, ink, 2)...)
	p = append(p, steps(paper, accent, 3)...)
	p = append(p, band)
	p = append(p, steps(band, line, 2)...)
	return append(p, steps(band, white, 3)...)
}

// steps returns n colours that lead from one (left out) to another.
func steps(from, to color.RGBA, n int) []color.Color {
	mix := func(a, b uint8, i int) uint8 { return uint8((int(a)*(n-i) + int(b)*i + n/2) / n) }
	var all []color.Color
	for i := 1; i <= n; i++ {
		all = append(all, color.RGBA{mix(from.R, to.R, i), mix(from.G, to.G, i), mix(from.B, to.B, i), 0xFF})
	}
	return all
}

type canvas struct{ *image.Paletted }

// lay puts a colour with a coverage of 0 to 255 on a pixel. Coverage is made
// steeper than drawn: crisper edges, and less to compress.
func (c canvas) lay(x, y int, cover uint8, r ramp) {
	steeper := min(max((int(cover)-128)*3/2+128, 0), 255)
	if level := (steeper*(len(r)-1) + 127) / 255; level > 0 {
		if i := c.PixOffset(x, y); c.Pix[i] < r[level] || c.Pix[i] > r[len(r)-1] {
			c.Pix[i] = r[level]
		}
	}
}

func (c canvas) fill(area image.Rectangle, index uint8) {
	area = area.Intersect(c.Rect)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		row := c.Pix[c.PixOffset(area.Min.X, y):c.PixOffset(area.Max.X, y)]
		for i := range row {
			row[i] = index
		}
	}
}

// text writes one line with the pen starting at x on the base line y. Letters
// begin on whole pixels, which keeps equal letters equal and the file small.
func (c canvas) text(st *style, x, y int, text string, r ramp) {
	pen := fixed.I(x)
	for _, letter := range text {
		g := st.glyph(letter)
		at := g.bounds.Add(image.Pt(pen.Round(), y))
		pen += g.advance
		if !at.In(c.Rect) {
			continue
		}
		i := 0
		for py := at.Min.Y; py < at.Max.Y; py++ {
			for px := at.Min.X; px < at.Max.X; px++ {
				c.lay(px, py, g.cover[i], r)
				i++
			}
		}
	}
}

// ground is the part of the picture that is the same for every module. It is
// drawn once; callers copy it.
var ground = sync.OnceValue(func() []uint8 {
	c := canvas{image.NewPaletted(image.Rect(0, 0, Width, Height), nil)}
	c.fill(image.Rect(0, 0, bandWidth, Height), lineOnBand()[0])
	c.rosette()
	c.fill(image.Rect(bandWidth, 0, bandWidth+5, Height), accentOnPaper()[3])
	return c.Pix
})

// The rosette is the seal-like drawing in the band, around its centre.
const (
	bandWidth = 206
	rosetteX  = bandWidth / 2
	rosetteY  = 211
	innerR    = 55.0
	outerR    = 92.0
)

// A strand is one closed curve around the centre: radius + swing·cos(waves·θ + turn).
type strand struct{ radius, swing, waves, turn float64 }

func strands() []strand {
	var all []strand
	for i := range 2 {
		all = append(all, strand{radius: 73.5, swing: 13, waves: 12, turn: float64(i) * math.Pi})
	}
	return append(all, strand{radius: innerR}, strand{radius: outerR})
}

// rosette draws each strand by the distance of every pixel from it.
func (c canvas) rosette() {
	all := strands()
	const half = 0.65 // of the width of a line
	for y := range Height {
		for x := range bandWidth {
			dx, dy := float64(x-rosetteX), float64(y-rosetteY)
			r := math.Hypot(dx, dy)
			if r < innerR-2 || r > outerR+2 {
				continue
			}
			angle, best := math.Atan2(dy, dx), 0.0
			for _, s := range all {
				sin, cos := math.Sincos(s.waves*angle + s.turn)
				slope := s.swing * s.waves * sin / max(r, 1)
				away := math.Abs(r-s.radius-s.swing*cos) / math.Sqrt(1+slope*slope)
				best = max(best, min(1, half+0.5-away))
			}
			c.lay(x, y, uint8(best*255), lineOnBand())
		}
	}
}
