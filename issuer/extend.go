package issuer

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
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
// stamp. A seal that cannot be extended keeps nobody from the others: the error
// is that of the first. An authority that does not answer ends it. What was
// extended until then is kept, and calling it again goes on. Issuing never waits
// for it.
func (i *Issuer) Extend(ctx context.Context, to registry.Level, renew bool) (int, error) {
	if i.Stamps == nil {
		return 0, ErrNoAuthority
	}
	e := &extending{Issuer: i, to: to, lists: map[string]answered{}}
	done := 0
	var first error
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
			n, err := e.batch(ctx, records)
			done += n
			if lasts(ctx, err) {
				return done, err
			}
			first = cmp.Or(first, err)
		}
		if from == registry.LevelLTA {
			break
		}
	}
	return done, first
}

// extending is one call of Extend. It asks once for every list.
type extending struct {
	*Issuer
	to    registry.Level
	mu    sync.Mutex
	lists map[string]answered // by issuer of the certificates they speak of
}

type answered struct {
	list []byte
	err  error
}

// lasting is an error after which the next seal fares no better.
type lasting struct{ error }

func (l *lasting) Unwrap() error { return l.error }

func lasts(ctx context.Context, err error) bool {
	_, found := errors.AsType[*lasting](err)
	return found || err != nil && ctx.Err() != nil
}

// batch extends some seals and stores those that were, whatever became of
// the others.
func (e *extending) batch(ctx context.Context, records []registry.Record) (int, error) {
	extended := make([]registry.Extension, len(records))
	errs := make([]error, len(records))
	failed := parallel(len(records), func(n int) error {
		sealed, err := e.Registry.SealedBytes(ctx, records[n].Seq)
		if err == nil {
			sealed, err = e.one(ctx, sealed, records[n].Level)
		}
		if err != nil {
			errs[n] = fmt.Errorf("extending the seal of record %d: %w", records[n].Seq, err)
			if lasts(ctx, err) {
				return errs[n]
			}
			return nil
		}
		extended[n] = registry.Extension{Seq: records[n].Seq, Before: records[n].Digest, Sealed: sealed, Level: e.to}
		return nil
	})
	failed = cmp.Or(failed, cmp.Or(errs...))
	extended = slices.DeleteFunc(extended, func(x registry.Extension) bool { return x.Seq == 0 })
	if len(extended) == 0 {
		return 0, failed
	}
	err := e.Registry.Extend(ctx, extended, e.now())
	if errors.Is(err, registry.ErrConflict) {
		n, err := e.apart(ctx, extended)
		return n, errors.Join(err, failed)
	}
	if err != nil {
		return 0, &lasting{fmt.Errorf("storing %d extended seals: %w", len(extended), errors.Join(err, failed))}
	}
	return len(extended), failed
}

// apart stores extended seals one by one and passes over those that
// somebody else extended meanwhile, such as a command beside a server.
func (e *extending) apart(ctx context.Context, extended []registry.Extension) (int, error) {
	done := 0
	for _, x := range extended {
		switch err := e.Registry.Extend(ctx, []registry.Extension{x}, e.now()); {
		case err == nil:
			done++
		case !errors.Is(err, registry.ErrConflict):
			return done, &lasting{fmt.Errorf("storing an extended seal: %w", err)}
		}
	}
	return done, nil
}

// one writes an extended seal and holds it against the one it extends.
func (e *extending) one(ctx context.Context, sealed []byte, from registry.Level) ([]byte, error) {
	before, err := credentials.ParseSealed(sealed)
	if err != nil {
		return nil, err
	}
	values := e.to >= registry.LevelLT && (from < registry.LevelLT || from == registry.LevelLTA)
	if values { // before anybody is asked for a stamp that could not be used
		if _, err := e.listsFor(ctx, before.Chain, before.Chain); err != nil {
			return nil, err
		}
	}
	out := sealed
	if from < registry.LevelT {
		if out, err = e.addStamp(ctx, out, credentials.SignatureStamp, before.EncodedSignature()); err != nil {
			return nil, err
		}
	}
	if values {
		if out, err = e.addValues(ctx, out); err != nil {
			return nil, err
		}
	}
	if e.to == registry.LevelLTA {
		here, err := credentials.ParseSealed(out)
		if err != nil {
			return nil, err
		}
		message := here.NextArchived()
		if message == nil {
			return nil, errors.New("adding an archive time stamp: an earlier addition cannot be rebuilt")
		}
		if out, err = e.addStamp(ctx, out, credentials.ArchiveStamp, message); err != nil {
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
func (e *extending) addStamp(ctx context.Context, sealed []byte, name string, data []byte) ([]byte, error) {
	der, err := e.Stamps.Stamp(ctx, data)
	if err != nil {
		return nil, &lasting{fmt.Errorf("asking for a time stamp: %w", err)}
	}
	token, err := timestamp.Parse(der)
	if err == nil {
		err = token.Over(data)
	}
	if err != nil {
		return nil, &lasting{fmt.Errorf("reading the time stamp: %w", err)}
	}
	if off := token.Time.Sub(e.now()).Abs(); off > stampSkew {
		return nil, &lasting{fmt.Errorf("reading the time stamp: the authority's clock says %s, ours is %s away; set the clock of this machine right", token.Time.Format(time.RFC3339), off.Round(time.Second))}
	}
	return credentials.Extend(sealed, credentials.Unsigned{Name: name, Stamps: [][]byte{der}})
}

// addValues adds the certificates of the seal's time stamps, and a revocation
// list for each certificate of the seal and of those that an authority issued.
func (e *extending) addValues(ctx context.Context, sealed []byte) ([]byte, error) {
	here, err := credentials.ParseSealed(sealed)
	if err != nil {
		return nil, err
	}
	var stamping []*x509.Certificate
	for _, u := range here.Unsigned {
		for _, der := range u.Stamps {
			token, err := timestamp.Parse(der)
			if err != nil {
				return nil, fmt.Errorf("reading a time stamp of the seal: %w", err)
			}
			stamping = append(stamping, token.Chain...)
		}
	}
	all := slices.Concat(here.Chain, stamping)
	lists, err := e.listsFor(ctx, here.Chain, all)
	if err != nil {
		return nil, err
	}
	more, err := e.listsFor(ctx, stamping, all)
	if err != nil {
		return nil, &lasting{err} // the next seal has the same authority
	}
	var added []credentials.Unsigned
	if certificates := distinct(stamping, here.Chain); len(certificates) > 0 {
		added = append(added, credentials.Unsigned{Name: credentials.ChainValues, Certificates: certificates})
	}
	lists = append(lists, more...)
	slices.SortFunc(lists, bytes.Compare)
	if lists = slices.CompactFunc(lists, bytes.Equal); len(lists) > 0 {
		added = append(added, credentials.Unsigned{Name: credentials.StatusValues, CRLs: lists})
	}
	return credentials.Extend(sealed, added...)
}

// distinct are the certificates in DER, each once, without those that are there.
func distinct(certificates, there []*x509.Certificate) [][]byte {
	var ders [][]byte
	for n, c := range certificates {
		if !slices.ContainsFunc(there, c.Equal) && !slices.ContainsFunc(certificates[:n], c.Equal) {
			ders = append(ders, c.Raw)
		}
	}
	return ders
}

// listsFor gets the revocation lists that speak of certificates. All are the
// certificates among which those of the authorities may be.
func (e *extending) listsFor(ctx context.Context, certificates, all []*x509.Certificate) ([][]byte, error) {
	var lists [][]byte
	for _, c := range certificates {
		if bytes.Equal(c.RawSubject, c.RawIssuer) {
			continue // nobody stands above it
		}
		list, err := e.listOf(ctx, c)
		if err == nil {
			err = speaksOf(list, c, all)
		}
		if err != nil {
			return nil, fmt.Errorf("getting the revocation list for %q: %w", c.Subject.CommonName, err)
		}
		lists = append(lists, list)
	}
	return lists, nil
}

// listOf asks for a list, or takes the answer to the same question before.
func (e *extending) listOf(ctx context.Context, c *x509.Certificate) ([]byte, error) {
	key := string(c.RawIssuer) + "\x00" + strings.Join(c.CRLDistributionPoints, "\x00")
	e.mu.Lock()
	defer e.mu.Unlock()
	found, ok := e.lists[key]
	if !ok {
		found.list, found.err = e.Revocations(ctx, c)
		if ctx.Err() == nil {
			e.lists[key] = found
		}
	}
	return found.list, found.err
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
