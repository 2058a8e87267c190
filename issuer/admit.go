package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
)

// Admission says what an import changed.
type Admission struct {
	Added     int
	Unchanged int
	Different []Difference // left as they were
	Follows   []string     // what is to be done now, in sentences
}

// Difference is an entry that is there already with other data.
type Difference struct {
	What string // reference of the learner
	Kept string // what stays
	New  string // what the file says
}

// AddProviders stores providers and makes demonstration keys for those that
// never had any; for one that gave a mandate they are those of the organisation that
// seals for it. A provider that is there is replaced: its accreditation changes,
// its keys stay, and Follows says what is to be done when its name, its legal
// identifier or who seals for it is another now. What was issued is not touched:
// its status lists are of the house that sealed it.
func (i *Issuer) AddProviders(ctx context.Context, providers []credentials.Provider) (Admission, error) {
	var entries []registry.Provider
	before := make([]*credentials.Provider, len(providers))
	for n, p := range providers {
		owner, err := OwnerOf(p)
		if err != nil {
			return Admission{}, fmt.Errorf("admitting provider %s: %w", p.ID, err)
		}
		if before[n], err = i.entry(ctx, p.ID, nil); err != nil {
			return Admission{}, fmt.Errorf("admitting provider %s: %w", p.ID, err)
		}
		for _, check := range []error{i.mayMandate(ctx, p, providers), i.mayName(ctx, p, owner, before[n], providers)} {
			if check != nil {
				return Admission{}, fmt.Errorf("admitting provider %s: %w", p.ID, check)
			}
		}
		spec, err := json.Marshal(p)
		if err != nil {
			return Admission{}, fmt.Errorf("writing provider %s: %w", p.ID, err)
		}
		change, err := i.accreditationChange(ctx, p)
		if err != nil {
			return Admission{}, fmt.Errorf("admitting provider %s: %w", p.ID, err)
		}
		eyes, err := i.fourEyesChange(ctx, p)
		if err != nil {
			return Admission{}, fmt.Errorf("admitting provider %s: %w", p.ID, err)
		}
		if change != "" && eyes != "" {
			change += "; "
		}
		entries = append(entries, registry.Provider{ID: p.ID, Spec: spec, Change: change + eyes})
		if _, err = i.Keys.Ensure(owner, i.Now()); err != nil {
			return Admission{}, fmt.Errorf("making keys for provider %s: %w", p.ID, err)
		}
	}
	if err := i.Registry.PutProviders(ctx, entries, i.Now()); err != nil {
		return Admission{}, fmt.Errorf("storing providers: %w", err)
	}
	done := Admission{Added: len(entries)}
	for n, p := range providers {
		done.Follows = append(done.Follows, i.follows(ctx, p, before[n])...)
	}
	return done, nil
}

// MadeUp begins the legal identifiers that this program gives to demonstration
// keys of providers without one.
const MadeUp = "DM:"

// OwnerOf is the organisation that seals for a provider, as its keys name it.
// One without a legal identifier gets one of a scheme of our own, which is no
// register (ETSI EN 319 412-1 clause 5.1.4: two characters, a colon, the
// country).
func OwnerOf(p credentials.Provider) (keys.Owner, error) {
	seals := credentials.Body{ID: p.ID, Name: p.Name, Country: p.Country, LegalID: p.LegalID}
	if p.Mandate != nil {
		seals = p.Mandate.SealedBy
	}
	country, ok := credentials.TwoLetters(seals.Country)
	if !ok {
		return keys.Owner{}, fmt.Errorf("reading its country: %q is not a country this program knows; write ITA for Italy", seals.Country)
	}
	name, _ := seals.Name.In("it")
	o := keys.Owner{ID: seals.ID, Name: name, LegalID: seals.LegalID, Country: country}
	if o.LegalID == "" {
		o.LegalID = MadeUp + country + "-" + seals.ID
	}
	return o, nil
}

// mayMandate refuses a mandate that the organisation which would seal does not
// know of: as a provider here it must name whom it seals for.
func (i *Issuer) mayMandate(ctx context.Context, p credentials.Provider, together []credentials.Provider) error {
	if p.Mandate == nil {
		return nil
	}
	sealer := p.Sealer()
	seals, err := i.entry(ctx, sealer, together)
	if err != nil || seals == nil || slices.Contains(seals.SealsFor, p.ID) {
		return err
	}
	return fmt.Errorf("%w: its mandate lets %s seal, and the entry of %s does not list it; add %q to seals_for of %s and import that first", registry.ErrConflict, sealer, sealer, p.ID, sealer)
}

// IncompleteError says that modules lack what a micro-credential must have.
type IncompleteError struct {
	Findings map[string][]credentials.Finding // by module code
}

func (e *IncompleteError) Error() string {
	var lines []string
	for _, code := range slices.Sorted(maps.Keys(e.Findings)) {
		for _, f := range e.Findings[code] {
			lines = append(lines, code+": "+f.String())
		}
	}
	return "admitting modules: " + strings.Join(lines, "; ")
}

// AddModules stores modules of providers that list them. All are linted
// before any is stored: each must give a complete credential.
func (i *Issuer) AddModules(ctx context.Context, modules []credentials.Module) (Admission, error) {
	owners, err := i.owners(ctx)
	if err != nil {
		return Admission{}, err
	}
	var entries []registry.Module
	incomplete := &IncompleteError{Findings: map[string][]credentials.Finding{}}
	for _, m := range modules {
		owner, ok := owners[m.Code]
		if !ok {
			return Admission{}, fmt.Errorf("admitting module %s: %w: no provider lists it; import the provider first and name the module in its member \"modules\"", m.Code, registry.ErrInvalid)
		}
		findings, err := i.lintNew(owner, m)
		if err != nil {
			return Admission{}, err
		}
		if bad := credentials.Errors(findings); len(bad) > 0 {
			incomplete.Findings[m.Code] = bad
		}
		spec, err := json.Marshal(m)
		if err != nil {
			return Admission{}, fmt.Errorf("writing module %s: %w", m.Code, err)
		}
		entries = append(entries, registry.Module{Code: m.Code, Version: m.Version, Provider: owner.ID, Spec: spec})
	}
	if len(incomplete.Findings) > 0 {
		return Admission{}, incomplete
	}
	if err := i.Registry.PutModules(ctx, entries, i.Now()); err != nil {
		if errors.Is(err, registry.ErrConflict) {
			return Admission{}, fmt.Errorf("storing modules: %w: a module that changes needs a new version", err)
		}
		return Admission{}, fmt.Errorf("storing modules: %w", err)
	}
	return Admission{Added: len(entries)}, nil
}

// lintNew lints the credential that a module which is not stored yet would
// give.
func (i *Issuer) lintNew(p credentials.Provider, m credentials.Module) ([]credentials.Finding, error) {
	provider, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("linting module %s: %w", m.Code, err)
	}
	spec, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("linting module %s: %w", m.Code, err)
	}
	draft, err := i.model(provider, spec)
	if err != nil {
		return nil, fmt.Errorf("linting module %s: %w", m.Code, err)
	}
	return i.lintModel(draft)
}

// LintModule lints the credential that the newest version of a module would
// give today. An unknown module gives registry.ErrNotFound.
func (i *Issuer) LintModule(ctx context.Context, code string) ([]credentials.Finding, error) {
	stored, err := i.modelOf(ctx, code)
	if err != nil {
		return nil, fmt.Errorf("linting module %s: %w", code, err)
	}
	return i.lintModel(stored)
}

func (i *Issuer) lintModel(m *model) ([]credentials.Finding, error) {
	now := i.now()
	key, err := i.SealingKey(m.provider)
	if err != nil {
		return nil, fmt.Errorf("linting module %s: %w", m.module.Code, err)
	}
	found, err := i.lint(m, credentials.Award{
		Provider: m.provider, Module: m.module, CompletedOn: credentials.Date(now.Format(time.DateOnly)),
		Learner: credentials.Learner{GivenName: "Ada", FamilyName: "Esempio"},
	}, key, now)
	if err != nil {
		return nil, fmt.Errorf("linting module %s: %w", m.module.Code, err)
	}
	return found, nil
}

// owners maps module codes to the providers that list them.
func (i *Issuer) owners(ctx context.Context) (map[string]credentials.Provider, error) {
	owners := map[string]credentials.Provider{}
	after := ""
	for {
		page, err := i.Registry.Providers(ctx, after, 100)
		if err != nil {
			return nil, fmt.Errorf("listing providers: %w", err)
		}
		if len(page) == 0 {
			return owners, nil
		}
		for _, entry := range page {
			after = entry.ID
			p, err := i.provider(ctx, entry.ID)
			if err != nil {
				return nil, err
			}
			for _, code := range p.Modules {
				if other, taken := owners[code]; taken {
					return nil, fmt.Errorf("listing modules: %w: %s is listed by %s and by %s", registry.ErrConflict, code, other.ID, p.ID)
				}
				owners[code] = p
			}
		}
	}
}

// AddLearners stores learners that are new. One that is there with other data
// is reported and left as it is, unless replace is set: a second list, perhaps
// from a program that lost letters, must not spoil the better spelling.
func (i *Issuer) AddLearners(ctx context.Context, learners []registry.Learner, replace bool) (Admission, error) {
	var a Admission
	refs := make([]string, 0, len(learners))
	for _, l := range learners {
		refs = append(refs, l.Ref)
	}
	known, err := i.Registry.Learners(ctx, refs)
	if err != nil {
		return a, fmt.Errorf("looking up learners: %w", err)
	}
	var put []registry.Learner
	for _, l := range learners {
		old, there := known[l.Ref]
		merged := keepGiven(l, old)
		switch {
		case !there:
			a.Added++
			put = append(put, l)
		case merged == old:
			a.Unchanged++
		default:
			a.Different = append(a.Different, Difference{What: l.Ref, Kept: describe(old, merged), New: describe(merged, old)})
			if replace {
				put = append(put, merged)
			}
		}
	}
	if len(put) > 0 {
		if err := i.Registry.PutLearners(ctx, put, i.Now()); err != nil {
			return Admission{}, fmt.Errorf("storing learners: %w", err)
		}
	}
	return a, nil
}

// keepGiven fills what a list leaves out with what is known.
func keepGiven(l, old registry.Learner) registry.Learner {
	for _, f := range []struct{ field, known *string }{
		{&l.Email, &old.Email},
		{&l.Language, &old.Language},
		{&l.Employer, &old.Employer},
		{&l.Region, &old.Region},
		{&l.Role, &old.Role},
		{&l.BirthDate, &old.BirthDate},
	} {
		if *f.field == "" {
			*f.field = *f.known
		}
	}
	if l.NationalID == "" {
		l.NationalID, l.NationalCountry, l.NationalScheme = old.NationalID, old.NationalCountry, old.NationalScheme
	}
	return l
}

// describe puts a learner on one line. Of a birth date and a national number it
// says only that they are the difference: a list of differences may be kept.
func describe(l, other registry.Learner) string {
	parts := []string{l.GivenName, l.FamilyName, l.Email, l.Language, l.Employer, l.Region, l.Role}
	if l.BirthDate != other.BirthDate {
		parts = append(parts, given("birth date", l.BirthDate))
	}
	if l.NationalID != other.NationalID || l.NationalCountry != other.NationalCountry || l.NationalScheme != other.NationalScheme {
		parts = append(parts, given("national number", l.NationalID))
	}
	return strings.Join(parts, " · ")
}

func given(what, value string) string {
	if value == "" {
		return "no " + what
	}
	return "another " + what
}
