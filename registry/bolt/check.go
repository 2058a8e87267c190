package bolt

import (
	"context"
	"errors"
	"fmt"

	"attesta/registry"
	"attesta/status"
)

// enough is how many faults Check names before it stops.
const enough = 16

// Check is registry.Backend.Check: first every value and whatever points from
// one to another, on a snapshot; then, if that is well, the pages of the file,
// for which changes have to wait.
func (s *Store) Check(ctx context.Context) error {
	s.long.RLock()
	defer s.long.RUnlock()
	var a *audit
	err := s.view(ctx, func(t *tx) error {
		a = newAudit(ctx, t)
		return a.run()
	})
	if a != nil {
		err = errors.Join(append(a.faults, err)...)
	}
	if err != nil {
		return fmt.Errorf("checking the registry: %w", err)
	}
	if err := s.checkPages(ctx); err != nil {
		return fmt.Errorf("checking the pages: %w", err)
	}
	return nil
}

// checkPages holds the lock of changes, as bbolt requires; where there can be
// none, none is held.
func (s *Store) checkPages(ctx context.Context) error {
	step := s.updateAlone
	if s.db.IsReadOnly() {
		step = s.view
	}
	return step(ctx, func(t *tx) error {
		var faults []error
		for err := range t.Check() {
			if len(faults) < enough {
				faults = append(faults, fmt.Errorf("%v: %w", err, errDamaged))
			}
		}
		if len(faults) == 0 {
			faults = append(faults, t.checkFreelist())
		}
		return errors.Join(faults...)
	})
}

// checkFreelist looks for a list of free pages that names itself as free, which
// bbolt meets only at the next commit.
func (t *tx) checkFreelist() error {
	found := 0
	for id := 2; ; {
		page, err := t.Page(id)
		if err != nil {
			return fmt.Errorf("reading page %d: %v: %w", id, err, errDamaged)
		}
		if page == nil {
			break
		}
		id++
		if page.Type != "free" {
			id += page.OverflowCount
		}
		if page.Type == "freelist" {
			found++
		}
	}
	if found != 1 {
		return fmt.Errorf("%d lists of free pages: %w", found, errDamaged)
	}
	return nil
}

// audit counts again what the store has counted.
type audit struct {
	*tx
	ctx      context.Context
	faults   []error
	records  uint64
	reserved uint64
	again    map[string]map[string]registry.Counts // by bucket and key
	listed   map[string]*tally                     // what a selection must have
	levels   map[registry.Level]*tally
	taken    map[string]*status.Bitstring // positions, by list
	lists    map[string]*list
	invalid  uint64  // entries of lists that records ask for
	are      []brief // records, from the first
	said     []brief // the same after the log

	documents, tokens uint64 // that records and people ask for
}

var errEnough = errors.New("there is more")

func newAudit(ctx context.Context, t *tx) *audit {
	return &audit{
		tx: t, ctx: ctx, lists: map[string]*list{}, taken: map[string]*status.Bitstring{},
		again:  map[string]map[string]registry.Counts{bucketCounts: {}, bucketEditions: {}},
		listed: map[string]*tally{}, levels: map[registry.Level]*tally{},
	}
}

// fault notes what is wrong and goes on, until there is enough of it.
func (a *audit) fault(format string, args ...any) error {
	if len(a.faults) == enough {
		return errEnough
	}
	a.faults = append(a.faults, fmt.Errorf(format+": %w", append(args, errDamaged)...))
	return nil
}

func (a *audit) run() error {
	for _, step := range []func() error{
		a.readNames, a.readLists, a.readIndexes, a.readRecords, a.readEntries, a.readPeople, a.readPages, a.readLevels, a.compareSizes, a.compareLists,
		func() error { return a.compareCounts(bucketCounts) },
		func() error { return a.compareCounts(bucketEditions) },
		a.readEvents, a.compareHistory, a.readTree, a.readCatalogue, a.readAccess, a.readKeys, a.readProposals,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// each reads all of a bucket; a value that cannot be read is a fault.
func (a *audit) each(bucket string, fn func(k, v []byte) error) (n uint64, err error) {
	c := a.bucket(bucket).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if n++; n%256 == 0 {
			if err := a.ctx.Err(); err != nil {
				return n, err
			}
		}
		value, err := verified(bucket, k, v)
		if err == nil {
			err = fn(k, value)
		}
		if errors.Is(err, errDamaged) {
			err = a.fault("%s, key %x: %v", bucket, k, err)
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (a *audit) readLists() error {
	_, err := a.each(bucketLists, func(k, v []byte) error {
		l, err := decodeList(string(k), v)
		if err != nil {
			return err
		}
		a.lists[l.id] = l
		a.taken[l.id] = status.NewBitstring(registry.ListSize)
		return nil
	})
	if err != nil {
		return err
	}
	_, err = a.each(bucketOpenLists, func(k, v []byte) error {
		if l := a.lists[string(v)]; l == nil || string(openKey(l.provider, l.house)) != string(k) {
			return a.fault("an open list %q is not that of its provider and house", v)
		}
		return nil
	})
	return err
}

func (a *audit) readRecords() (err error) {
	a.records, err = a.each(bucketRecords, func(k, v []byte) error {
		seq, err := seqOf(k)
		if err != nil {
			return err
		}
		r, err := decodeRow(seq, v, a.word)
		if err != nil {
			return err
		}
		for bucket, keys := range map[string][]string{
			bucketCounts:   {string(tuple("")), string(tuple(r.Provider))},
			bucketEditions: {string(tuple(r.Provider, r.Module, r.Edition))},
		} {
			for _, key := range keys {
				c := a.again[bucket][key]
				c.Count(r.Record, 1)
				a.again[bucket][key] = c
			}
		}
		a.are = append(a.are, briefOf(r.Record))
		for _, check := range []func(row) error{a.checkIndexes, a.checkContent, a.checkStatus} {
			if err := check(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && a.records != a.bucket(bucketRecords).Sequence() {
		err = a.fault("%d records where %d were numbered", a.records, a.bucket(bucketRecords).Sequence())
	}
	return err
}

// checkIndexes follows what must lead to a record, and notes where it must be
// listed.
func (a *audit) checkIndexes(r row) error {
	for _, index := range indexes() {
		key, err := a.lead(index, r)
		if err != nil {
			return err
		}
		seq, err := a.lookUp(index, key)
		if err != nil || seq != r.Seq {
			if err := a.fault("record %d: its entry in %s leads to %d (%v)", r.Seq, index, seq, err); err != nil {
				return err
			}
		}
	}
	selections, err := a.selections(r.Record)
	if err != nil {
		return err
	}
	for _, prefix := range selections {
		of(a.listed, string(prefix)).add(r.Seq)
	}
	if r.State == registry.Sealed {
		of(a.levels, r.Level).add(r.Seq)
	}
	return nil
}

// checkContent reads the body or the sealed bytes, whichever there must be.
func (a *audit) checkContent(r row) error {
	if r.State == registry.Reserved {
		a.reserved++
		_, err := a.withBody(r)
		return err
	}
	if r.State == registry.Sealed {
		a.documents++
		if _, err := a.document(r.Seq); err != nil {
			return err
		}
	}
	if r.State != registry.Erased {
		if _, err := a.person(r.Learner); err != nil {
			return a.fault("record %d: its person cannot be read (%v)", r.Seq, err)
		}
	}
	return nil
}

func (a *audit) checkStatus(r row) error {
	l := a.lists[r.List]
	if l == nil || l.provider != r.Provider {
		return a.fault("record %d: list %s is not one of its provider", r.Seq, r.List)
	}
	taken := a.taken[r.List]
	if twice, err := taken.Get(r.Index); err != nil || twice {
		return a.fault("record %d: position %d of list %s is given out twice", r.Seq, r.Index, r.List)
	}
	if err := taken.Set(r.Index); err != nil {
		return err
	}
	return a.checkEntry(r.Record)
}

// compareSizes finds entries that nothing asks for.
func (a *audit) compareSizes() error {
	for _, x := range []struct {
		bucket string
		want   uint64
	}{
		{bucketBodies, a.reserved},
		{bucketSealed, a.documents},
		{bucketTokens, a.tokens},
	} {
		n, err := a.each(x.bucket, func(_, _ []byte) error { return nil })
		if err == nil && n != x.want {
			err = a.fault("%s has %d entries instead of %d", x.bucket, n, x.want)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *audit) readCatalogue() error {
	none := func(_, _ []byte) error { return nil }
	for _, bucket := range []string{bucketProviders, bucketModules, bucketShared} {
		if _, err := a.each(bucket, none); err != nil {
			return err
		}
	}
	codes, err := a.each(bucketNewest, func(k, _ []byte) error {
		m, err := a.module(string(k))
		if err == nil && !a.has(bucketOffers, append(tuple(m.Provider), k...)) {
			err = a.fault("module %q is missing among those of its provider", k)
		}
		return err
	})
	if err != nil {
		return err
	}
	offers, err := a.each(bucketOffers, none)
	if err == nil && offers != codes {
		err = a.fault("%s has %d entries instead of %d", bucketOffers, offers, codes)
	}
	return err
}

func (a *audit) readAccess() error {
	n, err := a.each(bucketAccess, func(k, v []byte) error {
		x, err := decodeAccess(v)
		if err == nil && !a.has(bucketExpiry, expiryKey(x, k)) {
			err = a.fault("an access has no expiry")
		}
		return err
	})
	if err != nil {
		return err
	}
	expiries, err := a.each(bucketExpiry, func(_, _ []byte) error { return nil })
	if err == nil && expiries != n {
		err = a.fault("%s has %d entries instead of %d", bucketExpiry, expiries, n)
	}
	return err
}
