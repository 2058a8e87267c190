// Package bolt keeps a registry in one bbolt file, for one process.
//
// Every step is durable (data and directory synced) when it returns, and all or
// nothing. Steps come one after the other; those that wait at the same time
// share one transaction and its two syncs, and one that fails leaves nothing and
// the others do not notice. Who gives up, because the context ended, is told so
// at once: the step is then made whole or not at all, and repeating it settles
// which. A step of few items waits for no more than one commit, whatever large
// ones wait beside it.
//
// Every stored value carries a checksum, every index entry is compared with the
// record it leads to, and every sealed document with its SHA-256 when it is read:
// a damaged file gives errors, never wrong answers and never a panic. After an
// error of the disk during a commit, or a damaged page met while changing
// something, the store refuses all further changes until it is opened again;
// what was in doubt is settled by repeating the call.
//
// How the file is laid out stands in schema.go, with what an entry costs.
//
//	store, err := bolt.Open("registry.db", bolt.Options{})
package bolt

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"attesta/registry"
)

const defaultTimeout = 200 * time.Millisecond

// Options are the choices there are; the zero value is good.
type Options struct {
	// Timeout is how long to wait for the lock of the file; 0 means 200 ms.
	Timeout time.Duration
	// Rand makes ids and seeds of status lists; nil means crypto/rand.
	Rand io.Reader
}

// Store is a registry.Backend in one file. It is safe for concurrent use.
type Store struct {
	db      *bbolt.DB
	file    *os.File // that of db
	rand    io.Reader
	reading sync.RWMutex // held by who reads, so that Scrub knows
	long    sync.RWMutex // and this one too by who reads for long
	queue
	counters
	mark   *mark                 // nil while it is not known to be the newest copy
	broken atomic.Pointer[error] // why nothing can be changed any more
	stuck  atomic.Bool           // a lock of bbolt will never be free again
	failed chan struct{}         // closed when the disk failed
	end    sync.Once
	shut   sync.Once
	leases leases
	limits limits
}

var _ registry.Backend = (*Store)(nil)

// errDamaged marks stored data that is not what was stored.
var errDamaged = errors.New("the stored data is damaged, restore a backup")

// Create makes a new file, readable by its owner only, and opens it. A file
// that exists is refused with registry.ErrConflict and left as it is.
func Create(path string, opts Options) (*Store, error) {
	s, err := open(path, opts, creating)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("creating registry: the file exists: %w", registry.ErrConflict)
	}
	if err == nil {
		if err = s.begin(path); err != nil {
			_ = s.Close()
			_ = os.Remove(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("creating registry: %w", err)
	}
	return s, nil
}

// begin makes a new file a registry. Its mark is there first, so that no kill
// leaves a registry without one.
func (s *Store) begin(path string) error {
	if says, _, err := readMark(path + MarkEnding); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("beside it stands the mark of a registry that is missing, with %d entries in its log; put that back, or remove %s to begin anew: %w",
			says.entries, filepath.Base(path)+MarkEnding, registry.ErrConflict)
	}
	id, err := s.newID()
	if err != nil {
		return err
	}
	if err := newMark(path+MarkEnding, point{registry: id}); err != nil {
		return err
	}
	if s.mark, err = openMark(path+MarkEnding, point{registry: id}); err == nil {
		err = s.initialise()
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		_ = os.Remove(path + MarkEnding)
	}
	return err
}

// Open opens a file that Create made. It changes nothing before it knows that
// the file is a registry, whole, and of the layout that this program knows; what
// is not is registry.ErrInvalid. A missing file is registry.ErrNotFound, one that
// another process has open registry.ErrInUse, and one that its mark does not
// know as the newest copy ErrOlder.
func Open(path string, opts Options) (*Store, error) {
	if err := inspect(path, opts); err != nil {
		return nil, fmt.Errorf("opening registry: %w", err)
	}
	s, err := open(path, opts, changing)
	if err != nil {
		return nil, fmt.Errorf("opening registry: %w", err)
	}
	if err = s.holdToMark(path); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("opening registry: %w", err)
	}
	return s, nil
}

// inspect looks at a file without changing it. bbolt alone would turn an empty
// file into an empty registry, and would crash on one that was cut short.
func inspect(path string, opts Options) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no such file: %w", registry.ErrNotFound)
	case err != nil:
		return fmt.Errorf("looking at the file: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("not a regular file: %w", registry.ErrInvalid)
	case info.Size() == 0:
		return fmt.Errorf("the file is empty, which no registry is: %w", registry.ErrInvalid)
	}
	s, err := open(path, opts, reading)
	if err != nil {
		return err
	}
	err = s.view(context.Background(), func(t *tx) error {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("looking at the file: %w", err)
		}
		if t.Size() > info.Size() {
			return fmt.Errorf("the file was cut short at %d of %d bytes: %w", info.Size(), t.Size(), errDamaged)
		}
		return t.checkLayout()
	})
	return errors.Join(err, s.Close())
}

// way is how a file is opened.
type way int

const (
	reading way = iota
	changing
	creating
)

func open(path string, opts Options, how way) (s *Store, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			_ = s.file.Close()
			s, err = nil, fmt.Errorf("reading the file: %v: %w", r, errDamaged)
		}
	}()
	s = &Store{rand: opts.Rand, queue: newQueue(), failed: make(chan struct{})}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	timeout := opts.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	s.db, err = bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:      timeout,
		ReadOnly:     how == reading,
		FreelistType: bbolt.FreelistMapType,
		NoStatistics: true,
		OpenFile: func(name string, flag int, perm os.FileMode) (*os.File, error) {
			if flag &^= os.O_CREATE; how == creating {
				flag |= os.O_CREATE | os.O_EXCL
			}
			var err error
			s.file, err = os.OpenFile(name, flag, perm)
			return s.file, err
		},
	})
	if err != nil {
		return nil, kind(err)
	}
	if how == reading {
		close(s.ended)
	} else {
		go s.work()
	}
	return s, nil
}

// Failed is closed when the disk failed during a commit: the process should
// end, for nothing can be changed any more before the file is opened again.
func (s *Store) Failed() <-chan struct{} { return s.failed }

// Failure returns why nothing can be changed any more, or nil.
func (s *Store) Failure() error {
	if why := s.broken.Load(); why != nil {
		return *why
	}
	return nil
}

// Close closes the file; calls after it fail. It waits for those under way.
func (s *Store) Close() error {
	s.shut.Do(func() { close(s.closing) })
	<-s.ended
	if s.stuck.Load() {
		return fmt.Errorf("closing registry: end the process to let go of the file: %w", errDamaged)
	}
	if err := errors.Join(s.db.Close(), s.mark.close()); err != nil {
		return fmt.Errorf("closing registry: %w", err)
	}
	return nil
}

// kind gives an error of bbolt or of the disk the kind that a caller knows.
func kind(err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("locking the file: %w", registry.ErrInUse)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, berrors.ErrMaxSizeReached):
		return fmt.Errorf("the disk is %w: %v", registry.ErrFull, err)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return fmt.Errorf("not a registry file, or both its first pages are damaged (%v): %w", err, registry.ErrInvalid)
	}
	return err
}

// syncDir makes the name of a new file durable.
func syncDir(path string) error {
	if runtime.GOOS == "windows" { // directories cannot be synced there
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("syncing directory: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}
