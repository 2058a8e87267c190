package credentials

import (
	"encoding/json"
	"math"
	"slices"
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

// node is a JSON value read by exact member names. The learning model lets a
// repeatable member be one value or an array of them, so every look-up works
// on both.
type node struct{ v any }

// get returns the member, or an empty node. On an array it looks into the
// first element.
func (n node) get(name string) node {
	switch v := n.v.(type) {
	case map[string]any:
		return node{v[name]}
	case []any:
		if len(v) > 0 {
			return node{v[0]}.get(name)
		}
	}
	return node{}
}

// at follows a path of member names.
func (n node) at(path ...string) node {
	for _, name := range path {
		n = n.get(name)
	}
	return n
}

// each returns the values of a repeatable member.
func (n node) each() []node {
	switch v := n.v.(type) {
	case nil:
		return nil
	case []any:
		nodes := make([]node, len(v))
		for i := range v {
			nodes[i] = node{v[i]}
		}
		return nodes
	}
	return []node{n}
}

func (n node) present() bool { return n.v != nil }

// text returns the string, or "" for anything else.
func (n node) text() string {
	switch v := n.v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case []any:
		if len(v) > 0 {
			return node{v[0]}.text()
		}
	}
	return ""
}

// scalar returns the one string or number, and "" for anything else, also for
// an array that holds one.
func (n node) scalar() string {
	if _, several := n.v.([]any); several {
		return ""
	}
	return n.text()
}

// maxLanguages bounds a language map; the Union writes in 24 languages.
const maxLanguages = 64

// texts reads a language map. Values that are arrays give their first string;
// a map of more languages than there can be gives none.
func (n node) texts() Text {
	m, ok := n.v.(map[string]any)
	if !ok || len(m) > maxLanguages {
		return nil
	}
	t := make(Text, len(m))
	for language, v := range m {
		if s := (node{v}).text(); s != "" {
			t[strings.ToLower(language)] = s
		}
	}
	return t
}

// has tells whether a member that is one string or several holds s.
func (n node) has(s string) bool {
	for _, v := range n.each() {
		if t, ok := v.v.(string); ok && t == s {
			return true
		}
	}
	return false
}

// plainNumber tells whether a number is of a size that every reader keeps (RFC
// 7493 clause 2.2), and no negative zero, whose sign some readers drop.
func plainNumber(n json.Number) bool {
	value, err := n.Float64()
	return err == nil && math.Abs(value) < 1<<53 && (value != 0 || n[0] != '-')
}
