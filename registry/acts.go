package registry

import (
	"context"
	"fmt"
	"time"

	"attesta/status"
)

// MaxChanges is how many changes of status one step makes at most, and how many
// records Select returns at most.
const MaxChanges = 5000

// Effect is what became of one Change of many.
type Effect uint8

// A Change has exactly one of these effects.
const (
	Changed   Effect = iota + 1
	AlreadySo        // the record had that status: nothing was changed, its reason neither
	Final            // the record is revoked, for good
	Unsealed         // the record waits for its seal: nobody has anything to withdraw yet
	Unknown          // there is no such record
)

// EffectOn tells what asking for a status would do to a record as it is, and
// what the audit log calls it if it changes something.
func EffectOn(r Record, to status.Value) (e Effect, kind string) {
	if r.State == Reserved {
		return Unsealed, ""
	}
	switch kind, err := Transition(r.Status, to); {
	case err != nil:
		return Final, ""
	case kind == "":
		return AlreadySo, ""
	default:
		return Changed, kind
	}
}

// Tally counts effects.
type Tally struct {
	Changed  uint64 `json:"changed"`
	Already  uint64 `json:"already"`
	Final    uint64 `json:"final"`
	Unsealed uint64 `json:"unsealed"`
	Unknown  uint64 `json:"unknown"`
}

// Add counts one effect.
func (t *Tally) Add(e Effect) {
	switch e {
	case Changed:
		t.Changed++
	case AlreadySo:
		t.Already++
	case Final:
		t.Final++
	case Unsealed:
		t.Unsealed++
	case Unknown:
		t.Unknown++
	}
}

// All is how many effects were counted.
func (t Tally) All() uint64 { return t.Changed + t.Already + t.Final + t.Unsealed + t.Unknown }

// SetStatuses is SetStatus for up to MaxChanges records in one durable step, and
// returns what became of each, in order. A record that may not be changed keeps
// nothing else from it, and none is ever half changed: record, list, counters and
// log go together. Whoever repeats the call after an error is answered AlreadySo
// for what was done before it. A credential that occurs twice is ErrInvalid.
func (r *Registry) SetStatuses(ctx context.Context, changes []Change, at time.Time) ([]Effect, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	at, err := stamp(at)
	if err == nil && len(changes) > MaxChanges {
		err = fmt.Errorf("%d changes in one step, at most %d: %w", len(changes), MaxChanges, ErrInvalid)
	}
	known, place := make([]Change, 0, len(changes)), make([]int, 0, len(changes))
	seen := make(map[string]bool, len(changes))
	out := make([]Effect, len(changes))
	for n, c := range changes {
		if err == nil {
			err = checkChange(c)
		}
		if err == nil && seen[c.Credential] {
			err = fmt.Errorf("%s occurs twice: %w", clip(c.Credential), ErrInvalid)
		}
		if err != nil {
			break
		}
		seen[c.Credential] = true
		if out[n] = Unknown; isCredential(c.Credential) {
			known, place = append(known, c), append(place, n)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("setting the status of many: %w", err)
	}
	if len(known) == 0 {
		return out, nil
	}
	effects, err := r.backend.SetStatuses(ctx, known, at)
	if err != nil {
		return nil, fmt.Errorf("setting the status of %d records: %w", len(known), err)
	}
	for n, e := range effects {
		out[place[n]] = e
	}
	return out, nil
}

// Selection says which records an act is about: those of a module, of one
// edition of it, or all that one key sealed. Fields that are set must all be so
// of a record; one of Module and SealKey is set, and Edition only with Module.
// An act that is to be about no more than what was counted before says so with
// Below.
type Selection struct {
	Provider string `json:"provider,omitempty"`
	Module   string `json:"module,omitempty"`
	Edition  string `json:"edition,omitempty"`
	SealKey  string `json:"key,omitempty"`
	Below    uint64 `json:"below,omitempty"` // only records with a smaller Seq; 0 for all there are
}

func (s Selection) check() error {
	if err := optionalRefs(field{"provider", s.Provider}, field{"module", s.Module},
		field{"edition", s.Edition}, field{"id of the key", s.SealKey}); err != nil {
		return err
	}
	if s.Module == "" && (s.SealKey == "" || s.Edition != "") {
		return fmt.Errorf("a selection names a module, an edition of it, or a key: %w", ErrInvalid)
	}
	return nil
}

// Select returns at most limit records of a selection, up to MaxChanges, newest
// first and below the Seq before, or from the newest for 0. What is known of
// people is left out: Learner, Facts and Hidden are empty. An empty page is the
// end.
func (r *Registry) Select(ctx context.Context, s Selection, before uint64, limit int) ([]Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err := s.check()
	if err == nil && (limit < 1 || limit > MaxChanges) {
		err = fmt.Errorf("limit %d is not 1 to %d: %w", limit, MaxChanges, ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("selecting records: %w", err)
	}
	if s.Below != 0 && (before == 0 || s.Below < before) {
		before = s.Below
	}
	if before > 1<<63-1 {
		before = 0 // above every Seq there can be
	}
	out, err := r.backend.Records(ctx, Query{
		Provider: s.Provider, Module: s.Module, Edition: s.Edition, SealKey: s.SealKey, Before: before, Limit: limit,
	})
	if err != nil {
		return nil, fmt.Errorf("selecting records: %w", err)
	}
	for n := range out {
		out[n].Learner, out[n].Hidden = "", nil
	}
	return out, nil
}
