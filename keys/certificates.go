package keys

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// Bounds on a published set of keys and on what one of its keys carries.
const (
	maxKeySet = 16 << 20 // bytes
	maxX5C    = 8        // certificates
)

// ChainsIn finds in a published set of keys, as Ring.JWKS writes it, the
// certificates of the keys with an id, each leaf first. The id of a key is that of
// its certificate, whatever the set says. What is found deserves no trust for
// standing there: Trust.Vouch judges it. A set without such a key gives none.
func ChainsIn(jwks []byte, id string) ([][]*x509.Certificate, error) {
	var set struct {
		Keys []struct {
			Kid string   `json:"kid"`
			X5C []string `json:"x5c"`
		} `json:"keys"`
	}
	if len(jwks) > maxKeySet {
		return nil, fmt.Errorf("reading published keys: they have more than %d bytes", maxKeySet)
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		return nil, fmt.Errorf("reading published keys: %w", err)
	}
	var found [][]*x509.Certificate
	for _, k := range set.Keys {
		if k.Kid != id || len(k.X5C) == 0 || len(k.X5C) > maxX5C {
			continue
		}
		chain, err := readX5C(k.X5C)
		if err != nil {
			return nil, fmt.Errorf("reading the published key %s: %w", id, err)
		}
		if keyID(chain[0]) == id {
			found = append(found, chain)
		}
	}
	return found, nil
}

// readX5C reads the certificates of a key (RFC 7517 clause 4.7).
func readX5C(encoded []string) ([]*x509.Certificate, error) {
	chain := make([]*x509.Certificate, len(encoded))
	for n, text := range encoded {
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, err
		}
		if chain[n], err = x509.ParseCertificate(der); err != nil {
			return nil, err
		}
	}
	return chain, nil
}

// Chains returns the certificates, leaf first, of the sealing keys that have or
// had an id, retired and revoked ones too: whether they count anchors say.
func (r *Ring) Chains(id string) [][]*x509.Certificate {
	var found [][]*x509.Certificate
	for _, k := range r.All() {
		if k.Purpose == Seal && k.ID == id {
			found = append(found, k.Chain())
		}
	}
	return found
}
