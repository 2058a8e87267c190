package credentials

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Sealer makes seals with one key. Implementations are safe for concurrent
// use and may be slow or fail: the key may live in another device.
type Sealer interface {
	// Algorithm is the JWS algorithm of the key, for example ES256.
	Algorithm() string
	// Chain is the key's certificate followed by those that issued it.
	Chain() []*x509.Certificate
	// Sign returns the raw JWS signature over the input, which it does not keep.
	Sign(input []byte) ([]byte, error)
}

// Format is one way of sealing a document. Every format keeps the same
// promises, which one table test holds them to: what Seal wrote, Parse reads
// back; Parse refuses what another format wrote; any change of a single byte
// makes Parse or Verify fail, or changes nothing.
type Format interface {
	Name() string
	MediaType() string
	// Seal returns the exact bytes to be kept and handed out. The time goes
	// into the seal as the claimed time of sealing.
	Seal(d Document, s Sealer, at time.Time) ([]byte, error)
	// Parse takes presented bytes apart. Its errors are *FormatError.
	Parse(data []byte) (*Parsed, error)
}

// Parsed is a presented credential: an envelope whose signature has not been
// checked, and the credential it claims to hold. It is a claim, not a fact.
type Parsed struct {
	Format   string
	Envelope *Envelope
	Issuer   Signer   // as the payload names it
	Types    []string // of the credential
	content  node
	known    *described // what is described in the content, by id; nil until somebody asks
}

// View reads what the credential says. Call it on verified bytes only, and not
// beside another call of View or Lint.
func (p *Parsed) View() View { return viewWith(p.content, p.index()) }

// Lint is the function of that name for what was parsed, as anybody may read it.
// It does not read the bytes again.
func (p *Parsed) Lint() []Finding { return lint(p.content, p.index(), nil, true) }

func (p *Parsed) index() *described {
	if p.known == nil {
		p.known = indexed(p.content)
	}
	return p.known
}

// EDC is the European Digital Credential: the learning model in JSON-LD with a
// JAdES baseline B seal.
var EDC Format = edc{shared: &shared{}}

// Formats are all formats, in the order in which Parse tries them.
var Formats = []Format{EDC}

// Parse reads presented bytes in the first format that recognises them. The
// error is a *FormatError of the format that came closest.
func Parse(data []byte) (*Parsed, error) {
	var last error
	for _, f := range Formats {
		parsed, err := f.Parse(data)
		if err == nil {
			return parsed, nil
		}
		last = err
	}
	if last == nil {
		last = errors.New("no format is known")
	}
	return nil, fmt.Errorf("reading a credential: %w", last)
}
