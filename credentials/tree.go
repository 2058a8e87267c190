package credentials

import (
	"slices"
	"strings"
)

// tree is a JSON text that was read. It holds the text, and where in it every
// value stands; the values of one object or list stand next to one another, those
// of an object sorted by the bytes of their names.
type tree struct {
	text    string
	spelled []string // the strings that were written with escapes
	others  []string // the names that are not in memberNames
	values  []value
	root    value
	at      int // how many members have a name that begins with @
}

// value is one value of a tree. It has no pointers, so that a tree of many is
// nothing to the garbage collector.
type value struct {
	kind kind
	name symbol // of the member that it is; 0 in a list
	// Where it stands: from and to in the text, of a number and of a string
	// without escapes; the position among spelled of another string; from and to
	// among the values, of an object or a list.
	from, to uint32
	id       uint32 // of an object: the position from 1 among what is described, once somebody looked
}

// size is the number of members of an object or elements of a list.
func (v *value) size() int { return int(v.to - v.from) }

type kind uint8

const (
	isNull kind = iota
	isTrue
	isFalse
	isNumber
	isText
	isSpelled // a text that was written with escapes
	isList
	isObject
)

// below are the members of an object or the elements of a list.
func (t *tree) below(v *value) []value { return t.values[v.from:v.to] }

// nameOf is the name that a symbol stands for.
func (t *tree) nameOf(s symbol) string {
	if s >= firstOther {
		return t.others[s-firstOther]
	}
	return memberNames[s-1]
}

// textOf is what stands between the quotation marks, without escapes, and of a
// number how it is written. It is "" for anything else.
func (t *tree) textOf(v *value) string {
	switch v.kind {
	case isText, isNumber:
		return t.text[v.from:v.to]
	case isSpelled:
		return t.spelled[v.from]
	}
	return ""
}

// str returns a string; the second result tells whether the value is one.
func (t *tree) str(v *value) (string, bool) {
	return t.textOf(v), v.kind == isText || v.kind == isSpelled
}

// few is how many members of an object are looked at one by one.
const few = 16

// sort sorts the members of an object. Most come nearly sorted, or are few.
func (t *tree) sort(members []value) {
	if len(members) > few {
		slices.SortFunc(members, func(a, b value) int { return t.order(a.name, b.name) })
		return
	}
	for i := 1; i < len(members); i++ {
		if t.order(members[i-1].name, members[i].name) < 0 {
			continue
		}
		m, k := members[i], i
		for ; k > 0 && t.order(m.name, members[k-1].name) < 0; k-- {
			members[k] = members[k-1]
		}
		members[k] = m
	}
}

// order compares two names.
func (t *tree) order(a, b symbol) int {
	if a < firstOther && b < firstOther {
		return int(a) - int(b)
	}
	return t.spelling(a, b)
}

func (t *tree) spelling(a, b symbol) int { return strings.Compare(t.nameOf(a), t.nameOf(b)) }

// member finds a member of an object by one of memberNames; nil when it has
// none.
func (t *tree) member(v *value, name symbol) *value {
	if v.kind != isObject {
		return nil
	}
	members := t.below(v)
	if len(members) > few {
		i, ok := slices.BinarySearchFunc(members, name, func(m value, name symbol) int { return t.order(m.name, name) })
		if !ok {
			return nil
		}
		return &members[i]
	}
	for i := range members {
		if members[i].name == name {
			return &members[i]
		}
	}
	return nil
}

// named finds a member of an object by any name.
func (t *tree) named(v *value, name string) *value {
	if s := known.find(name); s != 0 || v.kind != isObject {
		return t.member(v, s)
	}
	members := t.below(v)
	i, ok := slices.BinarySearchFunc(members, name, func(m value, name string) int { return strings.Compare(t.nameOf(m.name), name) })
	if !ok {
		return nil
	}
	return &members[i]
}

// same compares two values of one tree as they were read: of numbers, how they
// are written.
func (t *tree) same(a, b *value) bool {
	switch a.kind {
	case isText, isSpelled:
		mine, _ := t.str(a)
		other, ok := t.str(b)
		return ok && mine == other
	case isNumber:
		return b.kind == isNumber && t.textOf(a) == t.textOf(b)
	case isList, isObject:
		if a.kind != b.kind || a.size() != b.size() {
			return false
		}
		mine, other := t.below(a), t.below(b)
		for i := range mine {
			if t.order(mine[i].name, other[i].name) != 0 || !t.same(&mine[i], &other[i]) {
				return false
			}
		}
		return true
	}
	return a.kind == b.kind
}
