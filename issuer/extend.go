package issuer

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
	"attesta/timestamp"
)

// TimeAuthority gives time stamps over data: tokens after RFC 3161 in DER.
// timestamp.Authority is one.
type TimeAuthority interface {
	Stamp(ctx context.Context, data []byte) ([]byte, error)
}

// ErrNoAuthority says that no time-stamping authority is set.
var ErrNoAuthority = errors.New("no time-stamping authority is set")

// stampBatch is how many seals are extended before they are stored: what an
// interruption costs is stamped again.
const stampBatch = 50

// stampSkew is how far the time of a fresh stamp may be from our clock.
const stampSkew = 5 * time.Minute

// Extend brings every seal that is below a level up to it (ETSI TS 119 182-1
// clause 6) and returns how many: T adds a time stamp over the signature, LT
// the certificates and revocation lists against which it is checked, LTA a time
// stamp over all of that. Nothing that was signed changes. With renew, seals of
// level LTA get what they were checked against today, and one more archive time
// stamp. It ends at the first error; what was extended until then is kept, and
// calling it again goes on. Issuing never waits for it.
func (i *Issuer) Extend(ctx context.Context, to registry.Level, renew bool) (int, error) {
	if i.Stamps == nil {
		return 0, ErrNoAuthority
	}
	done := 0
	for from := registry.LevelB; from < to || renew && from == to && to == registry.LevelLTA; from++ {
		after := uint64(0)
		for {
			records, err := i.Registry.AtLevel(ctx, from, after, stampBatch)
			if err != nil {
				return done, fmt.Errorf("looking for seals of level %s: %w", from, err)
			}
			if len(records) == 0 {
				break
			}
			after = records[len(records)-1].Seq
			n, err := i.extendBatch(ctx, records, to)
			done += n
			if err != nil {
				return done, err
			}
		}
		if from == registry.LevelLTA {
			break
		}
	}
	return done, nil
}

// extendBatch extends some seals and stores those that were, whatever became of
// the others.
func (i *Issuer) extendBatch(ctx context.Context, records []registry.Record, to registry.Level) (int, error) {
	extended := make([]registry.Extension, len(records))
	failed := parallel(len(records), func(n int) error {
		sealed, err := i.Registry.SealedBytes(ctx, records[n].Seq)
		if err == nil {
			sealed, err = i.extendOne(ctx, sealed, records[n].Level, to)
		}
		if err != nil {
			return fmt.Errorf("extending the seal of record %d: %w", records[n].Seq, err)
		}
		extended[n] = registry.Extension{Seq: records[n].Seq, Before: records[n].Digest, Sealed: sealed, Level: to}
		return nil
	})
	extended = slices.DeleteFunc(extended, func(e registry.Extension) bool { return e.Seq == 0 })
	if len(extended) == 0 {
		return 0, failed
	}
	err := i.Registry.Extend(ctx, extended, i.now())
	if errors.Is(err, registry.ErrConflict) {
		n, err := i.extendApart(ctx, extended)
		return n, errors.Join(err, failed)
	}
	if err != nil {
		return 0, fmt.Errorf("storing %d extended seals: %w", len(extended), errors.Join(err, failed))
	}
	return len(extended), failed
}

// extendApart stores extended seals one by one and passes over those that
// somebody else extended meanwhile, such as a command beside a server.
func (i *Issuer) extendApart(ctx context.Context, extended []registry.Extension) (int, error) {
	done := 0
	for _, e := range extended {
		switch err := i.Registry.Extend(ctx, []registry.Extension{e}, i.now()); {
		case err == nil:
			done++
		case !errors.Is(err, registry.ErrConflict):
			return done, fmt.Errorf("storing an extended seal: %w", err)
		}
	}
	return done, nil
}

// extendOne writes an extended seal and holds it against the one it extends.
func (i *Issuer) extendOne(ctx context.Context, sealed []byte, from, to registry.Level) ([]byte, error) {
	before, err := credentials.ParseSealed(sealed)
	if err != nil {
		return nil, err
	}
	out := sealed
	if from < registry.LevelT {
		if out, err = i.addStamp(ctx, out, credentials.SignatureStamp, before.EncodedSignature()); err != nil {
			return nil, err
		}
	}
	if to >= registry.LevelLT && (from < registry.LevelLT || from == registry.LevelLTA) {
		if out, err = i.addValues(ctx, out); err != nil {
			return nil, err
		}
	}
	if to == registry.LevelLTA {
		e, err := credentials.ParseSealed(out)
		if err != nil {
			return nil, err
		}
		message := e.NextArchived()
		if message == nil {
			return nil, errors.New("adding an archive time stamp: an earlier addition cannot be rebuilt")
		}
		if out, err = i.addStamp(ctx, out, credentials.ArchiveStamp, message); err != nil {
			return nil, err
		}
	}
	after, err := credentials.ParseSealed(out)
	if err != nil {
		return nil, fmt.Errorf("reading the extended seal back: %w", err)
	}
	if err := after.Verify(); err != nil {
		return nil, fmt.Errorf("reading the extended seal back: %w", err)
	}
	if !bytes.Equal(after.Payload(), before.Payload()) || !bytes.Equal(after.EncodedSignature(), before.EncodedSignature()) {
		return nil, errors.New("comparing the extended seal with the first: they differ")
	}
	return out, nil
}

// addStamp asks for a time stamp and reads it as a stranger would before it is
// added: a stamp over other data, or from another day, is not.
func (i *Issuer) addStamp(ctx context.Context, sealed []byte, name string, data []byte) ([]byte, error) {
	der, err := i.Stamps.Stamp(ctx, data)
	if err != nil {
		return nil, fmt.Errorf("asking for a time stamp: %w", err)
	}
	token, err := timestamp.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("reading the time stamp: %w", err)
	}
	if err := token.Over(data); err != nil {
		return nil, fmt.Errorf("reading the time stamp: %w", err)
	}
	if off := token.Time.Sub(i.now()).Abs(); off > stampSkew {
		return nil, fmt.Errorf("reading the time stamp: the authority's clock says %s, ours is %s away; set the clock of this machine right", token.Time.Format(time.RFC3339), off.Round(time.Second))
	}
	return credentials.Extend(sealed, credentials.Unsigned{Name: name, Stamps: [][]byte{der}})
}

// addValues adds the certificates of the seal and of its time stamps, as far as
// they are not in the seal, and a revocation list for each that an authority
// issued.
func (i *Issuer) addValues(ctx context.Context, sealed []byte) ([]byte, error) {
	e, err := credentials.ParseSealed(sealed)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(e.Chain)
	for _, u := range e.Unsigned {
		for _, der := range u.Stamps {
			token, err := timestamp.Parse(der)
			if err != nil {
				return nil, fmt.Errorf("reading a time stamp of the seal: %w", err)
			}
			all = append(all, token.Chain...)
		}
	}
	var certificates, lists [][]byte
	seen := map[string]bool{}
	for n, c := range all {
		if seen[string(c.Raw)] {
			continue
		}
		seen[string(c.Raw)] = true
		if n >= len(e.Chain) {
			certificates = append(certificates, c.Raw)
		}
		if bytes.Equal(c.RawSubject, c.RawIssuer) {
			continue // nobody stands above it
		}
		list, err := i.Revocations(ctx, c)
		if err == nil {
			err = speaksOf(list, c, all)
		}
		if err != nil {
			return nil, fmt.Errorf("getting the revocation list for %q: %w", c.Subject.CommonName, err)
		}
		if !seen[string(list)] {
			seen[string(list)] = true
			lists = append(lists, list)
		}
	}
	var added []credentials.Unsigned
	if len(certificates) > 0 {
		added = append(added, credentials.Unsigned{Name: credentials.ChainValues, Certificates: certificates})
	}
	if len(lists) > 0 {
		added = append(added, credentials.Unsigned{Name: credentials.StatusValues, CRLs: lists})
	}
	return credentials.Extend(sealed, added...)
}

// speaksOf holds a list to the name of who issued a certificate, and to its key
// where the certificate of the issuer is there: what came over the network goes
// into the seal for good.
func speaksOf(der []byte, c *x509.Certificate, all []*x509.Certificate) error {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	if !bytes.Equal(list.RawIssuer, c.RawIssuer) {
		return errors.New("comparing its issuer: it is of another authority")
	}
	var ders [][]byte
	for _, issuer := range all {
		if bytes.Equal(issuer.RawSubject, c.RawIssuer) {
			ders = append(ders, issuer.Raw)
		}
	}
	known, signed := false, false
	for _, issuer := range keys.ReadEvidence(ders, nil, nil).Certificates { // those whose keys cost little
		if c.CheckSignatureFrom(issuer) == nil {
			known, signed = true, signed || list.CheckSignatureFrom(issuer) == nil
		}
	}
	if known && !signed {
		return errors.New("checking its signature: the authority did not make it")
	}
	return nil
}

// Revocations gets the revocation list, in DER, that speaks of a certificate.
type Revocations func(ctx context.Context, c *x509.Certificate) ([]byte, error)
