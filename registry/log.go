package registry

import (
	"context"
	"fmt"
	"time"

	"attesta/auditlog"
)

// Leaves returns what gives the leaf hashes of events under the key of a log, one
// after the other. It is not safe for concurrent use.
func Leaves(key auditlog.Key) func(Event) auditlog.Hash {
	leaf := key.Leaves()
	return func(ev Event) auditlog.Hash { return leaf(auditlog.Event(ev)) }
}

// Note appends an entry to the audit log about what is no change of the
// registry itself, such as a key that was made. The kind is a word of a-z and -;
// what and by are references, why is text of up to MaxText bytes or empty.
func (r *Registry) Note(ctx context.Context, kind, what, by, why string, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	at, err := stamp(at)
	if err == nil {
		err = refs(field{"what it is about", what}, field{"name of who did it", by})
	}
	if err == nil && !auditlog.IsKind(kind) {
		err = fmt.Errorf("%q is no kind of entry: %w", clip(kind), ErrInvalid)
	}
	if err == nil {
		err = texts(field{"why", why})
	}
	if err == nil {
		err = r.backend.Note(ctx, Event{At: at, Kind: kind, What: what, By: by, Why: why})
	}
	if err != nil {
		return fmt.Errorf("noting in the log: %w", err)
	}
	return nil
}

// KeepCheckpoint keeps a signed checkpoint over so many entries, unless one over
// more is kept. It must be durable before anybody is shown it.
func (r *Registry) KeepCheckpoint(ctx context.Context, size uint64, signed []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := checkBytes("checkpoint", signed)
	if err == nil && size > 1<<63-1 {
		err = ErrInvalid
	}
	if err == nil {
		err = r.backend.KeepCheckpoint(ctx, size, signed)
	}
	if err != nil {
		return fmt.Errorf("keeping a checkpoint: %w", err)
	}
	return nil
}

// Log is the audit log as it was at one moment, as a tree. Whatever it reads is
// held against the root that it had then: an entry that was changed, removed or
// put in is an error that wraps auditlog.ErrDiffers. It lives no longer than the
// context that it was made with.
type Log struct {
	*auditlog.Tree
	key        auditlog.Key
	registry   *Registry
	ctx        context.Context // the tree reads when it is asked for a proof
	checkpoint []byte
}

// Log returns the audit log as it is now.
func (r *Registry) Log(ctx context.Context) (*Log, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	head, err := r.backend.LogHead(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the head of the log: %w", err)
	}
	l := &Log{key: head.Key, registry: r, ctx: ctx, checkpoint: head.Checkpoint}
	l.Tree = auditlog.NewTree(&head.Edge, l)
	return l, nil
}

// Size is how many entries the log has.
func (l *Log) Size() uint64 { return uint64(l.N) }

// Kept is the signed checkpoint that was kept last, or nil.
func (l *Log) Kept() []byte { return l.checkpoint }

// Entries returns the events from number from on, at most limit of them, each as
// everybody may see it and with its opening, which is for those whom it
// concerns. Unlike a proof they are not held against the root.
func (l *Log) Entries(from uint64, limit int) (leaves []auditlog.Leaf, openings []auditlog.Opening, err error) {
	if from == 0 || from > l.Size() {
		return nil, nil, fmt.Errorf("reading entry %d of %d: %w", from, l.N, ErrNotFound)
	}
	limit = int(min(uint64(limit), l.Size()-from+1))
	for len(leaves) < limit {
		after := from - 1 + uint64(len(leaves))
		events, err := l.registry.Events(l.ctx, after, min(limit-len(leaves), MaxLimit))
		if err != nil {
			return nil, nil, err
		}
		if len(events) == 0 {
			return nil, nil, fmt.Errorf("reading entry %d of the log: it is missing: %w", after+1, auditlog.ErrDiffers)
		}
		for _, ev := range events {
			leaf, opening := l.key.Open(auditlog.Event(ev))
			leaves, openings = append(leaves, leaf), append(openings, opening)
		}
	}
	return leaves, openings, nil
}

// Leaves is auditlog.Source.Leaves.
func (l *Log) Leaves(n uint64, count int) ([]auditlog.Hash, error) {
	leaves, _, err := l.Entries(n+1, count)
	if err != nil {
		return nil, err
	}
	hashes := make([]auditlog.Hash, len(leaves))
	for i, leaf := range leaves {
		hashes[i] = leaf.Hash()
	}
	return hashes, nil
}

// Nodes is auditlog.Source.Nodes.
func (l *Log) Nodes(level int, n uint64, count int) ([]auditlog.Hash, error) {
	hashes, err := l.registry.backend.LogNodes(l.ctx, level, n, count)
	if err != nil {
		return nil, fmt.Errorf("reading the tree of the log: %w", err)
	}
	return hashes, nil
}

// TreeAudit grows a tree again from all events, in order, and holds what a
// store keeps against it. Backends use it for Check.
type TreeAudit struct {
	Key   auditlog.Key
	Nodes func(level int, n uint64) (auditlog.Hash, error) // as they are stored; ErrNotFound if one is missing
	leaf  func(Event) auditlog.Hash
	edge  auditlog.Edge
	nodes uint64
}

// Add takes the next event. It returns what is wrong with the stored nodes that
// it completes.
func (a *TreeAudit) Add(ev Event) error {
	if a.leaf == nil {
		a.leaf = Leaves(a.Key)
	}
	for _, want := range a.edge.Append(a.leaf(ev)) {
		a.nodes++
		got, err := a.Nodes(want.Level, want.N)
		if err != nil {
			return fmt.Errorf("the tree of the log misses node %d of level %d: %w", want.N, want.Level, err)
		}
		if got != want.Hash {
			return fmt.Errorf("up to entry %d of the log something was changed, removed or put in: %w", ev.Seq, auditlog.ErrDiffers)
		}
	}
	return nil
}

// End holds the edge that is stored, and how many nodes are, against the tree.
func (a *TreeAudit) End(stored auditlog.Edge, nodes uint64) error {
	if stored.Size() != a.edge.Size() || stored.Root() != a.edge.Root() {
		return fmt.Errorf("the log has %d entries with the root %v, and was made of %d with the root %v: %w",
			a.edge.Size(), a.edge.Root(), stored.Size(), stored.Root(), auditlog.ErrDiffers)
	}
	if nodes != a.nodes {
		return fmt.Errorf("the tree of the log has %d nodes instead of %d: %w", nodes, a.nodes, auditlog.ErrDiffers)
	}
	return nil
}
