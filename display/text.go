package display

import (
	"fmt"
	"image"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

// A weight picks one of the fonts.
type weight int

const (
	regular weight = iota
	medium
	bold
)

// fonts parses the fonts once; they are safe for concurrent use, faces are not.
var fonts = sync.OnceValues(func() ([]*opentype.Font, error) {
	var parsed []*opentype.Font
	for _, ttf := range [][]byte{goregular.TTF, gomedium.TTF, gobold.TTF} {
		f, err := opentype.Parse(ttf)
		if err != nil {
			return nil, fmt.Errorf("reading a font: %w", err)
		}
		parsed = append(parsed, f)
	}
	return parsed, nil
})

// missing stands for a letter that the fonts do not have.
const missing = '□'

// A style is a font at a size with the glyphs drawn so far.
type style struct {
	face   font.Face
	size   float64
	glyphs map[rune]glyph
}

// A glyph is a letter as coverage, placed relative to the pen.
type glyph struct {
	bounds  image.Rectangle
	cover   []uint8
	advance fixed.Int26_6
}

// styles makes faces on demand for one picture.
type styles struct {
	fonts []*opentype.Font
	made  map[styleKey]*style
}

type styleKey struct {
	weight weight
	size   float64
}

func newStyles() (*styles, error) {
	f, err := fonts()
	if err != nil {
		return nil, err
	}
	return &styles{fonts: f, made: make(map[styleKey]*style)}, nil
}

// of returns the style of a weight and a size in pixels.
func (s *styles) of(w weight, size float64) (*style, error) {
	key := styleKey{w, size}
	if st, ok := s.made[key]; ok {
		return st, nil
	}
	face, err := opentype.NewFace(s.fonts[w], &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, fmt.Errorf("sizing a font: %w", err)
	}
	st := &style{face: face, size: size, glyphs: make(map[rune]glyph)}
	s.made[key] = st
	return st, nil
}

// has tells whether the fonts have a letter; all three have the same set.
func (s *styles) has(r rune) bool {
	i, err := s.fonts[regular].GlyphIndex(nil, r)
	return err == nil && i != 0
}

// clean makes one line of printable text in which every letter has a glyph.
// What the fonts cannot draw becomes a box, so that it is seen to be missing.
func (s *styles) clean(text string) string {
	const most = 2000 // letters; far more than can be read in the picture
	var b strings.Builder
	n, space := 0, true
	for _, r := range norm.NFC.String(text) {
		if unicode.IsSpace(r) {
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		}
		if n++; n > most {
			b.WriteRune('…')
			break
		}
		space = false
		if unicode.IsControl(r) || !s.has(r) {
			r = missing
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

func (st *style) advance(r rune) fixed.Int26_6 {
	if g, ok := st.glyphs[r]; ok {
		return g.advance
	}
	a, _ := st.face.GlyphAdvance(r)
	return a
}

func (st *style) width(text string) int {
	var w fixed.Int26_6
	for _, r := range text {
		w += st.advance(r)
	}
	return w.Ceil()
}

// glyph draws a letter once. The face lends its mask, so it is copied.
func (st *style) glyph(r rune) glyph {
	if g, ok := st.glyphs[r]; ok {
		return g
	}
	bounds, mask, at, advance, ok := st.face.Glyph(fixed.Point26_6{}, r)
	g := glyph{advance: advance}
	if alpha, isAlpha := mask.(*image.Alpha); ok && isAlpha && !bounds.Empty() {
		g.bounds = bounds
		for y := range bounds.Dy() {
			from := alpha.PixOffset(at.X, at.Y+y)
			g.cover = append(g.cover, alpha.Pix[from:from+bounds.Dx()]...)
		}
	}
	st.glyphs[r] = g
	return g
}

// wrap breaks text into lines that are at most width pixels wide, between
// words, and inside a word only where it is wider than a whole line.
func (st *style) wrap(text string, width int) []string {
	limit := fixed.I(width)
	var lines []string
	var line strings.Builder
	var used fixed.Int26_6
	for word := range strings.FieldsSeq(text) {
		var wide fixed.Int26_6
		for _, r := range word {
			wide += st.advance(r)
		}
		if line.Len() > 0 {
			if gap := st.advance(' '); used+gap+wide <= limit {
				line.WriteByte(' ')
				used += gap
			} else {
				lines = append(lines, line.String())
				line.Reset()
				used = 0
			}
		}
		for _, r := range word {
			a := st.advance(r)
			if used+a > limit && line.Len() > 0 {
				lines = append(lines, line.String())
				line.Reset()
				used = 0
			}
			line.WriteRune(r)
			used += a
		}
	}
	if line.Len() > 0 {
		lines = append(lines, line.String())
	}
	return lines
}

// shorten makes room for an ellipsis at the end of a line.
func (st *style) shorten(line string, width int) string {
	letters := []rune(line)
	for len(letters) > 0 && st.width(string(letters)+"…") > width {
		letters = letters[:len(letters)-1]
	}
	return strings.TrimRight(string(letters), " ") + "…"
}
