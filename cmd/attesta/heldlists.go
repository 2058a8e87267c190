package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"attesta/accreditation"
	"attesta/keys"
)

// heldEnding ends the names of files that hold a list of accredited providers
// beside the anchors.
const heldEnding = ".accreditation"

// heldList is a list of accredited providers as it lies in a folder of anchors.
type heldList struct {
	file string
	accreditation.Held
}

// heldIn reads the lists of a folder, each with its seal, and says what is wrong
// with those that cannot be used. A folder that is not there has none.
func heldIn(dir string) (all []heldList, bad []error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, []error{fmt.Errorf("reading the folder of anchors: %w", err)}
	}
	var revoked []keys.RevokedKey
	own, err := keys.LoadTrust(filepath.Join(dir, filepath.Base(folder("").own())))
	for _, a := range own.Anchors {
		revoked = append(revoked, a.Revoked...)
	}
	if err != nil {
		bad = append(bad, err)
	}
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) != heldEnding {
			continue
		}
		h, err := readHeld(filepath.Join(dir, e.Name()), revoked)
		if err != nil {
			bad = append(bad, fmt.Errorf("reading %s: %w", e.Name(), err))
			continue
		}
		all = append(all, h)
	}
	return all, bad
}

func readHeld(name string, revoked []keys.RevokedKey) (heldList, error) {
	h := heldList{file: name}
	raw, err := os.ReadFile(name)
	if err == nil {
		h.Held, err = accreditation.ReadHeld(raw, revoked)
	}
	return h, err
}

func (h heldList) write() error {
	raw, err := h.File()
	if err != nil {
		return err
	}
	return keys.WriteFile(h.file, raw)
}

// own tells whether the list is kept in this installation.
func (h heldList) own() bool { return filepath.Base(h.file) == filepath.Base(folder("").ownList()) }

// asLists holds lists for asking, with days of Rome.
func asLists(all []heldList) (accreditation.Lists, error) {
	zone, err := rome()
	if err != nil {
		return accreditation.Lists{}, err
	}
	var lists []*accreditation.List
	for _, h := range all {
		lists = append(lists, h.List)
	}
	return accreditation.NewLists(zone, lists...), nil
}

// heldFor reads the lists beside the anchors that a person names; a file of
// anchors has none. One that cannot be used is an error: without it a check
// would say less than the person expects.
func heldFor(path, data string) (accreditation.Lists, error) {
	if path == "" {
		if data == "" {
			return accreditation.Lists{}, nil
		}
		path = folder(data).trust()
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return accreditation.Lists{}, nil //nolint:nilerr // trusted says it
	}
	all, bad := heldIn(path)
	if len(bad) > 0 {
		return accreditation.Lists{}, &hinted{errors.Join(bad...), removeHeld}
	}
	return asLists(all)
}

const removeHeld = "import the list again; to do without it: attesta trust remove FILE"

// heldName is the file of the list with an id.
func heldName(dir string, l *accreditation.List) string {
	sum := sha256.Sum256([]byte(l.ID))
	word := fileWord(l.Authority.Name)
	if len(word) > 40 {
		word = word[:40]
	}
	return filepath.Join(dir, strings.Trim(word+"-"+hex.EncodeToString(sum[:4]), "-")+heldEnding)
}
