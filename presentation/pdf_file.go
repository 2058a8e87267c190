package presentation

import (
	"bytes"
	"errors"
	"strconv"
)

// Limits on a PDF, beside its size.
const (
	pdfEntries   = 200_000  // of the cross-reference table
	pdfSections  = 100      // of it: one for each time the file was saved
	pdfRows      = 400_000  // of all its parts
	pdfSteps     = 20_000   // objects read
	pdfTokens    = 500_000  // that they are made of
	pdfParsed    = 96 << 20 // bytes that they take
	pdfInflated  = 48 << 20 // bytes unpacked in all
	pdfReferring = 24       // references to references
)

// errPDFLocked and errPDFLarge are further reasons why a PDF is not read.
var (
	errPDFLocked = errors.New("reading the PDF: it is encrypted")
	errPDFLarge  = errors.New("reading the PDF: there is too much in it")
	errPDFFilter = errors.New("reading the PDF: a part is packed in another way than Flate")
)

// pdfPlace is where an object stands: at an offset of the file, or as the
// index-th in an object stream.
type pdfPlace struct{ offset, stream, index int }

// pdfFile is a PDF whose cross-reference table has been read. The newest entry
// of an object counts, as in every reader.
type pdfFile struct {
	data     []byte
	places   map[int]pdfPlace
	trailer  pdfDict
	packed   map[int]pdfPacked
	rows     int
	steps    int
	tokens   int
	parsed   int
	inflated int64
}

// pdfPacked is an object stream: its text and where each object begins.
type pdfPacked struct {
	text    []byte
	numbers []int
	begin   []int
}

func openPDF(data []byte) (*pdfFile, error) {
	p := &pdfFile{
		data: data, places: map[int]pdfPlace{}, packed: map[int]pdfPacked{},
		rows: pdfRows, steps: pdfSteps, tokens: pdfTokens, parsed: pdfParsed, inflated: pdfInflated,
	}
	tail := max(0, len(data)-2048)
	at := bytes.LastIndex(data[tail:], []byte("startxref"))
	if at < 0 {
		return nil, errPDF
	}
	l := p.lexer(data, tail+at+len("startxref"))
	l.space()
	next, err := strconv.Atoi(l.regular())
	if err != nil {
		return nil, errPDF
	}
	seen := map[int]bool{}
	for queue := []int{next}; len(queue) > 0; {
		offset := queue[0]
		queue = queue[1:]
		if seen[offset] {
			continue
		}
		seen[offset] = true
		if offset < 0 || offset >= len(data) || len(seen) > pdfSections {
			return nil, errPDF
		}
		trailer, err := p.section(offset)
		if err != nil {
			return nil, err
		}
		if _, locked := trailer["Encrypt"]; locked {
			return nil, errPDFLocked
		}
		if p.trailer == nil {
			p.trailer = trailer
		}
		for _, key := range []pdfName{"XRefStm", "Prev"} {
			if n, ok := trailer[key].(float64); ok {
				queue = append(queue, int(n))
			}
		}
	}
	return p, nil
}

func (p *pdfFile) lexer(data []byte, at int) *pdfLexer { return &pdfLexer{data, at, &p.tokens} }

// object reads the next object within what is left of the limits.
func (p *pdfFile) object(l *pdfLexer) (any, error) {
	from := l.at
	o, err := l.object(0)
	if p.parsed -= l.at - from; p.parsed < 0 || p.tokens < 0 {
		return nil, errPDFLarge
	}
	return o, err
}

// section reads one part of the cross-reference table, in either form (ISO
// 32000-2 sections 7.5.4 and 7.5.8), and returns its trailer.
func (p *pdfFile) section(offset int) (pdfDict, error) {
	l := p.lexer(p.data, offset)
	l.space()
	if !bytes.HasPrefix(p.data[l.at:], []byte("xref")) {
		s, err := p.streamAt(offset, -1)
		if err != nil || s.dict["Type"] != pdfName("XRef") {
			return nil, errPDF
		}
		return s.dict, p.streamed(s)
	}
	l.at += len("xref")
	for {
		l.space()
		if bytes.HasPrefix(p.data[l.at:], []byte("trailer")) {
			l.at += len("trailer")
			o, err := p.object(l)
			trailer, ok := o.(pdfDict)
			if err != nil || !ok {
				return nil, errPDF
			}
			return trailer, nil
		}
		first, err1 := strconv.Atoi(l.regular())
		l.space()
		count, err2 := strconv.Atoi(l.regular())
		if err1 != nil || err2 != nil || first < 0 || count < 0 || count > pdfEntries {
			return nil, errPDF
		}
		for n := range count {
			l.space()
			at, err := strconv.Atoi(l.regular())
			l.space()
			_ = l.regular() // the generation
			l.space()
			kind := l.regular()
			if err != nil || kind != "n" && kind != "f" {
				return nil, errPDF
			}
			if kind == "f" {
				at = -1
			}
			if err := p.place(first+n, pdfPlace{offset: at, stream: -1}); err != nil {
				return nil, err
			}
		}
	}
}

// streamed reads the entries of a cross-reference stream.
func (p *pdfFile) streamed(s pdfStream) error {
	rows, err := p.decode(s, pdfInflated)
	if err != nil {
		return err
	}
	widths, ok := s.dict["W"].(pdfArray)
	if !ok || len(widths) != 3 {
		return errPDF
	}
	var w [3]int
	for n, v := range widths {
		f, ok := v.(float64)
		if !ok || f < 0 || f > 8 {
			return errPDF
		}
		w[n] = int(f)
	}
	index, ok := s.dict["Index"].(pdfArray)
	if !ok {
		index = pdfArray{float64(0), s.dict["Size"]}
	}
	row := w[0] + w[1] + w[2]
	if row == 0 || len(index)%2 != 0 {
		return errPDF
	}
	for ; len(index) > 0; index = index[2:] {
		first, ok1 := index[0].(float64)
		count, ok2 := index[1].(float64)
		if !ok1 || !ok2 || first < 0 || first > 1e8 || count < 0 || count > float64(len(rows)/row) {
			return errPDF
		}
		for n := range int(count) {
			f := [3]int{1, 0, 0}
			at := 0
			for k := range f {
				if w[k] > 0 {
					f[k] = bigEndian(rows[at : at+w[k]])
				}
				at += w[k]
			}
			rows = rows[row:]
			where := pdfPlace{offset: -1, stream: -1}
			switch f[0] {
			case 1:
				where.offset = f[1]
			case 2:
				where = pdfPlace{-1, f[1], f[2]}
			}
			if err := p.place(int(first)+n, where); err != nil {
				return err
			}
		}
	}
	return nil
}

func bigEndian(b []byte) (v int) {
	for _, c := range b {
		v = v<<8 | int(c)
	}
	return v
}

// place keeps where an object stands, unless a newer part has said it.
func (p *pdfFile) place(number int, where pdfPlace) error {
	if p.rows--; p.rows < 0 || len(p.places) >= pdfEntries {
		return errPDFLarge
	}
	if _, newer := p.places[number]; !newer {
		p.places[number] = where
	}
	return nil
}

// step counts the objects that are read.
func (p *pdfFile) step() error {
	if p.steps--; p.steps < 0 {
		return errPDFLarge
	}
	return nil
}

// at reads the object at an offset, which must bear the number (any, where it
// is negative).
func (p *pdfFile) at(offset, number int) (any, error) {
	if err := p.step(); err != nil {
		return nil, err
	}
	if offset < 0 || offset >= len(p.data) {
		return nil, errPDF
	}
	l := p.lexer(p.data, offset)
	l.space()
	n, err := strconv.Atoi(l.regular())
	l.space()
	_ = l.regular() // the generation
	l.space()
	if err != nil || l.regular() != "obj" || number >= 0 && n != number {
		return nil, errPDF
	}
	o, err := p.object(l)
	dict, ok := o.(pdfDict)
	if err != nil || !ok {
		return o, err
	}
	l.space()
	if !bytes.HasPrefix(p.data[l.at:], []byte("stream")) {
		return dict, nil
	}
	return p.body(dict, l.at+len("stream"))
}

// body takes the bytes of a stream that begin after its keyword.
func (p *pdfFile) body(dict pdfDict, at int) (any, error) {
	rest := p.data[at:]
	switch {
	case bytes.HasPrefix(rest, []byte("\r\n")):
		rest = rest[2:]
	case bytes.HasPrefix(rest, []byte("\n")):
		rest = rest[1:]
	default:
		return nil, errPDF
	}
	length, err := p.resolve(dict["Length"])
	n, ok := length.(float64)
	if err != nil || !ok || n < 0 || n > float64(len(rest)) {
		return nil, errPDF
	}
	end := p.lexer(rest, int(n))
	end.space()
	if !bytes.HasPrefix(rest[end.at:], []byte("endstream")) || end.at-int(n) > 2 {
		return nil, errPDF
	}
	return pdfStream{dict, rest[:int(n)]}, nil
}

func (p *pdfFile) streamAt(offset, number int) (pdfStream, error) {
	o, err := p.at(offset, number)
	s, ok := o.(pdfStream)
	if err == nil && !ok {
		err = errPDF
	}
	return s, err
}

// resolve follows references to the object that is meant. What there is not is
// null.
func (p *pdfFile) resolve(o any) (any, error) {
	for range pdfReferring {
		ref, ok := o.(pdfRef)
		if !ok {
			return o, nil
		}
		if err := p.step(); err != nil {
			return nil, err
		}
		where, ok := p.places[ref.number]
		var err error
		switch {
		case !ok || where.offset < 0 && where.stream < 0:
			return nil, nil
		case where.stream >= 0:
			o, err = p.unpacked(where.stream, where.index, ref.number)
		default:
			o, err = p.at(where.offset, ref.number)
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errPDF
}

// unpacked reads an object from an object stream (section 7.5.7).
func (p *pdfFile) unpacked(stream, index, number int) (any, error) {
	s, ok := p.packed[stream]
	if !ok {
		where, there := p.places[stream]
		if !there || where.stream >= 0 {
			return nil, errPDF // an object stream is never in another one
		}
		raw, err := p.streamAt(where.offset, stream)
		if err != nil {
			return nil, err
		}
		if s, err = p.openPacked(raw); err != nil {
			return nil, err
		}
		p.packed[stream] = s
	}
	if index < 0 || index >= len(s.numbers) || s.numbers[index] != number {
		return nil, errPDF
	}
	return p.object(p.lexer(s.text, s.begin[index]))
}

func (p *pdfFile) openPacked(raw pdfStream) (s pdfPacked, err error) {
	if s.text, err = p.decode(raw, pdfInflated); err != nil {
		return s, err
	}
	count, ok1 := raw.dict["N"].(float64)
	first, ok2 := raw.dict["First"].(float64)
	if !ok1 || !ok2 || count < 0 || count > pdfEntries || first < 0 || first > float64(len(s.text)) {
		return s, errPDF
	}
	l := p.lexer(s.text[:int(first)], 0)
	for range int(count) {
		l.space()
		number, err1 := strconv.Atoi(l.regular())
		l.space()
		begin, err2 := strconv.Atoi(l.regular())
		if err1 != nil || err2 != nil || begin < 0 || begin > len(s.text)-int(first) {
			return s, errPDF
		}
		s.numbers, s.begin = append(s.numbers, number), append(s.begin, int(first)+begin)
	}
	return s, nil
}
