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
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"attesta/accreditation"
	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
)

// Config is what an issuer works with. Every field but the last five is needed.
type Config struct {
	Registry *registry.Registry
	Keys     *keys.Ring
	// Picture draws the picture of a module in a language, as a PNG. The same
	// module gives the same bytes.
	Picture   func(credentials.Provider, credentials.Module, string) ([]byte, error)
	Now       func() time.Time
	Zone      *time.Location // whose days count
	PublicURL string         // without a trailing slash; where status lists are published
	// Stamps proves by when a seal was there, and Revocations that its
	// certificates counted: without them seals stay at level B. See Extend.
	Stamps      TimeAuthority
	Revocations Revocations
	// Admit is asked before anything is reserved or sealed, a slice at a time;
	// while it returns an error nothing is.
	Admit func(context.Context) error
	// Accreditations are the lists of accredited providers that are believed now;
	// nil means none. A provider that one of them knows issues only as it says.
	Accreditations func() accreditation.Lists
	// Alone says that nobody else has the registry: then more goes into one step.
	Alone bool
}

// Issuer issues for all providers of an installation. It is safe for
// concurrent use.
type Issuer struct {
	Config
	mu     sync.Mutex
	models map[[sha256.Size]byte]*model
	series map[seriesKey]*series
	boards map[string]*board // by list
	same   credentials.SameKeys

	packers     sync.Pool // of *status.Packer
	aggregation atomic.Pointer[Published]
}

// New returns an issuer.
func New(c Config) *Issuer {
	return &Issuer{Config: c, models: map[[sha256.Size]byte]*model{}, series: map[seriesKey]*series{}, boards: map[string]*board{}}
}

// admit asks whether anything may be sealed at all.
func (i *Issuer) admit(ctx context.Context) error {
	if i.Admit != nil {
		if err := i.Admit(ctx); err != nil {
			return err
		}
	}
	return i.CheckClock(ctx)
}

// now is the moment in the zone whose days count, to the second.
func (i *Issuer) now() time.Time { return i.Now().In(i.Zone).Truncate(time.Second) }

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
