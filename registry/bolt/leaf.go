package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"attesta/registry"
)

// The entries of an index are random and few bytes long, so they do not stand
// one by one: a leaf holds all of a range in one value, in ascending order. It
// stands under the key it begins with, the first leaf under firstLeaf, which is
// before every key of an index: what is sought is in the last leaf that stands
// under its key or before it. A leaf that grows beyond mostLeaf is cut into even
// parts. No entry is ever removed.

// mostLeaf is the most bytes of a leaf without its checksum: two fit in a page
// of 4 KiB, with the header of the page, and with the 16 bytes, the key and the
// checksum of each.
const mostLeaf = 2000

func firstLeaf() []byte { return []byte{0} }

// indexEntry leads from a key to a record. In a leaf it is the length of the key
// in a byte, the key, and the seq as a variable-length number.
type indexEntry struct {
	key []byte
	seq uint64
}

func appendEntry(leaf []byte, e indexEntry) []byte {
	leaf = append(append(leaf, byte(len(e.key))), e.key...)
	return binary.AppendUvarint(leaf, e.seq)
}

// entryAt reads the entry that begins at a place in a leaf, from any bytes, and
// returns the place after it.
func entryAt(leaf []byte, at int) (e indexEntry, after int, err error) {
	begin := at + 1
	end := begin + int(leaf[at])
	if end < len(leaf) {
		seq, n := binary.Uvarint(leaf[end:])
		if n > 0 && seq > 0 && seq < noSeq {
			return indexEntry{leaf[begin:end:end], seq}, end + n, nil
		}
	}
	return indexEntry{}, 0, errEntry()
}

func errEntry() error { return fmt.Errorf("decoding an entry of an index: %w", errDamaged) }

// seekEntry returns the place in a leaf, from one on, of the first entry that has
// a key or one after it, and whether it is that key. What it passes by it reads
// no further than it must.
func seekEntry(leaf []byte, at int, key []byte) (place int, found bool, err error) {
	for at < len(leaf) {
		begin := at + 1
		end := begin + int(leaf[at])
		if end >= len(leaf) {
			return 0, false, errEntry()
		}
		if order := bytes.Compare(leaf[begin:end], key); order >= 0 {
			return at, order == 0, nil
		}
		for leaf[end] >= 0x80 { // the number goes on
			if end++; end == len(leaf) {
				return 0, false, errEntry()
			}
		}
		at = end + 1
	}
	return at, false, nil
}

// eachEntry calls fn for every entry of a leaf from a key on, until fn returns
// false, which it returns too, or an error.
func eachEntry(leaf, key []byte, fn func(indexEntry) (bool, error)) (more bool, err error) {
	at, _, err := seekEntry(leaf, 0, key)
	for more = true; err == nil && more && at < len(leaf); {
		var e indexEntry
		if e, at, err = entryAt(leaf, at); err == nil {
			more, err = fn(e)
		}
	}
	return more, err
}

// mergeLeaf returns a leaf of an index with more entries, which are sorted, in
// new memory with room for its checksum. A key that is there already, or twice
// among them, is registry.ErrConflict.
func mergeLeaf(index string, leaf []byte, more []indexEntry) ([]byte, error) {
	size := len(leaf)
	for _, e := range more {
		size += 1 + len(e.key) + binary.MaxVarintLen64
	}
	out, copied, last := make([]byte, 0, size+checksumSize), 0, []byte(nil)
	for _, e := range more {
		at, found, err := seekEntry(leaf, copied, e.key)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", index, err)
		}
		if found || bytes.Equal(e.key, last) {
			return nil, fmt.Errorf("adding record %d: its entry in %s exists: %w", e.seq, index, registry.ErrConflict)
		}
		out = appendEntry(append(out, leaf[copied:at]...), e)
		copied, last = at, e.key
	}
	return append(out, leaf[copied:]...), nil
}

// cutLeaf cuts a leaf that has grown too long into even parts, each in memory of
// its own. No part is beyond three quarters of mostLeaf by more than an entry.
func cutLeaf(leaf []byte) (parts [][]byte, err error) {
	if len(leaf) <= mostLeaf {
		return [][]byte{leaf}, nil
	}
	n := len(leaf)/(mostLeaf*3/4) + 1
	begin := 0
	for at := 0; at < len(leaf); {
		if _, at, err = entryAt(leaf, at); err != nil {
			return nil, err
		}
		if at >= len(leaf)*(len(parts)+1)/n {
			parts = append(parts, roomy(leaf[begin:at]))
			begin = at
		}
	}
	return parts, nil
}

// decodeLeaf reads all entries of a leaf, from any bytes: at least one, in
// ascending order.
func decodeLeaf(leaf []byte) (entries []indexEntry, err error) {
	if len(leaf) == 0 || len(leaf) > mostLeaf {
		return nil, fmt.Errorf("decoding a leaf of %d bytes: %w", len(leaf), errDamaged)
	}
	var last []byte
	for at := 0; at < len(leaf); {
		var e indexEntry
		if e, at, err = entryAt(leaf, at); err != nil {
			return nil, err
		}
		if bytes.Compare(e.key, last) <= 0 {
			return nil, fmt.Errorf("decoding a leaf: %x follows %x: %w", e.key, last, errDamaged)
		}
		entries, last = append(entries, e), e.key
	}
	return entries, nil
}
