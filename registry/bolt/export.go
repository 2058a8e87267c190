package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"attesta/registry"
)

var _ registry.Source = (*Store)(nil)

// Export is registry.Source.Export.
func (s *Store) Export(ctx context.Context, part registry.Part, after *registry.Entry, limit int) (out []registry.Entry, err error) {
	switch part {
	case "log":
		return s.exportLog(ctx, after)
	case "claims":
		return s.exportClaims(ctx, after, limit)
	}
	x, ok := exports()[part]
	if !ok {
		return nil, fmt.Errorf("there is no part %q: %w", part, registry.ErrInvalid)
	}
	var from []byte
	if after != nil {
		from = append(x.key(after), 0) // the least key above it
	}
	err = s.view(ctx, func(t *tx) error {
		return t.scan(x.bucket, nil, from, func(k, v []byte) (bool, error) {
			e, err := x.read(t, k, v)
			if err != nil {
				return false, err
			}
			out = append(out, e)
			return len(out) < limit, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// export is how a part is read: from which bucket, under which keys.
type export struct {
	bucket string
	key    func(*registry.Entry) []byte
	read   func(t *tx, k, v []byte) (registry.Entry, error)
}

func exports() map[registry.Part]export {
	return map[registry.Part]export{
		"lists":     {bucketLists, func(e *registry.Entry) []byte { return []byte(e.List.ID) }, exportList},
		"records":   {bucketRecords, func(e *registry.Entry) []byte { return seqKey(e.Record.Seq) }, exportRecord},
		"documents": {bucketSealed, func(e *registry.Entry) []byte { return seqKey(e.Document.Seq) }, exportDocument},
		"events":    {bucketEvents, func(e *registry.Entry) []byte { return seqKey(e.Event.Seq) }, exportEvent},
		"providers": {bucketProviders, func(e *registry.Entry) []byte { return []byte(e.Provider.ID) }, exportProvider},
		"modules":   {bucketModules, func(e *registry.Entry) []byte { return tuple(e.Module.Code, e.Module.Version) }, exportModule},
		"people":    {bucketPeople, func(e *registry.Entry) []byte { return []byte(e.Person.ID) }, exportPerson},
		"shared":    {bucketShared, func(e *registry.Entry) []byte { return bytes.Clone(e.Shared.ID[:]) }, exportShared},
		"keys":      {bucketKeys, func(e *registry.Entry) []byte { return []byte(e.Key.ID) }, exportKey},
		"proposals": {bucketProposals, func(e *registry.Entry) []byte { return seqKey(e.Proposal.Number) }, exportProposal},
		"accesses":  {bucketAccess, func(e *registry.Entry) []byte { return bytes.Clone(e.Access.Hash[:]) }, exportAccess},
	}
}

func exportList(t *tx, k, v []byte) (registry.Entry, error) {
	l, err := decodeList(string(k), v)
	if err != nil {
		return registry.Entry{}, err
	}
	open, err := t.get(bucketOpenLists, openKey(l.provider, l.house))
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return registry.Entry{}, err
	}
	return registry.Entry{List: &registry.ListEntry{
		ID: l.id, Provider: l.provider, House: l.house, Seed: l.seed, Next: l.next, Version: l.version, Open: string(open) == l.id,
	}}, nil
}

func exportRecord(t *tx, k, _ []byte) (registry.Entry, error) {
	seq, err := seqOf(k)
	if err != nil {
		return registry.Entry{}, err
	}
	r, err := t.row(seq)
	if err != nil {
		return registry.Entry{}, err
	}
	record, err := t.withBody(r)
	return registry.Entry{Record: &record}, err
}

// exportClaims reads claims in the order of their index.
func (s *Store) exportClaims(ctx context.Context, after *registry.Entry, limit int) (out []registry.Entry, err error) {
	from := firstLeaf()
	if after != nil {
		from = append(bytes.Clone(after.Claim.Hash[:indexBytes]), 0) // the least key above it
	}
	err = s.view(ctx, func(t *tx) error {
		return t.entriesFrom(bucketClaims, from, func(e indexEntry) (bool, error) {
			r, err := t.led(bucketClaims, e.key, e.seq)
			if err != nil {
				return false, err
			}
			out = append(out, registry.Entry{Claim: &registry.ClaimEntry{Hash: r.claim, Seq: r.Seq}})
			return len(out) < limit, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func exportDocument(_ *tx, k, v []byte) (registry.Entry, error) {
	seq, err := seqOf(k)
	return registry.Entry{Document: &registry.DocumentEntry{Seq: seq, Data: bytes.Clone(v)}}, err
}

func exportShared(_ *tx, k, v []byte) (registry.Entry, error) {
	x := registry.SharedEntry{Content: bytes.Clone(v)}
	if copy(x.ID[:], k) != len(k) || len(k) != len(x.ID) {
		return registry.Entry{}, fmt.Errorf("reading shared content: %w", errDamaged)
	}
	return registry.Entry{Shared: &x}, nil
}

func exportEvent(_ *tx, k, v []byte) (registry.Entry, error) {
	seq, err := seqOf(k)
	if err != nil {
		return registry.Entry{}, err
	}
	ev, err := decodeEvent(seq, v)
	return registry.Entry{Event: &ev}, err
}

func exportProvider(_ *tx, k, v []byte) (registry.Entry, error) {
	return registry.Entry{Provider: &registry.Provider{ID: string(k), Spec: bytes.Clone(v)}}, nil
}

func exportModule(t *tx, k, v []byte) (registry.Entry, error) {
	parts, err := untuple(k, 2)
	if err != nil {
		return registry.Entry{}, err
	}
	provider, newest, err := t.newest(parts[0])
	return registry.Entry{Module: &registry.ModuleEntry{
		Module: registry.Module{Code: parts[0], Version: parts[1], Provider: provider, Spec: bytes.Clone(v)}, Newest: newest == parts[1],
	}}, err
}

func exportPerson(_ *tx, k, v []byte) (registry.Entry, error) {
	p, err := decodePerson(string(k), v)
	return registry.Entry{Person: &p}, err
}

func exportAccess(_ *tx, k, v []byte) (registry.Entry, error) {
	a, err := decodeAccess(v)
	x := registry.AccessEntry{Access: a}
	if copy(x.Hash[:], k) != len(k) || len(k) != len(x.Hash) {
		return registry.Entry{}, fmt.Errorf("reading an access: %w", errDamaged)
	}
	return registry.Entry{Access: &x}, err
}
