package credentials

import "time"

// View is what a credential says, in plain fields and independent of its
// format. It is read from the sealed bytes and nowhere else. Nothing in it is
// to be believed before a verifier has judged those bytes.
type View struct {
	ID          string // the credential's own id, for example urn:credential:…
	Title       Text
	Description Text
	HolderName  string
	// Whether the file carries the birth date and the national number of the
	// holder, which are not read into any field.
	BirthDateGiven, NationalIDGiven bool

	Issuer      string // legal name in the primary language
	IssuerNames Text
	IssuerLegal string // organisation identifier
	IssuerURL   string
	Country     Concept  // of the awarding body
	Region      *Concept // of the same
	AwardedBy   Text     // the awarding body, where it is another than the one who seals
	AwardedIDs  []string // its legal identifiers; none where there are several such bodies
	Mandate     Text     // on what the one who seals says it may do so for the other
	// Accreditation is what the credential claims and nobody has checked.
	Accreditation *AccreditationView
	Issued        time.Time // when it was sealed and handed out
	CompletedOn   time.Time // day of the award; zero when not stated
	ValidFrom     time.Time
	ValidUntil    time.Time // zero when it does not expire
	Level         *Concept  // EQF
	LevelNote     Text      // on whose word the level stands, or where it comes from

	// LevelDeclared is set when the provider itself declares the level.
	LevelDeclared bool

	Hours       string // ISO 8601 duration, for example PT32H
	Mode        []Concept
	Setting     *Concept
	Field       []Concept
	Language    []Concept
	Outcomes    []OutcomeView
	Assessments []AssessmentView
	Quality     Text
	Requires    Text // prerequisites
	Stacks      []StackView
	Parts       []PartView // of which the award is made
	Activities  []ActivityView
	Further     Text     // further information
	ModuleURL   string   // page of the module
	Identifiers []string // certificate numbers and the like
	Status      []StatusEntry
	Claims      int         // how many things are attested; the fields above are those of the first
	More        []ClaimView // the others, at most maxClaims
}

// ClaimView names a further thing that a credential attests.
type ClaimView struct {
	Kind  string // LearningAchievement, LearningActivity, LearningAssessment, LearningEntitlement
	Title Text
}

// StackView is a larger award that counts the module.
type StackView struct {
	Code  string // "" when it has none
	Title Text
}

// PartView is an earlier achievement that an award is made of.
type PartView struct {
	Title       Text
	Credential  string // its id, where it is given
	CompletedOn time.Time
}

// ActivityView is a part of the workload by the way in which it is spent.
type ActivityView struct {
	Title Text
	Hours string // ISO 8601 duration
}

// AccreditationView is an accreditation that a credential claims.
type AccreditationView struct {
	ID     string
	Title  Text
	Agent  Text
	From   time.Time
	Until  time.Time // zero when it does not end
	Report string
}

// OutcomeView is a learning outcome as read from a credential.
type OutcomeView struct {
	Title  Text
	Skills []Concept
}

// AssessmentView is an assessment as read from a credential.
type AssessmentView struct {
	Title       Text
	Type        *Concept
	Grade       Text
	Supervision *Concept
	Rule        Text
}

// Concept is a value of a code list with its labels.
type Concept struct {
	URI    string
	Scheme string
	Label  Text
}

// StatusEntry points at the place where a credential's status is published.
type StatusEntry struct {
	Type    string // BitstringStatusListEntry, StatusList2021Entry, …, or TokenStatusEntry
	Purpose string // revocation or suspension; "" for a token list, which says both
	List    string // URL of the status list credential or token
	Index   string // decimal, as written in the credential
}

// TokenStatusEntry is the type of an entry that points at a Token Status List:
// the member status_list of a status, which has no type of its own.
const TokenStatusEntry = "status_list"
