package postgres

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"attesta/registry"
)

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

// Complete is registry.Ledger.Complete, one transaction for all documents.
func (s *Store) Complete(ctx context.Context, documents []registry.Document, shared []registry.SharedEntry, at time.Time) error {
	return s.update(ctx, func(t *tx) error {
		there, err := t.lockRecords(ctx, documents)
		if err != nil {
			return err
		}
		var fresh []registry.Document
		for _, d := range documents {
			was, ok := there[d.Seq]
			switch {
			case !ok:
				return fmt.Errorf("record %d: %w", d.Seq, registry.ErrNotFound)
			case was.State == registry.Sealed && was.Digest == d.Digest:
				continue
			case was.State != registry.Reserved:
				return fmt.Errorf("record %d: it is %s with other bytes: %w", d.Seq, was.State, registry.ErrConflict)
			}
			is := was
			is.State = registry.Sealed
			t.recount(was, is)
			t.event(registry.Event{At: at, Kind: "seal", What: is.Credential})
			fresh = append(fresh, d)
		}
		return t.complete(ctx, fresh, shared, at)
	})
}

// complete writes what was sealed; the head is taken only then, as long
// documents take their time.
func (t *tx) complete(ctx context.Context, fresh []registry.Document, shared []registry.SharedEntry, at time.Time) error {
	if err := t.putDocuments(ctx, fresh); err != nil {
		return err
	}
	// Also for nothing new: then the commit waits until what is there already is
	// on a standby too.
	if err := t.hold(ctx); err != nil { // two who share for the first time do not wait for each other
		return err
	}
	if err := t.putShared(ctx, shared); err != nil {
		return err
	}
	seqs, digests, err := columnsOf(fresh)
	if err != nil {
		return err
	}
	keys := make([]string, len(fresh))
	for i, d := range fresh {
		keys[i] = d.SealKey
	}
	sealers, err := t.sealers(ctx, keys)
	if err != nil {
		return err
	}
	numbers := make([]*int32, len(fresh))
	for i, key := range keys {
		numbers[i] = sealers[key]
	}
	var batch pgx.Batch
	batch.Queue("delete from bodies where seq = any($1)", seqs)
	batch.Queue(`update records r set state = 'sealed', digest = x.digest, sealed_at = $3, sealer = x.sealer
		from unnest($1::bigint[], $2::bytea[], $4::integer[]) as x (seq, digest, sealer) where r.seq = x.seq`, seqs, digests, at, numbers)
	if err := t.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("writing what was sealed: %w", err)
	}
	return nil
}

func columnsOf(documents []registry.Document) (seqs []int64, digests [][]byte, err error) {
	seqs, digests = make([]int64, len(documents)), make([][]byte, len(documents))
	for i, d := range documents {
		seqs[i] = int64(d.Seq)
		if digests[i], err = digestOf(d.Digest); err != nil {
			return nil, nil, err
		}
	}
	return seqs, digests, nil
}

func (t *tx) putDocuments(ctx context.Context, documents []registry.Document) error {
	return t.fill(ctx, "documents", []string{"seq", "data"}, len(documents), func(i int) ([]any, error) {
		return []any{int64(documents[i].Seq), documents[i].Data}, nil
	})
}

// lockRecords reads records that nobody else changes then, without Body.
func (t *tx) lockRecords(ctx context.Context, documents []registry.Document) (map[uint64]registry.Record, error) {
	wanted := make([]int64, 0, len(documents))
	for _, d := range documents {
		if d.Seq <= math.MaxInt64 {
			wanted = append(wanted, int64(d.Seq))
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

// Extend is registry.Ledger.Extend, one transaction for all documents.
func (s *Store) Extend(ctx context.Context, documents []registry.ExtendedDocument, at time.Time) error {
	plain := make([]registry.Document, len(documents))
	for i, x := range documents {
		plain[i] = x.Document
	}
	return s.update(ctx, func(t *tx) error {
		there, err := t.lockRecords(ctx, plain)
		if err != nil {
			return err
		}
		var fresh []registry.Document
		var levels []int16
		for _, x := range documents {
			was, ok := there[x.Seq]
			if !ok {
				return fmt.Errorf("record %d: %w", x.Seq, registry.ErrNotFound)
			}
			change, err := extends(was, x)
			if err != nil {
				return fmt.Errorf("record %d: %w", x.Seq, err)
			}
			if change {
				fresh, levels = append(fresh, x.Document), append(levels, int16(x.Level))
				t.event(registry.Event{At: at, Kind: "extend", What: was.Credential, Why: x.Level.String()})
			}
		}
		return t.extend(ctx, fresh, levels)
	})
}

// extends tells whether an extension changes a record, or why it may not.
func extends(was registry.Record, x registry.ExtendedDocument) (bool, error) {
	switch {
	case was.State != registry.Sealed:
		return false, fmt.Errorf("it is %s: %w", was.State, registry.ErrConflict)
	case was.Digest == x.Digest && was.Level == x.Level:
		return false, nil
	case was.Digest != x.Before:
		return false, fmt.Errorf("its bytes are others than those that were extended: %w", registry.ErrConflict)
	case was.Level > x.Level:
		return false, fmt.Errorf("its level is %v already: %w", was.Level, registry.ErrConflict)
	}
	return true, nil
}

func (t *tx) extend(ctx context.Context, fresh []registry.Document, levels []int16) error {
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
