package credentials

import (
	"bytes"
	"encoding/base64"
	"fmt"

	"attesta/status"
)

// ParseCompact takes apart a compact JWS of the expected type whose header
// carries the signer's certificates, such as a signed status list.
func ParseCompact(data []byte, typ string) (*Envelope, error) {
	if len(data) > maxCompactBytes {
		return nil, badFormat("too_large", "the token is larger than %d bytes", maxCompactBytes)
	}
	parts := bytes.Split(data, []byte("."))
	if len(parts) != 3 || len(parts[0]) == 0 || len(parts[1]) == 0 || len(parts[2]) == 0 {
		return nil, badFormat("not_sealed", "the token does not have three parts")
	}
	e := &Envelope{}
	var err error
	if e.payload, err = decodeBase64URL(string(parts[1])); err != nil {
		return nil, badFormat("payload", "the payload of the token is not canonical base64url")
	}
	if e.signature, err = decodeBase64URL(string(parts[2])); err != nil {
		return nil, badFormat("header", "the signature of the token is not canonical base64url")
	}
	h, err := e.readHeader(string(parts[0]))
	if err != nil {
		return nil, err
	}
	if h.get("crit").present() || !e.Attached {
		return nil, badFormat("header", "the token has critical headers")
	}
	if e.Type != typ {
		return nil, badFormat("header", "the token is of type %q, %q was expected", e.Type, typ)
	}
	if _, err := readClaims(e.content()); err != nil {
		return nil, badFormat("payload", "the payload of the token cannot be read: %v", err)
	}
	return e, nil
}

// The typ headers and the media types of status lists in a compact JWS: of a
// Bitstring Status List credential (VC-JOSE-COSE clause 3.1.1), and of a Token
// Status List (draft-ietf-oauth-status-list, sections 5.1 and 8.2).
const (
	StatusListType      = "vc+jwt"
	StatusListMediaType = "application/vc+jwt"
	TokenListType       = "statuslist+jwt"
	TokenListMediaType  = "application/statuslist+jwt"
)

// SealCompact writes claims as a compact JWS that carries the certificates of
// its signer. The claims are a struct, so that no name in them comes from
// outside.
func SealCompact(typ string, claims any, s Sealer) ([]byte, error) {
	raw, err := marshalPlain(claims)
	if err != nil {
		return nil, fmt.Errorf("writing the token: %w", err)
	}
	token, err := compactHeader(typ, base64.RawURLEncoding.EncodedLen(len(raw)), s)
	if err != nil {
		return nil, err
	}
	return signCompact(base64.RawURLEncoding.AppendEncode(token, raw), s)
}

// SealStatusList is SealCompact for claims with a status list, which comes packed
// and is not packed again: it takes the place of the one member of that name
// whose text is empty. There is white space in the claims.
func SealStatusList(typ string, claims any, member string, list status.Text, s Sealer) ([]byte, error) {
	raw, err := marshalPlain(claims)
	if err != nil {
		return nil, fmt.Errorf("writing the token: %w", err)
	}
	// Quotation marks inside a text are escaped: what is found is the member.
	place := fmt.Appendf(nil, "%q:\"\"", member)
	before, after, found := bytes.Cut(raw, place)
	if !found || bytes.Contains(after, place) {
		return nil, fmt.Errorf("writing the token: it does not have one empty %q for the list", member)
	}
	end := len(before) + len(place) - 1 // between the quotation marks
	before, after = raw[:end], raw[end:]
	token, err := compactHeader(typ, list.Len(before, after), s)
	if err != nil {
		return nil, err
	}
	return signCompact(list.AppendClaims(token, before, after), s)
}

// compactHeader is the first part of a token with its point, and with room for
// claims of so many characters.
func compactHeader(typ string, room int, s Sealer) ([]byte, error) {
	header := struct {
		Alg string   `json:"alg"`
		Typ string   `json:"typ"`
		X5c []string `json:"x5c"`
	}{Alg: s.Algorithm(), Typ: typ}
	for _, c := range s.Chain() {
		header.X5c = append(header.X5c, base64.StdEncoding.EncodeToString(c.Raw))
	}
	raw, err := marshalPlain(header)
	if err != nil {
		return nil, fmt.Errorf("writing the token: %w", err)
	}
	length := base64.RawURLEncoding.EncodedLen(len(raw))
	token := make([]byte, 0, length+room+1024) // most signatures are shorter
	return append(base64.RawURLEncoding.AppendEncode(token, raw), '.'), nil
}

func signCompact(token []byte, s Sealer) ([]byte, error) {
	signature, err := s.Sign(token)
	if err != nil {
		return nil, fmt.Errorf("signing the token: %w", err)
	}
	return base64.RawURLEncoding.AppendEncode(append(token, '.'), signature), nil
}
