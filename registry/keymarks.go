package registry

import (
	"context"
	"fmt"
	"time"
)

// KeyMark is what the registry knows of a key, so that no process goes on with an
// older set of keys than another. Nothing in it is secret.
type KeyMark struct {
	Seq     uint64 // grows with every change of any mark
	ID      string
	Retired time.Time // the earliest that was said; zero while none was
	Revoked time.Time // since when, the earliest that was said; zero while none was
	Lost    time.Time // when it was said that nobody has it any more; zero while none was
}

// Join adds what another mark of the same key says, and tells whether that is
// anything new. Nothing is ever taken back.
func (m KeyMark) Join(other KeyMark) (joined KeyMark, more bool) {
	for _, x := range []struct {
		to   *time.Time
		from time.Time
	}{{&m.Retired, other.Retired}, {&m.Revoked, other.Revoked}, {&m.Lost, other.Lost}} {
		if !x.from.IsZero() && (x.to.IsZero() || x.from.Before(*x.to)) {
			*x.to, more = x.from, true
		}
	}
	return m, more
}

// News says in one word what a mark says beyond another of the same key, which
// may be none: lost, revoked, retired, or noted.
func (m KeyMark) News(before KeyMark) string {
	switch {
	case !m.Lost.Equal(before.Lost):
		return "lost"
	case !m.Revoked.Equal(before.Revoked):
		return "revoked"
	case !m.Retired.Equal(before.Retired):
		return "retired"
	}
	return "noted"
}

// KeyMarks is the part of a backend that knows which keys there are.
type KeyMarks interface {
	// NoteKeys joins marks to those that are there. What is new gets the next Seq,
	// in order, and an event of the kind "key", about the id, whose Why is its
	// News. No id occurs twice in a call.
	NoteKeys(ctx context.Context, marks []KeyMark, at time.Time) error
	// KeyMarks returns at most limit marks with a Seq above after, in its order.
	// None appears later below one that was read.
	KeyMarks(ctx context.Context, after uint64, limit int) ([]KeyMark, error)
}

// NoteKeys adds what is known of keys, all or nothing. The Seq of a mark is not
// asked. What is known already changes nothing, and nothing is taken back.
func (r *Registry) NoteKeys(ctx context.Context, marks []KeyMark, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	at, err := stamp(at)
	place := map[string]int{}
	var distinct []KeyMark
	for _, m := range marks {
		if err == nil {
			err = refs(field{"id of a key", m.ID})
		}
		for _, t := range []*time.Time{&m.Retired, &m.Revoked, &m.Lost} {
			if err == nil && !t.IsZero() {
				*t, err = stamp(*t)
			}
		}
		if n, ok := place[m.ID]; ok {
			distinct[n], _ = distinct[n].Join(m)
			continue
		}
		place[m.ID] = len(distinct)
		m.Seq = 0
		distinct = append(distinct, m)
	}
	if err == nil && len(distinct) > 0 {
		err = r.backend.NoteKeys(ctx, distinct, at)
	}
	if err != nil {
		return fmt.Errorf("noting keys: %w", err)
	}
	return nil
}

// KeyMarks returns at most limit marks that changed after the one with this Seq,
// in the order of their last change. Who keeps the greatest Seq that it saw and
// asks again misses nothing.
func (r *Registry) KeyMarks(ctx context.Context, after uint64, limit int) ([]KeyMark, error) {
	return page(ctx, "reading which keys there are", after, limit, r.backend.KeyMarks)
}
