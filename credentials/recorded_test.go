package credentials

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// damages are what is done to one value of a document.
var damages = []struct {
	name  string
	value func(was any) (now any, gone bool)
}{
	{"gone", func(any) (any, bool) { return nil, true }},
	{"null", func(any) (any, bool) { return nil, false }},
	{"a word", func(any) (any, bool) { return "x", false }},
	{"an address", func(any) (any, bool) { return "http://data.europa.eu/snb/eqf/9", false }},
	{"another node", func(any) (any, bool) { return "urn:epass:org:1", false }},
	{"a number", func(any) (any, bool) { return json.Number("-7"), false }},
	{"no object", func(any) (any, bool) { return false, false }},
	{"empty", func(any) (any, bool) { return map[string]any{}, false }},
	{"none of them", func(any) (any, bool) { return []any{}, false }},
	{"in a list", func(was any) (any, bool) { return []any{was}, false }},
	{"twice", func(was any) (any, bool) { return []any{was, was}, false }},
	{"with another", func(was any) (any, bool) {
		return []any{map[string]any{"id": "urn:epass:org:1", "a:b": "x", "title": "y"}, was}, false
	}},
	{"more in it", func(was any) (any, bool) {
		if m, ok := was.(map[string]any); ok {
			m = maps.Clone(m)
			m["id"], m["it"], m["zz"] = "urn:epass:org:1", "", []any{"x"}
			return m, false
		}
		return map[string]any{"und": was, "id": "no id", "type": []any{"Note"}}, false
	}},
}

// places visits every value of a document that stands under another name, or in a
// member of another name, than those before it, with a function that puts another
// in its place.
func places(v any, path string, seen map[string]bool, do func(path string, was any, put func(now any, gone bool))) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			below, was := path+"/"+name, v[name]
			last := below[strings.LastIndexByte(path, '/')+1:]
			if !seen[last] {
				seen[last] = true
				do(below, was, func(now any, gone bool) {
					if v[name] = now; gone {
						delete(v, name)
					}
				})
				v[name] = was
			}
			places(was, below, seen, do)
		}
	case []any:
		for n, child := range v {
			if n < 3 {
				places(child, path, seen, do)
			}
		}
	}
}

// What is found in damaged documents, in words and in order, and what is shown
// of them, stays as it was recorded. A rule that is changed on purpose is recorded
// anew with ATTESTA_RECORD=1.
func TestFindingsStayAsRecorded(t *testing.T) {
	file := filepath.Join("testdata", "findings.txt")
	var got bytes.Buffer
	d := newDocument(t, fullAward(t), goodIssue(t))
	var doc any
	reader := json.NewDecoder(bytes.NewReader(d))
	reader.UseNumber()
	if err := reader.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	places(doc, "", map[string]bool{}, func(path string, was any, put func(any, bool)) {
		got.WriteString(path)
		for _, damage := range damages {
			put(damage.value(was))
			text, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&got, " %s", mark(t, text))
		}
		got.WriteByte('\n')
	})
	lines := strings.SplitAfter(got.String(), "\n")
	slices.Sort(lines)
	if os.Getenv("ATTESTA_RECORD") == "1" {
		if err := os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	recorded, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for s := bufio.NewScanner(bytes.NewReader(recorded)); s.Scan(); {
		path, marks, _ := strings.Cut(s.Text(), " ")
		want[path] = marks
	}
	if len(want) < 200 {
		t.Errorf("only %d places are recorded", len(want))
	}
	for _, line := range lines[1:] { // the first is empty
		path, marks, _ := strings.Cut(strings.TrimSpace(line), " ")
		before := strings.Fields(want[path])
		if len(before) != len(damages) {
			t.Errorf("%s: %d damages are recorded, not %d", path, len(before), len(damages))
		}
		for n, m := range strings.Fields(marks) {
			if n >= len(before) || m != before[n] {
				t.Errorf("%s, %s: other findings than before", path, damages[n].name)
			}
		}
		delete(want, path)
	}
	for path := range want {
		t.Errorf("%s is recorded and no longer there", path)
	}
}

// mark is a short digest of all that is found in a document and shown of it.
func mark(t *testing.T, d Document) string {
	t.Helper()
	n, err := readJSON(d)
	if err != nil {
		t.Fatal(err)
	}
	kind := ""
	if err := checkKind(n); err != nil {
		kind = err.Error()
	}
	said, err := json.Marshal([]any{Lint(d, &theSigner), Lint(d, nil), viewOf(n), kind})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(said)
	return fmt.Sprintf("%x", sum[:3])
}
