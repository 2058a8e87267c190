package issuer

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"attesta/keys"
	"attesta/registry"
	"attesta/status"
)

// form is one of the forms in which a list is published.
type form int

const (
	tokenForm form = iota
	revocationForm
	suspensionForm
	forms
)

// formOf is the form with the bits of a purpose.
func formOf(p status.Purpose) (form, bool) {
	switch p {
	case status.Revocation:
		return revocationForm, true
	case status.Suspension:
		return suspensionForm, true
	}
	return 0, false
}

// purpose is that of a form with bits.
func (f form) purpose() status.Purpose {
	if f == revocationForm {
		return status.Revocation
	}
	return status.Suspension
}

// board is one list as it is published. What is signed is read without waiting
// for anybody; who finds it behind the registry takes the turn, brings the
// register up to date and signs, once for all who wait.
type board struct {
	list   string
	signed [forms]atomic.Pointer[Published]

	turn     chan struct{} // holds one while somebody changes what follows
	register *status.Register
	version  uint64
	read     time.Time // when the whole list was read last
}

// maxBoards bounds the memory for lists, about 100 kB each. One that is not
// there is read again.
const maxBoards = 256

// board returns that of a list which exists.
func (i *Issuer) board(list string, create bool) *board {
	i.mu.Lock()
	defer i.mu.Unlock()
	b := i.boards[list]
	if b == nil && create {
		for other := range i.boards {
			if len(i.boards) < maxBoards {
				break
			}
			delete(i.boards, other)
		}
		b = &board{list: list, turn: make(chan struct{}, 1)}
		i.boards[list] = b
	}
	return b
}

// published returns a list in a form, as it stands in the registry now.
func (i *Issuer) published(ctx context.Context, list string, f form) (Published, error) {
	var ready *Published
	var known uint64
	b := i.board(list, false)
	if b != nil {
		if ready = b.signed[f].Load(); ready != nil {
			known = ready.version
		}
	}
	stored, err := i.Registry.ListAfter(ctx, list, known)
	if err != nil {
		return Published{}, err
	}
	if b == nil {
		b = i.board(list, true)
	}
	now := i.now()
	key, err := i.listKey(stored.House, now)
	if err == nil && ready.stands(stored.Version, key, now) {
		return *ready, nil
	}
	if err == nil {
		ready, err = i.renew(ctx, b, f, stored)
	}
	if err != nil {
		return Published{}, fmt.Errorf("publishing status list %s: %w", list, err)
	}
	return *ready, nil
}

// stands tells whether what was signed can be handed out.
func (p *Published) stands(version uint64, key *keys.Key, now time.Time) bool {
	if p == nil || p.version != version || p.key != key.ID {
		return false
	}
	age := now.Sub(p.signed)
	return age >= 0 && age < listRenewal
}

// listKey is the key that signs the lists of a house now.
func (i *Issuer) listKey(h registry.House, now time.Time) (*keys.Key, error) {
	return i.Keys.CurrentOf(keys.Status, h.Sealer, h.LegalID, now)
}

// renew brings the register to what is stored, signs and publishes: the bit, its
// block, the list, the signature, and last what others read. What is stored is
// durable by then.
func (i *Issuer) renew(ctx context.Context, b *board, f form, stored registry.StatusList) (*Published, error) {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	now := i.now() // it may have taken a while
	key, err := i.listKey(stored.House, now)
	if err != nil {
		return nil, err
	}
	if err := i.follow(ctx, b, stored, now); err != nil {
		return nil, err
	}
	if ready := b.signed[f].Load(); ready.stands(b.version, key, now) {
		return ready, nil
	}
	ready, err := i.signList(b, f, key, now, now.Add(ListLife))
	if err != nil {
		return nil, err
	}
	b.signed[f].Store(ready)
	return ready, nil
}

// follow brings the register of a board to what is stored. What was read while
// another had the turn may be behind, and a version is not proof for ever: a
// database can be set back under a running server.
func (i *Issuer) follow(ctx context.Context, b *board, stored registry.StatusList, now time.Time) error {
	aged := now.Before(b.read) || now.Sub(b.read) >= listRenewal
	if b.register != nil && !aged && stored.Version == b.version {
		return nil
	}
	if known := len(stored.Entries) == 0 && stored.Version > 0; known || stored.Version < b.version {
		var err error
		if stored, err = i.Registry.List(ctx, b.list); err != nil {
			return err
		}
	}
	register, err := registerOf(stored, b.register)
	if err != nil {
		return err
	}
	b.register, b.version, b.read = register, stored.Version, now
	return nil
}

// registerOf is a register with the entries of a list as it is stored: the one
// there is, or a new one.
func registerOf(stored registry.StatusList, r *status.Register) (*status.Register, error) {
	if r == nil {
		r = status.NewRegister(stored.Size)
	}
	return r, r.SetAll(func(yield func(uint32, status.Value) bool) {
		for _, e := range stored.Entries {
			if !yield(e.Index, e.Value) {
				return
			}
		}
	})
}
