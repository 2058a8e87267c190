package web

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"attesta/registry"
	"attesta/verifier"
)

// resultPage is the answer to a check: the verdict first, then what the
// credential says, then why the verdict is what it is.
type resultPage struct {
	Page
	Verdict   verdict
	Claims    *claims // nil unless the seal is good
	Declares  string  // heading over the claims, which depends on the verdict
	Seal      seal
	Vouchers  []checkRow // who vouches for the provider
	Checks    []checkRow
	Limits    []string // what the check does not prove
	CheckedAt string
	At        string // the moment asked about, where it is another one
	Asks      string // where another day can be asked about; "" for the answer to a form
	Keep      string // language, kept by that form where it was chosen
	Address   string // of this page, for the one behind a QR
	Picture   string // of the QR, for paper
	Host      string
	Digest    string
	Person    question
	Struck    bool      // the title is struck through
	Brief     bool      // a compact QR was presented: the document was not seen
	Baseline  string    // JAdES level of the seal, by what it carries
	Again     string    // where another one is checked; "" where that is on this page
	Copied    []string  // how old what was asked is, where that was a copy
	Table     tableForm // by which a receipt is asked for, where there are receipts
}

// verdict is the answer in one sentence.
type verdict struct {
	Name     string // valid, not_valid, cannot_tell: picks icon and colour
	Sentence string // the whole of it
	Word     string // its first half, in large letters
	Because  string // its second half
	Colon    string // between the two, as the language has it
	Detail   string
	Todo     string
	Seal     string // the level of the seal, where it limits the verdict
}

// seal is the level of a seal in words.
type seal struct{ Name, Text string }

// checkRow is one check in words.
type checkRow struct {
	Name    string
	Outcome string // pass, fail, unknown, skipped: picks the icon
	Word    string
	Found   string
	Source  string // where it can be looked up
	Todo    string
	Above   string // says that the rest stands under who vouches for the provider
}

// result puts a report into words. Handle is "" for what was presented by hand.
func (s *Site) result(r *http.Request, report verifier.Report, handle string) resultPage {
	p := resultPage{Page: s.page(r, "result.title"), Host: s.PublicURL}
	p.fill(report)
	p.Heading, p.Again = p.Verdict.Sentence, p.Link("/verify")
	if handle != "" {
		p.Address, p.Picture = s.address(handle), picture(handle)
	}
	return p
}

// fill says a report in the words of the page.
func (p *resultPage) fill(report verifier.Report) {
	p.Digest, p.Baseline, p.Brief = visible(report.Digest), report.Baseline, report.Brief
	p.Verdict = p.verdictOf(report)
	p.Claims = p.claimsOf(report)
	p.Declares = p.T("declares." + p.Verdict.Name)
	p.Struck = p.Verdict.Name == string(verifier.NotValid)
	p.Seal = p.sealOf(report.Level)
	p.CheckedAt = p.moment(report.CheckedAt)
	if !report.At.IsZero() && !report.At.Equal(report.CheckedAt) {
		p.At = p.moment(report.At)
	}
	for _, c := range report.Checks {
		row := p.rowOf(c)
		if p.Claims != nil && (c.ID == "issuer" || c.ID == "accreditation") {
			p.Vouchers = append(p.Vouchers, row)
			row = checkRow{Name: row.Name, Outcome: row.Outcome, Word: row.Word, Above: p.T("checks.above")}
		}
		p.Checks = append(p.Checks, row)
	}
	p.Limits = p.limitsOf(report)
}

// verdictOf says the verdict and what to do. Anything but the two known good
// answers is "cannot tell".
func (p Page) verdictOf(report verifier.Report) verdict {
	v := verdict{Name: string(report.Verdict), Colon: p.T("colon")}
	if v.Name != string(verifier.Valid) && v.Name != string(verifier.NotValid) {
		v.Name = string(verifier.CannotTell)
	}
	if report.Level == "demonstration" && v.Name != string(verifier.NotValid) {
		v.Seal = p.T("level.demonstration.stamp")
	}
	if v.Name == string(verifier.Valid) {
		v.Word, v.Todo = p.T("verdict.valid"), p.T("todo.valid")
		if report.Credential != nil && report.Credential.HolderName == "" && report.Discloses() {
			v.Todo = p.T("todo.valid.unnamed")
		}
		v.Sentence = v.Word
		return v
	}
	v.Word = p.T("verdict." + v.Name + ".bare")
	decided := deciding(report)
	found, todo := p.found(decided)
	if v.Because = p.because(decided); v.Because == "" {
		v.Sentence, v.Detail = v.Word, visible(found)
	} else {
		v.Sentence = p.T("verdict."+v.Name, "because", v.Because)
	}
	if reason := "reason." + decided.Facts["reason"]; p.Has(reason) {
		v.Detail = p.T("verdict.reason", "reason", p.T(reason))
	}
	switch {
	case p.Has("todo." + decided.Reason):
		v.Todo = p.T("todo." + decided.Reason)
	case todo != "":
		v.Todo = visible(todo)
	default:
		v.Todo = p.T("todo." + v.Name)
	}
	return v
}

// deciding is the check that decided a report.
func deciding(report verifier.Report) verifier.Check {
	for _, c := range report.Checks {
		if c.Reason == report.Reason {
			return c
		}
	}
	return verifier.Check{Reason: report.Reason, Outcome: verifier.Unknown}
}

// because says a reason as the second half of the verdict: the exact one with
// its day, the exact one, that of its family, or "" when it is not known.
func (p Page) because(c verifier.Check) string {
	family, _, _ := strings.Cut(c.Reason, "_")
	for _, name := range []string{"at", "on"} {
		if day := p.dayOf(c.Facts[name]); day != "" && p.Has("because."+c.Reason+".on") {
			return p.T("because."+c.Reason+".on", "day", day)
		}
	}
	for _, key := range []string{"because." + c.Reason, "because." + family + "." + string(c.Outcome), "because." + family} {
		if p.Has(key) {
			return p.T(key)
		}
	}
	return ""
}

// dated adds to a report the day of the last change of status, which the
// registry knows and a published list does not say. The verdict stays that of
// the report.
func dated(report verifier.Report, record registry.Record, withReason bool) verifier.Report {
	if record.StatusAt.IsZero() || report.Reason != "status_"+record.Status.String() {
		return report
	}
	report.Checks = slices.Clone(report.Checks)
	for i, c := range report.Checks {
		if c.Reason != report.Reason {
			continue
		}
		facts := map[string]string{"at": record.StatusAt.Format(time.RFC3339)}
		if withReason {
			facts["reason"] = record.Reason
		}
		maps.Copy(facts, c.Facts)
		report.Checks[i].Facts = facts
	}
	return report
}

// rowOf says one check.
func (p Page) rowOf(c verifier.Check) checkRow {
	row := checkRow{Name: visible(c.ID), Outcome: string(c.Outcome)}
	switch c.Outcome {
	case verifier.Pass, verifier.Fail, verifier.Unknown, verifier.Skipped:
	default:
		row.Outcome = string(verifier.Unknown)
	}
	if p.Has("check." + c.ID) {
		row.Name = p.T("check." + c.ID)
	}
	row.Word = p.T("outcome." + row.Outcome)
	found, todo := p.found(c)
	row.Found, row.Todo = visible(found), visible(todo)
	row.Source = visible(verifier.Source(p.localised(c), p.Lang))
	return row
}

// found says a check in the words of the verifier. Moments in UTC among its
// facts are moved to the zone of the site first, so that all days agree.
func (p Page) found(c verifier.Check) (found, todo string) {
	return verifier.Words(p.localised(c), p.Lang)
}

// localised is the check with its moments in the zone of the site.
func (p Page) localised(c verifier.Check) verifier.Check {
	facts := maps.Clone(c.Facts)
	for name, value := range facts {
		if t, err := time.Parse(time.RFC3339, value); err == nil {
			facts[name] = p.local(t).Format(time.RFC3339)
		}
	}
	c.Facts = facts
	return c
}

// sealOf says the level of a seal. A level that is not known is not a level.
func (p Page) sealOf(level string) seal {
	if level == "" || !p.Has("level."+level+".name") {
		level = "unrecognised"
	}
	return seal{p.T("level." + level + ".name"), p.T("level." + level + ".text")}
}

// limitsOf says what the check does not prove.
func (p Page) limitsOf(report verifier.Report) []string {
	if report.Credential == nil {
		return nil
	}
	limits := []string{p.T("limit.person")}
	if report.Level == "demonstration" {
		limits = append(limits, p.T("limit.demonstration"))
	}
	if o := report.Find("accreditation").Outcome; o != verifier.Pass && o != verifier.Fail {
		limits = append(limits, p.T("limit.accreditation"))
	}
	if report.Brief {
		limits = append(limits, p.T("limit.brief"))
	}
	if report.Credential.Level != nil {
		limits = append(limits, p.T("limit.level"))
	}
	limits = append(limits, p.T("limit.training"))
	if report.Verdict == verifier.Valid {
		limits = append(limits, p.T("limit.later"))
	}
	return limits
}
