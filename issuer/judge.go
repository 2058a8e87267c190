package issuer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"attesta/credentials"
	"attesta/intake"
	"attesta/registry"
)

// Answer is what became of a row.
type Answer string

// The four answers. A row is refused when something is wrong with it, and not
// eligible when all is well but the rules of the module give no credential.
const (
	Issued        Answer = "issued"
	AlreadyIssued Answer = "already_issued"
	NotEligible   Answer = "not_eligible"
	Refused       Answer = "refused"
)

// Outcome is the answer to one row of completions.
type Outcome struct {
	Line     int
	RowID    string
	Answer   Answer
	Reason   string              // code of the first finding, or below_attendance, failed, withdrawn
	Findings []intake.Finding    // everything there is to say, in the order of the columns
	Adjusted []intake.Adjustment // what normalising changed
	Record   *registry.Record    // of an issued or already issued row
}

// judged is a row on its way: refused or not eligible, or with an award.
type judged struct {
	outcome Outcome
	row     intake.Completion
	model   *model
	award   credentials.Award
}

// catalogue caches what the rows of one call refer to.
type catalogue struct {
	learners map[string]registry.Learner
	models   map[string]*model // by module code; nil when there is none
	listed   map[string][]listedFault
}

// judge decides which rows give an award. It changes nothing.
func (i *Issuer) judge(ctx context.Context, rows []intake.Completion) ([]judged, error) {
	known, err := i.lookUp(ctx, rows)
	if err != nil {
		return nil, err
	}
	today := credentials.Date(i.now().Format("2006-01-02"))
	all := make([]judged, len(rows))
	for n, row := range rows {
		all[n] = known.judge(row, today)
		if err := i.issuedBefore(ctx, &all[n], known.models[row.Module]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// issuedBefore answers a row that is refused only because nothing may be issued
// for its module today, when its award was issued before: it is there all the same.
func (i *Issuer) issuedBefore(ctx context.Context, j *judged, m *model) error {
	o := &j.outcome
	if o.Answer != Refused || m == nil || ineligible(j.row, m.module) != "" || slices.ContainsFunc(o.Findings, func(f intake.Finding) bool {
		return f.Severity == intake.Error && !strings.HasPrefix(f.Code, "accreditation_") && f.Code != "mandate_expired"
	}) {
		return nil
	}
	q := registry.Query{Learner: j.row.Learner, Module: m.module.Code, Limit: registry.MaxLimit}
	records, err := i.Registry.Records(ctx, q)
	if err != nil {
		return fmt.Errorf("looking for an earlier credential: %w", err)
	}
	now := registry.Facts{CompletedOn: string(j.row.CompletedOn), Attendance: j.row.Attendance, Score: j.row.Score}
	for _, r := range records {
		if r.Provider == m.provider.ID && r.Version == m.module.Version && r.Edition == j.row.Edition && r.State == registry.Sealed && differing(now, r.Facts) == nil {
			o.Answer, o.Reason, o.Record = AlreadyIssued, "", &r
			o.Findings = slices.DeleteFunc(o.Findings, func(f intake.Finding) bool { return f.Severity == intake.Error })
			break
		}
	}
	return nil
}

func (i *Issuer) lookUp(ctx context.Context, rows []intake.Completion) (*catalogue, error) {
	known := &catalogue{models: map[string]*model{}, listed: map[string][]listedFault{}}
	var refs []string
	for _, row := range rows {
		if row.Learner != "" {
			refs = append(refs, row.Learner)
		}
		if _, seen := known.models[row.Module]; seen || row.Module == "" {
			continue
		}
		m, err := i.modelOf(ctx, row.Module)
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return nil, fmt.Errorf("looking up module %s: %w", row.Module, err)
		}
		known.models[row.Module] = m
		if m != nil {
			if known.listed[row.Module], err = i.listed(m); err != nil {
				return nil, fmt.Errorf("looking up module %s: %w", row.Module, err)
			}
		}
	}
	slices.Sort(refs)
	learners, err := i.Registry.Learners(ctx, slices.Compact(refs))
	if err != nil {
		return nil, fmt.Errorf("looking up learners: %w", err)
	}
	known.learners = learners
	return known, nil
}

func (known *catalogue) judge(row intake.Completion, today credentials.Date) judged {
	j := judged{row: row, outcome: Outcome{Line: row.Line, RowID: row.RowID, Adjusted: row.Adjusted}}
	findings := slices.Clone(row.Findings)
	learner, isLearner := known.learners[row.Learner]
	if row.Learner != "" && !isLearner {
		findings = append(findings, finding(row, "learner_id", "unknown_learner", row.Learner))
	}
	model := known.models[row.Module]
	if row.Module != "" && model == nil {
		findings = append(findings, finding(row, "module_code", "unknown_module", row.Module))
	}
	if model != nil {
		findings = append(findings, recognition(row, model, today)...)
		for _, fault := range known.listed[row.Module] {
			findings = append(findings, fault.finding(row))
		}
	}
	slices.SortStableFunc(findings, func(a, b intake.Finding) int { return columnOf(a) - columnOf(b) })
	j.outcome.Findings = findings
	for _, f := range findings {
		if f.Severity == intake.Error {
			j.outcome.Answer, j.outcome.Reason = Refused, f.Code
			return j
		}
	}
	if reason := ineligible(row, model.module); reason != "" {
		j.outcome.Answer, j.outcome.Reason = NotEligible, reason
		return j
	}
	if mark := belowRule(row, model.module); mark > 0 {
		warning := finding(row, "score", "score_below_rule", row.Score, strconv.Itoa(mark))
		warning.Severity = intake.Warning
		j.outcome.Findings = append(j.outcome.Findings, warning)
	}
	j.model = model
	j.award = credentials.Award{
		Provider: model.provider, Module: model.module, Edition: row.Edition, CompletedOn: row.CompletedOn, Score: row.Score,
		Learner: personOf(learner),
	}
	return j
}

// recognition says what a provider or its module may not do today.
func recognition(row intake.Completion, m *model, today credentials.Date) []intake.Finding {
	var all []intake.Finding
	for _, a := range []*credentials.Accreditation{m.provider.Accreditation, m.module.Accreditation} {
		if a != nil && !a.On(today) {
			all = append(all, finding(row, "module_code", "accreditation_expired", row.Module, string(a.ValidFrom)+" – "+string(a.ValidUntil)))
		}
	}
	if g := m.provider.Mandate; g != nil && !g.On(today) {
		sealer, _ := g.SealedBy.Name.In("it")
		all = append(all, finding(row, "module_code", "mandate_expired", row.Module, string(g.From)+" – "+string(g.Until), sealer))
	}
	return all
}

// personOf is a learner as a document takes it.
func personOf(l registry.Learner) credentials.Learner {
	p := credentials.Learner{
		Ref: l.Ref, GivenName: l.GivenName, FamilyName: l.FamilyName,
		Email: l.Email, Language: l.Language, BirthDate: credentials.Date(l.BirthDate),
	}
	if l.NationalID != "" {
		p.NationalID = &credentials.NationalID{Number: l.NationalID, Country: l.NationalCountry, Scheme: l.NationalScheme}
	}
	return p
}

// ineligible says why the rules of the module give no credential, or "". The
// result decides; a score does not.
func ineligible(row intake.Completion, m credentials.Module) string {
	switch row.Result {
	case intake.Passed:
	case intake.Withdrawn:
		return "withdrawn"
	default:
		return "failed"
	}
	attendance, err := strconv.ParseFloat(row.Attendance, 64)
	if err != nil || !(attendance >= m.MinAttendancePerct) {
		return "below_attendance"
	}
	return ""
}

// belowRule is the pass mark that a score misses, or 0.
func belowRule(row intake.Completion, m credentials.Module) int {
	score, err := strconv.ParseFloat(row.Score, 64)
	if err != nil {
		return 0
	}
	for _, a := range m.Assessments {
		if mark := credentials.PassMark(a); mark > 0 && score < float64(mark) {
			return mark
		}
	}
	return 0
}

// columnOf puts findings in the order of the columns they are about.
func columnOf(f intake.Finding) int {
	return slices.Index([]string{
		"missing_learner", "unknown_learner", "missing_module", "unknown_module", "accreditation_expired", "mandate_expired",
		"accreditation_ended", "accreditation_not_begun", "accreditation_suspended", "accreditation_outside",
		"accreditation_limited", "accreditation_silent", "accreditation_mandate",
		"missing_edition", "invalid_edition", "missing_date", "invalid_date", "date_in_future",
		"missing_attendance", "invalid_attendance", "attendance_out_of_range",
		"missing_result", "unknown_result", "invalid_score",
	}, f.Code)
}
