package verifier

import (
	"time"

	"attesta/credentials"
)

// Outcome is the result of one check.
type Outcome string

// The four outcomes. Unknown is never to be shown as Pass.
const (
	Pass    Outcome = "pass"
	Fail    Outcome = "fail"
	Unknown Outcome = "unknown"
	Skipped Outcome = "skipped"
)

// Verdict is the one answer of a report.
type Verdict string

// The three verdicts.
const (
	Valid      Verdict = "valid"
	NotValid   Verdict = "not_valid"
	CannotTell Verdict = "cannot_tell"
)

// Check is one thing that was looked at. ID is one of format, seal, issuer,
// accreditation, validity, status, schema, holder. Reason is a stable code such
// as seal_broken, status_revoked or issuer_demonstration; the words for it in
// the reader's language come from Words.
type Check struct {
	ID      string            `json:"id"`
	Outcome Outcome           `json:"outcome"`
	Reason  string            `json:"reason"`
	Facts   map[string]string `json:"facts,omitempty"` // values that fill the words: dates, names, codes
}

// Report is the judgement of what was presented, made from public information
// only. Credential is nil unless the seal is good: what is shown to a person
// comes from verified bytes.
type Report struct {
	Verdict   Verdict    `json:"verdict"`
	Reason    string     `json:"reason"` // reason code of the check that decided
	Checks    []Check    `json:"checks"`
	Level     string     `json:"level,omitempty"`     // of the seal: demonstration, advanced, qualified, unrecognised
	Baseline  string     `json:"baseline,omitempty"`  // JAdES-BASELINE-B, T, LT or LTA, by what the seal carries
	ProvenAt  *time.Time `json:"proven_at,omitempty"` // by when trusted time stamps prove the seal was there
	CheckedAt time.Time  `json:"checked_at"`          // time of the check
	At        time.Time  `json:"at"`                  // moment the question is about; equal to CheckedAt unless asked otherwise
	Digest    string     `json:"digest"`              // SHA-256 of the presented bytes, hex
	// Document is the SHA-256 of the sealed document without its seal, hex, which
	// does not change when proofs are added to the seal; "" unless the seal is good.
	Document string `json:"document,omitempty"`
	// Brief is set where a compact QR was presented: the document itself was not
	// seen, and Document is what the QR says of it.
	Brief bool `json:"brief,omitempty"`
	// NowNamed is how the certificate of the status list names the sealer, where
	// the seal names it otherwise. It is the same organisation, by its legal
	// identifier, and no check hangs on its name today.
	NowNamed   string             `json:"now_named,omitempty"`
	Credential *credentials.View  `json:"-"`
	Holder     Holder             `json:"-"` // whom About compares with; nobody unless the seal is good
	Summary    *CredentialSummary `json:"credential,omitempty"`
}

// CredentialSummary is the part of a credential that a machine reader gets.
type CredentialSummary struct {
	ID         string           `json:"id"`
	Title      credentials.Text `json:"title"`
	HolderName string           `json:"holder_name"`
	Issuer     credentials.Text `json:"issuer"`
	IssuerID   string           `json:"issuer_id"`
	Issued     time.Time        `json:"issued,omitzero"` // not known of some credentials for wallets
	ValidUntil *time.Time       `json:"valid_until,omitempty"`
	// AwardedBy is the awarding body where another organisation sealed for it,
	// and Mandate on what that one says it may. Nobody but the sealer says so.
	AwardedBy credentials.Text `json:"awarded_by,omitempty"`
	Mandate   credentials.Text `json:"mandate,omitempty"`
	More      []SummaryClaim   `json:"more,omitempty"` // what else is attested
}

// SummaryClaim names a further thing that a credential attests; Kind is its
// class in the learning model.
type SummaryClaim struct {
	Kind  string           `json:"kind"`
	Title credentials.Text `json:"title"`
}

// Find returns the check with the id, or a skipped one.
func (r Report) Find(id string) Check {
	for _, c := range r.Checks {
		if c.ID == id {
			return c
		}
	}
	return Check{ID: id, Outcome: Skipped, Reason: id + "_not_made"}
}

// Discloses tells whether what was presented shows only what its holder chose to
// disclose: a credential for wallets. What is not in it may be in the credential.
func (r Report) Discloses() bool { return r.Find(CheckFormat).Reason == "format_sdjwt" }
