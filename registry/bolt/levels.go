package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"

	"attesta/registry"
)

// Which sealed records have a level stands in blocks of levelBlock seqs, a bit
// each, the lowest first.
const (
	levelBlock = 1024
	blockBytes = levelBlock / 8
)

// blockKey is the level, then the number of the block in four big-endian bytes.
func blockKey(l registry.Level, seq uint64) []byte {
	return binary.BigEndian.AppendUint32([]byte{byte(l)}, uint32(seq/levelBlock))
}

// block reads a block, to be written at the end of the transaction.
func (t *tx) block(l registry.Level, seq uint64) ([]byte, error) {
	key := blockKey(l, seq)
	if b, ok := t.levels[string(key)]; ok {
		return b, nil
	}
	b := make([]byte, blockBytes)
	if t.has(bucketLevels, key) {
		v, err := t.get(bucketLevels, key)
		if err != nil {
			return nil, err
		}
		if len(v) != blockBytes {
			return nil, fmt.Errorf("reading %s: %w", bucketLevels, errDamaged)
		}
		copy(b, v)
	}
	if t.levels == nil {
		t.levels = map[string][]byte{}
	}
	t.levels[string(key)] = b
	return b, nil
}

// raise puts a record that is sealed now at its level and takes it from the one
// that it had before.
func (t *tx) raise(was, is registry.Record) error {
	if was.State == registry.Sealed {
		if err := t.setLevel(was, false); err != nil {
			return err
		}
	}
	if is.State == registry.Sealed {
		return t.setLevel(is, true)
	}
	return nil
}

func (t *tx) setLevel(r registry.Record, there bool) error {
	b, err := t.block(r.Level, r.Seq)
	if err != nil {
		return err
	}
	t.changes++
	at, bit := r.Seq%levelBlock/8, byte(1)<<(r.Seq%8)
	if (b[at]&bit != 0) == there {
		return fmt.Errorf("record %d is %s at level %v and %s says otherwise: %w", r.Seq, r.State, r.Level, bucketLevels, errDamaged)
	}
	b[at] ^= bit
	return nil
}

func (t *tx) flushLevels() error {
	for key, b := range t.levels {
		var err error
		if bytes.Equal(b, make([]byte, blockBytes)) {
			err = t.remove(bucketLevels, []byte(key))
		} else {
			err = t.put(bucketLevels, []byte(key), bytes.Clone(b))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// decodeBlock reads the seqs of a block, ascending, from any bytes.
func decodeBlock(k, v []byte) (l registry.Level, seqs []uint64, err error) {
	if len(k) != 5 || len(v) != blockBytes || k[0] > byte(registry.LevelLTA) {
		return 0, nil, fmt.Errorf("reading %s: %w", bucketLevels, errDamaged)
	}
	first := uint64(binary.BigEndian.Uint32(k[1:])) * levelBlock
	for n, b := range v {
		for ; b != 0; b &= b - 1 {
			seqs = append(seqs, first+uint64(8*n+bits.TrailingZeros8(b)))
		}
	}
	return registry.Level(k[0]), seqs, nil
}

// AtLevel is registry.Ledger.AtLevel. It reads little more than the page.
func (s *Store) AtLevel(ctx context.Context, level registry.Level, after uint64, limit int) (out []registry.Record, err error) {
	if after >= noSeq {
		return nil, nil
	}
	err = s.view(ctx, func(t *tx) error {
		return t.scan(bucketLevels, []byte{byte(level)}, blockKey(level, after+1), func(k, v []byte) (bool, error) {
			_, seqs, err := decodeBlock(k, v)
			if err != nil {
				return false, err
			}
			for _, seq := range seqs {
				if seq <= after {
					continue
				}
				if len(out) == limit {
					return false, nil
				}
				r, err := t.atLevel(level, seq)
				if err != nil {
					return false, err
				}
				out = append(out, r)
			}
			return len(out) < limit, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// atLevel reads a record of which bucketLevels says that it has a level.
func (t *tx) atLevel(level registry.Level, seq uint64) (registry.Record, error) {
	r, err := t.row(seq)
	if err != nil {
		return registry.Record{}, fmt.Errorf("reading a record by its level: %v: %w", err, errDamaged)
	}
	if r.State != registry.Sealed || r.Level != level {
		return registry.Record{}, fmt.Errorf("record %d is %s at level %v and %s says otherwise: %w",
			seq, r.State, r.Level, bucketLevels, errDamaged)
	}
	return r.Record, nil
}
