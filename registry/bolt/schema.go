package bolt

import (
	"context"
	"encoding/binary"
	"fmt"

	"attesta/registry"
)

// The buckets. A number (seq) in a key is five big-endian bytes, so that what is
// written together lies together; text that makes up a key goes through tuple.
//
// Every value ends with a checksum of four bytes over bucket, key and value.
// bbolt adds 16 bytes to every entry, and fills pages fully where keys come in
// order and to about 70 % where they do not; there each new entry also costs a
// page of its own in the commit. So what is small is kept for many records in
// one entry: what belongs to a selection of records, or has a level, and also
// the entries of the four indexes, which are random: see mostLeaf. An entry of
// an index has the beginning of a key only and is held against the record it
// leads to each time.
const (
	bucketMeta        = "meta"        // identity, schema, id
	bucketNames       = "names"       // text: number, and number: text; see tx.number
	bucketRecords     = "records"     // seq: record
	bucketBodies      = "bodies"      // seq: body, while reserved
	bucketSealed      = "sealed"      // seq: packed sealed bytes
	bucketLevels      = "levels"      // level of the seal, block of seqs: which of them have it
	bucketAwards      = "awards"      // index: hash of the learner, module and edition as numbers: seq
	bucketCredentials = "credentials" // index: first bytes of the credential id: seq
	bucketHandles     = "handles"     // index: first bytes of the handle: seq
	bucketClaims      = "claims"      // index: first bytes of the hash of the claim token: seq
	bucketPages       = "pages"       // selection, first seq: the seqs that follow
	bucketCounts      = "counts"      // provider, or empty for all: counts
	bucketEditions    = "editions"    // provider, module, edition: counts
	bucketLists       = "lists"       // list id: list
	bucketOpenLists   = "openlists"   // provider, sealer, legal identifier: list id
	bucketEntries     = "entries"     // list id, block of positions: their status
	bucketEvents      = "events"      // seq: event
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
	bucketProposals   = "proposals"   // number: proposal
)

// buckets returns the names of all buckets but bucketMeta.
func buckets() []string {
	return []string{
		bucketNames, bucketRecords, bucketBodies, bucketSealed, bucketLevels, bucketAwards, bucketCredentials,
		bucketHandles, bucketClaims, bucketPages, bucketCounts, bucketEditions, bucketLists, bucketOpenLists,
		bucketEntries, bucketEvents, bucketProviders, bucketModules, bucketNewest, bucketOffers, bucketPeople, bucketTokens, bucketShared, bucketTree, bucketKeys, bucketKeyChanges,
		bucketAccess, bucketExpiry, bucketProposals,
	}
}

const (
	identity = "attesta registry"
	schema   = 6 // the layout of this program; those before it were of previews
)

// initialise makes a new file a registry, in one transaction.
func (s *Store) initialise() error {
	return s.update(context.Background(), func(t *tx) error {
		for _, name := range append(buckets(), bucketMeta) {
			if _, err := t.CreateBucket([]byte(name)); err != nil {
				return fmt.Errorf("creating bucket %s: %w", name, err)
			}
		}
		for key, value := range map[string][]byte{
			"identity": []byte(identity), "schema": binary.BigEndian.AppendUint32(nil, schema), "id": []byte(s.mark.at.registry),
		} {
			if err := t.put(bucketMeta, []byte(key), value); err != nil {
				return err
			}
		}
		return s.plantTree(t)
	})
}

// checkLayout refuses what is no registry in the layout of this program.
func (t *tx) checkLayout() error {
	if t.Bucket([]byte(bucketMeta)) == nil {
		return fmt.Errorf("the file is not a registry: %w", registry.ErrInvalid)
	}
	id, err := t.get(bucketMeta, []byte("identity"))
	if err != nil || string(id) != identity {
		return fmt.Errorf("the file is not a registry: %w", registry.ErrInvalid)
	}
	v, err := t.get(bucketMeta, []byte("schema"))
	if err != nil || len(v) != 4 {
		return fmt.Errorf("reading the schema version: %w", errDamaged)
	}
	switch have := binary.BigEndian.Uint32(v); {
	case have > schema:
		return fmt.Errorf("the file has schema %d and this program knows %d: use the newer program that wrote it: %w",
			have, schema, registry.ErrInvalid)
	case have < schema:
		return fmt.Errorf("the file has schema %d: it was made by a preview, before the first release, and cannot be read; import and issue into a new one: %w",
			have, registry.ErrInvalid)
	}
	return nil
}
