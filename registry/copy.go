package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"attesta/auditlog"
)

// Part is a part of a whole registry. What can be derived from the parts, such
// as counters, is none.
type Part string

// Parts returns all parts, in the order in which they are copied.
func Parts() []Part {
	return []Part{"lists", "records", "claims", "shared", "documents", "log", "events", "providers", "modules", "people", "keys", "accesses", "proposals"}
}

// Entry is one entry of a part, of which exactly one field is set. It holds
// what no other method of a backend hands out: seeds, hashes and how far a list
// has come.
type Entry struct {
	List     *ListEntry     `json:"list,omitempty"`
	Record   *Record        `json:"record,omitempty"` // with Body, if it is reserved
	Claim    *ClaimEntry    `json:"claim,omitempty"`
	Shared   *SharedEntry   `json:"shared,omitempty"`
	Document *DocumentEntry `json:"document,omitempty"`
	Log      *LogEntry      `json:"log,omitempty"`
	Event    *Event         `json:"event,omitempty"`
	Provider *Provider      `json:"provider,omitempty"`
	Module   *ModuleEntry   `json:"module,omitempty"`
	Person   *Person        `json:"person,omitempty"`
	Key      *KeyMark       `json:"key,omitempty"`
	Access   *AccessEntry   `json:"access,omitempty"`
	Proposal *Proposal      `json:"proposal,omitempty"`
}

// ListEntry is a status list without its entries, which the records have.
type ListEntry struct {
	ID       string
	Provider string
	House    House
	Seed     [32]byte
	Next     uint32 // positions given out
	Version  uint64
	Open     bool // the next positions of the provider and house are from it
}

// ClaimEntry is the hash of a claim token and its record.
type ClaimEntry struct {
	Hash [32]byte
	Seq  uint64
}

// SharedEntry is content that documents refer to.
type SharedEntry struct {
	ID      SharedID
	Content []byte
}

// DocumentEntry is the document of a record, whose digest the record has.
type DocumentEntry struct {
	Seq  uint64
	Data []byte
}

// LogEntry is the one entry of the part "log". Size and Root follow from the key
// and the events: Import takes the key only, Settle the rest.
type LogEntry struct {
	Key  auditlog.Key
	Size uint64
	Root auditlog.Hash
}

// ModuleEntry is a version of a module. Of a code exactly one is the newest.
type ModuleEntry struct {
	Module
	Newest bool
}

// AccessEntry is what a hash opens.
type AccessEntry struct {
	Hash [32]byte
	Access
}

// Source is a backend that hands out all it has. Nothing may be changed in it
// from the first entry to the last.
type Source interface {
	// Export returns at most limit entries of a part after one of them, or from
	// the first. They are in order of their key as bytes: the id of lists,
	// providers, people, keys and shared content, the Seq of records, documents and
	// events, the Number of proposals, the hash of claims and accesses, code and then version of modules.
	Export(ctx context.Context, part Part, after *Entry, limit int) ([]Entry, error)
	Check(ctx context.Context) error
}

// Target is a new registry that is being filled and that nobody can open
// before it is complete.
type Target interface {
	Source
	// Last returns the entry of a part with the greatest key, or nil. Only what
	// makes up its key need be set.
	Last(ctx context.Context, part Part) (*Entry, error)
	// Import adds entries of one part above Last, in one durable step.
	Import(ctx context.Context, part Part, entries []Entry) error
	// Settle derives what is not copied.
	Settle(ctx context.Context) error
	// Release lets the registry be opened.
	Release(ctx context.Context) error
}

// copyPage is how many entries are copied in one step; a step that is
// interrupted is made again.
const copyPage = 100

// Copied says of a part how many entries it has, and their digest.
type Copied struct {
	Part   Part
	Count  uint64
	Digest string // SHA-256 over all entries, hex
}

// Copy fills a new registry with all that another has, and lets it be opened
// once both were read from end to end and are found to be the same and whole.
// After an interruption, however hard, it is called again and goes on. Progress
// is told of every part how far it has come.
func Copy(ctx context.Context, from Source, to Target, progress func(part Part, entries int)) ([]Copied, error) {
	if err := from.Check(ctx); err != nil {
		return nil, fmt.Errorf("copying: the source: %w", err)
	}
	for _, part := range Parts() {
		if err := copyPart(ctx, from, to, part, progress); err != nil {
			return nil, fmt.Errorf("copying %s: %w", part, err)
		}
	}
	if err := to.Settle(ctx); err != nil {
		return nil, fmt.Errorf("copying: counting: %w", err)
	}
	all, err := compare(ctx, from, to)
	if err != nil {
		return nil, err
	}
	if err := to.Check(ctx); err != nil {
		return nil, fmt.Errorf("copying: the copy: %w", err)
	}
	if err := to.Release(ctx); err != nil {
		return nil, fmt.Errorf("copying: %w", err)
	}
	return all, nil
}

// Compare returns ErrConflict, with the first part that differs, unless two
// registries hold the same. Nothing may be changed in them meanwhile.
func Compare(ctx context.Context, a, b Source) error {
	_, err := compare(ctx, a, b)
	return err
}

func compare(ctx context.Context, from, to Source) (all []Copied, err error) {
	for _, part := range Parts() {
		want, err := digestOf(ctx, from, part)
		if err != nil {
			return nil, fmt.Errorf("comparing %s: the source: %w", part, err)
		}
		got, err := digestOf(ctx, to, part)
		if err != nil {
			return nil, fmt.Errorf("comparing %s: the copy: %w", part, err)
		}
		if got != want {
			return nil, fmt.Errorf("comparing %s: the source has %d with digest %s, the copy %d with digest %s: the copy is of something else, or something changed meanwhile: %w",
				part, want.Count, want.Digest, got.Count, got.Digest, ErrConflict)
		}
		all = append(all, got)
	}
	return all, nil
}

func copyPart(ctx context.Context, from Source, to Target, part Part, progress func(Part, int)) error {
	after, err := to.Last(ctx, part)
	if err != nil {
		return fmt.Errorf("looking how far the copy has come: %w", err)
	}
	done := 0
	for {
		page, err := from.Export(ctx, part, after, copyPage)
		if err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		if len(page) == 0 {
			progress(part, done)
			return nil
		}
		if err := to.Import(ctx, part, page); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
		after = &page[len(page)-1]
		done += len(page)
	}
}

// digestOf reads a whole part.
func digestOf(ctx context.Context, s Source, part Part) (Copied, error) {
	out, sum := Copied{Part: part}, sha256.New()
	var after *Entry
	for {
		page, err := s.Export(ctx, part, after, copyPage)
		if err != nil {
			return out, err
		}
		if len(page) == 0 {
			out.Digest = hex.EncodeToString(sum.Sum(nil))
			return out, nil
		}
		for _, e := range page {
			raw, err := json.Marshal(e)
			if err != nil {
				return out, fmt.Errorf("writing an entry: %w", err)
			}
			_, _ = sum.Write(append(raw, '\n')) // a hash takes everything
			out.Count++
		}
		after = &page[len(page)-1]
	}
}
