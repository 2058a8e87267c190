// Package registry is the system of record: who provides, what is taught, who
// learns, what was reserved and sealed, and which status it has now.
//
// A *Registry checks the rules once, normalises and stamps, and then hands one
// atomic, durable step to a backend. When a call that changes something
// returns nil, the change survives a crash; when it returns an error the
// caller may repeat the call and the outcome is the same as if it had been
// made once.
//
//	store, err := bolt.Open(path, bolt.Options{})
//	reg := registry.New(store, registry.Config{ClaimKey: key, DataKey: other})
//	reservations, err := reg.Reserve(ctx, intents, now)
package registry

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"sync/atomic"
)

// The kinds of error a caller may match with errors.Is. Every error of this
// package wraps exactly one of them or the error of the context, or is a fault
// of the machine.
var (
	ErrNotFound = errors.New("not found")
	ErrInvalid  = errors.New("invalid")
	ErrConflict = errors.New("conflict")
	ErrInUse    = errors.New("in use by another process")
	ErrFull     = errors.New("full")
)

// Bounds that hold for every backend.
const (
	MaxLimit = 500     // records, events and so on in one page
	MaxBytes = 8 << 20 // bytes of a body, a sealed document or a spec
	MaxText  = 512     // bytes of a name or another text that is not a reference
	MaxRef   = 128     // bytes of a reference: provider, learner, module, version, edition
)

// Config is what a Registry needs beside its backend.
type Config struct {
	// Rand is the source of every reference and secret; nil means crypto/rand.
	// It must be safe for concurrent use.
	Rand io.Reader
	// ClaimKey makes claim tokens, at least 16 secret bytes. Who has it and a
	// credential's id has its claim link; with another key, links that were sent
	// before stay good but cannot be sent again. Without it nothing can be
	// reserved.
	ClaimKey []byte
	// DataKey encrypts what is kept of learners, at least 16 secret bytes. With
	// another key nothing of them can be read, and they are not known: see Unlock.
	// Without it neither learners nor awards can be kept.
	DataKey []byte
}

// Registry checks what it is given and keeps it in a backend. All methods are
// safe for concurrent use. Times are passed in, and are kept as UTC in whole
// seconds. Text must be UTF-8 without control characters; references are 1 to
// MaxRef bytes of it and printable. What breaks such a rule is ErrInvalid.
type Registry struct {
	backend Backend
	rand    io.Reader
	key     []byte
	vault   *vault // nil without a usable DataKey: then locked says why
	locked  error
	packer  packer
	holders holders
	last    atomic.Uint64 // the newest entry of the log that LastEvent found
}

// New returns a registry that keeps its data in b, which it then owns.
func New(b Backend, cfg Config) *Registry {
	r := &Registry{backend: b, rand: cfg.Rand, key: append([]byte(nil), cfg.ClaimKey...)}
	if r.rand == nil {
		r.rand = rand.Reader
	}
	r.vault, r.locked = newVault(cfg.DataKey, r.rand)
	return r
}

// Check reads the whole store, opens all that is encrypted, and returns an error
// that names what is damaged, or nil. It may take long and may hold up changes
// meanwhile.
func (r *Registry) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.backend.Check(ctx); err != nil {
		return err
	}
	if err := r.checkProposals(ctx); err != nil {
		return err
	}
	return r.checkContents(ctx)
}

// Close closes the backend. Calls after it fail.
func (r *Registry) Close() error { return r.backend.Close() }
