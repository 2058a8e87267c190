package credentials

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// shared is what the seals that are read and made one after another share. It
// is safe for concurrent use, and nil shares nothing.
type shared struct {
	// buffers are for signing inputs and for strings with escapes: they are large,
	// and gone as soon as they are used.
	buffers sync.Pool

	mu           sync.Mutex
	certificates map[string]*x509.Certificate // by their base64
}

// Bounds on the certificates that are remembered.
const (
	knownCertificates = 256
	knownCertificate  = 4 << 10 // characters of one
)

// buffer lends a buffer to be written to from its beginning.
func (s *shared) buffer() *[]byte {
	if s != nil {
		if b, ok := s.buffers.Get().(*[]byte); ok {
			return b
		}
	}
	return new([]byte)
}

func (s *shared) takeBack(b *[]byte) {
	if s != nil {
		s.buffers.Put(b)
	}
}

var errNoBase64 = errors.New("it is not base64")

// certificate reads a certificate as x5c has it (RFC 7515 clause 4.1.6). Most seals
// carry one that was read before; what it is worth is asked anew every time.
func (s *shared) certificate(encoded string) (*x509.Certificate, error) {
	if s == nil || len(encoded) > knownCertificate {
		return parseCertificate(encoded)
	}
	s.mu.Lock()
	c := s.certificates[encoded]
	s.mu.Unlock()
	if c != nil {
		return c, nil
	}
	c, err := parseCertificate(encoded)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.certificates == nil || len(s.certificates) >= knownCertificates {
		s.certificates = map[string]*x509.Certificate{}
	}
	s.certificates[strings.Clone(encoded)] = c
	return c, nil
}

func parseCertificate(encoded string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoBase64, err)
	}
	return x509.ParseCertificate(der)
}
