package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
)

// lookPause is how often a running server looks whether keys and settings in its
// folder changed, and whether the registry knows of others.
const lookPause = 2 * time.Second

// inStep is what a process knows of the keys that all processes must have.
type inStep struct {
	mu       sync.Mutex
	known    map[string]registry.KeyMark
	last     uint64      // Seq of the newest of them
	settings fs.FileInfo // as they were when they were read
	said     string      // the last thing that was wrong
}

// staleKeys says that the keys of the folder are not those that the registry
// knows: another machine made or ended some.
type staleKeys struct{ missing, ended []string }

func (e *staleKeys) Error() string {
	return "comparing the keys with the registry: those in the data folder are older, " + e.list("missing: ", "ended elsewhere: ") + "; nothing is sealed with them"
}

func (e *staleKeys) list(missing, ended string) string {
	var parts []string
	if len(e.missing) > 0 {
		parts = append(parts, missing+strings.Join(e.missing, ", "))
	}
	if len(e.ended) > 0 {
		parts = append(parts, ended+strings.Join(e.ended, ", "))
	}
	return strings.Join(parts, "; ")
}

const staleRemedy = "copy keys/ of the data folder from the machine where they were changed; if a key is nowhere any more: attesta keys forget KEY"

// staleWords says in both languages that keys are not in step.
func staleWords(err error) error {
	stale, ok := errors.AsType[*staleKeys](err)
	if !ok {
		return err
	}
	return &spoken{err, credentials.Text{
		"it": "Le chiavi in questa cartella dei dati sono più vecchie di quelle che il registro conosce (" + stale.list("mancano: ", "terminate altrove: ") +
			"). Non è stato rilasciato altro: copia keys/ della cartella dei dati dalla macchina su cui sono state cambiate e ripeti il comando. Se una chiave non esiste più: attesta keys forget CHIAVE.",
		"en": "The keys in this data folder are older than those that the registry knows (" + stale.list("missing: ", "ended elsewhere: ") +
			"). Nothing more was issued: copy keys/ of the data folder from the machine where they were changed, then run the command again. If a key is nowhere any more: attesta keys forget KEY.",
	}}
}

// markOf is what others may know of a key.
func markOf(k *keys.Key) registry.KeyMark {
	second := func(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
	return registry.KeyMark{ID: k.ID, Retired: second(k.Retired), Revoked: second(k.Revoked)}
}

// compareKeys holds the keys of this process against what the registry knows: in
// what they are behind, and what is news to it.
func (a *app) compareKeys(ctx context.Context) (stale *staleKeys, news []registry.KeyMark, err error) {
	s := &a.step
	if s.known == nil {
		s.known = map[string]registry.KeyMark{}
	}
	for {
		page, err := a.registry.KeyMarks(ctx, s.last, registry.MaxLimit)
		if err != nil {
			return nil, nil, fmt.Errorf("comparing the keys with the registry: %w", err)
		}
		for _, m := range page {
			s.known[m.ID], s.last = m, m.Seq
		}
		if len(page) < registry.MaxLimit {
			break
		}
	}
	behind := &staleKeys{}
	ours := map[string]bool{}
	for _, k := range a.ring.All() {
		if k.Purpose == keys.Receipt { // each folder has its own, and nothing of others hangs on it
			continue
		}
		ours[k.ID] = true
		mark, known := markOf(k), s.known[k.ID]
		if _, more := known.Join(mark); more || known.ID == "" {
			news = append(news, mark)
		}
		known.Lost = time.Time{}
		if _, more := mark.Join(known); more {
			behind.ended = append(behind.ended, k.ID)
		}
	}
	for id, m := range s.known {
		if !ours[id] && m.Lost.IsZero() {
			behind.missing = append(behind.missing, id)
		}
	}
	if len(behind.missing)+len(behind.ended) == 0 {
		return nil, news, nil
	}
	slices.Sort(behind.missing)
	slices.Sort(behind.ended)
	return behind, news, nil
}

// follow takes in what changed in the folder, tells the registry of keys that it
// does not know, and returns in what this process is behind. A folder that cannot
// be read whole is said once, and its keys of before count on.
func (a *app) follow(ctx context.Context) (*staleKeys, error) {
	a.step.mu.Lock()
	defer a.step.mu.Unlock()
	changed, err := a.ring.Reload()
	if changed && a.anchorIsOld() {
		err = a.publishAnchor()
	}
	err = errors.Join(err, a.followSettings())
	stale, news, err2 := a.compareKeys(ctx)
	if err2 == nil && len(news) > 0 {
		err2 = a.registry.NoteKeys(ctx, news, a.now())
	}
	said := ""
	if err != nil {
		said = err.Error()
	} else if stale != nil {
		said = stale.Error()
	}
	if said != "" && said != a.step.said {
		a.log.Warn(said)
	}
	a.step.said = said
	return stale, err2
}

// followSettings takes in another time-stamping authority. What else stands in
// the settings is read when the program starts.
func (a *app) followSettings() error {
	info, err := os.Stat(a.folder.settings())
	if err != nil {
		return fmt.Errorf("looking at the settings: %w", err)
	}
	if was := a.step.settings; was != nil && os.SameFile(info, was) && info.Size() == was.Size() && info.ModTime().Equal(was.ModTime()) {
		return nil
	}
	a.stamps.changing.Lock()
	defer a.stamps.changing.Unlock()
	now, err := a.folder.readSettings()
	if err != nil {
		return err
	}
	if now.TimeAuthority != a.settings.TimeAuthority {
		a.settings.TimeAuthority = now.TimeAuthority
		a.stamps.set(now.TimeAuthority)
	}
	a.step.settings = info
	return nil
}

// keysInStep returns nil if this process has the keys that the registry knows,
// and knows of each how it ended.
func (a *app) keysInStep(ctx context.Context) error {
	stale, err := a.follow(ctx)
	if err != nil {
		return err
	}
	if stale != nil {
		return &hinted{stale, staleRemedy}
	}
	return nil
}

// maySeal returns nil if this process has the keys that the registry knows, and
// the registry is not an older one than this folder knows of.
func (a *app) maySeal(ctx context.Context) error {
	if err := a.keysInStep(ctx); err != nil {
		return err
	}
	return a.notSetBack(ctx)
}

// followLater follows until the context ends.
func (a *app) followLater(ctx context.Context) {
	silent := false
	for {
		_, err := a.follow(ctx)
		if err != nil && !silent && ctx.Err() == nil {
			a.log.Warn("looking whether keys changed elsewhere; this is tried again", "error", err)
		}
		silent = err != nil
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookPause):
		}
	}
}

// changeFolderKeys changes keys while no other process does, from the state that
// all have; to end a key is always allowed. All are told at once.
func (a *app) changeFolderKeys(ctx context.Context, ending bool, change func(context.Context) error) error {
	return a.inTurn(ctx, keyWork, func(ctx context.Context) error {
		if err := a.keysInStep(ctx); err != nil && !ending {
			return staleWords(err)
		}
		err := change(ctx)
		if _, err2 := a.follow(ctx); err2 != nil {
			err = errors.Join(err, fmt.Errorf("telling the other servers, which is tried again as long as a server runs here: %w", err2))
		}
		return err
	})
}

// forgetKey notes that nobody has a key any more.
func (a *app) forgetKey(ctx context.Context, id string) (keyChange, error) {
	a.step.mu.Lock()
	defer a.step.mu.Unlock()
	if _, _, err := a.compareKeys(ctx); err != nil {
		return keyChange{}, err
	}
	if slices.ContainsFunc(a.ring.All(), func(k *keys.Key) bool { return k.ID == id }) {
		return keyChange{}, fmt.Errorf("forgetting key %s: it is in this data folder: retire or revoke it: %w", id, registry.ErrConflict)
	}
	if a.step.known[id].ID == "" {
		return keyChange{}, fmt.Errorf("forgetting key %q: %w", id, keys.ErrUnknown)
	}
	if err := a.registry.NoteKeys(ctx, []registry.KeyMark{{ID: id, Lost: a.now()}}, a.now()); err != nil {
		return keyChange{}, err
	}
	return keyChange{Follows: []string{"Key " + id + " is not looked for any more. What it sealed counts as before; if somebody else may have it, tell whoever checks."}}, nil
}

// checkInStep says whether other machines have other keys.
func (l local) checkInStep(ctx context.Context) []diagnosis {
	l.step.mu.Lock()
	defer l.step.mu.Unlock()
	stale, _, err := l.compareKeys(ctx)
	switch {
	case err != nil:
		return []diagnosis{{true, "Which keys there are cannot be read: " + err.Error() + ".", l.goBack()}}
	case stale != nil:
		return []diagnosis{{
			true, "The keys in the data folder are older than those that the registry knows (" + stale.list("missing: ", "ended elsewhere: ") + "): nothing is sealed here.",
			"Copy keys/ of the data folder from the machine where they were changed. If a key is nowhere any more: attesta keys forget KEY",
		}}
	}
	return []diagnosis{{What: "The keys are those that the registry knows."}}
}
