package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"attesta/auditlog"
	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
)

// logbook signs checkpoints of the audit log, one after the other.
type logbook struct {
	key    *keys.LogKey
	mu     sync.Mutex
	newest []byte    // the checkpoint that is published
	at     time.Time // when it was looked for
}

func (f folder) checkpoint() string { return filepath.Join(string(f), "log.checkpoint") }

// logKey is the public key by which others know the log.
func (a *app) logKey(origin string) (string, error) {
	return auditlog.VerifierKey(origin, a.logs.key.Public())
}

// errForked is wrapped when the log is not what a signed checkpoint says that it
// was.
var errForked = errors.New("the audit log contradicts a checkpoint that was signed")

// keptCheckpoints are the newest checkpoints that were signed, as the folder and
// the registry remember them. Nobody but this installation signs them, whatever
// its address was then.
func (a *app) keptCheckpoints(l *registry.Log, file []byte) (newest []byte, size uint64, err error) {
	for _, signed := range [][]byte{file, l.Kept()} {
		if len(signed) == 0 {
			continue
		}
		said, err := auditlog.Unverified(signed)
		if err == nil {
			var key string
			if key, err = a.logKey(said.Origin); err == nil {
				said, err = auditlog.OpenCheckpoint(signed, key)
			}
		}
		if err != nil {
			return nil, 0, fmt.Errorf("reading the checkpoint that was signed last: %w: %w", err, errForked)
		}
		if err := holdLog(l, said); err != nil {
			return nil, 0, err
		}
		if newest == nil || said.Size > size {
			newest, size = signed, said.Size
		}
	}
	return newest, size, nil
}

// holdLog holds the log against a checkpoint over it that was signed before.
func holdLog(l *registry.Log, c auditlog.Checkpoint) error {
	if c.Size > l.Size() {
		return fmt.Errorf("the log has %d entries, and a checkpoint over %d was signed: the registry is an older copy, or entries were taken away: %w", l.Size(), c.Size, errForked)
	}
	root, err := l.RootAt(c.Size)
	if errors.Is(err, auditlog.ErrDiffers) {
		return fmt.Errorf("an entry of the log was changed, removed or put in: %w: %w", err, errForked)
	}
	if err != nil {
		return err
	}
	if root != c.Root {
		return fmt.Errorf("the first %d entries of the log are not those over which a checkpoint was signed: an entry was changed, removed or put in, or the registry is a copy that went another way: %w", c.Size, errForked)
	}
	return nil
}

// readLog returns the log as it is now, held against every checkpoint that is
// remembered, and the newest of them.
func (a *app) readLog(ctx context.Context) (l *registry.Log, newest []byte, size uint64, err error) {
	// Before the log: what is signed meanwhile, by another process, is over more.
	file, err := os.ReadFile(a.folder.checkpoint())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, 0, fmt.Errorf("reading the checkpoint that was signed last: %w", err)
	}
	if l, err = a.registry.Log(ctx); err != nil {
		return nil, nil, 0, err
	}
	newest, size, err = a.keptCheckpoints(l, file)
	return l, newest, size, err
}

// checkpoint returns the newest signed checkpoint. When there is none over all
// that the log has, it signs one, which is durable in the folder and in the
// registry before anybody sees it. A log that contradicts an earlier checkpoint
// is errForked, and nothing is signed.
func (a *app) checkpoint(ctx context.Context) (*registry.Log, []byte, error) {
	a.logs.mu.Lock()
	defer a.logs.mu.Unlock()
	l, newest, size, err := a.readLog(ctx)
	if err != nil {
		return nil, nil, err
	}
	origin, err := auditlog.Origin(a.settings.PublicURL)
	if err != nil {
		return nil, nil, err
	}
	if newest != nil && size == l.Size() {
		if said, err := auditlog.Unverified(newest); err == nil && said.Origin == origin {
			a.logs.newest, a.logs.at = newest, a.now()
			return l, newest, nil
		}
	}
	signed, err := auditlog.SignCheckpoint(auditlog.Checkpoint{Origin: origin, Size: l.Size(), Root: l.Hash}, a.logs.key)
	// The registry first: the folder must not know of what a database, losing its
	// leader, never acknowledged.
	if err == nil {
		err = a.registry.KeepCheckpoint(ctx, l.Size(), signed)
	}
	if err == nil {
		err = keys.WriteFile(a.folder.checkpoint(), signed)
	}
	if err != nil {
		return nil, nil, err
	}
	a.logs.newest, a.logs.at = signed, a.now()
	return l, signed, nil
}

// notSetBack returns errForked for a database that was set back, or went another
// way, since this folder signed a checkpoint. A file has its mark for that.
func (a *app) notSetBack(ctx context.Context) error {
	if !a.store.shared {
		return nil
	}
	_, _, _, err := a.readLog(ctx)
	if errors.Is(err, errForked) {
		return &hinted{err, "put back the newest registry; if nothing newer can be had: attesta restore --accept --data " + string(a.folder)}
	}
	return err
}

// remember signs a checkpoint over what was issued just now, so that this folder
// knows an older database. What was issued counts in any case.
func (a *app) remember(ctx context.Context) {
	if !a.store.shared {
		return
	}
	if _, _, err := a.checkpoint(ctx); err != nil {
		a.log.Warn("no checkpoint of the audit log is signed; attesta doctor says more", "error", err)
	}
}

// setBackWords says in both languages that the registry is an older one.
func setBackWords(err error) error {
	if !errors.Is(err, errForked) {
		return err
	}
	return &spoken{err, credentials.Text{
		"it": "Il registro è una copia più vecchia, o modificata, di quello che questa cartella dei dati conosce. Non è stato rilasciato altro: rimetti il registro più recente. Se non ne esiste uno più recente: attesta restore --accept",
		"en": "The registry is an older copy than this data folder knows, or one that was changed. Nothing more was issued: put back the newest registry. If nothing newer can be had: attesta restore --accept",
	}}
}

// checkpointPause is how often a server signs a checkpoint, if the log has grown.
const checkpointPause = time.Minute

// publishedCheckpoint is the newest checkpoint, or one that is a little older.
func (a *app) publishedCheckpoint(ctx context.Context) ([]byte, error) {
	a.logs.mu.Lock()
	newest, age := a.logs.newest, a.now().Sub(a.logs.at)
	a.logs.mu.Unlock()
	if newest != nil && age >= 0 && age < checkpointPause {
		return newest, nil
	}
	_, signed, err := a.checkpoint(ctx)
	return signed, err
}

// checkpointLater holds the log against what was signed, and then signs
// checkpoints until the context ends. That it cannot is said once.
func (a *app) checkpointLater(ctx context.Context) {
	_, _, _, err := a.readLog(ctx)
	for silent := false; ; {
		if err != nil && !silent && ctx.Err() == nil {
			a.log.Warn("no checkpoint of the audit log is signed; attesta doctor says more", "error", err)
		}
		silent = err != nil
		select {
		case <-ctx.Done():
			return
		case <-time.After(checkpointPause):
			_, _, err = a.checkpoint(ctx)
		}
	}
}

// logRequest is what attesta log asks of an installation.
type logRequest struct {
	Do    string `json:"do"`              // checkpoint, key, prove
	ID    string `json:"id,omitempty"`    // of a credential, or the number of an entry
	Since []byte `json:"since,omitempty"` // an earlier checkpoint
}

type logAnswer struct {
	Checkpoint []byte          `json:"checkpoint,omitempty"`
	Key        string          `json:"key,omitempty"`
	Proof      *auditlog.Proof `json:"proof,omitempty"`
}

// Log answers what attesta log asks.
func (l local) Log(ctx context.Context, q logRequest) (logAnswer, error) {
	origin, err := auditlog.Origin(l.settings.PublicURL)
	if err != nil {
		return logAnswer{}, err
	}
	key, err := l.logKey(origin)
	if err != nil || q.Do == "key" {
		return logAnswer{Key: key}, err
	}
	log, signed, err := l.checkpoint(ctx)
	if err != nil || q.Do == "checkpoint" {
		return logAnswer{Checkpoint: signed}, err
	}
	if q.Do != "prove" {
		return logAnswer{}, fmt.Errorf("asking the log: %q is not known here: %w", q.Do, registry.ErrInvalid)
	}
	proof := auditlog.Proof{Format: auditlog.Format, Checkpoint: string(signed)}
	if len(q.Since) > 0 {
		if proof.Since, err = proveGrowth(log, key, q.Since); err != nil {
			return logAnswer{}, err
		}
	}
	if q.ID != "" {
		if proof.Entries, err = l.proveEntries(ctx, log, q.ID); err != nil {
			return logAnswer{}, err
		}
	}
	return logAnswer{Proof: &proof}, nil
}

// proveGrowth proves that the log grew from an earlier checkpoint.
func proveGrowth(log *registry.Log, key string, since []byte) (*auditlog.Growth, error) {
	old, err := auditlog.OpenCheckpoint(since, key)
	if err != nil {
		return nil, fmt.Errorf("the earlier checkpoint: %w", err)
	}
	if err := holdLog(log, old); err != nil {
		return nil, err
	}
	g := &auditlog.Growth{Size: old.Size, Hashes: []auditlog.Hash{}}
	if old.Size > 0 {
		g.Hashes, err = log.Consistency(old.Size, log.Size())
	}
	return g, err
}

// proveEntries proves one entry, or all that are about a credential.
func (l local) proveEntries(ctx context.Context, log *registry.Log, id string) ([]auditlog.Entry, error) {
	number, err := strconv.ParseUint(id, 10, 63)
	if err == nil {
		return entriesOf(log, number, 1, func(auditlog.Opening) bool { return true })
	}
	record, err := l.find(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("looking for the credential %s: %w", id, err)
	}
	return entriesOf(log, 1, log.Size(), func(o auditlog.Opening) bool { return o.What == record.Credential })
}

// entriesOf proves those of count entries that are wanted.
func entriesOf(log *registry.Log, from, count uint64, wanted func(auditlog.Opening) bool) (out []auditlog.Entry, err error) {
	for n := uint64(0); n < count; {
		leaves, openings, err := log.Entries(from+n, int(min(count-n, registry.MaxLimit)))
		if err != nil {
			return nil, err
		}
		for i, leaf := range leaves {
			if !wanted(openings[i]) {
				continue
			}
			proof, err := log.Inclusion(leaf.Seq, log.Size())
			if err != nil {
				return nil, err
			}
			if len(out) == auditlog.MaxEntries {
				return nil, fmt.Errorf("there are more than %d entries about it: %w", auditlog.MaxEntries, registry.ErrFull)
			}
			out = append(out, auditlog.Entry{Leaf: string(leaf.Text()), Opening: openings[i], Inclusion: proof})
		}
		n += uint64(len(leaves))
	}
	return out, nil
}

// checkLog says whether the log is what was signed of it.
func (l local) checkLog(ctx context.Context) []diagnosis {
	log, newest, size, err := l.readLog(ctx)
	switch {
	case errors.Is(err, errForked):
		return []diagnosis{{
			true, "The audit log cannot be believed: " + err.Error() + ".",
			"Put back the newest registry. If this is an older one and nothing newer can be had, tell those who have checkpoints, and go on with: attesta restore --accept",
		}}
	case err != nil:
		return []diagnosis{{true, "The audit log cannot be read: " + err.Error() + ".", l.goBack()}}
	case newest == nil:
		return []diagnosis{{What: fmt.Sprintf("The audit log has %s; no checkpoint over it was signed yet.", entries(log.Size()))}}
	}
	return []diagnosis{{What: fmt.Sprintf("The audit log has %s and goes on from the checkpoint that was signed over %d.", entries(log.Size()), size)}}
}

func entries(n uint64) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// abandonCheckpoint puts the newest checkpoint of a folder aside, after its
// operator took an older registry for the newest.
func (f folder) abandonCheckpoint(at time.Time) (name string, err error) {
	name = f.checkpoint() + ".until-" + at.UTC().Format("20060102T150405Z")
	err = os.Rename(f.checkpoint(), name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("putting the checkpoint of the log aside: %w", err)
	}
	return filepath.Base(name), nil
}
