package keys

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Two files of a folder of anchors hold no anchors of the operator's own:
// ListsFile what was read from the trusted lists of the European Union, and
// SignersFile the certificates that sign the list of these lists.
const (
	ListsFile   = "eu-trusted-lists.json"
	SignersFile = "lotl-signers.pem"
)

// List is a trusted list that anchors come from.
type List struct {
	Territory  string    `json:"territory"` // two letters; EU for the list of lists
	Sequence   int       `json:"sequence"`
	Issued     time.Time `json:"issued"`
	NextUpdate time.Time `json:"next_update,omitzero"` // zero: it was closed
	Digest     string    `json:"sha256"`               // of the XML, in hexadecimal
	Source     string    `json:"source"`               // address or file
	Unusable   int       `json:"unusable,omitempty"`   // services without a certificate that can be read
}

// Period is a time from a moment up to another one, which is not part of it; a
// zero end means until further notice.
type Period struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until,omitzero"`
}

func (p Period) holds(at time.Time) bool {
	return !at.Before(p.From) && (p.Until.IsZero() || at.Before(p.Until))
}

// Speaks is until when the list says what is so: until its next update, or
// until it was issued when it was closed.
func (l List) Speaks() time.Time {
	if l.NextUpdate.IsZero() {
		return l.Issued
	}
	return l.NextUpdate
}

// Fades is until when the services of the list are known at all. A list is
// renewed every six months at the latest (ETSI TS 119 612 clause 5.3.15): after
// twice that nobody can say what became of them.
func (l List) Fades() time.Time { return l.Speaks().AddDate(0, 6, 0) }

// Lists are what was read from trusted lists: the lists, and the anchors that
// they gave, each with its List.
type Lists struct {
	Lists   []List
	Anchors []Anchor
}

type listsFile struct {
	Lists    []List        `json:"lists"`
	Services []serviceFile `json:"services"`
}

type serviceFile struct {
	Territory   string   `json:"territory"`
	Name        string   `json:"name"`
	Level       Level    `json:"level"`
	For         Use      `json:"for"`
	Certificate []byte   `json:"certificate"` // DER
	Periods     []Period `json:"periods"`
}

// WriteLists writes what was read from trusted lists as FILE for ReadLists and
// LoadTrust to read. Each anchor names one use and a list that is among Lists.
func WriteLists(name string, l Lists) error {
	f := listsFile{Lists: l.Lists, Services: []serviceFile{}}
	for _, a := range l.Anchors {
		if a.List == nil || len(a.For) != 1 || len(a.Periods) == 0 {
			return fmt.Errorf("writing the trusted lists: %q comes from no list", a.Name)
		}
		f.Services = append(f.Services, serviceFile{a.List.Territory, a.Name, a.Level, a.For[0], a.Certificate.Raw, a.Periods})
	}
	raw, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("writing the trusted lists: %w", err)
	}
	return WriteFile(name, append(raw, '\n'))
}

// ReadLists reads what WriteLists wrote. A file that is not there gives nothing
// and no error.
func ReadLists(name string) (Lists, error) {
	raw, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return Lists{}, nil
	}
	if err != nil {
		return Lists{}, fmt.Errorf("reading the trusted lists: %w", err)
	}
	l, err := parseLists(raw)
	if err != nil {
		return Lists{}, fmt.Errorf("reading the trusted lists: %w; %s", err, readAgain)
	}
	return l, nil
}

const readAgain = "take it away with: attesta trust remove eu-trusted-lists, and import again"

func parseLists(raw []byte) (Lists, error) {
	var f listsFile
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return Lists{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Lists{}, errors.New("something follows the object")
	}
	l := Lists{Lists: f.Lists}
	of := map[string]*List{}
	for n := range l.Lists {
		list := &l.Lists[n]
		if of[list.Territory] != nil || list.Territory == "" || list.Issued.IsZero() {
			return Lists{}, fmt.Errorf("the list of %q has no date or stands there twice", list.Territory)
		}
		of[list.Territory] = list
	}
	for n, s := range f.Services {
		a, err := s.anchor(of[s.Territory])
		if err != nil {
			return Lists{}, fmt.Errorf("service %d: %w", n+1, err)
		}
		l.Anchors = append(l.Anchors, a)
	}
	return l, nil
}

func (s serviceFile) anchor(list *List) (Anchor, error) {
	if list == nil {
		return Anchor{}, fmt.Errorf("there is no list of %q", s.Territory)
	}
	if s.Level != Qualified && s.Level != Advanced {
		return Anchor{}, fmt.Errorf("the level %q is not qualified or advanced", s.Level)
	}
	if len(s.Periods) == 0 {
		return Anchor{}, errors.New("it was never granted")
	}
	if err := checkUses([]Use{s.For}); err != nil {
		return Anchor{}, err
	}
	if err := checkPeriods(s.Periods); err != nil {
		return Anchor{}, err
	}
	c, err := x509.ParseCertificate(s.Certificate)
	if err != nil {
		return Anchor{}, err
	}
	return Anchor{Name: s.Name, Level: s.Level, Certificate: c, For: []Use{s.For}, Periods: s.Periods, List: list}, nil
}

func checkUses(uses []Use) error {
	if uses != nil && len(uses) == 0 {
		return errors.New("it is trusted for nothing: leave out \"for\" or name seals or time")
	}
	for _, use := range uses {
		if use != ForSeals && use != ForTime {
			return fmt.Errorf("the use %q is not seals or time", use)
		}
	}
	return nil
}

func checkPeriods(periods []Period) error {
	if periods != nil && len(periods) == 0 {
		return errors.New("it vouches at no time: leave out \"periods\" or name one")
	}
	for _, p := range periods {
		if p.From.IsZero() || !p.Until.IsZero() && !p.Until.After(p.From) {
			return errors.New("a period has no beginning, or ends before it begins")
		}
	}
	return nil
}
