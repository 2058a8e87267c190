package registry

import (
	"context"
	"time"

	"attesta/auditlog"
)

// Ledger is the part of a backend that keeps records and their status.
//
// Bodies, documents and Hidden are bytes that a backend cannot read, Facts are
// empty, and the Learner of an intent, a record and a query is the ID of a
// Person.
//
// Every method is one atomic step; a step that changes something is durable
// when it returns and appends its events to the audit log in the same
// transaction. Methods are safe for concurrent use, also across processes if
// the backend admits several. A backend trusts its input: Registry has checked
// it.
type Ledger interface {
	// Reserve records each intent, or finds the record that the same learner,
	// module and edition already has. No two intents of a call are the same
	// award. names holds one set of random references per intent, used only for
	// new records. A provider has one open list with each House; when its ListSize
	// positions are given out, another is opened. Positions are never given out
	// twice.
	//
	// With a new record goes the Person of its Names, who is added if it is New
	// and there is none with that ID. If there is one with another Salt, or none
	// and it is not New, the whole step fails with ErrConflict: somebody was added
	// or erased meanwhile.
	//
	// Shared is what bodies refer to: it is kept by its ID if it is not there yet,
	// also when no record is new.
	Reserve(ctx context.Context, intents []Intent, names []Names, shared []SharedEntry, at time.Time) ([]Reservation, error)
	// Complete stores the documents of reserved records and drops their Body. A
	// record that is already sealed with the same digest is left as it is; with
	// another digest, and if it is erased, the whole step fails with ErrConflict,
	// and for a Seq that does not exist with ErrNotFound. No Seq occurs twice in
	// a call. Shared is what documents refer to, as for Reserve.
	Complete(ctx context.Context, documents []Document, shared []SharedEntry, at time.Time) error
	// Extend replaces the documents of sealed records, their Digest and their
	// Level. A record that has the same digest and level already is left as it
	// is; else the whole step fails with ErrConflict if its digest is not Before,
	// it is not sealed or its level is higher, and for a Seq that does not exist
	// with ErrNotFound. No Seq occurs twice in a call. The event is of the kind
	// "extend", about the credential, and its Why is the level.
	Extend(ctx context.Context, documents []ExtendedDocument, at time.Time) error
	// Find returns the record that a key names, or ErrNotFound.
	Find(ctx context.Context, key Key) (Record, error)
	// Document returns a sealed record, without Body, and the Data of its
	// document; ErrNotFound if there are none.
	Document(ctx context.Context, seq uint64) (Record, []byte, error)
	// Shared returns the content of a SharedEntry by its ID, or ErrNotFound.
	Shared(ctx context.Context, id SharedID) ([]byte, error)
	// Records returns at most q.Limit records, newest first, without Body.
	Records(ctx context.Context, q Query) ([]Record, error)
	// Unfinished returns at most limit reserved records above seq after, oldest
	// first, with Body.
	Unfinished(ctx context.Context, after uint64, limit int) ([]Record, error)
	// AtLevel returns at most limit sealed records with this level above seq
	// after, oldest first, without Body. An erased record is none of them.
	AtLevel(ctx context.Context, level Level, after uint64, limit int) ([]Record, error)
	// SetStatus moves the status of a sealed or erased record as Transition
	// allows. A change to the status a record already has returns the record
	// unchanged; a record that is reserved is ErrConflict.
	SetStatus(ctx context.Context, change Change, at time.Time) (Record, error)
	// SetStatuses is SetStatus for many, each by itself: what may not be changed
	// keeps nothing else from it. No credential occurs twice in a call.
	SetStatuses(ctx context.Context, changes []Change, at time.Time) ([]Effect, error)
	// List returns a status list as it stands at one moment, without Entries if it
	// is still at the Version known, or ErrNotFound. A list at version 0 has no
	// entries. Reading one at the version known takes the same time whatever is
	// in it.
	List(ctx context.Context, id string, known uint64) (StatusList, error)
	// Lists returns at most limit status lists with an ID above after, in order of
	// ID as bytes, without their Entries.
	Lists(ctx context.Context, after string, limit int) ([]StatusList, error)
	// Houses returns each pair of provider and house that has status lists once,
	// in any order, with how many.
	Houses(ctx context.Context) ([]ListHouse, error)
	// Counts returns the counters of a provider, or of all when it is empty.
	Counts(ctx context.Context, provider string) (Counts, error)
	// Editions returns at most limit editions of a provider, ordered by module
	// and then edition as bytes, after the one that Edition.Key names.
	Editions(ctx context.Context, provider, after string, limit int) ([]Edition, error)
	// Events returns at most limit audit events above seq after, oldest first.
	Events(ctx context.Context, after uint64, limit int) ([]Event, error)
}

// Catalogue is the part of a backend that keeps providers and modules.
type Catalogue interface {
	// PutProviders stores providers by ID, replacing what is there. What does
	// not change appends no event.
	PutProviders(ctx context.Context, providers []Provider, at time.Time) error
	Provider(ctx context.Context, id string) (Provider, error)
	// Providers returns at most limit providers with an ID above after, in order
	// of ID as bytes.
	Providers(ctx context.Context, after string, limit int) ([]Provider, error)
	// PutModules adds versions. A version that is already there with another
	// Spec, or a code that belongs to another provider, fails the whole step with
	// ErrConflict.
	PutModules(ctx context.Context, modules []Module, at time.Time) error
	Module(ctx context.Context, code string) (Module, error) // newest version
	// Modules returns the newest version of at most limit modules of a provider
	// (of all when it is empty) with a code above after, in order of code.
	Modules(ctx context.Context, provider, after string, limit int) ([]Module, error)
}

// People is the part of a backend that keeps learners, of whom it can read
// nothing.
type People interface {
	// PutPeople adds people, or replaces Data and Tokens of those who are there,
	// all or nothing. One who is there with another Salt, and one who is not New
	// and not there, is ErrConflict. No ID occurs twice in a call. The event,
	// "learners", says how many.
	PutPeople(ctx context.Context, people []Person, at time.Time) error
	// People returns those of the ids that are known, by ID.
	People(ctx context.Context, ids []string) (map[string]Person, error)
	// PeopleWith returns at most limit people who have a token, with an ID above
	// after, in order of ID.
	PeopleWith(ctx context.Context, token Token, after string, limit int) ([]Person, error)
	// Erase removes a person with all tokens, and the documents and Hidden of
	// their records, which are Erased then: they keep their place, their award
	// and their status. It returns how many it erased now. One whose records are
	// reserved is ErrConflict; one who is not there is no error. The events, of
	// the kind "erase", are one that says how many, if the person was there, and
	// one for each record.
	Erase(ctx context.Context, id, by string, at time.Time) (int, error)
	// Scrub removes what was deleted from where it may still lie in files, or
	// returns an error that says what is in the way.
	Scrub(ctx context.Context) error
	// Erasing tells whether a Scrub did not end well since the last Erase of
	// somebody who was there. A restart does not change that.
	Erasing(ctx context.Context) (bool, error)
}

// Person is a learner as a backend keeps one.
type Person struct {
	ID     string         // 26 characters A-Z2-7
	Salt   [SaltSize]byte // without it nothing that was written about this person can be read
	Data   []byte
	Tokens []Token // what the person may be searched by; may be empty

	// New says to a step that the Salt was made for it. Who was erased must not
	// come back with the Salt that was to be forgotten.
	New bool `json:"-"`
}

// Token stands for a word, under a secret.
type Token [8]byte

// Document is a sealed credential as a backend keeps it.
type Document struct {
	Seq    uint64
	Digest string // SHA-256 of the sealed bytes, hex
	Data   []byte

	SealKey string // of the record from now on; not asked by Extend
}

// ExtendedDocument replaces a Document.
type ExtendedDocument struct {
	Document
	Before string // Digest that the record must still have
	Level  Level
}

// Doors is the part of a backend that keeps who may enter the console.
type Doors interface {
	PutAccess(ctx context.Context, hash [32]byte, a Access, at time.Time) error
	// Access returns what a hash opens, or ErrNotFound; expired is not found.
	Access(ctx context.Context, hash [32]byte, at time.Time) (Access, error)
	// TakeAccess returns what a hash opens and removes it, once. With a zero at
	// nothing is expired, and the event carries the time of the one before.
	TakeAccess(ctx context.Context, hash [32]byte, at time.Time) (Access, error)
}

// LogTree is the part of a backend that keeps the tree over the audit log: every
// event, of whatever step, is a leaf of it, event n leaf n-1. The leaf is added
// in the transaction of the event. Beside the events a backend keeps the edge of
// the tree and the hashes of complete subtrees of 256, 256^2, ... leaves; what
// lies below is computed again from the events. The key of the salts is made
// with the registry and never changes.
type LogTree interface {
	// LogHead returns how far the log has come, at one moment.
	LogHead(ctx context.Context) (LogHead, error)
	// LogNodes returns the hashes of at most limit complete subtrees of 256^level
	// leaves from the n-th on, in order; level is at least 1, and n counts from 0.
	LogNodes(ctx context.Context, level int, n uint64, limit int) ([]auditlog.Hash, error)
	// Note appends an event that belongs to no change of the registry itself.
	Note(ctx context.Context, ev Event) error
	// KeepCheckpoint keeps a signed checkpoint over so many entries in place of
	// the one before, unless that is over more. It appends no event.
	KeepCheckpoint(ctx context.Context, size uint64, signed []byte) error
}

// LogHead is how far the audit log has come.
type LogHead struct {
	Key        auditlog.Key  // of the salts; secret
	Edge       auditlog.Edge // of the tree over all events
	Checkpoint []byte        // kept last; nil if there is none
}

// Backend is all that a store offers.
type Backend interface {
	Ledger
	Catalogue
	People
	Doors
	Proposals
	LogTree
	KeyMarks
	Leases
	Limits
	// Check reads the whole store and returns an error that names what is
	// damaged, or nil.
	Check(ctx context.Context) error
	Close() error
}
