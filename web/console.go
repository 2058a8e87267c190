package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"attesta/credentials"
	"attesta/registry"
	"attesta/status"
)

// How many rows a page of the console shows.
const (
	recordsShown   = 25
	editionsShown  = 100
	modulesShown   = 200
	providersShown = 100
)

// overviewPage is the first page of the console.
type overviewPage struct {
	Page
	By        string
	Total     counts
	Providers []providerRow
	More      string
}

// counts are counters ready to be shown.
type counts struct{ Sealed, Reserved, Suspended, Revoked string }

func countsOf(c registry.Counts) counts {
	n := func(v uint64) string { return strconv.FormatUint(v, 10) }
	return counts{n(c.Sealed), n(c.Reserved), n(c.Suspended), n(c.Revoked)}
}

// providerRow is a provider with what it is recognised by and its counts.
type providerRow struct {
	ID            string
	Name          said
	Accreditation string
	Counts        counts
	Modules       string // address
	Records       string // address
}

func (s *Site) overview(w http.ResponseWriter, r *http.Request) error {
	q, err := readQuery(r.URL.RawQuery, "after")
	if err != nil {
		return err
	}
	p := overviewPage{Page: s.page(r, "console.title"), By: visible(operator(r))}
	p.SignedIn = true
	total, err := s.Registry.Counts(r.Context(), "")
	if err != nil {
		return fmt.Errorf("reading the totals: %w", err)
	}
	p.Total = countsOf(total)
	providers, err := s.Registry.Providers(r.Context(), q.After, providersShown)
	if err != nil {
		return fmt.Errorf("reading providers: %w", err)
	}
	for _, one := range providers {
		c, err := s.Registry.Counts(r.Context(), one.ID)
		if err != nil {
			return fmt.Errorf("reading the counts of a provider: %w", err)
		}
		p.Providers = append(p.Providers, p.providerRow(one, c))
	}
	if len(providers) == providersShown {
		p.More = p.Link(query{After: providers[len(providers)-1].ID}.address("/console"))
	}
	return s.show(w, r, http.StatusOK, p)
}

// providerRow says one provider. A specification that cannot be read still
// leaves a row.
func (p Page) providerRow(one registry.Provider, c registry.Counts) providerRow {
	row := providerRow{ID: visible(one.ID), Counts: countsOf(c), Accreditation: p.T("accreditation.none")}
	var spec credentials.Provider
	if json.Unmarshal(one.Spec, &spec) == nil {
		row.Name = p.say(spec.Name)
		if a := spec.Accreditation; a != nil {
			row.Accreditation = p.T("accreditation.of", "register", visible(a.Register), "number", visible(a.Number),
				"from", p.dayOf(string(a.ValidFrom)), "until", p.dayOf(string(a.ValidUntil)))
		}
	}
	if row.Name.Text == "" {
		row.Name.Text = row.ID
	}
	row.Modules = p.Link(query{Provider: one.ID}.address("/console/modules"))
	row.Records = p.Link(query{Provider: one.ID}.address("/console/records"))
	return row
}

// modulesPage shows the modules of a provider and their editions.
type modulesPage struct {
	Page
	Provider  said
	Providers []choice
	Modules   []moduleRow
	Editions  []editionRow
	More      string
}

// choice is a link to the same page about something else.
type choice struct {
	Name    said
	Address string
	Current bool
}

type moduleRow struct {
	Code, Version string
	Title         said
	Hours, Level  string
	Records       string // address
}

type editionRow struct {
	Module, Edition string
	Counts          counts
	Records         string // address
}

func (s *Site) modules(w http.ResponseWriter, r *http.Request) error {
	q, err := readQuery(r.URL.RawQuery, "provider", "after")
	if err != nil {
		return err
	}
	p := modulesPage{Page: s.page(r, "modules.title")}
	p.SignedIn = true
	providers, err := s.Registry.Providers(r.Context(), "", providersShown)
	if err != nil {
		return fmt.Errorf("reading providers: %w", err)
	}
	if q.Provider == "" && len(providers) > 0 {
		q.Provider = providers[0].ID
	}
	known := false
	for _, one := range providers {
		name := p.providerRow(one, registry.Counts{}).Name
		if one.ID == q.Provider {
			known, p.Provider = true, name
		}
		p.Providers = append(p.Providers, choice{name, p.Link(query{Provider: one.ID}.address("/console/modules")), one.ID == q.Provider})
	}
	if !known {
		if len(providers) == 0 {
			return s.show(w, r, http.StatusOK, p)
		}
		if len(providers) < providersShown {
			return fmt.Errorf("reading the modules of a provider: %w", registry.ErrNotFound)
		}
		p.Provider = said{Text: visible(q.Provider)}
	}
	if err := s.fillModules(r, &p, q); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p)
}

// fillModules reads the modules and one page of editions.
func (s *Site) fillModules(r *http.Request, p *modulesPage, q query) error {
	modules, err := s.Registry.Modules(r.Context(), q.Provider, "", modulesShown)
	if err != nil {
		return fmt.Errorf("reading modules: %w", err)
	}
	for _, m := range modules {
		p.Modules = append(p.Modules, p.moduleRow(m, q.Provider))
	}
	editions, err := s.Registry.Editions(r.Context(), q.Provider, q.After, editionsShown)
	if err != nil {
		return fmt.Errorf("reading editions: %w", err)
	}
	for _, e := range editions {
		p.Editions = append(p.Editions, editionRow{
			Module: visible(e.Module), Edition: visible(e.Edition), Counts: countsOf(e.Counts),
			Records: p.Link(query{Provider: q.Provider, Module: e.Module, Edition: e.Edition}.address("/console/records")),
		})
	}
	if len(editions) == editionsShown {
		p.More = p.Link(query{Provider: q.Provider, After: editions[len(editions)-1].Key()}.address("/console/modules"))
	}
	return nil
}

func (p Page) moduleRow(m registry.Module, provider string) moduleRow {
	row := moduleRow{Code: visible(m.Code), Version: visible(m.Version)}
	var spec credentials.Module
	if json.Unmarshal(m.Spec, &spec) == nil {
		row.Title = p.say(spec.Title)
		row.Hours = p.effort(spec.Workload.ISO8601)
		if spec.Level.EQF > 0 {
			row.Level = "EQF " + strconv.Itoa(spec.Level.EQF)
		}
	}
	row.Records = p.Link(query{Provider: provider, Module: m.Code}.address("/console/records"))
	return row
}

// recordsPage shows records, newest first. A learner is named by the
// provider's own number and never by name.
type recordsPage struct {
	Page
	Action  string
	Keep    string // language, kept by the form where it was chosen
	Filter  query
	Rows    []recordRow
	Older   string
	Newest  string
	Clear   string
	Filters bool
	Change  string // address where the status of all that was chosen can be changed
}

type recordRow struct {
	Number                   string // of the certificate, as the command line takes it
	Module, Edition, Learner string
	State, Status            string
	Mark                     string // valid, suspended, revoked, open: picks the icon
	Issued                   string
	Check                    string // address of the check page, "" until sealed
	Change                   string // address where its status can be changed, "" where it cannot
}

func (s *Site) records(w http.ResponseWriter, r *http.Request) error {
	q, err := readQuery(r.URL.RawQuery, "provider", "module", "edition", "before")
	if err != nil {
		return err
	}
	p := recordsPage{Page: s.page(r, "records.title"), Action: "/console/records", Filter: q, Keep: visitOf(r).chosen}
	p.SignedIn = true
	// One more than is shown tells whether there is an older page.
	rows, err := s.Registry.Records(r.Context(), registry.Query{
		Provider: q.Provider, Module: q.Module, Edition: q.Edition, Before: q.Before, Limit: recordsShown + 1,
	})
	if err != nil {
		return fmt.Errorf("reading records: %w", err)
	}
	older := len(rows) > recordsShown
	rows = rows[:min(len(rows), recordsShown)]
	for _, record := range rows {
		p.Rows = append(p.Rows, p.recordRow(record))
	}
	if older {
		next := q
		next.Before = rows[len(rows)-1].Seq
		p.Older = p.Link(next.address("/console/records"))
	}
	if q.Before > 0 {
		newest := q
		newest.Before = 0
		p.Newest = p.Link(newest.address("/console/records"))
	}
	p.Filters = q.Module != "" || q.Edition != "" || q.Provider != ""
	p.Clear = p.Link("/console/records")
	if p.Changing && q.Module != "" && len(rows) > 0 {
		p.Change = p.Link(query{Module: q.Module, Edition: q.Edition}.address("/console/status"))
	}
	return s.show(w, r, http.StatusOK, p)
}

func (p Page) recordRow(record registry.Record) recordRow {
	row := recordRow{
		Number: visible(credentials.Number(record.Module, record.Credential)), Module: visible(record.Module),
		Edition: visible(record.Edition), Learner: visible(record.Learner),
		State: p.T("state." + string(record.State)), Issued: p.day(record.SealedAt), Mark: "open", Change: p.changeAddress(record),
	}
	switch record.State {
	case registry.Reserved:
		return row
	case registry.Sealed:
		row.Check = p.Link("/v/" + record.Handle)
	case registry.Erased: // its status lives on
		row.Learner = "–"
	}
	switch record.Status {
	case status.Valid, status.Suspended, status.Revoked:
		row.Mark = record.Status.String()
		row.Status = p.T("status." + row.Mark)
	default:
		row.Mark, row.Status = "open", p.T("outcome.unknown")
	}
	return row
}
