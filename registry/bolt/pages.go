package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"attesta/registry"
)

// A selection is the records that have something in common. Its seqs stand in
// pages: the first one in the key after the selection, each other one as its
// distance from the one before. Records are only ever added at the end.
const (
	ofProvider        = 1
	ofModule          = 2
	ofEdition         = 3
	ofProviderEdition = 4
	ofModuleEdition   = 5
)

// pageSeqs is how many seqs a page has at most.
const pageSeqs = 128

// page is the last page of a selection, in a transaction that adds to it.
type page struct {
	first, last uint64
	n           int
	rest        []byte // as it is stored
}

// selection is the prefix in bucketPages of the records that have the words in
// common, or registry.ErrNotFound if no record has one of them.
func (t *tx) selection(kind byte, words ...string) ([]byte, error) {
	prefix := []byte{kind}
	for _, w := range words {
		n, err := t.known(w)
		if err != nil {
			return nil, err
		}
		prefix = binary.AppendUvarint(prefix, n)
	}
	return prefix, nil
}

// selections are those a record is in. A module belongs to one provider, so
// provider and module together need none of their own; a learner has bucketAwards.
func (t *tx) selections(r registry.Record) (out [][]byte, err error) {
	for _, x := range []struct {
		kind  byte
		words []string
	}{
		{ofProvider, []string{r.Provider}},
		{ofModule, []string{r.Module}},
		{ofEdition, []string{r.Edition}},
		{ofProviderEdition, []string{r.Provider, r.Edition}},
		{ofModuleEdition, []string{r.Module, r.Edition}},
	} {
		prefix, err := t.selection(x.kind, x.words...)
		if err != nil {
			return nil, fmt.Errorf("selecting: %v: %w", err, errDamaged)
		}
		out = append(out, prefix)
	}
	return out, nil
}

// enlist adds a new record to a selection.
func (t *tx) enlist(prefix []byte, seq uint64) error {
	t.changes++
	p := t.pages[string(prefix)]
	if p == nil {
		var err error
		if p, err = t.lastPage(prefix); err != nil {
			return err
		}
		if t.pages == nil {
			t.pages = map[string]*page{}
		}
		t.pages[string(prefix)] = p
	}
	if p.n == pageSeqs {
		if err := t.putPage(prefix, p); err != nil {
			return err
		}
		*p = page{}
	}
	switch {
	case p.n == 0:
		p.first = seq
	case seq <= p.last:
		return fmt.Errorf("listing record %d after %d: %w", seq, p.last, errDamaged)
	default:
		p.rest = binary.AppendUvarint(p.rest, seq-p.last)
	}
	p.last = seq
	p.n++
	return nil
}

// lastPage reads the page to which a selection adds, or makes one.
func (t *tx) lastPage(prefix []byte) (*page, error) {
	k, v, err := pageBelow(t.bucket(bucketPages).Cursor(), prefix, noSeq)
	if err != nil || k == nil {
		return &page{}, err
	}
	seqs, err := decodePage(k[len(prefix):], v)
	if err != nil {
		return nil, err
	}
	return &page{first: seqs[0], last: seqs[len(seqs)-1], n: len(seqs), rest: bytes.Clone(v)}, nil
}

func (t *tx) putPage(prefix []byte, p *page) error {
	return t.put(bucketPages, appendSeq(bytes.Clone(prefix), p.first), bytes.Clone(p.rest))
}

// pageBelow finds the last page of a selection whose first seq is below a seq.
func pageBelow(c *bbolt.Cursor, prefix []byte, seq uint64) (k, v []byte, err error) {
	if k, _ = c.Seek(appendSeq(bytes.Clone(prefix), seq)); k == nil {
		k, v = c.Last()
	} else {
		k, v = c.Prev()
	}
	if !hasPrefix(k, prefix) || len(k) == 0 {
		return nil, nil, nil
	}
	v, err = verified(bucketPages, k, v)
	return k, v, err
}

// decodePage reads the seqs of a page, ascending, from any bytes.
func decodePage(first, rest []byte) ([]uint64, error) {
	seq, err := seqOf(first)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", bucketPages, err)
	}
	seqs := append(make([]uint64, 0, pageSeqs), seq)
	for d := (decoder{b: rest}); len(d.b) > 0; {
		n := d.number()
		if seq += n; d.err != nil || n == 0 || n > noSeq || seq >= noSeq || len(seqs) == pageSeqs {
			return nil, fmt.Errorf("reading %s: %w", bucketPages, errDamaged)
		}
		seqs = append(seqs, seq)
	}
	return seqs, nil
}

// eachBelow calls fn with the seqs of a selection below one, newest first, until
// it returns false or an error.
func (t *tx) eachBelow(prefix []byte, before uint64, fn func(seq uint64) (bool, error)) error {
	c := t.bucket(bucketPages).Cursor()
	for {
		k, v, err := pageBelow(c, prefix, before)
		if err != nil || k == nil {
			return err
		}
		seqs, err := decodePage(k[len(prefix):], v)
		if err != nil {
			return err
		}
		for _, seq := range slices.Backward(seqs) {
			if seq >= before {
				continue
			}
			if more, err := fn(seq); err != nil || !more {
				return err
			}
		}
		before = seqs[0]
	}
}
