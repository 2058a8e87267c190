package verifier

import (
	"bytes"
	"sync"
	"time"
)

// memory remembers the lists that were read last and held, so that one whose
// bytes did not change is not read again, and that an older one is known for what
// it is. Whether a list may be believed is decided anew every time. It is safe
// for concurrent use.
type memory struct {
	mu    sync.Mutex
	known map[string]*remembered
	bytes int // of the lists
	turn  uint64
}

// remembered is the newest list that one organisation published in one place.
type remembered struct {
	newest time.Time      // when it was made
	until  time.Time      // how long it may be relied on
	list   *publishedList // nil when there was no room for it
	used   uint64
}

// Bounds on what is remembered.
const (
	knownLists     = 4096
	knownListBytes = 16 << 20
)

// again finds the list that was read from the same bytes.
func (m *memory) again(place string, token []byte) *publishedList {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.known[place]
	if r == nil || r.list == nil || !bytes.Equal(r.list.token, token) {
		return nil
	}
	m.turn++
	r.used = m.turn
	return r.list
}

// take takes in a list that may be believed. When a newer one of the same place
// was seen, it gives that one, which counts beside it as long as it may be relied
// on; after that, or when it is no longer there, the list is stale. So whoever
// puts back an old list takes back nothing, and several servers that sign the
// same list a little apart disturb nobody.
func (m *memory) take(place string, l *publishedList, now time.Time) (newer *publishedList, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn++
	r := m.known[place]
	switch {
	case r == nil:
		r = &remembered{}
		m.known[place] = r
	case r.list == l || l.from.Equal(r.newest) && r.list != nil && bytes.Equal(r.list.token, l.token):
		r.used = m.turn
		return nil, nil
	case l.from.Before(r.newest):
		if r.list == nil || now.After(r.until) {
			return nil, &listError{"status_stale"}
		}
		return r.list, nil
	}
	m.bytes += l.size()
	if r.list != nil {
		m.bytes -= r.list.size()
	}
	r.newest, r.until, r.list, r.used = l.from, l.keptUntil(now), l, m.turn
	m.makeRoom(r)
	return nil, nil
}

// makeRoom forgets what was used least of late, but for one: first the lists, of
// which the day stays, then that too.
func (m *memory) makeRoom(stays *remembered) {
	for m.bytes > knownListBytes || len(m.known) > knownLists {
		tooMany := len(m.known) > knownLists
		oldest := ""
		for place, r := range m.known {
			if r != stays && (tooMany || r.list != nil) && (oldest == "" || r.used < m.known[oldest].used) {
				oldest = place
			}
		}
		if oldest == "" {
			return
		}
		if r := m.known[oldest]; r.list != nil {
			m.bytes -= r.list.size()
			r.list = nil
		}
		if tooMany {
			delete(m.known, oldest)
		}
	}
}
