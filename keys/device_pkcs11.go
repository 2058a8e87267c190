//go:build pkcs11

package keys

import (
	"crypto"
	"errors"
	"fmt"
	"time"

	"github.com/ThalesGroup/crypto11"
	"github.com/miekg/pkcs11"
)

// A device that is asked by everybody at once gets so many at a time; who waits
// longer than this is told so.
const (
	deviceSessions = 32
	deviceWait     = 30 * time.Second
)

// openToken logs into a token (PKCS #11 v2.40).
func openToken(d Device) (token, error) {
	c, err := crypto11.Configure(&crypto11.Config{
		Path: d.Module, TokenLabel: d.Token, Pin: d.PIN, MaxSessions: deviceSessions, PoolWaitTimeout: deviceWait,
	})
	if code, ok := errors.AsType[pkcs11.Error](err); ok {
		switch code {
		case pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE, pkcs11.CKR_PIN_LOCKED, pkcs11.CKR_PIN_EXPIRED:
			return nil, fmt.Errorf("opening the token %q: %w (%w)", d.Token, ErrPassword, code)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("opening the token %q: %w", d.Token, err)
	}
	return openedToken{c}, nil
}

type openedToken struct{ *crypto11.Context }

func (t openedToken) find(label string, public crypto.PublicKey) (crypto.Signer, error) {
	pairs, err := t.FindKeyPairs(nil, []byte(label))
	if err != nil {
		return nil, fmt.Errorf("looking for the key: %w", err)
	}
	for _, p := range pairs {
		if samePublic(p.Public(), public) {
			return p, nil
		}
	}
	return nil, errOtherKey
}
