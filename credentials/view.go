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
	Issuer      string // legal name in the primary language
	IssuerNames Text
	IssuerLegal string // organisation identifier
	IssuerURL   string
	Country     Concept
	Issued      time.Time // when it was sealed and handed out
	CompletedOn time.Time // day of the award; zero when not stated
	ValidFrom   time.Time
	ValidUntil  time.Time // zero when it does not expire
	Level       *Concept  // EQF
	LevelNote   Text      // on whose word the level stands
	Hours       string    // ISO 8601 duration, for example PT32H
	Mode        []Concept
	Setting     *Concept
	Field       []Concept
	Language    []Concept
	Outcomes    []OutcomeView
	Assessments []AssessmentView
	Quality     Text
	Requires    Text // prerequisites
	Stacks      []string
	Identifiers []string // certificate numbers and the like
	Status      []StatusEntry
	Claims      int // how many things are attested; the fields above are those of the first
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
	Type    string // BitstringStatusListEntry, StatusList2021Entry, …
	Purpose string // revocation or suspension
	List    string // URL of the status list credential
	Index   string // decimal, as written in the credential
}
