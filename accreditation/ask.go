package accreditation

import (
	"cmp"
	"slices"
	"time"

	"attesta/credentials"
)

// State is how a provider stands in a list on a day, for a module.
type State string

// The states. Unclear means that the accreditation has a limit of which the
// module does not say on which side it is; Silent that the list does not reach
// as far as the day, or is too old for a no.
const (
	Accredited State = "accredited"
	Unclear    State = "unclear"
	Silent     State = "silent"
	Suspended  State = "suspended"
	Ended      State = "ended"
	NotBegun   State = "not_begun"
	Outside    State = "outside" // accredited, and not for this
)

// states are in the order in which one of several lists is heard.
var states = [...]State{Accredited, Unclear, Silent, Suspended, Ended, NotBegun, Outside}

func (s State) rank() int { return slices.Index(states[:], s) }

// No tells whether a list says by this that the provider was not accredited.
func (s State) No() bool { return s == Suspended || s == Ended || s == NotBegun }

// Standing is a state with the entry that it comes from.
type Standing struct {
	State         State
	Accreditation *Accreditation
	// Day is the first day of the suspension, the last one of what ended, or the
	// first one of what has not begun.
	Day credentials.Date
	// Until is the last day of a suspension; empty while it is open.
	Until credentials.Date
}

// Question names a provider by its legal identifiers, and says what it awards.
// What is empty is not known.
type Question struct {
	LegalIDs []string
	Sealer   string   // legal identifier of who seals, when it is another
	EQF      int      // 1 to 8
	Fields   []string // ISCED-F codes
	Region   string   // NUTS or ATU code of the provider's seat
	Country  string   // three letters
}

// Answer is what one list says of a provider.
type Answer struct {
	List     *List
	Provider *Provider
	Then     Standing // on the day of issuing
	Day      Standing // on the day asked about
	// MaySeal tells whether who seals is the provider itself, or one of whom the
	// list says that it may.
	MaySeal  bool
	question Question
}

// Lists are the lists that are held, of as many authorities as one likes. The
// zero value knows nobody.
type Lists struct {
	zone *time.Location
	held []held
}

type held struct {
	*List
	byID map[string]*Provider
}

// NewLists holds lists, whose days are those of a zone. They are not to be
// changed from then on.
func NewLists(zone *time.Location, lists ...*List) Lists {
	ls := Lists{zone: zone}
	for _, l := range lists {
		h := held{l, map[string]*Provider{}}
		for n := range l.Providers {
			for _, id := range l.Providers[n].LegalIDs {
				h.byID[id] = &l.Providers[n]
			}
		}
		ls.held = append(ls.held, h)
	}
	return ls
}

// named is the provider that legal identifiers name, the first one if they name
// several: then nobody may seal for it by them.
func (h held) named(legalIDs []string) (found *Provider, sole bool) {
	sole = true
	for _, id := range legalIDs {
		p := h.byID[id]
		if found == nil {
			found = p
		}
		sole = sole && (p == nil || p == found)
	}
	return found, sole
}

// Empty tells whether no list is held.
func (ls Lists) Empty() bool { return len(ls.held) == 0 }

// Zone is the zone of the days; UTC without lists.
func (ls Lists) Zone() *time.Location {
	if ls.zone == nil {
		return time.UTC
	}
	return ls.zone
}

// Day is the day of a moment.
func (ls Lists) Day(t time.Time) credentials.Date { return dayOf(t, ls.Zone()) }

// Ask asks how a provider stood on the day of issuing and stands on another day,
// at the moment now, and tells whether a list knows it at all. Of several lists
// that do, the one with the best answer is heard: a no counts only when nobody
// says yes, or might.
func (ls Lists) Ask(q Question, then, day credentials.Date, now time.Time) (Answer, bool) {
	var all []Answer
	for _, h := range ls.held {
		p, sole := h.named(q.LegalIDs)
		if p == nil {
			continue
		}
		all = append(all, Answer{
			List: h.List, Provider: p, question: q,
			Then: ls.standing(h.List, p, q, then, now), Day: ls.standing(h.List, p, q, day, now),
			MaySeal: sole && (q.Sealer == "" || slices.Contains(p.LegalIDs, q.Sealer) || slices.Contains(p.SealedBy, q.Sealer)),
		})
	}
	if len(all) == 0 {
		return Answer{}, false
	}
	return slices.MinFunc(all, func(a, b Answer) int {
		return cmp.Or(cmp.Compare(a.Then.State.rank(), b.Then.State.rank()), cmp.Compare(a.Day.State.rank(), b.Day.State.rank()),
			cmp.Compare(a.List.ID, b.List.ID))
	}), true
}

// standing is what a list says now of a day. It speaks until its next update.
// After that its yes still holds for the days before; a no may have been mended
// in a list that nobody here has seen.
func (ls Lists) standing(l *List, p *Provider, q Question, day credentials.Date, now time.Time) Standing {
	s := p.standing(q, day)
	late := now.After(l.NextUpdate)
	if day > ls.Day(l.NextUpdate) || late && (day >= ls.Day(now) || s.State.No() || s.State == Outside) {
		s.State = Silent
	}
	return s
}

// standing is how a provider stands in its list on a day.
func (p *Provider) standing(q Question, day credentials.Date) Standing {
	best := Standing{}
	better := func(s Standing) {
		first := best.State == "" || s.State.rank() < best.State.rank()
		// of two that ended the later one says more, of two to come the earlier one
		if first || s.State == best.State && (s.State == Ended && s.Day > best.Day || s.State == NotBegun && s.Day < best.Day) {
			best = s
		}
	}
	for n := range p.Accreditations {
		a := &p.Accreditations[n]
		s := a.On(day)
		switch a.covers(q) {
		case no:
			s.State = Outside
		case unclear:
			if s.State == Accredited {
				s.State = Unclear
			}
		}
		better(s)
	}
	return best
}

// On is how the accreditation stands on a day, whatever it is for.
func (a *Accreditation) On(day credentials.Date) Standing {
	switch {
	case day < a.From:
		return Standing{State: NotBegun, Accreditation: a, Day: a.From}
	case a.Until != "" && day > a.Until:
		return Standing{State: Ended, Accreditation: a, Day: a.Until}
	}
	for _, s := range a.Suspended {
		if holds(s.From, s.Until, day) {
			return Standing{State: Suspended, Accreditation: a, Day: s.From, Until: s.Until}
		}
	}
	return Standing{State: Accredited, Accreditation: a}
}

// Gap looks for a day, after the first one and up to the last one, on which the
// list says that the provider was not accredited. It returns the first of them;
// "" when there is none.
func (a Answer) Gap(first, last credentials.Date) credentials.Date {
	var turns []credentials.Date // on these days something may begin or end
	for _, e := range a.Provider.Accreditations {
		turns = append(turns, e.From)
		if e.Until != "" {
			turns = append(turns, after(e.Until))
		}
		for _, s := range e.Suspended {
			turns = append(turns, s.From)
		}
	}
	slices.Sort(turns)
	for _, day := range turns {
		if first < day && day <= last && a.Provider.standing(a.question, day).State != Accredited {
			return day
		}
	}
	return ""
}
