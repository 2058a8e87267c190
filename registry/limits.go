package registry

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"math"
	"time"
)

// Limits is the part of a backend that counts what strangers ask, for all
// processes together. A count may be lost, by a crash too, and is in no backup
// and no copy.
type Limits interface {
	// Take adds one to what was counted of a key in the window that at falls
	// into, unless that is most already, and returns how many there are in this
	// window and how many there were in the one before. Windows begin at whole
	// multiples of their length, which is whole seconds and the same for a key at
	// every call. What comes from a clock at most two windows behind is counted
	// in the newest; a key that nobody counted for two windows is forgotten.
	Take(ctx context.Context, key [32]byte, length time.Duration, most int, at time.Time) (now, before int, err error)
}

// Count counts one request of somebody at a door, and returns how many there
// were in the last length, whichever process they reached: of the window before
// as much as is still within it. Length is whole seconds up to a day, and the
// count ends at most, 1 to 1,000,000. Nobody learns who it was from what is kept:
// that is a hash under the ClaimKey and the day, so that at midnight (UTC) every
// count begins anew.
func (r *Registry) Count(ctx context.Context, door, who string, length time.Duration, most int, at time.Time) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	second, err := stamp(at)
	if err == nil {
		err = refs(field{"name of the door", door}, field{"name of who asks", who})
	}
	if err == nil && len(r.key) < minClaimKey {
		err = fmt.Errorf("claim key has %d bytes, at least %d: %w", len(r.key), minClaimKey, ErrInvalid)
	}
	if err == nil && (length < time.Second || length > 24*time.Hour || length%time.Second != 0 || most < 1 || most > 1_000_000) {
		err = fmt.Errorf("%d in %v: %w", most, length, ErrInvalid)
	}
	if err != nil {
		return 0, fmt.Errorf("counting a request: %w", err)
	}
	now, before, err := r.backend.Take(ctx, r.visitor(door, who, second), length, most, second)
	if err != nil {
		return 0, fmt.Errorf("counting a request: %w", err)
	}
	gone := at.Sub(at.Truncate(length)).Seconds() / length.Seconds()
	return now + int(math.Round(float64(before)*(1-gone))), nil
}

// visitor is what is kept of who asks: another value each day.
func (r *Registry) visitor(door, who string, at time.Time) (key [32]byte) {
	sum := func(secret []byte, text string) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(text)) // a hash takes everything
		return mac.Sum(nil)
	}
	day := sum(r.key, "attesta visitors 1\n"+at.Format(time.DateOnly))
	copy(key[:], sum(day, door+"\n"+who))
	return key
}

// Window is the number of the window of a length that a moment falls into.
func Window(length time.Duration, at time.Time) int64 {
	return at.Unix() / int64(length/time.Second)
}
