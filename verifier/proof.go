package verifier

import (
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/timestamp"
)

// proof is what time stamps prove about when a seal was there, and what the
// seal carries about its certificates. The zero value proves nothing.
type proof struct {
	evidence keys.Evidence
	at       time.Time // zero when nothing is proved
	by       string    // the authority that says so
}

// maxStamps bounds how many time stamps of one seal are looked at.
const maxStamps = 16

// prove looks for the earliest moment at which the signature is known to have
// been there (ETSI EN 319 102-1 clause 5.6). It goes from the last addition to
// the first: an archive time stamp that holds moves the moment at which
// everything before it must still have been good from now back to its own time.
func (j *judgement) prove() proof {
	e := j.parsed.Envelope
	p := proof{evidence: evidenceOf(e)}
	bound, left := j.now, maxStamps
	for n, u := range slices.Backward(e.Unsigned) {
		if len(u.Stamps) == 0 || left <= 0 {
			continue
		}
		over := e.Stamped(n)
		if over == nil {
			continue
		}
		before := bound // for all stamps of the entry: none of them is over another
		for _, token := range u.Stamps {
			if left--; left < 0 {
				return p
			}
			at, by, ok := j.stamp(token, over, bound, p.evidence)
			if !ok {
				continue
			}
			if u.Name == credentials.ArchiveStamp && at.Before(before) {
				before = at
			}
			if p.at.IsZero() || at.Before(p.at) {
				p.at, p.by = at, by
			}
		}
		bound = before
	}
	return p
}

func evidenceOf(e *credentials.Envelope) keys.Evidence {
	var certificates, crls, ocsps [][]byte
	for _, u := range e.Unsigned {
		certificates = append(certificates, u.Certificates...)
		crls, ocsps = append(crls, u.CRLs...), append(ocsps, u.OCSPs...)
	}
	return keys.ReadEvidence(certificates, crls, ocsps)
}

// stamp holds one time stamp to what it is over, and asks whether its authority
// is one that the verifier trusts for time and that was still to be believed at
// the bound.
func (j *judgement) stamp(token, over []byte, bound time.Time, evidence keys.Evidence) (at time.Time, by string, ok bool) {
	t, err := timestamp.Parse(token)
	if err != nil || t.Over(over) != nil || t.Time.After(bound.Add(clockSkew)) {
		return at, by, false
	}
	chain := slices.Concat(t.Chain, evidence.Certificates)
	vouch := j.chains.VouchTime(j.trust, chain, t.Time)
	leaf := t.Chain[0]
	revoked := vouch.Err != nil && errors.Is(vouch.Err, keys.ErrRevoked)
	if vouch.Err != nil && !revoked || vouch.Worth == keys.Unrecognised || bound.After(leaf.NotAfter) {
		return at, by, false
	}
	if since, ok := revokedSince(leaf, vouch.Anchor, chain, evidence); ok && !since.After(bound) {
		return at, by, false
	}
	return t.Time, vouch.Anchor.Name, true
}

// revokedSince asks both the anchor and the evidence since when the key of a
// certificate, or that of an authority between it and the anchor, no longer
// counts.
func revokedSince(leaf *x509.Certificate, anchor keys.Anchor, chain []*x509.Certificate, evidence keys.Evidence) (since time.Time, revoked bool) {
	if len(anchor.Revoked) == 0 && evidence.Silent() {
		return since, false // nobody says anything of anybody
	}
	others := chain[1:]
	if anchor.Certificate != nil {
		others = append(slices.Clip(others), anchor.Certificate)
	}
	from := func(at time.Time) {
		if !revoked || at.Before(since) {
			since, revoked = at, true
		}
	}
	for _, c := range keys.Path(leaf, anchor.Certificate, chain[1:]) {
		if at, ok := anchor.RevokedSince(c); ok {
			from(at)
		}
		if word := evidence.About(c, others); word.Revoked() {
			from(word.Since)
		}
	}
	return since, revoked
}
