package bolt

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"attesta/registry"
)

// Accept takes a file as the newest there is, on the word of an operator who
// restored it: it closes the status lists that are open and writes the mark
// anew. Nothing else is changed, and the log says so. From then on positions
// are given out in new lists only, so that none is given twice, whatever was
// given out since the copy was made. It returns how many lists it closed.
//
// It may be repeated at any time. A file that another process has open is
// registry.ErrInUse.
func Accept(path, by string, at time.Time, opts Options) (closed int, err error) {
	if err := inspect(path, opts); err != nil {
		return 0, fmt.Errorf("accepting registry: %w", err)
	}
	s, err := open(path, opts, changing)
	if err != nil {
		return 0, fmt.Errorf("accepting registry: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if closed, err = s.accept(path, by, at); err != nil {
		return 0, fmt.Errorf("accepting registry: %w", err)
	}
	return closed, nil
}

func (s *Store) accept(path, by string, at time.Time) (closed int, err error) {
	err = s.update(context.Background(), func(t *tx) error {
		var open [][]byte
		err := t.scan(bucketOpenLists, nil, nil, func(k, _ []byte) (bool, error) {
			open = append(open, append([]byte(nil), k...))
			return true, nil
		})
		if err != nil {
			return err
		}
		for _, k := range open {
			if err := t.remove(bucketOpenLists, k); err != nil {
				return err
			}
		}
		closed = len(open)
		return t.event(registry.Event{At: at.UTC().Truncate(time.Second), Kind: "accept", What: filepath.Base(path), By: by})
	})
	if err != nil {
		return 0, err
	}
	is, err := s.logEnd()
	if err != nil {
		return 0, err
	}
	return closed, newMark(path+MarkEnding, is)
}

// logEnd is how far the log of the file has come.
func (s *Store) logEnd() (p point, err error) {
	err = s.view(context.Background(), func(t *tx) error {
		id, err := t.get(bucketMeta, []byte("id"))
		if err != nil {
			return fmt.Errorf("reading the name of the registry: %v: %w", err, errDamaged)
		}
		p.registry, p.entries = string(id), t.bucket(bucketEvents).Sequence()
		return nil
	})
	if err == nil {
		p.digest, err = s.entryDigest(p.entries)
	}
	return p, err
}

// entryDigest is the SHA-256 of an entry of the log; of none it is zero.
func (s *Store) entryDigest(n uint64) (digest [sha256.Size]byte, err error) {
	if n == 0 {
		return digest, nil
	}
	err = s.view(context.Background(), func(t *tx) error {
		v, err := t.get(bucketEvents, seqKey(n))
		if err != nil {
			return fmt.Errorf("reading entry %d of the log: %v: %w", n, err, errDamaged)
		}
		digest = sha256.Sum256(v)
		return nil
	})
	return digest, err
}

func (s *Store) newID() (string, error) {
	id, err := registry.NewReference(s.rand)
	if err != nil {
		return "", fmt.Errorf("naming the registry: %w", err)
	}
	return id, nil
}
