package bolt

import (
	"context"
	"encoding/binary"
	"fmt"

	"attesta/registry"
)

// The buckets. Records, bodies, sealed documents and events are keyed by their
// number in eight big-endian bytes, so that what is written together lies
// together; text that makes up a key goes through tuple.
const (
	bucketMeta        = "meta"        // identity, schema, id
	bucketRecords     = "records"     // seq: record
	bucketBodies      = "bodies"      // seq: body, while reserved
	bucketSealed      = "sealed"      // seq: packed sealed bytes
	bucketUnfinished  = "unfinished"  // seq, while reserved
	bucketLevels      = "levels"      // level of the seal, seq, while sealed
	bucketAwards      = "awards"      // edition, module, learner: seq
	bucketCredentials = "credentials" // credential id: seq
	bucketHandles     = "handles"     // handle: seq
	bucketClaims      = "claims"      // hash of the claim token: seq
	bucketPages       = "pages"       // hash of a selection, seq
	bucketCounts      = "counts"      // provider, or empty for all: counts
	bucketEditions    = "editions"    // provider, module, edition: counts
	bucketLists       = "lists"       // list id: list
	bucketOpenLists   = "openlists"   // provider: list id
	bucketEntries     = "entries"     // list id, index: status that is not valid
	bucketEvents      = "events"      // number: event
	bucketTree        = "tree"        // level, place: hash of a part of the tree over the events
	bucketProviders   = "providers"   // id: spec
	bucketModules     = "modules"     // code, version: spec
	bucketNewest      = "newest"      // code: provider, newest version
	bucketOffers      = "offers"      // provider, then code
	bucketPeople      = "people"      // id: person
	bucketTokens      = "tokens"      // token, id
	bucketShared      = "shared"      // id: content that documents refer to
	bucketAccess      = "access"      // hash of the secret: access
	bucketExpiry      = "expiry"      // expiry, hash
)

const identity = "attesta registry"

// migrations lead from an empty file to the layout of today; the schema version
// of a file is how many of them it has had. One that was released never changes.
func migrations() []func(*tx) error {
	return []func(*tx) error{createBuckets, indexLevels, nameRegistry, plantTree, createKeys}
}

func createBuckets(t *tx) error {
	for _, name := range []string{
		bucketRecords, bucketBodies, bucketSealed, bucketUnfinished, bucketAwards, bucketCredentials,
		bucketHandles, bucketClaims, bucketPages, bucketCounts, bucketEditions, bucketLists, bucketOpenLists,
		bucketEntries, bucketEvents, bucketProviders, bucketModules, bucketNewest, bucketOffers, bucketPeople, bucketTokens, bucketShared,
		bucketAccess, bucketExpiry,
	} {
		if _, err := t.CreateBucket([]byte(name)); err != nil {
			return fmt.Errorf("creating bucket %s: %w", name, err)
		}
	}
	return nil
}

// indexLevels adds the index by level for what is sealed already.
func indexLevels(t *tx) error {
	if _, err := t.CreateBucket([]byte(bucketLevels)); err != nil {
		return fmt.Errorf("creating bucket %s: %w", bucketLevels, err)
	}
	return t.scan(bucketRecords, nil, nil, func(k, v []byte) (bool, error) {
		if len(k) != 8 {
			return false, fmt.Errorf("reading %s: %w", bucketRecords, errDamaged)
		}
		r, err := decodeRecord(binary.BigEndian.Uint64(k), v)
		if err != nil || r.State != registry.Sealed {
			return err == nil, err
		}
		return true, t.put(bucketLevels, levelKey(r.Level, r.Seq), nil)
	})
}

// nameRegistry gives the registry the id by which its mark knows it.
func nameRegistry(t *tx) error {
	return t.put(bucketMeta, []byte("id"), []byte(t.id))
}

// initialise makes a new file a registry, in one transaction.
func (s *Store) initialise() error {
	return s.update(context.Background(), func(t *tx) error {
		if _, err := t.CreateBucket([]byte(bucketMeta)); err != nil {
			return fmt.Errorf("creating bucket %s: %w", bucketMeta, err)
		}
		if err := t.put(bucketMeta, []byte("identity"), []byte(identity)); err != nil {
			return err
		}
		t.id, t.rand = s.mark.at.registry, s.rand
		return t.migrateFrom(0)
	})
}

// migrate brings an older file up to date, in one transaction.
func (s *Store) migrate() error {
	return s.update(context.Background(), func(t *tx) error {
		have, err := t.schema()
		if err != nil || have == len(migrations()) {
			return err
		}
		t.rand = s.rand
		if s.mark != nil {
			t.id = s.mark.at.registry
		} else if t.id, err = s.newID(); err != nil {
			return err
		}
		return t.migrateFrom(have)
	})
}

func (t *tx) migrateFrom(have int) error {
	steps := migrations()
	for n := have; n < len(steps); n++ {
		if err := steps[n](t); err != nil {
			return fmt.Errorf("bringing the file to schema %d: %w", n+1, err)
		}
	}
	return t.put(bucketMeta, []byte("schema"), binary.BigEndian.AppendUint32(nil, uint32(len(steps))))
}

// schema returns the schema version of a registry that this program knows.
func (t *tx) schema() (int, error) {
	if t.Bucket([]byte(bucketMeta)) == nil {
		return 0, fmt.Errorf("the file is not a registry: %w", registry.ErrInvalid)
	}
	id, err := t.get(bucketMeta, []byte("identity"))
	if err != nil || string(id) != identity {
		return 0, fmt.Errorf("the file is not a registry: %w", registry.ErrInvalid)
	}
	v, err := t.get(bucketMeta, []byte("schema"))
	if err != nil || len(v) != 4 {
		return 0, fmt.Errorf("reading the schema version: %w", errDamaged)
	}
	have, know := binary.BigEndian.Uint32(v), len(migrations())
	if uint64(have) > uint64(know) {
		return 0, fmt.Errorf("the file has schema %d and this program knows %d: use the newer program that wrote it: %w",
			have, know, registry.ErrInvalid)
	}
	return int(have), nil
}
