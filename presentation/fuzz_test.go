package presentation

import (
	"bytes"
	"context"
	"testing"
	"unicode"
	"unicode/utf8"
)

// holds checks what every reading promises of its items.
func holds(t *testing.T, data []byte) {
	t.Helper()
	items := NewReader(house).Read(context.Background(), File{"x", data})
	if len(items) == 0 || len(items) > MaxEntries+1 {
		t.Fatalf("%d items", len(items))
	}
	for _, i := range items {
		shown := i.Name + i.Text
		if i.Address != nil {
			shown += i.Address.Text + i.Address.Host
		}
		if i.Problem != nil {
			if _, known := english[i.Problem.Code]; !known {
				t.Fatalf("%q has no words", i.Problem.Code)
			}
		}
		for _, c := range shown {
			if unicode.IsControl(c) || hidden(c) {
				t.Fatalf("%q is shown", shown)
			}
		}
		if !utf8.ValidString(shown) || i.Handle != "" && !handleForm.MatchString(i.Handle) || len(i.Sealed) > MaxBytes {
			t.Fatalf("%+v", i)
		}
	}
}

func FuzzPDF(f *testing.F) {
	f.Add(pdfWith(sealed))
	f.Add(pdfWith(sealed, "x"))
	f.Add(modernPDF(sealed))
	f.Fuzz(func(t *testing.T, data []byte) {
		holds(t, append([]byte("%PDF-"), data...))
		holds(t, data)
	})
}

func FuzzPDFObject(f *testing.F) {
	for _, seed := range []string{"<</A [1 2 R (x\\)\\101) <4 1> /B#20 true null] /C -1.5>>", "(((", "<<<<", "[[", "1 0 R", "%\n7"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tokens := pdfTokens
		l := &pdfLexer{data, 0, &tokens}
		for {
			before := l.at
			if _, err := l.object(0); err != nil {
				return
			}
			if l.at <= before || l.at > len(data) {
				t.Fatalf("from %d to %d of %d", before, l.at, len(data))
			}
		}
	})
}

func FuzzPNG(f *testing.F) {
	f.Add(pngWith(f, badgeText(sealed)))
	f.Add(asPNG(f, qr(f, house, 2, false)))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = readPNG(append([]byte(pngSignature), data...))
		holds(t, data)
	})
}

func FuzzSVG(f *testing.F) {
	f.Add(svgWith("<openbadges:credential>" + sealed + "</openbadges:credential>"))
	f.Add(svgWith(`<openbadges:assertion verify="` + compact + `"/>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = readSVG(data)
		holds(t, data)
	})
}

func FuzzZIP(f *testing.F) {
	f.Add(zipOf(f, "a.jsonld", sealed, "b.pdf", string(pdfWith(sealed))))
	f.Fuzz(holds)
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{house + "/v/" + handle, "https://xn--mnchen-3ya.example/\u202E", "javascript:x", compact, "a.b", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		holds(t, []byte(text))
		i := NewReader(house).ReadText(text)
		if i.Handle != "" && !handleForm.MatchString(i.Handle) {
			t.Fatalf("%+v", i)
		}
	})
}

func FuzzPunycode(f *testing.F) {
	f.Add("mnchen-3ya", "münchen")
	f.Fuzz(func(t *testing.T, ace, plain string) {
		_ = unicodeHost("xn--" + ace)
		if got := asciiHost(plain); got != "" && !isASCII(got) {
			t.Fatalf("%q", got)
		}
	})
}

// What is read as a token has no white space and all else that the text has, and
// is a token again.
func FuzzTokenIn(f *testing.F) {
	for _, seed := range []string{compact, compact + "~WyJhIl0~\r\n" + compact, compact + "~\n" + compact + "~", "eye.care.it", "ewogfQ. e30 .~~"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		token, ok := TokenIn(data)
		if !ok {
			return
		}
		again, ok := TokenIn(token)
		if !ok || !bytes.Equal(again, token) || !bytes.Equal(token, bytes.Join(bytes.Fields(data), nil)) {
			t.Fatalf("%q is read in %q, and %q in that", token, data, again)
		}
	})
}
