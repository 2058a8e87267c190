package credentials

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// person carries the name, and a birth date or a national number only where
// the provider gives them: the learning model demands neither, and what is not
// in a file cannot leak from it.
func (w *writer) person(claim *object) *object {
	one := func(s slot) *object {
		if w.values[s] == "" {
			return nil
		}
		return (&object{}).add("it", w.varies(s)) // the model allows a name in one language only
	}
	p := obj("Person", w.id("person")).
		add("hasClaim", []any{claim}).
		add("givenName", one(slotGiven)).
		add("familyName", one(slotFamily)).
		add("fullName", one(slotFull)).
		add("dateOfBirth", w.varies(slotBorn))
	if n := w.award.Learner.NationalID; n != nil {
		p.add("nationalID", obj("LegalIdentifier", w.id("legalIdentifier")).
			add("schemeName", w.varies(slotScheme)).
			add("notation", w.varies(slotNational)).
			add("spatial", w.concept(&listCountry, countryPrefix+n.Country)))
	}
	return p
}

func (w *writer) achievement() (*object, error) {
	m := w.award.Module
	awarded := obj("AwardingProcess", w.id("awardingProcess")).
		add("awardingBody", []any{w.awarding}).
		add("awardingDate", w.varies(slotCompleted))
	var proofs []any
	for i := range m.Assessments {
		proofs = append(proofs, w.assessment(&m.Assessments[i]))
	}
	parts, err := w.parts()
	if err != nil {
		return nil, err
	}
	return obj("LearningAchievement", w.id("learningAchievement")).
		add("title", m.Title).
		add("description", m.Description).
		add("specifiedBy", w.qualification()).
		add("influencedBy", w.activities()).
		add("hasPart", parts).
		add("provenBy", proofs).
		add("awardedBy", awarded), nil
}

// awardedBy names the awarding body, which the achievement describes in full.
func (w *writer) awardedBy() *object {
	return obj("AwardingProcess", w.id("awardingProcess")).add("awardingBody", []any{mention(w.awarding)})
}

// activities are the hours of a module by the way in which they are spent.
func (w *writer) activities() []any {
	h := w.award.Module.Workload
	return some(
		w.activity(h.Contact, Text{"it": "Ore in presenza", "en": "Contact hours"}, "", ""),
		w.activity(h.Online, Text{"it": "Ore online", "en": "Online hours"}, activityOnline, modeOnline),
		w.activity(h.SelfStudy, Text{"it": "Studio individuale", "en": "Self-study"}, activitySelfStudy, ""))
}

func (w *writer) activity(hours float64, title Text, kind, mode string) *object {
	if hours <= 0 {
		return nil
	}
	spec := obj("LearningActivitySpecification", w.id("learningActivitySpec")).
		add("title", title).
		add("dcType", some(w.concept(&listActivityType, kind))).
		add("mode", some(w.concept(&listMode, mode)))
	if kind == "" {
		spec.add("contactHour", []any{strconv.FormatFloat(hours, 'f', -1, 64)})
	}
	return obj("LearningActivity", w.id("learningActivity")).
		add("title", title).
		add("workload", Duration(hours)).
		add("awardedBy", w.awardedBy()).
		add("specifiedBy", spec)
}

// Duration writes hours as ISO 8601, to the minute: PT16H, PT7H30M.
func Duration(hours float64) string {
	minutes := int64(hours*60 + 0.5)
	s := "PT"
	if minutes >= 60 {
		s += strconv.FormatInt(minutes/60, 10) + "H"
	}
	if minutes%60 > 0 {
		s += strconv.FormatInt(minutes%60, 10) + "M"
	}
	return s
}

// parts are the earlier achievements that a stack is made of.
func (w *writer) parts() ([]any, error) {
	var all []any
	for _, p := range w.award.Parts {
		day, err := p.CompletedOn.Time(w.issue.At.Location())
		if err != nil {
			return nil, fmt.Errorf("completion date of the part %s: %w", p.Module, err)
		}
		body := mention(w.awarding)
		if p.Provider != nil && p.Provider.ID != w.award.Provider.ID {
			body = w.provider(*p.Provider)
		}
		spec := obj("Qualification", w.id("qualification")).
			add("identifier", []any{w.numbered("Modulo", p.Module)}).
			add("title", p.Title)
		if p.Hours > 0 {
			spec.add("volumeOfLearning", Duration(p.Hours))
		}
		all = append(all, obj("LearningAchievement", w.id("learningAchievement")).
			add("identifier", []any{w.numbered("Credenziale", p.Credential)}).
			add("title", p.Title).
			add("awardedBy", obj("AwardingProcess", w.id("awardingProcess")).
				add("awardingBody", []any{body}).
				add("awardingDate", day.Format(time.RFC3339))).
			add("specifiedBy", spec))
	}
	return all, nil
}

// stacks are the larger awards that a module counts towards.
func (w *writer) stacks() []any {
	var all []any
	for _, code := range w.award.Module.Stackability.CountsTowards {
		title := w.award.Stacks[code]
		if len(title) == 0 {
			title = Text{"it": "Percorso composto " + code, "en": "Stack " + code}
		}
		all = append(all, obj("Qualification", w.id("qualification")).
			add("identifier", []any{w.numbered("Percorso composto", code)}).
			add("title", title))
	}
	return all
}

func (w *writer) numbered(scheme string, notation any) *object {
	return obj("Identifier", w.id("identifier")).add("schemeName", scheme).add("notation", notation)
}

// assessment gives each part the grade "passed": the award says no more about
// a part. The score is shown where it can only belong to one assessment and
// that one is marked out of a hundred.
func (w *writer) assessment(a *Assessment) *object {
	title := Text{"en": a.Type}
	if found, ok := listAssessmentType.find(a.URI); ok {
		title = found.label()
	}
	var grade any = Text{"it": "Superato", "en": "Passed"}
	if w.values[slotScore] != "" {
		grade = (&object{}).
			add("en", varying{"Passed: ", slotScore, "/100"}).
			add("it", varying{"Superato: ", slotScoreComma, "/100"})
	}
	spec := obj("LearningAssessmentSpecification", w.id("learningAssessmentSpec")).
		add("title", title).
		add("description", a.PassRule).
		add("dcType", w.concept(&listAssessmentType, a.URI))
	return obj("LearningAssessment", w.id("learningAssessment")).
		add("title", title).
		add("awardedBy", w.awardedBy()).
		add("grade", w.note(nil, grade)).
		add("idVerification", w.concept(&listSupervision, a.Supervision.URI)).
		add("specifiedBy", spec)
}

var outOfHundred = regexp.MustCompile(`\b(\d{1,3})/100\b`)

// PassMark is the least score out of a hundred that an assessment's rule asks
// for, or 0 when the rule names none.
func PassMark(a Assessment) int {
	for _, text := range []string{a.PassRule["en"], a.PassRule["it"]} {
		if found := outOfHundred.FindStringSubmatch(text); found != nil {
			mark, err := strconv.Atoi(found[1])
			if err == nil && mark <= 100 {
				return mark
			}
		}
	}
	return 0
}

func (w *writer) qualification() *object {
	m := w.award.Module
	var outcomes []any
	for i := range m.Outcomes {
		outcomes = append(outcomes, w.outcome(&m.Outcomes[i]))
	}
	q := obj("Qualification", w.id("qualification")).
		add("identifier", []any{w.numbered("Modulo", m.Code+" "+m.Version)}).
		add("title", m.Title).
		add("description", m.Description).
		add("additionalNote", w.notes()).
		add("homepage", some(w.page(m.URL))).
		add("dcType", some(w.concept(&listOpportunity, shortLearningProgramme))).
		add("language", some(w.concept(&listLanguage, languageConcept(m.Language)))).
		add("volumeOfLearning", m.Workload.ISO8601).
		add("mode", some(w.concept(&listMode, m.Mode.URI))).
		add("thematicArea", some(w.concept(&listField, m.Field.URI))).
		add("learningSetting", w.concept(&listSetting, m.Setting.URI)).
		add("entryRequirement", w.note(nil, m.Prerequisites)).
		add("learningOutcome", outcomes).
		add("eqfLevel", w.concept(&listEQF, m.Level.URI))
	if e := m.Workload.ECTS; e != nil {
		q.add("creditPoint", []any{obj("CreditPoint", w.id("creditPoint")).
			add("framework", w.concept(&listCredit, creditECTS)).
			add("point", strconv.FormatFloat(*e, 'f', -1, 64))})
	}
	if len(m.Stackability.CountsTowards) > 0 {
		q.add("isPartialQualification", true).add("isPartOf", w.stacks())
	}
	if w.accredited != nil {
		q.add("accreditation", []any{mention(w.accredited)})
	}
	return q
}

// notes say what the learning model has no member for.
func (w *writer) notes() []any {
	m := w.award.Module
	var level *object
	switch m.Level.Basis {
	case "declared_by_issuer":
		level = w.note(w.subject(noteLevel, Text{"it": "Base del livello EQF", "en": "Basis of the EQF level"}), Text{
			"it": "Il livello EQF è dichiarato dall’ente che rilascia; non deriva da un quadro nazionale delle qualificazioni.",
			"en": "The EQF level is declared by the provider; it does not come from a national qualifications framework.",
		})
	case "national_framework":
		level = w.note(w.subject(noteSource, Text{"it": "Origine del livello EQF", "en": "Source of the EQF level"}), m.Level.Reference)
	}
	return some(
		w.note(w.subject(noteQuality, Text{"it": "Assicurazione della qualità", "en": "Quality assurance"}), m.QualityAssurance),
		level,
		w.note(w.subject(noteFurther, Text{"it": "Altre informazioni", "en": "Further information"}), m.FurtherInformation))
}

func (w *writer) subject(id string, label Text) *object { return freeConcept(id, noteScheme, label) }

func (w *writer) outcome(o *Outcome) *object {
	var skills []any
	for _, s := range o.Skills {
		skills = append(skills, freeConcept(s.URI, schemeESCO, s.Label))
	}
	return obj("LearningOutcome", w.id("learningOutcome")).
		add("title", o.Text).
		add("reusabilityLevel", w.concept(&listReuse, o.Reusable)).
		add("relatedESCOSkill", skills)
}
