package accreditation

import (
	"errors"
	"fmt"
	"slices"

	"attesta/credentials"
)

// ErrUnknown is wrapped when a change names a provider that is not in the list.
var ErrUnknown = errors.New("it is not in the list")

// ErrNone is wrapped when a provider of the list has no accreditation to which a
// change could happen on its day.
var ErrNone = errors.New("it has no accreditation to which this could happen on that day")

// Admission is an accreditation that is to stand in a list, with who has it.
type Admission struct {
	LegalIDs []string // the first one names the provider; the others are added to it
	Name     string   // of a provider that is new; "" for one that is there
	SealedBy []string // added to who may seal for it
	Accreditation
}

// Accredit adds an accreditation, or changes the one with the same register,
// number and first day; its suspensions stay. A list is as it was where an
// error is returned, here and below.
func (l *List) Accredit(a Admission) error {
	return l.change("accrediting", a.LegalIDs[0], func(l *List, p *Provider) error {
		if p == nil {
			if a.Name == "" {
				return fmt.Errorf("%w: a new provider needs a name", ErrUnknown)
			}
			l.Providers = append(l.Providers, Provider{LegalIDs: []string{a.LegalIDs[0]}, Names: []Name{{Name: a.Name}}})
			p = &l.Providers[len(l.Providers)-1]
		} else if last := p.Names[len(p.Names)-1].Name; a.Name != "" && a.Name != last {
			return fmt.Errorf("it is called %q: a new name needs the day from which it holds", last)
		}
		for _, more := range []struct{ into, from *[]string }{{&p.LegalIDs, &a.LegalIDs}, {&p.SealedBy, &a.SealedBy}} {
			for _, id := range *more.from {
				if !slices.Contains(*more.into, id) {
					*more.into = append(*more.into, id)
				}
			}
		}
		if there := p.entry(a.Register, a.Number, a.From); there != nil {
			a.Suspended = there.Suspended
			*there = a.Accreditation
		} else {
			p.Accreditations = append(p.Accreditations, a.Accreditation)
		}
		return nil
	})
}

// Rename gives a provider another name from a day on.
func (l *List) Rename(legalID, name string, from credentials.Date) error {
	return l.change("renaming", legalID, func(_ *List, p *Provider) error {
		if p == nil {
			return ErrUnknown
		}
		p.Names = append(p.Names, Name{name, from})
		return nil
	})
}

// Suspend suspends the accreditations that hold on a day, from that day to
// another or until they are reinstated. With a number only those with it.
func (l *List) Suspend(legalID, number string, s Suspension) error {
	return l.each("suspending", legalID, number, func(a *Accreditation) bool {
		if !holds(a.From, a.Until, s.From) {
			return false
		}
		a.Suspended = append(slices.Clone(a.Suspended), s)
		return true
	})
}

// Reinstate ends the suspensions that hold on a day: on that day the
// accreditation counts again.
func (l *List) Reinstate(legalID, number string, on credentials.Date) error {
	return l.each("reinstating", legalID, number, func(a *Accreditation) bool {
		n := slices.IndexFunc(a.Suspended, func(s Suspension) bool { return s.From < on && (s.Until == "" || on <= s.Until) })
		if n < 0 {
			return false
		}
		a.Suspended = slices.Clone(a.Suspended)
		a.Suspended[n].Until = before(on)
		return true
	})
}

// End says which day is the last one of the accreditations that hold on it.
func (l *List) End(legalID, number string, last credentials.Date, reason string) error {
	return l.each("ending", legalID, number, func(a *Accreditation) bool {
		if !holds(a.From, a.Until, last) {
			return false
		}
		a.Until = last
		if reason != "" {
			a.Reason = reason
		}
		a.Suspended = slices.DeleteFunc(slices.Clone(a.Suspended), func(s Suspension) bool { return s.From > last })
		return true
	})
}

// each changes the accreditations of a provider that a change is about.
func (l *List) each(doing, legalID, number string, change func(*Accreditation) bool) error {
	return l.change(doing, legalID, func(_ *List, p *Provider) error {
		if p == nil {
			return ErrUnknown
		}
		done := false
		for n := range p.Accreditations {
			if number == "" || p.Accreditations[n].Number == number {
				done = change(&p.Accreditations[n]) || done
			}
		}
		if !done {
			return ErrNone
		}
		return nil
	})
}

// change works on a copy that takes the place of the list only when it is whole.
func (l *List) change(doing, legalID string, change func(*List, *Provider) error) error {
	next := *l
	next.Providers = slices.Clone(l.Providers)
	p := next.find(legalID)
	if p != nil {
		p.LegalIDs, p.Names, p.SealedBy = slices.Clone(p.LegalIDs), slices.Clone(p.Names), slices.Clone(p.SealedBy)
		p.Accreditations = slices.Clone(p.Accreditations)
	}
	if err := change(&next, p); err != nil {
		return fmt.Errorf("%s %s: %w", doing, clip(legalID), err)
	}
	if err := next.Check(); err != nil {
		return fmt.Errorf("%s %s: %w", doing, clip(legalID), err)
	}
	*l = next
	return nil
}
