package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"attesta/auditlog"
	"attesta/registry"
)

// What the registry keeps of the tree over its log, beside the nodes in
// bucketTree.
const (
	metaLogKey     = "log key"
	metaLogEdge    = "log edge"
	metaCheckpoint = "checkpoint" // size, signed note
)

// growth is the tree of the log as a transaction makes it grow.
type growth struct {
	key  auditlog.Key
	leaf func(registry.Event) auditlog.Hash // of events that are added
	edge auditlog.Edge
}

// readGrowth returns the tree as it is stored.
func (t *tx) readGrowth() (*growth, error) {
	key, err := t.get(bucketMeta, []byte(metaLogKey))
	if err != nil {
		return nil, fmt.Errorf("reading the key of the log: %w", errors.Join(err, errDamaged))
	}
	g := &growth{}
	if copy(g.key[:], key) != len(g.key) || len(key) != len(g.key) {
		return nil, fmt.Errorf("reading the key of the log: %w", errDamaged)
	}
	edge, err := t.get(bucketMeta, []byte(metaLogEdge))
	if err == nil {
		g.edge, err = auditlog.ParseEdge(edge)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the edge of the log: %v: %w", err, errDamaged)
	}
	return g, nil
}

// grow adds an event to the tree; putEdge ends it.
func (t *tx) grow(ev registry.Event) error {
	if t.tree == nil {
		g, err := t.readGrowth()
		if err != nil {
			return err
		}
		t.tree = g
	}
	if t.tree.leaf == nil {
		t.tree.leaf = registry.Leaves(t.tree.key)
	}
	for _, n := range t.tree.edge.Append(t.tree.leaf(ev)) {
		if err := t.put(bucketTree, nodeKey(n.Level, n.N), bytes.Clone(n.Hash[:])); err != nil {
			return err
		}
	}
	return nil
}

// putEdge writes the edge of a tree that grew.
func (t *tx) putEdge() error {
	if t.tree == nil {
		return nil
	}
	return t.put(bucketMeta, []byte(metaLogEdge), t.tree.edge.Bytes())
}

func nodeKey(level int, n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{byte(level)}, n)
}

// plantTree makes the key of the log.
func (s *Store) plantTree(t *tx) error {
	var key auditlog.Key
	if _, err := io.ReadFull(s.rand, key[:]); err != nil {
		return fmt.Errorf("making the key of the log: %w", err)
	}
	t.tree = &growth{key: key}
	return t.put(bucketMeta, []byte(metaLogKey), bytes.Clone(key[:]))
}

// LogHead is registry.LogTree.LogHead.
func (s *Store) LogHead(ctx context.Context) (head registry.LogHead, err error) {
	err = s.view(ctx, func(t *tx) error {
		g, err := t.readGrowth()
		if err != nil {
			return err
		}
		head.Key, head.Edge = g.key, g.edge
		kept, err := t.get(bucketMeta, []byte(metaCheckpoint))
		if errors.Is(err, registry.ErrNotFound) {
			return nil
		}
		if err == nil && len(kept) < 8 {
			err = fmt.Errorf("reading a checkpoint: %w", errDamaged)
		}
		if err == nil {
			head.Checkpoint = bytes.Clone(kept[8:])
		}
		return err
	})
	if err != nil {
		return registry.LogHead{}, err
	}
	return head, nil
}

// LogNodes is registry.LogTree.LogNodes.
func (s *Store) LogNodes(ctx context.Context, level int, n uint64, limit int) (hashes []auditlog.Hash, err error) {
	err = s.view(ctx, func(t *tx) error {
		return t.scan(bucketTree, []byte{byte(level)}, nodeKey(level, n), func(k, v []byte) (bool, error) {
			if len(hashes) == limit || !bytes.Equal(k, nodeKey(level, n+uint64(len(hashes)))) {
				return false, nil
			}
			h, err := nodeOf(v)
			hashes = append(hashes, h)
			return true, err
		})
	})
	if err != nil {
		return nil, err
	}
	return hashes, nil
}

func nodeOf(v []byte) (h auditlog.Hash, err error) {
	if copy(h[:], v) != len(h) || len(v) != len(h) {
		return h, fmt.Errorf("reading %s: %w", bucketTree, errDamaged)
	}
	return h, nil
}

// Note is registry.LogTree.Note.
func (s *Store) Note(ctx context.Context, ev registry.Event) error {
	return s.update(ctx, func(t *tx) error { return t.event(ev) })
}

// KeepCheckpoint is registry.LogTree.KeepCheckpoint.
func (s *Store) KeepCheckpoint(ctx context.Context, size uint64, signed []byte) error {
	return s.update(ctx, func(t *tx) error {
		before, err := t.get(bucketMeta, []byte(metaCheckpoint))
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return err
		}
		if len(before) >= 8 && binary.BigEndian.Uint64(before) > size {
			return nil
		}
		return t.put(bucketMeta, []byte(metaCheckpoint), append(binary.BigEndian.AppendUint64(nil, size), signed...))
	})
}

// exportLog is Export of the part "log".
func (s *Store) exportLog(ctx context.Context, after *registry.Entry) ([]registry.Entry, error) {
	if after != nil {
		return nil, nil
	}
	head, err := s.LogHead(ctx)
	if err != nil {
		return nil, err
	}
	return []registry.Entry{{Log: &registry.LogEntry{Key: head.Key, Size: head.Edge.Size(), Root: head.Edge.Root()}}}, nil
}

// readTree grows the tree again. What else the registry keeps of itself is read
// on the way.
func (a *audit) readTree() error {
	if _, err := a.each(bucketMeta, func(_, _ []byte) error { return nil }); err != nil {
		return err
	}
	g, err := a.readGrowth()
	if err != nil {
		return a.fault("%v", err)
	}
	again := registry.TreeAudit{Key: g.key, Nodes: func(level int, n uint64) (auditlog.Hash, error) {
		v, err := a.get(bucketTree, nodeKey(level, n))
		if err != nil {
			return auditlog.Hash{}, err
		}
		return nodeOf(v)
	}}
	_, err = a.each(bucketEvents, func(k, v []byte) error {
		seq, err := seqOf(k)
		if err != nil {
			return err
		}
		ev, err := decodeEvent(seq, v)
		if err != nil {
			return err
		}
		if err := again.Add(ev); err != nil {
			return a.fault("%v", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	nodes, err := a.each(bucketTree, func(_, _ []byte) error { return nil })
	if err != nil {
		return err
	}
	if err := again.End(g.edge, nodes); err != nil {
		return a.fault("%v", err)
	}
	return nil
}
