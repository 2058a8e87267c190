// Package keys holds the keys that seal, their certificates and their life,
// and the anchors that a verifier trusts.
//
// Private keys are made here or imported, never shipped, and stand encrypted
// on disk. A retired key still verifies and never signs.
//
//	ring, err := keys.Open(dir, master)
//	seal, err := ring.Current(keys.Seal, provider, now)
//	vouch := trust.Vouch(chain, at)
package keys
