package credentials

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Particulars is what one award adds to what all credentials of a module share.
type Particulars struct {
	Learner     Learner
	CompletedOn Date
	Score       string    // as Award.Score
	Credential  string    // urn:credential:<uuid>
	At          time.Time // of issuing, to the second
	Index       uint32    // position in the status lists
}

// slot names a text of a document that is another in every award. One may stand
// in several places.
type slot uint8

const (
	slotCredential slot = iota
	slotNumber          // the part of Number that comes from the credential
	slotIssued
	slotUntil
	slotCompleted
	slotGiven
	slotFamily
	slotFull
	slotBorn
	slotScheme
	slotNational
	slotScore
	slotScoreComma // the same with a decimal comma
	slotIndex
	slots
)

// values are the texts of the slots. Where one is empty its member is left out.
type values [slots]string

// varying is a text with a slot in it.
type varying struct {
	before string
	slot   slot
	after  string
}

// varies is the text of a slot alone, or nil where it has none.
func (w *writer) varies(s slot) any {
	if w.values[s] == "" {
		return nil
	}
	return varying{slot: s}
}

// particular is what decides of a module how particulars are written.
type particular struct {
	months *int // of validity
	scored bool // a score can only belong to one assessment, marked out of a hundred
	zone   *time.Location
}

func particularOf(m Module, zone *time.Location) particular {
	return particular{m.ValidityMonths, len(m.Assessments) == 1 && PassMark(m.Assessments[0]) > 0, zone}
}

func (r particular) values(p Particulars) (values, error) {
	var v values
	completed, err := p.CompletedOn.Time(r.zone)
	if err != nil {
		return v, fmt.Errorf("completion date: %w", err)
	}
	l := p.Learner
	if l.BirthDate != "" {
		born, err := l.BirthDate.Time(r.zone)
		if err != nil { // what the date says is personal and stays out of the error
			return v, errors.New("the birth date is not a day")
		}
		v[slotBorn] = born.Format(time.RFC3339)
	}
	v[slotCredential], v[slotNumber] = p.Credential, numberOf(p.Credential)
	v[slotIssued] = p.At.In(r.zone).Format(time.RFC3339)
	v[slotCompleted] = completed.Format(time.RFC3339)
	if r.months != nil {
		v[slotUntil] = expiry(completed, *r.months).Format(time.RFC3339)
	}
	v[slotGiven], v[slotFamily], v[slotFull] = l.GivenName, l.FamilyName, l.FullName()
	if n := l.NationalID; n != nil {
		v[slotScheme], v[slotNational] = n.Scheme, n.Number
	}
	if r.scored && p.Score != "" {
		v[slotScore], v[slotScoreComma] = p.Score, strings.Replace(p.Score, ".", ",", 1)
	}
	v[slotIndex] = strconv.FormatUint(uint64(p.Index), 10)
	return v, nil
}

// shape tells documents of one series apart that differ in more than the texts
// of their slots.
type shape struct {
	filled  uint32 // bit n for slot n
	named   bool   // by a national number
	country string // of that
}

func shapeOf(v *values, l *Learner) shape {
	var s shape
	for n, text := range v {
		if text != "" {
			s.filled |= 1 << n
		}
	}
	if l.NationalID != nil {
		s.named, s.country = true, l.NationalID.Country
	}
	return s
}
