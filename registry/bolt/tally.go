package bolt

import (
	"bytes"
	"fmt"

	"attesta/registry"
)

// tally is a set of seqs by how many they are and a sum over them that another
// set of as many will not have.
type tally struct{ n, sum uint64 }

func (t *tally) add(seq uint64) {
	x := seq * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	t.n++
	t.sum += x ^ x>>31
}

// of returns the tally of a key, which is empty at first.
func of[K comparable](all map[K]*tally, key K) *tally {
	t := all[key]
	if t == nil {
		t = &tally{}
		all[key] = t
	}
	return t
}

// readNames holds each name against its number and the other way round.
func (a *audit) readNames() error {
	n, err := a.each(bucketNames, func(k, v []byte) error {
		if len(k) < 2 {
			return a.fault("%s, key %x: it is too short", bucketNames, k)
		}
		var back []byte
		if k[0] == nameOfNumber {
			n, err := a.known(string(v))
			if err != nil {
				return a.fault("name %x has no number (%v)", k, err)
			}
			back = numberKey(n)
		} else {
			n, err := a.known(string(k[1:]))
			if err != nil {
				return a.fault("name %x is none (%v)", k, err)
			}
			word, err := a.word(n)
			if err != nil {
				return err
			}
			back = wordKey(word)
		}
		if string(back) != string(k) {
			return a.fault("%s, key %x: its inverse is %x", bucketNames, k, back)
		}
		return nil
	})
	if given := a.bucket(bucketNames).Sequence(); err == nil && n != 2*given {
		err = a.fault("%s has %d entries for %d names", bucketNames, n, given)
	}
	return err
}

// readIndexes finds entries of indexes without a record; checkIndexes finds those
// of each record.
func (a *audit) readIndexes() error {
	for _, index := range indexes() {
		n, err := a.readIndex(index)
		if want := a.bucket(bucketRecords).Sequence(); err == nil && n != want {
			err = a.fault("%s has %d entries instead of %d", index, n, want)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readIndex holds the leaves of an index against the order they must have, and
// counts its entries.
func (a *audit) readIndex(index string) (n uint64, err error) {
	leaves, last := 0, firstLeaf()
	_, err = a.each(index, func(k, v []byte) error {
		leaves++
		entries, err := decodeLeaf(v)
		if err != nil {
			return err
		}
		first, place := entries[0].key, entries[0].key
		if leaves == 1 {
			place = firstLeaf()
		}
		if !bytes.Equal(k, place) {
			return fmt.Errorf("it stands elsewhere than under %x: %w", place, errDamaged)
		}
		if bytes.Compare(first, last) <= 0 {
			return fmt.Errorf("%x follows %x: %w", first, last, errDamaged)
		}
		n, last = n+uint64(len(entries)), entries[len(entries)-1].key
		return nil
	})
	return n, err
}

// readPages holds the pages of all selections against what records ask for.
func (a *audit) readPages() error {
	found, last, newest := map[string]*tally{}, "", uint64(0)
	_, err := a.each(bucketPages, func(k, v []byte) error {
		if len(k) <= seqBytes {
			return a.fault("%s, key %x: it is too short", bucketPages, k)
		}
		prefix := string(k[:len(k)-seqBytes])
		seqs, err := decodePage(k[len(prefix):], v)
		if err != nil {
			return err
		}
		if prefix == last && seqs[0] <= newest {
			return a.fault("%s, key %x: it begins before the one before ends", bucketPages, k)
		}
		last, newest = prefix, seqs[len(seqs)-1]
		for _, seq := range seqs {
			of(found, prefix).add(seq)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return compare(a, bucketPages, found, a.listed)
}

func (a *audit) readLevels() error {
	found := map[registry.Level]*tally{}
	_, err := a.each(bucketLevels, func(k, v []byte) error {
		l, seqs, err := decodeBlock(k, v)
		for _, seq := range seqs {
			of(found, l).add(seq)
		}
		return err
	})
	if err != nil {
		return err
	}
	return compare(a, bucketLevels, found, a.levels)
}

// compare finds what is listed otherwise than records ask for.
func compare[K comparable](a *audit, bucket string, found, want map[K]*tally) error {
	for key := range found {
		of(want, key)
	}
	for key, w := range want {
		if f := of(found, key); *f != *w {
			if err := a.fault("%s lists %d records under %x, which are not the %d that belong there", bucket, f.n, key, w.n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *audit) compareLists() error {
	for id, l := range a.lists {
		if n := a.taken[id].Count(); n != int(l.next) {
			if err := a.fault("list %s gave out %d positions and records have %d", id, l.next, n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *audit) compareCounts(bucket string) error {
	again := a.again[bucket]
	n, err := a.each(bucket, func(k, v []byte) error {
		c, err := decodeCounts(v)
		if err != nil {
			return err
		}
		if c != again[string(k)] {
			return a.fault("%s, key %q: counted %v, are %v", bucket, k, c, again[string(k)])
		}
		return nil
	})
	if err == nil && n != uint64(len(again)) {
		err = a.fault("%s has %d entries instead of %d", bucket, n, len(again))
	}
	return err
}
