package credentials

import (
	"fmt"
	"time"
)

// Text holds one text in several languages: two-letter language code to text,
// as a JSON-LD language map. Italian and English are always present in what
// attesta issues.
type Text map[string]string

// In returns the text in the first of the languages asked for that is present,
// then in English, Italian, or any other, and "" only when the map is empty.
// The second result is the language of the text returned.
func (t Text) In(languages ...string) (text, language string) {
	for _, l := range append(languages, "en", "it") {
		if s, ok := t[l]; ok && s != "" {
			return s, l
		}
	}
	for _, l := range sortedKeys(t) {
		if t[l] != "" {
			return t[l], l
		}
	}
	return "", ""
}

// Date is a calendar day without a zone, in the form 2006-01-02.
type Date string

// Time returns the first moment of the day in the given zone: midnight, or one
// o’clock where summer time skipped the hour before. The zone is kept in the
// result, so that the day reads the same by the offset that is written with it
// and by the clocks of the zone. A dateTime has an offset in whole minutes
// (XML Schema 1.1 part 2, 3.3.7): a zone that had seconds too, as before time
// zones were regular, is written with the whole minutes below, which is up to a
// minute later on the same day.
func (d Date) Time(zone *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, string(d), zone)
	if err != nil {
		return t, err
	}
	for range maxSkipped {
		if t.Format(time.DateOnly) >= string(d) {
			break
		}
		t = t.Add(time.Minute)
	}
	if t.Format(time.DateOnly) != string(d) {
		return t, fmt.Errorf("the calendar of %s has no day %s", zone, d)
	}
	if _, offset := t.Zone(); offset%60 != 0 {
		year, month, day := t.Date()
		whole := offset - ((offset%60)+60)%60
		t = time.Date(year, month, day, 0, 0, 0, 0, time.FixedZone("", whole))
	}
	return t, nil
}

// maxSkipped bounds the minutes by which clocks were ever put forward.
const maxSkipped = 180

// Provider is a training organisation as it stands in a credential.
type Provider struct {
	ID      string `json:"id"`
	Name    Text   `json:"name"`
	Country string `json:"country"` // ISO 3166-1 alpha-3, as in the EU country list
	// LegalID is the organisation identifier in the form of ETSI EN 319 412-1
	// clause 5.1.4 (for example VATIT-00000000000). A demonstration key gets a
	// made-up one where it is empty.
	LegalID       string         `json:"legal_id,omitempty"`
	Homepage      string         `json:"homepage,omitempty"`
	Email         string         `json:"email,omitempty"`
	Kind          string         `json:"kind,omitempty"`
	Region        string         `json:"region,omitempty"` // as RegionURI takes it
	Accreditation *Accreditation `json:"accreditation"`
	Modules       []string       `json:"modules"` // codes of the modules it may award

	// Mandate is there when another organisation seals for the provider, and
	// SealsFor lists the providers whose mandate this one takes.
	Mandate  *Mandate `json:"mandate,omitempty"`
	SealsFor []string `json:"seals_for,omitempty"`

	// FourEyes is there when the status of this provider's credentials is changed
	// by two people: one proposes, another approves.
	FourEyes *FourEyes `json:"four_eyes,omitempty"`
}

// FourEyes says from how many credentials in one act on a second person is
// wanted: from one more than Above. Zero is always.
type FourEyes struct {
	Above int `json:"above,omitempty"`
}

// Sealer is the id of the organisation whose keys seal for the provider: its
// own, or that of the one it gave a mandate.
func (p Provider) Sealer() string {
	if p.Mandate != nil {
		return p.Mandate.SealedBy.ID
	}
	return p.ID
}

// Accreditation says which register recognises a provider, and from which day
// to which day, both included. One with an id is published by its register, in
// full: credentials under it have the profile Accredited.
type Accreditation struct {
	Register   string `json:"register"`
	Number     string `json:"number"`
	ValidFrom  Date   `json:"valid_from"`
	ValidUntil Date   `json:"valid_until"` // may be empty with an id: it does not end

	ID       string    `json:"id,omitempty"`    // absolute IRI in the register
	Type     string    `json:"type,omitempty"`  // URI of the list of kinds of accreditation
	Title    Text      `json:"title,omitempty"` // what is accredited, for what
	Agent    *Body     `json:"agent,omitempty"` // who accredits
	Decision *Decision `json:"decision,omitempty"`
	Report   string    `json:"report,omitempty"`    // address of the published report
	LimitEQF int       `json:"limit_eqf,omitempty"` // highest level that it covers
}

// On tells whether the accreditation holds on a day.
func (a *Accreditation) On(day Date) bool {
	return a != nil && a.ValidFrom <= day && (day <= a.ValidUntil || a.ValidUntil == "" && a.ID != "")
}

// Module is one version of the specification of a micro-credential. It holds
// the elements of Annex I of Council Recommendation 2022/C 243/02 that do not
// depend on the learner.
type Module struct {
	Code               string       `json:"code"`
	Version            string       `json:"version"`
	Status             string       `json:"status"`
	Type               string       `json:"type"`
	Title              Text         `json:"title"`
	Description        Text         `json:"description"`
	Outcomes           []Outcome    `json:"learning_outcomes"`
	Workload           Workload     `json:"workload"`
	Level              Level        `json:"level"`
	Mode               Listed       `json:"mode"`
	Assessments        []Assessment `json:"assessment"`
	Field              ISCED        `json:"isced_f"`
	Language           string       `json:"language"` // two-letter code
	Country            string       `json:"country"`
	Setting            Listed       `json:"learning_setting"`
	Prerequisites      Text         `json:"prerequisites"`
	QualityAssurance   Text         `json:"quality_assurance"`
	Stackability       Stackability `json:"stackability"`
	ValidityMonths     *int         `json:"validity_months"`
	TargetGroup        string       `json:"target_group,omitempty"`
	MinAttendancePerct float64      `json:"min_attendance_percent"`
	FurtherInformation Text         `json:"further_information,omitempty"`
	URL                string       `json:"url,omitempty"` // page of the module
	// Accreditation is one that a register publishes, in the place of that of
	// the provider.
	Accreditation *Accreditation `json:"accreditation,omitempty"`
}

// Outcome is one learning outcome with the skills it relates to.
type Outcome struct {
	ID       string   `json:"id"`
	Text     Text     `json:"text"`
	Skills   []Skill  `json:"skills"`
	DigComp  []string `json:"digcomp,omitempty"`  // competence@level, for example 2.3@5
	Reusable string   `json:"reusable,omitempty"` // URI of the list skill-reuse-level
}

// Skill is a concept of the ESCO skills pillar.
type Skill struct {
	URI   string `json:"uri"`
	Label Text   `json:"label"`
}

// Workload is the notional effort in hours; the parts add up to the total.
type Workload struct {
	Total     float64  `json:"hours_total"`
	Contact   float64  `json:"hours_contact"`
	Online    float64  `json:"hours_online"`
	SelfStudy float64  `json:"hours_self_study"`
	ISO8601   string   `json:"iso8601"`
	ECTS      *float64 `json:"ects"` // only for bodies of higher education
}

// Level is the level of the European Qualifications Framework, with its basis:
// who says so.
type Level struct {
	EQF   int    `json:"eqf"`
	URI   string `json:"uri"`
	Basis string `json:"basis"` // declared_by_issuer, or national_framework
	// Reference names the qualification of a national framework or repertory
	// that the level comes from; only with the basis national_framework.
	Reference Text `json:"reference,omitempty"`
}

// Listed is a value of one of the code lists of the learning model.
type Listed struct {
	Label string `json:"label"`
	URI   string `json:"uri"`
}

// ISCED is a field of education (ISCED-F 2013).
type ISCED struct {
	Code string `json:"code"`
	URI  string `json:"uri"`
}

// Assessment is one way in which the outcomes are assessed.
type Assessment struct {
	Type        string `json:"type"`
	URI         string `json:"uri"`
	Supervision Listed `json:"supervision"`
	PassRule    Text   `json:"pass_rule"`
}

// Stackability says whether a module stands alone and which stacks it counts
// towards.
type Stackability struct {
	Standalone    bool     `json:"standalone"`
	CountsTowards []string `json:"counts_towards"`
}

// Learner is the person who achieved a module. Of it a credential holds the
// name, and the birth date and the national number where they are given.
type Learner struct {
	Ref        string      `json:"ref"` // the provider's own number for the person
	GivenName  string      `json:"given_name"`
	FamilyName string      `json:"family_name"`
	Email      string      `json:"email,omitempty"`
	Language   string      `json:"language,omitempty"` // preferred, two-letter code
	BirthDate  Date        `json:"birth_date,omitempty"`
	NationalID *NationalID `json:"national_id,omitempty"`
}

// NationalID is the number by which a country knows a person.
type NationalID struct {
	Number  string `json:"number"`
	Country string `json:"country"`          // ISO 3166-1 alpha-3, as in the EU country list
	Scheme  string `json:"scheme,omitempty"` // what the number is called, for example Codice fiscale
}

// FullName is the given name followed by the family name.
func (l Learner) FullName() string {
	switch {
	case l.GivenName == "":
		return l.FamilyName
	case l.FamilyName == "":
		return l.GivenName
	}
	return l.GivenName + " " + l.FamilyName
}

// Award is the provider's fact that a learner achieved a module in an edition.
// It is the whole input of a Document, so that the same award and the same
// Reservation always give the same bytes.
type Award struct {
	Provider    Provider `json:"provider"`
	Module      Module   `json:"module"`
	Learner     Learner  `json:"learner"`
	Edition     string   `json:"edition"`
	CompletedOn Date     `json:"completed_on"`
	Score       string   `json:"score,omitempty"` // decimal, empty when none was given
	// Stacks gives the names of stacks that the module counts towards, by code.
	Stacks map[string]Text `json:"stacks,omitempty"`
	// Parts are the credentials that the award is made of, when it is a stack.
	Parts []Part `json:"parts,omitempty"`
}

// Part is an earlier credential that counts towards an award.
type Part struct {
	Credential  string    `json:"credential"` // its id
	Module      string    `json:"module"`     // code
	Title       Text      `json:"title"`
	CompletedOn Date      `json:"completed_on"`
	Hours       float64   `json:"hours,omitempty"`
	Provider    *Provider `json:"provider,omitempty"` // who awarded it; nil: the provider of the award
}
