package registry

import (
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"
)

// What follows rules out inputs to which two backends would answer differently.

// isText tells whether s is UTF-8 without control characters.
func isText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, c := range s {
		if unicode.IsControl(c) {
			return false
		}
	}
	return true
}

func isRef(s string) bool {
	if s == "" || len(s) > MaxRef || !utf8.ValidString(s) {
		return false
	}
	for _, c := range s {
		if !unicode.IsPrint(c) {
			return false
		}
	}
	return true
}

// field is a value to check, with the name that an error gives it.
type field struct{ name, value string }

// refs checks that every field is a reference.
func refs(fields ...field) error {
	for _, f := range fields {
		if !isRef(f.value) {
			return fmt.Errorf("%s is not 1 to %d bytes of printable UTF-8: %w", f.name, MaxRef, ErrInvalid)
		}
	}
	return nil
}

// optionalRefs is refs for fields that may be empty.
func optionalRefs(fields ...field) error {
	for _, f := range fields {
		if f.value != "" {
			if err := refs(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// texts checks that every field is text of at most MaxText bytes, or empty.
func texts(fields ...field) error {
	for _, f := range fields {
		if len(f.value) > MaxText || !isText(f.value) {
			return fmt.Errorf("%s is not UTF-8 of at most %d bytes without control characters: %w", f.name, MaxText, ErrInvalid)
		}
	}
	return nil
}

func checkBytes(name string, parts ...[]byte) error {
	size := 0
	for _, b := range parts {
		size += len(b)
	}
	if size == 0 || size > MaxBytes {
		return fmt.Errorf("%s has %d bytes, want 1 to %d: %w", name, size, MaxBytes, ErrInvalid)
	}
	return nil
}

func checkLimit(n int) error {
	if n < 1 || n > MaxLimit {
		return fmt.Errorf("limit %d is not 1 to %d: %w", n, MaxLimit, ErrInvalid)
	}
	return nil
}

// stamp normalises a time to whole seconds in UTC.
func stamp(at time.Time) (time.Time, error) {
	at = at.UTC().Truncate(time.Second)
	if y := at.Year(); y < 1970 || y > 9999 {
		return at, fmt.Errorf("time of the year %d: %w", y, ErrInvalid)
	}
	return at, nil
}
