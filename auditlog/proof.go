package auditlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Format is what a file of proofs says it is.
const Format = "attesta-log-proof-1"

// Proof is a file that proves entries of a log to whoever has its key: what
// they say, that they are in the tree of a signed checkpoint, and that this tree
// began with an earlier one.
type Proof struct {
	Format     string  `json:"format"`
	Checkpoint string  `json:"checkpoint"` // a signed note
	Since      *Growth `json:"since,omitempty"`
	Entries    []Entry `json:"entries"`
}

// Growth proves that the tree of the checkpoint begins with that of Size
// entries.
type Growth struct {
	Size   uint64 `json:"size"`
	Hashes []Hash `json:"hashes"`
}

// Entry is an entry with its opening and the proof that it is in the tree.
type Entry struct {
	Leaf      string  `json:"leaf"` // Leaf.Text
	Opening   Opening `json:"opening"`
	Inclusion []Hash  `json:"inclusion"`
}

// MaxProof bounds a file of proofs in bytes, MaxEntries its entries.
const (
	MaxProof   = 4 << 20
	MaxEntries = 1000
)

// maxHashes bounds a proof: a tree of maxSize leaves is 60 high.
const maxHashes = 128

// ParseProof reads a file of proofs, for any bytes. It proves nothing.
func ParseProof(raw []byte) (Proof, error) {
	fault := func(what string) (Proof, error) {
		return Proof{}, fmt.Errorf("reading a proof: %s: %w", what, ErrInvalid)
	}
	if len(raw) > MaxProof {
		return fault("it is too long")
	}
	var p Proof
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return fault("it is no file of attesta log prove")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fault("something follows its end")
	}
	if p.Format != Format {
		return fault("it is of another format")
	}
	if len(p.Entries) > MaxEntries || p.Since != nil && len(p.Since.Hashes) > maxHashes {
		return fault("it has more than there can be")
	}
	for _, e := range p.Entries {
		if len(e.Inclusion) > maxHashes {
			return fault("it has more than there can be")
		}
	}
	return p, nil
}

// Bytes is the file of a proof.
func (p Proof) Bytes() ([]byte, error) {
	raw, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing a proof: %w", err)
	}
	return append(raw, '\n'), nil
}

// Checked is what a proof proves.
type Checked struct {
	Checkpoint Checkpoint
	Since      *Checkpoint // the earlier one, if one was given
	Entries    []Event
}

// ErrNoGrowth is wrapped when a file does not prove anything about the earlier
// checkpoint that is given, for good or bad.
var ErrNoGrowth = errors.New("it does not prove anything about that checkpoint")

// Check holds a proof against the key of the log and, unless it is empty, an
// earlier checkpoint signed by the same key. Nothing of what it returns is taken
// on trust. What does not hold wraps ErrDiffers or ErrSigner, what cannot be
// read ErrInvalid, and where an earlier checkpoint needs another file it is
// ErrNoGrowth.
func (p Proof) Check(key string, since []byte) (Checked, error) {
	var out Checked
	var err error
	if out.Checkpoint, err = OpenCheckpoint([]byte(p.Checkpoint), key); err != nil {
		return Checked{}, err
	}
	for n, e := range p.Entries {
		ev, err := e.check(out.Checkpoint)
		if err != nil {
			return Checked{}, fmt.Errorf("checking entry %d of the file: %w", n+1, err)
		}
		out.Entries = append(out.Entries, ev)
	}
	if len(since) == 0 {
		return out, nil
	}
	old, err := OpenCheckpoint(since, key)
	if err != nil {
		return Checked{}, fmt.Errorf("the earlier checkpoint: %w", err)
	}
	if err := p.grew(old, out.Checkpoint); err != nil {
		return Checked{}, err
	}
	out.Since = &old
	return out, nil
}

// grew holds the checkpoint against an earlier one.
func (p Proof) grew(old, is Checkpoint) error {
	var hashes []Hash
	switch {
	case old.Size > is.Size:
		return fmt.Errorf("the log had %d entries and has %d: it went backwards, or this file is older than that checkpoint: %w", old.Size, is.Size, ErrNoGrowth)
	case old.Size == is.Size:
		if old.Root != is.Root {
			return fmt.Errorf("two checkpoints over %d entries say different things: %w", is.Size, ErrDiffers)
		}
		return nil
	case old.Size == 0:
	case p.Since == nil || p.Since.Size != old.Size:
		return fmt.Errorf("it was not made for a checkpoint over %d entries: %w", old.Size, ErrNoGrowth)
	default:
		hashes = p.Since.Hashes
	}
	return CheckConsistency(hashes, old.Size, old.Root, is.Size, is.Root)
}

// check holds one entry against a checkpoint and says what it says.
func (e Entry) check(c Checkpoint) (Event, error) {
	l, err := ParseLeaf([]byte(e.Leaf))
	if err != nil {
		return Event{}, err
	}
	if !e.Opening.Opens(l) {
		return Event{}, fmt.Errorf("its words were changed: %w", ErrDiffers)
	}
	if err := CheckInclusion(e.Inclusion, c.Size, c.Root, l); err != nil {
		return Event{}, err
	}
	o := e.Opening
	return Event{Seq: l.Seq, At: l.At, Kind: o.Kind, What: o.What, By: o.By, Why: o.Why}, nil
}
