// Package status holds the status of credentials as data: the values a
// credential may have, and lists of them as bits that can be set, read,
// compressed, parsed and pointed at; and the Register of a list, which gives it in
// every form in which it is published.
//
// It does no I/O and trusts nothing it parses: whatever the input, parsing
// takes bounded memory, never panics, and either gives back exactly what was
// written or an error that names the step. An index outside a list is always
// an error, never "valid".
package status

import (
	"errors"
	"fmt"
	"strconv"
)

// MinEntries is the least number of entries of a list: 16 KiB of bits, the
// herd in which one holder hides (Bitstring Status List 1.0, section 6.1).
const MinEntries = 1 << 17

// The kinds of error a caller may match with errors.Is.
var (
	ErrRange  = errors.New("index outside the list") // RANGE_ERROR
	ErrLength = errors.New("length of the list")     // STATUS_LIST_LENGTH_ERROR
)

// Value is the status of a credential, numbered as in the Token Status List
// draft, section 7.1.
type Value uint8

// The values there are. Revoked is final, Suspended can be lifted.
const (
	Valid     Value = 0
	Revoked   Value = 1
	Suspended Value = 2
)

// String returns "valid", "revoked" or "suspended", and a text with the number
// for any other value.
func (v Value) String() string {
	switch v {
	case Valid:
		return "valid"
	case Revoked:
		return "revoked"
	case Suspended:
		return "suspended"
	}
	return "status(" + strconv.Itoa(int(v)) + ")"
}

// ParseValue is the inverse of String for the three values there are.
func ParseValue(s string) (Value, error) {
	for _, v := range []Value{Valid, Revoked, Suspended} {
		if s == v.String() {
			return v, nil
		}
	}
	return Valid, fmt.Errorf("parsing status %q: want valid, revoked or suspended", clip(s))
}

// Purpose says what a set bit of a bit list means.
type Purpose string

// The purposes we publish: Revocation cannot be undone, Suspension can
// (Bitstring Status List 1.0, section 2.2).
const (
	Revocation Purpose = "revocation"
	Suspension Purpose = "suspension"
)

// ParseIndex reads a position in a list as it stands in a credential: decimal
// digits, no sign, no blank, no leading zero, below 2^32.
func ParseIndex(s string) (uint32, error) {
	if s == "" {
		return 0, errors.New("parsing index: empty")
	}
	if len(s) > 1 && s[0] == '0' {
		return 0, fmt.Errorf("parsing index %q: leading zero", clip(s))
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, fmt.Errorf("parsing index %q: want decimal digits only", clip(s))
		}
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("parsing index %q: %w", clip(s), ErrRange)
	}
	return uint32(n), nil
}

// clip keeps hostile text out of messages and logs.
func clip(s string) string {
	if len(s) > 20 {
		return s[:20] + "…"
	}
	return s
}
