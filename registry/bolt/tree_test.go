package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"attesta/auditlog"
	"attesta/registry"
)

// noteSome appends entries that belong to no change.
func noteSome(t testing.TB, r *registry.Registry, n int) {
	t.Helper()
	for i := range n {
		if err := r.Note(t.Context(), "key", fmt.Sprint("key ", i), "operator", "", at); err != nil {
			t.Fatal(err)
		}
	}
}

// fillLog appends n entries in one step.
func fillLog(t testing.TB, s *Store, n int) {
	t.Helper()
	change(t, s, func(t *tx) error {
		for i := range n {
			if err := t.event(registry.Event{At: at, Kind: "seal", What: fmt.Sprintf("urn:credential:%032d", i)}); err != nil {
				return err
			}
		}
		return nil
	})
}

// R2, T4 and the insider: an entry of the file that was changed, removed or put
// in, with all checksums made good again, is found by Check and met by a proof.
func TestAnEditedLogIsFound(t *testing.T) {
	edit := func(t *tx, seq uint64, change func(*registry.Event)) error {
		v, err := t.get(bucketEvents, seqKey(seq))
		if err != nil {
			return err
		}
		ev, err := decodeEvent(seq, v)
		if err != nil {
			return err
		}
		change(&ev)
		return t.put(bucketEvents, seqKey(seq), encodeEvent(ev))
	}
	for name, damage := range map[string]func(*tx) error{
		"by whom":    func(t *tx) error { return edit(t, 7, func(ev *registry.Event) { ev.By = "somebody else" }) },
		"when":       func(t *tx) error { return edit(t, 7, func(ev *registry.Event) { ev.At = ev.At.Add(-3600e9) }) },
		"the last":   func(t *tx) error { return edit(t, 300, func(ev *registry.Event) { ev.What = "x" }) },
		"the key":    func(t *tx) error { return t.put(bucketMeta, []byte(metaLogKey), make([]byte, 32)) },
		"a node":     func(t *tx) error { return t.put(bucketTree, nodeKey(1, 0), make([]byte, 32)) },
		"no node":    func(t *tx) error { return t.remove(bucketTree, nodeKey(1, 0)) },
		"two nodes":  func(t *tx) error { return t.put(bucketTree, nodeKey(1, 1), make([]byte, 32)) },
		"no edge":    func(t *tx) error { return t.remove(bucketMeta, []byte(metaLogEdge)) },
		"empty edge": func(t *tx) error { return t.put(bucketMeta, []byte(metaLogEdge), nil) },
		"the last is gone": func(t *tx) error {
			return errors.Join(t.remove(bucketEvents, seqKey(300)), t.bucket(bucketEvents).SetSequence(299))
		},
		"one put in": func(t *tx) error {
			return errors.Join(t.put(bucketEvents, seqKey(301), encodeEvent(registry.Event{At: at, Kind: "seal", What: "x"})),
				t.bucket(bucketEvents).SetSequence(301))
		},
		"nothing": func(*tx) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			s, r, _ := newStore(t)
			noteSome(t, r, 20)
			fillLog(t, s, 280)
			change(t, s, damage)
			err := r.Check(t.Context())
			if name == "nothing" {
				if err != nil {
					t.Errorf("a log as it should be: %v", err)
				}
				return
			}
			if err == nil || !errors.Is(err, errDamaged) {
				t.Errorf("Check says %v", err)
			}
			l, err := r.Log(t.Context())
			if err == nil {
				_, err = l.Inclusion(7, l.Size())
			}
			if untouched := name == "two nodes" || name == "one put in"; err == nil && !untouched {
				t.Error("a proof was made of it")
			}
		})
	}
}

// Who also makes the tree anew deceives Check, and not who kept a checkpoint.
func TestARewrittenLogContradictsItsCheckpoints(t *testing.T) {
	s, r, _ := newStore(t)
	fillLog(t, s, 300)
	l, err := r.Log(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old := l.Tree.Tree
	change(t, s, func(t *tx) error {
		g, err := t.readGrowth()
		if err != nil {
			return err
		}
		err = errors.Join(
			t.put(bucketEvents, seqKey(9), encodeEvent(registry.Event{At: at, Kind: "seal", What: "another"})),
			t.DeleteBucket([]byte(bucketTree)),
			plantTreeUnder(t, g.key),
		)
		return err
	})
	if err := r.Check(t.Context()); err != nil {
		t.Fatalf("the rewritten log is not whole: %v", err)
	}
	l, err = r.Log(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root, err := l.RootAt(uint64(old.N))
	if err != nil || root == old.Hash {
		t.Errorf("the root at %d is the same: %v", old.N, err)
	}
	proof, err := l.Consistency(200, l.Size())
	if err != nil {
		t.Fatal(err)
	}
	if err := auditlog.CheckConsistency(proof, 200, old.Hash, l.Size(), l.Hash); !errors.Is(err, auditlog.ErrDiffers) {
		t.Errorf("a rewritten log grew from the old one: %v", err)
	}
}

// plantTreeUnder grows a tree over the events there are, with a key that is there.
func plantTreeUnder(t *tx, key auditlog.Key) error {
	if _, err := t.CreateBucketIfNotExists([]byte(bucketTree)); err != nil {
		return err
	}
	if err := t.put(bucketMeta, []byte(metaLogKey), bytes.Clone(key[:])); err != nil {
		return err
	}
	t.tree = &growth{key: key}
	return t.scan(bucketEvents, nil, nil, func(k, v []byte) (bool, error) {
		seq, err := seqOf(k)
		if err != nil {
			return false, err
		}
		ev, err := decodeEvent(seq, v)
		if err != nil {
			return false, err
		}
		return true, t.grow(ev)
	})
}

// The log is the same after the file is opened again, and goes on.
func TestTheLogSurvivesReopening(t *testing.T) {
	s, r, path := newStore(t)
	fillLog(t, s, 255)
	before, err := r.Log(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.KeepCheckpoint(t.Context(), 255, []byte("signed")); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	_, r = reopen(t, path)
	noteSome(t, r, 3)
	after, err := r.Log(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root, err := after.RootAt(255)
	if err != nil || root != before.Hash || after.Size() != 258 || string(after.Kept()) != "signed" {
		t.Errorf("%d entries, %v, kept %q", after.Size(), err, after.Kept())
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// BenchmarkAppend is what the tree costs: 1,000 events in one step, with it and
// without.
func BenchmarkAppend(b *testing.B) {
	for _, with := range []bool{true, false} {
		b.Run(fmt.Sprintf("tree=%t", with), func(b *testing.B) {
			s, _, _ := newStore(b)
			for b.Loop() {
				change(b, s, func(t *tx) error {
					for i := range 1000 {
						ev := registry.Event{At: at, Kind: "seal", What: fmt.Sprintf("urn:credential:%032d", i)}
						if with {
							if err := t.event(ev); err != nil {
								return err
							}
							continue
						}
						n, err := t.bucket(bucketEvents).NextSequence()
						if err != nil {
							return err
						}
						if err := t.put(bucketEvents, seqKey(n), encodeEvent(ev)); err != nil {
							return err
						}
					}
					return nil
				})
			}
		})
	}
}

// BenchmarkProve is one proof of inclusion and one of consistency, over logs of
// growing size.
func BenchmarkProve(b *testing.B) {
	for _, size := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s, r, _ := newStore(b)
			for n := 0; n < size; n += 1000 {
				fillLog(b, s, 1000)
			}
			for b.Loop() {
				l, err := r.Log(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				if _, err := l.Inclusion(uint64(size/3), l.Size()); err != nil {
					b.Fatal(err)
				}
				if _, err := l.Consistency(uint64(size/2+1), l.Size()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The work of a proof grows with the height of the tree, not with its size: no
// more than two tiles of events and two of each level above are read.
func TestProofsReadLittle(t *testing.T) {
	s, r, _ := newStore(t)
	for range 20 {
		fillLog(t, s, 1000)
	}
	l, err := r.Log(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	reads := &counting{Log: l}
	head, err := s.LogHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tree := auditlog.NewTree(&head.Edge, reads)
	if _, err := tree.Inclusion(5001, 20_000); err != nil {
		t.Fatal(err)
	}
	if reads.leaves > 2*auditlog.TileSize || reads.nodes > 2*auditlog.TileSize {
		t.Errorf("one proof read %d leaves and %d nodes", reads.leaves, reads.nodes)
	}
}

type counting struct {
	*registry.Log
	leaves, nodes int
}

func (c *counting) Leaves(n uint64, count int) ([]auditlog.Hash, error) {
	c.leaves += count
	return c.Log.Leaves(n, count)
}

func (c *counting) Nodes(level int, n uint64, count int) ([]auditlog.Hash, error) {
	c.nodes += count
	return c.Log.Nodes(level, n, count)
}
