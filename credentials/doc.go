// Package credentials is the credential as data: the award, the document of
// the European Learning Model made from it, the rules it must keep, and the
// formats it is sealed in and read from.
//
// It does no I/O and trusts nothing. What Parse returns is what a file claims:
// only package verifier turns it into a judgement.
//
//	document, err := credentials.NewDocument(award, issue)
//	findings := credentials.Lint(document)
//	sealed, err := credentials.EDC.Seal(document, sealer)
//	parsed, err := credentials.Parse(file)
//
// Who seals many credentials of one module takes a Series.
package credentials
