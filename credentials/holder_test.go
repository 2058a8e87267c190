package credentials

import (
	"fmt"
	"strings"
	"testing"
)

// TestHolderData reads birth dates and numbers as several programs write them.
func TestHolderData(t *testing.T) {
	for subject, want := range map[string]string{
		`{}`: " []",
		`{"dateOfBirth":"1999-10-02T00:00:00+02:00"}`:                                      "1999-10-02 []",
		`{"dateOfBirth":"1999-10-02T00:00:00Z"}`:                                           "1999-10-02 []",
		`{"dateOfBirth":"1999-10-02T00:00:00"}`:                                            "1999-10-02 []",
		`{"dateOfBirth":"1999-10-02T01:00:00+02:00"}`:                                      "1999-10-02 []", // summer time began at midnight
		`{"dateOfBirth":"1999-10-01T22:00:00Z"}`:                                           "1999-10-02 []", // the Commission's sample
		`{"dateOfBirth":"1999-12-31T23:00:00Z"}`:                                           "2000-01-01 []",
		`{"dateOfBirth":"1999-10-02T05:00:00Z"}`:                                           "1999-10-02 []",
		`{"dateOfBirth":"1999-10-02T12:00:00Z"}`:                                           "1999-10-02 []",
		`{"dateOfBirth":["1999-10-02T00:00:00Z","1999-10-03T00:00:00Z"]}`:                  " []",
		`{"dateOfBirth":"1999-10-02"}`:                                                     " []",
		`{"dateOfBirth":19991002}`:                                                         " []",
		`{"nationalID":{"notation":"A1"}}`:                                                 " [A1]",
		`{"nationalID":[{"notation":"A1"},{"notation":"B2"},{"notation":["C","D"]},{}]}`:   " [A1 B2]",
		`{"nationalID":"urn:x","other":{"id":"urn:x","type":"Y","notation":"A1"}}`:         " [A1]",
		`{"nationalID":[` + strings.Repeat(`{"notation":"A"},`, 50) + `{"notation":"B"}]}`: " [A A A A A A A A]",
	} {
		doc, err := readJSON([]byte(`{"credentialSubject":` + subject + `}`))
		if err != nil {
			t.Fatal(err)
		}
		born, numbers := (&Parsed{content: doc}).HolderData()
		if got := fmt.Sprint(born, " ", numbers); got != want {
			t.Errorf("%s: %q, want %q", subject, got, want)
		}
	}
}
