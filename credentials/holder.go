package credentials

import "time"

// HolderData returns what a credential says of its holder beside the name: the
// birth date and the national numbers, each as it is written; "" and none where
// it says nothing. It stands in no View, so that no page and no report shows it.
// Call it on verified bytes only, and not beside View or Lint.
//
// A birth date in the learning model is a moment. One that is no midnight was
// written in another zone than that of the birth, as the Commission's own
// software does, and means the day of the nearest midnight; noon means its day.
// What is given several times and differently is not given.
func (p *Parsed) HolderData() (born Date, numbers []string) {
	subject := p.content.get("credentialSubject")
	if t := readTime(subject.get("dateOfBirth").single()); !t.IsZero() {
		if t.Sub(time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, t.Location())) > 0 {
			t = t.AddDate(0, 0, 1)
		}
		born = Date(t.Format(time.DateOnly))
	}
	nationalID := subject.get("nationalID")
	for i := range min(nationalID.count(), maxNumbers) {
		n := nationalID.nth(i)
		number := n.get("notation").scalar()
		if number == "" { // it may only be named
			number = reader{known: p.index()}.resolve(n).get("notation").scalar()
		}
		if number != "" {
			numbers = append(numbers, number)
		}
	}
	return born, numbers
}

// maxNumbers bounds how many national numbers of one person are read.
const maxNumbers = 8
