package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"attesta/registry"
)

// parcel is a sealed document made ready to be stored.
type parcel struct {
	seq    int64
	digest string
	packed []byte
}

func (s *Store) parcel(seq uint64, sealed []byte) parcel {
	digest := sha256.Sum256(sealed)
	return parcel{int64(seq), hex.EncodeToString(digest[:]), s.packer.Pack(sealed)}
}

// digestOf is a digest as PostgreSQL keeps it; none is NULL.
func digestOf(digest string) ([]byte, error) {
	if digest == "" {
		return nil, nil
	}
	b, err := hex.DecodeString(digest)
	if err != nil {
		return nil, fmt.Errorf("encoding digest: %w", err)
	}
	return b, nil
}

// Complete is registry.Ledger.Complete, one transaction for all sealings.
func (s *Store) Complete(ctx context.Context, sealings []registry.Sealing, at time.Time) error {
	seqs := make([]uint64, len(sealings))
	parcels := make([]parcel, len(sealings))
	for i, x := range sealings { // before anything is locked
		if err := ctx.Err(); err != nil {
			return err
		}
		seqs[i], parcels[i] = x.Seq, s.parcel(x.Seq, x.Sealed)
	}
	return s.update(ctx, func(t *tx) error {
		there, err := t.lockRecords(ctx, seqs)
		if err != nil {
			return err
		}
		var fresh []parcel
		for i, seq := range seqs {
			was, ok := there[seq]
			switch {
			case !ok:
				return fmt.Errorf("record %d: %w", seq, registry.ErrNotFound)
			case was.State == registry.Sealed && was.Digest == parcels[i].digest:
				continue
			case was.State != registry.Reserved:
				return fmt.Errorf("record %d: it is %s with other bytes: %w", seq, was.State, registry.ErrConflict)
			}
			is := was
			is.State = registry.Sealed
			t.recount(was, is)
			t.event(registry.Event{At: at, Kind: "seal", What: is.Credential})
			fresh = append(fresh, parcels[i])
		}
		return t.complete(ctx, fresh, at)
	})
}

// complete writes what was sealed; the head is taken only then, as long
// documents take their time.
func (t *tx) complete(ctx context.Context, fresh []parcel, at time.Time) error {
	if len(fresh) == 0 {
		return nil
	}
	t.changed = true
	if err := t.putDocuments(ctx, fresh); err != nil {
		return err
	}
	seqs, digests, err := columnsOf(fresh)
	if err != nil {
		return err
	}
	var batch pgx.Batch
	batch.Queue("delete from bodies where seq = any($1)", seqs)
	batch.Queue(`update records r set state = 'sealed', digest = x.digest, sealed_at = $3
		from unnest($1::bigint[], $2::bytea[]) as x (seq, digest) where r.seq = x.seq`, seqs, digests, at)
	if err := t.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("writing what was sealed: %w", err)
	}
	return nil
}

func columnsOf(parcels []parcel) (seqs []int64, digests [][]byte, err error) {
	seqs, digests = make([]int64, len(parcels)), make([][]byte, len(parcels))
	for i, p := range parcels {
		seqs[i] = p.seq
		if digests[i], err = digestOf(p.digest); err != nil {
			return nil, nil, err
		}
	}
	return seqs, digests, nil
}

func (t *tx) putDocuments(ctx context.Context, parcels []parcel) error {
	return t.fill(ctx, "documents", []string{"seq", "packed"}, len(parcels), func(i int) ([]any, error) {
		return []any{parcels[i].seq, parcels[i].packed}, nil
	})
}

// lockRecords reads records that nobody else changes then, without Body.
func (t *tx) lockRecords(ctx context.Context, seqs []uint64) (map[uint64]registry.Record, error) {
	wanted := make([]int64, 0, len(seqs))
	for _, seq := range seqs {
		if seq <= math.MaxInt64 {
			wanted = append(wanted, int64(seq))
		}
	}
	records, err := scanRecords(t.Query(ctx, "select "+recordColumns+" from records r where r.seq = any($1) order by r.seq for update", wanted))
	if err != nil {
		return nil, fmt.Errorf("locking records: %w", err)
	}
	there := make(map[uint64]registry.Record, len(records))
	for _, r := range records {
		there[r.Seq] = r
	}
	return there, nil
}

// Extend is registry.Ledger.Extend, one transaction for all extensions.
func (s *Store) Extend(ctx context.Context, extensions []registry.Extension, at time.Time) error {
	seqs := make([]uint64, len(extensions))
	parcels := make([]parcel, len(extensions))
	for i, x := range extensions { // before anything is locked
		if err := ctx.Err(); err != nil {
			return err
		}
		seqs[i], parcels[i] = x.Seq, s.parcel(x.Seq, x.Sealed)
	}
	return s.update(ctx, func(t *tx) error {
		there, err := t.lockRecords(ctx, seqs)
		if err != nil {
			return err
		}
		var fresh []parcel
		var levels []int16
		for i, x := range extensions {
			was, ok := there[x.Seq]
			if !ok {
				return fmt.Errorf("record %d: %w", x.Seq, registry.ErrNotFound)
			}
			change, err := extends(was, x, parcels[i].digest)
			if err != nil {
				return fmt.Errorf("record %d: %w", x.Seq, err)
			}
			if change {
				fresh, levels = append(fresh, parcels[i]), append(levels, int16(x.Level))
				t.event(registry.Event{At: at, Kind: "extend", What: was.Credential, Why: x.Level.String()})
			}
		}
		return t.extend(ctx, fresh, levels)
	})
}

// extends tells whether an extension changes a record, or why it may not.
func extends(was registry.Record, x registry.Extension, digest string) (bool, error) {
	switch {
	case was.State != registry.Sealed:
		return false, fmt.Errorf("it is %s: %w", was.State, registry.ErrConflict)
	case was.Digest == digest && was.Level == x.Level:
		return false, nil
	case was.Digest != x.Before:
		return false, fmt.Errorf("its bytes are others than those that were extended: %w", registry.ErrConflict)
	case was.Level > x.Level:
		return false, fmt.Errorf("its level is %v already: %w", was.Level, registry.ErrConflict)
	}
	return true, nil
}

func (t *tx) extend(ctx context.Context, fresh []parcel, levels []int16) error {
	if len(fresh) == 0 {
		return nil
	}
	t.changed = true
	seqs, digests, err := columnsOf(fresh)
	if err != nil {
		return err
	}
	if _, err := t.Exec(ctx, "delete from documents where seq = any($1)", seqs); err != nil {
		return fmt.Errorf("removing what is extended: %w", err)
	}
	if err := t.putDocuments(ctx, fresh); err != nil {
		return err
	}
	_, err = t.Exec(ctx, `update records r set digest = x.digest, level = x.level
		from unnest($1::bigint[], $2::bytea[], $3::smallint[]) as x (seq, digest, level) where r.seq = x.seq`, seqs, digests, levels)
	if err != nil {
		return fmt.Errorf("writing what was extended: %w", err)
	}
	return nil
}
