package bolt

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"attesta/registry"
)

// The keys of the indexes are cut short: what was cut off is compared in the
// record. Two random references that begin alike are refused as one that is
// taken, which 64 bits make a matter of a registry's whole life.
const (
	indexBytes   = 8 // of a random reference in the key of an index
	learnerBytes = 8 // of the hash of a learner
)

// awardKey is that of a module and an edition. It has the learner first and the
// module then, so that the awards of a person lie together, and those of a module
// among them: fewer words give what their keys begin with. It is
// registry.ErrNotFound if no record has one of the words.
func (t *tx) awardKey(learner string, words ...string) ([]byte, error) {
	key := learnerKey(learner)
	for _, w := range words {
		n, err := t.known(w)
		if err != nil {
			return nil, err
		}
		key = binary.AppendUvarint(key, n)
	}
	return key, nil
}

func learnerKey(learner string) []byte {
	sum := sha256.Sum256([]byte(learner))
	return sum[:learnerBytes:learnerBytes]
}

// indexes are the buckets whose entries lead to a record.
func indexes() []string {
	return []string{bucketAwards, bucketCredentials, bucketHandles, bucketClaims}
}

// lead is the key under which an index leads to a record.
func (t *tx) lead(index string, r row) (key []byte, err error) {
	ok := true
	switch index {
	case bucketAwards:
		key, err = t.awardKey(r.Learner, r.Module, r.Edition)
	case bucketCredentials:
		key, ok = rawCredential(r.Credential)
	case bucketHandles:
		key, ok = rawReference(r.Handle)
	case bucketClaims:
		key = bytes.Clone(r.claim[:])
	}
	if err != nil || !ok {
		return nil, fmt.Errorf("finding the key of record %d in %s: %v: %w", r.Seq, index, err, errDamaged)
	}
	if index != bucketAwards {
		key = key[:indexBytes]
	}
	return key, nil
}

// follow reads the record that an index leads to.
func (t *tx) follow(index string, key []byte) (row, error) {
	seq, err := t.lookUp(index, key)
	if err != nil {
		return row{}, err
	}
	return t.led(index, key, seq)
}

// led reads the record to which an entry leads, and holds it against the key.
func (t *tx) led(index string, key []byte, seq uint64) (row, error) {
	r, err := t.row(seq)
	if err != nil {
		return row{}, fmt.Errorf("following %s: %v: %w", index, err, errDamaged)
	}
	own, err := t.lead(index, r)
	if err != nil {
		return row{}, err
	}
	if !bytes.Equal(own, key) {
		return row{}, fmt.Errorf("following %s: it leads to record %d, which is another: %w", index, seq, errDamaged)
	}
	return r, nil
}

// leafFor moves a cursor to the leaf in which a key stands or would stand, and
// reads it. There is none, and its key is nil, in an index without entries.
func (t *tx) leafFor(index string, c *bbolt.Cursor, key []byte) (k, leaf []byte, err error) {
	k, v := c.Seek(key)
	if k == nil {
		k, v = c.Last()
	} else if !bytes.Equal(k, key) {
		if k, v = c.Prev(); k == nil {
			return nil, nil, fmt.Errorf("reading %s: its first leaf is missing: %w", index, errDamaged)
		}
	}
	if k == nil {
		return nil, nil, nil
	}
	if bytes.Compare(k, key) > 0 {
		return nil, nil, errPlace(index, key)
	}
	leaf, err = t.leaf(index, k, v)
	return k, leaf, err
}

// leafAfter moves a cursor to the leaf after the one that leafFor chose for a
// key, and returns the key of it, or nil. Keys of bbolt have no checksum, and one
// that changed leads to another leaf: what is not in a leaf, and is after all of
// it, is not in the index only if the next leaf is whole and begins after it.
func (t *tx) leafAfter(index string, c *bbolt.Cursor, key []byte) ([]byte, error) {
	k, v := c.Next()
	if k == nil {
		return nil, nil
	}
	if _, err := t.leaf(index, k, v); err != nil {
		return nil, err
	}
	if bytes.Compare(k, key) <= 0 {
		return nil, errPlace(index, key)
	}
	return k, nil
}

func errPlace(index string, key []byte) error {
	return fmt.Errorf("reading %s: %x is sought in a leaf that is not its own: %w", index, key, errDamaged)
}

// leaf takes a leaf out of a stored value.
func (t *tx) leaf(index string, k, v []byte) ([]byte, error) {
	t.values++
	leaf, err := verified(index, k, v)
	if err == nil && len(leaf) == 0 {
		err = fmt.Errorf("reading %s: a leaf has no entries: %w", index, errDamaged)
	}
	return leaf, err
}

// lookUp reads an entry of an index, or is registry.ErrNotFound.
func (t *tx) lookUp(index string, key []byte) (uint64, error) {
	c := t.bucket(index).Cursor()
	k, leaf, err := t.leafFor(index, c, key)
	if err != nil {
		return 0, err
	}
	at, found, err := seekEntry(leaf, 0, key)
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", index, err)
	}
	if !found {
		if k != nil && at == len(leaf) {
			if _, err := t.leafAfter(index, c, key); err != nil {
				return 0, err
			}
		}
		return 0, registry.ErrNotFound
	}
	e, _, err := entryAt(leaf, at)
	return e.seq, err
}

// entriesFrom calls fn for every entry of an index from a key on, until fn
// returns false or an error. What fn is given is valid until the index changes.
func (t *tx) entriesFrom(index string, key []byte, fn func(indexEntry) (bool, error)) error {
	c := t.bucket(index).Cursor()
	k, leaf, err := t.leafFor(index, c, key)
	for err == nil && k != nil {
		var more bool
		if more, err = eachEntry(leaf, key, fn); err != nil || !more {
			break
		}
		var v []byte
		if k, v = c.Next(); k != nil {
			leaf, err = t.leaf(index, k, v)
		}
	}
	return err
}

// arrivals are the entries, by index, that lead to the records of one Reserve.
// They are put into the indexes at its end, so that each leaf is written once
// for all of them. No two of the records are of the same award.
type arrivals map[string][]indexEntry

func (a arrivals) add(t *tx, r row) error {
	for _, index := range indexes() {
		key, err := t.lead(index, r)
		if err != nil {
			return err
		}
		a[index] = append(a[index], indexEntry{key, r.Seq})
	}
	return nil
}

// put puts them into the indexes. An entry that exists is registry.ErrConflict.
func (a arrivals) put(t *tx) error {
	for _, index := range indexes() {
		if err := t.putEntries(index, a[index]); err != nil {
			return err
		}
	}
	return nil
}

// putEntries puts new entries, which it sorts, into an index.
func (t *tx) putEntries(index string, entries []indexEntry) error {
	slices.SortFunc(entries, func(a, b indexEntry) int {
		return cmp.Or(bytes.Compare(a.key, b.key), cmp.Compare(a.seq, b.seq))
	})
	c := t.bucket(index).Cursor()
	for len(entries) > 0 {
		n, err := t.putLeaf(index, c, entries)
		if err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// putLeaf puts all new entries that are of the leaf of the first one there, and
// returns how many they are. A cursor knows nothing of a change of its bucket
// until it seeks again.
func (t *tx) putLeaf(index string, c *bbolt.Cursor, entries []indexEntry) (n int, err error) {
	k, leaf, err := t.leafFor(index, c, entries[0].key)
	if err != nil {
		return 0, err
	}
	n = len(entries)
	var next []byte
	if k == nil {
		k = firstLeaf()
	} else if next, err = t.leafAfter(index, c, entries[0].key); err != nil {
		return 0, err
	}
	if next != nil {
		n, _ = slices.BinarySearchFunc(entries[1:], next, func(e indexEntry, next []byte) int { return bytes.Compare(e.key, next) })
		n++
	}
	grown, err := mergeLeaf(index, leaf, entries[:n])
	if err != nil {
		return 0, err
	}
	parts, err := cutLeaf(grown)
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", index, err)
	}
	for i, part := range parts {
		if i > 0 {
			e, _, err := entryAt(part, 0)
			if err != nil {
				return 0, err
			}
			k = e.key
		}
		if err := t.put(index, k, part); err != nil {
			return 0, err
		}
	}
	return n, nil
}
