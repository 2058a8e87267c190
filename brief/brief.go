package brief

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"attesta/credentials"
	"attesta/status"

	"github.com/fxamacker/cbor/v2"
)

// Brief is the short form of one award. Texts are by language.
type Brief struct {
	ID          string // of the credential: urn:credential:<uuid>
	Title       credentials.Text
	Provider    string // as the certificate of its key names it
	LegalID     string // organisation identifier, likewise
	Holder      string // name
	Issued      time.Time
	CompletedOn time.Time  // zero when not stated
	ValidFrom   time.Time  // zero when not stated
	ValidUntil  time.Time  // zero when it does not expire
	Outcomes    [][]string // the skills of each learning outcome, as addresses
	Status      []credentials.StatusEntry
	Digest      [sha256.Size]byte // SHA-256 of the sealed document, the seal aside
	// AwardedBy and AwardedIDs are those of credentials.View; on what mandate stands
	// in the document only.
	AwardedBy  credentials.Text
	AwardedIDs []string
}

// ErrUnfit is wrapped where a credential has no short form.
var ErrUnfit = errors.New("this credential has no short form")

// Of is the short form of a credential that was read from its document. One that
// attests several things, or leads to its status in a way of its own, has none.
func Of(v credentials.View, document []byte) (Brief, error) {
	if v.Claims != 1 {
		return Brief{}, fmt.Errorf("making a compact QR: %w: it attests %d things", ErrUnfit, v.Claims)
	}
	b := Brief{
		ID: v.ID, Title: v.Title, Provider: v.Issuer, LegalID: v.IssuerLegal, Holder: v.HolderName,
		Issued: v.Issued, CompletedOn: v.CompletedOn, ValidFrom: v.ValidFrom, ValidUntil: v.ValidUntil,
		Status: v.Status, Digest: sha256.Sum256(document),
		AwardedBy: v.AwardedBy, AwardedIDs: v.AwardedIDs,
	}
	for _, o := range v.Outcomes {
		var skills []string
		for _, s := range o.Skills {
			skills = append(skills, s.URI)
		}
		if len(skills) > 0 {
			b.Outcomes = append(b.Outcomes, skills)
		}
	}
	return b, nil
}

// View is what the brief says, in the fields of a whole credential. What it does
// not carry, such as the texts of the outcomes, is empty.
func (b Brief) View() credentials.View {
	v := credentials.View{
		ID: b.ID, Title: b.Title, HolderName: b.Holder,
		Issuer: b.Provider, IssuerNames: credentials.Text{"und": b.Provider}, IssuerLegal: b.LegalID,
		Issued: b.Issued, CompletedOn: b.CompletedOn, ValidFrom: b.ValidFrom, ValidUntil: b.ValidUntil,
		Status: b.Status, Claims: 1,
		AwardedBy: b.AwardedBy, AwardedIDs: b.AwardedIDs,
	}
	for _, skills := range b.Outcomes {
		var o credentials.OutcomeView
		for _, uri := range skills {
			o.Skills = append(o.Skills, credentials.Concept{URI: uri})
		}
		v.Outcomes = append(v.Outcomes, o)
	}
	return v
}

// content is a brief as it is written, with the keys of docs/reference/compact-qr.md.
type content struct {
	ID         []byte            `cbor:"1,keyasint"`
	Title      map[string]string `cbor:"2,keyasint"`
	Provider   string            `cbor:"3,keyasint"`
	LegalID    string            `cbor:"4,keyasint"`
	Holder     string            `cbor:"5,keyasint"`
	Issued     moment            `cbor:"6,keyasint"`
	Completed  *moment           `cbor:"7,keyasint,omitempty"`
	From       *moment           `cbor:"8,keyasint,omitempty"`
	Until      *moment           `cbor:"9,keyasint,omitempty"`
	Outcomes   [][]skill         `cbor:"10,keyasint,omitempty"`
	Status     []entry           `cbor:"11,keyasint,omitempty"`
	Digest     []byte            `cbor:"12,keyasint"`
	Made       uint64            `cbor:"13,keyasint"`
	AwardedBy  map[string]string `cbor:"14,keyasint,omitempty"`
	AwardedIDs []string          `cbor:"15,keyasint,omitempty"`
}

// moment is a time with the distance of its zone from UTC in quarters of an hour:
// days are those where it was written.
type moment struct {
	_        struct{} `cbor:",toarray"`
	Seconds  uint64
	Quarters int8
}

const (
	quarter    = 15 * 60
	lastMoment = 253402300799 // the end of the year 9999
	lastZone   = 14 * 4       // fourteen hours
)

func momentOf(t time.Time) *moment {
	if t.IsZero() {
		return nil
	}
	_, offset := t.Zone()
	return &moment{Seconds: uint64(max(t.Unix(), 0)), Quarters: int8(offset / quarter)}
}

func (m *moment) time() time.Time {
	if m == nil {
		return time.Time{}
	}
	at := time.Unix(int64(m.Seconds), 0).UTC()
	if m.Quarters == 0 {
		return at
	}
	return at.In(time.FixedZone("", int(m.Quarters)*quarter))
}

// skill is the address of one, or of an ESCO skill the sixteen bytes of its UUID.
type skill string

const esco = "http://data.europa.eu/esco/skill/"

// MarshalCBOR implements cbor.Marshaler.
func (s skill) MarshalCBOR() ([]byte, error) {
	if id, ok := strings.CutPrefix(string(s), esco); ok {
		if raw := uuidIn(id); raw != nil {
			return cbor.Marshal(raw)
		}
	}
	return cbor.Marshal(string(s))
}

// UnmarshalCBOR implements cbor.Unmarshaler.
func (s *skill) UnmarshalCBOR(data []byte) error {
	if len(data) == 17 && data[0] == 0x50 { // a string of sixteen bytes
		*s = skill(esco + uuidOf(data[1:]))
		return nil
	}
	var text string
	err := cbor.Unmarshal(data, &text)
	*s = skill(text)
	return err
}

// entry leads to the status: its kind, the address of a list and the position.
type entry struct {
	_     struct{} `cbor:",toarray"`
	Kind  uint8
	List  string
	Index uint32
}

// kinds are the entries of a status by their kind; the address and position are
// added to them.
var kinds = [...]credentials.StatusEntry{
	{Type: credentials.TokenStatusEntry},
	{Type: "BitstringStatusListEntry", Purpose: string(status.Revocation)},
	{Type: "BitstringStatusListEntry", Purpose: string(status.Suspension)},
}

const named = "urn:credential:"

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// uuidIn reads a UUID in its one written form; nil for anything else.
func uuidIn(text string) []byte {
	if !uuidForm.MatchString(text) {
		return nil
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil {
		return nil
	}
	return raw
}

func uuidOf(raw []byte) string {
	h := hex.EncodeToString(raw)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// contentOf is a brief as it is written.
func contentOf(b Brief, made time.Time) (content, error) {
	c := content{
		ID: uuidIn(strings.TrimPrefix(b.ID, named)), Title: b.Title, Provider: b.Provider, LegalID: b.LegalID, Holder: b.Holder,
		Completed: momentOf(b.CompletedOn), From: momentOf(b.ValidFrom), Until: momentOf(b.ValidUntil),
		Digest: b.Digest[:], Made: uint64(max(made.Unix(), 0)),
		AwardedBy: b.AwardedBy, AwardedIDs: b.AwardedIDs,
	}
	if issued := momentOf(b.Issued); issued != nil {
		c.Issued = *issued
	}
	for _, skills := range b.Outcomes {
		group := []skill{}
		for _, s := range skills {
			group = append(group, skill(s))
		}
		c.Outcomes = append(c.Outcomes, group)
	}
	for _, e := range b.Status {
		kind := slices.IndexFunc(kinds[:], func(k credentials.StatusEntry) bool { return k.Type == e.Type && k.Purpose == e.Purpose })
		index, err := status.ParseIndex(e.Index)
		if kind < 0 || err != nil {
			return c, fmt.Errorf("%w: its status is published in another way", ErrUnfit)
		}
		c.Status = append(c.Status, entry{Kind: uint8(kind), List: e.List, Index: index})
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	return c, nil
}

// brief is what the content says.
func (c content) brief() Brief {
	b := Brief{
		ID: named + uuidOf(c.ID), Title: c.Title, Provider: c.Provider, LegalID: c.LegalID, Holder: c.Holder,
		Issued: c.Issued.time(), CompletedOn: c.Completed.time(), ValidFrom: c.From.time(), ValidUntil: c.Until.time(),
		Digest: [sha256.Size]byte(c.Digest), AwardedBy: c.AwardedBy, AwardedIDs: c.AwardedIDs,
	}
	for _, group := range c.Outcomes {
		var skills []string
		for _, s := range group {
			skills = append(skills, string(s))
		}
		b.Outcomes = append(b.Outcomes, skills)
	}
	for _, e := range c.Status {
		k := kinds[e.Kind]
		k.List, k.Index = e.List, strconv.FormatUint(uint64(e.Index), 10)
		b.Status = append(b.Status, k)
	}
	return b
}

// Bounds on what a brief holds, in bytes and in number. Arrays and maps are
// bounded by the decoder too.
const (
	maxName  = 300
	maxTitle = 600 // of each language
	maxMany  = 16
	maxLists = 4
)

// check refuses what no brief holds.
func (c content) check() error {
	switch {
	case len(c.ID) != 16:
		return errors.New("the id is no urn:credential: with a UUID")
	case len(c.Digest) != sha256.Size:
		return errors.New("the digest is no SHA-256")
	case len(c.Title) == 0:
		return errors.New("there is no title")
	case c.Provider == "" || c.LegalID == "" || c.Holder == "":
		return errors.New("the provider or the holder has no name")
	case len(c.Outcomes) > maxMany || len(c.Status) > maxLists || len(c.AwardedIDs) > maxLists:
		return errors.New("there are too many outcomes or lists")
	case c.Made > lastMoment || c.Issued.Seconds == 0:
		return errors.New("a time is not one")
	}
	texts := slices.Concat([]string{c.Provider, c.LegalID, c.Holder}, c.AwardedIDs)
	for _, group := range c.Outcomes {
		if len(group) > maxMany {
			return errors.New("there are too many skills")
		}
		for _, s := range group {
			texts = append(texts, string(s))
		}
	}
	for _, e := range c.Status {
		if int(e.Kind) >= len(kinds) {
			return errors.New("the kind of a list is not known")
		}
		texts = append(texts, e.List)
	}
	for _, m := range []*moment{&c.Issued, c.Completed, c.From, c.Until} {
		if m != nil && (m.Seconds > lastMoment || m.Quarters > lastZone || m.Quarters < -lastZone) {
			return errors.New("a time is not one")
		}
	}
	for _, t := range texts {
		if t == "" || len(t) > maxName || !utf8.ValidString(t) {
			return fmt.Errorf("a text is empty or longer than %d bytes", maxName)
		}
	}
	return checkTitles(c.Title, c.AwardedBy)
}

var language = regexp.MustCompile(`^[a-z]{2,3}$`)

func checkTitles(all ...map[string]string) error {
	for _, texts := range all {
		if len(texts) > maxLists {
			return errors.New("a text has too many languages")
		}
		for l, text := range texts {
			if !language.MatchString(l) || text == "" || len(text) > maxTitle || !utf8.ValidString(text) {
				return fmt.Errorf("a text has no language, is empty or longer than %d bytes", maxTitle)
			}
		}
	}
	return nil
}

// write writes a content in the one way that there is (RFC 8949 section 4.2.1).
func (c content) write() ([]byte, error) {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return nil, fmt.Errorf("preparing to write CBOR: %w", err)
	}
	return mode.Marshal(c)
}

// readContent reads a payload. What is in it twice, is not known, follows it or
// could be written otherwise is refused.
func readContent(payload []byte) (content, error) {
	var c content
	mode, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField, UTF8: cbor.UTF8RejectInvalid,
		MaxNestedLevels: 4, MaxArrayElements: maxMany, MaxMapPairs: maxMany,
	}.DecMode()
	if err != nil {
		return c, fmt.Errorf("preparing to read CBOR: %w", err)
	}
	if err := mode.Unmarshal(payload, &c); err != nil {
		return c, malformed("its content is not what belongs there")
	}
	if err := c.check(); err != nil {
		return c, malformed("%v", err)
	}
	if again, err := c.write(); err != nil || !bytes.Equal(again, payload) {
		return c, malformed("its content is not written in the one way that there is")
	}
	return c, nil
}
