package presentation

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

const (
	house  = "https://attesta.example:8443"
	handle = "ABCDEFGHIJKLMNOPQRSTUVWXY2"
	sealed = `{"payload":"{}","signatures":[]}`
)

// pdfWriter writes a PDF object by object.
type pdfWriter struct {
	bytes.Buffer
	offsets map[int]int
	root    string // of the trailer
	last    int    // number of the highest object
}

func newPDF() *pdfWriter {
	w := &pdfWriter{offsets: map[int]int{}, root: "/Root 1 0 R"}
	w.WriteString("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")
	return w
}

func (w *pdfWriter) object(n int, body string) {
	w.offsets[n], w.last = w.Len(), max(w.last, n)
	fmt.Fprintf(w, "%d 0 obj\n%s\nendobj\n", n, body)
}

func (w *pdfWriter) stream(n int, dict string, body []byte) {
	w.object(n, fmt.Sprintf("<<%s /Length %d>>\nstream\n%s\nendstream", dict, len(body), body))
}

func (w *pdfWriter) packed(n int, dict string, body []byte) {
	w.stream(n, dict+" /Filter /FlateDecode", deflated(body))
}

// table ends the file, or a revision of it, with a cross-reference table.
func (w *pdfWriter) table(previous int) []byte {
	at := w.Len()
	w.WriteString("xref\n0 1\n0000000000 65535 f \n")
	for n := 1; n <= w.last; n++ {
		if offset, ok := w.offsets[n]; ok {
			fmt.Fprintf(w, "%d 1\n%010d 00000 n \n", n, offset)
		}
	}
	fmt.Fprintf(w, "trailer\n<<%s /Size %d", w.root, w.last+1)
	if previous > 0 {
		fmt.Fprintf(w, " /Prev %d", previous)
	}
	fmt.Fprintf(w, ">>\nstartxref\n%d\n%%%%EOF\n", at)
	return w.Bytes()
}

func deflated(b []byte) []byte {
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

// attach writes the catalogue and the specifications of attachments, of which
// the streams are to follow as objects 10, 11 and so on.
func (w *pdfWriter) attach(names ...string) {
	var tree, associated strings.Builder
	for n, name := range names {
		fmt.Fprintf(&tree, "(%s) %d 0 R ", name, 30+n)
		fmt.Fprintf(&associated, "%d 0 R ", 30+n)
	}
	w.object(1, "<</Type /Catalog /Pages 2 0 R /Names <</EmbeddedFiles 3 0 R>> /AF ["+associated.String()+"]>>")
	w.object(2, "<</Type /Pages /Kids [] /Count 0>>")
	w.object(3, "<</Kids [4 0 R]>>")
	w.object(4, "<</Limits [(a) (z)] /Names ["+tree.String()+"]>>")
	for n, name := range names {
		w.object(30+n, fmt.Sprintf("<</Type /Filespec /F (%s) /UF (%s) /EF <</F %d 0 R /UF %d 0 R>>>>", name, name, 10+n, 10+n))
	}
}

// pdfWith is a PDF with attachments, all named a.jsonld, b.jsonld and so on.
func pdfWith(bodies ...string) []byte {
	w := newPDF()
	var names []string
	for n := range bodies {
		names = append(names, string(rune('a'+n))+".jsonld")
	}
	w.attach(names...)
	for n, body := range bodies {
		w.packed(10+n, "/Type /EmbeddedFile", []byte(body))
	}
	return w.table(0)
}

// modernPDF has its objects in an object stream and its table in a stream with
// prediction, as newer programs write.
func modernPDF(body string) []byte {
	w := newPDF()
	w.packed(10, "/Type /EmbeddedFile", []byte(body))
	objects := []string{
		"<</Type /Catalog /Names 3 0 R>>", "<</EmbeddedFiles <</Names [<FEFF0061> 4 0 R]>>>>",
		"<</Type /Filespec /UF <FEFF00E0002E006A0073006F006E006C0064> /EF <</F 10 0 R>>>>",
	}
	numbers := []int{1, 3, 4}
	var head, text strings.Builder
	for n, o := range objects {
		fmt.Fprintf(&head, "%d %d ", numbers[n], text.Len())
		text.WriteString(o + "\n")
	}
	w.packed(20, fmt.Sprintf("/Type /ObjStm /N 3 /First %d", head.Len()), []byte(head.String()+text.String()))
	at := w.Len()
	w.offsets[21] = at
	var rows, above []byte
	above = make([]byte, 4)
	for n := range 22 {
		row := []byte{0, 0, 0, 0}
		if offset, ok := w.offsets[n]; ok {
			row = []byte{1, byte(offset >> 8), byte(offset), 0}
		}
		for k, number := range numbers {
			if n == number {
				row = []byte{2, 0, 20, byte(k)}
			}
		}
		rows = append(rows, 2) // up
		for k := range row {
			rows = append(rows, row[k]-above[k])
		}
		above = row
	}
	w.packed(21, "/Type /XRef /Size 22 /W [1 2 1] /Root 1 0 R /DecodeParms <</Predictor 12 /Columns 4>>", rows)
	fmt.Fprintf(w, "startxref\n%d\n%%%%EOF\n", at)
	return w.Bytes()
}

func chunk(kind string, body []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	out = append(append(out, kind...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

func badgeText(statement string) []byte {
	return chunk("iTXt", []byte("openbadges\x00\x00\x00\x00\x00"+statement))
}

// pngWith is a small picture with more chunks before its end.
func pngWith(t testing.TB, more ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	whole := out.Bytes()
	end := len(whole) - 12
	return append(append(append([]byte{}, whole[:end]...), bytes.Join(more, nil)...), whole[end:]...)
}

func svgWith(inner string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="` + badgeSpace3 + `">` + inner + `<circle r="4"/></svg>`)
}

// qr draws a text with so many pixels a module.
func qr(t testing.TB, text string, scale int, inverted bool) *image.Gray {
	t.Helper()
	matrix, err := qrcode.NewQRCodeWriter().Encode(text, gozxing.BarcodeFormat_QR_CODE, 1, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := image.NewGray(image.Rect(0, 0, matrix.GetWidth()*scale, matrix.GetHeight()*scale))
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			if matrix.Get(x/scale, y/scale) == inverted {
				m.SetGray(x, y, color.Gray{255})
			}
		}
	}
	return m
}

func asPNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func asJPEG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 70}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// onPage puts a picture on a large grey one, as a photo of a sheet has it.
func onPage(m *image.Gray, width, height int) *image.Gray {
	page := image.NewGray(image.Rect(0, 0, width, height))
	for n := range page.Pix {
		page.Pix[n] = 200 + byte(n*2654435761>>29)
	}
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			page.SetGray(width/3+x, height/3+y, m.GrayAt(x, y))
		}
	}
	return page
}

// zipOf is an archive of names and bodies in turn.
func zipOf(t testing.TB, parts ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for n := 0; n+1 < len(parts); n += 2 {
		w, err := z.Create(parts[n])
		if err == nil {
			_, err = w.Write([]byte(parts[n+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
