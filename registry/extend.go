package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Level is how far a seal was extended (ETSI TS 119 182-1 clause 6).
type Level uint8

// The levels in order: each has what the one before has. A record has LevelB
// until Extend says otherwise.
const (
	LevelB   Level = iota // the signature
	LevelT                // and a proof of when it was there
	LevelLT               // and the data to validate it
	LevelLTA              // and a proof of when all of that was there
)

// String returns "B", "T", "LT" or "LTA".
func (l Level) String() string {
	switch l {
	case LevelB:
		return "B"
	case LevelT:
		return "T"
	case LevelLT:
		return "LT"
	case LevelLTA:
		return "LTA"
	}
	return "level(" + strconv.Itoa(int(l)) + ")"
}

// Extension carries the bytes of a sealed record whose seal was extended.
type Extension struct {
	Seq    uint64
	Before string // Digest that the record must still have
	Sealed []byte
	Level  Level
}

// Extend stores extended seals in place of what they extend, all or nothing.
// Digest and Level of the record change, and nothing else of it; each change is
// an event of the kind "extend" that says the level.
//
// A record that has these bytes at this level already is left as it is. One
// whose Digest is no longer Before, that is not sealed or that has a higher
// level is ErrConflict; so is a Seq that occurs twice with different content.
// The same level again is no conflict: proofs of time are renewed. An unknown
// Seq is ErrNotFound. The registry does not look into the bytes: that they keep
// the signature, and have the level they are said to have, is the caller's duty.
func (r *Registry) Extend(ctx context.Context, extensions []Extension, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	at, err := stamp(at)
	if err != nil {
		return fmt.Errorf("extending: %w", err)
	}
	type content struct {
		digest [32]byte
		before string
		level  Level
	}
	seen := make(map[uint64]content, len(extensions))
	distinct := make([]Extension, 0, len(extensions))
	for _, x := range extensions {
		if err := checkExtension(x); err != nil {
			return fmt.Errorf("extending record %d: %w", x.Seq, err)
		}
		c := content{sha256.Sum256(x.Sealed), x.Before, x.Level}
		if before, ok := seen[x.Seq]; !ok {
			seen[x.Seq] = c
			distinct = append(distinct, x)
		} else if before != c {
			return fmt.Errorf("extending record %d twice with different content: %w", x.Seq, ErrConflict)
		}
	}
	if len(distinct) == 0 {
		return nil
	}
	if r.vault == nil {
		return fmt.Errorf("extending: %w", r.locked)
	}
	documents := make([]ExtendedDocument, len(distinct))
	err = parallel(len(distinct), func(i int) error {
		var err error
		documents[i], err = r.extended(ctx, distinct[i])
		return err
	})
	if err == nil {
		err = r.backend.Extend(ctx, documents, at)
	}
	if err != nil {
		return fmt.Errorf("extending %d records: %w", len(distinct), err)
	}
	return nil
}

// extended packs what extends a document as the document was.
func (r *Registry) extended(ctx context.Context, x Extension) (out ExtendedDocument, err error) {
	_, who, id, err := r.readDocument(ctx, x.Seq)
	if errors.Is(err, ErrNotFound) { // it may be there and have none
		var rec Record
		if rec, err = r.backend.Find(ctx, Key{Seq: x.Seq}); err == nil {
			err = fmt.Errorf("it is %s: %w", rec.State, ErrConflict)
		}
	}
	if err != nil {
		return out, fmt.Errorf("record %d: %w", x.Seq, err)
	}
	d, err := r.dictionaryNamed(ctx, id)
	if err == nil {
		out.Before, out.Level = x.Before, x.Level
		out.Document, err = r.document(d.of(x.Sealed), who, x.Seq)
	}
	return out, err
}

// checkExtension lets an empty Before pass: a record that is not sealed has an
// empty Digest, and the backend says so.
func checkExtension(x Extension) error {
	if x.Seq == 0 || x.Seq > 1<<63-1 {
		return ErrNotFound
	}
	if x.Before != "" && !isDigest(x.Before) {
		return fmt.Errorf("digest before is not 64 characters 0-9a-f: %w", ErrInvalid)
	}
	if err := checkLevel(x.Level); err != nil {
		return err
	}
	return checkBytes("sealed document", x.Sealed)
}

func isDigest(s string) bool {
	if len(s) != 2*sha256.Size {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func checkLevel(l Level) error {
	if l > LevelLTA {
		return fmt.Errorf("%v is no level: %w", l, ErrInvalid)
	}
	return nil
}

// AtLevel returns at most limit sealed records whose seal has exactly this
// level, above seq after, oldest first, without Body. Their status does not
// matter.
func (r *Registry) AtLevel(ctx context.Context, level Level, after uint64, limit int) ([]Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkLevel(level); err != nil {
		return nil, fmt.Errorf("listing records by level: %w", err)
	}
	return page(ctx, "listing records by level", after, limit, func(ctx context.Context, after uint64, limit int) ([]Record, error) {
		out, err := r.backend.AtLevel(ctx, level, after, limit)
		return r.named(ctx, out, err)
	})
}
