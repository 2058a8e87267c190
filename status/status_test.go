package status_test

import (
	"errors"
	"testing"

	"attesta/status"
)

func TestValuesRoundTripAsText(t *testing.T) {
	for v, want := range map[status.Value]string{status.Valid: "valid", status.Revoked: "revoked", status.Suspended: "suspended"} {
		if got := v.String(); got != want {
			t.Errorf("Value(%d).String() = %q, want %q", uint8(v), got, want)
		}
		if got, err := status.ParseValue(want); err != nil || got != v {
			t.Errorf("ParseValue(%q) = %v, %v", want, got, err)
		}
	}
	for _, s := range []string{"", "Valid", "valid ", "0", "status(3)"} {
		if _, err := status.ParseValue(s); err == nil {
			t.Errorf("ParseValue(%q) was accepted", s)
		}
	}
}

// The numbers are those of the Token Status List draft and must never move.
func TestValuesAreThoseOfTheDraft(t *testing.T) {
	if status.Valid != 0 || status.Revoked != 1 || status.Suspended != 2 {
		t.Fatal("values moved")
	}
}

// S4
func TestParseIndexTakesDecimalDigitsOnly(t *testing.T) {
	good := map[string]uint32{"0": 0, "7": 7, "131071": 131071, "4294967295": 1<<32 - 1}
	for s, want := range good {
		if got, err := status.ParseIndex(s); err != nil || got != want {
			t.Errorf("ParseIndex(%q) = %d, %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", " ", "-1", "+1", "-0", "01", "00", "1 ", " 1", "1.0", "1e3", "0x10", "1_000", "\u0661", "1\x00", "null",
	} {
		if _, err := status.ParseIndex(s); err == nil {
			t.Errorf("ParseIndex(%q) was accepted", s)
		}
	}
	for _, s := range []string{"4294967296", "9223372036854775808", "18446744073709551616", "99999999999999999999999999999999"} {
		if _, err := status.ParseIndex(s); !errors.Is(err, status.ErrRange) {
			t.Errorf("ParseIndex(%q): %v, want ErrRange", s, err)
		}
	}
}

func FuzzParseIndex(f *testing.F) {
	for _, s := range []string{"0", "1", "01", "-1", "4294967295", "4294967296", "1e3", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := status.ParseIndex(s)
		if err == nil && itoa(n) != s {
			t.Errorf("ParseIndex(%q) = %d, which is written otherwise", s, n)
		}
	})
}

func itoa(n uint32) string {
	var b []byte
	for {
		b = append([]byte{byte('0' + n%10)}, b...)
		if n /= 10; n == 0 {
			return string(b)
		}
	}
}
