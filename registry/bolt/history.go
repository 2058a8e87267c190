package bolt

import (
	"errors"
	"fmt"
	"slices"

	"attesta/registry"
	"attesta/status"
)

// brief is what changes of a record, in few bytes: there is one for each. The
// zero value is one that is not there.
type brief struct {
	state  byte // from 1 in states
	status status.Value
	level  registry.Level
}

func briefOf(r registry.Record) brief {
	return brief{byte(slices.Index(states(), r.State) + 1), r.Status, r.Level}
}

func (b brief) String() string {
	if b.state == 0 {
		return "not there"
	}
	return fmt.Sprintf("%s, %v, at level %v", states()[b.state-1], b.status, b.level)
}

func (a *audit) readEvents() error {
	var last uint64
	a.said = make([]brief, len(a.are))
	_, err := a.each(bucketEvents, func(k, v []byte) error {
		seq, err := seqOf(k)
		if err != nil || seq != last+1 {
			return a.fault("the audit log has a gap after %d", last)
		}
		last = seq
		ev, err := decodeEvent(seq, v)
		if err != nil {
			return err
		}
		return a.replay(ev)
	})
	if err == nil && last != a.bucket(bucketEvents).Sequence() {
		err = a.fault("the audit log ends at %d instead of %d", last, a.bucket(bucketEvents).Sequence())
	}
	return err
}

// replay does to the record of an event what the event says.
func (a *audit) replay(ev registry.Event) error {
	raw, ok := rawCredential(ev.What)
	if !ok {
		return nil
	}
	seq, err := a.lookUp(bucketCredentials, raw[:indexBytes])
	if errors.Is(err, registry.ErrNotFound) || err == nil && seq > uint64(len(a.said)) {
		return a.fault("entry %d of the log is about a record that is not there", ev.Seq)
	}
	if err != nil {
		return err
	}
	is := &a.said[seq-1]
	switch ev.Kind {
	case "reserve":
		is.state = briefOf(registry.Record{State: registry.Reserved}).state
	case "seal":
		is.state = briefOf(registry.Record{State: registry.Sealed}).state
	case "erase":
		is.state = briefOf(registry.Record{State: registry.Erased}).state
	case "extend":
		levels := []registry.Level{registry.LevelB, registry.LevelT, registry.LevelLT, registry.LevelLTA}
		is.level = registry.Level(slices.IndexFunc(levels, func(l registry.Level) bool { return l.String() == ev.Why }))
	case "suspend":
		is.status = status.Suspended
	case "revoke":
		is.status = status.Revoked
	case "reinstate":
		is.status = status.Valid
	}
	return nil
}

// compareHistory holds what records are against what the log says became of
// them: else who can write to the file could make valid what was revoked. That
// the log is what it was, its tree says.
func (a *audit) compareHistory() error {
	for n, is := range a.are {
		if said := a.said[n]; is != said {
			if err := a.fault("record %d is %v, and the log says %v", n+1, is, said); err != nil {
				return err
			}
		}
	}
	return nil
}
