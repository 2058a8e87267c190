package web

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"attesta/registry"
)

// query is what a console page can be asked for by its address.
type query struct {
	Provider string
	Module   string
	Edition  string
	After    string // continue after this one
	Before   uint64 // continue below this one; 0 for the newest
}

// readQuery reads the query of a console page. Only the names allowed (and
// lang) may stand in it, each at most once, and each value must be one that
// the registry could hold; anything else is registry.ErrInvalid.
func readQuery(raw string, allowed ...string) (query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return query{}, fmt.Errorf("reading query: %w", registry.ErrInvalid)
	}
	var q query
	for name, all := range values {
		if name == "lang" {
			continue
		}
		if !slices.Contains(allowed, name) || len(all) != 1 {
			return query{}, fmt.Errorf("reading query: unknown or repeated name: %w", registry.ErrInvalid)
		}
		value := all[0]
		if !reference(value) {
			return query{}, fmt.Errorf("reading query: value of %s: %w", name, registry.ErrInvalid)
		}
		switch name {
		case "provider":
			q.Provider = value
		case "module":
			q.Module = value
		case "edition":
			q.Edition = value
		case "after":
			q.After = value
		case "before":
			if q.Before, err = position(value); err != nil {
				return query{}, err
			}
		}
	}
	return q, nil
}

// position reads the number of a record: digits only, no leading zero.
func position(value string) (uint64, error) {
	n, err := strconv.ParseUint(value, 10, 63)
	if value != "" && (err != nil || strconv.FormatUint(n, 10) != value || n == 0) {
		return 0, fmt.Errorf("reading query: position: %w", registry.ErrInvalid)
	}
	return n, nil
}

// reference tells whether a value is empty or could name something.
func reference(value string) bool {
	return len(value) <= 3*registry.MaxRef && utf8.ValidString(value) &&
		strings.IndexFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// address writes a query behind a path, in a fixed order.
func (q query) address(path string) string {
	v := url.Values{}
	for name, value := range map[string]string{"provider": q.Provider, "module": q.Module, "edition": q.Edition, "after": q.After} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Before > 0 {
		v.Set("before", strconv.FormatUint(q.Before, 10))
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}
