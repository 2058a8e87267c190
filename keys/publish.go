package keys

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"time"
)

// publicJWK is the public half of a key (RFC 7517 clause 4, RFC 7518 clause 6).
// It has no member that could hold anything of the other half.
type publicJWK struct {
	Kty  string   `json:"kty"`
	Crv  string   `json:"crv,omitempty"`
	X    string   `json:"x,omitempty"`
	Y    string   `json:"y,omitempty"`
	N    string   `json:"n,omitempty"`
	E    string   `json:"e,omitempty"`
	Kid  string   `json:"kid"`
	Use  string   `json:"use"`
	Alg  string   `json:"alg"`
	X5C  []string `json:"x5c,omitempty"`
	X5TS string   `json:"x5t#S256,omitempty"`
}

type keySet struct {
	Keys []publicJWK `json:"keys"`
}

func (k *Key) jwk() (publicJWK, error) {
	encode := base64.RawURLEncoding.EncodeToString
	j := publicJWK{Kid: k.ID, Use: "sig", Alg: k.Algorithm()}
	switch public := k.Certificate().PublicKey.(type) {
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, X, Y (SEC 1 clause 2.3.3)
		if err != nil {
			return j, fmt.Errorf("publishing key %s: %w", k.ID, err)
		}
		half := len(point) / 2
		j.Kty, j.Crv, j.X, j.Y = "EC", public.Curve.Params().Name, encode(point[1:1+half]), encode(point[1+half:])
	case *rsa.PublicKey:
		j.Kty, j.N, j.E = "RSA", encode(public.N.Bytes()), encode(big.NewInt(int64(public.E)).Bytes())
	}
	return j, nil
}

// published are the keys that others may need: those for seals and for status
// lists, retired ones too, since what they signed counts. Revoked ones are not
// among them; nor are those for receipts, which bring their certificates along.
func (r *Ring) published() []*Key {
	var all []*Key
	for _, k := range r.All() {
		if k.Purpose != Root && k.Purpose != Receipt && k.Revoked.IsZero() {
			all = append(all, k)
		}
	}
	return all
}

func (r *Ring) keySet() (keySet, error) {
	set := keySet{Keys: []publicJWK{}}
	for _, k := range r.published() {
		j, err := k.jwk()
		if err != nil {
			return set, err
		}
		sum := sha256.Sum256(k.Certificate().Raw)
		j.X5TS = base64.RawURLEncoding.EncodeToString(sum[:])
		for _, c := range k.Chain() {
			j.X5C = append(j.X5C, base64.StdEncoding.EncodeToString(c.Raw))
		}
		set.Keys = append(set.Keys, j)
	}
	return set, nil
}

// JWKS is the set of public keys for seals and status lists, with their
// certificates (RFC 7517 clause 5). A retired key stays in it, a revoked one
// does not; kid is the id of the key and is never used again.
func (r *Ring) JWKS() ([]byte, error) {
	set, err := r.keySet()
	if err != nil {
		return nil, err
	}
	return json.Marshal(set)
}

// IssuerMetadata is what stands at /.well-known/jwt-vc-issuer of a public
// address (SD-JWT-based Verifiable Credentials, clause "JWT VC Issuer
// Metadata"), with the keys of JWKS in it.
func (r *Ring) IssuerMetadata(publicURL string) ([]byte, error) {
	set, err := r.keySet()
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Issuer string `json:"issuer"`
		JWKS   keySet `json:"jwks"`
	}{publicURL, set})
}

type didDocument struct {
	Context []string    `json:"@context"`
	ID      string      `json:"id"`
	Methods []didMethod `json:"verificationMethod"`
	Asserts []string    `json:"assertionMethod"`
}

type didMethod struct {
	ID         string    `json:"id"`
	Type       string    `json:"type"`
	Controller string    `json:"controller"`
	Key        publicJWK `json:"publicKeyJwk"`
}

// DID is the did:web document of a public address without a path (DID Core 1.0
// clause 5, did:web method). Its methods are the keys of JWKS; those that may
// sign at the moment are its assertion methods. All ids are absolute, since
// some readers compare them as they stand.
func (r *Ring) DID(publicURL string, at time.Time) ([]byte, error) {
	id, err := didWeb(publicURL)
	if err != nil {
		return nil, err
	}
	d := didDocument{
		Context: []string{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"},
		ID:      id, Methods: []didMethod{}, Asserts: []string{},
	}
	for _, k := range r.published() {
		j, err := k.jwk()
		if err != nil {
			return nil, err
		}
		method := id + "#" + k.ID
		d.Methods = append(d.Methods, didMethod{method, "JsonWebKey", id, j})
		if k.MaySign(at) == nil {
			d.Asserts = append(d.Asserts, method)
		}
	}
	return json.Marshal(d)
}

// didWeb is the identifier of a host: what a DID may not hold as it stands, such
// as the colon before a port, is percent-encoded.
func didWeb(publicURL string) (string, error) {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" || u.Path != "" {
		return "", fmt.Errorf("naming the installation: the public address %q is not of the form https://host", publicURL)
	}
	var b strings.Builder
	b.WriteString("did:web:")
	for _, c := range []byte(strings.ToLower(u.Host)) {
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String(), nil
}
