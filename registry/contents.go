package registry

import (
	"context"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// What follows stands between the calls and the backend, which sees of every
// body and document only what encrypt makes of it.

var errContent = errors.New("the stored data is damaged, restore a backup")

// holder is whose a record is, and what encrypts for that person.
type holder struct {
	credential string
	cipher     cipher.AEAD
}

func (h holder) factsPlace() string    { return "facts of " + h.credential }
func (h holder) bodyPlace() string     { return "body of " + h.credential }
func (h holder) documentPlace() string { return "document of " + h.credential }

// holders keeps the holders of records that are about to be sealed. A record
// keeps its holder until it is erased, and then takes nothing any more.
type holders struct {
	mu sync.Mutex
	of map[uint64]holder
}

// maxHolders is more than a call that issues has on its way.
const maxHolders = 1 << 15

func (h *holders) put(seq uint64, who holder) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of == nil || len(h.of) >= maxHolders {
		h.of = map[uint64]holder{}
	}
	h.of[seq] = who
}

func (h *holders) take(seq uint64) (holder, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	who, ok := h.of[seq]
	delete(h.of, seq)
	return who, ok
}

func (h *holders) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of = nil
}

// holderOf looks up the holder of a record.
func (r *Registry) holderOf(ctx context.Context, seq uint64) (holder, error) {
	if who, ok := r.holders.take(seq); ok {
		return who, nil
	}
	for again := false; ; again = true {
		rec, err := r.backend.Find(ctx, Key{Seq: seq})
		if err != nil {
			return holder{}, err
		}
		if rec.State == Erased {
			return holder{}, fmt.Errorf("it is %s: %w", rec.State, ErrConflict)
		}
		people, err := r.backend.People(ctx, []string{rec.Learner})
		if err != nil {
			return holder{}, err
		}
		who, err := r.holder(rec, people)
		if err == nil || again {
			return who, err
		} // who was erased between two reads is met by the second
	}
}

// holder is the holder of a record among people.
func (r *Registry) holder(rec Record, people map[string]Person) (holder, error) {
	p, ok := people[rec.Learner]
	if !ok {
		return holder{}, missing(&rec)
	}
	aead, err := r.vault.cipher(p.Salt)
	return holder{rec.Credential, aead}, err
}

func missing(rec *Record) error {
	return fmt.Errorf("the person of record %d is missing: %w", rec.Seq, errContent)
}

// sharing collects what the contents of one step share with others, and the
// backend may not have.
type sharing struct {
	mu  sync.Mutex
	new []*dictionary
}

func (s *sharing) add(d *dictionary) {
	d.mu.Lock()
	stored := d.stored
	d.mu.Unlock()
	if d.kept == nil || stored {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.new, d) {
		s.new = append(s.new, d)
	}
}

// entries are what a step of the backend is to keep.
func (s *sharing) entries(p *packer) ([]SharedEntry, error) {
	plain, err := p.none()
	if err != nil {
		return nil, err
	}
	var out []SharedEntry
	for _, d := range s.new {
		out = append(out, SharedEntry{ID: d.id, Content: plain.of(d.kept).pack()})
	}
	return out, nil
}

// done notes that the step was made.
func (s *sharing) done() {
	for _, d := range s.new {
		d.mu.Lock()
		d.stored = true
		d.mu.Unlock()
	}
}

// dictionaryNamed returns what packs and unpacks with shared content that is
// stored, or with none.
func (r *Registry) dictionaryNamed(ctx context.Context, id SharedID) (*dictionary, error) {
	return r.packer.get(id, func() ([]byte, error) {
		stored, err := r.backend.Shared(ctx, id)
		if errors.Is(err, ErrNotFound) { // what refers to it is there
			return nil, fmt.Errorf("what it shares with others is missing: %w", errContent)
		}
		if err != nil {
			return nil, fmt.Errorf("reading what it shares with others: %w", err)
		}
		plain, err := r.packer.none()
		if err != nil {
			return nil, err
		}
		return plain.unpack(stored)
	})
}

// enclose packs and encrypts content for a place.
func (r *Registry) enclose(c content, who holder, place string) ([]byte, error) {
	return r.vault.seal(who.cipher, place, c.pack())
}

// disclose is the inverse of enclose. It also tells what the content shares
// with others. What cannot be read is damaged.
func (r *Registry) disclose(ctx context.Context, who holder, place string, b []byte) ([]byte, SharedID, error) {
	packed, err := r.vault.open(who.cipher, place, b)
	if err != nil {
		return nil, SharedID{}, fmt.Errorf("%v: %w", err, errContent)
	}
	id, err := packedBy(packed)
	if err != nil {
		return nil, id, fmt.Errorf("%v: %w", err, errContent)
	}
	d, err := r.dictionaryNamed(ctx, id)
	if err != nil {
		return nil, id, err
	}
	whole, err := d.unpack(packed)
	if err != nil {
		return nil, id, fmt.Errorf("%v: %w", err, errContent)
	}
	return whole, id, nil
}

// document packs, encrypts and names sealed bytes.
func (r *Registry) document(sealed content, who holder, seq uint64) (Document, error) {
	data, err := r.enclose(sealed, who, who.documentPlace())
	digest := sealed.digest()
	return Document{Seq: seq, Digest: hex.EncodeToString(digest[:]), Data: data}, err
}

// openDocument gives back the exact sealed bytes of a record.
func (r *Registry) openDocument(ctx context.Context, rec Record, who holder, data []byte) ([]byte, SharedID, error) {
	sealed, id, err := r.disclose(ctx, who, who.documentPlace(), data)
	if err != nil {
		return nil, id, err
	}
	if digest := sha256.Sum256(sealed); hex.EncodeToString(digest[:]) != rec.Digest {
		return nil, id, fmt.Errorf("the digest differs: %w", errContent)
	}
	return sealed, id, nil
}

// readDocument reads the sealed bytes of a record, and what it needs to write
// others in their place. Who is erased between two reads is met by the second.
func (r *Registry) readDocument(ctx context.Context, seq uint64) (sealed []byte, who holder, id SharedID, err error) {
	if r.vault == nil {
		return nil, who, id, r.locked
	}
	for range 2 {
		rec, data, err2 := r.backend.Document(ctx, seq)
		if err2 != nil {
			return nil, who, id, err2
		}
		people, err2 := r.backend.People(ctx, []string{rec.Learner})
		if err2 != nil {
			return nil, who, id, err2
		}
		if who, err = r.holder(rec, people); err != nil {
			continue
		}
		if sealed, id, err = r.openDocument(ctx, rec, who, data); !errors.Is(err, errContent) {
			break
		}
	}
	return sealed, who, id, err
}

func (f Facts) encode() []byte {
	var b []byte
	for _, s := range []string{f.CompletedOn, f.Attendance, f.Score} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

// decode is the inverse of encode, from any bytes.
func (f *Facts) decode(b []byte) error {
	for _, s := range []*string{&f.CompletedOn, &f.Attendance, &f.Score} {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return errContent
		}
		*s, b = string(b[size:size+int(n)]), b[size+int(n):]
	}
	if len(b) > 0 {
		return errContent
	}
	return nil
}

// reveal gives a record its Facts, and one that is reserved its Body: then it
// remembers the holder too.
func (r *Registry) reveal(ctx context.Context, rec *Record, people map[string]Person) error {
	who, err := r.holder(*rec, people)
	if err != nil {
		return err
	}
	if rec.Hidden != nil {
		plain, err := r.vault.open(who.cipher, who.factsPlace(), rec.Hidden)
		if err == nil {
			err = rec.Facts.decode(plain)
		}
		if err != nil {
			return fmt.Errorf("the facts of record %d: %v: %w", rec.Seq, err, errContent)
		}
		rec.Hidden = nil
	}
	if rec.State != Reserved || rec.Body == nil {
		return nil
	}
	if rec.Body, _, err = r.disclose(ctx, who, who.bodyPlace(), rec.Body); err != nil {
		return fmt.Errorf("the body of record %d: %w", rec.Seq, err)
	}
	r.holders.put(rec.Seq, who)
	return nil
}

// checkContents opens everything that is encrypted, with nothing that is
// remembered from before.
func (r *Registry) checkContents(ctx context.Context) error {
	r = &Registry{backend: r.backend, vault: r.vault, locked: r.locked}
	for q := (Query{Limit: MaxLimit}); ; {
		records, err := r.backend.Records(ctx, q)
		if err != nil || len(records) == 0 {
			return err
		}
		if r.vault == nil {
			return r.locked
		}
		last := records[len(records)-1].Seq
		if q.Before > 0 && last >= q.Before {
			return fmt.Errorf("checking the registry: the records after %d do not follow: %w", last, errContent)
		}
		q.Before = last
		people, err := r.backend.People(ctx, learnersOf(records))
		if err != nil {
			return err
		}
		for id, p := range people {
			if _, _, err := r.learner(p); err != nil {
				return fmt.Errorf("checking the registry: person %s: %w", id, err)
			}
		}
		for _, rec := range records {
			switch rec.State {
			case Reserved:
				_, err = r.Find(ctx, Key{Seq: rec.Seq})
			case Sealed:
				_, err = r.SealedBytes(ctx, rec.Seq)
			}
			if err != nil && !errors.Is(err, ErrNotFound) { // erased meanwhile
				return fmt.Errorf("checking the registry: record %d: %w", rec.Seq, err)
			}
		}
	}
}

// parallel calls do for 0 to n-1 on all cores and returns the first error.
func parallel(n int, do func(int) error) error {
	workers := min(n, runtime.GOMAXPROCS(0))
	errs := make([]error, workers)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for k := w; k < n && errs[w] == nil; k += workers {
				errs[w] = do(k)
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}
