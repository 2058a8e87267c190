package bolt

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// MarkEnding follows the name of a file in the name of its mark, a small file
// beside it that says how far the log of the registry has come. With it an
// older copy that is put in the place of the file is noticed when it is opened.
//
// The mark is written after each commit and never before it: it may lag behind
// the file and never leads. It is overwritten in place, one of two slots in
// turn, and is synced when the file is opened and closed, not at each step: a
// kill loses nothing of it, a power cut at most the last seconds, and half a
// slot is known by its checksum.
const MarkEnding = ".not-older-than"

// ErrOlder marks a file that may be an older copy of a registry, or that went
// another way than the registry beside whose mark it lies. See Accept.
var ErrOlder = errors.New("not known to be the newest copy")

const (
	slotSize   = 512
	markFormat = "attesta-mark-1 %s %d %s"
)

// point is a place in the log of a registry: how many entries it has, and the
// SHA-256 of the last one.
type point struct {
	registry string // its id
	entries  uint64
	digest   [sha256.Size]byte
}

// slot is a point as a line of slotSize bytes with its checksum.
func (p point) slot() []byte {
	line := fmt.Appendf(nil, markFormat, p.registry, p.entries, hex.EncodeToString(p.digest[:]))
	line = fmt.Appendf(line, " %08x", crc32.Checksum(line, crc32.MakeTable(crc32.Castagnoli)))
	return append(append(line, bytes.Repeat([]byte{' '}, slotSize-1-len(line))...), '\n')
}

// parseSlot is the inverse of slot, for any bytes.
func parseSlot(b []byte) (p point, ok bool) {
	var digest string
	if n, err := fmt.Sscanf(string(b), markFormat, &p.registry, &p.entries, &digest); err != nil || n != 3 || len(p.registry) > 64 {
		return point{}, false
	}
	raw, err := hex.DecodeString(digest)
	if err != nil || len(raw) != len(p.digest) {
		return point{}, false
	}
	copy(p.digest[:], raw)
	return p, bytes.Equal(p.slot(), b)
}

// mark is the open mark of a store. It is safe for concurrent use.
type mark struct {
	mu     sync.Mutex
	file   *os.File
	at     point // as far as the log has come
	behind bool  // the file does not say so yet
	slot   int64 // to be written next
}

// readMark returns what a mark says, or an error that wraps fs.ErrNotExist or
// ErrOlder.
func readMark(path string) (p point, next int64, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return point{}, 0, fmt.Errorf("reading %s: %w", filepath.Base(path), err)
	}
	found := false
	for n := range int64(len(raw) / slotSize) {
		q, ok := parseSlot(raw[n*slotSize : (n+1)*slotSize])
		if ok && n < 2 && (!found || q.entries > p.entries) {
			found, p, next = true, q, 1-n
		}
	}
	if !found {
		return point{}, 0, fmt.Errorf("%s is damaged, so nothing tells whether %s is the newest copy: %w",
			filepath.Base(path), filepath.Base(path[:len(path)-len(MarkEnding)]), ErrOlder)
	}
	return p, next, nil
}

// newMark writes a mark, whole or not at all, in place of one that is there.
func newMark(path string, p point) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".new-mark-*") // mode 0600
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	_, err = temporary.Write(append(p.slot(), p.slot()...))
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), errors.Join(err, os.Remove(temporary.Name())))
	}
	return syncDir(filepath.Dir(path))
}

// openMark opens a mark that is there, brings it up to a point and syncs it.
func openMark(path string, p point) (*mark, error) {
	_, next, err := readMark(path)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", filepath.Base(path), err)
	}
	m := &mark{file: file, at: p, behind: true, slot: next}
	if err := errors.Join(m.catchUp(), file.Sync()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return m, nil
}

// advance notes that the log has come to a point, in whatever order the
// committers arrive. What cannot be written is written before the next step.
func (m *mark) advance(entries uint64, digest [sha256.Size]byte) {
	if m == nil {
		return
	}
	m.mu.Lock()
	if entries > m.at.entries {
		m.at.entries, m.at.digest, m.behind = entries, digest, true
	}
	m.mu.Unlock()
	_ = m.catchUp()
}

// catchUp writes what the file does not say yet. As long as that fails nothing
// more may be changed.
func (m *mark) catchUp() error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.behind {
		return nil
	}
	if _, err := m.file.WriteAt(m.at.slot(), m.slot*slotSize); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(m.file.Name()), kind(err))
	}
	m.behind, m.slot = false, 1-m.slot
	return nil
}

func (m *mark) close() error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return errors.Join(m.file.Sync(), m.file.Close())
}

// holdToMark refuses a file that its mark does not know as the newest, and
// opens the mark.
func (s *Store) holdToMark(path string) error {
	is, err := s.logEnd()
	if err != nil {
		return err
	}
	base, name := filepath.Base(path), filepath.Base(path)+MarkEnding
	says, _, err := readMark(path + MarkEnding)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is missing, as after a restore, so nothing tells whether %s is the newest copy: %w", name, base, ErrOlder)
	case err != nil:
		return err
	case is.registry != says.registry:
		return fmt.Errorf("%s belongs to another registry than %s: %w", name, base, ErrOlder)
	}
	if says.entries > is.entries {
		return fmt.Errorf("the log of %s has %d entries and has had %d: an older copy was put in its place: %w", base, is.entries, says.entries, ErrOlder)
	}
	if digest, err := s.entryDigest(says.entries); err != nil {
		return err
	} else if digest != says.digest {
		return fmt.Errorf("entry %d of the log of %s is not the one it was: a copy that went another way was put in its place: %w", says.entries, base, ErrOlder)
	}
	s.mark, err = openMark(path+MarkEnding, is)
	return err
}
