package credentials

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// The names that are known stand in order and differ in more than their case, and
// every rule is about one of them.
func TestKnownNames(t *testing.T) {
	if !slices.IsSorted(memberNames) || len(memberNames) >= int(firstOther) {
		t.Errorf("%d names, sorted: %v", len(memberNames), slices.IsSorted(memberNames))
	}
	twins := map[string]string{}
	for i, name := range memberNames {
		if other, there := twins[fold(name)]; there {
			t.Errorf("%s and %s differ in case only", name, other)
		}
		twins[fold(name)] = name
		for _, w := range []struct {
			*words
			name string
		}{{known, name}, {knownFolded, fold(name)}} {
			if got := w.find(w.name); got != symbol(i+1) {
				t.Errorf("%s is %d, not %d", w.name, got, i+1)
			}
		}
		for _, other := range []string{name + "x", "x" + name, name[1:], strings.ToUpper(name)} {
			if s := known.find(other); s != 0 && memberNames[s-1] != other {
				t.Errorf("%s is taken for %s", other, memberNames[s-1])
			}
		}
	}
	if none := rules[0]; none.word || none.languageMap || none.oneLanguage || none.closed || none.check != nil {
		t.Error("a rule is about a name that is not known")
	}
	for kind, names := range required {
		got := demandsOf(kind)
		if len(got) != len(names) || slices.Contains(got, 0) {
			t.Errorf("of %s %v are demanded, not %v", kind, got, names)
		}
	}
	if len(demandsOf("Concep")) != 0 || len(demandsOf("")) != 0 {
		t.Error("something is demanded of a type that is not known")
	}
}

// Members are found among few and among many, known or not, and stand in the
// order of their names.
func TestTreeFindsMembers(t *testing.T) {
	for _, n := range []int{1, few, few + 1, 3 * few} {
		text := `{"title":-1,"zz\u0061":-2,"@x":-3`
		for i := range n {
			text += `,"n` + strconv.Itoa(i) + `":` + strconv.Itoa(i+1)
		}
		doc, err := readText(text + `,"id":-4,"x":null}`)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"title": "-1", "zza": "-2", "@x": "-3", "id": "-4", "n0": "1", "n" + strconv.Itoa(n-1): strconv.Itoa(n), "x": "", "y": "", "issuer": ""}
		for name, number := range want {
			if got := doc.get(name).number(); got != number || doc.get(name).present() != (number != "") {
				t.Errorf("%d: %s is %q, not %q", n, name, got, number)
			}
		}
		var names []string
		for _, m := range doc.members() {
			names = append(names, doc.t.nameOf(m.name))
		}
		if !slices.IsSorted(names) || len(names) != n+5 {
			t.Errorf("%v", names)
		}
	}
}

// Reading takes a handful of allocations, whatever stands in the document, and
// checking what was read hardly more.
func TestReadingAllocatesLittle(t *testing.T) {
	text := string(newDocument(t, fullAward(t), goodIssue(t)))
	if got := testing.AllocsPerRun(20, func() { _, _ = readText(text) }); got > 8 {
		t.Errorf("reading takes %v allocations", got)
	}
	doc, err := readText(text)
	if err != nil {
		t.Fatal(err)
	}
	known := indexed(doc)
	if got := testing.AllocsPerRun(20, func() { lint(doc, known, nil, true) }); got > 40 {
		t.Errorf("checking takes %v allocations", got)
	}
}

// judge tells by the tokens of encoding/json whether a text keeps to the rules of
// readJSON.
func judge(data []byte) error {
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	if !utf8.Valid(data) || len(trimmed) == 0 || trimmed[0] != '{' || loneSurrogate(data) {
		return errJSON
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	count := 0
	if err := judgeValue(d, 1, &count); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || count-1 > maxValues {
		return errJSON
	}
	return nil
}

func judgeValue(d *json.Decoder, depth int, count *int) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if *count++; depth > maxDepth {
		return errJSON
	}
	switch t := t.(type) {
	case json.Number:
		if !plainNumber(t.String()) {
			return errJSON
		}
	case json.Delim:
		names := map[string]bool{}
		for d.More() {
			if t == '{' {
				name, err := d.Token()
				s, _ := name.(string)
				if err != nil || len(s) > maxName || names[fold(s)] {
					return errJSON
				}
				names[fold(s)] = true
			}
			if err := judgeValue(d, depth+1, count); err != nil {
				return err
			}
		}
		if _, err := d.Token(); err != nil {
			return err
		}
	}
	return nil
}

// loneSurrogate tells whether half of a pair is escaped alone somewhere.
func loneSurrogate(data []byte) bool {
	for i := 0; i+1 < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		i++
		if data[i] != 'u' || i+5 > len(data) {
			continue
		}
		r, err := strconv.ParseUint(string(data[i+1:i+5]), 16, 16)
		if err != nil || r < 0xd800 || r > 0xdfff {
			continue
		}
		if r >= 0xdc00 || i+11 > len(data) || data[i+5] != '\\' || data[i+6] != 'u' {
			return true
		}
		low, err := strconv.ParseUint(string(data[i+7:i+11]), 16, 16)
		if err != nil || low < 0xdc00 || low > 0xdfff {
			return true
		}
		i += 10
	}
	return false
}

// The strict reader accepts what encoding/json accepts and the rules allow, nothing
// more and nothing less, and reads the same in it (J7).
func FuzzReadJSON(f *testing.F) {
	long := strings.Repeat("x", 150)
	for _, text := range []string{
		`{}`, `{"a":[1,-0.5e+3,"x",null,true]}`, `{"a":"\ud83d\ude00\"\\"}`, `{"a":1,"A":2}`, `{"k":1,"` + "\u212a" + `":2}`,
		`{"title":1,"Title":2}`, `{"Title":1,"title":2}`, `{"titlE":1,"Title":2}`, `{"ID":1,"x":2,"i\u0064":3}`, `{"":{"":[]}}`,
		"\xef\xbb\xbf{}", `{"a":"\ud800"}`, `{} {}`, deep(32), deep(33), string(smallDocument), manyNames(40, `"z":1`), manyNames(20, `"N7":0`),
		`{"` + long + `":1}`, `{"` + long[:128] + `":1}`, `{"a":"` + long + `\n\u00e9` + long + `\"` + long + `"}`, "{\"a\":\"" + long + "\x01" + long + "\"}",
		`{"credentialSubject":{"credentialSubjecT":-0}}`, `{"a":9007199254740993,"b":1e400}`, `{"@context":[],"a":{"@context":{}}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readJSON(data)
		if want := judge(data); (err == nil) != (want == nil) {
			t.Fatalf("read: %v; by the tokens: %v", err, want)
		}
		if err != nil {
			return
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, asDecoded(got)); diff != "" {
			t.Fatal(diff)
		}
	})
}
