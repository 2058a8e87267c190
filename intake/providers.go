package intake

import (
	"io"
	"net/url"
	"strconv"

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
	if a := p.Accreditation; a != nil {
		c.need(trim(a.Register) != "", "missing_field", "accreditation.register")
		c.need(trim(a.Number) != "", "missing_field", "accreditation.number")
		from, fromOK := date(string(a.ValidFrom), ISO)
		until, untilOK := date(string(a.ValidUntil), ISO)
		c.need(fromOK, "invalid_day", "accreditation.valid_from")
		c.need(untilOK, "invalid_day", "accreditation.valid_until")
		c.need(!fromOK || !untilOK || from <= until, "dates_reversed", "accreditation")
	}
	seen := make(map[string]bool)
	for i, m := range p.Modules {
		at := "modules[" + strconv.Itoa(i) + "]"
		c.need(moduleCode(m), "invalid_module_code", at)
		c.need(!seen[m], "repeated_module", at)
		seen[m] = true
	}
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
