package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const keyEnding = ".key.json"

// seen are the files of keys as they were when they were read, by path.
type seen map[string]fs.FileInfo

// look notes how the files of keys stand. It comes before they are read: what
// changes meanwhile is found at the next look.
func (r *Ring) look() (seen, error) {
	names, err := filesIn(r.dir, keyEnding)
	if err != nil {
		return nil, fmt.Errorf("listing the keys: %w", err)
	}
	files := make(seen, len(names))
	for _, name := range names {
		if files[name], err = os.Stat(name); err != nil {
			return nil, fmt.Errorf("looking at %s: %w", filepath.Base(name), err)
		}
	}
	return files, nil
}

func (s seen) same(other seen, name string) bool {
	a, b := s[name], other[name]
	return a != nil && b != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// load reads the keys of files; one that did not change since before is taken
// from the ring.
func (r *Ring) load(files, before seen) ([]*Key, error) {
	there := map[string]*Key{}
	for _, k := range r.keys {
		there[r.fileOf(k.ID)] = k
	}
	ids := map[string]string{}
	var all []*Key
	for name := range files {
		k := there[name]
		if k == nil || !files.same(before, name) {
			var err error
			if k, err = r.read(name); err != nil {
				return nil, fmt.Errorf("reading %s: %w", filepath.Base(name), err)
			}
		}
		if other, twice := ids[k.ID]; twice {
			return nil, fmt.Errorf("reading %s: %s holds the same key; remove one of them", filepath.Base(name), filepath.Base(other))
		}
		ids[k.ID] = name
		all = append(all, k)
	}
	return all, nil
}

func (r *Ring) fileOf(id string) string { return filepath.Join(r.dir, id+keyEnding) }

// Reload looks whether the files of keys changed, and takes what they say in one
// step: whoever holds a key signs by its life of now, and what was being signed
// is signed. It tells whether keys changed. A folder that cannot be read whole,
// such as one that is being written, one in which a key of the ring is missing,
// and one in which the end of a key was taken back or put off are errors: then
// all stays as it is, and the next call looks again.
func (r *Ring) Reload() (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	files, err := r.look()
	if err != nil {
		return false, err
	}
	if len(files) == len(r.files) && r.unchanged(files) {
		return false, nil
	}
	all, err := r.load(files, r.files)
	if err != nil {
		return false, fmt.Errorf("reading the changed keys: %w", err)
	}
	byID := make(map[string]*Key, len(all))
	for _, k := range all {
		byID[k.ID] = k
	}
	for _, was := range r.keys {
		if err := follows(was, byID[was.ID]); err != nil {
			return false, fmt.Errorf("reading the changed keys: key %s: %w", was.ID, err)
		}
	}
	changed := len(all) != len(r.keys)
	for _, was := range r.keys {
		if k := byID[was.ID]; k != was {
			k.latest = was.latest
			k.latest.Store(k)
			changed = changed || !k.Retired.Equal(was.Retired) || !k.Revoked.Equal(was.Revoked)
		}
	}
	r.keys, r.files = all, files
	r.sort()
	return changed, nil
}

func (r *Ring) unchanged(files seen) bool {
	for name := range files {
		if !files.same(r.files, name) {
			return false
		}
	}
	return true
}

// follows refuses to forget a key, or how it ended.
func follows(was, is *Key) error {
	switch {
	case is == nil:
		return errors.New("its file is missing; put it back")
	case !was.Revoked.IsZero() && (is.Revoked.IsZero() || is.Revoked.After(was.Revoked)):
		return errors.New("it was revoked, and its file says so no more; put the newer file back")
	case !was.Retired.IsZero() && (is.Retired.IsZero() || is.Retired.After(was.Retired)):
		return errors.New("it was retired, and its file says so no more; put the newer file back")
	case is.Purpose != was.Purpose || is.Owner != was.Owner:
		return errors.New("its file says that it is for another purpose or owner; put the former back")
	}
	return nil
}
