//go:build pkcs11

package keys

import (
	"crypto"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
		return nil, fmt.Errorf("opening the token %q: %w", d.Token, away(d, err))
	}
	return openedToken{c}, nil
}

// away says of the usual mishaps what to look at. The library has no errors to
// compare with but their words.
func away(d Device, err error) error {
	_, missing := os.Stat(d.Module)
	switch text := err.Error(); {
	case strings.Contains(text, "open module") && missing != nil && filepath.Base(d.Module) != d.Module:
		return fmt.Errorf("there is no PKCS #11 library %s; install the one of the device, or mend the path", d.Module)
	case strings.Contains(text, "open module"):
		return fmt.Errorf("%s cannot be loaded as a PKCS #11 library; see that it is that of the device, and made for this machine", d.Module)
	case strings.Contains(text, "could not find PKCS#11 token"):
		return fmt.Errorf("there is no such token; see that the device is connected and switched on, and which labels there are: pkcs11-tool --module %s --list-token-slots", d.Module)
	}
	return err
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
