package presentation

import (
	"bytes"
	"compress/zlib"
	"errors"
)

// decode unpacks a stream into at most so many bytes.
func (p *pdfFile) decode(s pdfStream, most int64) ([]byte, error) {
	filter, parms := s.dict["Filter"], s.dict["DecodeParms"]
	if list, ok := filter.(pdfArray); ok {
		if len(list) > 1 {
			return nil, errPDFFilter
		}
		filter = nil
		if len(list) == 1 {
			filter = list[0]
		}
		if each, ok := parms.(pdfArray); ok && len(each) == 1 {
			parms = each[0]
		}
	}
	if filter == nil {
		return s.raw, nil
	}
	if filter != pdfName("FlateDecode") {
		return nil, errPDFFilter
	}
	z, err := zlib.NewReader(bytes.NewReader(s.raw))
	if err != nil {
		return nil, errPDF
	}
	data, err := unpack(z, min(most, p.inflated), uint64(len(s.raw)))
	p.inflated -= int64(len(data))
	switch {
	case errors.Is(err, errLarge):
		return nil, errPDFLarge
	case err != nil:
		return nil, errPDF
	}
	dict, ok := parms.(pdfDict)
	if !ok {
		return data, nil
	}
	return unpredict(data, dict)
}

// unpredict undoes the prediction of PNG filters (section 7.4.4.4), as tables of
// cross-references are packed.
func unpredict(data []byte, parms pdfDict) ([]byte, error) {
	number := func(key pdfName, otherwise int) int {
		if v, ok := parms[key].(float64); ok {
			return int(v)
		}
		return otherwise
	}
	predictor := number("Predictor", 1)
	if predictor == 1 {
		return data, nil
	}
	columns := number("Columns", 1)
	if predictor < 10 || number("Colors", 1) != 1 || number("BitsPerComponent", 8) != 8 || columns < 1 || columns > 1<<16 || len(data)%(columns+1) != 0 {
		return nil, errPDFFilter
	}
	out := make([]byte, 0, len(data))
	above := make([]byte, columns)
	for ; len(data) > 0; data = data[columns+1:] {
		row := make([]byte, columns)
		for n, v := range data[1 : columns+1] {
			var left, corner byte
			if n > 0 {
				left, corner = row[n-1], above[n-1]
			}
			switch data[0] {
			case 1:
				v += left
			case 2:
				v += above[n]
			case 3:
				v += byte((int(left) + int(above[n])) / 2)
			case 4:
				v += paeth(left, above[n], corner)
			}
			row[n] = v
		}
		out = append(out, row...)
		above = row
	}
	return out, nil
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	pa, pb, pc := max(p-int(a), int(a)-p), max(p-int(b), int(b)-p), max(p-int(c), int(c)-p)
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}
