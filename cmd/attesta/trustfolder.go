package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"

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
}

func openTrustFolder(path string, log *slog.Logger) (*trustFolder, error) {
	f := &trustFolder{path: path, log: log, seen: filesOf(path)}
	var err error
	f.trust, err = keys.LoadTrust(path)
	return f, err
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
