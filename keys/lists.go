package keys

import (
	"crypto/x509"
	"slices"
	"time"
)

// VouchList tells whether the certificate of a status list may speak for a seal
// of another house, such as one from before the provider changed its authority:
// it names the same organisation, and an anchor for seals that is worth no less
// than the level of the seal leads to it, and none that does has revoked it.
// Both chains are leaf first.
func (t Trust) VouchList(seal []*x509.Certificate, level Level, list []*x509.Certificate, at time.Time) bool {
	return (*Chains)(nil).VouchList(t, seal, level, list, at)
}

// VouchList is that of Trust, with what is remembered.
func (m *Chains) VouchList(t Trust, seal []*x509.Certificate, level Level, list []*x509.Certificate, at time.Time) bool {
	if len(seal) == 0 || len(list) == 0 || maySign(list[0]) != nil {
		return false
	}
	if name := organisation(seal[0]); name == "" || name != organisation(list[0]) {
		return false
	}
	worth := []Level{Demonstration, Advanced, Qualified}
	least := slices.Index(worth, level)
	vouched := false
	for _, a := range t.Anchors {
		if least < 0 || !a.isFor(ForSeals) || slices.Index(worth, a.Level) < least || !m.underRoot(list, a.Certificate, at) {
			continue
		}
		if _, revoked := a.RevokedSince(list[0]); revoked {
			return false
		}
		vouched = true
	}
	return vouched
}
