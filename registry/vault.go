package registry

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
)

// SaltSize is the length of Person.Salt.
const SaltSize = 16

// minDataKey is how many secret bytes Config.DataKey must have.
const minDataKey = 16

var errDataKey = errors.New("the key of the personal data does not fit: use the keys with which this registry was begun")

// vault encrypts what the registry keeps of people. Each person has a key of
// their own, made of the data key and of the Salt in their entry: with the
// entry goes the key, and with the key all that was written under it, wherever
// copies of it may lie.
type vault struct {
	rand io.Reader
	// Of the data key, one for each use.
	people, names, search keyed

	mu      sync.Mutex
	ciphers map[[SaltSize]byte]cipher.AEAD
}

// keyed makes keyed hashes. It is safe for concurrent use.
type keyed struct {
	key  []byte
	idle sync.Pool // of *hashing
}

// hashing is a hash with the key, and room for what it is of.
type hashing struct {
	hash hash.Hash
	room []byte
}

func newVault(dataKey []byte, rand io.Reader) (*vault, error) {
	if len(dataKey) < minDataKey {
		return nil, fmt.Errorf("data key has %d bytes, at least %d: %w", len(dataKey), minDataKey, ErrInvalid)
	}
	v := &vault{rand: rand}
	for _, x := range []struct {
		keyed *keyed
		use   string
	}{{&v.people, "people"}, {&v.names, "names"}, {&v.search, "search"}} {
		key, err := hkdf.Key(sha256.New, dataKey, nil, "attesta registry 1 "+x.use, sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("deriving the key for %s: %w", x.use, err)
		}
		x.keyed.key = key
	}
	return v, nil
}

// mac is the keyed hash of text.
func (k *keyed) mac(text ...string) []byte {
	h, ok := k.idle.Get().(*hashing)
	if !ok {
		h = &hashing{hash: hmac.New(sha256.New, k.key)}
	}
	defer k.idle.Put(h)
	h.hash.Reset()
	h.room = h.room[:0]
	for _, s := range text {
		h.room = append(binary.AppendUvarint(h.room, uint64(len(s))), s...)
	}
	h.hash.Write(h.room) // a hash takes everything
	clear(h.room)        // it may be of a person
	return h.hash.Sum(nil)
}

// person is the name under which a learner is kept, 26 characters A-Z2-7: who
// has not the data key learns nothing from it, not even whether a learner whose
// Ref is known is there.
func (v *vault) person(ref string) string { return reference26(v.names.mac("learner", ref)) }

// token stands for a word in the search for people.
func (v *vault) token(word string) (t Token) {
	copy(t[:], v.search.mac(word))
	return t
}

func (v *vault) newSalt() (salt [SaltSize]byte, err error) {
	if _, err = io.ReadFull(v.rand, salt[:]); err != nil {
		err = fmt.Errorf("reading random bytes: %w", err)
	}
	return salt, err
}

// maxCiphers bounds the ciphers that are kept for the next step of the same work.
const maxCiphers = 1 << 14

// cipher is the AES-256-GCM of one person. It is safe for concurrent use.
func (v *vault) cipher(salt [SaltSize]byte) (cipher.AEAD, error) {
	v.mu.Lock()
	kept, ok := v.ciphers[salt]
	v.mu.Unlock()
	if ok {
		return kept, nil
	}
	fresh, err := v.newCipher(salt)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ciphers == nil || len(v.ciphers) >= maxCiphers {
		v.ciphers = map[[SaltSize]byte]cipher.AEAD{}
	}
	v.ciphers[salt] = fresh
	return fresh, nil
}

// forget drops the ciphers that are kept, since somebody was erased.
func (v *vault) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ciphers = nil
}

func (v *vault) newCipher(salt [SaltSize]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(v.people.mac(string(salt[:])))
	if err != nil {
		return nil, fmt.Errorf("making the cipher of a person: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("making the cipher of a person: %w", err)
	}
	return aead, nil
}

// seal encrypts what belongs at a place, which open must be told again: what
// was written for one place is not taken for another. The first bytes of the
// answer are the nonce.
func (v *vault) seal(with cipher.AEAD, place string, plain []byte) ([]byte, error) {
	out := make([]byte, with.NonceSize(), with.NonceSize()+len(plain)+with.Overhead())
	if _, err := io.ReadFull(v.rand, out); err != nil {
		return nil, fmt.Errorf("reading random bytes: %w", err)
	}
	return with.Seal(out, out, plain, []byte(place)), nil
}

// open is the inverse of seal, from any bytes.
func (v *vault) open(with cipher.AEAD, place string, b []byte) ([]byte, error) {
	n := with.NonceSize()
	if len(b) < n {
		return nil, errors.New("decrypting: there is too little")
	}
	plain, err := with.Open(nil, b[:n], b[n:], []byte(place))
	if err != nil {
		return nil, errors.New("decrypting: it is damaged, belongs to another, or was written under another key")
	}
	return plain, nil
}
