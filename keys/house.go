package keys

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"
)

// LegalID is the identifier of the organisation that the key's certificate
// names, or "" when it names none or several. It tells houses apart: a name may
// change, and two organisations may have the same.
func (k *Key) LegalID() string { return organisation(k.Certificate()) }

// CurrentOf is Current among the keys of an owner whose certificates name one
// legal identifier. An owner that has changed its identifier has a house of
// before, whose status lists are still to be signed.
func (r *Ring) CurrentOf(p Purpose, owner, legalID string, at time.Time) (*Key, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.currentOf(p, owner, legalID, at)
}

func (r *Ring) currentOf(p Purpose, owner, legalID string, at time.Time) (*Key, error) {
	k, err := r.newest(at, func(k *Key) bool {
		return k.Purpose == p && k.Owner == owner && k.LegalID() == legalID
	})
	if err != nil {
		return nil, fmt.Errorf("looking for the %s key of %q with the legal identifier %s: %w", p, owner, legalID, err)
	}
	return k, nil
}

// newest is the newest of some keys that may sign at a moment.
func (r *Ring) newest(at time.Time, of func(*Key) bool) (*Key, error) {
	var why error // of the newest
	for _, k := range slices.Backward(r.keys) {
		if !of(k) {
			continue
		}
		err := k.MaySign(at)
		if err == nil {
			return k, nil
		}
		if why == nil {
			why = err
		}
	}
	if why == nil {
		why = ErrNoKey
	}
	return nil, why
}

// Names tells whether a certificate names an organisation as one that is made
// here for it would: by its legal identifier, and by its name, which a
// certificate may carry cut short.
func (o Owner) Names(c *x509.Certificate) bool {
	return organisation(c) == o.LegalID && slices.Equal(c.Subject.Organization, []string{shorten(o.Name, maxName)})
}
