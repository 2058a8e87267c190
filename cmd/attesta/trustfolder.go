package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"

	"attesta/accreditation"
	"attesta/keys"
)

// trustFolder is the folder of anchors of an installation. What an operator
// changes in it counts from the next check on. It is safe for concurrent use.
type trustFolder struct {
	path string
	log  *slog.Logger

	mu    sync.Mutex
	seen  []fs.FileInfo // as they were when trust was read
	trust keys.Trust
	held  accreditation.Lists
}

func openTrustFolder(path string, log *slog.Logger) (*trustFolder, error) {
	f := &trustFolder{path: path, log: log, seen: filesOf(path)}
	var err error
	if f.trust, err = keys.LoadTrust(path); err != nil {
		return f, err
	}
	return f, f.readHeld()
}

// readHeld takes up the lists of accredited providers. One that cannot be used
// is said and left out: of its providers nothing is known then.
func (f *trustFolder) readHeld() error {
	all, bad := heldIn(f.path)
	for _, err := range bad {
		f.log.Warn("a list of accredited providers is not used", "error", err)
	}
	var err error
	f.held, err = asLists(all)
	return err
}

// accreditations returns the lists as they stand in the folder.
func (f *trustFolder) accreditations() accreditation.Lists {
	f.now()
	return f.seenLists()
}

// seenLists returns the lists as they stood when the anchors were last asked for,
// for who has just done that.
func (f *trustFolder) seenLists() accreditation.Lists {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.held
}

// now returns the anchors as they stand in the folder. While the folder cannot
// be read, the last ones that could be count.
func (f *trustFolder) now() keys.Trust {
	f.mu.Lock()
	defer f.mu.Unlock()
	files := filesOf(f.path)
	if sameFiles(files, f.seen) {
		return f.trust
	}
	f.seen = files
	trust, err := keys.LoadTrust(f.path)
	if err != nil {
		f.log.Warn("reading the changed anchors; those of before count until it is mended", "error", err)
		return f.trust
	}
	f.trust = trust
	if err := f.readHeld(); err != nil {
		f.log.Warn("reading the lists of accredited providers", "error", err)
	}
	return f.trust
}

func filesOf(path string) []fs.FileInfo {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil
	}
	var all []fs.FileInfo
	for _, e := range entries {
		info, err := os.Stat(path + string(os.PathSeparator) + e.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil
		}
		all = append(all, info)
	}
	return all
}

func sameFiles(a, b []fs.FileInfo) bool {
	if len(a) != len(b) {
		return false
	}
	for n := range a {
		if a[n].Name() != b[n].Name() || a[n].Size() != b[n].Size() || !a[n].ModTime().Equal(b[n].ModTime()) || !os.SameFile(a[n], b[n]) {
			return false
		}
	}
	return true
}
