// Package auditlog is the audit log as others see it: what an entry shows of
// itself, the RFC 6962 tree over all entries, signed checkpoints, and proofs
// that anybody can check without the registry. It does no I/O.
//
// An entry shows its number, its time, its kind and a commitment. What it is
// about, by whom and why, it shows only to those who are given its opening.
//
//	checked, err := proof.Check(key, nil)
package auditlog

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a hash of the tree: SHA-256, domain-separated as RFC 6962 says in
// section 2.1. In JSON it is standard base64.
type Hash = tlog.Hash

// ErrInvalid is wrapped by every error about bytes that cannot be read.
var ErrInvalid = errors.New("it cannot be read")

// Event is an entry of the log with all that it says. It is made of whole
// seconds of UTC.
type Event struct {
	Seq  uint64 // from 1; the entry is leaf Seq-1 of the tree
	At   time.Time
	Kind string
	What string
	By   string
	Why  string
}

// Leaf is what everybody may see of an entry.
type Leaf struct {
	Seq        uint64
	At         time.Time // UTC, whole seconds
	Kind       string    // as Shown
	Commitment Hash
}

// Opening is what an entry says, with the salt that ties it to the commitment
// of its leaf.
type Opening struct {
	Kind string `json:"kind"`
	What string `json:"what"`
	By   string `json:"by,omitempty"`
	Why  string `json:"why,omitempty"`
	Salt Hash   `json:"salt"`
}

// Commitment is SHA-256 over the salt and then kind, what, by and why, each
// after its length in bytes as four bytes, the most significant first.
func (o Opening) Commitment() Hash {
	text := make([]byte, 0, 256)
	text = append(text, o.Salt[:]...)
	for _, s := range []string{o.Kind, o.What, o.By, o.Why} {
		text = binary.BigEndian.AppendUint32(text, uint32(len(s)))
		text = append(text, s...)
	}
	return sha256.Sum256(text)
}

// Opens tells whether the opening belongs to a leaf.
func (o Opening) Opens(l Leaf) bool {
	return o.Commitment() == l.Commitment && l.Kind == Shown(o.Kind)
}

// Internal is the kind that leaves show of what is nobody's business: who came
// into the console and when, and when class lists were read.
const Internal = "internal"

// Shown is what a leaf shows of a kind.
func Shown(kind string) string {
	if kind == "access" || kind == "learners" {
		return Internal
	}
	return kind
}

// Key is the secret from which the salts of one log are derived. Who has it can
// try out what an entry may be about.
type Key [32]byte

// Salt is the salt of an entry: HMAC-SHA-256 under the key over a word and the
// entry's number.
func (k Key) Salt(seq uint64) Hash { return salt(hmac.New(sha256.New, k[:]), seq) }

func salt(mac hash.Hash, seq uint64) (salt Hash) {
	mac.Reset()
	mac.Write(binary.BigEndian.AppendUint64([]byte("attesta log salt"), seq))
	mac.Sum(salt[:0])
	return salt
}

// Open returns what an event shows to everybody and what it shows to some.
func (k Key) Open(e Event) (Leaf, Opening) { return e.open(k.Salt(e.Seq)) }

func (e Event) open(salt Hash) (Leaf, Opening) {
	o := Opening{Kind: e.Kind, What: e.What, By: e.By, Why: e.Why, Salt: salt}
	return Leaf{Seq: e.Seq, At: e.At.UTC(), Kind: Shown(e.Kind), Commitment: o.Commitment()}, o
}

// Leaves returns what gives the leaf hashes of events, one after the other. It is
// not safe for concurrent use.
func (k Key) Leaves() func(Event) Hash {
	mac := hmac.New(sha256.New, k[:])
	return func(e Event) Hash {
		l, _ := e.open(salt(mac, e.Seq))
		return l.Hash()
	}
}

const leafStart = "attesta log 1\n"

// Text is the leaf as the tree has it: five lines, each with its end.
//
//	attesta log 1
//	<number, from 1>
//	<seconds since 1970-01-01T00:00:00Z>
//	<kind>
//	<commitment, 64 characters 0-9a-f>
func (l Leaf) Text() []byte {
	text := append(make([]byte, 0, 128), leafStart...)
	text = append(strconv.AppendUint(text, l.Seq, 10), '\n')
	text = append(strconv.AppendInt(text, l.At.Unix(), 10), '\n')
	text = append(append(text, l.Kind...), '\n')
	return append(hex.AppendEncode(text, l.Commitment[:]), '\n')
}

// Hash is the hash of the leaf in the tree.
func (l Leaf) Hash() Hash { return tlog.RecordHash(l.Text()) }

// maxLeaf bounds the text of a leaf.
const maxLeaf = 256

// ParseLeaf is the inverse of Text, for any bytes: what it takes is exactly
// what Text writes.
func ParseLeaf(text []byte) (Leaf, error) {
	fault := func(what string) (Leaf, error) { return Leaf{}, fmt.Errorf("reading a leaf: %s: %w", what, ErrInvalid) }
	if len(text) > maxLeaf {
		return fault("it is too long")
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) != 6 {
		return fault("it has not five lines")
	}
	var l Leaf
	var err error
	if l.Seq, err = strconv.ParseUint(lines[1], 10, 63); err != nil || l.Seq == 0 {
		return fault("its number is none")
	}
	seconds, err := strconv.ParseInt(lines[2], 10, 64)
	if err != nil || seconds < 0 || seconds > maxSeconds {
		return fault("its time is none")
	}
	l.At = time.Unix(seconds, 0).UTC()
	if l.Kind = lines[3]; !IsKind(l.Kind) {
		return fault("its kind is none")
	}
	raw, err := hex.DecodeString(lines[4])
	if err != nil || len(raw) != len(l.Commitment) {
		return fault("its commitment is none")
	}
	copy(l.Commitment[:], raw)
	if !bytes.Equal(l.Text(), text) {
		return fault("it is not written as this program writes it")
	}
	return l, nil
}

// maxSeconds is the end of the year 9999.
const maxSeconds = 253402300799

// IsKind tells whether a word can be a kind of entry: 1 to 24 characters a-z
// and -.
func IsKind(s string) bool {
	return s != "" && len(s) <= 24 && !slices.ContainsFunc([]byte(s), func(c byte) bool { return (c < 'a' || c > 'z') && c != '-' })
}
