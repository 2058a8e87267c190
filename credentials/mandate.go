package credentials

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Body is an organisation that has a part in a credential beside its provider.
type Body struct {
	ID      string `json:"id,omitempty"`
	Name    Text   `json:"name"`
	Country string `json:"country"`            // ISO 3166-1 alpha-3
	LegalID string `json:"legal_id,omitempty"` // as Provider.LegalID
}

// Mandate is the reference by which another organisation seals what a provider
// awards, from one day to another, both included. The provider stays the
// awarding body and answers for what is attested.
type Mandate struct {
	SealedBy  Body `json:"sealed_by"` // with its id: its keys are found by it
	Statement Text `json:"statement"` // which act gives the mandate
	From      Date `json:"from"`
	Until     Date `json:"until"`
}

// On tells whether the mandate holds on a day.
func (m *Mandate) On(day Date) bool { return m.From <= day && day <= m.Until }

// Decision is what a register decided, a concept of a list of its own.
type Decision struct {
	URI   string `json:"uri"`
	Label Text   `json:"label"`
}

// Accredited is the published accreditation that a module of a provider stands
// under: its own, else that of the provider, or nil. With it a credential has
// the profile Accredited.
func Accredited(p Provider, m Module) *Accreditation {
	for _, a := range []*Accreditation{m.Accreditation, p.Accreditation} {
		if a != nil && a.ID != "" {
			return a
		}
	}
	return nil
}

// issuer is the organisation of the sealing certificate, as that names it. Its
// site, and where it is the same organisation its name in English, come from the
// provider's entry, or under a mandate from that of the one who seals.
func (w *writer) issuer() *object {
	p, s := w.award.Provider, w.issue.Signer
	body := Body{Name: p.Name, Country: p.Country, LegalID: p.LegalID}
	if m := p.Mandate; m != nil {
		body = m.SealedBy
	}
	country := body.Country
	legal := Text{"it": s.Organisation}
	if en := body.Name["en"]; en != "" && body.is(s) {
		legal["en"] = en
	}
	certified := country
	if three, ok := ThreeLetters(s.Country); ok {
		certified = three
	}
	o := obj("Organisation", w.id("org")).add("legalName", legal)
	if s.CommonName != "" && s.CommonName != s.Organisation {
		o.add("altLabel", Text{"it": s.CommonName})
	}
	region := ""
	if p.Mandate == nil {
		o.add("homepage", some(w.page(p.Homepage)))
		region = p.Region
	}
	return o.add("eIDASIdentifier", obj("LegalIdentifier", "urn:certificateIdentifier:1").
		add("notation", s.LegalID).add("spatial", w.country(certified))).
		add("location", w.location(country, region))
}

// is tells whether an organisation is the one of a sealing certificate: by its
// legal identifier, or where it has none by its name, which a certificate may
// carry cut short.
func (b Body) is(s Signer) bool {
	if b.LegalID != "" {
		return b.LegalID == s.LegalID
	}
	return s.Organisation != "" && strings.HasPrefix(b.Name["it"], strings.TrimSuffix(s.Organisation, "…"))
}

// provider is an awarding body that does not seal itself.
func (w *writer) provider(p Provider) *object {
	o := w.body(Body{Name: p.Name, Country: p.Country, LegalID: p.LegalID}, p.Region)
	return o.add("homepage", some(w.page(p.Homepage)))
}

// body is an organisation with its own legal identifier, in the member that its
// kind belongs in (ETSI EN 319 412-1 clause 5.1.4).
func (w *writer) body(b Body, region string) *object {
	o := obj("Organisation", w.id("org")).add("legalName", b.Name)
	if b.LegalID != "" {
		number := obj("LegalIdentifier", w.id("legalIdentifier")).
			add("notation", b.LegalID).add("spatial", w.country(b.Country))
		switch b.LegalID[:min(3, len(b.LegalID))] {
		case "VAT":
			o.add("vatIdentifier", []any{number})
		case "TAX", "TIN":
			o.add("taxIdentifier", []any{number})
		default:
			o.add("registration", number)
		}
	}
	return o.add("location", w.location(b.Country, region))
}

func (w *writer) country(code string) *object { return w.concept(&listCountry, countryPrefix+code) }

func (w *writer) location(country, region string) []any {
	l := obj("Location", w.id("location")).
		add("address", []any{obj("Address", w.id("address")).add("countryCode", w.country(country))})
	if region != "" {
		uri, _ := RegionURI(region)
		list := &listTerritory
		if _, ok := listNUTS.find(uri); ok {
			list = &listNUTS
		}
		l.add("spatialCode", some(w.concept(list, uri)))
	}
	return []any{l}
}

func (w *writer) page(address string) *object {
	if address == "" {
		return nil
	}
	return obj("WebResource", w.id("webResource")).add("contentURL", address)
}

// mention names a node that is described elsewhere in the document.
func mention(o *object) *object {
	m := &object{}
	for _, one := range o.members {
		if one.name == "id" || one.name == "type" {
			m.add(one.name, one.value)
		}
	}
	return m
}

// profiles are the profile and the schema of the document: Generic, or those of
// the evidence it carries.
func (w *writer) profiles(o *object) *object {
	var profiles, schemas []any
	for _, p := range w.profilesOf() {
		profiles = append(profiles, w.concept(&listProfile, p.concept))
		schemas = append(schemas, (&object{}).add("id", p.schema).add("type", schemaType))
	}
	if len(profiles) == 1 { // as the Commission's software writes it
		return o.add("credentialProfiles", profiles[0]).add("credentialSchema", schemas[0])
	}
	return o.add("credentialProfiles", profiles).add("credentialSchema", schemas)
}

type profile struct{ concept, schema string }

func (w *writer) profilesOf() []profile {
	var all []profile
	if w.accredited != nil {
		all = append(all, profile{profileAccredited, schemaAccredited})
	}
	if w.award.Provider.Mandate != nil {
		all = append(all, profile{profileMandate, schemaMandate})
	}
	if all == nil {
		all = []profile{{profileGeneric, schemaGeneric}}
	}
	return all
}

// evidence says why the credential may have its profile. The shapes of a
// profile bind every evidence in the document: where there are two, each has
// what both profiles ask for.
func (w *writer) evidence() []any {
	m := w.award.Provider.Mandate
	var all []any
	if w.accredited != nil {
		e := obj("Evidence", w.id("evidence")).add("dcType", w.concept(&listEvidenceType, evidenceAccreditation))
		if m != nil {
			e.add("evidenceStatement", bilingual(Accredited(w.award.Provider, w.award.Module).Title))
		}
		all = append(all, e.add("accreditation", w.accredited))
	}
	if m != nil {
		e := obj("Evidence", w.id("evidence")).
			add("dcType", w.concept(&listEvidenceType, evidenceMandate)).
			add("evidenceStatement", m.statement(w.award.Provider.Name, w.issue.Signer.Organisation)).
			add("evidenceTarget", mention(w.awarding))
		if w.accredited != nil {
			e.add("accreditation", mention(w.accredited))
		}
		all = append(all, e)
	}
	return all
}

// statement says for whom the seal stands, and by which act. The model has one
// plain text for it, so that it says everything in both languages.
func (m *Mandate) statement(provider Text, sealer string) string {
	it, _ := provider.In("it")
	en, _ := provider.In("en")
	return bilingual(Text{
		"it": sealer + sealsIT + it + awardsIT + m.Statement["it"],
		"en": sealer + sealsEN + en + awardsEN + m.Statement["en"],
	})
}

// The words by which readStatement knows a statement of Mandate.statement.
const (
	sealsIT, awardsIT = " sigilla su mandato di ", ", che attribuisce quanto qui attestato e ne risponde. Mandato: "
	sealsEN, awardsEN = " seals by mandate of ", ", which awards what is attested here and answers for it. Mandate: "
)

// readStatement takes the two languages of a statement of ours apart: the second
// begins where the sealer is named again. Others write what they like, and what
// could be taken apart in two ways stays in one piece.
func readStatement(text string) Text {
	whole := Text{"und": text}
	sealer, _, ours := strings.Cut(text, sealsIT)
	const between = " / "
	middle := between + sealer + sealsEN
	if !ours || sealer == "" || strings.Count(text, middle) != 1 {
		return whole
	}
	it, en, _ := strings.Cut(text, middle)
	if !strings.Contains(it, awardsIT) || !strings.Contains(en, awardsEN) {
		return whole
	}
	return Text{"it": it, "en": strings.TrimPrefix(middle, between) + en}
}

func bilingual(t Text) string {
	it, en := t["it"], t["en"]
	if it == "" || en == "" || it == en {
		return anyText(t)
	}
	return it + " / " + en
}

// accreditation is the one that the module stands under, or nil.
func (w *writer) accreditation() (*object, error) {
	a := Accredited(w.award.Provider, w.award.Module)
	if a == nil {
		return nil, nil
	}
	zone := w.issue.At.Location()
	from, err := a.ValidFrom.Time(zone)
	if err != nil {
		return nil, fmt.Errorf("first day of the accreditation: %w", err)
	}
	o := obj("Accreditation", a.ID)
	if a.Number != "" {
		o.add("identifier", []any{obj("Identifier", w.id("identifier")).add("schemeName", a.Register).add("notation", a.Number)})
	}
	o.add("dcType", w.concept(&listAccreditationType, a.Type)).
		add("title", a.Title).
		add("dateIssued", from.Format(time.RFC3339))
	if a.ValidUntil != "" {
		until, err := a.ValidUntil.Time(zone)
		if err != nil {
			return nil, fmt.Errorf("last day of the accreditation: %w", err)
		}
		o.add("expiryDate", expiry(until, 0).Format(time.RFC3339))
	}
	if d := a.Decision; d != nil {
		o.add("decision", freeConcept(d.URI, noteScheme, d.Label))
	}
	if a.LimitEQF > 0 {
		o.add("limitEQFLevel", []any{w.concept(&listEQF, eqfPrefix+strconv.Itoa(a.LimitEQF))})
	}
	if a.Agent != nil {
		o.add("accreditingAgent", w.body(*a.Agent, ""))
	}
	return o.add("report", w.page(a.Report)).
		add("organisation", []any{mention(w.awarding)}), nil
}
