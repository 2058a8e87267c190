package registry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

const (
	credentialPrefix = "urn:credential:"
	referenceLen     = 26 // base32 characters: 130 bits
	referenceBytes   = 17 // enough random bytes for them
	minClaimKey      = 16
)

// NewReference returns 26 characters A-Z2-7 made of 130 bits read from rand.
// Handles, list ids and secrets are of this shape; the alphabet sorts alike
// under every collation.
func NewReference(rand io.Reader) (string, error) {
	var raw [referenceBytes]byte
	if _, err := io.ReadFull(rand, raw[:]); err != nil {
		return "", fmt.Errorf("reading random bytes: %w", err)
	}
	return reference26(raw[:]), nil
}

func reference26(raw []byte) string {
	return base32.StdEncoding.EncodeToString(raw)[:referenceLen]
}

// isReference tells whether s has the shape that NewReference gives.
func isReference(s string) bool {
	if len(s) != referenceLen {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// newCredential returns urn:credential: and a random UUID of version 4
// (RFC 9562, section 5.4) made of 16 random bytes.
func newCredential(raw [16]byte) string {
	raw[6] = raw[6]&0x0f | 0x40
	raw[8] = raw[8]&0x3f | 0x80
	h := hex.EncodeToString(raw[:])
	return credentialPrefix + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// isCredential tells whether s has the shape that newCredential gives.
func isCredential(s string) bool {
	const shape = credentialPrefix + "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx"
	if len(s) != len(shape) || s[:len(credentialPrefix)] != credentialPrefix {
		return false
	}
	for i := len(credentialPrefix); i < len(shape); i++ {
		c := s[i]
		hexDigit := c >= '0' && c <= '9' || c >= 'a' && c <= 'f'
		switch shape[i] {
		case 'x':
			if !hexDigit {
				return false
			}
		case 'y':
			if c != '8' && c != '9' && c != 'a' && c != 'b' {
				return false
			}
		default:
			if c != shape[i] {
				return false
			}
		}
	}
	return true
}

// names makes the references of n new records.
func (r *Registry) names(n int) ([]Names, error) {
	if len(r.key) < minClaimKey {
		return nil, fmt.Errorf("claim key has %d bytes, at least %d: %w", len(r.key), minClaimKey, ErrInvalid)
	}
	const each = 16 + referenceBytes
	raw := make([]byte, n*each)
	if _, err := io.ReadFull(r.rand, raw); err != nil {
		return nil, fmt.Errorf("reading random bytes: %w", err)
	}
	out, mac := make([]Names, n), hmac.New(sha256.New, r.key)
	for i := range out {
		part := raw[i*each : (i+1)*each]
		c := newCredential([16]byte(part[:16]))
		out[i] = Names{Credential: c, Handle: reference26(part[16:]), ClaimHash: claimHash(claimToken(mac, c))}
	}
	return out, nil
}

// ClaimToken returns the secret of the claim link of a credential, 26
// characters A-Z2-7. It is the same at every call, so that a link can be sent
// again; the registry keeps only its SHA-256. It is empty when there is no
// usable ClaimKey.
func (r *Registry) ClaimToken(credential string) string {
	if len(r.key) < minClaimKey {
		return ""
	}
	return claimToken(hmac.New(sha256.New, r.key), credential)
}

func claimToken(mac hash.Hash, credential string) string {
	mac.Reset()
	mac.Write([]byte("attesta claim token 1\n" + credential)) // a hash takes everything
	return reference26(mac.Sum(nil))
}

// claimHash is what is kept of a claim token.
func claimHash(token string) [32]byte { return sha256.Sum256([]byte(token)) }

// accessHash is what is kept of an access secret. The kind is part of it, so
// that a secret of one kind opens nothing of the other and cannot use it up.
func accessHash(kind, secret string) [32]byte {
	return sha256.Sum256([]byte("attesta " + kind + "\n" + secret))
}
