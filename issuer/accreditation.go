package issuer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"attesta/credentials"
	"attesta/registry"
)

// accreditationChange says for the audit log what an import changes about the
// accreditation of a provider; nothing when it stays as it is.
func (i *Issuer) accreditationChange(ctx context.Context, p credentials.Provider) (string, error) {
	before, err := i.provider(ctx, p.ID)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return "", err
	}
	was, is := accreditationWords(before.Accreditation), accreditationWords(p.Accreditation)
	switch {
	case was == is:
		return "", nil
	case errors.Is(err, registry.ErrNotFound):
		return is, nil
	}
	return is + "; before: " + was, nil
}

// maxWords bounds what the log says of one accreditation, in bytes.
const maxWords = 200

// accreditationWords says an accreditation in a line.
func accreditationWords(a *credentials.Accreditation) string {
	if a == nil {
		return "no accreditation"
	}
	until := "without end"
	if a.ValidUntil != "" {
		until = "to " + string(a.ValidUntil)
	}
	words := fmt.Sprintf("accredited by %s, number %s, from %s %s", a.Register, a.Number, a.ValidFrom, until)
	if a.LimitEQF > 0 {
		words += fmt.Sprintf(", up to EQF level %d", a.LimitEQF)
	}
	words = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, words)
	if len(words) > maxWords {
		words = strings.ToValidUTF8(words[:maxWords], "") + "…"
	}
	return words
}
