package credentials

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever text is quoted, encoding/json and our own reader read it back.
func TestQuoted(t *testing.T) {
	for _, text := range []string{
		"", `"`, `\`, "12345678", `1234567"`, `"""""""""""""""""`, "a\u2028b\u2029c", "\x00\x1f\x7f\t\r\n",
		strings.Repeat("é\"\\", 100), strings.Repeat("A", 4096) + `"`, "Ł’à😀",
	} {
		checkQuoted(t, text)
	}
}

func FuzzQuoted(f *testing.F) {
	f.Add("\x01\"\\ Zoë\u2028")
	f.Fuzz(func(t *testing.T, text string) {
		if utf8.ValidString(text) {
			checkQuoted(t, text)
		}
	})
}

func checkQuoted(t *testing.T, text string) {
	t.Helper()
	quoted := appendQuoted([]byte(`{"t":`), []byte(text))
	quoted = append(quoted, '}')
	var read struct{ T string }
	if err := json.Unmarshal(quoted, &read); err != nil || read.T != text {
		t.Errorf("encoding/json reads %q back as %q, %v", text, read.T, err)
	}
	n, err := readJSON(quoted)
	if err != nil || asDecoded(n.get("t")) != text {
		t.Errorf("readJSON reads %q back as %q, %v", text, asDecoded(n.get("t")), err)
	}
}
