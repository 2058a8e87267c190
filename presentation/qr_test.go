package presentation

import (
	"image"
	"strings"
	"testing"
)

// onScreen draws a QR so many pixels wide, as browsers draw it with sharp edges: each
// module has a whole number of pixels, which is not the same for all.
func onScreen(m *image.Gray, width int) *image.Gray {
	from := m.Bounds().Dx()
	to := image.NewGray(image.Rect(0, 0, width, width))
	for y := range width {
		for x := range width {
			to.SetGray(x, y, m.GrayAt((2*x+1)*from/(2*width), (2*y+1)*from/(2*width)))
		}
	}
	return to
}

// TestScreenshot: a fine QR is read from the picture of a screen at nearly every width
// there, and an ordinary one at every one. What is left are widths at which a part
// of the content looks more like a corner than a corner does.
func TestScreenshot(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		lost int
	}{
		"compact": {"HTTP://ATTESTATI.EXAMPLE.ORG/C#AT1:" + strings.Repeat("6BF+$/.Z0", 82), 2},
		"short":   {"https://attestati.example.org/v/TQ2YDIL6MRXA2P2CRE4KY75FCZ", 0},
	} {
		code := qr(t, c.text, 1, false)
		modules, read, tried := code.Bounds().Dx(), 0, 0
		for width := 3 * modules; width <= 6*modules; width += modules/9 + 1 {
			tried++
			page := onPage(onScreen(code, width), 1280, 1400)
			switch got := readQR(grey(page)); got {
			case c.text:
				read++
			case "":
			default:
				t.Errorf("%s: %d pixels for %d modules: read as %.20q", name, width, modules, got)
			}
		}
		if tried < 20 || tried-read > c.lost {
			t.Errorf("%s: of %d modules %d of %d widths were read", name, modules, read, tried)
		}
	}
	if got := readQR(grey(onPage(image.NewGray(image.Rect(0, 0, 300, 300)), 1280, 1400))); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}
