package registry

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"attesta/status"
)

// State is how far a record has come.
type State string

// A record is reserved before its document is sealed, sealed once the exact
// bytes are stored, and erased when its learner was. Its status lives on.
const (
	Reserved State = "reserved"
	Sealed   State = "sealed"
	Erased   State = "erased"
)

// Facts are the parts of a completion by which a repeated row is told from a
// contradicting one. An empty field was not given and contradicts nothing.
type Facts struct {
	CompletedOn string `json:"completed_on,omitempty"` // 2006-01-02
	Attendance  string `json:"attendance,omitempty"`   // percent, decimal point, no trailing zeros
	Score       string `json:"score,omitempty"`
}

// Intent is what an issuer is about to seal. One intent per learner, module
// and edition exists in a registry. Its status list is one of its Provider and
// House.
type Intent struct {
	Provider string
	House    House
	Learner  string
	Module   string
	Version  string
	Edition  string
	Facts    Facts
	Hidden   []byte // the Facts as a backend keeps them, in place of them
	Body     []byte // what is needed to render the document again, byte for byte; kept until sealed
	// Begins stands before Body; as in a Sealing it may be nil, and must not be
	// changed any more.
	Begins []byte
	Shared []byte // what bodies of other intents have in common with this one; may be nil
}

// Record is the registry's entry for one award.
type Record struct {
	Seq        uint64 // position in the registry, in order of reservation, from 1
	Credential string // urn:credential:<uuid>, random
	Handle     string // unguessable public reference behind the QR: 26 characters A-Z2-7
	Provider   string
	Learner    string // empty if Erased
	Module     string
	Version    string
	Edition    string
	Facts      Facts
	Hidden     []byte // the Facts as a backend keeps them, in place of them
	State      State
	List       string // id of the status list
	Index      uint32 // position in it, below ListSize
	Body       []byte // only while State is Reserved
	Digest     string // SHA-256 of the sealed bytes as they are now, hex; only when sealed
	ReservedAt time.Time
	SealedAt   time.Time
	Status     status.Value
	Reason     string    // of the last change of status
	StatusAt   time.Time // of the last change of status
	Level      Level     // of the seal, once sealed
	SealKey    string    // id of the key that sealed it, once sealed, where it was said
}

// Reservation is the answer to one Intent: the record, and whether it was
// there before (then the record is the first one, whatever the intent says). A
// record that was not comes without its Body, which the intent has.
type Reservation struct {
	Record   Record
	Existing bool
}

// Sealing carries the exact sealed bytes of a reserved record.
type Sealing struct {
	Seq     uint64
	Sealed  []byte
	SealKey string // id of the key; may be empty
	// Begins stands before Sealed; it may be nil. Where many begin with the same,
	// in the same place in memory, it is looked at once. It must not be changed
	// any more.
	Begins []byte
	Digest string // SHA-256 of the sealed bytes, hex; Complete says it
	// Shared is what the documents of others have in common with this one, so
	// that it need be stored once only; it may be nil. Nothing of a person may be
	// in it: it outlives an erasure. It must not be changed any more.
	Shared []byte
}

// Change asks for another status of a sealed record.
type Change struct {
	Credential string // urn:credential:<uuid>
	To         status.Value
	Reason     string // one of Reasons
	By         string // who asked: an operator's name or "operator"
}

// Reasons returns the reason codes that a change of status may carry.
func Reasons() []string {
	return []string{
		"issued-in-error", "assessment-annulled", "fraud", "data-wrong", "replaced",
		"under-review", "review-closed", "holder-request", "key-compromised", "other",
	}
}

// Transition tells what a change of status is called in the audit log:
// "suspend", "reinstate", "revoke", or "" for no change at all. Revoked is
// final: leaving it is ErrConflict. Backends ask it inside their transaction.
func Transition(from, to status.Value) (kind string, err error) {
	switch {
	case from == to:
		return "", nil
	case from == status.Valid && to == status.Suspended:
		return "suspend", nil
	case from == status.Suspended && to == status.Valid:
		return "reinstate", nil
	case from != status.Revoked && to == status.Revoked:
		return "revoke", nil
	}
	return "", fmt.Errorf("changing status from %v to %v: %w", from, to, ErrConflict)
}

// StatusList is one list as it must be published: its size and the entries
// that are not valid.
type StatusList struct {
	ID       string
	Provider string
	House    House         // that seals what is in the list, and signs it
	Size     uint32        // entries, a power of two, at least 131072
	Version  uint64        // grows with every change of an entry
	Entries  []StatusEntry // in order of Index
}

// StatusEntry is one position that is not valid.
type StatusEntry struct {
	Index uint32
	Value status.Value
}

// Counts are kept in the same step as what they count. Reserved are the
// records that wait for their seal; Sealed are all that have one, whatever
// their status; Suspended and Revoked are the sealed ones with that status now.
type Counts struct {
	Reserved, Sealed, Suspended, Revoked uint64
}

// Count adds a record as it is n times; n may be minus one in two's complement.
// A record without Seq is none.
func (c *Counts) Count(r Record, n uint64) {
	switch {
	case r.Seq == 0:
	case r.State == Reserved:
		c.Reserved += n
	default:
		c.Sealed += n
		switch r.Status {
		case status.Suspended:
			c.Suspended += n
		case status.Revoked:
			c.Revoked += n
		}
	}
}

// Provider is a training organisation; Spec is its JSON, which the registry
// keeps and does not read. Change is what the audit log says of a change of it,
// up to MaxText bytes; it is not kept with the provider.
type Provider struct {
	ID     string
	Spec   []byte
	Change string `json:"-"`
}

// Module is one version of a module of a provider; Spec as for Provider. A
// code belongs to the provider that put it first. The version added last is the
// newest; putting an older one again changes nothing.
type Module struct {
	Code     string
	Version  string
	Provider string
	Spec     []byte
}

// Learner is a person in a class list. Ref is the provider's own number.
type Learner struct {
	Ref        string `json:"ref"`
	GivenName  string `json:"given_name"`
	FamilyName string `json:"family_name"`
	Email      string `json:"email,omitempty"`
	Language   string `json:"language,omitempty"`
	Employer   string `json:"organisation,omitempty"`
	Region     string `json:"region,omitempty"`
	Role       string `json:"role,omitempty"`

	BirthDate       string `json:"birth_date,omitempty"` // 2006-01-02
	NationalID      string `json:"national_id,omitempty"`
	NationalCountry string `json:"national_id_country,omitempty"`
	NationalScheme  string `json:"national_id_scheme,omitempty"`
}

// Query pages through records, newest first. Before is the Seq to continue
// below (0 for the newest); Limit is 1 to 500. Empty fields select all.
type Query struct {
	Provider string
	Module   string
	Edition  string
	Learner  string
	SealKey  string // id of the key that sealed them
	Before   uint64
	Limit    int
}

// Edition is one run of a module, with its counts.
type Edition struct {
	Module  string
	Edition string
	Counts  Counts
}

// Key names the edition among those of its provider: what Editions takes as
// after. It is safe in a URL query.
func (e Edition) Key() string { return url.PathEscape(e.Module) + "/" + url.PathEscape(e.Edition) }

// ParseEditionKey is the inverse of Edition.Key.
func ParseEditionKey(key string) (module, edition string, err error) {
	m, e, ok := strings.Cut(key, "/")
	if !ok {
		return "", "", fmt.Errorf("reading edition key: no slash: %w", ErrInvalid)
	}
	if module, err = url.PathUnescape(m); err != nil {
		return "", "", fmt.Errorf("reading edition key: module: %w", ErrInvalid)
	}
	if edition, err = url.PathUnescape(e); err != nil {
		return "", "", fmt.Errorf("reading edition key: edition: %w", ErrInvalid)
	}
	return module, edition, nil
}

// Event is one entry of the audit log: what was done to what, by whom. It
// holds no personal data.
type Event struct {
	Seq  uint64    `json:"seq"`
	At   time.Time `json:"at"`
	Kind string    `json:"kind"` // reserve, seal, extend, suspend, reinstate, revoke, erase, provider, module, learners, access, accept, key, ...
	What string    `json:"what"`
	By   string    `json:"by,omitempty"`
	Why  string    `json:"why,omitempty"`
}

// Access is a secret that opens the console: a one-time sign-in link or a
// session. Only the SHA-256 of the secret is kept.
type Access struct {
	Kind    string // "sign-in" or "session"
	By      string
	Expires time.Time
}

// Names are the random references of a new record.
type Names struct {
	Credential string
	Handle     string
	ClaimHash  [32]byte
	Learner    Person // of the record
}

// Key names a record in one of the ways there are. Exactly one field is set.
type Key struct {
	Seq        uint64
	Credential string
	Handle     string
	ClaimHash  [32]byte
}
