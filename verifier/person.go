package verifier

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"attesta/credentials"
)

// Person is what somebody reads on a document of the person before them. What
// is empty was not read.
type Person struct {
	BirthDate credentials.Date
	Number    string // tax code or another national number, in any spelling
}

// Holder is what a credential says of its holder beside the name. It can be
// compared with and not be read: only hashes are kept, and none of it is printed
// or marshalled. The zero value says nothing.
type Holder struct {
	born    []digest // one, or none
	numbers []digest
}

type digest [sha256.Size]byte

// HolderOf keeps a birth date and national numbers for comparison; "" is none.
func HolderOf(born credentials.Date, numbers ...string) Holder {
	var h Holder
	if born != "" {
		h.born = []digest{sha256.Sum256([]byte(born))}
	}
	for _, n := range numbers {
		if n = plainNumber(n); n != "" {
			h.numbers = append(h.numbers, sha256.Sum256([]byte(n)))
		}
	}
	return h
}

// Equal tells whether two holders can be compared with the same things.
func (h Holder) Equal(other Holder) bool {
	return slices.Equal(h.born, other.born) && slices.Equal(h.numbers, other.numbers)
}

// String says nothing of what is kept.
func (Holder) String() string { return "holder" }

// GoString says nothing of what is kept.
func (Holder) GoString() string { return "verifier.Holder{}" }

// Carries tells with what somebody can be compared.
func (h Holder) Carries() (birthDate, number bool) { return len(h.born) > 0, len(h.numbers) > 0 }

// About answers as well whether a credential is that of a person, in place of
// the check holder. It is asked only where the seal is good; of anything else,
// and about nobody, the report stays as it is.
//
// All that was read on the document must be in the credential and be the same.
// What matches changes no verdict. What differs makes not valid what was no
// worse: not valid as proof for this person. Where the credential does not carry
// what was read, nobody can tell. Which of two things differs is not said.
func (r Report) About(p Person) Report {
	if r.Credential == nil || p.BirthDate == "" && plainNumber(p.Number) == "" {
		return r
	}
	check := r.Holder.compare(p)
	if r.Brief {
		check.Reason = "holder_brief" // with a file there may be something to compare
	}
	if check.Outcome == Unknown && r.Discloses() {
		check.Reason = "holder_hidden"
	}
	name := r.Credential.HolderName
	if name == "" {
		name = "–"
	}
	check.Facts = map[string]string{"name": name}
	r.Checks = slices.Clone(r.Checks)
	at := slices.IndexFunc(r.Checks, func(c Check) bool { return c.ID == CheckHolder })
	if at < 0 {
		r.Checks = append(r.Checks, check)
	} else {
		r.Checks[at] = check
	}
	switch {
	case check.Outcome == Fail && r.Verdict != NotValid:
		r.Verdict, r.Reason = NotValid, check.Reason
	case check.Outcome == Unknown && r.Verdict == Valid:
		r.Verdict, r.Reason = CannotTell, check.Reason
	}
	return r
}

// compare takes the same time whatever is the same and whatever differs.
func (h Holder) compare(p Person) Check {
	missing, differs := 0, 0
	look := func(read string, kept []digest) {
		if read == "" {
			return
		}
		if len(kept) == 0 {
			missing++
			return
		}
		sum, same := sha256.Sum256([]byte(read)), 0
		for _, k := range kept {
			same |= subtle.ConstantTimeCompare(sum[:], k[:])
		}
		differs += 1 - same
	}
	look(string(p.BirthDate), h.born)
	look(plainNumber(p.Number), h.numbers)
	switch {
	case differs > 0:
		return Check{ID: CheckHolder, Outcome: Fail, Reason: "holder_differs"}
	case missing > 0:
		return Check{ID: CheckHolder, Outcome: Unknown, Reason: "holder_no_data"}
	}
	return Check{ID: CheckHolder, Outcome: Pass, Reason: "holder_matches"}
}

// plainNumber is a national number without what is only spelling: its letters,
// in capitals, and its digits. The letters that stand for digits in an Italian
// tax code are no spelling: they are given so that two people have two codes.
func plainNumber(number string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, number)
}

// Why a birth date is not read.
var (
	ErrShortYear = errors.New("the year of the date has two digits")
	ErrNoDay     = errors.New("this is not a day")
)

// ReadBirthDate reads a day as people write it: day, month and year, or year,
// month and day, in digits, with one of / - . or spaces between them or, of eight
// digits, nothing. A year of two digits is ErrShortYear, because it can be read in
// two ways; anything else is ErrNoDay. No error repeats what was written.
func ReadBirthDate(text string) (credentials.Date, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxDay || strings.IndexFunc(text, func(r rune) bool { return !digit(r) && !between(r) }) >= 0 {
		return "", ErrNoDay
	}
	parts := strings.FieldsFunc(text, between)
	if len(parts) == 1 && len(text) == 8 {
		if day, err := day(text[4:], text[2:4], text[:2]); err == nil && day >= "1800" {
			return day, nil
		}
		return day(text[:4], text[4:6], text[6:])
	}
	if len(parts) != 3 {
		return "", ErrNoDay
	}
	switch first, last := len(parts[0]), len(parts[2]); {
	case first == 4 && last <= 2:
		return day(parts[0], parts[1], parts[2])
	case first <= 2 && last == 4:
		return day(parts[2], parts[1], parts[0])
	case first <= 2 && last <= 2:
		return "", ErrShortYear
	}
	return "", ErrNoDay
}

// maxDay bounds what is read as a day, in bytes.
const maxDay = 40

func digit(r rune) bool { return r >= '0' && r <= '9' }

func between(r rune) bool {
	return r == '/' || r == '.' || unicode.IsSpace(r) || unicode.Is(unicode.Pd, r)
}

func day(year, month, of string) (credentials.Date, error) {
	if len(month) > 2 {
		return "", ErrNoDay
	}
	var n [3]int
	for i, part := range []string{year, month, of} {
		var err error
		if n[i], err = strconv.Atoi(part); err != nil {
			return "", ErrNoDay
		}
	}
	t := time.Date(n[0], time.Month(n[1]), n[2], 0, 0, 0, 0, time.UTC)
	if t.Year() != n[0] || int(t.Month()) != n[1] || t.Day() != n[2] {
		return "", ErrNoDay
	}
	return credentials.Date(t.Format(time.DateOnly)), nil
}
