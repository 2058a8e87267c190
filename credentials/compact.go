package credentials

import (
	"bytes"
	"encoding/base64"
	"fmt"
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
	if _, err := readJSON(e.payload); err != nil {
		return nil, badFormat("payload", "the payload of the token cannot be read: %v", err)
	}
	return e, nil
}

// StatusListType and StatusListMediaType are the typ header and the media type
// of a status list credential in a compact JWS (VC-JOSE-COSE clause 3.1.1).
const (
	StatusListType      = "vc+jwt"
	StatusListMediaType = "application/vc+jwt"
)

// SealCompact writes claims as a compact JWS that carries the certificates of
// its signer. The claims are a struct, so that no name in them comes from
// outside.
func SealCompact(typ string, claims any, s Sealer) ([]byte, error) {
	header := struct {
		Alg string   `json:"alg"`
		Typ string   `json:"typ"`
		X5c []string `json:"x5c"`
	}{Alg: s.Algorithm(), Typ: typ}
	for _, c := range s.Chain() {
		header.X5c = append(header.X5c, base64.StdEncoding.EncodeToString(c.Raw))
	}
	var token []byte
	for n, part := range []any{header, claims} {
		raw, err := marshalPlain(part)
		if err != nil {
			return nil, fmt.Errorf("writing the token: %w", err)
		}
		if n > 0 {
			token = append(token, '.')
		}
		token = base64.RawURLEncoding.AppendEncode(token, raw)
	}
	signature, err := s.Sign(token)
	if err != nil {
		return nil, fmt.Errorf("signing the token: %w", err)
	}
	return base64.RawURLEncoding.AppendEncode(append(token, '.'), signature), nil
}
