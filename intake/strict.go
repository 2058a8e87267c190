package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxJSON     = 8 << 20 // bytes
	maxDepth    = 32
	maxProblems = 100 // reported of one file
)

// decodeStrict reads one JSON value into target, a pointer to a struct. It
// refuses names that the type does not have (in exactly that spelling), a name
// that comes twice, values of another type, text that cannot be shown, and
// anything after the value. All problems are reported, each with its line and
// path.
func decodeStrict(b []byte, target any) []*FileError {
	b = bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF"))
	if !utf8.Valid(b) {
		return []*FileError{fileError("not_utf8", 0, "")}
	}
	w := &walker{src: b, dec: json.NewDecoder(bytes.NewReader(b))}
	w.dec.UseNumber()
	err := w.value(reflect.TypeOf(target).Elem(), "", 0)
	if err == nil {
		if _, err = w.dec.Token(); err == nil || !errors.Is(err, io.EOF) {
			w.report("trailing_data", "")
		}
		err = nil
	}
	if err != nil && !errors.Is(err, errStop) {
		w.report("invalid_json", "")
	}
	// Also where there are problems: the codes of the items serve to name them.
	if err := json.Unmarshal(b, target); err != nil && len(w.problems) == 0 {
		w.report("invalid_json", "")
	}
	return w.problems
}

// errStop ends a walk whose reason is already reported.
var errStop = errors.New("stop")

// A walker goes through the tokens of a JSON text beside the type it is for.
type walker struct {
	src      []byte
	dec      *json.Decoder
	problems []*FileError
}

func (w *walker) report(code, path string, args ...string) {
	line := bytes.Count(w.src[:w.dec.InputOffset()], []byte("\n")) + 1
	w.problems = append(w.problems, fileError(code, line, path, args...))
}

// value walks one value. A nil type accepts anything, so that the inside of an
// unknown member is passed over without more complaints.
func (w *walker) value(t reflect.Type, path string, depth int) error {
	if depth > maxDepth {
		w.report("too_deep", path, strconv.Itoa(maxDepth))
		return errStop
	}
	if len(w.problems) >= maxProblems {
		return errStop
	}
	token, err := w.dec.Token()
	if err != nil {
		return err
	}
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t != nil && !fits(token, t) {
		w.report("wrong_type", path, kindWord(t))
		t = nil
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return w.object(t, path, depth)
		}
		return w.array(t, path, depth)
	case string:
		if strings.IndexFunc(token, func(r rune) bool { return r != '\n' && r != '\t' && unfit(r) }) >= 0 {
			w.report("unreadable_text", path)
		}
	}
	return nil
}

func (w *walker) object(t reflect.Type, path string, depth int) error {
	seen := make(map[string]bool)
	for w.dec.More() {
		token, err := w.dec.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		at := strings.TrimPrefix(path+"."+show(name), ".")
		if seen[name] {
			w.report("duplicate_field", at)
			return errStop
		}
		seen[name] = true
		inner, known := member(t, name)
		if !known {
			w.report("unknown_field", at)
		}
		if err := w.value(inner, at, depth+1); err != nil {
			return err
		}
	}
	_, err := w.dec.Token()
	return err
}

func (w *walker) array(t reflect.Type, path string, depth int) error {
	var inner reflect.Type
	if t != nil {
		inner = t.Elem()
	}
	for i := 0; w.dec.More(); i++ {
		if err := w.value(inner, path+"["+strconv.Itoa(i)+"]", depth+1); err != nil {
			return err
		}
	}
	_, err := w.dec.Token()
	return err
}

// member returns the type of an object's member. Where the object's own type
// is not known, neither is the member's, and nothing is missed.
func member(t reflect.Type, name string) (inner reflect.Type, known bool) {
	if t == nil {
		return nil, true
	}
	if t.Kind() == reflect.Map {
		return t.Elem(), name != ""
	}
	for _, f := range reflect.VisibleFields(t) {
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag != "" && tag == name {
			return f.Type, true
		}
	}
	return nil, false
}

// fits tells whether a token can begin a value of a type. Null fits all: what
// must be there is checked afterwards.
func fits(token json.Token, t reflect.Type) bool {
	switch v := token.(type) {
	case nil:
		return true
	case json.Delim:
		return v == '{' && (t.Kind() == reflect.Struct || t.Kind() == reflect.Map) || v == '[' && t.Kind() == reflect.Slice
	case string:
		return t.Kind() == reflect.String
	case bool:
		return t.Kind() == reflect.Bool
	case json.Number:
		if t.Kind() == reflect.Int {
			_, err := strconv.ParseInt(v.String(), 10, 32)
			return err == nil
		}
		_, err := v.Float64()
		return t.Kind() == reflect.Float64 && err == nil
	}
	return false
}

func kindWord(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "{…}"
	case reflect.Slice:
		return "[…]"
	case reflect.Bool:
		return "true/false"
	case reflect.Int:
		return "1, 2, 3"
	case reflect.Float64:
		return "1, 2.5"
	}
	return "\"…\""
}
