package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// Scrub is registry.People.Scrub. A page that is not used any more keeps what it
// held until it is used again: Scrub writes zeros over all of them. It waits
// until nobody reads, a copy included, as a reader may still have them.
func (s *Store) Scrub(ctx context.Context) error {
	for !s.long.TryLock() { // a lock that is waited for would hold up all who read
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	defer s.long.Unlock()
	s.reading.Lock()
	defer s.reading.Unlock()
	return s.updateAlone(ctx, func(t *tx) (err error) {
		file, err := os.OpenFile(s.db.Path(), os.O_RDWR, 0o600)
		if err != nil {
			return fmt.Errorf("opening the file: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		size := s.db.Info().PageSize
		zeros := make([]byte, size)
		for id := 2; ; id++ {
			page, err := t.Page(id)
			if err != nil {
				return fmt.Errorf("reading page %d: %v: %w", id, err, errDamaged)
			}
			if page == nil {
				break
			}
			if page.Type != "free" {
				id += page.OverflowCount
				continue
			}
			if _, err := file.WriteAt(zeros, int64(id)*int64(size)); err != nil {
				return fmt.Errorf("writing page %d: %w", id, kind(err))
			}
		}
		if err := file.Sync(); err != nil {
			return fmt.Errorf("syncing the file: %w", err)
		}
		return nil
	})
}
