// Package issuer turns awards into sealed, recorded and revocable credentials
// and publishes their status.
//
// The order around the seal is fixed, and docs/issuance-cycle.md says why:
// judge and lint, reserve, seal, compare what was sealed with what was
// intended, store the exact bytes, acknowledge. A crash between two steps
// leaves reserved records that Resume finishes; nothing is delivered that is
// not stored, and the same award again gives the first record.
//
//	outcomes, err := i.Issue(ctx, rows)
package issuer

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
)

// Config is what an issuer works with. Every field is needed.
type Config struct {
	Registry *registry.Registry
	Keys     *keys.Ring
	// Picture draws the picture of a module in a language, as a PNG. The same
	// module gives the same bytes.
	Picture   func(credentials.Provider, credentials.Module, string) ([]byte, error)
	Now       func() time.Time
	Zone      *time.Location // whose days count
	PublicURL string         // without a trailing slash; where status lists are published
}

// Issuer issues for all providers of an installation. It is safe for
// concurrent use.
type Issuer struct {
	Config
	mu       sync.Mutex
	pictures map[string]map[string][]byte
	lists    map[string]Published
}

// New returns an issuer.
func New(c Config) *Issuer {
	return &Issuer{Config: c, pictures: map[string]map[string][]byte{}, lists: map[string]Published{}}
}

// now is the moment in the zone whose days count, to the second.
func (i *Issuer) now() time.Time { return i.Now().In(i.Zone).Truncate(time.Second) }

// picturesOf draws the pictures of a module, once for all its credentials.
func (i *Issuer) picturesOf(p credentials.Provider, m credentials.Module) (map[string][]byte, error) {
	key := p.ID + "\x00" + m.Code + "\x00" + m.Version
	i.mu.Lock()
	drawn, ok := i.pictures[key]
	i.mu.Unlock()
	if ok {
		return drawn, nil
	}
	drawn = map[string][]byte{}
	for _, language := range []string{"it", "en"} {
		picture, err := i.Picture(p, m, language)
		if err != nil {
			return nil, fmt.Errorf("drawing the picture of %s in %s: %w", m.Code, language, err)
		}
		drawn[language] = picture
	}
	i.mu.Lock()
	i.pictures[key] = drawn
	i.mu.Unlock()
	return drawn, nil
}

// plan is everything that the document of one award is made from.
type plan struct {
	Award credentials.Award `json:"award"`
	Key   string            `json:"key"` // id of the sealing key intended
}

// document writes the document of a plan for a record. The same plan and
// record give the same bytes, today and after a crash.
func (i *Issuer) document(p plan, record registry.Record, key *keys.Key) (credentials.Document, error) {
	signer, err := credentials.SignerOf(key.Certificate())
	if err != nil {
		return nil, err
	}
	pictures, err := i.picturesOf(p.Award.Provider, p.Award.Module)
	if err != nil {
		return nil, err
	}
	return credentials.NewDocument(p.Award, credentials.Issue{
		Credential: record.Credential,
		At:         record.ReservedAt.In(i.Zone),
		Signer:     signer,
		Status: credentials.StatusEntries(func(purpose status.Purpose) string {
			return i.ListURL(record.List, purpose)
		}, record.Index),
		Pictures: pictures,
	})
}

// provider reads a provider's entry.
func (i *Issuer) provider(ctx context.Context, id string) (credentials.Provider, error) {
	var p credentials.Provider
	entry, err := i.Registry.Provider(ctx, id)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(entry.Spec, &p); err != nil {
		return p, fmt.Errorf("reading the entry of provider %s: %w", id, err)
	}
	return p, nil
}

// module reads the newest version of a module.
func (i *Issuer) module(ctx context.Context, code string) (credentials.Module, string, error) {
	var m credentials.Module
	entry, err := i.Registry.Module(ctx, code)
	if err != nil {
		return m, "", err
	}
	if err := json.Unmarshal(entry.Spec, &m); err != nil {
		return m, "", fmt.Errorf("reading the entry of module %s: %w", code, err)
	}
	return m, entry.Provider, nil
}
