package presentation

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"attesta/verifier"
)

// refused reads hostile files and compares what is said of each.
func refused(t *testing.T, cases map[string]struct {
	data []byte
	want string
},
) {
	t.Helper()
	for name, c := range cases {
		got := strings.Join(read(File{"x", c.data}), ", ")
		if len(got) > 300 {
			got = got[:300]
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

type hostile = map[string]struct {
	data []byte
	want string
}

// TestHostilePDF (F1): only what is attached counts, in its newest revision, and
// what readers would see in two ways is refused.
func TestHostilePDF(t *testing.T) {
	swapped := newPDF()
	swapped.attach("a.jsonld")
	swapped.packed(10, "", []byte(sealed))
	first := len(swapped.table(0))
	previous := bytes.LastIndex(swapped.Bytes()[:first], []byte("xref\n0 1"))
	swapped.offsets = map[int]int{}
	swapped.packed(10, "", []byte(sealed+"   "))
	update := swapped.table(previous)

	twofold := newPDF()
	twofold.attach("a.jsonld")
	twofold.object(30, "<</F (a.jsonld) /EF <</F 10 0 R /UF 11 0 R>>>>")
	twofold.packed(10, "", []byte(sealed))
	twofold.packed(11, "", []byte(sealed))

	build := func(change func(w *pdfWriter)) []byte {
		w := newPDF()
		w.attach("a.jsonld")
		w.packed(10, "", []byte(sealed))
		change(w)
		return w.table(0)
	}
	good := pdfWith(sealed)
	refused(t, hostile{
		"the newest revision counts": {update, "attachment sealed 35"},
		"UF and F differ":            {twofold.table(0), "attachment problem pdf_twofold"},
		"text on a page only": {build(func(w *pdfWriter) {
			w.object(1, "<</Type /Catalog>>")
			w.stream(9, "", []byte("BT ("+sealed+") Tj ET"))
		}), "file problem pdf_none"},
		"an attachment of no kind":   {pdfWith("<xml/>"), "file problem pdf_other"},
		"encrypted":                  {build(func(w *pdfWriter) { w.root += " /Encrypt 40 0 R" }), "file problem pdf_encrypted"},
		"another filter":             {build(func(w *pdfWriter) { w.stream(10, "/Filter /LZWDecode", []byte("x")) }), "file problem pdf_filter"},
		"two filters":                {build(func(w *pdfWriter) { w.stream(10, "/Filter [/ASCIIHexDecode /FlateDecode]", []byte("x")) }), "file problem pdf_filter"},
		"a bomb":                     {build(func(w *pdfWriter) { w.packed(10, "", make([]byte, 60<<20)) }), "file problem pdf_large"},
		"no table":                   {[]byte("%PDF-1.7\n"), "file problem pdf_damaged"},
		"cut off":                    {good[:len(good)-200], "file problem pdf_damaged"},
		"a tree that is its own kid": {build(func(w *pdfWriter) { w.object(4, "<</Kids [4 0 R 4 0 R]>>") }), "file problem pdf_large"},
		"a reference to itself":      {build(func(w *pdfWriter) { w.object(3, "3 0 R") }), "file problem pdf_damaged"},
		"length of itself":           {build(func(w *pdfWriter) { w.object(10, "<</Length 10 0 R>>\nstream\nx\nendstream") }), "file problem pdf_large"},
		"length too long":            {build(func(w *pdfWriter) { w.object(10, "<</Length 99999999>>\nstream\nx\nendstream") }), "file problem pdf_damaged"},
		"length too short":           {build(func(w *pdfWriter) { w.object(10, "<</Length 1>>\nstream\n"+sealed+"\nendstream") }), "file problem pdf_damaged"},
		"a table that is its own":    {build(func(w *pdfWriter) { w.root += fmt.Sprintf(" /Prev %d", w.Len()) }), "attachment sealed 32"},
		"deep nesting":               {build(func(w *pdfWriter) { w.object(1, strings.Repeat("[", 100_000)) }), "file problem pdf_damaged"},
		"a name twice":               {build(func(w *pdfWriter) { w.object(30, "<</EF <</F 10 0 R /F 10 0 R>>>>") }), "file problem pdf_damaged"},
		"an object under a false id": {build(func(w *pdfWriter) { w.offsets[10] = w.offsets[4] }), "file problem pdf_damaged"},
		"a million tokens":           {build(func(w *pdfWriter) { w.object(3, "["+strings.Repeat("0 ", 1_000_000)+"]") }), "file problem pdf_large"},
		"attached twice by name":     {build(func(w *pdfWriter) { w.object(4, "<</Names [(a) 30 0 R (b) 30 0 R]>>") }), "attachment sealed 32"},
		"prediction of nothing known": {build(func(w *pdfWriter) {
			w.packed(10, "/DecodeParms <</Predictor 2 /Columns 4>>", []byte(sealed))
		}), "file problem pdf_filter"},
		"two hundred attachments": {build(func(w *pdfWriter) {
			w.object(4, "<</Names ["+strings.Repeat("(a) 30 0 R ", 201)+"]>>")
		}), "file problem pdf_large"},
		"over 16 MB": {append(append([]byte{}, good...), make([]byte, 17<<20)...), "file problem pdf_large"},
	})
	items := NewReader("").Read(context.Background(), File{"cv\u202E.pdf", modernPDF(sealed)})
	if items[0].Name != "cv.pdf › à.jsonld" {
		t.Errorf("%q", items[0].Name)
	}
}

// TestHostilePNG (F3): first and only, whole, in plain text, and nothing after
// the end.
func TestHostilePNG(t *testing.T) {
	good := pngWith(t, badgeText(sealed))
	flip := bytes.Clone(good)
	flip[len(flip)-14] ^= 1
	huge := bytes.Clone(good)
	binary.BigEndian.PutUint32(huge[8:], 0xFFFFFFFF)
	declared := pngWith(t)
	binary.BigEndian.PutUint32(declared[16:], 30_000)
	binary.BigEndian.PutUint32(declared[20:], 30_000)
	binary.BigEndian.PutUint32(declared[29:], crc32.ChecksumIEEE(declared[12:29]))
	screen := asPNG(t, qr(t, house+"/v/"+handle, 4, false))
	animated := append(append(bytes.Clone(screen[:33]), chunk("acTL", make([]byte, 8))...), screen[33:]...)
	both := append(append(bytes.Clone(screen[:33]), badgeText(sealed)...), screen[33:]...)
	refused(t, hostile{
		"two statements":           {pngWith(t, badgeText(sealed), badgeText(sealed)), "file problem badge_several"},
		"after the end":            {append(bytes.Clone(good), badgeText(sealed)...), "file problem png_trailing"},
		"bad checksum":             {flip, "file problem png_damaged"},
		"cut off":                  {good[:len(good)-12], "file problem png_damaged"},
		"2^31 bytes long":          {huge, "file problem png_damaged"},
		"compressed":               {pngWith(t, chunk("iTXt", append([]byte("openbadges\x00\x01\x00\x00\x00"), deflated(make([]byte, 2<<20))...))), "file problem badge_form"},
		"zTXt":                     {pngWith(t, chunk("zTXt", append([]byte("openbadges\x00\x00"), deflated(make([]byte, 2<<20))...))), "file problem badge_form"},
		"no text":                  {pngWith(t, badgeText("")), "file problem badge_form"},
		"2 MB of text":             {pngWith(t, badgeText("{"+strings.Repeat(" ", 2<<20))), "file problem badge_large"},
		"another text":             {pngWith(t, chunk("iTXt", []byte("Comment\x00\x00\x00\x00\x00"+sealed))), "file problem qr_none"},
		"30,000 by 30,000":         {declared, "file problem picture_large"},
		"signature only":           {[]byte(pngSignature), "file problem png_damaged"},
		"first chunk is no header": {append([]byte(pngSignature), chunk("IEND", nil)...), "file problem png_damaged"},
		"animated":                 {animated, "file problem png_animated"},
		"a badge over a QR":        {both, "badge sealed 32"},
		"9 MB":                     {pngWith(t, chunk("iTXt", make([]byte, 9<<20))), "file problem picture_large"},
	})
}

// TestHostileSVG (F4): the statement is read and nothing else is done.
func TestHostileSVG(t *testing.T) {
	element := "<openbadges:credential>" + sealed + "</openbadges:credential>"
	entity := `<!DOCTYPE svg [<!ENTITY a "` + strings.Repeat("x", 100) + `"><!ENTITY b "&a;&a;&a;">]>`
	refused(t, hostile{
		"script beside it":       {svgWith("<script>alert(1)</script><foreignObject/>" + element), "badge sealed 32"},
		"none":                   {svgWith("<text>" + sealed + "</text>"), "file problem svg_none"},
		"another namespace":      {[]byte(strings.Replace(string(svgWith(element)), badgeSpace3, "urn:x", 1)), "file problem svg_none"},
		"two":                    {svgWith(element + element), "file problem badge_several"},
		"attribute and text":     {svgWith(`<openbadges:credential verify="` + compact + `">` + sealed + `</openbadges:credential>`), "file problem badge_several"},
		"empty":                  {svgWith(`<openbadges:credential/>`), "file problem badge_form"},
		"DTD":                    {append([]byte(entity), svgWith(element)...), "file problem svg_doctype"},
		"entity":                 {svgWith("<openbadges:credential>&a;</openbadges:credential>"), "file problem svg_damaged"},
		"external entity":        {append([]byte(`<!DOCTYPE svg SYSTEM "http://evil.example/x">`), svgWith(element)...), "file problem svg_doctype"},
		"cut off":                {svgWith(element)[:200], "file problem svg_damaged"},
		"deep":                   {svgWith(strings.Repeat("<g>", 100_000)), "file problem svg_damaged"},
		"an address in it":       {svgWith(`<openbadges:assertion verify="https://evil.example/1"/>`), "badge elsewhere evil.example"},
		"HTML":                   {[]byte("<html><body>x</body></html>"), "file sealed 27"},
		"2 MB statement":         {svgWith("<openbadges:credential>{" + strings.Repeat("x", 2<<20) + "</openbadges:credential>"), "file problem badge_large"},
		"children are no text":   {svgWith("<openbadges:credential><b>" + sealed + "</b></openbadges:credential>"), "file problem badge_form"},
		"processing instruction": {svgWith(`<?xml-stylesheet href="http://evil.example/x.css"?>` + element), "badge sealed 32"},
	})
}

// TestHostileZIP (F6, F8): entries and sizes are counted as they say and as they
// are; names lead nowhere; an archive in an archive stays shut.
func TestHostileZIP(t *testing.T) {
	var many []string
	for n := range 1001 {
		many = append(many, fmt.Sprint(n, ".jsonld"), sealed)
	}
	large := strings.Repeat("\x00", 15<<20)
	understated := zipOf(t, "a", strings.Repeat("x", 1<<20))
	at := bytes.Index(understated, []byte(centralHeader))
	binary.LittleEndian.PutUint32(understated[at+24:], 10)
	locked := zipOf(t, "a", sealed)
	locked[bytes.Index(locked, []byte(centralHeader))+8] |= 1
	var odd bytes.Buffer
	z := zip.NewWriter(&odd)
	_, err := z.CreateRaw(&zip.FileHeader{Name: "a", Method: 99, UncompressedSize64: 3, CompressedSize64: 0})
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	directory := append(zipOf(t, "a", sealed), bytes.Repeat([]byte(centralHeader+strings.Repeat("\x00", 42)), 20_000)...)
	refused(t, hostile{
		"1,001 entries":     {zipOf(t, many...), "file problem zip_entries"},
		"60 MB declared":    {zipOf(t, "a", large, "b", large, "c", large, "d", large), "file problem zip_large"},
		"more than it says": {understated, "file problem zip_damaged"},
		"one over 16 MB":    {zipOf(t, "a", large+large), "file problem large"},
		"a letter inside":   {zipOf(t, "cv.docx", string(zipOf(t, "[Content_Types].xml", "<x/>")), "cv.odt", string(zipOf(t, "mimetype", "application/x"))), "file problem office, file problem office"},
		"nested":            {zipOf(t, "in.zip", string(zipOf(t, "a", sealed)), "b", sealed), "file problem zip_nested, file sealed 32"},
		"encrypted":         {locked, "file problem zip_encrypted"},
		"odd method":        {odd.Bytes(), "file problem zip_method"},
		"empty":             {zipOf(t), "file problem zip_empty"},
		"cut off":           {zipOf(t, "a", sealed)[:60], "file problem zip_damaged"},
		"a long directory":  {directory, "file problem zip_entries"},
		"office":            {zipOf(t, "[Content_Types].xml", "<x/>", "word/document.xml", "<y/>"), "file problem office"},
	})
	items := NewReader("").Read(context.Background(), File{"..\\all.zip", zipOf(t, "../../etc/\x1b[2Jpasswd", sealed)})
	if items[0].Name != `..\all.zip › etc/[2Jpasswd` {
		t.Errorf("%q", items[0].Name)
	}
	// The bounds hold for all archives of one reading together.
	archive := zipOf(t, many[:1200]...)
	problems := 0
	for _, i := range NewReader("").Read(context.Background(), File{"1", archive}, File{"2", archive}) {
		if i.Problem != nil && i.Problem.Code == "zip_entries" {
			problems++
		}
	}
	if problems != 1 {
		t.Errorf("two archives of 600: %d refused", problems)
	}
}

// TestHostilePictures (F3): what is declared is bounded before it is decoded.
func TestHostilePictures(t *testing.T) {
	wide := asJPEG(t, image.NewGray(image.Rect(0, 0, 16, 16)))
	size := bytes.Index(wide, []byte{0xFF, 0xC0})
	binary.BigEndian.PutUint16(wide[size+5:], 50_000)
	binary.BigEndian.PutUint16(wide[size+7:], 50_000)
	scans := asJPEG(t, image.NewGray(image.Rect(0, 0, 16, 16)))
	scans[bytes.Index(scans, []byte{0xFF, 0xC0})+1] = 0xC2
	scans = append(scans[:len(scans)-2], bytes.Repeat([]byte{0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0}, 100_000)...)
	refused(t, hostile{
		"2,500 Mpx":       {wide, "file problem picture_large"},
		"100,000 scans":   {scans, "file problem picture_large"},
		"JPEG of nothing": {[]byte("\xFF\xD8\xFF\xE0"), "file problem picture_damaged"},
		"WebP of nothing": {[]byte("RIFF\x10\x00\x00\x00WEBPVP8 \x00\x00\x00\x00"), "file problem picture_damaged"},
		"GIF":             {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00"), "file problem picture_kind"},
		"HEIC":            {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), "file problem picture_kind"},
	})
}

// TestManyCorners: a picture full of what looks like corners of a QR, of which a
// reader would try every three, is given up; a QR with a few beside it is read.
func TestManyCorners(t *testing.T) {
	corners := func(m *image.Gray, from, many int) {
		for n := range many {
			x, y := from+n%150*10, n/150*10
			for k := range 49 {
				if dx, dy := k%7, k/7; max(dx-3, 3-dx, dy-3, 3-dy) != 2 {
					m.SetGray(x+dx, y+dy, color.Gray{})
				}
			}
		}
	}
	full := image.NewGray(image.Rect(0, 0, 1520, 1520))
	for n := range full.Pix {
		full.Pix[n] = 255
	}
	corners(full, 4, 150*150)
	some := onPage(qr(t, house+"/v/"+handle, 6, false), 1500, 1500)
	corners(some, 0, 60)
	refused(t, hostile{
		"22,500 corners": {asPNG(t, full), "file problem qr_none"},
		"60 corners":     {asPNG(t, some), "qr handle " + handle},
	})
}

// TestScanSurvives: a crash of a library is a damaged picture.
func TestScanSurvives(t *testing.T) {
	if got := surviving(func() string { panic("deep in a library") }); got != "picture_damaged" {
		t.Errorf("%q", got)
	}
}

// TestCheck: answers keep the order, one item that cannot be judged stops no
// other, a crash is a fault and no verdict (W16).
func TestCheck(t *testing.T) {
	var items []Item
	for n := range 600 {
		i := Item{Name: fmt.Sprint(n)}
		switch n % 5 {
		case 1:
			i.Text = "x"
		case 2:
			i.Handle = handle
		case 3:
			i.Problem = &Problem{Code: "qr_none"}
		}
		items = append(items, i)
	}
	var judged atomic.Int32
	judge := func(_ context.Context, i Item) (verifier.Report, error) {
		judged.Add(1)
		if i.Handle != "" {
			return verifier.Report{}, fmt.Errorf("showing: %w", &Problem{Code: "handle_unknown"})
		}
		return verifier.Report{Verdict: verifier.Valid, Digest: i.Name}, nil
	}
	answers, err := Check(t.Context(), items, judge)
	if err != nil || len(answers) != 600 || judged.Load() != 360 {
		t.Fatalf("%d answers, %d judged: %v", len(answers), judged.Load(), err)
	}
	for n, a := range answers {
		switch n % 5 {
		case 0, 4:
			if a.Report == nil || a.Report.Digest != fmt.Sprint(n) {
				t.Errorf("%d: %+v", n, a)
			}
		case 2:
			if a.Report != nil || a.Problem == nil || a.Problem.Code != "handle_unknown" {
				t.Errorf("%d: %+v", n, a)
			}
		default:
			if a.Report != nil {
				t.Errorf("%d was judged", n)
			}
		}
	}
	for name, bad := range map[string]Judge{
		"crash": func(context.Context, Item) (verifier.Report, error) { panic("at /home/secret") },
		"fault": func(context.Context, Item) (verifier.Report, error) { return verifier.Report{}, errors.New("disk") },
	} {
		if answers, err := Check(t.Context(), items, bad); err == nil || answers != nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, %v", name, answers, err)
		}
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := Check(gone, items, judge); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestCheckOnAllCores: as many items are judged at once as there are cores; with
// fewer, this test would wait for ever.
func TestCheckOnAllCores(t *testing.T) {
	cores := runtime.GOMAXPROCS(0)
	var here sync.WaitGroup
	here.Add(cores)
	answers, err := Check(t.Context(), make([]Item, cores), func(context.Context, Item) (verifier.Report, error) {
		here.Done()
		here.Wait()
		return verifier.Report{}, nil
	})
	if err != nil || len(answers) != cores {
		t.Errorf("%d answers: %v", len(answers), err)
	}
}

// TestSmallPDFsKeepLittle (F1, F6): what many small PDFs unpack to is bounded for
// all of them together, in an archive and in several steps.
func TestSmallPDFsKeepLittle(t *testing.T) {
	large := pdfWith("{"+strings.Repeat(" ", 4<<20-1), "{"+strings.Repeat(" ", 4<<20-1))
	beyond := pdfWith("{" + strings.Repeat(" ", 4<<20))
	var all []string
	for n := range 30 {
		all = append(all, fmt.Sprint(n, ".pdf"), string(large))
	}
	archive := zipOf(t, all...)
	kept := func(items []Item) (n, refused int) {
		for _, i := range items {
			n += len(i.Sealed)
			if i.Problem != nil && i.Problem.Code == "pdf_large" {
				refused++
			}
		}
		return n, refused
	}
	if n, refused := kept(NewReader(house).Read(t.Context(), File{Data: archive})); n > MaxBytes || n < MaxBytes/2 || refused == 0 {
		t.Errorf("an archive of %d bytes: %d bytes kept, %d refused", len(archive), n, refused)
	}
	reading, n, refused := NewReader(house).Begin(t.Context()), 0, 0
	for range 30 {
		more, no := kept(reading.Read(File{Data: large}))
		n, refused = n+more, refused+no
	}
	if n > MaxBytes || n < MaxBytes/2 || refused == 0 {
		t.Errorf("30 steps: %d bytes kept, %d refused", n, refused)
	}
	items := NewReader(house).Read(t.Context(), File{Data: beyond})
	if len(items) != 1 || items[0].Problem == nil || items[0].Problem.Code != "large" {
		t.Errorf("an attachment that no verifier reads: %+v", items[0].Problem)
	}
}
