package keys

import (
	"crypto"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Device says where a private key is that never leaves a device with a PKCS #11
// module, such as a hardware security module, and the PIN that opens it.
type Device struct {
	Module string `json:"module"` // path of the PKCS #11 library
	Token  string `json:"token"`  // label of the token
	Label  string `json:"label"`  // label of the key pair (CKA_LABEL)
	PIN    string `json:"-"`
}

// String names the key without the PIN.
func (d Device) String() string {
	return fmt.Sprintf("key %q in token %q of %s", d.Label, d.Token, d.Module)
}

// GoString names the key without the PIN.
func (d Device) GoString() string { return d.String() }

// Attach takes a key that is in a device into the ring: the certificates in PEM,
// in any order, where the key is, and the PIN, which stands encrypted in the
// ring. The key must sign once to be taken. For the rest it promises what
// Import does; the error wraps ErrPassword when the PIN is wrong.
func (r *Ring) Attach(d Device, chain []byte, p Purpose, owner Owner, at time.Time) (*Key, error) {
	all, err := readPEM(chain)
	if err != nil {
		return nil, err
	}
	var private *deviceSigner
	for _, c := range all {
		private = &deviceSigner{tokens: &r.tokens, device: d, public: c.PublicKey}
		if _, err = private.open(); !errors.Is(err, errOtherKey) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("attaching the %s: %w", d, err)
	}
	if all, err = arrange(private.public, all); err != nil {
		return nil, fmt.Errorf("attaching the %s: %w", d, err)
	}
	k, err := r.newKey(all, private)
	if err != nil {
		return nil, fmt.Errorf("attaching the %s: %w", d, err)
	}
	k.device = &d
	if err := k.proves(); err != nil {
		return nil, fmt.Errorf("attaching the %s: %w", d, err)
	}
	return r.admit(k, p, owner, at)
}

// proves signs once and holds the signature against the certificate.
func (k *Key) proves() error {
	input := []byte("attesta: is this the key of the certificate?")
	signature, err := k.jose.sign(input)
	if err != nil {
		return err
	}
	return k.jose.verify(input, signature, k.Certificate().PublicKey)
}

// Close ends the connections to devices. The ring is not used any more then.
func (r *Ring) Close() error { return r.tokens.close() }

// token is an open token of a device.
type token interface {
	// find returns the key pair of a label and a public key; errOtherKey when
	// none of that label has this public key.
	find(label string, public crypto.PublicKey) (crypto.Signer, error)
	io.Closer
}

var errOtherKey = errors.New("the token holds no key pair of this label for the certificate")

// tokens are those that are open: one connection for all keys of a token, made
// when the first of them is to sign.
type tokens struct {
	mu   sync.Mutex
	open map[[2]string]opened // by module and token
}

type opened struct {
	token token
	pin   string
	wrong bool // the PIN; it is not tried again, since tokens lock after a few times
}

func (t *tokens) find(d Device, public crypto.PublicKey) (crypto.Signer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := [2]string{d.Module, d.Token}
	o, ok := t.open[name]
	same := subtle.ConstantTimeCompare([]byte(o.pin), []byte(d.PIN)) == 1
	switch {
	case ok && (o.wrong && same || !o.wrong && !same):
		return nil, fmt.Errorf("opening the token %q: %w", d.Token, ErrPassword)
	case !ok || o.wrong:
		var err error
		o = opened{pin: d.PIN}
		o.token, err = openToken(d)
		o.wrong = errors.Is(err, ErrPassword)
		if err != nil && !o.wrong {
			return nil, err
		}
		if t.open == nil {
			t.open = map[[2]string]opened{}
		}
		t.open[name] = o
		if err != nil {
			return nil, err
		}
	}
	return o.token.find(d.Label, public)
}

func (t *tokens) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var err error
	for _, o := range t.open {
		if o.token != nil {
			err = errors.Join(err, o.token.Close())
		}
	}
	t.open = nil
	return err
}

// deviceSigner is a private key in a device, looked for when it first signs.
type deviceSigner struct {
	tokens *tokens
	device Device
	public crypto.PublicKey
	found  atomic.Pointer[crypto.Signer]
}

// Public implements crypto.Signer.
func (s *deviceSigner) Public() crypto.PublicKey { return s.public }

// Sign implements crypto.Signer.
func (s *deviceSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	private, err := s.open()
	if err != nil {
		return nil, err
	}
	return private.Sign(random, digest, opts)
}

func (s *deviceSigner) open() (crypto.Signer, error) {
	if found := s.found.Load(); found != nil {
		return *found, nil
	}
	private, err := s.tokens.find(s.device, s.public)
	if err != nil {
		return nil, err
	}
	s.found.Store(&private)
	return private, nil
}
