package verifier

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"time"

	"attesta/credentials"
	"attesta/status"
)

// Bounds on how large a foreign list may unpack: a Bitstring to 2 MiB, the
// entries of a token to 4 MiB. Either holds 16 million credentials.
const (
	maxListEntries = 1 << 24
	maxListBytes   = 4 << 20
)

// endless is how long a list counts that names no end.
const endless = 24 * time.Hour

// publishedList is a signed list that was taken apart, unpacked, and found to be
// signed by the certificate that it carries. Who that is, and whether it is the
// list that was asked for, is not looked at yet. It does not change.
type publishedList struct {
	token   []byte
	chain   []*x509.Certificate
	address string // for which it was made
	purpose string // "" for a token list
	kind    string // of what it holds
	from    time.Time
	until   time.Time
	fresh   time.Duration // how long it may be kept, by its own word; 0 when it says nothing
	bits    *status.Bitstring
	entries *status.TokenEntries
}

// size is how much memory it takes.
func (l *publishedList) size() int {
	if l.bits != nil {
		return len(l.token) + int(l.bits.Size()/8)
	}
	return len(l.token) + l.entries.Bytes()
}

// value reads one entry. A set bit of a Bitstring is what its purpose says.
func (l *publishedList) value(index uint32) (status.Value, error) {
	if l.entries != nil {
		return l.entries.Get(index)
	}
	set, err := l.bits.Get(index)
	switch {
	case err != nil || !set:
		return status.Valid, err
	case l.purpose == string(status.Revocation):
		return status.Revoked, nil
	}
	return status.Suspended, nil
}

// suspends tells whether the list would say that a credential is suspended.
func (l *publishedList) suspends() bool {
	if l.entries != nil {
		return l.entries.Width() > 1
	}
	return l.purpose == string(status.Suspension)
}

// keptUntil is until when the list may be relied on without asking again.
func (l *publishedList) keptUntil(asked time.Time) time.Time {
	until := asked.Add(min(max(l.fresh, keptLeast), keptMost))
	if l.until.Before(until) {
		return l.until
	}
	return until
}

// The kinds of list.
const (
	kindBitstring = "BitstringStatusList"
	kindToken     = credentials.TokenStatusEntry
)

// kindOf is the kind of list that an entry points at.
func kindOf(e credentials.StatusEntry) string {
	if e.Type == credentials.TokenStatusEntry {
		return kindToken
	}
	return kindBitstring
}

// readList takes a published token apart: a Bitstring Status List credential
// (Bitstring Status List 1.0) or a Status List Token (IETF Token Status List), as
// the entry that led to it wants. Errors are *listError; with one there may be a
// list all the same, of which only the chain is known.
func readList(token []byte, want string) (*publishedList, error) {
	kind := credentials.StatusListType
	if want == kindToken {
		kind = credentials.TokenListType
	}
	envelope, err := credentials.ParseCompact(token, kind)
	if err != nil {
		return nil, &listError{"status_list_unreadable"}
	}
	if envelope.Verify() != nil {
		return nil, &listError{"status_list_untrusted"}
	}
	l := &publishedList{token: token, chain: envelope.Chain}
	if kind == credentials.TokenListType {
		return l, l.readToken(envelope.Payload())
	}
	return l, l.readCredential(envelope.Payload())
}

// readCredential reads a Bitstring Status List credential. Its ttl is in
// milliseconds.
func (l *publishedList) readCredential(payload []byte) error {
	var c struct {
		ID         string `json:"id"`
		ValidFrom  string `json:"validFrom"`
		ValidUntil string `json:"validUntil"`
		Subject    struct {
			Type    string `json:"type"`
			Purpose string `json:"statusPurpose"`
			List    string `json:"encodedList"`
			TTL     any    `json:"ttl"`
		} `json:"credentialSubject"`
	}
	if decode(payload, &c) != nil {
		return &listError{"status_list_unreadable"}
	}
	var err error
	if l.from, err = time.Parse(time.RFC3339, c.ValidFrom); err != nil {
		return &listError{"status_list_unreadable"}
	}
	l.until = l.from.Add(endless)
	if c.ValidUntil != "" {
		if l.until, err = time.Parse(time.RFC3339, c.ValidUntil); err != nil {
			return &listError{"status_list_unreadable"}
		}
	}
	l.address, l.purpose, l.kind = c.ID, c.Subject.Purpose, c.Subject.Type
	l.fresh = duration(c.Subject.TTL, time.Millisecond)
	if l.bits, err = status.DecodeBitstring(c.Subject.List, maxListEntries); err != nil {
		return &listError{"status_list_damaged"}
	}
	return nil
}

// readToken reads the claims of a Status List Token (section 5.1). Its ttl is in
// seconds. Where other lists are said to be (aggregation_uri) is not looked at.
func (l *publishedList) readToken(payload []byte) error {
	var c struct {
		Subject string `json:"sub"`
		Issued  any    `json:"iat"`
		Expires any    `json:"exp"`
		TTL     any    `json:"ttl"`
		List    struct {
			Bits any    `json:"bits"`
			List string `json:"lst"`
		} `json:"status_list"`
	}
	if decode(payload, &c) != nil {
		return &listError{"status_list_unreadable"}
	}
	issued, ok := moment(c.Issued)
	if !ok {
		return &listError{"status_list_unreadable"}
	}
	l.from, l.until = issued, issued.Add(endless)
	if c.Expires != nil {
		if l.until, ok = moment(c.Expires); !ok {
			return &listError{"status_list_unreadable"}
		}
	}
	l.address, l.kind, l.fresh = c.Subject, kindToken, duration(c.TTL, time.Second)
	bits, ok := c.List.Bits.(json.Number)
	width, err := bits.Int64()
	if !ok || err != nil || width != 1 && width != 2 && width != 4 && width != 8 {
		return &listError{"status_list_unreadable"}
	}
	if l.entries, err = status.DecodeTokenList(c.List.List, int(width), maxListBytes); err != nil {
		return &listError{"status_list_damaged"}
	}
	return nil
}

func decode(payload []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	return d.Decode(into)
}

// lastMoment bounds the times of strangers, so that they can be reckoned with.
const lastMoment = 253402300799 // the end of the year 9999

// moment reads a NumericDate (RFC 7519 clause 2).
func moment(v any) (time.Time, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := n.Float64()
	if err != nil {
		return time.Time{}, false
	}
	return time.Unix(int64(min(max(seconds, 0), lastMoment)), 0), true
}

// duration reads a time to live, 0 when there is none that makes sense.
func duration(v any, unit time.Duration) time.Duration {
	n, ok := v.(json.Number)
	if !ok {
		return 0
	}
	count, err := n.Float64()
	if err != nil || count <= 0 {
		return 0
	}
	return time.Duration(min(count*float64(unit), float64(keptMost)))
}
