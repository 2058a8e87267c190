package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"attesta/auditlog"
)

// checkLogFolder holds the entries of the log in an export against its signed
// checkpoint: every one of them is there, as it was, and no other.
func checkLogFolder(c *console, dir, key string, since []byte) (int, error) {
	if _, err := os.Stat(filepath.Join(dir, manifestName)); err == nil {
		dir = filepath.Join(dir, "log")
	}
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if errors.Is(err, fs.ErrNotExist) {
		return exitUsage, misuse("name a file, or a folder that attesta export wrote", "%s has no checkpoint", dir)
	}
	if err != nil {
		return exitUsage, fmt.Errorf("reading the log: %w", err)
	}
	if key == "" {
		return sayLog(c, exitCannotTell, "CANNOT TELL: KEY UNKNOWN", errors.New("say whose log it must be: --key KEY"))
	}
	said, err := auditlog.OpenCheckpoint(signed, key)
	switch {
	case errors.Is(err, auditlog.ErrKey):
		return exitUsage, misuse("attesta log key prints it", "--key: %s", err)
	case errors.Is(err, auditlog.ErrSigner):
		return sayLog(c, exitNo, "NOT VALID: SIGNATURE", err)
	case err != nil:
		return sayLog(c, exitNo, "NOT VALID: FORMAT", err)
	}
	was := auditlog.Checkpoint{}
	if len(since) > 0 {
		if was, err = auditlog.OpenCheckpoint(since, key); err != nil {
			return sayLog(c, exitNo, "NOT VALID: SIGNATURE", fmt.Errorf("the earlier checkpoint: %w", err))
		}
	}
	if err := readLogFolder(filepath.Join(dir, "entries"), said, was); err != nil {
		return sayLog(c, exitNo, "NOT VALID: LOG DIFFERS", err)
	}
	checked := auditlog.Checked{Checkpoint: said}
	if len(since) > 0 {
		checked.Since = &was
	}
	printChecked(c, checked)
	c.printf("  all of its entries are here\n")
	return exitDone, nil
}

// readLogFolder computes the tree from the entries and compares it with the
// checkpoint, and on the way with an earlier one.
func readLogFolder(dir string, said, was auditlog.Checkpoint) error {
	if was.Size > said.Size {
		return fmt.Errorf("the earlier checkpoint is over %d entries, this one over %d", was.Size, said.Size)
	}
	var tree auditlog.Edge
	held := func() error {
		if was.Size == tree.Size() && was.Size > 0 && was.Root != tree.Root() {
			return errors.New("the log does not begin with that of the earlier checkpoint")
		}
		return nil
	}
	for tree.Size() < said.Size {
		text, err := entriesFrom(dir, tree.Size()+1)
		if err != nil {
			return err
		}
		for len(text) > 0 && tree.Size() < said.Size {
			end := 0
			for range 5 { // lines of a leaf
				next := bytes.IndexByte(text[end:], '\n')
				if next < 0 {
					return fmt.Errorf("entry %d is cut short", tree.Size()+1)
				}
				end += next + 1
			}
			leaf, err := auditlog.ParseLeaf(text[:end])
			if err != nil {
				return fmt.Errorf("entry %d: %w", tree.Size()+1, err)
			}
			if leaf.Seq != tree.Size()+1 {
				return fmt.Errorf("where entry %d should be is entry %d", tree.Size()+1, leaf.Seq)
			}
			tree.Append(leaf.Hash())
			text = text[end:]
			if err := held(); err != nil {
				return err
			}
		}
		if len(text) > 0 {
			return fmt.Errorf("after entry %d, the last of the checkpoint, something follows", said.Size)
		}
	}
	if tree.Root() != said.Root {
		return errors.New("the entries are not those of the checkpoint: one was changed, removed or put in")
	}
	return nil
}

// entriesFrom reads the file of entries that begins with a number.
func entriesFrom(dir string, first uint64) ([]byte, error) {
	found, err := filepath.Glob(filepath.Join(dir, strconv.FormatUint(first, 10)+"-*"))
	if err != nil || len(found) == 0 {
		return nil, fmt.Errorf("entry %d is missing", first)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		return nil, fmt.Errorf("reading entries: %w", err)
	}
	if strings.TrimSpace(string(text)) == "" {
		return nil, fmt.Errorf("entry %d is missing", first)
	}
	return text, nil
}
