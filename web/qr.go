package web

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/skip2/go-qrcode"
)

// maxQR is the longest content of a QR in bytes: what an ordinary phone still
// reads from paper.
const maxQR = 300

// code encodes content with the error correction that printed paper needs.
func code(content string) (*qrcode.QRCode, error) {
	if content == "" || len(content) > maxQR {
		return nil, fmt.Errorf("drawing a QR of %d bytes: not between 1 and %d", len(content), maxQR)
	}
	q, err := qrcode.New(content, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("drawing a QR: %w", err)
	}
	return q, nil
}

// QR returns content as a square SVG picture, dark on white, with its quiet
// zone. Content is at most 300 bytes.
func QR(content string) ([]byte, error) {
	q, err := code(content)
	if err != nil {
		return nil, err
	}
	return draw(q)
}

// onScreen is how many pixels a module has where a page does not say how large the
// picture is: whole ones, so that a picture of the screen can be read.
const onScreen = 4

// draw writes a QR as a picture.
func draw(q *qrcode.QRCode) ([]byte, error) {
	rows := q.Bitmap()
	if len(rows) == 0 {
		return nil, errors.New("drawing a QR: empty picture")
	}
	b := make([]byte, 0, 16<<10)
	b = fmt.Appendf(b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[2]d" height="%[2]d" viewBox="0 0 %[1]d %[1]d" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path fill="#000" d="`, len(rows), len(rows)*onScreen)
	for y, row := range rows {
		for x := 0; x < len(row); x++ {
			run := 0
			for x+run < len(row) && row[x+run] {
				run++
			}
			if run > 0 {
				b = appendRun(b, x, y, run)
				x += run
			}
		}
	}
	return append(b, `"/></svg>`...), nil
}

// appendRun draws dark modules that stand side by side. It is called some
// hundred times for each QR.
func appendRun(b []byte, x, y, run int) []byte {
	b = strconv.AppendInt(append(b, 'M'), int64(x), 10)
	b = strconv.AppendInt(append(b, ' '), int64(y), 10)
	b = strconv.AppendInt(append(b, 'h'), int64(run), 10)
	b = strconv.AppendInt(append(b, "v1h-"...), int64(run), 10)
	return append(b, 'z')
}

// QRTerminal writes content as a QR in half-block characters, with its quiet
// zone. The light modules are drawn, so that it reads on a dark terminal.
func QRTerminal(w io.Writer, content string) error {
	q, err := code(content)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, q.ToSmallString(false)); err != nil {
		return fmt.Errorf("writing a QR: %w", err)
	}
	return nil
}
