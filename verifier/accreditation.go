package verifier

import "attesta/credentials"

// accreditation says whether the credential claims one. There is no register
// here to hold the claim against, so that nothing is ever known.
func (j *judgement) accreditation(view credentials.View) {
	a := view.Accreditation
	if a == nil {
		j.add(CheckAccreditation, Unknown, "accreditation_not_known")
		return
	}
	by, _ := a.Agent.In("it", "en")
	if by == "" {
		by, _ = a.Title.In("it", "en")
	}
	if by == "" {
		by = a.ID
	}
	if by == "" {
		by = "–"
	}
	j.add(CheckAccreditation, Unknown, "accreditation_claimed", "register", by)
}
