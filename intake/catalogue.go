package intake

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"attesta/credentials"
)

// levelOfAttendance is the assessment type that assesses nothing: it says only
// that a person was there.
const levelOfAttendance = "http://data.europa.eu/snb/assessment/7331eb4762"

type catalogueFile struct {
	Notice  string       `json:"notice"`
	ESCO    string       `json:"esco"`
	Modules []moduleItem `json:"modules"`
}

type moduleItem struct {
	credentials.Module
	Note string `json:"test_note"`
}

// Catalogue reads modules from a JSON file {"modules": […]}. It checks form
// and structure: codes, Italian and English titles, hours that add up, at
// least one true assessment. A module that is assessed by attendance alone is
// refused, because that is a certificate of attendance and no micro-credential.
// The error joins one *FileError for every problem; see [FileErrors].
func Catalogue(r io.Reader) ([]credentials.Module, error) {
	var file catalogueFile
	problems, err := decodeFile(r, &file)
	if err != nil {
		return nil, err
	}
	name := func(i int) string { return file.Modules[i].Code }
	if len(problems) > 0 {
		return nil, named(problems, "modules", len(file.Modules), name)
	}
	if len(file.Modules) == 0 {
		return nil, fileError("no_modules", 0, "modules")
	}
	modules := make([]credentials.Module, 0, len(file.Modules))
	seen := make(map[string]bool)
	for i, m := range file.Modules {
		c := checks{path: "modules[" + strconv.Itoa(i) + "]"}
		c.module(m.Module)
		if key := m.Code + " " + m.Version; seen[key] {
			c.fail("repeated_module", "code")
		} else {
			seen[key] = true
		}
		problems = append(problems, c.problems...)
		modules = append(modules, m.Module)
	}
	if len(problems) > 0 {
		return nil, named(problems, "modules", len(file.Modules), name)
	}
	return modules, nil
}

// decodeFile reads and decodes; the error is one that leaves nothing to name.
func decodeFile(r io.Reader, target any) ([]*FileError, error) {
	b, err := readAll(r, maxJSON)
	if err != nil {
		return nil, err
	}
	return decodeStrict(b, target), nil
}

// named joins problems, and puts in the place of "modules[3]" the code that a
// person knows the module by, where there is one.
func named(problems []*FileError, list string, n int, name func(int) string) error {
	joined := make([]error, 0, min(len(problems), maxProblems))
	for _, p := range problems[:min(len(problems), maxProblems)] {
		rest, ok := strings.CutPrefix(p.Column, list+"[")
		number, rest, ends := strings.Cut(rest, "]")
		if i, err := strconv.Atoi(number); ok && ends && err == nil && i < n && name(i) != "" {
			p.Column = show(name(i)) + strings.Replace(rest, ".", ": ", 1)
		}
		joined = append(joined, p)
	}
	return errors.Join(joined...)
}

// checks gathers the problems of one module or provider.
type checks struct {
	path     string
	problems []*FileError
}

func (c *checks) fail(code, field string, args ...string) {
	c.problems = append(c.problems, fileError(code, 0, c.path+"."+field, args...))
}

func (c *checks) need(ok bool, code, field string, args ...string) {
	if !ok {
		c.fail(code, field, args...)
	}
}

func (c *checks) bilingual(t credentials.Text, field string) {
	for _, l := range []string{"it", "en"} {
		c.need(trim(t[l]) != "", "missing_field", field+"."+l)
	}
	for l := range t {
		if len(l) != 2 || l != strings.ToLower(l) {
			c.fail("unknown_language_code", field)
			return
		}
	}
}

func (c *checks) module(m credentials.Module) {
	c.need(moduleCode(m.Code), "invalid_module_code", "code")
	c.need(label(m.Version), "missing_field", "version")
	c.need(trim(m.Status) != "", "missing_field", "status")
	c.need(trim(m.Type) != "", "missing_field", "type")
	c.bilingual(m.Title, "title")
	c.need(len(m.Outcomes) > 0, "missing_outcome", "learning_outcomes")
	for i, o := range m.Outcomes {
		c.bilingual(o.Text, "learning_outcomes["+strconv.Itoa(i)+"].text")
	}
	c.workload(m.Workload)
	c.level(m.Level)
	c.assessments(m.Assessments)
	c.need(m.MinAttendancePerct >= 0 && m.MinAttendancePerct <= 100, "invalid_min_attendance", "min_attendance_percent")
	c.need(m.URL == "" || webAddress(m.URL), "invalid_homepage", "url")
	if len(m.FurtherInformation) > 0 {
		c.bilingual(m.FurtherInformation, "further_information")
	}
	if a := m.Accreditation; a != nil {
		c.published(a)
	}
	c.need(m.ValidityMonths == nil || *m.ValidityMonths > 0, "invalid_validity", "validity_months")
}

// level: none, or one of the framework with its basis.
func (c *checks) level(l credentials.Level) {
	if l.EQF == 0 && l.URI == "" && l.Basis == "" && len(l.Reference) == 0 {
		return
	}
	c.need(l.EQF >= 1 && l.EQF <= 8, "invalid_level", "level.eqf")
	switch l.Basis {
	case "declared_by_issuer":
		c.need(len(l.Reference) == 0, "reference_without_framework", "level.reference")
	case "national_framework":
		c.bilingual(l.Reference, "level.reference")
	default:
		c.fail("unknown_basis", "level.basis")
	}
}

func (c *checks) workload(w credentials.Workload) {
	const field = "workload"
	if w.Total <= 0 || w.Contact < 0 || w.Online < 0 || w.SelfStudy < 0 {
		c.fail("invalid_hours", field)
		return
	}
	sum := w.Contact + w.Online + w.SelfStudy
	// Hours are given in minutes at the finest; binary fractions differ by less.
	if difference := sum - w.Total; difference > 0.005 || difference < -0.005 {
		c.fail("hours_do_not_add_up", field, hours(sum), hours(w.Total))
	}
	want := credentials.Duration(w.Total)
	c.need(w.ISO8601 == want, "duration_differs", field+".iso8601", show(w.ISO8601), want)
}

func (c *checks) assessments(all []credentials.Assessment) {
	if len(all) == 0 {
		c.fail("missing_assessment", "assessment")
		return
	}
	assessed := slices.ContainsFunc(all, func(a credentials.Assessment) bool {
		return a.URI != levelOfAttendance
	})
	c.need(assessed, "attendance_only", "assessment")
	for i, a := range all {
		c.need(trim(a.URI) != "", "missing_field", "assessment["+strconv.Itoa(i)+"].uri")
	}
}

func hours(h float64) string { return strconv.FormatFloat(h, 'f', -1, 64) }
