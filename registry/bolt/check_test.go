package bolt

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"attesta/registry"
	"attesta/status"
)

// Each damage that a fault of program or disk might cause has a name in Check.
func TestCheckNamesWhatIsWrong(t *testing.T) {
	flip := func(bucket string) func(*tx) error {
		return func(t *tx) error {
			k, v := t.bucket(bucket).Cursor().First()
			v = bytes.Clone(v)
			v[0] ^= 1
			return t.bucket(bucket).Put(bytes.Clone(k), v)
		}
	}
	drop := func(bucket string) func(*tx) error {
		return func(t *tx) error {
			k, _ := t.bucket(bucket).Cursor().First()
			return t.bucket(bucket).Delete(bytes.Clone(k))
		}
	}
	edit := func(fn func(*row)) func(*tx) error {
		return func(t *tx) error {
			r, err := t.row(2)
			if err != nil {
				return err
			}
			fn(&r)
			b, err := encodeRow(r, t.number)
			if err != nil {
				return err
			}
			return t.put(bucketRecords, seqKey(2), b)
		}
	}
	bits := func(l registry.Level, seq uint64) func(*tx) error { // turns one
		return func(t *tx) error {
			b, err := t.block(l, seq)
			if err == nil {
				b[seq/8] ^= 1 << (seq % 8)
			}
			return err
		}
	}
	secretly := func(fn func(*row)) func(*tx) error { // as the program does it, but for the log (K4)
		return func(t *tx) error {
			was, err := t.row(2)
			is := was
			fn(&is)
			return errors.Join(err, t.putRecord(was, is), t.putEntry(is.Record))
		}
	}
	faults := map[string]func(*tx) error{
		"revoked without a word":  secretly(func(r *row) { r.Status, r.Reason, r.StatusAt = status.Revoked, "other", at }),
		"extended without a word": secretly(func(r *row) { r.Level = registry.LevelLTA }),
		"position twice": func(t *tx) error {
			one, err := t.row(1)
			if err != nil {
				return err
			}
			return edit(func(r *row) { r.Index = one.Index })(t)
		},
		"status without entry": edit(func(r *row) { r.Status = status.Revoked }),
		"other digest":         edit(func(r *row) { r.Digest = strings.Repeat("0", 64) }),
		"other handle":         edit(func(r *row) { r.Handle = "AAAAAAAAAAAAAAAAAAAAAAAAAA" }),
		"other list":           edit(func(r *row) { r.List = "AAAAAAAAAAAAAAAAAAAAAAAAAA" }),
		"other edition":        edit(func(r *row) { r.Edition = "x" }),
		"counter": func(t *tx) error {
			return t.put(bucketCounts, tuple("p"), encodeCounts(registry.Counts{Sealed: 1}))
		},
		"sealed bytes of another": func(t *tx) error {
			v, err := t.get(bucketSealed, seqKey(1))
			if err != nil {
				return err
			}
			return t.put(bucketSealed, seqKey(2), bytes.Clone(v))
		},
		"entry without record": func(t *tx) error {
			l, _ := t.bucket(bucketLists).Cursor().First()
			block := roomy(make([]byte, entryBytes))
			block[255] = 1 << 6
			return t.put(bucketEntries, append(bytes.Clone(l), 0, 127), block)
		},
		"other claim":          edit(func(r *row) { r.claim[0] ^= 1 }),
		"other learner":        edit(func(r *row) { r.Learner = "x" }),
		"other provider":       edit(func(r *row) { r.Provider = "x" }),
		"other module":         edit(func(r *row) { r.Module = "x" }),
		"other level":          edit(func(r *row) { r.Level = registry.LevelLTA }),
		"level of no record":   bits(registry.LevelB, 99),
		"level of an open one": bits(registry.LevelB, 3),
		"second level":         bits(registry.LevelB, 2),
		"no level":             bits(registry.LevelB, 1),
		"moved to another level": func(t *tx) error {
			return errors.Join(bits(registry.LevelT, 2)(t), bits(registry.LevelLT, 2)(t))
		},
		"listed elsewhere": func(t *tx) error {
			prefix, err := t.selection(ofEdition, "m")
			return errors.Join(err, t.enlist(prefix, 3))
		},
		"listed twice": func(t *tx) error {
			prefix, err := t.selection(ofEdition, "e")
			return errors.Join(err, t.put(bucketPages, appendSeq(prefix, 4), nil))
		},
		"another listed in place": func(t *tx) error {
			prefix, err := t.selection(ofEdition, "e")
			return errors.Join(err, t.put(bucketPages, appendSeq(prefix, 1), []byte{1, 1, 2}))
		},
		"two words for a number": func(t *tx) error {
			return errors.Join(t.put(bucketNames, wordKey("another"), []byte{1}), t.put(bucketNames, numberKey(99), []byte("another")))
		},
		"a word of another number": func(t *tx) error {
			return errors.Join(t.put(bucketNames, wordKey("m"), []byte{1}))
		},
		"a name of a third kind": func(t *tx) error { return t.put(bucketNames, []byte{2, 'm'}, []byte{1}) },
		"two events exchanged": func(t *tx) error { // as they are stored
			b := t.bucket(bucketEvents)
			one, two := bytes.Clone(b.Get(seqKey(1))), bytes.Clone(b.Get(seqKey(2)))
			return errors.Join(b.Put(seqKey(1), two), b.Put(seqKey(2), one))
		},
		"a value of another bucket": func(t *tx) error {
			v := bytes.Clone(t.bucket(bucketNewest).Get([]byte("m")))
			return errors.Join(t.bucket(bucketProviders).Put([]byte("m"), v))
		},
	}
	for _, bucket := range []string{
		bucketRecords, bucketBodies, bucketSealed, bucketAwards, bucketCredentials, bucketHandles,
		bucketClaims, bucketPages, bucketCounts, bucketEditions, bucketLists, bucketOpenLists, bucketEntries, bucketEvents,
		bucketLevels, bucketNames, bucketPeople, bucketTokens, bucketNewest, bucketOffers, bucketAccess, bucketExpiry, bucketModules,
		bucketProposals,
	} {
		faults["flip in "+bucket] = flip(bucket)
		if bucket != bucketOpenLists { // then another list is opened: no damage
			faults["missing in "+bucket] = drop(bucket)
		}
	}
	for _, bucket := range []string{bucketProviders, bucketShared} {
		faults["flip in "+bucket] = flip(bucket)
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, r, _ := newStore(t)
			someOfEverything(t, r)
			if err := r.Check(t.Context()); err != nil {
				t.Fatalf("before: %v", err)
			}
			change(t, s, func(t *tx) error { t.changes++; return fault(t) })
			err := r.Check(t.Context())
			if err == nil || !strings.Contains(err.Error(), errDamaged.Error()) {
				t.Errorf("Check says %v", err)
			}
		})
	}
}
