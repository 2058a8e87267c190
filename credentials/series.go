package credentials

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Common is what all credentials of a series share: a module of a provider, the
// status lists and the zone whose days count.
type Common struct {
	Provider Provider
	Module   Module
	Pictures map[string][]byte // as Issue.Pictures
	Status   []StatusEntry     // as Issue.Status, but for their Index
	Zone     *time.Location
}

// DigestSealer is a Sealer that can also sign what was hashed already, so that
// what many credentials begin with is hashed once. A Series uses it where it is
// there.
type DigestSealer interface {
	Sealer
	// SignDigest returns the raw JWS signature over the input with this digest,
	// made by the hash of the algorithm.
	SignDigest(digest []byte) ([]byte, error)
}

// Series seals European Digital Credentials that differ in their Particulars
// only. It gives the very bytes that EDC.Seal gives for what NewDocument writes,
// and writes, quotes and hashes once what they share. It is safe for concurrent
// use.
type Series struct {
	common Common
	signer Signer
	sealer Sealer
	digest DigestSealer // the same, or nil

	algorithm string
	hash      crypto.Hash
	chain     []*x509.Certificate
	kid       []byte
	same      *SameKeys
	particular

	mu        sync.Mutex
	templates map[shape]*template
	shared    []byte
	begins    []byte // of shared, up to the first value of an award
	rooms     sync.Pool
}

// room is used again by the next credential.
type room struct{ rest, unquoted []byte }

func (s *Series) room() *room {
	if r, ok := s.rooms.Get().(*room); ok {
		return r
	}
	return new(room)
}

// maxShapes bounds the templates of a series. What exceeds it is written each
// time by itself: there are few shapes, but for who writes many countries.
const maxShapes = 32

// NewSeries returns a series that is sealed with one key. Series may share same.
func NewSeries(c Common, s Sealer, same *SameKeys) (*Series, error) {
	chain := s.Chain()
	if len(chain) == 0 || !algorithmFits(s.Algorithm(), chain[0].PublicKey) {
		return nil, fmt.Errorf("beginning a series: algorithm %q does not fit the certificate", s.Algorithm())
	}
	signer, err := SignerOf(chain[0])
	if err != nil {
		return nil, fmt.Errorf("beginning a series: %w", err)
	}
	kid, err := issuerSerial(chain[0])
	if err != nil {
		return nil, fmt.Errorf("beginning a series: %w", err)
	}
	series := &Series{
		common: c, signer: signer, sealer: s, algorithm: s.Algorithm(), hash: hashOf(s.Algorithm()), chain: chain, kid: kid, same: same,
		particular: particularOf(c.Module, c.Zone), templates: map[shape]*template{},
	}
	series.digest, _ = s.(DigestSealer)
	return series, nil
}

// of is the award and the issue of one credential of the series.
func (s *Series) of(p Particulars) (Award, Issue) {
	i := Issue{Credential: p.Credential, At: p.At.In(s.common.Zone), Signer: s.signer, Pictures: s.common.Pictures}
	for _, entry := range s.common.Status {
		entry.Index = fmt.Sprint(p.Index)
		i.Status = append(i.Status, entry)
	}
	return Award{
		Provider: s.common.Provider, Module: s.common.Module, Learner: p.Learner,
		CompletedOn: p.CompletedOn, Score: p.Score,
	}, i
}

// draft is a credential of a series on its way.
type draft struct {
	template *template
	moment   *moment
	values   *written
	rest     []byte // of the document, after the first slot
}

func (s *Series) draft(p Particulars, at time.Time, r *room) (d draft, err error) {
	v, err := s.values(p)
	if err != nil {
		return d, err
	}
	if d.values, err = v.written(); err != nil {
		return d, err
	}
	if d.template, err = s.template(p, &v); err != nil {
		return d, err
	}
	d.rest = d.template.appendRest(r.rest[:0], d.values)
	r.rest = d.rest
	d.moment, err = d.template.at(at, s)
	return d, err
}

// template is that of the shape of an award.
func (s *Series) template(p Particulars, v *values) (*template, error) {
	key := shapeOf(v, &p.Learner)
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.templates[key]; ok {
		return t, nil
	}
	if err := s.share(); err != nil {
		return nil, err
	}
	a, i := s.of(p)
	t, err := newTemplate(a, i, *v)
	if err != nil {
		return nil, err
	}
	t.begins = t.quoted[0]
	if bytes.HasPrefix(t.quoted[0], s.begins) {
		t.begins = s.begins
	}
	for _, other := range s.templates {
		if bytes.Equal(other.plain[0], t.plain[0]) { // kept once
			t.plain[0], t.quoted[0] = other.plain[0], other.quoted[0]
			break
		}
	}
	if len(s.templates) < maxShapes {
		s.templates[key] = t
	}
	return t, nil
}

// Document is what NewDocument writes for an award of the series.
func (s *Series) Document(p Particulars) (Document, error) {
	d, err := s.draft(p, p.At, new(room))
	if err != nil {
		return nil, fmt.Errorf("writing the document: %w", err)
	}
	return slices.Concat(d.template.plain[0], d.rest), nil
}

// SealedFile is a sealed file in two parts, one after the other. What a series
// begins with lies in one place for all of its files, and must not be changed.
type SealedFile struct{ Begins, Rest []byte }

// Bytes is the file in one piece.
func (f SealedFile) Bytes() []byte { return slices.Concat(f.Begins, f.Rest) }

// Seal is EDC.Seal for awards of the series, one after the other. It also reads
// the seals back: see compare. Where one fails it returns the files before it.
func (s *Series) Seal(awards []Particulars, at time.Time) ([]SealedFile, error) {
	r := s.room()
	defer s.rooms.Put(r)
	files, checks := make([]SealedFile, 0, len(awards)), make([]check, 0, len(awards))
	var failed error
	for _, p := range awards {
		f, c, err := s.one(p, at, r)
		if failed = err; failed != nil {
			break
		}
		files, checks = append(files, f), append(checks, c)
	}
	good, err := s.verify(checks)
	if err != nil {
		failed = err
	}
	return files[:good], failed
}

// one is a seal whose signature is still to be verified.
func (s *Series) one(p Particulars, at time.Time, r *room) (f SealedFile, c check, err error) {
	d, err := s.draft(p, at, r)
	if err != nil {
		return f, c, fmt.Errorf("writing the document: %w", err)
	}
	if f, err = s.seal(d); err == nil {
		c, err = s.compare(f, d, p, at, r)
	}
	return f, c, err
}

// seal seals what is not to be handed out before compare has read it back.
func (s *Series) seal(d draft) (f SealedFile, err error) {
	var signature []byte
	if s.digest != nil {
		var sum []byte
		if sum, err = d.moment.began.sum(d.rest); err == nil {
			signature, err = s.digest.SignDigest(sum)
		}
	} else {
		input := bytes.Join([][]byte{[]byte(d.moment.protected + "."), d.template.plain[0], d.rest}, nil)
		signature, err = s.sealer.Sign(input)
	}
	if err != nil {
		return f, fmt.Errorf("signing the document: %w", err)
	}
	f.Begins = d.template.begins
	between := d.template.quoted[0][len(f.Begins):]
	f.Rest = make([]byte, 0, len(between)+len(d.rest)+len(d.rest)/4+len(d.moment.end)+2*len(signature))
	f.Rest = append(d.template.appendQuotedRest(append(f.Rest, between...), d.values), d.moment.end...)
	f.Rest = base64.RawURLEncoding.AppendEncode(f.Rest, signature)
	f.Rest = append(f.Rest, fileEnds...)
	return f, nil
}

// errDiffer says that a seal is not what was intended.
var errDiffer = errors.New("comparing the seal with the intent: they differ")

// compare reads a seal of the series back and holds it against what was
// intended: the document that NewDocument writes, sealed with the key of the
// certificate at that moment.
//
// The first seal of every second and every shape is read as a stranger would,
// with EDC.Parse and Envelope.Verify, and its content is held against what
// NewDocument writes anew. Those after it begin with the same bytes, in the same
// place, and so does the header; hence the hash over that beginning, which the
// first has proved, is the hash over theirs. Whatever differs from one to the
// next is read from the file with the same reader, compared and hashed, and every
// signature is verified with the key of the certificate, which is left to who
// calls: it is done for many at once.
func (s *Series) compare(f SealedFile, d draft, p Particulars, at time.Time, r *room) (c check, err error) {
	proven := d.moment.proven.Load()
	if !proven {
		if err := s.prove(f.Bytes(), p, at); err != nil {
			return c, err
		}
	}
	after, begins := f.Rest, d.template.quoted[0]
	if same := d.template.begins; len(f.Begins) == len(same) && &f.Begins[0] == &same[0] { // nothing to compare
		begins = begins[len(same):]
	} else {
		after = f.Bytes()
	}
	after, ok := bytes.CutPrefix(after, begins)
	if !ok {
		return c, errDiffer
	}
	size := base64.RawURLEncoding.EncodedLen(signatureBytes(s.chain[0].PublicKey)) + len(fileEnds)
	if len(after) < len(d.moment.end)+size {
		return c, errDiffer
	}
	after, end := after[:len(after)-size], after[len(after)-size:]
	text, ok := bytes.CutSuffix(after, d.moment.end)
	if !ok {
		return c, errDiffer
	}
	rest, err := unquote(text, r)
	if err != nil || rest != string(d.rest) {
		return c, errDiffer
	}
	encoded, ok := bytes.CutSuffix(end, []byte(fileEnds))
	if !ok {
		return c, errDiffer
	}
	if c.signature, err = decodeBase64URL(string(encoded)); err != nil {
		return c, errDiffer
	}
	if c.digest, err = d.moment.began.sum([]byte(rest)); err != nil {
		return c, fmt.Errorf("reading the seal back: %w", err)
	}
	if !proven {
		if _, err := s.verify([]check{c}); err != nil {
			return c, err
		}
		d.moment.proven.Store(true)
	}
	return c, nil
}

// verify verifies signatures with the key of the certificate. It returns how many
// are good, and what is wrong with the one after them.
func (s *Series) verify(checks []check) (good int, err error) {
	good, err = s.same.verify(s.algorithm, s.chain[0].PublicKey, checks)
	if err != nil {
		err = fmt.Errorf("reading the seal back: %w: %w", ErrSeal, err)
	}
	return good, err
}

// prove reads a seal back as a stranger would.
func (s *Series) prove(sealed []byte, p Particulars, at time.Time) error {
	parsed, err := EDC.Parse(sealed)
	if err != nil {
		return fmt.Errorf("reading the seal back: %w", err)
	}
	if err := parsed.Envelope.Verify(); err != nil {
		return fmt.Errorf("reading the seal back: %w", err)
	}
	document, err := NewDocument(s.of(p))
	if err != nil {
		return err
	}
	e := parsed.Envelope
	if !bytes.Equal(e.Payload(), document) || !e.Leaf().Equal(s.chain[0]) || e.SealedAt.Unix() != at.Unix() {
		return errDiffer
	}
	return nil
}

// unquote reads what stands between the quotes of a string in a sealed file.
func unquote(text []byte, r *room) (string, error) {
	w := walker{tree: &tree{text: `"` + string(text) + `"`}, buffer: r.unquoted}
	v, err := w.string()
	r.unquoted = w.buffer
	if err == nil && w.pos != len(w.text) {
		err = w.fail("text follows the string")
	}
	return w.textOf(&v), err
}

// Shared is a sealed file of the series with nothing in it that an award adds:
// no name, no number, no day, and a signature of zeros. All files of the series
// are like it but for what their awards add, so that they take little room when
// they are compressed against it. It is the same for the same Common and key.
func (s *Series) Shared() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.share(); err != nil {
		return nil, fmt.Errorf("writing what a series shares: %w", err)
	}
	return s.shared, nil
}

// share prepares Shared. The caller has mu.
func (s *Series) share() error {
	if s.shared != nil {
		return nil
	}
	// Everything that an award can have is there, with values of nobody.
	p := Particulars{
		CompletedOn: "2001-09-09", Score: "0", Credential: "urn:credential:00000000-0000-4000-8000-000000000000",
		At:      time.Unix(1_000_000_000, 0),
		Learner: Learner{GivenName: "x", FamilyName: "x", BirthDate: "2001-09-09", NationalID: &NationalID{Number: "x", Country: s.common.Provider.Country, Scheme: "x"}},
	}
	least := p
	least.Score, least.Learner = "", Learner{GivenName: "x", FamilyName: "x"}
	bare, _, err := s.cut(least)
	if err != nil {
		return err
	}
	t, v, err := s.cut(p)
	if err != nil {
		return err
	}
	m, err := t.at(p.At, s)
	if err != nil {
		return err
	}
	// Where all values are of one length a zero stays, so that what follows is as
	// far from its like in every file: that costs less than what it would save.
	for _, n := range []slot{slotGiven, slotFamily, slotFull, slotScheme, slotNational, slotScore, slotScoreComma} {
		v[n] = ""
	}
	v[slotIndex] = "00000"
	e, err := v.written()
	if err != nil {
		return err
	}
	file := append(t.appendQuotedRest(bytes.Clone(t.quoted[0]), e), m.end...)
	file = base64.RawURLEncoding.AppendEncode(file, make([]byte, signatureBytes(s.chain[0].PublicKey)))
	s.shared = append(file, fileEnds...)
	s.begins = s.shared[:commonPrefix(t.quoted[0], bare.quoted[0])]
	return nil
}

// cut is the template of the shape of an award, and the values of the award.
func (s *Series) cut(p Particulars) (*template, values, error) {
	v, err := s.values(p)
	if err != nil {
		return nil, v, err
	}
	a, i := s.of(p)
	t, err := newTemplate(a, i, v)
	return t, v, err
}

// commonPrefix is how many bytes two begin with alike.
func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
