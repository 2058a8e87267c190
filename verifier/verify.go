package verifier

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"time"

	"attesta/accreditation"
	"attesta/brief"
	"attesta/credentials"
	"attesta/keys"
	"attesta/timestamp"
)

// Config is what a verifier works with. Trust and Now are needed; without a
// Fetcher it works offline. One that is a Keeper is told how long a list that was
// found good may be kept.
type Config struct {
	Trust   func() keys.Trust // the anchors in use now
	Now     func() time.Time
	Fetcher Fetcher
	// Accreditations are the lists of accredited providers that are believed now;
	// nil means none.
	Accreditations func() accreditation.Lists
	// Certificates are those at hand of the sealing keys with an id, each with who
	// issued it, leaf first: a compact QR names its key only. Nil means none.
	Certificates func(id string) [][]*x509.Certificate
}

// Verifier judges presented credentials. It is safe for concurrent use.
//
// It remembers the lists that it read last and which certificates signed which,
// in bounded memory: who is trusted is asked every time, and the seal of every
// credential is checked.
type Verifier struct {
	Config
	memory *memory
	chains *keys.Chains
}

// New returns a verifier that remembers nothing yet.
func New(c Config) *Verifier {
	return &Verifier{Config: c, memory: &memory{known: map[string]*remembered{}}, chains: keys.NewChains()}
}

// clockSkew is how far another clock may be ahead of ours.
const clockSkew = 5 * time.Minute

// The ids of the checks, in the order of a report.
const (
	CheckFormat        = "format"
	CheckSeal          = "seal"
	CheckIssuer        = "issuer"
	CheckAccreditation = "accreditation"
	CheckValidity      = "validity"
	CheckStatus        = "status"
	CheckSchema        = "schema"
	CheckHolder        = "holder"
)

// deciding are the checks that decide the verdict, the gravest first. Of the
// accreditation only a failure does: authentic and accredited are two things.
var deciding = [...]string{CheckFormat, CheckSeal, CheckIssuer, CheckStatus, CheckValidity, CheckAccreditation, CheckSchema, CheckHolder}

// Verify judges presented bytes as of now.
func (v *Verifier) Verify(ctx context.Context, presented []byte) (Report, error) {
	return v.VerifyAt(ctx, presented, time.Time{})
}

// VerifyAt judges presented bytes as of a moment; the zero time means now. The
// error is that of the context: a verdict about anything else is in the report.
func (v *Verifier) VerifyAt(ctx context.Context, presented []byte, at time.Time) (Report, error) {
	now := v.Now()
	if at.IsZero() {
		at = now
	}
	sum := sha256.Sum256(presented)
	j := &judgement{
		Verifier: v, trust: v.Trust(), now: now, at: at,
		report: Report{CheckedAt: now, At: at, Digest: hex.EncodeToString(sum[:])},
	}
	j.run(ctx, presented)
	if err := ctx.Err(); err != nil {
		return Report{}, err
	}
	j.decide()
	return j.report, nil
}

// judgement is one report in the making.
type judgement struct {
	*Verifier
	trust   keys.Trust
	now, at time.Time
	report  Report
	parsed  *credentials.Parsed
	view    credentials.View // of verified bytes, once seal has passed
	proof   proof
	vouch   keys.Vouch
	signer  credentials.Signer // as its certificate says
}

func (j *judgement) add(id string, outcome Outcome, reason string, facts ...string) {
	c := Check{ID: id, Outcome: outcome, Reason: reason}
	for n := 0; n+1 < len(facts); n += 2 {
		if c.Facts == nil {
			c.Facts = map[string]string{}
		}
		c.Facts[facts[n]] = facts[n+1]
	}
	j.report.Checks = append(j.report.Checks, c)
}

func (j *judgement) run(ctx context.Context, presented []byte) {
	if text, ok := brief.In(presented); ok {
		j.short(ctx, text)
		return
	}
	if kind := credentials.TokenKindOf(presented); kind != credentials.NoToken {
		j.token(ctx, kind, presented)
		return
	}
	parsed, err := credentials.Parse(presented)
	if err != nil {
		if token, ok := credentials.CompactSDJWT(presented); ok {
			j.sdjwt(ctx, token)
			return
		}
		code := "unreadable"
		if format, ok := errors.AsType[*credentials.FormatError](err); ok {
			code = format.Code
		}
		j.add(CheckFormat, Fail, "format_"+code, "detail", err.Error())
		return
	}
	j.parsed = parsed
	j.add(CheckFormat, Pass, "format_"+parsed.Format)
	if !j.seal() {
		return
	}
	view := j.view
	document := sha256.Sum256(parsed.Envelope.Payload())
	j.report.Document = hex.EncodeToString(document[:])
	j.report.Credential = &view
	born, numbers := j.parsed.HolderData()
	j.report.Holder = HolderOf(born, numbers...)
	j.issuer(&view)
	j.report.Summary = summaryOf(view)
	j.accreditation(view)
	j.validity(view)
	j.status(ctx, view)
	j.schema(ctx, view)
	j.add(CheckHolder, Skipped, "holder_not_bound", "name", view.HolderName)
}

func (j *judgement) seal() bool {
	e := j.parsed.Envelope
	if err := e.Verify(); err != nil {
		j.add(CheckSeal, Fail, "seal_broken")
		return false
	}
	j.view = j.parsed.View()
	if e.SealedAt.After(j.now.Add(clockSkew)) {
		j.add(CheckSeal, Fail, "seal_in_future", "at", stamp(e.SealedAt))
		return false
	}
	for _, token := range e.ContentStamps {
		if t, err := timestamp.Parse(token); err != nil || t.Over(e.ContentStamped()) != nil {
			j.add(CheckSeal, Fail, "seal_content_stamp")
			return false
		}
	}
	j.proof = j.prove()
	j.report.Baseline = "JAdES-BASELINE-" + e.Baseline()
	zone := j.view.Issued.Location()
	if j.proof.at.IsZero() {
		j.add(CheckSeal, Pass, "seal_intact", "at", stamp(j.sealedAt().In(zone)), "level", j.report.Baseline)
		return true
	}
	proven := j.proof.at
	j.report.ProvenAt = &proven
	j.add(CheckSeal, Pass, "seal_proven", "at", stamp(proven.In(zone)), "by", j.proof.by, "level", j.report.Baseline)
	if proven.After(e.Leaf().NotAfter) {
		// Anybody can have an old seal stamped today. That the seal was there
		// after the end of its certificate tells no more than the seal does.
		j.proof.at = time.Time{}
	}
	return true
}

// sealedAt is by when the seal was made: as time stamps prove it, else as the
// seal claims for itself.
func (j *judgement) sealedAt() time.Time {
	if !j.proof.at.IsZero() {
		return j.proof.at
	}
	return j.claimedAt()
}

// claimedAt is when the seal says that it was made: the sealer's own word.
func (j *judgement) claimedAt() time.Time {
	if at := j.parsed.Envelope.SealedAt; !at.IsZero() {
		return at
	}
	return j.at
}

// issuer asks who vouches for the sealer, and whether the credential names the
// same organisation as the certificate.
func (j *judgement) issuer(view *credentials.View) {
	e := j.parsed.Envelope
	chain := slices.Concat(e.Chain, j.proof.evidence.Certificates)
	j.vouch = j.chains.Vouch(j.trust, chain, j.sealedAt())
	j.report.Level = string(j.vouch.Level)
	signer, err := credentials.SignerOf(e.Leaf())
	if err != nil {
		j.add(CheckIssuer, Fail, "issuer_nameless")
		return
	}
	j.signer = signer
	named := false
	for _, name := range view.IssuerNames {
		named = named || name == signer.Organisation
	}
	if named && view.IssuerLegal == signer.LegalID {
		j.vouched(signer, chain)
	} else {
		j.add(CheckIssuer, Fail, "issuer_mismatch", "name", view.Issuer, "sealer", signer.Organisation)
	}
	if named {
		// What is shown is the name that the certificate vouches for; the file
		// may carry others.
		view.Issuer, view.IssuerNames = signer.Organisation, credentials.Text{"und": signer.Organisation}
	}
	for _, name := range view.AwardedBy {
		if name == signer.Organisation {
			view.AwardedBy, view.AwardedIDs = nil, nil // the sealer itself, by another id
			break
		}
	}
}

// vouched says what the sealer's certificate is worth. A key that no longer
// counts leaves what is proved to be older as it was; what only claims to be
// older nobody can tell from a forgery, and likewise what claims to be older
// than the end of its certificate or of one that issued it. A time stamp from
// after that day proves neither: the seal may have been there long before.
func (j *judgement) vouched(signer credentials.Signer, chain []*x509.Certificate) {
	leaf, anchor := chain[0], j.vouch.Anchor
	facts := []string{"name", signer.Organisation, "id", signer.LegalID, "anchor", anchor.Name}
	since, revoked := revokedSince(leaf, anchor, chain, j.proof.evidence)
	on := append(slices.Clip(facts), "on", stamp(since), "by", j.proof.by)
	known := j.vouch.Worth != keys.Unrecognised
	switch {
	case errors.Is(j.vouch.Err, keys.ErrMisused):
		j.add(CheckIssuer, Fail, "issuer_certificate", facts...)
	case revoked && !j.claimedAt().Before(since):
		j.report.Level = string(keys.Unrecognised)
		j.add(CheckIssuer, Fail, "issuer_key_revoked", on...)
	case !known:
		j.add(CheckIssuer, Unknown, "issuer_unrecognised", facts...)
	case revoked && (j.proof.at.IsZero() || !j.proof.at.Before(since)):
		j.report.Level = string(keys.Unrecognised)
		j.add(CheckIssuer, Unknown, "issuer_key_revoked_since", on...)
	case revoked:
		j.report.Level = string(j.worth())
		j.add(CheckIssuer, Pass, "issuer_key_revoked_later", on...)
	case j.proof.at.IsZero() && j.now.After(j.vouch.Ends):
		j.add(CheckIssuer, Unknown, "issuer_certificate_ended", append(facts, "on", stamp(j.vouch.Ends))...)
	case j.vouch.Level == keys.Qualified:
		j.qualified(facts)
	default:
		j.add(CheckIssuer, Pass, "issuer_"+string(j.vouch.Level), facts...)
	}
}

// qualified says that the certificate of the seal is qualified, by which list.
// The seal is qualified too when its key is in a qualified device, and advanced
// when not (Regulation (EU) 910/2014 article 3(25) to (27)).
func (j *judgement) qualified(facts []string) {
	list, device := j.vouch.Anchor.List, "yes"
	reason := "issuer_" + string(keys.Qualified)
	if !j.vouch.Device {
		device, reason = "no", "issuer_qualified_certificate"
	}
	j.report.Level = string(j.worth())
	facts = append(facts, "device", device)
	if list != nil {
		facts = append(facts, "territory", list.Territory, "list", stamp(list.Issued))
	}
	j.add(CheckIssuer, Pass, reason, facts...)
}

// worth is the level of a seal by its certificate, which may have been revoked
// since.
func (j *judgement) worth() keys.Level {
	if j.vouch.Worth == keys.Qualified && !j.vouch.Device {
		return keys.Advanced
	}
	return j.vouch.Worth
}

func (j *judgement) validity(view credentials.View) {
	from := view.ValidFrom
	if from.IsZero() {
		from = view.Issued
	}
	switch {
	case from.IsZero() && !j.endsOnly(view):
		j.add(CheckValidity, Unknown, "validity_unstated")
	case from.After(j.at.Add(clockSkew)):
		j.add(CheckValidity, Fail, "validity_not_yet", "on", stamp(from))
	case j.claimedAt().After(j.at.Add(clockSkew)):
		j.add(CheckValidity, Fail, "validity_sealed_later", "on", stamp(j.claimedAt().In(from.Location())))
	case view.ValidUntil.IsZero():
		j.add(CheckValidity, Pass, "validity_no_end", "from", stamp(from))
	case j.at.After(view.ValidUntil):
		j.add(CheckValidity, Fail, "validity_expired", "on", stamp(view.ValidUntil))
	default:
		j.add(CheckValidity, Pass, "validity_until", "on", stamp(view.ValidUntil))
	}
}

// endsOnly tells whether a credential for wallets says until when it is valid and
// not from when, and is valid from the beginning (RFC 7519 section 4.1.5): that
// it was there on a day in the past it does not say.
func (j *judgement) endsOnly(view credentials.View) bool {
	return j.report.Discloses() && !view.ValidUntil.IsZero() && j.now.Sub(j.at) <= clockSkew
}

// ambiguous are the rules whose breach lets two readers see two different
// things in one sealed file.
var ambiguous = []string{"S13", "S15", "S16", "S21", "C01"}

// schema reports deviations from the application profile. Most do not decide: a
// good seal over a document with a small fault still says who sealed what. What
// can be read in two ways does. It is looked at only when somebody vouches for
// the sealer.
func (j *judgement) schema(ctx context.Context, view credentials.View) {
	if ctx.Err() != nil || j.report.Find(CheckIssuer).Outcome != Pass {
		j.add(CheckSchema, Skipped, "schema_not_checked")
		return
	}
	if shown := 1 + len(view.More); view.Claims > shown {
		j.add(CheckSchema, Unknown, "schema_several", "count", strconv.Itoa(view.Claims), "shown", strconv.Itoa(shown))
		return
	}
	deviations, reason := 0, "schema_deviates"
	first := ""
	for _, f := range credentials.Errors(j.parsed.Lint()) {
		if f.Rule[0] == 'A' {
			continue // completeness is for issuers
		}
		deviations++
		if twofold := slices.Contains(ambiguous, f.Rule); first == "" || twofold && reason == "schema_deviates" {
			first = f.Rule + " " + f.Path
			if twofold {
				reason = "schema_ambiguous"
			}
		}
	}
	if deviations > 0 {
		j.add(CheckSchema, Unknown, reason, "count", strconv.Itoa(deviations), "first", first)
		return
	}
	j.add(CheckSchema, Pass, "schema_conforms")
}

// decide draws the verdict: any failure means not valid; else anything unknown
// among the deciding checks means that nobody can tell.
func (j *judgement) decide() {
	r := &j.report
	for _, c := range r.Checks {
		if c.Outcome == Fail {
			r.Verdict = NotValid
		}
	}
	want := Fail
	if r.Verdict == "" {
		want = Unknown
	}
	for _, id := range deciding {
		if id == CheckAccreditation && want == Unknown {
			continue
		}
		if c := r.Find(id); c.Outcome == want && c.Reason != "schema_deviates" {
			r.Reason = c.Reason
			if want == Unknown {
				r.Verdict = CannotTell
			}
			return
		}
	}
	if r.Verdict == "" {
		r.Verdict, r.Reason = Valid, "valid"
	}
}

func summaryOf(v credentials.View) *CredentialSummary {
	s := &CredentialSummary{
		ID: v.ID, Title: v.Title, HolderName: v.HolderName,
		Issuer: v.IssuerNames, IssuerID: v.IssuerLegal, Issued: v.Issued,
		AwardedBy: v.AwardedBy, Mandate: v.Mandate,
	}
	for _, m := range v.More {
		s.More = append(s.More, SummaryClaim{Kind: m.Kind, Title: m.Title})
	}
	if !v.ValidUntil.IsZero() {
		s.ValidUntil = &v.ValidUntil
	}
	return s
}

// stamp writes a time into a fact, in the zone it was written in, so that its
// day does not shift.
func stamp(t time.Time) string { return t.Format(time.RFC3339) }
