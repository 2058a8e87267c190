package bolt

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"runtime/debug"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"attesta/registry"
)

// tx is one transaction with what it has to write at its end.
type tx struct {
	*bbolt.Tx
	changed bool
	id      string                                // of the registry, for its migration
	rand    io.Reader                             // for its migration
	counts  map[string]map[string]registry.Counts // bucket, key
	lists   map[string]*list                      // open lists by provider
	entries uint64                                // of the log, when it grew
	last    [sha256.Size]byte                     // digest of its last entry
	tree    *growth                               // of the log, when it grew
}

// view runs fn on a consistent snapshot. What fn is given by bbolt is valid
// until it returns.
func (s *Store) view(ctx context.Context, fn func(*tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.reading.RLock()
	defer s.reading.RUnlock()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	btx, err := s.db.Begin(false)
	if err != nil {
		return fmt.Errorf("beginning to read: %w", err)
	}
	defer func() { _ = btx.Rollback() }()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("reading the file: %v: %w", r, errDamaged)
		}
	}()
	return fn(&tx{Tx: btx})
}

// update runs fn and makes what it changed durable, or nothing of it.
func (s *Store) update(ctx context.Context, fn func(*tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if why := s.broken.Load(); why != nil {
		return fmt.Errorf("the registry takes no more changes until it is opened again: %w", *why)
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	btx, err := s.db.Begin(true)
	if err != nil {
		return fmt.Errorf("beginning to change: %w", err)
	}
	defer s.undo(btx)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("changing the file: %v: %w", r, errDamaged)
			s.broken.Store(&err)
		}
	}()
	// Who waited for the lock meets here what happened meanwhile.
	if why := s.broken.Load(); why != nil {
		return fmt.Errorf("the registry takes no more changes until it is opened again: %w", *why)
	}
	if err := s.mark.catchUp(); err != nil {
		return err
	}
	t := &tx{Tx: btx}
	if err := fn(t); err != nil {
		return err
	}
	if err := t.flush(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil || !t.changed {
		return err
	}
	if err := btx.Commit(); err != nil {
		doubt := inDoubt(err)
		if err = fmt.Errorf("committing: %w", kind(err)); doubt {
			s.broken.Store(&err)
			s.end.Do(func() { close(s.failed) })
		}
		return err
	}
	s.mark.advance(t.entries, t.last)
	return nil
}

// inDoubt tells whether an error leaves open what the disk holds. A disk that
// had no room for a page when it was written took none of the change; one that
// says so only when it is asked to keep what was written may have kept it.
func inDoubt(err error) bool {
	if errors.Is(err, berrors.ErrMaxSizeReached) {
		return false
	}
	_, writing := errors.AsType[*fs.PathError](err)
	return !writing || !errors.Is(kind(err), registry.ErrFull)
}

// undo ends a transaction that was not committed. On a damaged file that may
// fail half-way, and then the lock of bbolt stays taken.
func (s *Store) undo(btx *bbolt.Tx) {
	defer func() {
		if r := recover(); r != nil {
			err := fmt.Errorf("undoing a change: %v: %w", r, errDamaged)
			s.broken.Store(&err)
			s.stuck.Store(true)
		}
	}()
	_ = btx.Rollback() // after a commit there is nothing to undo
}

// checksum guards a value together with its place.
func checksum(bucket string, key, value []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(0, table, []byte(bucket))
	sum = crc32.Update(sum, table, binary.BigEndian.AppendUint32(nil, uint32(len(key))))
	sum = crc32.Update(sum, table, key)
	return crc32.Update(sum, table, value)
}

// put stores a value, of which it takes hold.
func (t *tx) put(bucket string, key, value []byte) error {
	t.changed = true
	value = binary.BigEndian.AppendUint32(value, checksum(bucket, key, value))
	if err := t.bucket(bucket).Put(key, value); err != nil {
		return fmt.Errorf("writing to %s: %w", bucket, err)
	}
	return nil
}

// bucket is never nil: a missing bucket panics inside the caller's transaction,
// where it is met as damage.
func (t *tx) bucket(name string) *bbolt.Bucket {
	b := t.Bucket([]byte(name))
	switch name {
	case bucketRecords, bucketBodies, bucketSealed, bucketUnfinished, bucketLevels, bucketEvents:
		b.FillPercent = 0.95 // written in order of key
	}
	return b
}

// get returns a value, or registry.ErrNotFound. It must not be changed and is
// valid until the transaction ends.
func (t *tx) get(bucket string, key []byte) ([]byte, error) {
	v := t.bucket(bucket).Get(key)
	if v == nil {
		return nil, registry.ErrNotFound
	}
	return verified(bucket, key, v)
}

// verified takes the checksum off a stored value.
func verified(bucket string, key, v []byte) ([]byte, error) {
	n := len(v) - 4
	if n < 0 || binary.BigEndian.Uint32(v[n:]) != checksum(bucket, key, v[:n]) {
		return nil, fmt.Errorf("reading %s: checksum differs: %w", bucket, errDamaged)
	}
	return v[:n:n], nil
}

func (t *tx) has(bucket string, key []byte) bool { return t.bucket(bucket).Get(key) != nil }

func (t *tx) remove(bucket string, key []byte) error {
	t.changed = true
	if err := t.bucket(bucket).Delete(key); err != nil {
		return fmt.Errorf("removing from %s: %w", bucket, err)
	}
	return nil
}

// scan calls fn for every entry from the key on that has the prefix, until fn
// returns false or an error. Key and value are valid until the transaction ends.
func (t *tx) scan(bucket string, prefix, from []byte, fn func(key, value []byte) (bool, error)) error {
	c := t.bucket(bucket).Cursor()
	if len(from) == 0 {
		from = prefix
	}
	for k, v := c.Seek(from); k != nil && hasPrefix(k, prefix); k, v = c.Next() {
		value, err := verified(bucket, k, v)
		if err != nil {
			return err
		}
		if more, err := fn(k, value); err != nil || !more {
			return err
		}
	}
	return nil
}

func hasPrefix(k, prefix []byte) bool {
	return len(k) >= len(prefix) && string(k[:len(prefix)]) == string(prefix)
}

// seqKey is a number as a key.
func seqKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// tuple joins text into a key that sorts as the parts do one after the other
// and that no other parts give, whatever bytes they hold.
func tuple(parts ...string) []byte {
	var k []byte
	for _, p := range parts {
		for i := range len(p) {
			if k = append(k, p[i]); p[i] == 0 {
				k = append(k, 0xff)
			}
		}
		k = append(k, 0, 1)
	}
	return k
}

// untuple is the inverse of tuple.
func untuple(key []byte, n int) ([]string, error) {
	parts := make([]string, 0, n)
	var part []byte
	for i := 0; i < len(key); i++ {
		switch {
		case key[i] != 0:
			part = append(part, key[i])
		case i+1 < len(key) && key[i+1] == 0xff:
			part = append(part, 0)
			i++
		case i+1 < len(key) && key[i+1] == 1:
			parts = append(parts, string(part))
			part = part[:0]
			i++
		default:
			return nil, fmt.Errorf("reading a key: %w", errDamaged)
		}
	}
	if len(parts) != n || len(part) > 0 {
		return nil, fmt.Errorf("reading a key of %d parts: %w", n, errDamaged)
	}
	return parts, nil
}

// count adds to counters; they are written when the transaction ends.
func (t *tx) count(bucket, key string, add func(*registry.Counts)) error {
	if t.counts[bucket] == nil {
		if t.counts == nil {
			t.counts = map[string]map[string]registry.Counts{}
		}
		t.counts[bucket] = map[string]registry.Counts{}
	}
	c, ok := t.counts[bucket][key]
	if !ok {
		var err error
		if c, err = t.readCounts(bucket, []byte(key)); err != nil {
			return err
		}
	}
	add(&c)
	t.counts[bucket][key] = c
	return nil
}

func (t *tx) readCounts(bucket string, key []byte) (registry.Counts, error) {
	v, err := t.get(bucket, key)
	if errors.Is(err, registry.ErrNotFound) {
		return registry.Counts{}, nil
	}
	if err != nil {
		return registry.Counts{}, err
	}
	return decodeCounts(v)
}

// recount takes a record out of the counters as it was and puts it in as it is.
// A record without Seq was not there.
func (t *tx) recount(was, is registry.Record) error {
	change := func(c *registry.Counts) {
		addRecord(c, was, ^uint64(0)) // minus one
		addRecord(c, is, 1)
	}
	for _, key := range []string{"", is.Provider} {
		if err := t.count(bucketCounts, string(tuple(key)), change); err != nil {
			return err
		}
	}
	return t.count(bucketEditions, string(tuple(is.Provider, is.Module, is.Edition)), change)
}

// flush writes counters, lists and the edge of the log.
func (t *tx) flush() error {
	if err := t.putEdge(); err != nil {
		return err
	}
	for bucket, counts := range t.counts {
		for key, c := range counts {
			if err := t.put(bucket, []byte(key), encodeCounts(c)); err != nil {
				return err
			}
		}
	}
	for _, l := range t.lists {
		if err := t.put(bucketLists, []byte(l.id), encodeList(l)); err != nil {
			return err
		}
	}
	return nil
}
