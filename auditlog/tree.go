package auditlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Edge is the right edge of a growing tree: its size, and the hashes of the
// complete subtrees that it falls into, the largest first. It is all that is
// needed to append and to know the root. The zero value is the empty tree. It
// is not safe for concurrent use.
type Edge struct {
	size  uint64
	peaks []Hash
}

// TileHeight is how many levels of the tree lie between two that are stored; a
// tile is what lies below one stored hash.
const (
	TileHeight = 8
	TileSize   = 1 << TileHeight
)

// Node is the hash of a complete subtree of TileSize^Level leaves, the N-th
// from the left.
type Node struct {
	Level int // from 1
	N     uint64
	Hash  Hash
}

// Append adds a leaf. It returns the subtrees that it completes and that are to
// be stored: one for every TileSize leaves, and seldom more.
func (e *Edge) Append(leaf Hash) (done []Node) {
	h, level := leaf, 0
	for n := e.size; n&1 == 1; n >>= 1 {
		last := len(e.peaks) - 1
		h = tlog.NodeHash(e.peaks[last], h)
		e.peaks = e.peaks[:last]
		if level++; level%TileHeight == 0 {
			done = append(done, Node{level / TileHeight, e.size >> level, h})
		}
	}
	e.peaks = append(e.peaks, h)
	e.size++
	return done
}

// Size is how many leaves the tree has.
func (e *Edge) Size() uint64 { return e.size }

// Root is the hash of the whole tree (RFC 6962, section 2.1).
func (e *Edge) Root() Hash {
	n := len(e.peaks)
	if n == 0 {
		return emptyRoot()
	}
	h := e.peaks[n-1]
	for i := n - 2; i >= 0; i-- {
		h = tlog.NodeHash(e.peaks[i], h)
	}
	return h
}

// emptyRoot is the hash of the tree without leaves.
func emptyRoot() Hash {
	h, err := tlog.TreeHash(0, nil)
	if err != nil {
		return Hash{}
	}
	return h
}

// Bytes is the edge as a store keeps it: the size in eight bytes, the most
// significant first, and then the hashes.
func (e *Edge) Bytes() []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(e.peaks)*tlog.HashSize), e.size)
	for _, h := range e.peaks {
		b = append(b, h[:]...)
	}
	return b
}

// ParseEdge is the inverse of Bytes, for any bytes. No bytes at all are the
// empty tree.
func ParseEdge(b []byte) (Edge, error) {
	if len(b) == 0 {
		return Edge{}, nil
	}
	if len(b) < 8 {
		return Edge{}, fmt.Errorf("reading the edge of the log: it is cut short: %w", ErrInvalid)
	}
	e := Edge{size: binary.BigEndian.Uint64(b)}
	n := bits.OnesCount64(e.size)
	if b = b[8:]; e.size > maxSize || len(b) != n*tlog.HashSize {
		return Edge{}, fmt.Errorf("reading the edge of the log: %d bytes of hashes for %d entries: %w", len(b), e.size, ErrInvalid)
	}
	e.peaks = make([]Hash, n, n+1)
	for i := range e.peaks {
		copy(e.peaks[i][:], b[i*tlog.HashSize:])
	}
	return e, nil
}

// maxSize bounds a tree; the library counts in int64 and needs room for inner
// nodes.
const maxSize = 1 << 60

// Source is what a store has of a tree.
type Source interface {
	// Leaves returns the hashes of count leaves from the n-th on, from 0.
	Leaves(n uint64, count int) ([]Hash, error)
	// Nodes returns the hashes of count stored nodes of a level from the N-th on.
	Nodes(level int, n uint64, count int) ([]Hash, error)
}

// Tree is a tree of one size over what a store has. Whatever it reads it holds
// against the root: what was changed in the store is an error that wraps
// ErrDiffers, never an answer.
type Tree struct {
	tlog.Tree
	reader tlog.HashReader
}

// NewTree returns the tree that has an edge.
func NewTree(e *Edge, from Source) *Tree {
	t := &Tree{Tree: tlog.Tree{N: int64(e.size), Hash: e.Root()}}
	held := tlog.TileHashReader(t.Tree, tiles{from})
	t.reader = tlog.HashReaderFunc(func(indexes []int64) ([]Hash, error) {
		hashes, err := held.ReadHashes(indexes)
		if of, ok := errors.AsType[*storeError](err); ok {
			return nil, of.error
		}
		if err != nil {
			return nil, fmt.Errorf("holding the stored entries against the root: %w", ErrDiffers)
		}
		return hashes, nil
	})
	return t
}

// storeError is what a store answered, beside what the library says itself.
type storeError struct{ error }

// ErrDiffers is wrapped when what a store holds is not what its tree was made
// of, or a proof does not prove.
var ErrDiffers = errors.New("it is not what the log was made of")

// RootAt returns the root that the tree had when it had size leaves, which are
// at most those it has.
func (t *Tree) RootAt(size uint64) (Hash, error) {
	if size > uint64(t.N) {
		return Hash{}, fmt.Errorf("asking for the root of %d entries: there are %d: %w", size, t.N, ErrInvalid)
	}
	if size == 0 {
		return emptyRoot(), nil
	}
	h, err := tlog.TreeHash(int64(size), t.reader)
	if err != nil {
		return h, fmt.Errorf("computing the root of %d entries: %w", size, err)
	}
	return h, nil
}

// Inclusion proves that entry number seq, from 1, is in the tree of size
// entries (RFC 6962, section 2.1.1).
func (t *Tree) Inclusion(seq, size uint64) ([]Hash, error) {
	if seq == 0 || seq > size || size > uint64(t.N) {
		return nil, fmt.Errorf("proving entry %d among %d: there are %d: %w", seq, size, t.N, ErrInvalid)
	}
	p, err := tlog.ProveRecord(int64(size), int64(seq-1), t.reader)
	if err != nil {
		return nil, fmt.Errorf("proving entry %d: %w", seq, err)
	}
	return p, nil
}

// Consistency proves that the tree of new entries begins with that of old, which
// are at least one (RFC 6962, section 2.1.2).
func (t *Tree) Consistency(old, size uint64) ([]Hash, error) {
	if old == 0 || old > size || size > uint64(t.N) {
		return nil, fmt.Errorf("proving that %d entries grew from %d: there are %d: %w", size, old, t.N, ErrInvalid)
	}
	p, err := tlog.ProveTree(int64(size), int64(old), t.reader)
	if err != nil {
		return nil, fmt.Errorf("proving that %d entries grew from %d: %w", size, old, err)
	}
	return p, nil
}

// CheckInclusion holds a proof of Inclusion against a root.
func CheckInclusion(proof []Hash, size uint64, root Hash, l Leaf) error {
	if l.Seq == 0 || l.Seq > size || size > maxSize {
		return fmt.Errorf("entry %d is none of %d: %w", l.Seq, size, ErrDiffers)
	}
	if err := tlog.CheckRecord(proof, int64(size), root, int64(l.Seq-1), l.Hash()); err != nil {
		return fmt.Errorf("entry %d is not in the tree of %d entries: %w", l.Seq, size, ErrDiffers)
	}
	return nil
}

// CheckConsistency holds a proof of Consistency against both roots. Every tree
// begins with the empty one, for which there is no proof to give.
func CheckConsistency(proof []Hash, old uint64, oldRoot Hash, size uint64, root Hash) error {
	if old == 0 && len(proof) == 0 && oldRoot == emptyRoot() {
		return nil
	}
	if old == 0 || old > size || size > maxSize {
		return fmt.Errorf("%d entries did not grow from %d: %w", size, old, ErrDiffers)
	}
	if err := tlog.CheckTree(proof, int64(size), root, int64(old), oldRoot); err != nil {
		return fmt.Errorf("the tree of %d entries does not begin with that of %d: %w", size, old, ErrDiffers)
	}
	return nil
}

// tiles reads tiles for the library, which holds them against the root.
type tiles struct{ from Source }

func (t tiles) Height() int { return TileHeight }

// SaveTiles keeps nothing: what was read once is read again.
func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(wanted))
	for i, w := range wanted {
		first := uint64(w.N) << TileHeight
		read := func() ([]Hash, error) { return t.from.Nodes(w.L, first, w.W) }
		if w.L == 0 {
			read = func() ([]Hash, error) { return t.from.Leaves(first, w.W) }
		}
		hashes, err := read()
		if err != nil {
			return nil, &storeError{err}
		}
		if len(hashes) != w.W {
			return nil, &storeError{fmt.Errorf("%d hashes of level %d from %d where there were %d: %w", len(hashes), w.L, first, w.W, ErrDiffers)}
		}
		for _, h := range hashes {
			out[i] = append(out[i], h[:]...)
		}
	}
	return out, nil
}
