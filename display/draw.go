package display

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
)

const (
	left   = bandWidth + 40
	right  = Width - 40
	column = right - left
	foot   = Height - 48 // top of the last line
)

// Draw lays out a sheet and returns it as a PNG. Text that is too long is set
// smaller; what still has no room ends in an ellipsis.
func Draw(s Sheet) ([]byte, error) {
	faces, err := newStyles()
	if err != nil {
		return nil, err
	}
	c := canvas{image.NewPaletted(image.Rect(0, 0, Width, Height), palette())}
	copy(c.Pix, ground())
	p := pen{canvas: c, faces: faces}
	p.seal(s.Hours, s.HoursWord)
	p.y = 42
	p.block(s.Kicker, medium, 25, accentOnPaper(), 17)
	p.y += 8
	p.block(s.Title, bold, 138, inkOnPaper(), 36, 33, 30, 26, 23, 19, 16, 13)
	p.y += 9
	p.block(s.Provider, medium, 50, inkOnPaper(), 18, 15, 12)
	p.y += 12
	p.fill(image.Rect(left, p.y, left+56, p.y+3), accentOnPaper()[3])
	p.y += 19
	p.facts(s.Facts)
	p.outcomes(s.Outcomes, s.Outcome)
	p.y = foot
	p.fill(image.Rect(left, p.y-12, right, p.y-11), accentOnPaper()[1])
	p.block(s.Disclaimer, regular, 20, inkOnPaper(), 13, 11)
	if p.err != nil {
		return nil, p.err
	}
	return encode(c.Paletted)
}

func encode(m *image.Paletted) ([]byte, error) {
	var b bytes.Buffer
	// A picture is drawn once for a module and travels in all its credentials.
	e := png.Encoder{CompressionLevel: png.BestCompression}
	if err := e.Encode(&b, m); err != nil {
		return nil, fmt.Errorf("encoding the picture: %w", err)
	}
	return b.Bytes(), nil
}

// A pen writes downwards; y is the top of the next line. The first error stays.
type pen struct {
	canvas
	faces *styles
	y     int
	err   error
}

func (p *pen) style(w weight, size float64) *style {
	st, err := p.faces.of(w, size)
	if err != nil && p.err == nil {
		p.err = err
	}
	return st
}

// leading is the distance of lines as a part of the size, and ascent that of
// the base line from the top.
const (
	leading = 1.22
	ascent  = 0.93
)

// fit wraps a text in the first of the sizes in which it is at most height
// pixels high. In the last size it is cut and ends in an ellipsis.
func (p *pen) fit(text string, w weight, width, height int, sizes ...float64) (*style, []string) {
	text = p.faces.clean(text)
	var st *style
	var lines []string
	for _, size := range sizes {
		if st = p.style(w, size); p.err != nil {
			return nil, nil
		}
		lines = st.wrap(text, width)
		if float64(len(lines))*size*leading <= float64(height) {
			return st, lines
		}
	}
	room := max(int(float64(height)/(st.size*leading)), 1)
	if len(lines) > room {
		lines = lines[:room]
		lines[room-1] = st.shorten(lines[room-1], width)
	}
	return st, lines
}

func (p *pen) block(text string, w weight, height int, r ramp, sizes ...float64) {
	st, lines := p.fit(text, w, column, height, sizes...)
	p.write(st, left, lines, r)
}

func (p *pen) write(st *style, x int, lines []string, r ramp) {
	for _, line := range lines {
		p.text(st, x, p.y+int(st.size*ascent), line, r)
		p.y += int(st.size * leading)
	}
}

// facts stand in two columns, label above value.
func (p *pen) facts(all []Fact) {
	const gap, height = 18, 47
	wide := (column - gap) / 2
	top := p.y
	for i, f := range all {
		x := left + i%2*(wide+gap)
		p.y = top + i/2*height
		st, lines := p.fit(f.Label, regular, wide, 17, 13, 11)
		p.write(st, x, lines, accentOnPaper())
		p.y += 2
		st, lines = p.fit(f.Value, medium, wide, 21, 16, 15, 13, 11)
		p.write(st, x, lines, inkOnPaper())
	}
	p.y = top + (len(all)+1)/2*height + 8
}

// outcomes writes as many whole outcomes as there is room for.
func (p *pen) outcomes(heading string, all []string) {
	const indent, bottom = 18, foot - 20
	small := p.style(regular, 14)
	if p.err != nil {
		return
	}
	for i, text := range all {
		lines := small.wrap(p.faces.clean(text), column-indent)
		need := len(lines)*int(small.size*leading) + 5
		if i == 0 {
			need += 23
		}
		if p.y+need > bottom || len(lines) == 0 {
			return
		}
		if i == 0 {
			st, title := p.fit(heading, regular, column, 17, 13)
			p.write(st, left, title, accentOnPaper())
			p.y += 6
		}
		dot := p.y + int(small.size*ascent) - 8
		p.fill(image.Rect(left+2, dot, left+7, dot+5), accentOnPaper()[3])
		p.write(small, left+indent, lines, inkOnPaper())
		p.y += 5
	}
}

// seal writes the hours into the middle of the rosette.
func (p *pen) seal(number, word string) {
	const room = 2*innerR - 24
	if number == "" {
		return
	}
	centred := func(text string, w weight, base int, sizes ...float64) {
		st, lines := p.fit(text, w, room, int(sizes[0]*leading)+1, sizes...)
		if len(lines) > 0 {
			p.text(st, rosetteX-st.width(lines[0])/2, base, lines[0], whiteOnBand())
		}
	}
	centred(number, bold, rosetteY+8, 44, 36, 32, 25, 19)
	centred(word, medium, rosetteY+29, 16, 15, 12)
}
