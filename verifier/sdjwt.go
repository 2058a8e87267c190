package verifier

import (
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
	var shown credentials.Binding
	if s.Bound {
		if shown, err = s.CheckBinding(); err != nil || shown.At.After(j.now.Add(clockSkew)) {
			j.add(CheckSeal, Fail, "seal_sdjwt_holder")
			return
		}
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
	j.validity(view)
	j.status(ctx, view)
	j.tokenSchema(s)
	j.tokenHolder(s, view, shown)
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

// tokenIssuer asks who vouches for the signer, whom the certificate names. An
// address that the token gives for its issuer is to be in the certificate, where
// that has any.
func (j *judgement) tokenIssuer(s *credentials.SDJWT, view *credentials.View) {
	chain, leaf := s.Envelope.Chain, s.Leaf()
	j.vouch = j.chains.Vouch(j.trust, chain, j.sealedAt())
	j.report.Level = string(j.vouch.Level)
	signer, err := credentials.SignerOf(leaf)
	if err != nil {
		j.add(CheckIssuer, Fail, "issuer_nameless")
		return
	}
	j.signer = signer
	view.Issuer, view.IssuerNames = signer.Organisation, credentials.Text{"und": signer.Organisation}
	view.IssuerLegal = signer.LegalID
	if view.AwardedBy["und"] == signer.Organisation {
		view.AwardedBy = nil
	}
	if s.Issuer != "" && !s.NamesIssuer() && len(leaf.DNSNames)+len(leaf.URIs) > 0 {
		j.add(CheckIssuer, Fail, "issuer_mismatch", "name", s.Issuer, "sealer", signer.Organisation)
		return
	}
	j.vouched(signer, chain)
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
func (j *judgement) tokenHolder(s *credentials.SDJWT, view credentials.View, shown credentials.Binding) {
	switch {
	case view.HolderName == "":
		j.add(CheckHolder, Skipped, "holder_undisclosed")
	case s.Bound:
		j.add(CheckHolder, Skipped, "holder_key_shown", "name", view.HolderName, "at", stamp(shown.At))
	default:
		j.add(CheckHolder, Skipped, "holder_not_bound", "name", view.HolderName)
	}
}
