package credentials

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Binding is what a holder's key signed when the credential was presented.
type Binding struct {
	At       time.Time
	Audience string // for whom; whether that is who checks, only they know
	Nonce    string
}

// CheckBinding checks the proof of the holder's key (KB-JWT, RFC 9901 section 7.3):
// that the key which the issuer names signed it, and that it is over what was
// presented. For whom it was made and whether it is fresh it cannot know. It is
// to be called only where the token is Bound, and its issuer's signature is good.
func (s *SDJWT) CheckBinding() (Binding, error) {
	b, err := s.readBinding()
	if err != nil {
		return Binding{}, fmt.Errorf("checking the proof of the holder's key: %w", err)
	}
	return b, nil
}

func (s *SDJWT) readBinding() (b Binding, err error) {
	parts := strings.Split(s.binding, ".")
	if len(parts) != 3 {
		return b, badFormat("sdjwt", "it does not have three parts")
	}
	header, ok1 := claimsOf(parts[0])
	claims, ok2 := claimsOf(parts[1])
	signature, err := decodeBase64URL(parts[2])
	if !ok1 || !ok2 || err != nil {
		return b, badFormat("sdjwt", "a part of it cannot be read")
	}
	typ, _ := header.get("typ").str()
	if typ != bindingType || header.get("crit").present() || header.get("b64").present() {
		return b, badFormat("sdjwt", "it is of type %q, %q was expected, or has critical headers", typ, bindingType)
	}
	key, err := keyOf(s.claims.at("cnf", "jwk"))
	if err != nil {
		return b, err
	}
	alg, _ := header.get("alg").str()
	if err := verifySignature(alg, key, []byte(parts[0]+"."+parts[1]), signature); err != nil {
		return b, fmt.Errorf("%w: %w", ErrSeal, err)
	}
	want := sha256.Sum256([]byte(s.shown))
	if got, _ := claims.get("sd_hash").str(); got != base64.RawURLEncoding.EncodeToString(want[:]) {
		return b, badFormat("sdjwt", "it is over another presentation")
	}
	b.At = secondsOf(claims.get("iat"))
	b.Audience, ok1 = claims.get("aud").str()
	b.Nonce, ok2 = claims.get("nonce").str()
	if b.At.IsZero() || !ok1 || !ok2 {
		return b, badFormat("sdjwt", "it does not say when, for whom or for which question it was made")
	}
	return b, nil
}

// keyOf reads a public key as RFC 7518 section 6 has it.
func keyOf(jwk node) (crypto.PublicKey, error) {
	if !jwk.is(isObject) || jwk.get("d").present() {
		return nil, badFormat("sdjwt", "the issuer names no public key of the holder (cnf.jwk)")
	}
	number := func(name string) []byte {
		text, _ := jwk.get(name).str()
		raw, err := decodeBase64URL(text)
		if err != nil {
			return nil
		}
		return raw
	}
	kind, _ := jwk.get("kty").str()
	name, _ := jwk.get("crv").str()
	curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384()}[name]
	switch {
	case kind == "EC" && curve != nil:
		x, y := number("x"), number("y")
		if size := (curve.Params().BitSize + 7) / 8; len(x) != size || len(y) != size {
			return nil, badFormat("sdjwt", "the public key of the holder is not of the length of its curve")
		}
		key, err := ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, x...), y...))
		if err != nil {
			return nil, badFormat("sdjwt", "the public key of the holder is not on its curve")
		}
		return key, nil
	case kind == "RSA":
		n, e := number("n"), number("e")
		if len(n) > maxRSABits/8 || string(e) != "\x01\x00\x01" {
			return nil, badFormat("sdjwt", "the public key of the holder is not accepted")
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}, nil
	}
	return nil, badFormat("sdjwt", "the public key of the holder is of a kind that is not read here")
}
