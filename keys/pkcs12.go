package keys

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// ErrPassword is wrapped when a password or a PIN is wrong.
var ErrPassword = errors.New("the password or PIN is wrong")

// Import takes the key of a PKCS #12 file into the ring (RFC 7292), with its
// certificate and those of the authorities that the file holds, and retires
// the keys that it follows, as Rotate does but at once. The certificate must be good at
// the moment, let its key sign and name one organisation, which must be the owner
// when that has a legal identifier is given. The error wraps
// ErrPassword when the password does not open the file. When a key comes with
// an error, it is in the ring and another one could not be retired.
func (r *Ring) Import(p12 []byte, password string, p Purpose, owner Owner, at time.Time) (*Key, error) {
	private, leaf, others, err := pkcs12.DecodeChain(p12, password)
	if errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption) {
		return nil, fmt.Errorf("opening the PKCS #12 file: %w", ErrPassword)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the PKCS #12 file: %w", whatElse(p12, err))
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, errors.New("opening the PKCS #12 file: its key does not sign")
	}
	chain, err := arrange(signer.Public(), append([]*x509.Certificate{leaf}, others...))
	if err != nil {
		return nil, fmt.Errorf("opening the PKCS #12 file: %w", err)
	}
	k, err := r.newKey(chain, signer)
	if err != nil {
		return nil, fmt.Errorf("importing a key: %w", err)
	}
	return r.admit(k, p, owner, at)
}

// whatElse says what was given in the place of a PKCS #12 file, when that is
// what is wrong, and how to make one.
func whatElse(data []byte, err error) error {
	const remedy = "; make one with: openssl pkcs12 -export -inkey KEY.pem -in CERTIFICATE.pem -certfile AUTHORITIES.pem -out FILE.p12"
	var outer struct { // RFC 7292 clause 4
		Version  int
		AuthSafe asn1.RawValue
		MAC      asn1.RawValue `asn1:"optional"`
	}
	switch _, other := asn1.Unmarshal(data, &outer); {
	case len(data) == 0:
		return errors.New("it is empty")
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return errors.New("it is PEM, and wanted is one file .p12 or .pfx with the key and its certificates" + remedy)
	case other != nil:
		return errors.New("it is none; wanted is one file .p12 or .pfx with the key and its certificates" + remedy)
	}
	return err
}

// admit puts a key from outside into the ring, in the place of the owner's
// others for the same purpose.
func (r *Ring) admit(k *Key, p Purpose, owner Owner, at time.Time) (*Key, error) {
	at = at.UTC().Truncate(time.Second)
	if err := admissible(k.Certificate(), p, at); err != nil {
		return nil, fmt.Errorf("importing a %s key: %w", p, err)
	}
	if named := organisation(k.Certificate()); owner.LegalID != "" && named != owner.LegalID {
		return nil, fmt.Errorf("importing a %s key: its certificate is that of the organisation %s, and %s has the legal identifier %s; import the key of %s, or mend legal_id in its entry", p, named, owner.ID, owner.LegalID, owner.ID)
	}
	k.Purpose, k.Owner, k.From = p, owner.ID, at
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, other := range r.keys {
		switch {
		case other.ID == k.ID:
			return nil, fmt.Errorf("importing a %s key: its certificate is in the ring already, as key %s", p, k.ID)
		case !samePublic(other.Certificate().PublicKey, k.Certificate().PublicKey):
		case !other.Revoked.IsZero():
			return nil, fmt.Errorf("importing a %s key: it is the revoked key %s under another certificate", p, other.ID)
		case other.Purpose != p || other.Owner != owner.ID:
			return nil, fmt.Errorf("importing a %s key: it is the %s key %s of %q, and a key serves one purpose", p, other.Purpose, other.ID, other.Owner)
		}
	}
	if err := r.add(k); err != nil {
		return nil, err
	}
	return k, r.retireBut(k, at)
}

// admissible says why a certificate is not one for a purpose, or nil.
func admissible(leaf *x509.Certificate, p Purpose, at time.Time) error {
	const remedy = "; ask the authority for a certificate of an electronic seal (ETSI EN 319 412-3)"
	if p != Seal && p != Status && p != Accreditation {
		return fmt.Errorf("keys are imported for %s, %s or %s", Seal, Status, Accreditation)
	}
	if at.Before(leaf.NotBefore) {
		return fmt.Errorf("the certificate begins only on %s", leaf.NotBefore.Format(time.RFC3339))
	}
	if at.After(leaf.NotAfter) {
		return fmt.Errorf("the certificate ended on %s", leaf.NotAfter.Format(time.DateOnly))
	}
	check := maySign
	if p != Status {
		check = maySeal
	}
	if err := check(leaf); err != nil {
		return fmt.Errorf("the certificate %q will not do: %w", leaf.Subject.CommonName, err)
	}
	switch o := leaf.Subject.Organization; {
	case len(o) == 0 || o[0] == "":
		return fmt.Errorf("the certificate %q names no organisation (O)%s", leaf.Subject.CommonName, remedy)
	case len(o) > 1:
		return fmt.Errorf("the certificate %q names more than one organisation (O)%s", leaf.Subject.CommonName, remedy)
	case organisation(leaf) == "":
		return fmt.Errorf("the certificate %q must name one organisation by its identifier (organizationIdentifier, 2.5.4.97)%s", leaf.Subject.CommonName, remedy)
	}
	return nil
}

// arrange orders certificates: that of the key first, then each after the one
// that it issued, as far as they go. Others are left out.
func arrange(public crypto.PublicKey, all []*x509.Certificate) ([]*x509.Certificate, error) {
	n := slices.IndexFunc(all, func(c *x509.Certificate) bool { return samePublic(c.PublicKey, public) })
	if n < 0 {
		return nil, errors.New("none of its certificates belongs to the key")
	}
	chain := []*x509.Certificate{all[n]}
	for last := all[n]; last.CheckSignatureFrom(last) != nil; last = chain[len(chain)-1] {
		n := slices.IndexFunc(all, func(c *x509.Certificate) bool {
			return !slices.ContainsFunc(chain, c.Equal) && last.CheckSignatureFrom(c) == nil
		})
		if n < 0 {
			break
		}
		chain = append(chain, all[n])
	}
	return chain, nil
}
