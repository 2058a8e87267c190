package presentation

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/webp"
)

// A progressive JPEG is kept in memory whole before it is a picture, and each
// of its scans goes over all of it.
const (
	maxProgressive = 16e6 // pixels
	maxScans       = 64
)

// picture tells the kinds of pictures by how they begin.
func picture(data []byte) bool { return pictureKind(data) != "" }

func pictureKind(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xFF\xD8\xFF")):
		return "jpeg"
	case bytes.HasPrefix(data, []byte(pngSignature)):
		return "png"
	case len(data) > 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return "webp"
	case len(data) > 12 && string(data[4:8]) == "ftyp",
		bytes.HasPrefix(data, []byte("GIF8")), bytes.HasPrefix(data, []byte("II*\x00")), bytes.HasPrefix(data, []byte("MM\x00*")):
		return "other" // HEIC and AVIF, GIF, TIFF
	}
	return ""
}

// photo reads the QR in a picture.
func (r *reading) photo(i Item, data []byte) {
	text, code := r.scan(data)
	if code != "" {
		r.problem(i, code)
		return
	}
	i.Found = InQR
	r.add(r.refer(i, text))
}

// scan decodes a picture, one at a time, and the QR in it. The libraries that
// do it are the work of others on the input of anybody: should one give up in
// the middle, the picture is damaged and nothing else is.
func (r *reading) scan(data []byte) (text, code string) {
	kind := pictureKind(data)
	if kind == "other" {
		return "", "picture_kind"
	}
	if code := declared(kind, data); code != "" {
		return "", code
	}
	select {
	case r.pictures <- struct{}{}:
		defer func() { <-r.pictures }()
	case <-r.ctx.Done():
		return "", "late"
	}
	code = surviving(func() (code string) {
		text, code = decode(kind, data)
		return code
	})
	return text, code
}

// surviving does the work of libraries, of which a crash is a damaged picture.
func surviving(work func() (code string)) (code string) {
	defer func() {
		if recover() != nil {
			code = "picture_damaged"
		}
	}()
	return work()
}

// decode decodes a picture and the QR in it.
func decode(kind string, data []byte) (text, code string) {
	var decoded image.Image
	var err error
	switch kind {
	case "jpeg":
		decoded, err = jpeg.Decode(bytes.NewReader(data))
	case "png":
		decoded, err = png.Decode(bytes.NewReader(data))
	default:
		decoded, err = webp.Decode(bytes.NewReader(data))
	}
	if err != nil {
		return "", "picture_damaged"
	}
	if text = readQR(grey(decoded)); text == "" {
		return "", "qr_none"
	}
	return text, ""
}

// declared bounds a picture by what it says of itself, before it is decoded.
func declared(kind string, data []byte) (code string) {
	if len(data) > maxPicture {
		return "picture_large"
	}
	var c image.Config
	var err error
	switch kind {
	case "jpeg":
		if c, err = jpeg.DecodeConfig(bytes.NewReader(data)); err == nil && progressive(data) &&
			(c.Width*c.Height > maxProgressive || bytes.Count(data, []byte{0xFF, 0xDA}) > maxScans) {
			return "picture_large"
		}
	case "png":
		c, err = png.DecodeConfig(bytes.NewReader(data))
	default:
		c, err = webp.DecodeConfig(bytes.NewReader(data))
	}
	switch {
	case err != nil || c.Width <= 0 || c.Height <= 0:
		return "picture_damaged"
	case c.Width > maxPixels/c.Height:
		return "picture_large"
	}
	return ""
}

// progressive tells a JPEG that is built up in scans, by the marker before its
// size (ITU-T T.81 annex B.2.2).
func progressive(data []byte) bool {
	for at := 2; at+4 <= len(data) && data[at] == 0xFF; {
		marker := data[at+1]
		switch marker {
		case 0xFF:
			at++
			continue
		case 0xC0, 0xC1:
			return false
		case 0xC2, 0xDA: // or no size before the picture
			return true
		}
		at += 2 + int(binary.BigEndian.Uint16(data[at+2:]))
	}
	return true
}

// plane is a picture in shades of grey.
type plane struct {
	width, height int
	luma          []byte
}

// grey takes the brightness of a picture. What is transparent is white.
func grey(from image.Image) plane {
	b := from.Bounds()
	p := plane{b.Dx(), b.Dy(), make([]byte, b.Dx()*b.Dy())}
	for y := range p.height {
		row := p.luma[y*p.width : (y+1)*p.width]
		switch m := from.(type) {
		case *image.YCbCr:
			copy(row, m.Y[m.YOffset(b.Min.X, b.Min.Y+y):])
		case *image.Gray:
			copy(row, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		case *image.NRGBA:
			pix := m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):]
			for x := range row {
				row[x] = shade(uint32(pix[4*x]), uint32(pix[4*x+1]), uint32(pix[4*x+2]), uint32(pix[4*x+3]))
			}
		case *image.RGBA:
			pix := m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):]
			for x := range row {
				row[x] = shade(uint32(pix[4*x]), uint32(pix[4*x+1]), uint32(pix[4*x+2]), 255)
			}
		default:
			for x := range row {
				c, _ := color.NRGBAModel.Convert(from.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
				row[x] = shade(uint32(c.R), uint32(c.G), uint32(c.B), uint32(c.A))
			}
		}
	}
	return p
}

func shade(r, g, b, a uint32) byte {
	light := (r + 2*g + b) / 4
	return byte((light*a + 255*(255-a)) / 255)
}

// shrunk makes a picture so many times smaller, each pixel the mean of those it
// stands for.
func (p plane) shrunk(by int) plane {
	s := plane{width: p.width / by, height: p.height / by}
	s.luma = make([]byte, s.width*s.height)
	for y := range s.height {
		for x := range s.width {
			sum := 0
			for dy := range by {
				for _, v := range p.luma[(y*by+dy)*p.width+x*by:][:by] {
					sum += int(v)
				}
			}
			s.luma[y*s.width+x] = byte(sum / (by * by))
		}
	}
	return s
}

// The sides of a picture at which a QR is looked for. A photo of a page has many
// more pixels than its QR needs, and its grain disturbs.
const (
	usualSide = 1600
	mostSide  = 4096
	leastSide = 40
)

// readQR looks for a QR: as it stands, exactly drawn, light on dark, and at half
// the size; then at the full size of a large picture. It returns "" where it
// finds none.
func readQR(p plane) string {
	side := max(p.width, p.height)
	usual, most := max(1, (side+usualSide-1)/usualSide), max(1, (side+mostSide-1)/mostSide)
	for n, by := range []int{usual, 2 * usual, most} {
		if n == 2 && most == usual {
			break
		}
		s := p
		if by > 1 {
			s = p.shrunk(by)
		}
		if min(s.width, s.height) < leastSide/2 {
			continue
		}
		for _, way := range []struct{ pure, inverted bool }{{}, {pure: true}, {inverted: true}} {
			if text := decodeQR(s, way.pure, way.inverted); text != "" {
				return text
			}
		}
	}
	return ""
}
