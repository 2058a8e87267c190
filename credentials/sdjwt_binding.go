package credentials

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
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
// The error is a *FormatError with the code unread where the key is named or the
// proof is signed in a way that is not read here: that is no forgery.
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
	if got, _ := claims.get("sd_hash").str(); got != digest(s.hash, s.shown) {
		return b, badFormat("sdjwt", "it is over another presentation")
	}
	b.At = secondsOf(claims.get("iat"))
	b.Audience, ok1 = claims.get("aud").first().str() // one, or several in a list
	b.Nonce, ok2 = claims.get("nonce").str()
	if b.At.IsZero() || !ok1 || !ok2 {
		return b, badFormat("sdjwt", "it does not say when, for whom or for which question it was made")
	}
	alg, _ := header.get("alg").str()
	if !signedByKeyPair(header) {
		return b, badFormat("sdjwt", "it is not signed with a key pair")
	}
	key, err := s.holderKey()
	if err != nil {
		return b, err
	}
	if _, ok := key.(*rsa.PublicKey); ok && unreadAlgorithm(alg) {
		return b, badFormat(ErrUnread, "it is signed with %s, which is not read here", alg)
	}
	if err := verifySignature(alg, key, []byte(parts[0]+"."+parts[1]), signature); err != nil {
		return b, fmt.Errorf("%w: %w", ErrSeal, err)
	}
	return b, nil
}

// holderKey is the key that the issuer names (RFC 7800 section 3). One that is
// not given whole, but by a name, nobody asks for.
func (s *SDJWT) holderKey() (crypto.PublicKey, error) {
	named := s.claims.get("cnf")
	if jwk := named.get("jwk"); jwk.present() {
		return keyOf(jwk)
	}
	for _, name := range []string{"kid", "jku", "jwe", "jkt", "x5t#S256"} {
		if named.get(name).present() {
			return nil, badFormat(ErrUnread, "the issuer names the key of the holder by %s, which is not read here", name)
		}
	}
	return nil, badFormat("sdjwt", "the issuer names no key of the holder (cnf)")
}

// keyOf reads a public key as RFC 7518 section 6 has it.
func keyOf(jwk node) (crypto.PublicKey, error) {
	if !jwk.is(isObject) || jwk.get("d").present() || jwk.get("k").present() {
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
	if kind == "OKP" || kind == "AKP" || kind == "EC" && name != "" {
		return nil, badFormat(ErrUnread, "the public key of the holder is of a kind that is not read here")
	}
	return nil, badFormat("sdjwt", "the public key of the holder is of no known kind")
}
