package web

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
)

// point is a place in the drawing, which is 24 units wide and high.
type point struct{ x, y float64 }

// The drawing of assets/icon.svg: a shield with three lines of text on it.
const (
	drawing   = 24.0
	lineWidth = 1.6
)

func iconLines() [][2]point {
	return [][2]point{{{7.5, 8.2}, {16.5, 8.2}}, {{7.5, 11.7}, {16.5, 11.7}}, {{7.5, 15.2}, {12.5, 15.2}}}
}

// iconShield is the outline of the shield, clockwise; its curves are made of
// short straight pieces. It is convex.
func iconShield() []point {
	outline := []point{{12, 1.5}, {21, 5}, {21, 11.4}}
	for _, curve := range [][4]point{
		{{21, 11.4}, {21, 16.7}, {17.3, 20.7}, {12, 22.5}},
		{{12, 22.5}, {6.7, 20.7}, {3, 16.7}, {3, 11.4}},
	} {
		const pieces = 24
		for n := 1; n <= pieces; n++ {
			t := float64(n) / pieces
			a, b, c, d := (1-t)*(1-t)*(1-t), 3*t*(1-t)*(1-t), 3*t*t*(1-t), t*t*t
			outline = append(outline, point{
				a*curve[0].x + b*curve[1].x + c*curve[2].x + d*curve[3].x,
				a*curve[0].y + b*curve[1].y + c*curve[2].y + d*curve[3].y,
			})
		}
	}
	return append(outline, point{3, 5})
}

// drawIcon draws the icon as a PNG of some pixels in each direction, on white
// and with enough of it around for a mask in the form of a circle.
func drawIcon(pixels int) ([]byte, error) {
	const part, samples = 0.75, 3 // of the picture that the drawing takes; in each direction of a pixel
	outline, lines := iconShield(), iconLines()
	scale := drawing / (part * float64(pixels))
	edge := drawing * (1 - 1/part) / 2
	picture := image.NewRGBA(image.Rect(0, 0, pixels, pixels))
	for py := range pixels {
		for px := range pixels {
			blue := 0
			for n := range samples * samples {
				at := point{
					edge + scale*(float64(px)+(float64(n%samples)+0.5)/samples),
					edge + scale*(float64(py)+(float64(n/samples)+0.5)/samples),
				}
				if within(outline, at) && !onLine(lines, at) {
					blue++
				}
			}
			mix := func(c int) uint8 { return uint8(255 - (255-c)*blue/(samples*samples)) }
			picture.SetRGBA(px, py, color.RGBA{mix(0), mix(0x66), mix(0xCC), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return nil, fmt.Errorf("drawing the icon: %w", err)
	}
	return b.Bytes(), nil
}

// within tells whether a point is inside a convex outline.
func within(outline []point, at point) bool {
	if at.x < 3 || at.x > 21 || at.y < 1.5 || at.y > 22.5 {
		return false
	}
	for n, a := range outline {
		b := outline[(n+1)%len(outline)]
		if (b.x-a.x)*(at.y-a.y)-(b.y-a.y)*(at.x-a.x) < 0 {
			return false
		}
	}
	return true
}

// onLine tells whether a point is on one of the lines, which lie and have round
// ends.
func onLine(lines [][2]point, at point) bool {
	for _, l := range lines {
		x := min(max(at.x, l[0].x), l[1].x)
		if math.Hypot(at.x-x, at.y-l[0].y) <= lineWidth/2 {
			return true
		}
	}
	return false
}
