package keys

import (
	"crypto/ed25519"
	"fmt"
)

// LogKey signs the checkpoints of the audit log, and nothing else. It has no
// certificate: who watches the log knows it by its public key. It is safe for
// concurrent use.
type LogKey struct{ private ed25519.PrivateKey }

// LogKey returns the key of the log. It is made at the first call and stands
// encrypted beside the other keys; with another master key or folder of keys
// the log has another one.
func (r *Ring) LogKey() (*LogKey, error) {
	seed, err := r.Secret("log-checkpoints")
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("reading the key of the log: it has %d bytes instead of %d", len(seed), ed25519.SeedSize)
	}
	return &LogKey{ed25519.NewKeyFromSeed(seed)}, nil
}

// Sign returns the Ed25519 signature over a checkpoint (RFC 8032).
func (k *LogKey) Sign(checkpoint []byte) ([]byte, error) {
	return ed25519.Sign(k.private, checkpoint), nil
}

// Public is the public key.
func (k *LogKey) Public() ed25519.PublicKey {
	return ed25519.PublicKey(k.private[ed25519.SeedSize:]) // as RFC 8032 and crypto/ed25519 lay it out
}
