package bolt

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Copy writes the file as it is at one moment, while others go on reading and
// changing it. What it writes is a registry that Verify can read and that Open
// refuses with ErrOlder until Accept: it has no mark. Changes that make the
// file grow may have to wait until it ends, so w should be fast.
func (s *Store) Copy(ctx context.Context, w io.Writer) error {
	s.long.RLock()
	defer s.long.RUnlock()
	return s.view(ctx, func(t *tx) error {
		if _, err := t.WriteTo(&bounded{ctx, w}); err != nil {
			return fmt.Errorf("copying the registry: %w", kind(err))
		}
		return nil
	})
}

// bounded ends a copy with its context.
type bounded struct {
	ctx context.Context
	w   io.Writer
}

func (b *bounded) Write(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.w.Write(p)
}

// Verify reads a file from end to end, every record and then every page, and
// changes nothing. It does not ask whether it is the newest copy.
func Verify(ctx context.Context, path string, opts Options) (err error) {
	if err := inspect(path, opts); err != nil {
		return fmt.Errorf("verifying registry: %w", err)
	}
	s, err := open(path, opts, reading)
	if err != nil {
		return fmt.Errorf("verifying registry: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Check(ctx); err != nil {
		return fmt.Errorf("verifying registry: %w", err)
	}
	return nil
}
