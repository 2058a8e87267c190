package main

import (
	"context"
	"fmt"
	"time"

	"attesta/keys"
)

// noteKeys notes in the audit log how the keys of the ring differ from what
// they were. A key is changed first and noted then: when the second fails, the
// error says so and the change stays.
func (l local) noteKeys(ctx context.Context, doing string, before []*keys.Key) error {
	was := make(map[string]*keys.Key, len(before))
	for _, k := range before {
		was[k.ID] = k
	}
	for _, k := range l.ring.All() {
		for _, why := range keyChanges(was[k.ID], k) {
			if err := l.registry.Note(ctx, "key", k.ID, "operator", doing+": "+why, l.now()); err != nil {
				return fmt.Errorf("key %s was changed (%s), but not in the log: %w", k.ID, why, err)
			}
		}
	}
	return nil
}

// keyChanges says in words how a key differs from what it was.
func keyChanges(was, is *keys.Key) (words []string) {
	if was == nil {
		owner := ""
		if is.Owner != "" {
			owner = " of " + is.Owner
		}
		words = append(words, fmt.Sprintf("new %s key%s", is.Purpose, owner))
		was = &keys.Key{}
	}
	if !is.Retired.Equal(was.Retired) {
		words = append(words, "retired from "+is.Retired.UTC().Format(time.RFC3339))
	}
	if !is.Revoked.Equal(was.Revoked) {
		words = append(words, "revoked since "+is.Revoked.UTC().Format(time.RFC3339))
	}
	return words
}

// noteBackup notes that what is in the registry leaves it. The backup has the
// entry too. A registry that makes no backups itself notes none.
func (l local) noteBackup(ctx context.Context, q backupRequest) error {
	if _, ok := l.store.Backend.(copier); !ok {
		return nil
	}
	why := "not encrypted"
	if q.Recipient != "" {
		why = "encrypted"
	}
	return l.registry.Note(ctx, "backup", "registry", "operator", why, l.now())
}
