package bolt

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// The keys of the indexes are cut short: what was cut off is compared in the
// record. Two random references that begin alike are refused as one that is
// taken, which 64 bits make a matter of a registry's whole life.
const (
	indexBytes   = 8 // of a random reference in the key of an index
	learnerBytes = 8 // of the hash of a learner
)

// awardKey has the learner first, so that the awards of a person lie together.
// It is registry.ErrNotFound if no record has the module or the edition.
func (t *tx) awardKey(learner, module, edition string) ([]byte, error) {
	key := learnerKey(learner)
	for _, w := range []string{module, edition} {
		n, err := t.known(w)
		if err != nil {
			return nil, err
		}
		key = binary.AppendUvarint(key, n)
	}
	return key, nil
}

func learnerKey(learner string) []byte {
	sum := sha256.Sum256([]byte(learner))
	return sum[:learnerBytes:learnerBytes]
}

// indexes are the buckets whose entries lead to a record.
func indexes() []string {
	return []string{bucketAwards, bucketCredentials, bucketHandles, bucketClaims}
}

// lead is the key under which an index leads to a record.
func (t *tx) lead(index string, r row) (key []byte, err error) {
	ok := true
	switch index {
	case bucketAwards:
		key, err = t.awardKey(r.Learner, r.Module, r.Edition)
	case bucketCredentials:
		key, ok = rawCredential(r.Credential)
	case bucketHandles:
		key, ok = rawReference(r.Handle)
	case bucketClaims:
		key = bytes.Clone(r.claim[:])
	}
	if err != nil || !ok {
		return nil, fmt.Errorf("finding the key of record %d in %s: %v: %w", r.Seq, index, err, errDamaged)
	}
	if index != bucketAwards {
		key = key[:indexBytes]
	}
	return key, nil
}

// follow reads the record that an index leads to, and holds it against the key.
func (t *tx) follow(index string, key []byte) (row, error) {
	seq, err := t.lookUp(index, key)
	if err != nil {
		return row{}, err
	}
	r, err := t.row(seq)
	if err != nil {
		return row{}, fmt.Errorf("following %s: %v: %w", index, err, errDamaged)
	}
	own, err := t.lead(index, r)
	if err != nil {
		return row{}, err
	}
	if !bytes.Equal(own, key) {
		return row{}, fmt.Errorf("following %s: it leads to record %d, which is another: %w", index, seq, errDamaged)
	}
	return r, nil
}

// lookUp reads an entry of an index.
func (t *tx) lookUp(bucket string, key []byte) (uint64, error) {
	b, err := t.get(bucket, key)
	if err != nil {
		return 0, err
	}
	d := decoder{b: b}
	seq := d.number()
	if err := d.end(); err != nil || seq == 0 || seq >= noSeq {
		return 0, fmt.Errorf("reading %s: %w", bucket, errDamaged)
	}
	return seq, nil
}
