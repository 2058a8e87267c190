package intake

import (
	"io"
	"net/url"
	"strconv"
	"strings"

	"attesta/credentials"
)

type providersFile struct {
	Notice  string         `json:"notice"`
	ESCO    string         `json:"esco"`
	Issuers []providerItem `json:"issuers"`
}

type providerItem struct {
	credentials.Provider
	Note string `json:"test_note"`
}

// Providers reads training organisations from a JSON file {"issuers": […]}. It
// checks form and structure: id, Italian and English names, country code,
// addresses, dates of the accreditation, codes of the modules. A provider
// without accreditation is in order. The error joins one *FileError for every
// problem; see [FileErrors].
func Providers(r io.Reader) ([]credentials.Provider, error) {
	var file providersFile
	problems, err := decodeFile(r, &file)
	if err != nil {
		return nil, err
	}
	name := func(i int) string { return file.Issuers[i].ID }
	if len(problems) > 0 {
		return nil, named(problems, "issuers", len(file.Issuers), name)
	}
	if len(file.Issuers) == 0 {
		return nil, fileError("no_providers", 0, "issuers")
	}
	providers := make([]credentials.Provider, 0, len(file.Issuers))
	seen := make(map[string]bool)
	for i, p := range file.Issuers {
		c := checks{path: "issuers[" + strconv.Itoa(i) + "]"}
		c.provider(p.Provider)
		if seen[p.ID] {
			c.fail("repeated_provider", "id")
		}
		seen[p.ID] = true
		problems = append(problems, c.problems...)
		providers = append(providers, p.Provider)
	}
	if len(problems) > 0 {
		return nil, named(problems, "issuers", len(file.Issuers), name)
	}
	return providers, nil
}

func (c *checks) provider(p credentials.Provider) {
	id, ok := reference(p.ID)
	c.need(ok && id != "" && id == p.ID, "invalid_provider_id", "id")
	c.bilingual(p.Name, "name")
	c.need(len(p.Country) == 3 && moduleCode(p.Country) && !digitIn(p.Country), "invalid_country", "country")
	c.need(p.Homepage == "" || webAddress(p.Homepage), "invalid_homepage", "homepage")
	c.need(p.Email == "" || emailAddress(p.Email), "invalid_provider_email", "email")
	if p.Region != "" {
		_, known := credentials.RegionURI(p.Region)
		c.need(known, "unknown_region", "region")
	}
	switch a := p.Accreditation; {
	case a == nil:
	case a.ID != "":
		c.published(a)
	default:
		c.need(trim(a.Register) != "", "missing_field", "accreditation.register")
		c.need(trim(a.Number) != "", "missing_field", "accreditation.number")
		c.days("accreditation", "valid_from", a.ValidFrom, "valid_until", a.ValidUntil)
	}
	if f := p.FourEyes; f != nil {
		c.need(f.Above >= 0, "negative_number", "four_eyes.above")
	}
	if m := p.Mandate; m != nil {
		c.mandate(p, m)
	}
	seen := make(map[string]bool)
	for i, m := range p.Modules {
		at := "modules[" + strconv.Itoa(i) + "]"
		c.need(moduleCode(m), "invalid_module_code", at)
		c.need(!seen[m], "repeated_module", at)
		seen[m] = true
	}
}

func (c *checks) days(field, first string, from credentials.Date, last string, until credentials.Date) {
	_, fromOK := date(string(from), ISO)
	_, untilOK := date(string(until), ISO)
	c.need(fromOK, "invalid_day", field+"."+first)
	c.need(untilOK, "invalid_day", field+"."+last)
	c.need(!fromOK || !untilOK || from <= until, "dates_reversed", field)
}

// published checks an accreditation in full.
func (c *checks) published(a *credentials.Accreditation) {
	const field = "accreditation"
	c.need(absolute(a.ID), "invalid_accreditation_id", field+".id")
	c.need(credentials.IsAccreditationType(a.Type), "unknown_accreditation_type", field+".type")
	c.bilingual(a.Title, field+".title")
	c.need(a.Agent != nil, "missing_field", field+".agent")
	if a.Agent != nil {
		c.body(*a.Agent, field+".agent")
	}
	until := a.ValidUntil
	if until == "" {
		until = a.ValidFrom // it does not end
	}
	c.days(field, "valid_from", a.ValidFrom, "valid_until", until)
	if d := a.Decision; d != nil {
		c.need(absolute(d.URI), "invalid_accreditation_id", field+".decision.uri")
		c.bilingual(d.Label, field+".decision.label")
	}
	c.need(a.Report == "" || webAddress(a.Report), "invalid_homepage", field+".report")
	c.need(a.LimitEQF >= 0 && a.LimitEQF <= 8, "invalid_level", field+".limit_eqf")
}

func (c *checks) mandate(p credentials.Provider, m *credentials.Mandate) {
	const field = "mandate"
	id, ok := reference(m.SealedBy.ID)
	c.need(ok && id != "" && id == m.SealedBy.ID, "invalid_provider_id", field+".sealed_by.id")
	c.need(m.SealedBy.ID != p.ID, "mandate_to_itself", field+".sealed_by.id")
	c.body(m.SealedBy, field+".sealed_by")
	c.bilingual(m.Statement, field+".statement")
	c.days(field, "from", m.From, "until", m.Until)
}

func (c *checks) body(b credentials.Body, field string) {
	c.bilingual(b.Name, field+".name")
	c.need(credentials.IsCountry(b.Country), "invalid_country", field+".country")
}

// absolute tells whether a text is an address or name that stands by itself.
func absolute(iri string) bool {
	u, err := url.Parse(iri)
	return err == nil && u.IsAbs() && !strings.ContainsAny(iri, " <>\"{}|\\^`")
}

func digitIn(s string) bool {
	for _, r := range s {
		if r >= '0' && r <= '9' {
			return true
		}
	}
	return false
}

func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}
