package credentials

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// TokenKind is what a compact token (RFC 7515 section 7.1) is, by how it looks and
// what it says of itself. Nothing of it is proved.
type TokenKind string

// The kinds of compact tokens.
const (
	NoToken    TokenKind = ""       // it is no compact token
	SDJWTToken TokenKind = "sd-jwt" // with disclosures (RFC 9901), or said to be one
	VCToken    TokenKind = "vc-jwt" // a W3C credential in a token, such as an Open Badge 3.0
	OtherToken TokenKind = "jwt"    // some other token, or one that nobody signed
)

// The media types, and typ headers, of a credential with disclosures: the one of
// the drafts of SD-JWT VC since November 2024, and the one before. W3C has taken
// the latter for another format, which has a context.
const (
	SDJWTType      = "dc+sd-jwt"
	SDJWTOlderType = "vc+sd-jwt"
	bindingType    = "kb+jwt"
)

// Bounds on a token with disclosures.
const (
	maxSDJWTBytes  = 1 << 20
	maxDisclosures = 1000
)

// TokenKindOf tells which kind of compact token presented bytes are.
func TokenKindOf(data []byte) TokenKind {
	data = bytes.TrimSpace(data)
	if len(data) > maxCompactBytes || !bytes.HasPrefix(data, []byte("e")) {
		return NoToken
	}
	token, _, disclosing := strings.Cut(string(data), "~")
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return NoToken
	}
	header, ok1 := claimsOf(parts[0])
	claims, ok2 := claimsOf(parts[1])
	if !ok1 {
		return NoToken
	}
	typ, _ := header.get("typ").str()
	w3c := ok2 && (claims.get("vc").is(isObject) || claims.get("@context").present() && !claims.get("vct").present())
	switch {
	case w3c && signedByKeyPair(header) && typ != SDJWTType:
		return VCToken
	case disclosing || typ == SDJWTType || typ == SDJWTOlderType:
		return SDJWTToken
	}
	return OtherToken
}

// signedByKeyPair tells whether the algorithm is one of a key pair: without one
// nobody has signed, and with a shared secret anybody who could check could sign.
func signedByKeyPair(header node) bool {
	alg, _ := header.get("alg").str()
	return len(alg) > 2 && !strings.EqualFold(alg, "none") && !strings.EqualFold(alg[:2], "HS")
}

func claimsOf(encoded string) (node, bool) {
	raw, err := decodeBase64URL(encoded)
	if err != nil {
		return node{}, false
	}
	n, err := readClaims(string(raw))
	return n, err == nil
}

// SDJWT is a credential for wallets (SD-JWT VC) that has been taken apart under
// the rules of RFC 9901 section 7.1. Its signature has not been checked: it is a
// claim, not a fact.
type SDJWT struct {
	Envelope *Envelope // of what the issuer signed
	Kind     string    // vct
	Issuer   string    // iss; "" where the certificate alone names the issuer
	Bound    bool      // a proof of the holder's key (KB-JWT) was presented with it

	claims  node // with what was disclosed in its place
	hash    crypto.Hash
	shown   string // everything before the proof of the holder's key
	binding string // that proof
}

// ErrUnread is the code of a *FormatError about a token that keeps to its rules as
// far as can be seen, but is signed in a way that is not read here.
const ErrUnread = "unread"

// ParseSDJWT reads a credential for wallets in its compact form: the token of the
// issuer, the disclosures, and, where the holder adds it, the proof of the
// holder's key, divided by tildes. White space around it is left out. Errors are
// *FormatError: header, certificate, too_large, unread, or sdjwt for every other
// breach of the rules.
func ParseSDJWT(data []byte) (*SDJWT, error) {
	if len(data) > maxSDJWTBytes {
		return nil, badFormat("too_large", "the token is larger than %d bytes", maxSDJWTBytes)
	}
	text := string(bytes.TrimSpace(data))
	end := strings.LastIndexByte(text, '~')
	if end < 0 {
		return nil, badFormat("sdjwt", "the token has no tilde: a part of it is missing")
	}
	s := &SDJWT{shown: text[:end+1], binding: text[end+1:]}
	s.Bound = s.binding != ""
	if s.Bound && strings.Count(s.binding, ".") != 2 {
		return nil, badFormat("sdjwt", "what follows the last tilde is no proof of the holder's key: a part or a tilde is missing at the end")
	}
	parts := strings.Split(text[:end], "~")
	if len(parts)-1 > maxDisclosures {
		return nil, badFormat("sdjwt", "the token has more than %d disclosures", maxDisclosures)
	}
	payload, err := s.readToken(parts[0])
	if err != nil {
		return nil, err
	}
	if s.hash, err = digestsOf(payload); err != nil {
		return nil, err
	}
	if s.claims, err = disclose(payload, parts[1:], s.hash); err != nil {
		return nil, err
	}
	return s, s.readClaims()
}

// readToken takes apart what the issuer signed.
func (s *SDJWT) readToken(token string) (payload node, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return node{}, badFormat("sdjwt", "the token of the issuer does not have three parts")
	}
	e := &Envelope{}
	if e.payload, err = decodeBase64URL(parts[1]); err != nil {
		return node{}, badFormat("sdjwt", "the claims of the token are not canonical base64url")
	}
	if e.signature, err = decodeBase64URL(parts[2]); err != nil {
		return node{}, badFormat("sdjwt", "the signature of the token is not canonical base64url")
	}
	if err := readable(parts[0]); err != nil {
		return node{}, err
	}
	header, err := e.readHeader(parts[0])
	if err != nil {
		return node{}, err
	}
	if header.get("crit").present() || !e.Attached {
		return node{}, badFormat("header", "the token has critical headers")
	}
	if payload, err = readClaims(e.content()); err != nil {
		return node{}, badFormat("sdjwt", "the claims of the token cannot be read: %v", err)
	}
	s.Envelope = e
	return payload, nil
}

// readable tells a token that is signed in another way than is read here from one
// that breaks the rules: the key of an issuer may also be published at its address
// or by other means, which nobody asks on behalf of what nobody vouches for.
func readable(protected string) error {
	header, ok := claimsOf(protected)
	if !ok || len(protected) > maxHeaderBytes {
		return badFormat("header", "the header of the token cannot be read")
	}
	if typ, _ := header.get("typ").str(); typ != SDJWTType && typ != SDJWTOlderType {
		return badFormat("header", "the token is of type %q, %q was expected", typ, SDJWTType)
	}
	if !signedByKeyPair(header) {
		return badFormat("header", "the token is not signed with a key pair")
	}
	alg, _ := header.get("alg").str()
	if unreadAlgorithm(alg) {
		return badFormat(ErrUnread, "the algorithm %s is not read here", alg)
	}
	if !header.get("x5c").present() {
		return badFormat(ErrUnread, "the token carries no certificate (x5c), and no other way to the key of its issuer is read here")
	}
	return nil
}

// unreadAlgorithm tells whether an algorithm is a registered one of key pairs that
// is not read here.
func unreadAlgorithm(alg string) bool {
	switch alg {
	case "EdDSA", "Ed25519", "Ed448", "ES512", "ES256K", "ESB256", "ESB320", "ESB384", "ESB512",
		"PS256", "PS384", "PS512", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87":
		return true
	}
	return false
}

// readClaims holds the claims to what SD-JWT VC demands of them.
func (s *SDJWT) readClaims() error {
	for _, name := range []string{"vct", "iss", "sub", "jti", "iat", "nbf", "exp", "cnf", "status"} {
		if v := s.claims.t.named(s.claims.v, name); v != nil && v.kind == isNull {
			return badFormat("sdjwt", "the claim %s of the token is null", name)
		}
	}
	s.Kind, _ = s.claims.get("vct").str()
	if s.Kind == "" {
		return badFormat("sdjwt", "the token does not say of which type it is (vct)")
	}
	for _, name := range []string{"iss", "sub", "jti"} {
		if n := s.claims.get(name); n.present() {
			if _, ok := n.str(); !ok {
				return badFormat("sdjwt", "the claim %s of the token is not a string", name)
			}
		}
	}
	s.Issuer, _ = s.claims.get("iss").str()
	for _, name := range []string{"iat", "nbf", "exp"} {
		if n := s.claims.get(name); n.present() && secondsOf(n).IsZero() {
			return badFormat("sdjwt", "the claim %s of the token is not a number of seconds between the years 1 and 9999", name)
		}
	}
	for _, name := range []string{"cnf", "status"} {
		if n := s.claims.get(name); n.present() && !n.is(isObject) {
			return badFormat("sdjwt", "the claim %s of the token is not an object", name)
		}
	}
	if at := secondsOf(s.claims.get("iat")); !at.IsZero() {
		s.Envelope.SealedAt = at // else what the header says
	}
	return nil
}

// firstSecond is that of the zero time.
const firstSecond = -62135596800

// secondsOf reads a NumericDate (RFC 7519 section 2), the zero time where there is
// none.
func secondsOf(n node) time.Time {
	seconds, err := strconv.ParseFloat(n.number(), 64)
	if err != nil || seconds <= firstSecond || seconds > latestSecond {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// Verify checks the signature of the issuer with the key of the certificate that
// the token carries. It says nothing about whether that deserves trust.
func (s *SDJWT) Verify() error { return s.Envelope.Verify() }

// Leaf is the certificate of the key that signed.
func (s *SDJWT) Leaf() *x509.Certificate { return s.Envelope.Leaf() }

// Signer is who signed, as the certificate names it. Of a certificate for wallets
// the name of one organisation is enough: many have no identifier beside it, and
// LegalID is then empty.
func (s *SDJWT) Signer() (Signer, error) {
	signer, err := SignerOf(s.Leaf())
	if signer.Organisation != "" && signer.LegalID == "" {
		return signer, nil
	}
	return signer, err
}

// NamesIssuer tells whether the issuer that the token names is in the certificate:
// as an address, or by the name of its host.
func (s *SDJWT) NamesIssuer() bool {
	u, err := url.Parse(s.Issuer)
	if err != nil || s.Issuer == "" {
		return false
	}
	for _, one := range s.Leaf().URIs {
		if one.String() == s.Issuer {
			return true
		}
	}
	return u.Scheme == "https" && s.Leaf().VerifyHostname(u.Hostname()) == nil
}
