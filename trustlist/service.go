package trustlist

import (
	"cmp"
	"crypto/x509"
	"slices"
	"strings"
	"time"
)

// Kind says what a service does.
type Kind string

// A Seals service issues qualified certificates for electronic seals; a Time
// service makes qualified time-stamps.
const (
	Seals Kind = "seals"
	Time  Kind = "time"
)

// Service is a trust service on a list, with what it was allowed to do and when.
type Service struct {
	Kind     Kind
	Provider string
	Name     string
	// Certificates hold the key of the service. Unreadable counts those that
	// this program cannot read; a service with nothing else cannot be used.
	Certificates []*x509.Certificate
	Unreadable   int
	// Granted are the periods in which it had its status, the earliest first.
	Granted []Period
	// Excepts tells that the list takes the qualified status from some of the
	// certificates of the service, by criteria that are not looked at here.
	Excepts bool
}

// Period is a time from a moment up to another one, which is not part of it;
// a zero end means until further notice.
type Period struct {
	From, Until time.Time
}

type serviceXML struct {
	Now    stateXML   `xml:"ServiceInformation"`
	Before []stateXML `xml:"ServiceHistory>ServiceHistoryInstance"`
}

type stateXML struct {
	Type         string    `xml:"ServiceTypeIdentifier"`
	Names        []nameXML `xml:"ServiceName>Name"`
	Certificates []string  `xml:"ServiceDigitalIdentity>DigitalId>X509Certificate"`
	Status       string    `xml:"ServiceStatus"`
	From         string    `xml:"StatusStartingTime"`
	Extensions   []struct {
		Additional []string `xml:"AdditionalServiceInformation>URI"`
		Qualifiers []struct {
			URI string `xml:"uri,attr"`
		} `xml:"Qualifications>QualificationElement>Qualifiers>Qualifier"`
	} `xml:"ServiceInformationExtensions>Extension"`
}

// directiveEnd is when the Directive on electronic signatures was repealed and
// its statuses with it (Regulation (EU) 910/2014 articles 50 and 52).
func directiveEnd() time.Time { return time.Date(2016, 7, 1, 0, 0, 0, 0, time.UTC) }

// service reads a service that seals or stamps time; of others it says false.
func (x serviceXML) service(provider string) (Service, bool) {
	s := Service{Provider: provider, Name: name(x.Now.Names)}
	switch {
	case x.Now.isFor(Seals) || slices.ContainsFunc(x.Before, func(b stateXML) bool { return b.isFor(Seals) }):
		s.Kind = Seals
	case x.Now.isFor(Time):
		s.Kind = Time
	default:
		return s, false
	}
	seen := map[string]bool{}
	for _, text := range x.Now.Certificates {
		der, err := unbase64(text)
		if err == nil && seen[string(der)] {
			continue
		}
		seen[string(der)] = true
		c, readable := certificate(der)
		if err != nil || !readable {
			s.Unreadable++
			continue
		}
		s.Certificates = append(s.Certificates, c)
	}
	s.Granted = x.granted(s.Kind)
	s.Excepts = x.Now.excepts() || slices.ContainsFunc(x.Before, stateXML.excepts)
	return s, true
}

func certificate(der []byte) (*x509.Certificate, bool) {
	c, err := x509.ParseCertificate(der)
	return c, err == nil
}

// isFor tells whether a service was of a kind in a state. Those that issue
// certificates say for what: clause 5.5.9.4.
func (x stateXML) isFor(k Kind) bool {
	kind := strings.TrimPrefix(strings.TrimSpace(x.Type), prefix+"Svctype/")
	if k == Time {
		return kind == "TSA/QTST"
	}
	if kind != "CA/QC" {
		return false
	}
	for _, e := range x.Extensions {
		for _, uri := range e.Additional {
			if strings.TrimSpace(uri) == prefix+"TrustedList/SvcInfoExt/ForeSeals" {
				return true
			}
		}
	}
	return false
}

// excepts: clause 5.5.9.2.3.
func (x stateXML) excepts() bool {
	for _, e := range x.Extensions {
		for _, q := range e.Qualifiers {
			if strings.TrimSpace(q.URI) == prefix+"TrustedList/SvcInfoExt/NotQualified" {
				return true
			}
		}
	}
	return false
}

// status says whether a status means that the service had what it asked for,
// and whether it is a status of the repealed Directive (clause 5.5.4, annex J).
func (x stateXML) status() (granted, directive bool) {
	uri := strings.TrimSpace(x.Status)
	last := uri[strings.LastIndex(uri, "/")+1:]
	if !strings.HasPrefix(uri, prefix) {
		return false, false
	}
	switch last {
	case "granted":
		return true, false
	case "undersupervision", "supervisionincessation", "accredited", "setbynationallaw":
		return true, true
	}
	return false, false
}

// granted draws the periods of a kind from the present state and those before
// it: each state lasts until the next begins (clause 5.6).
func (x serviceXML) granted(k Kind) []Period {
	type dated struct {
		stateXML
		from time.Time
	}
	var states []dated
	for _, s := range append([]stateXML{x.Now}, x.Before...) {
		from, err := moment(s.From)
		if err != nil {
			return nil // without its order the history says nothing
		}
		states = append(states, dated{s, from})
	}
	slices.SortStableFunc(states[1:], func(a, b dated) int { return cmp.Compare(b.from.Unix(), a.from.Unix()) })
	if len(states) > 1 && states[1].from.After(states[0].from) {
		return nil
	}
	var periods []Period
	until := time.Time{} // the present state has no end
	for n, s := range states {
		if n > 0 {
			until = states[n-1].from
		}
		p := Period{s.from, until}
		granted, directive := s.status()
		if directive && (p.Until.IsZero() || p.Until.After(directiveEnd())) {
			p.Until = directiveEnd()
		}
		if granted && s.isFor(k) && (p.Until.IsZero() || p.From.Before(p.Until)) {
			periods = append(periods, p)
		}
	}
	slices.Reverse(periods)
	return joined(periods)
}

// joined makes one period of those that follow without a gap.
func joined(periods []Period) []Period {
	var all []Period
	for _, p := range periods {
		if last := len(all) - 1; last >= 0 && all[last].Until.Equal(p.From) {
			all[last].Until = p.Until
			continue
		}
		all = append(all, p)
	}
	return all
}
