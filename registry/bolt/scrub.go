package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// keyErasing stands in bucketMeta from an Erase until the Scrub after it.
const keyErasing = "erasing"

// Erasing is registry.People.Erasing.
func (s *Store) Erasing(ctx context.Context) (due bool, err error) {
	err = s.view(ctx, func(t *tx) error {
		due = t.has(bucketMeta, []byte(keyErasing))
		return nil
	})
	return due, err
}

// Scrub is registry.People.Scrub. A page that is not used any more keeps what it
// held until it is used again, and one beyond the end what a commit wrote there
// that was cut off: Scrub writes zeros over all of them. It waits until nobody
// reads, a copy included, as a reader may still have them.
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
		if err := t.blankUnused(file, int64(s.db.Info().PageSize)); err != nil {
			return err
		}
		if err := file.Sync(); err != nil {
			return fmt.Errorf("syncing the file: %w", err)
		}
		if !t.has(bucketMeta, []byte(keyErasing)) {
			return nil
		}
		return t.remove(bucketMeta, []byte(keyErasing))
	})
}

// blankUnused writes zeros over every page that is free, and over what follows
// the last page.
func (t *tx) blankUnused(file *os.File, size int64) error {
	id := 2
	for ; ; id++ {
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
		if err := blank(file, int64(id)*size, size); err != nil {
			return fmt.Errorf("writing page %d: %w", id, err)
		}
	}
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("looking at the file: %w", err)
	}
	if err := blank(file, int64(id)*size, info.Size()-int64(id)*size); err != nil {
		return fmt.Errorf("writing beyond the last page: %w", err)
	}
	return nil
}

// blank writes zeros over a part of a file that has anything else.
func blank(file *os.File, at, length int64) error {
	const most = 1 << 20
	for length > 0 {
		raw := make([]byte, min(length, most))
		if _, err := file.ReadAt(raw, at); err != nil && !errors.Is(err, io.EOF) {
			return kind(err)
		}
		if zeros := make([]byte, len(raw)); !bytes.Equal(raw, zeros) {
			if _, err := file.WriteAt(zeros, at); err != nil {
				return kind(err)
			}
		}
		at, length = at+int64(len(raw)), length-int64(len(raw))
	}
	return nil
}
