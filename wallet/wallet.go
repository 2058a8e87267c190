// Package wallet is the beneficiary's side: it opens a credential for the
// person who holds its claim link, without an account.
//
//	held, err := w.Open(ctx, token)
package wallet

import (
	"context"
	"errors"
	"fmt"

	"attesta/registry"
)

// Wallet opens what a registry keeps for its holders. It is safe for
// concurrent use.
type Wallet struct {
	registry *registry.Registry
}

// New returns a wallet over a registry.
func New(r *registry.Registry) *Wallet { return &Wallet{registry: r} }

// ErrErased says that there was a credential, and that it was erased with all
// that was known of its holder.
var ErrErased = errors.New("the credential was erased")

// Held is a credential in the hands of its holder: the record and the exact
// sealed bytes.
type Held struct {
	Record registry.Record
	Sealed []byte
}

// Open returns the credential that a claim token opens. A token that is
// malformed, unknown or belongs to a record that is not sealed yet gives
// registry.ErrNotFound, so that nothing can be learned by guessing; one of a
// record that was erased gives ErrErased.
func (w *Wallet) Open(ctx context.Context, token string) (Held, error) {
	record, err := w.registry.ByClaim(ctx, token)
	if err != nil {
		return Held{}, fmt.Errorf("opening a claim link: %w", err)
	}
	return w.hold(ctx, record)
}

// Show returns the credential behind a public handle, for whoever checks it.
// Errors as for Open.
func (w *Wallet) Show(ctx context.Context, handle string) (Held, error) {
	record, err := w.registry.ByHandle(ctx, handle)
	if err != nil {
		return Held{}, fmt.Errorf("opening a handle: %w", err)
	}
	return w.hold(ctx, record)
}

func (w *Wallet) hold(ctx context.Context, record registry.Record) (Held, error) {
	if record.State == registry.Erased {
		return Held{}, ErrErased
	}
	if record.State != registry.Sealed {
		return Held{}, fmt.Errorf("opening a record that is %s: %w", record.State, registry.ErrNotFound)
	}
	sealed, err := w.registry.SealedBytes(ctx, record.Seq)
	if err != nil {
		return Held{}, fmt.Errorf("reading the sealed bytes: %w", err)
	}
	return Held{Record: record, Sealed: sealed}, nil
}
