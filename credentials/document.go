package credentials

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"attesta/status"
)

// Contexts, types and schema of a European Digital Credential, application
// profile 1.2.0 of the learning model 3.2. A step to a newer profile is a
// change of these constants and of the tables in lists_table.go.
const (
	contextW3C = "https://www.w3.org/2018/credentials/v1"
	contextEDC = "http://data.europa.eu/snb/model/context/edc-ap"
	typeW3C    = "VerifiableCredential"
	typeEDC    = "EuropeanDigitalCredential"
	schemaType = "ShaclValidator2017"

	schemaGeneric    = "http://data.europa.eu/snb/model/ap/edc-generic-full"
	schemaAccredited = "http://data.europa.eu/snb/model/ap/edc-accredited"
	schemaMandate    = "http://data.europa.eu/snb/model/ap/edc-issued-by-mandate"
)

// Subjects of the notes that the learning model has no field for. They are
// free concepts of our own scheme.
const (
	noteScheme  = "urn:epass:conceptScheme:5d0a2f0e-8c5b-4a8e-9b4e-3f1f6a1c7d20"
	noteQuality = "urn:epass:concept:0b6f6b1e-52b4-4d4c-8b64-5a1d3a0f6c11"
	noteLevel   = "urn:epass:concept:7e2c9f74-3d0a-4f7c-9a55-1f0c8e4b2d12" // only on levels that the provider declares
	noteSource  = "urn:epass:concept:c1d4a6b2-90f7-4e1b-8f35-6b7a2d9c4e13" // where a level comes from
	noteFurther = "urn:epass:concept:2a9f3c58-7b61-4d0e-a1c4-9e5d8f7b6a14"
)

// Document is an unsigned European Digital Credential: its exact JSON-LD text.
type Document []byte

// Issue is what the registry and the sealing key add to an award.
type Issue struct {
	Credential string            // urn:credential:<uuid>
	At         time.Time         // to the second, in the zone whose days count
	Signer     Signer            // as named in the sealing certificate
	Status     []StatusEntry     // one per purpose
	Pictures   map[string][]byte // language to PNG, one per language of the title
}

// Signer is an organisation as its sealing certificate names it. The issuer of
// a credential follows the certificate, as the Commission's software demands.
type Signer struct {
	Organisation string // O
	CommonName   string // CN
	LegalID      string // organizationIdentifier, 2.5.4.97
	Country      string // C, two letters
}

var organizationIdentifier = asn1.ObjectIdentifier{2, 5, 4, 97}

// SignerOf reads the names of a sealing certificate. It is an error when the
// certificate names no organisation, or more than one.
func SignerOf(c *x509.Certificate) (Signer, error) {
	s := Signer{CommonName: c.Subject.CommonName}
	identifiers := 0
	for _, name := range c.Subject.Names {
		if name.Type.Equal(organizationIdentifier) {
			s.LegalID, _ = name.Value.(string)
			identifiers++
		}
	}
	if identifiers > 1 || len(c.Subject.Organization) > 1 {
		return s, fmt.Errorf("reading the names of the certificate %q: it names more than one organisation", c.Subject.CommonName)
	}
	if len(c.Subject.Organization) > 0 {
		s.Organisation = c.Subject.Organization[0]
	}
	if len(c.Subject.Country) > 0 {
		s.Country = c.Subject.Country[0]
	}
	if s.Organisation == "" || s.LegalID == "" {
		return s, fmt.Errorf("reading the names of the certificate %q: it names no organisation (O and organizationIdentifier)", c.Subject.CommonName)
	}
	return s, nil
}

// languages are those every text of a document is written in.
var languages = [...]string{"it", "en"}

// writer makes the nodes of one document. Ids come from one place, so that one
// id never stands for two contents.
type writer struct {
	award  Award
	issue  Issue
	values values // what the slots of the document will hold
	next   map[string]int

	sealer     *object // the organisation of the certificate
	awarding   *object // that of the provider: the same unless there is a mandate
	accredited *object // the accreditation, or nil
}

func (w *writer) id(class string) string {
	w.next[class]++
	return "urn:epass:" + class + ":" + strconv.Itoa(w.next[class])
}

// room is about as much as the document will take.
func (w *writer) room() int {
	n := 48 << 10
	for _, picture := range w.issue.Pictures {
		n += base64.StdEncoding.EncodedLen(len(picture))
	}
	return n
}

// concept embeds a concept of a list with its scheme and labels.
func (w *writer) concept(l *codeList, uri string) *object {
	if uri == "" {
		return nil
	}
	found, ok := l.find(uri)
	if !ok {
		return freeConcept(uri, l.scheme, nil) // for Lint to find, with its place
	}
	return freeConcept(uri, l.scheme, found.label())
}

func freeConcept(uri, scheme string, label Text) *object {
	return obj("Concept", uri).
		add("inScheme", obj("ConceptScheme", scheme)).
		add("prefLabel", label)
}

// note takes a text in several languages, as a Text or written already.
func (w *writer) note(subject *object, text any) *object {
	if t, ok := text.(Text); ok && len(t) == 0 {
		return nil
	}
	return obj("Note", w.id("note")).add("subject", subject).add("noteLiteral", text)
}

// NewDocument writes the credential of an award. The same award and issue give
// the same bytes. It is an error when the days of the award cannot be read;
// whether the document is complete, and its values those of the code lists, is
// for Lint to say.
//
// Members stand in an order in which what is the same in all credentials of a
// module comes first, the pictures with it, and what an award adds comes last:
// readers take them in any order, and a Series writes and hashes the first part
// once.
func NewDocument(a Award, i Issue) (Document, error) {
	v, err := particularOf(a.Module, i.At.Location()).values(Particulars{
		Learner: a.Learner, CompletedOn: a.CompletedOn, Score: a.Score, Credential: i.Credential, At: i.At,
	})
	if err != nil {
		return nil, fmt.Errorf("writing the document: %w", err)
	}
	if len(i.Status) > 0 {
		v[slotIndex] = i.Status[0].Index
	}
	p := &printer{values: &v}
	if err := p.document(a, i, v); err != nil {
		return nil, fmt.Errorf("writing the document: %w", err)
	}
	return p.b, nil
}

// document writes the document of an award whose values are known. Which values
// are there decides which members the document has.
func (p *printer) document(a Award, i Issue, v values) (err error) {
	w := &writer{award: a, issue: i, values: v, next: map[string]int{}}
	w.sealer = w.issuer()
	if w.awarding = w.sealer; a.Provider.Mandate != nil {
		w.awarding = w.provider(a.Provider)
	}
	if w.accredited, err = w.accreditation(); err != nil {
		return err
	}
	claim, err := w.achievement()
	if err != nil {
		return err
	}
	o := &object{}
	o.add("@context", []any{contextW3C, contextEDC}).
		add("type", []any{typeW3C, typeEDC})
	w.profiles(o).
		add("displayParameter", w.display()).
		add("issuer", w.sealer).
		add("evidence", w.evidence()).
		add("credentialSubject", w.person(claim)).
		add("id", w.varies(slotCredential)).
		add("issued", w.varies(slotIssued)).
		add("issuanceDate", w.varies(slotIssued)).
		add("validFrom", w.varies(slotIssued)).
		add("expirationDate", w.varies(slotUntil)).
		add("validUntil", w.varies(slotUntil)).
		add("identifier", []any{w.numbered("Numero attestato", varying{before: Number(a.Module.Code, ""), slot: slotNumber})}).
		add("status", w.status())
	p.b = make([]byte, 0, w.room())
	return p.object(o)
}

// Number is the certificate number that people read: the module and the first
// characters of the credential's id.
func Number(module, credential string) string { return module + "-" + numberOf(credential) }

func numberOf(credential string) string {
	id := strings.TrimPrefix(credential, "urn:credential:")
	return strings.ToUpper(id[:min(8, len(id))])
}

// expiry is the last second of the day so many months after a day; where that
// month is shorter it is the month's last day.
func expiry(day time.Time, months int) time.Time {
	y, m, d := day.Date()
	first := time.Date(y, m+time.Month(months), 1, 0, 0, 0, 0, day.Location())
	last := first.AddDate(0, 1, -1).Day()
	return time.Date(first.Year(), first.Month(), min(d, last), 23, 59, 59, 0, day.Location())
}

func (w *writer) status() []any {
	var entries []any
	for _, s := range w.issue.Status {
		var id, index any = s.List + "#" + s.Index, s.Index
		if s.Index != "" && s.Index == w.values[slotIndex] {
			id, index = varying{before: s.List + "#", slot: slotIndex}, w.varies(slotIndex)
		}
		entries = append(entries, obj(s.Type, id).
			add("statusPurpose", s.Purpose).
			add("statusListIndex", index).
			add("statusListCredential", s.List))
	}
	return entries
}

// StatusEntries points a credential at its position in a published list, once
// for each purpose (Bitstring Status List 1.0 clause 2.1).
func StatusEntries(url func(status.Purpose) string, index uint32) []StatusEntry {
	var entries []StatusEntry
	for _, p := range []status.Purpose{status.Revocation, status.Suspension} {
		entries = append(entries, StatusEntry{
			Type: "BitstringStatusListEntry", Purpose: string(p),
			List: url(p), Index: strconv.FormatUint(uint64(index), 10),
		})
	}
	return entries
}

func (w *writer) display() *object {
	var spoken, pages []any
	for _, l := range languages {
		spoken = append(spoken, w.concept(&listLanguage, languageConcept(l)))
		picture, ok := w.issue.Pictures[l]
		if !ok {
			continue
		}
		media := obj("MediaObject", w.id("mediaObject")).
			add("contentType", w.concept(&listFileType, fileTypePNG)).
			add("contentEncoding", w.concept(&listEncoding, encodingBase64)).
			add("content", encoded(picture))
		detail := obj("DisplayDetail", w.id("displayDetail")).add("page", 1).add("image", media)
		pages = append(pages, obj("IndividualDisplay", w.id("individualDisplay")).
			add("language", w.concept(&listLanguage, languageConcept(l))).
			add("displayDetail", []any{detail}))
	}
	return obj("DisplayParameter", w.id("displayParameter")).
		add("title", w.award.Module.Title).
		add("description", w.award.Module.Description).
		add("language", spoken).
		add("primaryLanguage", w.concept(&listLanguage, languageConcept("it"))).
		add("individualDisplay", pages)
}
