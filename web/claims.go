package web

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"attesta/credentials"
	"attesta/verifier"
)

// claims is what a credential says, in the order in which a person asks.
type claims struct {
	Kind        string // what the title is that of
	Title       said
	Description said
	Holder      string
	Issuer      said
	More        []fact // what else the file attests, by kind
	Essentials  []fact
	Outcomes    []outcome
	Assessments []assessment
	Details     []fact
	Site        string // https address of a known provider, "" where there is none
}

// fact is a term with what is said about it.
type fact struct {
	Term   string
	Values []said
	Note   said
	Href   string // only ever https
}

type outcome struct {
	Title  said
	Skills []said
}

type assessment struct {
	Title said
	Facts []fact
}

// eqf finds the level in the address of a level of the European framework.
var eqf = regexp.MustCompile(`^http://data\.europa\.eu/snb/eqf/([1-8])$`)

// learningType begins the types of credentials for wallets that are
// micro-credentials of the Union.
const learningType = "urn:eu.europa.ec.eudi:learning:credential:"

// claimsOf puts what a report read into words; nil stays nil. Addresses in it
// can be followed only where the issuer is known.
func (p Page) claimsOf(report verifier.Report) *claims {
	v := report.Credential
	if v == nil {
		return nil
	}
	c := &claims{Kind: p.T("fact.title"), Title: p.say(v.Title), Description: p.say(v.Description), Holder: visible(v.HolderName), Issuer: p.issuerOf(v)}
	if c.Title.Text == "" {
		c.Title.Text = p.T("unnamed")
	}
	if kind := report.Find("format").Facts["type"]; report.Discloses() && !strings.HasPrefix(kind, learningType) {
		c.Kind = p.T("fact.credential")
	}
	c.More = p.more(v.More)
	p.essentials(c, v, report.Find("validity").Reason != "validity_unread")
	for _, o := range v.Outcomes {
		c.Outcomes = append(c.Outcomes, outcome{p.say(o.Title), p.concepts(o.Skills)})
	}
	for _, a := range v.Assessments {
		c.Assessments = append(c.Assessments, p.assessmentOf(a))
	}
	p.details(c, v, report.Brief || report.Discloses())
	c.Details = appendFact(c.Details, p.T("fact.today"), said{Text: p.T("fact.today.note")}, texts([]string{report.NowNamed}))
	c.Site = outside(v.IssuerURL)
	if report.Find("issuer").Outcome != verifier.Pass {
		c.Site = ""
	}
	if address := visible(v.IssuerURL); address != "" {
		c.Details = append(c.Details, fact{Term: p.T("fact.homepage"), Values: []said{{Text: address}}, Href: c.Site})
	}
	return c
}

// more names what a credential attests beside the first, by kind.
func (p Page) more(all []credentials.ClaimView) []fact {
	var rows []fact
	for _, m := range all {
		term := p.T("claim.other")
		if key := "claim." + m.Kind; p.Has(key) {
			term = p.T(key)
		}
		title := p.say(m.Title)
		if title.Text == "" {
			title.Text = p.T("unnamed")
		}
		i := slices.IndexFunc(rows, func(f fact) bool { return f.Term == term })
		if i < 0 {
			i, rows = len(rows), append(rows, fact{Term: term})
		}
		rows[i].Values = append(rows[i].Values, title)
	}
	return rows
}

// essentials are the facts that an employer looks for first. Of a last day that is
// not read none is named.
func (p Page) essentials(c *claims, v *credentials.View, ends bool) {
	add := func(key string, note said, values ...said) {
		c.Essentials = appendFact(c.Essentials, p.T(key), note, values)
	}
	completed := p.day(v.CompletedOn)
	if completed == "" {
		completed = p.T("unstated")
	}
	add("fact.completed", said{}, said{Text: completed})
	add("fact.issued", said{}, said{Text: p.day(v.Issued)})
	switch {
	case !ends:
	case v.ValidUntil.IsZero():
		add("fact.until", said{}, said{Text: p.T("forever")})
	default:
		add("fact.until", said{}, said{Text: p.day(v.ValidUntil)})
	}
	if v.Level != nil {
		add("fact.level", p.levelNote(v), p.levelOf(*v.Level))
	}
	if v.Hours != "" {
		add("fact.hours", said{}, said{Text: p.effort(v.Hours)})
	}
	add("fact.mode", said{}, p.concepts(v.Mode)...)
}

// details are the remaining facts. Of what a short form leaves out, or a holder
// does not disclose, nobody knows whether the document states it.
func (p Page) details(c *claims, v *credentials.View, short bool) {
	add := func(key string, values ...said) { c.Details = appendFact(c.Details, p.T(key), said{}, values) }
	requires, quality := p.say(v.Requires), p.say(v.Quality)
	if requires.Text == "" && !short {
		requires.Text = p.T("requires.none")
	}
	if quality.Text == "" && !short {
		quality.Text = p.T("unstated")
	}
	add("fact.requires", requires)
	add("fact.quality", quality)
	add("fact.field", p.concepts(v.Field)...)
	add("fact.language", p.concepts(v.Language)...)
	if v.Setting != nil {
		add("fact.setting", p.concept(*v.Setting))
	}
	var spent []said
	for _, a := range v.Activities {
		if title, hours := p.say(a.Title), p.effort(a.Hours); title.Text != "" && hours != "" {
			title.Text += p.T("colon") + " " + hours
			spent = append(spent, title)
		}
	}
	add("fact.activities", spent...)
	p.composition(c, v)
	add("fact.further", p.say(v.Further))
	add("fact.module", said{Text: visible(v.ModuleURL)})
	place := []said{p.concept(v.Country)}
	if v.Region != nil {
		place = append(place, p.concept(*v.Region))
	}
	add("fact.country", place...)
	add("fact.mandate", p.say(v.Mandate))
	p.accreditation(c, v)
	legal := "fact.legal"
	if len(v.AwardedBy) > 0 {
		legal = "fact.sealer"
	}
	add(legal, said{Text: visible(v.IssuerLegal)})
	add("fact.identifiers", texts(v.Identifiers)...)
	add("fact.id", said{Text: visible(v.ID)})
}

// composition says what an award is made of and what it counts towards.
func (p Page) composition(c *claims, v *credentials.View) {
	var stacks, parts []said
	for _, s := range v.Stacks {
		title := p.say(s.Title)
		if title.Text == "" {
			title = said{Text: visible(s.Code)}
		}
		stacks = append(stacks, title)
	}
	for _, one := range v.Parts {
		title := p.say(one.Title)
		if day := p.day(one.CompletedOn); day != "" && title.Text != "" {
			title.Text += " (" + day + ")"
		}
		parts = append(parts, title)
	}
	c.Details = appendFact(c.Details, p.T("fact.stacks"), said{}, stacks)
	c.Details = appendFact(c.Details, p.T("fact.parts"), said{}, parts)
}

// accreditation says what a credential claims of one; nobody has checked it.
func (p Page) accreditation(c *claims, v *credentials.View) {
	a := v.Accreditation
	if a == nil {
		return
	}
	values := []said{p.say(a.Title), p.say(a.Agent), {Text: visible(a.ID)}}
	if from := p.day(a.From); from != "" {
		until := p.day(a.Until)
		if until == "" {
			until = p.T("forever")
		}
		values = append(values, said{Text: from + " – " + until})
	}
	c.Details = appendFact(c.Details, p.T("fact.accreditation"), said{Text: p.T("unchecked")}, values)
}

// assessmentOf says one assessment.
func (p Page) assessmentOf(a credentials.AssessmentView) assessment {
	row := assessment{Title: p.say(a.Title)}
	add := func(key string, value said) { row.Facts = appendFact(row.Facts, p.T(key), said{}, []said{value}) }
	if a.Type != nil && p.concept(*a.Type).Text != row.Title.Text {
		add("fact.type", p.concept(*a.Type))
	}
	add("fact.grade", p.say(a.Grade))
	add("fact.rule", p.say(a.Rule))
	if a.Supervision != nil {
		add("fact.supervision", p.concept(*a.Supervision))
	} else {
		add("fact.supervision", said{Text: p.T("unstated")})
	}
	if row.Title.Text == "" {
		row.Title.Text = p.T("assessment.unnamed")
	}
	return row
}

// appendFact adds a fact unless nothing is said.
func appendFact(facts []fact, term string, note said, values []said) []fact {
	var kept []said
	for _, v := range values {
		if v.Text != "" {
			kept = append(kept, v)
		}
	}
	if len(kept) == 0 {
		return facts
	}
	return append(facts, fact{Term: term, Values: kept, Note: note})
}

// say picks the text in the language of the page.
func (p Page) say(t credentials.Text) said { return say(t, p.Lang) }

// issuerOf is the name of the provider; where another sealed for it, also whose
// word that is.
func (p Page) issuerOf(v *credentials.View) said {
	if provider := p.say(v.AwardedBy); provider.Text != "" {
		sealer, _ := v.IssuerNames.In(p.Lang)
		if sealer == "" {
			sealer = v.Issuer
		}
		return said{Text: p.T("issuer.mandate", "provider", provider.Text, "sealer", visible(sealer))}
	}
	if name := p.say(v.IssuerNames); name.Text != "" {
		return name
	}
	if name := visible(v.Issuer); name != "" {
		return said{Text: name}
	}
	return said{Text: p.T("unnamed")}
}

// concept is the label of a value of a code list, or its address when the
// credential gives no label.
func (p Page) concept(c credentials.Concept) said {
	if label := p.say(c.Label); label.Text != "" {
		return label
	}
	return said{Text: visible(c.URI)}
}

func (p Page) concepts(list []credentials.Concept) []said {
	var all []said
	for _, c := range list {
		if one := p.concept(c); one.Text != "" {
			all = append(all, one)
		}
	}
	return all
}

// levelOf names a level of the European Qualifications Framework.
func (p Page) levelOf(c credentials.Concept) said {
	if m := eqf.FindStringSubmatch(c.URI); m != nil {
		return said{Text: "EQF " + m[1]}
	}
	return p.concept(c)
}

// levelNote says on whose word a level stands.
func (p Page) levelNote(v *credentials.View) said {
	if note := p.say(v.LevelNote); note.Text != "" {
		return note
	}
	return said{Text: p.T("level.nobody")}
}

// levelMeans says in one sentence what a level of the European framework is,
// and that the provider set it where the credential says so. It is "" for
// another level.
func (p Page) levelMeans(v *credentials.View) string {
	switch {
	case v.Level == nil || !eqf.MatchString(v.Level.URI):
		return ""
	case v.LevelDeclared:
		return p.T("eqf.declared")
	}
	return p.T("eqf.plain")
}

// texts are plain values without a language.
func texts(list []string) []said {
	var all []said
	for _, t := range list {
		all = append(all, said{Text: visible(t)})
	}
	return all
}

// outside returns an address that may be followed from a page, or "".
func outside(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || visible(address) != address {
		return ""
	}
	return u.String()
}
