package verifier

import (
	"crypto/x509"

	"attesta/credentials"
)

// named notes the name that the sealer has in the certificate of a status list of
// its own that holds: an organisation that took another name since signs with it.
func (j *judgement) named(list *x509.Certificate) {
	was, err := credentials.SignerOf(j.parsed.Envelope.Leaf())
	if err != nil {
		return
	}
	is, err := credentials.SignerOf(list)
	if err == nil && is.LegalID == was.LegalID && is.Organisation != was.Organisation {
		j.report.NowNamed = is.Organisation
	}
}
