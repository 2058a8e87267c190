package receipt

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
)

// Measures of a page, in points.
const (
	pageWidth  = 595.28
	pageHeight = 841.89
	margin     = 56
	bottom     = 792 // below it stands the footer alone
	column     = 150 // of the names of facts
	indent     = 24  // of what stands below the name of a file
	leading    = 1.35
)

// maxText bounds a text, in letters.
const maxText = 600

// missing stands for a letter that the fonts do not have.
const missing = '□'

// letters are the fonts, to look up which letters they have. They are read for each
// receipt, so that a program that writes none does not carry them.
func letters() (found []*sfnt.Font, err error) {
	for _, ttf := range [][]byte{goregular.TTF, gobold.TTF} {
		f, err := sfnt.Parse(ttf)
		if err != nil {
			return nil, fmt.Errorf("reading a font: %w", err)
		}
		found = append(found, f)
	}
	return found, nil
}

// clean makes one line of letters that both fonts have. Marks of direction,
// control characters and other letters become a box, so that it is seen that
// something is there.
func (p *paper) clean(text string) string {
	var b strings.Builder
	var glyphs sfnt.Buffer
	n, space := 0, true
	for _, r := range norm.NFC.String(strings.ToValidUTF8(first(text, 8*maxText), string(missing))) {
		if unicode.IsSpace(r) {
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		}
		if n++; n > maxText {
			b.WriteRune('…')
			break
		}
		space = false
		if r > 0xFFFF || !unicode.IsPrint(r) {
			r = missing
		}
		for _, f := range p.fonts {
			if i, err := f.GlyphIndex(&glyphs, r); err != nil || i == 0 {
				r = missing
			}
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// first is the beginning of a text, so that what is much too long costs little.
func first(text string, bytes int) string {
	if len(text) > bytes {
		return strings.ToValidUTF8(text[:bytes], "")
	}
	return text
}

// line is a text at its place on a page; a rule when it has none.
type line struct {
	x, y   float64 // y is the base of the letters, from the top
	style  string  // "" or B
	size   float64
	colour [3]int
	text   string
}

var (
	ink   = [3]int{20, 24, 31}
	soft  = [3]int{84, 92, 105}
	faint = [3]int{200, 205, 212}
)

func (t Tone) colour() [3]int {
	switch t {
	case Good:
		return [3]int{17, 94, 50}
	case Bad:
		return [3]int{158, 22, 32}
	case Doubtful:
		return [3]int{128, 76, 0}
	case Neutral:
	}
	return ink
}

func (l line) draw(f *fpdf.Fpdf) {
	if l.text == "" {
		f.SetDrawColor(l.colour[0], l.colour[1], l.colour[2])
		f.SetLineWidth(l.size)
		f.Line(l.x, l.y, pageWidth-margin, l.y)
		return
	}
	f.SetTextColor(l.colour[0], l.colour[1], l.colour[2])
	f.SetFont(family, l.style, l.size)
	f.Text(l.x, l.y, l.text)
}

func footer(title, page string) line {
	return line{x: margin, y: pageHeight - 30, size: 8, colour: soft, text: strings.TrimSpace(title + " · " + page)}
}

// paper puts lines on pages, one block after the other.
type paper struct {
	*fpdf.Fpdf
	fonts []*sfnt.Font
	pages [][]line
	y     float64 // where the next block begins
	block []line  // y of its lines is from its beginning
	deep  float64 // of the block
}

// text adds a text to the block, in lines that fit between x and the margin.
func (p *paper) text(x float64, style string, size float64, colour [3]int, text string) {
	for _, part := range p.wrap(p.clean(text), style, size, pageWidth-margin-x) {
		p.deep += size * leading
		p.block = append(p.block, line{x, p.deep, style, size, colour, part})
	}
}

// facts adds names with values beside them.
func (p *paper) facts(x, size float64, all []Fact) {
	for _, f := range all {
		if p.clean(f.Value) == "" {
			continue
		}
		top := p.deep
		names := p.wrap(p.clean(f.Name), "", size, column-8)
		p.text(x+column, "", size, ink, f.Value)
		for n, part := range names {
			y := top + float64(n+1)*size*leading
			p.block = append(p.block, line{x, y, "", size, soft, part})
			p.deep = max(p.deep, y)
		}
	}
}

// wrap breaks a text into lines, between words, and inside a word only where it
// is wider than a whole line.
func (p *paper) wrap(text, style string, size, width float64) (lines []string) {
	p.SetFont(family, style, size)
	current := ""
	for word := range strings.FieldsSeq(text) {
		joined := strings.TrimSpace(current + " " + word)
		if p.GetStringWidth(joined) <= width {
			current = joined
			continue
		}
		if current != "" {
			lines = append(lines, current)
		}
		for current = word; p.GetStringWidth(current) > width; {
			runes := []rune(current)
			fits, used := 0, 0.0
			for ; fits < len(runes); fits++ {
				if used += p.GetStringWidth(string(runes[fits])); used > width {
					break
				}
			}
			fits = min(max(fits, 1), len(runes)-1)
			if fits == 0 {
				break
			}
			lines = append(lines, string(runes[:fits]))
			current = string(runes[fits:])
		}
	}
	if current != "" {
		lines = append(lines, current)
	}
	return lines
}

// put puts the block on the page, or on the next one where it does not fit; one
// that fits on none is broken between lines.
func (p *paper) put(gap float64) {
	if p.y+p.deep > bottom && p.y > margin {
		p.turn()
	}
	slices.SortStableFunc(p.block, func(a, b line) int { return cmp.Compare(a.y, b.y) })
	start, end := p.y, p.y+p.deep
	for _, l := range p.block {
		if start+l.y > bottom {
			p.turn()
			start = margin + l.size*leading - l.y
		}
		l.y += start
		end = l.y
		p.pages[len(p.pages)-1] = append(p.pages[len(p.pages)-1], l)
	}
	p.y = end
	p.y += gap
	p.block, p.deep = nil, 0
}

func (p *paper) turn() { p.pages, p.y = append(p.pages, nil), margin }

// lay puts the whole content on pages.
func (p *paper) lay(c Content) [][]line {
	p.turn()
	p.text(margin, "B", 18, ink, c.Title)
	p.put(8)
	p.facts(margin, 9.5, c.Facts)
	p.put(10)
	p.text(margin, "B", 11, ink, c.Summary)
	p.put(8)
	for _, note := range c.Notes {
		p.text(margin, "", 9, ink, note)
		p.put(4)
	}
	p.y += 4
	for n, row := range c.Rows {
		p.block = append(p.block, line{x: margin, y: 0, size: 0.5, colour: faint})
		p.deep = 3
		p.block = append(p.block, line{margin, p.deep + 10*leading, "", 8, soft, strconv.Itoa(n + 1)})
		p.text(margin+indent, "B", 10, ink, row.Name)
		p.text(margin+indent, "B", 9.5, row.Tone.colour(), row.Verdict)
		p.text(margin+indent, "", 9, ink, row.Reason)
		p.facts(margin+indent, 8, row.Facts)
		p.put(8)
	}
	return p.pages
}
