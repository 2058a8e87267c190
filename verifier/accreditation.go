package verifier

import (
	"strconv"
	"strings"

	"attesta/accreditation"
	"attesta/credentials"
)

// accreditation asks the lists that are held whether whoever awards was
// accredited on the day of issuing, and is on the day asked about. Only a list
// that says no for the day of issuing fails; what comes later takes nothing from
// a credential that is provably older, and what no list says is not known.
func (j *judgement) accreditation(view credentials.View) {
	var lists accreditation.Lists
	if j.Accreditations != nil {
		lists = j.Accreditations()
	}
	if lists.Empty() {
		j.claimed(view)
		return
	}
	if !j.believed() {
		j.add(CheckAccreditation, Skipped, "accreditation_not_checked")
		return
	}
	issued := view.Issued
	if issued.IsZero() {
		issued = j.claimedAt()
	}
	then, day := lists.Day(issued), lists.Day(j.at)
	a, known := lists.Ask(questionOf(view), then, day, j.now)
	if !known {
		j.claimed(view)
		return
	}
	v := accredited{judgement: j, lists: lists, answer: a, then: then, day: day}
	outcome, reason := v.outcome()
	if view.Issued.IsZero() && j.parsed.Envelope.SealedAt.IsZero() {
		// Today is asked about in place of a day that may have been kept back.
		outcome, reason = Unknown, "accreditation_undated"
	}
	j.add(CheckAccreditation, outcome, reason, v.facts(reason)...)
}

// claimed says whether the credential claims an accreditation, where no list
// knows the provider.
func (j *judgement) claimed(view credentials.View) {
	a := view.Accreditation
	if a == nil {
		j.add(CheckAccreditation, Unknown, "accreditation_not_known")
		return
	}
	by, _ := a.Agent.In("it", "en")
	if by == "" {
		by, _ = a.Title.In("it", "en")
	}
	if by == "" {
		by = a.ID
	}
	if by == "" {
		by = "–"
	}
	j.add(CheckAccreditation, Unknown, "accreditation_claimed", "register", by)
}

// questionOf asks about the awarding body: the sealer, or the one for which it
// says that it seals.
func questionOf(view credentials.View) accreditation.Question {
	q := accreditation.Question{LegalIDs: []string{view.IssuerLegal}, Country: strings.TrimPrefix(view.Country.URI, countryPrefix)}
	if len(view.AwardedBy) > 0 {
		q.LegalIDs, q.Sealer = view.AwardedIDs, view.IssuerLegal
	}
	if view.Level != nil {
		q.EQF, _ = strconv.Atoi(strings.TrimPrefix(view.Level.URI, levelPrefix))
	}
	for _, f := range view.Field {
		q.Fields = append(q.Fields, accreditation.FieldCode(f.URI))
	}
	if view.Region != nil {
		q.Region = accreditation.RegionCode(view.Region.URI)
	}
	return q
}

// The lists of the learning model from which countries and levels come.
const (
	countryPrefix = "http://publications.europa.eu/resource/authority/country/"
	levelPrefix   = "http://data.europa.eu/snb/eqf/"
)

// accredited is the answer of a list on its way to a check.
type accredited struct {
	*judgement
	lists     accreditation.Lists
	answer    accreditation.Answer
	then, day credentials.Date
	gap       credentials.Date // a later day without accreditation, by which it may have been sealed
}

func (v *accredited) outcome() (Outcome, string) {
	switch v.answer.Then.State {
	case accreditation.Ended:
		return Fail, "accreditation_not_then"
	case accreditation.NotBegun:
		return Fail, "accreditation_not_yet"
	case accreditation.Suspended:
		return Fail, "accreditation_suspended_then"
	case accreditation.Outside:
		return Unknown, "accreditation_outside"
	case accreditation.Unclear:
		return Unknown, "accreditation_limited"
	case accreditation.Accredited:
	default:
		return Unknown, "accreditation_list_stale"
	}
	if !v.answer.MaySeal {
		return Unknown, "accreditation_mandate"
	}
	// The day of issuing is the sealer's own word. It matters where the provider
	// lost its accreditation after that day and before it is proved that the seal
	// was there.
	by := v.lists.Day(v.now)
	if !v.proof.at.IsZero() {
		by = v.lists.Day(v.proof.at)
	}
	v.gap = v.answer.Gap(v.then, by)
	switch v.answer.Day.State {
	case accreditation.Ended:
		return v.proven("accreditation_ended")
	case accreditation.Suspended:
		return v.proven("accreditation_suspended")
	case accreditation.Accredited:
		return v.proven("accreditation_then_and_now")
	}
	return Unknown, "accreditation_then_list_stale"
}

func (v *accredited) proven(reason string) (Outcome, string) {
	if v.gap == "" {
		return Pass, reason
	}
	switch reason {
	case "accreditation_ended":
		return Unknown, "accreditation_ended_unproven"
	case "accreditation_suspended":
		return Unknown, "accreditation_suspended_unproven"
	}
	return Unknown, "accreditation_gap_unproven"
}

// facts are what the words of a reason name, and on what they stand: the entry
// in the register and the list.
func (v *accredited) facts(reason string) []string {
	a, s := v.answer, v.answer.Then
	if s.State == accreditation.Accredited {
		// What changed since is said of the entry that it happened to.
		if d := a.Day; d.State.No() {
			s = d
		}
	}
	facts := []string{
		"name", a.Provider.Called(v.then), "authority", a.List.Authority.Name, "authority_id", a.List.Authority.LegalID,
		"list", a.List.ID, "sequence", strconv.Itoa(a.List.Sequence), "listed", stamp(a.List.Issued.In(v.lists.Zone())),
		"then", v.stamp(v.then),
	}
	if called := a.Provider.Called(v.day); called != a.Provider.Called(v.then) {
		facts = append(facts, "called", called)
	}
	if v.day != v.lists.Day(v.now) {
		facts = append(facts, "day", v.stamp(v.day))
	}
	if e := s.Accreditation; e != nil {
		facts = append(facts, "register", e.Register, "number", e.Number, "from", v.stamp(e.From))
		for name, value := range map[string]string{"until": v.stamp(e.Until), "link": e.Link, "limits": e.Limits()} {
			if value != "" {
				facts = append(facts, name, value)
			}
		}
	}
	switch {
	case reason == "accreditation_gap_unproven":
		facts = append(facts, "since", v.stamp(v.gap))
	case s.State.No():
		facts = append(facts, "since", v.stamp(s.Day))
	case reason == "accreditation_list_stale", reason == "accreditation_then_list_stale":
		facts = append(facts, "speaks", stamp(a.List.NextUpdate.In(v.lists.Zone())))
	case reason == "accreditation_mandate":
		facts = append(facts, "sealer", v.view.Issuer)
	}
	return facts
}

// stamp writes the first moment of a day into a fact; "" for no day.
func (v *accredited) stamp(day credentials.Date) string {
	t, err := day.Time(v.lists.Zone())
	if err != nil {
		return ""
	}
	return stamp(t)
}
