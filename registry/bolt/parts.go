package bolt

import (
	"context"

	"go.etcd.io/bbolt"
)

// Part is how much room one bucket takes.
type Part struct {
	Bucket  string
	Entries uint64
	Bytes   uint64 // of all its pages
}

// Parts returns how much room each bucket takes, in order of name. It reads the
// whole file.
func (s *Store) Parts(ctx context.Context) (parts []Part, err error) {
	err = s.view(ctx, func(t *tx) error {
		return t.ForEach(func(name []byte, b *bbolt.Bucket) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			is := b.Stats()
			parts = append(parts, Part{string(name), uint64(is.KeyN), uint64(is.LeafAlloc + is.BranchAlloc + is.InlineBucketInuse)})
			return nil
		})
	})
	return parts, err
}
