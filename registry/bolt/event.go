package bolt

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"attesta/registry"
)

// The first byte of an event: the number of its kind in five bits, from the
// lowest, and what else there is.
const (
	kindMask     = 0x1f
	isCredential = 1 << 5 // what it is about is a credential, raw
	hasBy        = 1 << 6
	hasWhy       = 1 << 7
)

// kinds are the kinds of event that have a number; another one is written out
// and has the number 0. The order never changes.
func kinds() []string {
	return []string{
		"", "reserve", "seal", "extend", "suspend", "reinstate", "revoke", "provider", "module", "learners", "access", "accept",
		"erase", "key", "backup", "migrate",
	}
}

func encodeEvent(ev registry.Event) []byte {
	n := max(slices.Index(kinds(), ev.Kind), 0)
	e := encoder{b: append(make([]byte, 0, 48), byte(n))}
	if n == 0 {
		e.text(ev.Kind)
	}
	e.moment(ev.At)
	if raw, ok := rawCredential(ev.What); ok {
		e.b[0] |= isCredential
		e.b = append(e.b, raw...)
	} else {
		e.text(ev.What)
	}
	if ev.By != "" {
		e.b[0] |= hasBy
		e.text(ev.By)
	}
	if ev.Why != "" {
		e.b[0] |= hasWhy
		e.text(ev.Why)
	}
	return e.b
}

// decodeEvent reads an event from any bytes.
func decodeEvent(seq uint64, b []byte) (registry.Event, error) {
	d := decoder{b: b}
	ev := registry.Event{Seq: seq}
	first := d.take(1)
	if len(first) == 0 {
		return ev, d.end()
	}
	switch n := int(first[0] & kindMask); {
	case n == 0:
		ev.Kind = d.text()
	case n < len(kinds()):
		ev.Kind = kinds()[n]
	default:
		d.fail("the kind of an event")
	}
	ev.At = d.moment()
	if first[0]&isCredential != 0 {
		ev.What = textCredential(d.take(16))
	} else {
		ev.What = d.text()
	}
	if first[0]&hasBy != 0 {
		ev.By = d.text()
	}
	if first[0]&hasWhy != 0 {
		ev.Why = d.text()
	}
	return ev, d.end()
}

// event appends to the audit log.
func (t *tx) event(ev registry.Event) error {
	if ev.At.IsZero() {
		if k, v := t.bucket(bucketEvents).Cursor().Last(); k != nil {
			v, err := verified(bucketEvents, k, v)
			if err != nil {
				return err
			}
			last, err := decodeEvent(0, v)
			if err != nil {
				return err
			}
			ev.At = last.At
		}
	}
	n, err := t.next(bucketEvents)
	if err != nil {
		return fmt.Errorf("logging: %w", err)
	}
	v := encodeEvent(ev)
	t.entries, t.last = n, sha256.Sum256(v)
	ev.Seq = n
	if err := t.grow(ev); err != nil {
		return err
	}
	return t.put(bucketEvents, seqKey(n), v)
}
