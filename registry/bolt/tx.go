package bolt

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime/debug"

	"go.etcd.io/bbolt"

	"attesta/registry"
)

// tx is one transaction with what it has to write at its end. Several functions
// may share it, one after the other; one that fails after it has changed
// something ends the transaction for all.
type tx struct {
	*bbolt.Tx
	buckets map[string]*bbolt.Bucket              // of a change, that were met
	changes int                                   // made so far, at least
	values  uint64                                // read so far
	numbers map[string]uint64                     // names that were met
	words   map[uint64]string                     // the same by number
	counts  map[string]map[string]registry.Counts // bucket, key
	lists   map[string]*list                      // whatever changes of lists, by id
	open    map[string]*list                      // open lists by openKey
	marked  map[string][]byte                     // blocks of entries that changed, by key
	pages   map[string]*page                      // last pages, by selection
	levels  map[string][]byte                     // blocks that changed, by key
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
	t := &tx{Tx: btx}
	defer func() { s.values.Add(t.values) }()
	return fn(t)
}

// undo ends a transaction that was not committed. On a damaged file that may
// fail half-way, and then the lock of bbolt stays taken.
func (s *Store) undo(btx *bbolt.Tx) {
	defer func() {
		if r := recover(); r != nil {
			err := fmt.Errorf("undoing a change: %v: %w", r, errDamaged)
			s.fail(err)
			s.stuck.Store(true)
		}
	}()
	_ = btx.Rollback() // after a commit there is nothing to undo
}

const checksumSize = 4

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
	t.changes++
	value = binary.BigEndian.AppendUint32(value, checksum(bucket, key, value))
	if err := t.bucket(bucket).Put(key, value); err != nil {
		return fmt.Errorf("writing to %s: %w", bucket, err)
	}
	return nil
}

// bucket is never nil: a missing bucket panics inside the caller's transaction,
// where it is met as damage.
func (t *tx) bucket(name string) *bbolt.Bucket {
	if b, ok := t.buckets[name]; ok {
		return b
	}
	b := t.Bucket([]byte(name))
	switch name {
	case bucketRecords, bucketBodies, bucketSealed, bucketEvents:
		b.FillPercent = 1 // written in order of key, and seldom longer later
	}
	if t.Writable() && b != nil {
		if t.buckets == nil {
			t.buckets = map[string]*bbolt.Bucket{}
		}
		t.buckets[name] = b
	}
	return b
}

// get returns a value, or registry.ErrNotFound. It must not be changed and is
// valid until the transaction ends.
func (t *tx) get(bucket string, key []byte) ([]byte, error) {
	t.values++
	v := t.bucket(bucket).Get(key)
	if v == nil {
		return nil, registry.ErrNotFound
	}
	return verified(bucket, key, v)
}

// next gives out the next number of a bucket.
func (t *tx) next(bucket string) (uint64, error) {
	t.changes++
	n, err := t.bucket(bucket).NextSequence()
	if err == nil && n >= noSeq {
		err = registry.ErrFull
	}
	if err != nil {
		return 0, fmt.Errorf("numbering in %s: %w", bucket, err)
	}
	return n, nil
}

// verified takes the checksum off a stored value.
func verified(bucket string, key, v []byte) ([]byte, error) {
	n := len(v) - checksumSize
	if n < 0 || binary.BigEndian.Uint32(v[n:]) != checksum(bucket, key, v[:n]) {
		return nil, fmt.Errorf("reading %s: checksum differs: %w", bucket, errDamaged)
	}
	return v[:n:n], nil
}

func (t *tx) has(bucket string, key []byte) bool { return t.bucket(bucket).Get(key) != nil }

func (t *tx) remove(bucket string, key []byte) error {
	t.changes++
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
		t.values++
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

const (
	seqBytes = 5                   // of a number in a key
	noSeq    = 1<<(8*seqBytes) - 1 // greater than every number that is given out
)

// seqKey is a number as a key.
func seqKey(n uint64) []byte { return appendSeq(nil, n) }

func appendSeq(k []byte, n uint64) []byte {
	n = min(n, noSeq)
	return append(k, byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// seqOf is the inverse of seqKey.
func seqOf(k []byte) (uint64, error) {
	if len(k) != seqBytes {
		return 0, fmt.Errorf("reading a number: %w", errDamaged)
	}
	return uint64(k[0])<<32 | uint64(binary.BigEndian.Uint32(k[1:])), nil
}

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
		c.Count(was, ^uint64(0)) // minus one
		c.Count(is, 1)
	}
	for _, key := range []string{"", is.Provider} {
		if err := t.count(bucketCounts, string(tuple(key)), change); err != nil {
			return err
		}
	}
	return t.count(bucketEditions, string(tuple(is.Provider, is.Module, is.Edition)), change)
}

// flush writes what the functions have left for the end.
func (t *tx) flush() error {
	if err := t.putEdge(); err != nil {
		return err
	}
	for prefix, p := range t.pages {
		if err := t.putPage([]byte(prefix), p); err != nil {
			return err
		}
	}
	if err := t.flushLevels(); err != nil {
		return err
	}
	if err := t.flushEntries(); err != nil {
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
