package registrytest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"attesta/auditlog"
	"attesta/registry"
	"attesta/status"
)

// logPromises are about the tree over the audit log (R2, and the insider who
// edits it).
func logPromises() []promise {
	return []promise{
		{"the log is a tree over all events", logIsATree},
		{"the log grows in the step that it tells of", logGrowsWithTheStep},
		{"entries are proven at every size", logProves},
		{"the log of racing writers is one tree", logOfRacers},
		{"two logs of the same events have nothing in common", logsDiffer},
		{"notes are entries", logNotes},
		{"the newest checkpoint is kept", logKeeps},
	}
}

func (k *kit) log() *registry.Log {
	k.Helper()
	l, err := k.Log(k.ctx())
	k.must(err)
	return l
}

// naive is the root over leaves as RFC 6962 section 2.1 says it, word by word.
func naive(leaves []auditlog.Leaf) auditlog.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, leaves[0].Text()...))
	}
	half := 1
	for 2*half < len(leaves) {
		half *= 2
	}
	left, right := naive(leaves[:half]), naive(leaves[half:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// leaves are all leaves of a log, each held against its event and its opening.
func (k *kit) leaves(l *registry.Log) []auditlog.Leaf {
	k.Helper()
	leaves, openings, err := l.Entries(1, int(l.Size()))
	k.must(err)
	events := k.events()
	if len(leaves) > len(events) {
		k.Fatalf("%d leaves of %d events", len(leaves), len(events))
	}
	for i, leaf := range leaves {
		ev, o := events[i], openings[i]
		if leaf.Seq != ev.Seq || leaf.Seq != uint64(i+1) || !leaf.At.Equal(ev.At) || o.Kind != ev.Kind || o.What != ev.What || o.By != ev.By || o.Why != ev.Why || !o.Opens(leaf) {
			k.Fatalf("event %+v has the leaf %+v and the opening %+v", ev, leaf, o)
		}
	}
	return leaves
}

func logIsATree(k *kit) {
	empty := k.log()
	if empty.Size() != 0 || empty.Hash.String() != "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" {
		k.Errorf("the empty log has %d entries and the root %v", empty.Size(), empty.Hash)
	}
	r := k.seal(intents(0, 300)...)[0] // more than one tile
	k.set(r, status.Suspended)
	k.set(r, status.Valid)
	k.set(r, status.Revoked)
	_, err := k.Grant(k.ctx(), registry.SignIn, "Zqx-Canary", time.Hour, k.at)
	k.must(err)
	k.must(k.PutProviders(k.ctx(), []registry.Provider{{ID: "p", Spec: []byte("{}"), Change: "accredited until 2027"}}, k.at))
	l := k.log()
	if got := len(k.events()); l.Size() != uint64(got) || got < 600 {
		k.Fatalf("the tree has %d leaves for %d events", l.Size(), got)
	}
	if want := naive(k.leaves(l)); l.Hash != want {
		k.Errorf("the root is %v, of its leaves %v", l.Hash, want)
	}
}

// A step that fails, or changes nothing, leaves the tree as it is.
func logGrowsWithTheStep(k *kit) {
	r := k.seal(intent(0))[0]
	before := k.log()
	k.set(r, status.Valid)
	k.reserve(intent(0))
	k.want(k.Complete(k.ctx(), []registry.Sealing{{Seq: r.Seq, Sealed: []byte("other")}}, k.at), registry.ErrConflict)
	k.want(k.Complete(k.ctx(), []registry.Sealing{{Seq: 99, Sealed: []byte("other")}}, k.at), registry.ErrNotFound)
	if after := k.log(); after.Tree.Tree != before.Tree.Tree {
		k.Errorf("nothing changed, and the tree grew from %v to %v", before.Tree.Tree, after.Tree.Tree)
	}
	k.set(r, status.Revoked)
	if after := k.log(); after.Size() != before.Size()+1 {
		k.Errorf("a revocation grew the tree from %d to %d", before.Size(), after.Size())
	}
}

func logProves(k *kit) {
	k.seal(intents(0, 140)...)
	l := k.log()
	leaves := k.leaves(l)
	for _, size := range []uint64{1, 2, 3, 128, 255, 256, 257, 279, l.Size()} {
		root, err := l.RootAt(size)
		k.must(err)
		if want := naive(leaves[:size]); root != want {
			k.Fatalf("the root at %d is %v, want %v", size, root, want)
		}
		for _, seq := range []uint64{1, size/2 + 1, size} {
			proof, err := l.Inclusion(seq, size)
			k.must(err)
			k.must(auditlog.CheckInclusion(proof, size, root, leaves[seq-1]))
			other := leaves[seq-1]
			other.Commitment[0] ^= 1
			k.want(auditlog.CheckInclusion(proof, size, root, other), auditlog.ErrDiffers)
		}
		proof, err := l.Consistency(size, l.Size())
		k.must(err)
		k.must(auditlog.CheckConsistency(proof, size, root, l.Size(), l.Hash))
		root[0] ^= 1
		k.want(auditlog.CheckConsistency(proof, size, root, l.Size(), l.Hash), auditlog.ErrDiffers)
	}
	_, err := l.RootAt(l.Size() + 1)
	k.want(err, auditlog.ErrInvalid)
	_, err = l.Inclusion(l.Size()+1, l.Size())
	k.want(err, auditlog.ErrInvalid)
	_, err = l.Consistency(0, l.Size())
	k.want(err, auditlog.ErrInvalid)
	_, _, err = l.Entries(l.Size()+1, 1)
	k.want(err, registry.ErrNotFound)
}

// B9: what is read while others write is one tree, and the later ones begin
// with it.
func logOfRacers(k *kit) {
	const writers, each = 8, 12
	logs := make([]*registry.Log, writers)
	errs := together(writers, func(i int) error {
		for n := range each {
			if _, err := k.Reserve(k.ctx(), []registry.Intent{intent(i*each + n)}, k.at); err != nil {
				return err
			}
			if err := k.Note(k.ctx(), "key", fmt.Sprint("key ", i), "operator", "", k.at); err != nil {
				return err
			}
		}
		var err error
		logs[i], err = k.Log(k.ctx())
		return err
	})
	k.must(errors.Join(errs...))
	end := k.log()
	if end.Size() != 2*writers*each {
		k.Fatalf("%d entries of %d", end.Size(), 2*writers*each)
	}
	leaves := k.leaves(end)
	for _, l := range logs {
		if want := naive(leaves[:l.Size()]); l.Hash != want {
			k.Errorf("at %d entries the root was %v, is %v", l.Size(), l.Hash, want)
		}
		proof, err := end.Consistency(l.Size(), end.Size())
		k.must(err)
		k.must(auditlog.CheckConsistency(proof, l.Size(), l.Hash, end.Size(), end.Hash))
	}
}

// Two entries that say the same have other commitments: nobody can see that
// they are about the same (R1, R3).
func logsDiffer(k *kit) {
	for range 2 {
		k.must(k.Note(k.ctx(), "key", "K", "operator", "rotate", k.at))
	}
	leaves := k.leaves(k.log())
	if leaves[0].Commitment == leaves[1].Commitment {
		k.Error("the same words have the same commitment")
	}
}

func logNotes(k *kit) {
	k.must(k.Note(k.ctx(), "key", "abc", "operator", "retire", k.at))
	k.same("events", k.events(), []registry.Event{{Seq: 1, At: k.at, Kind: "key", What: "abc", By: "operator", Why: "retire"}})
	for _, bad := range [][4]string{
		{"", "w", "b", ""},
		{"Key", "w", "b", ""},
		{"a kind", "w", "b", ""},
		{"key", "", "b", ""},
		{"key", "w", "", ""},
		{"key", "w\n", "b", ""},
		{"key", "w", "b", "why\x00"},
	} {
		k.want(k.Note(k.ctx(), bad[0], bad[1], bad[2], bad[3], k.at), registry.ErrInvalid)
	}
	if n := k.log().Size(); n != 1 {
		k.Errorf("what is invalid left %d entries", n)
	}
}

func logKeeps(k *kit) {
	if kept := k.log().Kept(); kept != nil {
		k.Errorf("a new registry keeps the checkpoint %q", kept)
	}
	k.want(k.KeepCheckpoint(k.ctx(), 1, nil), registry.ErrInvalid)
	for _, x := range []struct {
		size       uint64
		text, want string
	}{
		{0, "none", "none"}, {5, "five", "five"}, {4, "four", "five"}, {5, "five again", "five again"}, {6, "six", "six"}, {0, "none", "six"},
	} {
		k.must(k.KeepCheckpoint(k.ctx(), x.size, []byte(x.text)))
		if kept := string(k.log().Kept()); kept != x.want {
			k.Errorf("after %q %q is kept, want %q", x.text, kept, x.want)
		}
	}
	if n := k.log().Size(); n != 0 {
		k.Errorf("keeping checkpoints left %d entries", n)
	}
}
