package verifier

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"attesta/credentials"
)

// token judges what comes as a compact token. Of those that are credentials only
// the ones for wallets (SD-JWT VC) are read here; that another kind is not read
// makes it no forgery.
func (j *judgement) token(ctx context.Context, kind credentials.TokenKind, presented []byte) {
	switch kind {
	case credentials.SDJWTToken:
		j.sdjwt(ctx, presented)
	case credentials.VCToken:
		j.add(CheckFormat, Unknown, "format_vcjwt")
	default:
		j.add(CheckFormat, Fail, "format_token")
	}
}

// sdjwt judges a credential for wallets: the same questions as of a sealed file,
// to which a token has other answers.
func (j *judgement) sdjwt(ctx context.Context, presented []byte) {
	s, err := credentials.ParseSDJWT(presented)
	if err != nil {
		j.unreadToken(err)
		return
	}
	j.add(CheckFormat, Pass, "format_sdjwt", "type", s.Kind)
	if s.Verify() != nil {
		j.add(CheckSeal, Fail, "seal_sdjwt_broken")
		return
	}
	if s.Envelope.SealedAt.After(j.now.Add(clockSkew)) {
		j.add(CheckSeal, Fail, "seal_in_future", "at", stamp(s.Envelope.SealedAt))
		return
	}
	shown, ok := j.holderProof(s)
	if !ok {
		j.add(CheckSeal, Fail, "seal_sdjwt_holder")
		return
	}
	j.add(CheckSeal, Pass, "seal_sdjwt_intact")
	j.parsed, j.view = &credentials.Parsed{Envelope: s.Envelope}, s.View()
	view := j.view
	document := sha256.Sum256(s.Envelope.Payload())
	j.report.Document = hex.EncodeToString(document[:])
	j.report.Credential = &view
	born, numbers := s.HolderData()
	j.report.Holder = HolderOf(born, numbers...)
	j.tokenIssuer(s, &view)
	j.report.Summary = summaryOf(view)
	j.accreditation(view)
	if s.EndsUnread() {
		j.add(CheckValidity, Unknown, "validity_unread")
	} else {
		j.validity(view)
	}
	j.status(ctx, view)
	j.tokenSchema(s)
	j.tokenHolder(s, view, shown)
}

// holderProof checks the proof of the holder's key, where there is one: nil where
// there is none, or where it is made in a way that is not read here.
func (j *judgement) holderProof(s *credentials.SDJWT) (shown *credentials.Binding, ok bool) {
	if !s.Bound {
		return nil, true
	}
	b, err := s.CheckBinding()
	if format, is := errors.AsType[*credentials.FormatError](err); is && format.Code == credentials.ErrUnread {
		return nil, true
	}
	return &b, err == nil && !b.At.After(j.now.Add(clockSkew))
}

// unreadToken says why a token cannot be read. What is signed in a way that is not
// read here nobody can tell.
func (j *judgement) unreadToken(err error) {
	format, _ := errors.AsType[*credentials.FormatError](err)
	switch {
	case format != nil && format.Code == credentials.ErrUnread:
		j.add(CheckFormat, Unknown, "format_sdjwt_key", "detail", err.Error())
	case format != nil && format.Code != "sdjwt":
		j.add(CheckFormat, Fail, "format_"+format.Code, "detail", err.Error())
	default:
		j.add(CheckFormat, Fail, "format_sdjwt_unreadable", "detail", err.Error())
	}
}

// tokenIssuer asks who vouches for the signer, whom the certificate names. Where
// that names addresses and not the one that the token gives for its issuer, the
// drafts of SD-JWT VC do not agree on what it means (until the ninth it is refused),
// and neither do issuers: nobody can tell.
func (j *judgement) tokenIssuer(s *credentials.SDJWT, view *credentials.View) {
	chain, leaf := s.Envelope.Chain, s.Leaf()
	at := j.sealedAt()
	if s.Envelope.SealedAt.IsZero() && at.After(leaf.NotAfter) {
		at = leaf.NotAfter // when it was signed is not shown: it may have been in time
	}
	j.vouch = j.chains.Vouch(j.trust, chain, at)
	j.report.Level = string(j.vouch.Level)
	signer, err := s.Signer()
	if err == nil {
		j.signer = signer
		view.IssuerLegal = signer.LegalID
	} else {
		signer.Organisation = cmp.Or(signer.CommonName, "–")
	}
	view.Issuer, view.IssuerNames = signer.Organisation, credentials.Text{"und": signer.Organisation}
	if view.AwardedBy["und"] == signer.Organisation {
		view.AwardedBy = nil
	}
	j.vouched(signer, chain)
	check := &j.report.Checks[len(j.report.Checks)-1]
	switch {
	case check.Outcome != Pass:
	case err != nil:
		*check = Check{ID: CheckIssuer, Outcome: Unknown, Reason: "issuer_nameless"}
	case s.Issuer != "" && !s.NamesIssuer() && len(leaf.DNSNames)+len(leaf.URIs) > 0:
		check.Outcome, check.Reason = Unknown, "issuer_address"
		check.Facts["address"] = s.Issuer
	}
}

// believed tells whether somebody vouches for who signed, also where the token
// leaves in doubt who that is.
func (j *judgement) believed() bool {
	c := j.report.Find(CheckIssuer)
	return c.Outcome == Pass || c.Reason == "issuer_address"
}

// tokenSchema says which type the token is of. The rules of the type stand
// elsewhere, and nobody is asked for them.
func (j *judgement) tokenSchema(s *credentials.SDJWT) {
	if s.Issuer != "" && !s.NamesIssuer() {
		j.add(CheckSchema, Skipped, "schema_sdjwt_issuer", "type", s.Kind, "issuer", s.Issuer)
		return
	}
	j.add(CheckSchema, Skipped, "schema_sdjwt", "type", s.Kind)
}

// tokenHolder says what the presentation tells of who presents it. A proof of the
// holder's key is for somebody, and answers a question: whether that was who
// checks, a file does not say.
func (j *judgement) tokenHolder(s *credentials.SDJWT, view credentials.View, shown *credentials.Binding) {
	switch {
	case s.Bound && shown == nil:
		j.add(CheckHolder, Unknown, "holder_key_unread")
	case view.HolderName == "":
		j.add(CheckHolder, Skipped, "holder_undisclosed")
	case s.Bound:
		j.add(CheckHolder, Skipped, "holder_key_shown", "name", view.HolderName, "at", stamp(shown.At))
	default:
		j.add(CheckHolder, Skipped, "holder_not_bound", "name", view.HolderName)
	}
}
