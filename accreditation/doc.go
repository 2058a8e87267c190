// Package accreditation says who may issue, for what, and since when: lists of
// accredited providers that an authority (a region, a national school) keeps,
// dates and seals, and that whoever checks a credential has decided to believe.
//
//	list, err := accreditation.Read(token, trust, now)
//	answer, known := accreditation.NewLists(zone, list).Ask(question, then, today, now)
//
// Entries are ended and never removed, so that a list of today also answers for
// the day on which a credential was issued. What a list does not say is never
// taken for a no. The package does no I/O; lists are not changed once they are
// held, and asking them is safe for concurrent use.
package accreditation
