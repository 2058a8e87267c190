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

func obj(kind string, id any) *object {
	return (&object{}).add("id", id).add("type", kind)
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

// printer writes objects without white space and without the HTML escapes that
// json.Marshal adds. Where a slot stands it writes the value, or leaves the
// place open when it has none, and keeps where that was.
type printer struct {
	b      []byte
	values *values
	places []place
}

// place is where the value of a slot stands in what was written.
type place struct {
	slot slot
	at   int
}

func (p *printer) object(o *object) error {
	p.b = append(p.b, '{')
	for i, m := range o.members {
		if i > 0 {
			p.b = append(p.b, ',')
		}
		if err := p.text(m.name); err != nil {
			return err
		}
		p.b = append(p.b, ':')
		if err := p.value(m.value); err != nil {
			return err
		}
	}
	p.b = append(p.b, '}')
	return nil
}

func (p *printer) value(value any) error {
	switch v := value.(type) {
	case *object:
		return p.object(v)
	case string:
		return p.text(v)
	case varying:
		return p.varying(v)
	case Text:
		return p.texts(v)
	case []any:
		return p.list(v)
	case encoded:
		p.b = base64.StdEncoding.AppendEncode(append(p.b, '"'), v)
		p.b = append(p.b, '"')
		return nil
	case int:
		p.b = strconv.AppendInt(p.b, int64(v), 10)
		return nil
	case bool:
		p.b = strconv.AppendBool(p.b, v)
		return nil
	}
	return fmt.Errorf("writing a value of type %T", value)
}

func (p *printer) text(s string) (err error) {
	if p.b, err = appendEscaped(append(p.b, '"'), s); err != nil {
		return err
	}
	p.b = append(p.b, '"')
	return nil
}

func (p *printer) varying(v varying) (err error) {
	if p.b, err = appendEscaped(append(p.b, '"'), v.before); err != nil {
		return err
	}
	p.places = append(p.places, place{v.slot, len(p.b)})
	if p.values != nil {
		if p.b, err = appendEscaped(p.b, p.values[v.slot]); err != nil {
			return err
		}
	}
	if p.b, err = appendEscaped(p.b, v.after); err != nil {
		return err
	}
	p.b = append(p.b, '"')
	return nil
}

func (p *printer) texts(t Text) error {
	p.b = append(p.b, '{')
	for i, language := range sortedKeys(t) {
		if i > 0 {
			p.b = append(p.b, ',')
		}
		if err := p.text(language); err != nil {
			return err
		}
		p.b = append(p.b, ':')
		if err := p.text(t[language]); err != nil {
			return err
		}
	}
	p.b = append(p.b, '}')
	return nil
}

func (p *printer) list(values []any) error {
	p.b = append(p.b, '[')
	for i, v := range values {
		if i > 0 {
			p.b = append(p.b, ',')
		}
		if err := p.value(v); err != nil {
			return err
		}
	}
	p.b = append(p.b, ']')
	return nil
}

// appendEscaped writes a text as it stands between the quotes of a JSON string.
// It copies what needs no escape and leaves the rest to encoding/json, rune by
// rune: what is written of two texts is what is written of both together. Text
// that is not UTF-8 is an error: it would be replaced.
func appendEscaped(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, errors.New("a text is not valid UTF-8")
	}
	for i := range len(s) {
		// U+2028 and U+2029 begin with the byte 0xe2.
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c == 0xe2 {
			quoted, err := marshalPlain(s)
			if err != nil {
				return nil, err
			}
			return append(b, quoted[1:len(quoted)-1]...), nil
		}
	}
	return append(b, s...), nil
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
