package verifier

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"net/url"
	"slices"

	"attesta/brief"
	"attesta/credentials"
	"attesta/keys"
)

// keyDocument is where an installation publishes its keys.
const keyDocument = "/.well-known/jwks.json"

// maxNamed bounds how many certificates of one name are tried.
const maxNamed = 4

// short judges a compact QR. It carries no certificate, no proof of its time and
// not the document: the certificate is looked for, and the checks say what was not
// seen.
func (j *judgement) short(ctx context.Context, text string) {
	j.report.Brief = true
	sealed, err := brief.Parse(text)
	if err != nil {
		j.add(CheckFormat, Fail, "format_brief_unreadable", "detail", err.Error())
		return
	}
	j.add(CheckFormat, Pass, "format_brief")
	chains := j.chainsFor(ctx, sealed)
	if len(chains) == 0 {
		j.add(CheckSeal, Unknown, "seal_brief_key", "key", hex.EncodeToString(sealed.Key))
		return
	}
	n := slices.IndexFunc(chains, func(c []*x509.Certificate) bool { return sealed.Verify(c[0]) == nil })
	switch {
	case n < 0:
		j.add(CheckSeal, Fail, "seal_brief_broken")
		return
	case sealed.Made().After(j.now.Add(clockSkew)):
		j.add(CheckSeal, Fail, "seal_in_future", "at", stamp(sealed.Made()))
		return
	}
	b := sealed.Brief()
	view := b.View()
	j.add(CheckSeal, Pass, "seal_brief_intact", "at", stamp(sealed.Made().In(view.Issued.Location())))
	// Who signed it and when stands where the envelope of a file would.
	envelope := &credentials.Envelope{Chain: chains[n], SealedAt: sealed.Made()}
	j.parsed, j.view = &credentials.Parsed{Envelope: envelope}, view
	j.report.Document = hex.EncodeToString(b.Digest[:])
	j.report.Credential = &view
	j.report.Holder = HolderOf("")
	j.issuer(&view)
	j.report.Summary = summaryOf(view)
	envelope.SealedAt = view.Issued // the document, for which the brief stands, is older than it
	j.accreditation(view)
	j.validity(view)
	j.status(ctx, view)
	j.add(CheckSchema, Skipped, "schema_brief", "digest", j.report.Document)
	j.add(CheckHolder, Skipped, "holder_not_bound", "name", view.HolderName)
}

// chainsFor finds the certificates that a brief names: those that are at hand,
// else those that an installation publishes whose addresses an anchor names.
// Nobody else is asked on behalf of what nobody has signed yet.
func (j *judgement) chainsFor(ctx context.Context, s *brief.Sealed) [][]*x509.Certificate {
	id := hex.EncodeToString(s.Key)
	var found [][]*x509.Certificate
	if j.Certificates != nil {
		found = j.Certificates(id)
	}
	if len(found) == 0 && j.Fetcher != nil {
		ctx, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		for _, origin := range j.originsOf(s.Brief().Status) {
			raw, err := j.Fetcher.Fetch(ctx, origin+keyDocument, []string{origin})
			if err != nil {
				continue
			}
			if chains, err := keys.ChainsIn(raw, id); err == nil {
				found = append(found, chains...)
			}
		}
	}
	return found[:min(len(found), maxNamed)]
}

// originsOf are the places of status lists that are those of an anchor.
func (j *judgement) originsOf(entries []credentials.StatusEntry) []string {
	var origins []string
	for _, e := range entries {
		u, err := url.Parse(e.List)
		if err != nil || slices.Contains(origins, originOf(u)) {
			continue
		}
		if slices.ContainsFunc(j.trust.Anchors, func(a keys.Anchor) bool { return slices.Contains(a.Origins, originOf(u)) }) {
			origins = append(origins, originOf(u))
		}
	}
	return origins
}

// Pair notes in the reports about compact QRs which of them are short for a
// document that was presented beside them, by its digest, and say of whom it is and
// when it was issued as that does. It changes no verdict.
func Pair(reports []*Report) {
	whole := map[string]*credentials.View{}
	for _, r := range reports {
		if !r.Brief && r.Document != "" {
			whole[r.Document] = r.Credential
		}
	}
	for _, r := range reports {
		document := whole[r.Document]
		if !r.Brief || document == nil || !saysSame(r.Credential, document) {
			continue
		}
		r.Checks = slices.Clone(r.Checks)
		for n := range r.Checks {
			if r.Checks[n].Reason == "schema_brief" {
				r.Checks[n].Outcome, r.Checks[n].Reason = Pass, "schema_brief_beside"
			}
		}
	}
}

func saysSame(short, document *credentials.View) bool {
	return short != nil && short.ID == document.ID && short.HolderName == document.HolderName && short.Issued.Unix() == document.Issued.Unix()
}
