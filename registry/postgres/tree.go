package postgres

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"attesta/auditlog"
	"attesta/registry"
)

func newLogKey(rand io.Reader) ([]byte, error) {
	key := make([]byte, len(auditlog.Key{}))
	if _, err := io.ReadFull(rand, key); err != nil {
		return nil, fmt.Errorf("making the key of the log: %w", err)
	}
	return key, nil
}

func (s *Store) setLogKey(raw []byte) error {
	if s.filling && len(raw) == 0 {
		return nil
	}
	var key auditlog.Key
	if copy(key[:], raw) != len(key) || len(raw) != len(key) {
		return fmt.Errorf("reading the key of the log: %w", errDamaged)
	}
	s.key.Store(&key)
	return nil
}

func edgeOf(raw []byte) (auditlog.Edge, error) {
	edge, err := auditlog.ParseEdge(raw)
	if err != nil {
		return edge, fmt.Errorf("%v: %w", err, errDamaged)
	}
	return edge, nil
}

// queueNodes writes the subtrees that events have completed.
func queueNodes(batch *pgx.Batch, done []auditlog.Node) {
	if len(done) == 0 {
		return
	}
	levels, places, hashes := make([]int16, len(done)), make([]int64, len(done)), make([][]byte, len(done))
	for i, n := range done {
		levels[i], places[i], hashes[i] = int16(n.Level), int64(n.N), n.Hash[:]
	}
	batch.Queue("insert into nodes (level, n, hash) select * from unnest($1::smallint[], $2::bigint[], $3::bytea[])", levels, places, hashes)
}

// LogHead is registry.LogTree.LogHead.
func (s *Store) LogHead(ctx context.Context) (head registry.LogHead, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		var edge []byte
		if err := c.QueryRow(ctx, "select edge, checkpoint from head").Scan(&edge, &head.Checkpoint); err != nil {
			return missing(err)
		}
		head.Edge, err = edgeOf(edge)
		return err
	})
	if err != nil {
		return registry.LogHead{}, err
	}
	if key := s.key.Load(); key != nil {
		head.Key = *key
	}
	return head, nil
}

// LogNodes is registry.LogTree.LogNodes.
func (s *Store) LogNodes(ctx context.Context, level int, n uint64, limit int) (hashes []auditlog.Hash, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, "select level, n, hash from nodes where level = $1 and n >= $2 order by n limit $3", level, number(n), limit)
		if err != nil {
			return err
		}
		nodes, err := pgx.CollectRows(rows, scanNode)
		if err != nil {
			return err
		}
		hashes = nil
		for _, x := range nodes {
			if x.N != n+uint64(len(hashes)) {
				break // a gap, which the reader meets as an end
			}
			hashes = append(hashes, x.Hash)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return hashes, nil
}

func scanNode(row pgx.CollectableRow) (x auditlog.Node, err error) {
	var level int16
	var n int64
	var hash []byte
	err = row.Scan(&level, &n, &hash)
	if x.Level, x.N = int(level), uint64(n); copy(x.Hash[:], hash) != len(x.Hash) && err == nil {
		err = fmt.Errorf("reading the tree of the log: %w", errDamaged)
	}
	return x, err
}

// Note is registry.LogTree.Note.
func (s *Store) Note(ctx context.Context, ev registry.Event) error {
	return s.update(ctx, func(t *tx) error {
		t.event(ev)
		return t.hold(ctx)
	})
}

// KeepCheckpoint is registry.LogTree.KeepCheckpoint.
func (s *Store) KeepCheckpoint(ctx context.Context, size uint64, signed []byte) error {
	return s.update(ctx, func(t *tx) error {
		t.changed = true
		_, err := t.Exec(ctx, "update head set checkpoint = $2, signed = $1 where signed <= $1", number(size), signed)
		return err
	})
}

// exportLog is Export of the part "log".
func (s *Store) exportLog(ctx context.Context, after *registry.Entry) ([]registry.Entry, error) {
	if after != nil || s.key.Load() == nil {
		return nil, nil
	}
	head, err := s.LogHead(ctx)
	if err != nil {
		return nil, err
	}
	return []registry.Entry{{Log: &registry.LogEntry{Key: head.Key, Size: head.Edge.Size(), Root: head.Edge.Root()}}}, nil
}

// importKey gives a copy the key of its source. Should the step be undone, it
// is made again, with the same key.
func (s *Store) importKey(ctx context.Context, t *tx, key auditlog.Key) error {
	if _, err := t.Exec(ctx, "update meta set log_key = $1", key[:]); err != nil {
		return err
	}
	return s.setLogKey(key[:])
}

// readEvents calls fn for every event, in order.
func (t *tx) readEvents(ctx context.Context, fn func(registry.Event) error) error {
	rows, err := t.Query(ctx, "select seq, at, kind, what, who, why from events order by seq")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		e, err := exportEvent(rows)
		if err == nil {
			err = fn(*e.Event)
		}
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

// growAgain makes the tree over the events that were copied.
func (t *tx) growAgain(ctx context.Context) error {
	if t.key == nil {
		return fmt.Errorf("the key of the log is missing: %w", errDamaged)
	}
	var edge auditlog.Edge
	var done []auditlog.Node
	leaf := registry.Leaves(*t.key)
	err := t.readEvents(ctx, func(ev registry.Event) error {
		done = append(done, edge.Append(leaf(ev))...)
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading the events: %w", err)
	}
	var batch pgx.Batch
	batch.Queue("delete from nodes")
	queueNodes(&batch, done)
	batch.Queue("update head set edge = $1", edge.Bytes())
	if err := t.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("writing the tree of the log: %w", err)
	}
	return nil
}

// checkTree grows the tree again and holds it against what is stored.
func (t *tx) checkTree(ctx context.Context, most int) (faults []error, err error) {
	if t.key == nil {
		return []error{fmt.Errorf("the key of the log is missing: %w", errDamaged)}, nil
	}
	rows, err := t.Query(ctx, "select level, n, hash from nodes")
	if err != nil {
		return nil, err
	}
	nodes, err := pgx.CollectRows(rows, scanNode)
	if err != nil {
		return nil, err
	}
	type place struct {
		level int
		n     uint64
	}
	stored := make(map[place]auditlog.Hash, len(nodes))
	for _, x := range nodes {
		stored[place{x.Level, x.N}] = x.Hash
	}
	var raw []byte
	if err := t.QueryRow(ctx, "select edge from head").Scan(&raw); err != nil {
		return nil, err
	}
	edge, err := edgeOf(raw)
	if err != nil {
		return []error{err}, nil
	}
	again := registry.TreeAudit{Key: *t.key, Nodes: func(level int, n uint64) (auditlog.Hash, error) {
		h, ok := stored[place{level, n}]
		if !ok {
			return h, registry.ErrNotFound
		}
		return h, nil
	}}
	fault := func(err error) {
		if err != nil && len(faults) < most {
			faults = append(faults, fmt.Errorf("%w: %w", err, errDamaged))
		}
	}
	err = t.readEvents(ctx, func(ev registry.Event) error {
		fault(again.Add(ev))
		return nil
	})
	if err != nil {
		return faults, err
	}
	fault(again.End(edge, uint64(len(nodes))))
	return faults, nil
}
