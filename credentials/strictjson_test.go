package credentials

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What two readers could understand in two ways is refused (J7, L4).
func TestStrictJSONRefusesWhatReadersDisagreeAbout(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                               "",
		"only white space":                      "  ",
		"an array":                              `[]`,
		"a string":                              `"x"`,
		"a name twice":                          `{"sub":1,"sub":2}`,
		"a name twice, once escaped":            `{"sub":1,"s\u0075b":2}`,
		"a name twice in a nested object":       `{"a":[{"b":{"c":1,"c":2}}]}`,
		"a name twice among many":               manyNames(40, `"n7":0`),
		"names that differ in case":             `{"alg":1,"ALG":2}`,
		"names that differ in case, among many": manyNames(40, `"N7":0`),
		"the long s for an s":                   `{"statusPurpose":1,"ſtatusPurpose":2}`,
		"the Kelvin sign for a k":               `{"kid":1,"` + "\u212a" + `id":2}`,
		"Greek letters that differ in case":     `{"eIDASΙd":1,"eidasιd":2}`,
		"a byte order mark":                     "\xef\xbb\xbf{}",
		"an invalid byte in a value":            "{\"a\":\"\xff\"}",
		"an invalid byte in a name":             "{\"\xff\":1}",
		"an overlong form":                      "{\"a\":\"\xc0\x80\"}",
		"a surrogate as bytes":                  "{\"a\":\"\xed\xa0\x80\"}",
		"a high surrogate alone":                `{"a":"\ud800"}`,
		"a low surrogate alone":                 `{"a":"\udc00"}`,
		"two high surrogates":                   `{"a":"\ud800\ud800"}`,
		"a high surrogate and a letter":         `{"a":"\ud800x"}`,
		"a high surrogate in a name":            `{"\ud800":1}`,
		"a second object":                       `{"sub":"x"}{"sub":"y"}`,
		"a word after the object":               `{} x`,
		"a zero byte after the object":          "{}\x00",
		"a comma at the end":                    `{"a":1,}`,
		"a comma at the end of an array":        `{"a":[1,]}`,
		"a comma at the start":                  `{,"a":1}`,
		"no comma":                              `{"a":1 "b":2}`,
		"no colon":                              `{"a" 1}`,
		"a name without quotes":                 `{a:1}`,
		"single quotes":                         `{'a':1}`,
		"a comment":                             `{"a":1/*x*/}`,
		"a vertical tab as white space":         "{\v}",
		"a no-break space":                      "{\u00a0}",
		"a line break in a string":              "{\"a\":\"x\ny\"}",
		"a zero byte in a string":               "{\"a\":\"\x00\"}",
		"an unknown escape":                     `{"a":"\x41"}`,
		"an escape cut short":                   `{"a":"\u12"}`,
		"a string cut short":                    `{"a":"x`,
		"a string that ends in a backslash":     `{"a":"x\`,
		"an object cut short":                   `{"a":1`,
		"a leading zero":                        `{"a":01}`,
		"a plus sign":                           `{"a":+1}`,
		"a point at the end":                    `{"a":1.}`,
		"a point at the start":                  `{"a":.1}`,
		"an exponent without digits":            `{"a":1e}`,
		"a minus alone":                         `{"a":-}`,
		"NaN":                                   `{"a":NaN}`,
		"Infinity":                              `{"a":Infinity}`,
		"a hexadecimal number":                  `{"a":0x1}`,
		"a number that is rounded":              `{"a":9007199254740993}`,
		"a number that is rounded, below zero":  `{"a":[-9007199254740993]}`,
		"a number beyond all others":            `{"a":1e400}`,
		"a number beyond all others, below":     `{"a":{"b":-1e400}}`,
		"a number of four hundred digits":       `{"a":` + strings.Repeat("9", 400) + `}`,
		"a negative zero":                       `{"a":-0}`,
		"a negative zero with a fraction":       `{"a":-0.0}`,
		"a word with a capital":                 `{"a":True}`,
		"a longer word":                         `{"a":nullx}`,
		"33 levels":                             deep(33),
		"a hundred thousand levels":             deep(100_000),
		"a hundred thousand open brackets":      `{"a":` + strings.Repeat("[", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := readJSON([]byte(text)); err == nil {
				t.Errorf("%.60q was accepted", text)
			}
		})
	}
}

func TestStrictJSONReadsWhatIsMeant(t *testing.T) {
	for text, want := range map[string]any{
		`{}`:                                 map[string]any{},
		" {\t\"a\" :\r\n[ ] } \n":            map[string]any{"a": []any{}},
		`{"a":null,"b":true,"c":false}`:      map[string]any{"a": nil, "b": true, "c": false},
		`{"a":"\"\\\/\b\f\n\r\t\u00e9"}`:     map[string]any{"a": "\"\\/\b\f\n\r\té"},
		`{"a":"\ud83d\ude00 x \u2028"}`:      map[string]any{"a": "😀 x \u2028"},
		`{"n\u0061me":1}`:                    map[string]any{"name": json.Number("1")},
		`{"a":0,"b":-1e3,"c":0.10,"d":1E+2}`: map[string]any{"a": json.Number("0"), "b": json.Number("-1e3"), "c": json.Number("0.10"), "d": json.Number("1E+2")},
		`{"a":9007199254740991}`:             map[string]any{"a": json.Number("9007199254740991")}, // not rounded
		`{"a":{"x":1},"b":{"x":1}}`:          map[string]any{"a": map[string]any{"x": json.Number("1")}, "b": map[string]any{"x": json.Number("1")}},
		`{"":1}`:                             map[string]any{"": json.Number("1")},
	} {
		got, err := readJSON([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, asDecoded(got)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	if _, err := readJSON([]byte(deep(32))); err != nil {
		t.Errorf("32 levels: %v", err)
	}
}

// A file within the limit of size costs memory in proportion to the limit,
// whatever it is made of.
func TestStrictJSONBoundsItsMemory(t *testing.T) {
	for name, part := range map[string]string{"objects": `{"a":1},`, "empty objects": "{},", "lists": "[],", "numbers": "1,", "escapes": `"\\\\",`} {
		text := `{"a":[` + strings.Repeat(part, MaxSealedBytes/len(part)) + `1]}`
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readJSON([]byte(text))
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; err == nil || grown > 64<<20 {
			t.Errorf("%s: %d bytes, %v", name, grown, err)
		}
	}
}

func deep(levels int) string {
	return strings.Repeat(`{"a":`, levels-1) + "{}" + strings.Repeat("}", levels-1)
}

func manyNames(n int, last string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		b.WriteString(`"n` + json.Number(string(rune('0'+i/10))+string(rune('0'+i%10))).String() + `":0,`)
	}
	return strings.ReplaceAll(b.String(), `"n0`, `"n`) + last + "}"
}
