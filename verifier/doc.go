// Package verifier judges what is presented, from public information only: the
// sealed bytes, the anchors that are trusted, and the published status lists.
// It knows no registry and no issuer, so it answers as any stranger could.
//
//	report, err := verifier.New(verifier.Config{Trust: trust, Now: time.Now, Fetcher: fetcher}).Verify(ctx, file)
//
// A check that could not be made is unknown and never counts as passed.
// Nothing is fetched before the seal is found good.
package verifier
