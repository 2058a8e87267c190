package accreditation

import (
	"slices"
	"time"

	"attesta/credentials"
)

// Type and MediaType are the typ header and the media type of a sealed list: a
// compact JWS (RFC 7515) whose header carries the certificates of its signer.
const (
	Type      = "attesta-accreditation+jwt"
	MediaType = "application/attesta-accreditation+jwt"
)

// List is what an authority says of the providers that it accredits. Its number
// grows with every edition.
type List struct {
	ID         string     `json:"id"` // its address, or a URN
	Authority  Authority  `json:"authority"`
	Sequence   int        `json:"sequence"`
	Issued     time.Time  `json:"issued"`
	NextUpdate time.Time  `json:"next_update"` // until then the list speaks
	Providers  []Provider `json:"providers"`
}

// Authority is who keeps a list. The certificate of the key that seals the list
// has the same legal identifier.
type Authority struct {
	Name    string `json:"name"`
	LegalID string `json:"legal_id"`
	Country string `json:"country,omitempty"` // two letters, as in a certificate
}

// Provider is an organisation over time. It is known by its legal identifiers
// (ETSI EN 319 412-1 clause 5.1.4), all that it ever had; names are for people.
type Provider struct {
	LegalIDs []string `json:"legal_ids"`
	Names    []Name   `json:"names"` // in the order of their days
	// SealedBy are the organisations that may seal what the provider awards.
	SealedBy       []string        `json:"sealed_by,omitempty"`
	Accreditations []Accreditation `json:"accreditations"`
}

// Name is what a provider is called from a day on, up to the next name. The
// first one may be without a day.
type Name struct {
	Name string           `json:"name"`
	From credentials.Date `json:"from,omitempty"`
}

// Accreditation is one entry in a register, from one day to another, both
// included. Without limits it covers every module.
type Accreditation struct {
	Register string           `json:"register"`
	Number   string           `json:"number"`
	Link     string           `json:"link,omitempty"` // page of the entry
	From     credentials.Date `json:"from"`
	Until    credentials.Date `json:"until,omitempty"` // empty: until further notice
	Reason   string           `json:"reason,omitempty"`

	MaxEQF    int          `json:"max_eqf,omitempty"` // highest level, 0 for every one
	Fields    []string     `json:"fields,omitempty"`  // ISCED-F 2013 codes: 04 covers 041 and 0417
	Regions   []string     `json:"regions,omitempty"` // NUTS or ATU codes, or a country: ITC covers ITC4
	Suspended []Suspension `json:"suspended,omitempty"`
}

// Suspension is from one day to another, both included, in which an
// accreditation does not count.
type Suspension struct {
	From   credentials.Date `json:"from"`
	Until  credentials.Date `json:"until,omitempty"` // empty: until it is lifted
	Reason string           `json:"reason,omitempty"`
}

// find returns the provider with a legal identifier, or nil.
func (l *List) find(legalID string) *Provider {
	for n := range l.Providers {
		if slices.Contains(l.Providers[n].LegalIDs, legalID) {
			return &l.Providers[n]
		}
	}
	return nil
}

// Called is the name of the provider on a day: the last one that had begun, or
// the first one for a day before all of them.
func (p *Provider) Called(day credentials.Date) string {
	called := p.Names[0].Name
	for _, n := range p.Names[1:] {
		if n.From <= day {
			called = n.Name
		}
	}
	return called
}

// holds tells whether a day lies in a period; an empty end is none.
func holds(from, until, day credentials.Date) bool {
	return from <= day && (until == "" || day <= until)
}

// dayOf is the day of a moment in a zone.
func dayOf(t time.Time, zone *time.Location) credentials.Date {
	return credentials.Date(t.In(zone).Format(time.DateOnly))
}

// before and after are the neighbours of a day that Check has found good.
func before(day credentials.Date) credentials.Date { return move(day, -1) }
func after(day credentials.Date) credentials.Date  { return move(day, 1) }

func move(day credentials.Date, days int) credentials.Date {
	t, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		return day
	}
	return credentials.Date(t.AddDate(0, 0, days).Format(time.DateOnly))
}
