package credentials

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// object is a JSON object whose members keep the order in which they are
// added; absent values are left out.
type object struct{ members []member }

type member struct {
	name  string
	value any
}

func obj(kind, id string) *object {
	o := &object{}
	if id != "" {
		o.add("id", id)
	}
	return o.add("type", kind)
}

func (o *object) add(name string, value any) *object {
	switch v := value.(type) {
	case nil:
		return o
	case string:
		if v == "" {
			return o
		}
	case Text:
		if len(v) == 0 {
			return o
		}
	case *object:
		if v == nil {
			return o
		}
	case []any:
		if len(v) == 0 {
			return o
		}
	}
	o.members = append(o.members, member{name, value})
	return o
}

// some is the array of the objects that are there.
func some(objects ...*object) []any {
	var there []any
	for _, o := range objects {
		if o != nil {
			there = append(there, o)
		}
	}
	return there
}

// encoded are bytes that are written in base64.
type encoded []byte

// appendTo writes the object without white space and without the HTML escapes
// that json.Marshal adds.
func (o *object) appendTo(b []byte) ([]byte, error) {
	b = append(b, '{')
	for i, m := range o.members {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendString(b, m.name); err != nil {
			return nil, err
		}
		if b, err = appendValue(append(b, ':'), m.value); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendValue(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case *object:
		return v.appendTo(b)
	case string:
		return appendString(b, v)
	case Text:
		return appendText(b, v)
	case []any:
		return appendList(b, v)
	case encoded:
		b = base64.StdEncoding.AppendEncode(append(b, '"'), v)
		return append(b, '"'), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	}
	return nil, fmt.Errorf("writing a value of type %T", value)
}

func appendText(b []byte, t Text) ([]byte, error) {
	b = append(b, '{')
	for i, language := range sortedKeys(t) {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendString(b, language); err != nil {
			return nil, err
		}
		if b, err = appendString(append(b, ':'), t[language]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendList(b []byte, values []any) ([]byte, error) {
	b = append(b, '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendValue(b, v); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// appendString copies what needs no escape and leaves the rest to
// encoding/json. Text that is not UTF-8 is an error: it would be replaced.
func appendString(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, errors.New("a text is not valid UTF-8")
	}
	for i := range len(s) {
		// U+2028 and U+2029 begin with the byte 0xe2.
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c == 0xe2 {
			quoted, err := marshalPlain(s)
			return append(b, quoted...), err
		}
	}
	return append(append(append(b, '"'), s...), '"'), nil
}

// marshalPlain marshals without the HTML escapes that json.Marshal adds.
func marshalPlain(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
