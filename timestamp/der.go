package timestamp

import (
	"encoding/asn1"
	"errors"
	"fmt"
)

// elements reads what stands one after the other in a DER value, which
// encoding/asn1 alone would read with elements left over. The first error stays
// and is shared with what was entered, so that callers ask once, at the end;
// until then everything read may be a zero value.
type elements struct {
	rest []byte
	err  *error
}

func open(der []byte) elements { return elements{der, new(error)} }

// take reads an element into a variable of a type without inner elements.
func (e *elements) take(v any, parameters string) {
	if *e.err != nil {
		return
	}
	rest, err := asn1.UnmarshalWithParams(e.rest, v, parameters)
	if err != nil {
		*e.err = err
		return
	}
	e.rest = rest
}

func (e *elements) next() (v asn1.RawValue) {
	e.take(&v, "")
	return v
}

// peek returns the next element and leaves it there; the zero value when there
// is none.
func (e *elements) peek() (v asn1.RawValue) {
	if _, err := asn1.Unmarshal(e.rest, &v); err != nil {
		return asn1.RawValue{}
	}
	return v
}

// at tells whether the next element has a tag.
func (e *elements) at(class, tag int) bool {
	v := e.peek()
	return len(v.FullBytes) > 0 && v.Class == class && v.Tag == tag
}

// enter takes an element that must hold elements, to read them.
func (e *elements) enter(class, tag int) elements {
	v := e.next()
	if v.Class != class || v.Tag != tag || !v.IsCompound {
		e.fail("an element of the tag %d is missing", tag)
	}
	return elements{v.Bytes, e.err}
}

func (e *elements) oid() string {
	var v asn1.ObjectIdentifier
	e.take(&v, "")
	return v.String()
}

// algorithm reads an AlgorithmIdentifier whose parameters are absent or NULL.
func (e *elements) algorithm() string {
	inside := e.enter(asn1.ClassUniversal, asn1.TagSequence)
	oid := inside.oid()
	if inside.at(asn1.ClassUniversal, asn1.TagNull) && len(inside.peek().FullBytes) == len(asn1.NullBytes) {
		inside.next()
	}
	inside.end()
	return oid
}

// more tells whether an element follows. It is false after an error.
func (e *elements) more() bool { return *e.err == nil && len(e.rest) > 0 }

// end demands that nothing follows.
func (e *elements) end() {
	if e.more() {
		*e.err = errors.New("something follows the last known element")
	}
}

func (e *elements) fail(format string, args ...any) {
	if *e.err == nil {
		*e.err = fmt.Errorf(format, args...)
	}
}

func (e *elements) error() error { return *e.err }
