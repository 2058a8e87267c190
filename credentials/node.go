package credentials

import (
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
)

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// node is a value of a tree, read by exact member names. The learning model
// lets a repeatable member be one value or a list of them, so every look-up works
// on both. The zero node is no value, and what a null is read as.
type node struct {
	t *tree
	v *value
}

// of is the node of a value of the same tree, which may be nil.
func (n node) of(v *value) node {
	if v == nil || v.kind == isNull {
		return node{}
	}
	return node{n.t, v}
}

func (n node) is(k kind) bool { return n.v != nil && n.v.kind == k }

// first is the first element of a list, and of that where it is a list; anything
// else is itself.
func (n node) first() node {
	for n.is(isList) {
		if n.v.size() == 0 {
			return node{}
		}
		n = n.of(&n.t.below(n.v)[0])
	}
	return n
}

// get returns the member, or an empty node. On a list it looks into the first
// element.
func (n node) get(name string) node {
	if n = n.first(); n.v == nil {
		return n
	}
	return n.of(n.t.named(n.v, name))
}

// member is get for one of memberNames that is known already.
func (n node) member(name symbol) node {
	if n = n.first(); n.v == nil {
		return n
	}
	return n.of(n.t.member(n.v, name))
}

// at follows a path of member names.
func (n node) at(path ...string) node {
	for _, name := range path {
		n = n.get(name)
	}
	return n
}

// count is the number of values of a repeatable member.
func (n node) count() int {
	switch {
	case n.v == nil:
		return 0
	case n.v.kind == isList:
		return n.v.size()
	}
	return 1
}

// nth is one value of a repeatable member, from 0.
func (n node) nth(i int) node {
	if n.is(isList) {
		return n.of(&n.t.below(n.v)[i])
	}
	return n
}

// every goes through the values of a repeatable member.
func (n node) every() iter.Seq[node] {
	return func(yield func(node) bool) {
		for i := range n.count() {
			if !yield(n.nth(i)) {
				return
			}
		}
	}
}

// members are those of an object, sorted by their names; none of anything else.
func (n node) members() []value {
	if !n.is(isObject) {
		return nil
	}
	return n.t.below(n.v)
}

func (n node) present() bool { return n.v != nil }

// str returns a string; the second result tells whether the value is one.
func (n node) str() (string, bool) {
	if n.v == nil {
		return "", false
	}
	return n.t.str(n.v)
}

// number returns a number as written, and "" for anything else.
func (n node) number() string {
	if !n.is(isNumber) {
		return ""
	}
	return n.t.textOf(n.v)
}

// text returns the string or number, of a list the first, or "" for anything
// else.
func (n node) text() string {
	if n = n.first(); n.v == nil {
		return ""
	}
	return n.t.textOf(n.v)
}

// single is the value, unless it is a list.
func (n node) single() node {
	if n.is(isList) {
		return node{}
	}
	return n
}

// scalar returns the one string or number, and "" for anything else, also for
// a list that holds one.
func (n node) scalar() string { return n.single().text() }

// maxLanguages bounds a language map; the Union writes in 24 languages.
const maxLanguages = 64

// languages are the members of a language map; a map of more languages than there
// can be is none.
func (n node) languages() (members []value, ok bool) {
	members = n.members()
	return members, n.is(isObject) && len(members) <= maxLanguages
}

// texts reads a language map. Values that are lists give their first string.
func (n node) texts() Text {
	members, ok := n.languages()
	if !ok {
		return nil
	}
	t := make(Text, len(members))
	for i := range members {
		if s := n.of(&members[i]).text(); s != "" {
			t[strings.ToLower(n.t.nameOf(members[i].name))] = s
		}
	}
	return t
}

// in is the text of a language map in one language, "" when it has none.
func (n node) in(language string) string {
	members, ok := n.languages()
	if !ok {
		return ""
	}
	for i := range members {
		if name := n.t.nameOf(members[i].name); name == language || strings.ToLower(name) == language {
			if s := n.of(&members[i]).text(); s != "" {
				return s
			}
		}
	}
	return ""
}

// any is the text of a language map in Italian, else in English, else in any
// language, as Text.In gives it.
func (n node) any() string {
	for _, language := range [...]string{"it", "en"} {
		if s := n.in(language); s != "" {
			return s
		}
	}
	s, _ := n.texts().In()
	return s
}

// has tells whether a member that is one string or several holds s.
func (n node) has(s string) bool {
	for i := range n.count() {
		if t, ok := n.nth(i).str(); ok && t == s {
			return true
		}
	}
	return false
}

// plainNumber tells whether a number is of a size that every reader keeps (RFC
// 7493 clause 2.2), and no negative zero, whose sign some readers drop.
func plainNumber(n string) bool {
	value, err := strconv.ParseFloat(n, 64)
	return err == nil && math.Abs(value) < 1<<53 && (value != 0 || n[0] != '-')
}
