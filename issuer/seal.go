package issuer

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
)

// task is a reserved record with what its document is made from.
type task struct {
	record registry.Record
	model  *model
	award  credentials.Award
	key    *keys.Key
}

// sealed is what one call of seal made.
type sealed struct {
	sealings []registry.Sealing
	records  map[uint64]registry.Record // by number, as they are once they are stored
}

// maxTogether is how many records of a series are sealed, and read back, in one go.
const maxTogether = 32

// seal seals reserved records on all cores. What the caller knows of a record's
// intent it may say; else it is read from the record.
func (i *Issuer) seal(ctx context.Context, tasks []task, at time.Time) (sealed, error) {
	done := sealed{make([]registry.Sealing, len(tasks)), make(map[uint64]registry.Record, len(tasks))}
	groups, err := i.grouped(tasks, at)
	if err != nil {
		return done, err
	}
	err = parallel(len(groups), func(g int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return i.sealGroup(tasks, groups[g], done.sealings, at)
	})
	for n, t := range tasks {
		r := t.record
		r.State, r.SealedAt, r.Body, r.SealKey = registry.Sealed, at.UTC().Truncate(time.Second), nil, done.sealings[n].SealKey
		done.records[r.Seq] = r
	}
	return done, err
}

// grouped completes what is known of tasks, and parts them: those of a group are
// of one series, or one alone.
func (i *Issuer) grouped(tasks []task, at time.Time) (groups [][]int, err error) {
	current := i.keysAt(at)
	most := min(maxTogether, (len(tasks)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0)) // a few are for all cores
	open := map[seriesKey][]int{}
	for n := range tasks {
		t := &tasks[n]
		if t.model == nil {
			*t, err = i.planned(t.record, current)
		} else {
			t.key, err = current.key(t.key.ID, houseOf(t.key))
		}
		if err != nil {
			return nil, fmt.Errorf("sealing record %d: %w", t.record.Seq, err)
		}
		if t.isAlone() {
			groups = append(groups, []int{n})
			continue
		}
		name := seriesKey{t.model, t.key.ID, t.record.List}
		if open[name] = append(open[name], n); len(open[name]) >= most {
			groups = append(groups, open[name])
			delete(open, name)
		}
	}
	for _, rest := range open {
		groups = append(groups, rest)
	}
	return groups, nil
}

// isAlone tells whether the award is made of earlier ones, and so like no other.
func (t task) isAlone() bool { return len(t.award.Parts)+len(t.award.Stacks) > 0 }

// store stores the exact bytes in one step. The first seal of a record is the
// one that stays: the step is all or nothing, so what another call sealed in the
// meantime is left out, and returned.
func (i *Issuer) store(ctx context.Context, done *sealed, at time.Time) (elsewhere []uint64, err error) {
	for len(done.sealings) > 0 {
		err := i.Registry.Complete(ctx, done.sealings, at)
		if err == nil {
			for _, s := range done.sealings {
				r := done.records[s.Seq]
				r.Digest = s.Digest
				done.records[s.Seq] = r
			}
			break
		}
		if !errors.Is(err, registry.ErrConflict) {
			return nil, fmt.Errorf("storing %d sealed credentials: %w", len(done.sealings), err)
		}
		open, taken, err2 := i.stillOpen(ctx, done.sealings)
		if err2 != nil {
			return nil, err2
		}
		if len(taken) == 0 {
			return nil, fmt.Errorf("storing %d sealed credentials: %w", len(done.sealings), err)
		}
		for _, seq := range taken {
			delete(done.records, seq)
		}
		done.sealings, elsewhere = open, append(elsewhere, taken...)
	}
	done.sealings = nil // they are large
	return elsewhere, nil
}

// stillOpen parts what may still be stored from what has its seal already.
func (i *Issuer) stillOpen(ctx context.Context, sealings []registry.Sealing) (open []registry.Sealing, taken []uint64, err error) {
	for _, s := range sealings {
		record, err := i.Registry.Find(ctx, registry.Key{Seq: s.Seq})
		if err != nil {
			return nil, nil, fmt.Errorf("reading back a record: %w", err)
		}
		if record.State == registry.Reserved {
			open = append(open, s)
		} else {
			taken = append(taken, s.Seq)
		}
	}
	return open, taken, nil
}

// planned reads what was intended from the record.
func (i *Issuer) planned(record registry.Record, current *currentKeys) (task, error) {
	var p plan
	if err := json.Unmarshal(record.Body, &p); err != nil {
		return task{}, fmt.Errorf("reading the intent: %w", err)
	}
	m, err := i.model(p.Provider, p.Module)
	if err != nil {
		return task{}, err
	}
	key, err := current.key(p.Key, registry.House{Sealer: m.provider.Sealer(), LegalID: p.House})
	return task{record, m, p.award(m), key}, err
}

// sealGroup gives the sealed bytes of a group of records.
func (i *Issuer) sealGroup(tasks []task, group []int, sealings []registry.Sealing, at time.Time) (err error) {
	first := tasks[group[0]]
	if first.isAlone() {
		if sealings[group[0]], err = i.sealAlone(first, at); err != nil {
			return fmt.Errorf("sealing record %d: %w", first.record.Seq, err)
		}
		return nil
	}
	series, err := i.seriesOf(first.model, first.key, first.record.List)
	var shared []byte
	if err == nil {
		shared, err = series.Shared()
	}
	if err != nil {
		return fmt.Errorf("sealing record %d: %w", first.record.Seq, err)
	}
	awards := make([]credentials.Particulars, len(group))
	for n, of := range group {
		t := &tasks[of]
		awards[n] = credentials.Particulars{
			Learner: t.award.Learner, CompletedOn: t.award.CompletedOn, Score: t.award.Score,
			Credential: t.record.Credential, At: t.record.ReservedAt, Index: t.record.Index,
		}
	}
	// 4. Seal. 5. Compare: read the seal back and hold it against what was intended.
	files, err := series.Seal(awards, at)
	if err != nil {
		return fmt.Errorf("sealing record %d: %w", tasks[group[len(files)]].record.Seq, err)
	}
	for n, of := range group {
		sealings[of] = registry.Sealing{Seq: tasks[of].record.Seq, SealKey: first.key.ID, Begins: files[n].Begins, Sealed: files[n].Rest, Shared: shared}
	}
	return nil
}

// sealAlone seals what is like no other: an award that is made of earlier ones.
func (i *Issuer) sealAlone(t task, at time.Time) (s registry.Sealing, err error) {
	document, err := i.document(t.model, t.award, t.record, t.key)
	if err != nil {
		return s, err
	}
	// 4. Seal.
	s.Seq, s.SealKey = t.record.Seq, t.key.ID
	if s.Sealed, err = credentials.EDC.Seal(document, t.key, at); err != nil {
		return s, err
	}
	// 5. Compare: read the seal back as a stranger would and hold its content
	// against the document that was intended.
	parsed, err := credentials.EDC.Parse(s.Sealed)
	if err != nil {
		return s, fmt.Errorf("reading the seal back: %w", err)
	}
	if err := parsed.Envelope.Verify(); err != nil {
		return s, fmt.Errorf("reading the seal back: %w", err)
	}
	if !bytes.Equal(parsed.Envelope.Payload(), document) || !parsed.Envelope.Leaf().Equal(t.key.Certificate()) {
		return s, errors.New("comparing the seal with the intent: they differ")
	}
	return s, nil
}

// currentKeys finds keys once for all records of a call.
type currentKeys struct {
	*keys.Ring
	at    time.Time
	mu    sync.Mutex
	found map[intended]*keys.Key
}

// intended is a key by its id, and the house that it seals for.
type intended struct {
	key   string
	house registry.House
}

func (i *Issuer) keysAt(at time.Time) *currentKeys {
	return &currentKeys{Ring: i.Keys, at: at, found: map[intended]*keys.Key{}}
}

// key is the key that was intended, or the current one of the same house when
// that may sign no more: nothing sealed with the first was ever stored. Another
// house cannot take its place, since the status list is of the first.
func (c *currentKeys) key(id string, house registry.House) (*keys.Key, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k, ok := c.found[intended{id, house}]; ok {
		return k, nil
	}
	all := c.All()
	n := slices.IndexFunc(all, func(k *keys.Key) bool { return k.ID == id && k.MaySign(c.at) == nil })
	if n >= 0 {
		c.found[intended{id, house}] = all[n]
		return all[n], nil
	}
	k, err := c.CurrentOf(keys.Seal, house.Sealer, house.LegalID, c.at)
	if err == nil {
		c.found[intended{id, house}] = k
		return k, nil
	}
	if _, other := c.Current(keys.Seal, house.Sealer, c.at); other == nil {
		err = fmt.Errorf("%w; it was reserved before the identifier changed: import the provider's entry as it was then, make a key with attesta keys rotate --for seal, start attesta serve, and import the entry of today again", err)
	}
	return nil, err
}

// maxSeries bounds how many series are kept ready. Each takes about four times
// its document.
const maxSeries = 128

type seriesKey struct {
	model *model
	key   string // its id
	list  string
}

type series struct {
	*credentials.Series
	chain []*x509.Certificate // that the key had
}

// seriesOf is the series of the credentials of a model that are sealed with one
// key and point at one list.
func (i *Issuer) seriesOf(m *model, key *keys.Key, list string) (*credentials.Series, error) {
	name := seriesKey{m, key.ID, list}
	known := func() *credentials.Series {
		if s, ok := i.series[name]; ok && slices.Equal(s.chain, key.Chain()) {
			return s.Series
		}
		return nil
	}
	i.mu.Lock()
	found := known()
	i.mu.Unlock()
	if found != nil {
		return found, nil
	}
	pictures, err := m.pictures()
	if err != nil {
		return nil, err
	}
	entries := credentials.StatusEntries(func(purpose status.Purpose) string { return i.ListURL(list, purpose) }, 0)
	fresh, err := credentials.NewSeries(credentials.Common{
		Provider: m.provider, Module: m.module, Pictures: pictures, Status: entries, Zone: i.Zone,
	}, key, &i.same)
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if found := known(); found != nil { // another was faster
		return found, nil
	}
	if len(i.series) >= maxSeries {
		clear(i.series)
	}
	i.series[name] = &series{fresh, key.Chain()}
	return fresh, nil
}
