// Package timestamp holds proofs of time after RFC 3161 and RFC 5816: ask an
// authority for one, read one, hold it against what it stamps.
//
//	token, err := authority.Stamp(ctx, data) // over HTTP
//	t, err := timestamp.Parse(token)
//	err = t.Over(data) // then data existed at t.Time, says t.Chain[0]
//
// Nothing here asks whether the authority deserves trust, or what time it is.
package timestamp
