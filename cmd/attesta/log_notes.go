package main

import "context"

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
