package keys

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Object identifiers of ETSI EN 319 412-5: what a certificate states of itself.
var (
	qcStatements = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}
	qcCompliance = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 1}
	qcDevice     = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 4}
	qcType       = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6}
	qcTypeSeal   = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6, 2}
)

// stated is what a certificate states of itself. It counts only as far as
// somebody trusted issued the certificate.
type stated struct {
	qualified bool // it is a qualified certificate in the EU
	forSeals  bool // for electronic seals
	device    bool // its key is in a qualified device
}

// statements reads the statements of a certificate; what cannot be read states
// nothing.
func statements(c *x509.Certificate) stated {
	var s stated
	for _, e := range c.Extensions {
		if !e.Id.Equal(qcStatements) {
			continue
		}
		var all []struct {
			ID   asn1.ObjectIdentifier
			Info asn1.RawValue `asn1:"optional"`
		}
		if rest, err := asn1.Unmarshal(e.Value, &all); err != nil || len(rest) > 0 {
			return stated{}
		}
		for _, one := range all {
			switch {
			case one.ID.Equal(qcCompliance):
				s.qualified = true
			case one.ID.Equal(qcDevice):
				s.device = true
			case one.ID.Equal(qcType):
				var types []asn1.ObjectIdentifier
				rest, err := asn1.Unmarshal(one.Info.FullBytes, &types)
				s.forSeals = err == nil && len(rest) == 0 && slices.ContainsFunc(types, qcTypeSeal.Equal)
			}
		}
	}
	return s
}

// way is an anchor that a chain leads to, over how many certificates, and when
// the first of those below it ends.
type way struct {
	Anchor
	length int
	ends   time.Time
}

// best chooses among the anchors that a chain leads to. A key that one of them
// calls revoked does not count, whatever the others say. Of the services of
// trusted lists the nearest to the certificate decide: an authority above may
// be granted while the one that issued the certificate was withdrawn. What the
// lists say is qualified comes first; else the first anchor that vouches.
func best(ways []way, leaf *x509.Certificate, at time.Time, use Use) Vouch {
	nearest := 0
	for _, w := range ways {
		if w.List != nil && (nearest == 0 || w.length < nearest) {
			nearest = w.length
		}
	}
	found := Vouch{Level: Unrecognised, Worth: Unrecognised}
	for _, w := range ways {
		if w.List != nil && w.length > nearest {
			continue
		}
		level, err := w.worth(leaf, at, use)
		switch {
		case err != nil && found.Level == Unrecognised:
			found.Err = err
		case err == nil && (found.Level == Unrecognised || level == Qualified && found.Level != Qualified):
			found.Level, found.Worth, found.Anchor, found.Err = level, level, w.Anchor, nil
			found.Device, found.Ends = statements(leaf).device, w.ends
		}
	}
	var first time.Time
	for _, w := range ways {
		since, revoked := w.RevokedSince(leaf)
		if revoked && (!errors.Is(found.Err, ErrRevoked) || since.Before(first)) {
			first = since
			found.Level, found.Anchor, found.Err = Unrecognised, w.Anchor, ErrRevoked
		}
	}
	return found
}

// worth is the level that the anchor gives at a moment to a certificate under
// it. A seal is qualified only by a service that was granted both when the
// certificate was issued and when it sealed, and only if the certificate says
// that it is qualified and for seals (Regulation (EU) 910/2014 articles 3(27),
// 38; ETSI TS 119 615). What the list does not speak of any more is not called
// qualified.
func (a Anchor) worth(leaf *x509.Certificate, at time.Time, use Use) (Level, error) {
	if !a.Holds(at) || use == ForSeals && !a.Holds(leaf.NotBefore) {
		return Unrecognised, fmt.Errorf("asking the anchor %q: it does not vouch at that time", a.Name)
	}
	if a.List != nil && at.After(a.List.Fades()) {
		return Unrecognised, fmt.Errorf("asking the anchor %q: its list was not renewed for so long that it says nothing of that time", a.Name)
	}
	if a.Level != Qualified {
		return a.Level, nil
	}
	s := statements(leaf)
	if a.List == nil || at.After(a.List.Speaks()) || use == ForSeals && !(s.qualified && s.forSeals) {
		return Advanced, nil
	}
	return Qualified, nil
}

// Holds tells whether a moment is in one of the periods of the anchor.
func (a Anchor) Holds(at time.Time) bool {
	return len(a.Periods) == 0 || slices.ContainsFunc(a.Periods, func(p Period) bool { return p.holds(at) })
}

// unknown is the answer when a chain leads to no anchor.
func unknown(use Use, last error) Vouch {
	if last == nil {
		last = fmt.Errorf("building the chain: no anchor for %s is known", use)
	}
	return Vouch{Level: Unrecognised, Worth: Unrecognised, Err: last}
}

var errNoCertificate = errors.New("building the chain: there is no certificate")
