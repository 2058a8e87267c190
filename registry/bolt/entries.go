package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"attesta/registry"
	"attesta/status"
)

// What is not valid in a list stands in blocks of entriesEach positions, two bits
// each, the lowest first: positions are at random, and whoever withdraws a
// thousand credentials of a list writes a few pages and not one for each. A block
// in which all is valid is not there.
const (
	entriesEach = 1024
	entryBytes  = entriesEach / 4
)

// entryKey is the list, then the number of the block in two big-endian bytes.
func entryKey(list string, index uint32) []byte {
	return binary.BigEndian.AppendUint16([]byte(list), uint16(index/entriesEach))
}

// entryBits reads a value out of a block.
func entryBits(b []byte, index uint32) status.Value {
	return status.Value(b[index%entriesEach/4] >> (index % 4 * 2) & 3)
}

// entryBlock reads a block, which must not be changed; of one that is not there it
// returns nil.
func (t *tx) entryBlock(key []byte) ([]byte, error) {
	if b, ok := t.marked[string(key)]; ok {
		return b, nil
	}
	b, err := t.get(bucketEntries, key)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil
	}
	if err == nil && len(b) != entryBytes {
		err = fmt.Errorf("reading %s: %w", bucketEntries, errDamaged)
	}
	return b, err
}

// putEntry writes the status of a record into its list, at the end of the
// transaction.
func (t *tx) putEntry(r registry.Record) error {
	if err := t.renew(r); err != nil {
		return err
	}
	key := entryKey(r.List, r.Index)
	b, ok := t.marked[string(key)]
	if !ok {
		was, err := t.entryBlock(key)
		if err != nil {
			return err
		}
		b = make([]byte, entryBytes)
		copy(b, was)
		if t.marked == nil {
			t.marked = map[string][]byte{}
		}
		t.marked[string(key)] = b
	}
	t.changes++
	at, shift := r.Index%entriesEach/4, r.Index%4*2
	b[at] = b[at]&^(3<<shift) | byte(r.Status)<<shift
	return nil
}

func (t *tx) flushEntries() error {
	for key, b := range t.marked {
		var err error
		if bytes.Equal(b, make([]byte, entryBytes)) {
			err = t.remove(bucketEntries, []byte(key))
		} else {
			err = t.put(bucketEntries, []byte(key), roomy(b))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// decodeEntries reads what is not valid out of a block, in order, from any bytes;
// number is that of the block.
func decodeEntries(number, b []byte) (out []registry.StatusEntry, err error) {
	if len(number) != 2 || len(b) != entryBytes {
		return nil, fmt.Errorf("reading %s: %w", bucketEntries, errDamaged)
	}
	first := uint32(binary.BigEndian.Uint16(number)) * entriesEach
	for at, four := range b {
		for n := uint32(4 * at); four != 0; n, four = n+1, four>>2 {
			switch v := status.Value(four & 3); {
			case v > status.Suspended || first+n >= registry.ListSize:
				return nil, fmt.Errorf("reading %s: %w", bucketEntries, errDamaged)
			case v != status.Valid:
				out = append(out, registry.StatusEntry{Index: first + n, Value: v})
			}
		}
	}
	return out, nil
}

// checkEntry holds what a list says of a record against it.
func (a *audit) checkEntry(r registry.Record) error {
	b, err := a.entryBlock(entryKey(r.List, r.Index))
	if err != nil {
		return err
	}
	said := status.Valid
	if b != nil {
		said = entryBits(b, r.Index)
	}
	if said != r.Status {
		return a.fault("record %d is %v and its list says %v", r.Seq, r.Status, said)
	}
	if said != status.Valid {
		a.invalid++
	}
	return nil
}

// readEntries finds entries that are of no record.
func (a *audit) readEntries() error {
	found := uint64(0)
	_, err := a.each(bucketEntries, func(k, v []byte) error {
		if len(k) < 2 {
			return a.fault("%s, key %x: it is too short", bucketEntries, k)
		}
		entries, err := decodeEntries(k[len(k)-2:], v)
		found += uint64(len(entries))
		return err
	})
	if err == nil && found != a.invalid {
		err = a.fault("%s says that %d are not valid, and records say %d", bucketEntries, found, a.invalid)
	}
	return err
}
