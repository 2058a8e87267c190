package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"attesta/auditlog"
	"attesta/registry"
	"attesta/web"
)

// How long others may keep what is published about the log. What is over a
// number of entries never changes.
const (
	checkpointFresh = 10 * time.Second
	logForever      = 365 * 24 * time.Hour
)

// logDocuments hands the audit log to the pages: what its leaves hold, and
// nothing more.
type logDocuments struct{ *app }

// LogDocument implements web.LogDocuments.
func (d logDocuments) LogDocument(ctx context.Context, what web.LogDocument, from, to uint64) (web.Published, error) {
	p := web.Published{MediaType: "text/plain; charset=utf-8", MaxAge: checkpointFresh}
	var err error
	switch what {
	case web.LogKey:
		p.Token, err = d.publicKey()
	case web.LogCheckpoint:
		p.Token, err = d.publishedCheckpoint(ctx)
	case web.LogEntries, web.LogInclusion, web.LogConsistency:
		p.MaxAge = logForever
		if what != web.LogEntries {
			p.MediaType = "application/json"
		}
		if to == 0 {
			if to, err = d.publishedSize(ctx); err != nil {
				return p, err
			}
			p.MaxAge = checkpointFresh
		}
		p.Token, err = d.part(ctx, what, from, to)
	default:
		return p, registry.ErrNotFound
	}
	sum := sha256.Sum256(p.Token)
	p.ETag = hex.EncodeToString(sum[:12])
	return p, err
}

func (d logDocuments) publicKey() ([]byte, error) {
	origin, err := auditlog.Origin(d.settings.PublicURL)
	if err != nil {
		return nil, err
	}
	key, err := d.logKey(origin)
	return []byte(key + "\n"), err
}

// publishedSize is how many entries the newest published checkpoint has.
func (d logDocuments) publishedSize(ctx context.Context) (uint64, error) {
	signed, err := d.publishedCheckpoint(ctx)
	if err != nil {
		return 0, err
	}
	c, err := auditlog.Unverified(signed)
	return c.Size, err
}

// part is a part of the log, or a proof over it. One that there is not is
// registry.ErrNotFound.
func (d logDocuments) part(ctx context.Context, what web.LogDocument, from, to uint64) ([]byte, error) {
	log, err := d.registry.Log(ctx)
	if err != nil {
		return nil, err
	}
	if from == 0 || from > to || to > log.Size() {
		return nil, fmt.Errorf("the log has no part %d to %d: %w", from, to, registry.ErrNotFound)
	}
	if what == web.LogEntries {
		leaves, _, err := log.Entries(from, int(min(to-from+1, web.MaxLogEntries)))
		if err != nil {
			return nil, err
		}
		var text []byte
		for _, l := range leaves {
			text = append(text, l.Text()...)
		}
		return text, nil
	}
	answer := struct {
		Entry  uint64          `json:"entry,omitempty"`
		Old    uint64          `json:"old,omitempty"`
		Size   uint64          `json:"size"`
		Hashes []auditlog.Hash `json:"hashes"`
	}{Size: to}
	if what == web.LogInclusion {
		answer.Entry = from
		answer.Hashes, err = log.Inclusion(from, to)
	} else {
		answer.Old = from
		answer.Hashes, err = log.Consistency(from, to)
	}
	if err != nil {
		return nil, err
	}
	if answer.Hashes == nil {
		answer.Hashes = []auditlog.Hash{}
	}
	raw, err := json.Marshal(answer)
	return append(raw, '\n'), err
}
