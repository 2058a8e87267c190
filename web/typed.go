package web

import (
	"net/http"
	"regexp"
	"strings"
	"unicode"
)

const (
	maxTyped = 120 // bytes of what may be typed from paper; a sealed credential is longer
	maxLink  = 500 // bytes of an address that is looked at
)

var (
	// handleForm is the form of a handle: 130 random bits.
	handleForm = regexp.MustCompile(`^[A-Z2-7]{26}$`)
	// numberForm is the form of a certificate number and of a credential's id.
	numberForm = regexp.MustCompile(`^(?i:[A-Z0-9]+(-[A-Z0-9]+)*-[0-9A-F]{8}|urn:[a-z0-9]+:[0-9a-f-]{36})$`)
	// tokenForm is how a sealed token begins, whatever its length.
	tokenForm = regexp.MustCompile(`^eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.`)
	scheme    = regexp.MustCompile(`^(?i:https?://)`)
)

// typedIn reads text as somebody typed it: the handle that it holds, or why it
// leads nowhere, or neither when it is the text of a credential. A code or an
// address with a slip is never taken for a credential, because an answer about
// its seal would be read as one about the credential that was meant.
func (s *Site) typedIn(text string) (handle string, no *refusal) {
	if len(text) > maxLink || strings.Contains(text, "{") || tokenForm.MatchString(text) {
		return "", nil
	}
	bare := scheme.ReplaceAllString(strings.Trim(text, " \t\r\n<>()[]\"“”«».,;"), "")
	at := strings.IndexAny(bare, "/?#")
	if at >= 0 && strings.EqualFold(bare[:at], s.host) {
		path, ok := cutPrefixFold(bare[at:], "/v/")
		if !ok {
			return "", &refusal{http.StatusBadRequest, "link"}
		}
		if end := strings.IndexAny(path, "/?#"); end >= 0 {
			path = path[:end]
		}
		if handle = codeIn(path); handle == "" {
			return "", &refusal{http.StatusBadRequest, "code"}
		}
		return handle, nil
	}
	foreign := scheme.MatchString(text) ||
		at > 0 && len(text) <= maxTyped && strings.Contains(bare[:at], ".") && strings.IndexFunc(bare, unicode.IsSpace) < 0
	switch handle = codeIn(bare); {
	case handle != "":
		return handle, nil
	case foreign:
		return "", &refusal{http.StatusBadRequest, "link"}
	case len(text) > maxTyped:
		return "", nil
	case numberForm.MatchString(bare):
		return "", &refusal{http.StatusBadRequest, "number"}
	}
	return "", &refusal{http.StatusBadRequest, "code"}
}

// codeIn reads a code as people write it down: in small letters, in groups, and
// with the digits 0, 1 and 8, which no code has, for the letters O, I and B. It
// is "" for what is no code.
func codeIn(text string) string {
	if len(text) > maxTyped {
		return ""
	}
	code := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r), r == '\u00AD', r == '\u200B':
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r == '0':
			return 'O'
		case r == '1':
			return 'I'
		case r == '8':
			return 'B'
		}
		return r
	}, text)
	if !handleForm.MatchString(code) {
		return ""
	}
	return code
}

func cutPrefixFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
